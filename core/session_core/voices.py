"""Runs coroutines in two voices: blocking, without an event loop, and async, without blocking one."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary, ref

from session_core.errors import VoiceError
from session_core.runtime.offload import Executor, run_serially
from session_core.runtime.process_bound import ProcessBound

T = TypeVar("T")
R = TypeVar("R")
_Place = tuple[int, asyncio.AbstractEventLoop]
"""A process id and an event loop in it."""

MAX_THREADS = 1
"""How many threads per loop run CPU-bound work, and how many more run questions."""


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which must finish without waiting for an event loop. Works in notebooks, forks, any
    thread.

    Driven by a single `send`, without a loop or a thread. Raises: VoiceError if `work` needs an event loop.
    """
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    name = getattr(work, "__qualname__", "this call")
    work.close()
    raise VoiceError(
        f"{name} needs an event loop; call the async method (await session.a...), or give the "
        "policy a summarizer, embedder or store with blocking calls"
    )


class _Threaded(ProcessBound):
    """A proxy of a port with blocking coroutines; each call runs in a thread of the loop, or by `executor`."""

    def __init__(self, port: object, executor: Executor) -> None:
        self._port, self._executor = port, executor

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._port, name)
        if not inspect.iscoroutinefunction(attribute):
            return attribute

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._executor(lambda: run_blocking(attribute(*args, **kwargs)))

        return call


