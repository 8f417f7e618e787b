"""One checkpointer in one of the two voices, for work that is written once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)

from session_core import Sessions
from session_core.errors import VoiceError
from session_core.ports import SessionStore


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a checkpoint stands, in the order in which checkpoints were made. No id: the newest one."""

    id: str
    namespace: str
    thread_id: str

    @property
    def now(self) -> Place:
        """The newest checkpoint of the same thread and namespace."""
        return Place("", self.namespace, self.thread_id)


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
        with _spoken(self.saver, "await the a-named method"):
            return _once(_place(found).thread_id for found in self.saver.list(None))

    async def places(self, thread_id: str) -> list[Place]:
        with _spoken(self.saver, "await the a-named method"):
            return sorted(map(_place, self.saver.list(_of_thread(thread_id))))

    async def read(self, place: Place) -> CheckpointTuple | None:
        return self.saver.get_tuple(config_at(place))

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


class Awaiting:
    """A checkpointer whose a-named methods are awaited."""

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        self.saver = saver

    async def threads(self) -> list[str]:
        with _spoken(self.saver, "call the method without the a"):
            return _once([_place(found).thread_id async for found in self.saver.alist(None)])

    async def places(self, thread_id: str) -> list[Place]:
        with _spoken(self.saver, "call the method without the a"):
            return sorted([_place(found) async for found in self.saver.alist(_of_thread(thread_id))])

    async def read(self, place: Place) -> CheckpointTuple | None:
        return await self.saver.aget_tuple(config_at(place))

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


def config_at(place: Place) -> RunnableConfig:
    """The config that names the checkpoint at `place`."""
    names = {"thread_id": place.thread_id, "checkpoint_ns": place.namespace}
    return {"configurable": {**names, **({"checkpoint_id": place.id} if place.id else {})}}


def _of_thread(thread_id: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread_id}}


def _place(found: CheckpointTuple) -> Place:
    names = found.config["configurable"]
    return Place(found.checkpoint["id"], names.get("checkpoint_ns", ""), str(names["thread_id"]))


def _once(names: Any) -> list[str]:
    return list(dict.fromkeys(names))


@contextmanager
def _spoken(saver: BaseCheckpointSaver[Any], mend: str) -> Iterator[None]:
    try:
        yield
    except NotImplementedError as exc:
        raise VoiceError(f"{type(saver).__name__} has no such voice; {mend}") from exc
