"""DeltaChannels behind `SessionSaver`: people get what the graph's reducer makes, runs a view, the record all of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.message import REMOVE_ALL_MESSAGES, _messages_delta_reducer
from langgraph.types import Overwrite
from sealed_fill import RING
from talking_graphs import CONFIG, POLICY, ask, by_id, history, ids, opened, talker, told

from langchain_session import SessionSaver
from session_core import Sessions
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.memory import MemoryStore
from session_core.voices import run_blocking

OTHER = {"configurable": {"thread_id": "copy"}}
EVERY = pytest.mark.parametrize("every", [2, 1000])


@pytest.fixture(params=["sqlite", "redis"])
def sessions(request, servers, tmp_path) -> Iterator[Sessions]:
    with opened(servers, request.param, tmp_path) as made:
        yield made


def both(sessions: Sessions, every: int, **options: Any) -> tuple[Any, Any]:
    """The same graph behind our saver and behind LangGraph's own in memory."""
    return talker(SessionSaver(sessions), every=every, **options), talker(InMemorySaver(), every=every, **options)


def record(sessions: Sessions, thread: str = "t") -> list[str]:
    return ids(sessions.session(thread).record())


def last_three(state: list[AnyMessage], writes: Sequence[Any]) -> list[AnyMessage]:
    return _messages_delta_reducer(state, list(writes))[-3:]


@EVERY
def test_states_are_those_that_the_graph_has_and_the_record_is_whole(every, sessions):
    ours, theirs = both(sessions, every)
    for graph in (ours, theirs):
        ask(graph, 0, 1, durability="sync")
        ask(graph, 2, 3)
        ask(graph, 4, 5, durability="exit")
    assert history(ours) == history(theirs)
    assert record(sessions) == ids(theirs.get_state(CONFIG).values["messages"])


@EVERY
def test_a_run_gets_the_view_and_what_it_gives_back_of_it_is_no_part_of_the_state(every, sessions):
    seen: list[list[AnyMessage]] = []
    ours = talker(SessionSaver(sessions), every=every, seen=seen, whole=True)
    theirs = talker(InMemorySaver(), every=every, whole=True)
    for graph in (ours, theirs):
        ask(graph, *range(7))
    assert max(map(len, seen)) < 20
    assert history(ours) == history(theirs)
    assert record(sessions) == ids(theirs.get_state(CONFIG).values["messages"])


@pytest.mark.parametrize("every", [2, 1000])
def test_a_custom_reducer_determines_the_state(every, sessions):
    ours, theirs = both(sessions, every, reducer=last_three)
    for graph in (ours, theirs):
        ask(graph, *range(4))
    assert history(ours) == history(theirs)
    assert {f"h{turn}" for turn in range(4)} <= {m.id for m in sessions.session("t").record(all_branches=True)}


@pytest.mark.parametrize(("seed", "every"), [(3, 1), (11, 1000)])
def test_forks_edits_and_removals_give_the_same_state_as_without_us(seed, every, sessions):
    driven = Driven(random.Random(seed), *both(sessions, every))
    for step in range(16):
        driven.step()
        if step % 5 == 0:
            assert history(driven.ours) == history(driven.theirs), driven.done
        now = driven.theirs.get_state(CONFIG).values.get("messages", [])
        assert record(sessions) == ids(now), driven.done


CLEAR = [] if _messages_delta_reducer([HumanMessage("", id="m")], [[RemoveMessage(REMOVE_ALL_MESSAGES)]]) else ["clear"]
"""LangGraph's reducer for deltas knows how to remove all since 1.2.24; before it passes that by."""


