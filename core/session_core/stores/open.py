"""From a URL to a store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from session_core.errors import UnknownScheme
from session_core.ports import SessionStore
from session_core.stores.memory import MemoryStore
from session_core.stores.sqlite import SqliteStore


def open_store(url: str) -> SessionStore:
    """The store at `url`: `memory://`, or `sqlite:///relative.db` and `sqlite:////absolute.db`.

    Raises: UnknownScheme for anything else.
    """
    parts = urlsplit(url)
    if parts.scheme == "memory":
        return MemoryStore()
    if parts.scheme == "sqlite":
        path = unquote(parts.path).removeprefix("/")
        if parts.query or parts.fragment:
            raise UnknownScheme(f"{url!r} has a '?' or '#' behind the file; in a file's name write them %3F and %23")
        if path == ":memory:":
            raise UnknownScheme("sqlite:///:memory: would be another database in every thread; use memory://")
        if not path or parts.netloc:
            raise UnknownScheme(
                f"{url!r} names no file; write sqlite:///chat.db, or sqlite:////var/lib/chat.db with a full path"
            )
        return SqliteStore(Path(path).expanduser())
    known = "memory://, sqlite:///path.db"
    raise UnknownScheme(f"{url.split(':')[0]!r} in {_without_secrets(url)!r} is no store; use one of {known}")


def _without_secrets(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if at else url
