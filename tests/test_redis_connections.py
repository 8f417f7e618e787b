"""Redis that is not to be had: an error that says whether to retry, in both voices."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest
from redis_server import RedisServer, redis_sentinel, redis_server

from session_core.errors import ConfigError, StoreError, StoreLost
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.voices import run_blocking


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


def refused_in_both_voices(store: RedisStore, kind: type[StoreError], mend: str) -> None:
    with pytest.raises(kind, match=mend):
        run_blocking(store.append(KEY, [message(1)]))
    with pytest.raises(kind, match=mend):
        asyncio.run(awaited(store))
    run_blocking(store.close())


async def awaited(store: RedisStore) -> None:
    awaiting = store.awaiting()
    try:
        await awaiting.append(KEY, [message(1)])
    finally:
        await awaiting.close()


def test_a_server_that_is_gone_is_lost_for_now(server: RedisServer) -> None:
    store = RedisStore(f"{server.url}?retries=0")
    run_blocking(store.append(KEY, [message(1)]))
    server.kill()
    refused_in_both_voices(store, StoreLost, "retry")
    server.start()
    run_blocking(store.append(KEY, [message(2)]))


def test_a_service_without_a_primary_is_lost_for_now(server: RedisServer) -> None:
    with redis_sentinel(server) as url:
        unknown = RedisStore(f"{url.rpartition('/')[0]}/another?retries=0")
        refused_in_both_voices(unknown, StoreLost, "no primary that its sentinels know of")


def test_a_server_that_is_no_sentinel_is_not_called_too_old(server: RedisServer) -> None:
    url = server.url.replace("redis:", "redis+sentinel:") + "/main?retries=0"
    refused_in_both_voices(RedisStore(url), StoreError, "is no sentinel")


def test_a_database_that_is_not_there_is_named(server: RedisServer) -> None:
    refused_in_both_voices(RedisStore(f"{server.url}/99"), StoreError, "no database of that number")


def test_a_server_that_says_nothing_is_tried_as_often_as_the_url_says() -> None:
    """As a plain server does when it is spoken to over TLS."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        quick = "socket_connect_timeout=0.3&socket_timeout=0.3&retries=2"
        refused_in_both_voices(RedisStore(f"rediss://127.0.0.1:{port}?{quick}"), StoreLost, "did not answer in time")
        silent.setblocking(False)
        tries = []
        with contextlib.suppress(BlockingIOError):
            while True:
                tries.append(silent.accept()[0])
        for one in tries:
            one.close()
    assert len(tries) == 2 * (1 + 2)


def test_sentinels_with_a_password_of_their_own_are_asked_with_it(server: RedisServer) -> None:
    with redis_sentinel(server, settings_more="requirepass for-sentinels\n") as url:
        store = RedisStore(f"{url}?sentinel_password=for-sentinels")
        run_blocking(store.append(KEY, [message(1)]))
        asyncio.run(awaited(store))
        run_blocking(store.close())
        without = RedisStore(f"{url}?sentinel_password=another&retries=0")
        with pytest.raises(StoreError) as caught:
            run_blocking(without.load(KEY))
        assert "another" not in str(caught.value)
        run_blocking(without.close())
    with pytest.raises(ConfigError, match="redis\\+sentinel"):
        RedisStore(f"{server.url}?sentinel_password=another")
