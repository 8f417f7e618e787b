"""PostgreSQL's connections: what a URL says of them, and what happens when a server or a pooler ends them."""

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

from session_core import Sessions
from session_core.errors import StoreBusy, StoreError, StoreLost, StoreUnreadable
from session_core.ports import Appended, Checkpoint, MessageList, Plain, SessionStore, Stored
from session_core.ranges import Ranges
from session_core.stores.fair_semaphore import FairSemaphore
from session_core.stores.postgres import connections
from session_core.stores.postgres.address import Address
from session_core.stores.postgres.connections import LOOKED_AT_S, interruptible
from session_core.stores.postgres.failures import Translated
from session_core.stores.postgres.prepared import PREPARED_AFTER_CALLS
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, message
from session_core.turns import Key, Message, Role
from session_core.voices import run_blocking

OURS = "FROM pg_stat_activity WHERE application_name = 'llm-sessions' AND pid <> pg_backend_pid()"


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[PostgresStore]:
    made = PostgresStore(postgres.url)
    yield made
    run_blocking(made.delete(KEY))
    run_blocking(made.close())


def cut(server: PostgresServer) -> None:
    """End all connections of ours, as a restart does, and wait until they are ended."""
    with server.connect() as other:
        other.execute(f"SELECT pg_terminate_backend(pid) {OURS}")
        while other.execute(f"SELECT count(*) {OURS}").fetchone() != (0,):
            time.sleep(0.01)


def until_one_waits(server: PostgresServer) -> None:
    """Return when one of ours waits for a lock; outside of a transaction, which sees the activity of its beginning."""
    with server.connect() as other:
        while other.execute(f"SELECT count(*) {OURS} AND wait_event_type = 'Lock'").fetchone() != (1,):
            time.sleep(0.01)


# URLs.


def test_what_libpq_is_told_stands_in_the_url_as_libpq_reads_it() -> None:
    made = Address.parse("postgresql://u@h/db?options=-c%20statement_timeout%3D7s&schema=s1&application_name=a+b%2Bc")
    assert "options='-c statement_timeout=7s'" in made.conninfo
    assert "application_name=a+b+c" in made.conninfo
    assert made.schema == "s1"


def test_a_server_takes_the_settings_of_a_url(store: PostgresStore, postgres: PostgresServer) -> None:
    run_blocking(store.append(KEY, [message(1)]))
    reading = PostgresStore(f"{postgres.url}&options=-c%20default_transaction_read_only%3Don")
    assert len(run_blocking(reading.record(KEY))) == 1
    with pytest.raises(StoreError, match="accepts no writes"):
        run_blocking(reading.append(KEY, [message(2)]))
    run_blocking(reading.close())


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_does_not_hold_every_text_is_refused_with_the_mend(
    postgres: PostgresServer, encoding: str
) -> None:
    name = encoding.lower()
    with postgres.connect() as other:
        other.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreUnreadable, match=f"the encoding {encoding}.*ENCODING 'UTF8'"):
        PostgresStore(postgres.url.replace("/postgres?", f"/{name}?"))


@pytest.mark.parametrize("setting", ["client_encoding=LATIN1", "options=-c%20client_encoding%3DLATIN1"])
def test_every_text_goes_over_the_wire_whatever_encoding_is_asked_for(postgres: PostgresServer, setting: str) -> None:
    key = Key("sitzung \u4f1a\U0001f600", KEY.tenant)
    store = PostgresStore(f"{postgres.url}&{setting}")
    run_blocking(store.append(key, [Message(Role.USER, "said", id="\u0438", author="\u00d8re \U0001f600")]))
    assert [(m.id, m.author) for m in run_blocking(store.record(key))] == [("\u0438", "\u00d8re \U0001f600")]
    assert [state.key for state in run_blocking(store.sessions())] == [key]
    run_blocking(store.delete(key))
    run_blocking(store.close())


# Connections that are ended.


def test_a_connection_that_was_ended_while_it_waited_breaks_no_call(
    store: PostgresStore, postgres: PostgresServer
) -> None:
    run_blocking(store.append(KEY, [message(1)]))
    cut(postgres)
    time.sleep(LOOKED_AT_S)
    run_blocking(store.append(KEY, [message(2)]))
    assert len(run_blocking(store.record(KEY))) == 2


