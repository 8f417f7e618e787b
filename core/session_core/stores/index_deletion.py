"""A store wrapper that removes deleted sessions from an index."""

from __future__ import annotations

from typing import Any, cast

from session_core.advisers import Index
from session_core.ports import SessionStore
from session_core.process_bound import ProcessBound
from session_core.turns import Key
from session_core.voices import threaded


def with_index_deletion(store: SessionStore, index: Index | None) -> SessionStore:
    """`store`, with deletions that reach `index` first: a crash in between leaves a record without an index, which
    can be rebuilt, and never text in the index that nobody deletes."""
    return cast(SessionStore, _IndexDeleting(store, index)) if index is not None else store


class _IndexDeleting(ProcessBound):
    def __init__(self, store: SessionStore, index: Index) -> None:
        self._store, self._index = store, index

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def awaiting(self) -> SessionStore:
        """The same store for async callers."""
        return with_index_deletion(self._store.awaiting(), threaded(self._index))

    async def delete(self, key: Key) -> int:
        """Deletes from the index, then from the store."""
        state = await self._store.state(key)
        if state is not None:
            await self._index.forget(key, state.ledger.messages)
        return await self._store.delete(key)

    async def purge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """Purges the store, then deletes those sessions from the index, since only the result names them."""
        before = {state.key: state for state in await self._store.sessions(tenant)}
        gone = await cast(Any, self._store).purge(older_than_s, tenant=tenant)
        for key in gone:
            last = before[key].ledger.messages if key in before else 0
            await self._index.forget(key, last)
        return cast("tuple[Key, ...]", gone)
