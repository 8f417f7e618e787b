"""PostgreSQL: a call that is interrupted or cancelled ends as such, and leaves nothing open behind it."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from postgres_server import PostgresServer
from postgres_sessions import OURS

from session_core.stores.fair_semaphore import FairSemaphore
from session_core.stores.postgres.connections import interruptible
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, message
from session_core.voices import run_blocking


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[PostgresStore]:
    made = PostgresStore(postgres.url)
    yield made
    run_blocking(made.delete(KEY))
    run_blocking(made.close())


def until_it_sleeps(server: PostgresServer) -> None:
    """Return when one of ours is asleep on the server."""
    with server.connect() as other:
        while other.execute(f"SELECT count(*) {OURS} AND wait_event = 'PgSleep'").fetchone() != (1,):
            time.sleep(0.01)


def until_there_are(connections: int, server: PostgresServer) -> None:
    """Return when so many of ours are open."""
    with server.connect() as other:
        while other.execute(f"SELECT count(*) {OURS}").fetchone() != (connections,):
            time.sleep(0.01)


@contextmanager
def interrupting(server: PostgresServer) -> Iterator[None]:
    """Ctrl-C, in the main thread, once a call sleeps on the server."""

    def interrupt() -> None:
        until_it_sleeps(server)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(interrupt)
            yield
    finally:
        signal.signal(signal.SIGINT, before)


SLEEPS = ("SELECT pg_sleep(60)", ())


@pytest.mark.parametrize("way", ["fetch", "fetch_all", "fetch_then"])
def test_a_call_that_is_interrupted_ends_as_interrupted_and_its_connection_with_it(
    way: str, store: PostgresStore, postgres: PostgresServer
) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "fetch": lambda: store._wire.fetch(*SLEEPS),
        "fetch_all": lambda: store._wire.fetch_all(SLEEPS, SLEEPS),
        "fetch_then": lambda: store._wire.fetch_then(("SELECT 1", ()), lambda _: SLEEPS),
    }
    with pytest.raises(KeyboardInterrupt), interrupting(postgres):
        run_blocking(calls[way]())
    until_there_are(0, postgres)
    run_blocking(store.append(KEY, [message(1)]))


@pytest.mark.parametrize("way", ["fetch", "fetch_all", "fetch_then"])
def test_a_call_that_is_cancelled_ends_as_cancelled_and_its_connection_with_it(
    way: str, store: PostgresStore, postgres: PostgresServer
) -> None:
    async def talk() -> None:
        wire = store._other_wire
        await asyncio.gather(*(wire.fetch("SELECT 1", ()) for _ in range(3)))
        calls: dict[str, Callable[[], Any]] = {
            "fetch": lambda: wire.fetch(*SLEEPS),
            "fetch_all": lambda: wire.fetch_all(SLEEPS, SLEEPS),
            "fetch_then": lambda: wire.fetch_then(("SELECT 1", ()), lambda _: SLEEPS),
        }
        task = asyncio.create_task(calls[way]())
        await asyncio.to_thread(until_it_sleeps, postgres)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(until_there_are, 2, postgres)
        await store.awaiting().append(KEY, [message(1)])

    asyncio.run(talk())


def interrupted_at_the_end_of_a_pipeline() -> None:
    """As the driver ends one: what it cannot do any more takes the place of the interruption."""
    with interruptible():
        try:
            raise KeyboardInterrupt
        finally:
            raise psycopg.OperationalError("cannot exit pipeline mode while busy")


def broken_in_a_pipeline() -> None:
    with interruptible():
        raise psycopg.OperationalError("server closed the connection")


def test_an_interruption_at_the_end_of_a_pipeline_is_told_and_one_before_it_is_not() -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted_at_the_end_of_a_pipeline()
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        with pytest.raises(psycopg.OperationalError):
            broken_in_a_pipeline()


def test_a_place_of_a_gate_that_nobody_gave_back_is_free_once_its_holder_is_gone() -> None:
    """Ctrl-C may strike between any two steps, also between the last of a call and the first of its clean-up."""
    gate = FairSemaphore(1)
    held = gate.enter(wait_s=0)
    assert held
    assert gate.enter(wait_s=0) is None
    del held
    assert gate.enter(wait_s=0)


def test_who_is_interrupted_while_it_waits_for_a_place_leaves_it_to_the_next() -> None:
    gate, before = FairSemaphore(1), signal.signal(signal.SIGINT, signal.default_int_handler)
    held = gate.enter(wait_s=0)
    assert held

    def interrupt() -> None:
        while not gate._waiting:
            time.sleep(0.001)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    try:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(interrupt)
            with pytest.raises(KeyboardInterrupt):
                gate.enter(wait_s=60)
    finally:
        signal.signal(signal.SIGINT, before)
    gate.leave(held)
    assert gate.enter(wait_s=0)