def test_a_connection_that_was_ended_while_it_waited_breaks_no_awaited_call(
    store: PostgresStore, postgres: PostgresServer
) -> None:
    async def turn() -> int:
        awaiting = store.awaiting()
        await asyncio.gather(*(awaiting.append(KEY, [message(number)]) for number in range(1, 9)))
        cut(postgres)
        await asyncio.sleep(LOOKED_AT_S)
        await asyncio.gather(*(awaiting.append(KEY, [message(number)]) for number in range(9, 17)))
        return len(await awaiting.record(KEY))

    assert asyncio.run(turn()) == 16


def test_a_run_that_is_cancelled_while_it_begins_leaves_no_transaction_open(
    store: PostgresStore, postgres: PostgresServer
) -> None:
    async def turn() -> list[Any]:
        awaiting = store.awaiting()
        await awaiting.append(KEY, [message(1)])
        found = []
        for steps in range(8):
            begun = asyncio.ensure_future(awaiting.begin(KEY))
            for _ in range(steps):
                await asyncio.sleep(0)
            begun.cancel()
            await asyncio.wait([begun])
            await awaiting.append(KEY, [message(2 + steps)])
            with postgres.connect() as other:
                found += other.execute(f"SELECT state {OURS} AND state <> 'idle'").fetchall()
        return found

    assert asyncio.run(turn()) == []


def test_a_server_that_ends_idle_connections_breaks_no_call(store: PostgresStore, postgres: PostgresServer) -> None:
    run_blocking(store.append(KEY, [message(1)]))
    # Told once the connection is there: a busy machine may be idle between any two steps of opening it.
    run_blocking(store._wire.fetch("SELECT set_config('idle_session_timeout', '1ms', false)", ()))
    with postgres.connect() as other:
        while other.execute(f"SELECT count(*) {OURS}").fetchone() != (0,):
            time.sleep(0.01)
    time.sleep(LOOKED_AT_S)
    run_blocking(store.append(KEY, [message(2)]))
    assert len(run_blocking(store.record(KEY))) == 2


def test_a_connection_that_is_ended_in_the_middle_of_a_call_is_told_once_and_replaced(
    store: PostgresStore, postgres: PostgresServer
) -> None:
    run_blocking(store.append(KEY, [message(1)]))
    with postgres.connect() as other, ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.execute("SELECT 1 FROM llm_sessions.sessions FOR UPDATE")
            waiting = pool.submit(lambda: run_blocking(store.append(KEY, [message(2)])))
            until_one_waits(postgres)
            cut(postgres)
        with pytest.raises(StoreLost, match="retry"):
            waiting.result()
    run_blocking(store.append(KEY, [message(2)]))
    assert len(run_blocking(store.record(KEY))) == 2


def test_writers_wait_for_each_other_also_where_the_default_isolation_has_them_fail(
    store: PostgresStore, postgres: PostgresServer
) -> None:
    run_blocking(store.append(KEY, [message(1)]))
    strict = PostgresStore(f"{postgres.url}&options=-c%20default_transaction_isolation%3Dserializable")

    async def awaited() -> Appended:
        awaiting = strict.awaiting()
        try:
            return await awaiting.append(KEY, [message(3)])
        finally:
            await awaiting.close()

    with postgres.connect() as other, ThreadPoolExecutor(1) as pool:
        for number, work in (
            (2, lambda: run_blocking(strict.append(KEY, [message(2)]))),
            (3, lambda: asyncio.run(awaited())),
        ):
            with other.transaction():
                other.execute("UPDATE llm_sessions.sessions SET tier = tier")
                waiting = pool.submit(work)
                until_one_waits(postgres)
            assert waiting.result().seqs == (number,)
    run_blocking(strict.close())


def test_a_writer_that_fails_by_a_strict_isolation_all_the_same_is_told_how_to_wait_instead(
    postgres: PostgresServer,
) -> None:
    with (
        postgres.connect() as other,
        pytest.raises(StoreBusy, match="default_transaction_isolation = 'read committed'"),
        Translated("postgresql://here"),
    ):
        other.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END $$")


# Calls that are interrupted.


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


# Settings of a role or a database that change what statements mean, and roles that are changed under way.


