"""Conversations in a DeltaChannel: their messages go to the record too.

The value of such a channel is stored in snapshots only; in between, the graph computes it from the writes with a
reducer that only it knows, and readers get that value. Under a second name (`conversation_name`), this module stores
what the writes amount to for messages (added, replaced by id, removed), so that the record is complete and a run gets a
view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.messages import BaseMessage, RemoveMessage
from langgraph.checkpoint.base import DeltaChannelHistory

from langchain_session.graph_state.channels import Storage, decode_write, record_messages
from langchain_session.graph_state.listing import numbers_of
from langchain_session.graph_state.originals import Originals
from langchain_session.graph_state.threads import BASE, FORK, HANDED
from langchain_session.graph_state.view_expansion import raw_write
from session_core.ports import Checkpoint, MessageList, Plain, SessionStore, Stored, Write
from session_core.ranges import Ranges
from session_core.turns import Key, Message

REMOVE_ALL_MESSAGES = "__remove_all__"
"""The id of a `RemoveMessage` that removes all; copied from langgraph, which a saver does not require."""
Values = Mapping[str, Plain | MessageList | None]
AS_SAID = Plain("as said", b"")
"""The stored value of a channel whose messages are stored under `conversation_name` its name."""
Encode = Callable[[list[BaseMessage]], Plain | MessageList]
"""Converts a list of messages to its stored form."""


def run_of(metadata: Mapping[str, Any]) -> str | None:
    """The id of the run that stored a checkpoint, from its metadata."""
    run_id = metadata.get("run_id")
    return str(run_id) if run_id else None


def conversation_name(channel: str) -> str:
    """The name under which the conversation of a DeltaChannel is stored."""
    return f"{channel}, said"


def part_in(found: Checkpoint, channel: str) -> Ranges | None:
    """The part of the record that is the conversation at a checkpoint; None if the checkpoint has none."""
    if channel not in found.versions:
        return None
    values = (found.values.get(name) for name in (conversation_name(channel), channel))
    return next((value.part for value in values if isinstance(value, Stored)), None)


def is_made_of_writes(found: Checkpoint, channel: str) -> bool:
    """Whether the graph computes the channel's value at this checkpoint from writes."""
    return channel not in found.values and conversation_name(channel) in found.values


def as_the_graph_has_it(found: Checkpoint, channel: str) -> Checkpoint:
    """The checkpoint without the values that this module added."""
    ours = conversation_name(channel)
    if ours not in found.versions:
        return found
    values = dict(found.values)
    said = values.pop(ours, None)
    if said is not None and values.get(channel) == AS_SAID:
        values[channel] = said
    return replace(found, versions={n: version for n, version in found.versions.items() if n != ours}, values=values)


def without_snapshots(values: Mapping[str, Any], channel: str) -> dict[str, Any]:
    """Values in their stored form: a snapshot of messages is stored like a message list, so each message is stored
    once."""
    return {
        name: value.value if is_snapshot(value) and _is_list(value.value, empty=name == channel) else value
        for name, value in values.items()
    }


async def with_conversation(
    storage: Storage,
    row: Checkpoint,
    changed: Values,
    given: Mapping[str, Any],
    notes: Mapping[str, Any],
    encode: Encode,
    *,
    forks: bool,
) -> tuple[Checkpoint, Values, str]:
    """The stored form of a checkpoint and its new values, and the channel that determines the head.

    `given` are the values as the graph passed them, `changed` the stored form of those that are new; `notes` are those
    in the config of its run.
    """
    channel = storage.channel
    version, ours = row.versions.get(channel), conversation_name(channel)
    if version is None and forks:
        # A fork from before the first message: the conversation is empty.
        return replace(row, versions={**row.versions, ours: ""}), {**changed, ours: MessageList(())}, ours
    if version is None or (channel in given and not is_snapshot(given[channel])):
        # No conversation yet, or a channel that is no DeltaChannel and has its value in each checkpoint.
        return row, changed, channel
    row = replace(row, versions={**row.versions, ours: version})
    if channel in given:
        # A snapshot: its messages are stored under the second name.
        if channel not in changed:
            return row, changed, ours
        snapshot = await _without_removed(storage, row, changed[channel], notes)
        return row, {**changed, channel: AS_SAID, ours: snapshot}, ours
    if channel not in changed:
        if forks and not (FORK in notes and version != notes.get(BASE, (None,))[0]):
            return row, await _of_a_fork(storage, row, changed), ours
        return row, changed, ours
    said = await _of_the_writes(storage, row, notes, encode)
    return (row, changed, channel) if said is None else (row, {**changed, **said}, ours)


async def _without_removed(
    storage: Storage, row: Checkpoint, value: Plain | MessageList | None, notes: Mapping[str, Any]
) -> Plain | MessageList | None:
    """A snapshot's list without messages that its run removed although its view did not show them: a delta's reducer
    ignores unknown ids, and the list has them by its digest or as hidden ones."""
    if not isinstance(value, MessageList) or not row.parent_id or HANDED in notes:
        return value
    ranges = [item for item in value.items if isinstance(item, Ranges)]
    parent = await storage.store.checkpoint(row.key, row.parent_id) if ranges or value.hidden else None
    if parent is None:
        return value
    said = [decode_write(write.value, storage.serde) for write in parent.writes if write.channel == storage.channel]
    gone = {message.id for message in _messages_in(said) if isinstance(message, RemoveMessage) and message.id}
    there = {item.id for item in value.items if isinstance(item, Message)}
    seqs = await numbers_of(gone - there, value.base, row.key, storage.store)
    before = part_in(parent, storage.channel)
    if before is not None and parent.versions.get(storage.channel) != value.base_version:
        # The run removed them in an earlier step.
        seqs += value.base.minus(before)
    items = (item.less(seqs) if isinstance(item, Ranges) else item for item in value.items)
    return replace(value, items=tuple(item for item in items if item), hidden=value.hidden.less(seqs))


