"""LangGraph checkpoints in the SQLite file: small rows that refer to the record for their messages."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from session_core.ports import Appended, Checkpoint, Lease, MessageList, Plain, Stored, Version, Write
from session_core.ranges import Ranges
from session_core.sealed import seal_of_checkpoint, seal_of_writes
from session_core.serial.codec import body_digest, decode_body, pack, reading, unpack
from session_core.stores.list_parts import Before, base_of, store_list
from session_core.stores.rules import (
    require_lease,
    require_named,
    require_parent,
    require_values,
    sealed_by,
)
from session_core.stores.sqlite.file import SqliteFile
from session_core.stores.sqlite.leases import token_of
from session_core.stores.sqlite.rows import (
    STATE_COLUMNS,
    SessionRow,
    insert_messages,
    keep_body,
    maybe_out,
    number_rows,
    require_row,
    save_state,
    session_row,
    text_in,
    text_out,
)
from session_core.turns import Key, Message

PART = "part-of-record"
"""The type of a channel value that is a message list: its data are ranges of sequence numbers."""
BARE_COLUMNS = "id, parent_id, run_id, body_type, body, versions"
BODIES = "bodies"
"""The type of a write whose messages are in the table `bodies`."""


class SqliteCheckpoints:
    """The CheckpointStore half of the SQLite store."""

    _file: SqliteFile

    async def put_checkpoint(
        self,
        checkpoint: Checkpoint,
        new_values: Mapping[str, Plain | MessageList | None],
        *,
        head_channel: str | None,
        merge: bool,
        lease: Lease | None = None,
        follows: bool = False,
        born: str | None = None,
    ) -> Appended:
        require_values(checkpoint.key, (checkpoint.body, *new_values.values()))
        with self._file.writing() as connection:
            if lease is not None:
                require_lease(checkpoint.key, lease, token_of(connection, lease.key), of_any_namespace=True)
            row = require_row(connection, checkpoint.key)
            require_named(row.state, born, new_values.values())
            if follows:
                newest, stored = _newest(connection, row, checkpoint.id)
                require_parent(checkpoint.key, checkpoint.parent_id, newest, stored=stored)
            before = row.state.ledger
            _seal(connection, row, seal_of_checkpoint(checkpoint.body, new_values.values()))
            for channel, value in new_values.items():
                version = str(checkpoint.versions[channel])
                if value is None:
                    continue
                if isinstance(value, MessageList):
                    older = _part_before(connection, row, checkpoint.parent_id, channel)
                    part = _keep_list(connection, row, value, older, is_head=channel == head_channel, merge=merge)
                    value = Plain(PART, pack([list(pair) for pair in part.pairs]))
                connection.execute(
                    "INSERT OR REPLACE INTO channel_values (session, channel, version, type, data) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (row.rowid, text_in(channel), text_in(version), text_in(value.type), packed(value)),
                )
            connection.execute(
                "INSERT OR REPLACE INTO checkpoints (session, id, parent_id, run_id, body_type, body, versions) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    row.rowid,
                    text_in(checkpoint.id),
                    text_in(checkpoint.parent_id),
                    text_in(checkpoint.run_id),
                    text_in(checkpoint.body.type),
                    pack(checkpoint.body.data),
                    pack(dict(checkpoint.versions)),
                ),
            )
            after = row.state.ledger
            return Appended((), after.messages - before.messages, row.state, after.tokens - before.tokens)

    async def put_writes(self, key: Key, checkpoint_id: str, writes: Sequence[Write]) -> None:
        require_values(key, (write.value for write in writes))
        with self._file.writing() as connection:
            row = require_row(connection, key)
            _seal(connection, row, seal_of_writes(writes))
            for write in writes:
                value = write_value(connection, row, write.value)
                verb = "INSERT OR REPLACE" if write.index < 0 else "INSERT OR IGNORE"
                connection.execute(
                    f"{verb} INTO writes (session, checkpoint, task_id, position, channel, task_path, type, data) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        row.rowid,
                        text_in(checkpoint_id),
                        text_in(write.task_id),
                        write.index,
                        text_in(write.channel),
                        text_in(write.task_path),
                        text_in(value.type),
                        packed(value),
                    ),
                )

    async def checkpoint(self, key: Key, checkpoint_id: str | None = None) -> Checkpoint | None:
        with self._file.reading() as connection:
            row = session_row(connection, key)
            if row is None:
                return None
            found = connection.execute(
                f"SELECT {BARE_COLUMNS} FROM checkpoints "
                "WHERE session = ? AND (id = ? OR ? IS NULL) ORDER BY id DESC LIMIT 1",
                (row.rowid, text_in(checkpoint_id), text_in(checkpoint_id)),
            ).fetchone()
            with reading(f"a checkpoint of session {key}"):
                return filled(connection, row, bare_from(row.state.key, found)) if found else None

    async def checkpoints(
        self, tenant: str, session_id: str | None, namespace: str | None, *, before: str | None = None
    ) -> tuple[Checkpoint, ...]:
        with self._file.reading() as connection:
            rows = connection.execute(
                f"SELECT {STATE_COLUMNS} FROM sessions WHERE tenant = ? AND (session_id = ? OR ? IS NULL) "
                "AND (namespace = ? OR ? IS NULL)",
                tuple(map(text_in, (tenant, session_id, session_id, namespace, namespace))),
            ).fetchall()
            found: list[Checkpoint] = []
            for row in map(SessionRow, rows):
                kept = connection.execute(
                    f"SELECT {BARE_COLUMNS} FROM checkpoints WHERE session = ? AND (id < ? OR ? IS NULL)",
                    (row.rowid, text_in(before), text_in(before)),
                ).fetchall()
                with reading(f"a checkpoint of session {row.state.key}"):
                    found.extend(bare_from(row.state.key, one) for one in kept)
            return tuple(sorted(found, key=lambda checkpoint: checkpoint.id, reverse=True))

    async def fill(self, checkpoint: Checkpoint) -> Checkpoint:
        with self._file.reading() as connection:
            row = session_row(connection, checkpoint.key)
            with reading(f"a checkpoint of session {checkpoint.key}"):
                return filled(connection, row, checkpoint) if row else checkpoint


def _seal(connection: sqlite3.Connection, row: SessionRow, seal: bool | None) -> None:
    """Mark a session as sealed if it is from now on. Raises: StoreUnreadable."""
    state = sealed_by(row.state, seal)
    if state.sealed != row.state.sealed:
        save_state(connection, row, state)
    row.state = state


def _keep_list(
    connection: sqlite3.Connection, row: SessionRow, value: MessageList, before: Before, *, is_head: bool, merge: bool
) -> Ranges:
    """The part of the record for the list, after its new messages were added."""
    messages = [item for item in value.items if isinstance(item, Message)]
    outcome = number_rows(connection, row, messages, revise=True, lineage=base_of(value, before))
    insert_messages(connection, row, outcome)
    state, part = store_list(row.state, value, outcome, before, is_head=is_head, merge=merge)
    save_state(connection, row, state, new=len(outcome.new))
    return part


def _newest(connection: sqlite3.Connection, row: SessionRow, checkpoint_id: str) -> tuple[str | None, bool]:
    """The id of the newest checkpoint, and whether the one with `checkpoint_id` is stored."""
    sql = "SELECT max(id), max(id = ?) FROM checkpoints WHERE session = ?"
    newest, stored = connection.execute(sql, (text_in(checkpoint_id), row.rowid)).fetchone()
    return maybe_out(newest), bool(stored)


def _part_before(connection: sqlite3.Connection, row: SessionRow, parent_id: str | None, channel: str) -> Before:
    parent = connection.execute(
        "SELECT versions FROM checkpoints WHERE session = ? AND id = ?", (row.rowid, text_in(parent_id))
    ).fetchone()
    with reading(f"a checkpoint of session {row.state.key}"):
        version = cast(dict[str, Version], unpack(parent[0])).get(channel) if parent else None
    found = connection.execute(
        "SELECT data FROM channel_values WHERE session = ? AND channel = ? AND version = ? AND type = ?",
        (row.rowid, text_in(channel), text_in(str(version)), PART),
    ).fetchone()
    with reading(f"a checkpoint of session {row.state.key}"):
        return Before(version, part_from(found[0]) if found else Ranges())


def write_value(connection: sqlite3.Connection, row: SessionRow, value: Plain | MessageList) -> Plain:
    """The stored form of a write's value: messages are stored as bodies, and referred to."""
    if isinstance(value, Plain):
        return value
    messages = [item for item in value.items if isinstance(item, Message)]
    kept = []
    for message in messages:
        keep_body(connection, row, message)
        kept.append([message.id, body_digest(message), message.author])
    return Plain(BODIES, pack([value.single, kept]))


