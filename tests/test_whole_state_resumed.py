"""`SessionSaver(state="whole")`: runs go on after an interrupt, also in another state than they began in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt
from side_by_side import CONFIG
from side_by_side import told as words
from talking_graphs import POLICY, ask, ids, talker, told_of

from langchain_session import SessionSaver
from session_core import Sessions

TURNS = 8


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    with Sessions(policy=POLICY) as made:
        yield made


def asking(saver: Any, *, whole: bool) -> Any:
    """A node that asks a person, and one beside it that may give its whole input back."""

    class Told(TypedDict, total=False):
        messages: Annotated[list[AnyMessage], add_messages]

    def asks(state: Told) -> Told:
        answer = interrupt("go on?")
        return {"messages": [AIMessage(f"{answer} after {len(state['messages'])}", id="a-asked")]}

    def beside(state: Told) -> Told:
        said = [AIMessage("beside", id="a-beside")]
        return {"messages": [*state["messages"], *said] if whole else said}

    built = StateGraph(Told).add_node("asks", asks).add_node("beside", beside)
    return built.add_edge(START, "asks").add_edge(START, "beside").compile(checkpointer=saver)


@pytest.mark.parametrize("states", [("whole", "whole"), ("view", "whole"), ("whole", "view")])
@pytest.mark.parametrize("whole", [False, True])
def test_a_run_goes_on_after_an_interrupt_in_the_same_or_in_the_other_state(
    sessions: Sessions, states: Any, whole: bool
) -> None:
    before, after = (SessionSaver(sessions, state=state) for state in states)
    plain = InMemorySaver()
    for saver in (before, plain):
        ask(talker(saver), *range(TURNS))
        asking(saver, whole=whole).invoke({"messages": [HumanMessage("may I?", id="h-may")]}, CONFIG)
    ours, theirs = asking(after, whole=whole), asking(plain, whole=whole)
    out = [graph.invoke(Command(resume="yes"), CONFIG) for graph in (ours, theirs)]
    if states[1] == "whole":
        assert told_of(out[0]) == told_of(out[1])
        assert words(ours.get_state(CONFIG).values["messages"]) == words(theirs.get_state(CONFIG).values["messages"])
    assert ids(ours.get_state(CONFIG).values["messages"]) == ids(theirs.get_state(CONFIG).values["messages"])


def nested(saver: Any, *, kept: bool) -> Any:
    """A graph whose node is a graph that shares its messages, and asks a person."""

    def asks(state: MessagesState) -> Any:
        return {"messages": [AIMessage(f"{interrupt('go on?')} after {len(state['messages'])}", id="a-asked")]}

    def ends(state: MessagesState) -> Any:
        return {"messages": [AIMessage(f"end of {len(state['messages'])}", id=f"a-end-{len(state['messages'])}")]}

    inner = StateGraph(MessagesState).add_node("asks", asks).add_node("ends", ends)
    inner = inner.add_edge(START, "asks").add_edge("asks", "ends").compile(checkpointer=True if kept else None)
    return StateGraph(MessagesState).add_node("inner", inner).add_edge(START, "inner").compile(checkpointer=saver)


@pytest.mark.parametrize("states", [("whole", "whole"), ("view", "whole"), ("whole", "view")])
@pytest.mark.parametrize("kept", [False, True])
def test_a_subgraph_is_resumed_with_everything(sessions: Sessions, states: Any, kept: bool) -> None:
    before, after = (SessionSaver(sessions, state=state) for state in states)
    plain = InMemorySaver()
    for saver in (before, plain):
        ask(talker(saver), *range(TURNS))
        nested(saver, kept=kept).invoke({"messages": [HumanMessage("may I?", id="h-may")]}, CONFIG)
    ours, theirs = nested(after, kept=kept), nested(plain, kept=kept)
    waiting = [graph.get_state(CONFIG, subgraphs=True).tasks[0].state.values["messages"] for graph in (ours, theirs)]
    assert words(waiting[0]) == words(waiting[1])
    out = [graph.invoke(Command(resume="yes"), CONFIG) for graph in (ours, theirs)]
    now = [graph.get_state(CONFIG).values["messages"] for graph in (ours, theirs)]
    if states == ("whole", "whole"):
        assert told_of(out[0]) == told_of(out[1])
        assert words(now[0]) == words(now[1])
    assert len(now[0]) == len(now[1])
    assert ids(sessions.session("t").record()) == ids(now[0])
