"""The Redis store under many callers at once: threads, tasks, processes and event loops."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
import time

from pair_writers import check_processes, whole_pairs
from redis_sessions import ids_of

from session_core.ports import SessionStore
from session_core.stores.fair_semaphore import FairSemaphore
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking


def test_eight_threads_on_one_session_lose_split_and_double_nothing(redis_store):
    def write(writer: int) -> None:
        for first in range(writer * 10_000, writer * 10_000 + 80, 2):
            run_blocking(redis_store.append(KEY, [message(first), message(first + 1)]))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert whole_pairs(run_blocking(redis_store.record(KEY))) == 320


def test_processes_on_one_session_lose_split_and_double_nothing(redis_url):
    check_processes(redis_url)


def _forked(store: SessionStore, answers) -> None:
    run_blocking(store.append(KEY, [message(2)]))
    answers.put(asyncio.run(ids_of(store.awaiting(), KEY)))


def test_a_store_goes_on_working_in_a_forked_process_and_beside_it(redis_store):
    run_blocking(redis_store.append(KEY, [message(1)]))
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_forked, args=(redis_store, answers))
    child.start()
    assert answers.get(timeout=60) == ["m1", "m2"]
    child.join()
    assert child.exitcode == 0
    assert len(run_blocking(redis_store.record(KEY))) == 2


def test_each_event_loop_has_connections_of_its_own(redis_store):
    awaiting = redis_store.awaiting()
    assert redis_store.awaiting() is awaiting
    assert awaiting.awaiting() is awaiting
    run_blocking(redis_store.append(KEY, [message(1)]))
    assert [asyncio.run(ids_of(awaiting, KEY)) for _ in range(3)] == [["m1"]] * 3

    async def in_a_loop() -> list[str]:
        run_blocking(redis_store.append(KEY, [message(2)]))
        return await ids_of(awaiting, KEY)

    loops = [threading.Thread(target=asyncio.run, args=(in_a_loop(),)) for _ in range(4)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    assert asyncio.run(in_a_loop()) == ["m1", "m2"]


def test_closing_closes_the_connections_of_running_loops_too(plain_redis, redis_url):
    async def talk() -> None:
        store = RedisStore(redis_url)
        await store.awaiting().append(KEY, [message(1)])
        run_blocking(store.close())
        for _ in range(3_000):
            with plain_redis.client() as client:
                if len(client.client_list()) == 1:
                    return
            await asyncio.sleep(0.02)
        raise AssertionError("a connection is open still")

    asyncio.run(talk())


def test_128_threads_with_a_session_each_see_no_error(redis_store):
    failed: list[Exception] = []

    def talk(number: int) -> None:
        key = Key(f"session {number}")
        try:
            for turn in range(4):
                run_blocking(redis_store.load(key))
                run_blocking(redis_store.append(key, [message(turn * 2)]))
                run_blocking(redis_store.append(key, [message(turn * 2 + 1)]))
            assert len(run_blocking(redis_store.record(key))) == 8
        except Exception as exc:  # noqa: BLE001 - any failure counts
            failed.append(exc)

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(128)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_128_tasks_with_a_session_each_see_no_error(redis_store):
    async def talk(number: int) -> int:
        key, awaiting = Key(f"session {number}"), redis_store.awaiting()
        for turn in range(4):
            await awaiting.load(key)
            await awaiting.append(key, [message(turn * 2)])
            await awaiting.append(key, [message(turn * 2 + 1)])
        return len(await awaiting.record(key))

    async def all_at_once() -> list[int]:
        return await asyncio.gather(*(talk(number) for number in range(128)))

    assert asyncio.run(all_at_once()) == [8] * 128


def test_a_gate_serves_those_who_wait_by_the_order_of_their_coming():
    gate, served = FairSemaphore(1), []
    held = gate.enter(wait_s=60)
    assert held

    def come(number: int) -> None:
        place = gate.enter(wait_s=60)
        assert place
        served.append(number)
        gate.leave(place)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(20)]
    for number, thread in enumerate(threads):
        thread.start()
        while len(gate._waiting) < number + 1:
            time.sleep(0.001)
    assert not gate.enter(wait_s=0.01)
    gate.leave(held)
    for thread in threads:
        thread.join()
    assert served == list(range(20))
    assert gate.enter(wait_s=1)