def packed(value: Plain) -> bytes:
    """The column that holds the value."""
    return value.data if value.type in (PART, BODIES) else pack(value.data)


def bare_from(key: Key, found: Sequence[Any]) -> Checkpoint:
    """The checkpoint in `BARE_COLUMNS`."""
    checkpoint_id, parent_id, run_id, body_type, body, versions = found
    return Checkpoint(
        key,
        text_out(checkpoint_id),
        maybe_out(parent_id),
        plain_from(text_out(body_type), body),
        cast(dict[str, Version], unpack(versions)),
        run_id=maybe_out(run_id),
    )


def filled(
    connection: sqlite3.Connection, row: SessionRow, bare: Checkpoint, channels: Sequence[str] | None = None
) -> Checkpoint:
    """The checkpoint with its values and writes; with `channels` only theirs."""
    values = values_of(connection, row, bare.versions, channels)
    return replace(bare, values=values, writes=writes_of(connection, row, bare.id, channels))


def values_of(
    connection: sqlite3.Connection,
    row: SessionRow,
    versions: Mapping[str, Version],
    channels: Sequence[str] | None = None,
) -> dict[str, Plain | Stored]:
    """The values stored under `versions`; with `channels` only theirs."""
    values: dict[str, Plain | Stored] = {}
    for channel, version in versions.items():
        if channels is not None and channel not in channels:
            continue
        kept = connection.execute(
            "SELECT type, data FROM channel_values WHERE session = ? AND channel = ? AND version = ?",
            (row.rowid, text_in(channel), text_in(str(version))),
        ).fetchone()
        if kept:
            values[channel] = Stored(part_from(kept[1])) if kept[0] == PART else plain_from(text_out(kept[0]), kept[1])
    return values


