"""`attach` on graphs of every shape: what nodes are shown fits, and nothing of it gets into the state."""

import asyncio
import operator
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from chains import State, chain_in_state, chain_of_calls, check_views, result_of
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, RemoveMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.types import Command, Overwrite, Send
from pydantic import BaseModel

from langchain_session import SessionSaver, attach
from langchain_session.conversion.marks import mark_of
from session_core import Budget, Policy, Sessions

POLICY = Policy(Budget(8_000, reply_reserve_tokens=0), folding="inline")
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 500}
CALLS = 12


class Model(BaseModel):
    messages: Annotated[list[AnyMessage], add_messages] = []


@dataclass
class Data:
    messages: Annotated[list[AnyMessage], add_messages] = field(default_factory=list)


@dataclass(frozen=True)
class Frozen:
    messages: Annotated[list[AnyMessage], add_messages] = field(default_factory=list)


@pytest.fixture
def sessions():
    with Sessions(policy=POLICY) as opened:
        yield opened


def raw(messages: list[BaseMessage]) -> list[Any]:
    assert not any(mark_of(m) for m in messages)
    return [m.content for m in messages if m.type == "tool"]


RESULTS = [result_of(n) for n in range(1, CALLS + 1)]


@pytest.mark.parametrize("schema", [State, Model, Data, Frozen])
@pytest.mark.parametrize("whole_input", [False, True], ids=["appends", "returns-its-input"])
def test_messages_of_any_state_schema_fit_and_the_state_stays_raw(sessions, schema, whole_input):
    seen: list[list[BaseMessage]] = []
    chain = chain_of_calls(seen, calls=CALLS, schema=schema, whole_input=whole_input)
    ended = attach(chain.compile(), policy=POLICY).invoke({"messages": [HumanMessage("go")]}, CONFIG)
    check_views(seen)
    assert raw(ended["messages"]) == RESULTS
    assert len(ended["messages"]) == 2 + 2 * CALLS


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_messages_that_a_node_returns_from_its_input_are_stored_whole_with_any_durability(sessions, durability):
    graph = attach(chain_of_calls([], calls=CALLS, whole_input=True).compile(checkpointer=SessionSaver(sessions)))
    graph.invoke({"messages": [HumanMessage("go")]}, CONFIG, durability=durability)
    assert raw(graph.get_state(CONFIG).values["messages"]) == RESULTS
    assert {m.content for m in sessions.session("t").record()} >= set(RESULTS)


async def _astream(graph: Any, mode: Any) -> list[Any]:
    return [part async for part in graph.astream({"messages": [HumanMessage("go", id="h")]}, CONFIG, stream_mode=mode)]


MODES = ["values", "updates", "messages", "custom", "debug", "tasks", "checkpoints"]


def told(part: Any) -> list[BaseMessage]:
    """All messages anywhere in what was streamed."""
    if isinstance(part, BaseMessage):
        return [part]
    if isinstance(part, dict):
        return [m for one in part.values() for m in told(one)]
    return [m for one in part for m in told(one)] if isinstance(part, list | tuple) else []


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
@pytest.mark.parametrize("mode", MODES)
def test_every_stream_mode_emits_the_raw_state(sessions, mode, awaited):
    seen: list[list[BaseMessage]] = []
    chain = chain_of_calls(seen, calls=8, whole_input=True).compile(checkpointer=SessionSaver(sessions))
    if awaited:
        parts = asyncio.run(_astream(attach(chain), mode))
    else:
        parts = list(attach(chain).stream({"messages": [HumanMessage("go", id="h")]}, CONFIG, stream_mode=mode))
    said = told(parts)
    assert not any(mark_of(m) for m in said)
    assert {m.content for m in said if m.type == "tool"} <= set(RESULTS)
    assert any(mark_of(m) for messages in seen for m in messages)
    assert bool(said) is (mode != "custom")


def one_node(node: Any, *, reducer: Any = add_messages) -> StateGraph:
    class Reduced(State):
        messages: Annotated[list[AnyMessage], reducer]

    graph = StateGraph(Reduced)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    return graph


def run_once(node: Any, *, reducer: Any = add_messages) -> list[BaseMessage]:
    graph = attach(one_node(node, reducer=reducer).compile(), policy=POLICY)
    return graph.invoke({"messages": chain_in_state(CALLS)}, CONFIG)["messages"]


ANSWER = AIMessage("done", id="end")
RETURNS = {
    "dict": lambda said: {"messages": [*said, ANSWER]},
    "command": lambda said: Command(update={"messages": [*said, ANSWER]}),
    "command-of-pairs": lambda said: Command(update=[("messages", [*said, ANSWER])]),
    "commands": lambda said: [Command(update={"messages": said}), Command(update={"messages": [ANSWER]})],
    "overwrite": lambda said: {"messages": Overwrite([*said, ANSWER])},
    "remove-all": lambda said: {"messages": [RemoveMessage(id=REMOVE_ALL_MESSAGES), *said, ANSWER]},
    "a-model": lambda said: Model(messages=[*said, ANSWER]),
    "data": lambda said: Data(messages=[*said, ANSWER]),
}


@pytest.mark.parametrize("returns", RETURNS.values(), ids=RETURNS)
def test_returned_view_messages_are_mapped_back_to_the_originals(returns):
    assert run_once(lambda state: returns(state["messages"])) == [*chain_in_state(CALLS), ANSWER]


def test_replacing_the_state_by_the_shown_messages_keeps_it_whole():
    replaced = run_once(lambda state: {"messages": [*state["messages"], ANSWER]}, reducer=lambda _, new: new)
    assert replaced == [*chain_in_state(CALLS), ANSWER]


