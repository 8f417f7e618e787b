"""What the tests of LlamaIndex' agents share: tools, the size of what a model is sent, the limit of the memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage

from llamaindex_session import SessionMemoryBuffer
from llamaindex_session.messages import to_core

LIMIT = 2_000


def look(n: int = 0) -> str:
    """Look something up."""
    return "\n".join(f"row {i} of page {n}: item I-{n}-{i} costs {i * 7}" for i in range(400))


def glance(n: int = 0) -> str:
    """Have a short look."""
    return f"page {n} is about tea"


def texts(messages: Sequence[ChatMessage]) -> list[str | None]:
    return [message.content for message in messages]


def tokens(memory: SessionMemoryBuffer, messages: Sequence[ChatMessage]) -> int:
    """The size of `messages`, as the memory counts."""
    measure = memory.chat_store.sessions.services.measure
    return sum(measure(to_core(message)) for message in messages)


async def run(agent: Any, memory: SessionMemoryBuffer, question: str, **more: Any) -> Any:
    """The answer of `agent` to `question`."""
    return await agent.run(user_msg=question, memory=memory, **more)
