"""Sends commands to a single server, over connections of our own."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from time import monotonic, sleep
from typing import Any, Generic, NamedTuple, TypeVar

from session_core.stores.redis.driver import TOO_MANY, Refused, Surplus, exceptions
from session_core.stores.redis.fast_connection import SCRIPTED, Command, FastConnection, opening, packed
from session_core.voices import RenewableTimeout, cut, pause_awaiting

C = TypeVar("C")

IDLE_S = 10.0
"""Servers and proxies close idle connections after some time; none after less than this."""
ROLE_ASKED_AFTER_S = 5.0
"""Seconds until the first call over a connection, and then between two calls, that also ask for the server's role."""
LOOKED_FOR_S = 0.01
"""Seconds between two looks of a call for which the server had no room for a connection that another one gave back."""
ASKED_FOR_S = 0.5
"""Seconds between its attempts to open one: each costs a server that is full as much as a call."""
ROLE: Command = ("INFO", "replication")


class _Idle(NamedTuple, Generic[C]):
    """A connection that waits for a call: when it was last used, and when the server's role was last known."""

    line: C
    used_s: float
    known_s: float


class Direct:
    """Keeps as many connections to one server as there are concurrent calls; thread-safe.

    The driver opens them, parses and retries. Its client and pool are not used, since their overhead is nearly as
    large as the call itself. The server may have closed an idle connection: if it breaks, the call is repeated as if
    it had not been sent. If the server turns out to be a replica, the call is repeated once over a new connection:
    after a failover the name in the URL leads to the new primary, and open connections to the old one. Reads show
    nothing of this, so now and then a call asks for the server's role too, in its own round trip. If the server has no
    room for a further connection, a call waits up to `wait_s` seconds for one that others use here.
    """

    def __init__(self, client: Any, *, wait_s: float) -> None:
        self._client = client
        self._wait_s = wait_s
        self._lines: set[FastConnection] = set()
        self._free: list[_Idle[FastConnection]] = []
        self._spare: list[FastConnection] = []
        """Those that broke; the driver's pool makes no more than so many in all."""
        self._closed = False

    def send(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return self._send(commands)
        except Surplus:
            pass
        until_s = monotonic() + self._wait_s
        while True:
            next_s = min(monotonic() + ASKED_FOR_S, until_s)
            while not self._free and monotonic() < next_s:
                sleep(LOOKED_FOR_S)
            try:
                return self._send(commands)
            except Surplus:
                if monotonic() >= until_s:
                    raise

    def _send(self, commands: Sequence[Command]) -> list[Any]:
        line, used_s, known_s = self._taken()
        now = monotonic()
        try:
            if asks := now - known_s > ROLE_ASKED_AFTER_S:
                known_s = now
            answers = self._answered(line, [*commands, ROLE] if asks else commands, idle_s=now - used_s)
            replaced = asks and _never_writes(answers.pop())
            if replaced or _of_a_replica(answers):
                line.disconnect()
                answers = self._answered(line, commands)
                if _of_a_replica(answers):
                    line.disconnect()
        except BaseException as exc:
            # A pending answer must not be read as the answer to the next call.
            self._lines.discard(line)
            line.disconnect()
            self._spare.append(line)
            if self._lines and isinstance(exc, Refused):
                raise Surplus(TOO_MANY) from exc
            raise
        finally:
            if line in self._lines:
                self._free.append(_Idle(line, monotonic(), known_s))
            if self._closed:
                self._close_free()
        return answers

    def _answered(self, line: FastConnection, commands: Sequence[Command], idle_s: float = 0.0) -> list[Any]:
        if idle_s > IDLE_S:
            try:
                return self._exchange(line, commands)
            except exceptions.ConnectionError:
                line.disconnect()
        answers: list[Any] = line.connection.retry.call_with_retry(
            lambda: self._exchange(line, commands), lambda _: line.disconnect()
        )
        return answers

    def close(self) -> None:
        # Not those in use: a thread would otherwise use a file descriptor that was reassigned.
        self._closed = True
        self._close_free()
        self._client.close()

    def _close_free(self) -> None:
        with suppress(IndexError):
            while True:
                self._free.pop().line.disconnect()

    def _exchange(self, line: FastConnection, commands: Sequence[Command]) -> list[Any]:
        return line.exchange(commands)

    def _taken(self) -> _Idle[FastConnection]:
        try:
            return self._free.pop()
        except IndexError:
            now, line = monotonic(), self._made()
            self._lines.add(line)
            return _Idle(line, now, now)

    def _made(self) -> FastConnection:
        try:
            return self._spare.pop()
        except IndexError:
            return FastConnection(self._client)


class AwaitingDirect:
    """As `Direct`, on one event loop.

    A call times out after `timeout_s` seconds without an answer. The driver's own timeouts would start a task for
    each call.
    """

    def __init__(self, client: Any, *, timeout_s: float, wait_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._wait_s = wait_s
        self._lines: set[Any] = set()
        self._free: list[_Idle[Any]] = []
        self._closed = False

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return await self._send(commands)
        except Surplus:
            pass
        until_s = monotonic() + self._wait_s
        while True:
            next_s = min(monotonic() + ASKED_FOR_S, until_s)
            while not self._free and monotonic() < next_s:
                await pause_awaiting(LOOKED_FOR_S)
            try:
                return await self._send(commands)
            except Surplus:
                if monotonic() >= until_s:
                    raise

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        connection, used_s, known_s = self._taken()
        now = monotonic()
        try:
            if asks := now - known_s > ROLE_ASKED_AFTER_S:
                known_s = now
            answers = await self._answered(connection, [*commands, ROLE] if asks else commands, idle_s=now - used_s)
            replaced = asks and _never_writes(answers.pop())
            if replaced or _of_a_replica(answers):
                await connection.disconnect()
                answers = await self._answered(connection, commands)
                if _of_a_replica(answers):
                    await connection.disconnect()
        except BaseException as exc:
            self._lines.discard(connection)
            cut_off(connection)
            if self._lines and isinstance(exc, Refused):
                raise Surplus(TOO_MANY) from exc
            raise
        finally:
            if self._closed:
                # The call outlived the sender.
                cut_off(connection)
            if connection in self._lines:
                self._free.append(_Idle(connection, monotonic(), known_s))
        return answers

    async def _answered(self, connection: Any, commands: Sequence[Command], idle_s: float = 0.0) -> list[Any]:
        if idle_s > IDLE_S:
            try:
                return await self._in_time(connection, commands)
            except exceptions.ConnectionError:
                await connection.disconnect()
        answers: list[Any] = await connection.retry.call_with_retry(
            lambda: self._in_time(connection, commands), lambda _: connection.disconnect()
        )
        return answers

    async def close(self) -> None:
        self._closed = True
        # Not those in use: each is cut when its call ends.
        for idle in self._free:
            cut_off(idle.line)
        await self._client.aclose()

    def cut(self) -> None:
        for connection in self._lines:
            cut_off(connection)

    def _taken(self) -> _Idle[Any]:
        if self._free:
            return self._free.pop()
        made = self._client.connection_pool.make_connection()
        self._lines.add(made)
        now = monotonic()
        return _Idle(made, now, now)

    async def _in_time(self, connection: Any, commands: Sequence[Command]) -> list[Any]:
        try:
            async with RenewableTimeout(self._timeout_s) as patience:
                return await self._exchange(connection, commands, patience)
        except TimeoutError:
            raise exceptions.TimeoutError("no answer in time") from None

    async def _exchange(self, connection: Any, commands: Sequence[Command], patience: RenewableTimeout) -> list[Any]:
        if not connection.is_connected:
            # The caller retries; both must not.
            with opening():
                await connection.connect_check_health(check_health=False, retry_socket_connect=False)
        transport = connection._writer.transport
        try:
            await connection.send_packed_command(packed(connection, commands))
            answers = []
            for command in commands:
                answers.append(await self._answer(connection, command[0]))
                patience.renew()
            return answers
        except BaseException:
            # The driver releases the transport before everything is sent.
            cut(transport)
            raise

    async def _answer(self, connection: Any, name: str) -> Any:
        try:
            if name == SCRIPTED:
                return await connection.read_response()
            return await self._client.parse_response(connection, name)
        except exceptions.ResponseError as exc:
            return exc


def is_of_replica(answer: Any) -> bool:
    """Whether the answer is that of a replica to a write."""
    # Version 6 names the reason of a script's failure within its text only.
    return isinstance(answer, exceptions.ReadOnlyError) or (
        isinstance(answer, exceptions.ResponseError) and "READONLY " in str(answer)
    )


def _never_writes(figures: Any) -> bool:
    """Whether the answer to `ROLE` is that of a replica without writes, so that the call may be repeated elsewhere."""
    return isinstance(figures, dict) and figures.get("role") == "slave" and figures.get("slave_read_only") == 1


def _of_a_replica(answers: Sequence[Any]) -> bool:
    return any(is_of_replica(answer) for answer in answers)


def cut_off(connection: Any) -> None:
    """Disconnect at once. With TLS the driver waits for the server and leaves the transport open, which is closed
    here."""
    if connection._writer is not None:
        cut(connection._writer.transport)
    connection._parser.on_disconnect()
    connection._close()
