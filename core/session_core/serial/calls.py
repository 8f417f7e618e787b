"""Tool calls in the formats of providers and frameworks, and their arguments as text and as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from session_core.serial.exact import Exact
from session_core.turns import ToolCall

_ARGUMENTS = ("arguments", "args", "input", "tool_kwargs", "kwargs")
_IDS = ("id", "tool_call_id", "call_id", "tool_id", "tool_use_id")


def call_from(written: object) -> ToolCall | None:
    """The call in a dict or an SDK's object, nested under `function` or flat; None if it is no call.

    The free text for OpenAI's `custom` tools becomes the argument `input`.
    """
    custom = _part(written, "custom") if _part(written, "type") == "custom" else None
    inner = _part(written, "function") or custom or written
    name = _part(inner, "name") or _part(inner, "tool_name")
    if not isinstance(name, str):
        return None
    arguments: Any = next((v for key in _ARGUMENTS if (v := _part(inner, key)) is not None), {})
    call_id = next((v for key in _IDS if isinstance(v := _part(written, key), str)), "")
    if custom:
        arguments = {"input": arguments}
    return ToolCall(call_id, name, arguments if isinstance(arguments, str) else arguments_text(arguments))


def calls_from(written: object) -> tuple[ToolCall, ...]:
    """The calls in a list; other items are left out."""
    items = written if isinstance(written, list | tuple) else ()
    return tuple(call for item in items if (call := call_from(item)) is not None)


def function_call_id(name: object) -> str:
    """The id that stands in for one where calls are told apart by their function's name alone."""
    return f"function:{name}"


def _part(written: object, name: str) -> Any:
    return written.get(name) if isinstance(written, Mapping) else getattr(written, name, None)


def arguments_text(arguments: object, written: str | None = None) -> str:
    """`arguments` as JSON text: `written` (the model's own text) if it is equivalent.

    Values that JSON lacks are written as Python shows them; then the text alone cannot restore them.
    """
    if written is not None and _is_equal(written, arguments):
        return written
    try:
        return json.dumps(arguments, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        return json.dumps({"arguments": repr(arguments)}, ensure_ascii=False)


def is_exact(text: str, arguments: object, exact: Exact) -> bool:
    """Whether the JSON `text` restores `arguments` with equal types and order."""
    try:
        return exact.same(json.loads(text), arguments)
    except ValueError:
        return False


def _is_equal(text: str, arguments: object) -> bool:
    try:
        return bool(json.loads(text) == arguments)
    except ValueError:
        return False
