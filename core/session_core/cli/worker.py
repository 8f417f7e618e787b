"""`llm-sessions worker`: folds what applications request over a shared queue."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from session_core.budget import Budget
from session_core.cli.command import QUEUE_VARIABLE
from session_core.cli.stores import opened_to_work
from session_core.errors import ConfigError, MissingExtra, named_type
from session_core.policy import Policy
from session_core.sessions import Sessions
from session_core.workers import Worker, run_until_told


def worker(asked: argparse.Namespace) -> int:
    """Fold until the process is told to end."""
    sessions = _of_app(asked.app) if asked.app else _of_url(asked)
    with sessions:
        running = Worker(sessions, _queue(asked), concurrency=asked.concurrency, redeliver_s=asked.redeliver)
        print(f"folding for {sessions.place}, requested over {running.queue.place}; Ctrl-C ends it", flush=True)
        run_until_told(running)
    print(f"ended; requests taken: {running.taken}")
    return 0


def _queue(asked: argparse.Namespace) -> str | None:
    """The queue to name to a worker: none if the application's own sessions have one."""
    return None if asked.app and not asked.queue else asked.queue or os.environ.get(QUEUE_VARIABLE)


def _of_url(asked: argparse.Namespace) -> Sessions:
    queue = _queue(asked)
    if asked.window is None or queue is None:
        raise ConfigError(
            "a worker needs the sessions of the application, --app module:name, or else --url, --queue and --window"
        )
    sessions = opened_to_work(asked, Policy(Budget(asked.window)))
    with suppress(MissingExtra):
        from session_core.otel import OpenTelemetry

        OpenTelemetry().watch(sessions)
    return sessions


def _of_app(named: str) -> Sessions:
    """The `Sessions` that `named` ("module:name") stands for: one, a saver or memory with one, or what returns one."""
    module, _, name = named.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = import_module(module)
        for part in (name or "sessions").split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as exc:
        raise ConfigError(
            f"--app {named}: {exc}; name it as module:sessions, in a module that can be imported"
        ) from exc
    if not isinstance(found, Sessions) and not hasattr(found, "sessions") and callable(found):
        found = found()
    sessions = getattr(found, "sessions", found)
    if not isinstance(sessions, Sessions):
        raise ConfigError(f"--app {named} is {named_type(sessions)}; name a Sessions, or a saver that has one")
    return sessions
