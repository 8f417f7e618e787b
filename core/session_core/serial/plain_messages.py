"""Messages from plain dicts, in the formats of OpenAI, Anthropic, LangChain and LlamaIndex."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from session_core.errors import InputError, named_type, shown
from session_core.serial.blocks import Parts, read_blocks
from session_core.serial.calls import calls_from, function_call_id
from session_core.serial.responses import as_chat, is_item
from session_core.serial.signed import signed_thinking
from session_core.turns import Message, Role, ToolCall

_ROLES = {
    **{role.value: role for role in Role},
    "human": Role.USER,
    "ai": Role.ASSISTANT,
    "model": Role.ASSISTANT,
    "chatbot": Role.ASSISTANT,
    "developer": Role.SYSTEM,
    "function": Role.TOOL,
}
_MISNAMED = ("text", "message", "contents", "body")
_TIMES = ("time_s", "timestamp", "created_at", "time")
_SHAPES = {"text": "text", "image": "image", "audio": "audio", "video": "video", "document": "document"}


def is_message(plain: object) -> bool:
    """Whether `plain` looks like one message in any known format."""
    return isinstance(plain, Mapping) and (
        "role" in plain
        or is_item(plain)
        or _is_langchain_typed(plain)
        or _is_langchain_constructor(plain)
        or _is_flat(plain)
    )


def messages_from_plain(plain: object) -> list[Message]:
    """The message in `plain`; several where a user's message holds the results of several tool calls.

    Raises: InputError, UnknownRole among them.
    """
    if type(plain) is dict and len(plain) == 2 and "role" in plain and type(plain.get("content")) is str:
        # Most are no more than that.
        return [Message(_role(plain["role"]), plain["content"])]
    if not isinstance(plain, Mapping):
        raise InputError(f"{named_type(plain)} is not a message; a message is an object with role and content")
    if is_item(plain):
        plain = as_chat(plain)
        if not (plain["content"] or plain["role"] == "tool" or "tool_calls" in plain):
            # Encrypted reasoning has no content.
            return []
    if not isinstance(plain.get("content"), (str, list, dict, type(None))):
        kind = type(plain["content"]).__name__
        raise InputError(f"a message's content is of type {kind}; pass a string or a list of content parts")
    if isinstance(plain.get("content"), list):
        plain = {**plain, "content": [_plain_block(block) for block in plain["content"]]}
    if _is_langchain_constructor(plain):
        return [_langchain(str(plain["id"][-1]), plain.get("kwargs") or {})]
    if _is_langchain_typed(plain):
        return [_langchain(str(plain["type"]), plain["data"])]
    if "role" not in plain and _is_flat(plain):
        return [_langchain(str(plain["type"]), plain)]
    if "role" not in plain:
        known = ", ".join(map(shown, plain)) or "none"
        raise InputError(f"an object with the keys {known} is not a message: it has no role")
    if isinstance(plain.get("blocks"), list):
        return [_llamaindex(plain)]
    if "content" not in plain and (misnamed := next((name for name in _MISNAMED if name in plain), None)):
        raise InputError(f"a message has no content, but a key {misnamed!r}; put the text under 'content'")
    return _openai(plain)


def _plain_block(block: object) -> object:
    """`block`, or the dump of a block that is an object of a provider's SDK."""
    dump = None if isinstance(block, str | Mapping) else getattr(block, "model_dump", None)
    return dump(mode="json") if callable(dump) else block


def _is_langchain_typed(plain: Mapping[str, Any]) -> bool:
    return "type" in plain and isinstance(plain.get("data"), Mapping)


def _is_langchain_constructor(plain: Mapping[str, Any]) -> bool:
    path = plain.get("id")
    return "lc" in plain and isinstance(path, list) and bool(path)


def _is_flat(plain: Mapping[str, Any]) -> bool:
    return isinstance(plain.get("type"), str) and "content" in plain


def _role(name: object) -> Role:
    text = str(name).lower()
    return _ROLES.get(text) or Role.parse(text)


def _openai(plain: Mapping[str, Any]) -> list[Message]:
    role = _role(plain["role"])
    results = list(_tool_results(plain))
    if role is Role.USER and results:
        return [*results, *_beside_results(plain)]
    kwargs = _mapping(plain.get("additional_kwargs"))
    # A model's refusal has its text beside an empty content.
    content = plain.get("content") or plain.get("refusal")
    calls = _calls(role, plain) or _calls(role, kwargs)
    used = [block for block in content if _type(block) == "tool_use"] if isinstance(content, list) else []
    return [
        _message(
            role,
            read_blocks(content),
            plain,
            calls=calls or (calls_from(used) if role is Role.ASSISTANT else ()),
            tool_call_id=plain.get("tool_call_id") or kwargs.get("tool_call_id"),
            name=plain.get("name") or kwargs.get("name"),
        )
    ]


