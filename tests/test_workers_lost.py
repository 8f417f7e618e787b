"""A lost worker, queue or store loses no fold: others take it over, or the application folds by itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from redis_server import RedisServer, redis_server
from waiting import until
from worker_tools import POLICY, TURNS, application, attended, fill, heard, metric, say, store_in, taken, working

from session_core import Sessions
from session_core.errors import StoreBusy
from session_core.events import Folded, FoldFailed, WorkersLost
from session_core.fold_queue import MOST_ATTEMPTS
from session_core.otel import OpenTelemetry
from session_core.stores.redis.fold_queue import RedisFoldQueue
from session_core.stores.sqlite import SqliteStore
from session_core.testing import Heard
from session_core.turns import Key
from session_core.voices import run_blocking


@pytest.fixture
def sessions(tmp_path: Path, plain_redis: RedisServer, redis_client: redis.Redis) -> Iterator[Sessions]:
    with application(tmp_path, plain_redis.url) as made:
        yield made


@pytest.fixture
def url(tmp_path: Path) -> str:
    return store_in(tmp_path)


def test_without_a_worker_the_application_folds_by_itself(sessions: Sessions, caplog: pytest.LogCaptureFixture) -> None:
    reader = InMemoryMetricReader()
    sessions.observe(OpenTelemetry(MeterProvider([reader])))
    fill(sessions, "s")
    fill(sessions, "t")
    assert sessions.drain()
    assert {event.key.session_id for event in heard(sessions, Folded)} == {"s", "t"}
    (lost,) = heard(sessions, WorkersLost)
    assert "has had no worker" in lost.reason
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert metric(reader.get_metrics_data(), "llm_sessions.fold.workers_lost") == 1


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """One that a test may stop."""
    with redis_server(appendonly="no") as running:
        yield running


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_queue_that_is_down_does_not_stop_appends(
    voice: str, url: str, own_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("session_core.folds.shared_folding.RETRY_S", 0.0)
    told = Heard()
    with Sessions(url, fold_queue=own_server.url, policy=POLICY, observers=[told]) as sessions:
        attended(sessions)
        own_server.kill()
        say(sessions, "s", voice)
        assert sessions.pipeline.local.drain(60)
        assert not sessions.drain(0.1)
        (lost,) = [event for event in told if isinstance(event, WorkersLost)]
        assert "StoreLost" in lost.reason
        assert [event.number for event in told if isinstance(event, Folded)]
        # It comes back, empty, and then has a worker.
        own_server.start()
        attended(sessions)
        fill(sessions, "later")
        assert sessions.pipeline.waiting == 1
        assert taken(sessions).key == Key("later")


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_queue_that_hangs_is_waited_for_once(
    voice: str, url: str, own_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("session_core.folds.shared_folding.RETRY_S", 3600.0)
    asked: list[Key] = []
    ask = RedisFoldQueue.ask

    async def counted(queue: RedisFoldQueue, key: Key, **options: Any) -> int | None:
        asked.append(key)
        return await ask(queue, key, **options)

    monkeypatch.setattr(RedisFoldQueue, "ask", counted)
    with Sessions(url, fold_queue=own_server.url, policy=POLICY) as sessions, own_server.hanging():
        say(sessions, "s", voice, TURNS + 5)
        assert sessions.pipeline.local.drain(60)
        assert len(asked) == 1
        assert sessions.session("s").stats().digests >= 1


def test_a_worker_waits_for_a_queue_that_is_down(
    url: str, own_server: RedisServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("session_core.workers.RETRY_S", 0.01)
    monkeypatch.setattr("session_core.folds.shared_folding.RETRY_S", 0.0)
    with (
        Sessions(url, fold_queue=own_server.url, policy=POLICY) as sessions,
        Sessions(url, policy=POLICY) as others,
        working(others, own_server.url) as worker,
    ):
        own_server.kill()
        until(lambda: "this worker waits for it" in caplog.text)
        own_server.start()
        until(lambda: worker._said == "")
        fill(sessions, "s")
        assert sessions.drain()
        assert worker.taken == 1


class Unavailable(SqliteStore):
    """A store that a worker cannot read at first."""

    failures = 1

    async def load(self, key: Key, lineage: object = None) -> object:  # type: ignore[override]
        if self.failures:
            self.failures -= 1
            raise StoreBusy("busy")
        return await super().load(key, lineage)  # type: ignore[arg-type]


@pytest.mark.parametrize("failures", [1, MOST_ATTEMPTS + 1])
def test_a_request_outlives_a_store_that_is_unavailable(
    failures: int, sessions: Sessions, tmp_path: Path, plain_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("session_core.workers.RETRY_S", 0.01)
    monkeypatch.setattr(Unavailable, "failures", failures)
    attended(sessions)
    fill(sessions, "s")
    told = Heard()
    with (
        Sessions(Unavailable(tmp_path / "chat.db"), policy=POLICY, observers=[told]) as others,
        working(others, plain_redis.url, redeliver_s=0.2) as worker,
    ):
        assert sessions.drain()
        assert worker.taken == failures + 1
    assert [type(event) for event in told] == [FoldFailed] * failures + [Folded]
    run_blocking(others.store.close())
