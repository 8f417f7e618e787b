"""Whether a store can end what nobody uses any more."""

from __future__ import annotations

from typing import cast

from session_core.errors import ConfigError
from session_core.ports import Purging, Store


def purging(store: Store) -> Purging:
    """`store` as one that purges. Raises: ConfigError when it does not."""
    if not hasattr(store, "purge"):
        raise ConfigError(f"the {store.scheme} store cannot tell what nobody uses any more; delete sessions by name")
    return cast(Purging, store)
