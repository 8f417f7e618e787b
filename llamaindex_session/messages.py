"""Converts LlamaIndex messages to the record's and back exactly: role, blocks in order, additional data."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from io import IOBase
from pathlib import PurePath
from typing import Any

from llama_index.core.base.llms import types as li
from llama_index.core.base.llms.types import ChatMessage, MessageRole

from llamaindex_session.marks import ViewMessage, mark_of, text_of, with_mark
from llamaindex_session.native import FORMAT, exact, read, write
from session_core.errors import InputError, named_type
from session_core.media import source_of
from session_core.payloads.parts import arguments_of
from session_core.ranges import Ranges
from session_core.serial.blocks import read_blocks
from session_core.serial.calls import arguments_text, calls_from, function_call_id, is_exact
from session_core.serial.marks import MARK, synthetic_id
from session_core.serial.objects import read_file
from session_core.serial.references import ReferenceTable
from session_core.turns import Media, Message, Role, ToolCall

__all__ = ["MARK", "ViewMessage", "from_core", "from_core_many", "mark_of", "to_core", "to_core_many"]

_ROLES = {
    MessageRole.SYSTEM: Role.SYSTEM,
    MessageRole.DEVELOPER: Role.SYSTEM,
    MessageRole.USER: Role.USER,
    MessageRole.ASSISTANT: Role.ASSISTANT,
    MessageRole.CHATBOT: Role.ASSISTANT,
    MessageRole.MODEL: Role.ASSISTANT,
    MessageRole.TOOL: Role.TOOL,
    MessageRole.FUNCTION: Role.TOOL,
}
_CALLS = ("tool_calls", "function_call")


def as_list(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """`messages` as a list of nothing else. Raises: InputError."""
    if not isinstance(messages, Iterable) or isinstance(messages, str | Mapping | ChatMessage):
        raise InputError(
            f"{named_type(messages)} is not a list of messages; pass [ChatMessage(role=..., content=...), ...] "
            "(a session's name is session_id=)"
        )
    return [require_message(message) for message in messages]


def require_message(message: object) -> ChatMessage:
    """`message`, which is one. Raises: InputError."""
    if not isinstance(message, ChatMessage):
        raise InputError(f"{named_type(message)} is not a message; pass ChatMessage(role=..., content=...)")
    return message


def to_core(message: ChatMessage) -> Message:
    """The record's form of `message`, which is left as it is; it has no id, since LlamaIndex gives none.

    A message of a view comes back as what it was there: digest, recall, clip. One that was changed
    since is taken as a message of its own. A tool's message that names no call is the assistant's, so
    that it is never taken for the user's words. Raises: InputError.
    """
    require_message(message)
    mark = mark_of(message) or {}
    if "origin" in mark:
        covers = Ranges.from_pairs(mark.get("covers", ()))
        role = _ROLES[message.role]
        return Message(role, text_of(message), id=mark.get("id", ""), origin=mark["origin"], covers=covers)
    return _neutral(message, *_role(message), mark)


def as_output(message: ChatMessage, call_id: str | None) -> Message:
    """The record's form of `message` as the result of call `call_id`, whatever its role; it comes back as it is.

    Without a call it is the assistant's.
    """
    return _neutral(message, Role.TOOL if call_id else Role.ASSISTANT, call_id, {})


def _neutral(message: ChatMessage, role: Role, answers: str | None, mark: Mapping[str, Any]) -> Message:
    kwargs = message.additional_kwargs
    parts = read_blocks(list(_shaped(message.blocks)), "\n")
    calls, parsed = _calls(message)
    name = kwargs.get("name") if isinstance(kwargs.get("name"), str) else None
    neutral = Message(
        role,
        parts.content,
        id=str(mark.get("ref", "")),
        tool_calls=calls,
        tool_call_id=answers,
        name=name,
        author=name if role is Role.USER else None,
        media=parts.media,
        aside=parts.aside,
        rendition=mark.get("rendition", "whole"),
    )
    table = ReferenceTable(neutral, texts=parts.texts, asides=parts.asides, parsed=parsed)
    return replace(neutral, native=write(message, neutral, table))


def from_core(message: Message) -> ChatMessage:
    """The LlamaIndex message that `message` was, or what it is in a view (then a `ViewMessage`).

    A message another framework stored is built from what it says. Raises: StoreUnreadable.
    """
    if message.origin != "record":
        covers = [list(pair) for pair in message.covers.pairs]
        made_id = synthetic_id(message.origin, message.content, covers)
        return with_mark(_from_neutral(message), {"origin": message.origin, "covers": covers, "id": made_id})
    native = message.native
    if message.rendition != "whole":
        return with_mark(_as_shown(message), {"rendition": message.rendition, "ref": message.id})
    return read(message, native) if native and native.format == FORMAT else _from_neutral(message)


def to_core_many(messages: Iterable[ChatMessage]) -> list[Message]:
    """The record's form of each of `messages`, in their order. Raises: InputError."""
    return [to_core(message) for message in messages]


def from_core_many(messages: Iterable[Message]) -> list[ChatMessage]:
    """The LlamaIndex form of each of `messages`, in their order. Raises: StoreUnreadable."""
    return [from_core(message) for message in messages]


def _role(message: ChatMessage) -> tuple[Role, str | None]:
    """The role, and for a tool the id of the call that it answers."""
    role = _ROLES[MessageRole(message.role)]
    if role is not Role.TOOL:
        return role, None
    kwargs = message.additional_kwargs
    if kwargs.get("tool_call_id"):
        return role, str(kwargs["tool_call_id"])
    return (role, function_call_id(kwargs["name"])) if kwargs.get("name") else (Role.ASSISTANT, None)


