"""LangGraph threads in a hybrid store: the cold side keeps them, the cache drops entries that they change."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, Unpack

from session_core.ports import Checkpoint, Holding, SessionStore
from session_core.ranges import Ranges
from session_core.stores.hybrid.hot_side import HotSide, PendingWrite
from session_core.stores.options import DropOptions
from session_core.turns import Key

T = TypeVar("T")


class HybridThreads(ABC):
    """The thread methods of `CheckpointStore` in a hybrid store."""

    cold: SessionStore
    _hot: HotSide

    @abstractmethod
    async def _read(self, work: Awaitable[T]) -> T:
        """The cold side's answer to a read."""

    @abstractmethod
    async def _written(self, pending: PendingWrite | None, key: Key, work: Awaitable[T]) -> T:
        """The cold side's answer to the write `pending`."""

    @abstractmethod
    async def _begin(self, key: Key) -> PendingWrite | None:
        """Begin a write on the hot side; None if that side does not have the session."""

    @abstractmethod
    async def _restate(self, pending: PendingWrite | None, key: Key, *, steps: int) -> None:
        """Make the hot entry valid again with the current state of the cold side."""

    async def ancestors(self, key: Key, checkpoint_id: str, channels: Sequence[str]) -> tuple[Checkpoint, ...]:
        return await self._read(self.cold.ancestors(key, checkpoint_id, channels))

    async def checkpoints_of_runs(self, tenant: str, run_ids: Sequence[str]) -> tuple[Checkpoint, ...]:
        return await self._read(self.cold.checkpoints_of_runs(tenant, run_ids))

    async def parts(self, key: Key, channels: Sequence[str]) -> Mapping[str, Ranges]:
        return await self._read(self.cold.parts(key, channels))

    async def drop_checkpoints(self, key: Key, checkpoint_ids: Sequence[str], **options: Unpack[DropOptions]) -> None:
        pending = None if options.get("head") is None else await self._begin(key)
        await self._written(pending, key, self.cold.drop_checkpoints(key, checkpoint_ids, **options))
        await self._restate(pending, key, steps=1)

    async def copy_session(self, key: Key, session_id: str) -> None:
        pending = await self._hot.begin(place_of(replace(key, session_id=session_id)))
        await self._written(pending, key, self.cold.copy_session(key, session_id))
        await self._hot.end(pending, discard=True)

    async def holdings(self, key: Key) -> tuple[Holding, ...]:
        return await self._read(self.cold.holdings(key))


def place_of(key: Key) -> str:
    """The place of a session on the hot side."""
    return f"{len(key.tenant)}:{key.tenant}:{key.session_id}"
