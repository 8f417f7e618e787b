"""`SessionSaver(inner=...)`: views for the runs of a graph whose checkpoints another saver keeps."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    CheckpointMetadata,
    CheckpointTuple,
    DeltaChannelHistory,
)
from langgraph.checkpoint.base import Checkpoint as GraphCheckpoint

from langchain_session.checkpointing.concurrency import ConcurrencyRule
from langchain_session.checkpointing.inner_records import InnerRecords
from langchain_session.checkpointing.inner_voice import InnerVoice
from langchain_session.checkpointing.lifetime import Lifetime
from langchain_session.checkpointing.voice import Voice
from langchain_session.graph_state.originals import Originals
from langchain_session.graph_state.threads import RUNTIME, begin_anew, require_tenant, without_notes
from session_core import Sessions, Tier
from session_core.errors import ConfigError
from session_core.voices import run_blocking


class Inner(BaseCheckpointSaver[Any]):
    """How a `SessionSaver` with an inner saver works: runs get the view, the checkpoints stay in the inner one.

    The inner saver receives every checkpoint whole, in its own format and with its own versions, with the messages
    that the graph would have without us; so a graph can continue without us at any time. Our store has the record,
    the digests and a small row for each checkpoint. Existing threads are added to the record when a run starts on
    them. Turns of concurrent runs are merged in what the inner saver receives.

    It supports sync or async calls as the inner saver does; a method that saver lacks raises NotOffered.
    `delete_thread` deletes in both. `close` leaves the inner saver open. The inner saver has no tenants: thread ids
    must be unique across them. The messages of a DeltaChannel stay in the inner saver, and runs get them uncompressed
    (`attach` fits them).
    """

    inner: BaseCheckpointSaver[Any]
    sessions: Sessions
    tenant: str
    channel: str
    _rule: ConcurrencyRule
    _warn_of_another_channel: Callable[[RunnableConfig, GraphCheckpoint, CheckpointMetadata], None]
    _awaiting: Voice
    _originals: Originals
    _whole: bool

    def _with(self, inner: BaseCheckpointSaver[Any]) -> None:
        self.inner = inner
        self.serde = inner.serde
        opened, rest = self.sessions, (self.tenant, self.channel, self._originals, self._whole)
        self._beside = InnerRecords(InnerVoice(inner, False), opened.store, opened.services, *rest)
        self._abeside = InnerRecords(InnerVoice(inner, True), opened.awaited, opened.aservices, *rest)

    @property
    def config_specs(self) -> list[Any]:
        return self.inner.config_specs

    def with_allowlist(self, extra_allowlist: Collection[tuple[str, ...]]) -> BaseCheckpointSaver[Any]:
        derived = self.inner.with_allowlist(extra_allowlist)
        if derived is self.inner:
            return self
        clone = copy.copy(self)
        clone._with(derived)
        return clone

    def get_next_version(self, current: Any, channel: None) -> Any:
        return self.inner.get_next_version(current, channel)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        require_tenant(config["configurable"] if config else {}, self.tenant)
        found: CheckpointTuple | None = None
        try:
            for found in self.inner.list(config and without_notes(config), filter=filter, before=before, limit=limit):
                yield run_blocking(self._beside.hand_out(found, run=True, named=True)) if _of_a_run(config) else found
        except NotImplementedError as exc:
            raise self._beside.inner.not_offered("list") from exc
        if found is None:
            begin_anew(config, before)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        require_tenant(config["configurable"] if config else {}, self.tenant)
        found: CheckpointTuple | None = None
        try:
            async for found in self.inner.alist(
                config and without_notes(config), filter=filter, before=before, limit=limit
            ):
                yield await self._abeside.hand_out(found, run=True, named=True) if _of_a_run(config) else found
        except NotImplementedError as exc:
            raise self._abeside.inner.not_offered("list") from exc
        if found is None:
            begin_anew(config, before)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        run_blocking(self._beside.inner.call("delete_for_runs", run_ids))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        await self._abeside.inner.call("delete_for_runs", run_ids)

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        run_blocking(self._beside.inner.call("copy_thread", source_thread_id, target_thread_id))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        await self._abeside.inner.call("copy_thread", source_thread_id, target_thread_id)

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        run_blocking(self._beside.prune(thread_ids, strategy))

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        await self._abeside.prune(thread_ids, strategy)

    def get_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        return self.inner.get_delta_channel_history(config=without_notes(config), channels=channels)

    async def aget_delta_channel_history(
        self, *, config: RunnableConfig, channels: Sequence[str]
    ) -> Mapping[str, DeltaChannelHistory]:
        return await self.inner.aget_delta_channel_history(config=without_notes(config), channels=channels)

    async def _put(
        self,
        voice: Voice,
        config: RunnableConfig,
        checkpoint: GraphCheckpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> tuple[RunnableConfig, Tier]:
        self._warn_of_another_channel(config, checkpoint, metadata)
        guard = await self._rule.guard(voice.leases, config)
        done = await self._records_of(voice).put(config, checkpoint, metadata, new_versions, guard.get("lease"))
        await self._rule.on_checkpoint(voice.leases, config, checkpoint)
        return done

    async def _put_writes(
        self, voice: Voice, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> None:
        await self._records_of(voice).put_writes(config, writes, task_id, task_path)
        await self._rule.on_writes(voice.leases, config, writes)

    async def _start_run(self, voice: Voice, config: RunnableConfig) -> CheckpointTuple | None:
        return await self._rule.start_run(
            voice.leases, voice.pause, config, lambda: self._records_of(voice).get(config)
        )

    async def _delete(self, voice: Voice, thread_id: str) -> None:
        await self._records_of(voice).delete_thread(thread_id)

    def _records_of(self, voice: Voice) -> InnerRecords:
        return self._abeside if voice is self._awaiting else self._beside


def require_compatible(inner: object, serde: object, concurrency: str) -> BaseCheckpointSaver[Any]:
    """`inner`, if it can be combined with the other arguments. Raises: ConfigError."""
    if not isinstance(inner, BaseCheckpointSaver) or isinstance(inner, Lifetime):
        raise ConfigError(
            f"inner={type(inner).__name__}; pass a checkpointer such as a PostgresSaver "
            "(from_conn_string gives one in a with statement)"
        )
    if serde is not None:
        raise ConfigError(
            "serde= cannot be given with inner=: the inner saver serializes checkpoints; pass serde= to that saver"
        )
    if concurrency == "reject":
        raise ConfigError(
            'concurrency="reject" is not possible with inner=, since that saver accepts every write; '
            'with concurrency="serialize" runs wait for each other'
        )
    return inner


def _of_a_run(config: RunnableConfig | None) -> bool:
    """Whether the caller is a run, also one that replays a subgraph and continues from the result."""
    return config is not None and RUNTIME in config["configurable"]
