"""Reads everything that a run starts with in one round trip, although LangGraph asks for it piece by piece."""

from __future__ import annotations

from typing import Any, cast

from session_core.ports import Checkpoint, Loaded, SessionStore, State
from session_core.ranges import Ranges
from session_core.turns import Key


class _Prefetching:
    """A store for the start of one run: the call that reads the newest checkpoint also fetches what LangGraph asks for
    next.

    The fetched answers are of that moment. All other calls go to the store itself.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._loaded: Loaded | None = None

    async def checkpoint(self, key: Key, checkpoint_id: str | None = None) -> Checkpoint | None:
        if checkpoint_id is not None:
            return await self._store.checkpoint(key, checkpoint_id)
        found, self._loaded = await self._store.begin(key)
        return found

    async def state(self, key: Key) -> State | None:
        loaded = self._of(key)
        if loaded is None:
            return await self._store.state(key)
        return loaded.state if loaded.state.born else None

    async def load(self, key: Key, lineage: Ranges | None = None) -> Loaded:
        loaded = self._of(key)
        return loaded if loaded is not None and lineage is None else await self._store.load(key, lineage)

    def _of(self, key: Key) -> Loaded | None:
        return self._loaded if self._loaded is not None and self._loaded.state.key == key else None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def prefetching(store: SessionStore) -> SessionStore:
    """`store`, with prefetching for the start of one run."""
    return cast(SessionStore, _Prefetching(store))
