"""LangGraph checkpoints in PostgreSQL: a superstep is one small row, its messages go to the record once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from session_core.ports import Appended, Checkpoint, Lease, MessageList, Plain, Stored, Version, Write
from session_core.ranges import Ranges
from session_core.serial.codec import body_digest, decode_body, encode_body, pack, readable, unpack
from session_core.stores.postgres.deciding import Planned, Seen, asked
from session_core.stores.postgres.lately import Lately
from session_core.stores.postgres.rows import (
    Batch,
    flat,
    id_hash,
    id_in,
    in_json,
    maybe_in,
    maybe_out,
    names,
    ranges,
    state_from,
    text_in,
    text_out,
    version_in,
    version_out,
)
from session_core.stores.postgres.wire import Call, Row, Wire
from session_core.stores.rules import moved_on, require_lease, require_values
from session_core.turns import Key, Message

BODIES = "bodies"
"""The type of a write that is made of messages: its data name their bodies."""
FREE_TRIES = 3
"""How often a list of messages is decided on while others may write, before the session is held for it."""


class PostgresCheckpoints:
    """The CheckpointStore half of the PostgreSQL store."""

    _wire: Wire
    _statements: Mapping[str, str]
    _lately: Lately

    async def put_checkpoint(
        self,
        checkpoint: Checkpoint,
        new_values: Mapping[str, Plain | MessageList | None],
        *,
        head_channel: str | None,
        merge: bool,
        lease: Lease | None = None,
        follows: bool = False,
    ) -> Appended:
        """As the port says, in one round trip; in two when a value is a list of messages, unless the checkpoint
        follows the last one that this process put.

        The first then reads what the list is compared with, and the second writes what was decided on it.
        When somebody else wrote meanwhile it is done again, and at last with the session held.
        """
        require_values(checkpoint.key, (checkpoint.body, *new_values.values()))
        require_lease(checkpoint.key, lease, lease.token if lease else None, of_any_namespace=True)
        guard = (text_in(lease.key.namespace), lease.token) if lease else (None, None)

        planned: Planned | None = None

        def decided(seen: Seen) -> Planned:
            return Planned.on(seen, new_values, head_channel=head_channel, merge=merge)

        def written(*, unseen: bool = False) -> tuple[object, ...]:
            return *_written(checkpoint, new_values, planned), *guard, follows, unseen

        def done(rows: Sequence[Row]) -> Appended:
            made, state = _appended(checkpoint.key, lease, rows)
            self._lately.note(checkpoint, new_values, planned, state)
            return made

        if not any(isinstance(value, MessageList) for value in new_values.values()):
            return done(await self._call("put_checkpoint", *written()))
        known = self._lately.seen(checkpoint, new_values)
        if known is not None and not (planned := decided(known)).revises:
            rows = await self._call("put_checkpoint", *written(unseen=True))
            if rows:
                return done(rows)
        question = (*names(checkpoint.key), *asked(checkpoint, new_values))
        for _ in range(FREE_TRIES):
            planned = decided(Seen.of(checkpoint.key, await self._call("read_parent", *question)))
            rows = await self._call("put_checkpoint", *written())
            if rows:
                return done(rows)

        def then(found: list[Row]) -> Call:
            nonlocal planned
            planned = decided(Seen.of(checkpoint.key, found))
            return self._statements["put_checkpoint"], written()

        return done(await self._wire.fetch_then((self._statements["hold_parent"], question), then))

    async def put_writes(self, key: Key, checkpoint_id: str, writes: Sequence[Write]) -> None:
        require_values(key, (write.value for write in writes))
        last: dict[tuple[str, int], Write] = {}
        for write in writes:
            place = (write.task_id, write.index)
            if write.index < 0 or place not in last:
                last[place] = write
        kept = list(last.values())
        drafts = [message for write in kept for message in _messages(write.value)]
        await self._call(
            "put_writes",
            *names(key),
            text_in(checkpoint_id),
            json.dumps([_write_columns(write) for write in kept]),
            [pack(w.value.data) if isinstance(w.value, Plain) else _packed_list(w.value) for w in kept],
            json.dumps([_draft_columns(message) for message in drafts]),
            [encode_body(message) for message in drafts],
        )

    async def checkpoint(self, key: Key, checkpoint_id: str | None = None) -> Checkpoint | None:
        return checkpoint_from(key, await self._call("read_checkpoint", *names(key), maybe_in(checkpoint_id)))

    async def checkpoints(
        self, tenant: str, session_id: str | None, namespace: str | None, *, before: str | None = None
    ) -> tuple[Checkpoint, ...]:
        rows = await self._call(
            "list_checkpoints", text_in(tenant), maybe_in(session_id), maybe_in(namespace), maybe_in(before)
        )
        with readable("a checkpoint"):
            return tuple(bare(tenant, row) for row in rows)

    async def fill(self, checkpoint: Checkpoint) -> Checkpoint:
        found = await self.checkpoint(checkpoint.key, checkpoint.id)
        return replace(checkpoint, values=found.values, writes=found.writes) if found else checkpoint

    async def delete_checkpoints(self, tenant: str, session_id: str) -> None:
        told = names(Key(session_id, tenant))
        await self._call("delete_session", *told[:2])
        self._lately.forget_session(tenant, session_id)

    async def _call(self, name: str, *values: object) -> list[Row]:
        """The rows that the function `name` gives for `values`; one round trip."""
        return await self._wire.fetch(self._statements[name], values)


def _written(
    checkpoint: Checkpoint, new_values: Mapping[str, Plain | MessageList | None], planned: Planned | None
) -> tuple[object, ...]:
    """The arguments of `put_checkpoint`."""
    parts = planned.parts if planned else {}
    channels = [_channel(name, version, new_values, parts) for name, version in checkpoint.versions.items()]
    return (
        *names(checkpoint.key),
        text_in(checkpoint.id),
        maybe_in(checkpoint.parent_id),
        maybe_in(checkpoint.run_id),
        text_in(checkpoint.body.type),
        pack(checkpoint.body.data),
        json.dumps(channels),
        [_data(new_values.get(name)) for name in checkpoint.versions],
        *Batch.of(planned.new if planned else ()).values,
        *(planned.values if planned else (None, None, None, None)),
    )


def _appended(key: Key, lease: Lease | None, rows: Sequence[Row]) -> tuple[Appended, Mapping[str, Any]]:
    """What the rows of `put_checkpoint` say, and the session's row in them. Raises: TurnLost, Conflict."""
    refusal, newest, fresh, tokens, state = rows[0]
    if refusal == "lease":
        require_lease(key, lease, None, of_any_namespace=True)
    if refusal is not None:
        raise moved_on(key, maybe_out(newest))
    return Appended((), fresh, state_from(state), tokens), state


