"""PostgreSQL keeps every promise of a store, and its own: round trips, what is kept and what goes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from every_store import TABLES, empty_schema
from langgraph.checkpoint.conformance import checkpointer_test, validate
from postgres_server import PostgresServer
from postgres_sessions import a_checkpoint, a_turn, fill, rows_left, schema_of

from langchain_session import SessionSaver
from session_core import Sessions
from session_core.errors import InputError, SessionError
from session_core.plan import Digest
from session_core.ports import Checkpoint, MessageList, Plain, Write
from session_core.ranges import Ranges
from session_core.stores.postgres.rows import Batch, id_hash, id_in, names, plain_values
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import CLOSING_PROMISES, KEY, STORE_PROMISES, message
from session_core.turns import Key, Message, Role
from session_core.voices import run_blocking

PROMISES = [one for one in STORE_PROMISES if one not in CLOSING_PROMISES]
_schemas = count(1)


@pytest.fixture(scope="module")
def opened(postgres: PostgresServer) -> Iterator[PostgresStore]:
    made = PostgresStore(f"{postgres.url}&schema=promises")
    yield made
    run_blocking(made.close())


@pytest.fixture
def emptied(opened: PostgresStore, postgres: PostgresServer) -> PostgresStore:
    """The same store for all promises but those that close it, emptied."""
    empty_schema(postgres, "promises")
    return opened


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_blocking(promise: Any, emptied: PostgresStore) -> None:
    run_blocking(promise(emptied))


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_awaiting(promise: Any, emptied: PostgresStore) -> None:
    asyncio.run(promise(emptied.awaiting()))


@pytest.mark.parametrize("promise", CLOSING_PROMISES, ids=lambda promise: promise.__name__)
def test_it_ends_as_promised_in_both_voices(promise: Any, postgres_url: str) -> None:
    run_blocking(promise(PostgresStore(postgres_url)))
    asyncio.run(promise(PostgresStore(f"{postgres_url}_awaited").awaiting()))


BASE = ("put", "put_writes", "get_tuple", "list", "delete_thread")


def test_the_saver_passes_the_official_conformance_kit(postgres_url: str) -> None:
    @checkpointer_test(name="postgres")
    async def factory() -> Any:
        async with SessionSaver(f"{postgres_url}_{next(_schemas)}") as saver:
            yield saver

    report = asyncio.run(validate(factory, capabilities=set(BASE)))
    failures = {name: result.failures for name, result in report.results.items() if result.failures}
    assert failures == {}
    assert all(report.results[name].passed for name in BASE)


# Round trips: the server says ReadyForQuery once for each.


def trips(store: PostgresStore, folder: Path, act: Callable[[], object]) -> int:
    """How many round trips `act` makes over the one connection of `store`."""
    told = folder / f"trace{next(_schemas)}"
    run_blocking(store.state(KEY))
    free = store._wire._processes[os.getpid()]._free
    cursor = free.take()
    traced = cursor.connection.pgconn
    free.give_back(cursor)
    with told.open("w") as file:
        traced.trace(file.fileno())
        act()
        traced.untrace()
    return told.read_text().count("ReadyForQuery")


@pytest.mark.parametrize("age", [10, 2_000])
def test_round_trips_per_operation_do_not_grow_with_the_session(age: int, postgres_url: str, tmp_path: Path) -> None:
    store = PostgresStore(f"{postgres_url}&max_connections=1")
    run_blocking(store.append(KEY, [message(n) for n in range(age)]))
    run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, age - 5), "so far"), expected=0))
    run_blocking(store.append(KEY, a_turn(90_000)))
    value = {"messages": MessageList((Ranges.span(1, age), message(91_000))), "step": Plain("t", b"1")}
    writes = [Write("a", 0, "messages", MessageList((message(91_000),))), Write("a", 1, "step", Plain("t", b"1"))]
    done = {
        "append one": lambda: store.append(KEY, [message(93_000)], strict=True),
        "append one again": lambda: store.append(KEY, [message(93_000)], strict=True),
        "append": lambda: store.append(KEY, a_turn(92_000), strict=True),
        "append again": lambda: store.append(KEY, a_turn(92_000), strict=True),
        "load": lambda: store.load(KEY),
        "put_writes": lambda: store.put_writes(KEY, "1", writes),
        "put_checkpoint": lambda: store.put_checkpoint(a_checkpoint("1"), value, head_channel="messages", merge=True),
        "put_checkpoint without messages": lambda: store.put_checkpoint(
            a_checkpoint("2", "1"), {"step": Plain("t", b"2")}, head_channel="messages", merge=True
        ),
        "checkpoint": lambda: store.checkpoint(KEY),
        "state": lambda: store.state(KEY),
        "search": lambda: store.search(KEY, ["words"], max_hits=5),
        "delete": lambda: store.delete(KEY),
    }
    made = {name: trips(store, tmp_path, lambda work=work: run_blocking(work())) for name, work in done.items()}
    assert made == {**dict.fromkeys(done, 1), "put_checkpoint": 2}
    run_blocking(store.close())


def pages_read(connection: psycopg.Connection[Any], store: PostgresStore, call: str, *values: object) -> int:
    """How many pages the server looks at for `call`, with the plans that the connection made when it was first used."""
    said = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {store._statements[call]}", values).fetchone()
    plan = said[0][0]["Plan"]  # type: ignore[index]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("call", ["append_message", "append_messages"])
def test_an_append_looks_at_as_few_pages_in_an_old_session_also_with_plans_of_a_young_one(
    call: str, postgres_store: PostgresStore, postgres: PostgresServer
) -> None:
    def append(first: int) -> int:
        said = message(first)
        plain, batch = (*plain_values(said), False, False), (*Batch.of([said]).values, None, False, True, None, False)
        return pages_read(
            connection, postgres_store, call, *names(KEY), *(plain if call == "append_message" else batch)
        )

    with postgres.connect() as connection:
        young = [append(n) for n in range(40)][-5:]
        for first in range(1_000, 4_000, 500):
            run_blocking(postgres_store.append(KEY, [message(first + n) for n in range(500)]))
        old = [append(n) for n in range(10_000, 10_005)]
    assert max(old) <= max(young) + 25


@pytest.mark.parametrize("call", ["append_message", "append_messages", "find_message", "read_parent"])
def test_a_session_that_the_statistics_do_not_know_is_not_read_whole_for_an_id(
    call: str, postgres_store: PostgresStore, postgres: PostgresServer
) -> None:
    """With few sessions, the server takes one that it did not see when it last looked for a session of one message."""
    for first in range(0, 3_000, 500):
        run_blocking(postgres_store.append(KEY, [message(first + n) for n in range(500)]))
    with postgres.connect() as connection:
        connection.execute(f"ANALYZE {postgres_store._address.quoted}.messages")
        young = replace(KEY, session_id="young")
        for first in range(0, 3_000, 500):
            run_blocking(postgres_store.append(young, [message(first + n) for n in range(500)]))
        pages = []
        for number in range(10_000, 10_010):
            said = message(number)
            kept_id = id_in(said.id)
            values: dict[str, tuple[object, ...]] = {
                "append_message": (*plain_values(said), False, False),
                "append_messages": (*Batch.of([said]).values, None, False, True, None, False),
                "find_message": (kept_id, id_hash(kept_id)),
                "read_parent": (None, [], [kept_id], [id_hash(kept_id)]),
            }
            pages.append(pages_read(connection, postgres_store, call, *names(young), *values[call]))
    assert max(pages[-5:]) < 100, pages
    run_blocking(postgres_store.delete(young))


def test_a_view_of_an_old_session_reads_what_is_behind_the_digest_only(postgres_store: PostgresStore) -> None:
    run_blocking(postgres_store.append(KEY, [message(n) for n in range(2_000)]))
    run_blocking(postgres_store.put_digest(KEY, Digest(Ranges.span(1, 1_990), "so far"), expected=0))
    run_blocking(postgres_store.append(KEY, [message(3_000)]))
    rows = run_blocking(postgres_store._call("load_session", KEY.tenant, KEY.session_id, KEY.namespace, None))
    assert len(rows) == 1 + 11


# What is kept.


def test_names_and_ids_may_hold_anything(postgres_store: PostgresStore) -> None:
    key = Key("a\\u0000 \ud800", "t\\", "\udfff")
    said = Message(Role.USER, "x", id="id\x00\\ " + "long" * 1_000, author="An\x00n \ud800", tokens=1)
    done = run_blocking(postgres_store.append(key, [said]))
    assert done.state.key == key
    assert done.state.ledger.authors == (said.author,)
    assert run_blocking(postgres_store.find(key, said.id)) == run_blocking(postgres_store.record(key))[0]
    assert run_blocking(postgres_store.record(key))[0].author == said.author


def test_names_that_are_too_long_to_index_are_refused(postgres_store: PostgresStore) -> None:
    with pytest.raises(InputError, match="shorten"):
        run_blocking(postgres_store.append(Key("\U0001f600" * 512, "\U0001f600" * 512), [message(1)]))


def test_a_channel_value_is_stored_once_for_all_checkpoints(
    postgres_store: PostgresStore, postgres_url: str, postgres: PostgresServer
) -> None:
    first = Checkpoint(KEY, "1", None, Plain("t", b"b"), {"a": 1, "b": "x", "c": 1.0})
    run_blocking(
        postgres_store.put_checkpoint(
            first, {"a": Plain("t", b"1"), "b": Plain("t", b"2")}, head_channel=None, merge=True
        )
    )
    for number in range(2, 6):
        later = Checkpoint(KEY, str(number), "1", Plain("t", b"b"), {"a": number, "b": "x", "c": 1.0})
        run_blocking(postgres_store.put_checkpoint(later, {"a": Plain("t", b"1")}, head_channel=None, merge=True))
    assert rows_left(postgres, postgres_url)["channel_values"] == 7
    newest = run_blocking(postgres_store.checkpoint(KEY))
    assert newest is not None
    assert dict(newest.versions) == {"a": 5, "b": "x", "c": 1.0}
    assert newest.values == {"a": Plain("t", b"1"), "b": Plain("t", b"2")}


def test_a_deleted_session_leaves_no_row(
    postgres_store: PostgresStore, postgres_url: str, postgres: PostgresServer
) -> None:
    for key in (KEY, Key(KEY.session_id, KEY.tenant, "sub")):
        fill(postgres_store, key)
    assert run_blocking(postgres_store.delete(KEY)) == 8
    assert rows_left(postgres, postgres_url) == dict.fromkeys(TABLES, 0)


def test_what_nobody_wrote_to_for_long_is_purged_whole(
    postgres_store: PostgresStore, postgres_url: str, postgres: PostgresServer
) -> None:
    for number in range(7):
        fill(postgres_store, Key(f"old {number}"))
    fill(postgres_store, Key("held"))
    with postgres.connect() as connection:
        connection.execute(f"UPDATE {schema_of(postgres_url)}.sessions SET touched = now() - interval '31 days'")
        fill(postgres_store, Key("new"))
        fill(postgres_store, Key("old 3", "default", "a namespace that is in use"))
        with connection.transaction():
            connection.execute(f"SELECT 1 FROM {schema_of(postgres_url)}.sessions WHERE session_id = 'held' FOR UPDATE")
            assert len(run_blocking(postgres_store.purge(30 * 86_400, at_once=2))) == 6
    assert {s.key.session_id for s in run_blocking(postgres_store.sessions())} == {"held", "new", "old 3"}
    assert rows_left(postgres, postgres_url)["messages"] == 4 * 4
    assert run_blocking(postgres_store.purge(30 * 86_400, tenant="another")) == ()
    assert run_blocking(postgres_store.purge(30 * 86_400)) == (Key("held"),)


# Behind the door.


def test_sessions_work_on_it_in_both_voices(postgres_url: str) -> None:
    async def awaited() -> int:
        async with Sessions(postgres_url) as sessions:
            await sessions.session("s").aappend({"role": "assistant", "content": "hello"})
            return len((await sessions.session("s").aview()).messages)

    with Sessions(postgres_url) as sessions:
        sessions.session("s").append({"role": "user", "content": "hello"})
    assert asyncio.run(awaited()) == 2


def test_errors_and_the_server_log_hold_no_word_of_a_message(
    postgres_store: PostgresStore, postgres_url: str, postgres: PostgresServer
) -> None:
    run_blocking(postgres_store.append(KEY, [message(1, content="the secret word")]))
    with postgres.connect() as connection:
        connection.execute(f"ALTER TABLE {schema_of(postgres_url)}.messages ADD CHECK (seq < 2)")
    with pytest.raises(SessionError) as caught:
        run_blocking(postgres_store.append(KEY, [message(2, content="another secret")]))
    assert "secret" not in str(caught.value)
    assert "secret" not in json.dumps(postgres.log())
