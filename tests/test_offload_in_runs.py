"""Large outputs of tools within an agent's run are read and cut beside the event loop, in each framework."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, ToolCall, ToolMessage
from langchain_core.tools import BaseTool, tool
from langgraph.graph import END, START, MessagesState, StateGraph
from llama_index.core.agent.workflow import FunctionAgent
from scripted_llm import ScriptedLLM, calls

import session_core.compress.squeeze
import session_core.services
from langchain_session import SessionMiddleware, SessionSaver, attach
from llamaindex_session import SessionMemoryBuffer
from session_core import Budget, Policy, Sessions

POLICY = Policy(Budget(2_000, reply_reserve_tokens=0))
LARGE = "\n".join(f"line {number} of the log says that all is well" for number in range(2_000))
CALL = AIMessage("", tool_calls=[ToolCall(name="log", args={}, id="1")])


@tool
def log() -> str:
    """Read the log."""
    return LARGE


def look(n: int = 0) -> str:
    """Look something up."""
    return LARGE


class Scripted(GenericFakeChatModel):
    """Says what it was given, whatever tools it has."""

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads in which texts were clipped."""
    seen: list[int] = []
    for module in (session_core.services, session_core.compress.squeeze):
        real = module.clip

        def clip(*args: Any, real: Any = real, **named: Any) -> Any:
            seen.append(threading.get_ident())
            return real(*args, **named)

        monkeypatch.setattr(module, "clip", clip)
    return seen


def test_middleware_and_saver_of_an_agent_do_not_block_the_loop(threads: list[int]) -> None:
    tools: list[BaseTool] = [log]
    with Sessions("memory://", policy=POLICY) as sessions:
        agent: Any = create_agent(
            Scripted(messages=iter([CALL, AIMessage("All is well.")])),
            tools=tools,
            checkpointer=SessionSaver(sessions),
            middleware=[SessionMiddleware(sessions)],
        )
        asked = {"messages": [("user", "How is it?")]}
        done = asyncio.run(agent.ainvoke(asked, {"configurable": {"thread_id": "t"}}))
    assert done["messages"][-1].content == "All is well."
    assert threads
    assert threading.get_ident() not in threads


def test_nodes_of_an_attached_graph_do_not_block_the_loop(threads: list[int]) -> None:
    heard: list[list[AnyMessage]] = []

    def answer(state: MessagesState) -> dict[str, Any]:
        heard.append(state["messages"])
        return {"messages": [AIMessage("All is well.")]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    app: Any = attach(graph.compile(), policy=POLICY)
    asyncio.run(app.ainvoke({"messages": [("user", "How is it?"), CALL, ToolMessage(LARGE, tool_call_id="1")]}))
    assert len(str(heard[0][-1].content)) < len(LARGE)
    assert threads
    assert threading.get_ident() not in threads


def test_the_memory_of_a_llamaindex_agent_does_not_block_the_loop(threads: list[int], tmp_path: Path) -> None:
    memory = SessionMemoryBuffer.from_defaults(session_id="one", url=f"sqlite:///{tmp_path}/chat.db", token_limit=2_000)
    agent = FunctionAgent(tools=[look], llm=ScriptedLLM(calls("a", n=1), "All is well."), streaming=False)

    async def run() -> Any:
        return await agent.run(user_msg="How is it?", memory=memory)

    assert "All is well." in str(asyncio.run(run()))
    assert threads
    assert threading.get_ident() not in threads
