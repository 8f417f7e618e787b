"""Thinking signed by Anthropic, stored with the calls of an assistant so that it can be sent back unaltered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any

from session_core.errors import StoreUnreadable
from session_core.payloads.parts import sayable
from session_core.turns import Message, Native

FORMAT = "anthropic/1"


@dataclass(frozen=True, slots=True)
class Thought:
    """Where one block stood, as characters of the text and calls before it, and what it is: a signed part of the
    message's `aside`, or, where `redacted`, sealed by the provider."""

    characters: int
    calls: int
    sealed: str
    redacted: bool = False
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """One block as the API takes it, and how many characters of text and calls stand before it."""

    characters: int
    calls: int
    block: dict[str, Any]


def native_of(thoughts: Sequence[Thought]) -> Native:
    """The form in which a message keeps `thoughts`."""
    return Native(FORMAT, json.dumps([astuple(one) for one in thoughts], separators=(",", ":")).encode())


def thinking_of(message: Message) -> list[Placed]:
    """The blocks that go back with the calls of `message`, in their order; none where one of them is not whole.

    In a shorter rendition they stand before all else. Raises: StoreUnreadable.
    """
    if message.native is None or message.native.format != FORMAT or not message.tool_calls:
        return []
    try:
        thoughts = [Thought(*row) for row in json.loads(message.native.data)]
        placed = [_placed(message, one) for one in thoughts if one.end <= len(message.aside)]
    except (ValueError, TypeError):
        raise StoreUnreadable(
            f"the thinking of message {message.id} cannot be read; it is damaged, or was written by a newer release: "
            "update llm-sessions, or restore it from a backup"
        ) from None
    whole = len(placed) == len(thoughts) and all(sayable(text) == text for one in placed for text in one.block.values())
    return placed if whole else []


def _placed(message: Message, one: Thought) -> Placed:
    if one.redacted:
        block = {"type": "redacted_thinking", "data": one.sealed}
    else:
        text = message.aside[one.start : one.end]
        block = {"type": "thinking", "thinking": text, "signature": one.sealed}
    if message.rendition != "whole":
        return Placed(0, 0, block)
    # Thinking after the last call is unsigned, and no message may end with it.
    return Placed(one.characters, min(one.calls, len(message.tool_calls) - 1), block)
