"""Converts LangChain messages to the record's and back exactly: class, fields, content and artifacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

import langchain_core.messages as lc
from langchain_core.messages import BaseMessage

from langchain_session.conversion.marks import mark_of, text_of, with_mark
from langchain_session.conversion.message_cache import MessageCache
from langchain_session.conversion.native import FORMAT, exact, read, tool_call, write
from session_core.errors import InputError, named_type
from session_core.media import source_of
from session_core.ranges import Ranges
from session_core.serial.blocks import inner_block, media_in, read_blocks, signed_reasoning
from session_core.serial.calls import arguments_text, function_call_id, is_exact
from session_core.serial.marks import synthetic_id
from session_core.serial.references import ReferenceTable
from session_core.turns import Media, Message, Role, ToolCall

NO_CALL = "~"
"""The record's call id for a result that names no call; the message itself keeps its empty id."""

_SPEAKERS = {
    "user": Role.USER,
    "human": Role.USER,
    "assistant": Role.ASSISTANT,
    "ai": Role.ASSISTANT,
    "model": Role.ASSISTANT,
    "bot": Role.ASSISTANT,
    "chatbot": Role.ASSISTANT,
    "tool": Role.ASSISTANT,
    "function": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
}


def to_core(message: BaseMessage, *, named: bool = True) -> Message:
    """The record's form of `message`, which is left as it is.

    It has the message's id, unless `named` is false: then the record knows it by another one, and the
    message comes back with its own all the same.

    A message with our mark comes back as what it was in the view: digest, recall, clip. One that was
    changed since it was marked is taken as a message of its own. A `RemoveMessage` says nothing: it is
    converted (as an empty system message), and no record takes it. A live message is read once, and again
    when it was changed. Raises: InputError.
    """
    if not isinstance(message, BaseMessage):
        raise InputError(f"{named_type(message)} is not a message; pass LangChain messages, as HumanMessage(...)")
    return _read_once(message) if named else _read(message, named=False)


def _read(message: BaseMessage, *, named: bool = True) -> Message:
    mark = mark_of(message) or {}
    if "origin" in mark:
        covers = Ranges.from_pairs(mark.get("covers", ()))
        role, _ = _speaker(message)
        return Message(role, text_of(message), id=message.id or "", origin=mark["origin"], covers=covers)
    neutral, table = _neutral(message, mark, named)
    return replace(neutral, native=write(message, neutral, table))


_read_once = MessageCache(_read)


def from_core(message: Message) -> BaseMessage:
    """The LangChain message that `message` was, or what it is in a view.

    A message another framework stored is built from what it says. Raises: StoreUnreadable.
    """
    if message.origin != "record":
        covers = [list(pair) for pair in message.covers.pairs]
        built = _from_neutral(message)
        built.id = synthetic_id(message.origin, message.content, covers)
        return with_mark(built, {"origin": message.origin, "covers": covers})
    native = message.native
    ours = native is not None and native.format == FORMAT
    found = read(message, native) if native is not None and ours else _from_neutral(message)
    if message.rendition == "whole":
        return found
    return with_mark(as_shown(found, message), {"rendition": message.rendition, "ref": message.id})


def to_core_many(messages: Iterable[BaseMessage]) -> list[Message]:
    """The record's form of each of `messages`, in their order. Raises: InputError."""
    if not isinstance(messages, Iterable) or isinstance(messages, str | Mapping | BaseMessage):
        raise InputError(f"{named_type(messages)} is not a list of messages; pass [HumanMessage(...), ...]")
    return [to_core(_said(message)) for message in messages]


def _said(message: BaseMessage) -> BaseMessage:
    if isinstance(message, lc.RemoveMessage):
        raise InputError(
            "a RemoveMessage removes from the state of a graph, and a record keeps what was said; to start afresh call "
            "clear(), or session.reset()"
        )
    return message


def from_core_many(messages: Iterable[Message]) -> list[BaseMessage]:
    """The LangChain form of each of `messages`, in their order. Raises: StoreUnreadable."""
    return [from_core(message) for message in messages]


def _neutral(message: BaseMessage, mark: Mapping[str, Any], named: bool) -> tuple[Message, ReferenceTable]:
    parts = read_blocks(message.content)
    calls, parsed = _calls(message)
    role, author = _speaker(message)
    neutral = Message(
        role,
        parts.content,
        id=str(mark.get("ref", message.id or "")) if named else "",
        tool_calls=calls,
        tool_call_id=_answers(message),
        name=message.name,
        author=author,
        media=parts.media,
        aside=parts.aside,
        rendition=mark.get("rendition", "whole"),
    )
    return neutral, ReferenceTable(neutral, texts=parts.texts, asides=parts.asides, parsed=parsed)


def _speaker(message: BaseMessage) -> tuple[Role, str | None]:
    """The role, and the author's name if known."""
    match message:
        case lc.HumanMessage():
            return Role.USER, message.name
        case lc.AIMessage():
            return Role.ASSISTANT, None
        case lc.SystemMessage() | lc.RemoveMessage():
            return Role.SYSTEM, None
        case lc.ToolMessage() | lc.FunctionMessage():
            return Role.TOOL, None
        case lc.ChatMessage() if message.role.lower() in _SPEAKERS:
            role = _SPEAKERS[message.role.lower()]
            return role, message.name if role is Role.USER else None
        case lc.ChatMessage():
            return Role.USER, message.role
    return Role.USER, message.name or message.type


def _answers(message: BaseMessage) -> str | None:
    if isinstance(message, lc.ToolMessage):
        return message.tool_call_id or NO_CALL
    return function_call_id(message.name) if isinstance(message, lc.FunctionMessage) else None


