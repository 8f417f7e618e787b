"""A session that some process seals takes nothing in clear, on every store, and it costs no call more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from every_store import KINDS, Servers
from sealed_fill import RING

from session_core import Message, Role, Sessions
from session_core.errors import StoreUnreadable
from session_core.ports import SessionStore
from session_core.stores.encrypted import EncryptedStore
from session_core.testing import KEY, SEAL_PROMISES, message
from session_core.voices import run_blocking

ORDINARY = {"hget": 2, "time": 1, "rpush": 1, "hset": 1}
"""The commands of an append of one message on Redis, as in test_redis_append.py."""


@pytest.fixture(params=[kind for kind in KINDS if kind != "cluster"])
def store(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[SessionStore]:
    with servers.place(request.param, tmp_path) as place:
        yield place.store


@pytest.mark.parametrize("promise", SEAL_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_blocking(promise, store: SessionStore) -> None:
    run_blocking(promise(store))


@pytest.mark.parametrize("promise", SEAL_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_awaiting(promise, store: SessionStore) -> None:
    asyncio.run(promise(store.awaiting()))


def test_what_stands_in_clear_already_an_encrypting_store_takes_more_to_and_does_not_read(store: SessionStore) -> None:
    run_blocking(store.append(KEY, [message(1)]))
    sealed = EncryptedStore(store, RING)
    assert run_blocking(sealed.append(KEY, [message(2)])).state.sealed
    with pytest.raises(StoreUnreadable, match="is stored in clear"):
        run_blocking(sealed.load(KEY))
    with pytest.raises(StoreUnreadable, match="no keys were given"):
        run_blocking(store.append(KEY, [message(3)]))


def test_a_process_without_the_keys_is_told_so_when_it_appends(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sealed.db"
    with Sessions(url, keyring=RING) as sessions:
        sessions.session("u").append([Message(Role.USER, "Never before 9 am.")])
    with Sessions(url) as sessions, pytest.raises(StoreUnreadable, match=r"session u is sealed.*keyring="):
        sessions.session("u").append([Message(Role.USER, "Rather at 8.")])
    with Sessions(url, keyring=RING) as sessions:
        sessions.session("u").append([Message(Role.ASSISTANT, "Noted.")])
        assert [one.content for one in sessions.session("u").record()] == ["Never before 9 am.", "Noted."]
    assert b"Rather" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_sealed_append_on_redis_is_as_few_commands_as_one_in_clear(servers: Servers, tmp_path: Path) -> None:
    with servers.place("redis", tmp_path) as place, servers.redis.client() as client:
        sealed = EncryptedStore(place.store, RING)
        run_blocking(sealed.append(KEY, [message(number) for number in range(40)]))
        client.config_resetstat()
        run_blocking(sealed.append(KEY, [message(40)], strict=True))
        told = client.info("commandstats")
    counts = {name.removeprefix("cmdstat_"): found["calls"] for name, found in told.items()}
    assert {name: count for name, count in counts.items() if name in ORDINARY} == ORDINARY
    assert not {"llen", "pttl", "hmget"} & counts.keys()
