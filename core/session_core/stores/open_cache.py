"""From a URL to a cache, for the hot side of a hybrid store."""

from __future__ import annotations

from session_core.errors import UnknownScheme
from session_core.stores.cache import Cache, MemoryCache


def open_cache(url: str) -> Cache:
    """The cache at `url`: `memory://`, in this process. Raises: UnknownScheme for anything else."""
    scheme = url.partition("://")[0]
    if scheme == "memory":
        return MemoryCache()
    raise UnknownScheme(f"{scheme[:40]!r} is no hot side; use memory://, or give HybridStore a Cache of your own")
