"""Runs coroutines in two voices: blocking, without an event loop, and async, without blocking one."""

from __future__ import annotations

import asyncio
import inspect
import os
import socket
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from session_core.apart import Apart, done_in_turn
from session_core.errors import VoiceError

T = TypeVar("T")
R = TypeVar("R")
_Place = tuple[int, asyncio.AbstractEventLoop]
"""A process and a loop in it."""

AT_ONCE = 1
"""How many threads of a loop are busy with what would keep it waiting, and how many more with questions."""


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which must finish without waiting for an event loop.

    It is sent once: no loop, no thread, so it works inside a running loop (notebooks), after a fork
    and in any thread. Raises: VoiceError when `work` waits for something only a loop can give.
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


class _Threaded:
    """Stands for a port whose coroutines block; each call runs in a thread of the loop's executor, or as `apart` has
    it."""

    def __init__(self, port: object, apart: Apart) -> None:
        self._port, self._apart = port, apart

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._port, name)
        if not inspect.iscoroutinefunction(attribute):
            return attribute

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._apart(lambda: run_blocking(attribute(*args, **kwargs)))

        return call


def threaded(port: T) -> T:
    """`port` for awaiting callers: the same methods, each run in a thread instead of on the loop."""
    return cast(T, _Threaded(port, asyncio.to_thread))


def threaded_in_turn(port: T, done: Callable[[Callable[[], Any]], Any]) -> T:
    """As `threaded`; each call is run by `done`, in the thread."""
    return cast(T, _Threaded(port, lambda work: asyncio.to_thread(done, work)))


def run_apart(port: T, apart: Apart) -> T:
    """`port`, whose coroutines keep a processor busy: the same methods, each run as `apart` has it."""
    return cast(T, _Threaded(port, apart))


class _Awaited:
    """Stands for a port some of whose methods may be plain ones; each of `names` can be awaited."""

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
    """`port`, whose methods called `names` can be awaited, also where somebody wrote `def` and not `async def`."""
    plain = not all(inspect.iscoroutinefunction(getattr(port, name, None)) for name in names)
    return cast(T, _Awaited(port, names)) if plain else port


class PerLoop(Generic[T]):
    """One `T` for each event loop that asks: what one loop opened, no other may use.

    `opened` makes it, `closed` ends it; the latter runs on the same loop, at the latest when that ends.
    Where it cannot, since the loop stands still or was closed without a word to its generators, `cut`
    closes what is open, without that loop. The child of a fork leaves those of its parent as they are: both have the
    same sockets.
    """

    def __init__(
        self, opened: Callable[[], T], closed: Callable[[T], Awaitable[None]], cut: Callable[[T], None]
    ) -> None:
        self._opened = opened
        self._closed = closed
        self._cut = cut
        self._held: dict[_Place, tuple[T, AsyncGenerator[T, None]]] = {}

    async def here(self) -> T:
        """The one of the running loop."""
        place = os.getpid(), asyncio.get_running_loop()
        held = self._held.get(place)
        if held is not None:
            return held[0]
        self._cut_closed()
        # A loop that ends closes its asynchronous generators: so ours hears of it.
        keeper = self._kept(place)
        made = await anext(keeper)
        self._held[place] = made, keeper
        return made

    async def close(self) -> None:
        """End the one of the running loop, and ask the other loops to end theirs."""
        mine = asyncio.get_running_loop()
        self.close_soon(but=mine)
        held = self._held.get((os.getpid(), mine))
        if held is not None:
            await held[1].aclose()

    def close_soon(self, *, but: asyncio.AbstractEventLoop | None = None) -> None:
        """Ask each loop to end its own; for callers that cannot await."""
        self._cut_closed()
        for (process, loop), (made, keeper) in list(self._held.items()):
            if process != os.getpid() or loop is but:
                continue
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(keeper.aclose(), loop)
            else:
                self._cut(made)

    def _cut_closed(self) -> None:
        mine = os.getpid()
        for place in [place for place in list(self._held) if place[0] == mine and place[1].is_closed()]:
            held = self._held.pop(place, None)
            if held is not None:
                self._cut(held[0])

    async def _kept(self, place: _Place) -> AsyncGenerator[T, None]:
        made = self._opened()
        try:
            yield made
        finally:
            self._held.pop(place, None)
            await self._closed(made)


