"""`SessionSaver`: a LangGraph checkpointer that stores each message once and gives runs a view that fits the budget."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from inspect import signature
from typing import Any, Self, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    CheckpointMetadata,
    CheckpointTuple,
    PendingWrite,
    get_checkpoint_id,
)
from langgraph.checkpoint.base import Checkpoint as GraphCheckpoint
from langgraph.checkpoint.serde.base import SerializerProtocol

from langchain_session.checkpointing.checkpoint_filter import select_checkpoints
from langchain_session.checkpointing.concurrency import TURN_TTL_S, Concurrency, rule_of
from langchain_session.checkpointing.conversation_start import unstored_checkpoint
from langchain_session.checkpointing.graph_checkpoint import GraphCheckpoint as GivenCheckpoint
from langchain_session.checkpointing.inner import Inner, require_compatible
from langchain_session.checkpointing.lifetime import Lifetime
from langchain_session.checkpointing.maintenance import Maintenance
from langchain_session.checkpointing.prefetch import prefetching
from langchain_session.checkpointing.voice import DEFAULT_URL, Voice, sessions_at
from langchain_session.checkpointing.whole_state import StateOfRuns, handed_whole, is_whole
from langchain_session.graph_state.channels import (
    Storage,
    decode_write,
    newest_large,
    raw_messages,
    record_messages,
    writes_of_task,
)
from langchain_session.graph_state.deltas import (
    as_the_graph_has_it,
    is_made_of_writes,
    part_in,
    without_snapshots,
)
from langchain_session.graph_state.listing import uncompressed
from langchain_session.graph_state.originals import Originals
from langchain_session.graph_state.record_numbers import recorded
from langchain_session.graph_state.threads import (
    BASE,
    BEGAN,
    BORN,
    FORK,
    HANDED,
    RUNTIME,
    config_of,
    forget,
    is_of_a_task,
    key_of,
    notes_without_list,
    starting_part,
    state_key,
    with_notes,
)
from langchain_session.graph_state.values import live_values
from langchain_session.graph_state.view_expansion import raw_write
from langchain_session.graph_state.view_list import view_for_run
from session_core import Policy, Sessions, Tier
from session_core.errors import ConfigError
from session_core.leasing import SettledLeases
from session_core.ports import Checkpoint
from session_core.turns import Key
from session_core.voices import pause_awaiting, pause_blocking, run_blocking


class SessionSaver(Maintenance, Lifetime):
    """A checkpointer over the sessions of a store: a thread is a session, its messages are the record.

    Runs get the view of their thread, which never exceeds the policy's budget; `get_state` and the state history
    return the whole record. With `state="whole"` runs get the whole record too, for pages that draw their state; models
    must then be handed the view by `attach` or `SessionMiddleware`. Such a run takes about 0.07 ms of CPU per message
    of the thread when it starts, and 0.004 ms in each superstep. One object serves sync and async calls. `channel` is
    the state key of the conversation ("__previous__" in an entrypoint); message lists under other keys are stored once
    too. `serde` serializes all but messages; to encrypt those, open `Sessions(..., keyring=...)`. `Sessions` passed in
    are not closed with the saver; `url` names a store that is.

    `concurrency` is the rule for concurrent runs on one thread:

    - "merge": all runs go on; the record has every message, with turns one after the other.
    - "serialize": a run waits up to `wait_s` seconds for the previous one (TurnTaken). A run without a sign of life
      for `turn_ttl_s` seconds (longer than any node takes) loses its turn to a waiting one (TurnLost).
    - "reject": a run whose thread has moved on to another checkpoint since it began raises Conflict.

    `update_state`, forks, and appends through other adapters are never blocked. With `inner` that saver keeps the
    checkpoints, and this store only what views are made of; see `langchain_session.checkpointing.inner`.
    """

    def __new__(cls, *args: Any, inner: BaseCheckpointSaver[Any] | None = None, **named: Any) -> Self:
        if inner is None:
            return super().__new__(cls)
        if not issubclass(InnerSaver, cls) and not issubclass(cls, InnerSaver):
            raise ConfigError(
                f"{cls.__name__}(inner=...): derive the class from InnerSaver to have checkpoints elsewhere"
            )
        return cast(Self, super().__new__(cls if issubclass(cls, InnerSaver) else InnerSaver))

    def __init__(
        self,
        sessions: Sessions | str = DEFAULT_URL,
        *,
        url: str | None = None,
        policy: Policy | None = None,
        tenant: str = "default",
        channel: str = "messages",
        serde: SerializerProtocol | None = None,
        inner: BaseCheckpointSaver[Any] | None = None,
        state: StateOfRuns = "view",
        concurrency: Concurrency = "merge",
        turn_ttl_s: float = TURN_TTL_S,
        wait_s: float = 30.0,
    ) -> None:
        super().__init__(serde=serde)
        self.sessions = sessions_at(sessions, url, policy)
        self._opened = not isinstance(sessions, Sessions)
        self.tenant = Key("any", tenant).tenant
        self.channel = state_key(channel)
        self._whole = is_whole(state)
        store, awaited = self.sessions.store, self.sessions.awaited
        self._blocking = Voice(store, self.sessions.services, pause_blocking, store)
        self._awaiting = Voice(awaited, self.sessions.aservices, pause_awaiting, SettledLeases(awaited))
        self._rule = rule_of(concurrency, store, tenant, turn_ttl_s=turn_ttl_s, wait_s=wait_s)
        self._warn_unencrypted()

    # What help() and notebooks show; they would read it from `__new__`, which knows `inner` only.
    __new__.__signature__ = signature(__init__)  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"SessionSaver({self.sessions.place!r}, tenant={self.tenant!r})"

    @classmethod
    def from_conn_string(cls, url: str, *, policy: Policy | None = None) -> Self:
        """A saver on the store at `url`, such as "sqlite:///chat.db"; usable directly or in a `with`."""
        return cls(url, policy=policy)

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return run_blocking(self._start_run(self._blocking, config))

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        return await self._start_run(self._awaiting, config)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        voice = self._blocking
        for found in run_blocking(self._find(voice, config, filter, before, limit)):
            yield run_blocking(self._list_item(voice, found, config))

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        voice = self._awaiting
        for found in await self._find(voice, config, filter, before, limit):
            yield await self._list_item(voice, found, config)

    def put(
        self,
        config: RunnableConfig,
        checkpoint: GraphCheckpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        stored, fold = run_blocking(self._put(self._blocking, config, checkpoint, metadata, new_versions))
        if fold:
            self.sessions.ask_fold(self.key(config), fold)
        return stored

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: GraphCheckpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        stored, fold = await self._put(self._awaiting, config, checkpoint, metadata, new_versions)
        if fold:
            await self.sessions.aask_fold(self.key(config), fold)
        return stored

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        run_blocking(self._put_writes(self._blocking, config, writes, task_id, task_path))

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await self._put_writes(self._awaiting, config, writes, task_id, task_path)

    def delete_thread(self, thread_id: str) -> None:
        run_blocking(self._delete(self._blocking, thread_id))

    async def adelete_thread(self, thread_id: str) -> None:
        await self._delete(self._awaiting, thread_id)

    def get_next_version(self, current: str | int | None, channel: None) -> str:
        """A version greater than `current`, also in text order; unique for concurrent runs."""
        number = int(str(current).partition(".")[0]) if current is not None else 0
        return f"{number + 1:010d}.{secrets.token_hex(4)}"

    def key(self, config: RunnableConfig) -> Key:
        """The session of a config's thread and namespace."""
        return key_of(config, self.tenant)

    async def _start_run(self, voice: Voice, config: RunnableConfig) -> CheckpointTuple | None:
        if RUNTIME not in config["configurable"]:
            return await self._get(voice, config)
        beginning = replace(voice, store=prefetching(voice.store))
        return await self._rule.start_run(voice.leases, voice.pause, config, lambda: self._get(beginning, config))

    async def _get(self, voice: Voice, config: RunnableConfig) -> CheckpointTuple | None:
        wanted, key = get_checkpoint_id(config), self.key(config)
        named = wanted is not None and wanted != BEGAN
        found = await voice.store.checkpoint(key, wanted if named else None)
        if found is None:
            found = None if named or key.namespace else await self._before(voice, key)
        elif wanted == BEGAN:
            found = None
        if found is None:
            forget(config)
            return None
        return await self._hand_out(voice, found, run=RUNTIME in config["configurable"], named=named)

    async def _hand_out(self, voice: Voice, found: Checkpoint, *, run: bool, named: bool) -> CheckpointTuple:
        """The checkpoint for a run or a reader; a `named` one may be older than the newest."""
        key, part = found.key, part_in(found, self.channel)
        if part is None:
            notes = await notes_without_list(voice.store, found, self.channel)
            return await self._tuple(voice, found, {}, run=run, fork=named, notes=notes)
        lineage, is_head, born = await starting_part(voice.store, key, part, named=named, run=run)
        hidden, values, notes = list[tuple[int, int]](), dict[str, Any](), dict[str, Any]()
        if run and self._whole:
            flow = voice.flow(key)
            said, lineage, handed_on = await handed_whole(flow, voice.store, lineage, is_head=is_head, born=born)
            values[self.channel], notes[HANDED] = said, handed_on
        elif run and is_of_a_task(key):
            record = await voice.store.record(key, lineage)
            values = {self.channel: record_messages(record)}
            recorded.hand(key, born, zip(values[self.channel], (one.seq for one in record), strict=True))
        elif run:
            seen = await voice.flow(key).view(lineage=None if is_head else lineage, open_end=True)
            (values[self.channel], hidden), lineage = view_for_run(seen, key), seen.lineage
            recorded.hand_view(key, born, values[self.channel], seen)
        elif lineage != part or not is_made_of_writes(found, self.channel):
            record = await voice.store.record(key, lineage)
            raw = raw_messages(record)
            recorded.hand(key, born, zip(raw, (one.seq for one in record), strict=True))
            values = {self.channel: await uncompressed(raw, key, voice.store)}
        notes |= {BASE: (found.versions[self.channel], lineage.pairs, hidden), BORN: born}
        return await self._tuple(voice, found, values, run=run, fork=named, notes=notes)

    async def _list_item(self, voice: Voice, found: Checkpoint, config: RunnableConfig | None) -> CheckpointTuple:
        """A checkpoint of a list; a run lists them when it replays a subgraph, and continues from the result."""
        found = await voice.store.fill(found)
        if config is not None and RUNTIME in config["configurable"]:
            return await self._hand_out(voice, found, run=True, named=True)
        return await self._tuple(voice, found, {}, run=False)

    async def _before(self, voice: Voice, key: Key) -> Checkpoint | None:
        """An unstored checkpoint for a conversation that another adapter started, if there is one."""
        return await unstored_checkpoint(voice.store, key, self.channel, self.get_next_version(None, None), self.serde)

    async def _tuple(
        self,
        voice: Voice,
        found: Checkpoint,
        values: dict[str, Any],
        *,
        run: bool,
        fork: bool = False,
        notes: Mapping[str, Any] | None = None,
    ) -> CheckpointTuple:
        """The checkpoint in LangGraph's form; channels that `values` lacks are read from the store.

        For a `run` the tasks' writes to the conversation are as they wrote them, else without anything made for a view.
        """
        found, body = as_the_graph_has_it(found, self.channel), self._body(found)
        rest = {name: value for name, value in found.values.items() if name not in values}
        whole = {**values, **await live_values(replace(found, values=rest), voice.store, self.serde)}
        checkpoint = {**body["checkpoint"], "channel_versions": dict(found.versions), "channel_values": whole}
        notes = ({FORK: True} if fork else {}) | dict(notes or {})
        originals, writes = Originals(), list[PendingWrite]()
        for write in found.writes:
            value = decode_write(write.value, self.serde)
            if write.channel == self.channel and (self._whole or not run):
                value = await raw_write(value, found.key, voice.store, originals)
            writes.append((write.task_id, write.channel, value))
        return CheckpointTuple(
            config=with_notes(config_of(found.key, found.id), **notes),
            checkpoint=cast(GraphCheckpoint, checkpoint),
            metadata=body["metadata"],
            parent_config=config_of(found.key, found.parent_id) if found.parent_id else None,
            pending_writes=writes,
        )

    async def _find(
        self,
        voice: Voice,
        config: RunnableConfig | None,
        wanted: Mapping[str, Any] | None,
        before: RunnableConfig | None,
        limit: int | None,
    ) -> Sequence[Checkpoint]:
        def fits(one: Checkpoint) -> bool:
            return all(self._metadata(one).get(name) == value for name, value in (wanted or {}).items())

        return await select_checkpoints(voice.store, self.tenant, config, before, limit=limit, fits=fits)

    async def _put(
        self,
        voice: Voice,
        config: RunnableConfig,
        checkpoint: GraphCheckpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> tuple[RunnableConfig, Tier]:
        """Store a checkpoint; returns the config that names it, and the tier to ask for a fold for."""
        began = time.perf_counter()
        self._warn_of_another_channel(config, checkpoint, metadata)
        key, values = self.key(config), without_snapshots(checkpoint["channel_values"], self.channel)
        storage, prepare = Storage(voice.store, self.channel, self.serde), self.sessions.services.prepare
        # Processed off the event loop; the results are cached.
        await voice.services.prepare_all(newest_large(values.get(self.channel)))
        given = GivenCheckpoint(key, config, checkpoint, metadata, new_versions)
        done = await given.store(storage, prepare, await self._rule.guard(voice.leases, config))
        await self._rule.on_checkpoint(voice.leases, config, checkpoint)
        named = config_of(key, checkpoint["id"])
        if not done.new or key.namespace:
            return named, Tier.NORMAL
        return named, await voice.flow(key).report_append(done, time.perf_counter() - began)

    async def _put_writes(
        self, voice: Voice, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> None:
        rows = writes_of_task(task_id, task_path, writes, self.serde)
        await voice.store.put_writes(self.key(config), config["configurable"]["checkpoint_id"], rows)
        await self._rule.on_writes(voice.leases, config, writes)

    async def _delete(self, voice: Voice, thread_id: str) -> None:
        await voice.store.delete(Key(str(thread_id), self.tenant))


class InnerSaver(Inner, SessionSaver):
    """The class of `SessionSaver(sessions, inner=saver)`."""

    def __init__(
        self,
        sessions: Sessions | str = DEFAULT_URL,
        *,
        inner: BaseCheckpointSaver[Any] | None = None,
        serde: SerializerProtocol | None = None,
        concurrency: Concurrency = "merge",
        **made_with: Any,
    ) -> None:
        found = require_compatible(inner, serde, concurrency)
        super().__init__(sessions, serde=found.serde, concurrency=concurrency, **made_with)
        self._originals = Originals()
        self._with(found)
