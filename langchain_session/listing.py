"""Maps a graph's message list to a part of the record, whatever a run or a reader did with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig

from langchain_session.channels import Prepare, named, raw_messages, record_messages
from langchain_session.handed import removed_in
from langchain_session.marks import held, mark_of
from langchain_session.messages import to_core
from langchain_session.threads import BASE, RUNTIME, notes_of
from langchain_session.unfolding import above
from session_core.ports import MessageList, SessionStore, Stored
from session_core.ranges import Ranges
from session_core.turns import Key, Message


@dataclass(frozen=True, slots=True)
class Made:
    """What a list was made of: the part of the record, its version, what the view hid, and the checkpoint before."""

    run: bool
    parent_id: str | None
    version: Any
    base: Ranges
    hidden: Ranges

    @classmethod
    def of(cls, config: RunnableConfig, parent_id: str | None) -> Made:
        """By the config that a list is put with."""
        version, base, hidden = notes_of(config).get(BASE, (None, (), ()))
        run = RUNTIME in config["configurable"]
        return cls(run, parent_id, version, Ranges.from_pairs(base), Ranges.from_pairs(hidden))


async def listed(
    said: Sequence[BaseMessage], made: Made, channel: str, key: Key, store: SessionStore, prepare: Prepare
) -> MessageList:
    """`said` as it is stored for `key`.

    What a view of this session showed becomes what it stands for: a digest all that it covers, a clip its
    message. What was handed down by a graph above stays as it was handed, mark and all, and what comes back
    from one below is as that has it in its record. Ids that a run removed are looked up, one by one.
    """
    said = await _from_below(said, key, store)
    if not all(message.id for message in said):
        said = named(list(said), await _nameless(made, channel, key, store))
    gone = await _numbers(removed_in(said), made.base, key, store)
    upper = {str(one) for one in above(key)}
    items = (_item(message, key, upper, made.base, gone, prepare) for message in _without_older_notes(said, upper))
    return MessageList(
        tuple(item for item in items if item is not None),
        base=made.base,
        base_version=made.version,
        hidden=made.hidden.less(gone),
    )


async def shown(part: Ranges, key: Key, store: SessionStore) -> list[BaseMessage]:
    """The messages of `part` for people: as their graph had them, those that were handed down whole."""
    return await _whole(raw_messages(await store.record(key, part)), key, store, of=set(map(str, above(key))))


async def _from_below(said: Sequence[BaseMessage], key: Key, store: SessionStore) -> Sequence[BaseMessage]:
    spaces = {str(mark["session"]) for message in said if (mark := mark_of(message)) and "session" in mark}
    strange = spaces - {str(key), *map(str, above(key))}
    return await _whole(said, key, store, of=strange) if strange else said


async def _whole(said: Sequence[BaseMessage], key: Key, store: SessionStore, *, of: set[str]) -> list[BaseMessage]:
    """`said`, with what views of the sessions `of` showed as those have it in their records.

    Only of this very thread: a mark is a message's own word, and messages come from anywhere.
    """
    whole: list[BaseMessage] = []
    told: set[int] = set()
    names = {message.id for message in said}
    for message in said:
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
    return _each_once(whole, told) if told else whole


def _each_once(said: Sequence[BaseMessage], told: set[int]) -> list[BaseMessage]:
    """`said` where a digest stood for messages (the objects `told`) that may stand there themselves: each where
    it comes first, as it stands there itself."""
    own = {message.id: message for message in said if id(message) not in told}
    named: set[str] = set()
    each: list[BaseMessage] = []
    for message in said:
        if message.id not in named:
            each.append(own.get(message.id, message) if message.id else message)
        named |= {message.id} if message.id else set()
    return each


async def _nameless(made: Made, channel: str, key: Key, store: SessionStore) -> Iterable[Message]:
    """Where messages without an id may be known from. A run knows those that it began with by their ids; what
    it added is in the checkpoint before. Everybody else was handed all of them without."""
    if not made.run and made.base:
        return await store.record(key, made.base)
    before = await store.checkpoint(key, made.parent_id) if made.parent_id else None
    value = before.values.get(channel) if before is not None else None
    return await store.record(key, value.part.without(set(made.base))) if isinstance(value, Stored) else ()


async def _numbers(removed: Iterable[str], base: Ranges, key: Key, store: SessionStore) -> list[int]:
    """The numbers in `base` of the messages called `removed`."""
    found: list[int] = []
    for name in removed:
        newest = await store.find(key, name)
        if newest is not None and newest.seq in base:
            found.append(newest.seq)
        elif newest is not None:
            found += [message.seq for message in await store.record(key, base) if message.id == name]
    return found


def _without_older_notes(said: Sequence[BaseMessage], upper: set[str]) -> Sequence[BaseMessage]:
    """`said` with one digest of each session above, the newest, where the oldest stood: a graph that keeps its
    messages is handed another one with each call."""
    newest: dict[str, BaseMessage] = {}
    for message in said:
        mark = mark_of(message) or {}
        if mark.get("origin") == "digest" and mark.get("session") in upper:
            newest[mark["session"]] = message
    if not newest:
        return said
    kept: list[BaseMessage] = []
    for message in said:
        mark = mark_of(message) or {}
        if mark.get("origin") != "digest" or mark.get("session") not in upper:
            kept.append(message)
        elif (last := newest.pop(mark["session"], None)) is not None:
            kept.append(last)
    return kept


def _item(
    message: BaseMessage, key: Key, upper: set[str], base: Ranges, gone: Sequence[int], prepare: Prepare
) -> Message | Ranges | None:
    """The part of the record that a message of a view stands for, or the message, if it is one of its own."""
    mark = mark_of(message)
    if mark is not None and mark.get("session") in upper:
        return prepare(to_core(held(message)))
    if mark is None or mark.get("origin", "record") == "record":
        return prepare(to_core(message))
    if mark.get("session") != str(key):
        return None
    return Ranges.from_pairs(mark.get("covers", ())).shared(base).less(gone) or None
