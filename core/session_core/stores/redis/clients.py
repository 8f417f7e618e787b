"""Commands sent by the driver's client: to the nodes of a cluster, and to the primary that a Sentinel names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from session_core.stores.redis.driver import opened_with
from session_core.stores.redis.lines import Command


class ByClient:
    """Leaves it to the driver's client, which knows the nodes of a cluster and follows a Sentinel."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, commands: Sequence[Command]) -> list[Any]:
        if len(commands) == 1:
            return [self._client.execute_command(*commands[0])]
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return list(pipeline.execute(raise_on_error=False))

    def close(self) -> None:
        for client in opened_with(self._client):
            client.close()


class AwaitingByClient:
    """As `ByClient`, on one event loop."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        if len(commands) == 1:
            return [await self._client.execute_command(*commands[0])]
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return list(await pipeline.execute(raise_on_error=False))

    async def close(self) -> None:
        for client in opened_with(self._client):
            await client.aclose()

    def cut(self) -> None:
        """The driver's client cannot be closed without its loop; its sockets are closed when Python lets go of them."""
