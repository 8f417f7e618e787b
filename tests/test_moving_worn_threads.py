"""Moving LangGraph threads that are long, and from savers that threw something away or do not read what they list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from langchain_session import SessionSaver
from langchain_session.conversion import messages
from session_core import Sessions
from session_core.errors import Diverged, InputError

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    with Sessions("memory://") as opened:
        yield opened


def talk(checkpointer):
    """A graph that answers."""
    graph = StateGraph(MessagesState)
    graph.add_node("answer", lambda state: {"messages": [AIMessage(f"answer {len(state['messages'])}")]})
    graph.add_edge(START, "answer")
    return graph.compile(checkpointer=checkpointer)


def thrown_away(saver: InMemorySaver, kept: int) -> None:
    """Let a saver keep the newest checkpoints of the thread alone, as jobs that clean up do."""
    checkpoints = saver.storage["t"][""]
    for old in sorted(checkpoints)[:-kept]:
        del checkpoints[old]


def test_what_a_source_threw_away_since_stays_here(sessions):
    graph = talk(saver := InMemorySaver())
    graph.invoke({"messages": [HumanMessage("one", id="1")]}, CONFIG)
    graph.invoke({"messages": [HumanMessage("two", id="2")]}, CONFIG)
    SessionSaver.import_from(saver, sessions=sessions)
    before = [snapshot.values for snapshot in graph.get_state_history(CONFIG)]
    thrown_away(saver, 2)
    graph.invoke({"messages": [HumanMessage("three", id="3")]}, CONFIG)
    ours = talk(SessionSaver.import_from(saver, sessions=sessions))
    assert ours.get_state(CONFIG).values == graph.get_state(CONFIG).values
    assert [snapshot.values for snapshot in ours.get_state_history(CONFIG)][-len(before) :] == before
    assert len(sessions.session("t").record(all_branches=True)) == 6


def test_a_thread_that_went_on_here_is_refused_whatever_its_source_threw_away(sessions):
    graph = talk(saver := InMemorySaver())
    graph.invoke({"messages": [HumanMessage("one", id="1")]}, CONFIG)
    ours = talk(SessionSaver.import_from(saver, sessions=sessions))
    ours.invoke({"messages": [HumanMessage("here", id="2")]}, CONFIG)
    graph.invoke({"messages": [HumanMessage("there", id="3")]}, CONFIG)
    thrown_away(saver, 4)
    state = ours.get_state(CONFIG)
    with pytest.raises(Diverged, match="InMemorySaver keeps no older checkpoints"):
        SessionSaver.import_from(saver, sessions=sessions)
    assert ours.get_state(CONFIG) == state


def test_a_source_that_keeps_one_checkpoint_brings_in_what_was_said_since(sessions):
    graph = talk(saver := InMemorySaver())
    graph.invoke({"messages": [HumanMessage("one", id="1")]}, CONFIG)
    thrown_away(saver, 1)
    SessionSaver.import_from(saver, sessions=sessions)
    graph.invoke({"messages": [HumanMessage("two", id="2")]}, CONFIG)
    thrown_away(saver, 1)
    ours = talk(SessionSaver.import_from(saver, sessions=sessions))
    assert ours.get_state(CONFIG).values == graph.get_state(CONFIG).values
    assert len(list(ours.get_state_history(CONFIG))) == 2
    assert len(sessions.session("t").record(all_branches=True)) == 4
    ours.invoke({"messages": [HumanMessage("three", id="3")]}, CONFIG)
    assert [m.content for m in sessions.session("t").record()][-2:] == ["three", "answer 5"]


def test_a_source_that_keeps_one_checkpoint_is_refused_when_something_was_said_here(sessions):
    graph = talk(saver := InMemorySaver())
    graph.invoke({"messages": [HumanMessage("one", id="1")]}, CONFIG)
    SessionSaver.import_from(saver, sessions=sessions)
    sessions.session("t").append({"role": "user", "content": "here"})
    graph.invoke({"messages": [HumanMessage("two", id="2")]}, CONFIG)
    thrown_away(saver, 1)
    with pytest.raises(Diverged, match=r"call delete_thread\('t'\) of the SessionSaver and move the thread again"):
        SessionSaver.import_from(saver, sessions=sessions)
    assert [m.content for m in sessions.session("t").record()] == ["one", "answer 1", "here"]


class Counting(InMemorySaver):
    """A saver that counts how often it is asked for a list, for which it reads all that it has."""

    asked = 0

    def list(self, config, **which):
        self.asked += 1
        return super().list(config, **which)


def test_a_source_is_asked_once_for_all_its_threads(sessions):
    graph = talk(saver := Counting())
    for name in ("t", "u", "v"):
        graph.invoke({"messages": [HumanMessage("one", id="1")]}, {"configurable": {"thread_id": name}})
    SessionSaver.import_from(saver, sessions=sessions)
    assert saver.asked == 1
    assert [len(sessions.session(name).record()) for name in ("t", "u", "v")] == [2, 2, 2]


class Broken(InMemorySaver):
    """A saver that does not read what it lists: here those with that message."""

    def get_tuple(self, config):
        found = super().get_tuple(config)
        said = found.checkpoint["channel_values"].get("messages", []) if found else []
        return None if said and said[-1].id == "2" else found


def test_a_checkpoint_that_is_listed_and_not_read_is_told(sessions):
    graph = talk(saver := Broken())
    for name in "123":
        graph.update_state(CONFIG, {"messages": [HumanMessage(name, id=name)]}, as_node="answer")
    with pytest.raises(InputError, match="session t: the Broken lists 1 checkpoints that it does not read"):
        SessionSaver.import_from(saver, sessions=sessions)
    assert [m.id for m in talk(SessionSaver(sessions)).get_state(CONFIG).values["messages"]] == ["3"]


def test_a_thread_that_is_refused_hinders_no_other_one(sessions):
    graph = talk(saver := InMemorySaver())
    for thread in ("1", "t", "2"):
        graph.invoke({"messages": [HumanMessage("one", id="h")]}, {"configurable": {"thread_id": thread}})
    talk(SessionSaver(sessions)).invoke({"messages": [HumanMessage("here", id="o")]}, CONFIG)
    with pytest.raises(Diverged, match="1 of 3 were refused, the others were moved: session t: the thread in"):
        SessionSaver.import_from(saver, sessions=sessions)
    assert [len(sessions.session(thread).record()) for thread in ("1", "t", "2")] == [2, 2, 2]
    assert sessions.session("t").record()[0].content == "here"


def test_a_message_that_many_checkpoints_have_is_read_once(sessions, monkeypatch):
    read: list[str | None] = []
    neutral = messages._neutral
    monkeypatch.setattr(messages, "_neutral", lambda message, *args: read.append(message.id) or neutral(message, *args))
    graph = talk(saver := InMemorySaver())
    for n in range(4):
        graph.invoke({"messages": [HumanMessage("question", id=str(n), additional_kwargs={"n": n})]}, CONFIG)
    edited = HumanMessage("question", id="1", additional_kwargs={"n": 7})
    graph.update_state(CONFIG, {"messages": [edited]}, as_node="answer")
    ours = talk(SessionSaver.import_from(saver, sessions=sessions))
    # Once in the write that it came with, and once in all checkpoints.
    assert [read.count(name) for name in "0123"] == [2, 4, 2, 2]
    history = [graph_.get_state_history(CONFIG) for graph_ in (ours, graph)]
    assert [one.values for one in history[0]] == [one.values for one in history[1]]
