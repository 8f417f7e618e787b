"""Sync and async wires to Redis, each for a single server, Sentinel or Cluster."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from session_core.apart import Apart, in_turn, inline
from session_core.errors import StoreBusy
from session_core.stores.closing import Closing
from session_core.stores.gate import Gate
from session_core.stores.redis.address import Address
from session_core.stores.redis.driver import exceptions, require_driver
from session_core.stores.redis.failures import FAILURES, reason, translation
from session_core.stores.redis.lines import Command
from session_core.stores.redis.scripts import Script
from session_core.stores.redis.senders import AwaitingSender, Sender, awaiting_sender, blocking_sender
from session_core.together import Overdue, Together
from session_core.voices import BESIDE, BESIDE_IN_TURN, PerLoop

TOGETHER = 16
"""Most commands of several calls in one exchange: who waits for its answers waits for those before them."""


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
        """The same with its source, for a server that has not seen the script yet."""
        return ("EVAL", self.script.source, len(self.keys), *self.keys, *self.args)


class Wire(Protocol):
    """Carries scripts and commands to the servers at an address."""

    address: Address
    closing: Closing
    apart: Apart
    in_turn: Apart

    async def run(self, *calls: Call) -> list[Any]:
        """The answers to `calls`, made in their order; one round trip, in a cluster one for each."""
        ...

    async def ask(self, *commands: Command) -> list[Any]:
        """The answers to plain commands, in one round trip; in a cluster one to each node it takes."""
        ...

    async def close(self) -> None:
        """Close what is open and take no more calls."""
        ...

    def close_soon(self) -> None:
        """As `close`, for callers that cannot await."""
        ...


class BlockingWire:
    """Blocks the calling thread. Safe with several threads, and after a fork."""

    def __init__(self, address: Address) -> None:
        require_driver(address)
        self.address = address
        self.closing = Closing(address.shown)
        self.apart: Apart = inline
        self.in_turn: Apart = in_turn
        self._opened: dict[int, _Opened] = {}

    async def run(self, *calls: Call) -> list[Any]:
        here = self._here()
        if self.address.kind == "cluster":
            answers = [answer for call in calls for answer in self._sent(here, call.command)]
        else:
            answers = self._sent(here, *[call.command for call in calls])
        if failed := _failed(answers):
            for place in _unknown(answers, failed):
                answers[place : place + 1] = self._sent(here, calls[place].whole)
            return _good(answers, self.address)
        return answers

    async def ask(self, *commands: Command) -> list[Any]:
        return _good(self._sent(self._here(), *commands), self.address) if commands else []

    async def close(self) -> None:
        self.close_soon()

    def close_soon(self) -> None:
        self.closing.begin()
        opened = self._opened.pop(os.getpid(), None)
        if opened is not None:
            opened.sender.close()

    def _sent(self, opened: _Opened, *commands: Command) -> list[Any]:
        """The answers to `commands`, in one round trip; an error stands as the answer to its command."""
        try:
            place = opened.gate.enter(wait_s=self.address.wait_s)
            if place is None:
                raise _no_connection(self.address)
            try:
                return opened.sender.send(commands)
            finally:
                opened.gate.leave(place)
        except exceptions.ResponseError as exc:
            return [exc] * len(commands)
        except FAILURES as exc:
            raise translation(exc, self.address.shown) from reason(exc)

    def _here(self) -> _Opened:
        """The sender of this process, and a gate to as many callers as it has connections. Raises: StoreClosed."""
        self.closing.require_open()
        process = os.getpid()
        opened = self._opened.get(process)
        if opened is None:
            # Threads that come here together get the same. What was opened before a fork is let go of, and not closed.
            for other in [number for number in self._opened if number != process]:
                self._opened.pop(other, None)
            made = _Opened(blocking_sender(self.address), Gate(self.address.max_connections))
            opened = self._opened.setdefault(process, made)
            if self.closing.begun:
                # By another thread, which may not have seen this one.
                self.close_soon()
        return opened


@dataclass(frozen=True, slots=True)
class _Opened:
    sender: Sender
    gate: Gate


class AwaitingWire:
    """Never blocks the event loop. Each loop has connections of its own, which end with it.

    Callers that find all connections taken are served by the order of their coming. Calls to one server that come at
    once, before the loop has turned, go together: the busier it is, the fewer exchanges it has for each call.
    """

    def __init__(self, address: Address, closing: Closing | None = None) -> None:
        self.address = address
        self.closing = closing or Closing(address.shown)
        self.apart: Apart = BESIDE
        self.in_turn: Apart = BESIDE_IN_TURN
        self._senders = PerLoop(self._opened, self._closed, self._cut)

    async def run(self, *calls: Call) -> list[Any]:
        here = await self._here()
        if self.address.kind == "cluster":
            answers = [answer for call in calls for answer in await self._sent(here, call.command)]
        else:
            answers = await self._sent(here, *[call.command for call in calls])
        if failed := _failed(answers):
            for place in _unknown(answers, failed):
                answers[place : place + 1] = await self._sent(here, calls[place].whole)
            return _good(answers, self.address)
        return answers

    async def ask(self, *commands: Command) -> list[Any]:
        return _good(await self._sent(await self._here(), *commands), self.address) if commands else []

    async def close(self) -> None:
        self.closing.begin()
        await self._senders.close()

    def close_soon(self) -> None:
        self.closing.begin()
        self._senders.close_soon()

    async def _here(self) -> _AwaitingOpened:
        """What is open for the running loop. Raises: StoreClosed."""
        self.closing.require_open()
        opened = await self._senders.here()
        if self.closing.begun:
            # In another thread, which may not have seen this one.
            await self._senders.close()
        return opened

    async def _sent(self, opened: _AwaitingOpened, *commands: Command) -> list[Any]:
        """The answers to `commands`, in one round trip; an error stands as the answer to its command."""
        try:
            return await opened.together.do(commands, wait_s=self.address.wait_s)
        except Overdue:
            raise _no_connection(self.address) from None
        except exceptions.ResponseError as exc:
            return [exc] * len(commands)
        except FAILURES as exc:
            raise translation(exc, self.address.shown) from reason(exc)

    def _opened(self) -> _AwaitingOpened:
        sender = awaiting_sender(self.address)
        # Those of several calls to a cluster would go to its nodes, and be waited for, as one.
        most = 1 if self.address.kind == "cluster" else TOGETHER
        return _AwaitingOpened(sender, Together(sender.send, lines=self.address.max_connections, most=most))

    @staticmethod
    async def _closed(opened: _AwaitingOpened) -> None:
        await opened.sender.close()

    @staticmethod
    def _cut(opened: _AwaitingOpened) -> None:
        opened.sender.cut()


@dataclass(frozen=True, slots=True)
class _AwaitingOpened:
    sender: AwaitingSender
    together: Together[Command, Any]


def _failed(answers: Sequence[Any]) -> list[int]:
    """The places of errors among the answers."""
    return [place for place, answer in enumerate(answers) if isinstance(answer, Exception)]


def _unknown(answers: Sequence[Any], failed: Sequence[int]) -> list[int]:
    """The places of answers to scripts that the server does not know; it knows them from then on."""
    return [place for place in failed if isinstance(answers[place], exceptions.NoScriptError)]


def _good(answers: list[Any], address: Address) -> list[Any]:
    for answer in answers:
        if isinstance(answer, Exception):
            raise translation(answer, address.shown) from reason(answer)
    return answers


def _no_connection(address: Address) -> StoreBusy:
    return StoreBusy(
        f"{address.shown}: all {address.max_connections} connections were in use for {address.wait_s:g} s; "
        "retry, or raise max_connections in the URL"
    )
