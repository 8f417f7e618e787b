"""Workers fold only as the application would: requests by another policy are left alone, and said to be."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from redis_server import RedisServer
from waiting import until
from worker_tools import POLICY, TURNS, application, attended, fill, heard, parts, store_in, taken, turn, working

from session_core import Budget, Sessions
from session_core.cli import main
from session_core.events import FoldAsked, Folded, FoldFailed, WorkersLost
from session_core.fold_queue import MOST_ATTEMPTS, PRESENT_S, PolicyQueue
from session_core.folds.fold_policy import differences, fold_policy
from session_core.ports import SummaryRequest
from session_core.stores.redis.fold_queue import RedisFoldQueue
from session_core.testing import Heard
from session_core.turns import Key
from session_core.voices import run_blocking

LARGER = replace(POLICY, budget=Budget(3_000, reply_reserve_tokens=0))


class Writer:
    def __init__(self, name: str) -> None:
        self.name = name

    def summarize(self, request: SummaryRequest) -> str:
        return ""


@pytest.fixture
def sessions(tmp_path: Path, plain_redis: RedisServer, redis_client: redis.Redis) -> Iterator[Sessions]:
    with application(tmp_path, plain_redis.url) as made:
        yield made


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_a_worker_with_another_policy_leaves_requests_alone_and_both_sides_say_so(
    sessions: Sessions, tmp_path: Path, plain_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        Sessions(store_in(tmp_path), policy=LARGER) as others,
        working(others, plain_redis.url, redeliver_s=0.03) as worker,
    ):
        fill(sessions, "s")
        fill(sessions, "t")
        assert sessions.drain()
        until(lambda: len(warnings_of(caplog)) == 2)
        assert worker.taken == 0
    assert {event.key.session_id for event in heard(sessions, Folded)} == {"s", "t"}
    (lost,) = heard(sessions, WorkersLost)
    assert "(limit_tokens=3,000; here: limit_tokens=2,000)" in lost.reason
    assert "llm-sessions worker --app" in lost.reason
    (told,) = [text for text in warnings_of(caplog) if "an application requests folds" in text]
    assert "(limit_tokens=2,000; this worker: limit_tokens=3,000)" in told
    assert "llm-sessions worker --app" in told


def test_during_a_deployment_each_policy_has_its_own_workers(
    sessions: Sessions, tmp_path: Path, plain_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    told = Heard()
    with (
        application(tmp_path, plain_redis.url, LARGER) as new,
        Sessions(store_in(tmp_path), policy=POLICY, observers=[told]) as others,
        working(others, plain_redis.url, redeliver_s=0.03),
    ):
        fill(sessions, "old")
        fill(new, "new", 25)
        assert sessions.drain()
        assert new.drain()
        assert {event.key.session_id for event in heard(new, Folded)} == {"new"}
        assert heard(new, WorkersLost)
        with working(new):
            fill(new, "newer", 25)
            assert new.drain()
    assert {event.key.session_id for event in told if isinstance(event, Folded)} == {"old"}
    assert not heard(sessions, WorkersLost)
    assert {event.key.session_id for event in heard(new, FoldAsked)} == {"new", "newer"}


def test_workers_of_several_other_policies_are_said_once(
    sessions: Sessions, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("session_core.folds.shared_folding.RETRY_S", 0.0)
    queue, counter = sessions.pipeline.queue, sessions.services.counter.name
    others = [fold_policy(replace(POLICY, keep_turns=most), counter) for most in (4, 5)]
    for number in range(TURNS + 6):
        # The one that took last changes with each request.
        run_blocking(queue.take("w", policy=others[number % 2], held_s=3_600))
        sessions.session("s").append(turn(number))
    assert sessions.drain()
    (lost,) = heard(sessions, WorkersLost)
    assert "(keep_turns=4; here: keep_turns=3)" in lost.reason
    assert len(warnings_of(caplog)) == 1


def test_requests_without_workers_look_for_the_reason_once_in_a_while(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("session_core.folds.shared_folding.RETRY_S", 3_600.0)
    asked: list[str] = []
    ask, policies = RedisFoldQueue.ask, RedisFoldQueue.policies

    async def counted_ask(queue: RedisFoldQueue, key: Key, **options: Any) -> int | None:
        asked.append("ask")
        return await ask(queue, key, **options)

    async def counted_policies(queue: RedisFoldQueue) -> list[PolicyQueue]:
        asked.append("policies")
        return await policies(queue)

    monkeypatch.setattr(RedisFoldQueue, "ask", counted_ask)
    monkeypatch.setattr(RedisFoldQueue, "policies", counted_policies)
    for name in "st":
        fill(sessions, name)
    assert asked.count("ask") >= 2
    assert asked.count("policies") == 1


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"budget": Budget(2_000, reply_reserve_tokens=0, summarize_at=0.5)}, ("summarize_at=0.6", "summarize_at=0.5")),
        ({"keep_turns": 4}, ("keep_turns=3", "keep_turns=4")),
        ({"digest_tokens": 1_000}, ("digest_tokens=300", "digest_tokens=1,000")),
        ({"model": "claude-sonnet-4-5"}, ("counter=o200k_base", "counter=o200k_base x 1.3")),
        ({"summarizer": Writer("mine")}, ("summarizer=none", "summarizer=mine")),
        ({"overhead_tokens": 100}, ("limit_tokens=2,000", "limit_tokens=1,900")),
    ],
)
def test_policies_that_fold_differently_are_told_apart(changed: dict[str, object], shown: tuple[str, str]) -> None:
    other = replace(POLICY, **changed)  # type: ignore[arg-type]
    assert differences(*(fold_policy(one, one.counting().name) for one in (POLICY, other))) == shown


@pytest.mark.parametrize(
    "changed", [{"tool_output_tokens": 900}, {"recall_tokens": 0}, {"embedder": None}, {"helper_wait_s": 1.0}]
)
def test_what_only_concerns_appends_and_views_may_differ(changed: dict[str, object]) -> None:
    other = replace(POLICY, **changed)  # type: ignore[arg-type]
    assert fold_policy(other, other.counting().name) == fold_policy(POLICY, POLICY.counting().name)


def test_helpers_with_one_name_are_one_policy() -> None:
    first, second = (replace(POLICY, summarizer=Writer("mine")) for _ in range(2))
    assert fold_policy(first, "a") == fold_policy(second, "a")


def test_a_request_whose_workers_all_died_is_told_as_a_failure(sessions: Sessions, redis_client: redis.Redis) -> None:
    attended(sessions)
    fill(sessions, "s")
    for _ in range(MOST_ATTEMPTS):
        task = taken(sessions)
        assert task is not None
        (held,) = parts(redis_client, "t")
        redis_client.zadd(held, dict.fromkeys(redis_client.zrange(held, 0, -1), 1))
    with working(sessions):
        assert sessions.drain()
    (failed,) = heard(sessions, FoldFailed)
    assert failed.reason.startswith("GivenUp: 5 workers ended")
    assert sessions.session("s").stats().digests == 0


def test_a_worker_whose_threads_are_all_busy_is_present_however_long_it_holds(sessions: Sessions) -> None:
    with working(sessions, redeliver_s=3_600.0) as worker:
        assert worker._renew_at_s - time.monotonic() < PRESENT_S / 2


def doctor(tmp_path: Path, queue: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["doctor", "--url", store_in(tmp_path), "--window", "2000", "--queue", queue])
    return code, capsys.readouterr().out


def test_the_doctor_shows_who_folds_and_what_waits(
    sessions: Sessions, tmp_path: Path, plain_redis: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions.session("small").append({"role": "user", "content": "hello"})
    code, said = doctor(tmp_path, plain_redis.url, capsys)
    assert (code, "has had no request and no worker lately" in said) == (0, True)
    attended(sessions)
    run_blocking(sessions.pipeline.queue.ask(sessions.session("a").key, policy=sessions.pipeline.policy, urgent=False))
    code, said = doctor(tmp_path, plain_redis.url, capsys)
    assert code == 0
    assert "has 1 worker, 1 session waiting and 0 at work, the oldest for 0 s; the last request 0 s ago." in said
    assert "policy: limit_tokens=2,000, summarize_at=0.6" in said


def test_the_doctor_says_that_a_policy_has_no_worker(
    sessions: Sessions, tmp_path: Path, plain_redis: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(sessions, "s")
    assert sessions.drain()
    code, said = doctor(tmp_path, plain_redis.url, capsys)
    assert code == 1
    assert "PROBLEM  applications request folds, and there is no worker." in said
    with Sessions(store_in(tmp_path), policy=LARGER) as others, working(others, plain_redis.url):
        code, said = doctor(tmp_path, plain_redis.url, capsys)
    assert code == 1
    assert "by a policy that no worker has (limit_tokens=2,000; workers have limit_tokens=3,000)" in said
    assert "fix    Start workers with the application's Sessions" in said


def test_the_doctor_examines_the_store_also_while_the_queue_is_down(
    sessions: Sessions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions.session("small").append({"role": "user", "content": "hello"})
    code = main(["doctor", "--url", store_in(tmp_path), "--queue", "redis://127.0.0.1:1"])
    told = capsys.readouterr()
    assert code == 2
    assert "1 session" in told.out
    assert "redis://127.0.0.1:1 cannot be reached" in told.err


def test_the_doctor_says_that_requests_wait_for_long(
    sessions: Sessions,
    tmp_path: Path,
    plain_redis: RedisServer,
    redis_client: redis.Redis,
    capsys: pytest.CaptureFixture[str],
) -> None:
    attended(sessions)
    fill(sessions, "s")
    for part in parts(redis_client, "wu"):
        for name, at_ms in redis_client.zrange(part, 0, -1, withscores=True):
            redis_client.zadd(part, {name: at_ms - 200_000})
    code, said = doctor(tmp_path, plain_redis.url, capsys)
    assert code == 1
    assert "PROBLEM  a session has waited 200 s for its fold." in said


def test_what_an_earlier_policy_left_is_no_problem(
    sessions: Sessions,
    tmp_path: Path,
    plain_redis: RedisServer,
    redis_client: redis.Redis,
    capsys: pytest.CaptureFixture[str],
) -> None:
    attended(sessions)
    fill(sessions, "s")
    run_blocking(sessions.pipeline.queue.leave("w", policy=sessions.pipeline.policy))
    (asked,) = redis_client.keys("llms:folds:{folds}:r")
    redis_client.zadd(
        asked, {name: at_ms - 3_600_000 for name, at_ms in redis_client.zrange(asked, 0, -1, withscores=True)}
    )
    sessions.session("s").fold()
    code, said = doctor(tmp_path, plain_redis.url, capsys)
    assert code == 0
    assert "0 workers, 1 session waiting" in said
    assert "requested again at their next turn" in said
