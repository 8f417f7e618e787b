"""LangGraph checkpoints on Redis: small entries that refer to the record for their messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from session_core.ports import Appended, Checkpoint, Lease, MessageList, Plain, Stored, Version, Write
from session_core.ranges import Ranges
from session_core.runtime.ids import fresh_id
from session_core.sealed import seal_of_checkpoint, seal_of_writes
from session_core.serial.codec import pack, reading, unpack
from session_core.stores.redis.calls import RedisCalls, packed, unpacked
from session_core.stores.redis.names import as_bytes, as_text, from_plain, plain, unescape
from session_core.stores.redis.rows import content_of_row, flat, frame, ranges, unframe
from session_core.stores.redis.scripts import CHECKPOINT, PUT_CHECKPOINT, PUT_WRITES
from session_core.stores.rules import last_named, require_own_lease, require_values
from session_core.turns import Key, Message, Role


class RedisCheckpoints(RedisCalls):
    """The CheckpointStore half of the Redis store."""

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
        key = checkpoint.key
        require_own_lease(key, lease, of_any_namespace=True)
        require_values(key, (checkpoint.body, *new_values.values()))
        messages: list[Message] = []
        data: list[bytes] = []
        values = [
            {"channel": plain(channel), "version": plain(str(checkpoint.versions[channel]))}
            | _value(value, messages, data)
            for channel, value in new_values.items()
        ]
        request = packed(
            {
                "born": fresh_id(),
                "id": plain(checkpoint.id),
                "parent": None if checkpoint.parent_id is None else plain(checkpoint.parent_id),
                "head": None if head_channel is None else plain(head_channel),
                "merge": merge,
                "lease": str(lease.token) if lease else None,
                "follows": follows,
                "was_born": born,
                "named": last_named(new_values.values()),
                "sealed": seal_of_checkpoint(checkpoint.body, new_values.values()),
                "rows": _DATA_FROM + len(data),
                "values": values,
            }
        )
        (_, new, tokens), state = await self._send_rows(
            PUT_CHECKPOINT, key, messages, request, _entry(checkpoint), *data, lease=lease
        )
        return Appended((), new, state, tokens)

    async def put_writes(self, key: Key, checkpoint_id: str, writes: Sequence[Write]) -> None:
        require_values(key, (write.value for write in writes))
        messages: list[Message] = []
        data: list[bytes] = []
        requests = [_write_request(write, messages, data) for write in writes]
        request = packed(
            {
                "born": fresh_id(),
                "checkpoint": plain(checkpoint_id),
                "sealed": seal_of_writes(writes),
                "rows": _DATA_FROM - 1 + len(data),
                "writes": requests,
            }
        )
        await self._send_rows(PUT_WRITES, key, messages, request, *data, recorded=False)

    async def checkpoint(self, key: Key, checkpoint_id: str | None = None) -> Checkpoint | None:
        return checkpoint_from(await self._read(CHECKPOINT, key, as_bytes(plain(checkpoint_id or ""))), key)

    async def checkpoints(
        self, tenant: str, session_id: str | None, namespace: str | None, *, before: str | None = None
    ) -> tuple[Checkpoint, ...]:
        sessions = [session_id]
        if session_id is None:
            (names,) = await self._wire.ask(("ZRANGE", self._names.sessions(tenant), 0, -1))
            sessions = [unescape(as_text(name)) for name in names]
        keys = [Key(one, tenant, namespace or "") for one in sessions if one is not None]
        if namespace is None and keys:
            answers = await self._wire.ask(*(("SMEMBERS", self._names.namespaces(key)) for key in keys))
            keys += [
                replace(key, namespace=as_text(name))
                for key, names in zip(keys, answers, strict=True)
                for name in names
            ]
        found: list[Checkpoint] = []
        if keys:
            answers = await self._wire.ask(*(("HGETALL", self._names.of(key)[2]) for key in keys))
            with reading("a checkpoint"):
                found = [bare(key, *pair) for key, kept in zip(keys, answers, strict=True) for pair in kept.items()]
        older = (one for one in found if before is None or one.id < before)
        return tuple(sorted(older, key=lambda one: one.id, reverse=True))

    async def fill(self, checkpoint: Checkpoint) -> Checkpoint:
        return await self.checkpoint(checkpoint.key, checkpoint.id) or checkpoint


def checkpoint_from(answer: Sequence[Any] | None, key: Key) -> Checkpoint | None:
    """The checkpoint in the answer of the script of that name."""
    if answer is None:
        return None
    with reading(f"a checkpoint of session {key}"):
        return whole(key, answer[1:])


_DATA_FROM = 5
"""The index of the first argument of PUT_CHECKPOINT that is data; PUT_WRITES has no entry before it."""


def _value(value: Plain | MessageList | None, messages: list[Message], data: list[bytes]) -> dict[str, Any]:
    """A channel's value for a script; its messages and its data are passed separately."""
    if value is None:
        return {}
    if isinstance(value, Plain):
        data.append(b"p" + pack([value.type, value.data]))
        return {"data": _DATA_FROM + len(data) - 1}
    version = value.base_version
    return {
        "items": _items(value, messages),
        "base": flat(value.base),
        "base_version": f"t{plain(version)}" if isinstance(version, str) else version,
        "hidden": flat(value.hidden),
        "results": [item.role is Role.TOOL for item in value.items if isinstance(item, Message)],
    }


