"""Reads the thinking before an assistant's calls in Anthropic's format."""

from __future__ import annotations

from collections.abc import Mapping

from session_core.payloads.thinking import Thought, native_of
from session_core.serial.blocks import Parts, read_blocks
from session_core.turns import Native


def signed_thinking(content: object, parts: Parts) -> Native | None:
    """The signed thinking that a message with calls keeps of `content`, whose parts are `parts`; None if nothing is
    signed."""
    if not isinstance(content, list):
        return None
    thoughts = [found for place in range(len(content)) if (found := _thought(content, place, parts))]
    return native_of(thoughts) if thoughts else None


def _thought(content: list[object], place: int, parts: Parts) -> Thought | None:
    block = content[place]
    kind = block.get("type") if isinstance(block, Mapping) else None
    if not isinstance(block, Mapping) or kind not in ("thinking", "redacted_thinking"):
        return None
    sealed = block.get("data" if kind == "redacted_thinking" else "signature")
    said = "" if kind == "redacted_thinking" else block.get("thinking")
    if not isinstance(sealed, str) or not sealed or not isinstance(said, str):
        return None
    before = read_blocks(content[:place])
    characters = before.texts[-1][1] if before.texts else 0
    calls = sum(isinstance(one, Mapping) and one.get("type") == "tool_use" for one in content[:place])
    start, end = parts.asides[len(before.asides)] if said else (0, 0)
    return Thought(characters, calls, sealed, kind == "redacted_thinking", start, end)
