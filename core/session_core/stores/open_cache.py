"""Creates the cache of a hybrid store from a URL."""

from __future__ import annotations

from session_core.errors import UnknownScheme
from session_core.stores.cache import Cache, MemoryCache
from session_core.stores.open import REDIS_SCHEMES
from session_core.stores.urls import require_named


def open_cache(url: str) -> Cache:
    """The cache at `url`: `memory://`, in this process, or `redis://host:port/db`, also `rediss://` (TLS),
    `redis+cluster://host:port,host:port` and `redis+sentinel://host:port/service`.

    Raises: UnknownScheme for anything else; MissingExtra if the driver is not installed.
    """
    require_named(url)
    url = url.strip()
    scheme = url.partition("://")[0]
    if scheme == "memory":
        return MemoryCache()
    if scheme in REDIS_SCHEMES:
        from session_core.stores.redis.cache import RedisCache

        return RedisCache(url)
    raise UnknownScheme(
        f"{scheme[:40]!r} cannot be a hot side; use memory://, redis://, rediss://, redis+cluster://, "
        "redis+sentinel://, or pass HybridStore a Cache"
    )
