"""A message of the record in the format of the OpenAI chat API, for other programs."""

from __future__ import annotations

from typing import Any

from session_core.turns import Media, Message, Role

_FORMATS = {"wav": "wav", "x-wav": "wav", "mpeg": "mp3", "mp3": "mp3"}


def chat_message(message: Message) -> dict[str, Any]:
    """`message` as a dict of the chat API, with its id and time beside it."""
    said: dict[str, Any] = {"role": message.role.value, "content": _content(message)}
    if message.tool_calls:
        said["content"] = said["content"] or None
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id:
        said["tool_call_id"] = message.tool_call_id
    if name := message.author or message.name:
        said["name"] = name
    if message.id:
        said["id"] = message.id
    if message.time_s is not None:
        said["time_s"] = message.time_s
    return said


def _content(message: Message) -> str | list[dict[str, Any]]:
    if not message.media or message.role is Role.SYSTEM:
        return message.content
    texts = [{"type": "text", "text": message.content}] if message.content else []
    return [*texts, *map(_part, message.media)]


def _part(media: Media) -> dict[str, Any]:
    mime = media.mime or "application/octet-stream"
    if media.kind == "image":
        return {"type": "image_url", "image_url": {"url": _url(media, mime if media.mime else "image/png")}}
    if media.kind == "audio" and "://" not in media.data and not media.data.startswith("data:"):
        kind = _FORMATS.get(mime.rpartition("/")[2], "wav")
        return {"type": "input_audio", "input_audio": {"data": media.data, "format": kind}}
    return {"type": "file", "file": {"file_data": _url(media, mime)}}


def _url(media: Media, mime: str) -> str:
    plain = "://" not in media.data and not media.data.startswith("data:")
    return f"data:{mime};base64,{media.data}" if plain else media.data
