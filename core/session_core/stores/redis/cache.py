"""The cache of a hybrid store on Redis: one script per call, one expiring hash per entry."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import ormsgpack

from session_core.errors import StoreUnreadable
from session_core.stores.cache import TTL_S, WRITING_S, Cache, Entry, Look
from session_core.stores.redis.address import Address
from session_core.stores.redis.names import as_bytes, escape
from session_core.stores.redis.scripts import CACHE_BEGIN, CACHE_END, CACHE_EXTEND, CACHE_FILL, CACHE_LOOK, Script
from session_core.stores.redis.wires import BlockingWire, Call, Wire

HOT_OPTIONS: Mapping[str, str] = {
    "ttl_s": f"{TTL_S:g}",
    "socket_timeout": "0.5",
    "socket_connect_timeout": "0.5",
    "wait_s": "1",
    "retries": "1",
}
"""Default options of a cache's URL: nobody should wait long, since the cold side can be read instead."""


class RedisCache:
    """Keeps entries on the server, or servers, that `url` names; for many processes and machines.

    Every key has its time to live at every moment: `?ttl_s=` (an hour without it), anew with each
    call, and while a write goes on at least as long as that may take, `writing_s`. Both go by the
    server's clock. Nothing that a server had before a restart or a failover counts after it. A call
    is sent again, once, when its connection broke, and not when the server kept silent
    (`?socket_timeout=`, half a second without it). A server that evicts (`maxmemory-policy
    allkeys-lru`) is welcome. Safe with several threads, and after a fork.

    Nothing is connected before the first call. Raises: ConfigError; MissingExtra without the driver.
    """

    name = "redis"

    def __init__(self, url: str | Wire, *, writing_s: float = WRITING_S) -> None:
        if isinstance(url, str):
            url = BlockingWire(replace(Address.parse(url, **HOT_OPTIONS), patient=False))
        self._wire = url
        self._writing_s = writing_s
        self._ttl_ms = round((url.address.ttl_s or TTL_S) * 1000)
        self._twin: RedisCache | None = None

    def awaiting(self) -> Cache:
        """The same entries over connections of the running event loop; always the same object."""
        if self._wire.awaiting() is self._wire:
            return self
        if self._twin is None:
            self._twin = RedisCache(self._wire.awaiting(), writing_s=self._writing_s)
        return self._twin

    async def look(self, place: str, *, hidden: bool = False) -> Look:
        mark, quiet, *fields = await self._run(CACHE_LOOK, place, int(hidden))
        return Look(_entry(place, fields[0]) if fields else None, quiet == 1, mark.decode())

    async def begin(self, place: str, write: str) -> bytes | None:
        head: bytes | None = await self._run(CACHE_BEGIN, place, write, round(self._writing_s * 1000))
        return head

    async def extend(self, place: str, write: str, head: bytes, more: Sequence[bytes]) -> bool:
        packed = ormsgpack.packb(list(more)) if more else b""
        return bool(await self._run(CACHE_EXTEND, place, write, head, packed))

    async def end(self, place: str, write: str, *, discard: bool) -> bool:
        return bool(await self._run(CACHE_END, place, write, int(discard)))

    async def fill(self, place: str, mark: str, entry: Entry) -> bool:
        packed = ormsgpack.packb(list(entry.messages))
        return bool(await self._run(CACHE_FILL, place, mark, entry.head, packed))

    async def close(self) -> None:
        await self._wire.close()

    async def _run(self, script: Script, place: str, *args: object) -> Any:
        """The answer of a script; each call gets a new unique mark."""
        key = as_bytes(f"{self._wire.address.prefix}:hot:{{{escape(place)}}}")
        (answer,) = await self._wire.run(Call(script, [key], [self._ttl_ms, secrets.token_hex(8), *args]))
        return answer


def _entry(place: str, flat: Sequence[bytes]) -> Entry:
    """The entry from a hash's fields and values. Raises: StoreUnreadable."""
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    try:
        parts = [fields[b"%d" % number] for number in range(1, int(fields[b"n"]) + 1)]
        return Entry(fields[b"h"], tuple(message for part in parts for message in ormsgpack.unpackb(part)))
    except (KeyError, ValueError) as exc:
        raise StoreUnreadable(f"the hot side holds something else at {place!r}; set another prefix in its URL") from exc
