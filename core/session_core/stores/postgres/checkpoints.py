"""LangGraph checkpoints in PostgreSQL: one small row per superstep, with messages stored once in the record."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from session_core.ports import Appended, Checkpoint, Lease, MessageList, Plain, Stored, Version, Write
from session_core.ranges import Ranges
from session_core.sealed import seal_of_checkpoint, seal_of_writes, without_keys
from session_core.serial.codec import pack, reading, unpack
from session_core.stores.postgres.calls import PostgresCalls
from session_core.stores.postgres.checkpoint_plan import CheckpointPlan, ParentState, read_parent_args
from session_core.stores.postgres.connections import Row
from session_core.stores.postgres.recent_state import RecentStates
from session_core.stores.postgres.rows import (
    Batch,
    flat,
    in_json,
    maybe_in,
    maybe_out,
    names,
    ranges,
    text_in,
    text_out,
    version_in,
    version_out,
)
from session_core.stores.postgres.states import state_from
from session_core.stores.postgres.wire import Call
from session_core.stores.postgres.writes import drafted, free_writes, groups, put_writes_args, read
from session_core.stores.refusals import checkpoint_moved_on, session_gone, turn_lost
from session_core.stores.rules import has_named, require_named, require_own_lease, require_values
from session_core.turns import Key

FREE_TRIES = 3
"""Attempts to store a message list optimistically, before the session is locked for it."""


class PostgresCheckpoints(PostgresCalls):
    """The CheckpointStore half of the PostgreSQL store."""

    _recent_states: RecentStates

    async def put_checkpoint(
        self,
        checkpoint: Checkpoint,
        new_values: Mapping[str, Plain | MessageList | None],
        *,
        head_channel: str | None,
        merge: bool,
        lease: Lease | None = None,
        follows: bool = False,
        born: str | None = None,
    ) -> Appended:
        """As in the protocol, in one round trip; in two if a value is a message list, unless the checkpoint follows
        the last one that this process put.

        The first reads what the list is compared with, the second writes the result. If the session changed in
        between this is repeated, finally with the session locked.
        """
        require_values(checkpoint.key, (checkpoint.body, *new_values.values()))
        require_own_lease(checkpoint.key, lease, of_any_namespace=True)
        put = _Put(
            checkpoint, new_values, head_channel=head_channel, merge=merge, lease=lease, follows=follows, born=born
        )
        if not any(isinstance(value, MessageList) for value in new_values.values()):
            return self._stored(put, None, await self._call("put_checkpoint", *put.args(None)))
        known = self._recent_states.seen(checkpoint, new_values)
        if known is not None and put.has_named(known) and not (planned := put.plan(known)).revises:
            rows = await self._call("put_checkpoint", *put.args(planned, unseen=True))
            if rows:
                return self._stored(put, planned, rows)
        question = (*names(checkpoint.key), *read_parent_args(checkpoint, new_values))
        for _ in range(FREE_TRIES):
            planned = put.plan(ParentState.of(checkpoint.key, await self._call("read_parent", *question)))
            rows = await self._call("put_checkpoint", *put.args(planned))
            if rows:
                return self._stored(put, planned, rows)

        def then(found: list[Row]) -> Call:
            nonlocal planned
            planned = put.plan(ParentState.of(checkpoint.key, found))
            return self._statements["put_checkpoint"], put.args(planned)

        rows = await self._wire.fetch_then((self._statements["hold_parent"], question), then)
        return self._stored(put, planned, rows)

    def _stored(self, put: _Put, planned: CheckpointPlan | None, rows: Sequence[Row]) -> Appended:
        made, state = _append_result(put.checkpoint.key, put.lease, rows)
        self._recent_states.note(put.checkpoint, put.new_values, planned, state)
        return made

    async def put_writes(self, key: Key, checkpoint_id: str, writes: Sequence[Write]) -> None:
        require_values(key, (write.value for write in writes))
        given, sealed = groups(writes), seal_of_writes(writes)
        while given:
            rows = await self._call("put_writes", *names(key), text_in(checkpoint_id), *put_writes_args(given), sealed)
            if rows and rows[0][0] == "sealed":
                raise without_keys(key)
            given = groups(free_writes(given, rows))

    async def checkpoint(self, key: Key, checkpoint_id: str | None = None) -> Checkpoint | None:
        return checkpoint_from(key, await self._call("read_checkpoint", *names(key), maybe_in(checkpoint_id)))

    async def checkpoints(
        self, tenant: str, session_id: str | None, namespace: str | None, *, before: str | None = None
    ) -> tuple[Checkpoint, ...]:
        rows = await self._call(
            "list_checkpoints", text_in(tenant), maybe_in(session_id), maybe_in(namespace), maybe_in(before)
        )
        with reading("a checkpoint"):
            return tuple(bare(tenant, row) for row in rows)

    async def fill(self, checkpoint: Checkpoint) -> Checkpoint:
        found = await self.checkpoint(checkpoint.key, checkpoint.id)
        return replace(checkpoint, values=found.values, writes=found.writes) if found else checkpoint


@dataclass(frozen=True, slots=True)
class _Put:
    """A checkpoint to put, as arguments of the function `put_checkpoint`."""

    checkpoint: Checkpoint
    new_values: Mapping[str, Plain | MessageList | None]
    head_channel: str | None = field(kw_only=True)
    merge: bool = field(kw_only=True)
    lease: Lease | None = field(kw_only=True)
    follows: bool = field(kw_only=True)
    born: str | None = field(kw_only=True)

    def has_named(self, seen: ParentState) -> bool:
        """Whether the session in the state `seen` has what the checkpoint names."""
        return has_named(seen.state, self.born, self.new_values.values())

    def plan(self, seen: ParentState) -> CheckpointPlan:
        """What the checkpoint adds to the session in the state `seen`. Raises: Conflict if that has not what the
        checkpoint names; that it is still so is checked with the write."""
        require_named(seen.state, self.born, self.new_values.values())
        return CheckpointPlan.make(seen, self.new_values, head_channel=self.head_channel, merge=self.merge)

    def args(self, planned: CheckpointPlan | None, *, unseen: bool = False) -> tuple[object, ...]:
        """The arguments; with `unseen` the plan was made for what this process put last."""
        checkpoint, values = self.checkpoint, self.new_values
        parts = planned.parts if planned else {}
        channels = [_channel(name, version, values, parts) for name, version in checkpoint.versions.items()]
        return (
            *names(checkpoint.key),
            text_in(checkpoint.id),
            maybe_in(checkpoint.parent_id),
            maybe_in(checkpoint.run_id),
            text_in(checkpoint.body.type),
            pack(checkpoint.body.data),
            json.dumps(channels),
            [_data(values.get(name)) for name in checkpoint.versions],
            *Batch.of(planned.new if planned else ()).values,
            *(planned.values if planned else (None, self.born, None, None)),
            *((text_in(self.lease.key.namespace), self.lease.token) if self.lease else (None, None)),
            self.follows,
            unseen,
            seal_of_checkpoint(checkpoint.body, values.values()),
        )


def _append_result(key: Key, lease: Lease | None, rows: Sequence[Row]) -> tuple[Appended, Mapping[str, Any]]:
    """The result of `put_checkpoint` and the session's row in it, if it is the one that was named. Raises: TurnLost,
    Conflict, StoreUnreadable for a sealed session."""
    if not rows:
        raise session_gone(key)
    refusal, newest, fresh, tokens, state = rows[0]
    if refusal == "lease" and lease is not None:
        raise turn_lost(key, lease)
    if refusal == "sealed":
        raise without_keys(key)
    if refusal is not None:
        raise checkpoint_moved_on(key, maybe_out(newest))
    return Appended((), fresh, state_from(state), tokens), state


def _channel(
    name: str, version: Version, new_values: Mapping[str, Plain | MessageList | None], parts: Mapping[str, Ranges]
) -> dict[str, object]:
    """A channel as an argument of a call; `parts` are the parts of the record for message lists."""
    made: dict[str, object] = {"channel": text_in(name), "version": in_json(version_in(version)), "kind": "same"}
    if name not in new_values:
        return made
    value = new_values[name]
    if value is None:
        return {**made, "kind": "empty"}
    if isinstance(value, Plain):
        return {**made, "kind": "plain", "type": text_in(value.type)}
    return {**made, "kind": "list", "part": flat(parts[name])}


def _data(value: Plain | MessageList | None) -> bytes | None:
    return pack(value.data) if isinstance(value, Plain) else None


def checkpoint_from(key: Key, rows: Sequence[Row]) -> Checkpoint | None:
    """The result of `read_checkpoint`."""
    with reading(f"a checkpoint of session {key}"):
        return whole(key, rows) if rows else None


def whole(key: Key, rows: Sequence[Row], channels: Sequence[str] | None = None) -> Checkpoint:
    """The checkpoint with its values and writes, from the rows of `read_checkpoint`; of `channels`, or of all."""
    _, checkpoint_id, parent_id, run_id, _, _, kind, data, *_ = rows[0]
    bodies = {digests[0].bytes: data for row_kind, *_, data, _, digests, _ in rows if row_kind == "body"}
    versions: dict[str, Version] = {}
    values: dict[str, Plain | Stored] = {}
    writes: list[Write] = []
    for row_kind, name, _, _, named, number, value_type, value_data, part, digests, draft in rows[1:]:
        if row_kind == "value":
            channel = text_out(name)
            versions[channel] = version_out(named)
            if part is not None:
                values[channel] = Stored(ranges(part))
            elif value_data is not None:
                values[channel] = _plain(value_type, value_data)
        elif row_kind == "write":
            writes.extend(read(named, number, value_data, digests, {**bodies, **drafted(digests, draft)}))
    wanted = (write for write in writes if channels is None or write.channel in channels)
    ordered = sorted(wanted, key=lambda write: (write.task_path, write.task_id, write.index))
    body = _plain(kind, data)
    return Checkpoint(
        key, text_out(checkpoint_id), maybe_out(parent_id), body, versions, values, tuple(ordered), maybe_out(run_id)
    )


def bare(tenant: str, row: Row) -> Checkpoint:
    """The checkpoint of a row, without values and writes."""
    session_id, namespace, checkpoint_id, parent_id, run_id, kind, data, channels, versions = row
    return Checkpoint(
        Key(text_out(session_id), tenant, text_out(namespace)),
        text_out(checkpoint_id),
        maybe_out(parent_id),
        _plain(kind, data),
        {
            text_out(channel): version_out(version)
            for channel, version in zip(channels or (), versions or (), strict=True)
        },
        run_id=maybe_out(run_id),
    )


def _plain(kind: str, data: bytes) -> Plain:
    return Plain(text_out(kind), cast(bytes, unpack(data)))
