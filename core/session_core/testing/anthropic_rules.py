"""The rules of Anthropic's Messages API for `system` and `messages` of a request.

From the API's reference (https://platform.claude.com/docs/en/api/messages/create): roles, neighbours of one role are
one turn, `system` stands apart, at most 100,000 messages, a last turn of the assistant is a prefill, which newer
models refuse. From the guide to tools (https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls):
results stand in the very next user turn, before anything else in it. From the guide to caching
(https://platform.claude.com/docs/en/build-with-claude/prompt-caching): at most four breakpoints, none on empty text or
thinking, longer lives before shorter ones. From the types of the official SDK (`anthropic.types`): blocks and their
keys. From the API's own answers: "tool_use ids must be unique", ids match `^[a-zA-Z0-9_-]+$`, "each tool_use must have
a single result", "text content blocks must contain non-whitespace text", "final assistant content cannot end with
trailing whitespace", "the final block in an assistant message cannot be thinking", "when thinking is enabled, a final
assistant message must start with a thinking block (preceding the lastmost set of tool_use and tool_result blocks)".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from session_core.testing.shared_rules import is_base64, is_sendable, is_web, odd_keys

MAX_MESSAGES = 100_000
MAX_BREAKPOINTS = 4

_ID = re.compile(r"[a-zA-Z0-9_-]+")
_TOOL = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_PICTURES = {"image/jpeg", "image/png", "image/gif", "image/webp"}
_KEYS: dict[str, set[str]] = {
    "text": {"type", "text", "cache_control", "citations"},
    "image": {"type", "source", "cache_control", "transformations"},
    "document": {"type", "source", "cache_control", "citations", "context", "title"},
    "search_result": {"type", "source", "title", "content", "cache_control", "citations"},
    "tool_use": {"type", "id", "name", "input", "cache_control", "caller", "toolset_name"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
}
_NEEDED = {
    "tool_use": {"id", "name", "input"},
    "tool_result": {"tool_use_id"},
    "thinking": {"thinking", "signature"},
    "redacted_thinking": {"data"},
}
_SAID_BY = {
    "user": {"text", "image", "document", "search_result", "tool_result"},
    "assistant": {"text", "tool_use", "thinking", "redacted_thinking"},
}
_THOUGHT = {"thinking", "redacted_thinking"}
_IN_RESULTS = {"text", "image", "document", "search_result"}
_SOURCES = {
    "image": {"base64", "url", "file"},
    "document": {"base64", "url", "file", "text", "content"},
}


def anthropic_faults(payload: Mapping[str, Any], *, prefill: bool = True) -> list[str]:
    """What the API would refuse in `payload["system"]` and `payload["messages"]`; nothing for a request it answers."""
    messages = payload.get("messages")
    if not isinstance(messages, list) or not 0 < len(messages) <= MAX_MESSAGES:
        return [f"messages is no list of 1 to {MAX_MESSAGES:,}"]
    wrong = list(_system(payload.get("system")))
    for index, message in enumerate(messages):
        wrong += _message(message, f"messages.{index}", last=index == len(messages) - 1)
    if not is_sendable(messages):
        wrong.append("messages cannot be written as JSON in UTF-8")
    if wrong:
        return wrong
    turns = _turns(messages)
    if turns[0][0] != "user":
        wrong.append("the first message is not a user's")
    wrong += _pairs(turns)
    wrong += _ending(turns[-1], prefill)
    wrong += _breakpoints(payload, turns)
    wrong += _thinking(payload, turns)
    return wrong


def _system(system: object) -> Iterator[str]:
    if system is None:
        return
    if isinstance(system, str):
        if not system.strip():
            yield "system is empty"
        return
    if not isinstance(system, list) or not system:
        yield "system is no text and no list of texts, or empty"
        return
    for index, block in enumerate(system):
        yield from _block(block, {"text"}, f"system.{index}")


def _message(message: object, where: str, *, last: bool) -> Iterator[str]:
    if not isinstance(message, Mapping) or message.get("role") not in _SAID_BY:
        yield f"{where} has no role of the API (system text stands apart)"
        return
    yield from odd_keys(message, {"role", "content"}, {"role", "content"}, where)
    role, content = message["role"], message.get("content")
    if isinstance(content, str):
        if not content.strip() and not (last and role == "assistant" and not content):
            yield f"{where}.content is empty"
        return
    if not isinstance(content, list) or not content:
        yield f"{where}.content is no text and no list of blocks, or empty"
        return
    for index, block in enumerate(content):
        yield from _block(block, _SAID_BY[role], f"{where}.content.{index}")
    if isinstance(content[-1], Mapping) and content[-1].get("type") in _THOUGHT:
        yield f"{where} ends with thinking"


def _thinking(payload: Mapping[str, Any], turns: Sequence[Turn]) -> Iterator[str]:
    """Where thinking is on with a budget, the assistant's turn whose calls are being answered begins with it."""
    thinking = payload.get("thinking")
    if not isinstance(thinking, Mapping) or thinking.get("type") != "enabled" or len(turns) < 2:
        return
    (role, said), (_, answers) = turns[-2:]
    if role == "assistant" and answers[0]["type"] == "tool_result" and said[0]["type"] not in _THOUGHT:
        yield "thinking is enabled, and the calls that are answered stand without the thinking before them"


