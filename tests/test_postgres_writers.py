"""The PostgreSQL store under many writers, and when writers or the server are killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fault_table import tell
from pair_writers import check_processes, pair, whole_pairs
from postgres_server import PostgresServer, postgres_server
from postgres_sessions import a_checkpoint, schema_of

from session_core.errors import StoreBusy
from session_core.ports import Checkpoint, MessageList, Plain, SessionStore
from session_core.ranges import Ranges
from session_core.stores.postgres.migrations import MIGRATIONS
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking


def test_eight_threads_on_one_session_lose_and_split_nothing(postgres_store: PostgresStore) -> None:
    def write(writer: int) -> None:
        for turn in range(20):
            run_blocking(postgres_store.append(KEY, pair(writer * 1_000 + turn * 2)))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(1, 9)))
    assert whole_pairs(run_blocking(postgres_store.record(KEY))) == 160


def test_checkpoints_and_appends_at_once_lose_nothing_of_the_head(postgres_store: PostgresStore) -> None:
    def append(writer: int) -> None:
        for turn in range(15):
            run_blocking(postgres_store.append(KEY, pair(writer * 1_000 + turn * 2)))

    def step(writer: int) -> None:
        base = Ranges()
        for turn in range(15):
            name = f"{writer}.{turn:03}"
            value = MessageList((base, *pair(writer * 1_000 + turn * 2)), base=base)
            row = Checkpoint(KEY, name, f"{writer}.{turn - 1:03}", Plain("t", b"b"), {"messages": name})
            run_blocking(postgres_store.put_checkpoint(row, {"messages": value}, head_channel="messages", merge=True))
            stored = run_blocking(postgres_store.checkpoint(KEY, name))
            assert stored is not None
            base = stored.values["messages"].part  # type: ignore[union-attr]

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work, n) for n, work in enumerate((append, step, append, step), start=1)]:
            done.result()
    state = run_blocking(postgres_store.state(KEY))
    assert state is not None
    assert state.ledger.messages == 120
    assert sorted(state.head) == list(range(1, 121))


def test_a_checkpoint_gets_its_turn_however_much_others_write(postgres_store: PostgresStore) -> None:
    done = threading.Event()

    def append(writer: int) -> None:
        turn = count()
        while not done.is_set():
            run_blocking(postgres_store.append(KEY, pair(writer * 100_000 + next(turn) * 2)))

    with ThreadPoolExecutor(6) as threads:
        writers = [threads.submit(append, writer) for writer in range(1, 7)]
        try:
            for number in range(10):
                value = MessageList((message(number),))
                run_blocking(
                    postgres_store.put_checkpoint(
                        a_checkpoint(str(number)), {"messages": value}, head_channel="messages", merge=True
                    )
                )
        finally:
            done.set()
        for writer in writers:
            writer.result()
    state = run_blocking(postgres_store.state(KEY))
    assert state is not None
    assert sorted(state.head) == list(range(1, state.ledger.messages + 1))


def test_processes_migrate_at_once_and_lose_and_split_nothing(postgres_url: str) -> None:
    check_processes(postgres_url)


def test_two_that_migrate_at_once_make_one_schema(postgres_url: str, postgres: PostgresServer) -> None:
    for _ in range(5):
        gate = threading.Barrier(4)

        def opened(gate: threading.Barrier = gate) -> None:
            gate.wait()
            run_blocking(PostgresStore(postgres_url).close())

        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(opened) for _ in range(4)]:
                done.result()
        with postgres.connect() as connection:
            found = connection.execute(
                f"SELECT version FROM {schema_of(postgres_url)}.migrations ORDER BY 1"
            ).fetchall()
            connection.execute(f"DROP SCHEMA {schema_of(postgres_url)} CASCADE")
        assert found == [(version + 1,) for version in range(len(MIGRATIONS))]


async def _talk(store: SessionStore, number: int) -> int:
    key = Key(f"session {number}")
    for turn in range(5):
        await store.append(key, pair(turn * 2))
        await store.load(key)
    return whole_pairs(await store.record(key))


def test_64_sessions_at_once_awaited(postgres_store: PostgresStore) -> None:
    async def all_at_once() -> list[int]:
        twin = postgres_store.awaiting()
        return await asyncio.gather(*(_talk(twin, number) for number in range(64)))

    assert asyncio.run(all_at_once()) == [5] * 64
    assert len(run_blocking(postgres_store.sessions())) == 64


def test_64_sessions_at_once_in_threads(postgres_store: PostgresStore) -> None:
    with ThreadPoolExecutor(64) as threads:
        done = list(threads.map(lambda number: run_blocking(_talk(postgres_store, number)), range(64)))
    assert done == [5] * 64


def test_each_event_loop_has_its_own_connections(postgres_store: PostgresStore) -> None:
    twin = postgres_store.awaiting()
    for number in range(3):
        asyncio.run(twin.append(KEY, [message(number)]))
    assert len(asyncio.run(twin.record(KEY))) == 3


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_of_a_process_that_uses_it_opens_its_own_connections(postgres_store: PostgresStore) -> None:
    def write(number: int) -> None:
        run_blocking(postgres_store.append(KEY, [message(number)]))

    write(1)
    child = multiprocessing.get_context("fork").Process(target=write, args=(2,))
    child.start()
    child.join()
    write(3)
    assert child.exitcode == 0
    assert [m.id for m in run_blocking(postgres_store.record(KEY))] == ["m1", "m2", "m3"]


def test_what_was_acknowledged_is_there_after_the_server_was_killed() -> None:
    with postgres_server() as server:
        store = PostgresStore(server.url)
        acknowledged: list[int] = []
        stop = threading.Event()

        def write(writer: int) -> None:
            for turn in range(1_000):
                first = writer * 10_000 + turn * 2
                try:
                    run_blocking(store.append(KEY, pair(first)))
                except StoreBusy:
                    return
                acknowledged.extend((first, first + 1))
                if len(acknowledged) >= 60:
                    stop.set()

        writers = [threading.Thread(target=write, args=(n,)) for n in range(1, 4)]
        for writer in writers:
            writer.start()
        stop.wait()
        server.kill()
        for writer in writers:
            writer.join()
        server.start()
        found = _patiently(lambda: run_blocking(store.record(KEY)))
        tell("postgres killed", faults=1, acknowledged=len(acknowledged), found=len(found))
        assert {f"m{n}" for n in acknowledged} <= {m.id for m in found}
        assert [m.seq for m in found] == list(range(1, len(found) + 1))
        whole_pairs(found)
        state = run_blocking(store.state(KEY))
        assert state is not None
        assert (state.head, state.ledger.messages) == (Ranges.span(1, len(found)), len(found))
        run_blocking(store.append(KEY, [message(acknowledged[0])]))
        assert run_blocking(store.state(KEY)) == state
        run_blocking(store.close())


def _patiently(work: Callable[[], Any]) -> Any:
    """What `work` gives when it is asked again as StoreBusy says."""
    for _ in range(20):
        try:
            return work()
        except StoreBusy:
            continue
    raise AssertionError("busy for ever")


def _write_for_ever(url: str, told: str) -> None:
    store = PostgresStore(url)
    with Path(told).open("a") as acknowledged:
        for turn in range(100_000):
            run_blocking(store.append(KEY, pair(turn * 2)))
            acknowledged.write(f"{turn}\n")
            acknowledged.flush()


def test_a_writer_that_is_killed_leaves_whole_turns(
    postgres_store: PostgresStore, postgres_url: str, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    told.touch()
    writer = multiprocessing.get_context("spawn").Process(target=_write_for_ever, args=(postgres_url, str(told)))
    writer.start()
    while told.read_text().count("\n") < 50:
        assert writer.is_alive()
    writer.kill()
    writer.join()
    acknowledged = told.read_text().count("\n")
    assert acknowledged <= whole_pairs(run_blocking(postgres_store.record(KEY))) <= acknowledged + 1


def test_a_session_that_somebody_holds_for_too_long_is_busy(
    postgres_store: PostgresStore, postgres_url: str, postgres: PostgresServer
) -> None:
    run_blocking(postgres_store.append(KEY, [message(1)]))
    with postgres.connect() as other:
        other.execute(f"ALTER FUNCTION {schema_of(postgres_url)}.append_message SET lock_timeout = '50ms'")
        with other.transaction():
            other.execute(f"SELECT 1 FROM {schema_of(postgres_url)}.sessions FOR UPDATE")
            with pytest.raises(StoreBusy, match="retry"):
                run_blocking(postgres_store.append(KEY, [message(2)]))
            run_blocking(postgres_store.append(Key("another"), [message(2)]))
    run_blocking(postgres_store.append(KEY, [message(2)]))
