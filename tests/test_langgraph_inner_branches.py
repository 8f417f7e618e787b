"""Forks, interrupts, subgraphs, removals and deltas with another saver inside ours leave what they leave without us."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

import pytest
from inner_savers import history, kept, questions, talker, turn_ends
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.types import Command, interrupt
from talking_graphs import CONFIG, ask

from langchain_session import SessionSaver, attach


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    turns: int


def waiting(saver: BaseCheckpointSaver[Any]):
    """A graph with two nodes at once, of which one asks a human first."""

    def ask_human(state: State):
        return {"messages": [HumanMessage(str(interrupt("may I?")), id=f"human-{state['messages'][-1].id}")]}

    def other(state: State):
        return {"messages": [*state["messages"], AIMessage("beside", id=f"beside-{state['messages'][-1].id}")]}

    built = StateGraph(State)
    built.add_node("ask_human", ask_human)
    built.add_node("other", other)
    built.add_edge(START, "ask_human")
    built.add_edge(START, "other")
    return built.compile(checkpointer=saver)


@pytest.mark.parametrize("resumed_by_us", [True, False])
def test_an_interrupted_run_goes_on_with_what_its_siblings_wrote(twins, sessions_beside, resumed_by_us):
    mine, plain = twins
    ours = SessionSaver(sessions_beside, inner=mine)
    for saver in (ours, plain):
        ask(talker(saver), *range(12))
        ask(waiting(saver), 12)
    said = [found[2] for found in mine.get_tuple(CONFIG).pending_writes if found[1] == "messages"]
    assert said == [found[2] for found in plain.get_tuple(CONFIG).pending_writes if found[1] == "messages"]
    shown = waiting(ours if resumed_by_us else mine).invoke(Command(resume="yes"), CONFIG)["messages"]
    waiting(plain).invoke(Command(resume="yes"), CONFIG)
    assert [m.content for m in kept(mine)] == [m.content for m in kept(plain)]
    assert (len(shown) < 40) == resumed_by_us


def test_a_fork_and_a_replay_leave_the_same_as_without_us(twins, sessions_beside):
    mine, plain = twins
    ours = SessionSaver(sessions_beside, inner=mine)
    for saver in (ours, plain):
        graph = talker(saver)
        ask(graph, *range(12))
        early = turn_ends(graph, 8)
        ask(graph, 50, config=early)
        ask(graph, 51)
        middle = next(s for s in graph.get_state_history(CONFIG) if s.next == ("tools",))
        graph.invoke(None, middle.config)
        graph.update_state(early, {"messages": [HumanMessage("edited", id="h0")]}, as_node="count")
        ask(graph, 52)
        latest = next(iter(graph.get_state_history(CONFIG)))
        graph.update_state(latest.config, None, as_node="__copy__")
        graph.update_state(early, None, as_node="__copy__")
        ask(graph, 53)
    assert history(mine) == history(plain)
    assert questions(kept(mine)) == ["question 0", "question 1", "question 53"]
    assert [m.content for m in sessions_beside.session("t").record() if m.role == "user"] == questions(kept(mine))


def test_a_fork_from_a_checkpoint_of_before_us(twins, sessions_beside):
    mine, plain = twins
    for saver in twins:
        ask(talker(saver), *range(12))
    for saver in (SessionSaver(sessions_beside, inner=mine), plain):
        graph = talker(saver)
        ask(graph, 12)
        early = turn_ends(graph, 24)
        ask(graph, 50, config=early)
        ask(graph, 51)
    assert history(mine) == history(plain)


def test_an_interrupted_replay_goes_on_on_its_own_branch(twins, sessions_beside):
    mine, plain = twins
    for saver in (SessionSaver(sessions_beside, inner=mine), plain):
        graph = waiting(saver)
        ask(graph, 0)
        graph.invoke(Command(resume="yes"), CONFIG)
        ask(talker(saver), 1)
        early = next(s for s in graph.get_state_history(CONFIG) if len(s.values.get("messages", [])) == 1 and s.next)
        graph.invoke(None, early.config)
        graph.invoke(Command(resume="no"), CONFIG)
    assert history(mine) == history(plain)
    assert questions(kept(mine)) == ["question 0", "no"]


def test_removed_messages_are_gone_there_and_stay_in_the_log(twins, sessions_beside):
    mine, plain = twins
    for saver in (SessionSaver(sessions_beside, inner=mine), plain):
        graph = talker(saver)
        ask(graph, *range(12))
        graph.update_state(CONFIG, {"messages": [RemoveMessage("h2"), RemoveMessage("h11")]}, as_node="count")
        ask(graph, 12)
    assert history(mine) == history(plain)
    for saver in (SessionSaver(sessions_beside, inner=mine), plain):
        graph = talker(saver)
        graph.update_state(CONFIG, {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES)]}, as_node="count")
        assert kept(saver) == []
        ask(graph, 13)
    assert history(mine) == history(plain)
    assert len(sessions_beside.session("t").record(all_branches=True)) == 56


def test_a_node_that_returns_its_whole_input_changes_nothing(twins, sessions_beside):
    mine, plain = twins
    for saver in (SessionSaver(sessions_beside, inner=mine), plain):
        ask(talker(saver, whole=True), *range(20))
    assert history(mine) == history(plain)


def test_a_node_that_removes_a_message_it_was_shown(twins, sessions_beside):
    def forgetful(saver):
        def drop(state: State):
            shown = [m for m in state["messages"] if m.type == "human" and m.id.startswith("h")]
            return {"messages": [RemoveMessage(shown[-1].id)]}

        built = StateGraph(State)
        built.add_node("drop", drop)
        built.add_edge(START, "drop")
        return built.compile(checkpointer=saver)

    mine, plain = twins
    for saver in (SessionSaver(sessions_beside, inner=mine), plain):
        ask(talker(saver), *range(12))
        ask(forgetful(saver), 12, 13)
        ask(talker(saver), 14)
    assert history(mine) == history(plain)


def test_subgraphs_leave_the_same_as_without_us(twins, sessions_beside):
    mine, plain = twins
    for saver in (SessionSaver(sessions_beside, inner=mine), plain):
        passing = StateGraph(State)
        passing.add_node("add", lambda state: {"messages": [AIMessage("added", id=f"add-{state['messages'][-1].id}")]})
        passing.add_edge(START, "add")
        built = StateGraph(State)
        built.add_node("own", talker(True))
        built.add_node("passing", passing.compile())
        built.add_edge(START, "own")
        built.add_edge("own", "passing")
        ask(built.compile(checkpointer=saver), *range(10))
    assert history(mine) == history(plain)
    own = {"configurable": {"thread_id": "t", "checkpoint_ns": "own"}}
    assert kept(mine, own) == kept(plain, own)


@pytest.mark.parametrize("turn", [4, -1], ids=["late", "first"])
def test_a_replay_goes_through_a_subgraph_as_without_us(twins, sessions_beside, turn):
    mine, plain = twins
    for saver in (SessionSaver(sessions_beside, inner=mine), plain):
        built = StateGraph(State)
        built.add_node("own", talker(True))
        built.add_node("last", lambda state: {"turns": 1})
        built.add_edge(START, "own")
        built.add_edge("own", "last")
        graph = built.compile(checkpointer=saver)
        ask(graph, *range(10))
        before = [s.config for s in graph.get_state_history(CONFIG) if s.next == ("own",)]
        graph.invoke(None, before[turn])
        ask(graph, 10)
    assert history(mine) == history(plain)


def test_a_run_that_stops_in_a_subgraph_goes_on_there(twins, sessions_beside):
    mine, plain = twins
    for saver in (SessionSaver(sessions_beside, inner=mine), plain):
        ask(talker(saver), *range(12))
        built = StateGraph(State)
        built.add_node("inside", waiting(None))
        built.add_edge(START, "inside")
        graph = built.compile(checkpointer=saver)
        ask(graph, 12)
        graph.invoke(Command(resume="yes"), CONFIG)
        ask(talker(saver), 13)
    assert history(mine) == history(plain)


def test_messages_without_ids_come_to_the_inner_saver_without_ids(twins, sessions_beside):
    class Bare(TypedDict):
        messages: Annotated[list[AnyMessage], operator.add]

    mine, plain = twins
    seen: list[int] = []
    for saver in (SessionSaver(sessions_beside, inner=mine), plain):

        def model(state: Bare):
            seen.append(len(state["messages"]))
            return {"messages": [AIMessage("ok " * 30)]}

        built = StateGraph(Bare)
        built.add_node("model", model)
        built.add_edge(START, "model")
        graph = built.compile(checkpointer=saver)
        for _ in range(40):
            graph.invoke({"messages": [HumanMessage("again " * 30)]}, CONFIG)
        graph.update_state(CONFIG, {"messages": [HumanMessage("again " * 30)]})
    assert history(mine) == history(plain)
    assert max(seen[:40]) < 60
    assert len(sessions_beside.session("t").record(all_branches=True)) == 81


def test_a_graph_without_messages_is_as_with_any_saver(twins, sessions_beside):
    class Plain(TypedDict):
        count: int

    mine, plain = twins
    for saver in (SessionSaver(sessions_beside, inner=mine), plain):
        built = StateGraph(Plain)
        built.add_node("add", lambda state: {"count": state["count"] + 1})
        built.add_edge(START, "add")
        graph = built.compile(checkpointer=saver)
        graph.invoke({"count": 1}, CONFIG)
        assert graph.get_state(CONFIG).values == {"count": 2}
    assert len(history(mine)) == len(history(plain))
    assert sessions_beside.list() == ()


class Optionally(TypedDict, total=False):
    messages: list[AnyMessage] | None
    then: list[AnyMessage] | None


def test_a_conversation_that_a_node_set_to_none_begins_anew_there_too(inner_saver):
    built = StateGraph(Optionally).add_node("step", lambda state: {"messages": state["then"]}).add_edge(START, "step")

    def played(saver: BaseCheckpointSaver[Any]) -> Any:
        app = built.compile(checkpointer=saver)
        app.invoke({"messages": [HumanMessage("one", id="h1")], "then": None}, CONFIG)
        app.invoke({"messages": [], "then": [AIMessage("two", id="a2")]}, CONFIG)
        app.invoke({"messages": [HumanMessage("three", id="h3")], "then": None}, CONFIG)
        app.update_state(CONFIG, {"messages": [HumanMessage("four", id="h4")]}, as_node="step")
        return [found.values.get("messages") for found in app.get_state_history(CONFIG)]

    saver = SessionSaver("memory://", inner=inner_saver)
    assert played(saver) == played(InMemorySaver())
    assert [message.id for message in saver.sessions.session("t").record()] == ["h4"]


def delta_talker(saver: BaseCheckpointSaver[Any], frequency: int, seen: list[int] | None = None):
    messages = Annotated[list[AnyMessage], DeltaChannel(add_messages_many, snapshot_frequency=frequency)]
    schema = TypedDict("Delta", {"messages": messages})  # noqa: UP013 (a class would not see the local type)

    def model(state):
        if seen is not None:
            seen.append(len(state["messages"]))
        return {"messages": [AIMessage("answer " * 40, id=f"say-{state['messages'][-1].id}")]}

    built = StateGraph(schema)
    built.add_node("model", model)
    built.add_edge(START, "model")
    return built.compile(checkpointer=saver)


def add_messages_many(state: list[AnyMessage], writes: list[Any]) -> list[AnyMessage]:
    for write in writes:
        state = add_messages(state, write)
    return state


@pytest.mark.parametrize("frequency", [3, 1000])
def test_a_delta_channel_stays_with_the_inner_saver(twins, sessions_beside, frequency):
    mine, plain = twins
    graphs = [delta_talker(saver, frequency) for saver in (SessionSaver(sessions_beside, inner=mine), plain)]
    for graph in graphs:
        ask(talker(graph.checkpointer), *range(10))
        ask(graph, *range(10, 30))
    told = [graph.get_state(CONFIG).values["messages"] for graph in graphs]
    assert told[0] == told[1]
    assert len(told[0]) == 80
    assert delta_talker(mine, frequency).get_state(CONFIG).values["messages"] == told[1]


def test_attach_makes_the_messages_of_a_delta_channel_fit(inner_saver, sessions_beside):
    seen: list[int] = []
    ask(attach(delta_talker(SessionSaver(sessions_beside, inner=inner_saver), 1000, seen)), *range(60))
    assert max(seen) < 100
    assert len(delta_talker(inner_saver, 1000).get_state(CONFIG).values["messages"]) == 120
