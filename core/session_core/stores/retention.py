"""Whether a store can delete idle sessions."""

from __future__ import annotations

from math import inf
from typing import cast

from session_core.errors import ConfigError
from session_core.ports import Purging, Store


def require_age(older_than_s: float, tenant: str | None) -> None:
    """Raises: ConfigError for an invalid age, since a negative one would match every session, and for a tenant with an
    empty name, as from a variable that is not set."""
    if tenant == "":
        raise ConfigError("tenant=''; pass the name of a tenant, or None for all, and nothing was deleted")
    if isinstance(older_than_s, bool) or not isinstance(older_than_s, (int, float)) or not 0 <= older_than_s < inf:
        raise ConfigError(f"older_than_s={older_than_s!r}; pass seconds, 0 or more, and nothing was deleted")


def require_purging(store: Store) -> Purging:
    """`store`, if it can purge. Raises: ConfigError."""
    if not (hasattr(store, "purge") and hasattr(store, "idle")):
        raise ConfigError(f"the {store.scheme} store cannot find unused sessions; delete them by name")
    return cast(Purging, store)
