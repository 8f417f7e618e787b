"""Messages may stand under another key of the state, and threads may be another tenant's."""

from typing import Annotated, Any, TypedDict

import pytest
from chains import chain_in_state, check_views
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from scripted_chat import ScriptedChat, fetching

from langchain_session import SessionMiddleware, SessionSaver, attach, recall_tool
from langchain_session.conversion.marks import mark_of
from session_core import Budget, Message, Policy, Role, Sessions

POLICY = Policy(Budget(8_000, reply_reserve_tokens=0), folding="inline")
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
SECRET = "The gate of the north garden opens with tulip-4471."
ASKED = "How does the gate of the north garden open?"


class Chat(TypedDict):
    chat: Annotated[list[AnyMessage], add_messages]


def _one_node(node: Any) -> StateGraph:
    graph = StateGraph(Chat)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    return graph


def test_attach_makes_the_messages_under_the_key_that_it_is_told_fit() -> None:
    seen: list[list[BaseMessage]] = []

    def node(state: Chat):
        seen.append(list(state["chat"]))
        return {"chat": [AIMessage("done", id="done")]}

    said = chain_in_state(12)
    ended = attach(_one_node(node).compile(), policy=POLICY, channel="chat").invoke({"chat": said}, CONFIG)
    check_views(seen)
    assert [m.content for m in ended["chat"]] == [*(m.content for m in said), "done"]


@pytest.mark.parametrize("channel", [None, "chat"], ids=["the saver's", "told"])
def test_recall_finds_what_its_run_said_under_another_key(channel: str | None) -> None:
    with Sessions(policy=POLICY) as sessions:
        saver = SessionSaver(sessions, channel="chat")
        recall: BaseTool = recall_tool(sessions if channel else saver, channel=channel)
        found: list[str] = []

        def node(state: Chat, config: RunnableConfig):
            found.append(recall.invoke({"reference": "t1"}, config))
            return {"chat": [AIMessage("done")]}

        graph = _one_node(node).compile(checkpointer=saver)
        graph.invoke({"chat": chain_in_state(1)}, CONFIG, durability="exit")
        assert "code C-0001" in found[0]


@pytest.mark.parametrize(("tenant", "quoted"), [("acme", True), ("other", False)])
def test_the_middleware_quotes_from_the_record_of_its_tenant(tenant: str, quoted: bool) -> None:
    with Sessions(policy=POLICY) as sessions:
        session = sessions.session("t", tenant="acme")
        session.append([Message(Role.USER, SECRET), Message(Role.ASSISTANT, "I see.")])
        for n in range(60):
            words = f"thing {n} about the river and the {n}th table of the hall. "
            session.append([Message(Role.USER, words * 8), Message(Role.ASSISTANT, f"noted {n}. " * 20)])
        model = ScriptedChat(script=fetching(0))
        seen: list[list[BaseMessage]] = []
        object.__setattr__(model, "seen", seen)
        agent = create_agent(
            model,
            [],
            middleware=[SessionMiddleware(sessions, tenant=tenant)],
            checkpointer=SessionSaver(sessions, tenant="acme"),
        )
        agent.invoke({"messages": [HumanMessage(ASKED)]}, CONFIG)
        quotes = [str(m.content) for m in seen[0] if (mark_of(m) or {}).get("origin") == "recall"]
        assert any(SECRET in text for text in quotes) is quoted
