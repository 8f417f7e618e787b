"""What is deleted on Redis goes whole, also where the server threw away what named a part of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from redis_server import RedisServer

from session_core import Policy
from session_core.doctor import examine, lines
from session_core.ports import Plain, SessionStore, Write
from session_core.stores.cache import MemoryCache
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.hybrid import HybridStore
from session_core.stores.keyring import Keyring
from session_core.stores.redis.names import Names
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking

ODD = Key("odd *?[a]\\ {s}|%", "tenant [x-z]*", "")
LIKE_IT = Key("odd XX?[a]\\ {s}|%", ODD.tenant)
SPACES = ("inner", "a:b:c", "*", "inner|{x}:1")
LISTS = (b"llms:sessions:", b"llms:tenants")


def fill(store: RedisStore, key: Key, spaces: tuple[str, ...] = SPACES) -> None:
    for namespace in ("", *spaces):
        run_blocking(store.append(replace(key, namespace=namespace), [message(1), message(2)]))
        writes = [Write("task", 0, "channel", Plain("t", b"x"))]
        run_blocking(store.put_writes(replace(key, namespace=namespace), "1", writes))


def left(server: RedisServer, key: Key = KEY) -> list[bytes]:
    with server.client() as client:
        return [name for name in client.scan_iter() if name.startswith(Names().beginning(key))]


def lose(server: RedisServer, *names: bytes) -> None:
    with server.client() as client:
        assert client.delete(*names) == len(names)


@pytest.mark.parametrize("key", [KEY, ODD], ids=["plain name", "odd name"])
def test_a_session_whose_set_of_namespaces_is_gone_is_deleted_whole(
    redis_store: RedisStore, plain_redis: RedisServer, key: Key
) -> None:
    fill(redis_store, key)
    fill(redis_store, LIKE_IT)
    others = left(plain_redis, LIKE_IT)
    lose(plain_redis, Names().namespaces(key))
    assert run_blocking(redis_store.delete(key)) == 2 * (1 + len(SPACES))
    assert left(plain_redis, key) == []
    assert sorted(left(plain_redis, LIKE_IT)) == sorted(others)


def test_deletion_without_the_set_of_namespaces_works_async(redis_store: RedisStore, plain_redis: RedisServer) -> None:
    fill(redis_store, KEY)
    lose(plain_redis, Names().namespaces(KEY))

    async def work() -> None:
        awaiting = redis_store.awaiting()
        await awaiting.delete(KEY)
        await awaiting.close()

    asyncio.run(work())
    assert left(plain_redis) == []


def test_deletion_without_the_set_of_namespaces_works_on_every_cluster_node(cluster: str) -> None:
    store = RedisStore(cluster)
    keys = [Key(f"session {number}", KEY.tenant) for number in range(12)]
    for key in keys:
        fill(store, key, ("inner",))
        assert run_blocking(store._wire.ask(("DEL", Names().namespaces(key)))) == [1]
        assert run_blocking(store.delete(key)) == 4
        assert run_blocking(store.state(replace(key, namespace="inner"))) is None
    run_blocking(store.close())


@pytest.mark.parametrize("again", ["inner", "new"])
def test_a_recreated_set_hides_no_namespace(redis_store: RedisStore, plain_redis: RedisServer, again: str) -> None:
    fill(redis_store, KEY)
    lose(plain_redis, Names().namespaces(KEY))
    run_blocking(redis_store.append(replace(KEY, namespace=again), [message(3)]))
    run_blocking(redis_store.delete(KEY))
    assert left(plain_redis) == []


def test_namespaces_of_a_session_that_has_nothing_itself_go_too(
    redis_store: RedisStore, plain_redis: RedisServer
) -> None:
    run_blocking(redis_store.append(replace(KEY, namespace="inner"), [message(1)]))
    lose(plain_redis, Names().namespaces(KEY))
    run_blocking(redis_store.delete(KEY))
    assert left(plain_redis) == []


def test_a_copied_session_is_deleted_whole(redis_store: RedisStore, plain_redis: RedisServer) -> None:
    fill(redis_store, KEY)
    copy = replace(KEY, session_id="a copy")
    run_blocking(redis_store.copy_session(KEY, copy.session_id))
    lose(plain_redis, Names().namespaces(copy))
    run_blocking(redis_store.delete(copy))
    assert left(plain_redis, copy) == []


@pytest.mark.parametrize(
    "lost",
    [some for count in (1, 2, 3) for some in combinations(range(5), count)] + [(0, 1, 2, 3, 4)],
    ids=lambda places: "+".join("smcvn"[place] for place in places),
)
def test_whichever_keys_of_the_session_itself_are_gone_it_is_deleted_whole(
    redis_store: RedisStore, plain_redis: RedisServer, lost: tuple[int, ...]
) -> None:
    fill(redis_store, KEY)
    there = Names().of(KEY)
    with plain_redis.client() as client:
        client.delete(*(there[place] for place in lost))
    run_blocking(redis_store.delete(KEY))
    assert left(plain_redis) == []


def test_a_purge_finds_lost_namespaces(redis_store: RedisStore, plain_redis: RedisServer) -> None:
    fill(redis_store, KEY)
    lose(plain_redis, Names().namespaces(KEY))
    while run_blocking(redis_store.purge(0.0)) == ():
        pass
    assert left(plain_redis) == []


def test_a_session_with_all_its_keys_is_deleted_without_a_look_at_others(
    redis_store: RedisStore, plain_redis: RedisServer
) -> None:
    fill(redis_store, KEY)
    fill(redis_store, LIKE_IT, ())
    with plain_redis.client() as client:
        client.config_resetstat()
        for key in (KEY, LIKE_IT, Key("nobody")):
            run_blocking(redis_store.delete(key))
            run_blocking(redis_store.delete(key))
        told: dict[str, Any] = client.info("commandstats")
    assert "cmdstat_scan" not in told


@pytest.mark.parametrize("used", ["", "inner"])
def test_the_count_of_namespaces_lives_no_longer_and_no_shorter_than_they(plain_redis: RedisServer, used: str) -> None:
    with plain_redis.client() as client:
        client.flushall()
        store = RedisStore(f"{plain_redis.url}?ttl_s=600")
        run_blocking(store.append(replace(KEY, namespace="inner"), [message(1)]))
        main = Names().of(KEY)[0]
        assert 590_000 < client.pttl(main) <= 600_000
        client.pexpire(main, 60_000)
        run_blocking(RedisStore(f"{plain_redis.url}?ttl_s=600").load(replace(KEY, namespace=used)))
        assert 590_000 < client.pttl(main) <= 600_000
        run_blocking(RedisStore(plain_redis.url).load(replace(KEY, namespace="inner")))
        assert client.pttl(main) == -1


# The policy under which nothing is lost


def examined(store: SessionStore, server: RedisServer, *, policy: str, maxmemory: str = "100mb") -> list[str]:
    with server.client() as client:
        client.config_set("maxmemory", maxmemory)
        client.config_set("maxmemory-policy", policy)
        try:
            findings = run_blocking(examine(store, Policy()))
        finally:
            client.config_set("maxmemory", "0")
            client.config_set("maxmemory-policy", "noeviction")
    assert findings.healthy is (not findings.risks)
    return [line for line in lines(findings) if line.startswith("PROBLEM")]


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random"])
def test_the_doctor_warns_of_a_server_that_throws_keys_away(
    redis_store: RedisStore, plain_redis: RedisServer, policy: str
) -> None:
    sealed = EncryptedStore(redis_store, Keyring({"k": bytes(32)}))
    hybrid = HybridStore(MemoryCache(), redis_store)
    for one in (redis_store, sealed, hybrid):
        (told,) = examined(one, plain_redis, policy=policy)
        assert f"maxmemory-policy {policy}" in told


def test_the_doctor_warns_of_what_throws_away_keys_with_an_end_where_sessions_have_one(
    redis_store: RedisStore, plain_redis: RedisServer
) -> None:
    assert examined(RedisStore(f"{plain_redis.url}?ttl_s=60"), plain_redis, policy="volatile-lru")
    assert not examined(redis_store, plain_redis, policy="volatile-lru")


def test_the_doctor_says_nothing_of_a_server_that_keeps_all(redis_store: RedisStore, plain_redis: RedisServer) -> None:
    assert not examined(redis_store, plain_redis, policy="noeviction")
    assert not examined(redis_store, plain_redis, policy="allkeys-lru", maxmemory="0")


def test_the_doctor_warns_of_a_server_that_is_nearly_full(redis_store: RedisStore, plain_redis: RedisServer) -> None:
    with plain_redis.client() as client:
        used = int(client.info("memory")["used_memory"])
    (told,) = examined(redis_store, plain_redis, policy="noeviction", maxmemory=str(int(used / 0.95)))
    assert "9" in told.partition("uses ")[2].partition("% of its maxmemory")[0]