def _messages_in(said: Iterable[Any]) -> Iterator[BaseMessage]:
    """The messages of writes, in order."""
    for value in said:
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, BaseMessage))


async def _of_a_fork(storage: Storage, row: Checkpoint, changed: Values) -> Values:
    """The value for the head of a fork without new messages: the conversation at this checkpoint, read back once."""
    await storage.store.put_checkpoint(row, changed, head_channel=None, merge=False)
    part = part_in(await storage.store.fill(row), storage.channel)
    return {} if part is None else {conversation_name(storage.channel): MessageList((part,), base=part)}


async def _of_the_writes(storage: Storage, row: Checkpoint, notes: Mapping[str, Any], encode: Encode) -> Values | None:
    """The value that results from the writes at the parent checkpoint; None without a parent or writes."""
    store, channel = storage.store, storage.channel
    parent = await store.checkpoint(row.key, row.parent_id) if row.parent_id else None
    said = (
        [decode_write(write.value, storage.serde) for write in parent.writes if write.channel == channel]
        if parent
        else []
    )
    if parent is None or not said:
        return None
    base_version, base, hidden = notes.get(BASE, (None, (), ()))
    began, before = Ranges.from_pairs(base), part_in(parent, channel) or Ranges()
    # The first checkpoint of a run continues from what the run received, which others may have extended.
    is_first = base_version is not None and parent.versions.get(channel) == base_version
    start = began if is_first else before
    items = await _after(store, row.key, start, said, encode)
    kept = next((item for item in items if isinstance(item, Ranges)), Ranges())
    value = MessageList(
        items,
        base=began if BASE in notes else start,
        base_version=base_version,
        # What a view hides can be removed too.
        hidden=Ranges.from_pairs(hidden).intersection(kept),
    )
    # The graph computes its value from the writes, which lack others' turns: then the value is stored.
    return (
        {conversation_name(channel): value}
        if start == before
        else {conversation_name(channel): value, channel: AS_SAID}
    )


async def history_of(
    storage: Storage, key: Key, checkpoint_id: str | None, channels: Sequence[str]
) -> dict[str, DeltaChannelHistory]:
    """For each of `channels`, the nearest value before a checkpoint, if any, and the writes since."""
    store, channel = storage.store, storage.channel
    if checkpoint_id is None:
        newest = await store.checkpoint(key) if channels else None
        checkpoint_id = newest.id if newest else ""
    also = [conversation_name(channel)] if channel in channels else []
    found_there = await store.ancestors(key, checkpoint_id, [*channels, *also]) if channels else ()
    chain = [as_the_graph_has_it(one, channel) for one in found_there]
    made: dict[str, DeltaChannelHistory] = {}
    originals = Originals()
    for name in channels:
        found = up_to_value(chain, name)
        entry: DeltaChannelHistory = {"writes": []}
        for write in (write for one in reversed(found) for write in one.writes if write.channel == name):
            value = decode_write(write.value, storage.serde)
            value = await raw_write(value, key, store, originals) if name == channel else value
            entry["writes"].append((write.task_id, name, value))
        if found and name in found[-1].values:
            entry["seed"] = await _value(storage, key, found[-1].values[name])
        made[name] = entry
    return made


def up_to_value(chain: Sequence[Checkpoint], channel: str) -> list[Checkpoint]:
    """The prefix of `chain` that ends with the first checkpoint that has a value of `channel`, or all of it."""
    end = next((place for place, one in enumerate(chain, 1) if channel in one.values), len(chain))
    return list(chain[:end])


async def _value(storage: Storage, key: Key, value: Plain | Stored) -> Any:
    if isinstance(value, Plain):
        return storage.serde.loads_typed((value.type, value.data))
    return record_messages(await storage.store.record(key, value.part))


async def _after(store: SessionStore, key: Key, start: Ranges, said: Iterable[Any], encode: Encode) -> tuple[Any, ...]:
    """The list `start` after these writes: a message with a known id replaces the old one."""
    new: dict[str, BaseMessage] = {}
    gone: set[str] = set()
    for message in _messages_in(said):
        name = message.id or f"{len(new)}"
        if not isinstance(message, RemoveMessage):
            new[name] = message
        elif name == REMOVE_ALL_MESSAGES:
            start, new, gone = Ranges(), {}, set()
        else:
            new.pop(name, None)
            gone.add(name)
    if gone:
        start = Ranges.of(one.seq for one in await store.record(key, start) if one.id not in gone)
    value = encode(list(new.values())) if new else MessageList(())
    return (*([start] if start else []), *(value.items if isinstance(value, MessageList) else ()))


def is_snapshot(value: object) -> bool:
    """Whether a channel's value is a DeltaChannel's snapshot."""
    return getattr(value, "_fields", None) == ("value",)


def _is_list(value: object, *, empty: bool) -> bool:
    return isinstance(value, list) and (bool(value) or empty) and all(isinstance(one, BaseMessage) for one in value)


def copied_writes(chain: Sequence[Checkpoint], channels: Sequence[str]) -> list[Write]:
    """The writes to `channels` since the value of each, oldest first, numbered so that this order is kept."""
    needed = {channel: {one.id for one in up_to_value(chain, channel)} for channel in channels}
    written = [
        write
        for one in reversed(chain)
        for write in one.writes
        if write.channel in needed and one.id in needed[write.channel]
    ]
    return [replace(write, index=place, task_path=f"{place:08d}") for place, write in enumerate(written)]
