"""Compression inside a run: `attach` and `SessionMiddleware` keep every model call within the budget."""

import asyncio
from itertools import count, pairwise
from typing import Annotated, Any, TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, RemoveMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Send
from pydantic import Field
from strict_model import check_sent

from langchain_session import SessionMiddleware, SessionSaver, attach, recall_tool
from langchain_session.messages import mark_of
from session_core import Budget, Policy, Sessions
from session_core.errors import ConfigError

POLICY = Policy(Budget(8_000, reply_reserve_tokens=0), folding="inline")
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 500}
CALLS = 50
_runs = count(1)


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def result_of(number: int, rows: int = 400) -> str:
    return f"result {number}: code C-{number:04d}\n" + f"row of table {number}\n" * rows


def chain_of_calls(
    seen: list[list[BaseMessage]], *, calls: int = CALLS, whole_input: bool = False, rows: int = 400
) -> StateGraph:
    """A graph that makes `calls` tool calls (of 8 KB) in one run; it knows nothing of sessions."""

    run = next(_runs)

    def model(state: State):
        seen.append(list(state["messages"]))
        number = len(seen)
        if number > calls:
            made: list[BaseMessage] = [AIMessage("done")]
        else:
            made = [AIMessage("", tool_calls=[{"name": "f", "args": {"n": number}, "id": f"c{run}-{number}"}])]
        return {"messages": [*state["messages"], *made] if whole_input else made}

    def tools(state: State):
        call = state["messages"][-1].tool_calls[0]
        return {"messages": [ToolMessage(result_of(call["args"]["n"], rows), tool_call_id=call["id"])]}

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("tools", tools)
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model", lambda state: "tools" if state["messages"][-1].tool_calls else END, ["tools", END]
    )
    graph.add_edge("tools", "model")
    return graph


@pytest.fixture
def sessions():
    with Sessions(policy=POLICY) as opened:
        yield opened


def check_views(sessions: Sessions, seen: list[list[BaseMessage]]) -> None:
    for messages in seen:
        check_sent(messages, max_tokens=8_000)


@pytest.mark.parametrize("whole_input", [False, True], ids=["appends", "returns-its-input"])
def test_a_chain_of_50_calls_in_one_run_stays_within_the_budget(sessions, whole_input):
    seen: list[list[BaseMessage]] = []
    graph = attach(chain_of_calls(seen, whole_input=whole_input).compile(checkpointer=SessionSaver(sessions)))
    graph.invoke({"messages": [HumanMessage("do all of it")]}, CONFIG)
    assert len(seen) == CALLS + 1
    check_views(sessions, seen)
    kept = graph.get_state(CONFIG).values["messages"]
    assert [m.content for m in kept if m.type == "tool"] == [result_of(n) for n in range(1, CALLS + 1)]
    assert not any(mark_of(m) for m in kept)
    assert len(kept) == 2 + 2 * CALLS


def test_every_view_of_a_chain_starts_with_the_question(sessions):
    seen: list[list[BaseMessage]] = []
    graph = attach(chain_of_calls(seen).compile(checkpointer=SessionSaver(sessions)))
    graph.invoke({"messages": [HumanMessage("do all of it")]}, CONFIG)
    assert all("do all of it" in [m.content for m in messages] for messages in seen)


def test_a_view_in_a_chain_rarely_changes_before_its_end(sessions):
    seen: list[list[BaseMessage]] = []
    graph = attach(chain_of_calls(seen, rows=40).compile(checkpointer=SessionSaver(sessions)))
    graph.invoke({"messages": [HumanMessage("do all of it")]}, CONFIG)
    texts = [[str(m.content) for m in messages] for messages in seen]
    changed = sum(later[: len(earlier)] != earlier for earlier, later in pairwise(texts))
    assert 1 <= changed <= CALLS / 5


def test_the_awaiting_and_the_streaming_voice_fit_too(sessions):
    seen: list[list[BaseMessage]] = []
    graph = attach(chain_of_calls(seen, calls=15).compile(checkpointer=SessionSaver(sessions)))

    async def run():
        async for _ in graph.astream({"messages": [HumanMessage("go")]}, CONFIG, stream_mode="updates"):
            pass

    asyncio.run(run())
    assert len(seen) == 16
    check_views(sessions, seen)


def test_attaching_twice_is_attaching_once_and_leaves_the_graph_alone(sessions):
    seen: list[list[BaseMessage]] = []
    plain = chain_of_calls(seen, calls=2).compile(checkpointer=SessionSaver(sessions))
    once = attach(plain)
    twice = attach(once)
    assert {name: node.mapper for name, node in twice.nodes.items()} == {
        name: node.mapper for name, node in once.nodes.items()
    }
    assert plain.nodes["model"].mapper is None
    assert twice.invoke({"messages": [HumanMessage("go")]}, CONFIG)["messages"][-1].content == "done"


def test_a_graph_without_our_saver_needs_a_policy():
    graph = chain_of_calls([]).compile()
    with pytest.raises(ConfigError, match="policy=Policy"):
        attach(graph)
    assert attach(graph, policy=POLICY) is not graph