def _channel(
    name: str, version: Version, new_values: Mapping[str, Plain | MessageList | None], parts: Mapping[str, Ranges]
) -> dict[str, object]:
    """A channel as a call takes it; `parts` are those of the record that lists of messages are."""
    made: dict[str, object] = {"channel": text_in(name), "version": version_in(version), "kind": "same"}
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


def _messages(value: Plain | MessageList) -> list[Message]:
    return [] if isinstance(value, Plain) else [item for item in value.items if isinstance(item, Message)]


def _write_columns(write: Write) -> dict[str, object]:
    said = _messages(write.value)
    ids = [id_in(message.id) for message in said]
    return {
        "position": write.index,
        "task_id": text_in(write.task_id),
        "task_path": text_in(write.task_path),
        "channel": text_in(write.channel),
        "type": text_in(write.value.type) if isinstance(write.value, Plain) else BODIES,
        "ids": [in_json(kept_id) for kept_id in ids] or None,
        "id_hashes": [id_hash(kept_id) for kept_id in ids] or None,
        "digests": [body_digest(message).hex() for message in said] or None,
    }


def _draft_columns(message: Message) -> dict[str, object]:
    kept_id = id_in(message.id)
    return {"id": in_json(kept_id), "id_hash": id_hash(kept_id), "digest": body_digest(message).hex()}


def _packed_list(value: MessageList) -> bytes:
    items = [
        [item.id, body_digest(item), item.author] if isinstance(item, Message) else flat(item) for item in value.items
    ]
    version = None if value.base_version is None else version_in(value.base_version)
    return pack([value.single, items, flat(value.base), version, flat(value.hidden)])


def checkpoint_from(key: Key, rows: Sequence[Row]) -> Checkpoint | None:
    """What `read_checkpoint` found."""
    with readable(f"a checkpoint of session {key}"):
        return whole(key, rows) if rows else None


def whole(key: Key, rows: Sequence[Row]) -> Checkpoint:
    """The checkpoint with its values and writes, of the rows of `read_checkpoint`."""
    _, checkpoint_id, parent_id, run_id, _, kind, data, _, _ = rows[0]
    bodies = {digest.bytes: data for row_kind, *_, data, _, digest in rows if row_kind == "body"}
    versions: dict[str, Version] = {}
    values: dict[str, Plain | Stored] = {}
    writes: list[Write] = []
    for row_kind, name, other, path, number, value_type, value_data, part, _ in rows[1:]:
        if row_kind == "value":
            channel = text_out(name)
            versions[channel] = version_out(other)
            if part is not None:
                values[channel] = Stored(ranges(part))
            elif value_data is not None:
                values[channel] = _plain(value_type, value_data)
        elif row_kind == "write":
            value = _list(value_data, bodies) if value_type == BODIES else _plain(value_type, value_data)
            writes.append(Write(text_out(name), number, text_out(other), value, text_out(path)))
    body = _plain(kind, data)
    return Checkpoint(
        key, text_out(checkpoint_id), maybe_out(parent_id), body, versions, values, tuple(writes), maybe_out(run_id)
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


def _list(data: bytes, bodies: Mapping[bytes, bytes]) -> MessageList:
    single, items, base, version, hidden = cast(
        tuple[bool, list[list[Any]], list[int], str | None, list[int]], unpack(data)
    )
    return MessageList(
        tuple(_item(item, bodies) for item in items),
        single=single,
        base=ranges(base),
        base_version=None if version is None else version_out(version),
        hidden=ranges(hidden),
    )


def _item(item: Sequence[Any], bodies: Mapping[bytes, bytes]) -> Message | Ranges:
    if item and isinstance(item[0], int):
        return ranges(item)
    message_id, digest, author = item
    return decode_body(bodies[digest], id=message_id, author=author)
