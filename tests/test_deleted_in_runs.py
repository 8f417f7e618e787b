"""A thread deleted while a run goes on: the run stores all that it has, and nothing refers to the old record."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from every_store import KINDS, Servers
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from redis_server import redis_server
from side_by_side import CONFIG
from talking_graphs import ids

from langchain_session import SessionSaver
from langchain_session.conversion.marks import mark_of
from session_core import Budget, Message, Policy, Sessions
from session_core.ranges import Ranges
from session_core.stores.memory import MemoryStore
from session_core.voices import run_blocking

TURNS = 6
DURING = 3
"""The turn in which the thread is deleted; its view has a digest and clips then."""
ROWS = "\n".join(f"row {n} has the value {n * 7}" for n in range(300))


POLICY = Policy(Budget(2_500, reply_reserve_tokens=0), folding="inline")


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    with Sessions(policy=POLICY) as made:
        yield made


def looker(saver: Any, after: Any = lambda turn: None) -> Any:
    """A graph that calls a tool with a large result in each turn; `after` runs once it has the call."""

    def call(state: MessagesState) -> Any:
        turn = str(state["messages"][-1].id)[1:]
        after(int(turn))
        calls = [{"name": "look", "args": {}, "id": f"c{turn}"}]
        return {"messages": [AIMessage("", id=f"a{turn}", tool_calls=calls)]}

    def look(state: MessagesState) -> Any:
        name = state["messages"][-1].tool_calls[0]["id"]
        return {"messages": [ToolMessage(f"{name}\n{ROWS}", tool_call_id=name, id=f"t{name[1:]}")]}

    def end(state: MessagesState) -> Any:
        return {"messages": [AIMessage("done", id=f"d{str(state['messages'][-1].id)[1:]}")]}

    graph = StateGraph(MessagesState).add_node("call", call).add_node("look", look).add_node("end", end)
    graph.add_edge(START, "call").add_edge("call", "look").add_edge("look", "end")
    return graph.compile(checkpointer=saver)


def ask(app: Any, turn: int, **how: Any) -> list[BaseMessage]:
    given = {"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}
    messages: list[BaseMessage] = app.invoke(given, CONFIG, **how)["messages"]
    return messages


def turn_of(turn: int) -> list[str]:
    return [f"{kind}{turn}" for kind in "hatd"]


def require_true(sessions: Sessions) -> None:
    """Everything that refers to the record refers to messages that are in it."""
    session = sessions.session("t")
    loaded = run_blocking(sessions.store.load(session.key))
    log = {message.seq for message in session.record(all_branches=True)}
    covers = loaded.digest.covers if loaded.digest is not None else Ranges()
    shown = [seq for message in session.view().messages for seq in (message.seq, *message.covers) if seq]
    assert {*loaded.state.head, *covers, *shown} <= log


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_stores_what_its_view_shows_of_a_thread_that_is_deleted(
    servers: Servers, tmp_path: Path, kind: str, inside: bool
) -> None:
    with servers.place(kind, tmp_path) as place, Sessions(place.store, policy=POLICY) as sessions:
        saver = SessionSaver(sessions, inner=InMemorySaver() if inside else None)
        app = looker(saver, lambda turn: saver.delete_thread("t") if turn == DURING else None)
        for turn in range(TURNS):
            out = ask(app, turn)
            own = [message for message in out if "origin" not in (mark_of(message) or {})]
            if turn == DURING:
                had = ids(own)
                assert had == [*turn_of(DURING - 2), *turn_of(DURING - 1), *turn_of(DURING)]
                assert [len(own[place].content) < len(ROWS) for place in (2, 6, 10)] == [True, True, False]
            if turn >= DURING:
                state = app.get_state(CONFIG).values["messages"]
                assert ids(state) == [*had, *(name for later in range(DURING + 1, turn + 1) for name in turn_of(later))]
                assert not any(message.additional_kwargs for message in state)
            require_true(sessions)


def test_a_thread_that_began_again_meanwhile_has_both(sessions: Sessions) -> None:
    saver = SessionSaver(sessions)

    def during(turn: int) -> None:
        if turn == DURING:
            sessions.session("t").delete()
            for n in range(20):
                sessions.session("t").append([Message("user", f"anew {n}", id=f"n{n}")])

    app = looker(saver, during)
    for turn in range(DURING + 2):
        ask(app, turn, durability="sync")
    anew = [f"n{n}" for n in range(20)]
    own = [name for turn in range(DURING - 2, DURING + 2) for name in turn_of(turn)]
    assert ids(app.get_state(CONFIG).values["messages"]) == [*anew, *own]
    require_true(sessions)


class Deleting(MemoryStore):
    """Deletes the session once, right behind a write of the turn `DURING`."""

    armed = False

    async def put_checkpoint(self, checkpoint: Any, new_values: Any, **how: Any) -> Any:
        done = await super().put_checkpoint(checkpoint, new_values, **how)
        if self.armed and done.new:
            self.armed = False
            await self.delete(checkpoint.key)
        return done


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("during", [0, DURING])
def test_a_thread_deleted_right_behind_a_write_goes_on(inside: bool, during: int) -> None:
    store = Deleting()
    with Sessions(store, policy=POLICY) as sessions:
        app = looker(SessionSaver(sessions, inner=InMemorySaver() if inside else None))
        for turn in range(TURNS):
            store.armed = turn == during
            ask(app, turn)
        assert not store.armed
        state = ids(app.get_state(CONFIG).values["messages"])
        assert state[-4 * (TURNS - during) :] == [name for turn in range(during, TURNS) for name in turn_of(turn)]
        require_true(sessions)


class Counting(MemoryStore):
    """Counts what a run asks for."""

    states = 0

    async def state(self, key: Any) -> Any:
        self.states += 1
        return await super().state(key)


@pytest.mark.parametrize("state", ["view", "whole"])
def test_a_step_of_a_run_does_not_ask_whether_its_thread_is_there(state: Any) -> None:
    store = Counting()
    with Sessions(store) as sessions:
        app, steps = looker(SessionSaver(sessions, state=state)), list[int]()
        ask(app, 0)
        during = looker(app.checkpointer, lambda turn: steps.append(store.states))
        ask(during, 1)
        assert store.states == steps[0]


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("turns", [0, 1])
def test_what_a_server_lost_during_a_run_is_stored_anew(turns: int, inside: bool) -> None:
    """As after a crash or a failover: the session is the same, and its last messages are gone."""
    steps = 6
    with redis_server(appendonly="no", save="") as server, Sessions(server.url) as sessions:

        def step(at: int, state: MessagesState) -> Any:
            turn = sum(message.type == "human" for message in state["messages"]) - 1
            if turn == turns and at == 2:
                server.client().save()
            if turn == turns and at == 4:
                server.kill()
                server.start()
            return {"messages": [AIMessage(f"step {at}", id=f"s{turn}.{at}")]}

        graph = StateGraph(MessagesState)
        for at in range(steps):
            graph.add_node(f"n{at}", partial(step, at)).add_edge(START if at == 0 else f"n{at - 1}", f"n{at}")
        app = graph.compile(checkpointer=SessionSaver(sessions, inner=InMemorySaver() if inside else None))
        for turn in range(turns + 2):
            ask(app, turn, durability="sync")
        all_said = [one for n in range(turns + 2) for one in (f"h{n}", *(f"s{n}.{at}" for at in range(steps)))]
        assert ids(app.get_state(CONFIG).values["messages"]) == all_said
        assert [message.id for message in sessions.session(CONFIG["configurable"]["thread_id"]).record()] == all_said
