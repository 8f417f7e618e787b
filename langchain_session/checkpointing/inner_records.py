"""The data beside the checkpoints of an inner saver: the record of their messages, and the views made of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    ChannelVersions,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
)
from langgraph.checkpoint.base import Checkpoint as GraphCheckpoint

from langchain_session.checkpointing.inner_put import InnerPut
from langchain_session.checkpointing.inner_voice import InnerVoice
from langchain_session.checkpointing.whole_state import handed_whole
from langchain_session.graph_state.channels import Storage, decode_write, encode, with_ids, writes_of_task
from langchain_session.graph_state.deltas import is_snapshot
from langchain_session.graph_state.listing import ListOrigin, stored_list
from langchain_session.graph_state.originals import Originals
from langchain_session.graph_state.record_numbers import recorded
from langchain_session.graph_state.threads import (
    BASE,
    BORN,
    DOUBT,
    ELSEWHERE,
    FORK,
    HANDED,
    RUNTIME,
    config_of,
    forget,
    forget_record,
    is_the_same,
    key_of,
    notes_of,
    require_tenant,
    starting_part,
    with_notes,
    without_notes,
)
from langchain_session.graph_state.view_expansion import (
    equals_raw_write,
    expand_view,
    is_of_a_view,
    parent_keys,
    raw_write,
)
from langchain_session.graph_state.view_list import view_for_run
from session_core.budget import Tier
from session_core.errors import Conflict
from session_core.leasing import hold_turn
from session_core.ports import Appended, Checkpoint, Lease, MessageList, SessionStore, Stored
from session_core.ranges import Ranges
from session_core.services import Services
from session_core.session import Flow
from session_core.turns import Key, Message

AFRESH = Ranges.span(0, 0)
"""As the base of a list: it was not derived from the record, so the list's own order is used."""


