"""What the tests of workers share: an application that requests folds, and workers in threads or processes."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from opentelemetry.sdk.metrics.export import MetricsData
from waiting import until

from session_core import Budget, Message, Policy, Role, Sessions
from session_core.fold_queue import FoldTask
from session_core.testing import Heard
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


def parts(redis_client: redis.Redis, letters: str) -> list[bytes]:
    """The keys of a queue on Redis that these letters stand for."""
    return [name for letter in letters for name in redis_client.keys(f"llms:folds:{{folds}}:*:{letter}")]


def store_in(folder: Path) -> str:
    return f"sqlite:///{folder}/chat.db"


@contextmanager
def application(folder: Path, queue: str, policy: Policy = POLICY) -> Iterator[Sessions]:
    """The sessions of an application, whose events are in `heard`."""
    told = Heard()
    with Sessions(store_in(folder), fold_queue=queue, policy=policy, observers=[told]) as made:
        made.heard = told  # type: ignore[attr-defined]
        yield made


def heard(sessions: Sessions, kind: type) -> list:
    return [event for event in sessions.heard if isinstance(event, kind)]  # type: ignore[attr-defined]


def taken(sessions: Sessions) -> FoldTask | None:
    """What a worker of the same policy takes, and never gives back."""
    pipeline = sessions.pipeline
    return run_blocking(pipeline.queue.take("w", policy=pipeline.policy, held_s=3600))


def attended(sessions: Sessions) -> None:
    """Let the queue have a worker, which takes nothing."""
    assert taken(sessions) is None


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


def metric(data: MetricsData | None, name: str) -> float:
    assert data is not None
    (metric,) = [one for one in data.resource_metrics[0].scope_metrics[0].metrics if one.name == name]
    return sum(point.value for point in metric.data.data_points)


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
