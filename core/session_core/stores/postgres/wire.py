"""Calls to the server in two voices: connections for blocking threads, and connections per event loop."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Protocol, TypeVar

import psycopg
from psycopg import IsolationLevel
from psycopg.errors import SerializationFailure

from session_core.runtime.offload import BUSY_ROWS
from session_core.stores.closing import Closing
from session_core.stores.fair_semaphore import FairSemaphore, Place
from session_core.stores.postgres.address import Address
from session_core.stores.postgres.connections import (
    IdleConnections,
    Row,
    closing_if_unfinished,
    interruptible,
)
from session_core.stores.postgres.failures import Translated
from session_core.stores.postgres.prepared import preparing
from session_core.stores.postgres.room import LOOKED_FOR_S, Room
from session_core.stores.postgres.settings import AS_THEY_STAND
from session_core.stores.refusals import no_connection
from session_core.voices import THREADS, PerLoop, fair_semaphore, pause_awaiting, with_timeout

T = TypeVar("T")
ROWS_AT_ONCE = 500
"""How many rows are read before the event loop has its turn."""

Call = tuple[str, Sequence[object]]
"""A statement and its values."""
Then = Callable[[list[Row]], Call]
"""Computes the next statement from the rows of the first."""


class Wire(Protocol):
    """Sends one statement and returns its rows: one round trip, one transaction.

    Connections open when they are needed, in the caller's own thread or task: so an unreachable server is reported
    at once with the reason, a fork meets no thread of ours, and an ending loop waits for nothing. (psycopg's async
    pool blocks the end of a loop that cancels it while it connects.) Callers wait for a free connection in FIFO
    order. If the server has no room for a further one, they wait for those of this process too.
    """

    async def fetch(self, sql: str, values: Sequence[object]) -> list[Row]: ...

    async def fetch_then(self, call: Call, then: Then) -> list[Row]:
        """The rows of the second of two calls in one transaction, which takes four round trips."""
        ...

    async def fetch_read(self, call: Call, read: Callable[[Row], T]) -> list[T]:
        """The rows of a call, each as `read` gives it; many rows are read off the event loop."""
        ...

    async def fetch_all(self, *calls: Call) -> list[list[Row]]:
        """The rows of each call, all in one round trip; each sees the data at its turn."""
        ...

    async def close(self) -> None:
        """Close idle connections, and accept no more calls."""
        ...

    def close_soon(self) -> None:
        """As `close`, for callers that cannot await."""
        ...


class BlockingWire:
    """The wire for blocking callers; thread-safe and fork-safe."""

    def __init__(self, address: Address, closing: Closing) -> None:
        self._address = address
        self._closing = closing
        self._translated = Translated(address.shown)
        self._processes: dict[int, _ForThreads] = {}

    async def fetch(self, sql: str, values: Sequence[object]) -> list[Row]:
        mine = self._current()
        with self._translated:
            return mine.fetch((sql, values))

    async def fetch_then(self, call: Call, then: Then) -> list[Row]:
        mine = self._current()
        with self._translated:
            return mine.fetch(call, then)

    async def fetch_read(self, call: Call, read: Callable[[Row], T]) -> list[T]:
        mine = self._current()
        with self._translated:
            return list(map(read, mine.fetch(call)))

    async def fetch_all(self, *calls: Call) -> list[list[Row]]:
        mine = self._current()
        with self._translated:
            return mine.fetch_all(calls)

    async def close(self) -> None:
        self.close_soon()

    def close_soon(self) -> None:
        self._closing.begin()
        mine = self._processes.pop(os.getpid(), None)
        if mine is not None:
            mine.close()

    def _current(self) -> _ForThreads:
        """The connections of this process. Raises: StoreClosed.

        A forked child must not use those of its parent.
        """
        self._closing.require_open()
        process = os.getpid()
        mine = self._processes.get(process) or self._processes.setdefault(process, _ForThreads(self._address))
        if self._closing.begun:
            # Closed by another thread, which may not have seen this sender.
            self.close_soon()
        return mine


class AwaitingWire:
    """The wire for async callers; a loop's connections end with it."""

    def __init__(self, address: Address, closing: Closing) -> None:
        self._closing = closing
        self._translated = Translated(address.shown)
        self._loops = PerLoop(lambda: _ForLoop(address), _ForLoop.close, _ForLoop.cut)

    async def fetch(self, sql: str, values: Sequence[object]) -> list[Row]:
        with self._translated:
            return await (await self._current()).fetch((sql, values))

    async def fetch_then(self, call: Call, then: Then) -> list[Row]:
        with self._translated:
            return await (await self._current()).fetch(call, then)

    async def fetch_read(self, call: Call, read: Callable[[Row], T]) -> list[T]:
        with self._translated:
            return await (await self._current()).fetch_read(call, read)

    async def fetch_all(self, *calls: Call) -> list[list[Row]]:
        with self._translated:
            return await (await self._current()).fetch_all(calls)

    async def close(self) -> None:
        self._closing.begin()
        await self._loops.close()

    def close_soon(self) -> None:
        self._closing.begin()
        self._loops.close_soon()

    async def _current(self) -> _ForLoop:
        """The connections of the running loop. Raises: StoreClosed."""
        self._closing.require_open()
        mine = await self._loops.current()
        if self._closing.begun:
            # Closed in another thread, which may not have seen this sender.
            await self._loops.close()
        return mine


