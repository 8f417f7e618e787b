"""LangChain messages of every kind, and the check that one comes back exactly as it went in."""

from __future__ import annotations

import base64
import copy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import langchain_core.messages as lc
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, HumanMessage
from pydantic import BaseModel, Field, PrivateAttr

from langchain_session.conversion.messages import from_core, to_core
from session_core.serial.codec import decode_body, encode_body

PICTURE = base64.b64encode(b"\x89PNG" + bytes(range(200))).decode()


@dataclass
class Row:
    name: str
    amount: Decimal


class Table(BaseModel):
    rows: list[int]
    title: str = "none"


class Ticket(HumanMessage):
    """A user's own kind of message."""

    priority: int = 1
    tags: set[str] = Field(default_factory=set)
    _opened: int = PrivateAttr(default=0)


USAGE = {
    "input_tokens": 12,
    "output_tokens": 3,
    "total_tokens": 15,
    "input_token_details": {"cache_read": 4},
}
ARTIFACT = {
    "documents": [Document("page", id="d1", metadata={"source": "a.pdf", "page": 3})],
    "tuple": (1, (2, "x")),
    "bytes": b"\x00\xff",
    "when": datetime(2026, 3, 1, 12, tzinfo=UTC),
    "model": Table(rows=[1, 2]),
    "row": Row("a", Decimal("1.50")),
    "uuid": UUID(int=7),
    "set": {1, 2},
    "pattern": re.compile("a+"),
    "message": HumanMessage("inner", id="i1"),
    3: "a number as a key",
}
CALLS = [
    {
        "name": "find",
        "args": {"city": "Köln", "n": 1, "share": 1.0, "deep": {"a": [None, True]}},
        "id": "call_1",
    },
    {"name": "wait", "args": {}, "id": "call_2"},
]
RAW_CALLS = [{"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"city": "K\\u00f6ln"}'}}]
BLOCKS: list[Any] = [
    "plain words",
    {"type": "text", "text": "a text block", "annotations": [{"type": "citation", "cited_text": "said"}]},
    {"type": "text", "text": "cached", "cache_control": {"type": "ephemeral"}},
    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}", "detail": "low"}},
    {"type": "image", "base64": PICTURE, "mime_type": "image/png"},
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}},
    {"type": "image", "source_type": "base64", "data": PICTURE, "mime_type": "image/png"},
    {"image": {"format": "png", "source": {"bytes": base64.b64decode(PICTURE)}}},
    {"type": "audio", "url": "https://example.org/a.wav", "mime_type": "audio/wav"},
    {"type": "input_audio", "input_audio": {"data": PICTURE, "format": "wav"}},
    {"type": "video", "file_id": "file-9"},
    {"type": "file", "base64": PICTURE, "mime_type": "application/pdf", "extras": {"name": "a.pdf"}},
    {"type": "text-plain", "text": "a document's words", "mime_type": "text/plain", "title": "notes"},
    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "inside"}},
    {"type": "reasoning", "reasoning": "let me see", "extras": {"signature": "c2ln"}},
    {"type": "thinking", "thinking": "hm, which city?", "signature": "c2ln"},
    {"type": "redacted_thinking", "data": "ZGF0YQ=="},
    {"type": "tool_use", "id": "call_1", "name": "find", "input": CALLS[0]["args"]},
    {"type": "tool_call", "id": "call_1", "name": "find", "args": CALLS[0]["args"]},
    {"type": "function_call", "call_id": "call_1", "name": "find", "arguments": '{"city": "K\\u00f6ln"}'},
    {"type": "tool_result", "tool_use_id": "call_9", "content": [{"type": "text", "text": "result words"}]},
    {"type": "server_tool_call", "id": "s1", "name": "web_search", "args": {"query": "weather tomorrow"}},
    {"type": "server_tool_result", "tool_call_id": "s1", "status": "success", "output": ["it will rain"]},
    {"type": "non_standard", "value": {"anything": [1, (2, 3)]}},
    {"type": "unheard_of", "x": {"y": b"\x00", 1: 2}},
    {"no_type": True},
]
COMMON: dict[str, Any] = {
    "id": "message-1",
    "name": "Ana",
    "additional_kwargs": {"refusal": None, "k": [1, {"a": (1, 2)}], "when": datetime(2026, 1, 1)},
    "response_metadata": {"id": "message-1", "model_name": "m", "logprobs": {"content": [0.5, -0.0]}},
}
OWN: dict[type[BaseMessage], dict[str, Any]] = {
    lc.AIMessage: {
        "tool_calls": CALLS,
        "invalid_tool_calls": [{"name": "bad", "args": '{"a":', "id": "call_3", "error": "cut"}],
        "usage_metadata": USAGE,
    },
    lc.ToolMessage: {"tool_call_id": "call_1", "artifact": ARTIFACT, "status": "error"},
    lc.ChatMessage: {"role": "critic"},
}
EXPORTED = [
    kind
    for name in lc.__all__
    if isinstance(kind := getattr(lc, name), type) and issubclass(kind, BaseMessage)
    if kind not in (BaseMessage, lc.BaseMessageChunk, lc.RemoveMessage)
]


def stored(message: BaseMessage) -> BaseMessage:
    """`message` after a store had it: as bytes, and its columns."""
    core = to_core(message)
    return from_core(decode_body(encode_body(core), id=core.id or "~given", author=core.author))


def assert_exact(message: BaseMessage) -> None:
    before = copy.deepcopy(message)
    back = stored(message)
    assert type(back) is type(message)
    assert back == message
    assert back.model_dump() == message.model_dump()
    assert list(back.model_dump()) == list(message.model_dump())
    assert back.model_fields_set == message.model_fields_set
    assert back.model_extra == message.model_extra
    assert message == before
