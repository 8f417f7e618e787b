"""Creates stores, caches and queues of folds from their URLs."""

from __future__ import annotations

from urllib.parse import unquote

from session_core.errors import UnknownScheme, missing_extra
from session_core.fold_queue import FoldQueue
from session_core.ports import SessionStore
from session_core.stores.cache import Cache, MemoryCache
from session_core.stores.memory import MemoryStore
from session_core.stores.sqlite import SqliteStore
from session_core.stores.urls import correct_form, file_in, named_place, require_named, split_url

REDIS_SCHEMES = frozenset(f"{base}{kind}" for base in ("redis", "rediss") for kind in ("", "+cluster", "+sentinel"))


def open_store(url: str) -> SessionStore:
    """The store at `url`: `memory://`, `sqlite:///relative.db` and `sqlite:////absolute.db`, `redis://host:port/db`,
    `rediss://` (TLS), `redis+cluster://host:port,host:port`, `redis+sentinel://host:port/service`,
    `postgresql://user@host/db`.

    Raises: UnknownScheme for anything else; MissingExtra if the store's driver is not installed.
    """
    scheme, url = _scheme_and_url(url)
    if scheme in REDIS_SCHEMES:
        from session_core.stores.redis.store import RedisStore

        return RedisStore(url)
    if scheme in ("postgresql", "postgres"):
        return _postgres(url)
    parts = split_url(url)
    if parts.scheme == "memory":
        return MemoryStore()
    if parts.scheme == "sqlite":
        path = unquote(parts.path).removeprefix("/")
        if parts.query or parts.fragment:
            raise UnknownScheme(f"{url!r} has a '?' or '#' after the file; in a file name write them as %3F and %23")
        if path == ":memory:":
            raise UnknownScheme("sqlite:///:memory: would be another database in every thread; use memory://")
        if "\0" in path:
            raise UnknownScheme("the file in the URL contains a NUL character, which no file name can; remove it")
        if not path or parts.netloc:
            raise UnknownScheme(
                f"{url!r} names no file; write sqlite:///chat.db, or sqlite:////var/lib/chat.db with a full path"
            )
        return SqliteStore(file_in(parts))
    known = "memory://, sqlite:///path.db, redis://, rediss://, redis+cluster://, redis+sentinel://, postgresql://"
    raise UnknownScheme(f"{named_place(url)!r} is not a store URL; use one of {known}{correct_form(url)}")


def open_cache(url: str) -> Cache:
    """The cache of a hybrid store at `url`: `memory://`, in this process, or one of the `redis` URLs of `open_store`.

    Raises: UnknownScheme for anything else; MissingExtra if the driver is not installed.
    """
    scheme, url = _scheme_and_url(url)
    if scheme == "memory":
        return MemoryCache()
    if scheme in REDIS_SCHEMES:
        from session_core.stores.redis.cache import RedisCache

        return RedisCache(url)
    raise UnknownScheme(
        f"{scheme[:40]!r} cannot be a hot side; use memory://, redis://, rediss://, redis+cluster://, "
        "redis+sentinel://, or pass HybridStore a Cache"
    )


def open_queue(url: str) -> FoldQueue:
    """The queue of folds at `url`, one of the `redis` URLs of `open_store`.

    Raises: UnknownScheme for anything else; MissingExtra if the driver is not installed.
    """
    scheme, url = _scheme_and_url(url)
    if scheme in REDIS_SCHEMES:
        from session_core.stores.redis.fold_queue import RedisFoldQueue

        return RedisFoldQueue(url)
    raise UnknownScheme(
        f"{named_place(url)!r} cannot be a queue of folds; use redis://, rediss://, redis+cluster:// or redis+sentinel://"
    )


def _scheme_and_url(url: str) -> tuple[str, str]:
    """The scheme of `url`, and `url` without blanks around it: secrets in files end with a newline."""
    require_named(url)
    url = url.strip()
    return url.partition("://")[0].lower(), url


def _postgres(url: str) -> SessionStore:
    try:
        from session_core.stores.postgres.store import PostgresStore
    except ImportError as exc:
        raise missing_extra("psycopg", "postgres") from exc
    return PostgresStore(url)
