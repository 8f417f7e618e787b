"""Sync and async wires to Redis, each for a single server, Sentinel or Cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from session_core.runtime.batching import Batcher, BatchTimeout
from session_core.runtime.offload import Executor, inline, inline_serially
from session_core.stores.closing import Closing
from session_core.stores.fair_semaphore import FairSemaphore
from session_core.stores.redis.address import Address
from session_core.stores.redis.driver import exceptions, require_driver
from session_core.stores.redis.failures import FAILURES, reason, translation
from session_core.stores.redis.fast_connection import Command
from session_core.stores.redis.scripts import Script
from session_core.stores.redis.senders import AwaitingSender, Sender, awaiting_sender, blocking_sender
from session_core.stores.refusals import no_connection
from session_core.voices import SERIAL_THREADS, THREADS, PerLoop

TOGETHER = 16
"""Maximum commands of several calls in one exchange, since each waits for the answers to those before it."""


class Call(NamedTuple):
    """One run of a script."""

    script: Script
    keys: Sequence[bytes]
    args: Sequence[Any]

    @property
    def command(self) -> Command:
        return ("EVALSHA", self.script.sha, len(self.keys), *self.keys, *self.args)

    @property
    def whole(self) -> Command:
        """The same with its source, for a server that has not loaded the script yet."""
        return ("EVAL", self.script.source, len(self.keys), *self.keys, *self.args)


class Wire(Protocol):
    """Sends scripts and commands to the servers at an address."""

    address: Address
    closing: Closing
    executor: Executor
    serial_executor: Executor

    async def run(self, *calls: Call) -> list[Any]:
        """The answers to `calls`, in their order; one round trip, in a cluster one per node."""
        ...

    async def ask(self, *commands: Command) -> list[Any]:
        """The answers to plain commands, in one round trip; in a cluster one per node."""
        ...

    def awaiting(self) -> Wire:
        """The same servers for callers on an event loop; always the same object."""
        ...

    async def close(self) -> None:
        """Close the connections of both voices, and accept no more calls."""
        ...


class BlockingWire:
    """The wire for blocking callers; thread-safe and fork-safe."""

    def __init__(self, address: Address) -> None:
        require_driver(address)
        self.address = address
        self.closing = Closing(address.shown)
        self.executor: Executor = inline
        self.serial_executor: Executor = inline_serially
        self._opened: dict[int, _Opened] = {}
        self._awaiting: AwaitingWire | None = None

    def awaiting(self) -> AwaitingWire:
        if self._awaiting is None:
            self._awaiting = AwaitingWire(self)
        return self._awaiting

    async def run(self, *calls: Call) -> list[Any]:
        here = self._current()
        if self.address.kind == "cluster":
            answers = [answer for call in calls for answer in self._sent(here, call.command)]
        else:
            answers = self._sent(here, *[call.command for call in calls])
        if failed := _failed(answers):
            for place in _unknown(answers, failed):
                answers[place : place + 1] = self._sent(here, calls[place].whole)
            return _require_no_errors(answers, self.address)
        return answers

    async def ask(self, *commands: Command) -> list[Any]:
        return _require_no_errors(self._sent(self._current(), *commands), self.address) if commands else []

    async def close(self) -> None:
        if self._awaiting is not None:
            self._awaiting.close_soon()
        self.close_soon()

    def close_soon(self) -> None:
        """Close the connections of this voice."""
        self.closing.begin()
        opened = self._opened.pop(os.getpid(), None)
        if opened is not None:
            opened.sender.close()

    def _sent(self, opened: _Opened, *commands: Command) -> list[Any]:
        """The answers to `commands`, in one round trip; an error is returned as the answer to its command."""
        try:
            place = opened.gate.enter(wait_s=self.address.wait_s)
            if place is None:
                raise no_connection(self.address.shown, self.address.max_connections, self.address.wait_s)
            try:
                return opened.sender.send(commands)
            finally:
                opened.gate.leave(place)
        except exceptions.ResponseError as exc:
            return [exc] * len(commands)
        except FAILURES as exc:
            raise translation(exc, self.address.shown) from reason(exc)

    def _current(self) -> _Opened:
        """The sender of this process, and a gate for as many callers as it has connections. Raises: StoreClosed."""
        self.closing.require_open()
        process = os.getpid()
        opened = self._opened.get(process)
        if opened is None:
            # Concurrent threads get the same one. Those opened before a fork are dropped without being closed.
            for other in [number for number in self._opened if number != process]:
                self._opened.pop(other, None)
            made = _Opened(blocking_sender(self.address), FairSemaphore(self.address.max_connections))
            opened = self._opened.setdefault(process, made)
            if self.closing.begun:
                # Closed by another thread, which may not have seen this sender.
                self.close_soon()
        return opened


@dataclass(frozen=True, slots=True)
class _Opened:
    sender: Sender
    gate: FairSemaphore


class AwaitingWire:
    """The wire for async callers. Each loop has its own connections, which end with it.

    Callers wait for a free connection in FIFO order. Simultaneous calls to one server, before the next iteration of
    the loop, are sent together, so that a busy loop needs fewer exchanges per call.
    """

    def __init__(self, blocking: BlockingWire) -> None:
        self.address = blocking.address
        self.closing = blocking.closing
        self._blocking = blocking
        self.executor: Executor = THREADS
        self.serial_executor: Executor = SERIAL_THREADS
        self._senders = PerLoop(self._opened, self._closed, self._cut)

    def awaiting(self) -> AwaitingWire:
        return self

    async def run(self, *calls: Call) -> list[Any]:
        here = await self._current()
        if self.address.kind == "cluster":
            answers = [answer for call in calls for answer in await self._sent(here, call.command)]
        else:
            answers = await self._sent(here, *[call.command for call in calls])
        if failed := _failed(answers):
            for place in _unknown(answers, failed):
                answers[place : place + 1] = await self._sent(here, calls[place].whole)
            return _require_no_errors(answers, self.address)
        return answers

    async def ask(self, *commands: Command) -> list[Any]:
        return _require_no_errors(await self._sent(await self._current(), *commands), self.address) if commands else []

    async def close(self) -> None:
        self._blocking.close_soon()
        await self._senders.close()

    def close_soon(self) -> None:
        """As `close`, for this voice alone and callers that cannot await."""
        self.closing.begin()
        self._senders.close_soon()

    async def _current(self) -> _AwaitingOpened:
        """The objects of the running loop. Raises: StoreClosed."""
        self.closing.require_open()
        opened = await self._senders.current()
        if self.closing.begun:
            # Closed in another thread, which may not have seen this sender.
            await self._senders.close()
        return opened

    async def _sent(self, opened: _AwaitingOpened, *commands: Command) -> list[Any]:
        """The answers to `commands`, in one round trip; an error is returned as the answer to its command."""
        try:
            return await opened.together.run(commands, wait_s=self.address.wait_s)
        except BatchTimeout:
            raise no_connection(self.address.shown, self.address.max_connections, self.address.wait_s) from None
        except exceptions.ResponseError as exc:
            return [exc] * len(commands)
        except FAILURES as exc:
            raise translation(exc, self.address.shown) from reason(exc)

    def _opened(self) -> _AwaitingOpened:
        sender = awaiting_sender(self.address)
        # In a cluster the commands of several calls would wait for the slowest node.
        most = 1 if self.address.kind == "cluster" else TOGETHER
        return _AwaitingOpened(sender, Batcher(sender.send, lines=self.address.max_connections, most=most))

    @staticmethod
    async def _closed(opened: _AwaitingOpened) -> None:
        await opened.sender.close()

    @staticmethod
    def _cut(opened: _AwaitingOpened) -> None:
        opened.sender.cut()


@dataclass(frozen=True, slots=True)
class _AwaitingOpened:
    sender: AwaitingSender
    together: Batcher[Command, Any]


def _failed(answers: Sequence[Any]) -> list[int]:
    """The indexes of errors among the answers."""
    return [place for place, answer in enumerate(answers) if isinstance(answer, Exception)]


def _unknown(answers: Sequence[Any], failed: Sequence[int]) -> list[int]:
    """The indexes of answers to scripts that the server has not loaded; it has them afterwards."""
    return [place for place in failed if isinstance(answers[place], exceptions.NoScriptError)]


def _require_no_errors(answers: list[Any], address: Address) -> list[Any]:
    for answer in answers:
        if isinstance(answer, Exception):
            raise translation(answer, address.shown) from reason(answer)
    return answers
