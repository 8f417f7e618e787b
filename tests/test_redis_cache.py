"""The cache on Redis: it decides as the one in memory, every key ends by itself, and a restart brings nothing back."""

from __future__ import annotations

import asyncio
import gc
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
from hot_sides import PATIENT, Around, Clock, MemoryHot, RedisHot
from redis_server import RedisServer, redis_cluster, redis_sentinel, redis_server
from tls_front import tls_front

from session_core.errors import ConfigError, StoreBusy, StoreError
from session_core.stores.cache import TTL_S, WRITING_S, Cache, Entry, Look, MemoryCache
from session_core.stores.hybrid import HybridStore
from session_core.stores.memory import MemoryStore
from session_core.stores.open import open_cache
from session_core.stores.redis.cache import RedisCache
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking

PLACE = "8:a tenant:a session"
ENTRY = Entry(b"head", (b"one", b"two"))


@pytest.fixture
def hot(plain_redis: RedisServer) -> Iterator[RedisHot]:
    made = RedisHot(plain_redis)
    yield made
    made.close()


@pytest.fixture
def cache(hot: RedisHot) -> RedisCache:
    return hot.cache


def _filled(cache: Cache, place: str = PLACE) -> None:
    seen = run_blocking(cache.look(place))
    assert run_blocking(cache.fill(place, seen.mark, ENTRY))


def _found(cache: Cache, place: str = PLACE) -> Entry | None:
    return run_blocking(cache.look(place)).entry


# It decides as the cache in memory does.


class Pair:
    """The same calls to both caches, and what they answer; marks are each cache's own."""

    def __init__(self, hot: RedisHot) -> None:
        hot.forget()
        self.hots = (MemoryHot(), hot)
        self.marks: list[tuple[str, str]] = []
        self.writes = 0

    def look(self, place: str, *, hidden: bool) -> None:
        ours, theirs = (run_blocking(hot.cache.look(place, hidden=hidden)) for hot in self.hots)
        assert (ours.entry, ours.quiet) == (theirs.entry, theirs.quiet)
        self.marks.append((ours.mark, theirs.mark))
        assert len({mark for mark, _ in self.marks}) == len({mark for _, mark in self.marks}) == len(set(self.marks))

    def fill(self, place: str, number: int, entry: Entry) -> None:
        marks = self.marks[-1 - number % len(self.marks)] if self.marks else ("none", "none")
        self._same(lambda cache, mark: cache.fill(place, mark, entry), marks)

    def begin(self, place: str) -> None:
        self.writes += 1
        self._same(lambda cache, _: cache.begin(place, f"w{self.writes}"))

    def extend(self, place: str, back: int, head: bytes, more: list[bytes]) -> None:
        self._same(lambda cache, _: cache.extend(place, f"w{self.writes - back}", head, more))

    def end(self, place: str, back: int, *, discard: bool) -> None:
        self._same(lambda cache, _: cache.end(place, f"w{self.writes - back}", discard=discard))

    def elapse(self, seconds: float) -> None:
        for hot in self.hots:
            hot.elapse(seconds)

    def forget(self) -> None:
        for hot in self.hots:
            hot.forget()

    def _same(self, call, marks: tuple[str, str] = ("", "")) -> None:
        ours, theirs = (run_blocking(call(hot.cache, mark)) for hot, mark in zip(self.hots, marks, strict=True))
        assert ours == theirs


def _step(random: Random, pair: Pair) -> None:
    place = random.choice(["here", "here", "there"])
    match random.choice(["look", "look", "fill", "begin", "begin", "extend", "extend", "end", "elapse", "forget"]):
        case "look":
            pair.look(place, hidden=random.random() < 0.3)
        case "fill":
            more = [random.randbytes(random.randrange(30)) for _ in range(random.randrange(4))]
            pair.fill(place, random.choice([0, 0, 0, 1, 2]), Entry(random.randbytes(5), tuple(more)))
        case "begin":
            pair.begin(place)
        case "extend":
            more = [random.randbytes(random.randrange(30)) for _ in range(random.randrange(3))]
            pair.extend(place, random.choice([0, 0, 0, 1, 2]), random.randbytes(5), more)
        case "end":
            pair.end(place, random.choice([0, 0, 1, 2]), discard=random.random() < 0.4)
        case "elapse":
            pair.elapse(random.choice([1, WRITING_S / 2, WRITING_S / 2, WRITING_S + 1, TTL_S * 0.6, TTL_S + 1]))
        case "forget":
            if random.random() < 0.2:
                pair.forget()


