"""Idle connections to PostgreSQL, and what an interrupted call does with its own."""

from __future__ import annotations

import selectors
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary, WeakSet

import psycopg
from psycopg.errors import ReadOnlySqlTransaction
from psycopg.pq import PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGconn

Row = tuple[Any, ...]
C = TypeVar("C", psycopg.Cursor[Row], psycopg.AsyncCursor[Row])

IDLE_S = 600.0
"""Seconds that an unused connection stays open."""
LOOKED_AT_S = 0.1
"""A connection idle for longer is checked before use, since the server may have closed it."""
STANDBY_S = 5.0
"""Seconds after which a connection to a standby is replaced: the name in the URL may lead to the primary by then."""
YOUNG_S = 1.0
"""A connection younger than this stays, though it takes no writes: a new one would lead to the same server."""
READ_ONLY = (b"in_hot_standby", b"default_transaction_read_only")
"""What a server (from PostgreSQL 14) reports at the start of a connection."""
FEW_ROWS = 100
"""A cursor keeps its last rows; after more than this it is not used again."""


class IdleConnections(Generic[C]):
    """Idle connections with their cursors; the most recently used goes first.

    A cursor remembers the types of what it sent and received. A new one for each call would look up each column
    again.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[C, float]] = deque()
        self._lock = threading.Lock()
        self._closed = False
        self._opened_s: WeakKeyDictionary[object, float] = WeakKeyDictionary()
        self._standbys: WeakSet[object] = WeakSet()
        self._in_use = 0
        self._opening = 0
        self._left_s = 0.0
        """Connections opened until then lead to a server that was left, and are not used again."""

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Around an attempt to open a connection."""
        with self._lock:
            self._opening += 1
        try:
            yield
        finally:
            with self._lock:
                self._opening -= 1

    @property
    def is_awaited(self) -> bool:
        """Whether a caller has a connection to give back, or is about to."""
        return self._in_use + self._opening > 0

    def opened(self, cursor: C) -> C:
        """`cursor`, whose connection is new."""
        connection = cursor.connection
        with self._lock:
            self._in_use += 1
            self._opened_s[connection] = monotonic()
            if b"on" in map(connection.pgconn.parameter_status, READ_ONLY):
                self._standbys.add(connection)
        return cursor

    def take(self) -> C | None:
        """A connection that is still open; one that the server closed meanwhile fails no call."""
        with self._lock:
            while self._waiting:
                cursor, since_s = self._waiting.pop()
                pgconn = cursor.connection.pgconn
                if not self._is_left(cursor) and (monotonic() - since_s < LOOKED_AT_S or not _has_unread_data(pgconn)):
                    self._in_use += 1
                    return cursor
                pgconn.finish()
            return None

    def _is_left(self, cursor: C) -> bool:
        """Whether the connection may lead to a server that was replaced. One to a standby that only reads is told by
        no error."""
        if not self._left_s and not self._standbys:
            return False
        opened_s = self._opened_s[cursor.connection]
        standby = cursor.connection in self._standbys
        return opened_s <= self._left_s or (standby and opened_s <= monotonic() - STANDBY_S)

    def give_back(self, cursor: C) -> list[C]:
        """Keep the connection for the next caller; returns those that must be closed instead."""
        now = monotonic()
        connection = cursor.connection
        with self._lock:
            self._in_use -= 1
            if self._closed or not _is_at_rest(connection.pgconn):
                # What broke one connection has most likely broken the idle ones, unless we closed it.
                broken = connection.broken and not _is_finished(connection.pgconn)
                unwanted = self._unused_since(now if broken else now - IDLE_S)
                unwanted.append(cursor)
                return unwanted
            self._waiting.append((cursor if cursor.rowcount <= FEW_ROWS else connection.cursor(), now))
            return self._unused_since(now - IDLE_S)

    def after_failure(self, exc: BaseException, cursor: C) -> None:
        """Close the connection of a call that failed, if it cannot be used again.

        What an interrupted call prepared, and whether its pipeline ended, is unknown. A connection to a standby stays
        there: after a failover only new ones lead to the primary, so no other old one is used again either. A server
        that never takes writes is not connected to anew by each of them.
        """
        if isinstance(exc, ReadOnlySqlTransaction):
            with self._lock:
                young_s = monotonic() - YOUNG_S
                if self._opened_s[cursor.connection] > young_s:
                    return
                self._left_s = max(self._left_s, young_s)
            cursor.connection.pgconn.finish()
        elif not isinstance(exc, Exception):
            cursor.connection.pgconn.finish()

    def close(self) -> list[C]:
        """Keep none from now on; returns those that must be closed."""
        with self._lock:
            self._closed = True
            return self._unused_since(monotonic())

    def _unused_since(self, moment_s: float) -> list[C]:
        found: list[C] = []
        while self._waiting and self._waiting[0][1] <= moment_s:
            found.append(self._waiting.popleft()[0])
        return found


@contextmanager
def closing_if_unfinished(connection: PGconn) -> Iterator[None]:
    """Closes the connection if the block does not finish: a task may be cancelled during its setup."""
    try:
        yield
    except BaseException:
        connection.finish()
        raise


def _is_at_rest(connection: PGconn) -> bool:
    """Whether nothing is under way. The driver leaves a pipeline open when a task is cancelled that begins one: what is
    sent over it next is not committed, and its locks are held, until the connection is closed."""
    idle = connection.transaction_status == TransactionStatus.IDLE
    return idle and connection.pipeline_status == PipelineStatus.OFF


@contextmanager
def interruptible() -> Iterator[None]:
    """Around a pipeline: the driver replaces an interruption at its end by an error of its own."""
    before = sys.exception()
    try:
        yield
    except psycopg.Error as exc:
        cause = exc.__context__
        while isinstance(cause, Exception) and cause is not before:
            cause = cause.__context__
        if cause is not None and cause is not before:
            raise cause from None
        raise


def _is_finished(connection: Any) -> bool:
    """Whether we or the driver closed it; the driver's protocol of a connection does not name this."""
    return connection.pgconn_ptr is None


def _has_unread_data(connection: PGconn) -> bool:
    """Whether there is unsolicited data to read: the server's last message, or the end of the stream."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.socket, selectors.EVENT_READ)
        return bool(selector.select(0))
