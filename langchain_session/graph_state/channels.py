"""Converts values of LangGraph channels to stored values and back; message lists become parts of the record."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.base import WRITES_IDX_MAP
from langgraph.checkpoint.serde.base import SerializerProtocol

from langchain_session.conversion.marks import mark_of, restore_mark, with_mark
from langchain_session.conversion.messages import from_core, to_core
from langchain_session.conversion.native import FORMAT
from session_core.plan import View
from session_core.ports import MessageList, Plain, SessionStore, Write
from session_core.ranges import Ranges
from session_core.runtime.offload import BUSY_TOKENS
from session_core.serial.codec import body_digest, digest_to_plain
from session_core.serial.marks import MARK, words_hash
from session_core.turns import GIVEN_ID, Key, Message

Prepare = Callable[[Message], Message]
NAMELESS = f"{GIVEN_ID}."
"""Prefix of the ids that the record gives to messages whose graph sets none."""
NEWEST = 16
"""How many of the newest messages of a step are checked for large outputs."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Where and how a saver stores values: the store of one voice, the channel of the conversation, the serializer."""

    store: SessionStore
    channel: str
    serde: SerializerProtocol


def is_message_list(value: object) -> bool:
    """Whether a channel's value is a non-empty list of messages only."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, BaseMessage) for item in value)


def newest_large(value: Any) -> list[Message]:
    """The newest messages of a channel's list that are slow to process: large tool outputs."""
    newest = value[-NEWEST:] if isinstance(value, list) else ()
    large = [m for m in newest if isinstance(m, BaseMessage) and len(str(m.content)) > BUSY_TOKENS * 4]
    return [to_core(message) for message in large if _plain_words(message)]


def encode(value: Any, key: Key, serde: SerializerProtocol, prepare: Prepare) -> Plain | MessageList:
    """The stored form of a channel's value for the session `key`; the value itself is never changed."""
    if not is_message_list(value):
        return Plain(*serde.dumps_typed(value))
    items = (_item(message, key, prepare) for message in value)
    return MessageList(tuple(item for item in items if item is not None))


def encode_write(value: Any, serde: SerializerProtocol) -> Plain | MessageList:
    """The stored form of a task's write: messages in the core's form, everything else serialized."""
    if isinstance(value, BaseMessage) and _plain_words(value):
        return MessageList((to_core(value),), single=True)
    if is_message_list(value) and all(_plain_words(message) for message in value):
        return MessageList(tuple(to_core(message) for message in value))
    return Plain(*serde.dumps_typed(value))


def writes_of_task(
    task_id: str, task_path: str, writes: Sequence[tuple[str, Any]], serde: SerializerProtocol
) -> list[Write]:
    """The stored form of what a task wrote to each channel; special channels have places of their own."""
    return [
        Write(task_id, WRITES_IDX_MAP.get(name, place), name, encode_write(value, serde), task_path)
        for place, (name, value) in enumerate(writes)
    ]


def decode_write(value: Plain | MessageList, serde: SerializerProtocol) -> Any:
    """The inverse of `encode_write`."""
    if isinstance(value, Plain):
        return serde.loads_typed((value.type, value.data))
    messages = [from_core(item) for item in value.items if isinstance(item, Message)]
    return messages[0] if value.single else messages


def view_messages(view: View, key: Key) -> list[BaseMessage]:
    """The messages of a view for a run; those made for the view are marked with the session that they come from.

    The mark of a digest contains the digest as data, so that the run can fold more messages into it. The digest
    represents the range that it covers, except for messages that the view also shows (pinned ones), since a run may
    remove those individually.
    """
    own = [message.seq for message in view.messages if message.seq]
    shown = (replace(m, covers=m.covers.less(own)) if m.covers else m for m in view.messages)
    return [_with_place(_with_record_id(message), message, view, key) for message in shown]


def record_messages(messages: Iterable[Message]) -> list[BaseMessage]:
    """Messages of the record for a graph's state, with ids by which they are recognized when the graph returns them."""
    return [_with_record_id(message) for message in messages]


def raw_messages(messages: Iterable[Message]) -> list[BaseMessage]:
    """Messages of the record as the graph had them: without the ids that `with_ids` assigned."""
    return [from_core(message) if message.id.startswith(NAMELESS) else _with_record_id(message) for message in messages]


def with_ids(messages: list[BaseMessage], known: Iterable[Message]) -> list[BaseMessage]:
    """`messages` with an id for each: one without takes the id of an equal message in `known`, else a new one.

    Several equal messages take the ids in order.
    """
    spare: dict[bytes, list[str]] = {}
    taken = {message.id for message in messages}
    for one in known:
        if one.id.startswith(NAMELESS) and one.id not in taken:
            spare.setdefault(body_digest(one), []).append(one.id)
    return [message if message.id else _given_id(message, spare) for message in messages]


def _given_id(message: BaseMessage, spare: dict[bytes, list[str]]) -> BaseMessage:
    alike = spare.get(body_digest(to_core(message)))
    name = alike.pop(0) if alike else f"{NAMELESS}{uuid.uuid4().hex}"
    return message.model_copy(update={"id": name})


def _with_record_id(message: Message) -> BaseMessage:
    """The message with its id in the record, and with a mark if another framework stored it."""
    made = restore_mark(from_core(message))
    if message.origin != "record":
        return made
    if made.id is None:
        made = made.model_copy(update={"id": message.id})
    ours = message.native is not None and message.native.format == FORMAT
    if ours or message.rendition != "whole":
        return made
    return with_mark(made, {"rendition": "foreign", "ref": message.id})


def _with_place(made: BaseMessage, message: Message, view: View, key: Key) -> BaseMessage:
    mark = made.additional_kwargs.get(MARK)
    if mark is None or "session" in mark:
        return made
    mark = {**mark, "session": str(key), "space": key.namespace}
    if message.origin == "record":
        return made.model_copy(update={"additional_kwargs": {**made.additional_kwargs, MARK: mark}})
    if message.origin == "digest" and view.digest is not None:
        mark["digest"] = digest_to_plain(view.digest)
    name = f"{made.id}:{words_hash(str(key))}"
    return made.model_copy(update={"id": name, "additional_kwargs": {**made.additional_kwargs, MARK: mark}})


def _plain_words(message: BaseMessage) -> bool:
    return mark_of(message) is None


def _item(message: BaseMessage, key: Key, prepare: Prepare) -> Message | Ranges | None:
    """The range of the record that a digest of this session covers, or the message to store; None for neither."""
    mark = mark_of(message)
    if mark is None or mark.get("origin", "record") == "record":
        return prepare(to_core(message))
    if mark.get("session") != str(key):
        return None
    return Ranges.from_pairs(mark.get("covers", ())) or None
