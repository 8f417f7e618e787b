"""Maps a graph's message list to a part of the record, whatever a run or a reader did with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from langchain_session.conversion.marks import mark_of, set_mark_aside, unmarked
from langchain_session.conversion.messages import to_core
from langchain_session.graph_state.channels import Prepare, Storage, raw_messages, record_messages, with_ids
from langchain_session.graph_state.imported_numbers import NUMBERED
from langchain_session.graph_state.record_numbers import Known
from langchain_session.graph_state.threads import BASE, GONE, HANDED, RUNTIME, notes_of
from langchain_session.graph_state.view_expansion import parent_keys
from langchain_session.graph_state.view_list import REMOVED, removed_in
from session_core.ports import MessageList, SessionStore, Stored
from session_core.ranges import Ranges
from session_core.serial.marks import MARK
from session_core.turns import Key, Message


@dataclass(frozen=True, slots=True)
class ListOrigin:
    """The origin of a message list: the part of the record (`base`) and its version, what the view left out of it
    (`hidden`), the parent checkpoint, and whether a run put it.

    `known` recognizes messages that are stored. A run with a `whole` state got the messages of `base` as they are. With
    `gone`, the record that its view was made of was deleted.
    """

    run: bool
    parent_id: str | None
    version: Any
    base: Ranges
    hidden: Ranges
    known: Known
    whole: bool = False
    gone: bool = False

    @classmethod
    def of(cls, config: RunnableConfig, parent_id: str | None, known: Known) -> ListOrigin:
        """From the config that the list is put with."""
        notes = notes_of(config)
        version, base, hidden = notes.get(BASE, (None, (), ()))
        run = RUNTIME in config["configurable"]
        part, hides = Ranges.from_pairs(base), Ranges.from_pairs(hidden)
        return cls(run, parent_id, version, part, hides, known, is_whole_in(notes), GONE in notes)


def is_whole_in(notes: Mapping[str, Any]) -> bool:
    """Whether a list with these notes was made of one with all messages as they are, and not of a view."""
    return notes.get(HANDED) is not None or NUMBERED in notes


async def stored_list(
    messages: Sequence[BaseMessage], made: ListOrigin, *, key: Key, storage: Storage, prepare: Prepare
) -> MessageList:
    """The stored form of the message list `messages` for the session `key`.

    Messages made for a view are replaced by their originals: a digest by the range that it covers, a clip by its
    message. Messages from a parent graph are stored as received, with their marks; messages from a subgraph are
    replaced by those of its record. Ids that a run removed are looked up individually. If the originals are gone, what
    the run has of them is stored as it is.
    """
    store = storage.store
    places = [made.known(message) for message in messages]
    places = _without_the_first_said(places, made.base) if made.run else places
    rest = [message for message, seq in zip(messages, places, strict=True) if seq is None]
    if len(rest) < len(places) and all(_is_of_this_run(message, key) for message in rest):
        return await _by_number(places, rest, made, key=key, storage=storage, prepare=prepare)
    if made.gone:
        messages = [unmarked(one) if "origin" not in (mark_of(one) or {}) else one for one in messages]
    messages = await _from_below(messages, key, store)
    if not all(message.id for message in messages):
        messages = with_ids(list(messages), await _messages_without_id(made, key, storage))
    gone = await numbers_of(removed_in(messages), made.base, key, store)
    upper = {str(one) for one in parent_keys(key)}
    items = (_item(message, key, upper, made.base, gone, prepare) for message in _without_older_notes(messages, upper))
    return MessageList(
        tuple(item for item in items if item is not None),
        base=made.base,
        base_version=made.version,
        hidden=made.hidden.less(gone),
    )


def _without_the_first_said(places: Sequence[int | None], base: Ranges) -> list[int | None]:
    """`places` without the first one that the run added: stores look at the first message of a list that is not of its
    base to tell how the run began."""
    had = set(base)
    first = next((at for at, seq in enumerate(places) if seq is not None and seq not in had), None)
    return [None if at == first else seq for at, seq in enumerate(places)]


def _is_of_this_run(message: BaseMessage, key: Key) -> bool:
    """Whether the message is the run's own, or what its view has for others."""
    if MARK not in message.additional_kwargs:
        return True
    mark = mark_of(message) or {}
    return "origin" in mark and mark.get("session") == str(key) and REMOVED not in mark


async def _by_number(
    places: Sequence[int | None],
    rest: Sequence[BaseMessage],
    made: ListOrigin,
    *,
    key: Key,
    storage: Storage,
    prepare: Prepare,
) -> MessageList:
    """The stored form of a list whose messages are at `places` of the record, or the next one of `rest`."""
    if not all(message.id for message in rest):
        there = set(places)
        rest = with_ids(list(rest), [m for m in await _messages_without_id(made, key, storage) if m.seq not in there])
    others = iter(rest)
    items: list[Message | Ranges] = []
    for is_known, run in groupby(places, key=lambda seq: seq is not None):
        if is_known:
            items.append(Ranges.of(seq for seq in run if seq is not None))
        else:
            items += [item for _ in run if (item := _item(next(others), key, (), made.base, (), prepare)) is not None]
    return MessageList(tuple(items), base=made.base, base_version=made.version, hidden=made.hidden)


