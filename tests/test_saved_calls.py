"""Calls that are spared for a time: to a cache that is down, to lists that name a session already; and full caches."""

from __future__ import annotations

import pytest

from session_core.stores.cache import Entry, MemoryCache
from session_core.stores.circuit_breaker import CircuitBreaker
from session_core.stores.redis.listing import Listing
from session_core.stores.redis.names import Names
from session_core.turns import Key
from session_core.voices import run_blocking


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_after_a_failure_one_call_in_the_given_time_tries_again(clock: Clock) -> None:
    breaker = CircuitBreaker(5.0, clock)
    breaker.failed()
    clock.now_s += 4.9
    early = breaker.lets_through()
    clock.now_s += 0.2
    assert [early, breaker.lets_through(), breaker.lets_through()] == [False, True, False]


def test_a_call_that_works_lets_all_through_again(clock: Clock) -> None:
    breaker = CircuitBreaker(5.0, clock)
    breaker.failed()
    breaker.worked()
    assert [breaker.lets_through(), breaker.lets_through()] == [True, True]


def test_a_session_that_ends_by_time_is_listed_again_after_a_quarter_of_it(clock: Clock) -> None:
    listing, key = Listing(Names(), 8_000, clock=clock), Key("s")
    listing.noted(key)
    clock.now_s += 1.9
    early = len(listing.due(key, exists=True))
    clock.now_s += 0.2
    assert (early, len(listing.due(key, exists=True))) == (0, 2)


def test_a_session_without_an_end_is_listed_once(clock: Clock) -> None:
    listing, key = Listing(Names(), 0, clock=clock), Key("s")
    before = len(listing.due(key))
    listing.noted(key)
    clock.now_s += 1e9
    assert (before, len(listing.due(key))) == (2, 0)


def _filled(cache: MemoryCache, place: str) -> None:
    mark = run_blocking(cache.look(place)).mark
    run_blocking(cache.fill(place, mark, Entry(b"head", ())))


def test_a_full_cache_drops_the_least_recently_used_session(clock: Clock) -> None:
    cache = MemoryCache(max_sessions=2, clock=clock)
    _filled(cache, "first")
    _filled(cache, "second")
    run_blocking(cache.look("first"))
    _filled(cache, "third")
    there = [run_blocking(cache.look(place)).entry is not None for place in ("third", "first")]
    assert there == [True, True]
    assert run_blocking(cache.look("second")).entry is None


def test_a_full_cache_keeps_a_session_that_is_written_to(clock: Clock) -> None:
    cache = MemoryCache(max_sessions=1, clock=clock)
    _filled(cache, "written")
    run_blocking(cache.begin("written", "w1"))
    _filled(cache, "other")
    assert run_blocking(cache.extend("written", "w1", b"more", (b"said",)))
