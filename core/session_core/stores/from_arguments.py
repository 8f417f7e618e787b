"""Creates the store for the arguments of `Sessions`: a URL, a store, or two sides; encrypted or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from session_core.errors import ConfigError, named_type
from session_core.ports import Leasing, SessionStore, Store
from session_core.stores.cache import MemoryCache
from session_core.stores.hybrid import HybridStore
from session_core.stores.open import open_cache, open_store
from session_core.stores.urls import shown_url

if TYPE_CHECKING:
    from session_core.stores.keyring import Keyring


_POWERS = ("scheme", *(name for part in (Leasing, Store) for name in vars(part) if not name.startswith("_")))
"""The methods of a store without those for checkpoints, which only a `SessionSaver` needs."""


def open_from_arguments(
    url: str | SessionStore | None, hot: str | None, cold: str | None, keyring: Keyring | None = None
) -> SessionStore:
    """The store, wrapped in an `EncryptedStore` if there is a `keyring`. Raises: ConfigError; StoreError if it
    cannot be opened."""
    store = _unsealed(url, hot, cold)
    if keyring is None:
        return store
    from session_core.stores.encrypted import EncryptedStore

    return EncryptedStore(store, keyring)


def shown_place(url: str | SessionStore | None, hot: str | None, cold: str | None) -> str:
    """The place of the store, for display: a URL without its password, or the class of a store passed in."""
    if hot is not None and cold is not None:
        return f"{shown_url(cold)} behind {shown_url(hot)}"
    return shown_url(url or "memory://") if url is None or isinstance(url, str) else type(url).__name__


def degraded(store: SessionStore) -> str | None:
    """Which side of a hybrid store, encrypted or not, is unavailable; None if none is, and for other stores."""
    reason: str | None = getattr(getattr(store, "inner", store), "degraded", None)
    return reason


def _unsealed(url: str | SessionStore | None, hot: str | None, cold: str | None) -> SessionStore:
    if hot is None and cold is None:
        url = "memory://" if url is None else url
        return open_store(url) if isinstance(url, str) else _store(url)
    if url is not None or not isinstance(hot, str) or not isinstance(cold, str):
        raise ConfigError("pass one store, or both sides of a hybrid one: hot='memory://', cold='sqlite:///chat.db'")
    cache = open_cache(hot)
    # An in-process cache does not see the writes of other processes.
    return HybridStore(cache, open_store(cold), verify=isinstance(cache, MemoryCache))


def _store(given: SessionStore) -> SessionStore:
    if isinstance(given, type) or not hasattr(given, "awaiting"):
        raise ConfigError(f"{named_type(given)} is not a store; pass a URL such as sqlite:///chat.db, or a store")
    lacking = [name for name in _POWERS if not hasattr(given, name)]
    if lacking:
        raise ConfigError(
            f"the store {type(given).__name__} lacks {', '.join(lacking)}; session_core.ports.Store says what each "
            "does, and session_core.testing tests it"
        )
    return given