def _block(block: object, allowed: set[str], where: str) -> Iterator[str]:
    kind = block.get("type") if isinstance(block, Mapping) else None
    if not isinstance(block, Mapping) or kind not in allowed:
        yield f"{where} is no block that may stand here"
        return
    yield from odd_keys(block, _KEYS[kind], _NEEDED.get(kind, set()), where)
    match kind:
        case "text":
            if not isinstance(block.get("text"), str) or not block["text"].strip():
                yield f"{where}.text is empty"
        case "image" | "document":
            yield from _source(block.get("source"), kind, f"{where}.source")
        case "tool_use":
            yield from _call(block, where)
        case "tool_result":
            yield from _result(block, where)


def _call(block: Mapping[str, Any], where: str) -> Iterator[str]:
    if not isinstance(block.get("id"), str) or not _ID.fullmatch(block["id"]):
        yield f"{where}.id does not match the pattern"
    if not isinstance(block.get("name"), str) or not _TOOL.fullmatch(block["name"]):
        yield f"{where}.name does not match the pattern"
    if not isinstance(block.get("input"), Mapping):
        yield f"{where}.input is no object"


def _result(block: Mapping[str, Any], where: str) -> Iterator[str]:
    if not isinstance(block.get("tool_use_id"), str) or not _ID.fullmatch(block["tool_use_id"]):
        yield f"{where}.tool_use_id does not match the pattern"
    content = block.get("content", "")
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        yield f"{where}.content is no text and no list of blocks"
        return
    for index, inner in enumerate(content):
        yield from _block(inner, _IN_RESULTS, f"{where}.content.{index}")
        if isinstance(inner, Mapping) and "cache_control" in inner:
            yield f"{where}.content.{index} has a breakpoint, which belongs to the result"


def _source(source: object, block: str, where: str) -> Iterator[str]:
    kind = source.get("type") if isinstance(source, Mapping) else None
    if not isinstance(source, Mapping) or kind not in _SOURCES[block]:
        yield f"{where} is no source of a {block}"
        return
    match kind:
        case "base64":
            if source.get("media_type") not in (_PICTURES if block == "image" else {"application/pdf"}):
                yield f"{where}.media_type is no kind of {block}"
            if not is_base64(source.get("data")):
                yield f"{where}.data is no base64"
        case "url" if not is_web(source.get("url")):
            yield f"{where}.url is no web address"
        case "file" if not source.get("file_id"):
            yield f"{where}.file_id is empty"
        case "text" if source.get("media_type") != "text/plain" or not str(source.get("data") or "").strip():
            yield f"{where} is no plain text, or empty"


Turn = tuple[str, list[Mapping[str, Any]]]
"""A role and the blocks of all neighbouring messages of it, as the API joins them."""


def _turns(messages: Sequence[Mapping[str, Any]]) -> list[Turn]:
    turns: list[Turn] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if turns and turns[-1][0] == message["role"]:
            turns[-1][1].extend(blocks)
        else:
            turns.append((message["role"], list(blocks)))
    return turns


def _pairs(turns: Sequence[Turn]) -> Iterator[str]:
    """Every call has one result, in the next turn and before anything else there; every id is used once."""
    known: set[str] = set()
    waiting: list[str] = []
    for role, blocks in turns:
        answers = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        if set(waiting) - set(answers):
            yield f"{len(set(waiting) - set(answers))} calls have no result right behind them"
        if len(set(answers)) < len(answers):
            yield "a call has two results"
        if set(answers) - set(waiting):
            yield "a result answers no call of the turn before it"
        kinds = [block["type"] == "tool_result" for block in blocks]
        if role == "user" and sorted(kinds, reverse=True) != kinds:
            yield "a result stands behind something else in its turn"
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if len(set(waiting)) < len(waiting) or known & set(waiting):
            yield "an id of a call is used twice"
        known |= set(waiting)
    if waiting:
        yield f"the last {len(waiting)} calls have no results"


def _ending(turn: Turn, prefill: bool) -> Iterator[str]:
    role, blocks = turn
    if role != "assistant":
        return
    if not prefill:
        yield "the last message is the assistant's"
    text = blocks[-1].get("text", "")
    if text != text.rstrip():
        yield "the assistant's last text ends with white space"


def _breakpoints(payload: Mapping[str, Any], turns: Sequence[Turn]) -> Iterator[str]:
    system = payload.get("system")
    blocks = [
        *(payload.get("tools") or ()),
        *(system if isinstance(system, list) else ()),
        *(block for _, said in turns for block in said),
    ]
    found = [block["cache_control"] for block in blocks if block.get("cache_control") is not None]
    if len(found) > MAX_BREAKPOINTS:
        yield f"{len(found)} cache breakpoints, and {MAX_BREAKPOINTS} may be given"
    lives = []
    for one in found:
        if not isinstance(one, Mapping) or one.get("type") != "ephemeral" or one.get("ttl", "5m") not in ("5m", "1h"):
            yield "a cache breakpoint is not ephemeral, or has an unknown ttl"
            return
        lives.append(one.get("ttl", "5m"))
    if sorted(lives) != lives:
        yield "a cache breakpoint of an hour stands behind one of five minutes"
