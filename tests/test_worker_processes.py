"""Workers as processes: the command, signals, and processes that are killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import redis
from redis_server import RedisServer
from waiting import until
from worker_policy import Nothing, policy_with
from worker_tools import PROGRAM, Processes, application, attended, fill, store_in

from session_core import Sessions
from session_core.cli import main


@pytest.fixture
def sessions(tmp_path: Path, plain_redis: RedisServer, redis_client: redis.Redis) -> Iterator[Sessions]:
    with application(tmp_path, plain_redis.url, policy_with(Nothing())) as made:
        yield made


@pytest.fixture
def url(tmp_path: Path) -> str:
    return store_in(tmp_path)


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
    processes: Processes, url: str, tmp_path: Path, plain_redis: RedisServer, redis_client: redis.Redis
) -> None:
    options = ("--url", url, "--queue", plain_redis.url, "--window", "2285")
    with (
        application(tmp_path, plain_redis.url) as sessions,
        processes.running(*options, of_app=False) as process,
    ):
        attended(sessions)
        fill(sessions, "s")
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
