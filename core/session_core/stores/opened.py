"""From what `Sessions` is given to a store: a URL, a store, or the URLs of the two sides of a hybrid one."""

from __future__ import annotations

from session_core.errors import ConfigError
from session_core.ports import SessionStore
from session_core.stores.cache import MemoryCache
from session_core.stores.hybrid import HybridStore
from session_core.stores.open import open_store
from session_core.stores.open_cache import open_cache


def opened(url: str | SessionStore | None, hot: str | None, cold: str | None) -> SessionStore:
    """The store. Raises: ConfigError, StoreError when it cannot be opened."""
    if hot is None and cold is None:
        url = "memory://" if url is None else url
        return open_store(url) if isinstance(url, str) else _store(url)
    if url is not None or not isinstance(hot, str) or not isinstance(cold, str):
        raise ConfigError("name one store, or the two sides of a hybrid one: hot='memory://', cold='sqlite:///chat.db'")
    cache = open_cache(hot)
    # What another process writes, a cache in this one never hears of.
    return HybridStore(cache, open_store(cold), verify=isinstance(cache, MemoryCache))


def _store(given: SessionStore) -> SessionStore:
    if isinstance(given, type) or not hasattr(given, "awaiting"):
        raise ConfigError(f"a {type(given).__name__} is no store; pass a URL such as sqlite:///chat.db, or a store")
    return given
