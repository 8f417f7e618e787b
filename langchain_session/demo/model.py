"""The demo's stand-in for an LLM as a LangChain chat model; it only reads the messages it is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_session.conversion.messages import to_core_many
from session_core.demo.mind import Reply, reply


class StandIn(BaseChatModel):
    """Answers by the rules of `session_core.demo.mind`; calls only tools that were bound to it."""

    @property
    def _llm_type(self) -> str:
        return "llm-sessions-stand-in"

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model, told of `tools` with each call."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        known = {tool["function"]["name"] for tool in kwargs.get("tools", ())}
        said = _message(reply(to_core_many(messages)), known)
        return ChatResult(generations=[ChatGeneration(message=said)])


def _message(made: Reply, known: set[str]) -> AIMessage:
    missing = [call.tool for call in made.calls if call.tool not in known]
    if missing:
        return AIMessage(f"I have no tool for that ({', '.join(missing)}).")
    calls = [
        {
            "name": call.tool,
            "args": dict(call.arguments),
            "id": f"call_{uuid4().hex[:16]}",
            "type": "tool_call",
        }
        for call in made.calls
    ]
    return AIMessage(content=made.text, tool_calls=calls)
