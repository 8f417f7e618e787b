"""Converts items of OpenAI's Responses API (calls, outputs, reasoning) to chat messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CALLS = ("function_call", "custom_tool_call")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")


def is_item(plain: Mapping[str, Any]) -> bool:
    """Whether `plain` is an item other than a message: a call, an output or reasoning."""
    kind = plain.get("type")
    if "role" in plain or "data" in plain:
        return False
    called = isinstance(plain.get("call_id"), str)
    return (called and kind in (*_CALLS, *_OUTPUTS)) or (kind == "reasoning" and isinstance(plain.get("summary"), list))


def as_chat(item: Mapping[str, Any]) -> dict[str, Any]:
    """The item as a chat message with its own id; calls and outputs are matched by `call_id`.

    Readable reasoning is kept beside the message; encrypted reasoning has no text.
    """
    besides = {name: item[name] for name in ("id", "time_s", "timestamp", "created_at", "time") if name in item}
    kind = item["type"]
    if kind in _OUTPUTS:
        return {**besides, "role": "tool", "tool_call_id": item["call_id"], "content": item.get("output")}
    if kind in _CALLS:
        arguments = item.get("arguments") if kind == "function_call" else {"input": item.get("input", "")}
        call = {"id": item["call_id"], "name": item.get("name"), "arguments": arguments}
        return {**besides, "role": "assistant", "content": None, "tool_calls": [call]}
    parts = [*item["summary"], *(item.get("content") or ())]
    words = "\n".join(str(part["text"]) for part in parts if isinstance(part, Mapping) and part.get("text"))
    return {**besides, "role": "assistant", "content": [{"type": "thinking", "thinking": words}] if words else []}
