"""The cache on Redis when its server restarts, is full, silent or used by others, and where its URL leads."""

from __future__ import annotations

import asyncio
import multiprocessing
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from random import Random

import pytest
import redis
from hot_sides import ENTRY, PATIENT, PLACE, Around, filled, found_in
from redis_server import redis_cluster, redis_sentinel, redis_server
from tls_front import tls_front

from session_core.errors import ConfigError, StoreBusy, StoreError
from session_core.stores.cache import Cache, Entry, Look
from session_core.stores.hybrid import HybridStore
from session_core.stores.memory import MemoryStore
from session_core.stores.open import open_cache
from session_core.stores.redis.cache import RedisCache
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking


def test_a_restart_that_brings_old_entries_back_shows_nothing_old():
    with redis_server(appendonly="no") as server:
        store, other = (HybridStore(RedisCache(server.url + PATIENT), cold) for cold in [MemoryStore()] * 2)
        run_blocking(store.append(KEY, [message(1)]))
        run_blocking(store.load(KEY))
        with server.client() as client:
            client.save()
        run_blocking(store.append(KEY, [message(2)]))
        assert len(run_blocking(other.load(KEY)).messages) == 2
        server.kill()
        server.start()
        with server.client() as client:
            assert client.dbsize() == 1
        assert len(run_blocking(other.load(KEY)).messages) == 2
        assert len(run_blocking(store.load(KEY)).messages) == 2
        assert store.degraded is None
        for one in (store, other):
            run_blocking(one.close())


def test_a_write_that_a_restart_falls_into_adds_nothing_and_hides_all(redis_hot):
    with redis_server(appendfsync="always") as server:
        cache = RedisCache(server.url + PATIENT)
        filled(cache)
        run_blocking(cache.begin(PLACE, "w"))
        server.kill()
        server.start()
        seen = run_blocking(cache.look(PLACE))
        assert (seen.entry, seen.quiet) == (None, False)
        assert not run_blocking(cache.fill(PLACE, seen.mark, ENTRY))
        assert not run_blocking(cache.extend(PLACE, "w", b"new", []))
        assert found_in(cache) is None
        run_blocking(cache.close())


def test_a_replica_that_takes_over_shows_nothing_old(plain_redis, redis_hot, redis_cache):
    filled(redis_cache)
    with redis_server(appendonly="no", replicaof=f"127.0.0.1 {plain_redis.port}") as replica:
        heir = RedisCache(replica.url + PATIENT)
        with replica.client() as client:
            end = time.monotonic() + 60
            while not client.exists(f"llms:hot:{{{PLACE}}}"):
                assert time.monotonic() < end, "the replica did not follow"
                time.sleep(0.02)
            client.execute_command("REPLICAOF", "NO", "ONE")
            assert client.dbsize() == 1
        assert found_in(heir) is None
        filled(heir)
        assert found_in(heir) == ENTRY
        run_blocking(heir.close())


def test_what_another_release_wrote_stays_for_readers_and_goes_with_a_write(plain_redis, redis_hot, redis_cache):
    filled(redis_cache)
    name = f"llms:hot:{{{PLACE}}}"
    with plain_redis.client() as client:
        client.hset(name, "f", "2")
        seen = run_blocking(redis_cache.look(PLACE, hidden=True))
        assert (seen.entry, seen.quiet) == (None, False)
        assert not run_blocking(redis_cache.fill(PLACE, seen.mark, ENTRY))
        assert client.hget(name, "f") == b"2"
        assert run_blocking(redis_cache.begin(PLACE, "w")) is None
        assert client.hget(name, "f") == b"1"
        client.hset(name, "f", "2")
        assert not run_blocking(redis_cache.extend(PLACE, "w", b"new", []))
        assert client.dbsize() == 0


def _sessions(store: HybridStore, count: int) -> Iterator[Key]:
    random = Random(1)
    for number in range(count):
        key = Key(f"session {number}")
        run_blocking(store.append(key, [message(1, content=random.randbytes(10_000).hex())]))
        run_blocking(store.load(key))
        run_blocking(store.append(key, [message(2)]))
        yield key


@pytest.mark.parametrize("policy", ["allkeys-lru", "noeviction"])
def test_a_server_without_room_costs_hits_and_nothing_else(policy, redis_hot):
    with redis_server(appendonly="no", maxmemory="2mb", maxmemory_policy=policy) as full:
        told: list[str | None] = []
        store = HybridStore(RedisCache(full.url + PATIENT), MemoryStore(), retry_after_s=0.0, on_degraded=told.append)
        keys = list(_sessions(store, 200))
        assert all(run_blocking(store.load(key)) == run_blocking(store.cold.load(key)) for key in keys)
        with full.client() as client:
            assert (int(client.info("stats")["evicted_keys"]) > 0) is (policy == "allkeys-lru")
        assert any("is out of memory" in str(why) for why in told) is (policy == "noeviction")
        run_blocking(store.close())


