"""Whatever a store's place has against a call, the error names the session that the call was about, in either voice."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from postgres_server import PostgresServer, postgres_server
from redis_server import RedisServer, redis_server

from session_core import Sessions
from session_core.errors import StoreError, StoreLost
from session_core.ports import Lease, SessionStore
from session_core.stores.hybrid import HybridStore
from session_core.stores.open import open_cache
from session_core.stores.postgres.store import PostgresStore
from session_core.stores.redis.store import RedisStore
from session_core.stores.sqlite import SqliteStore
from session_core.testing import message
from session_core.testing.fakes import bare_checkpoint
from session_core.turns import Key
from session_core.voices import run_blocking

Call = Callable[[SessionStore], Awaitable[object]]
USER, OTHER = Key("user-42", "acme"), Key("user-43", "acme")
CHECKPOINT = replace(bare_checkpoint("1", None), key=USER)
WRITES: tuple[Call, ...] = (
    lambda store: store.append(USER, [message(2)]),
    lambda store: store.append(key=USER, messages=[message(2)]),
    lambda store: store.put_checkpoint(CHECKPOINT, {}, head_channel=None, merge=False),
)
ALL: tuple[Call, ...] = (
    *WRITES,
    lambda store: store.load(USER),
    lambda store: store.begin(USER),
    lambda store: store.record(USER),
    lambda store: store.fill(CHECKPOINT),
    lambda store: store.drop_lease(Lease(USER, 1, "me", 1.0)),
    lambda store: store.delete(USER),
)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server(appendonly="no") as running:
        yield running


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


def check_named(store: SessionStore, calls: tuple[Call, ...], mend: str) -> None:
    """Each of the `calls` fails in both voices, says so once of its session, and knows the `mend`."""

    async def one(call: Call, spoken: SessionStore) -> None:
        await call(spoken)

    for call in calls:
        for made in (
            lambda call=call: run_blocking(one(call, store)),
            lambda call=call: asyncio.run(one(call, store.awaiting())),
        ):
            with pytest.raises(StoreError, match=mend) as caught:
                made()
            said = str(caught.value)
            assert said.startswith("session acme/user-42: ")
            assert said.count("acme/user-42") == 1


def test_the_error_of_an_unreachable_redis_names_the_session(server: RedisServer) -> None:
    store = RedisStore(f"{server.url}?retries=0")
    run_blocking(store.append(USER, [message(1)]))
    server.kill()
    check_named(store, ALL, "cannot be reached")


@pytest.mark.parametrize(
    ("setting", "value", "mend"),
    [("maxmemory", "1", "raise maxmemory"), ("min-replicas-to-write", "1", "too few replicas")],
)
def test_the_error_of_a_redis_that_refuses_writes_names_the_session(
    setting: str, value: str, mend: str, server: RedisServer
) -> None:
    store = RedisStore(server.url)
    run_blocking(store.append(USER, [message(1)]))
    with server.client() as client:
        client.config_set(setting, value)
    check_named(store, WRITES, mend)
    run_blocking(store.close())


def test_the_error_of_a_replica_or_a_forbidden_command_names_the_session(server: RedisServer) -> None:
    with redis_server(appendonly="no", replicaof=f"127.0.0.1 {server.port}") as replica:
        check_named(RedisStore(replica.url), WRITES, "is a read-only replica")
    with server.client() as client:
        client.acl_setuser("reader", enabled=True, passwords=["+x"], categories=["+@read"], keys=["*"])
    check_named(RedisStore(server.url.replace("redis://", "redis://reader:x@")), WRITES, "denies a permission")


def test_the_error_of_an_unreachable_postgres_names_the_session(postgres: PostgresServer) -> None:
    store = PostgresStore(postgres.url)
    run_blocking(store.append(USER, [message(1)]))
    postgres.kill()
    check_named(store, ALL, "retry")


def test_the_error_of_a_timeout_or_missing_right_names_the_session(postgres: PostgresServer) -> None:
    store = PostgresStore(f"{postgres.url}&options=-c%20statement_timeout%3D50")
    with postgres.connect() as connection:
        connection.execute("BEGIN")
        connection.execute("LOCK TABLE llm_sessions.sessions, llm_sessions.messages IN ACCESS EXCLUSIVE MODE")
        check_named(store, WRITES, "retry, or raise statement_timeout")
        connection.execute("ROLLBACK")
    run_blocking(store.close())
    store = PostgresStore(f"{postgres.url}&options=-c%20default_transaction_read_only%3Don")
    check_named(store, WRITES, "accepts no writes")
    run_blocking(store.close())


def test_the_error_of_a_cancelled_statement_names_the_session(postgres: PostgresServer) -> None:
    store = PostgresStore(postgres.url)
    waiting = "FROM pg_stat_activity WHERE application_name = 'llm-sessions' AND wait_event_type = 'Lock'"
    with postgres.connect() as locks, postgres.connect() as connection, ThreadPoolExecutor(1) as thread:
        locks.execute("BEGIN")
        locks.execute("LOCK TABLE llm_sessions.sessions IN ACCESS EXCLUSIVE MODE")
        call = thread.submit(lambda: run_blocking(store.append(USER, [message(1)])))
        while connection.execute(f"SELECT pg_cancel_backend(pid) {waiting}").fetchall() == []:
            assert not call.done()
        with pytest.raises(StoreError, match=r"session acme/user-42: .*somebody cancelled it"):
            call.result()
        locks.execute("ROLLBACK")
    run_blocking(store.append(USER, [message(1)]))
    run_blocking(store.close())


def test_the_error_of_a_locked_file_names_the_session(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db", busy_timeout_s=0.05)
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    check_named(store, WRITES, "another writer held the database")
    other.close()
    run_blocking(store.close())


def test_a_hybrid_store_names_it_once_and_is_degraded_by_one_reason_for_all_sessions(
    server: RedisServer, postgres: PostgresServer
) -> None:
    told: list[str | None] = []
    store = HybridStore(open_cache(server.url), PostgresStore(postgres.url), on_degraded=told.append)
    run_blocking(store.append(USER, [message(1)]))
    postgres.kill()
    check_named(store, WRITES[:1], "the write is not confirmed")
    for key in (USER, OTHER):
        with pytest.raises(StoreError):
            run_blocking(store.append(key, [message(3)]))
    assert "acme" not in (store.degraded or "acme")
    assert len({said for said in told if said}) == len([said for said in told if said]) <= 2


def test_a_health_check_names_no_session(server: RedisServer) -> None:
    with Sessions(f"{server.url}?retries=0") as sessions:
        server.kill()
        with pytest.raises(StoreLost) as caught:
            sessions.warm()
    assert str(caught.value).startswith("redis://")
