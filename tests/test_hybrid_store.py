"""A hybrid store keeps every promise, and its cache saves calls to the durable store."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from hot_sides import Around, Forgetful, Hot, agrees, calls, hot_side, hybrid

from session_core import Sessions
from session_core.errors import ConfigError, Conflict, StoreError, UnknownScheme
from session_core.plan import Digest
from session_core.ports import Checkpoint, Marks, MessageList, Plain
from session_core.ranges import Ranges
from session_core.stores.cache import Entry
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


# What the hot side saves.


def test_a_load_is_one_call_to_the_hot_side_and_none_to_the_durable_one(sides):
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    for n in range(2, 6):
        calls(sides)
        run_blocking(store.append(KEY, [message(n)]))
        assert calls(sides) == (Counter(begin=1, extend=1), Counter(append=1))
        loaded = run_blocking(store.load(KEY))
        assert calls(sides) == (Counter(look=1), Counter())
        assert [m.seq for m in loaded.messages] == list(range(1, n + 1))
    assert agrees(store)


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
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(n) for n in range(1, 5)]))
    run_blocking(store.load(KEY))
    run_blocking(store.mark(KEY, Marks(tier=2)))
    run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, 2), "so far", tokens=3), expected=0))
    calls(sides)
    loaded = run_blocking(store.load(KEY))
    assert calls(sides) == (Counter(look=1), Counter())
    assert (loaded.state.tier, loaded.state.ready.number, loaded.digest) == (2, 1, None)
    assert agrees(store)


def test_a_digest_that_becomes_active_replaces_the_entry(sides):
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(n) for n in range(1, 5)]))
    run_blocking(store.load(KEY))
    run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, 2), "so far", tokens=3), expected=0))
    run_blocking(store.append(KEY, [message(5)]))
    assert [m.seq for m in run_blocking(store.load(KEY)).messages] == [3, 4, 5]
    calls(sides)
    assert agrees(store)
    assert calls(sides)[0] == Counter(look=1)


def test_messages_of_a_checkpoint_extend_the_entry(sides):
    store = hybrid(sides)
    body, versions = Plain("t", b"body"), {"messages": 1}

    def put(number, *items):
        checkpoint = Checkpoint(KEY, str(number), str(number - 1), body, versions | {"messages": number})
        values = {"messages": MessageList(items)}
        return run_blocking(store.put_checkpoint(checkpoint, values, head_channel="messages", merge=True))

    put(1, message(1))
    run_blocking(store.load(KEY))
    put(2, Ranges.span(1, 1), message(2), message(3))
    calls(sides)
    assert [m.seq for m in run_blocking(store.load(KEY)).messages] == [1, 2, 3]
    assert calls(sides) == (Counter(look=1), Counter())
    assert agrees(store)
    put(3, Ranges.span(1, 2), message(4))
    assert agrees(store)
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
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(1), message(2)]))
    run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, 1), "one", tokens=3), expected=0))
    run_blocking(store.load(KEY))
    run_blocking(write(store))
    assert agrees(store)
    assert agrees(store)
    assert store.drifts == 0


def test_a_refused_append_leaves_the_entry(sides):
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    with pytest.raises(Conflict):
        run_blocking(store.append(KEY, [message(2)], expected=99))
    calls(sides)
    assert agrees(store)
    assert calls(sides)[0] == Counter(look=1)


def test_a_namespace_is_read_from_the_durable_side(sides):
    store, sub = hybrid(sides), Key(KEY.session_id, KEY.tenant, "sub")
    run_blocking(store.append(sub, [message(1)]))
    assert len(run_blocking(store.load(sub)).messages) == 1
    assert sides[0].called == Counter()


def test_an_entry_over_the_size_is_not_kept(sides):
    store = hybrid(sides, max_entry_bytes=1000)
    run_blocking(store.append(KEY, [message(n) for n in range(1, 50)]))
    assert agrees(store)
    assert sides[0].called["fill"] == 0


def test_an_entry_that_grows_past_the_size_goes_and_comes_back_when_a_digest_makes_it_small(sides, hot):
    store = hybrid(sides, max_entry_bytes=4000)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    sizes = []
    for n in range(2, 60):
        run_blocking(store.append(KEY, [message(n, content="words " * 15)]))
        sizes.append(sum(len(h.entry.head) + sum(map(len, h.entry.messages)) for h in hot.held()))
        assert agrees(store)
    assert 3500 < max(sizes) <= 4000
    assert hot.held()[0].entry.messages == ()
    assert sides[0].called["fill"] == 1
    run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, 55), "so far", tokens=3), expected=0))
    run_blocking(store.append(KEY, [message(60)]))
    run_blocking(store.load(KEY))
    calls(sides)
    assert agrees(store)
    assert calls(sides)[0] == Counter(look=1)


def test_delete_leaves_nothing_on_either_side(sides, hot):
    store = hybrid(sides)
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
