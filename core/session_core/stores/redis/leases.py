"""Turn leases on Redis: one small hash per session, by the server's clock."""

from __future__ import annotations

from session_core.ports import Lease
from session_core.stores.redis.calls import RedisCalls
from session_core.stores.redis.names import as_bytes
from session_core.stores.redis.scripts import DROP_LEASE, LEASE
from session_core.stores.redis.wires import Call
from session_core.turns import Key

KEPT_MS = 86_400_000
"""How long a lease's key is kept after its expiry: so long a late holder learns that nobody took the turn."""


class RedisLeases(RedisCalls):
    """The lease methods of the Redis store."""

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        ttl_ms = max(1, round(ttl_s * 1000))
        args = [as_bytes(holder), ttl_ms, ttl_ms + max(self._ttl_ms, KEPT_MS)]
        (answer,) = await self._wire.run(Call(LEASE, [self._names.lease(key)], args))
        return None if answer is None else Lease(key, int(answer[1]), holder, ttl_s)

    async def drop_lease(self, lease: Lease) -> None:
        await self._wire.run(Call(DROP_LEASE, [self._names.lease(lease.key)], [str(lease.token)]))
