"""Creates a queue of folds from a URL."""

from __future__ import annotations

from session_core.errors import UnknownScheme
from session_core.fold_queue import FoldQueue
from session_core.stores.open import REDIS_SCHEMES
from session_core.stores.urls import named_place, require_named


def open_queue(url: str) -> FoldQueue:
    """The queue at `url`: `redis://host:port/db`, also `rediss://` (TLS), `redis+cluster://host:port,host:port` and
    `redis+sentinel://host:port/service`.

    Raises: UnknownScheme for anything else; MissingExtra if the driver is not installed.
    """
    require_named(url)
    url = url.strip()
    if url.partition("://")[0].lower() in REDIS_SCHEMES:
        from session_core.stores.redis.fold_queue import RedisFoldQueue

        return RedisFoldQueue(url)
    raise UnknownScheme(
        f"{named_place(url)!r} cannot be a queue of folds; use redis://, rediss://, redis+cluster:// or redis+sentinel://"
    )
