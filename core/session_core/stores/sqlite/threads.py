"""LangGraph threads in SQLite: ancestors of checkpoints, deletion, copies; one transaction each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from session_core.ports import Checkpoint, Holding, Stored, Version
from session_core.ranges import Ranges
from session_core.serial.codec import decode_body, reading, unpack
from session_core.stores.refusals import copy_exists
from session_core.stores.rules import begun, require_version, with_head
from session_core.stores.sqlite.checkpoints import BARE_COLUMNS, BODIES, bare_from, filled, values_of
from session_core.stores.sqlite.file import SqliteFile
from session_core.stores.sqlite.rows import (
    STATE_COLUMNS,
    SessionRow,
    digests_of,
    index_words,
    require_row,
    save_state,
    session_row,
    text_in,
    text_out,
)
from session_core.turns import Key

_COPIED = {
    "digests": "number, data",
    "notices": "number, data",
    "checkpoints": BARE_COLUMNS,
    "channel_values": "channel, version, type, data",
    "writes": "checkpoint, task_id, position, channel, task_path, type, data",
}
"""The columns after the session's rowid that are copied unchanged."""


class SqliteThreads:
    """The thread methods of `CheckpointStore` in SQLite."""

    _file: SqliteFile

    async def ancestors(self, key: Key, checkpoint_id: str, channels: Sequence[str]) -> tuple[Checkpoint, ...]:
        with self._file.reading() as connection:
            row = session_row(connection, key)
            bare = row and _bare(connection, row, checkpoint_id)
            found: list[Checkpoint] = []
            missing, seen = set(channels), {checkpoint_id}
            while row and bare and missing and (bare := _bare(connection, row, bare.parent_id)):
                if bare.id in seen:
                    break
                seen.add(bare.id)
                with reading(f"a checkpoint of session {key}"):
                    found.append(filled(connection, row, bare, channels))
                missing -= set(found[-1].values)
            return tuple(found)

    async def checkpoints_of_runs(self, tenant: str, run_ids: Sequence[str]) -> tuple[Checkpoint, ...]:
        found: list[Checkpoint] = []
        with self._file.reading() as connection:
            for run_id in dict.fromkeys(run_ids):
                rows = connection.execute(
                    f"SELECT s.session_id, s.namespace, {', '.join(f'c.{name}' for name in BARE_COLUMNS.split(', '))} "
                    "FROM checkpoints c JOIN sessions s ON s.id = c.session WHERE c.run_id = ? AND s.tenant = ?",
                    (text_in(run_id), text_in(tenant)),
                ).fetchall()
                with reading("a checkpoint"):
                    found.extend(bare_from(Key(text_out(one[0]), tenant, text_out(one[1])), one[2:]) for one in rows)
        return tuple(sorted(found, key=lambda checkpoint: checkpoint.id, reverse=True))

    async def parts(self, key: Key, channels: Sequence[str]) -> Mapping[str, Ranges]:
        found: dict[str, Ranges] = {}
        with self._file.reading() as connection:
            row = session_row(connection, key)
            for name, versions in _versions(connection, row) if row else ():
                values = values_of(connection, row, versions, channels) if row else {}
                lists = (values.get(channel) for channel in channels)
                part = next((value.part for value in lists if isinstance(value, Stored)), None)
                found |= {} if part is None else {name: part}
        return found

    async def drop_checkpoints(
        self,
        key: Key,
        checkpoint_ids: Sequence[str],
        *,
        parents: Mapping[str, str | None] | None = None,
        head: Ranges | None = None,
        expected: int | None = None,
    ) -> None:
        with self._file.writing() as connection:
            row = session_row(connection, key)
            if row is None:
                return
            require_version(row.state, expected)
            gone = [(row.rowid, text_in(name)) for name in checkpoint_ids]
            _drop_values(connection, row, set(checkpoint_ids))
            connection.executemany("DELETE FROM checkpoints WHERE session = ? AND id = ?", gone)
            _drop_writes(connection, row, gone)
            connection.executemany(
                "UPDATE checkpoints SET parent_id = ? WHERE session = ? AND id = ?",
                [(text_in(parent), row.rowid, text_in(name)) for name, parent in (parents or {}).items()],
            )
            save_state(connection, row, row.state if head is None else with_head(row.state, head))
        self._file.erased(wait_s=0.0)

    async def copy_session(self, key: Key, session_id: str) -> None:
        target = replace(key, session_id=session_id, namespace="")
        with self._file.writing() as connection:
            if _rows(connection, target):
                raise copy_exists(key, target)
            for row in _rows(connection, key):
                _copy(connection, row, replace(target, namespace=row.state.key.namespace))

    async def holdings(self, key: Key) -> tuple[Holding, ...]:
        with self._file.reading() as connection:
            return tuple(
                Holding(row.state, tuple(digests_of(connection, row, row.state.ready.number))[::-1])
                for row in _rows(connection, key)
            )


