"""Calls to the server in two voices: connections for blocking threads, and connections per event loop."""

from __future__ import annotations

import os
import selectors
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

import psycopg
from psycopg import IsolationLevel
from psycopg.errors import SerializationFailure
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGconn

from session_core.stores.closing import Closing
from session_core.stores.gate import Gate, Place
from session_core.stores.postgres.address import Address
from session_core.stores.postgres.failures import Translated, no_connection, not_now
from session_core.stores.postgres.prepared import preparing
from session_core.stores.postgres.settings import AS_THEY_STAND
from session_core.voices import PerLoop, fair_gate, within

Row = tuple[Any, ...]
Call = tuple[str, Sequence[object]]
"""A statement and its values."""
Then = Callable[[list[Row]], Call]
"""What to send next, decided on what the first call gave."""
C = TypeVar("C", psycopg.Cursor[Row], psycopg.AsyncCursor[Row])

IDLE_S = 600.0
"""How long a connection that nobody needs stays open."""
LOOKED_AT_S = 0.1
"""A connection that waited for so long is looked at before it is used: the server may have ended it."""
FEW_ROWS = 100
"""A cursor keeps the last rows it gave; one that gave more is not used again."""


class Wire(Protocol):
    """Sends one statement and gives back its rows: one round trip, one transaction.

    Connections open when they are needed, in the caller's own thread or task: so a server that is
    not there is told at once with the reason, a fork meets no thread of ours, and a loop that ends
    waits for nothing. (psycopg's pool for event loops keeps a loop from ending that cancels it while
    it connects.) Who finds all connections taken is served by the order of coming.
    """

    async def fetch(self, sql: str, values: Sequence[object]) -> list[Row]: ...

    async def fetch_then(self, call: Call, then: Then) -> list[Row]:
        """The rows of the second of two calls in one transaction, which takes four round trips."""
        ...

    async def fetch_all(self, *calls: Call) -> list[list[Row]]:
        """The rows of each call, all in one round trip; each sees the data as they are when its turn comes."""
        ...

    async def close(self) -> None:
        """Close what waits for callers, and take no more."""
        ...

    def close_soon(self) -> None:
        """As `close`, for callers that cannot await."""
        ...


class BlockingWire:
    """For callers that block; safe with several threads, and after a fork."""

    def __init__(self, address: Address, closing: Closing) -> None:
        self._address = address
        self._closing = closing
        self._translated = Translated(address.shown)
        self._processes: dict[int, _ForThreads] = {}

    async def fetch(self, sql: str, values: Sequence[object]) -> list[Row]:
        mine = self._here()
        with self._translated:
            return mine.fetch((sql, values))

    async def fetch_then(self, call: Call, then: Then) -> list[Row]:
        mine = self._here()
        with self._translated:
            return mine.fetch(call, then)

    async def fetch_all(self, *calls: Call) -> list[list[Row]]:
        mine = self._here()
        with self._translated:
            return mine.fetch_all(calls)

    async def close(self) -> None:
        self.close_soon()

    def close_soon(self) -> None:
        self._closing.begin()
        mine = self._processes.pop(os.getpid(), None)
        if mine is not None:
            mine.close()

    def _here(self) -> _ForThreads:
        """The connections of this process. Raises: StoreClosed.

        A fork's child leaves those of its parent alone: both would speak over them.
        """
        self._closing.require_open()
        process = os.getpid()
        mine = self._processes.get(process) or self._processes.setdefault(process, _ForThreads(self._address))
        if self._closing.begun:
            # By another thread, which may not have seen this one.
            self.close_soon()
        return mine


class AwaitingWire:
    """For callers on event loops; what a loop opened ends with it."""

    def __init__(self, address: Address, closing: Closing) -> None:
        self._closing = closing
        self._translated = Translated(address.shown)
        self._loops = PerLoop(lambda: _ForLoop(address), _ForLoop.close, _ForLoop.cut)

    async def fetch(self, sql: str, values: Sequence[object]) -> list[Row]:
        with self._translated:
            return await (await self._here()).fetch((sql, values))

    async def fetch_then(self, call: Call, then: Then) -> list[Row]:
        with self._translated:
            return await (await self._here()).fetch(call, then)

    async def fetch_all(self, *calls: Call) -> list[list[Row]]:
        with self._translated:
            return await (await self._here()).fetch_all(calls)

    async def close(self) -> None:
        self._closing.begin()
        await self._loops.close()

    def close_soon(self) -> None:
        self._closing.begin()
        self._loops.close_soon()

    async def _here(self) -> _ForLoop:
        """The connections of the running loop. Raises: StoreClosed."""
        self._closing.require_open()
        mine = await self._loops.here()
        if self._closing.begun:
            # In another thread, which may not have seen this one.
            await self._loops.close()
        return mine