class Driven:
    """One thread behind two savers, to which the same things happen."""

    def __init__(self, chance: random.Random, ours: Any, theirs: Any) -> None:
        self.chance, self.ours, self.theirs = chance, ours, theirs
        self.done: list[str] = []

    def step(self) -> None:
        kinds = ["run", "run", "edit", "remove", *CLEAR, "overwrite", "fork", "branch", "replay", "copy"]
        kind = self.chance.choice(kinds) if len(self.done) > 2 else "run"
        self.done.append(kind)
        name = f"{kind}{len(self.done)}"
        said: list[AnyMessage] = self.theirs.get_state(CONFIG).values.get("messages", [])
        one = self.chance.choice(said).id if said else None
        place = self.chance.random()
        for graph in (self.ours, self.theirs):
            self.happen(graph, kind, name, one, said, place)

    def happen(self, graph: Any, kind: str, name: str, one: str | None, said: list[AnyMessage], place: float) -> None:
        states = list(graph.get_state_history(CONFIG))
        then = states[int(place * len(states))].config if states else CONFIG
        new = {"messages": [HumanMessage(name, id=name)]}
        changes: dict[str, Any] = {
            "edit": [HumanMessage(name, id=one)],
            "remove": [RemoveMessage(one)] if one else [],
            "clear": [RemoveMessage(REMOVE_ALL_MESSAGES)],
            "overwrite": Overwrite(said[:2]),
        }
        if kind == "run":
            graph.invoke(new, CONFIG)
        elif kind in changes and one:
            graph.update_state(CONFIG, {"messages": changes[kind]}, as_node="count")
        elif kind == "fork":
            graph.update_state(then, new, as_node="count")
        elif kind == "branch":
            graph.invoke(new, then)
        elif kind == "replay":
            graph.invoke(None, then)
        elif kind == "copy":
            graph.update_state(then, None, as_node="__copy__")


@EVERY
def test_pruning_empties_nothing_and_leaves_one_checkpoint(every, sessions):
    ours, theirs = both(sessions, every)
    for first in (0, 4):
        for graph in (ours, theirs):
            ask(graph, *range(first, first + 4))
        ours.checkpointer.prune(["t"])
        assert history(ours) == [history(theirs)[0]]
        assert record(sessions) == ids(theirs.get_state(CONFIG).values["messages"])
    for graph in (ours, theirs):
        ask(graph, 9)
    assert told(ours.get_state(CONFIG)) == told(theirs.get_state(CONFIG))


@EVERY
def test_a_copy_has_its_deltas_and_goes_its_own_way(every, sessions):
    ours, theirs = both(sessions, every)
    for graph in (ours, theirs):
        ask(graph, *range(4))
    ours.checkpointer.copy_thread("t", "copy")
    assert by_id(ours, OTHER) == by_id(ours)
    for graph, config in ((ours, OTHER), (theirs, CONFIG)):
        ask(graph, 4, 5, config=config)
    assert told(ours.get_state(OTHER)) == told(theirs.get_state(CONFIG))
    assert len(record(sessions)) == 16
    ours.checkpointer.prune(["copy"])
    assert told(ours.get_state(OTHER)) == told(theirs.get_state(CONFIG))


@EVERY
def test_runs_that_are_deleted_leave_the_deltas_of_others_whole(every, sessions):
    ours, theirs = both(sessions, every)
    for graph in (ours, theirs):
        ask(graph, *range(6))
    before = by_id(ours)
    for run, left in (("r1", 5), ("r2", 4), ("r0", 3)):
        ours.checkpointer.delete_for_runs([run])
        after = by_id(ours)
        assert len(after) == left * len(before) // 6
        assert all(before[name] == state for name, state in after.items())
    assert len(record(sessions)) == 24
    ours.checkpointer.delete_for_runs(["r5", "r4"])
    assert told(ours.get_state(CONFIG)) in list(before.values())
    assert record(sessions) == ids(ours.get_state(CONFIG).values["messages"]) == ids(theirs_after(theirs, 16))
    ask(ours, 7)
    assert len(record(sessions)) == 20


def theirs_after(graph: Any, messages: int) -> list[AnyMessage]:
    states = graph.get_state_history(CONFIG)
    return next(s.values["messages"] for s in states if len(s.values.get("messages", [])) == messages)


@EVERY
def test_messages_added_meanwhile_are_in_the_next_run_and_later_states(every, sessions):
    graph = talker(SessionSaver(sessions), every=every)
    ask(graph, 0)
    sessions.session("t").append([{"role": "user", "content": "from a chain"}, {"role": "assistant", "content": "ok"}])
    assert [m.content for m in graph.get_state(CONFIG).values["messages"]][-2:] == ["from a chain", "ok"]
    ask(graph, 1, 2)
    kept = [m.content for m in graph.get_state(CONFIG).values["messages"] if m.type == "human"]
    assert kept == ["question 0", "from a chain", "question 1", "question 2"]
    assert record(sessions) == ids(graph.get_state(CONFIG).values["messages"])


