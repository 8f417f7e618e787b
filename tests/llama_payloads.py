"""The requests that LlamaIndex' OpenAI integration makes of chat messages, as plain data; it is not installed here."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)


def openai_payload(messages: Sequence[ChatMessage]) -> dict[str, Any]:
    """The request for `messages`: nothing is mended on the way."""
    return {"messages": [_message(message) for message in messages]}


def _message(message: ChatMessage) -> dict[str, Any]:
    texts = [block.text for block in message.blocks if isinstance(block, TextBlock)]
    parts = [part for block in message.blocks if (part := _part(block)) is not None]
    calls = [_call(block) for block in message.blocks if isinstance(block, ToolCallBlock)]
    plain = message.role is not MessageRole.USER or len(parts) == len(texts)
    said: dict[str, Any] = {"role": message.role.value, "content": "".join(texts) if plain else parts}
    if calls:
        said |= {"tool_calls": calls, "content": said["content"] or None}
    # What else a message carries goes along as it is; what is no key of the API would be refused.
    return said | message.additional_kwargs


def _part(block: object) -> dict[str, Any] | None:
    match block:
        case TextBlock():
            return {"type": "text", "text": block.text}
        case ImageBlock():
            url = str(block.url) if block.url else f"data:{block.image_mimetype};base64,{_data(block)}"
            return {"type": "image_url", "image_url": {"url": url}}
        case AudioBlock():
            return {"type": "input_audio", "input_audio": {"data": _data(block), "format": block.format}}
        case DocumentBlock():
            data = f"data:{block.document_mimetype};base64,{_data(block)}"
            return {"type": "file", "file": {"filename": block.title or "input_document", "file_data": data}}
    return None


def _data(block: ImageBlock | AudioBlock | DocumentBlock) -> str:
    match block:
        case ImageBlock():
            read = block.resolve_image()
        case AudioBlock():
            read = block.resolve_audio()
        case _:
            read = block.resolve_document()
    return base64.b64encode(read.read()).decode()


def _call(block: ToolCallBlock) -> dict[str, Any]:
    arguments = block.tool_kwargs if isinstance(block.tool_kwargs, str) else json.dumps(block.tool_kwargs)
    return {"id": block.tool_call_id, "type": "function", "function": {"name": block.tool_name, "arguments": arguments}}