class _Free(Generic[C]):
    """Connections that wait for a caller, by their cursors; the one used last goes first.

    A cursor knows the types of what it sent and got before. A new one for each call looks each column up anew.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[C, float]] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def take(self) -> C | None:
        """One that still stands. What a server ended while it waited, by a restart say, breaks no call."""
        with self._lock:
            while self._waiting:
                cursor, since_s = self._waiting.pop()
                if monotonic() - since_s < LOOKED_AT_S or not _said_something(cursor.connection.pgconn):
                    return cursor
                cursor.connection.pgconn.finish()
            return None

    def give_back(self, cursor: C) -> list[C]:
        """Keep the connection for the next caller; those that have to be closed instead."""
        now = monotonic()
        connection = cursor.connection
        with self._lock:
            if self._closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
                # What broke one has most likely broken those that wait; one that we closed says nothing of them.
                broken = connection.broken and not _is_finished(connection.pgconn)
                unwanted = self._unused_since(now if broken else now - IDLE_S)
                unwanted.append(cursor)
                return unwanted
            self._waiting.append((cursor if cursor.rowcount <= FEW_ROWS else connection.cursor(), now))
            return self._unused_since(now - IDLE_S)

    def close(self) -> list[C]:
        """Keep none from now on; those that have to be closed."""
        with self._lock:
            self._closed = True
            return self._unused_since(monotonic())

    def _unused_since(self, moment_s: float) -> list[C]:
        found: list[C] = []
        while self._waiting and self._waiting[0][1] <= moment_s:
            found.append(self._waiting.popleft()[0])
        return found


class _ForThreads:
    """The connections of one process.

    Where the default isolation of the server is stricter than read committed, a call fails when another writer was
    quicker. Then nothing of it was kept, and it is made again in a transaction of ours, which waits for others.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._gate = Gate(address.max_connections)
        self._free = _Free[psycopg.Cursor[Row]]()

    def fetch(self, call: Call, then: Then | None = None) -> list[Row]:
        try:
            return self._fetched(call, then, waits=then is not None)
        except SerializationFailure:
            return self._fetched(call, then, waits=True)

    def _fetched(self, call: Call, then: Then | None, *, waits: bool) -> list[Row]:
        place, cursor = self._enter()
        try:
            if not waits:
                return cursor.execute(*call, binary=True).fetchall()
            with cursor.connection.transaction():
                rows = cursor.execute(*call, binary=True).fetchall()
                return rows if then is None else cursor.execute(*then(rows), binary=True).fetchall()
        except BaseException as exc:
            _finished_if_interrupted(exc, cursor.connection.pgconn)
            raise
        finally:
            self._leave(place, cursor)

    def fetch_all(self, calls: Sequence[Call]) -> list[list[Row]]:
        place, taken = self._enter()
        try:
            with _interruptible(), taken.connection.pipeline():
                cursors = [taken.connection.execute(*call, binary=True) for call in calls]
            return [cursor.fetchall() for cursor in cursors]
        except SerializationFailure:
            pass
        except BaseException as exc:
            _finished_if_interrupted(exc, taken.connection.pgconn)
            raise
        finally:
            self._leave(place, taken)
        return [self._fetched(call, None, waits=True) for call in calls]

    def _enter(self) -> tuple[Place, psycopg.Cursor[Row]]:
        """A place, and a connection's cursor, for one caller, who must `_leave` them."""
        place = self._gate.enter(wait_s=self._address.wait_s)
        if place is None:
            raise no_connection(self._address)
        try:
            return place, self._free.take() or self._opened()
        except BaseException:
            self._gate.leave(place)
            raise

    def _leave(self, place: Place, cursor: psycopg.Cursor[Row]) -> None:
        """Give them to the next."""
        try:
            for unwanted in self._free.give_back(cursor):
                unwanted.connection.close()
        finally:
            self._gate.leave(place)

    def close(self) -> None:
        for unwanted in self._free.close():
            unwanted.connection.close()

    def _opened(self) -> psycopg.Cursor[Row]:
        try:
            made = psycopg.connect(self._address.conninfo, autocommit=True, prepare_threshold=None)
            with _finished_if_broken_off(made.pgconn):
                made.execute(AS_THEY_STAND)
                made.isolation_level = IsolationLevel.READ_COMMITTED
                return preparing(made, wanted=self._address.prepare).cursor()
        except psycopg.OperationalError as exc:
            raise not_now(exc, self._address.shown) from exc