async def whole_list(part: Ranges, key: Key, store: SessionStore) -> list[BaseMessage]:
    """The messages of `part` for `get_state`: as the graph had them, those from a parent graph uncompressed."""
    return await uncompressed(raw_messages(await store.record(key, part)), key, store)


async def uncompressed(messages: Sequence[BaseMessage], key: Key, store: SessionStore) -> list[BaseMessage]:
    """`messages` with those of a parent graph's view replaced by those of its record; others are the same
    objects."""
    return await _whole(messages, key, store, of=set(map(str, parent_keys(key))))


async def _from_below(messages: Sequence[BaseMessage], key: Key, store: SessionStore) -> Sequence[BaseMessage]:
    spaces = {str(mark["session"]) for message in messages if (mark := mark_of(message)) and "session" in mark}
    strange = spaces - {str(key), *map(str, parent_keys(key))}
    return await _whole(messages, key, store, of=strange) if strange else messages


async def _whole(messages: Sequence[BaseMessage], key: Key, store: SessionStore, *, of: set[str]) -> list[BaseMessage]:
    """`messages`, with messages made for views of the sessions `of` replaced by those of their records.

    Only namespaces of this thread are read: marks are part of messages, so they cannot be trusted.
    """
    whole: list[BaseMessage] = []
    told: set[int] = set()
    names = {message.id for message in messages}
    for message in messages:
        mark = mark_of(message) or {}
        if mark.get("session") not in of:
            whole.append(message)
            continue
        other = replace(key, namespace=str(mark.get("space")))
        if str(other) != mark["session"]:
            whole += [] if "origin" in mark else [message]
        elif "origin" in mark:
            state = await store.state(other)
            covers = Ranges.from_pairs(mark.get("covers", ()))
            # What stands beside the digest, and was said in the middle of what it covers, has its place there.
            part = state.head.until(covers) if state else Ranges()
            record = await store.record(other, part)
            under = record_messages([one for one in record if one.seq in covers or one.id in names])
            told |= set(map(id, under))
            whole += under
        else:
            found = await store.find(other, str(mark.get("ref")))
            whole += record_messages([found]) if found is not None else [message]
    return _without_duplicates(whole, told) if told else whole


def _without_duplicates(messages: Sequence[BaseMessage], told: set[int]) -> list[BaseMessage]:
    """`messages` without duplicates: a digest was replaced by messages (the objects `told`) that `messages` may also
    contain directly. Each message stays at its first position, in the version that `messages` contained directly."""
    own = {message.id: message for message in messages if id(message) not in told}
    named: set[str] = set()
    each: list[BaseMessage] = []
    for message in messages:
        if message.id not in named:
            each.append(own.get(message.id, message) if message.id else message)
        named |= {message.id} if message.id else set()
    return each


async def _messages_without_id(made: ListOrigin, key: Key, storage: Storage) -> Iterable[Message]:
    """Stored messages that those without an id are compared with. A run of a view got its first messages with ids, so
    only those of the parent checkpoint that it added count; others got all of them without ids."""
    store, began = storage.store, made.base if not made.run or made.whole else Ranges()
    if not made.run and began:
        return await store.record(key, began)
    before = await store.checkpoint(key, made.parent_id) if made.parent_id else None
    value = before.values.get(storage.channel) if before is not None else None
    since = value.part.without(set(made.base)) if isinstance(value, Stored) else Ranges()
    return await store.record(key, began.plus(since)) if began or since else ()


async def numbers_of(removed: Iterable[str], base: Ranges, key: Key, store: SessionStore) -> list[int]:
    """The sequence numbers in `base` of the messages with the ids `removed`."""
    found: list[int] = []
    for name in removed:
        newest = await store.find(key, name)
        if newest is not None and newest.seq in base:
            found.append(newest.seq)
        elif newest is not None:
            found += [message.seq for message in await store.record(key, base) if message.id == name]
    return found


def _without_older_notes(messages: Sequence[BaseMessage], upper: set[str]) -> Sequence[BaseMessage]:
    """`messages` with one digest per parent session: the newest, at the position of the oldest. A subgraph that keeps
    its messages receives a new digest with each call."""
    newest: dict[str, BaseMessage] = {}
    for message in messages:
        mark = mark_of(message) or {}
        if mark.get("origin") == "digest" and mark.get("session") in upper:
            newest[mark["session"]] = message
    if not newest:
        return messages
    kept: list[BaseMessage] = []
    for message in messages:
        mark = mark_of(message) or {}
        if mark.get("origin") != "digest" or mark.get("session") not in upper:
            kept.append(message)
        elif (last := newest.pop(mark["session"], None)) is not None:
            kept.append(last)
    return kept


def _item(
    message: BaseMessage, key: Key, upper: Collection[str], base: Ranges, gone: Sequence[int], prepare: Prepare
) -> Message | Ranges | None:
    """The range of the record that a digest of this session covers, or the message to store; None for neither."""
    mark = mark_of(message)
    if mark is not None and mark.get("session") in upper:
        return prepare(to_core(set_mark_aside(message)))
    if mark is None or mark.get("origin", "record") == "record":
        return prepare(to_core(message))
    if mark.get("session") != str(key):
        return None
    return Ranges.from_pairs(mark.get("covers", ())).intersection(base).less(gone) or None
