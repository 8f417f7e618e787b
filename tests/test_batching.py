"""Calls of one event loop that come while others are under way go together, and each gets what is its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from redis_server import RedisServer, redis_server

from session_core.errors import StoreError, StoreLost
from session_core.runtime.batching import Batcher, BatchTimeout
from session_core.stores.redis.store import RedisStore
from session_core.testing import message
from session_core.turns import Key
from session_core.voices import run_blocking

CALLERS = 120
WAIT_S = 30.0


class Works:
    """Works that begin at once, and end or fail when they are told to."""

    def __init__(self) -> None:
        self.begun: list[list[int]] = []
        self._ends: list[asyncio.Future[None]] = []

    async def __call__(self, parts: Sequence[int]) -> list[int]:
        self.begun.append(list(parts))
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ends.append(end)
        await end
        return [-part for part in parts]

    async def end(self, number: int, failure: Exception | None = None) -> None:
        if failure is None:
            self._ends[number].set_result(None)
        else:
            self._ends[number].set_exception(failure)
        await settled()


async def settled() -> None:
    """Let everybody go on who can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def come(together: Batcher[int, int], *calls: list[int], wait_s: float = WAIT_S) -> list[asyncio.Task[list[int]]]:
    """Tasks that each make one of `calls`, in this order."""
    tasks = [asyncio.create_task(together.run(call, wait_s=wait_s)) for call in calls]
    await settled()
    return tasks


def test_those_who_come_at_once_or_while_all_lines_are_taken_go_together_by_the_order_of_coming() -> None:
    async def work() -> None:
        works = Works()
        together = Batcher(works, lines=2, most=3)
        tasks = await come(together, [1], [2], [3], [4, 5], [6], [7, 8, 9, 10], [11])
        assert works.begun == [[1], [2, 3]]
        await works.end(1)
        assert works.begun[2:] == [[4, 5, 6]]
        await works.end(0)
        assert works.begun[3:] == [[7, 8, 9, 10]], "what has more parts than go together goes alone"
        await works.end(2)
        await works.end(3)
        assert works.begun[4:] == [[11]]
        await works.end(4)
        assert [await task for task in tasks] == [[-1], [-2], [-3], [-4, -5], [-6], [-7, -8, -9, -10], [-11]]
        for number in (12, 13, 14):
            await come(together, [number])
        assert works.begun[5:] == [[12], [13]], "as many lines are free as before, and who comes alone goes at once"

    asyncio.run(work())


def test_cancelling_one_caller_does_not_affect_the_others() -> None:
    async def work() -> None:
        works = Works()
        together = Batcher(works, lines=1, most=9)
        alone, waits, first, second = await come(together, [1], [2], [3], [4])
        waits.cancel()
        alone.cancel()
        await settled()
        assert works.begun[1:] == [[3, 4]], "the line is free again, and who waited no more is left out"
        first.cancel()
        await works.end(1)
        assert await second == [-4]
        assert all(task.cancelled() for task in (alone, waits, first))

    asyncio.run(work())


def test_each_caller_of_a_work_that_fails_is_told_and_the_next_one_works() -> None:
    async def work() -> None:
        works, noted = Works(), []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: noted.append(context))
        together = Batcher(works, lines=1, most=9)
        _, first, second, gone = await come(together, [1], [2], [3], [4])
        await works.end(0)
        works._ends[1].set_exception(StoreError("it broke"))
        gone.cancel()
        await settled()
        for one in (first, second):
            with pytest.raises(StoreError, match="it broke"):
                await one
        (again,) = await come(together, [5])
        await works.end(2)
        assert await again == [-5]
        del first, second, gone
        assert noted == []

    asyncio.run(work())


def test_who_waits_for_too_long_gives_up_and_whose_work_began_does_not() -> None:
    async def work() -> None:
        works = Works()
        together = Batcher(works, lines=1, most=9)
        await come(together, [1])
        (begun,) = await come(together, [2], wait_s=0.02)
        await works.end(0)
        (late,) = await come(together, [3], wait_s=0.01)
        with pytest.raises(BatchTimeout):
            await late
        await works.end(1)
        assert await begun == [-2]
        assert works.begun == [[1], [2]]

    asyncio.run(work())


