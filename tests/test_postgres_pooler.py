"""PostgreSQL behind a pooler that gives each transaction another connection: what holds, and what has to be set."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest
from every_store import empty_schema
from pooling_proxy import PoolingProxy, pooling_proxy
from postgres_server import PostgresServer, postgres_server

from session_core import Sessions
from session_core.errors import ConfigError, StoreError
from session_core.stores.postgres.prepared import PREPARED_AFTER_CALLS
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import (
    CLOSING_PROMISES,
    KEY,
    PURGING_PROMISES,
    STORE_PROMISES,
    WRITER_PROMISES,
    at_once,
    message,
)
from session_core.turns import Key
from session_core.voices import run_blocking

SCHEMAS = count(1)
PROMISES = [one for one in (*STORE_PROMISES, *PURGING_PROMISES) if one not in CLOSING_PROMISES]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        with running.connect() as connection:
            connection.execute("CREATE ROLE app LOGIN")
            connection.execute("GRANT CREATE ON DATABASE postgres TO app")
        yield running


@pytest.fixture(scope="module")
def pooler(server: PostgresServer) -> Iterator[PoolingProxy]:
    # A role that row level security is asked of.
    with pooling_proxy(server.url, user="app") as running:
        yield running


def url(pooler: PoolingProxy, options: str) -> str:
    return f"postgresql://app@127.0.0.1:{pooler.port}/postgres?schema=p{next(SCHEMAS)}{options}"


@pytest.fixture(scope="module")
def opened(pooler: PoolingProxy) -> Iterator[PostgresStore]:
    made = PostgresStore(url(pooler, "&prepare=0"))
    yield made
    run_blocking(made.close())


@pytest.fixture
def store(opened: PostgresStore, server: PostgresServer) -> PostgresStore:
    """The same store for all tests but those that close it, emptied."""
    empty_schema(server, opened._address.schema)
    return opened


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_blocking(promise, store):
    run_blocking(promise(store))


@pytest.mark.parametrize("promise", CLOSING_PROMISES, ids=lambda promise: promise.__name__)
def test_it_ends_as_promised(promise, pooler):
    run_blocking(promise(PostgresStore(url(pooler, "&prepare=0"))))


@pytest.mark.parametrize("promise", WRITER_PROMISES, ids=lambda promise: promise.__name__)
def test_concurrent_tasks_lose_nothing(promise, store):
    asyncio.run(promise(store.awaiting(), at_once))


def test_tenants_stay_hidden_from_each_other(pooler: PoolingProxy) -> None:
    """The setting that names the tenant ends with its transaction, whoever has the connection then."""
    with Sessions(url(pooler, "&prepare=0&rls=1")) as sessions:
        for tenant in ("acme", "zoo"):
            sessions.session("s", tenant=tenant).append({"role": "user", "content": f"of {tenant}"})
            for _ in range(4):
                assert [m.content for m in sessions.session("s", tenant=tenant).record()] == [f"of {tenant}"]
        for _ in range(4):
            with pytest.raises(ConfigError, match="name a tenant"):
                sessions.list()
        assert [state.key for state in sessions.list("zoo")] == [Key("s", "zoo")]


def test_without_prepare_0_the_error_names_it_and_nothing_is_written_twice(pooler: PoolingProxy) -> None:
    place = url(pooler, "")
    store = PostgresStore(place)
    refused = dict[int, str]()
    for number in range(4 * PREPARED_AFTER_CALLS):
        try:
            run_blocking(store.append(KEY, [message(number)]))
        except StoreError as exc:
            refused[number] = str(exc)
    run_blocking(store.close())
    assert refused
    assert all("prepare=0" in said for said in refused.values())
    with Sessions(f"{place}&prepare=0") as after:
        stored = [m.id for m in run_blocking(after.store.record(KEY))]
    assert stored == [f"m{number}" for number in range(4 * PREPARED_AFTER_CALLS) if number not in refused]


def test_options_that_a_pooler_refuses_are_named_with_the_mend(pooler: PoolingProxy) -> None:
    with pytest.raises(ConfigError, match="leave it out of the URL, and set it with ALTER ROLE"):
        PostgresStore(url(pooler, "&prepare=0&options=-c%20statement_timeout%3D5000"))