@pytest.mark.parametrize("seed", range(40))
def test_it_decides_as_the_cache_in_memory_does(seed, hot):
    random = Random(seed)
    for _ in range(10):
        pair = Pair(hot)
        for _ in range(40):
            _step(random, pair)
        places = (sorted(one.places()) for one in pair.hots)
        assert next(places) == next(places)


def test_both_voices_see_the_same(cache):
    _filled(cache)
    assert asyncio.run(cache.awaiting().look(PLACE)).entry == ENTRY
    assert asyncio.run(cache.awaiting().begin(PLACE, "w")) == b"head"
    assert run_blocking(cache.extend(PLACE, "w", b"new", [b"three"]))
    assert asyncio.run(cache.awaiting().look(PLACE)).entry == Entry(b"new", (b"one", b"two", b"three"))


# Round trips.


def _reads(server: RedisServer) -> int:
    """How many requests the server has read. The end of a connection is one too: garbage
    of other tests ends none later."""
    gc.collect()
    with server.client() as client:
        return int(client.info("stats")["total_reads_processed"])


def _each_call(cache: Cache) -> None:
    """Six calls, of each kind at least one."""
    _filled(cache)
    run_blocking(cache.begin(PLACE, "w1"))
    run_blocking(cache.extend(PLACE, "w1", b"h", [b"three"]))
    run_blocking(cache.begin(PLACE, "w2"))
    run_blocking(cache.end(PLACE, "w2", discard=True))


def test_each_call_is_one_script_and_one_round_trip(plain_redis, cache):
    _each_call(cache)
    with plain_redis.client() as client:
        client.config_resetstat()
    overhead = -_reads(plain_redis) + _reads(plain_redis)
    before = _reads(plain_redis)
    _each_call(cache)
    assert _reads(plain_redis) - before - overhead == 6
    with plain_redis.client() as client:
        stats = client.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 6
    assert "cmdstat_eval" not in stats


def test_a_server_that_forgets_the_scripts_is_told_them_again(plain_redis, cache):
    _filled(cache)
    with plain_redis.client() as client:
        client.script_flush()
    assert _found(cache) == ENTRY


# Time to live.


def _left_s(server: RedisServer) -> list[float]:
    with server.client() as client:
        return [client.pttl(key) / 1000 for key in client.scan_iter()]


@pytest.mark.parametrize("seed", range(5))
def test_every_key_has_its_time_to_live_after_every_kind_of_call(seed, plain_redis, hot):
    random, pair = Random(seed), Pair(hot)
    for _ in range(150):
        _step(random, pair)
        assert all(0 < left <= TTL_S for left in _left_s(plain_redis))


def test_a_key_lives_as_long_as_a_write_may_take_and_then_as_the_url_says(plain_redis, hot):
    cache = RedisCache(f"{plain_redis.url}{PATIENT}&ttl_s=5", writing_s=60)
    _filled(cache)
    assert all(4 < left <= 5 for left in _left_s(plain_redis))
    run_blocking(cache.begin(PLACE, "w"))
    assert all(50 < left <= 60 for left in _left_s(plain_redis))
    run_blocking(cache.look(PLACE))
    assert all(50 < left <= 60 for left in _left_s(plain_redis))
    run_blocking(cache.extend(PLACE, "w", b"h", []))
    assert all(4 < left <= 5 for left in _left_s(plain_redis))
    run_blocking(cache.close())


def test_an_entry_in_memory_has_the_same_lifetime():
    clock = Clock()
    cache = MemoryCache(ttl_s=5, writing_s=60, clock=clock)
    _filled(cache)
    run_blocking(cache.begin(PLACE, "w"))
    clock.now_s = 50
    assert run_blocking(cache.extend(PLACE, "w", b"h", []))
    clock.now_s = 54
    assert _found(cache) == Entry(b"h", ENTRY.messages)
    clock.now_s = 60
    assert _found(cache) is None


def test_without_a_time_in_the_url_it_is_an_hour_and_each_call_gives_it_again(plain_redis, hot, cache):
    _filled(cache)
    hot.elapse(1800)
    assert all(1700 < left <= 1800 for left in _left_s(plain_redis))
    assert _found(cache) == ENTRY
    assert all(3590 < left <= 3600 for left in _left_s(plain_redis))


