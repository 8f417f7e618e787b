"""Folding by workers: one process requests, another folds, and a lost worker or queue loses nothing."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from redis_server import RedisServer, redis_server

from session_core import Budget, Message, Policy, Role, Sessions
from session_core.cli import main
from session_core.errors import ConfigError, StoreBusy, StoreError
from session_core.events import FoldAsked, Folded, FoldFailed, WorkersLost
from session_core.otel import OpenTelemetry
from session_core.ports import SummaryRequest
from session_core.stores.redis.fold_queue import RedisFoldQueue
from session_core.stores.sqlite import SqliteStore
from session_core.testing import Heard
from session_core.turns import Key
from session_core.voices import run_blocking
from session_core.workers import Worker

TESTS = Path(__file__).parent
POLICY = Policy(Budget(2_000, reply_reserve_tokens=0))
SECRET = "xyzzyplugh"
TURNS = 14
"""As many as cross the threshold of `POLICY`."""


def turn(number: int) -> list[Message]:
    """A turn of about 100 tokens."""
    said = f"the {number}th of my wishes is {SECRET} " + "much the same " * 25
    return [Message(Role.USER, said), Message(Role.ASSISTANT, "noted")]


def fill(sessions: Sessions, name: str, turns: int = TURNS) -> None:
    for number in range(turns):
        sessions.session(name).append(turn(number))


def say(sessions: Sessions, name: str, voice: str, turns: int = TURNS) -> None:
    """As `fill`, in one voice."""
    if voice == "blocking":
        fill(sessions, name, turns)
        return

    async def said() -> None:
        for number in range(turns):
            await sessions.session(name).aappend(turn(number))

    asyncio.run(said())


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/chat.db"


@pytest.fixture
def sessions(url: str, plain_redis: RedisServer, redis_client: redis.Redis) -> Iterator[Sessions]:
    """Those of an application, whose events are in `heard`."""
    heard = Heard()
    with Sessions(url, fold_queue=plain_redis.url, policy=POLICY, observers=[heard]) as made:
        made.heard = heard  # type: ignore[attr-defined]
        yield made


def heard(sessions: Sessions, kind: type) -> list:
    return [event for event in sessions.heard if isinstance(event, kind)]  # type: ignore[attr-defined]


def attended(sessions: Sessions) -> None:
    """Let the queue have a worker, which takes nothing."""
    assert run_blocking(sessions.pipeline.queue.take("w", held_s=3600)) is None


@contextmanager
def working(sessions: Sessions, queue: str | None = None, **options: float) -> Iterator[Worker]:
    """A worker in a thread of this process."""
    worker = Worker(sessions, queue, **options)  # type: ignore[arg-type]
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        until(lambda: worker._renew_at_s)
        yield worker
    finally:
        worker.stop()
        thread.join(timeout=60)
        assert not thread.is_alive()


# One application and one worker.


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
    for part in "wu":
        for name, at_ms in redis_client.zrange(f"llms:folds:{{folds}}:{part}", 0, -1, withscores=True):
            redis_client.zadd(f"llms:folds:{{folds}}:{part}", {name: at_ms - 100_000})
    told = Heard()
    with Sessions(url, policy=POLICY, observers=[told]) as others, working(others, plain_redis.url):
        assert sessions.drain()
    (folded,) = [event for event in told if isinstance(event, Folded)]
    assert 100 < folded.lag_s < 160
    assert folded.lag_messages >= 2 * TURNS - 2


def test_nothing_that_was_said_is_in_the_queue(sessions: Sessions, redis_client: redis.Redis) -> None:
    attended(sessions)
    fill(sessions, "s")
    run_blocking(sessions.pipeline.queue.take("w", held_s=3600))
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
    assert run_blocking(queue.left())[1] == 1
    run_blocking(queue.close())
    assert not heard(sessions, WorkersLost)


def test_the_gauge_shows_the_length_of_the_shared_queue(sessions: Sessions) -> None:
    reader = InMemoryMetricReader()
    OpenTelemetry(MeterProvider([reader])).watch(sessions)
    attended(sessions)
    fill(sessions, "s")
    fill(sessions, "t")
    assert _metric(reader, "llm_sessions.fold.waiting") == 2


def _metric(reader: InMemoryMetricReader, name: str) -> float:
    data = reader.get_metrics_data()
    assert data is not None
    (metric,) = [one for one in data.resource_metrics[0].scope_metrics[0].metrics if one.name == name]
    return sum(point.value for point in metric.data.data_points)


# Without a worker, and without a queue.


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
    assert _metric(reader, "llm_sessions.fold.workers_lost") == 1


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """One that a test may stop."""
    with redis_server(appendonly="no") as running:
        yield running


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_queue_that_is_down_does_not_stop_appends(
    voice: str, url: str, own_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("session_core.shared_folding.RETRY_S", 0.0)
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
        assert run_blocking(sessions.pipeline.queue.take("w", held_s=3600)).key == Key("later")


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_queue_that_hangs_is_waited_for_once(
    voice: str, url: str, own_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("session_core.shared_folding.RETRY_S", 3600.0)
    asked: list[Key] = []
    ask = RedisFoldQueue.ask

    async def counted(queue: RedisFoldQueue, key: Key, *, urgent: bool) -> int | None:
        asked.append(key)
        return await ask(queue, key, urgent=urgent)

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
    monkeypatch.setattr("session_core.shared_folding.RETRY_S", 0.0)
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


def test_a_request_outlives_a_store_that_is_unavailable(
    sessions: Sessions, tmp_path: Path, plain_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("session_core.workers.RETRY_S", 0.01)
    attended(sessions)
    fill(sessions, "s")
    told = Heard()
    with (
        Sessions(Unavailable(tmp_path / "chat.db"), policy=POLICY, observers=[told]) as others,
        working(others, plain_redis.url, redeliver_s=0.2) as worker,
    ):
        assert sessions.drain()
        assert worker.taken == 2
    assert [type(event) for event in told] == [FoldFailed, Folded]
    run_blocking(others.store.close())


def test_a_worker_keeps_what_takes_long(
    sessions: Sessions, url: str, plain_redis: RedisServer, redis_client: redis.Redis
) -> None:
    class Slow:
        name = "slow"

        def summarize(self, request: SummaryRequest) -> str:
            assert may_end.wait(60)
            return ""

    may_end = threading.Event()
    attended(sessions)
    fill(sessions, "s")
    policy = replace(POLICY, summarizer=Slow())
    with Sessions(url, policy=policy) as others, working(others, plain_redis.url, redeliver_s=0.3) as worker:
        until(lambda: worker.taken)
        began = redis_client.zrange("llms:folds:{folds}:t", 0, -1, withscores=True)
        until(lambda: redis_client.zrange("llms:folds:{folds}:t", 0, -1, withscores=True)[0][1] > began[0][1] + 300)
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


# Worker processes.


COMMAND = "from session_core.cli import main; raise SystemExit(main())"
PROGRAM = (
    "from session_core.workers import run_worker; from worker_app import sessions; run_worker(sessions, concurrency=1)"
)


class Processes:
    """Worker processes of `worker_app`, which wait in each fold until they may go on."""

    def __init__(self, url: str, queue: str, folder: Path) -> None:
        self.folder = folder
        self._environment = os.environ | {
            "WORKER_APP_URL": url,
            "WORKER_APP_QUEUE": queue,
            "WORKER_APP_FOLDER": str(folder),
            "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path]),
        }

    @contextmanager
    def running(self, *options: str, program: str = COMMAND, of_app: bool = True) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-c", program, "worker"]
        command += ["--app", "worker_app:sessions", *options] if of_app else options
        process = subprocess.Popen(command, env=self._environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def begun(self) -> list[int]:
        """The processes of the folds that began, in no order."""
        return [int(path.name.split("-")[1]) for path in self.folder.glob("begun-*")]

    def go(self) -> None:
        (self.folder / "go").touch()

    def folded(self) -> list[dict[str, object]]:
        path = self.folder / "folded"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def processes(url: str, plain_redis: RedisServer, tmp_path: Path) -> Processes:
    folder = tmp_path / "told"
    folder.mkdir()
    return Processes(url, plain_redis.url, folder)


def test_a_worker_killed_in_the_middle_of_a_fold_is_replaced(sessions: Sessions, processes: Processes) -> None:
    attended(sessions)
    fill(sessions, "s")
    with processes.running("--redeliver", "1") as first, processes.running("--redeliver", "1") as second:
        assert "folding for sqlite://" in first.stdout.readline() + second.stdout.readline()  # type: ignore[union-attr]
        until(processes.begun)
        (killed,) = processes.begun()
        os.kill(killed, signal.SIGKILL)
        processes.go()
        assert sessions.drain()
        (told,) = processes.folded()
        (left,) = {first.pid, second.pid} - {killed}
        assert (told["session"], told["number"], told["pid"]) == ("s", 1, left)
        assert told["lag_s"] > 0.9  # type: ignore[operator]
    assert sessions.session("s").stats().digests == 1


def test_two_workers_share_the_sessions_and_each_is_folded_once(sessions: Sessions, processes: Processes) -> None:
    attended(sessions)
    names = [f"s{number}" for number in range(12)]
    for name in names:
        fill(sessions, name)
    with processes.running("--concurrency", "1") as first, processes.running("--concurrency", "1") as second:
        until(lambda: len(processes.begun()) == 2)
        assert {*processes.begun()} == {first.pid, second.pid}
        processes.go()
        assert sessions.drain()
        assert sorted(str(told["session"]) for told in processes.folded()) == sorted(names)
        assert {told["number"] for told in processes.folded()} == {1}
        assert {told["pid"] for told in processes.folded()} == {first.pid, second.pid}


def test_a_session_folded_elsewhere_meanwhile_is_folded_once(sessions: Sessions, processes: Processes) -> None:
    attended(sessions)
    fill(sessions, "s")
    with processes.running():
        until(processes.begun)
        made = sessions.session("s").fold()
        processes.go()
        assert sessions.drain()
        assert processes.folded() == []
    assert made is not None
    assert sessions.session("s").stats().digests == made.number == 1


def test_a_worker_that_is_told_to_end_finishes_its_fold(sessions: Sessions, processes: Processes) -> None:
    attended(sessions)
    fill(sessions, "s")
    with processes.running(program=PROGRAM) as process:
        until(processes.begun)
        process.terminate()
        fill(sessions, "late")
        processes.go()
        assert process.wait(timeout=60) == 0
    assert [told["session"] for told in processes.folded()] == ["s"]
    assert sessions.pipeline.waiting == 1


def test_a_worker_needs_no_application_for_folds_by_rules(
    sessions: Sessions, processes: Processes, url: str, plain_redis: RedisServer
) -> None:
    attended(sessions)
    fill(sessions, "s")
    with processes.running("--url", url, "--queue", plain_redis.url, "--window", "2285", of_app=False) as process:
        assert sessions.drain()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stdout is not None
        assert "ended; requests taken: 1" in process.stdout.read()
    assert sessions.session("s").stats().digests == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "--app module:name, or else --url, --queue and --window"),
        (["--window", "2000"], "--app module:name, or else --url, --queue and --window"),
        (["--app", "no_such_module:sessions"], "in a module that can be imported"),
        (["--app", "pathlib:Path"], "is a "),
    ],
)
def test_the_command_says_what_it_needs(
    options: Sequence[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert main(["worker", *options]) == 2
    assert told in capsys.readouterr().err
