"""A hybrid store keeps every promise, survives a hot side that fails in any way, and never serves a stale hit."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hot_sides import Around, Clock, Died, Forgetful, Hot, hot_side

from session_core import Sessions
from session_core.errors import ConfigError, Conflict, StoreBusy, StoreError, StoreLost, UnknownScheme
from session_core.plan import Digest
from session_core.ports import Checkpoint, Marks, MessageList, Plain
from session_core.ranges import Ranges
from session_core.stores.cache import WRITING_S, Entry
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.hybrid import HybridStore
from session_core.stores.hybrid.projection import entry_of, loaded_from
from session_core.stores.keyring import Keyring
from session_core.stores.memory import MemoryStore
from session_core.stores.open import open_cache
from session_core.stores.sqlite import SqliteStore
from session_core.testing import KEY, STORE_PROMISES, message
from session_core.turns import Key, Media, Message, Native, Role, ToolCall
from session_core.voices import run_blocking


def _die():
    raise Died


@pytest.fixture(params=["memory", "redis"])
def hot_kind(request):
    return request.param


@pytest.fixture
def hot(hot_kind, plain_redis):
    with hot_side(hot_kind, plain_redis) as made:
        yield made


def _dead(hot: Hot) -> Around:
    cache = Around(hot.cache)
    cache.failure = StoreError("the hot side is gone")
    return cache


FARES = {"well": lambda hot: hot.cache, "dead": _dead, "forgetful": Forgetful}


def _cold(kind: str, folder: Path) -> MemoryStore | SqliteStore:
    return MemoryStore() if kind == "memory" else SqliteStore(folder / "cold.db")


@pytest.fixture(params=["memory", "sqlite"])
def cold(request, tmp_path):
    return _cold(request.param, tmp_path)


CACHES = ("memory well", "memory dead", "memory forgetful", "redis well", "redis forgetful")
WAYS = ("plain sqlite", "verified sqlite", "encrypted sqlite")
COMBINATIONS = [
    *(f"{cache} plain memory" for cache in CACHES),
    *(f"{cache} {way}" for cache in ("memory well", "redis forgetful") for way in WAYS),
]
"""Either side is used through its port, so the other stores need not meet every cache."""


@pytest.fixture(params=COMBINATIONS)
def store(request, plain_redis, tmp_path):
    hot_kind, fares, way, cold_kind = request.param.split()
    with hot_side(hot_kind, plain_redis) as hot:
        made = HybridStore(FARES[fares](hot), _cold(cold_kind, tmp_path), verify=way == "verified", retry_after_s=0.0)
        yield EncryptedStore(made, Keyring({"k": b"k" * 32})) if way == "encrypted" else made
        run_blocking(made.close())


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_hybrid_store_keeps_its_promise_blocking(promise, store):
    run_blocking(promise(store))


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_hybrid_store_keeps_its_promise_awaiting(promise, store):
    asyncio.run(promise(store.awaiting()))


@pytest.fixture
def sides(hot):
    """A cache and a durable store that count their calls."""
    return Around(hot.cache), Around(MemoryStore())


def _hybrid(sides, **options) -> HybridStore:
    return HybridStore(sides[0], sides[1], **options)


def _calls(sides) -> tuple[Counter, Counter]:
    found = Counter(sides[0].called), Counter(sides[1].called)
    sides[0].called.clear()
    sides[1].called.clear()
    return found


def _agrees(store: HybridStore, key: Key = KEY) -> bool:
    return run_blocking(store.load(key)) == run_blocking(store.cold.load(key))


# What the hot side saves.


def test_a_load_is_one_call_to_the_hot_side_and_none_to_the_durable_one(sides):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    for n in range(2, 6):
        _calls(sides)
        run_blocking(store.append(KEY, [message(n)]))
        assert _calls(sides) == (Counter(begin=1, extend=1), Counter(append=1))
        loaded = run_blocking(store.load(KEY))
        assert _calls(sides) == (Counter(look=1), Counter())
        assert [m.seq for m in loaded.messages] == list(range(1, n + 1))
    assert _agrees(store)


def test_a_hot_load_gives_what_the_durable_store_gives(hot, tmp_path):
    store = HybridStore(hot.cache, SqliteStore(tmp_path / "a.db"))
    run_blocking(store.append(KEY, [Message(Role.USER, "nul \x00 and \ud800", id="u", author="Ann", time_s=1.5)]))
    run_blocking(store.load(KEY))
    call = Message(
        Role.ASSISTANT,
        "",
        id="c",
        tool_calls=(ToolCall("t1", "look", "{}"),),
        media=(Media("image", "data:x"),),
        aside="thought",
        native=Native("f/1", b"x", b"note"),
        tokens=7,
    )
    result = Message(Role.TOOL, "long " * 400, id="r", tool_call_id="t1", name="look", clip="short", clip_tokens=2)
    run_blocking(store.append(KEY, [call, result], strict=True))
    loaded = run_blocking(store.load(KEY))
    assert loaded == run_blocking(store.cold.load(KEY))
    assert len(loaded.messages) == 3
    run_blocking(store.close())


def test_marks_and_a_waiting_digest_keep_the_entry(sides):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(n) for n in range(1, 5)]))
    run_blocking(store.load(KEY))
    run_blocking(store.mark(KEY, Marks(tier=2)))
    run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, 2), "so far", tokens=3), expected=0))
    _calls(sides)
    loaded = run_blocking(store.load(KEY))
    assert _calls(sides) == (Counter(look=1), Counter())
    assert (loaded.state.tier, loaded.state.ready.number, loaded.digest) == (2, 1, None)
    assert _agrees(store)


def test_a_digest_that_becomes_active_replaces_the_entry(sides):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(n) for n in range(1, 5)]))
    run_blocking(store.load(KEY))
    run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, 2), "so far", tokens=3), expected=0))
    run_blocking(store.append(KEY, [message(5)]))
    assert [m.seq for m in run_blocking(store.load(KEY)).messages] == [3, 4, 5]
    _calls(sides)
    assert _agrees(store)
    assert _calls(sides)[0] == Counter(look=1)


def test_messages_of_a_checkpoint_extend_the_entry(sides):
    store = _hybrid(sides)
    body, versions = Plain("t", b"body"), {"messages": 1}

    def put(number, *items):
        checkpoint = Checkpoint(KEY, str(number), str(number - 1), body, versions | {"messages": number})
        values = {"messages": MessageList(items)}
        return run_blocking(store.put_checkpoint(checkpoint, values, head_channel="messages", merge=True))

    put(1, message(1))
    run_blocking(store.load(KEY))
    put(2, Ranges.span(1, 1), message(2), message(3))
    _calls(sides)
    assert [m.seq for m in run_blocking(store.load(KEY)).messages] == [1, 2, 3]
    assert _calls(sides) == (Counter(look=1), Counter())
    assert _agrees(store)
    put(3, Ranges.span(1, 2), message(4))
    assert _agrees(store)
    assert [m.id for m in run_blocking(store.load(KEY)).messages] == ["m1", "m2", "m4"]


@pytest.mark.parametrize(
    "write",
    [
        lambda s: s.append(KEY, [message(2, content="other")], revise=True),
        lambda s: s.append(KEY, [message(1), message(3)]),
        lambda s: s.append(KEY, [message(3), message(3)]),
        lambda s: s.append(KEY, [message(1)]),
        lambda s: s.mark(KEY, Marks(head=Ranges.span(1, 1))),
        lambda s: s.mark(KEY, Marks(activate=True)),
        lambda s: s.append(KEY, []),
    ],
    ids=["revision", "known and new", "twice", "known", "head", "activate", "nothing"],
)
def test_after_any_write_both_sides_agree(sides, write):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(1), message(2)]))
    run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, 1), "one", tokens=3), expected=0))
    run_blocking(store.load(KEY))
    run_blocking(write(store))
    assert _agrees(store)
    assert _agrees(store)
    assert store.drifts == 0


def test_a_refused_append_leaves_the_entry(sides):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    with pytest.raises(Conflict):
        run_blocking(store.append(KEY, [message(2)], expected=99))
    _calls(sides)
    assert _agrees(store)
    assert _calls(sides)[0] == Counter(look=1)


def test_a_namespace_is_read_from_the_durable_side(sides):
    store, sub = _hybrid(sides), Key(KEY.session_id, KEY.tenant, "sub")
    run_blocking(store.append(sub, [message(1)]))
    assert len(run_blocking(store.load(sub)).messages) == 1
    assert sides[0].called == Counter()


def test_an_entry_over_the_size_is_not_kept(sides):
    store = _hybrid(sides, max_entry_bytes=1000)
    run_blocking(store.append(KEY, [message(n) for n in range(1, 50)]))
    assert _agrees(store)
    assert sides[0].called["fill"] == 0


def test_an_entry_that_grows_past_the_size_goes_and_comes_back_when_a_digest_makes_it_small(sides, hot):
    store = _hybrid(sides, max_entry_bytes=4000)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    sizes = []
    for n in range(2, 60):
        run_blocking(store.append(KEY, [message(n, content="words " * 15)]))
        sizes.append(sum(len(h.entry.head) + sum(map(len, h.entry.messages)) for h in hot.held()))
        assert _agrees(store)
    assert 3500 < max(sizes) <= 4000
    assert hot.held()[0].entry.messages == ()
    assert sides[0].called["fill"] == 1
    run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, 55), "so far", tokens=3), expected=0))
    run_blocking(store.append(KEY, [message(60)]))
    run_blocking(store.load(KEY))
    _calls(sides)
    assert _agrees(store)
    assert _calls(sides)[0] == Counter(look=1)


def test_delete_leaves_nothing_on_either_side(sides, hot):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    assert run_blocking(store.delete(KEY)) == 1
    assert hot.places() == []
    assert run_blocking(store.load(KEY)).messages == ()


def test_an_encrypting_store_in_front_seals_the_cache_too(hot):
    store = EncryptedStore(HybridStore(hot.cache, MemoryStore()), Keyring({"k": b"k" * 32}))
    run_blocking(store.append(KEY, [message(1, content="periwinkle")]))
    assert run_blocking(store.load(KEY)).messages[0].content == "periwinkle"
    (held,) = hot.held()
    assert held.entry.messages
    assert b"periwinkle" not in held.entry.head + b"".join(held.entry.messages)


def test_a_rotation_drops_the_entry(hot, tmp_path):
    cold, cache = SqliteStore(tmp_path / "a.db"), hot.cache
    ring, newer = Keyring({"k": b"k" * 32}), Keyring({"n": b"n" * 32, "k": b"k" * 32})
    run_blocking(EncryptedStore(HybridStore(cache, cold), ring).append(KEY, [message(1)]))
    store = EncryptedStore(HybridStore(cache, cold), newer)
    run_blocking(store.load(KEY))
    assert run_blocking(store.rotate(KEY)) == 1
    alone = EncryptedStore(HybridStore(cache, cold), Keyring({"n": b"n" * 32}, match_key=ring.match_key))
    assert [m.content for m in run_blocking(alone.load(KEY)).messages] == ["words of message 1"]
    run_blocking(cold.close())


# A hot side that fails.


def test_a_dead_hot_side_costs_one_call_in_its_time(sides, monkeypatch):
    clock = Clock()
    store = _hybrid(sides, retry_after_s=5.0)
    store._hot._breaker._clock = clock
    sides[0].failure = TimeoutError("no answer")
    for n in range(1, 20):
        run_blocking(store.append(KEY, [message(n)]))
        assert len(run_blocking(store.load(KEY)).messages) == n
    assert sum(sides[0].called.values()) == 1
    clock.now_s = 6.0
    run_blocking(store.load(KEY))
    run_blocking(store.load(KEY))
    assert sum(sides[0].called.values()) == 2


def test_a_dead_hot_side_is_told_and_so_is_its_return(sides):
    told = []
    store = _hybrid(sides, retry_after_s=0.0, on_degraded=told.append)
    assert store.degraded is None
    sides[0].failure = StoreError("no answer")
    run_blocking(store.append(KEY, [message(1)]))
    assert store.degraded == "hot: StoreError: no answer"
    sides[0].failure = None
    run_blocking(store.load(KEY))
    assert store.degraded is None
    assert told == ["hot: StoreError: no answer", None]


def test_what_was_written_while_the_hot_side_was_away_is_repaired_when_it_is_back(sides):
    store = _hybrid(sides, retry_after_s=0.0)
    for session in ("one", "two"):
        run_blocking(store.append(Key(session), [message(1)]))
        run_blocking(store.load(Key(session)))
    sides[0].failure = StoreError("no answer")
    for session in ("one", "two"):
        run_blocking(store.append(Key(session), [message(2)]))
    sides[0].failure = None
    assert _agrees(store, Key("one"))
    other = _hybrid(sides)
    assert _agrees(other, Key("two"))


def test_a_hot_side_that_comes_back_in_mid_write_shows_nothing_old(sides):
    store, other = _hybrid(sides, retry_after_s=0.0), _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    sides[0].failure = StoreError("no answer")

    def back():
        sides[0].failure = None
        run_blocking(store.load(KEY))
        run_blocking(other.load(KEY))

    sides[1].before["append"] = back
    run_blocking(store.append(KEY, [message(2)]))
    assert _agrees(store)
    assert _agrees(other)


def test_a_hot_side_that_dies_after_the_write_shows_nothing_old(sides):
    store = _hybrid(sides, retry_after_s=0.0)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))

    def fail():
        sides[0].failure = StoreError("no answer")

    sides[1].after["append"] = fail
    run_blocking(store.append(KEY, [message(2)]))
    sides[0].failure = None
    assert _agrees(store)
    assert _agrees(_hybrid(sides))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_hot_side_that_forgets_in_mid_write_is_filled_again(sides, hot, when):
    store, other = _hybrid(sides), _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))

    def forget():
        hot.forget()
        run_blocking(other.load(KEY))

    getattr(sides[1], when)["append"] = forget
    run_blocking(store.append(KEY, [message(2)]))
    assert _agrees(store)
    assert _agrees(other)


def test_writes_past_the_hot_side_are_seen_at_the_next_write(sides):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    run_blocking(sides[1].port.append(KEY, [message(2)]))
    assert store.drifts == 0
    run_blocking(store.append(KEY, [message(3)]))
    assert store.drifts == store.awaiting().drifts == 1
    assert _agrees(store)
    run_blocking(store.append(KEY, [message(4)]))
    assert _agrees(store)
    assert store.drifts == 1


@pytest.mark.parametrize("write", ["append", "mark"])
def test_a_session_begun_again_past_the_hot_side_is_seen_at_the_next_write(sides, write):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    run_blocking(sides[1].port.delete(KEY))
    run_blocking(sides[1].port.append(KEY, [replace(message(1), id="another")]))
    run_blocking(store.append(KEY, [message(3)]) if write == "append" else store.mark(KEY, Marks(tier=1)))
    assert _agrees(store)
    assert store.drifts == 1


def test_a_verifying_store_sees_writes_past_the_hot_side_at_once(sides):
    store = _hybrid(sides, verify=True)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    run_blocking(sides[1].port.append(KEY, [message(2)]))
    assert len(run_blocking(store.load(KEY)).messages) == 2
    sides[1].called.clear()
    run_blocking(store.load(KEY))
    assert sides[1].called == Counter(state=1)


def test_what_another_release_left_in_the_hot_side_is_a_miss_and_replaced(sides, hot):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    hot.spoil_heads()
    assert len(run_blocking(store.load(KEY)).messages) == 1
    _calls(sides)
    assert len(run_blocking(store.load(KEY)).messages) == 1
    assert _calls(sides) == (Counter(look=1), Counter())
    hot.spoil_heads()
    run_blocking(store.append(KEY, [message(2)]))
    assert _agrees(store)


def test_a_hot_side_that_dies_in_mid_delete_shows_nothing_deleted_when_the_durable_side_is_dead_too(sides):
    store = _hybrid(sides, retry_after_s=0.0)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))

    def fail():
        sides[0].failure = StoreError("no answer")

    sides[1].after["delete"] = fail
    run_blocking(store.delete(KEY))
    sides[0].failure, sides[1].failure = None, StoreError("connection refused")
    with pytest.raises(StoreError):
        run_blocking(store.load(KEY))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_purge_that_breaks_off_leaves_nothing_of_what_it_deleted_in_the_hot_side(sides, when):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    while KEY not in run_blocking(store.idle(0.0)):
        pass

    def broken():
        raise StoreLost("connection reset")

    getattr(sides[1], when)["purge"] = broken
    with pytest.raises(StoreLost):
        run_blocking(store.purge(0.0))
    assert len(run_blocking(store.load(KEY)).messages) == (1 if when == "before" else 0)
    assert _agrees(store)


def test_nothing_of_a_session_is_served_from_the_hot_side_while_a_purge_deletes_it(sides):
    store, served = _hybrid(sides), []
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    while KEY not in run_blocking(store.idle(0.0)):
        pass
    sides[1].after["purge"] = lambda: served.append(run_blocking(store.load(KEY)).messages)
    assert run_blocking(store.purge(0.0)) == (KEY,)
    assert served == [()]


# A durable side that fails.


def test_a_dead_durable_side_refuses_writes_and_serves_reads(sides):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(1), message(2)]))
    before = run_blocking(store.load(KEY))
    sides[1].failure = StoreError("connection refused")
    with pytest.raises(StoreError, match=r"a tenant/a session: the write is not confirmed.*bring that store back"):
        run_blocking(store.append(KEY, [message(3)]))
    assert store.degraded == "cold: StoreError: connection refused"
    assert run_blocking(store.load(KEY)) == before
    assert run_blocking(store.state(KEY)) == before.state
    with pytest.raises(StoreError):
        run_blocking(store.record(KEY))
    with pytest.raises(StoreError):
        run_blocking(store.load(Key("unknown to the hot side")))
    sides[1].failure = None
    run_blocking(store.append(KEY, [message(3)]))
    assert store.degraded is None
    assert _agrees(store)


def test_a_write_whose_answer_was_lost_is_never_hidden_by_the_hot_side(sides):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))

    def lost():
        raise StoreError("connection reset")

    sides[1].after["append"] = lost
    with pytest.raises(StoreError):
        run_blocking(store.append(KEY, [message(2)]))
    assert len(run_blocking(store.load(KEY)).messages) == 2
    assert run_blocking(store.append(KEY, [message(2)])).new == 0


def test_a_lost_answer_while_the_hot_side_was_away_shows_nothing_old(sides):
    store = _hybrid(sides, retry_after_s=0.0)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    sides[0].failure = StoreError("no answer")

    def lost():
        raise StoreError("connection reset")

    sides[1].after["append"] = lost
    with pytest.raises(StoreError):
        run_blocking(store.append(KEY, [message(2)]))
    sides[0].failure = None
    assert len(run_blocking(store.load(KEY)).messages) == 2


def test_a_lost_connection_to_the_durable_side_is_told_and_stays_one_to_retry(sides):
    store = _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    before = run_blocking(store.load(KEY))
    sides[1].failure = StoreLost("lost its connection; retry")
    with pytest.raises(StoreLost, match=r"the write is not confirmed.*bring that store back"):
        run_blocking(store.append(KEY, [message(2)]))
    assert store.degraded == "cold: StoreLost: lost its connection; retry"
    assert run_blocking(store.load(KEY)) == before
    assert run_blocking(store.state(KEY)) == before.state


def test_a_busy_durable_side_stays_busy_for_the_caller(sides):
    store = _hybrid(sides)
    sides[1].failure = StoreBusy("held; retry")
    with pytest.raises(StoreBusy):
        run_blocking(store.append(KEY, [message(1)]))
    assert store.degraded is None


# Processes that die, and writes that meet.


def test_a_process_that_dies_before_its_write_leaves_a_miss(sides, hot):
    store, other = _hybrid(sides), _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    sides[1].before["append"] = _die
    with pytest.raises(Died):
        run_blocking(store.append(KEY, [message(2)]))
    assert _agrees(other)
    assert sides[0].called["fill"] == 1
    hot.elapse(WRITING_S + 1)
    assert _agrees(other)
    assert sides[0].called["fill"] == 2


def test_a_process_that_dies_after_its_write_leaves_a_miss(sides, hot):
    store, other = _hybrid(sides), _hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    sides[1].after["append"] = _die
    with pytest.raises(Died):
        run_blocking(store.append(KEY, [message(2)]))
    assert len(run_blocking(other.load(KEY)).messages) == 2
    hot.elapse(WRITING_S + 1)
    assert len(run_blocking(other.load(KEY)).messages) == 2


def test_a_reader_that_read_before_a_write_fills_nothing_after_it(sides):
    reader, writer = _hybrid(sides), _hybrid(sides)
    run_blocking(sides[1].port.append(KEY, [message(1)]))
    sides[1].after["load"] = lambda: run_blocking(writer.append(KEY, [message(2)]))
    assert len(run_blocking(reader.load(KEY)).messages) == 1
    assert len(run_blocking(reader.load(KEY)).messages) == 2


def test_a_reader_that_read_before_a_write_fills_nothing_at_a_place_that_another_one_looked_at(sides, hot):
    reader, writer = _hybrid(sides), _hybrid(sides)
    run_blocking(sides[1].port.append(KEY, [message(1)]))

    def written_and_looked_at():
        run_blocking(writer.append(KEY, [message(2)]))
        run_blocking(hot.cache.look(*places))

    places = []
    sides[1].before["load"] = lambda: places.extend(hot.places())
    sides[1].after["load"] = written_and_looked_at
    run_blocking(reader.load(KEY))
    assert places
    assert _agrees(reader)


def test_a_reader_that_read_before_a_delete_brings_nothing_back(sides, hot):
    reader, writer = _hybrid(sides), _hybrid(sides)
    run_blocking(sides[1].port.append(KEY, [message(1)]))
    sides[1].after["load"] = lambda: run_blocking(writer.delete(KEY))
    run_blocking(reader.load(KEY))
    assert hot.places() == []
    assert run_blocking(reader.load(KEY)).messages == ()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_writer_that_another_one_overtakes_leaves_nothing_stale(sides, when):
    slow, fast = _hybrid(sides), _hybrid(sides)
    run_blocking(slow.append(KEY, [message(1)]))
    run_blocking(slow.load(KEY))
    getattr(sides[1], when)["append"] = lambda: run_blocking(fast.append(KEY, [message(8)]))
    run_blocking(slow.append(KEY, [message(2)]))
    assert _agrees(fast)
    assert _agrees(slow)
    assert slow.drifts == fast.drifts == 0


def test_a_writer_that_is_overtaken_and_dies_after_its_write_leaves_nothing_stale(sides):
    slow, fast = _hybrid(sides), _hybrid(sides)
    run_blocking(slow.append(KEY, [message(1)]))
    run_blocking(slow.load(KEY))

    def overtaken():
        run_blocking(fast.append(KEY, [message(8)]))
        run_blocking(fast.load(KEY))

    sides[1].before["append"] = overtaken
    sides[1].after["append"] = lambda: None
    cold_append = sides[1].port.append

    async def written_then_dead(*args, **kwargs):
        done = await cold_append(*args, **kwargs)
        if args[1][0].id == "m2":
            raise Died
        return done

    sides[1].port.append = written_then_dead
    with pytest.raises(Died):
        run_blocking(slow.append(KEY, [message(2)]))
    assert _agrees(fast)


# Opening one.


def test_sessions_take_a_hot_and_a_cold_url(tmp_path):
    with Sessions(hot="memory://", cold=f"sqlite:///{tmp_path}/a.db") as sessions:
        session = sessions.session("chat")
        session.append({"role": "user", "content": "hello"})
        assert [m.content for m in session.view().messages] == ["hello"]
        assert isinstance(sessions.store, HybridStore)


def test_a_hot_side_in_this_process_never_hides_what_another_one_wrote(tmp_path):
    named = {"hot": "memory://", "cold": f"sqlite:///{tmp_path}/a.db"}
    with Sessions(**named) as ours, Sessions(**named) as theirs:
        ours.session("chat").append({"role": "user", "content": "one"})
        ours.session("chat").view()
        theirs.session("chat").append({"role": "user", "content": "two"})
        assert [m.content for m in ours.session("chat").view().messages] == ["one", "two"]


@pytest.mark.parametrize(
    "named",
    [{"hot": "memory://"}, {"cold": "memory://"}, {"url": "memory://", "hot": "memory://", "cold": "memory://"}],
    ids=["hot", "cold", "three"],
)
def test_one_side_alone_or_three_stores_are_refused(named):
    with pytest.raises(ConfigError, match="hot="):
        Sessions(**named)


def test_an_unknown_hot_side_is_refused_with_the_known_ones():
    with pytest.raises(UnknownScheme, match="memory://, redis://") as caught:
        open_cache("memcached://secret@host")
    assert "secret" not in str(caught.value)


def test_an_entry_comes_back_as_it_was(cold):
    run_blocking(cold.append(KEY, [message(1), message(2)]))
    run_blocking(cold.put_digest(KEY, Digest(Ranges.span(1, 1), "one"), expected=0))
    run_blocking(cold.append(KEY, [message(3)]))
    loaded = run_blocking(cold.load(KEY))
    entry = entry_of(loaded)
    assert isinstance(entry, Entry)
    assert loaded_from(entry, KEY) == loaded
    run_blocking(cold.close())