def test_a_write_ends_by_the_clock_of_the_server_also_when_that_is_set_back(hot, cache):
    _filled(cache)
    run_blocking(cache.begin(PLACE, "w"))
    hot.elapse(-86_400)
    assert not run_blocking(cache.look(PLACE)).quiet
    hot.elapse(WRITING_S - 5)
    assert not run_blocking(cache.look(PLACE)).quiet
    hot.elapse(6)
    seen = run_blocking(cache.look(PLACE))
    assert (seen.quiet, seen.entry) == (True, None)
    assert run_blocking(cache.fill(PLACE, seen.mark, ENTRY))
    assert not run_blocking(cache.extend(PLACE, "w", b"late", []))
    assert _found(cache) is None


# What a server had before counts no more.


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


def test_a_write_that_a_restart_falls_into_adds_nothing_and_hides_all(hot):
    with redis_server(appendfsync="always") as server:
        cache = RedisCache(server.url + PATIENT)
        _filled(cache)
        run_blocking(cache.begin(PLACE, "w"))
        server.kill()
        server.start()
        seen = run_blocking(cache.look(PLACE))
        assert (seen.entry, seen.quiet) == (None, False)
        assert not run_blocking(cache.fill(PLACE, seen.mark, ENTRY))
        assert not run_blocking(cache.extend(PLACE, "w", b"new", []))
        assert _found(cache) is None
        run_blocking(cache.close())


def test_a_replica_that_takes_over_shows_nothing_old(plain_redis, hot, cache):
    _filled(cache)
    with redis_server(appendonly="no", replicaof=f"127.0.0.1 {plain_redis.port}") as replica:
        heir = RedisCache(replica.url + PATIENT)
        with replica.client() as client:
            end = time.monotonic() + 60
            while not client.exists(f"llms:hot:{{{PLACE}}}"):
                assert time.monotonic() < end, "the replica did not follow"
                time.sleep(0.02)
            client.execute_command("REPLICAOF", "NO", "ONE")
            assert client.dbsize() == 1
        assert _found(heir) is None
        _filled(heir)
        assert _found(heir) == ENTRY
        run_blocking(heir.close())


def test_what_another_release_wrote_stays_for_readers_and_goes_with_a_write(plain_redis, hot, cache):
    _filled(cache)
    name = f"llms:hot:{{{PLACE}}}"
    with plain_redis.client() as client:
        client.hset(name, "f", "2")
        seen = run_blocking(cache.look(PLACE, hidden=True))
        assert (seen.entry, seen.quiet) == (None, False)
        assert not run_blocking(cache.fill(PLACE, seen.mark, ENTRY))
        assert client.hget(name, "f") == b"2"
        assert run_blocking(cache.begin(PLACE, "w")) is None
        assert client.hget(name, "f") == b"1"
        client.hset(name, "f", "2")
        assert not run_blocking(cache.extend(PLACE, "w", b"new", []))
        assert client.dbsize() == 0


# A server that is full, used by others, or silent.


def _sessions(store: HybridStore, count: int) -> Iterator[Key]:
    random = Random(1)
    for number in range(count):
        key = Key(f"session {number}")
        run_blocking(store.append(key, [message(1, content=random.randbytes(10_000).hex())]))
        run_blocking(store.load(key))
        run_blocking(store.append(key, [message(2)]))
        yield key


@pytest.mark.parametrize("policy", ["allkeys-lru", "noeviction"])
def test_a_server_without_room_costs_hits_and_nothing_else(policy, hot):
    with redis_server(appendonly="no", maxmemory="2mb", maxmemory_policy=policy) as full:
        told: list[str | None] = []
        store = HybridStore(RedisCache(full.url + PATIENT), MemoryStore(), retry_after_s=0.0, on_degraded=told.append)
        keys = list(_sessions(store, 200))
        assert all(run_blocking(store.load(key)) == run_blocking(store.cold.load(key)) for key in keys)
        with full.client() as client:
            assert (int(client.info("stats")["evicted_keys"]) > 0) is (policy == "allkeys-lru")
        assert any("is out of memory" in str(why) for why in told) is (policy == "noeviction")
        run_blocking(store.close())


def test_foreign_data_under_its_keys_is_reported_and_counts_as_a_miss(plain_redis, hot):
    store = HybridStore(hot.cache, MemoryStore(), retry_after_s=0.0)
    run_blocking(store.append(KEY, [message(1)]))
    with plain_redis.client() as client:
        client.set(f"llms:hot:{{{PLACE}}}", "of another application")
    assert len(run_blocking(store.load(KEY)).messages) == 1
    assert "set another prefix" in str(store.degraded)


