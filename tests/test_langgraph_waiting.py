"""While a thread waits for an answer, what its other nodes wrote is shown to people as it was said."""

from __future__ import annotations

from typing import Any

from edge_case_stores import CornerCase
from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.pregel import Pregel
from langgraph.types import Command, Send, interrupt
from side_by_side import CONFIG, SMALL, TURNS, State, Thread, called, result, said, told, user

from langchain_session import SessionSaver
from session_core import Sessions


def newest(state: State) -> int:
    """The number of the question that was asked last."""
    return max(int(m.id[1:]) for m in state["messages"] if m.id and m.id[1:].isdigit())


def results(n: int) -> list[AnyMessage]:
    return [result(n, i) for i in range(3)]


def asks(state: State) -> State:
    return {"messages": [HumanMessage(str(interrupt("may I?")), id=f"hr{newest(state)}")]}


def sent(saver: BaseCheckpointSaver) -> Pregel:
    """Sends the newest question to a subgraph with a record of its own, beside a node that asks."""
    inner = StateGraph(State)
    inner.add_node("looks", lambda state: {"messages": [called(newest(state), 3), *results(newest(state))]})
    inner.add_node("says", lambda state: {"messages": [said(newest(state), str(interrupt("first of all?")))]})
    inner.add_edge(START, "looks")
    inner.add_edge("looks", "says")
    outer = StateGraph(State)
    outer.add_node("first", lambda state: None)
    outer.add_node("inner", inner.compile(checkpointer=True))
    outer.add_node("asks", asks)
    outer.add_edge(START, "first")
    to_both: list[Any] = ["inner", "asks"]
    outer.add_conditional_edges(
        "first", lambda state: [Send("inner", {"messages": [state["messages"][-1]]}), "asks"], to_both
    )
    return outer.compile(checkpointer=saver)


def returns_all(saver: BaseCheckpointSaver) -> Pregel:
    """A node that gives back all that it was handed, beside one that asks."""
    built = StateGraph(State)
    built.add_node("says", lambda state: {"messages": [*state["messages"], said(newest(state))]})
    built.add_node("asks", asks)
    built.add_edge(START, "says")
    built.add_edge(START, "asks")
    return built.compile(checkpointer=saver)


async def waiting(thread: Thread) -> list[Any]:
    """What `get_state` shows whenever the thread waits, and at the end of each turn."""
    seen = []
    for n in range(TURNS):
        await thread.run({"messages": [user(n)]})
        state = await thread.state()
        while state.interrupts:
            seen.append(told(state.values["messages"]))
            first = min(state.interrupts, key=lambda one: str(one.value))
            await thread.run(Command(resume={first.id: f"yes {n}"}))
            state = await thread.state()
        seen.append(told(state.values["messages"]))
    return seen


def test_get_state_shows_the_whole_input_of_a_subgraph_with_its_own_record(corner: CornerCase) -> None:
    seen = corner.same(sent, waiting)
    assert len(seen[-1]) == 7 * TURNS


def test_get_state_shows_only_new_messages_of_a_node_that_returns_its_input(corner: CornerCase) -> None:
    seen = corner.same(returns_all, waiting)
    assert len(seen[-1]) == 3 * TURNS


def still_waiting(graph: Pregel) -> None:
    """Turns of the graph; of the last one the subgraph is over and the node beside it still asks."""
    for n in range(TURNS):
        graph.invoke({"messages": [user(n)]}, CONFIG)
        for _ in range(2 if n < TURNS - 1 else 1):
            first = min(graph.get_state(CONFIG).interrupts, key=lambda one: str(one.value))
            graph.invoke(Command(resume={first.id: f"yes {n}"}), CONFIG)


def test_exporting_an_interrupted_thread_contains_nothing_of_a_view():
    saver, theirs = SessionSaver(Sessions("memory://", policy=SMALL)), InMemorySaver()
    graph = sent(saver)
    still_waiting(graph)
    saver.export_to(theirs, "t")
    assert told(sent(theirs).get_state(CONFIG).values["messages"]) == told(graph.get_state(CONFIG).values["messages"])
    assert "llm_sessions" not in str(list(theirs.list(CONFIG)))


def test_an_inner_saver_gets_subgraph_writes_as_originals():
    inner, plain = InMemorySaver(), InMemorySaver()
    for saver in (SessionSaver(Sessions("memory://", policy=SMALL), inner=inner), plain):
        still_waiting(sent(saver))
    ours, theirs = (sent(saver).get_state(CONFIG).values["messages"] for saver in (inner, plain))
    assert told(ours) == told(theirs)
