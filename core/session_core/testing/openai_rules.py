"""The rules of OpenAI's Chat Completions API for the messages of a request.

From the API's reference (https://platform.openai.com/docs/api-reference/chat/create) and the types of the official
SDK (`openai.types.chat`): roles, keys, content parts. From the API's own answers: a message with tool calls "must be
followed by tool messages responding to each tool_call_id", a tool message "must be a response to a preceding message
with tool_calls", an id of a call has at most 40 characters
(https://github.com/vercel/ai/issues/5171), names of functions match `^[a-zA-Z0-9_-]{1,64}$`, names of speakers have
no blanks and none of `<|\\/>`. Stricter than OpenAI itself, as servers that speak its protocol are: no empty text,
and arguments are JSON objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from session_core.testing.shared_rules import data_url, is_base64, is_object, is_sendable, is_web, odd_keys

MAX_CALL_ID_CHARACTERS = 40

_FUNCTION = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_SPEAKER = re.compile(r"[^\s<|\\/>]{1,64}")
_KEYS = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls", "refusal", "audio", "function_call"},
    "tool": {"role", "content", "tool_call_id"},
}
_PARTS = {
    "system": {"text"},
    "developer": {"text"},
    "tool": {"text"},
    "assistant": {"text", "refusal"},
    "user": {"text", "image_url", "input_audio", "file"},
}
_PART_KEYS = {
    "text": {"type", "text", "prompt_cache_breakpoint"},
    "refusal": {"type", "refusal"},
    "image_url": {"type", "image_url", "prompt_cache_breakpoint"},
    "input_audio": {"type", "input_audio", "prompt_cache_breakpoint"},
    "file": {"type", "file", "prompt_cache_breakpoint"},
}


def openai_faults(payload: Mapping[str, Any], *, prefill: bool = True) -> list[str]:
    """What the API would refuse in `payload["messages"]`; nothing for a request that it answers."""
    messages = payload.get("messages")
    if not isinstance(messages, list) or not messages:
        return ["messages is no list, or empty"]
    wrong: list[str] = []
    for index, message in enumerate(messages):
        wrong += _message(message, f"messages[{index}]")
    if not is_sendable(messages):
        wrong.append("messages cannot be written as JSON in UTF-8")
    if wrong:
        return wrong
    wrong += _pairs(messages)
    if not prefill and messages[-1]["role"] == "assistant":
        wrong.append("the last message is the assistant's")
    return wrong


def _message(message: object, where: str) -> Iterator[str]:
    if not isinstance(message, Mapping):
        yield f"{where} is no object"
        return
    role = message.get("role")
    if role not in _KEYS:
        yield f"{where} has no role of the API"
        return
    needed = {"tool": {"role", "content", "tool_call_id"}, "assistant": {"role"}}.get(role, {"role", "content"})
    yield from odd_keys(message, _KEYS[role], needed, where)
    name = message.get("name")
    if "name" in message and not (isinstance(name, str) and _SPEAKER.fullmatch(name)):
        yield f"{where}.name does not match the pattern"
    silent = role == "assistant" and any(message.get(k) for k in ("tool_calls", "refusal", "audio", "function_call"))
    if not (silent and message.get("content") is None):
        yield from _content(message.get("content"), role, f"{where}.content")
    if "tool_calls" in message:
        yield from _calls(message["tool_calls"], f"{where}.tool_calls")


def _content(content: object, role: str, where: str) -> Iterator[str]:
    if isinstance(content, str):
        if not content.strip():
            yield f"{where} is empty"
        return
    if not isinstance(content, list) or not content:
        yield f"{where} is no text and no list of parts, or empty"
        return
    for index, part in enumerate(content):
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind not in _PARTS[role]:
            yield f"{where}[{index}] is no part that a {role} message may have"
            continue
        yield from odd_keys(part, _PART_KEYS[kind], {kind}, f"{where}[{index}]")
        yield from _part(kind, part.get(kind), f"{where}[{index}]")


def _part(kind: str, said: object, where: str) -> Iterator[str]:
    if kind in ("text", "refusal"):
        if not isinstance(said, str) or not said.strip():
            yield f"{where} is empty"
        return
    if not isinstance(said, Mapping):
        yield f"{where}.{kind} is no object"
        return
    match kind:
        case "image_url":
            mime = data_url(said.get("url"))
            if not is_web(said.get("url")) and not (mime or "").startswith("image/"):
                yield f"{where} has no web address and no image in a data URL"
            if said.get("detail", "auto") not in ("auto", "low", "high", "original"):
                yield f"{where} has an unknown detail"
        case "input_audio":
            if said.get("format") not in ("wav", "mp3") or not is_base64(said.get("data")):
                yield f"{where} is no audio as wav or mp3 in base64"
        case "file":
            sound = said.get("filename") and data_url(said.get("file_data"))
            if bool(said.get("file_id")) == bool(sound):
                yield f"{where} needs a file_id, or a filename and file_data as a data URL"


def _calls(calls: object, where: str) -> Iterator[str]:
    if not isinstance(calls, list) or not calls:
        yield f"{where} is no list, or empty"
        return
    ids = [call.get("id") if isinstance(call, Mapping) else None for call in calls]
    if len({str(one) for one in ids}) < len(ids):
        yield f"{where} has an id twice"
    for index, call in enumerate(calls):
        at = f"{where}[{index}]"
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or call.get("type") != "function":
            yield f"{at} is no call of a function"
            continue
        yield from odd_keys(call, {"id", "type", "function"}, {"id"}, at)
        yield from odd_keys(function, {"name", "arguments"}, {"name", "arguments"}, at)
        called = call.get("id")
        if not isinstance(called, str) or not 0 < len(called) <= MAX_CALL_ID_CHARACTERS:
            yield f"{at}.id has no characters, or more than {MAX_CALL_ID_CHARACTERS}"
        if not isinstance(function.get("name"), str) or not _FUNCTION.fullmatch(function["name"]):
            yield f"{at}.function.name does not match the pattern"
        if not is_object(function.get("arguments")):
            yield f"{at}.function.arguments is no JSON object"


def _pairs(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Every call is answered right behind it, once, and every result answers one."""
    waiting: set[str] = set()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                yield f"messages[{index}] is a tool message that answers no call right before it"
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            yield f"messages[{index}] stands before the results of {len(waiting)} calls"
        waiting = {call["id"] for call in message.get("tool_calls", ())}
    if waiting:
        yield f"the last message leaves {len(waiting)} calls without results"
