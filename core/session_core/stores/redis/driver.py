"""redis-py clients for an address, sync and async; nothing connects before first use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from session_core.errors import ConfigError, missing_extra
from session_core.stores.redis.address import Address

try:
    import redis.asyncio.cluster
    import redis.asyncio.sentinel
    import redis.cluster
    import redis.sentinel
    from redis import exceptions
    from redis.asyncio.retry import Retry as AwaitingRetry
    from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
    from redis.retry import Retry

    from session_core.stores.redis.cluster_clients import AwaitingClusterClient, ClusterClient
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "redis":
        raise
    raise missing_extra("redis", "redis") from exc

packed_command: Callable[[Any], bytes] | None
"""Serializes one command; None without `hiredis`."""
answer_reader: Callable[..., Any] | None
"""Creates a parser for answers; None without `hiredis`."""
try:
    from hiredis import Reader
    from hiredis import pack_command as packed_command

    answer_reader = Reader
except ImportError:
    packed_command = answer_reader = None

__all__ = [
    "NO_PRIMARY",
    "Replaced",
    "answer_reader",
    "awaiting_client",
    "awaiting_retries",
    "blocking_client",
    "blocking_retries",
    "exceptions",
    "opened_with",
    "packed_command",
    "timeout_s",
]

NO_PRIMARY = (redis.sentinel.MasterNotFoundError, redis.asyncio.sentinel.MasterNotFoundError)
"""What a sentinel's client raises, sync and async, while there is no primary."""


class Replaced(exceptions.ConnectionError):
    """A primary accepts no writes: it was replaced, or has too few replicas."""


TOO_MANY = "max number of clients"
"""What a server answers before it closes a surplus connection."""


class Refused(exceptions.ConnectionError):
    """A connection ended while it was being opened; so a server without room for it ends it."""


class Surplus(exceptions.ConnectionError):
    """The server has no room for a further connection of this process, which has others."""


_NUMBER = re.compile(r"\d+")
TIMEOUTS_S = {"socket_connect_timeout": 5.0, "socket_timeout": 10.0}
SENTINEL_S = 1.0
"""Timeout in seconds for a sentinel's answer."""
PULLED = {"protocol": 2}
"""The protocol version in which a server sends nothing unasked."""
IN_PLACE: Mapping[str, Any] = {"reinitialize_steps": 0}
"""Only the moved slot is looked up; by default every fifth move closes all connections, also those in use."""

CLUSTER_FROM = "8.0.1"
"""Older drivers lose the nodes of a cluster: nodes that timed out once are not tried again (before 7.2), and
concurrent callers get an error that there are none (before 7.4.1) or break each other's connections."""
UNSETTLED = (exceptions.ClusterError, exceptions.SlotNotCoveredError)
"""Errors of a cluster while it reassigns the slots of a failed node, or moves one. In the latter it refuses calls for
several keys, and the driver waits for some tenths of a second only."""


def require_driver(address: Address, version: str = redis.__version__) -> None:
    """Raises: ConfigError if the installed driver is too old for `address`."""
    numbers = [tuple(map(int, _NUMBER.findall(one)[:3])) for one in (version, CLUSTER_FROM)]
    if address.kind == "cluster" and numbers[0] < numbers[1]:
        raise ConfigError(
            f"{address.shown}: a cluster needs redis-py {CLUSTER_FROM} or newer, this is {version}; "
            f"pip install -U 'redis>={CLUSTER_FROM}'"
        )


def blocking_client(address: Address) -> Any:
    """A thread-safe sync client; one per process."""
    if address.kind == "cluster":
        node: Any = redis.cluster.ClusterNode
        nodes = [node(host, port) for host, port in address.hosts]
        return ClusterClient(
            startup_nodes=nodes,
            max_connections=address.max_connections,
            retry=Retry(NoBackoff(), 0),
            **IN_PLACE,
            **_login(address),
            **_secured(address),
        )
    options = {**_login(address), "db": address.db, "retry": _retry(Retry, address)}
    if address.kind == "sentinel":
        sentinel: Any = redis.sentinel.Sentinel
        watchers = sentinel(address.hosts, sentinel_kwargs=_to_sentinels(address, Retry(NoBackoff(), 0)))
        options = PULLED | options | {"max_connections": address.max_connections, **_secured(address)}
        return watchers.master_for(address.service, **options)
    (place,) = address.hosts
    kind: Any = redis.SSLConnection if address.secure else redis.Connection
    pool = redis.ConnectionPool(
        connection_class=kind, host=place[0], port=place[1], max_connections=address.max_connections, **PULLED | options
    )
    return redis.Redis.from_pool(pool)


