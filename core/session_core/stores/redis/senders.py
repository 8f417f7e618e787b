"""The sender for an address, in two voices: to one server, to a Sentinel primary, or to a cluster.

Each sends commands in one round trip, in a cluster in one per node. An error of the server is returned as the answer
to its command.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from session_core.stores.redis.address import Address
from session_core.stores.redis.clusters import AwaitingCluster, Cluster
from session_core.stores.redis.direct import AwaitingDirect, Direct
from session_core.stores.redis.driver import (
    awaiting_client,
    awaiting_retries,
    blocking_client,
    blocking_retries,
    timeout_s,
)
from session_core.stores.redis.fast_connection import Command
from session_core.stores.redis.primaries import AwaitingPrimary, Primary


class Sender(Protocol):
    """Sends for blocking callers."""

    def send(self, commands: Sequence[Command]) -> list[Any]:
        """The answers to `commands`. Raises: what the driver raises if there is no answer."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


class AwaitingSender(Protocol):
    """Sends for callers on one event loop."""

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        """Async form of `Sender.send`."""
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...

    def cut(self) -> None:
        """Close connections without the loop, which is blocked or closed."""
        ...


def blocking_sender(address: Address) -> Sender:
    """The sender for `address`; it connects at the first use."""
    if address.kind == "cluster":
        return Cluster(partial(blocking_client, address), blocking_retries(address))
    client = blocking_client(address)
    kind = Direct if address.kind == "one" else Primary
    return kind(client, wait_s=address.wait_s)


def awaiting_sender(address: Address) -> AwaitingSender:
    """As `blocking_sender`, for the event loop that first uses it."""
    client = awaiting_client(address)
    if address.kind == "cluster":
        return AwaitingCluster(client, awaiting_retries(address))
    kind = AwaitingDirect if address.kind == "one" else AwaitingPrimary
    return kind(client, timeout_s=timeout_s(address), wait_s=address.wait_s)
