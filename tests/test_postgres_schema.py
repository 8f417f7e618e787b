"""The schema of the PostgreSQL store: what it refuses to use, what may be done to its tables, and its URL."""

from __future__ import annotations

import pytest
from every_store import empty_schema
from postgres_server import PostgresServer
from postgres_sessions import schema_of

from session_core.errors import ConfigError, NewerSchema, StoreError, StoreLost, StoreUnreadable
from session_core.stores.open import open_store
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import CLOSING_PROMISES, KEY, STORE_PROMISES, message
from session_core.turns import Key
from session_core.voices import run_blocking

PROMISES = [one for one in STORE_PROMISES if one not in CLOSING_PROMISES]


def test_a_newer_schema_is_refused_with_the_mend(
    postgres_store: PostgresStore, postgres_url: str, postgres: PostgresServer
) -> None:
    with postgres.connect() as connection:
        connection.execute(f"INSERT INTO {schema_of(postgres_url)}.migrations (version) VALUES (999)")
    with pytest.raises(NewerSchema, match="pip install -U llm-sessions"):
        PostgresStore(postgres_url)


def test_a_schema_of_something_else_is_refused_and_left_alone(postgres_url: str, postgres: PostgresServer) -> None:
    with postgres.connect() as connection:
        connection.execute(f"CREATE SCHEMA {schema_of(postgres_url)}")
        connection.execute(f"CREATE TABLE {schema_of(postgres_url)}.sessions (theirs integer)")
        with pytest.raises(StoreUnreadable, match="another schema"):
            PostgresStore(postgres_url)
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", (schema_of(postgres_url),)
        ).fetchall()
    assert tables == [("sessions",)]


def test_a_url_opens_the_store(postgres_url: str) -> None:
    for one in (postgres_url, postgres_url.replace("postgresql:", "postgres:")):
        store = open_store(one)
        assert isinstance(store, PostgresStore)
        run_blocking(store.close())


@pytest.mark.parametrize("option", ["schema=Robert';", "max_connections=0", "wait_s=soon", "rls=maybe", "colour=red"])
def test_a_wrong_option_is_named(option: str) -> None:
    with pytest.raises(ConfigError, match=option.partition("=")[0]):
        PostgresStore(f"postgresql://somebody:secret@/db?{option}")


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(StoreLost, match=r"postgresql://127\.0\.0\.1:1/db cannot be reached") as caught:
        PostgresStore("postgresql://somebody:secret@127.0.0.1:1/db")
    assert "secret" not in str(caught.value)


def test_a_server_that_has_no_such_database_is_not_worth_a_retry(postgres: PostgresServer) -> None:
    with pytest.raises(StoreUnreadable, match="create that database"):
        PostgresStore(postgres.url.replace("/postgres?", "/nowhere?"))
    with pytest.raises(StoreUnreadable, match="create that user"):
        PostgresStore(postgres.url.replace("//postgres:", "//nobody:"))


def test_a_schema_that_has_counted_all_its_sessions_says_so(postgres_url: str, postgres: PostgresServer) -> None:
    store = PostgresStore(postgres_url)
    with postgres.connect() as connection:
        connection.execute(f"ALTER SEQUENCE {schema_of(postgres_url)}.session_numbers RESTART WITH 2147483647")
    run_blocking(store.append(Key("the last"), [message(1)]))
    with pytest.raises(StoreError, match="another schema"):
        run_blocking(store.append(Key("one more"), [message(1)]))
    run_blocking(store.append(Key("the last"), [message(2)]))
    assert [m.id for m in run_blocking(store.load(Key("the last"))).messages] == ["m1", "m2"]
    run_blocking(store.close())


PARTED = ("messages", "digests", "notices", "checkpoints", "channel_values", "writes", "drafts")


def test_all_that_grows_with_sessions_can_be_partitioned_by_their_hash(
    postgres_url: str, postgres: PostgresServer
) -> None:
    store = PostgresStore(postgres_url)
    with postgres.connect() as connection:
        connection.execute(f"SET search_path = {schema_of(postgres_url)}")
        for table in PARTED:
            connection.execute(f"ALTER TABLE {table} RENAME TO whole_{table}")
            connection.execute(f"CREATE TABLE {table} (LIKE whole_{table} INCLUDING ALL) PARTITION BY HASH (session)")
            connection.execute(f"DROP TABLE whole_{table}")
            for part in range(3):
                connection.execute(
                    f"CREATE TABLE {table}_{part} PARTITION OF {table} FOR VALUES WITH (MODULUS 3, REMAINDER {part})"
                )
        for promise in PROMISES:
            run_blocking(promise(store))
            empty_schema(postgres, schema_of(postgres_url))
        run_blocking(store.append(KEY, [message(1)]))
        rows = connection.execute("SELECT count(DISTINCT tableoid), count(*) FROM messages").fetchone()
        assert rows == (1, 1)
    run_blocking(store.close())