@pytest.mark.parametrize("begun", [True, False])
def test_a_work_that_is_cancelled_cancels_its_callers_and_leaves_the_line_free(begun: bool) -> None:
    async def work() -> None:
        works = Works()
        together = Batcher(works, lines=1, most=9)
        _, waits = await come(together, [1], [2])
        works._ends[0].set_result(None)
        await (settled() if begun else asyncio.sleep(0))
        (task,) = asyncio.all_tasks() - {asyncio.current_task(), waits}
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waits
        assert works.begun == ([[1], [2]] if begun else [[1]])
        await come(together, [3])
        assert works.begun[-1] == [3]

    asyncio.run(work())


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


def at_once(url: str, work: Any) -> list[Any]:
    """What `work(store, number)` gives or raises for `CALLERS` at once, over a store of their loop."""

    async def all_of_it() -> list[Any]:
        store = RedisStore(url).awaiting()
        try:
            works = [work(store, number) for number in range(CALLERS)]
            return await asyncio.gather(*works, return_exceptions=True)
        finally:
            await store.close()

    return asyncio.run(all_of_it())


async def _said(store: Any, number: int) -> tuple[int, ...]:
    """Two turns of one of ten sessions, and what is read of it at the end."""
    key, ids = Key(f"s{number % 10}"), (2 * number + 1, 2 * number + 2)
    for one in ids:
        done = await store.append(key, [message(one)])
        assert [found.id for found in await store.record(key) if found.seq == done.seqs[0]] == [f"m{one}"]
    return ids


def test_each_caller_gets_its_own_answer(server: RedisServer) -> None:
    with server.client() as client:
        before = client.info("clients")["connected_clients"]
        came = client.info("stats")["total_connections_received"]
        answers = at_once(server.url, _said)
        opened = client.info("stats")["total_connections_received"] - came
        assert client.info("clients")["connected_clients"] == before
    assert opened < 32, "most of what came at once went together"
    expected = [(2 * number + 1, 2 * number + 2) for number in range(CALLERS)]
    assert answers == expected
    _all_there(server.url, expected)


def test_an_error_of_the_server_is_that_of_its_call_alone(server: RedisServer) -> None:
    async def look(store: Any, number: int) -> Any:
        return await store.state(Key(f"s{number}"))

    with server.client() as client:
        run_blocking(RedisStore(server.url).append(Key("s7"), [message(1)]))
        (name,) = [name for name in client.keys("*s7*") if client.type(name) == b"hash"]
        client.delete(name)
        client.set(name, "no hash")
    answers = at_once(server.url, look)
    assert [number for number, answer in enumerate(answers) if answer is not None] == [7]
    assert isinstance(answers[7], StoreError)


def test_scripts_that_a_server_forgot_are_sent_again(server: RedisServer) -> None:
    async def say(store: Any, number: int) -> Any:
        if number % 20 == 0:
            with server.client() as client:
                client.script_flush()
        return await _said(store, number)

    answers = at_once(server.url, say)
    assert answers == [(2 * number + 1, 2 * number + 2) for number in range(CALLERS)]
    _all_there(server.url, answers)


def test_calls_whose_connection_breaks_are_made_again_and_nothing_is_stored_twice(server: RedisServer) -> None:
    async def say(store: Any, number: int) -> Any:
        if number % 5 == 0:
            with server.client() as client:
                client.client_kill_filter(_type="normal", skipme=True)
        return await _said(store, number)

    answers = at_once(f"{server.url}?retries=20", say)
    assert answers == [(2 * number + 1, 2 * number + 2) for number in range(CALLERS)]
    _all_there(server.url, answers)


def test_a_server_that_says_nothing_is_an_error_for_all(server: RedisServer) -> None:
    async def look(store: Any, number: int) -> Any:
        return await store.state(Key(f"s{number}"))

    with server.hanging():
        answers = at_once(f"{server.url}?retries=0&socket_timeout=0.2&wait_s=0.3", look)
    assert all(isinstance(answer, StoreError) for answer in answers)
    assert any(isinstance(answer, StoreLost) for answer in answers)
    assert at_once(server.url, look) == [None] * CALLERS


def _all_there(url: str, answers: list[Any]) -> None:
    store = RedisStore(url)
    for place in range(10):
        found = [one.id for one in run_blocking(store.record(Key(f"s{place}")))]
        expected = [f"m{one}" for number, ids in enumerate(answers) if number % 10 == place for one in ids]
        assert sorted(found) == sorted(expected)
    run_blocking(store.close())
