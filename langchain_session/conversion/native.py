"""A LangChain message as bytes and back: its class, and everything that the neutral form lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import langchain_core.messages as lc
from langchain_core.messages import BaseMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from session_core.errors import InputError, StoreUnreadable
from session_core.payloads.parts import arguments_of
from session_core.serial.exact import Exact, Kind, damage, pad, trim
from session_core.serial.marks import MARK
from session_core.serial.objects import ModelState, class_at, model_from, model_state, object_kinds, path_of
from session_core.serial.references import ReferenceTable, restorer
from session_core.turns import GIVEN_ID, Message, Native, ToolCall

FORMAT = "langchain/1"

_CLASSES: dict[str, type[BaseMessage]] = {
    "human": lc.HumanMessage,
    "ai": lc.AIMessage,
    "system": lc.SystemMessage,
    "tool": lc.ToolMessage,
    "function": lc.FunctionMessage,
    "chat": lc.ChatMessage,
    "HumanMessageChunk": lc.HumanMessageChunk,
    "AIMessageChunk": lc.AIMessageChunk,
    "SystemMessageChunk": lc.SystemMessageChunk,
    "ToolMessageChunk": lc.ToolMessageChunk,
    "FunctionMessageChunk": lc.FunctionMessageChunk,
    "ChatMessageChunk": lc.ChatMessageChunk,
    "remove": lc.RemoveMessage,
    "base": BaseMessage,
}
_NAMES = {kind: name for name, kind in _CLASSES.items()}
_FIELDS = (
    "content",
    "additional_kwargs",
    "response_metadata",
    "type",
    "name",
    "id",
    "tool_calls",
    "invalid_tool_calls",
    "usage_metadata",
    "tool_call_chunks",
    "chunk_position",
    "tool_call_id",
    "artifact",
    "status",
    "role",
    "example",
)
"""Field names that are written as their index; part of the format, so the tuple is append-only."""

_serializer = JsonPlusSerializer(allowed_msgpack_modules=None)


def _jsonplus(value: object) -> list[object]:
    try:
        return list(_serializer.dumps_typed(value))
    except TypeError:
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        raise InputError(
            f"a message holds a {name}, which cannot be stored and restored exactly; "
            "use plain data, a dataclass or a pydantic model instead"
        ) from None


def _is_odd(value: object) -> bool:
    return not isinstance(value, int | float | str | bytes | list | dict)


exact = Exact(
    (
        *object_kinds(),
        Kind(48, _is_odd, _jsonplus, lambda plain: _serializer.loads_typed((plain[0], plain[1]))),
    )
)


def write(message: BaseMessage, neutral: Message, table: ReferenceTable) -> Native:
    """Everything of `message` that `neutral` lacks; which fields were set explicitly is only a note."""
    state = model_state(message, defaults=False)
    values = dict(state.values)
    if MARK in message.additional_kwargs:
        values["additional_kwargs"] = {k: v for k, v in message.additional_kwargs.items() if k != MARK}
    if isinstance(message.content, str):
        values.pop("content", None)
    if neutral.id:
        values.pop("id", None)
    if isinstance(message, lc.AIMessage) and _calls_follow(message, neutral):
        values["tool_calls"] = len(message.tool_calls)
    flat = [part for name, value in values.items() for part in (_short(name), value)]
    kind = _class_name(type(message))
    data = exact.encode(trim([kind, flat or None, dict(state.extra or {}) or None, state.private]), table)
    expected = {*values, "content", *(("id",) if message.id else ())}
    if state.fields_set == expected:
        return Native(FORMAT, data)
    odd = sorted(state.fields_set ^ expected)
    return Native(FORMAT, data, exact.encode([_short(name) for name in odd]))


def _calls_follow(message: lc.AIMessage, neutral: Message) -> bool:
    """Whether the tool calls can be rebuilt from the neutral ones alone."""
    calls = neutral.tool_calls[: len(message.tool_calls)]
    if not message.tool_calls or len(calls) < len(message.tool_calls):
        return False
    return exact.same(message.tool_calls, [tool_call(call) for call in calls])


def tool_call(call: ToolCall) -> dict[str, Any]:
    """`call` in LangChain's form."""
    return {"name": call.name, "args": arguments_of(call), "id": call.id, "type": "tool_call"}


def _class_name(kind: type[BaseMessage]) -> object:
    """The class's short name, or its import path with a LangChain class as the fallback."""
    if kind in _NAMES:
        return _NAMES[kind]
    base = next(ancestor for ancestor in kind.__mro__ if ancestor in _NAMES)
    return [path_of(kind), _NAMES[base]]


def _class_named(name: object) -> type[BaseMessage]:
    if isinstance(name, str):
        return _CLASSES[name]
    path, base = cast(Sequence[str], name)
    found = class_at(path)
    return found if found is not None and issubclass(found, BaseMessage) else _CLASSES[base]


def _short(name: str) -> str | int:
    return _FIELDS.index(name) if name in _FIELDS else name


def _long(name: str | int) -> str:
    return _FIELDS[name] if isinstance(name, int) else name


def read(message: Message, native: Native) -> BaseMessage:
    """The message that `native` was written for. Raises: StoreUnreadable."""
    try:
        plain = exact.decode(native.data, restorer(message))
        name, flat, extra, private = pad(plain, 4)
        flat = flat or []
        values = {_long(key): value for key, value in zip(flat[::2], flat[1::2], strict=True)}
        odd = cast(list[str | int], exact.decode(native.note)) if native.note else []
        kind = _class_named(name)
    except (ValueError, TypeError, LookupError) as exc:
        raise StoreUnreadable(
            f"message {message.id} cannot be read as a LangChain message ({damage(exc)}); it is damaged, or was "
            "written by a newer release: update llm-sessions, or restore it from a backup"
        ) from None
    if message.id and not message.id.startswith(GIVEN_ID):
        values.setdefault("id", message.id)
    fields_set = frozenset({*values, "content"} ^ {_long(key) for key in odd})
    values.setdefault("content", message.content)
    if isinstance(values.get("tool_calls"), int):
        values["tool_calls"] = [tool_call(call) for call in message.tool_calls[: values["tool_calls"]]]
    unknown = {key: value for key, value in values.items() if key not in kind.model_fields}
    return cast(BaseMessage, model_from(kind, ModelState(values, fields_set, {**(extra or {}), **unknown}, private)))
