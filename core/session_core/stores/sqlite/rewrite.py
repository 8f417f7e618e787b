"""Rewrites every value of a session in SQLite in small steps, so that others can go on."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from session_core.ports import MessageList, Plain, Write
from session_core.ranges import Ranges
from session_core.serial.codec import (
    body_digest,
    digest_from_plain,
    digest_to_plain,
    encode_body,
    notice_from_plain,
    notice_to_plain,
    pack,
    unpack,
)
from session_core.stores.plain_state import state_to_plain
from session_core.stores.rewrite import Change, changed_authors, changed_write
from session_core.stores.sqlite.checkpoints import PART, packed, plain_from, write_value, writes_of
from session_core.stores.sqlite.file import SqliteFile
from session_core.stores.sqlite.rows import (
    STATE_COLUMNS,
    SessionRow,
    maybe_out,
    messages_in,
    session_row,
    text_in,
    text_out,
)
from session_core.turns import Key, Message

MESSAGES_AT_ONCE = 250
"""Messages per transaction; about 15 ms, in which nobody else can write."""
VALUES_AT_ONCE = 50
"""Checkpoints, values or writes, which may be larger, per transaction."""

Step = Callable[[sqlite3.Connection, SessionRow, Sequence[Any], Change], int]
"""Rewrites the values at some places; returns how many changed."""


def rewrite_rows(file: SqliteFile, key: Key, change: Change) -> int:
    """Applies `change` to all that the session and its namespaces hold; returns how many values changed.

    Each step reads and writes in one transaction, so nothing that others wrote is lost.
    """
    with file.reading() as connection:
        rows = connection.execute(
            f"SELECT {STATE_COLUMNS} FROM sessions WHERE tenant = ? AND session_id = ?",
            (text_in(key.tenant), text_in(key.session_id)),
        ).fetchall()
    return sum(_rewrite(file, SessionRow(row), change) for row in rows)


def _rewrite(file: SqliteFile, found: SessionRow, change: Change) -> int:
    """Rewrites one namespace. Writes go last, so that bodies that became messages meanwhile are rewritten too."""

    def in_steps(places: Sequence[Any], at_once: int, step: Step) -> int:
        changed = 0
        for start in range(0, len(places), at_once):
            with file.writing() as connection:
                began_s = time.monotonic()
                row = session_row(connection, found.state.key)
                changed += step(connection, row, places[start : start + at_once], change) if row else 0
            # SQLite's lock has no queue: without a pause, other writers could starve.
            time.sleep(time.monotonic() - began_s)
        return changed

    def places(sql: str, *values: object) -> list[Any]:
        with file.reading() as connection:
            return connection.execute(sql, (found.rowid, *values)).fetchall()

    values = "SELECT channel, version FROM channel_values WHERE session = ? AND type <> ?"
    return (
        in_steps(range(1, found.next_seq), MESSAGES_AT_ONCE, _messages)
        + in_steps([None], 1, _authors)
        + in_steps(places("SELECT number FROM digests WHERE session = ?"), VALUES_AT_ONCE, _digests)
        + in_steps(places("SELECT number FROM notices WHERE session = ?"), VALUES_AT_ONCE, _notices)
        + in_steps(places("SELECT id FROM checkpoints WHERE session = ?"), VALUES_AT_ONCE, _checkpoints)
        + in_steps(places(values, PART), VALUES_AT_ONCE, _channel_values)
        + in_steps(places("SELECT DISTINCT checkpoint FROM writes WHERE session = ?"), VALUES_AT_ONCE, _writes)
    )


def _messages(connection: sqlite3.Connection, row: SessionRow, seqs: Sequence[int], change: Change) -> int:
    changed = 0
    for old in messages_in(connection, row, Ranges.span(seqs[0], seqs[-1])):
        new = change.message(row.state.key, old)
        if new == old:
            continue
        changed += 1
        connection.execute(
            "UPDATE messages SET author = ? WHERE session = ? AND seq = ?", (text_in(new.author), row.rowid, old.seq)
        )
        _body(connection, row, new)
    return changed


def _body(connection: sqlite3.Connection, row: SessionRow, message: Message) -> None:
    connection.execute(
        "UPDATE bodies SET data = ?, clip = coalesce(?, clip) WHERE session = ? AND digest = ?",
        (encode_body(message), text_in(message.clip), row.rowid, body_digest(message)),
    )


def _authors(connection: sqlite3.Connection, row: SessionRow, _: Sequence[Any], change: Change) -> int:
    ledger = row.state.ledger
    authors = changed_authors(change, row.state.key, ledger.authors)
    if authors == ledger.authors:
        return 0
    state = replace(row.state, ledger=replace(ledger, authors=authors))
    # Not save_state, which would count as activity.
    connection.execute("UPDATE sessions SET state = ? WHERE id = ?", (pack(state_to_plain(state)), row.rowid))
    return 1


def _digests(connection: sqlite3.Connection, row: SessionRow, numbers: Sequence[Any], change: Change) -> int:
    def changed(data: bytes) -> bytes:
        return pack(digest_to_plain(change.digest(row.state.key, digest_from_plain(unpack(data)))))

    return _numbered(connection, row, "digests", numbers, changed)


def _notices(connection: sqlite3.Connection, row: SessionRow, numbers: Sequence[Any], change: Change) -> int:
    def changed(data: bytes) -> bytes:
        return pack(notice_to_plain(change.notice(row.state.key, notice_from_plain(unpack(data)))))

    return _numbered(connection, row, "notices", numbers, changed)


def _numbered(
    connection: sqlite3.Connection,
    row: SessionRow,
    table: str,
    numbers: Sequence[Any],
    changed: Callable[[bytes], bytes],
) -> int:
    count = 0
    for (number,) in numbers:
        found = connection.execute(
            f"SELECT data FROM {table} WHERE session = ? AND number = ?", (row.rowid, number)
        ).fetchone()
        old = found[0] if found else b""
        if old and (new := changed(old)) != old:
            count += 1
            connection.execute(
                f"UPDATE {table} SET data = ? WHERE session = ? AND number = ?", (new, row.rowid, number)
            )
    return count


def _checkpoints(connection: sqlite3.Connection, row: SessionRow, ids: Sequence[Any], change: Change) -> int:
    changed = 0
    for (checkpoint_id,) in ids:
        found = connection.execute(
            "SELECT body_type, body FROM checkpoints WHERE session = ? AND id = ?", (row.rowid, checkpoint_id)
        ).fetchone()
        new = _changed(row, ("checkpoint", text_out(checkpoint_id)), found, change)
        if new is not None:
            changed += 1
            connection.execute(
                "UPDATE checkpoints SET body_type = ?, body = ? WHERE session = ? AND id = ?",
                (text_in(new.type), pack(new.data), row.rowid, checkpoint_id),
            )
    return changed


def _channel_values(connection: sqlite3.Connection, row: SessionRow, places: Sequence[Any], change: Change) -> int:
    changed = 0
    for channel, version in places:
        found = connection.execute(
            "SELECT type, data FROM channel_values WHERE session = ? AND channel = ? AND version = ? AND type <> ?",
            (row.rowid, channel, version, PART),
        ).fetchone()
        new = _changed(row, ("value", text_out(channel), text_out(version)), found, change)
        if new is not None:
            changed += 1
            connection.execute(
                "UPDATE channel_values SET type = ?, data = ? WHERE session = ? AND channel = ? AND version = ?",
                (text_in(new.type), pack(new.data), row.rowid, channel, version),
            )
    return changed


def _writes(connection: sqlite3.Connection, row: SessionRow, ids: Sequence[Any], change: Change) -> int:
    """Rewrites pending writes; for messages also the bodies, which may not be in a record yet."""
    changed = 0
    for (checkpoint_id,) in ids:
        for write in writes_of(connection, row, text_out(checkpoint_id)):
            old = replace(write, value=_with_clips(connection, row, write.value))
            new = changed_write(change, row.state.key, text_out(checkpoint_id), old)
            if new is not old:
                changed += 1
                _put_write(connection, row, text_out(checkpoint_id), new)
    return changed


def _put_write(connection: sqlite3.Connection, row: SessionRow, checkpoint_id: str, write: Write) -> None:
    if isinstance(write.value, MessageList):
        for message in write.value.items:
            if isinstance(message, Message):
                _body(connection, row, message)
    value = write_value(connection, row, write.value)
    connection.execute(
        "UPDATE writes SET type = ?, data = ? WHERE session = ? AND checkpoint = ? AND task_id = ? AND position = ?",
        (text_in(value.type), packed(value), row.rowid, text_in(checkpoint_id), text_in(write.task_id), write.index),
    )


def _with_clips(connection: sqlite3.Connection, row: SessionRow, value: Plain | MessageList) -> Plain | MessageList:
    """A write's messages with the clips stored beside their bodies, since the record will take both."""
    if isinstance(value, Plain):
        return value
    items = list(value.items)
    for i, item in enumerate(items):
        if isinstance(item, Message):
            found = connection.execute(
                "SELECT clip FROM bodies WHERE session = ? AND digest = ?", (row.rowid, body_digest(item))
            ).fetchone()
            items[i] = replace(item, clip=maybe_out(found[0]) if found else None)
    return replace(value, items=tuple(items))


def _changed(row: SessionRow, place: tuple[str, ...], found: Sequence[Any] | None, change: Change) -> Plain | None:
    """The changed form of a serialized value, or None if it is unchanged or gone."""
    if found is None:
        return None
    old = plain_from(text_out(found[0]), found[1])
    new = change.plain(row.state.key, place, old)
    return None if new == old else new
