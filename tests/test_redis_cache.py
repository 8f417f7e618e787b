"""The cache on Redis: it decides as the one in memory, in one round trip, and every key ends by itself."""

from __future__ import annotations

import asyncio
import gc
from random import Random

import pytest
from hot_sides import ENTRY, PATIENT, PLACE, Clock, MemoryHot, RedisHot, filled, found_in
from redis_server import RedisServer

from session_core.stores.cache import TTL_S, WRITING_S, Cache, Entry, MemoryCache
from session_core.stores.redis.cache import RedisCache
from session_core.voices import run_blocking

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
def test_it_decides_as_the_cache_in_memory_does(seed, redis_hot):
    random = Random(seed)
    for _ in range(10):
        pair = Pair(redis_hot)
        for _ in range(40):
            _step(random, pair)
        places = (sorted(one.places()) for one in pair.hots)
        assert next(places) == next(places)


def test_both_voices_see_the_same(redis_cache):
    filled(redis_cache)
    assert asyncio.run(redis_cache.awaiting().look(PLACE)).entry == ENTRY
    assert asyncio.run(redis_cache.awaiting().begin(PLACE, "w")) == b"head"
    assert run_blocking(redis_cache.extend(PLACE, "w", b"new", [b"three"]))
    assert asyncio.run(redis_cache.awaiting().look(PLACE)).entry == Entry(b"new", (b"one", b"two", b"three"))


# Round trips.


def _reads(server: RedisServer) -> int:
    """How many requests the server has read. The end of a connection is one too: garbage
    of other tests ends none later."""
    gc.collect()
    with server.client() as client:
        return int(client.info("stats")["total_reads_processed"])


def _each_call(cache: Cache) -> None:
    """Six calls, of each kind at least one."""
    filled(cache)
    run_blocking(cache.begin(PLACE, "w1"))
    run_blocking(cache.extend(PLACE, "w1", b"h", [b"three"]))
    run_blocking(cache.begin(PLACE, "w2"))
    run_blocking(cache.end(PLACE, "w2", discard=True))


def test_each_call_is_one_script_and_one_round_trip(plain_redis, redis_cache):
    _each_call(redis_cache)
    with plain_redis.client() as client:
        client.config_resetstat()
    overhead = -_reads(plain_redis) + _reads(plain_redis)
    before = _reads(plain_redis)
    _each_call(redis_cache)
    assert _reads(plain_redis) - before - overhead == 6
    with plain_redis.client() as client:
        stats = client.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 6
    assert "cmdstat_eval" not in stats


def test_a_server_that_forgets_the_scripts_is_told_them_again(plain_redis, redis_cache):
    filled(redis_cache)
    with plain_redis.client() as client:
        client.script_flush()
    assert found_in(redis_cache) == ENTRY


# Time to live.


def _left_s(server: RedisServer) -> list[float]:
    with server.client() as client:
        return [client.pttl(key) / 1000 for key in client.scan_iter()]


@pytest.mark.parametrize("seed", range(5))
def test_every_key_has_its_time_to_live_after_every_kind_of_call(seed, plain_redis, redis_hot):
    random, pair = Random(seed), Pair(redis_hot)
    for _ in range(150):
        _step(random, pair)
        assert all(0 < left <= TTL_S for left in _left_s(plain_redis))


def test_a_key_lives_as_long_as_a_write_may_take_and_then_as_the_url_says(plain_redis, redis_hot):
    cache = RedisCache(f"{plain_redis.url}{PATIENT}&ttl_s=5", writing_s=60)
    filled(cache)
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
    filled(cache)
    run_blocking(cache.begin(PLACE, "w"))
    clock.now_s = 50
    assert run_blocking(cache.extend(PLACE, "w", b"h", []))
    clock.now_s = 54
    assert found_in(cache) == Entry(b"h", ENTRY.messages)
    clock.now_s = 60
    assert found_in(cache) is None


def test_without_a_time_in_the_url_it_is_an_hour_and_each_call_gives_it_again(plain_redis, redis_hot, redis_cache):
    filled(redis_cache)
    redis_hot.elapse(1800)
    assert all(1700 < left <= 1800 for left in _left_s(plain_redis))
    assert found_in(redis_cache) == ENTRY
    assert all(3590 < left <= 3600 for left in _left_s(plain_redis))


def test_a_write_ends_by_the_clock_of_the_server_also_when_that_is_set_back(redis_hot, redis_cache):
    filled(redis_cache)
    run_blocking(redis_cache.begin(PLACE, "w"))
    redis_hot.elapse(-86_400)
    assert not run_blocking(redis_cache.look(PLACE)).quiet
    redis_hot.elapse(WRITING_S - 5)
    assert not run_blocking(redis_cache.look(PLACE)).quiet
    redis_hot.elapse(6)
    seen = run_blocking(redis_cache.look(PLACE))
    assert (seen.quiet, seen.entry) == (True, None)
    assert run_blocking(redis_cache.fill(PLACE, seen.mark, ENTRY))
    assert not run_blocking(redis_cache.extend(PLACE, "w", b"late", []))
    assert found_in(redis_cache) is None
