"""Folding by workers: one process requests, another folds."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from redis_server import RedisServer
from waiting import until
from worker_tools import (
    POLICY,
    SECRET,
    TESTS,
    TURNS,
    application,
    attended,
    fill,
    heard,
    metric,
    parts,
    say,
    store_in,
    taken,
    turn,
    working,
)

from session_core import Sessions
from session_core.errors import ConfigError, StoreError
from session_core.events import FoldAsked, Folded, FoldFailed, WorkersLost
from session_core.otel import OpenTelemetry
from session_core.ports import SummaryRequest
from session_core.stores.redis.fold_queue import RedisFoldQueue
from session_core.stores.sqlite import SqliteStore
from session_core.testing import Heard
from session_core.turns import Key
from session_core.voices import run_blocking
from session_core.workers import Worker


@pytest.fixture
def sessions(tmp_path: Path, plain_redis: RedisServer, redis_client: redis.Redis) -> Iterator[Sessions]:
    with application(tmp_path, plain_redis.url) as made:
        yield made


@pytest.fixture
def url(tmp_path: Path) -> str:
    return store_in(tmp_path)


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_an_append_requests_the_fold_that_a_worker_makes(
    voice: str, sessions: Sessions, url: str, plain_redis: RedisServer
) -> None:
    told = Heard()
    session = sessions.session("s")
    with Sessions(url, policy=POLICY, observers=[told]) as others, working(others, plain_redis.url):
        say(sessions, "s", voice)
        assert sessions.drain()
    assert [event.key for event in told if isinstance(event, Folded)] == [session.key]
    assert [event.waiting for event in heard(sessions, FoldAsked)][:1] == [1]
    assert not heard(sessions, Folded)
    assert session.stats().digests == 1
    assert session.stats().folded_messages == 0
    session.append(turn(TURNS))
    assert session.stats().folded_messages > 0


def test_requests_of_one_session_are_one_fold(sessions: Sessions, url: str, plain_redis: RedisServer) -> None:
    attended(sessions)
    fill(sessions, "s", TURNS + 5)
    assert len(heard(sessions, FoldAsked)) > 1
    assert sessions.pipeline.waiting == 1
    told = Heard()
    with Sessions(url, policy=POLICY, observers=[told]) as others, working(others, plain_redis.url) as worker:
        assert sessions.drain()
        assert worker.taken == 1
    assert len([event for event in told if isinstance(event, Folded)]) == 1


def test_the_lag_counts_from_the_request_in_the_other_process(
    sessions: Sessions, url: str, plain_redis: RedisServer, redis_client: redis.Redis
) -> None:
    attended(sessions)
    fill(sessions, "s")
    for part in parts(redis_client, "wu"):
        for name, at_ms in redis_client.zrange(part, 0, -1, withscores=True):
            redis_client.zadd(part, {name: at_ms - 100_000})
    told = Heard()
    with Sessions(url, policy=POLICY, observers=[told]) as others, working(others, plain_redis.url):
        assert sessions.drain()
    (folded,) = [event for event in told if isinstance(event, Folded)]
    assert 100 < folded.lag_s < 160
    assert folded.lag_messages >= 2 * TURNS - 2


def test_nothing_that_was_said_is_in_the_queue(sessions: Sessions, redis_client: redis.Redis) -> None:
    attended(sessions)
    fill(sessions, "s")
    taken(sessions)
    fill(sessions, "other")
    found = b""
    for name in redis_client.scan_iter():
        kind = redis_client.type(name)
        read = redis_client.hgetall(name) if kind == b"hash" else redis_client.zrange(name, 0, -1)
        found += name + repr(read).encode()
    assert b"default|s|" in found
    assert b"default|other|" in found
    assert SECRET.encode() not in found


def test_drain_tells_that_no_worker_was_fast_enough(sessions: Sessions) -> None:
    attended(sessions)
    fill(sessions, "s")
    assert not sessions.drain(0.01)


def test_closing_leaves_requests_to_the_workers(sessions: Sessions, plain_redis: RedisServer) -> None:
    attended(sessions)
    fill(sessions, "s")
    sessions.close()
    sessions.ask_fold(Key("late"))
    queue = RedisFoldQueue(plain_redis.url)
    assert run_blocking(queue.left(policy=sessions.pipeline.policy))[1] == 1
    run_blocking(queue.close())
    assert not heard(sessions, WorkersLost)


def test_the_gauges_show_the_length_and_the_age_of_the_shared_queue(
    sessions: Sessions, redis_client: redis.Redis
) -> None:
    reader = InMemoryMetricReader()
    OpenTelemetry(MeterProvider([reader])).watch(sessions)
    attended(sessions)
    fill(sessions, "s")
    fill(sessions, "t")
    for part in parts(redis_client, "wu"):
        for name, at_ms in redis_client.zrange(part, 0, -1, withscores=True):
            redis_client.zadd(part, {name: at_ms - 100_000})
    data = reader.get_metrics_data()
    assert metric(data, "llm_sessions.fold.waiting") == 2
    assert 100 <= metric(data, "llm_sessions.fold.longest_wait") < 160


def test_a_worker_keeps_what_takes_long(tmp_path: Path, plain_redis: RedisServer, redis_client: redis.Redis) -> None:
    class Slow:
        name = "slow"

        def summarize(self, request: SummaryRequest) -> str:
            assert may_end.wait(60)
            return ""

    may_end = threading.Event()
    policy = replace(POLICY, summarizer=Slow())
    with application(tmp_path, plain_redis.url, policy) as sessions, working(sessions, redeliver_s=0.3) as worker:
        fill(sessions, "s")
        until(lambda: worker.taken)
        (held,) = parts(redis_client, "t")
        began = redis_client.zrange(held, 0, -1, withscores=True)
        until(lambda: redis_client.zrange(held, 0, -1, withscores=True)[0][1] > began[0][1] + 300)
        may_end.set()
        assert sessions.drain()
        assert worker.taken == 1


class Failing(SqliteStore):
    """A store that fails in a way that a retry does not mend."""

    async def load(self, key: Key, lineage: object = None) -> object:  # type: ignore[override]
        raise ValueError(SECRET)


def test_a_fold_that_fails_is_told_and_not_repeated(
    sessions: Sessions, tmp_path: Path, plain_redis: RedisServer
) -> None:
    attended(sessions)
    fill(sessions, "s")
    told = Heard()
    with (
        Sessions(Failing(tmp_path / "chat.db"), policy=POLICY, observers=[told]) as others,
        working(others, plain_redis.url) as worker,
    ):
        assert sessions.drain()
        assert worker.taken == 1
    assert [event.reason for event in told if isinstance(event, FoldFailed)] == ["ValueError"]
    run_blocking(others.store.close())


def test_a_worker_ends_when_its_sessions_are_closed(sessions: Sessions, url: str, plain_redis: RedisServer) -> None:
    attended(sessions)
    fill(sessions, "s")
    others = Sessions(url, policy=POLICY)
    others.close()
    worker = Worker(others, plain_redis.url)
    worker.run()
    assert worker.taken == 1
    assert sessions.pipeline.waiting == 1


def test_the_example_of_the_runbook_runs(url: str, plain_redis: RedisServer, redis_client: redis.Redis) -> None:
    runbook = (TESTS.parent / "docs" / "runbook.md").read_text(encoding="utf-8")
    (example,) = [code for code in re.findall(r"```python\n(.*?)```", runbook, flags=re.DOTALL) if "fold_queue" in code]
    for theirs, ours in (
        ("postgresql://app@db/chat", url),
        ("redis://queue:6379/0", plain_redis.url),
        ("32_000", "2_285"),
    ):
        assert theirs in example
        example = example.replace(theirs, ours)
    names: dict[str, Any] = {}
    exec(compile(example, "runbook", "exec", dont_inherit=True), names)
    with names["sessions"] as sessions, working(sessions):
        fill(sessions, "s")
        assert sessions.drain()
        assert sessions.session("s").stats().digests == 1


@pytest.mark.parametrize("folding", ["inline", "off"])
def test_a_queue_needs_background_folding(folding: str, url: str) -> None:
    with pytest.raises(ConfigError, match="workers fold in the background"):
        Sessions(url, fold_queue="redis://localhost", policy=replace(POLICY, folding=folding))  # type: ignore[arg-type]


def test_a_queue_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="is given as a fold_queue"):
        Sessions(url, fold_queue=7)  # type: ignore[arg-type]


def test_async_sessions_close_their_queue(url: str, plain_redis: RedisServer, redis_client: redis.Redis) -> None:
    async def held() -> int:
        async with Sessions(url, fold_queue=plain_redis.url, policy=POLICY) as sessions:
            attended(sessions)
            for number in range(TURNS):
                await sessions.session("s").aappend(turn(number))
            return sessions.pipeline.waiting

    before = redis_client.info("clients")["connected_clients"]
    assert asyncio.run(held()) == 1
    until(lambda: redis_client.info("clients")["connected_clients"] == before)


def test_sessions_in_memory_have_no_queue() -> None:
    with pytest.raises(ConfigError, match="of this process"):
        Sessions(fold_queue="redis://localhost")


def test_a_worker_needs_a_queue(url: str) -> None:
    with Sessions(url) as sessions, pytest.raises(ConfigError, match="has no queue of folds"):
        Worker(sessions)


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"redeliver_s": 0}])
def test_a_worker_refuses_options_without_sense(options: dict[str, float], sessions: Sessions) -> None:
    with pytest.raises(ConfigError, match="use at least 1, and seconds over 0"):
        Worker(sessions, **options)  # type: ignore[arg-type]


def test_a_worker_with_a_wrong_password_says_so_at_once(sessions: Sessions, redis_client: redis.Redis) -> None:
    queue = f"redis://:wrong@127.0.0.1:{redis_client.connection_pool.connection_kwargs['port']}"
    with pytest.raises(StoreError, match="password"):
        Worker(sessions, queue).run()
