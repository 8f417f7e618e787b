"""What PostgreSQL is given for a message: few bytes, found again by id and by word, once however many write it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from postgres_server import PostgresServer

from session_core import Sessions
from session_core.errors import DuplicateMessage, StoreUnreadable
from session_core.plan import Digest
from session_core.ports import Appended, Loaded
from session_core.ranges import Ranges
from session_core.retrieval.retrieve import terms
from session_core.stores.memory import MemoryStore
from session_core.stores.postgres.rows import (
    author_in,
    author_out,
    clip_in,
    clip_out,
    id_in,
    id_out,
    version_in,
    version_out,
    word_hashes,
)
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, message
from session_core.turns import GIVEN_ID, Key, Message, Role
from session_core.voices import run_blocking

WRITERS = 8


# Bytes.

TEXTS = st.text(alphabet=st.sampled_from(["~", "-", "=", "0", "a", "F", "\\", "\x00", "\ud800", "ü"]))
GIVEN = st.integers(0, 2**64 - 1).map(lambda number: f"{GIVEN_ID}{number:016x}")
IDS = st.one_of(TEXTS, GIVEN, st.uuids().map(str), st.uuids().map(lambda made: made.hex[:8]))


@given(message_id=IDS)
def test_any_id_comes_back(message_id: str) -> None:
    assert id_out(id_in(message_id)) == message_id


@given(one=IDS, other=IDS)
def test_two_ids_are_never_kept_as_one(one: str, other: str) -> None:
    assert (id_in(one) == id_in(other)) is (one == other)


def test_the_ids_that_sessions_give_take_8_bytes_and_uuids_17() -> None:
    given_id = Sessions().services.prepare(Message(Role.USER, "hi")).id
    assert [len(id_in(one)) for one in (given_id, str(uuid4()), "m1")] == [8, 17, 3]


@given(author=st.one_of(st.none(), TEXTS), clip=st.one_of(st.none(), TEXTS), tokens=st.integers(0, 2**31 - 1))
def test_no_author_and_an_empty_one_differ_and_no_clip_and_an_empty_one(
    author: str | None, clip: str | None, tokens: int
) -> None:
    assert author_out(author_in(author)) == author
    assert clip_out(clip_in(clip, tokens)) == (clip, tokens if clip is not None else 0)


@pytest.mark.parametrize("kept", range(9))
def test_a_version_that_was_cut_off_is_unreadable(kept: int) -> None:
    whole = version_in("0000000003.0f0f0f0f")
    assert (version_out(whole), len(whole)) == ("0000000003.0f0f0f0f", 9)
    with pytest.raises(StoreUnreadable, match="a channel's version cannot be read"):
        version_out(whole[:kept])


def test_a_message_takes_few_bytes_beside_its_body(
    postgres_store: PostgresStore, postgres: PostgresServer, postgres_schema: str
) -> None:
    words = "seven words that a search goes by"
    run_blocking(postgres_store.append(KEY, [Message(Role.USER, words, id="~" + "ab" * 8, time_s=1.5, tokens=9)]))
    with postgres.connect() as connection:
        rows = connection.execute(
            f"SELECT pg_column_size(m.*) - pg_column_size(m.body), octet_length(words) "
            f"FROM {postgres_schema}.messages AS m"
        ).fetchall()
    # 24 for any row, 44 for numbers and the content's address, 9 for the id, 9 for the words, 4 for what is not there.
    assert rows == [(86, 2 * 4)]


def test_a_tool_result_of_some_kb_stays_in_its_row(
    postgres_store: PostgresStore, postgres: PostgresServer, postgres_schema: str
) -> None:
    said = "".join(f"{n * 7919 % 10007:x} " for n in range(500))
    run_blocking(postgres_store.append(KEY, [Message(Role.TOOL, said, id="r", tool_call_id="t", clip=said[:400])]))
    with postgres.connect() as connection:
        size, aside = connection.execute(
            f"SELECT pg_column_size(m.*), pg_relation_size(c.reltoastrelid) "
            f"FROM {postgres_schema}.messages AS m, pg_class AS c WHERE c.oid = '{postgres_schema}.messages'::regclass"
        ).fetchall()[0]
    assert size > 2_040
    assert aside == 0


# Searches.


LIKE_NEEDLE = next(
    word for word in (f"w{number}" for number in count()) if word_hashes([word]) == word_hashes(["needle"])
)
"""Another word with the same hash."""


def test_a_search_finds_a_word_behind_many_that_only_share_its_hash(postgres_store: PostgresStore) -> None:
    run_blocking(postgres_store.append(KEY, [message(1, content="the needle"), message(2, content="nothing")]))
    run_blocking(postgres_store.append(KEY, [message(n, content=f"a {LIKE_NEEDLE} and hay") for n in range(3, 40)]))
    assert [m.id for m in run_blocking(postgres_store.search(KEY, ["needle"], max_hits=1))] == ["m1"]


@given(st.text(st.characters(max_codepoint=127)))
def test_words_of_a_text_in_ascii_are_those_that_it_has_beside_another_letter(text: str) -> None:
    assert ["é", *terms(text)] == terms(f"é {text}")


def test_a_search_knows_words_from_parts_of_words(postgres_store: PostgresStore) -> None:
    run_blocking(postgres_store.append(KEY, [message(1, content=f"needles {LIKE_NEEDLE}")]))
    assert run_blocking(postgres_store.search(KEY, ["needle"], max_hits=5)) == ()


# One message at a time, by many.


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """What the works come to that begin together; errors too."""
    gate = threading.Barrier(len(works))

    def done(work: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return work()
        except DuplicateMessage as exc:
            return exc

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(done, works))


def test_eight_who_append_message_by_message_lose_and_double_nothing(postgres_store: PostgresStore) -> None:
    def write(writer: int) -> list[int]:
        said = (message(writer * 100 + n, content=f"{writer} {n}") for n in range(25))
        return [run_blocking(postgres_store.append(KEY, [one], strict=True)).seqs[0] for one in said]

    given_numbers = at_once([lambda writer=writer: write(writer) for writer in range(1, WRITERS + 1)])  # type: ignore[misc]
    everything = [number for numbers in given_numbers for number in numbers]
    assert sorted(everything) == list(range(1, WRITERS * 25 + 1))
    assert all(numbers == sorted(numbers) for numbers in given_numbers)
    state = run_blocking(postgres_store.state(KEY))
    assert state is not None
    assert (state.version, state.ledger.messages, state.head) == (200, 200, Ranges.span(1, 200))
    assert state.ledger.tokens == sum(m.tokens for m in run_blocking(postgres_store.record(KEY)))


def test_eight_who_append_the_same_messages_append_them_once(postgres_store: PostgresStore) -> None:
    for number in range(30):
        said = message(number)
        done = at_once([lambda said=said: run_blocking(postgres_store.append(KEY, [said]))] * WRITERS)  # type: ignore[misc]
        assert {one.seqs for one in done} == {(number + 1,)}
        assert sum(one.new for one in done) == 1
    assert len(run_blocking(postgres_store.record(KEY))) == 30


def test_of_eight_who_append_other_content_under_one_id_one_does(postgres_store: PostgresStore) -> None:
    for number in range(20):
        saying = [message(number, content=f"{writer} says") for writer in range(WRITERS)]
        done = at_once([lambda said=said: run_blocking(postgres_store.append(KEY, [said])) for said in saying])  # type: ignore[misc]
        assert sum(isinstance(one, Appended) for one in done) == 1
        assert sum(isinstance(one, DuplicateMessage) for one in done) == WRITERS - 1
    assert len(run_blocking(postgres_store.record(KEY))) == 20


@pytest.mark.parametrize("others", [False, True], ids=["the same", "other content"])
def test_an_append_that_waited_for_the_same_id_reports_the_outcome(
    others: bool, postgres_store: PostgresStore, postgres: PostgresServer, postgres_schema: str
) -> None:
    """Both have looked for the id before either has the row."""
    run_blocking(postgres_store.append(KEY, [message(1)]))
    sayings = [message(2), message(2, content="other" if others else message(2).content)]
    with postgres.connect() as looking, postgres.connect() as holding, ThreadPoolExecutor(2) as threads:
        with holding.transaction():
            holding.execute(f"SELECT 1 FROM {postgres_schema}.sessions FOR UPDATE")
            waiting = [threads.submit(run_blocking, postgres_store.append(KEY, [said])) for said in sayings]
            blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            while looking.execute(blocked).fetchall()[0][0] < 2:
                pass
        errors = [one.exception() for one in waiting]
        done = [one.result() for one, error in zip(waiting, errors, strict=True) if error is None]
    assert [type(error) for error in errors if error] == ([DuplicateMessage] if others else [])
    assert {one.seqs for one in done} == {(2,)}
    assert sum(one.new for one in done) == 1
    assert len(run_blocking(postgres_store.record(KEY))) == 2


# Digests.


def fold(store: Any, key: Key, covered: int, number: int) -> None:
    run_blocking(store.put_digest(key, Digest(Ranges.span(1, covered), f"digest {number}"), expected=number - 1))


def test_few_digests_are_kept_and_a_fork_finds_one_near_it(
    postgres_store: PostgresStore, postgres: PostgresServer, postgres_schema: str
) -> None:
    reference, folds = MemoryStore(), 100
    for number in range(1, folds + 1):
        for one in (postgres_store, reference):
            run_blocking(one.append(KEY, [message(number * 2), message(number * 2 + 1, Role.ASSISTANT)]))
            fold(one, KEY, number * 2, number)
    with postgres.connect() as connection:
        kept = [
            number
            for (number,) in connection.execute(
                f"SELECT number FROM {postgres_schema}.digests WHERE part = 0 ORDER BY number"
            )
        ]
    assert kept == [64, 80, 88, 96, 98, 99, 100]
    for end in range(1, folds * 2 + 1, 7):
        found, same = (run_blocking(one.load(KEY, Ranges.span(1, end))) for one in (postgres_store, reference))
        assert _what(found) == _what(same)
        if end // 2 >= kept[0]:
            assert len(found.messages) <= 4 * (folds - end // 2) + 2


def _what(loaded: Loaded) -> tuple[Digest | None, list[str]]:
    return loaded.digest, [m.id for m in loaded.messages]


def test_the_digest_that_views_stand_on_stays_however_many_come_after_it(postgres_store: PostgresStore) -> None:
    run_blocking(postgres_store.append(KEY, [message(1)]))
    fold(postgres_store, KEY, 1, 1)
    run_blocking(postgres_store.append(KEY, [message(2)]))
    for number in islice(count(2), 20):
        run_blocking(postgres_store.append(KEY, [message(number * 10, Role.ASSISTANT)]))
        fold(postgres_store, KEY, 2, number)
        assert run_blocking(postgres_store.load(KEY)).digest == Digest(Ranges.span(1, 1), "digest 1", number=1)
    run_blocking(postgres_store.append(KEY, [message(3)]))
    loaded = run_blocking(postgres_store.load(KEY))
    assert loaded.digest is not None
    assert loaded.digest.number == 21
