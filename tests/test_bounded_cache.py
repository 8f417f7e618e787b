"""What was made before: the same object again, within its room, and in peace with several threads."""

from __future__ import annotations

import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from weakref import ref

import pytest

from session_core.budget import Budget
from session_core.compress.digest_text import lines_of
from session_core.compress.plan_cache import PlanCache, PlanContext
from session_core.language.values import _values_before, values
from session_core.plan import Digest
from session_core.policy import Policy
from session_core.ranges import Ranges
from session_core.serial.cache import BoundedCache
from session_core.services import Services
from session_core.sessions import Sessions
from session_core.stores.redis.rows import Tails, begin_row, finish_row
from session_core.turns import Message, Role
from session_core.voices import run_blocking

LIMITS = Policy().limits


def test_a_value_is_made_once_and_is_the_same_object_again():
    memory = BoundedCache[list[int]](100)
    first = memory.get(b"key", lambda: [1], size=5)
    assert memory.get(b"key", lambda: [2], size=5) is first


def test_what_is_asked_for_stays_and_what_is_not_goes_within_the_room():
    memory = BoundedCache[object](100)
    kept = memory.get("kept", object)
    for number in range(1_000):
        memory.get(number, object)
        assert memory.get("kept", object) is kept
        assert len(memory._newer) + len(memory._older) <= 102
    gone = object()
    assert memory.get(0, lambda: gone) is gone


def test_values_larger_than_most_of_the_cache_are_not_cached():
    memory = BoundedCache[object](100)
    first = memory.get("large", object, size=50)
    assert memory.get("large", object, size=50) is not first


def test_many_small_values_take_room_as_the_objects_they_are():
    memory = BoundedCache[object](10_000, each=90)
    for number in range(1_000):
        memory.get(number, object, size=10)
    assert 50 <= len(memory._newer) + len(memory._older) <= 100


def test_of_many_short_sessions_few_messages_are_remembered():
    """Each is an object that Python's collector looks at."""
    session_tails, before = Tails(), messages_alive()
    for number in range(40_000):
        message = Message(Role.USER, "yes", id=f"~{number:016x}", tokens=1)
        label, body = begin_row(message)
        session_tails.messages(b"%d" % number, [1, 1], [label + finish_row(message, body)])
    assert messages_alive() - before < 20_000


def messages_alive() -> int:
    gc.collect()
    return sum(type(one) is Message for one in gc.get_objects())


@pytest.fixture
def switching_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_that_fill_it_at_once_get_their_own_values(switching_often):
    memory = BoundedCache[tuple[int, int]](64)

    def fill(writer: int) -> bool:
        return all(memory.get((writer, n), lambda n=n: (writer, n)) == (writer, n) for n in range(20_000))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(fill, range(8)))


def test_a_removed_value_is_computed_again():
    memory = BoundedCache[object](100)
    first, second = memory.get("first", object), memory.get("second", object)
    memory.forget("first")
    memory.forget("never there")
    assert memory.get("first", object) is not first
    assert memory.get("second", object) is second


def test_what_is_put_in_the_place_of_another_counts_as_much_as_it_is_larger():
    memory = BoundedCache[str](100)
    for number in range(1, 21):
        memory.put("grows", "x" * number, size=1, more=1)
        assert memory.known("grows") == "x" * number
    for number in range(30):
        memory.get(number, lambda: "y")
    assert (len(memory._newer), "grows" in memory._older) == (31, False)
    memory.get(30, lambda: "y")
    assert (len(memory._newer), memory.known("grows")) == (1, "x" * 20)
    memory.put("grows", "new", size=5)
    assert (memory._filled, memory.known("grows"), "grows" in memory._older) == (6, "new", False)
    memory.put("grows", "too large", size=7)
    assert memory.known("grows") is None


def shown(memory: PlanCache, digest: Digest, text: str) -> str:
    message = memory.head(digest, 1_000, LIMITS, lambda: Message(Role.USER, text))
    assert message is not None
    return message.content


def test_the_messages_of_a_thousand_digests_are_each_made_once():
    memory = PlanCache()
    digests = [Digest(Ranges.span(1, number), "what was said") for number in range(1, 1_001)]
    assert [shown(memory, digest, f"digest {n}") for n, digest in enumerate(digests)][-1] == "digest 999"
    assert [shown(memory, digest, "made again") for digest in digests] == [f"digest {n}" for n in range(1_000)]


def test_a_digest_is_not_kept_alive_by_its_message():
    memory, digest = PlanCache(), Digest(Ranges.span(1, 9), "what was said")
    shown(memory, digest, "the message")
    still = ref(digest)
    del digest
    assert still() is None


def test_a_digest_never_gets_the_message_of_one_whose_place_it_took():
    memory, gone = PlanCache(), Digest(Ranges.span(1, 9), "gone")
    digest = Digest(Ranges.span(1, 9), "here")
    memory._shown.get((id(digest), 1_000, LIMITS), lambda: (ref(gone), Message(Role.USER, "of the one that is gone")))
    assert shown(memory, digest, "its own") == "its own"
    assert shown(memory, digest, "made again") == "its own"


def test_a_view_reads_the_digest_of_a_fold_with_the_lines_that_were_made_for_it(tmp_path):
    policy = Policy(Budget(2_000, reply_reserve_tokens=0), folding="off")
    with Sessions(f"sqlite:///{tmp_path / 'chat.db'}", policy=policy) as sessions:
        session, services = sessions.session("s"), sessions.services
        for number in range(60):
            said = f"Order A-10{number} must never arrive before {number % 28 + 1} May, please."
            session.append({"role": "user", "content": said})
        made = session.fold()
        session.append({"role": "user", "content": "Go on."})
        digest = run_blocking(sessions.store.load(session.key)).digest
        assert made is not None
        assert digest is made
        known = services.plan_cache.lines(digest, lambda: pytest.fail("made again"))
        assert known.rules
        assert known == lines_of(
            replace(digest), PlanContext(services.counter.count, services.measure, services.policy.limits)
        )


def test_what_is_known_of_many_texts_is_nothing_that_the_collector_looks_at() -> None:
    """A full collection looks at every object that may hold others: 30 ms in which no view is served."""
    services, texts = Services(Policy()), [f"Please send order A-10{number} by 4 May." for number in range(50)]
    for text in texts:
        services.prepare(Message(Role.USER, text))
        assert values(text)
    gc.collect()
    gc.collect()
    assert len(services.figures_cache) == len(texts)
    assert not any(map(gc.is_tracked, services.figures_cache.values()))
    assert not any(gc.is_tracked(_values_before(text)) for text in texts)
