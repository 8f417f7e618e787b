"""A view as the `messages` of OpenAI's Chat Completions API (https://platform.openai.com/docs/api-reference/chat/create)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from session_core.media import source_of
from session_core.payloads.parts import (
    NO_OUTPUT,
    arguments_of,
    exchanges,
    json_object,
    plain_name,
    sound_base64,
    stand_in,
    tool_name,
    web_address,
)
from session_core.turns import Media, Message, Role, ToolCall

_AUDIO = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}
_ENDINGS = {"application/pdf": "pdf", "text/plain": "txt", "text/csv": "csv", "application/json": "json"}


def openai_messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The messages of a view for `client.chat.completions.create(messages=...)`, in their order.

    Every call has its results right behind it, under ids that the API takes. Images, recordings and files of users
    go along as far as the API takes them; what it does not take, and media of anybody else, is named by a text in
    its place. Reasoning is not sent.
    """
    made: list[dict[str, Any]] = []
    for exchange in exchanges(messages):
        made.append(_message(exchange.message))
        made.extend(_result(result) for result in exchange.results)
    return made


def _message(message: Message) -> dict[str, Any]:
    match message.role:
        case Role.USER:
            return _named({"role": "user", "content": _of_user(message)}, message.author or message.name)
        case Role.ASSISTANT:
            said: dict[str, Any] = {"role": "assistant", "content": _text(message) or None}
            if message.tool_calls:
                said["tool_calls"] = [_call(call) for call in message.tool_calls]
            return _named(said, message.author or message.name)
    return {"role": message.role.value, "content": _text(message)}


def _named(said: dict[str, Any], name: str | None) -> dict[str, Any]:
    plain = plain_name(name)
    return {**said, "name": plain} if plain else said


def _result(result: Message) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": result.tool_call_id, "content": _text(result) or NO_OUTPUT}


def _call(call: ToolCall) -> dict[str, Any]:
    whole = json_object(call.arguments) is not None
    arguments = call.arguments if whole else json.dumps(arguments_of(call), ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": tool_name(call.name), "arguments": arguments}}


def _text(message: Message) -> str:
    """All that a message says, in a place that takes nothing but text."""
    shown = [stand_in(part, f"not accepted in a {message.role} message") for part in message.media]
    return "\n".join([*([message.content] if message.content.strip() else []), *shown])


def _of_user(message: Message) -> str | list[dict[str, Any]]:
    if not message.media:
        return message.content
    texts = [{"type": "text", "text": message.content}] if message.content.strip() else []
    return [*texts, *_parts(message.media)]


def _parts(media: Sequence[Media]) -> Iterator[dict[str, Any]]:
    for number, part in enumerate(media, start=1):
        yield _part(part, number) or {"type": "text", "text": stand_in(part, "not supported by this API")}


def _part(media: Media, number: int) -> dict[str, Any] | None:
    source = source_of(media)
    data, web = sound_base64(source), web_address(source)
    match media.kind:
        case "image" if web or (data and source.mime.startswith("image/")):
            return {"type": "image_url", "image_url": {"url": web or f"data:{source.mime};base64,{data}"}}
        case "audio" if data and source.mime in _AUDIO:
            return {"type": "input_audio", "input_audio": {"data": data, "format": _AUDIO[source.mime]}}
        case "file" if source.file_id:
            return {"type": "file", "file": {"file_id": source.file_id}}
        case "file" if data:
            name = f"file-{number}.{_ENDINGS.get(source.mime, 'bin')}"
            return {"type": "file", "file": {"filename": name, "file_data": f"data:{source.mime};base64,{data}"}}
    return None