def _calls(message: ChatMessage) -> tuple[tuple[ToolCall, ...], list[bool]]:
    """The tool calls of `message`, and for each whether its text restores a block's arguments exactly."""
    if _ROLES[MessageRole(message.role)] is not Role.ASSISTANT:
        return (), []
    raw = calls_from(message.additional_kwargs.get("tool_calls"))
    written = {call.id: call.arguments for call in raw}
    calls, parsed = [], []
    for block in message.blocks:
        if isinstance(block, li.ToolCallBlock):
            given, call_id = block.tool_kwargs, block.tool_call_id or ""
            text = given if isinstance(given, str) else arguments_text(given, written.get(call_id))
            calls.append(ToolCall(call_id, block.tool_name, text))
            parsed.append(not isinstance(given, str) and is_exact(text, given, exact))
    known = {call.id for call in calls}
    calls += [call for call in raw if call.id not in known]
    legacy = message.additional_kwargs.get("function_call")
    if not calls and legacy:
        calls = [ToolCall(function_call_id(c.name), c.name, c.arguments) for c in calls_from([legacy])]
    return tuple(calls), parsed


def _shaped(blocks: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """LlamaIndex' blocks in the common form: text, reasoning, media."""
    for block in blocks:
        match block:
            case li.TextBlock():
                yield {"type": "text", "text": block.text}
            case li.CitableBlock():
                yield from _shaped(block.content)
            case li.CitationBlock():
                yield from _shaped([block.cited_content])
            case li.ThinkingBlock():
                yield {"type": "thinking", "thinking": block.content or ""}
            case li.ImageBlock():
                yield _media("image", block.image, block, block.image_mimetype)
            case li.AudioBlock():
                yield _media("audio", block.audio, block, block.format)
            case li.VideoBlock():
                yield _media("video", block.video, block, block.video_mimetype)
            case li.DocumentBlock():
                yield _media("document", block.data, block, block.document_mimetype)


def _media(kind: str, data: bytes | IOBase | None, block: Any, mime: str | None) -> dict[str, Any]:
    place = block.url or block.path
    if isinstance(place, PurePath) and place.is_absolute():
        place = place.as_uri()
    said = _base64(data) if data else None
    return {"type": kind, "base64": said, "url": None if place is None else str(place), "mime_type": mime}


def _base64(data: bytes | IOBase) -> str:
    """`data` as base64; blocks contain either base64 bytes or open files."""
    if isinstance(data, IOBase):
        found = read_file(data)
        return base64.b64encode(found.encode() if isinstance(found, str) else found).decode("ascii")
    try:
        base64.b64decode(data, validate=True)
    except ValueError:
        return base64.b64encode(data).decode("ascii")
    return data.decode("ascii")


def _as_shown(message: Message) -> ChatMessage:
    """The message as the view shows it: its own role and data, the view's text and calls, media that the view keeps."""
    native = message.native
    if native is None or native.format != FORMAT:
        return _from_neutral(message)
    found = read(message, native)
    kept = {part.data for part in message.media}
    rest = [block for block in found.blocks if _stays(block, kept)]
    text = [li.TextBlock(text=message.content)] if message.content else []
    kwargs = found.additional_kwargs
    if message.rendition == "clip":
        kwargs = {key: value for key, value in kwargs.items() if key not in _CALLS}
    thought = [block for block in found.blocks if _signed(block, message)]
    own = {call.id for call in _calls(found)[0]}
    asked = [block for block in _asked(message) if block.tool_call_id in own]
    blocks = [*thought, *text, *rest, *asked]
    return ChatMessage.model_construct(role=found.role, blocks=blocks, additional_kwargs=kwargs)


def _signed(block: Any, message: Message) -> bool:
    """Whether `block` is complete reasoning signed by its provider, which must be sent back with the calls after it."""
    if not isinstance(block, li.ThinkingBlock) or block.content is None or (block.content and not message.aside):
        return False
    return bool(block.additional_information.get("signature"))


def _stays(block: Any, kept: set[str]) -> bool:
    media = read_blocks(list(_shaped([block]))).media
    return bool(media) and all(part.data in kept for part in media)


def _asked(message: Message) -> list[li.ToolCallBlock]:
    return [
        li.ToolCallBlock(tool_call_id=call.id, tool_name=call.name, tool_kwargs=arguments_of(call))
        for call in message.tool_calls
    ]


def _from_neutral(message: Message) -> ChatMessage:
    """A LlamaIndex message with the content of `message`."""
    text = [li.TextBlock(text=message.content)] if message.content else []
    kwargs = {}
    if message.role is Role.TOOL:
        kwargs["tool_call_id"] = message.tool_call_id
    name = message.author or message.name
    if name:
        kwargs["name"] = name
    blocks = [*text, *map(_block, message.media), *_asked(message)]
    return ChatMessage(role=MessageRole(message.role.value), blocks=blocks, additional_kwargs=kwargs)


def _block(media: Media) -> li.ContentBlock:
    """The block for `media`; a provider's file id is a document block's url, since all others want a real one."""
    source = source_of(media)
    if source.file_id is not None:
        return li.DocumentBlock(url=source.file_id, document_mimetype=source.mime)
    data, url = source.base64.encode("ascii") if source.base64 else None, source.url
    match media.kind:
        case "image":
            return li.ImageBlock(image=data, url=url, image_mimetype=source.mime)
        case "audio":
            return li.AudioBlock(audio=data, url=url, format=source.mime.partition("/")[2])
        case "video":
            return li.VideoBlock(video=data, url=url, video_mimetype=source.mime)
    return li.DocumentBlock(data=data, url=url, document_mimetype=source.mime)