def test_it_shares_a_server_and_a_prefix_with_a_store(plain_redis, hot, cache):
    store = RedisStore(plain_redis.url)
    hybrid = HybridStore(cache, store)
    run_blocking(hybrid.append(KEY, [message(1)]))
    run_blocking(hybrid.load(KEY))
    assert [state.key for state in run_blocking(store.sessions())] == [KEY]
    assert run_blocking(hybrid.delete(KEY)) == 1
    with plain_redis.client() as client:
        assert set(client.scan_iter()) <= {b"llms:sessions:a tenant", b"llms:tenants"}
    run_blocking(store.close())


@pytest.mark.parametrize("name", ["{brace}", "}{", "%7B", "é 漢 \U0001f642", "half \ud800", "a:s:"])
def test_a_place_of_any_name_is_a_place_of_its_own(name, cache):
    _filled(cache, f"x{name}")
    assert _found(cache, f"x{name}") == ENTRY
    assert _found(cache, "x another") is None


def _until_it_answers(store: HybridStore) -> None:
    """Look until the hot side answers in its time, which on a busy machine may not be at once."""
    run_blocking(store.load(KEY))
    while store.degraded:
        store._hot._breaker._retry_at_s = 0.0
        run_blocking(store.load(KEY))


def test_a_server_that_hangs_holds_one_caller_and_not_for_long(plain_redis, hot):
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


def test_what_a_hanging_server_heard_late_is_ended_by_name(plain_redis, hot):
    store = HybridStore(RedisCache(plain_redis.url), MemoryStore(), retry_after_s=0.0)
    run_blocking(store.append(KEY, [message(1)]))
    _until_it_answers(store)
    with plain_redis.hanging():
        run_blocking(store.append(KEY, [message(2)]))
    end = time.monotonic() + 60
    while not [held for held in hot.held() if held.counts]:
        assert time.monotonic() < end, "what was heard late is not ended"
        assert len(run_blocking(store.load(KEY)).messages) == 2
    run_blocking(store.close())


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_callers_who_find_no_connection_free_wait_no_longer_than_the_url_says(voice, plain_redis, hot):
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


def test_a_user_who_may_not_ask_for_the_history_of_the_server_is_told_what_to_allow(plain_redis, hot):
    with plain_redis.client() as client:
        client.execute_command("ACL", "SETUSER", "ann", "on", ">pw", "~llms:*", "+@all", "-info")
    cache = RedisCache(plain_redis.url.replace("://", "://ann:pw@") + PATIENT)
    with pytest.raises(StoreError, match="denies a permission that sessions need; grant the user"):
        run_blocking(cache.look(PLACE))
    run_blocking(cache.close())


# Forks and loops.


def _forked(cache: RedisCache, answers) -> None:
    answers.put((_found(cache), asyncio.run(cache.awaiting().look(PLACE)).entry))


def test_it_goes_on_working_in_a_forked_process_and_beside_it(cache):
    _filled(cache)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_forked, args=(cache, answers))
    child.start()
    assert answers.get(timeout=60) == (ENTRY, ENTRY)
    child.join()
    assert child.exitcode == 0
    assert _found(cache) == ENTRY


def test_each_event_loop_has_connections_of_its_own(cache):
    awaiting = cache.awaiting()
    assert cache.awaiting() is awaiting
    assert awaiting.awaiting() is awaiting
    _filled(cache)
    found: list[Entry | None] = []

    async def in_a_loop() -> None:
        found.extend([(await awaiting.look(PLACE)).entry, _found(cache)])

    loops = [threading.Thread(target=asyncio.run, args=(in_a_loop(),)) for _ in range(4)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    for _ in range(2):
        asyncio.run(in_a_loop())
    assert found == [ENTRY] * 12


# Addresses.


def test_it_finds_the_primary_through_a_sentinel(plain_redis, hot):
    with redis_sentinel(plain_redis) as url:
        cache = open_cache(url)
        _filled(cache)
        assert asyncio.run(cache.awaiting().look(PLACE)).entry == ENTRY
        run_blocking(cache.close())


def test_on_a_cluster_places_are_spread_and_each_works(hot):
    with redis_cluster() as url:
        cache = open_cache(url)
        for number in range(30):
            _filled(cache, f"place {number}")
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


def test_it_speaks_tls_and_looks_at_the_certificate(plain_redis, hot, tmp_path):
    with tls_front(plain_redis.port, tmp_path) as (port, certificate):
        cache = open_cache(
            f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}&socket_timeout=20&socket_connect_timeout=20"
        )
        _filled(cache)
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


def test_a_prefix_keeps_caches_apart(plain_redis, hot):
    ours, theirs = (RedisCache(f"{plain_redis.url}{PATIENT}&prefix={name}") for name in ("ours", "theirs"))
    _filled(ours)
    assert _found(theirs) is None
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
