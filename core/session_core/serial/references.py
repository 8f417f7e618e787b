"""Removes from a native serialized message what the neutral fields already hold, and restores it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Any

from session_core.serial.exact import Damaged, Exact, Reference
from session_core.turns import Message

Span = tuple[int, int]
"""Start and end of a part in a joined text."""


_exact = Exact()


class Part(IntEnum):
    """The parts of a message that a reference may name; the numbers are part of the format."""

    CONTENT = 0
    ASIDE = 1
    MEDIA = 2
    MEDIA_AS_ASCII = 3
    MEDIA_AS_BYTES = 4
    ARGUMENTS = 5
    ARGUMENTS_PARSED = 6
    CALL_ID = 7
    CALL_NAME = 8
    ID = 9
    NAME = 10
    TOOL_CALL_ID = 11


class ReferenceTable:
    """The table of what `message` holds. `texts` and `asides` are the parts its two texts were joined of.

    `parsed` tells for each tool call whether its arguments, as text, give exactly the framework's value.
    """

    def __init__(
        self,
        message: Message,
        *,
        texts: Sequence[Span] = (),
        asides: Sequence[Span] = (),
        parsed: Sequence[bool] = (),
    ) -> None:
        self._texts: dict[str, Reference] = {}
        self._arguments: list[tuple[Any, Reference]] = []
        self._has_media = bool(message.media)
        calls = message.tool_calls
        self._add((call.name, Reference(Part.CALL_NAME, i)) for i, call in enumerate(calls))
        self._add((call.id, Reference(Part.CALL_ID, i)) for i, call in enumerate(calls))
        self._add((call.arguments, Reference(Part.ARGUMENTS, i)) for i, call in enumerate(calls))
        for index, (call, fits) in enumerate(zip(calls, parsed, strict=False)):
            if fits:
                self._arguments.append((json.loads(call.arguments), Reference(Part.ARGUMENTS_PARSED, index)))
        named = ((message.name, Part.NAME), (message.id, Part.ID))
        self._add((text, Reference(part)) for text, part in named if text)
        self._add([(message.tool_call_id or "", Reference(Part.TOOL_CALL_ID))])
        self._add_spans(message.aside, Part.ASIDE, asides)
        self._add_spans(message.content, Part.CONTENT, texts)
        self._add((part.data, Reference(Part.MEDIA, i)) for i, part in enumerate(message.media))

    def _add(self, pairs: Iterable[tuple[str, Reference]]) -> None:
        self._texts.update((text, reference) for text, reference in pairs if text)

    def _add_spans(self, text: str, part: Part, spans: Sequence[Span]) -> None:
        every = [*spans, (0, len(text))]
        self._add((text[a:b], Reference(part, a, b)) for a, b in every if b - a > 8)

    def find(self, value: str | bytes | dict[Any, Any]) -> Reference | None:
        """The reference to a part of the message that equals `value`."""
        if isinstance(value, str):
            return self._texts.get(value)
        if isinstance(value, bytes):
            return self._find_media(value) if self._has_media else None
        for arguments, reference in self._arguments:
            if arguments == value and _exact.same(arguments, value):
                return reference
        return None

    def _find_media(self, value: bytes) -> Reference | None:
        if value.isascii():
            reference = self._texts.get(value.decode("ascii"))
            if reference is not None and reference.part == Part.MEDIA:
                return Reference(Part.MEDIA_AS_ASCII, reference.first)
        reference = self._texts.get(base64.b64encode(value).decode("ascii"))
        if reference is not None and reference.part == Part.MEDIA:
            return Reference(Part.MEDIA_AS_BYTES, reference.first)
        return None


def restorer(message: Message) -> Callable[[Reference], object]:
    """Resolves references into `message`. What a shorter rendition lacks becomes empty text, or None for reasoning,
    which must be sent back unaltered or not at all; a whole message must have everything."""
    if message.rendition == "whole":
        return lambda reference: restore(message, reference)

    def shown(reference: Reference) -> object:
        if reference.part == Part.ASIDE and not message.aside:
            return None
        try:
            return restore(message, reference)
        except ValueError:
            return ""

    return shown


def restore(message: Message, reference: Reference) -> object:
    """The value that `reference` refers to. Raises: Damaged if the message has no such part."""
    try:
        return _restored(message, reference)
    except (IndexError, binascii.Error) as exc:
        raise Damaged(f"a reference leads nowhere: {reference}") from exc


def _restored(message: Message, reference: Reference) -> object:
    match Part(reference.part):
        case Part.CONTENT:
            return message.content[reference.first : reference.last]
        case Part.ASIDE:
            return message.aside[reference.first : reference.last]
        case Part.MEDIA:
            return message.media[reference.first].data
        case Part.MEDIA_AS_ASCII:
            return message.media[reference.first].data.encode("ascii")
        case Part.MEDIA_AS_BYTES:
            return base64.b64decode(message.media[reference.first].data)
        case Part.ARGUMENTS:
            return message.tool_calls[reference.first].arguments
        case Part.ARGUMENTS_PARSED:
            return json.loads(message.tool_calls[reference.first].arguments)
        case Part.CALL_ID:
            return message.tool_calls[reference.first].id
        case Part.CALL_NAME:
            return message.tool_calls[reference.first].name
        case Part.ID:
            return message.id
        case Part.NAME:
            return message.name
        case Part.TOOL_CALL_ID:
            return message.tool_call_id