def _items(value: MessageList, messages: list[Message]) -> list[object]:
    items: list[object] = []
    for item in value.items:
        if isinstance(item, Ranges):
            items.append(flat(item))
        else:
            messages.append(item)
            items.append(len(messages))
    return items


def _write_request(write: Write, messages: list[Message], data: list[bytes]) -> list[object]:
    """A write for PUT_WRITES; its messages and its data are passed separately."""
    if isinstance(write.value, Plain):
        row_numbers: list[int] = []
        data.append(pack([write.value.type, write.value.data]))
    else:
        bodies = [item for item in write.value.items if isinstance(item, Message)]
        row_numbers = list(range(len(messages) + 1, len(messages) + len(bodies) + 1))
        messages.extend(bodies)
        data.append(pack([write.value.single, [[body.id, body.author] for body in bodies]]))
    place = _DATA_FROM - 2 + len(data)
    return [plain(write.task_id), write.index, plain(write.channel), plain(write.task_path), place, row_numbers]


def _write(found: Sequence[Any]) -> Write:
    task, index, channel, path, data, rows = found
    first, second = _pair(unpack(data))
    value: Plain | MessageList
    if isinstance(first, bool):
        bodies = (content_of_row(row, id=name, author=author) for row, (name, author) in zip(rows, second, strict=True))
        value = MessageList(tuple(bodies), single=first)
    else:
        value = Plain(first, second)
    names = [from_plain(text.decode()) for text in (task, channel, path)]
    return Write(names[0], index, names[1], value, names[2])


def _value_from(kept: bytes) -> Plain | Stored:
    if kept[:1] == b"r":
        return Stored(ranges(unpacked(kept[1:])))
    return Plain(*_pair(unpack(kept[1:])))


def _pair(found: object) -> tuple[Any, Any]:
    first, second = found if isinstance(found, list) else ("", b"")
    return first, second


def _entry(checkpoint: Checkpoint) -> bytes:
    """The stored form of a checkpoint. It has versions as text, and those that are not text beside it."""
    parent = b"" if checkpoint.parent_id is None else as_bytes(plain(checkpoint.parent_id))
    run = None if checkpoint.run_id is None else plain(checkpoint.run_id)
    versions = {plain(channel): plain(str(version)) for channel, version in checkpoint.versions.items()}
    numbers = {plain(c): version for c, version in checkpoint.versions.items() if not isinstance(version, str)}
    body = pack([checkpoint.body.type, checkpoint.body.data])
    return frame([versions, numbers, run], len(parent).to_bytes(4, "big") + parent + body)


def whole(key: Key, answer: Sequence[Any]) -> Checkpoint:
    """The checkpoint with the values and writes that a script returned."""
    name, entry, values, writes = answer
    made = bare(key, name, entry)
    found = {
        from_plain(channel.decode()): _value_from(value)
        for channel, value in zip(values[::2], values[1::2], strict=True)
    }
    ordered = sorted(map(_write, writes), key=lambda one: (one.task_path, one.task_id, one.index))
    return replace(made, values={c: found[c] for c in made.versions if c in found}, writes=tuple(ordered))


def bare(key: Key, name: bytes, entry: bytes) -> Checkpoint:
    """The checkpoint of an entry."""
    (texts, numbers, run), rest = unframe(entry)
    end = 4 + int.from_bytes(rest[:4], "big")
    versions: dict[str, Version] = {
        from_plain(channel): numbers[channel] if channel in numbers else from_plain(text)
        for channel, text in texts.items()
    }
    return Checkpoint(
        key,
        from_plain(name.decode()),
        from_plain(rest[4:end].decode()) if end > 4 else None,
        Plain(*_pair(unpack(rest[end:]))),
        versions,
        run_id=None if run is None else from_plain(run),
    )
