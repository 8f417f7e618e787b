"""One checkpointer in one voice (sync or async), for code that is written once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)

from langchain_session.graph_state.pruning import is_unlisted
from langchain_session.transfer.checkpoint_place import CheckpointPlace
from langchain_session.transfer.redis_checkpoints import (
    is_langgraph_redis,
    lists_more_writes,
    places_in_redis,
    with_writes,
)
from session_core import Sessions
from session_core.errors import VoiceError
from session_core.ports import SessionStore


@dataclass(frozen=True, slots=True)
class SaverVoice:
    """A checkpointer with its sync methods, or (`awaits`) with its async ones."""

    saver: BaseCheckpointSaver[Any]
    awaits: bool

    async def threads(self) -> dict[str, list[CheckpointPlace]]:
        """The places of the checkpoints of each thread, in all namespaces, oldest first; one query for all."""
        found: dict[str, list[CheckpointPlace]] = {}
        for place in await self._places(None):
            found.setdefault(place.thread_id, []).append(place)
        return {thread_id: sorted(places) for thread_id, places in found.items()}

    async def places(self, thread_id: str) -> list[CheckpointPlace]:
        """The places of the checkpoints of a thread, in all namespaces, oldest first."""
        return sorted(await self._places(thread_id))

    async def read(self, place: CheckpointPlace) -> CheckpointTuple | None:
        """The checkpoint at a place."""
        config = config_at(place)
        found = await self.saver.aget_tuple(config) if self.awaits else self.saver.get_tuple(config)
        if found is not None and lists_more_writes(self.saver, found):
            return with_writes(found, [one async for one in self._listed(found.config)])
        return found

    async def put(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, changed: ChannelVersions
    ) -> None:
        """Store a checkpoint."""
        if self.awaits:
            await self.saver.aput(config, checkpoint, metadata, changed)
        else:
            self.saver.put(config, checkpoint, metadata, changed)

    async def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> None:
        """Store the writes of a task."""
        if self.awaits:
            await self.saver.aput_writes(config, writes, task_id, task_path)
        else:
            self.saver.put_writes(config, writes, task_id, task_path)

    def store(self, sessions: Sessions) -> SessionStore:
        """The store of `sessions` in this voice."""
        return sessions.awaited if self.awaits else sessions.store

    async def _places(self, thread_id: str | None) -> list[CheckpointPlace]:
        saver: Any = self.saver
        if isinstance(sessions := getattr(saver, "sessions", None), Sessions) and not hasattr(saver, "inner"):
            # A saver of ours: its checkpoints can be listed without their messages.
            rows = await self.store(sessions).checkpoints(saver.tenant, thread_id, None)
            return [
                CheckpointPlace(one.id, one.key.namespace, one.key.session_id) for one in rows if not is_unlisted(one)
            ]
        name = "alist" if self.awaits else "list"
        if is_langgraph_redis(saver) and getattr(type(saver), name) is not getattr(BaseCheckpointSaver, name):

            async def ask(query: Any) -> Any:
                found = saver.checkpoints_index.query(query)
                return await found if self.awaits else found

            return await places_in_redis(ask, thread_id)
        try:
            return [_place(found) async for found in self._listed(_of_thread(thread_id))]
        except NotImplementedError as exc:
            mend = "call the method without the a" if self.awaits else "await the a-named method"
            raise VoiceError(f"{type(saver).__name__} does not list checkpoints in this voice; {mend}") from exc

    async def _listed(self, config: RunnableConfig | None) -> AsyncIterator[CheckpointTuple]:
        """Yields one at a time, since each contains all of its messages."""
        if self.awaits:
            async for one in self.saver.alist(config):
                yield one
        else:
            for one in self.saver.list(config):
                yield one


def config_at(place: CheckpointPlace) -> RunnableConfig:
    """The config that names the checkpoint at `place`."""
    names = {"thread_id": place.thread_id, "checkpoint_ns": place.namespace}
    return {"configurable": {**names, **({"checkpoint_id": place.id} if place.id else {})}}


def _of_thread(thread_id: str | None) -> RunnableConfig | None:
    return None if thread_id is None else {"configurable": {"thread_id": thread_id}}


def _place(found: CheckpointTuple) -> CheckpointPlace:
    names = found.config["configurable"]
    return CheckpointPlace(found.checkpoint["id"], names.get("checkpoint_ns", ""), str(names["thread_id"]))
