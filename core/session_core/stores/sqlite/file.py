"""One SQLite file: connections, transactions, migrations, and translation of the driver's errors."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from session_core.errors import ConfigError, NewerSchema, StoreBusy, StoreError, StoreUnreadable
from session_core.runtime.forks import FORK_GUARD, ForkSafeLock
from session_core.stores import open_files
from session_core.stores.closing import Closing
from session_core.stores.sqlite.migrations import MIGRATIONS

BUSY_TIMEOUT_S = 30.0
"""Seconds that a writer waits for another one before StoreBusy."""
MOST_IDLE = 8
"""Maximum idle connections; more are opened for concurrent transactions."""

RETRY_S = 0.005
"""Delay between attempts where SQLite does not wait by itself."""
JOURNAL_ENDS = ("-wal", "-shm")
"""Behind the file's name: the journal, and the index of it that all processes share."""
CLOSED = "close the sessions, which saves what was stored before, and open them again"
KILLED = (
    "kill the processes that use the file (kill -9), and open it again: the journal has all that was stored, but who "
    "closes the file now removes what others stored since"
)
ERASING_S = 1.0
"""Seconds that an erasure waits for readers of the journal."""


@dataclass(slots=True)
class _Idle:
    """The idle connections of one process. A forked child must neither use nor close them."""

    connections: list[sqlite3.Connection] = field(default_factory=list)
    process: int = field(default_factory=os.getpid)
    beside: list[tuple[int, int] | None] | None = None
    """Identifies the journal and its index, which stay as long as a connection is open."""

    @property
    def ours(self) -> bool:
        return self.process == os.getpid()

    def close(self) -> None:
        while self.ours and self.connections:
            self.connections.pop().close()
        self.beside = None


