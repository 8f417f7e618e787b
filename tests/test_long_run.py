"""One run of 200 tool calls of 8 KB each under a window of 32,000 tokens: every call fits, nothing is out of reach."""

from typing import Any

import pytest
from chains import State, result_of
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.prebuilt import ToolNode
from scripted_chat import ScriptedChat, call, changes, fetching

from langchain_session import SessionMiddleware, SessionSaver, attach, recall_tool
from session_core import Budget, Policy, Sessions

CALLS = 200
ROWS = 540
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 1_000}
BUDGET = Budget(32_000)


@tool
def fetch(n: int) -> str:
    """Fetch result n."""
    return result_of(n, ROWS)


def recalling(n: int, seen: Any) -> AIMessage:
    if n == 1:
        return call("recall", "r", query="code C-0003")
    return AIMessage(f"It was {'C-0003' in str(seen[-1].content)}")


def an_agent(saver: SessionSaver, model: ScriptedChat) -> Any:
    tools = [fetch, recall_tool(saver)]
    own = SessionMiddleware(saver)
    return create_agent(model, tools, system_prompt="You fetch. " * 100, checkpointer=saver, middleware=[own])


def a_graph(saver: SessionSaver, model: ScriptedChat) -> Any:
    """Written by hand; it knows nothing of sessions."""
    tools = [fetch, recall_tool(saver)]
    bound = model.bind_tools(tools)
    graph = StateGraph(State)
    graph.add_node("model", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model", lambda state: "tools" if state["messages"][-1].tool_calls else END, ["tools", END]
    )
    graph.add_edge("tools", "model")
    return attach(graph.compile(checkpointer=saver))


AT_ONCE = Policy(BUDGET, folding="inline", whole_tool_outputs=0)
WHEN_FULL = Policy(BUDGET, folding="inline")
BESIDE_TOOLS = Policy(BUDGET, folding="inline", overhead_tokens=400)
"""A graph written by hand does not say what it puts around its messages."""


@pytest.mark.parametrize(
    ("made", "policy", "durability", "most_changes"),
    [
        (an_agent, WHEN_FULL, "async", 50),
        (a_graph, BESIDE_TOOLS, "exit", 50),
        (an_agent, AT_ONCE, "exit", 8),
    ],
    ids=["agent", "graph", "agent-clips-at-once"],
)
def test_a_run_of_200_calls_stays_within_its_budget(made, policy, durability, most_changes):
    with Sessions(policy=policy) as sessions:
        model = ScriptedChat(script=fetching(CALLS, recalling))
        graph = made(SessionSaver(sessions), model)
        ended = graph.invoke({"messages": [HumanMessage("fetch them all")]}, CONFIG, durability=durability)
        assert ended["messages"][-1].content == "It was True"
        assert len(model.seen) == CALLS + 2
        assert model.most_tokens(sessions) <= BUDGET.limit_tokens
        assert changes(model.seen) <= most_changes
        assert all("fetch them all" in [m.content for m in messages] for messages in model.seen)
        kept = [m for m in graph.get_state(CONFIG).values["messages"] if isinstance(m, ToolMessage)]
        assert [m.content for m in kept[:CALLS]] == [result_of(n, ROWS) for n in range(1, CALLS + 1)]
        record = [m.content for m in sessions.session("t").record() if m.name == "fetch"]
        assert record == [result_of(n, ROWS) for n in range(1, CALLS + 1)]
