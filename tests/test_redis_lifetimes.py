"""Every key of a session has the time to live in the URL, also when that changes, and no list outlives its sessions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from redis_server import RedisServer
from redis_sessions import everything, keys

from session_core.ports import Checkpoint, MessageList, Plain
from session_core.stores.redis.names import Names
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking

INNER = replace(KEY, namespace="inner")
OTHER = replace(KEY, namespace="other")
PARTS = (KEY, INNER, OTHER)
OLD_S = 600
FOREVER_MS = -1
CHANGES = [(OLD_S, None), (OLD_S, 6_000), (OLD_S, 60), (None, OLD_S)]
IDS = ["removed", "lengthened", "shortened", "added"]

Use = Callable[[Any, Key], Any]
USES: dict[str, Use] = {
    "append": lambda store, key: store.append(key, [message(9)]),
    "append of two": lambda store, key: store.append(key, [message(8), message(9)]),
    "strict append": lambda store, key: store.append(key, [message(9)], strict=True),
    "checkpoint": lambda store, key: store.put_checkpoint(
        Checkpoint(key, "9", "1", Plain("b", b""), {"messages": "9"}),
        {"messages": MessageList((message(1), message(9)))},
        head_channel="messages",
        merge=True,
    ),
    "load": lambda store, key: store.load(key),
    "begin": lambda store, key: store.begin(key),
}
pytestmark = pytest.mark.usefixtures("redis_url")
every_change = pytest.mark.parametrize(("before_s", "now_s"), CHANGES, ids=IDS)
every_use = pytest.mark.parametrize("use", USES.values(), ids=USES)
every_part = pytest.mark.parametrize("used", [KEY, INNER], ids=["session", "namespace"])


def opened(server: RedisServer, ttl_s: int | None) -> RedisStore:
    return RedisStore(server.url if ttl_s is None else f"{server.url}?ttl_s={ttl_s}")


def fill(store: RedisStore) -> None:
    for key in PARTS:
        run_blocking(store.append(key, [message(1)]))
        made = Checkpoint(key, "1", None, Plain("b", b""), {"messages": "1"})
        values = {"messages": MessageList((message(1),))}
        run_blocking(store.put_checkpoint(made, values, head_channel="messages", merge=True))


def times_ms(server: RedisServer) -> dict[bytes, int]:
    """How long each key of the session has left."""
    names = Names()
    keys = {name for part in PARTS for name in names.of(part)}
    with server.client() as client:
        return {name: client.pttl(name) for name in keys if client.exists(name)}


def as_the_url_says(times: dict[bytes, int], ttl_s: int | None) -> bool:
    if ttl_s is None:
        return set(times.values()) == {FOREVER_MS}
    return all(ttl_s * 900 < left <= ttl_s * 1_000 for left in times.values())


@every_change
@every_use
@every_part
def test_all_keys_of_a_session_follow_the_url_at_the_next_use(
    plain_redis: RedisServer, before_s: int | None, now_s: int | None, use: Use, used: Key
) -> None:
    fill(opened(plain_redis, before_s))
    run_blocking(use(opened(plain_redis, now_s), used))
    times = times_ms(plain_redis)
    assert len(times) == 4 * len(PARTS) + 1
    assert as_the_url_says(times, now_s), times


@every_change
@every_part
def test_all_keys_follow_the_url_at_the_next_async_use(
    plain_redis: RedisServer, before_s: int | None, now_s: int | None, used: Key
) -> None:
    fill(opened(plain_redis, before_s))

    async def work() -> None:
        store = opened(plain_redis, now_s).awaiting()
        await store.load(used)
        await store.close()

    asyncio.run(work())
    assert as_the_url_says(times_ms(plain_redis), now_s)


@every_use
@every_part
@pytest.mark.parametrize("by", [USES["load"], USES["append"]], ids=["by a load", "by an append"])
def test_a_time_that_was_added_and_taken_away_again_ends_nothing(
    plain_redis: RedisServer, use: Use, used: Key, by: Use
) -> None:
    fill(opened(plain_redis, None))
    run_blocking(by(opened(plain_redis, OLD_S), KEY))
    run_blocking(use(opened(plain_redis, None), used))
    assert as_the_url_says(times_ms(plain_redis), None)


def test_a_session_of_two_urls_follows_the_one_that_used_it_last(plain_redis: RedisServer) -> None:
    ending, lasting = opened(plain_redis, OLD_S), opened(plain_redis, None)
    fill(lasting)
    for number in range(2, 6):
        for store, ttl_s in ((ending, OLD_S), (lasting, None)):
            # A process that names a time renews the other parts once in a quarter of it.
            ending._listing.forget(KEY)
            run_blocking(store.append(KEY, [message(number * 2 + bool(ttl_s))]))
            assert as_the_url_says(times_ms(plain_redis), ttl_s)


def test_what_is_left_undone_when_a_process_dies_the_next_use_does(plain_redis: RedisServer) -> None:
    class Died(BaseException):
        """The end of a process between two round trips."""

    class Dying:
        def __init__(self, wire: Any) -> None:
            self.address, self._wire = wire.address, wire

        async def run(self, *calls: Any) -> list[Any]:
            done = await self._wire.run(*calls)
            if any(call.script.name in ("append", "load") for call in calls):
                raise Died
            return list(done)

    for use in (USES["append"], USES["load"]):
        fill(opened(plain_redis, OLD_S))
        with pytest.raises(Died):
            run_blocking(use(RedisStore(Dying(opened(plain_redis, None)._wire)), KEY))
        run_blocking(USES["load"](opened(plain_redis, None), INNER))
        assert as_the_url_says(times_ms(plain_redis), None)
        run_blocking(opened(plain_redis, None).delete(KEY))


@pytest.mark.parametrize("use", [USES["append"], USES["load"]], ids=["append", "load"])
def test_after_the_change_a_use_is_one_request_again(plain_redis: RedisServer, use: Use) -> None:
    fill(opened(plain_redis, OLD_S))
    store = opened(plain_redis, None)
    for key in PARTS:
        run_blocking(USES["load"](store, key))
    with plain_redis.client() as client:
        before = client.info("stats")["total_reads_processed"]
        overhead = client.info("stats")["total_reads_processed"] - before
        for key in PARTS:
            run_blocking(use(store, key))
        assert client.info("stats")["total_reads_processed"] - before - 2 * overhead == len(PARTS)


@every_change
def test_a_lease_keeps_its_own_time_when_its_holder_appends(
    plain_redis: RedisServer, before_s: int | None, now_s: int | None
) -> None:
    name = Names().lease(KEY)
    fill(opened(plain_redis, before_s))
    store = opened(plain_redis, now_s)
    lease = run_blocking(store.take_lease(KEY, holder="one", ttl_s=3_600.0))
    with plain_redis.client() as client:
        before = client.pttl(name)
        run_blocking(store.append(KEY, [message(7)], lease=lease))
        assert before - 60_000 < client.pttl(name) <= before


# The lists


def names(store: RedisStore) -> set[Key]:
    return {state.key for state in run_blocking(store.sessions())}


def let_pass(server: RedisServer, seconds: float) -> None:
    """As if so much time had passed for the lists and the sessions: all that has an end is that much nearer to it."""
    with server.client() as client:
        for key in client.scan_iter():
            left = client.pttl(key)
            if client.type(key) == b"zset":
                for name, score in client.zrange(key, 0, -1, withscores=True):
                    client.zadd(key, {name: score - seconds * 1_000})
            if left >= 0:
                client.pexpire(key, left - round(seconds * 1_000)) if left > seconds * 1_000 else client.delete(key)


IDLE, USED = Key("idle", KEY.tenant), Key("used", KEY.tenant)


@pytest.mark.parametrize("use", [USES["append"], USES["load"]], ids=["append", "load"])
def test_a_session_that_nobody_uses_stays_listed_as_long_as_it_lives_when_a_time_is_added(
    plain_redis: RedisServer, use: Use
) -> None:
    for key in (IDLE, USED):
        run_blocking(opened(plain_redis, None).append(key, [message(1)]))
    run_blocking(use(opened(plain_redis, OLD_S), USED))
    let_pass(plain_redis, 3 * OLD_S)
    run_blocking(opened(plain_redis, OLD_S).append(KEY, [message(1)]))
    assert names(opened(plain_redis, OLD_S)) == {IDLE, KEY}


def test_a_tenant_stays_listed_as_long_as_one_of_its_sessions_lives(plain_redis: RedisServer) -> None:
    run_blocking(opened(plain_redis, None).append(IDLE, [message(1)]))
    run_blocking(opened(plain_redis, OLD_S).append(USED, [message(1)]))
    let_pass(plain_redis, 3 * OLD_S)
    elsewhere = Key("elsewhere", "another tenant")
    run_blocking(opened(plain_redis, OLD_S).append(elsewhere, [message(1)]))
    assert names(opened(plain_redis, OLD_S)) == {IDLE, elsewhere}


def test_a_session_that_nobody_uses_stays_listed_as_long_as_it_lives_when_the_time_is_shortened(
    plain_redis: RedisServer,
) -> None:
    for key in (IDLE, USED):
        run_blocking(opened(plain_redis, 60 * OLD_S).append(key, [message(1)]))
    run_blocking(opened(plain_redis, OLD_S).append(USED, [message(2)]))
    let_pass(plain_redis, 10 * OLD_S)
    run_blocking(opened(plain_redis, OLD_S).append(KEY, [message(1)]))
    assert names(opened(plain_redis, OLD_S)) == {IDLE, KEY}


@pytest.mark.parametrize("use", [USES["append"], USES["load"]], ids=["append", "load"])
def test_a_session_that_lives_on_stays_listed(plain_redis: RedisServer, use: Use) -> None:
    for key in (IDLE, USED):
        run_blocking(opened(plain_redis, OLD_S).append(key, [message(1)]))
    run_blocking(use(opened(plain_redis, None), USED))
    let_pass(plain_redis, 10 * OLD_S)
    assert names(opened(plain_redis, None)) == {USED}


def test_names_of_sessions_that_ended_leave_the_list_also_when_others_never_end(plain_redis: RedisServer) -> None:
    run_blocking(opened(plain_redis, None).append(IDLE, [message(1)]))
    run_blocking(opened(plain_redis, OLD_S).append(USED, [message(1)]))
    let_pass(plain_redis, 3 * OLD_S)
    run_blocking(opened(plain_redis, OLD_S).append(KEY, [message(1)]))
    with plain_redis.client() as client:
        assert set(client.zrange(Names().sessions(KEY.tenant), 0, -1)) == {b"idle", KEY.session_id.encode()}


def test_a_list_ends_with_the_last_session_that_is_on_it(plain_redis: RedisServer) -> None:
    run_blocking(opened(plain_redis, OLD_S).append(USED, [message(1)]))
    with plain_redis.client() as client:
        for name in (Names().sessions(KEY.tenant), Names().tenants()):
            assert OLD_S * 1_000 < client.pttl(name) <= 2 * OLD_S * 1_000


def test_every_key_of_a_session_has_its_time_to_live(plain_redis, redis_url):
    store = RedisStore(f"{redis_url}?ttl_s=600")
    everything(store)
    with plain_redis.client() as client:
        times = {key: client.pttl(key) for key in client.scan_iter()}
    assert len(times) == 9
    assert all(0 < left <= 2 * 600_000 for left in times.values()), times
    run_blocking(store.close())


def test_without_a_lifetime_no_key_expires(redis_store, plain_redis):
    everything(redis_store)
    with plain_redis.client() as client:
        assert {client.pttl(key) for key in client.scan_iter()} == {-1}


@pytest.mark.parametrize("use", [lambda s: s.load(KEY), lambda s: s.append(KEY, [message(1)])], ids=["load", "append"])
def test_each_use_gives_the_whole_session_its_time_again(use, plain_redis, redis_url):
    store = RedisStore(f"{redis_url}?ttl_s=600")
    everything(store)
    with plain_redis.client() as client:
        names = Names().of(KEY)
        for key in names:
            client.pexpire(key, 60_000)
        run_blocking(use(store))
        assert all(client.pttl(key) > 500_000 for key in names)
    run_blocking(store.close())


def test_an_idle_session_ends_whole_and_leaves_the_list(plain_redis, redis_url):
    store, listed = RedisStore(f"{redis_url}?ttl_s=600"), Names().sessions("a tenant")
    everything(store)
    with plain_redis.client() as client:
        # As if its time had passed, and then twice as much.
        for key in keys(plain_redis):
            if key != listed and client.pttl(key) <= 600_000:
                client.pexpireat(key, 1)
        assert run_blocking(store.load(KEY)).messages == ()
        assert run_blocking(store.sessions("a tenant")) == ()
        client.zincrby(listed, -1_200_000, KEY.session_id)
        run_blocking(store.append(Key("other", "a tenant"), [message(1)]))
        assert client.zrange(listed, 0, -1) == [b"other"]
    run_blocking(store.close())


def test_a_session_lives_on_when_its_time_is_taken_away(plain_redis, redis_url):
    everything(RedisStore(f"{redis_url}?ttl_s=600"))
    run_blocking(RedisStore(redis_url).append(KEY, [message(9)]))
    with plain_redis.client() as client:
        assert {client.pttl(key) for key in Names().of(KEY)} == {-1}


def test_a_session_made_again_after_its_end_elsewhere_is_listed(redis_store, plain_redis):
    other = RedisStore(redis_store._wire)
    run_blocking(redis_store.append(KEY, [message(1)]))
    run_blocking(other.delete(KEY))
    assert run_blocking(redis_store.sessions()) == ()
    run_blocking(redis_store.append(KEY, [message(1)]))
    assert [state.key for state in run_blocking(other.sessions())] == [KEY]


def test_stale_list_entries_are_removed_after_a_while_only(redis_store, plain_redis):
    run_blocking(redis_store.append(KEY, [message(1)]))
    listed = Names().sessions(KEY.tenant)
    with plain_redis.client() as client:
        client.zadd(listed, {"gone": 7_200_000 - time.time() * 1000, "coming": -time.time() * 1000})
        run_blocking(redis_store.sessions())
        assert set(client.zrange(listed, 0, -1)) == {b"coming", b"a session"}
