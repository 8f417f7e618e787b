"""PostgreSQL's connections: what a URL says of them, and what happens when a server or a pooler ends them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from postgres_server import PostgresServer
from postgres_sessions import OURS, cut

from session_core.errors import StoreBusy, StoreError, StoreLost, StoreUnreadable
from session_core.ports import Appended
from session_core.stores.postgres.address import Address
from session_core.stores.postgres.connections import LOOKED_AT_S
from session_core.stores.postgres.failures import Translated
from session_core.stores.postgres.prepared import PREPARED_AFTER_CALLS
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, message
from session_core.turns import Key, Message, Role
from session_core.voices import run_blocking


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[PostgresStore]:
    made = PostgresStore(postgres.url)
    yield made
    run_blocking(made.delete(KEY))
    run_blocking(made.close())


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


def test_a_connection_that_a_router_forgot_holds_no_call_for_longer_than_the_url_says() -> None:
    usual = Address.parse("postgresql://u@h/db").conninfo
    assert "tcp_user_timeout=20000" in usual
    assert "keepalives_idle=60" in usual
    assert "tcp_user_timeout=5000" in Address.parse("postgresql://u@h/db?tcp_user_timeout=5000").conninfo


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


# Prepared statements.


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
