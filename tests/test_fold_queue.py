"""The queue over which processes request folds from workers: each session once, in order, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import pytest
import redis
from redis_server import RedisServer
from worker_tools import parts

from session_core.errors import ConfigError, StoreUnreadable, UnknownScheme
from session_core.fold_queue import KEPT_S, MOST_ATTEMPTS, FoldTask, PolicyQueue
from session_core.stores.open import open_queue
from session_core.stores.redis.fold_queue import RedisFoldQueue
from session_core.turns import Key
from session_core.voices import run_blocking

A, B, C = Key("a"), Key("b", "acme"), Key("c", "acme", "sub")
ODD = Key("100 1 2|{x}%7C\ud800", "ten|ant", "{n}")
HOUR_S = 3_600.0
OURS, THEIRS = "a policy", "another policy"


class Queue:
    """The queue on a server, called in one voice."""

    def __init__(self, url: str, run: Callable[[Coroutine[Any, Any, Any]], Any], *, awaiting: bool) -> None:
        self.opened = RedisFoldQueue(url)
        self._queue, self._run = self.opened.awaiting() if awaiting else self.opened, run

    def ask(self, key: Key, *, policy: str = OURS, urgent: bool = False) -> int | None:
        return self._run(self._queue.ask(key, policy=policy, urgent=urgent))

    def take(self, worker: str = "w1", *, policy: str = OURS, held_s: float = HOUR_S) -> FoldTask | None:
        return self._run(self._queue.take(worker, policy=policy, held_s=held_s))

    def keys(self, *workers: str) -> list[Key]:
        """What the next takes give, in their order."""
        return [task.key for worker in workers if (task := self.take(worker)) is not None]

    def hold(self, *tasks: FoldTask) -> list[bool]:
        return self._run(self._queue.hold("w1", tasks, policy=OURS, held_s=HOUR_S))

    def done(self, task: FoldTask) -> bool:
        return self._run(self._queue.done(task))

    def uncount(self, task: FoldTask) -> None:
        self._run(self._queue.uncount(task))

    def left(self, moment: str = "") -> tuple[str, int]:
        return self._run(self._queue.left(moment, policy=OURS))

    def policies(self) -> Sequence[PolicyQueue]:
        return self._run(self._queue.policies())

    def leave(self, worker: str = "w1") -> None:
        self._run(self._queue.leave(worker, policy=OURS))


@pytest.fixture(params=["blocking", "awaiting"])
def queue(plain_redis: RedisServer, redis_client: redis.Redis, request: pytest.FixtureRequest) -> Iterator[Queue]:
    """An empty queue that has a worker."""
    awaiting = request.param == "awaiting"
    made = Queue(plain_redis.url, asyncio.run if awaiting else run_blocking, awaiting=awaiting)
    assert made.take() is None
    yield made
    run_blocking(made.opened.close())


def _taken(task: FoldTask | None) -> FoldTask:
    assert task is not None
    return task


def _expire_all(redis_client: redis.Redis) -> None:
    """As if all workers had been silent for too long."""
    for held in parts(redis_client, "t"):
        for name in redis_client.zrange(held, 0, -1):
            redis_client.zadd(held, {name: 1})


def _age(redis_client: redis.Redis, part: str, seconds: float) -> None:
    """As if what waits had been requested that much earlier."""
    for waiting in parts(redis_client, part):
        for name, at_ms in redis_client.zrange(waiting, 0, -1, withscores=True):
            redis_client.zadd(waiting, {name: at_ms - seconds * 1000})


def test_a_session_that_is_requested_again_and_again_is_queued_once(queue: Queue) -> None:
    assert [queue.ask(A) for _ in range(50)] == [1] * 50
    assert queue.ask(B) == 2
    assert queue.keys("w1", "w2", "w1") == [A, B]


def test_the_oldest_urgent_request_comes_first_and_keeps_its_time(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A)
    queue.ask(B)
    queue.ask(C, urgent=True)
    _age(redis_client, "w", 10)
    queue.ask(B, urgent=True)
    tasks = [_taken(queue.take()) for _ in range(3)]
    assert [task.key for task in tasks] == [B, C, A]
    assert tasks[0].waited_s >= 10 > tasks[1].waited_s
    assert tasks[2].waited_s >= 10


def test_a_request_stays_urgent(queue: Queue) -> None:
    queue.ask(A)
    queue.ask(B, urgent=True)
    queue.ask(B)
    assert queue.keys("w1", "w1", "w1") == [B, A]


def test_without_a_worker_nothing_is_queued(queue: Queue, redis_client: redis.Redis) -> None:
    queue.leave()
    assert queue.ask(A) is None
    assert queue.left()[1] == 0
    queue.take("w2")
    assert queue.ask(A) == 1


def test_a_worker_that_is_silent_for_long_does_not_count(queue: Queue, redis_client: redis.Redis) -> None:
    redis_client.zadd(parts(redis_client, "p")[0], {"w1": 1})
    assert queue.ask(A, urgent=True) is None


def test_a_session_at_work_is_given_to_nobody_else_and_waits_again_if_requested(queue: Queue) -> None:
    queue.ask(A)
    first = _taken(queue.take("w1"))
    assert queue.ask(A, urgent=True) == 2
    assert queue.take("w2") is None
    queue.ask(B)
    assert queue.keys("w2") == [B]
    assert queue.done(first)
    assert queue.keys("w2") == [A]


def test_what_a_silent_worker_held_is_given_to_another_with_its_time(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A, urgent=True)
    _age(redis_client, "u", 10)
    lost = _taken(queue.take("w1"))
    _expire_all(redis_client)
    again = _taken(queue.take("w2"))
    assert (again.key, again.attempt, lost.attempt) == (A, 2, 1)
    assert again.waited_s >= 10
    assert queue.hold(lost, again) == [False, True]
    assert not queue.done(lost)
    assert queue.left()[1] == 1
    assert queue.done(again)
    assert queue.left()[1] == 0


def test_a_queue_that_lost_its_data_gives_new_tokens(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A)
    lost = _taken(queue.take("w1"))
    redis_client.flushall()
    queue.take("w2")
    queue.ask(A)
    again = _taken(queue.take("w2"))
    assert not queue.done(lost)
    assert queue.done(again)


def test_what_is_held_longer_stays(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A)
    task = _taken(queue.take("w1"))
    _expire_all(redis_client)
    assert queue.hold(task) == [True]
    assert queue.take("w2") is None
    assert queue.done(task)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("again", [False, True])
def test_a_request_repeated_meanwhile_joins_the_one_that_was_lost(
    first: bool, again: bool, queue: Queue, redis_client: redis.Redis
) -> None:
    queue.ask(A, urgent=first)
    _age(redis_client, "u" if first else "w", 10)
    queue.take("w1")
    queue.ask(A, urgent=again)
    _expire_all(redis_client)
    assert _taken(queue.take("w2")).waited_s >= 10
    assert queue.take("w2") is None


def test_a_silent_worker_that_wakes_does_not_hold_what_another_one_has(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A)
    lost = _taken(queue.take("w1"))
    _expire_all(redis_client)
    queue.take("w2")
    _expire_all(redis_client)
    assert queue.hold(lost) == [False]
    assert _taken(queue.take("w3")).attempt == 3


def test_sessions_at_work_that_wait_again_stand_in_nobodys_way(queue: Queue, redis_client: redis.Redis) -> None:
    for key in (A, B):
        queue.ask(key, urgent=True)
        queue.take()
        queue.ask(key, urgent=True)
    _age(redis_client, "u", 10)
    queue.ask(C, urgent=True)
    assert _taken(queue.take()).key == C


def test_each_attempt_is_counted_until_one_is_done(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A)
    for attempt in range(1, MOST_ATTEMPTS + 2):
        assert _taken(task := queue.take()).attempt == attempt
        _expire_all(redis_client)
    task = _taken(queue.take())
    assert queue.done(task)
    assert queue.left()[1] == 0
    queue.ask(A)
    assert _taken(queue.take()).attempt == 1


def test_an_attempt_that_was_not_to_be_counted_is_not(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A)
    first = _taken(queue.take())
    queue.uncount(first)
    _expire_all(redis_client)
    second = _taken(queue.take())
    queue.uncount(first)
    _expire_all(redis_client)
    assert (second.attempt, _taken(queue.take()).attempt) == (1, 2)


def test_a_done_request_starts_over(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A)
    queue.take()
    _expire_all(redis_client)
    queue.done(_taken(queue.take()))
    queue.ask(A)
    assert _taken(queue.take()).attempt == 1


def test_a_worker_takes_only_what_was_requested_by_its_policy(queue: Queue) -> None:
    assert queue.ask(A, policy=THEIRS) is None
    assert queue.take("w2", policy=THEIRS) is None
    assert queue.ask(A, policy=THEIRS) == 1
    assert queue.ask(B) == 1
    assert queue.keys("w1", "w1") == [B]
    assert _taken(queue.take("w2", policy=THEIRS)).key == A


def test_what_was_requested_lately_is_told_by_policy(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A)
    queue.ask(B, urgent=True)
    _age(redis_client, "w", 20)
    queue.take()
    queue.ask(C, policy=THEIRS)
    found = {one.policy: one for one in queue.policies()}
    ours, theirs = found[OURS], found[THEIRS]
    assert (ours.workers, ours.waiting, ours.at_work) == (1, 1, 1)
    assert 20 <= ours.oldest_s < 80
    assert (theirs.workers, theirs.waiting, theirs.at_work, theirs.oldest_s) == (0, 0, 0, 0)
    assert theirs.asked_s is not None
    assert theirs.asked_s < 60


def test_a_policy_that_nobody_asked_for_says_so(queue: Queue) -> None:
    assert [(one.workers, one.asked_s) for one in queue.policies()] == [(1, None)]


def test_requests_by_a_policy_that_nobody_has_any_more_expire(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A)
    task = _taken(queue.take())
    queue.ask(A)
    queue.hold(task)
    left_ms = [redis_client.pttl(name) for name in redis_client.keys("llms:folds:*")]
    assert len(left_ms) == 7
    assert all(0 < left <= KEPT_S * 1000 for left in left_ms)


def test_what_a_worker_took_before_it_died_expires(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A)
    _taken(queue.take())
    left_ms = [redis_client.pttl(name) for name in redis_client.keys("llms:folds:*")]
    assert len(left_ms) == 6
    assert all(0 < left <= KEPT_S * 1000 for left in left_ms)


def test_left_counts_the_requests_up_to_a_moment(queue: Queue, redis_client: redis.Redis) -> None:
    queue.ask(A)
    queue.ask(B, urgent=True)
    queue.take()
    moment, left = queue.left()
    assert left == 2
    queue.ask(C, urgent=True)
    _age(redis_client, "u", -10)
    assert queue.left(moment) == (moment, 2)
    assert queue.left(str(int(moment) + 20_000))[1] == 3


def test_names_come_back_as_they_were(queue: Queue) -> None:
    for key in (ODD, C):
        queue.ask(key)
    assert {*queue.keys("w1", "w1")} == {ODD, C}


def test_prefixes_separate_queues(plain_redis: RedisServer, queue: Queue) -> None:
    other = RedisFoldQueue(f"{plain_redis.url}?prefix=other")
    queue.ask(A)
    assert run_blocking(other.take("w", policy=OURS, held_s=HOUR_S)) is None
    run_blocking(other.close())


def test_what_somebody_else_put_there_is_refused(
    plain_redis: RedisServer, queue: Queue, redis_client: redis.Redis
) -> None:
    queue.ask(A)
    redis_client.zadd(parts(redis_client, "w")[0], {"not a session": 1})
    with pytest.raises(StoreUnreadable, match="set another prefix"):
        queue.take()


def test_a_queue_works_in_a_cluster(cluster: str) -> None:
    made = open_queue(cluster)
    assert run_blocking(made.take("w", policy=OURS, held_s=HOUR_S)) is None
    assert asyncio.run(made.awaiting().ask(A, policy=OURS, urgent=True)) == 1
    task = run_blocking(made.take("w", policy=OURS, held_s=HOUR_S))
    assert task is not None
    assert (run_blocking(made.hold("w", [task], policy=OURS, held_s=1)), run_blocking(made.done(task))) == (
        [True],
        True,
    )
    assert run_blocking(made.left(policy=OURS))[1] == 0
    run_blocking(made.leave("w", policy=OURS))
    assert [(one.policy, one.workers) for one in run_blocking(made.policies())] == [(OURS, 0)]
    run_blocking(made.close())


def test_only_redis_can_be_a_queue() -> None:
    with pytest.raises(UnknownScheme, match="cannot be a queue of folds; use redis://"):
        open_queue("postgresql://localhost/db")
    with pytest.raises(ConfigError):
        open_queue("")
