"""A PostgreSQL server that is full before a process has as many connections as its URL allows: callers wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from postgres_server import PostgresServer

from session_core.errors import StoreLost
from session_core.ports import SessionStore
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking

CALLERS = 12
ROOM = 3


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    """For a role that has room for three connections, one of which is held by somebody else."""
    with postgres.connect() as other:
        other.execute("CREATE ROLE narrow LOGIN")
        other.execute("GRANT CREATE ON DATABASE postgres TO narrow")
        try:
            opened = PostgresStore(f"{postgres.url}&user=narrow&schema=narrow")
            run_blocking(opened.append(KEY, [message(1)]))
            run_blocking(opened.close())
            other.execute(f"ALTER ROLE narrow CONNECTION LIMIT {ROOM}")
            with psycopg.connect(f"{postgres.url}&user=narrow"):
                yield f"{postgres.url}&user=narrow&schema=narrow"
        finally:
            gone(other)
            other.execute("DROP OWNED BY narrow CASCADE")
            other.execute("DROP ROLE narrow")


def gone(other: psycopg.Connection[Any]) -> None:
    other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'narrow'")
    while other.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'narrow'").fetchone() != (0,):
        time.sleep(0.01)


def keys() -> list[Key]:
    return [Key(f"room {number}") for number in range(CALLERS)]


def test_threads_wait_for_each_other_where_the_server_has_no_room_for_more(url: str) -> None:
    store, together = PostgresStore(url), threading.Barrier(CALLERS)

    def turns(key: Key) -> None:
        together.wait()
        for number in range(1, 21):
            run_blocking(store.append(key, [message(number)]))

    with ThreadPoolExecutor(CALLERS) as threads:
        list(threads.map(turns, keys()))
    assert [len(run_blocking(store.record(key))) for key in keys()] == [20] * CALLERS
    run_blocking(store.close())


def test_tasks_wait_for_each_other_where_the_server_has_no_room_for_more(url: str) -> None:
    async def turns(store: SessionStore, key: Key) -> int:
        for number in range(1, 21):
            await store.append(key, [message(number)])
        return len(await store.record(key))

    async def all_turns() -> list[int]:
        store = PostgresStore(url).awaiting()
        try:
            return await asyncio.gather(*(turns(store, key) for key in keys()))
        finally:
            await store.close()

    assert asyncio.run(all_turns()) == [20] * CALLERS


def test_who_waits_in_vain_is_told_what_to_lower_and_to_raise(url: str, postgres: PostgresServer) -> None:
    store = PostgresStore(f"{url}&wait_s=0.7")
    with ThreadPoolExecutor(ROOM) as threads, postgres.connect() as other:
        run_blocking(store.append(KEY, [message(2)]))
        with other.transaction():
            other.execute("SELECT 1 FROM narrow.sessions FOR UPDATE")
            writing = [threads.submit(run_blocking, store.append(KEY, [message(n)])) for n in range(3, 2 + ROOM)]
            while waiting(other) < len(writing):
                time.sleep(0.01)
            began_s = time.monotonic()
            with pytest.raises(StoreLost, match="nothing was written: retry, lower max_connections in the URL"):
                run_blocking(store.append(Key("another"), [message(1)]))
            assert time.monotonic() - began_s >= 0.7
        for one in writing:
            one.result()
    run_blocking(store.append(Key("another"), [message(1)]))
    run_blocking(store.close())


def waiting(other: psycopg.Connection[Any]) -> int:
    other.execute("SELECT pg_stat_clear_snapshot()")
    found = other.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'narrow' AND wait_event_type = 'Lock'"
    ).fetchone()
    return int(found[0]) if found else 0