@pytest.fixture
def app(postgres: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    """A connection to change the role `app` with, whose sessions are in a schema of its own."""
    with postgres.connect() as other:
        other.execute("CREATE ROLE app LOGIN; GRANT CREATE ON DATABASE postgres TO app")
        yield other
        other.execute("DROP OWNED BY app CASCADE; DROP ROLE app")


@pytest.mark.parametrize("under_way", [False, True])
def test_a_backslash_is_kept_also_where_the_server_reads_more_into_it(
    under_way: bool, postgres: PostgresServer, app: psycopg.Connection[Any]
) -> None:
    legacy = "ALTER ROLE app SET standard_conforming_strings = off"
    if not under_way:
        app.execute(legacy)
    value = Plain("t", b"\\x\x00")
    checkpoint = Checkpoint(KEY, "1", None, value, {"one": "1"})
    with Sessions(f"{postgres.url}&user=app&schema=app") as sessions:
        if under_way:
            app.execute(legacy)
        run_blocking(sessions.store.put_checkpoint(checkpoint, {"one": value}, head_channel=None, merge=False))
        sessions.session("a").append({"role": "user", "content": "C:\\temp", "id": "\\1"})

        async def awaited() -> list[str]:
            await sessions.session("a").aappend({"role": "user", "content": "\\n", "id": "\\2"})
            return [m.content + m.id for m in await sessions.session("a").arecord()]

        assert asyncio.run(awaited()) == ["C:\\temp\\1", "\\n\\2"]
        found = run_blocking(sessions.store.checkpoint(KEY))
        assert found is not None
        assert found.values == {"one": value}


def test_a_role_for_which_what_is_absent_in_a_list_is_a_word_is_refused_with_the_mend(
    postgres: PostgresServer, app: psycopg.Connection[Any]
) -> None:
    app.execute("ALTER ROLE app SET array_nulls = off")
    with pytest.raises(StoreUnreadable, match="SET array_nulls = on"):
        PostgresStore(f"{postgres.url}&user=app&schema=app")


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_role_that_is_changed_while_a_process_runs_makes_no_words_of_what_is_absent(
    voice: str, postgres: PostgresServer, app: psycopg.Connection[Any]
) -> None:
    with Sessions(f"{postgres.url}&user=app&schema=app") as sessions:
        app.execute("ALTER ROLE app SET array_nulls = off")
        value = Plain("t", b"x")
        checkpoint = Checkpoint(KEY, "1", None, value, {"one": "1", "two": "1", "said": "1"})
        values = {"one": value, "two": None, "said": MessageList((message(1), message(2)))}

        async def talk(store: SessionStore) -> Checkpoint | None:
            await store.put_checkpoint(checkpoint, values, head_channel="said", merge=False)
            return await store.checkpoint(KEY)

        found = run_blocking(talk(sessions.store)) if voice == "blocking" else asyncio.run(talk(sessions.awaited))
        assert found is not None
        assert found.values == {"one": value, "said": Stored(Ranges.span(1, 2))}


def test_a_role_that_may_not_log_in_any_more_is_not_told_to_retry(
    postgres: PostgresServer, app: psycopg.Connection[Any]
) -> None:
    store = PostgresStore(f"{postgres.url}&user=app&schema=app")
    app.execute("ALTER ROLE app NOLOGIN")
    with pytest.raises(StoreError, match="that the user may log in") as caught:
        run_blocking(store.append(KEY, [message(1)]))
    assert not isinstance(caught.value, StoreBusy)
    app.execute("ALTER ROLE app LOGIN")
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.close())


def test_a_role_with_no_connection_left_is_told_what_to_lower_and_to_raise(
    postgres: PostgresServer, app: psycopg.Connection[Any]
) -> None:
    store = PostgresStore(f"{postgres.url}&user=app&schema=app")
    app.execute("ALTER ROLE app CONNECTION LIMIT 0")
    with pytest.raises(StoreLost, match="lower max_connections in the URL or raise the server's"):
        run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.close())


def test_a_transaction_that_takes_too_long_for_the_server_is_busy(
    store: PostgresStore, postgres: PostgresServer
) -> None:
    run_blocking(store.append(KEY, [message(1)]))
    short = PostgresStore(f"{postgres.url}&options=-c%20transaction_timeout%3D200ms")
    with postgres.connect() as other, other.transaction():
        other.execute("SELECT 1 FROM llm_sessions.sessions FOR UPDATE")
        with pytest.raises(StoreBusy, match="transaction_timeout, and nothing was written; retry, or raise it"):
            run_blocking(short.append(KEY, [message(2)]))
    run_blocking(short.append(KEY, [message(2)]))
    run_blocking(short.close())


