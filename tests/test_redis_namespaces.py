"""The namespaces of a session on Redis live as long as it does, whichever of them is used."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from redis_server import RedisServer

from session_core.stores.redis.names import Names
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.voices import run_blocking

INNER = replace(KEY, namespace="inner")
TTL_S = 600


@pytest.fixture
def store(plain_redis: RedisServer) -> Iterator[RedisStore]:
    with plain_redis.client() as client:
        client.flushall()
    made = RedisStore(f"{plain_redis.url}?ttl_s={TTL_S}")
    for key in (KEY, INNER):
        run_blocking(made.append(key, [message(1)]))
    yield made
    run_blocking(made.close())


def left_ms(server: RedisServer, *, of: Any) -> int:
    with server.client() as client:
        return min(client.pttl(name) for name in Names().of_namespace(of)[:2])


def let_pass(server: RedisServer, store: RedisStore, seconds: float) -> None:
    """As if nobody had used the session for so long."""
    with server.client() as client:
        for key in client.scan_iter():
            client.pexpire(key, client.pttl(key) - round(seconds * 1000))
    was = store._listing._clock
    store._listing._clock = lambda: was() + seconds


USES = (lambda store, key: store.load(key), lambda store, key: store.begin(key), lambda s, k: s.append(k, [message(2)]))


@pytest.mark.parametrize("use", USES, ids=["load", "begin", "append"])
@pytest.mark.parametrize(("used", "other"), [(KEY, INNER), (INNER, KEY)], ids=["session", "namespace"])
def test_using_one_namespace_renews_the_others(use: Any, used: Any, other: Any, store: Any, plain_redis: Any) -> None:
    for _ in range(4):
        let_pass(plain_redis, store, TTL_S * 0.3)
        run_blocking(use(store, used))
        assert left_ms(plain_redis, of=other) > TTL_S * 900
    assert len(run_blocking(store.record(other))) == 1


def test_an_async_use_renews_all_namespaces(store: RedisStore, plain_redis: RedisServer) -> None:
    async def used() -> None:
        awaiting = RedisStore(f"{plain_redis.url}?ttl_s={TTL_S}").awaiting()
        await awaiting.load(KEY)
        await awaiting.close()

    let_pass(plain_redis, store, TTL_S * 0.5)
    asyncio.run(used())
    assert left_ms(plain_redis, of=INNER) > TTL_S * 900


def test_no_renewal_within_a_quarter_of_the_lifetime(store: RedisStore, plain_redis: RedisServer) -> None:
    run_blocking(store.load(KEY))
    let_pass(plain_redis, store, TTL_S * 0.2)
    # The end of a connection is a read too: garbage of other tests ends none later.
    gc.collect()
    with plain_redis.client() as client:
        client.config_resetstat()
        run_blocking(store.load(KEY))
        assert client.info("stats")["total_reads_processed"] <= 2
    assert left_ms(plain_redis, of=INNER) < TTL_S * 900