def test_a_single_returned_message_is_mapped_back_to_its_original():
    def give_back(state):
        return {"messages": next(m for m in state["messages"] if m.type == "tool" and mark_of(m))}

    assert run_once(give_back) == chain_in_state(CALLS)


def test_a_clip_that_a_node_changed_is_stored_as_changed():
    def change(state):
        clip = next(m for m in state["messages"] if m.type == "tool" and mark_of(m))
        return {"messages": [clip.model_copy(update={"content": "mine"})]}

    assert "mine" in [m.content for m in run_once(change)]


def test_removing_a_digest_removes_the_messages_it_covers():
    gone = run_once(lambda state: {"messages": [RemoveMessage(id=m.id) for m in state["messages"][:-2]]})
    assert gone == chain_in_state(CALLS)[-2:]


def test_inputs_of_a_send_fit_and_are_stored_whole(sessions):
    seen: list[list[BaseMessage]] = []

    def work(state):
        seen.append(state["messages"])
        return {"messages": [*state["messages"], ANSWER]}

    graph = StateGraph(State)
    graph.add_node("start", lambda state: Command(goto=Send("work", {"messages": state["messages"]})))
    graph.add_node("work", work)
    graph.add_edge(START, "start")
    ended = attach(graph.compile(), policy=POLICY).invoke({"messages": chain_in_state(CALLS)}, CONFIG)
    check_views(seen)
    assert ended["messages"] == [*chain_in_state(CALLS), ANSWER]


def test_a_send_from_an_edge_gets_its_own_messages(sessions):
    def spread(state: State):
        return [Send("work", {"messages": [HumanMessage(f"part {n}")]}) for n in range(3)]

    graph = StateGraph(State)
    graph.add_node("work", lambda state: {"messages": [AIMessage("did " + state["messages"][-1].content)]})
    graph.add_conditional_edges(START, spread, ["work"])
    run = attach(graph.compile(checkpointer=SessionSaver(sessions)))
    run.invoke({"messages": [HumanMessage("split it")]}, CONFIG)
    told = [m.content for m in run.get_state(CONFIG).values["messages"]]
    assert told == ["split it", "did part 0", "did part 1", "did part 2"]


def in_a_graph(inner: Any) -> StateGraph:
    graph = StateGraph(State)
    graph.add_node("inner", inner)
    graph.add_edge(START, "inner")
    return graph


@pytest.mark.parametrize("kept", [None, True], ids=["of-a-run", "of-the-thread"])
@pytest.mark.parametrize("saver", [InMemorySaver, SessionSaver])
def test_a_graph_that_is_a_node_is_attached_with_it(sessions, kept, saver):
    seen: list[list[BaseMessage]] = []
    inner = chain_of_calls(seen, calls=CALLS).compile(checkpointer=kept)
    own = SessionSaver(sessions) if saver is SessionSaver else saver()
    graph = attach(in_a_graph(in_a_graph(inner).compile()).compile(checkpointer=own), policy=POLICY)
    graph.invoke({"messages": [HumanMessage("go")]}, CONFIG)
    assert len(seen) == CALLS + 1
    check_views(seen)
    assert raw(graph.get_state(CONFIG).values["messages"]) == RESULTS
    assert [name for name, _ in graph.get_subgraphs(recurse=True)] == ["inner", "inner|inner"]


def test_a_graph_that_is_called_in_a_node_is_attached_by_itself(sessions):
    seen: list[list[BaseMessage]] = []
    saver = SessionSaver(sessions)
    inner = attach(chain_of_calls(seen, calls=CALLS).compile(), saver=saver)

    def node(state):
        return {"messages": inner.invoke({"messages": state["messages"]})["messages"]}

    graph = attach(in_a_graph(node).compile(checkpointer=saver))
    graph.invoke({"messages": [HumanMessage("go")]}, CONFIG)
    check_views(seen)
    assert raw(graph.get_state(CONFIG).values["messages"]) == RESULTS


def test_messages_without_ids_fit_too(sessions):
    seen: list[list[BaseMessage]] = []

    class Bare(State):
        messages: Annotated[list[AnyMessage], operator.add]

    chain = chain_of_calls(seen, calls=CALLS, schema=Bare).compile()
    ended = attach(chain, policy=POLICY).invoke({"messages": [HumanMessage("go")]}, CONFIG)
    check_views(seen)
    assert raw(ended["messages"]) == RESULTS


def test_pending_calls_reach_their_node_unchanged():
    shown: list[list[BaseMessage]] = []
    both = [{"name": "f", "args": {"text": "word " * 4_000}, "id": name} for name in ("one", "two")]

    def work(state):
        shown.append(state["messages"])
        answered = {m.tool_call_id for m in state["messages"] if m.type == "tool"}
        calls = [call for m in state["messages"] for call in getattr(m, "tool_calls", [])]
        return {"messages": [ToolMessage("ok", tool_call_id=next(c["id"] for c in calls if c["id"] not in answered))]}

    def more(state):
        return "work" if sum(m.type == "tool" for m in state["messages"]) < 2 else END

    graph = one_node(lambda state: {"messages": [AIMessage("", tool_calls=both)]})
    graph.add_node("work", work)
    graph.add_edge("node", "work")
    graph.add_conditional_edges("work", more, ["work", END])
    attach(graph.compile(), policy=POLICY).invoke({"messages": [HumanMessage("go")]}, CONFIG)
    calls = [call for messages in shown for m in messages if m.type == "ai" for call in m.tool_calls]
    assert [call["args"] for call in calls] == [call["args"] for call in [*both, *both]]
