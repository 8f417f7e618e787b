"""Sessions in one SQLite file."""

from session_core.stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