@dataclass(frozen=True, slots=True)
class InnerRecords:
    """One voice of a saver with an inner one.

    The store has a row for each checkpoint of the inner saver that was seen. Under the channel's own name
    it has what a run stored, by which the store merges runs; under `whole` what the inner saver was given
    where that is more (others' turns); under `found` what was found in a checkpoint somebody named. All
    by the checkpoint's id and not by the channel's version: some savers count versions in whole numbers,
    and two runs at once count to the same one.
    """

    inner: InnerVoice
    store: SessionStore
    services: Services
    tenant: str
    channel: str
    originals: Originals
    whole_state: bool = False

    @property
    def whole(self) -> str:
        return f"{self.channel}, whole"

    @property
    def found(self) -> str:
        return f"{self.channel}, found"

    async def get(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The inner saver's checkpoint; for a run with the view instead of the messages, or those of others too."""
        require_tenant(config["configurable"], self.tenant)
        found: CheckpointTuple | None = await self.inner.call("get_tuple", without_notes(config))
        if found is None:
            forget(config)
            return None
        named, run = get_checkpoint_id(config) is not None, RUNTIME in config["configurable"]
        return await self.hand_out(found, run=run, named=named)

    async def hand_out(self, found: CheckpointTuple, *, run: bool, named: bool) -> CheckpointTuple:
        """The inner saver's checkpoint as a run or a reader gets it; a `named` one may be older than the newest."""
        ours: dict[str, Any] = {FORK: True} if named else {}
        said = _messages(found.checkpoint["channel_values"].get(self.channel))
        if run and said is not None:
            key = key_of(found.config, self.tenant)
            row, part, newest = await self._row(key, found, said, named=named)
            lost = not named and await self._is_lost(key, newest, row)
            ours.update({DOUBT: newest.id} if lost else {})
            lineage, is_head, born = await starting_part(self.store, key, part, named=named or lost, run=run)
            hidden = list[tuple[int, int]]()
            if self.whole_state:
                flow = self._flow(key)
                said, lineage, ours[HANDED] = await handed_whole(flow, self.store, lineage, is_head=is_head, born=born)
                found = _with(found, self.channel, said)
            else:
                seen = await self._flow(key).view(lineage=None if is_head else lineage, open_end=True)
                (messages, hidden), lineage = view_for_run(seen, key), seen.lineage
                recorded.hand_view(key, born, messages, seen)
                found = self._with_view(found, row, messages)
            ours.update({BASE: (row.versions.get(self.channel), lineage.pairs, hidden), BORN: born})
        elif run and (before := await self._replaced_by(found)):
            ours[BASE] = (found.checkpoint["id"], before.pairs, ())
        return found._replace(config=with_notes(found.config, **ours)) if ours else found

    async def put(
        self,
        config: RunnableConfig,
        checkpoint: GraphCheckpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
        lease: Lease | None = None,
    ) -> tuple[RunnableConfig, Tier]:
        """Store the messages here, then the whole checkpoint in the inner saver; returns the tier to fold for too."""
        began = time.perf_counter()
        values, fold = checkpoint["channel_values"], Tier.NORMAL
        value = values.get(self.channel)
        # A run that received a list's view stores it as a snapshot if its graph has a DeltaChannel now.
        snapshot = BASE in notes_of(config) and is_snapshot(value)
        said = _messages(cast(Any, value).value if snapshot else value)
        if said is None and lease is not None:
            await hold_turn(self.store, lease, ttl_s=lease.ttl_s)
        if said is not None:
            key = key_of(config, self.tenant)
            raw, done = await self._keep_for(
                config, said, checkpoint["id"], metadata, lease, is_new=self.channel in new_versions
            )
            if done is not None and done.new and not key.namespace:
                fold = await self._flow(key).report_append(done, time.perf_counter() - began)
            shown = cast(Any, value)._replace(value=raw) if snapshot else raw
            checkpoint = {**checkpoint, "channel_values": {**values, self.channel: shown}}
        stored: RunnableConfig = await self.inner.call("put", without_notes(config), checkpoint, metadata, new_versions)
        return stored, fold

    async def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
    ) -> None:
        """Store a task's writes: in the inner saver without anything made for a view, here also such ones."""
        key = key_of(config, self.tenant)
        raw = [
            (name, await raw_write(value, key, self.store, self.originals) if name == self.channel else value)
            for name, value in writes
        ]
        if any(one is not given for (_, one), (_, given) in zip(raw, writes, strict=True)):
            rows = writes_of_task(task_id, task_path, writes, self.inner.saver.serde)
            await self.store.put_writes(key, config["configurable"]["checkpoint_id"], rows)
        await self.inner.call("put_writes", without_notes(config), raw, task_id, task_path=task_path)

    async def delete_thread(self, thread_id: str) -> None:
        """Delete the thread in both stores."""
        await self._forget(str(thread_id))
        await self.inner.call("delete_thread", thread_id)

    async def prune(self, thread_ids: Sequence[str], strategy: str) -> None:
        """Prune the inner saver, and delete here what it deleted."""
        await self.inner.call("prune", thread_ids, strategy=strategy)
        for thread_id in thread_ids if strategy == "delete" else ():
            await self._forget(str(thread_id))

    async def _forget(self, thread_id: str) -> None:
        key = Key(thread_id, self.tenant)
        await self.store.delete(key)
        self.originals.forget(key)

    async def _row(
        self, key: Key, found: CheckpointTuple, messages: list[BaseMessage], *, named: bool
    ) -> tuple[Checkpoint, Ranges, Checkpoint]:
        """Our row for a checkpoint of the inner saver, its part of the record, and our newest row.

        Messages that were stored without us are added to the record. They also become the conversation, unless the
        checkpoint was `named` and is older than our newest.
        """
        name = found.checkpoint["id"]
        newest = await self.store.checkpoint(key)
        known = newest is None or newest.id == name
        row = newest if known else await self.store.checkpoint(key, name)
        part = self._stored_part(row, named)
        if row is not None and newest is not None and part is not None:
            return row, part, newest
        value = self._list(key, await self._with_ids(key, messages, self._stored_part(newest, True) or Ranges()))
        if named and newest is not None and name < newest.id:
            row = Checkpoint(key, name, None, ELSEWHERE, {self.found: name})
            await self.store.put_checkpoint(row, {self.found: value}, head_channel=None, merge=False)
        else:
            before = None if newest is None or known else newest.id
            row = Checkpoint(key, name, before, ELSEWHERE, {self.channel: name})
            value = replace(value, base=AFRESH)
            await self.store.put_checkpoint(row, {self.channel: value}, head_channel=self.channel, merge=True)
        row = await self.store.fill(row)
        return row, self._stored_part(row, named) or Ranges(), row

    async def _is_lost(self, key: Key, newest: Checkpoint, row: Checkpoint) -> bool:
        """Whether our newest row is newer than `row` but its checkpoint is missing in the inner saver (a failed or
        reverted put)."""
        return newest.id > row.id and await self.inner.call("get_tuple", config_of(key, newest.id)) is None

    def _stored_part(self, row: Checkpoint | None, named: bool) -> Ranges | None:
        """The part of the record that corresponds to the inner saver's list at this row, if there is a row."""
        names = (self.whole, self.channel, *((self.found,) if named else ()))
        values = (row.values.get(name) for name in names) if row is not None else ()
        return next((value.part for value in values if isinstance(value, Stored)), None)

    async def _keep_for(
        self,
        config: RunnableConfig,
        messages: list[BaseMessage],
        name: str,
        metadata: CheckpointMetadata,
        lease: Lease | None,
        *,
        is_new: bool,
    ) -> tuple[list[BaseMessage], Appended | None]:
        """As `_keep`. If the session that the run started from was deleted since, or lost messages, all that the run
        has is stored anew, as in `GraphCheckpoint.store`."""
        put = replace(InnerPut.of(config, name, metadata, self.tenant), lease=lease)
        put = replace(put, born=put.born if put.began else recorded.born_of(put.key, messages))
        try:
            return await self._keep(put, messages, is_new=is_new)
        except Conflict:
            recorded.forget(put.key)
            self.originals.forget(put.key)
            if not await is_the_same(self.store, put.key, put.born):
                forget_record(config)
        put = replace(InnerPut.of(config, name, metadata, self.tenant), lease=lease, born=None)
        return await self._keep(put, messages, is_new=True)

    async def _keep(
        self, put: InnerPut, messages: list[BaseMessage], *, is_new: bool
    ) -> tuple[list[BaseMessage], Appended | None]:
        """All messages for the inner saver, and those that were new to the record.

        A subgraph receives its parent's view. It gets its own record when a run of it first starts with one.
        """
        handed_down = put.key.namespace and any(map(is_of_a_view, messages))
        if handed_down:
            messages = await expand_view(messages, parent_keys(put.key), self.store, self.originals, keep=put.key)
            if not put.began:
                return messages, None
        if is_new:
            return await self._append_changed(put, messages)
        return await self._keep_unchanged(put, messages), None

    async def _append_changed(self, put: InnerPut, messages: list[BaseMessage]) -> tuple[list[BaseMessage], Appended]:
        """Add a changed list to the record; returns the complete conversation after that.

        It includes messages that others added in the meantime, except for a fork, and for a thread that was deleted in
        the inner saver and starts anew.
        """
        key, name = put.key, put.id
        base = await self._base(put)
        messages = await self._with_ids(key, messages, await self._messages_without_id(put, messages, base))
        known, copies = recorded.in_session(key, put.born), recorded.copies(key, put.born, messages)
        made = ListOrigin(put.run, put.parent_id, put.version, base, put.hidden, known, put.whole, put.gone)
        storage = Storage(self.store, self.channel, self.inner.saver.serde)
        value = await stored_list(messages, made, key=key, storage=storage, prepare=self.services.prepare)
        merge = not put.fork and not await self._begins_anew(put)
        row = Checkpoint(key, name, put.parent_id, ELSEWHERE, {self.channel: name})
        done = await self.store.put_checkpoint(
            row, {self.channel: value}, head_channel=self.channel, merge=merge, lease=put.lease, born=put.born
        )
        recorded.learn(key, done, messages, value, copies)
        head = done.state.head
        all_of_it = await self.originals.of(self.store, done.state, head)
        named_there = {item.id for item in value.items if isinstance(item, Message)}
        had = set(base) | {seq for item in value.items if isinstance(item, Ranges) for seq in item}
        if any(one.id not in named_there and one.seq not in had for one in all_of_it):
            row = replace(row, versions={self.channel: name, self.whole: name})
            await self.store.put_checkpoint(row, {self.whole: MessageList((head,))}, head_channel=None, merge=False)
        return [one.message for one in all_of_it], done

    async def _keep_unchanged(self, put: InnerPut, messages: list[BaseMessage]) -> list[BaseMessage]:
        """All messages under a version that the inner saver already has, exactly as it received them before.

        Some savers store them again and some do not, so they must be identical, without messages added since. A copied
        checkpoint is not imported here, but when a run starts from it.
        """
        row = await self._parent(put)
        part = self._stored_part(row, True)
        if row is None or part is None or (put.fork and not put.run):
            return messages
        versions = {self.channel: put.id} if put.fork else row.versions
        values = {self.channel: MessageList((part,), base=part)} if put.fork else {}
        done = await self.store.put_checkpoint(
            Checkpoint(put.key, put.id, put.parent_id, ELSEWHERE, versions),
            values,
            head_channel=self.channel if put.fork else None,
            merge=False,
            lease=put.lease,
            born=put.born,
        )
        if not put.run:
            return messages
        return [one.message for one in await self.originals.of(self.store, done.state, part)]

    async def _base(self, put: InnerPut) -> Ranges:
        """The part of the record that the list was derived from. It includes messages of a row of ours that the inner
        saver still lacks: since they are in the base but not in the list, they leave the conversation."""
        if not put.run:
            return await self._at_parent(put)
        lost = await self.store.checkpoint(put.key, put.doubt) if put.doubt else None
        if lost is None or await self.inner.call("get_tuple", config_of(put.key, lost.id)) is not None:
            return put.base
        had = set(put.base)
        return Ranges.of([*put.base, *(seq for seq in self._stored_part(lost, True) or () if seq not in had)])

    async def _at_parent(self, put: InnerPut) -> Ranges:
        """What a caller outside of a run received: the inner saver's list at the parent checkpoint."""
        if put.parent_id is None:
            return Ranges()
        part = self._stored_part(await self._parent(put), True)
        if part is not None:
            return part
        found: CheckpointTuple | None = await self.inner.call("get_tuple", config_of(put.key, put.parent_id))
        said = _messages(found.checkpoint["channel_values"].get(self.channel)) if found else None
        if found is None or said is None:
            return await self._replaced_by(found)
        return (await self._row(put.key, found, said, named=put.fork))[1]

    async def _replaced_by(self, found: CheckpointTuple | None) -> Ranges:
        """The messages that the inner saver lost to a value that is no list of messages, such as None."""
        values = found.checkpoint["channel_values"] if found else {}
        replaced = found and self.channel in values and not is_snapshot(values[self.channel])
        state = await self.store.state(key_of(found.config, self.tenant)) if found and replaced else None
        return state.head if state is not None else Ranges()

    async def _begins_anew(self, put: InnerPut) -> bool:
        """Whether the inner saver lost the thread that we have, and this is the first checkpoint that it gets since."""
        if put.began or self._stored_part(await self._parent(put), True) is not None:
            return False
        newest = await self.store.checkpoint(put.key)
        return newest is not None and await self.inner.call("get_tuple", config_of(put.key, newest.id)) is None

    async def _parent(self, put: InnerPut) -> Checkpoint | None:
        return await self.store.checkpoint(put.key, put.parent_id) if put.parent_id else None

    async def _messages_without_id(self, put: InnerPut, messages: list[BaseMessage], base: Ranges) -> Ranges:
        """Stored messages that those without an id are compared with: a run got ids for those that it started with."""
        if not put.run or all(message.id for message in messages):
            return base
        return (self._stored_part(await self._parent(put), True) or Ranges()).without(set(base))

    async def _with_ids(self, key: Key, messages: list[BaseMessage], part: Ranges) -> list[BaseMessage]:
        if all(message.id for message in messages):
            return messages
        return with_ids(messages, await self.store.record(key, part))

    def _list(self, key: Key, messages: list[BaseMessage]) -> MessageList:
        value = encode(messages, key, self.inner.saver.serde, self.services.prepare) if messages else None
        return value if isinstance(value, MessageList) else MessageList(())

    def _with_view(self, found: CheckpointTuple, row: Checkpoint, view: list[BaseMessage]) -> CheckpointTuple:
        """The checkpoint with the view; writes that were derived from a view are returned as the task made them."""
        mine: dict[str, list[Any]] = {}
        for write in row.writes:
            if write.channel == self.channel:
                mine.setdefault(write.task_id, []).append(decode_write(write.value, self.inner.saver.serde))
        writes = []
        for task_id, name, value in found.pending_writes or ():
            of_view = mine[task_id].pop(0) if name == self.channel and mine.get(task_id) else None
            writes.append((task_id, name, of_view if equals_raw_write(of_view, value) else value))
        return _with(found, self.channel, view)._replace(pending_writes=writes)

    def _flow(self, key: Key) -> Flow:
        return Flow(key, self.store, self.services)


def _with(found: CheckpointTuple, channel: str, messages: list[BaseMessage]) -> CheckpointTuple:
    """The checkpoint with other messages."""
    values = {**found.checkpoint["channel_values"], channel: messages}
    return found._replace(checkpoint=cast(GraphCheckpoint, {**found.checkpoint, "channel_values": values}))


def _messages(value: object) -> list[BaseMessage] | None:
    """The value of a channel if it is a list of messages only; an absent value is an empty list."""
    return value if isinstance(value, list) and all(isinstance(item, BaseMessage) for item in value) else None
