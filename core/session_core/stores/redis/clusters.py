"""Senders for a cluster: the driver's client, with one caller discovering the nodes for all.

If nodes do not answer, discovering them takes a timeout each. The driver lets its callers do that one after the
other: sixty of them waited sixty times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from session_core.stores.redis.direct import cut_off
from session_core.stores.redis.driver import exceptions
from session_core.stores.redis.fast_connection import Command
from session_core.stores.redis.single_flight import AwaitingSingleFlight, SingleFlight

_BROKEN = (exceptions.ConnectionError, exceptions.TimeoutError, AttributeError)

_REFUSED = (exceptions.AuthenticationError, exceptions.AuthorizationError)
"""Errors that the driver treats as broken connections."""
_KNOWN = ("nodes_cache", "startup_nodes")
"""The driver's attributes with the nodes of a cluster: as discovered, and as configured."""


class ByClient:
    """Sends through the driver's client, which knows the nodes."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, commands: Sequence[Command]) -> list[Any]:
        if len(commands) == 1:
            return [self._client.execute_command(*commands[0])]
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        return list(pipeline.execute(raise_on_error=False))

    def close_free(self) -> None:
        """Close idle connections only: a thread would otherwise use a file descriptor that was reassigned."""
        for node in list(self._client.nodes_manager.nodes_cache.values()):
            if node.redis_connection is not None:
                node.redis_connection.connection_pool.disconnect(inuse_connections=False)


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
        await self._client.aclose()

    def cut(self) -> None:
        """Close the connections to all nodes without the loop, which the driver's client cannot do."""
        for nodes in _KNOWN:
            for node in list(getattr(self._client.nodes_manager, nodes).values()):
                for connection in list(node._connections):
                    cut_off(connection)
        # As after its own close: a call in progress makes it discover the nodes again.
        self._client._initialize = True


class Cluster:
    """Repeats calls that break, also during the discovery of nodes, which a client does when it is created."""

    def __init__(self, made: Callable[[], Any], retries: tuple[Any, Any]) -> None:
        self._made = made
        self._retries = retries
        self._alone = SingleFlight()
        self._sender: ByClient | None = None
        self._closed = False

    def send(self, commands: Sequence[Command]) -> list[Any]:
        broken, failed = self._retries
        try:
            answers: list[Any] = broken.call_with_retry(
                lambda: failed.call_with_retry(lambda: self._sent(commands), _do_nothing), _do_nothing
            )
        finally:
            if self._closed:
                # The call outlived the sender, and may have reconnected.
                self._close_free()
        return answers

    def close(self) -> None:
        self._closed = True
        self._close_free()

    def _close_free(self) -> None:
        if self._sender is not None:
            self._sender.close_free()

    def _sent(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return (self._sender or self._alone.do(self._opened)).send(commands)
        except exceptions.RedisClusterException as exc:
            _require_repeatable(exc)
            raise

    def _opened(self) -> ByClient:
        if self._sender is None:
            client = self._made()
            nodes = client.nodes_manager
            nodes.initialize = partial(self._learned, nodes.initialize)
            self._sender = ByClient(client)
        return self._sender

    def _learned(self, learn: Callable[..., None], *args: Any, **named: Any) -> None:
        self._alone.do(lambda: learn(*args, **named))


class AwaitingCluster(AwaitingByClient):
    """Keeps concurrent calls from disturbing each other, and repeats broken ones.

    The driver sends calls before it knows the nodes to any of them, so it is made to discover them first. When a
    connection breaks it closes all idle ones, also one that another call has just taken: that call raises
    AttributeError, or TypeError in asyncio's `writelines` (Python 3.12 and 3.13, CPython's issue 136234).
    """

    def __init__(self, client: Any, retries: tuple[Any, Any]) -> None:
        super().__init__(client)
        self._retries = retries
        self._alone = AwaitingSingleFlight()
        self._asked_last: dict[str, str] = {}
        self._under_way = 0
        self._closed = False

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        broken, failed = self._retries
        self._under_way += 1
        try:
            answers: list[Any] = await broken.call_with_retry(
                lambda: failed.call_with_retry(lambda: self._sent(commands), _nothing_awaited), _nothing_awaited
            )
        finally:
            self._under_way -= 1
            if self._closed and not self._under_way:
                await self.close()
        return answers

    async def close(self) -> None:
        self._closed = True
        if self._under_way:
            # The last of these calls closes it.
            return
        # Without an await in between: the closing task may be cancelled, since the loop ends.
        self.cut()
        await super().close()
        # After an error the client considers itself closed, and leaves its connections open.
        for nodes in _KNOWN:
            await self._client.nodes_manager.aclose(nodes)

    async def _sent(self, commands: Sequence[Command]) -> list[Any]:
        try:
            await self._alone.do(lambda: self._client.initialize(**self._asked_last))
            answers = await super().send(commands)
            for place, answer in enumerate(answers):
                if isinstance(answer, _BROKEN):
                    # For several commands it only reports the error, and does not rediscover the nodes.
                    (answers[place],) = await super().send(commands[place : place + 1])
            return answers
        except (AttributeError, TypeError) as exc:
            raise exceptions.ConnectionError("closed while it was taken") from exc
        except (exceptions.ConnectionError, exceptions.TimeoutError) as exc:
            # Drivers that pass the node's name set it.
            if failed := getattr(exc, "last_failed_node_name", None):
                self._asked_last = {"last_failed_node_name": failed}
            raise
        except exceptions.RedisClusterException as exc:
            _require_repeatable(exc)
            raise


def _do_nothing(_: Exception) -> None:
    """Does nothing: the client has already dropped what is broken."""


async def _nothing_awaited(_: Exception) -> None:
    """As `_do_nothing`."""


def _require_repeatable(exc: Exception) -> None:
    """Raises the error for what a cluster's client raised if the call reached no node and can be repeated."""
    if isinstance(exc.__cause__, exceptions.ConnectionError) and not isinstance(exc.__cause__, _REFUSED):
        raise exceptions.ConnectionError(str(exc)) from exc