def running_loop() -> asyncio.AbstractEventLoop:
    """The loop that runs the caller. Raises: VoiceError where there is none, as under trio."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise VoiceError(
            "async methods need an asyncio event loop; elsewhere call the blocking method in a thread, with trio: "
            "await trio.to_thread.run_sync(session.append, messages)"
        ) from None


async def in_thread(work: Callable[..., R], *args: Any) -> R:
    """The result of `work`, run in a thread of the loop; in the caller's at the exit of the interpreter. Raises:
    VoiceError where there is no loop."""
    loop = running_loop()
    try:
        begun = loop.run_in_executor(None, partial(copy_context().run, work, *args))
    except RuntimeError as exc:
        # While the interpreter exits, as in `atexit`, no thread begins any more. If a thread cannot begin for another
        # reason, `work` is queued already, for those that there are.
        if "shutdown" not in str(exc):
            raise
        return work(*args)
    return await begun


def threaded(port: T) -> T:
    """`port` for async callers: the same methods, each run in a thread instead of on the loop."""
    return cast(T, _Threaded(port, in_thread))


def threaded_through(port: T, done: Callable[[Callable[[], Any]], Any]) -> T:
    """As `threaded`; each call is run by `done`, in the thread."""
    return cast(T, _Threaded(port, lambda work: in_thread(done, work)))


def executed_by(port: T, executor: Executor) -> T:
    """`port`, whose coroutines are CPU-bound: the same methods, each run by `executor`."""
    return cast(T, _Threaded(port, executor))


class _Awaited(ProcessBound):
    """A proxy of a port some of whose methods may be plain functions; each of `names` can be awaited."""

    def __init__(self, port: object, names: Sequence[str]) -> None:
        self._port, self._names = port, names

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._port, name)
        if name not in self._names:
            return attribute

        async def call(*args: Any, **kwargs: Any) -> Any:
            made = attribute(*args, **kwargs)
            return await made if inspect.isawaitable(made) else made

        return call


def awaitable(port: T, *names: str) -> T:
    """`port` with methods `names` that can be awaited, even if they were defined without `async`."""
    plain = not all(inspect.iscoroutinefunction(getattr(port, name, None)) for name in names)
    return cast(T, _Awaited(port, names)) if plain else port


class PerLoop(Generic[T]):
    """One `T` per event loop: what one loop opened, no other may use, nor a forked child, which shares the sockets.

    `opened` creates it, `closed` ends it on the same loop, at the latest when that loop ends. If the loop is blocked,
    or was closed without shutting down its generators, `cut` closes what is open without it.
    """

    def __init__(
        self, opened: Callable[[], T], closed: Callable[[T], Awaitable[None]], cut: Callable[[T], None]
    ) -> None:
        self._opened = opened
        self._closed = closed
        self._cut = cut
        self._entries: dict[_Place, tuple[T, AsyncGenerator[T, None]]] = {}

    async def current(self) -> T:
        """The object of the running loop."""
        place = os.getpid(), running_loop()
        held = self._entries.get(place)
        if held is not None:
            return held[0]
        self._cut_closed()
        # An ending loop closes its asynchronous generators, which notifies ours.
        keeper = self._keep_open(place)
        made = await anext(keeper)
        self._entries[place] = made, keeper
        return made

    async def close(self) -> None:
        """Close that of the running loop, and ask the other loops to close theirs."""
        mine = asyncio.get_running_loop()
        self.close_soon(but=mine)
        held = self._entries.get((os.getpid(), mine))
        if held is not None:
            await held[1].aclose()

    def close_soon(self, *, but: asyncio.AbstractEventLoop | None = None) -> None:
        """Ask each loop to close its own; for callers that cannot await."""
        self._cut_closed()
        for (process, loop), (made, keeper) in list(self._entries.items()):
            if process != os.getpid() or loop is but:
                continue
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(keeper.aclose(), loop)
            else:
                self._cut(made)

    def _cut_closed(self) -> None:
        mine = os.getpid()
        for place in [place for place in list(self._entries) if place[0] == mine and place[1].is_closed()]:
            held = self._entries.pop(place, None)
            if held is not None:
                self._cut(held[0])

    async def _keep_open(self, place: _Place) -> AsyncGenerator[T, None]:
        made = self._opened()
        try:
            yield made
        finally:
            self._entries.pop(place, None)
            await self._closed(made)


def cut(transport: asyncio.WriteTransport) -> None:
    """Close the socket at once: a normal close waits for unsent bytes and for TLS, for which an ending loop has no
    time.
    """
    connected = transport.get_extra_info("socket")
    if connected is not None:
        with suppress(OSError):
            _shut(connected)
    try:
        transport.abort()
    except RuntimeError:
        # The loop is closed and runs nothing more: this is asyncio's own last step.
        under = getattr(getattr(transport, "_ssl_protocol", None), "_transport", transport)
        last_step = getattr(under, "_call_connection_lost", None)
        if last_step is not None:
            with suppress(RuntimeError):
                last_step(None)


def _shut(connected: Any) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except TypeError:
        # uvloop's sockets lack it; a duplicate of the same socket has it.
        with socket.socket(fileno=os.dup(connected.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)


def _call(work: Callable[[], T]) -> T:
    return work()


class ThreadExecutor:
    """`Executor` for async callers: CPU-bound work runs by `done` in a thread, at most `MAX_THREADS` per loop and
    instance."""

    def __init__(self, done: Callable[[Callable[[], Any]], Any] = _call) -> None:
        self._done = done
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    async def __call__(self, work: Callable[[], T], /) -> T:
        """The result of `work`."""
        loop = running_loop()
        gate = self._gates.get(loop)
        if gate is None:
            gate = self._gates[loop] = asyncio.Semaphore(MAX_THREADS)
        async with gate:
            result: T = await in_thread(self._done, work)
            return result


THREADS = ThreadExecutor()
"""Shared by all stores and sessions, since a loop is slowed down by all threads alike."""
SERIAL_THREADS = ThreadExecutor(run_serially)
"""The same for questions, which may take long: other callers do not queue behind them."""


async def pause_blocking(seconds: float) -> None:
    """Sleep in the calling thread."""
    time.sleep(seconds)  # noqa: ASYNC251 (the blocking voice: no loop waits behind it)


async def pause_awaiting(seconds: float) -> None:
    """Sleep without blocking the loop."""
    await asyncio.sleep(seconds)


async def at_once(works: Sequence[Callable[[], Coroutine[Any, Any, object]]]) -> Sequence[object]:
    """The results of all `works`, run concurrently on the running loop; an exception takes the place of a result."""
    return await asyncio.gather(*(work() for work in works), return_exceptions=True)


def fair_semaphore(places: int) -> asyncio.Semaphore:
    """For `async with`: admits so many callers of one loop at a time, in FIFO order."""
    return asyncio.Semaphore(places)


async def with_timeout(timeout_s: float, work: Awaitable[T]) -> T:
    """The result of `work`, or TimeoutError after `timeout_s` seconds."""
    async with asyncio.timeout(timeout_s):
        return await work


_UNDO_TASKS: set[asyncio.Task[None]] = set()
"""Clean-up tasks of cancelled callers; a loop holds only weak references to its tasks."""


async def finish_or_undo(
    work: Coroutine[Any, Any, T], undo: Callable[[T], Coroutine[Any, Any, object]] | None = None
) -> T:
    """The result of `work`. If the caller is cancelled, `work` still runs to its end, and its effect is undone."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        rest = asyncio.ensure_future(_undo_finished(task, undo))
        _UNDO_TASKS.add(rest)
        rest.add_done_callback(_UNDO_TASKS.discard)
        raise


async def _undo_finished(task: asyncio.Task[T], undo: Callable[[T], Coroutine[Any, Any, object]] | None) -> None:
    await asyncio.wait([task])
    if not task.cancelled() and task.exception() is None and undo is not None:
        await undo(task.result())


class CallingTask:
    """The task that creates this, observed without keeping it alive; outside of a loop there is none."""

    def __init__(self) -> None:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        self._seen = ref(task) if task is not None else None

    @property
    def cancelled(self) -> bool:
        """Whether it ended by a cancellation, as far as it is still known."""
        task = self._seen() if self._seen is not None else None
        return task is not None and task.cancelled()

    @property
    def ended(self) -> bool:
        """Whether it ended; what it began may be going on in another task."""
        task = self._seen() if self._seen is not None else None
        return self._seen is not None and (task is None or task.done())


class RenewableTimeout:
    """`async with RenewableTimeout(10) as timeout`: a timeout that `timeout.renew()` restarts. Raises: TimeoutError."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._limit = asyncio.timeout(seconds)

    def renew(self) -> None:
        """Restart the timeout."""
        self._limit.reschedule(asyncio.get_running_loop().time() + self._seconds)

    async def __aenter__(self) -> RenewableTimeout:
        await self._limit.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> None:
        await self._limit.__aexit__(*raised)