class _ForLoop:
    """The connections of one event loop; as `_ForThreads`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._gate = fair_gate(address.max_connections)
        self._free = _Free[psycopg.AsyncCursor[Row]]()

    async def fetch(self, call: Call, then: Then | None = None) -> list[Row]:
        try:
            return await self._fetched(call, then, waits=then is not None)
        except SerializationFailure:
            return await self._fetched(call, then, waits=True)

    async def _fetched(self, call: Call, then: Then | None, *, waits: bool) -> list[Row]:
        async with self._taken() as cursor:
            if not waits:
                return await (await cursor.execute(*call, binary=True)).fetchall()
            async with cursor.connection.transaction():
                rows = await (await cursor.execute(*call, binary=True)).fetchall()
                return rows if then is None else await (await cursor.execute(*then(rows), binary=True)).fetchall()

    async def fetch_all(self, calls: Sequence[Call]) -> list[list[Row]]:
        try:
            async with self._taken() as taken:
                with _interruptible():
                    async with taken.connection.pipeline():
                        cursors = [await taken.connection.execute(*call, binary=True) for call in calls]
                return [await cursor.fetchall() for cursor in cursors]
        except SerializationFailure:
            return [await self._fetched(call, None, waits=True) for call in calls]

    @asynccontextmanager
    async def _taken(self) -> AsyncIterator[psycopg.AsyncCursor[Row]]:
        async with AsyncExitStack() as place:
            try:
                await within(self._address.wait_s, place.enter_async_context(self._gate))
            except TimeoutError as exc:
                raise no_connection(self._address) from exc
            cursor = self._free.take() or await self._opened()
            try:
                yield cursor
            except BaseException as exc:
                _finished_if_interrupted(exc, cursor.connection.pgconn)
                raise
            finally:
                for unwanted in self._free.give_back(cursor):
                    await unwanted.connection.close()

    async def close(self) -> None:
        for unwanted in self._free.close():
            await unwanted.connection.close()

    def cut(self) -> None:
        """Close what waits for callers when the loop cannot: it stands still or is closed."""
        while (unwanted := self._free.take()) is not None:
            unwanted.connection.pgconn.finish()

    async def _opened(self) -> psycopg.AsyncCursor[Row]:
        try:
            made = await psycopg.AsyncConnection.connect(
                self._address.conninfo, autocommit=True, prepare_threshold=None
            )
            with _finished_if_broken_off(made.pgconn):
                await made.execute(AS_THEY_STAND)
                await made.set_isolation_level(IsolationLevel.READ_COMMITTED)
                return preparing(made, wanted=self._address.prepare).cursor()
        except psycopg.OperationalError as exc:
            raise not_now(exc, self._address.shown) from exc


@contextmanager
def _finished_if_broken_off(connection: PGconn) -> Iterator[None]:
    """Closes the connection where the block does not end: a task may be cancelled while it is set up."""
    try:
        yield
    except BaseException:
        connection.finish()
        raise


@contextmanager
def _interruptible() -> Iterator[None]:
    """Around a pipeline: the driver puts an error in the place of an interruption that meets its end."""
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


def _finished_if_interrupted(exc: BaseException, connection: PGconn) -> None:
    """Closes the connection of a call that was interrupted: what it prepared, and whether its pipeline ended, is not
    known."""
    if not isinstance(exc, Exception):
        connection.finish()


def _is_finished(connection: Any) -> bool:
    """Whether we closed it, or the driver did; the driver's protocol of a connection does not name this."""
    return connection.pgconn_ptr is None


def _said_something(connection: PGconn) -> bool:
    """Whether there is something to read though nobody asked: the server's last words, or its end."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.socket, selectors.EVENT_READ)
        return bool(selector.select(0))