def test_foreign_data_under_its_keys_is_reported_and_counts_as_a_miss(plain_redis, redis_hot):
    store = HybridStore(redis_hot.cache, MemoryStore(), retry_after_s=0.0)
    run_blocking(store.append(KEY, [message(1)]))
    with plain_redis.client() as client:
        client.set(f"llms:hot:{{{PLACE}}}", "of another application")
    assert len(run_blocking(store.load(KEY)).messages) == 1
    assert "set another prefix" in str(store.degraded)


def test_it_shares_a_server_and_a_prefix_with_a_store(plain_redis, redis_hot, redis_cache):
    store = RedisStore(plain_redis.url)
    hybrid = HybridStore(redis_cache, store)
    run_blocking(hybrid.append(KEY, [message(1)]))
    run_blocking(hybrid.load(KEY))
    assert [state.key for state in run_blocking(store.sessions())] == [KEY]
    assert run_blocking(hybrid.delete(KEY)) == 1
    with plain_redis.client() as client:
        assert set(client.scan_iter()) <= {b"llms:sessions:a tenant", b"llms:tenants"}
    run_blocking(store.close())


@pytest.mark.parametrize("name", ["{brace}", "}{", "%7B", "é 漢 \U0001f642", "half \ud800", "a:s:"])
def test_a_place_of_any_name_is_a_place_of_its_own(name, redis_cache):
    filled(redis_cache, f"x{name}")
    assert found_in(redis_cache, f"x{name}") == ENTRY
    assert found_in(redis_cache, "x another") is None


def _until_it_answers(store: HybridStore) -> None:
    """Look until the hot side answers in its time, which on a busy machine may not be at once."""
    run_blocking(store.load(KEY))
    while store.degraded:
        store._hot._breaker._retry_at_s = 0.0
        run_blocking(store.load(KEY))


def test_a_server_that_hangs_holds_one_caller_and_not_for_long(plain_redis, redis_hot):
    cache = Around(RedisCache(plain_redis.url))
    store = HybridStore(cache, MemoryStore(), retry_after_s=3_600)
    run_blocking(store.append(KEY, [message(1)]))
    _until_it_answers(store)
    with plain_redis.client() as client:
        client.config_resetstat()
    cache.called.clear()
    with plain_redis.hanging():
        began = time.monotonic()
        assert len(run_blocking(store.load(KEY)).messages) == 1
        # Ten seconds a try and four tries would be the store's patience.
        assert time.monotonic() - began < 10
        for number in range(2, 20):
            run_blocking(store.append(KEY, [message(number)]))
            assert len(run_blocking(store.load(KEY)).messages) == number
        assert cache.called == Counter(look=1)
        assert "did not answer in time" in str(store.degraded)
    with plain_redis.client() as client:
        # This one; the caller did not try another one.
        assert client.info("stats")["total_connections_received"] == 1
    _until_it_answers(store)
    assert len(run_blocking(store.load(KEY)).messages) == 19
    cache.called.clear()
    assert len(run_blocking(store.load(KEY)).messages) == 19
    assert cache.called == Counter(look=1)
    run_blocking(store.close())


def test_what_a_hanging_server_heard_late_is_ended_by_name(plain_redis, redis_hot):
    store = HybridStore(RedisCache(plain_redis.url), MemoryStore(), retry_after_s=0.0)
    run_blocking(store.append(KEY, [message(1)]))
    _until_it_answers(store)
    with plain_redis.hanging():
        run_blocking(store.append(KEY, [message(2)]))
    end = time.monotonic() + 60
    while not [held for held in redis_hot.held() if held.counts]:
        assert time.monotonic() < end, "what was heard late is not ended"
        assert len(run_blocking(store.load(KEY)).messages) == 2
    run_blocking(store.close())


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_callers_who_find_no_connection_free_wait_no_longer_than_the_url_says(voice, plain_redis, redis_hot):
    timeouts = "socket_timeout=60&socket_connect_timeout=60"
    cache = RedisCache(f"{plain_redis.url}?max_connections=1&wait_s=0.05&{timeouts}")

    async def all_at_once() -> list[object]:
        with plain_redis.hanging():
            calls = [asyncio.create_task(cache.awaiting().look(PLACE)) for _ in range(3)]
            for ended in islice(asyncio.as_completed(calls), 2):
                with suppress(StoreBusy):
                    await ended
        return await asyncio.gather(*calls, return_exceptions=True)

    def blocking() -> list[object]:
        answers: list[object] = []
        threads = [threading.Thread(target=lambda: answers.append(_error(cache))) for _ in range(3)]
        with plain_redis.hanging():
            for thread in threads:
                thread.start()
            while len(answers) < 2:
                time.sleep(0.01)
        for thread in threads:
            thread.join()
        return answers

    answers = blocking() if voice == "blocking" else asyncio.run(all_at_once())
    refused = [answer for answer in answers if isinstance(answer, StoreBusy)]
    assert ["all 1 connections were in use for 0.05 s" in str(one) for one in refused] == [True, True]
    assert [answer.entry for answer in answers if isinstance(answer, Look)] == [None]
    run_blocking(cache.close())


def _error(cache: Cache) -> object:
    try:
        return run_blocking(cache.look(PLACE))
    except StoreError as exc:
        return exc


