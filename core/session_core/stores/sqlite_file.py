"""One SQLite file: connections for each thread, transactions, migrations, and the driver's errors translated."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from session_core.errors import ConfigError, NewerSchema, StoreBusy, StoreError, StoreUnreadable
from session_core.stores.schema import MIGRATIONS

BUSY_TIMEOUT_S = 30.0
"""How long a writer waits for another one before it gives up with StoreBusy."""


class SqliteFile:
    """Opens `path` once for each thread that asks (and again after a fork); closes all at the end.

    Writes are durable when their transaction ends: the journal is a WAL and every commit is synced.
    """

    def __init__(self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = path
        self._busy_timeout_s = busy_timeout_s
        self._local = threading.local()
        self._opened: list[tuple[int, sqlite3.Connection]] = []
        self._lock = threading.Lock()
        self._generation = 0
        self._process = os.getpid()
        with self.writing() as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            self._migrate(connection, version)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one moment of the database."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection that alone may write; all of the block is kept, or nothing."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    def close(self) -> None:
        """Close every connection of this process; the next use opens a new one."""
        with self._lock:
            opened, self._opened = self._opened, []
            self._generation += 1
        for process, connection in opened:
            if process == os.getpid():
                connection.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._translated():
            connection = self._connection()
            if connection.in_transaction:
                raise StoreError(f"{self.path}: a transaction is open already in this thread")
            connection.execute(begin)
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def _connection(self) -> sqlite3.Connection:
        mine = (os.getpid(), self._generation)
        if getattr(self._local, "mine", None) == mine:
            connection: sqlite3.Connection = self._local.connection
            return connection
        connection = sqlite3.connect(
            self.path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        with self._lock:
            self._opened.append((os.getpid(), connection))
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        self._local.connection, self._local.mine = connection, mine
        return connection

    def _migrate(self, connection: sqlite3.Connection, version: int) -> None:
        if version > len(MIGRATIONS):
            raise NewerSchema(
                f"{self.path} has schema {version}, this release knows {len(MIGRATIONS)}; "
                "upgrade with: pip install -U llm-sessions"
            )
        if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise StoreUnreadable(
                f"{self.path} is an SQLite database of something else; name a file of its own for sessions"
            )
        for step in range(version, len(MIGRATIONS)):
            for statement in MIGRATIONS[step].split(";\n"):
                if statement.strip():
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {step + 1}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as exc:
            raise _translate(exc, self.path) from exc


def _translate(exc: sqlite3.Error, path: Path) -> StoreError | ConfigError:
    said = str(exc)
    if "locked" in said or "busy" in said:
        return StoreBusy(f"{path}: another writer held the database too long ({said}); retry")
    if "unable to open" in said:
        return StoreUnreadable(f"{path} cannot be opened ({said}); does its folder exist, and may you write there?")
    if "not a database" in said or "malformed" in said:
        return StoreUnreadable(f"{path} is not a readable SQLite database ({said}); restore it from a backup")
    if "no such module: fts5" in said:
        return ConfigError("this Python's sqlite3 was built without FTS5; use a Python that has it")
    return StoreError(f"{path}: {said}")
