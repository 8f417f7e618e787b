"""Row level security holds for all that there is, whatever becomes of the tables."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from postgres_server import PostgresServer

from session_core.errors import StoreUnreadable
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, message
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
