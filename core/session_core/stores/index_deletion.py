"""A store wrapper that removes deleted sessions from an index."""

from __future__ import annotations

from typing import Any, cast

from session_core.advisers import Index
from session_core.ports import SessionStore
from session_core.runtime.process_bound import ProcessBound
from session_core.stores.indexing import rebuild
from session_core.stores.retention import require_purging
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
        await self._forget(key)
        return await self._store.delete(key)

    async def purge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """Deletes idle sessions from the index, then from the store: a purge that breaks off does not say which of
        them it deleted. One that was written to meanwhile stays, and is indexed anew."""
        store = require_purging(self._store)
        idle = await store.idle(older_than_s, tenant=tenant)
        for key in idle:
            await self._forget(key)
        gone = await store.purge(older_than_s, tenant=tenant)
        for key in {*idle}.difference(gone):
            for part in await self._store.holdings(key):
                await rebuild(self._store, part.state.key, self._index)
        return gone

    async def _forget(self, key: Key) -> None:
        for part in await self._store.holdings(key):
            await self._index.forget(part.state.key, part.state.ledger.messages)
