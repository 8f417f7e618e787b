"""`SessionMiddleware` in `create_agent`: alone, and beside LangChain's own middlewares in both orders."""

import asyncio
from typing import Any

import pytest
from chains import result_of
from langchain.agents import create_agent
from langchain.agents.middleware import (
    ContextEditingMiddleware,
    HumanInTheLoopMiddleware,
    PIIMiddleware,
    SummarizationMiddleware,
    TodoListMiddleware,
    ToolRetryMiddleware,
)
from langchain.agents.middleware.context_editing import ClearToolUsesEdit
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.tools import BaseTool, StructuredTool, tool
from langgraph.types import Command
from pydantic import BaseModel, Field
from scripted_chat import ScriptedChat, call, fetch, fetching, recalling

from langchain_session import SessionMiddleware, SessionSaver, attach, recall_tool
from langchain_session.conversion.marks import mark_of
from session_core import Budget, Policy, Sessions
from session_core.errors import BudgetError

LIMIT = 8_000
POLICY = Policy(Budget(LIMIT, reply_reserve_tokens=0), folding="inline")
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 500}
CALLS = 10


@pytest.fixture
def sessions():
    with Sessions(policy=POLICY) as opened:
        yield opened


def ask(agent: Any, words: str = "fetch them all") -> dict[str, Any]:
    return agent.invoke({"messages": [HumanMessage(words)]}, CONFIG)


def outputs(agent: Any) -> list[str]:
    kept = agent.get_state(CONFIG).values["messages"]
    assert not any(mark_of(m) for m in kept)
    return [m.content for m in kept if m.type == "tool" and m.name == "fetch"]


def agent_of(
    sessions: Sessions, model: ScriptedChat, others: list[Any], *, last: bool = True, tools: Any = (), **named: Any
) -> Any:
    saver = SessionSaver(sessions)
    own = SessionMiddleware(saver)
    middleware = [*others, own] if last else [own, *others]
    return create_agent(
        model,
        [fetch, recall_tool(saver), *tools],
        system_prompt="You fetch. " * 40,
        checkpointer=saver,
        middleware=middleware,
        **named,
    )


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
def test_every_model_call_fits_beside_prompt_and_tools_and_recall_finds_what_was_folded(sessions, awaited):
    model = ScriptedChat(script=fetching(CALLS, recalling))
    agent = agent_of(sessions, model, [])
    if awaited:
        ended = asyncio.run(agent.ainvoke({"messages": [HumanMessage("fetch them all")]}, CONFIG))
    else:
        ended = ask(agent)
    assert ended["messages"][-1].content == "I saw True"
    assert model.most_tokens(sessions) <= LIMIT
    assert outputs(agent) == [result_of(n) for n in range(1, CALLS + 1)]


class Report(BaseModel):
    """A report."""

    words: str = Field(description="What is to be said. " * 200)


@pytest.mark.parametrize("way", [ToolStrategy, ProviderStrategy])
def test_the_schema_of_a_structured_answer_counts(sessions, way):
    model = ScriptedChat(script=fetching(CALLS, lambda n, _: call("Report", "z", words="all of it")))
    if way is ProviderStrategy:
        model = ScriptedChat(script=fetching(CALLS, lambda n, _: AIMessage('{"words": "all of it"}')))
    agent = agent_of(sessions, model, [], response_format=way(Report))
    assert ask(agent)["structured_response"] == Report(words="all of it")
    schema = sessions.services.counter.count(str(Report.model_json_schema()))
    dearest = model.most_tokens(sessions) + (schema if way is ProviderStrategy else 0)
    assert schema > 500
    assert dearest <= LIMIT


def summarizer() -> ScriptedChat:
    return ScriptedChat(script=lambda n, _: AIMessage("a summary of it"))


OTHERS = {
    "clear-tool-uses": lambda: ContextEditingMiddleware(edits=[ClearToolUsesEdit(trigger=3_000, keep=2)]),
    "tool-retry": lambda: ToolRetryMiddleware(max_retries=2, initial_delay=0),
    "pii": lambda: PIIMiddleware("email"),
    "todo-list": TodoListMiddleware,
    "human-in-the-loop": lambda: HumanInTheLoopMiddleware(interrupt_on={"recall": True}),
}


@pytest.mark.parametrize("last", [True, False], ids=["ours-last", "ours-first"])
@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_it_works_beside_langchains_own(sessions, other, last):
    model = ScriptedChat(script=fetching(CALLS))
    agent = agent_of(sessions, model, [other()], last=last)
    assert ask(agent)["messages"][-1].content == "done"
    assert len(model.seen) == CALLS + 1
    # Ours counts what the middlewares before it made; what those behind it add (the todo list's prompt) comes on top.
    assert model.most_tokens(sessions) <= (LIMIT if last else LIMIT + 2_000)
    stored = [m.content for m in sessions.session("t").record() if m.name == "fetch"]
    assert stored == [result_of(n) for n in range(1, CALLS + 1)]


