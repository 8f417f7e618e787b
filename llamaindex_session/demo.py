"""The LlamaIndex part of `llm-sessions demo`: a chat engine continues an agent's session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import CustomLLM

from llamaindex_session.memory import SessionMemoryBuffer
from llamaindex_session.messages import to_core_many
from session_core.demo.mind import reply
from session_core.demo.played import Played, Sent
from session_core.services import Services
from session_core.sessions import Sessions
from session_core.turns import Message, Role


class StandIn(CustomLLM):
    """Answers by the rules of `session_core.demo.mind`, and weighs what it is sent."""

    _services: Services = PrivateAttr()
    _sent: list[Sent] = PrivateAttr(default_factory=list)

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services

    @property
    def metadata(self) -> LLMMetadata:
        """A chat model with the window of the policy."""
        return LLMMetadata(context_window=self._services.policy.budget.window_tokens, is_chat_model=True)

    def take_sent(self) -> tuple[Sent, ...]:
        """What was sent since the last time."""
        sent, self._sent = self._sent, []
        return tuple(sent)

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The answer to `messages`."""
        given = to_core_many(messages)
        clipped = sum(message.rendition == "clip" for message in given)
        self._sent.append(Sent(sum(map(self._services.measure, given)), clipped))
        return ChatResponse(message=ChatMessage(reply(given).text, role=MessageRole.ASSISTANT))

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The answer to a prompt alone."""
        return CompletionResponse(text=reply([Message(Role.USER, prompt)]).text)

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """The same, in one piece."""
        yield self.complete(prompt)


def ask_engine(sessions: Sessions, session_id: str, asked: Sequence[str]) -> Iterator[Played]:
    """A `SimpleChatEngine` whose memory is the session; its turns go into the same record."""
    llm = StandIn(sessions.services)
    memory = SessionMemoryBuffer.from_defaults(session_id=session_id, sessions=sessions)
    engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory)
    for question in asked:
        answer = str(engine.chat(question))
        said = (Message(Role.USER, question), Message(Role.ASSISTANT, answer))
        yield Played(said, llm.take_sent())
