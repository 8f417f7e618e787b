"""Row level security keeps tenants apart, and holds for all that there is, whatever becomes of the tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from every_store import TABLES
from postgres_server import PostgresServer
from postgres_sessions import fill, schema_of

from session_core.errors import ConfigError, StoreUnreadable
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, STORE_PROMISES, message
from session_core.turns import Key
from session_core.voices import run_blocking

HOLDING = (
    "SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant' "
    "WHERE c.relnamespace = 'llm_sessions'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY c.relname"
)


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    """As a role that row level security holds for, in a schema that is not there yet."""
    with postgres.connect() as connection:
        connection.execute("CREATE ROLE app LOGIN")
        connection.execute("GRANT CREATE ON DATABASE postgres TO app")
    yield postgres.url.replace("//postgres:", "//app:")
    with postgres.connect() as connection:
        connection.execute("DROP OWNED BY app CASCADE")
        connection.execute("DROP ROLE app")


def part_by_hash(connection: psycopg.Connection[tuple[object, ...]], table: str) -> None:
    connection.execute(f"ALTER TABLE {table} RENAME TO whole")
    connection.execute(f"CREATE TABLE {table} (LIKE whole INCLUDING ALL) PARTITION BY HASH (session)")
    connection.execute(f"CREATE TABLE {table}_0 PARTITION OF {table} FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
    connection.execute("DROP TABLE whole")


def test_tables_that_were_parted_later_are_guarded_by_the_next_who_asks_for_it(url: str) -> None:
    run_blocking(PostgresStore(f"{url}&rls=1").close())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET search_path = llm_sessions")
        for table in ("messages", "digests"):
            part_by_hash(connection, table)
        store = PostgresStore(f"{url}&rls=1")
        for tenant in ("acme", "globex"):
            run_blocking(store.append(Key("one", tenant), [message(1), message(2)]))
        found = [str(name) for (name,) in connection.execute(HOLDING)]
        assert {"messages_0", "digests_0", "leases"} <= set(found)
        counted = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in found}
        assert counted == dict.fromkeys(found, (0,))
        connection.execute("SET llm_sessions.tenant = 'acme'")
        assert connection.execute("SELECT DISTINCT tenant FROM messages_0").fetchall() == [("acme",)]
    assert len(run_blocking(store.record(Key("one", "globex")))) == 2
    run_blocking(store.close())


def test_a_lease_of_another_tenant_is_hidden_too(url: str) -> None:
    store = PostgresStore(f"{url}&rls=1")
    run_blocking(store.take_lease(KEY, holder="one", ttl_s=60.0))
    with psycopg.connect(url, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM llm_sessions.leases").fetchone() == (0,)
        connection.execute("SELECT set_config('llm_sessions.tenant', %s, false)", (KEY.tenant,))
        assert connection.execute("SELECT count(*) FROM llm_sessions.leases").fetchone() == (1,)
    run_blocking(store.close())


def test_a_role_that_may_do_too_little_is_told_all_that_it_needs(postgres: PostgresServer, url: str) -> None:
    schema = "llm_sessions"
    run_blocking(PostgresStore(postgres.url).close())
    try:
        with postgres.connect() as connection:
            connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO app")
            connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO app")
        store = PostgresStore(url)
        with pytest.raises(StoreUnreadable, match="its tables, sequences and functions"):
            run_blocking(store.append(KEY, [message(1)]))
        with postgres.connect() as connection:
            connection.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO app")
        run_blocking(store.append(KEY, [message(1)]))
        assert run_blocking(store.delete(KEY)) == 1
        run_blocking(store.close())
    finally:
        with postgres.connect() as connection:
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def guarded(postgres: PostgresServer, postgres_url: str) -> Iterator[tuple[PostgresStore, str]]:
    """A store that asks for it, as a role that it holds for, and the URL of that role."""
    role = f"role_{schema_of(postgres_url)}"
    with postgres.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"GRANT CREATE ON DATABASE postgres TO {role}")
    as_role = postgres_url.replace("//postgres:", f"//{role}:")
    made = PostgresStore(f"{as_role}&rls=1")
    yield made, as_role
    run_blocking(made.close())


def test_a_tenant_cannot_read_or_write_rows_of_another(
    guarded: tuple[PostgresStore, str], postgres: PostgresServer
) -> None:
    store, url = guarded
    for tenant in ("acme", "globex"):
        fill(store, Key("same name", tenant))
    plain = url.partition("&schema=")[0]
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"SET search_path = {schema_of(url)}")
        seen = "SELECT tenant, count(*) FROM {} GROUP BY tenant"
        tables = [table for table in TABLES if table != "notices"]
        assert not any(connection.execute(seen.format(table)).fetchall() for table in tables)
        connection.execute("SET llm_sessions.tenant = 'acme'")
        assert {tenant for table in tables for tenant, _ in connection.execute(seen.format(table))} == {"acme"}
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO sessions (tenant, session_id, namespace) VALUES ('globex', 'x', '')")
        assert connection.execute("DELETE FROM messages WHERE tenant = 'globex'").rowcount == 0
    assert len(run_blocking(store.record(Key("same name", "globex")))) == 4


def test_messages_from_before_the_guard_are_guarded_too_and_name_their_tenant_from_then_on(
    postgres: PostgresServer, postgres_url: str
) -> None:
    role = f"late_{schema_of(postgres_url)}"
    with postgres.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"GRANT CREATE ON DATABASE postgres TO {role}")
    as_role = postgres_url.replace("//postgres:", f"//{role}:")
    before, keys = PostgresStore(as_role), [Key("one", "acme"), Key("one", "globex")]
    for key in keys:
        run_blocking(before.append(key, [message(1)]))
        run_blocking(before.append(key, [message(2)]))
    guarded = PostgresStore(f"{as_role}&rls=1")
    for store, number in ((before, 3), (guarded, 4)):
        for key in keys:
            run_blocking(store.append(key, [message(number)]))
            run_blocking(store.append(key, [message(number * 10), message(number * 10 + 1)]))
    assert [len(run_blocking(guarded.record(key))) for key in keys] == [8, 8]
    with postgres.connect() as connection:
        counted = f"SELECT tenant, count(*) FROM {schema_of(postgres_url)}.messages GROUP BY tenant ORDER BY tenant"
        assert connection.execute(counted).fetchall() == [("acme", 8), ("globex", 8)]
    for store in (before, guarded):
        run_blocking(store.close())


# One lists all tenants, which row level security refuses.
OF_ONE_TENANT = [promise for promise in STORE_PROMISES if promise.__name__ != "lists_newest_first"]


@pytest.mark.parametrize("promise", OF_ONE_TENANT, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_under_row_level_security(promise: Any, guarded: tuple[PostgresStore, str]) -> None:
    run_blocking(promise(guarded[0]))


def test_all_tenants_at_once_are_refused_under_row_level_security(guarded: tuple[PostgresStore, str]) -> None:
    store, _ = guarded
    fill(store, Key("one", "acme"))
    with pytest.raises(ConfigError, match="name a tenant"):
        run_blocking(store.sessions())
    with pytest.raises(ConfigError, match="name a tenant"):
        run_blocking(store.purge(0.0))
    assert [s.key.session_id for s in run_blocking(store.sessions("acme"))] == ["one"]
