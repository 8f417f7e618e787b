"""A Redis server that is full before a process has as many connections as its URL allows: callers wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from inspect import isawaitable
from typing import Any

import pytest
from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis_server import RedisServer, redis_server

from session_core.errors import StoreBusy, StoreLost
from session_core.ports import SessionStore
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking

CALLERS = 24
TURNS = 20
FREED_AFTER_S = 0.5
FULL = "no free connection; retry, lower max_connections in the URL"
Talk = Callable[[SessionStore, Redis], Coroutine[Any, Any, None]]


@pytest.fixture
def url() -> Iterator[str]:
    """Of a server with room for three connections, besides the one that set this."""
    with redis_server() as server, server.client() as other:
        other.config_set("maxclients", 4)
        yield server.url


def keys() -> list[Key]:
    return [Key(f"room {number}") for number in range(CALLERS)]


def test_threads_wait_for_each_other_where_the_server_has_no_room_for_more(url: str) -> None:
    store, together = RedisStore(url), threading.Barrier(CALLERS)

    def turns(key: Key) -> None:
        together.wait()
        for number in range(1, TURNS + 1):
            run_blocking(store.append(key, [message(number)]))

    with ThreadPoolExecutor(CALLERS) as threads:
        list(threads.map(turns, keys()))
    assert [len(run_blocking(store.record(key))) for key in keys()] == [TURNS] * CALLERS
    run_blocking(store.close())


def test_tasks_wait_for_each_other_where_the_server_has_no_room_for_more(url: str) -> None:
    async def turns(store: SessionStore, key: Key) -> int:
        for number in range(1, TURNS + 1):
            await store.append(key, [message(number)])
            await asyncio.sleep(0)
        return len(await store.record(key))

    async def all_turns() -> list[int]:
        store = RedisStore(url).awaiting()
        try:
            return await asyncio.gather(*(turns(store, key) for key in keys()))
        finally:
            await store.close()

    assert asyncio.run(all_turns()) == [TURNS] * CALLERS


def test_a_thread_that_waits_in_vain_is_told_what_to_lower_and_to_raise(narrow: RedisStore) -> None:
    run_blocking(narrow.append(KEY, [message(1)]))
    with in_use(run_blocking(any_sender_of(narrow))), pytest.raises(StoreBusy, match=FULL):
        run_blocking(narrow.append(KEY, [message(2)]))
    run_blocking(narrow.append(KEY, [message(2)]))


def test_a_task_that_waits_in_vain_is_told_what_to_lower_and_to_raise(narrow: RedisStore) -> None:
    async def talk(store: SessionStore) -> None:
        await store.append(KEY, [message(1)])
        with in_use(await any_sender_of(store)), pytest.raises(StoreBusy, match=FULL):
            await store.append(KEY, [message(2)])
        await store.append(KEY, [message(2)])

    asyncio.run(talk(narrow.awaiting()))


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_who_lost_an_idle_connection_and_its_room_waits_as_well(url: str, voice: str) -> None:
    """Small servers end idle connections, and another process may be quicker to take the room."""

    async def talk(store: SessionStore, server: Redis) -> None:
        await store.append(KEY, [message(1)])
        sender = await any_sender_of(store)
        used = sender._free.pop()
        await store.append(KEY, [message(2)])
        server.client_kill_filter(_id=max(int(one["id"]) for one in server.client_list()))
        with filled(url):
            freed = threading.Timer(FREED_AFTER_S, sender._free.append, [used])
            freed.start()
            await store.append(KEY, [message(3)])
            freed.join()

    talked(talk, url, voice)


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_who_waits_seldom_asks_a_full_server(url: str, voice: str) -> None:
    async def talk(store: SessionStore, server: Redis) -> None:
        await store.append(KEY, [message(1)])
        sender = await any_sender_of(store)
        with filled(url), in_use(sender):
            before = server.info("stats")["rejected_connections"]
            with pytest.raises(StoreBusy, match=FULL):
                await store.append(KEY, [message(2)])
            assert server.info("stats")["rejected_connections"] - before <= 4

    talked(talk, url, voice, "?wait_s=1&retries=0")


def talked(talk: Talk, url: str, voice: str, options: str = "") -> None:
    """Let `talk` happen in one voice, with a connection that looks at the server."""
    store = RedisStore(url + options)
    with Redis.from_url(url) as server:
        server.ping()
        if voice == "blocking":
            run_blocking(talk(store, server))
        else:
            asyncio.run(talk(store.awaiting(), server))
    run_blocking(store.close())


@contextmanager
def filled(url: str) -> Iterator[None]:
    """Connections of another process take all the room that is left."""
    with ExitStack() as taken:
        with suppress(exceptions.ConnectionError):
            while taken.enter_context(Redis.from_url(url, retry=Retry(NoBackoff(), 0))).ping():
                pass
        yield


@pytest.fixture
def narrow(url: str) -> Iterator[RedisStore]:
    """A store that gets one connection, since two others have one each."""
    others = [RedisStore(url) for _ in range(2)]
    for number, one in enumerate(others):
        run_blocking(one.append(Key(f"other {number}"), [message(1)]))
    store = RedisStore(f"{url}?wait_s=0.3&retries=0")
    yield store
    for one in (*others, store):
        run_blocking(one.close())


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_calls_that_failed_in_an_outage_use_no_connections_up(voice: str) -> None:
    async def talk(store: SessionStore, server: RedisServer) -> None:
        await store.append(KEY, [message(1)])
        server.kill()
        for _ in range(5):
            with pytest.raises(StoreLost):
                await store.append(KEY, [message(2)])
        server.start()
        await store.append(KEY, [message(2)])
        await store.close()

    with redis_server() as server:
        store = RedisStore(f"{server.url}?max_connections=2&retries=0")
        if voice == "blocking":
            run_blocking(talk(store, server))
        else:
            asyncio.run(talk(store.awaiting(), server))


async def any_sender_of(store: Any) -> Any:
    found = store._wire._current()
    return (await found if isawaitable(found) else found).sender


@contextmanager
def in_use(sender: Any) -> Iterator[None]:
    """As if other callers had all idle connections of a process."""
    taken, sender._free = sender._free, []
    yield
    sender._free = taken
