"""A LlamaIndex LLM that follows a script and is strict about what it is sent; messages to try it with."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LLMMetadata,
    MessageRole,
    ToolCallBlock,
)
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_payloads import openai_payload

from session_core.testing.provider import require_accepted

Answer = Callable[[Sequence[ChatMessage]], ChatMessage]


class ScriptedLLM(FunctionCallingLLM):
    """Answers with `answers` in turn, the last one for ever; refuses what a provider would refuse."""

    context_window: int = 8_000
    strict: bool = True
    _answers: list[str | ChatMessage | Answer] = PrivateAttr(default_factory=list)
    _heard: list[list[ChatMessage]] = PrivateAttr(default_factory=list)

    def __init__(self, *answers: str | ChatMessage | Answer, **fields: Any) -> None:
        super().__init__(**fields)
        self._answers = list(answers)

    @property
    def heard(self) -> list[list[ChatMessage]]:
        """What it was sent, one list a call, as it was at the time."""
        return self._heard

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=self.context_window, is_chat_model=True, is_function_calling_model=True)

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        self._heard.append(copy.deepcopy(list(messages)))
        if self.strict:
            require_accepted(openai_payload(messages), "openai", prefill=False)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        said = answer(messages) if callable(answer) else answer
        message = said if isinstance(said, ChatMessage) else ChatMessage(said, role=MessageRole.ASSISTANT)
        return ChatResponse(message=message.model_copy(deep=True), delta=message.content or "")

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self.chat(messages)

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Generator[ChatResponse]:
        whole = self.chat(messages)
        yield from _streamed(whole)

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> AsyncGenerator[ChatResponse]:
        whole = self.chat(messages)

        async def stream() -> AsyncGenerator[ChatResponse]:
            for part in _streamed(whole):
                yield part

        return stream()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text="a standalone question")

    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text="a standalone question")

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Generator[CompletionResponse]:
        yield self.complete(prompt)

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> AsyncGenerator[CompletionResponse]:
        async def stream() -> AsyncGenerator[CompletionResponse]:
            yield self.complete(prompt)

        return stream()

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[Any],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        return {"messages": [*(chat_history or []), *([user_msg] if user_msg else [])]}

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        return [
            ToolSelection(tool_id=str(b.tool_call_id), tool_name=b.tool_name, tool_kwargs=dict(b.tool_kwargs))
            for b in response.message.blocks
            if isinstance(b, ToolCallBlock)
        ]


def _streamed(whole: ChatResponse) -> Generator[ChatResponse]:
    """A response in two parts; the last one is the whole message, as integrations do it."""
    text = whole.message.content or ""
    half = ChatMessage(text[:3], role=MessageRole.ASSISTANT)
    yield ChatResponse(message=half, delta=text[:3])
    yield ChatResponse(message=whole.message, delta=text[3:])


def calls(*ids: str, name: str = "look", **arguments: Any) -> ChatMessage:
    """An assistant's message that asks for a tool, once for each id."""
    blocks = [ToolCallBlock(tool_call_id=i, tool_name=name, tool_kwargs=arguments) for i in ids]
    return ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks)


def result(call_id: str, content: str) -> ChatMessage:
    """A tool's answer to call `call_id`."""
    return ChatMessage(content, role=MessageRole.TOOL, additional_kwargs={"tool_call_id": call_id})


def user(content: str) -> ChatMessage:
    return ChatMessage(content, role=MessageRole.USER)


def assistant(content: str) -> ChatMessage:
    return ChatMessage(content, role=MessageRole.ASSISTANT)


def conversation(turns: int, *, words: int = 60) -> list[ChatMessage]:
    """`turns` exchanges, every third with two tool calls and large results."""
    made: list[ChatMessage] = []
    for n in range(turns):
        made.append(user(f"question {n} about order ORD-{n} " + "please tell me more " * (words // 4)))
        if n % 3 == 0:
            made.append(calls(f"c{n}", f"d{n}", order=n))
            made += [result(f"c{n}", f"row {n} of the table\n" * words), result(f"d{n}", "fine")]
        made.append(assistant(f"answer {n} " + "word " * words))
    return made
