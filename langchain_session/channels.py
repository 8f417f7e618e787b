"""Converts values of LangGraph channels to stored values and back; message lists become parts of the record."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from langchain_core.messages import BaseMessage
from langgraph.checkpoint.serde.base import SerializerProtocol

from langchain_session.marks import mark_of, marked, unheld
from langchain_session.messages import MARK, from_core, to_core
from langchain_session.native import FORMAT
from session_core.apart import BUSY_TOKENS
from session_core.plan import View
from session_core.ports import MessageList, Plain
from session_core.ranges import Ranges
from session_core.serial.codec import body_digest, digest_to_plain
from session_core.serial.marks import words_hash
from session_core.turns import GIVEN_ID, Key, Message

Prepare = Callable[[Message], Message]
NAMELESS = f"{GIVEN_ID}."
"""How the id begins that the record gives a message of a graph which gives none itself."""
NEWEST = 16
"""Most results of one step that are looked at for large ones."""


def is_message_list(value: object) -> bool:
    """Whether a channel's value is a list of nothing but messages, and of at least one."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, BaseMessage) for item in value)


def newest_large(value: Any) -> list[Message]:
    """The newest messages of a channel's list that take long to be read: large outputs of tools."""
    newest = value[-NEWEST:] if isinstance(value, list) else ()
    large = [m for m in newest if isinstance(m, BaseMessage) and len(str(m.content)) > BUSY_TOKENS * 4]
    return [to_core(message) for message in large if _plain_words(message)]


def encode(value: Any, key: Key, serde: SerializerProtocol, prepare: Prepare) -> Plain | MessageList:
    """A channel's value as it is stored for `key`; live objects are read, never changed."""
    if not is_message_list(value):
        return Plain(*serde.dumps_typed(value))
    items = (_item(message, key, prepare) for message in value)
    return MessageList(tuple(item for item in items if item is not None))


def encode_write(value: Any, serde: SerializerProtocol) -> Plain | MessageList:
    """A task's write as it is stored: messages by their bodies, everything else serialized."""
    if isinstance(value, BaseMessage) and _plain_words(value):
        return MessageList((to_core(value),), single=True)
    if is_message_list(value) and all(_plain_words(message) for message in value):
        return MessageList(tuple(to_core(message) for message in value))
    return Plain(*serde.dumps_typed(value))


def decode_write(value: Plain | MessageList, serde: SerializerProtocol) -> Any:
    """What `encode_write` was given."""
    if isinstance(value, Plain):
        return serde.loads_typed((value.type, value.data))
    messages = [from_core(item) for item in value.items if isinstance(item, Message)]
    return messages[0] if value.single else messages


def view_messages(view: View, key: Key) -> list[BaseMessage]:
    """The messages of a view for a run; those that are not the record's own words carry where they come from.

    The digest's message carries the digest as data too, so that the run can fold on top of it. It stands for
    what it covers, less what stands in the view on its own (pinned messages): that may be removed there.
    """
    own = [message.seq for message in view.messages if message.seq]
    shown = (replace(m, covers=m.covers.less(own)) if m.covers else m for m in view.messages)
    return [_with_place(_known(message), message, view, key) for message in shown]


def record_messages(messages: Iterable[Message]) -> list[BaseMessage]:
    """Messages of the record for a graph's state; each can be told again when the graph hands it back."""
    return [_known(message) for message in messages]


def raw_messages(messages: Iterable[Message]) -> list[BaseMessage]:
    """Messages of the record as a graph had them; those that `named` gave an id have none."""
    return [from_core(message) if message.id.startswith(NAMELESS) else _known(message) for message in messages]


def named(messages: list[BaseMessage], known: Iterable[Message]) -> list[BaseMessage]:
    """`messages`, each with an id: those without one have that of the message in `known` that says the same.

    Of several that say the same the first takes the first; who is not found gets an id that is new.
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


def _known(message: Message) -> BaseMessage:
    """The message with the id that the record knows it by, and a mark when another framework stored it."""
    made = unheld(from_core(message))
    if message.origin != "record":
        return made
    if made.id is None:
        made = made.model_copy(update={"id": message.id})
    ours = message.native is not None and message.native.format == FORMAT
    if ours or message.rendition != "whole":
        return made
    return marked(made, {"rendition": "foreign", "ref": message.id})


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
    """The part of the record that a message of a view stands for, or the message, if it is one of its own."""
    mark = mark_of(message)
    if mark is None or mark.get("origin", "record") == "record":
        return prepare(to_core(message))
    if mark.get("session") != str(key):
        return None
    return Ranges.from_pairs(mark.get("covers", ())) or None