def awaiting_client(address: Address) -> Any:
    """An async client for the event loop that first uses it; in a cluster its calls have no timeout."""
    if address.kind == "cluster":
        nodes = [redis.asyncio.cluster.ClusterNode(host, port) for host, port in address.hosts]
        return AwaitingClusterClient(
            startup_nodes=nodes,
            max_connections=address.max_connections,
            retry=AwaitingRetry(NoBackoff(), 0),
            **IN_PLACE,
            **_login(address),
            **_secured(address),
        )
    options = {**_login(address), "db": address.db, "retry": _retry(AwaitingRetry, address)}
    if address.kind == "sentinel":
        awaiting_sentinel: Any = redis.asyncio.sentinel.Sentinel
        once = AwaitingRetry(NoBackoff(), 0)
        watchers = awaiting_sentinel(list(address.hosts), sentinel_kwargs=_to_sentinels(address, once))
        options = PULLED | options | {"max_connections": address.max_connections, **_secured(address)}
        options["socket_timeout"] = None
        return watchers.master_for(address.service, **options)
    (place,) = address.hosts
    kind: Any = redis.asyncio.SSLConnection if address.secure else redis.asyncio.Connection
    options = PULLED | options | {"max_connections": address.max_connections, "socket_timeout": None}
    pool: Any = redis.asyncio.ConnectionPool(connection_class=kind, host=place[0], port=place[1], **options)
    return redis.asyncio.Redis.from_pool(pool)


def opened_with(client: Any) -> list[Any]:
    """All clients that are closed with `client`: itself, and those to the sentinels."""
    watchers = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
    return [client, *(watchers.sentinels if watchers else ())]


def _login(address: Address) -> dict[str, Any]:
    login = {"username": address.username, "password": address.password}
    return {**TIMEOUTS_S, **address.options, **{name: value for name, value in login.items() if value is not None}}


def _secured(address: Address) -> dict[str, Any]:
    return {"ssl": True} if address.secure else {}


def timeout_s(address: Address) -> float:
    """The timeout of a call in seconds."""
    return float(_timeouts(address)["socket_timeout"])


def _timeouts(address: Address) -> dict[str, Any]:
    return {name: address.options.get(name, seconds) for name, seconds in TIMEOUTS_S.items()}


def _to_sentinels(address: Address, retry: Any) -> dict[str, Any]:
    """Options for sentinels: no retries, since callers retry; a silent one is given up after the timeout."""
    quick = {name: min(float(seconds), SENTINEL_S) for name, seconds in _timeouts(address).items()}
    return {**quick, **address.sentinel_login, "retry": retry}


def blocking_retries(address: Address) -> tuple[Any, Any]:
    """Retries for calls to a cluster: the first after broken connections, around the second. Its client tries each
    call once. While connections keep breaking, most attempts meet one that broke before."""
    return _retry(Retry, replace(address, patient=False)), _retry(Retry, address, *UNSETTLED)


def awaiting_retries(address: Address) -> tuple[Any, Any]:
    """As `blocking_retries`."""
    return _retry(AwaitingRetry, replace(address, patient=False)), _retry(AwaitingRetry, address, *UNSETTLED)


def _retry(kind: Callable[..., Any], address: Address, *more: type[Exception]) -> Any:
    errors: tuple[type[Exception], ...] = (exceptions.ConnectionError, *more)
    if address.patient:
        errors += (exceptions.TimeoutError, TimeoutError)
    backoff = ExponentialWithJitterBackoff(base=0.02, cap=0.5)
    return kind(backoff, address.retries, supported_errors=errors)