class SqliteFile:
    """The file at `path`. Each transaction has its own connection, so it can be used from any thread.

    Writes are durable when their transaction ends: the journal is a WAL and every commit is synced. Deleted data is
    overwritten, and `erased` removes it from the journal too. In statements `now_s()` is the time of `clock`, in
    seconds since the epoch. Connections are closed when the object is garbage-collected without `close`.
    """

    def __init__(
        self, path: Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S, clock: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        # The process may change its working directory.
        self._place = path.absolute()
        self._beside = [Path(f"{self._place}{end}") for end in JOURNAL_ENDS]
        self._busy_timeout_s = busy_timeout_s
        self._clock = clock
        self._to_erase = False
        self._keep(_Idle())
        self._identity: tuple[int, int] | None = None
        self._lock = ForkSafeLock()
        FORK_GUARD.run_before_forks(self._let_go)
        self._closing = Closing(str(path))
        with self.writing() as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            self._migrate(connection, version)
        self._identity = _identity(self._place)

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection with a consistent snapshot of the database."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection with the only write transaction; the block is committed as a whole, or not at all."""
        # A fork in between would close idle connections, and the last one to close removes the journal.
        with FORK_GUARD:
            self._require_in_place()
            with self._transaction("BEGIN IMMEDIATE") as connection:
                yield connection
        if self._to_erase:
            self.erased(wait_s=0.0)

    def erased(self, *, wait_s: float = ERASING_S) -> bool:
        """Empty the journal, which may contain deleted data; returns whether that was possible.

        It is not while somebody reads from the journal, or if the disk is full; then the next write tries again. The
        last connection that closes the file does it in any case.
        """
        self._to_erase = True
        if self._closing.begun:
            return False
        with self._translated(), self._lent() as connection:
            connection.execute(f"PRAGMA busy_timeout = {round(wait_s * 1000)}")
            try:
                (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.OperationalError:
                # The deletion succeeded; only the journal could not be emptied yet.
                return False
            finally:
                connection.execute(f"PRAGMA busy_timeout = {round(self._busy_timeout_s * 1000)}")
        self._to_erase = bool(busy)
        return not busy

    def close(self) -> None:
        """Accept no more work; a transaction in progress ends first and then closes its own connection."""
        with self._lock:
            self._closing.begin()
        with FORK_GUARD:
            self._idle.close()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._translated(), self._lent() as connection:
            connection.execute(begin)
            yield connection
            connection.commit()

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        with FORK_GUARD:
            connection = self._taken()
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.rollback()
                self._given_back(connection)

    def _let_go(self) -> None:
        """Close idle connections before a fork.

        In the child SQLite would take the parent's locks for its own: it would wait for ever for a transaction of
        the parent, and take no locks of its own, so that another process that closes the file last would remove its
        journal.
        """
        with suppress(sqlite3.Error):
            self._idle.close()

    def _taken(self) -> sqlite3.Connection:
        with self._lock:
            if not self._idle.ours:
                self._keep(_Idle())
            self._closing.require_open()
            if self._idle.connections:
                return self._idle.connections.pop()
        self._require_in_place()
        return self._opened()

    def _keep(self, idle: _Idle) -> None:
        """Use these connections, and close them with this object; those of a parent live as long as it does."""
        self._idle = idle
        weakref.finalize(self, idle.close)

    def _require_in_place(self) -> None:
        """Raises: StoreUnreadable if the open file is no longer at its path.

        SQLite would continue to use it, and its data would be lost at the end of the process.
        """
        if self._identity is not None and _identity(self._place) != self._identity:
            raise StoreUnreadable(
                f"{self.path} was removed, replaced or made inaccessible while it was open, and nothing was written; "
                "put it back, or open the sessions again to continue with what is there"
            )
        # In this order, since another thread may be closing the last connection, which removes the journal.
        beside, idle = list(map(_identity, self._beside)), self._idle
        kept = idle.beside
        if kept is not None and beside != kept and idle.connections and idle.ours:
            journal_stays = beside[0] == kept[0]
            raise StoreUnreadable(
                f"{self.path}{JOURNAL_ENDS[journal_stays]} was removed while it was open, and nothing was written; "
                + (KILLED if journal_stays else CLOSED)
            )

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._place, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
        )
        try:
            self._keep_journal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.create_function("now_s", 0, self._clock)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _keep_journal(self, connection: sqlite3.Connection) -> None:
        """Set the journal to a WAL. SQLite does not wait if several do it first, so it is retried here."""
        end = time.monotonic() + self._busy_timeout_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as exc:
                if "locked" not in str(exc) or time.monotonic() > end:
                    raise
            time.sleep(RETRY_S)

    def _given_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closing.begun and self._idle.ours and len(self._idle.connections) < MOST_IDLE:
                if self._idle.beside is None:
                    self._idle.beside = list(map(_identity, self._beside))
                self._idle.connections.append(connection)
                return
        connection.close()

    def _migrate(self, connection: sqlite3.Connection, version: int) -> None:
        if version > len(MIGRATIONS):
            raise NewerSchema(
                f"{self.path} has schema {version}, this release knows {len(MIGRATIONS)}; "
                "upgrade with: pip install -U llm-sessions"
            )
        if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise StoreUnreadable(
                f"{self.path} is an SQLite database of another application; use a separate file for sessions"
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


def _identity(path: Path) -> tuple[int, int] | None:
    """Identifies the file at `path`; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _translate(exc: sqlite3.Error, path: Path) -> StoreError | ConfigError:
    text = str(exc)
    if "locked" in text or "busy" in text:
        return StoreBusy(f"{path}: another writer held the database too long ({text}); retry")
    if "disk is full" in text:
        return StoreError(f"{path}: the disk is full, and nothing of this was written; make room, then send it again")
    if "disk I/O error" in text:
        return StoreError(
            f"{path}: reading or writing the disk failed ({text}); check its free space, the limit on file size "
            "and the system's log, then send it again: messages with ids are stored once"
        )
    if "readonly" in text:
        return StoreError(
            f"{path}: no permission to write, and nothing was written; fix the permissions of the file, of those "
            "beside it (-wal, -shm) and of the folder"
        )
    if "unable to open" in text and open_files.none_left():
        return StoreBusy(f"{path} {open_files.LIMIT}")
    if "unable to open" in text and os.path.isdir(path):  # noqa: PTH112 (is_dir raises where the folder is shut)
        return StoreUnreadable(f"{path} is a directory; name a file in it")
    if "unable to open" in text:
        return StoreUnreadable(f"{path} cannot be opened ({text}); does its folder exist, and may you write there?")
    if "not a database" in text or "malformed" in text:
        return StoreUnreadable(
            f"{path} is not a readable SQLite database ({text}); see docs/runbook.md, or restore it from a backup"
        )
    if "no such module: fts5" in text:
        return ConfigError("this Python's sqlite3 was built without FTS5; use a Python that has it")
    return StoreError(f"{path}: {text}")