def cut(transport: asyncio.WriteTransport) -> None:
    """Close the socket under `transport` without a word to the other side and without waiting for its loop.

    With TLS a plain close waits for an answer, and with bytes still to send until they are sent: an ending loop
    has no time for either. On a loop that stands still the other side sees the end, and the socket is given back
    when that loop runs again.
    """
    connected = transport.get_extra_info("socket")
    if connected is not None:
        with suppress(OSError):
            _shut(connected)
    try:
        transport.abort()
    except RuntimeError:
        # The loop is closed, so nobody does what it was asked for: asyncio's own last step, taken here.
        under = getattr(getattr(transport, "_ssl_protocol", None), "_transport", transport)
        last_step = getattr(under, "_call_connection_lost", None)
        if last_step is not None:
            with suppress(RuntimeError):
                last_step(None)


def _shut(connected: Any) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except TypeError:
        # uvloop's sockets do not offer it; another name for the same socket does.
        with socket.socket(fileno=os.dup(connected.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)


def _done(work: Callable[[], T]) -> T:
    return work()


class BesideLoop:
    """`Apart` of the awaiting voice: what keeps a processor busy is done in a thread, and the event loop goes on.

    At most `AT_ONCE` for each loop and each of these: more would not be done sooner, under the interpreter's lock, and
    the loop would wait for each of them before its own turn. `done` does the work, in the thread.
    """

    def __init__(self, done: Callable[[Callable[[], Any]], Any] = _done) -> None:
        self._done = done
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    async def __call__(self, work: Callable[[], T], /) -> T:
        """What `work` gives."""
        loop = asyncio.get_running_loop()
        gate = self._gates.get(loop)
        if gate is None:
            gate = self._gates[loop] = asyncio.Semaphore(AT_ONCE)
        async with gate:
            result: T = await asyncio.to_thread(self._done, work)
            return result


BESIDE = BesideLoop()
"""That of all stores and sessions: a loop waits for all threads alike, whoever began them."""
BESIDE_IN_TURN = BesideLoop(done_in_turn)
"""That for questions, which may take long: who has none does not stand in line behind them."""


async def pause_blocking(seconds: float) -> None:
    """Keep the calling thread waiting."""
    time.sleep(seconds)  # noqa: ASYNC251 (the blocking voice: no loop waits behind it)


async def pause_awaiting(seconds: float) -> None:
    """Let the loop go on meanwhile."""
    await asyncio.sleep(seconds)


async def at_once(works: Sequence[Callable[[], Coroutine[Any, Any, object]]]) -> Sequence[object]:
    """What all `works` come to, run at once on the running loop; an error stands for what raised it."""
    return await asyncio.gather(*(work() for work in works), return_exceptions=True)


def fair_gate(places: int) -> asyncio.Semaphore:
    """For `async with`: lets so many callers of one loop in at a time, by the order of their coming."""
    return asyncio.Semaphore(places)


async def within(timeout_s: float, work: Awaitable[T]) -> T:
    """What `work` gives, which is given up after `timeout_s` seconds. Raises: TimeoutError."""
    async with asyncio.timeout(timeout_s):
        return await work


_UNDOING: set[asyncio.Task[None]] = set()
"""What a cancelled caller left behind; a loop by itself does not keep its tasks."""


async def whole(work: Coroutine[Any, Any, T], undo: Callable[[T], Coroutine[Any, Any, object]] | None = None) -> T:
    """What `work` gives. Who is cancelled leaves it at once; it is done to its end all the same, and undone."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        rest = asyncio.ensure_future(_undone(task, undo))
        _UNDOING.add(rest)
        rest.add_done_callback(_UNDOING.discard)
        raise


async def _undone(task: asyncio.Task[T], undo: Callable[[T], Coroutine[Any, Any, object]] | None) -> None:
    await asyncio.wait([task])
    if not task.cancelled() and task.exception() is None and undo is not None:
        await undo(task.result())


class Patience:
    """`async with Patience(10) as patience`: what is inside may take so many seconds, and as many again from each
    `patience.renew()` on. Raises: TimeoutError."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._limit = asyncio.timeout(seconds)

    def renew(self) -> None:
        """Begin to wait anew."""
        self._limit.reschedule(asyncio.get_running_loop().time() + self._seconds)

    async def __aenter__(self) -> Patience:
        await self._limit.__aenter__()
        return self

    async def __aexit__(self, *raised: Any) -> None:
        await self._limit.__aexit__(*raised)


class Overdue(Exception):
    """A caller of `Together` waited for too long."""


class Together(Generic[T, R]):
    """Has `work` done for the callers of one loop: for one at once, and together for those who come before the loop has
    turned, or while `lines` works are under way.

    They are served by the order of their coming, at most `most` parts together; a call of more goes alone, and with 1
    each call does. What `work` raises, each caller of it meets. A caller who is cancelled is forgotten, and the work
    for the others goes on; alone, it is cancelled with its caller.
    """

    def __init__(self, work: Callable[[Sequence[T]], Coroutine[Any, Any, list[R]]], *, lines: int, most: int) -> None:
        self._work = work
        self._free = lines
        self._most = most
        self._turning = False
        self._waiting: deque[_Waiting[T, R]] = deque()
        self._tasks: set[asyncio.Task[list[R]]] = set()

    async def do(self, parts: Sequence[T], *, wait_s: float) -> list[R]:
        """What comes of `parts`. Raises: Overdue when no work on them began within `wait_s` seconds."""
        loop = asyncio.get_running_loop()
        if self._free and not self._turning:
            if self._most > 1:
                self._turning = True
                loop.call_soon(self._turned)
            self._free -= 1
            try:
                return await self._work(parts)
            finally:
                self._free += 1
                self._go_on()
        mine = _Waiting(parts, loop.create_future())
        self._waiting.append(mine)
        bell = loop.call_later(wait_s, mine.give_up)
        try:
            return await mine.result
        finally:
            bell.cancel()
            mine.seen()

    def _turned(self) -> None:
        self._turning = False
        self._go_on()

    def _go_on(self) -> None:
        """Begin with those who wait, on the lines that are free."""
        while self._free and not self._turning and (some := self._next()):
            self._free -= 1
            for one in some:
                one.begun = True
            parts = [part for one in some for part in one.parts]
            # Not in the context of the caller who ended: what it traces is not theirs.
            task = some[0].result.get_loop().create_task(self._work(parts), context=Context())
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, some))

    def _next(self) -> list[_Waiting[T, R]]:
        some: list[_Waiting[T, R]] = []
        room = self._most
        while self._waiting:
            if self._waiting[0].result.done():
                self._waiting.popleft()
                continue
            room -= len(self._waiting[0].parts)
            if some and room < 0:
                break
            some.append(self._waiting.popleft())
        return some

    def _ended(self, some: Sequence[_Waiting[T, R]], task: asyncio.Task[list[R]]) -> None:
        self._tasks.discard(task)
        self._free += 1
        failure = asyncio.CancelledError() if task.cancelled() else task.exception()
        start = 0
        for one in some:
            end = start + len(one.parts)
            one.tell(failure or task.result()[start:end])
            start = end
        self._go_on()


@dataclass(slots=True)
class _Waiting(Generic[T, R]):
    """A caller of `Together`, whose future may have been cancelled."""

    parts: Sequence[T]
    result: asyncio.Future[list[R]]
    begun: bool = False

    def give_up(self) -> None:
        """It has waited for long enough."""
        if not self.begun and not self.result.done():
            self.result.set_exception(Overdue())

    def seen(self) -> None:
        """Its caller goes on, who may have been cancelled meanwhile: then nobody is to be told of an error."""
        if self.result.done() and not self.result.cancelled():
            self.result.exception()

    def tell(self, result: list[R] | BaseException) -> None:
        if self.result.done():
            return
        if isinstance(result, asyncio.CancelledError):
            self.result.cancel()
        elif isinstance(result, BaseException):
            self.result.set_exception(result)
        else:
            self.result.set_result(result)