class _ForThreads:
    """The connections of one process.

    If the server's default isolation is stricter than read committed, a call fails when another writer was faster.
    It had no effect then, and is repeated in a read committed transaction.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._gate = FairSemaphore(address.max_connections)
        self._free = IdleConnections[psycopg.Cursor[Row]]()

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
            self._free.after_failure(exc, cursor)
            raise
        finally:
            self._leave(place, cursor)

    def fetch_all(self, calls: Sequence[Call]) -> list[list[Row]]:
        place, taken = self._enter()
        try:
            with interruptible(), taken.connection.pipeline():
                cursors = [taken.connection.execute(*call, binary=True) for call in calls]
            return [cursor.fetchall() for cursor in cursors]
        except SerializationFailure:
            pass
        except BaseException as exc:
            self._free.after_failure(exc, taken)
            raise
        finally:
            self._leave(place, taken)
        return [self._fetched(call, None, waits=True) for call in calls]

    def _enter(self) -> tuple[Place, psycopg.Cursor[Row]]:
        """A place and a connection's cursor for one caller, which must call `_leave`."""
        place = self._gate.enter(wait_s=self._address.wait_s)
        if place is None:
            raise no_connection(self._address.shown, self._address.max_connections, self._address.wait_s)
        try:
            return place, self._free.take() or self._found()
        except BaseException:
            self._gate.leave(place)
            raise

    def _leave(self, place: Place, cursor: psycopg.Cursor[Row]) -> None:
        """Pass them to the next caller."""
        try:
            for unwanted in self._free.give_back(cursor):
                unwanted.connection.close()
        finally:
            self._gate.leave(place)

    def close(self) -> None:
        for unwanted in self._free.close():
            unwanted.connection.close()

    def _found(self) -> psycopg.Cursor[Row]:
        """A new connection or, if the server has no room for it, one that another caller gave back."""
        room = Room(self._free, self._address)
        while True:
            try:
                with self._free.opening():
                    return self._opened()
            except psycopg.OperationalError as exc:
                if (cursor := self._free.take()) is not None:
                    return cursor
                room.require_patience(exc)
            while not room.to_be_asked_for:
                time.sleep(LOOKED_FOR_S)
                if (cursor := self._free.take()) is not None:
                    return cursor

    def _opened(self) -> psycopg.Cursor[Row]:
        made = psycopg.connect(self._address.conninfo, autocommit=True, prepare_threshold=None)
        with closing_if_unfinished(made.pgconn):
            made.execute(AS_THEY_STAND)
            made.isolation_level = IsolationLevel.READ_COMMITTED
            return self._free.opened(preparing(made, wanted=self._address.prepare).cursor())


class _ForLoop:
    """The connections of one event loop; as `_ForThreads`."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._gate = fair_semaphore(address.max_connections)
        self._free = IdleConnections[psycopg.AsyncCursor[Row]]()

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

    async def fetch_read(self, call: Call, read: Callable[[Row], T]) -> list[T]:
        try:
            async with self._taken() as cursor:
                await cursor.execute(*call, binary=True)
                if cursor.rowcount <= BUSY_ROWS:
                    return list(map(read, await cursor.fetchall()))
                found: list[T] = []
                while rows := await cursor.fetchmany(ROWS_AT_ONCE):
                    found += await THREADS(partial(_all_read, rows, read))
                return found
        except SerializationFailure:
            return list(map(read, await self._fetched(call, None, waits=True)))

    async def fetch_all(self, calls: Sequence[Call]) -> list[list[Row]]:
        try:
            async with self._taken() as taken:
                with interruptible():
                    async with taken.connection.pipeline():
                        cursors = [await taken.connection.execute(*call, binary=True) for call in calls]
                return [await cursor.fetchall() for cursor in cursors]
        except SerializationFailure:
            return [await self._fetched(call, None, waits=True) for call in calls]

    @asynccontextmanager
    async def _taken(self) -> AsyncIterator[psycopg.AsyncCursor[Row]]:
        async with AsyncExitStack() as place:
            try:
                await with_timeout(self._address.wait_s, place.enter_async_context(self._gate))
            except TimeoutError as exc:
                raise no_connection(self._address.shown, self._address.max_connections, self._address.wait_s) from exc
            cursor = self._free.take() or await self._found()
            try:
                yield cursor
            except BaseException as exc:
                self._free.after_failure(exc, cursor)
                raise
            finally:
                for unwanted in self._free.give_back(cursor):
                    await unwanted.connection.close()

    async def close(self) -> None:
        for unwanted in self._free.close():
            await unwanted.connection.close()

    def cut(self) -> None:
        """Close idle connections without the loop, which is blocked or closed."""
        while (unwanted := self._free.take()) is not None:
            unwanted.connection.pgconn.finish()

    async def _found(self) -> psycopg.AsyncCursor[Row]:
        room = Room(self._free, self._address)
        while True:
            try:
                with self._free.opening():
                    return await self._opened()
            except psycopg.OperationalError as exc:
                if (cursor := self._free.take()) is not None:
                    return cursor
                room.require_patience(exc)
            while not room.to_be_asked_for:
                await pause_awaiting(LOOKED_FOR_S)
                if (cursor := self._free.take()) is not None:
                    return cursor

    async def _opened(self) -> psycopg.AsyncCursor[Row]:
        made = await psycopg.AsyncConnection.connect(self._address.conninfo, autocommit=True, prepare_threshold=None)
        with closing_if_unfinished(made.pgconn):
            await made.execute(AS_THEY_STAND)
            await made.set_isolation_level(IsolationLevel.READ_COMMITTED)
            return self._free.opened(preparing(made, wanted=self._address.prepare).cursor())


def _all_read(rows: Sequence[Row], read: Callable[[Row], T]) -> list[T]:
    return list(map(read, rows))
