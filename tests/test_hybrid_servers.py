"""Redis before PostgreSQL and before SQLite, on real servers: promises, counts, and what happens when a side dies."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from every_store import TABLES, empty_schema
from hot_sides import PATIENT, Around
from postgres_server import PostgresServer, postgres_server
from redis_server import RedisServer, redis_cluster, redis_server

from session_core import Sessions
from session_core.errors import StoreError
from session_core.ports import SessionStore
from session_core.ranges import Ranges
from session_core.stores.hybrid import HybridStore
from session_core.stores.open import open_cache, open_store
from session_core.testing import KEY, STORE_PROMISES, message
from session_core.turns import Key
from session_core.voices import run_blocking

_prefixes = count(1)


@pytest.fixture(scope="module")
def redis_three() -> Iterator[str]:
    with redis_cluster() as url:
        yield url


@pytest.fixture
def hot(plain_redis: RedisServer) -> str:
    with plain_redis.client() as client:
        client.flushall()
    return plain_redis.url + PATIENT


@pytest.fixture(scope="module")
def opened(postgres: PostgresServer) -> str:
    """The URL of a schema that is there."""
    url = f"{postgres.url}&schema=cold"
    run_blocking(open_store(url).close())
    return url


@pytest.fixture
def cold(opened: str, postgres: PostgresServer) -> str:
    """A schema that is there, and empty."""
    empty_schema(postgres, "cold")
    return opened


@pytest.fixture(params=["redis, postgresql", "redis, sqlite", "redis+cluster, postgresql"])
def sessions(request: Any, tmp_path: Path) -> Iterator[Sessions]:
    hot, cold = request.param.split(", ")
    url = request.getfixturevalue("hot")
    if hot == "redis+cluster":
        # A prefix that nobody had: a cluster is flushed node by node.
        url = f"{request.getfixturevalue('redis_three')}{PATIENT}&prefix=p{next(_prefixes)}"
    side = request.getfixturevalue("cold") if cold == "postgresql" else f"sqlite:///{tmp_path}/cold.db"
    with Sessions(hot=url, cold=side) as opened:
        yield opened


# Promises


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_blocking(promise, sessions):
    run_blocking(promise(sessions.store))
    assert sessions.store.degraded is None


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_awaiting(promise, sessions):
    asyncio.run(promise(sessions.awaited))
    assert sessions.store.degraded is None


def test_sessions_talk_through_both_sides_in_both_voices(sessions):
    session = sessions.session("user-42")
    session.append([{"role": "user", "content": "my order is ORD-77"}, {"role": "assistant", "content": "noted"}])
    session.view()

    async def asked() -> list[str]:
        await session.aappend({"role": "user", "content": "which order?"})
        return [m.content for m in (await session.aview()).messages]

    assert asyncio.run(asked()) == ["my order is ORD-77", "noted", "which order?"]
    assert [m.content for m in session.view().messages] == ["my order is ORD-77", "noted", "which order?"]
    assert session.delete() == 3


# Counts


def _reads(server: RedisServer) -> int:
    """How many requests the server has read. The end of a connection is one too: garbage
    of other tests ends none later."""
    gc.collect()
    with server.client() as client:
        return int(client.info("stats")["total_reads_processed"])


def _counted(hot: str, cold: str) -> tuple[HybridStore, Around, Around]:
    sides = Around(open_cache(hot)), Around(open_store(cold))
    return HybridStore(*sides), *sides


def test_a_hit_is_one_round_trip_to_redis_and_none_to_postgres(hot, cold, plain_redis):
    store, _, durable = _counted(hot, cold)
    run_blocking(store.append(KEY, [message(n) for n in range(1, 30)]))
    for _ in range(2):
        run_blocking(store.load(KEY))
    durable.called.clear()
    overhead = -_reads(plain_redis) + _reads(plain_redis)
    before = _reads(plain_redis)
    for _ in range(5):
        assert len(run_blocking(store.load(KEY)).messages) == 29
    assert _reads(plain_redis) - before - overhead == 5
    assert durable.called == Counter()
    run_blocking(store.close())


def test_an_append_is_begin_and_the_durable_append_and_extend(hot, cold, plain_redis):
    store, cache, durable = _counted(hot, cold)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    run_blocking(store.append(KEY, [message(2)]))
    cache.called.clear()
    durable.called.clear()
    overhead = -_reads(plain_redis) + _reads(plain_redis)
    before = _reads(plain_redis)
    run_blocking(store.append(KEY, [message(3), message(4)]))
    assert _reads(plain_redis) - before - overhead == 2
    assert (cache.called, durable.called) == (Counter(begin=1, extend=1), Counter(append=1))
    assert len(run_blocking(store.load(KEY)).messages) == 4
    assert durable.called == Counter(append=1)
    run_blocking(store.close())


# What is left of a session


def _rows(postgres: PostgresServer, cold: str) -> dict[str, int]:
    schema = cold.rpartition("schema=")[2]
    with postgres.connect() as connection:
        found = {name: connection.execute(f"SELECT count(*) FROM {schema}.{name}").fetchone() for name in TABLES}
    return {name: row[0] for name, row in found.items() if row and row[0]}


def test_after_a_delete_nothing_of_the_session_is_on_either_side(hot, cold, plain_redis, postgres):
    store, _, _ = _counted(hot, cold)
    for key in (KEY, Key(KEY.session_id, KEY.tenant, "inner")):
        run_blocking(store.append(key, [message(1), message(2)]))
        run_blocking(store.load(key))
    run_blocking(store.append(KEY, [message(3)]))
    with plain_redis.client() as client:
        assert len(list(client.scan_iter(f"*{KEY.session_id}*"))) == 1
        assert run_blocking(store.delete(KEY)) == 5
        assert list(client.scan_iter()) == []
    assert _rows(postgres, cold) == {}
    run_blocking(store.close())


def test_writes_that_bypassed_redis_are_repaired_and_counted_at_the_next_write(hot, cold):
    with Sessions(hot=hot, cold=cold) as ours, Sessions(cold) as past:
        ours.session("chat").append({"role": "user", "content": "one"})
        ours.session("chat").view()
        past.session("chat").append({"role": "assistant", "content": "two"})
        assert [m.content for m in ours.session("chat").view().messages] == ["one"]
        ours.session("chat").append({"role": "user", "content": "three"})
        assert [m.content for m in ours.session("chat").view().messages] == ["one", "two", "three"]
        assert ours.store.drifts == 1


# A hot side that fails again and again


def _flush(server: RedisServer) -> None:
    with server.client() as client:
        client.flushall()


def _restart(server: RedisServer) -> None:
    server.kill()
    server.start()


def _hang(server: RedisServer) -> None:
    with server.client() as client:
        process = int(client.info("server")["process_id"])
    os.kill(process, signal.SIGSTOP)
    time.sleep(0.25)
    os.kill(process, signal.SIGCONT)


async def _talk(store: SessionStore, writer: int, acknowledged: list[str], until: threading.Event) -> None:
    """Write, and read what every thread was confirmed before."""
    turn = 0
    while not until.is_set() and turn < 2_000:
        turn += 1
        said = message(writer * 10_000 + turn)
        await store.append(KEY, [said])
        acknowledged.append(said.id)
        before = list(acknowledged)
        found = [m.id for m in (await store.load(KEY)).messages]
        assert set(before) <= set(found)
        assert len(set(found)) == len(found)


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
@pytest.mark.parametrize("fault", [_flush, _restart, _hang])
def test_repeated_redis_failures_are_invisible_to_callers(fault, voice, tmp_path):
    random = Random(3)
    with redis_server(appendonly="yes") as server:
        store = HybridStore(
            open_cache(f"{server.url}?socket_timeout=0.1"),
            open_store(f"sqlite:///{tmp_path}/cold.db"),
            retry_after_s=0.02,
        )
        acknowledged: list[str] = []
        failed: list[BaseException] = []
        stop = threading.Event()

        def talk(writer: int) -> None:
            twin = store if voice == "blocking" else store.awaiting()
            try:
                talking = _talk(twin, writer, acknowledged, stop)
                _ = run_blocking(talking) if voice == "blocking" else asyncio.run(talking)
            except (StoreError, AssertionError) as exc:
                failed.append(exc)

        threads = [threading.Thread(target=talk, args=(writer,)) for writer in range(1, 4)]
        for thread in threads:
            thread.start()
        faults = 0
        while not failed and (faults < 6 or len(acknowledged) <= 30):
            time.sleep(random.random() * 0.3)
            fault(server)
            faults += 1
        stop.set()
        for thread in threads:
            thread.join()
        assert failed == []
        record = run_blocking(store.record(KEY))
        assert sorted(m.id for m in record) == sorted(acknowledged)
        time.sleep(0.1)
        assert run_blocking(store.load(KEY)) == run_blocking(store.cold.load(KEY))
        run_blocking(store.close())


# A durable side that dies


def test_while_postgres_is_dead_views_are_served_and_writes_are_refused_and_nothing_is_lost(plain_redis, hot):
    with postgres_server() as postgres:
        store = HybridStore(open_cache(hot), open_store(postgres.url))
        for number in range(1, 20):
            run_blocking(store.append(KEY, [message(number)]))
        before = run_blocking(store.load(KEY))
        postgres.kill()
        for number in (20, 21):
            with pytest.raises(StoreError, match=r"the write is not confirmed.*then retry the write"):
                run_blocking(store.append(KEY, [message(number)]))
            assert run_blocking(store.load(KEY)) == before
            assert asyncio.run(store.awaiting().load(KEY)) == before
            assert run_blocking(store.state(KEY)) == before.state
            assert str(store.degraded).startswith("cold: StoreLost")
        with pytest.raises(StoreError):
            run_blocking(store.load(Key("unknown to redis")))
        postgres.start()
        done = _patiently(store, 20)
        assert [m.id for m in run_blocking(store.record(KEY))] == [f"m{n}" for n in range(1, 21)]
        assert done.state.head == Ranges.span(1, 20)
        assert [m.id for m in run_blocking(store.load(KEY)).messages] == [f"m{n}" for n in range(1, 21)]
        assert store.degraded is None
        run_blocking(store.close())


def _patiently(store: SessionStore, number: int) -> Any:
    for _ in range(50):
        try:
            return run_blocking(store.append(KEY, [message(number)]))
        except StoreError:
            time.sleep(0.1)
    raise AssertionError("PostgreSQL does not come back")


# Eight processes on one session


def _told(folder: Path) -> set[str]:
    return {name for path in folder.iterdir() for name in path.read_text().split("\n")[:-1]}


def _one_of_eight(hot: str, cold: str, folder: str, writer: int) -> None:
    """Append pairs; each view has all that any process was confirmed before it began."""
    store = HybridStore(open_cache(hot), open_store(cold))
    with (Path(folder) / f"writer {writer}").open("a") as confirmed:
        for first in range(writer * 1_000, writer * 1_000 + 30, 2):
            run_blocking(store.append(KEY, [message(first), message(first + 1)]))
            confirmed.write(f"m{first}\nm{first + 1}\n")
            confirmed.flush()
            before = _told(Path(folder))
            for _ in range(2):
                found = [m.id for m in run_blocking(store.load(KEY)).messages]
                assert before <= set(found)
                assert len(found) == len(set(found))
    assert store.drifts == 0
    assert store.degraded is None
    run_blocking(store.close())


def test_eight_processes_see_all_that_was_confirmed_and_lose_split_and_double_nothing(hot, cold, tmp_path):
    store = HybridStore(open_cache(hot), open_store(cold))
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_one_of_eight, args=(hot, cold, str(tmp_path), n)) for n in range(1, 9)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 8
    record = run_blocking(store.record(KEY))
    numbers = [int(m.id[1:]) for m in record]
    assert [m.seq for m in record] == list(range(1, 241))
    assert len(set(numbers)) == 240
    assert all(numbers[i] + 1 == numbers[i + 1] for i in range(0, 240, 2))
    assert run_blocking(store.load(KEY)) == run_blocking(store.cold.load(KEY))
    run_blocking(store.close())