def test_a_server_that_is_not_there_is_an_error_with_the_mend_and_without_the_password():
    cache = RedisCache("redis://ann:secret@127.0.0.1:1")
    with pytest.raises(StoreError, match="is it running") as caught:
        run_blocking(cache.look(PLACE))
    assert "secret" not in str(caught.value)


def test_a_user_who_may_not_ask_for_the_history_of_the_server_is_told_what_to_allow(plain_redis, redis_hot):
    with plain_redis.client() as client:
        client.execute_command("ACL", "SETUSER", "ann", "on", ">pw", "~llms:*", "+@all", "-info")
    cache = RedisCache(plain_redis.url.replace("://", "://ann:pw@") + PATIENT)
    with pytest.raises(StoreError, match="denies a permission that sessions need; grant the user"):
        run_blocking(cache.look(PLACE))
    run_blocking(cache.close())


def _forked(cache: RedisCache, answers) -> None:
    answers.put((found_in(cache), asyncio.run(cache.awaiting().look(PLACE)).entry))


def test_it_goes_on_working_in_a_forked_process_and_beside_it(redis_cache):
    filled(redis_cache)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_forked, args=(redis_cache, answers))
    child.start()
    assert answers.get(timeout=60) == (ENTRY, ENTRY)
    child.join()
    assert child.exitcode == 0
    assert found_in(redis_cache) == ENTRY


def test_each_event_loop_has_connections_of_its_own(redis_cache):
    awaiting = redis_cache.awaiting()
    assert redis_cache.awaiting() is awaiting
    assert awaiting.awaiting() is awaiting
    filled(redis_cache)
    found: list[Entry | None] = []

    async def in_a_loop() -> None:
        found.extend([(await awaiting.look(PLACE)).entry, found_in(redis_cache)])

    loops = [threading.Thread(target=asyncio.run, args=(in_a_loop(),)) for _ in range(4)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    for _ in range(2):
        asyncio.run(in_a_loop())
    assert found == [ENTRY] * 12


def test_it_finds_the_primary_through_a_sentinel(plain_redis, redis_hot):
    with redis_sentinel(plain_redis) as url:
        cache = open_cache(url)
        filled(cache)
        assert asyncio.run(cache.awaiting().look(PLACE)).entry == ENTRY
        run_blocking(cache.close())


def test_on_a_cluster_places_are_spread_and_each_works(redis_hot):
    with redis_cluster() as url:
        cache = open_cache(url)
        for number in range(30):
            filled(cache, f"place {number}")
            assert run_blocking(cache.begin(f"place {number}", "w")) == b"head"
            assert run_blocking(cache.extend(f"place {number}", "w", b"h", [b"three"]))
            assert asyncio.run(cache.awaiting().look(f"place {number}")).entry == Entry(
                b"h", (*ENTRY.messages, b"three")
            )
        ports = [int(host.rpartition(":")[2]) for host in url.removeprefix("redis+cluster://").split(",")]
        sizes = [_size(port) for port in ports]
        assert sum(sizes) == 30
        assert min(sizes) > 0
        run_blocking(cache.close())


def _size(port: int) -> int:
    with redis.Redis(host="127.0.0.1", port=port) as client:
        return int(client.dbsize())


def test_it_speaks_tls_and_looks_at_the_certificate(plain_redis, redis_hot, tmp_path):
    with tls_front(plain_redis.port, tmp_path) as (port, certificate):
        cache = open_cache(
            f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}&socket_timeout=20&socket_connect_timeout=20"
        )
        filled(cache)
        assert asyncio.run(cache.awaiting().look(PLACE)).entry == ENTRY
        run_blocking(cache.close())
        doubted = open_cache(f"rediss://127.0.0.1:{port}{PATIENT}")
        with pytest.raises(StoreError, match="ssl_ca_certs"):
            run_blocking(doubted.look(PLACE))
        run_blocking(doubted.close())


@pytest.mark.parametrize(
    ("address", "mend"),
    [
        ("redis://localhost?ttl=5", "'ttl' is not known"),
        ("redis://localhost?ttl_s=0", "use seconds"),
        ("redis://localhost?retries=-1", "retries at least 0"),
        ("redis://localhost?wait_s=0", "wait_s must be over 0"),
        ("redis+cluster://localhost/2", "only database 0"),
    ],
)
def test_a_wrong_address_is_refused_with_the_mend(address, mend):
    with pytest.raises(ConfigError, match=mend) as caught:
        open_cache(address.replace("://", "://ann:secret@"))
    assert "secret" not in str(caught.value)


def test_a_prefix_keeps_caches_apart(plain_redis, redis_hot):
    ours, theirs = (RedisCache(f"{plain_redis.url}{PATIENT}&prefix={name}") for name in ("ours", "theirs"))
    filled(ours)
    assert found_in(theirs) is None
    for one in (ours, theirs):
        run_blocking(one.close())


def test_without_the_driver_the_error_says_how_to_get_it():
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "from session_core.stores.open import open_cache\n"
        "open_cache('redis://localhost')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'llm-sessions[redis]'" in done.stderr