def _tool_results(plain: Mapping[str, Any]) -> Iterator[Message]:
    """Anthropic's tool results inside a user message, with that message's time."""
    content = plain.get("content")
    time = {name: plain[name] for name in _TIMES if name in plain}
    for block in content if isinstance(content, list) else ():
        if _type(block) == "tool_result":
            parts = read_blocks(block.get("content"))
            yield _message(Role.TOOL, parts, time, tool_call_id=block.get("tool_use_id"))


def _beside_results(plain: Mapping[str, Any]) -> list[Message]:
    rest = [block for block in plain["content"] if _type(block) != "tool_result"]
    return [_message(Role.USER, read_blocks(rest), plain, name=plain.get("name"))] if rest else []


def _langchain(kind: str, data: Mapping[str, Any]) -> Message:
    name = kind.removesuffix("Chunk").removesuffix("Message").lower()
    kwargs = _mapping(data.get("additional_kwargs"))
    role = _role(data.get("role") if name == "chat" else name)
    bad = [call for call in calls_from(data.get("invalid_tool_calls")) if call.id]
    calls = (*calls_from(data.get("tool_calls")), *bad)
    return _message(
        role,
        read_blocks(data.get("content")),
        data,
        calls=calls or _calls(role, kwargs),
        tool_call_id=data.get("tool_call_id") or kwargs.get("tool_call_id"),
        name=data.get("name"),
    )


def _llamaindex(plain: Mapping[str, Any]) -> Message:
    kwargs = _mapping(plain.get("additional_kwargs"))
    role = _role(plain["role"])
    blocks = [block for block in plain["blocks"] if isinstance(block, Mapping)]
    asked = calls_from([block for block in blocks if block.get("block_type") == "tool_call"])
    known = {call.id for call in asked}
    calls = (*asked, *(call for call in _calls(role, kwargs) if call.id not in known))
    return _message(
        role,
        read_blocks(list(_shaped(blocks)), "\n"),
        plain,
        calls=calls,
        tool_call_id=kwargs.get("tool_call_id"),
        name=kwargs.get("name"),
    )


def _shaped(blocks: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """LlamaIndex' dumped blocks in the common form."""
    for block in blocks:
        kind = block.get("block_type")
        if kind == "citable":
            yield from _shaped([one for one in block.get("content") or () if isinstance(one, Mapping)])
        elif kind == "citation":
            yield from _shaped([one for one in (block.get("cited_content"),) if isinstance(one, Mapping)])
        elif kind == "thinking":
            yield {"type": "thinking", "thinking": block.get("content") or ""}
        elif kind in _SHAPES:
            mime = next((v for k, v in block.items() if k.endswith("mimetype") or k == "format"), None)
            data = block.get(kind) or block.get("data")
            url = block.get("url") or block.get("path")
            yield {"type": kind, "text": block.get("text"), "base64": data, "url": url, "mime_type": mime}


def _calls(role: Role, plain: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    if role is not Role.ASSISTANT:
        return ()
    asked = plain.get("tool_calls")
    calls = calls_from(asked)
    if asked and (not isinstance(asked, list | tuple) or len(calls) < len(asked)):
        raise InputError(
            "a message's tool_calls are not a list of calls, each with the name of a function; nothing was read"
        )
    legacy = calls_from([plain["function_call"]]) if plain.get("function_call") and not calls else ()
    return calls or tuple(ToolCall(function_call_id(one.name), one.name, one.arguments) for one in legacy)


def _message(
    role: Role,
    parts: Parts,
    plain: Mapping[str, Any],
    *,
    calls: tuple[ToolCall, ...] = (),
    tool_call_id: object = None,
    name: object = None,
) -> Message:
    if role is Role.TOOL and not tool_call_id and name:
        tool_call_id = function_call_id(name)
    said_id = plain.get("id")
    if isinstance(said_id, int) and not isinstance(said_id, bool):
        # A database key, for example: without it the same message would be stored again.
        said_id = str(said_id)
    return Message(
        role,
        parts.content,
        id=said_id if isinstance(said_id, str) else "",
        tool_calls=calls,
        tool_call_id=str(tool_call_id) if tool_call_id and role is Role.TOOL else None,
        name=str(name) if name else None,
        author=str(name) if name and role is Role.USER else None,
        media=parts.media,
        aside=parts.aside,
        native=signed_thinking(plain.get("content"), parts) if calls else None,
        time_s=_time(plain),
    )


def _time(plain: Mapping[str, Any]) -> float | None:
    found = next((plain[key] for key in _TIMES if isinstance(plain.get(key), str | int | float)), None)
    try:
        if isinstance(found, str):
            return datetime.fromisoformat(found).timestamp()
        return None if found is None else float(found)
    except (ValueError, OverflowError):
        return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _type(block: object) -> object:
    return block.get("type") if isinstance(block, Mapping) else None
