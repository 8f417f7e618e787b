"""deepagents with our saver and our middleware: its DeltaChannel, its own summaries, subagents, files."""

from typing import Any

import pytest
from chains import result_of
from deepagents import create_deep_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from scripted_chat import ScriptedChat, call, fetch, fetching, recalling

from langchain_session import SessionMiddleware, SessionSaver, recall_tool
from langchain_session.conversion.marks import mark_of
from session_core import Budget, Policy, Sessions

LIMIT = 12_000
POLICY = Policy(Budget(LIMIT, reply_reserve_tokens=0), folding="inline")
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 500}
CALLS = 12


@pytest.fixture
def saver():
    with Sessions(policy=POLICY) as sessions:
        yield SessionSaver(sessions)


def deep(saver: SessionSaver, model: ScriptedChat, *, tools: Any = (fetch,), **named: Any) -> Any:
    own = [SessionMiddleware(saver)]
    tools = [*tools, recall_tool(saver)]
    return create_deep_agent(model=model, tools=tools, middleware=own, checkpointer=saver, **named)


def ask(agent: Any, words: str) -> dict[str, Any]:
    return agent.invoke({"messages": [HumanMessage(words)]}, CONFIG)


def kept(agent: Any) -> list[Any]:
    messages = agent.get_state(CONFIG).values["messages"]
    assert not any(mark_of(m) for m in messages)
    return messages


def test_every_model_call_fits_and_the_state_keeps_all(saver):
    model = ScriptedChat(script=fetching(CALLS, recalling))
    agent = deep(saver, model)
    assert ask(agent, "fetch them all")["messages"][-1].content == "I saw True"
    assert model.most_tokens(saver.sessions) <= LIMIT
    assert [m.content for m in kept(agent) if m.name == "fetch"] == [result_of(n) for n in range(1, CALLS + 1)]


def test_turn_after_turn_fits_and_nothing_is_lost(saver):
    model = ScriptedChat(script=lambda n, _: call("fetch", f"c{n}", n=n) if n % 4 else AIMessage(f"answer {n}"))
    agent = deep(saver, model)
    for turn in range(5):
        ask(agent, f"question {turn}")
    assert model.most_tokens(saver.sessions) <= LIMIT
    assert [m.content for m in kept(agent) if m.type == "human"] == [f"question {turn}" for turn in range(5)]
    assert sum(m.type == "tool" for m in kept(agent)) == 15


def test_an_output_that_it_moved_to_a_file_stays_there(saver):
    @tool
    def dump() -> str:
        """A long text."""
        return "a long line of the text\n" * 20_000

    model = ScriptedChat(script=lambda n, _: call("dump", "d") if n == 1 else AIMessage("done"))
    agent = deep(saver, model, tools=[dump])
    ended = ask(agent, "dump it")
    (output,) = [m for m in ended["messages"] if m.type == "tool"]
    assert "large_tool_result" in output.content
    assert any("large_tool_result" in path for path in ended["files"])
    assert model.most_tokens(saver.sessions) <= LIMIT


def test_a_subagent_fits_its_own_calls(saver):
    worker = ScriptedChat(script=fetching(CALLS, lambda n, _: AIMessage("the worker is done")))
    subagent = {
        "name": "worker",
        "description": "Fetches.",
        "system_prompt": "You fetch.",
        "model": worker,
        "tools": [fetch],
        "middleware": [SessionMiddleware(saver)],
    }
    task = call("task", "t1", description="fetch them", subagent_type="worker")
    model = ScriptedChat(script=lambda n, _: task if n == 1 else AIMessage("done"))
    agent = deep(saver, model, subagents=[subagent])
    ended = ask(agent, "have them fetched")
    assert [m.content for m in ended["messages"] if m.type == "tool"] == ["the worker is done"]
    assert len(worker.seen) == CALLS + 1
    assert worker.most_tokens(saver.sessions) <= LIMIT


def test_what_was_folded_is_quoted_for_the_question(saver):
    model = ScriptedChat(script=fetching(1))
    agent = deep(saver, model)
    ask(agent, "The gate of the north garden opens with tulip-4471.")
    for n in range(8):
        ask(agent, f"thing {n} about the river. " * 150)
    ask(agent, "How does the gate of the north garden open?")
    assert "tulip-4471" not in "".join(str(m.content) for m in model.seen[-1] if not mark_of(m))
    quoted = [str(m.content) for m in model.seen[-1] if (mark_of(m) or {}).get("origin") == "recall"]
    assert ["tulip-4471" in text for text in quoted] == [True]