def writes_of(
    connection: sqlite3.Connection, row: SessionRow, checkpoint_id: str, channels: Sequence[str] | None = None
) -> tuple[Write, ...]:
    """The pending writes of a checkpoint, by task path, task and index; with `channels` only those to them."""
    found = connection.execute(
        "SELECT task_id, position, channel, type, data, task_path FROM writes "
        "WHERE session = ? AND checkpoint = ? ORDER BY task_path, task_id, position",
        (row.rowid, text_in(checkpoint_id)),
    ).fetchall()
    wanted = (one for one in found if channels is None or text_out(one[2]) in channels)
    return tuple(_write(connection, row, one) for one in wanted)


def _write(connection: sqlite3.Connection, row: SessionRow, found: Sequence[Any]) -> Write:
    task_id, position, channel, kind, data, task_path = found
    value: Plain | MessageList
    if kind == BODIES:
        value = _messages(connection, row, unpack(data))
    else:
        value = plain_from(text_out(kind), data)
    return Write(text_out(task_id), position, text_out(channel), value, text_out(task_path))


def _messages(connection: sqlite3.Connection, row: SessionRow, kept: Any) -> MessageList:
    single, entries = kept if isinstance(kept, list) else (False, [])
    items = []
    for message_id, digest, author in entries:
        (data,) = connection.execute(
            "SELECT data FROM bodies WHERE session = ? AND digest = ?", (row.rowid, digest)
        ).fetchone()
        items.append(decode_body(data, id=message_id, author=author))
    return MessageList(tuple(items), single=bool(single))


def plain_from(kind: str, data: bytes) -> Plain:
    """The serialized value of two columns."""
    value = unpack(data)
    return Plain(kind, value if isinstance(value, bytes) else str(value).encode())


def part_from(data: bytes) -> Ranges:
    """The part of the record in a column."""
    pairs = unpack(data)
    return Ranges.from_pairs(pairs if isinstance(pairs, list) else [])
