"""A LangChain chat model that follows a script and keeps what it was sent; agents to try compression with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from chains import result_of
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from langchain_session.conversion.messages import to_core
from session_core import Message, Sessions
from session_core.testing import check_valid

Script = Callable[[int, Sequence[BaseMessage]], AIMessage]


class ScriptedChat(BaseChatModel):
    """Answers its n-th call with what `script` gives for n and the messages; refuses what a provider would refuse."""

    script: Script
    seen: list[list[BaseMessage]] = Field(default_factory=list)
    tools: list[Any] = Field(default_factory=list)
    read: dict[int, Message] = Field(default_factory=dict)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> ScriptedChat:
        self.tools[:] = [convert_to_openai_tool(tool) for tool in tools]
        return self

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        self.seen.append(list(messages))
        if wrong := check_valid(self._neutral(messages)):
            raise ValueError(f"400 Bad Request: {wrong}")
        return ChatResult(generations=[ChatGeneration(message=self.script(len(self.seen), messages))])

    def _neutral(self, messages: Sequence[BaseMessage]) -> list[Message]:
        """The messages as the core reads them; what is in `seen` is read once."""
        for message in messages:
            if id(message) not in self.read:
                self.read[id(message)] = to_core(message)
        return [self.read[id(message)] for message in messages]

    def most_tokens(self, sessions: Sessions) -> int:
        """The price of the dearest call: system prompt, messages and tools."""
        schemas = sum(sessions.services.counter.count(str(tool)) for tool in self.tools)
        prices = {name: sessions.services.measure(message) for name, message in self.read.items()}
        return schemas + max(sum(prices[id(message)] for message in messages) for messages in self.seen)


def call(name: str, call_id: str, **arguments: Any) -> AIMessage:
    """An answer that calls one tool."""
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": call_id}])


def fetching(calls: int, then: Script = lambda n, _: AIMessage("done")) -> Script:
    """Calls `fetch` with 1, 2, 3, ..., and goes on with `then`, which counts from 1 again."""
    return lambda n, seen: call("fetch", f"c{n}", n=n) if n <= calls else then(n - calls, seen)


def changes(seen: Sequence[Sequence[BaseMessage]]) -> int:
    """How many of the lists do not begin with the whole of the list before them."""
    said = [[(m.type, str(m.content), str(getattr(m, "tool_calls", ""))) for m in messages] for messages in seen]
    return sum(later[: len(earlier)] != earlier for earlier, later in pairwise(said))


@tool
def fetch(n: int) -> str:
    """Fetch result n."""
    return result_of(n)


def recalling(n: int, seen: Sequence[BaseMessage]) -> AIMessage:
    """Looks for the third result again, and says whether it was found."""
    return call("recall", "r", query="C-0003") if n == 1 else AIMessage(f"I saw {'C-0003' in str(seen[-1].content)}")
