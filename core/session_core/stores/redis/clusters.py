"""How commands get to a cluster: by the driver's client, which is kept from asking all nodes for one caller each.

Where nodes are silent, to learn them takes a timeout for each. The driver has its callers do that one after the other:
sixty of them waited for sixty times as long.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from session_core.stores.redis.clients import AwaitingByClient, ByClient
from session_core.stores.redis.driver import exceptions
from session_core.stores.redis.lines import Command
from session_core.voices import fair_gate

T = TypeVar("T")
_FAILURES = (exceptions.RedisError, exceptions.RedisClusterException)
_BROKEN = (exceptions.ConnectionError, exceptions.TimeoutError, AttributeError)


class Cluster:
    """Makes calls again where they break, and where learning the nodes does, which a client does as it is made."""

    def __init__(self, made: Callable[[], Any], retries: tuple[Any, Any]) -> None:
        self._made = made
        self._retries = retries
        self._alone = _Alone()
        self._sender: ByClient | None = None

    def send(self, commands: Sequence[Command]) -> list[Any]:
        broken, failed = self._retries
        answers: list[Any] = broken.call_with_retry(
            lambda: failed.call_with_retry(lambda: self._sent(commands), _nothing), _nothing
        )
        return answers

    def close(self) -> None:
        if self._sender is not None:
            self._sender.close()

    def _sent(self, commands: Sequence[Command]) -> list[Any]:
        try:
            return (self._sender or self._alone.do(self._opened)).send(commands)
        except exceptions.RedisClusterException as exc:
            _again(exc)
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
    """Keeps calls that come at once out of each other's way, and makes again what broke.

    The driver sends calls that come before it knows the nodes to any of them, so it is told to learn them first. Where
    a connection breaks it closes all that are free, one also that another call has taken meanwhile: that call raises
    AttributeError.
    """

    def __init__(self, client: Any, retries: tuple[Any, Any]) -> None:
        super().__init__(client)
        self._retries = retries
        self._alone = _AwaitingAlone()
        self._asked_last: dict[str, str] = {}

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        broken, failed = self._retries
        answers: list[Any] = await broken.call_with_retry(
            lambda: failed.call_with_retry(lambda: self._sent(commands), _nothing_awaited), _nothing_awaited
        )
        return answers

    async def close(self) -> None:
        await super().close()
        # Behind an error the client takes itself for closed, and leaves its connections as they are.
        for nodes in ("nodes_cache", "startup_nodes"):
            await self._client.nodes_manager.aclose(nodes)

    async def _sent(self, commands: Sequence[Command]) -> list[Any]:
        try:
            await self._alone.do(lambda: self._client.initialize(**self._asked_last))
            answers = await super().send(commands)
            for place, answer in enumerate(answers):
                if isinstance(answer, _BROKEN):
                    # Of several commands it only tells, and learns no nodes anew.
                    (answers[place],) = await super().send(commands[place : place + 1])
            return answers
        except AttributeError as exc:
            raise exceptions.ConnectionError("closed while it was taken") from exc
        except (exceptions.ConnectionError, exceptions.TimeoutError) as exc:
            # Drivers that take the name of the node set it.
            if failed := getattr(exc, "last_failed_node_name", None):
                self._asked_last = {"last_failed_node_name": failed}
            raise
        except exceptions.RedisClusterException as exc:
            _again(exc)
            raise


class _Failures:
    """How often the work of an `_Alone` failed, and why the last time."""

    def __init__(self) -> None:
        self._count = 0
        self._why: Exception | None = None

    def _raise_if_failed_since(self, before: int) -> None:
        if self._why is not None and self._count != before:
            raise type(self._why)(*self._why.args) from self._why.__cause__

    def _failed(self, why: Exception) -> None:
        self._count, self._why = self._count + 1, why


class _Alone(_Failures):
    """Has one thread at a time do a work. Those that wait for one that fails fail with it, and do not begin anew."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()

    def do(self, work: Callable[[], T]) -> T:
        before = self._count
        with self._lock:
            self._raise_if_failed_since(before)
            try:
                return work()
            except _FAILURES as exc:
                self._failed(exc)
                raise


class _AwaitingAlone(_Failures):
    """As `_Alone`, for the tasks of one loop."""

    def __init__(self) -> None:
        super().__init__()
        self._gate = fair_gate(1)

    async def do(self, work: Callable[[], Awaitable[T]]) -> T:
        before = self._count
        async with self._gate:
            self._raise_if_failed_since(before)
            try:
                return await work()
            except _FAILURES as exc:
                self._failed(exc)
                raise


def _nothing(_: Exception) -> None:
    """What is broken the client has thrown away itself."""


async def _nothing_awaited(_: Exception) -> None:
    """As `_nothing`."""


def _again(exc: Exception) -> None:
    """Raises for what a cluster's client raised the error that means to try again, if it reached no node."""
    if isinstance(exc.__cause__, exceptions.ConnectionError):
        raise exceptions.ConnectionError(str(exc)) from exc
