"""Pending writes in PostgreSQL: one row per task and put; their messages are drafts until recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

from session_core.ports import MessageList, Plain, Write
from session_core.ranges import Ranges
from session_core.serial.codec import body_digest, decode_body, encode_body, pack, unpack
from session_core.stores.postgres.rows import (
    flat,
    id_hash,
    id_in,
    id_out,
    ranges,
    text_in,
    text_out,
    version_in,
    version_out,
)
from session_core.turns import Message

Group = Sequence[Write]
"""Writes of one task at consecutive indexes, or one at a negative index."""
Bodies = Mapping[bytes, bytes]
"""Bodies of messages by their digests."""


def groups(writes: Iterable[Write]) -> list[list[Write]]:
    """`writes` as rows; of one task and index the newer is kept if it is negative, else the older."""
    kept: dict[tuple[str, int], Write] = {}
    for write in writes:
        place = (write.task_id, write.index)
        if write.index < 0 or place not in kept:
            kept[place] = write
    made: list[list[Write]] = []
    for _, write in sorted(kept.items()):
        if made and _goes_on(made[-1][-1], write):
            made[-1].append(write)
        else:
            made.append([write])
    return made


def _goes_on(last: Write, write: Write) -> bool:
    same_task = (last.task_id, last.task_path) == (write.task_id, write.task_path)
    return same_task and last.index >= 0 and write.index == last.index + 1


def put_writes_args(given: Sequence[Group]) -> tuple[object, ...]:
    """The last arguments of `put_writes`, except whether they are sealed."""
    messages_of_groups = [[message for write in group for message in _messages(write.value)] for group in given]
    columns = [_columns(group, messages) for group, messages in zip(given, messages_of_groups, strict=True)]
    drafts = [_draft(messages) if messages else None for messages in messages_of_groups]
    return json.dumps(columns), [_packed(group) for group in given], drafts


def free_writes(given: Sequence[Group], rows: Sequence[Sequence[Any]]) -> Iterator[Write]:
    """The writes whose indexes `put_writes` reported as free, although others of their group are taken."""
    free = {(text_out(task_id), place) for _, task_id, place in rows}
    return (write for group in given for write in group if (write.task_id, write.index) in free)


def read(task_id: bytes, first: int, data: bytes, digests: Sequence[Any], bodies: Bodies) -> Iterator[Write]:
    """The writes of a row."""
    path, packed = cast("tuple[str, list[list[Any]]]", unpack(data))
    named = iter(digests)
    task = text_out(id_out(task_id))
    for index, (channel, *value) in enumerate(packed, start=first):
        yield Write(task, index, channel, _value(value, lambda: bodies[next(named).bytes]), path)


def drafted(digests: Sequence[Any], draft: bytes | None) -> Bodies:
    """The bodies in a row's draft, if it has one."""
    if draft is None:
        return {}
    kept = cast("list[tuple[bytes, bytes]]", unpack(draft))
    return {digest.bytes: body for digest, (_, body) in zip(digests, kept, strict=True)}


def rewrite_row(data: bytes, plain: Callable[[int, Plain], Plain], author: Callable[[str | None], str | None]) -> bytes:
    """A row's data with each plain value, identified by its place in the row, and each author changed."""
    path, packed = cast("tuple[str, list[list[Any]]]", unpack(data))
    new = [[channel, *_changed(index, value, plain, author)] for index, (channel, *value) in enumerate(packed)]
    return data if new == packed else pack([path, new])


def rewrite_draft(data: bytes, body: Callable[[str, bytes], bytes]) -> bytes:
    """A draft with each body changed; it comes with the message's id."""
    kept = cast("list[tuple[bytes, bytes]]", unpack(data))
    return pack([[named, body(id_out(named), data)] for named, data in kept])


def _changed(
    index: int,
    value: Sequence[Any],
    plain: Callable[[int, Plain], Plain],
    author: Callable[[str | None], str | None],
) -> list[Any]:
    if _is_plain(value):
        new = plain(index, Plain(*value))
        return [new.type, new.data]
    single, items, *rest = value
    return [single, [[item[0], author(item[1])] if _is_message(item) else item for item in items], *rest]


def _columns(group: Group, messages: Sequence[Message]) -> dict[str, object]:
    return {
        "position": group[0].index,
        "last": group[-1].index,
        "task_id": text_in(group[0].task_id),
        "id_hashes": [id_hash(id_in(message.id)) for message in messages],
        "digests": [body_digest(message).hex() for message in messages],
    }


def _draft(messages: Sequence[Message]) -> bytes:
    return pack([[id_in(message.id), encode_body(message)] for message in messages])


def _packed(group: Group) -> bytes:
    return pack([group[0].task_path, [[write.channel, *_plain_data(write.value)] for write in group]])


def _plain_data(value: Plain | MessageList) -> list[Any]:
    """A value as plain data; for a message it has id and author, and the row has its digest."""
    if isinstance(value, Plain):
        return [value.type, value.data]
    items = [[id_in(item.id), item.author] if isinstance(item, Message) else flat(item) for item in value.items]
    version = None if value.base_version is None else version_in(value.base_version)
    return [value.single, items, flat(value.base), version, flat(value.hidden)]


def _value(value: Sequence[Any], next_body: Callable[[], bytes]) -> Plain | MessageList:
    if _is_plain(value):
        return Plain(*value)
    single, items, base, version, hidden = value
    return MessageList(
        tuple(_item(item, next_body) for item in items),
        single=single,
        base=ranges(base),
        base_version=None if version is None else version_out(version),
        hidden=ranges(hidden),
    )


def _item(item: Sequence[Any], next_body: Callable[[], bytes]) -> Message | Ranges:
    if not _is_message(item):
        return ranges(item)
    named, author = item
    return decode_body(next_body(), id=id_out(named), author=author)


def _is_plain(value: Sequence[Any]) -> bool:
    return len(value) == 2


def _is_message(item: Sequence[Any]) -> bool:
    return bool(item) and isinstance(item[0], bytes)


def _messages(value: Plain | MessageList) -> list[Message]:
    return [] if isinstance(value, Plain) else [item for item in value.items if isinstance(item, Message)]