@pytest.mark.parametrize("last", [True, False], ids=["ours-last", "ours-first"])
def test_what_a_summary_took_out_of_the_thread_is_still_recalled(sessions, last):
    other = SummarizationMiddleware(summarizer(), trigger=("tokens", 6_000), keep=("messages", 6))

    def back(n: int, seen: Any) -> AIMessage:
        first = next(m.id for messages in model.seen for m in messages if "C-0001" in str(m.content))
        return call("recall", "r", reference=first) if n == 1 else AIMessage(str(seen[-1].content))

    model = ScriptedChat(script=fetching(CALLS, back))
    agent = agent_of(sessions, model, [other], last=last)
    assert result_of(1)[:4_000] in ask(agent)["messages"][-1].content
    assert model.most_tokens(sessions) <= LIMIT
    assert len(outputs(agent)) < CALLS


def test_a_call_that_waits_for_a_human_goes_on_within_the_budget(sessions):
    model = ScriptedChat(script=fetching(CALLS, recalling))
    agent = agent_of(sessions, model, [OTHERS["human-in-the-loop"]()])
    assert ask(agent)["__interrupt__"]
    ended = agent.invoke(Command(resume={"decisions": [{"type": "approve"}]}), CONFIG)
    assert ended["messages"][-1].content == "I saw True"
    assert model.most_tokens(sessions) <= LIMIT
    assert outputs(agent) == [result_of(n) for n in range(1, CALLS + 1)]


@pytest.mark.parametrize("last", [True, False], ids=["ours-last", "ours-first"])
def test_personal_data_that_another_middleware_redacts_stays_redacted(sessions, last):
    model = ScriptedChat(script=fetching(2))
    agent = agent_of(sessions, model, [PIIMiddleware("email")], last=last)
    ask(agent, "write to jo@example.com")
    assert any("REDACTED_EMAIL" in str(m.content) for messages in model.seen for m in messages)
    assert not any("jo@example.com" in str(m.content) for messages in model.seen for m in messages)


@pytest.mark.parametrize("last", [True, False], ids=["ours-last", "ours-first"])
def test_a_tool_that_failed_is_tried_again(sessions, last):
    tries: list[int] = []

    @tool
    def shaky() -> str:
        """Fail once."""
        tries.append(1)
        if len(tries) == 1:
            raise TimeoutError("no answer")
        return result_of(7)

    model = ScriptedChat(script=lambda n, _: call("shaky", "s") if n == 1 else AIMessage("done"))
    agent = agent_of(sessions, model, [ToolRetryMiddleware(max_retries=2, initial_delay=0)], last=last, tools=[shaky])
    kept = [m.content for m in ask(agent)["messages"] if m.type == "tool"]
    assert (len(tries), kept) == (2, [result_of(7)])


def test_it_may_stand_in_an_attached_graph(sessions):
    model = ScriptedChat(script=fetching(CALLS))
    agent = attach(agent_of(sessions, model, []))
    ask(agent)
    assert model.most_tokens(sessions) <= LIMIT
    assert outputs(agent) == [result_of(n) for n in range(1, CALLS + 1)]


def test_tools_that_leave_no_room_are_named_as_what_fills_the_window(sessions):
    told = "word " * 900
    described = [StructuredTool.from_function(lambda n: "", name=f"look{n}", description=told) for n in range(9)]
    agent = agent_of(sessions, ScriptedChat(script=fetching(1)), [], tools=described)
    with pytest.raises(BudgetError, match=rf"tools .* take \d+ of {LIMIT} tokens"):
        ask(agent)


def test_a_tools_schema_is_made_once(sessions, monkeypatch):
    made: list[str] = []
    real = BaseTool.tool_call_schema.fget
    assert real is not None
    monkeypatch.setattr(BaseTool, "tool_call_schema", property(lambda self: made.append(self.name) or real(self)))
    middleware = SessionMiddleware(POLICY)
    middleware._fitter.overhead_tokens(None, [fetch])
    once = len(made)
    middleware._fitter.overhead_tokens(None, [fetch])
    assert once > 0
    assert len(made) == once


def test_a_policy_alone_is_enough():
    model = ScriptedChat(script=fetching(CALLS))
    agent = create_agent(model, [fetch], middleware=[SessionMiddleware(POLICY)])
    ended = ask(agent)
    with Sessions(policy=POLICY) as sessions:
        assert model.most_tokens(sessions) <= LIMIT
    kept: list[BaseMessage] = ended["messages"]
    assert [m.content for m in kept if m.type == "tool"] == [result_of(n) for n in range(1, CALLS + 1)]


class Claude(ScriptedChat):
    model: str = "claude-sonnet-4-5"


@pytest.mark.parametrize(
    ("model", "policy", "warnings"),
    [
        (Claude, Policy(Budget(LIMIT)), 1),
        (Claude, Policy(Budget(LIMIT), model="claude-sonnet-4-5"), 0),
        (ScriptedChat, Policy(Budget(LIMIT)), 0),
    ],
    ids=["unnamed", "named", "of a name that tells nothing"],
)
def test_a_model_that_is_counted_as_another_is_told_of_once(
    model: type[ScriptedChat], policy: Policy, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    with Sessions(policy=policy) as opened:
        agent = agent_of(opened, model(script=lambda n, seen: AIMessage("Well")), [])
        ask(agent)
        ask(agent)
    told = [
        record.getMessage() for record in caplog.records if "Policy(model='claude-sonnet-4-5')" in record.getMessage()
    ]
    assert len(told) == warnings
