"""LlamaIndex messages of every kind, and the check that one comes back exactly as it went in."""

from __future__ import annotations

import base64
import copy
from typing import Any

from llama_index.core.base.llms import types as li
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.schema import ImageDocument

from llamaindex_session.messages import from_core, to_core
from session_core.serial.codec import decode_body, encode_body

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
SOUND = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40)
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"city": "Köln"}'}}


class Function(BaseModel):
    """As an SDK's class for the function of a call."""

    name: str
    arguments: str


class SdkCall(BaseModel):
    """As an SDK's class for a call."""

    id: str
    function: Function
    type: str = "function"


class OwnMessage(ChatMessage):
    """A user's own kind of message."""

    mood: str = "calm"


BLOCKS: dict[str, list[Any]] = {
    "text": [li.TextBlock(text="some words"), li.TextBlock(block_type="text", text="")],
    "image": [
        li.ImageBlock(image=PICTURE, detail="low"),
        li.ImageBlock(image=base64.b64encode(PICTURE)),
        li.ImageBlock(url="https://example.org/a.png"),
        li.ImageBlock(url="data:image/png;base64," + base64.b64encode(PICTURE).decode()),
        li.ImageBlock(),
    ],
    "audio": [li.AudioBlock(audio=SOUND, format="wav"), li.AudioBlock(url="https://example.org/a.wav")],
    "video": [li.VideoBlock(video=b"\x00\x00\x00\x18ftypmp42" + bytes(60), fps=3, video_mimetype="video/mp4")],
    "document": [
        li.DocumentBlock(data=b"%PDF-1.4 " + bytes(50), document_mimetype="application/pdf"),
        li.DocumentBlock(url="https://example.org/a.pdf", title="A"),
    ],
    "cache": [li.CachePoint(cache_control=li.CacheControl(type="ephemeral"))],
    "citable": [
        li.CitableBlock(title="t", source="s", content=[li.TextBlock(text="cite me"), li.ImageBlock(image=PICTURE)])
    ],
    "citation": [
        li.CitationBlock(cited_content="was said", source="s", title="t", additional_location_info={"page": 2})
    ],
    "thinking": [
        li.ThinkingBlock(content="hm, let me see", num_tokens=4, additional_information={"signature": "c2ln"}),
        li.ThinkingBlock(),
    ],
    "tool_call": [
        li.ToolCallBlock(tool_call_id="c1", tool_name="find", tool_kwargs={"city": "Köln", "n": 1, "share": 1.0}),
        li.ToolCallBlock(tool_call_id="c2", tool_name="find", tool_kwargs='{"city":  "Ulm"}'),
        li.ToolCallBlock(tool_name="find"),
    ],
}
KWARGS: list[dict[str, Any]] = [
    {},
    {"tool_calls": [CALL]},
    {"tool_calls": [SdkCall(id="c1", function=Function(name="find", arguments="{}"))]},
    {"function_call": {"name": "find", "arguments": "{}"}},
    {"name": "Ana", "deep": {"a": [(1, 2), {"b": b"\x00"}], 3: None}, "document": ImageDocument(text="x")},
]


def stored(message: ChatMessage) -> ChatMessage:
    """`message` after a store had it: as bytes, and its columns."""
    core = to_core(message)
    return from_core(decode_body(encode_body(core), id="given", author=core.author))


def assert_exact(message: ChatMessage) -> None:
    before = copy.deepcopy(message)
    back = stored(message)
    assert type(back) is type(message)
    assert back == message
    assert back.model_fields_set == message.model_fields_set
    assert [type(block) for block in back.blocks] == [type(block) for block in message.blocks]
    assert [block.model_fields_set for block in back.blocks] == [b.model_fields_set for b in message.blocks]
    assert message == before
