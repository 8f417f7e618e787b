"""One checkpointer in one of the two voices, for work that is written once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)

from langchain_session.hands_redis import is_langgraph_redis, lists_more_writes, places_in_redis, with_writes
from langchain_session.place import Place
from session_core import Sessions
from session_core.errors import VoiceError
from session_core.ports import SessionStore


class Hand(Protocol):
    """What moving asks of a checkpointer."""

    saver: BaseCheckpointSaver[Any]

    async def threads(self) -> list[str]:
        """The ids of all threads."""
        ...

    async def places(self, thread_id: str) -> list[Place]:
        """Where the checkpoints of a thread stand, of all namespaces, oldest first."""
        ...

    async def read(self, place: Place) -> CheckpointTuple | None:
        """The checkpoint there."""
        ...

    async def put(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, changed: ChannelVersions
    ) -> None:
        """Store a checkpoint."""
        ...

    async def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> None:
        """Store the writes of a task."""
        ...

    def store(self, sessions: Sessions) -> SessionStore:
        """The store of `sessions` in this voice."""
        ...


class Blocking:
    """A checkpointer whose plain names are called."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        self.saver = saver

    async def threads(self) -> list[str]:
        return list(dict.fromkeys(place.thread_id for place in await self._places(None)))

    async def places(self, thread_id: str) -> list[Place]:
        return sorted(await self._places(thread_id))

    async def read(self, place: Place) -> CheckpointTuple | None:
        found = self.saver.get_tuple(config_at(place))
        if found is not None and lists_more_writes(self.saver, found):
            return with_writes(found, list(self.saver.list(found.config)))
        return found

    async def put(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, changed: ChannelVersions
    ) -> None:
        self.saver.put(config, checkpoint, metadata, changed)

    async def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> None:
        self.saver.put_writes(config, writes, task_id, task_path)

    def store(self, sessions: Sessions) -> SessionStore:
        return sessions.store

    async def _places(self, thread_id: str | None) -> list[Place]:
        saver: Any = self.saver
        if is_langgraph_redis(saver) and type(saver).list is not BaseCheckpointSaver.list:

            async def ask(query: Any) -> Any:
                return saver.checkpoints_index.query(query)

            return await places_in_redis(ask, thread_id)
        with _spoken(saver, "await the a-named method"):
            return [_place(found) for found in saver.list(_of_thread(thread_id))]


class Awaiting:
    """A checkpointer whose a-named methods are awaited."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        self.saver = saver

    async def threads(self) -> list[str]:
        return list(dict.fromkeys(place.thread_id for place in await self._places(None)))

    async def places(self, thread_id: str) -> list[Place]:
        return sorted(await self._places(thread_id))

    async def read(self, place: Place) -> CheckpointTuple | None:
        found = await self.saver.aget_tuple(config_at(place))
        if found is not None and lists_more_writes(self.saver, found):
            return with_writes(found, [one async for one in self.saver.alist(found.config)])
        return found

    async def put(
        self, config: RunnableConfig, checkpoint: Checkpoint, metadata: CheckpointMetadata, changed: ChannelVersions
    ) -> None:
        await self.saver.aput(config, checkpoint, metadata, changed)

    async def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> None:
        await self.saver.aput_writes(config, writes, task_id, task_path)

    def store(self, sessions: Sessions) -> SessionStore:
        return sessions.awaited

    async def _places(self, thread_id: str | None) -> list[Place]:
        saver: Any = self.saver
        if is_langgraph_redis(saver) and type(saver).alist is not BaseCheckpointSaver.alist:
            return await places_in_redis(saver.checkpoints_index.query, thread_id)
        with _spoken(saver, "call the method without the a"):
            return [_place(found) async for found in saver.alist(_of_thread(thread_id))]


def config_at(place: Place) -> RunnableConfig:
    """The config that names the checkpoint at `place`."""
    names = {"thread_id": place.thread_id, "checkpoint_ns": place.namespace}
    return {"configurable": {**names, **({"checkpoint_id": place.id} if place.id else {})}}


def _of_thread(thread_id: str | None) -> RunnableConfig | None:
    return None if thread_id is None else {"configurable": {"thread_id": thread_id}}


def _place(found: CheckpointTuple) -> Place:
    names = found.config["configurable"]
    return Place(found.checkpoint["id"], names.get("checkpoint_ns", ""), str(names["thread_id"]))


@contextmanager
def _spoken(saver: BaseCheckpointSaver[Any], mend: str) -> Iterator[None]:
    try:
        yield
    except NotImplementedError as exc:
        raise VoiceError(f"{type(saver).__name__} has no such voice; {mend}") from exc
