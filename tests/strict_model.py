"""A chat model that is as strict as the providers: what it is sent goes through their packages' own conversion."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from functools import cache
from typing import Any

from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, content
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import Field, PrivateAttr

from langchain_session.conversion.messages import to_core
from session_core import Policy
from session_core.services import Services
from session_core.testing.provider import BadRequest, require_accepted

# Reads the hints of the same few classes for each call of a tool, which took half of the time of a strict model.
content.get_type_hints = cache(content.get_type_hints)

Answer = AIMessage | str | Callable[[list[BaseMessage]], AIMessage | str]


@cache
def _providers() -> tuple[ChatOpenAI, ChatAnthropic]:
    """Made without any network; only what they would send is asked of them."""
    openai = ChatOpenAI(model="gpt-4.1", api_key="none", use_responses_api=False)
    return openai, ChatAnthropic(model_name="claude-sonnet-4-5", api_key="none", timeout=None, stop=None)


def payloads(messages: Sequence[BaseMessage]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The requests that OpenAI and Anthropic would be sent for `messages`."""
    openai, anthropic = _providers()
    with warnings.catch_warnings():
        # Anthropic's package warns where it moves a system message: there is none to be moved in a view.
        warnings.simplefilter("error")
        return openai._get_request_payload(list(messages)), anthropic._get_request_payload(list(messages))


def check_sent(messages: Sequence[BaseMessage], *, max_tokens: int | None = None, prefill: bool = False) -> None:
    """Raises: BadRequest when a provider would refuse `messages`, or when they are over `max_tokens`."""
    openai, anthropic = payloads(messages)
    require_accepted(openai, "openai", prefill=prefill)
    require_accepted(anthropic, "anthropic", prefill=prefill)
    tokens = sum(_services().measure(to_core(message)) for message in messages)
    if max_tokens is not None and tokens > max_tokens:
        raise BadRequest(f"{tokens} tokens are over the window of {max_tokens}")


@cache
def _services() -> Services:
    return Services(Policy())


class StrictChatModel(BaseChatModel):
    """Answers with `answers` in turn, the last one for ever; `seen` has what it was sent, one list a call.

    Raises BadRequest for what OpenAI or Anthropic would refuse, and for more than `max_tokens` tokens.
    """

    answers: list[Any] = Field(default_factory=lambda: ["I see."])
    max_tokens: int | None = None
    prefill: bool = False
    seen: list[list[BaseMessage]] = Field(default_factory=list)
    _given: int = PrivateAttr(default=0)

    @property
    def _llm_type(self) -> str:
        return "strict"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._answer(messages))])

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        yield from map(_generation, _chunks(self._answer(messages)))

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in _chunks(self._answer(messages)):
            yield _generation(chunk)

    def _answer(self, messages: list[BaseMessage]) -> AIMessage:
        self.seen.append(list(messages))
        check_sent(messages, max_tokens=self.max_tokens, prefill=self.prefill)
        given = self.answers[min(self._given, len(self.answers) - 1)]
        self._given += 1
        said = given(messages) if callable(given) else given
        return said if isinstance(said, AIMessage) else AIMessage(said)


def _generation(chunk: AIMessageChunk) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=chunk)


def _chunks(message: AIMessage) -> Iterator[AIMessageChunk]:
    """A message word by word; one with calls in one piece."""
    if message.tool_calls or not isinstance(message.content, str):
        yield AIMessageChunk(message.content, tool_calls=message.tool_calls)
        return
    first, *rest = message.content.split(" ")
    yield from map(AIMessageChunk, [first, *(f" {word}" for word in rest)])