def test_a_pooler_that_loses_prepared_statements_is_named_with_the_mend(postgres: PostgresServer) -> None:
    with postgres.connect() as lost, pytest.raises(StoreError, match="prepare=0"), Translated("postgresql://here"):
        lost.execute("EXECUTE prepared_elsewhere")


def test_a_name_of_a_prepared_statement_means_the_same_on_every_connection(postgres: PostgresServer) -> None:
    asked = "SELECT name, statement FROM pg_prepared_statements"

    async def awaited(store: PostgresStore) -> list[tuple[str, str]]:
        for _ in range(PREPARED_AFTER_CALLS + 1):
            await store.awaiting().notices(KEY)
        return list(await store._other_wire.fetch(asked, ()))

    stores = [PostgresStore(postgres.url) for _ in range(3)]
    for _ in range(PREPARED_AFTER_CALLS + 1):
        run_blocking(stores[0].holdings(KEY))
        run_blocking(stores[1].delete(KEY))
        run_blocking(stores[2].delete(KEY))
    found = [run_blocking(store._wire.fetch(asked, ())) for store in stores]
    found.append(asyncio.run(awaited(stores[0])))
    assert [len(prepared) for prepared in found] == [1, 1, 1, 1]
    assert found[1] == found[2]
    assert len({name for ((name, _),) in found}) == 3
    for store in stores:
        run_blocking(store.close())


def test_connections_to_a_standby_are_left_once_the_url_leads_to_a_primary(
    postgres: PostgresServer, app: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role with this setting stands in for a standby: a connection stays as it was opened."""
    monkeypatch.setattr(connections, "YOUNG_S", 0.0)
    store = PostgresStore(f"{postgres.url}&user=app&schema=app")
    app.execute("ALTER ROLE app SET default_transaction_read_only = on")
    cut(postgres)
    time.sleep(LOOKED_AT_S)

    async def talk() -> None:
        awaiting = store.awaiting()
        await asyncio.gather(awaiting.record(KEY), awaiting.record(KEY))
        run_blocking(store.record(KEY))
        app.execute("ALTER ROLE app RESET default_transaction_read_only")
        with pytest.raises(StoreLost, match=r"is a standby.* retry"):
            run_blocking(store.append(KEY, [message(1)]))
        with pytest.raises(StoreLost, match=r"is a standby.* retry"):
            await awaiting.append(KEY, [message(1)])
        run_blocking(store.append(KEY, [message(1)]))
        await awaiting.append(KEY, [message(2)])
        await awaiting.close()

    asyncio.run(talk())


def test_a_process_that_only_reads_leaves_a_standby_too(
    postgres: PostgresServer, app: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "STANDBY_S", 0.0)
    store = PostgresStore(f"{postgres.url}&user=app&schema=app")
    app.execute("ALTER ROLE app SET default_transaction_read_only = on")
    cut(postgres)
    time.sleep(LOOKED_AT_S)

    async def read() -> None:
        awaiting = store.awaiting()
        await awaiting.record(KEY)
        run_blocking(store.record(KEY))
        app.execute("ALTER ROLE app RESET default_transaction_read_only")
        await awaiting.record(KEY)
        run_blocking(store.record(KEY))
        await awaiting.append(KEY, [message(1)])
        run_blocking(store.append(KEY, [message(2)]))
        await awaiting.close()

    asyncio.run(read())


def test_writes_to_a_server_without_writes_leave_its_connections_open(
    postgres: PostgresServer, app: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "YOUNG_S", 3_600.0)
    store = PostgresStore(f"{postgres.url}&user=app&schema=app")
    app.execute("ALTER ROLE app SET default_transaction_read_only = on")
    cut(postgres)
    time.sleep(LOOKED_AT_S)
    run_blocking(store.record(KEY))
    with postgres.connect() as other:
        before = other.execute(f"SELECT pid {OURS}").fetchall()
        for number in range(3):
            with pytest.raises(StoreLost, match="is a standby"):
                run_blocking(store.append(KEY, [message(number)]))
            run_blocking(store.record(KEY))
        assert other.execute(f"SELECT pid {OURS}").fetchall() == before
    run_blocking(store.close())
