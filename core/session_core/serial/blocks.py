"""Parses content that is a list of blocks, in the formats of providers and frameworks, into text and media."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from session_core.media import USUAL
from session_core.serial.references import Span
from session_core.turns import Media

MediaKind = Literal["image", "audio", "video", "file"]

_MEDIA: dict[str, MediaKind] = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "audio": "audio",
    "audio_url": "audio",
    "input_audio": "audio",
    "video": "video",
    "video_url": "video",
    "input_video": "video",
    "file": "file",
    "file_url": "file",
    "input_file": "file",
    "document": "file",
    "media": "file",
    "image_file": "image",
    "container_upload": "file",
    "image_generation_call": "image",
}
_TEXT = frozenset({"text", "input_text", "output_text", "text-plain", "refusal", None})
_CALLS = frozenset(
    {"tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call", "input_json_delta"}
)
"""Block types that repeat the message's tool calls."""

_OPAQUE = frozenset(
    {"type", "id", "index", "signature", "encrypted_content", "encrypted_index", "thought_signature", "data"}
)
"""Block keys whose strings are not text for a model."""

_REASONING = frozenset({"thinking", "redacted_thinking", "reasoning", "reasoning_content", "thought"})
_CACHE_MARKS = frozenset({"cachePoint", "cache_point"})
_KNOWN = _TEXT | _CALLS | _REASONING | _MEDIA.keys() | _CACHE_MARKS
_DATA_URL = re.compile(r"data:[^,]{0,200};base64,")
_DATA = ("url", "base64", "file_data", "data", "file_id", "file_uri", "image_url", "file_url", "uri", "bytes", "result")
_MIME = ("mime_type", "media_type", "mimeType", "format", "output_format")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a list of blocks holds. `texts` and `asides` say where each part stands in the joined text."""

    content: str = ""
    texts: tuple[Span, ...] = ()
    aside: str = ""
    asides: tuple[Span, ...] = ()
    media: tuple[Media, ...] = ()


def read_blocks(content: object, separator: str = "") -> Parts:
    """The text of `content`, its parts joined by `separator`, and what is not text; None is empty.

    What says nothing but has what a provider did or asks for (a search of its own, an approval) is named by its text,
    `[mcp_approval_request]`: else it would be taken for an empty message, and the provider would not get it back.
    """
    if content is None or content == "":
        return Parts()
    if isinstance(content, str):
        return Parts(content, ((0, len(content)),))
    blocks = content if isinstance(content, list | tuple) else [content]
    texts, asides, media = _Joined(separator), _Joined("\n"), list[Media]()
    for block in blocks:
        _read(block, texts, asides, media)
    if not media and not texts.text.strip():
        named = dict.fromkeys(kind for block in blocks if (kind := _item(block)))
        if named:
            return Parts(f"[{', '.join(named)}]", aside=asides.text, asides=tuple(asides.spans))
    return Parts(texts.text, tuple(texts.spans), asides.text, tuple(asides.spans), tuple(media))


def inner_block(block: object) -> Mapping[str, Any]:
    """`block`, or the provider's own block that LangChain keeps in it; empty for anything but a block."""
    if not isinstance(block, Mapping):
        return {}
    value = block.get("value") if block.get("type") == "non_standard" else None
    return value if isinstance(value, Mapping) else block


def _item(block: object) -> str | None:
    """The name of a provider's block that is neither text, nor reasoning, nor a call of one of our tools."""
    found = inner_block(block)
    kind = found.get("type", next(iter(found), None))
    return kind if isinstance(kind, str) and kind not in _KNOWN else None


def signed_reasoning(block: object) -> bool:
    """Whether `block` is reasoning that its provider signed, whole: handed back unaltered with the calls it led to."""
    found = inner_block(block)
    if found.get("type") not in _REASONING:
        return False
    if found["type"] == "redacted_thinking":
        return bool(found.get("data"))
    inner = found["reasoning_content"] if isinstance(found.get("reasoning_content"), Mapping) else found
    extras = found.get("extras")
    places = [inner, extras] if isinstance(extras, Mapping) else [inner]
    said = [inner[key] for key in ("thinking", "reasoning", "text") if key in inner]
    return None not in said and any(place.get("signature") for place in places)


class _Joined:
    """Texts joined by a separator, with the position of each."""

    def __init__(self, separator: str) -> None:
        self._separator = separator
        self._parts: list[str] = []
        self._end = 0
        self.spans: list[Span] = []

    def add(self, text: str) -> None:
        start = self._end + len(self._separator) if self._parts else 0
        self._parts.append(text)
        self._end = start + len(text)
        self.spans.append((start, self._end))

    @property
    def text(self) -> str:
        return self._separator.join(self._parts)


def _read(block: object, texts: _Joined, asides: _Joined, media: list[Media]) -> None:
    if isinstance(block, str):
        texts.add(block)
        return
    if not isinstance(block, Mapping):
        return
    kind = block.get("type")
    text = block.get("refusal") if kind == "refusal" else block.get("text")
    if kind in _TEXT and isinstance(text, str):
        texts.add(text)
        return
    if kind in _CALLS:
        return
    nested = _nested(block)
    if nested is not None:
        for inner in nested:
            _read(inner, texts, asides, media)
        return
    found = media_in(block)
    if found is not None:
        media.append(found)
        return
    for part in _strings(block):
        asides.add(part)


def _nested(block: Mapping[str, Any]) -> Sequence[object] | None:
    """The contents of a tool result, a document or a search result, if they are text or blocks."""
    kind, source = block.get("type"), block.get("source")
    if kind == "document" and isinstance(source, Mapping):
        inner = source.get("data") if source.get("type") == "text" else source.get("content")
    elif kind in ("tool_result", "search_result"):
        inner = block.get("content")
    else:
        return None
    if isinstance(inner, str):
        return [inner]
    return inner if isinstance(inner, list) else None


def _strings(value: object) -> Iterator[str]:
    """All text in an unknown block, in its order."""
    if isinstance(value, str):
        if value and not _DATA_URL.match(value):
            yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if key not in _OPAQUE:
                yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def media_in(block: Mapping[str, Any]) -> Media | None:
    """The image, recording or file that `block` is, or None when it is something else."""
    name = block.get("type")
    if name is None:
        name = next((key for key in _MEDIA if isinstance(block.get(key), Mapping)), None)
    if name not in _MEDIA:
        return None
    places = [place for place in _places(block, str(name)) if isinstance(place, Mapping)]
    data = block.get("id") if block.get("source_type") == "id" else _first(places, _DATA)
    data = data if isinstance(data, str | bytes) else block.get(str(name))
    if isinstance(data, bytes):
        data = base64.b64encode(data).decode("ascii")
    if not isinstance(data, str) or not data:
        return None
    mime = _first(places, _MIME)
    mime = mime if isinstance(mime, str) else None
    kind = _MEDIA[str(name)]
    if name == "media" and mime and mime.partition("/")[0] in USUAL:
        kind = cast(MediaKind, mime.partition("/")[0])
    return Media(kind, data, mime)


def _places(block: Mapping[str, Any], name: str) -> Iterator[object]:
    """Where the data of a block may be: in itself, or under the usual keys."""
    yield block
    for key in (name, "source", "file", "input_audio"):
        inner = block.get(key)
        yield inner
        if isinstance(inner, Mapping):
            yield inner.get("source")


def _first(places: Sequence[Mapping[str, Any]], names: Sequence[str]) -> object:
    found = (place[name] for place in places for name in names if isinstance(place.get(name), str | bytes))
    return next(found, None)