def _rows(connection: sqlite3.Connection, key: Key) -> list[SessionRow]:
    """The session and its namespaces."""
    found = connection.execute(
        f"SELECT {STATE_COLUMNS} FROM sessions WHERE tenant = ? AND session_id = ? ORDER BY namespace",
        (text_in(key.tenant), text_in(key.session_id)),
    )
    return [SessionRow(one) for one in found]


def _bare(connection: sqlite3.Connection, row: SessionRow, checkpoint_id: str | None) -> Checkpoint | None:
    found = connection.execute(
        f"SELECT {BARE_COLUMNS} FROM checkpoints WHERE session = ? AND id = ?", (row.rowid, text_in(checkpoint_id))
    ).fetchone()
    with reading(f"a checkpoint of session {row.state.key}"):
        return bare_from(row.state.key, found) if found else None


def _versions(connection: sqlite3.Connection, row: SessionRow) -> list[tuple[str, dict[str, Version]]]:
    """All checkpoints of the session, with the versions of their channels."""
    found = connection.execute("SELECT id, versions FROM checkpoints WHERE session = ?", (row.rowid,)).fetchall()
    with reading(f"a checkpoint of session {row.state.key}"):
        return [(text_out(name), cast(dict[str, Version], unpack(packed))) for name, packed in found]


def _drop_values(connection: sqlite3.Connection, row: SessionRow, gone: set[str]) -> None:
    """Delete the values that only the checkpoints `gone` refer to."""
    named: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for name, versions in _versions(connection, row):
        named[name in gone].update((channel, str(version)) for channel, version in versions.items())
    connection.executemany(
        "DELETE FROM channel_values WHERE session = ? AND channel = ? AND version = ?",
        [(row.rowid, text_in(channel), text_in(version)) for channel, version in named[True] - named[False]],
    )


def _drop_writes(connection: sqlite3.Connection, row: SessionRow, gone: Sequence[tuple[object, ...]]) -> None:
    """Delete the writes of checkpoints, and bodies that neither a message nor another write refers to."""
    bodies: set[bytes] = set()
    for place in gone:
        bodies |= _bodies(connection, "session = ? AND checkpoint = ?", place)
        connection.execute("DELETE FROM writes WHERE session = ? AND checkpoint = ?", place)
    bodies -= _bodies(connection, "session = ?", (row.rowid,)) if bodies else set()
    connection.executemany(
        "DELETE FROM bodies WHERE session = ? AND digest = ? AND NOT EXISTS "
        "(SELECT 1 FROM messages WHERE messages.body = bodies.id)",
        [(row.rowid, digest) for digest in bodies],
    )


def _bodies(connection: sqlite3.Connection, where: str, values: Iterable[object]) -> set[bytes]:
    """The bodies that some writes refer to."""
    found = connection.execute(f"SELECT data FROM writes WHERE {where} AND type = ?", (*values, BODIES))
    kept = (cast("list[list[list[bytes]]]", unpack(data)) for (data,) in found)
    return {digest for _, entries in kept for _, digest, _ in entries}


def _copy(connection: sqlite3.Connection, row: SessionRow, target: Key) -> None:
    made = require_row(connection, target)
    save_state(connection, made, replace(row.state, key=target, born=begun(target).born), new=row.next_seq - 1)
    places = (made.rowid, row.rowid)
    for table, columns in _COPIED.items():
        connection.execute(
            f"INSERT INTO {table} (session, {columns}) SELECT ?, {columns} FROM {table} WHERE session = ?", places
        )
    connection.execute(
        "INSERT INTO bodies (session, digest, data, clip, clip_tokens) "
        "SELECT ?, digest, data, clip, clip_tokens FROM bodies WHERE session = ? ORDER BY id",
        places,
    )
    columns = "seq, id, author, time_s, tokens, importance"
    connection.execute(
        f"INSERT INTO messages (session, body, {columns}) "
        f"SELECT n.session, n.id, {', '.join(f'm.{name}' for name in columns.split(', '))} FROM messages m "
        "JOIN bodies o ON o.id = m.body JOIN bodies n ON n.session = ? AND n.digest = o.digest WHERE m.session = ?",
        places,
    )
    # Word hashes are keyed with the session's secret (see `word_marks`), so the copy has others.
    indexed = connection.execute(
        "SELECT n.id, n.data FROM bodies n JOIN bodies o ON o.session = ? AND o.digest = n.digest AND o.indexed = 1 "
        "WHERE n.session = ?",
        (row.rowid, made.rowid),
    ).fetchall()
    for body, data in indexed:
        index_words(connection, made, decode_body(data), body)
