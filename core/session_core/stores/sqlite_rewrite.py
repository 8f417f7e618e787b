"""Every value of a session in SQLite written anew where it stands, a few at a time, so that others go on."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from session_core.ports import MessageList, Plain, Write
from session_core.ranges import Ranges
from session_core.serial.codec import (
    body_digest,
    digest_to_plain,
    encode_body,
    notice_from_plain,
    notice_to_plain,
    pack,
    unpack,
)
from session_core.stores.rewrite import Change
from session_core.stores.sqlite_checkpoints import PART, packed, plain_from, write_value, writes_of
from session_core.stores.sqlite_file import SqliteFile
from session_core.stores.sqlite_rows import (
    STATE_COLUMNS,
    SessionRow,
    as_bytes,
    digests_of,
    messages_in,
    save_state,
    session_row,
    text_in,
    text_out,
)
from session_core.turns import Key, Message

AT_ONCE = 500
"""How many messages one transaction rewrites."""


def rewrite_rows(file: SqliteFile, key: Key, change: Change) -> int:
    """The `change` of all that the session and its namespaces hold; how many values changed."""
    with file.reading() as connection:
        rows = connection.execute(
            f"SELECT {STATE_COLUMNS} FROM sessions WHERE tenant = ? AND session_id = ?", (key.tenant, key.session_id)
        ).fetchall()
    changed = 0
    for found in map(SessionRow, rows):
        for first in range(1, found.next_seq, AT_ONCE):
            part = Ranges.span(first, first + AT_ONCE - 1)
            with file.writing() as connection:
                row = session_row(connection, found.state.key)
                changed += _messages(connection, row, part, change) if row else 0
        with file.writing() as connection:
            row = session_row(connection, found.state.key)
            changed += _values(connection, row, change) if row else 0
    return changed


def _messages(connection: sqlite3.Connection, row: SessionRow, part: Ranges, change: Change) -> int:
    changed = 0
    for old in messages_in(connection, row, part):
        new = change.message(row.state.key, old)
        if new == old:
            continue
        changed += 1
        connection.execute(
            "UPDATE messages SET author = ? WHERE session = ? AND seq = ?", (text_in(new.author), row.place, old.seq)
        )
        _body(connection, row, new)
    return changed


def _body(connection: sqlite3.Connection, row: SessionRow, message: Message) -> None:
    connection.execute(
        "UPDATE bodies SET data = ?, clip = coalesce(?, clip) WHERE session = ? AND digest = ?",
        (encode_body(message), text_in(message.clip), row.place, body_digest(message)),
    )


def _values(connection: sqlite3.Connection, row: SessionRow, change: Change) -> int:
    return (
        _authors(connection, row, change)
        + _digests(connection, row, change)
        + _notices(connection, row, change)
        + _checkpoints(connection, row, change)
        + _writes(connection, row, change)
    )


def _authors(connection: sqlite3.Connection, row: SessionRow, change: Change) -> int:
    ledger = row.state.ledger
    authors = tuple(dict.fromkeys(change.author(row.state.key, author) for author in ledger.authors))
    if authors == ledger.authors:
        return 0
    save_state(connection, row, replace(row.state, ledger=replace(ledger, authors=authors)))
    return 1


def _digests(connection: sqlite3.Connection, row: SessionRow, change: Change) -> int:
    changed = 0
    for old in list(digests_of(connection, row, row.state.ready.number)):
        new = change.digest(row.state.key, old)
        if new != old:
            changed += 1
            connection.execute(
                "UPDATE digests SET data = ? WHERE session = ? AND number = ?",
                (pack(digest_to_plain(new)), row.place, old.number),
            )
    return changed


def _notices(connection: sqlite3.Connection, row: SessionRow, change: Change) -> int:
    changed = 0
    found = connection.execute("SELECT number, data FROM notices WHERE session = ?", (row.place,)).fetchall()
    for number, data in found:
        old = notice_from_plain(unpack(as_bytes(data)))
        new = change.notice(row.state.key, old)
        if new != old:
            changed += 1
            connection.execute(
                "UPDATE notices SET data = ? WHERE session = ? AND number = ?",
                (pack(notice_to_plain(new)), row.place, number),
            )
    return changed


def _checkpoints(connection: sqlite3.Connection, row: SessionRow, change: Change) -> int:
    changed = 0
    bodies = connection.execute(
        "SELECT id, body_type, body FROM checkpoints WHERE session = ?", (row.place,)
    ).fetchall()
    for checkpoint_id, kind, data in bodies:
        new = _changed(row, ("checkpoint", text_out(checkpoint_id)), kind, data, change)
        if new is not None:
            changed += 1
            connection.execute(
                "UPDATE checkpoints SET body_type = ?, body = ? WHERE session = ? AND id = ?",
                (text_in(new.type), pack(new.data), row.place, checkpoint_id),
            )
    values = connection.execute(
        "SELECT channel, version, type, data FROM channel_values WHERE session = ? AND type <> ?", (row.place, PART)
    ).fetchall()
    for channel, version, kind, data in values:
        new = _changed(row, ("value", text_out(channel), text_out(version)), kind, data, change)
        if new is not None:
            changed += 1
            connection.execute(
                "UPDATE channel_values SET type = ?, data = ? WHERE session = ? AND channel = ? AND version = ?",
                (text_in(new.type), pack(new.data), row.place, channel, version),
            )
    return changed


def _writes(connection: sqlite3.Connection, row: SessionRow, change: Change) -> int:
    """Pending writes; of those that are messages the bodies too, which may stand in no record yet."""
    changed = 0
    ids = connection.execute("SELECT DISTINCT checkpoint FROM writes WHERE session = ?", (row.place,)).fetchall()
    for (checkpoint_id,) in ids:
        for write in writes_of(connection, row, text_out(checkpoint_id)):
            old = _with_clips(connection, row, write.value)
            new = _write_changed(row, text_out(checkpoint_id), replace(write, value=old), change)
            if new == old:
                continue
            changed += 1
            if isinstance(new, MessageList):
                for message in new.items:
                    if isinstance(message, Message):
                        _body(connection, row, message)
            value = write_value(connection, row, new)
            connection.execute(
                "UPDATE writes SET type = ?, data = ? "
                "WHERE session = ? AND checkpoint = ? AND task_id = ? AND position = ?",
                (text_in(value.type), packed(value), row.place, checkpoint_id, text_in(write.task_id), write.index),
            )
    return changed


def _with_clips(connection: sqlite3.Connection, row: SessionRow, value: Plain | MessageList) -> Plain | MessageList:
    """A write's messages with the clips that stand beside their bodies; the record will take both."""
    if isinstance(value, Plain):
        return value
    items = list(value.items)
    for i, item in enumerate(items):
        if isinstance(item, Message):
            found = connection.execute(
                "SELECT clip FROM bodies WHERE session = ? AND digest = ?", (row.place, body_digest(item))
            ).fetchone()
            items[i] = replace(item, clip=text_out(found[0]) if found and found[0] is not None else None)
    return replace(value, items=tuple(items))


def _write_changed(row: SessionRow, checkpoint_id: str, write: Write, change: Change) -> Plain | MessageList:
    key, value = row.state.key, write.value
    if isinstance(value, Plain):
        return change.plain(key, ("write", checkpoint_id, write.task_id, str(write.index)), value)
    items = tuple(change.message(key, item) if isinstance(item, Message) else item for item in value.items)
    return replace(value, items=items)


def _changed(row: SessionRow, place: tuple[str, ...], kind: str, data: object, change: Change) -> Plain | None:
    """The change of a serialized value, or None when it stays."""
    old = plain_from(text_out(kind), data)
    new = change.plain(row.state.key, place, old)
    return None if new == old else new
