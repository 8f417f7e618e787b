"""Pending writes in PostgreSQL: a row for what a task wrote in one go, and its messages once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from session_core.ports import Checkpoint, MessageList, Plain, Write
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, message
from session_core.turns import Message
from session_core.voices import run_blocking
from tests.postgres_server import PostgresServer

INTERRUPT = -3


@pytest.fixture
def tables(postgres: PostgresServer, postgres_schema: str) -> Iterator[psycopg.Connection[Any]]:
    with postgres.connect() as connection:
        connection.execute(f"SET search_path = {postgres_schema}")
        yield connection


def plain(index: int, data: bytes, task: str = "a") -> Write:
    return Write(task, index, "step", Plain("t", data))


def said(index: int, *messages: Message, task: str = "a") -> Write:
    return Write(task, index, "messages", MessageList(messages))


def write(store: PostgresStore, checkpoint_id: str, *writes: Write) -> None:
    run_blocking(store.put_writes(KEY, checkpoint_id, writes))


def put(store: PostgresStore, name: str, parent: str | None, *messages: Message) -> None:
    row = Checkpoint(KEY, name, parent, Plain("t", b"body"), {"messages": name})
    run_blocking(store.put_checkpoint(row, {"messages": MessageList(messages)}, head_channel="messages", merge=True))


def written(store: PostgresStore, checkpoint_id: str) -> Sequence[Write]:
    found = run_blocking(store.checkpoint(KEY, checkpoint_id))
    assert found is not None
    return found.writes


def told(write: Write) -> list[tuple[str, str]]:
    """Id and words of each message of a write."""
    assert isinstance(write.value, MessageList)
    return [(one.id, one.content) for one in write.value.items if isinstance(one, Message)]


def drafts(tables: psycopg.Connection[Any]) -> tuple[int, int]:
    """How many rows of drafts there are, and how many of them are taken."""
    row = tables.execute("SELECT count(*), count(nullif(data, '')) FROM drafts").fetchone()
    assert row is not None
    return row[0], row[1]


def test_the_messages_of_a_write_stand_in_a_draft_until_the_record_has_all_of_them(
    postgres_store: PostgresStore, tables: psycopg.Connection[Any]
) -> None:
    one, other = message(1), message(2)
    put(postgres_store, "1", None)
    write(postgres_store, "1", said(0, one, other))
    put(postgres_store, "2", "1", one)
    assert drafts(tables) == (1, 1)
    put(postgres_store, "3", "2", one, other)
    assert drafts(tables) == (1, 0)
    assert [told(each) for each in written(postgres_store, "1")] == [[(one.id, one.content), (other.id, other.content)]]


def test_a_message_that_got_its_id_on_the_way_into_the_record_is_stored_there_only(
    postgres_store: PostgresStore, tables: psycopg.Connection[Any]
) -> None:
    put(postgres_store, "1", None)
    write(postgres_store, "1", said(0, replace(message(1, content="without a name"), id="")))
    put(postgres_store, "2", "1", replace(message(1, content="without a name"), id="named"))
    assert drafts(tables) == (1, 0)
    assert [told(each) for each in written(postgres_store, "1")] == [[("", "without a name")]]


def test_a_long_thread_writes_its_drafts_over_each_other(
    postgres_store: PostgresStore, tables: psycopg.Connection[Any]
) -> None:
    put(postgres_store, "000", None)
    lines = [message(number) for number in range(1, 41)]
    for number, line in enumerate(lines, start=1):
        write(postgres_store, f"{number - 1:03d}", said(0, line))
        put(postgres_store, f"{number:03d}", f"{number - 1:03d}", *lines[:number])
    assert drafts(tables) == (1, 0)
    assert [told(*written(postgres_store, f"{number:03d}")) for number in range(40)] == [
        [(m.id, m.content)] for m in lines
    ]


def test_a_write_that_arrives_behind_its_child_has_no_draft_but_what_the_record_says(
    postgres_store: PostgresStore, tables: psycopg.Connection[Any]
) -> None:
    put(postgres_store, "1", None)
    put(postgres_store, "2", "1", message(1))
    write(postgres_store, "1", said(0, message(1)))
    assert drafts(tables) == (0, 0)
    assert [told(each) for each in written(postgres_store, "1")] == [[(message(1).id, message(1).content)]]


def test_a_draft_that_was_written_while_the_child_was_put_goes_with_the_next_one(
    postgres_store: PostgresStore, postgres: PostgresServer, tables: psycopg.Connection[Any], postgres_schema: str
) -> None:
    put(postgres_store, "1", None)
    write(postgres_store, "1", said(0, message(1)))
    with postgres.connect() as other, other.transaction():
        # As if the write had been under way: whoever puts the child does not see its row.
        other.execute(f"CREATE TABLE {postgres_schema}.aside AS SELECT * FROM {postgres_schema}.writes")
        other.execute(f"DELETE FROM {postgres_schema}.writes")
    put(postgres_store, "2", "1", message(1))
    tables.execute("INSERT INTO writes SELECT * FROM aside")
    assert drafts(tables) == (1, 1)
    put(postgres_store, "3", "2", message(1), message(2))
    assert drafts(tables) == (1, 0)


def test_drafts_whose_messages_never_come_stay_and_hold_nobody_up(
    postgres_store: PostgresStore, tables: psycopg.Connection[Any]
) -> None:
    put(postgres_store, "1", None)
    for number in range(30):
        write(postgres_store, "1", said(0, message(number), task=f"task {number:02d}"))
    assert drafts(tables) == (30, 30)
    write(postgres_store, "1", said(0, message(99), task="task 99"))
    put(postgres_store, "2", "1", message(99))
    assert drafts(tables) == (31, 30)
    write(postgres_store, "2", said(0, message(100)))
    assert drafts(tables) == (31, 31)
    assert [told(each)[0][0] for each in written(postgres_store, "1")] == [message(n).id for n in (*range(30), 99)]


def test_of_an_index_below_0_the_newer_write_stays_and_its_draft_alone(
    postgres_store: PostgresStore, tables: psycopg.Connection[Any]
) -> None:
    put(postgres_store, "1", None)
    write(postgres_store, "1", said(INTERRUPT, message(1)), plain(0, b"old"))
    write(postgres_store, "1", said(INTERRUPT, message(2)), plain(0, b"new"))
    special, ordinary = written(postgres_store, "1")
    assert told(special) == [(message(2).id, message(2).content)]
    assert ordinary == plain(0, b"old")
    assert drafts(tables) == (1, 1)


def test_a_task_that_writes_again_and_more_adds_what_was_not_there(
    postgres_store: PostgresStore, tables: psycopg.Connection[Any]
) -> None:
    put(postgres_store, "1", None)
    write(postgres_store, "1", plain(1, b"first"), plain(2, b"first"))
    write(postgres_store, "1", *(plain(index, b"again") for index in range(5)))
    assert [(w.index, w.value) for w in written(postgres_store, "1")] == [
        (index, Plain("t", b"first" if index in (1, 2) else b"again")) for index in range(5)
    ]
    write(postgres_store, "1", *(plain(index, b"third") for index in range(5)))
    assert len(written(postgres_store, "1")) == 5
    assert tables.execute("SELECT count(*) FROM writes").fetchone() == (3,)


def test_what_a_task_wrote_in_one_go_is_one_row(postgres_store: PostgresStore, tables: psycopg.Connection[Any]) -> None:
    put(postgres_store, "1", None)
    write(postgres_store, "1", said(0, message(1)), plain(1, b"x"), plain(2, b"y"), plain(INTERRUPT, b"z"))
    write(postgres_store, "1", plain(0, b"x", task="b"))
    assert tables.execute("SELECT task_id, position, last FROM writes ORDER BY 1, 2").fetchall() == [
        (b"=a", INTERRUPT, INTERRUPT),
        (b"=a", 0, 2),
        (b"=b", 0, 0),
    ]