def test_a_tool_node_gets_its_arguments_whole(sessions):
    content = "line of a file\n" * 8_000
    given: list[str] = []

    def model(state: State):
        done = isinstance(state["messages"][-1], ToolMessage)
        calls = [] if done else [{"name": "write", "args": {"content": content}, "id": "c1"}]
        return {"messages": [AIMessage("done" if done else "", tool_calls=calls)]}

    def write(state: State):
        given.append(state["messages"][-1].tool_calls[0]["args"]["content"])
        return {"messages": [ToolMessage("written", tool_call_id="c1")]}

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("write", write)
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model", lambda state: "write" if state["messages"][-1].tool_calls else END, ["write", END]
    )
    graph.add_edge("write", "model")
    run = attach(graph.compile(checkpointer=SessionSaver(sessions)))
    assert run.invoke({"messages": [HumanMessage("go")]}, CONFIG)["messages"][-1].content == "done"
    assert given == [content]


def test_a_graph_with_send_runs_as_before(sessions):
    def spread(state: State):
        return [Send("work", {"messages": [HumanMessage(f"part {n}")]}) for n in range(3)]

    graph = StateGraph(State)
    graph.add_node("work", lambda state: {"messages": [AIMessage("did " + state["messages"][-1].content)]})
    graph.add_conditional_edges(START, spread, ["work"])
    run = attach(graph.compile(checkpointer=SessionSaver(sessions)))
    run.invoke({"messages": [HumanMessage("split it")]}, CONFIG)
    told = [m.content for m in run.get_state(CONFIG).values["messages"]]
    assert told == ["split it", "did part 0", "did part 1", "did part 2"]


class Scripted(BaseChatModel):
    """Asks for a number of tool calls, then for a recall, then says what it saw."""

    seen: list[list[BaseMessage]] = Field(default_factory=list)
    calls: int = 20

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools, **kwargs):
        return self

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        self.seen.append(list(messages))
        check_sent(messages)
        number = len(self.seen)
        if number <= self.calls:
            made = AIMessage("", tool_calls=[{"name": "fetch", "args": {"n": number}, "id": f"c{number}"}])
        elif number == self.calls + 1:
            made = AIMessage("", tool_calls=[{"name": "recall", "args": {"query": "C-0003"}, "id": "r"}])
        else:
            made = AIMessage(f"I saw {'C-0003' in str(messages[-1].content)}")
        return ChatResult(generations=[ChatGeneration(message=made)])


def test_the_middleware_fits_every_model_call_of_an_agent_and_recall_finds_what_was_folded(sessions):
    @tool
    def fetch(n: int) -> str:
        """Fetch result n."""
        return result_of(n)

    saver = SessionSaver(sessions)
    model = Scripted(seen=[])
    agent = create_agent(
        model,
        tools=[fetch, recall_tool(saver)],
        system_prompt="You fetch.",
        checkpointer=saver,
        middleware=[SessionMiddleware(saver)],
    )
    ended = agent.invoke({"messages": [HumanMessage("fetch them all")]}, CONFIG)
    assert ended["messages"][-1].content == "I saw True"
    check_views(sessions, model.seen)
    kept = agent.get_state(CONFIG).values["messages"]
    assert [m.content for m in kept if m.type == "tool"][:20] == [result_of(n) for n in range(1, 21)]


def test_two_threads_of_equal_shape_never_see_each_others_words(sessions):
    for name in ("alpha", "omega"):
        seen: list[list[BaseMessage]] = []
        graph = attach(chain_of_calls(seen).compile(checkpointer=SessionSaver(sessions)))
        config = {"configurable": {"thread_id": name}, "recursion_limit": 500}
        graph.invoke({"messages": [HumanMessage(f"my word is {name}", id="h")]}, config)
        told = " ".join(str(m.content) for messages in seen for m in messages)
        assert f"my word is {name}" in told
        assert ("alpha" in told) is (name == "alpha")


@pytest.mark.parametrize("whole_input", [False, True], ids=["appends", "returns-its-input"])
def test_runs_on_top_of_a_digest_keep_the_record_whole(sessions, whole_input):
    for run in range(4):
        seen: list[list[BaseMessage]] = []
        graph = attach(
            chain_of_calls(seen, calls=12, whole_input=whole_input).compile(checkpointer=SessionSaver(sessions))
        )
        graph.invoke({"messages": [HumanMessage(f"run {run}", id=f"h{run}")]}, CONFIG)
        check_views(sessions, seen)
    kept = graph.get_state(CONFIG).values["messages"]
    assert [m.content for m in kept if m.type == "human"] == [f"run {run}" for run in range(4)]
    assert [m.content for m in kept if m.type == "tool"] == [result_of(n) for n in range(1, 13)] * 4
    assert not any(mark_of(m) for m in kept)


def test_a_node_may_trim_what_it_was_shown(sessions):
    def trim(state: State):
        return {"messages": [RemoveMessage(id=m.id) for m in state["messages"][:-2]]}

    graph = StateGraph(State)
    graph.add_node("model", lambda state: {"messages": [AIMessage("words and words " * 60)]})
    graph.add_node("trim", trim)
    graph.add_edge(START, "model")
    graph.add_edge("model", "trim")
    saver = SessionSaver(sessions)
    without = StateGraph(State)
    without.add_node("model", lambda state: {"messages": [AIMessage("words and words " * 60)]})
    without.add_edge(START, "model")
    long = without.compile(checkpointer=saver)
    for turn in range(60):
        long.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    assert sessions.session("t").stats().digests > 0
    run = attach(graph.compile(checkpointer=saver))
    run.invoke({"messages": [HumanMessage("trim it", id="last")]}, CONFIG)
    assert len(run.get_state(CONFIG).values["messages"]) == 2
