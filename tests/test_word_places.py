"""Where words stand, for stores that keep no index: a message is read for it once, and nothing is out of date."""

from __future__ import annotations

import pytest
from redis_server import RedisServer

from session_core import Message, Role
from session_core.ports import SessionStore
from session_core.ranges import Ranges
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.memory import MemoryStore
from session_core.stores.redis.store import RedisStore
from session_core.stores.word_places import BLOCK, WordPlaces, best
from session_core.turns import Key
from session_core.voices import run_blocking

KEY = Key("s")


def said(first: int, last: int) -> list[Message]:
    return [
        Message(Role.USER, f"ship number {n}" + (" carries lamps" if n % 50 == 0 else ""), id=f"m{n}", seq=n)
        for n in range(first, last + 1)
    ]


def test_full_blocks_are_read_once_and_the_rest_each_time() -> None:
    places = WordPlaces()
    known, wanted = places.missing(KEY, "b", 150, at_once=BLOCK * 2)
    assert (known, wanted) == ([], [(1, 128), (129, 150)])
    parts = [*places.read(KEY, "b", 1, said(1, 128)), *places.read(KEY, "b", 129, said(129, 150))]
    assert [first for first, _ in parts] == [1, 65, 129]
    assert best(parts, ["lamps"], max_hits=9) == [150, 100, 50]
    assert best(parts, ["ship", "lamps"], max_hits=4) == [150, 100, 50, 149]
    assert best(parts, ["none"], max_hits=4) == []
    known, wanted = places.missing(KEY, "b", 200, at_once=500)
    assert ([first for first, _ in known], wanted) == ([1, 65], [(129, 200)])
    assert places.missing(KEY, "of another birth", 150, at_once=500) == ([], [(1, 150)])
    assert places.missing(Key("s", "t"), "b", 150, at_once=500) == ([], [(1, 150)])


def test_a_gap_is_read_by_itself() -> None:
    places = WordPlaces()
    places.read(KEY, "b", BLOCK + 1, said(BLOCK + 1, 2 * BLOCK))
    known, wanted = places.missing(KEY, "b", 3 * BLOCK, at_once=500)
    assert [first for first, _ in known] == [BLOCK + 1]
    assert wanted == [(1, BLOCK), (2 * BLOCK + 1, 3 * BLOCK)]


def test_of_many_sessions_those_that_were_searched_lately_are_remembered() -> None:
    places = WordPlaces(room_places=32 * BLOCK * 3)
    for number in range(100):
        places.read(Key(f"s{number}"), "b", 1, said(1, BLOCK))
    remembered = [n for n in range(100) if not places.missing(Key(f"s{n}"), "b", BLOCK, at_once=500)[1]]
    assert 0 < len(remembered) <= 32
    assert remembered[-1] == 99


def _seqs(store: SessionStore, *words: str) -> list[int]:
    return [message.seq for message in run_blocking(store.search(KEY, words, max_hits=10))]


@pytest.mark.parametrize("kind", ["redis", "encrypted"])
def test_a_search_reads_what_is_new_and_a_session_that_began_anew_from_the_beginning(
    kind: str, plain_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: SessionStore = RedisStore(plain_redis.url)
    if kind == "encrypted":
        store = EncryptedStore(MemoryStore(), Keyring({"k": bytes(32)}))
    run_blocking(store.append(KEY, said(1, 150)))
    read: list[tuple[int, int]] = []
    plain = WordPlaces.read

    def noted(self: WordPlaces, key: Key, born: str, first: int, messages: list[Message]) -> object:
        read.append((first, len(messages)))
        return plain(self, key, born, first, messages)

    monkeypatch.setattr(WordPlaces, "read", noted)
    assert _seqs(store, "lamps") == [150, 100, 50]
    assert read == [(1, 150)]
    run_blocking(store.append(KEY, said(151, 200)))
    assert _seqs(store, "lamps") == [200, 150, 100, 50]
    assert read[1:] == [(129, 72)]
    assert _seqs(store, "lamps")[0] == 200
    assert read[2:] == [(193, 8)]
    run_blocking(store.delete(KEY))
    assert _seqs(store, "lamps") == []
    run_blocking(store.append(KEY, [Message(Role.USER, "no lamp at all", id="x")]))
    assert _seqs(store, "lamps") == []
    assert _seqs(store, "lamp") == [1]
    assert run_blocking(store.record(KEY, Ranges.span(1, 1)))[0].content == "no lamp at all"
    run_blocking(store.close())


def test_both_voices_of_a_store_share_what_is_known(plain_redis: RedisServer) -> None:
    store = RedisStore(plain_redis.url)
    assert vars(store.awaiting())["_places"] is vars(store)["_places"]
    sealed = EncryptedStore(store, Keyring({"k": bytes(32)}))
    assert vars(sealed.awaiting())["_places"] is vars(sealed)["_places"]
    run_blocking(store.close())
