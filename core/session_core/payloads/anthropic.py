"""A view as `system` and `messages` of Anthropic's Messages API (https://platform.claude.com/docs/en/api/messages/create)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from session_core.media import Source, source_of
from session_core.payloads.parts import (
    NO_OUTPUT,
    Exchange,
    arguments_of,
    exchanges,
    sayable,
    sound_base64,
    stand_in,
    tool_name,
    web_address,
)
from session_core.payloads.thinking import thinking_of
from session_core.turns import Media, Message, Role, ToolCall

_PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_EPHEMERAL = {"type": "ephemeral"}

Block = dict[str, Any]


def anthropic_request(messages: Sequence[Message], *, cache: bool = True) -> dict[str, Any]:
    """The messages of a view for `client.messages.create(**...)`: `messages`, and `system` where there is any.

    Neighbours of one role are one message, as the API has it; results stand first in theirs, under ids that the API
    takes. Pictures and documents go along as far as the API takes them; what it does not take is named by a text in
    its place. Thinking that came in this API's shape, signed, goes back unaltered before the calls it led to, where the
    view has it whole; no other is sent, since the API wants it signed.

    With `cache` it has at most four breakpoints of the prompt cache, each behind what stays the same for longer
    than the rest: the system text, the digest, all before what a query or an absence added to this view, and its end.
    """
    system = [_text(sayable(m.content)) for m in messages if m.role is Role.SYSTEM and m.content.strip()]
    said = [message for message in messages if message.role is not Role.SYSTEM]
    turns: list[tuple[str, list[Block]]] = []
    ends: list[Block] = [*system[-1:]]
    for exchange in exchanges(said):
        first = exchange.message
        if first.origin in ("recall", "refresh") and turns:
            ends.append(turns[-1][1][-1])
        for role, blocks in _told(exchange):
            if turns and turns[-1][0] == role:
                turns[-1][1].extend(blocks)
            else:
                turns.append((role, blocks))
        if first.origin == "digest":
            ends.append(turns[-1][1][-1])
    if cache:
        for block in [*ends, *(turns[-1][1][-1:] if turns else [])]:
            block["cache_control"] = dict(_EPHEMERAL)
    request: dict[str, Any] = {"messages": [{"role": role, "content": blocks} for role, blocks in turns]}
    return {"system": system, **request} if system else request


def _told(exchange: Exchange) -> Iterator[tuple[str, list[Block]]]:
    message = exchange.message
    if message.role is not Role.ASSISTANT:
        yield "user", _blocks(message, message.media)
        return
    calls = [
        {"type": "tool_use", "id": call.id, "name": tool_name(call.name), "input": _input(call)}
        for call in message.tool_calls
    ]
    yield "assistant", _answer(message, calls)
    if exchange.results:
        yield "user", [_result(result) for result in exchange.results]


def _answer(message: Message, calls: Sequence[Block]) -> list[Block]:
    """Text, stand-ins and calls; thinking stands between them where it stood."""
    blocks: list[Block] = []
    said = asked = 0
    for one in thinking_of(message):
        text = message.content[said : one.characters]
        blocks += [*([_text(text)] if text.strip() else []), *calls[asked : one.calls], one.block]
        said, asked = max(said, one.characters), max(asked, one.calls)
    rest = message.content[said:].rstrip()
    texts = [rest, *(stand_in(part, "not accepted from the assistant") for part in message.media)]
    return [*blocks, *(_text(text) for text in texts if text), *calls[asked:]]


def _input(call: ToolCall) -> dict[str, Any]:
    """The arguments as values; what JSON can escape and no request can hold becomes a question mark or a text."""
    found = arguments_of(call)
    try:
        written = json.dumps(found, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return {"arguments": call.arguments}
    return found if (plain := sayable(written)) == written else arguments_of(replace(call, arguments=plain))


def _result(result: Message) -> Block:
    blocks = _blocks(result, result.media) or [_text(NO_OUTPUT)]
    content = result.content if blocks == [_text(result.content)] else blocks
    return {"type": "tool_result", "tool_use_id": result.tool_call_id, "content": content}


def _blocks(message: Message, media: Sequence[Media]) -> list[Block]:
    texts = [_text(message.content)] if message.content.strip() else []
    shown = [_part(part) or _text(stand_in(part, "not supported by this API")) for part in media]
    return [*texts, *shown]


def _text(text: str) -> Block:
    return {"type": "text", "text": text}


def _part(media: Media) -> Block | None:
    source = source_of(media)
    if media.kind == "image" and (place := _place(source, _PICTURES)):
        return {"type": "image", "source": place}
    if media.kind != "file":
        return None
    if place := _place(source, ("application/pdf",)) or _plain_text(source):
        return {"type": "document", "source": place}
    return None


def _place(source: Source, kinds: Sequence[str]) -> Block | None:
    if source.file_id:
        return {"type": "file", "file_id": source.file_id}
    if source.mime not in kinds:
        return None
    if web := web_address(source):
        return {"type": "url", "url": web}
    data = sound_base64(source)
    return {"type": "base64", "media_type": source.mime, "data": data} if data else None


def _plain_text(source: Source) -> Block | None:
    """A text file as the API takes it: as text."""
    data = sound_base64(source) if source.mime.partition("/")[0] == "text" else None
    if data is None:
        return None
    try:
        text = base64.b64decode(data).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return {"type": "text", "media_type": "text/plain", "data": text} if text.strip() else None