def _calls(message: BaseMessage) -> tuple[tuple[ToolCall, ...], list[bool]]:
    """The tool calls of `message`, and for each whether its text restores the arguments exactly."""
    if not isinstance(message, lc.AIMessage):
        return (), []
    written = _written(message)
    calls, parsed = [], []
    for call in message.tool_calls:
        text = arguments_text(call["args"], written.get(call["id"] or ""))
        calls.append(ToolCall(call["id"] or "", call["name"], text))
        parsed.append(is_exact(text, call["args"], exact))
    for bad in message.invalid_tool_calls:
        if bad.get("id"):
            calls.append(ToolCall(bad["id"] or "", bad.get("name") or "", bad.get("args") or ""))
            parsed.append(False)
    for block in _computer_calls(message):
        calls.append(ToolCall(block["call_id"], "computer", arguments_text(block.get("action", {}))))
        parsed.append(False)
    legacy = message.additional_kwargs.get("function_call")
    if not calls and isinstance(legacy, dict) and legacy.get("name"):
        name = str(legacy["name"])
        return (ToolCall(function_call_id(name), name, str(legacy.get("arguments") or "{}")),), [False]
    return tuple(calls), parsed


def _computer_calls(message: BaseMessage) -> list[Mapping[str, Any]]:
    """Calls of a provider's own tool that a `ToolMessage` answers; LangChain has them in the content only."""
    found = [inner_block(block) for block in message.content] if isinstance(message.content, list) else []
    return [block for block in found if block.get("type") == "computer_call" and isinstance(block.get("call_id"), str)]


def _written(message: lc.AIMessage) -> dict[str, str]:
    """The original JSON text of each call's arguments, by call id, where it was kept."""
    found: dict[str, str] = {}
    raw = message.additional_kwargs.get("tool_calls")
    for call in raw if isinstance(raw, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict) and isinstance(function.get("arguments"), str):
            found[str(call.get("id"))] = function["arguments"]
    for chunk in getattr(message, "tool_call_chunks", ()):
        if chunk.get("args") and chunk.get("id"):
            found[chunk["id"]] = chunk["args"]
    return found


def as_shown(found: BaseMessage, message: Message) -> BaseMessage:
    """A copy of `found` as the view shows it: the view's text and calls, its own id, and media that the view keeps.
    `found` may be live and is not changed."""
    update: dict[str, Any] = {"content": _content(found, message), "id": message.id or found.id}
    if isinstance(found, lc.AIMessage) and message.rendition == "clip":
        bad = {call.get("id") for call in found.invalid_tool_calls}
        bad |= {block["call_id"] for block in _computer_calls(found)}
        calls = [call for call in message.tool_calls if call.id not in bad]
        update["tool_calls"] = [tool_call(call) for call in calls]
        dropped = {"tool_calls", "function_call"}
        if calls and not found.tool_calls and "function_call" in found.additional_kwargs:
            dropped, update["tool_calls"] = {"tool_calls"}, []
        kwargs = found.additional_kwargs.items()
        update["additional_kwargs"] = {key: value for key, value in kwargs if key not in dropped}
        if isinstance(found, lc.AIMessageChunk):
            update["tool_call_chunks"] = []
    return found.model_copy(update=update)


def _content(found: BaseMessage, message: Message) -> str | list[Any]:
    """The view's text in place of the message's own, with the blocks that the view keeps."""
    if isinstance(found.content, str):
        return message.content
    kept = {part.data for part in message.media}
    named = message.rendition == "named"
    asked = {call.id for call in message.tool_calls}
    acts = any(block["call_id"] in asked for block in _computer_calls(found))
    thought = [
        block
        for block in found.content
        if not named and (_keeps_reasoning(block, message) or (acts and _is_provider_call(block)))
    ]
    said = [{"type": "text", "text": message.content}] if message.content.strip() else []
    rest = [
        block
        for block in found.content
        if isinstance(block, dict) and (_holds(block, kept) or (named and not read_blocks([block]).texts))
    ]
    return [*thought, *said, *rest] if thought or rest else message.content


def _keeps_reasoning(block: object, message: Message) -> bool:
    """Whether `block` is signed reasoning that the view has room for; for a live message it is always complete."""
    return signed_reasoning(block) and bool(message.aside or not read_blocks([block]).aside)


def _is_provider_call(block: object) -> bool:
    """Whether `block` is a call of a provider's own tool, or the reasoning that must accompany such a call."""
    return inner_block(block).get("type") in ("computer_call", "reasoning")


def _holds(block: dict[Any, Any], kept: set[str]) -> bool:
    media = media_in(block)
    return media is not None and media.data in kept


def _from_neutral(message: Message) -> BaseMessage:
    """A LangChain message with the content of `message`."""
    content = [{"type": "text", "text": message.content}] if message.content else []
    blocks = [*content, *map(_block, message.media)]
    said = cast(Any, blocks if message.media else message.content)
    name, message_id = message.name, message.id or None
    match message.role:
        case Role.USER:
            return lc.HumanMessage(said, id=message_id, name=message.author or name)
        case Role.SYSTEM:
            return lc.SystemMessage(said, id=message_id, name=name)
        case Role.TOOL:
            return lc.ToolMessage(said, id=message_id, name=name, tool_call_id=message.tool_call_id or "")
    calls = [tool_call(call) for call in message.tool_calls]
    return lc.AIMessage(said, id=message_id, name=name, tool_calls=calls)


def _block(media: Media) -> dict[str, Any]:
    source = source_of(media)
    if source.url is not None:
        return {"type": media.kind, "url": source.url}
    if source.base64 is not None:
        return {"type": media.kind, "base64": source.base64, "mime_type": source.mime}
    return {"type": media.kind, "file_id": source.file_id}
