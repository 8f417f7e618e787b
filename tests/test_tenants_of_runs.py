"""The tenant that a config names: runs, reminders and recalls are of it, or are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from langchain_session import SessionSaver, recall_tool
from session_core import Sessions
from session_core.errors import ConfigError


def talker(saver: SessionSaver) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [AIMessage(f"{len(state['messages'])}")]})
    graph.add_edge(START, "model")
    return graph.compile(checkpointer=saver)


@pytest.mark.parametrize("inner", [False, True], ids=["whole", "beside"])
def test_a_thread_of_one_tenant_is_not_run_in_the_name_of_another(inner: bool) -> None:
    """A config's tenant, which `with_session` goes by, was passed over: two tenants then had one thread."""
    with Sessions() as sessions:
        app = talker(SessionSaver(sessions, tenant="acme", inner=InMemorySaver() if inner else None))
        said, acme, beta = (
            {"messages": [("user", "I am of acme")]},
            {"configurable": {"thread_id": "1", "tenant": "acme"}},
            {"configurable": {"thread_id": "1", "tenant": "beta"}},
        )
        app.invoke(said, acme)
        refused: list[Callable[[], object]] = [
            lambda: app.invoke(said, beta),
            lambda: asyncio.run(app.ainvoke(said, beta)),
            lambda: app.get_state(beta),
            lambda: app.update_state(beta, said),
            lambda: list(app.get_state_history(beta)),
        ]
        for call in refused:
            with pytest.raises(ConfigError, match=r"thread 1: .* tenant='beta'") as caught:
                call()
            assert "I am of" not in str(caught.value)
        assert len(app.get_state(acme).values["messages"]) == 2
        assert len(app.get_state({"configurable": {"thread_id": "1"}}).values["messages"]) == 2


def test_what_an_agent_recalls_is_of_the_tenant_in_its_config() -> None:
    with Sessions() as sessions:
        sessions.session("1").append({"role": "user", "content": "The code of the vault is 4711."})
        sessions.session("1", tenant="beta").append({"role": "user", "content": "The code of the gate is 1234."})
        recall, asked = recall_tool(sessions), {"query": "code of the vault and the gate"}
        found = recall.invoke(asked, {"configurable": {"session_id": "1", "tenant": "beta"}})
        assert "1234" in found
        assert "4711" not in found
        assert "4711" in recall.invoke(asked, {"configurable": {"session_id": "1"}})


def test_a_thread_is_the_session_of_its_name() -> None:
    """As the README says, so that a graph's notices are read there."""
    saver = SessionSaver("memory://")
    talker(saver).invoke({"messages": [("user", "hi")]}, {"configurable": {"thread_id": "user-42"}})
    session = saver.sessions.session("user-42")
    assert [message.content for message in session.record()] == ["hi", "1"]
    assert list(session.notices()) == []
