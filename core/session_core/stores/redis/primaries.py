"""Senders for the primary that sentinels name, over connections of our own that follow it.

A replaced primary accepts writes for about eight seconds, until its sentinels make it a replica, and then loses
them. The driver asks its sentinels only when it opens a connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from session_core.stores.redis.direct import AwaitingDirect, Direct, cut_off, is_of_replica
from session_core.stores.redis.driver import Replaced, exceptions, opened_with
from session_core.stores.redis.fast_connection import Command, FastConnection
from session_core.stores.redis.single_flight import AwaitingSingleFlight, SingleFlight

ASKED_AFTER_S = 1.0
"""Seconds between two questions to the sentinels about the primary, while there are calls."""
UNANSWERED_S = 10.0
"""Seconds until the next question after they did not answer."""
_SILENT = (exceptions.ConnectionError, exceptions.TimeoutError)


class _Place:
    """The address of the primary, and when to ask the sentinels again."""

    def __init__(self) -> None:
        self._named: tuple[str, int] | None = None
        self._due_s = 0.0
        self.answers = 0
        """How often the sentinels answered."""

    def due(self) -> bool:
        """Whether to ask now; True for one caller only."""
        now = monotonic()
        if now < self._due_s:
            return False
        self._due_s = now + UNANSWERED_S
        return True

    def name(self, place: tuple[str, int]) -> None:
        """Record the sentinels' answer."""
        self._named, self._due_s = place, monotonic() + ASKED_AFTER_S
        self.answers += 1

    def named_since(self, answers: int) -> tuple[str, int] | None:
        """The address, if the sentinels answered since the answer number `answers`."""
        return None if self.answers == answers else self._named

    def left_by(self, connection: Any) -> bool:
        """Whether `connection` does not lead to the primary."""
        return (connection.host, connection.port) != self._named


class Primary(Direct):
    """As `Direct`, to the current primary."""

    def __init__(self, client: Any, *, wait_s: float) -> None:
        super().__init__(client, wait_s=wait_s)
        self._place = _Place()
        self._alone = SingleFlight()

    def close(self) -> None:
        super().close()
        self._close_watchers()

    def _close_watchers(self) -> None:
        for client in opened_with(self._client)[1:]:
            client.connection_pool.disconnect(inuse_connections=False)

    def _exchange(self, line: FastConnection, commands: Sequence[Command]) -> list[Any]:
        connection = line.connection
        if connection._sock is not None:
            if self._place.due():
                with suppress(*_SILENT):
                    self._ask()
            if self._place.left_by(connection):
                line.disconnect()
        if connection._sock is None:
            connection.host, connection.port = self._ask()
        return _of_a_primary(super()._exchange(line, commands))

    def _ask(self) -> tuple[str, int]:
        answers = self._place.answers
        return self._alone.do(lambda: self._place.named_since(answers) or self._asked())

    def _asked(self) -> tuple[str, int]:
        try:
            place: tuple[str, int] = self._client.connection_pool.get_master_address()
        finally:
            if self._closed:
                self._close_watchers()
        self._place.name(place)
        return place


class AwaitingPrimary(AwaitingDirect):
    """As `Primary`, on one event loop."""

    def __init__(self, client: Any, *, timeout_s: float, wait_s: float) -> None:
        super().__init__(client, timeout_s=timeout_s, wait_s=wait_s)
        self._place = _Place()
        self._alone = AwaitingSingleFlight()
        self._under_way = 0

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        self._under_way += 1
        try:
            return await super().send(commands)
        finally:
            self._under_way -= 1
            if self._closed and not self._under_way:
                self._cut_watchers()

    async def close(self) -> None:
        await super().close()
        # While a call is under way, it may have to ask where the primary is; the last one closes them.
        if not self._under_way:
            for client in opened_with(self._client)[1:]:
                await client.aclose()

    def cut(self) -> None:
        super().cut()
        self._cut_watchers()

    def _cut_watchers(self) -> None:
        for client in opened_with(self._client)[1:]:
            pool = client.connection_pool
            for connection in (*pool._available_connections, *pool._in_use_connections):
                cut_off(connection)

    async def _in_time(self, connection: Any, commands: Sequence[Command]) -> list[Any]:
        if connection.is_connected:
            if self._place.due():
                with suppress(*_SILENT):
                    await self._ask()
            if self._place.left_by(connection):
                await connection.disconnect()
        if not connection.is_connected:
            # Sentinels have their own timeout: the first of several may not answer.
            connection.host, connection.port = await self._ask()
        return _of_a_primary(await super()._in_time(connection, commands))

    async def _ask(self) -> tuple[str, int]:
        answers = self._place.answers
        return await self._alone.do(lambda: self._asked(answers))

    async def _asked(self, answers: int) -> tuple[str, int]:
        if named := self._place.named_since(answers):
            return named
        try:
            place: tuple[str, int] = await self._client.connection_pool.get_master_address()
        except AttributeError as exc:
            raise exceptions.ConnectionError("closed while it was in use") from exc
        self._place.name(place)
        return place


def _of_a_primary(answers: list[Any]) -> list[Any]:
    """`answers`, unless one shows that the server is no longer the primary."""
    for answer in answers:
        if is_of_replica(answer) or (isinstance(answer, exceptions.ResponseError) and "NOREPLICAS " in str(answer)):
            raise Replaced("it takes no writes")
    return answers
