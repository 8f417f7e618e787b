"""The runbook's examples of telling a user and of telemetry run as they stand, and each framework tells."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables.history import RunnableWithMessageHistory
from langgraph.graph import START, MessagesState, StateGraph
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import MockLLM

from langchain_session import SessionMiddleware, SessionSaver, attach
from session_core.errors import StoreClosed

RUNBOOK = Path(__file__).parent.parent / "docs" / "runbook.md"
LONG = "words and more words " * 2_000


def _examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", RUNBOOK.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the example leaves behind."""
    monkeypatch.chdir(tmp_path)
    (example,) = (example for example in _examples() if "def show" in example)
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(example, str(RUNBOOK), "exec", dont_inherit=True), names)
    yield names
    names["sessions"].close()


def test_a_graph_stores_a_notice_for_the_user(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    graph = StateGraph(MessagesState).add_node("model", lambda _: {"messages": [AIMessage("Well")]})
    app = graph.add_edge(START, "model").compile(checkpointer=names["saver"])
    app.invoke({"messages": [("user", LONG)]}, {"configurable": {"thread_id": "user-42"}})
    (notice,) = names["saver"].sessions.session("user-42").notices()
    assert capsys.readouterr().out == f"user-42 {notice.text}\n"


def test_an_agent_with_the_middleware_stores_a_notice(
    names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    saver = names["saver"]
    model = FakeListChatModel(responses=["Well"])
    agent = create_agent(model, middleware=[SessionMiddleware(saver)], checkpointer=saver)
    config = {"configurable": {"thread_id": "user-42"}}
    asyncio.run(agent.ainvoke({"messages": [("user", LONG)]}, config))
    (notice,) = asyncio.run(saver.sessions.session("user-42").anotices())
    assert capsys.readouterr().out == f"user-42 {notice.text}\n"


@pytest.mark.filterwarnings("ignore:.*RunnableWithMessageHistory")
def test_a_history_stores_a_notice(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    chain = RunnableWithMessageHistory(FakeListChatModel(responses=["Well"]), lambda _: names["history"])
    chain.invoke(LONG, {"configurable": {"session_id": "user-43"}})
    (notice,) = names["history"].session.notices()
    assert capsys.readouterr().out == f"user-43 {notice.text}\n"


def test_a_memory_stores_a_notice(names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    SimpleChatEngine.from_defaults(llm=MockLLM(), memory=names["memory"]).chat(LONG)
    (notice,) = names["memory"].session.notices()
    assert capsys.readouterr().out == f"user-44 {notice.text}\n"


def test_a_notebook_shows_the_newest_notice(names: dict[str, Any]) -> None:
    session = names["memory"].session
    assert "Notice at message" not in session._repr_html_()
    names["memory"].session.append({"role": "user", "content": LONG})
    assert f"Notice at message 1: {session.notices()[-1].text}" in session._repr_html_()


@pytest.mark.parametrize("attached", [False, True], ids=["plain", "attached"])
def test_langgraphs_server_gets_a_checkpointer_for_graphs_compiled_without_one(
    attached: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the server does it: it opens the context manager in one loop and runs copies of the graph in others."""
    monkeypatch.chdir(tmp_path)
    *_, example = _examples()
    module: dict[str, Any] = {"__name__": "conversations"}
    exec(compile(example, str(RUNBOOK), "exec", dont_inherit=True), module)
    builder = StateGraph(MessagesState).add_node("model", lambda _: {"messages": [AIMessage("Well")]})
    graph = builder.add_edge(START, "model").compile()
    graph = attach(graph, saver=module["saver"]) if attached else graph
    config: Any = {"configurable": {"thread_id": "user-42"}}

    def run(saver: SessionSaver) -> list[str]:
        own = graph.copy({"checkpointer": saver})
        asyncio.run(own.ainvoke({"messages": [("user", "Hello")]}, config))
        return [message.text for message in own.get_state(config).values["messages"]]

    async def serve() -> list[str]:
        async with module["checkpointer"]() as saver:
            await asyncio.to_thread(run, saver)
            return await asyncio.to_thread(run, saver)

    assert asyncio.run(serve()) == ["Hello", "Well", "Hello", "Well"]
    with pytest.raises(StoreClosed):
        module["saver"].get_tuple(config)


def test_telemetry_is_exported_without_the_attributes_that_were_left_out(tmp_path: Path) -> None:
    (example,) = (example for example in _examples() if "MeterProvider" in example)
    turn = """
session = sessions.session("user-45", tenant="acme")
session.append({"role": "user", "content": "Hello"})
session.view()
metrics.get_meter_provider().shutdown()
spans.shutdown()
"""
    done = subprocess.run(
        [sys.executable, "-c", example + turn], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stderr == ""
    for name in ("append.tokens", "view.duration", "fold.waiting", "store.degraded", "append", "view"):
        assert f'"name": "llm_sessions.{name}"' in done.stdout
    assert done.stdout.count("llm_sessions.tenant") == len(("append", "view")), "metrics have a tenant, or spans none"