@EVERY
def test_runs_at_once_lose_no_turn(every, sessions):
    async def talk():
        graph = talker(SessionSaver(sessions), every=every)
        await graph.ainvoke({"messages": [HumanMessage("start", id="h")]}, CONFIG)

        async def writer(name: int):
            for turn in range(2):
                await graph.ainvoke({"messages": [HumanMessage(f"{name}-{turn}", id=f"h{name}-{turn}")]}, CONFIG)

        await asyncio.gather(*(writer(name) for name in range(3)))
        await graph.ainvoke({"messages": [HumanMessage("end", id="e")]}, CONFIG)
        return (await graph.aget_state(CONFIG)).values["messages"]

    said = [m.content for m in asyncio.run(talk()) if m.type == "human"]
    assert sorted(said) == sorted(["start", "end", *(f"{w}-{t}" for w in range(3) for t in range(2))])


@EVERY
def test_a_pruned_thread_is_whole_where_it_is_moved_to(every, sessions):
    graph = talker(SessionSaver(sessions), every=every)
    ask(graph, *range(4))
    graph.checkpointer.prune(["t"])
    ask(graph, 4)
    there = InMemorySaver()
    graph.checkpointer.export_to(there)
    assert told(talker(there, every=every).get_state(CONFIG)) == told(graph.get_state(CONFIG))
    back = SessionSaver.import_from(there, url="memory://", policy=POLICY)
    assert told(talker(back, every=every).get_state(CONFIG)) == told(graph.get_state(CONFIG))
    assert record(back.sessions) == record(sessions)


class Scripted(GenericFakeChatModel):
    """A model that writes a file in each turn."""

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self


def answers() -> Iterator[AIMessage]:
    for n in count():
        call = {"name": "write_file", "args": {"file_path": f"/{n}.txt", "content": "x" * 50}, "id": f"c{n}"}
        yield AIMessage("", tool_calls=[call], id=f"a{n}")
        yield AIMessage(f"done {n}", id=f"b{n}")


def test_a_deep_agent_keeps_its_messages_and_files_when_its_thread_is_pruned(sessions):
    saver = SessionSaver(sessions)
    agent = create_deep_agent(model=Scripted(messages=answers()), checkpointer=saver)
    for turn in range(3):
        agent.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    before = agent.get_state(CONFIG).values
    saver.prune(["t"])
    assert agent.get_state(CONFIG).values == before
    assert len(before["files"]) == 3
    assert len(record(sessions)) == len(before["messages"]) == 12
    assert len(list(saver.list(CONFIG))) == 1
    agent.invoke({"messages": [HumanMessage("more", id="h3")]}, CONFIG)
    assert len(record(sessions)) == 16


def test_each_message_is_stored_once(sessions):
    graph = talker(SessionSaver(sessions), every=1)
    ask(graph, *range(10))
    state = run_blocking(sessions.store.state(sessions.session("t").key))
    assert state is not None
    assert state.ledger.messages == 40


def test_a_sealed_thread_keeps_its_deltas_when_it_is_pruned_and_copied():
    sessions = Sessions(EncryptedStore(MemoryStore(), RING), policy=POLICY)
    ours, theirs = both(sessions, 3)
    for graph in (ours, theirs):
        ask(graph, *range(5))
    ours.checkpointer.copy_thread("t", "copy")
    ours.checkpointer.prune(["t", "copy"])
    for config in (CONFIG, OTHER):
        assert told(ours.get_state(config)) == told(theirs.get_state(CONFIG))


@pytest.mark.parametrize("every", [1, 2, 3, 1000])
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_message_that_no_view_shows_is_removed_for_good(every, steps, sessions):
    """It is folded, or a call without a result; the reducer of a delta says nothing about ids that it does not have."""
    ours, theirs = both(sessions, every)
    for graph in (ours, theirs):
        ask(graph, *range(7))
        call = AIMessage("", tool_calls=[{"name": "look", "args": {}, "id": "open"}], id="a-open")
        graph.update_state(CONFIG, {"messages": [call, HumanMessage("never mind", id="h-open")]}, as_node="count")
        ask(graph, 7)
        gone = [RemoveMessage("h1"), RemoveMessage("a-open")]
        graph.invoke({"messages": [*gone, HumanMessage("so", id="h-so")]}, CONFIG, durability="sync")
        ask(graph, *range(8, 8 + steps))
    assert history(ours) == history(theirs)
    assert record(sessions) == ids(theirs.get_state(CONFIG).values["messages"])
    assert {"h1", "a-open"}.isdisjoint(record(sessions))
