"""PostgreSQL: settings of a role that change what statements mean, and roles that are changed under way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from postgres_server import PostgresServer
from postgres_sessions import OURS, cut

from session_core import Sessions
from session_core.errors import StoreBusy, StoreError, StoreLost, StoreUnreadable
from session_core.ports import Checkpoint, MessageList, Plain, SessionStore, Stored
from session_core.ranges import Ranges
from session_core.stores.postgres import connections
from session_core.stores.postgres.connections import LOOKED_AT_S
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, message
from session_core.voices import run_blocking


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
