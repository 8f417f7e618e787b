"""Runs in every corner: durability, time travel, forks, interrupts, subgraphs, `Send`, `Command`, functions."""

from __future__ import annotations

import operator
import time
from typing import Annotated, Any, TypedDict

import pytest
from edge_case_stores import CornerCase
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.pregel import Pregel
from langgraph.types import Command, Send, interrupt
from side_by_side import Thread, called, long, result, said, told, user

from langchain_session import SessionSaver

TURNS = 4


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    say: list[AnyMessage]


def talker(saver: BaseCheckpointSaver) -> Pregel:
    """A graph of a call, its result and an answer a turn, in three supersteps; it says what the input tells it."""
    built = StateGraph(State)
    for place, name in enumerate(["calls", "looks", "answers"]):
        built.add_node(name, lambda state, place=place: {"messages": state["say"][place : place + 1]})
    built.add_edge(START, "calls")
    built.add_edge("calls", "looks")
    built.add_edge("looks", "answers")
    return built.compile(checkpointer=saver)


def turn(n: int) -> State:
    return {"messages": [user(n)], "say": [called(n), result(n), said(n)]}


async def talked(thread: Thread, turns: int = TURNS, **how: Any) -> None:
    for n in range(turns):
        await thread.run(turn(n), **how)


async def all_of(thread: Thread) -> list[Any]:
    """The conversation, and that of each checkpoint; the same as the session's own record."""
    now = told((await thread.state()).values["messages"])
    if thread.sessions is not None:
        session = thread.sessions.session("t")
        record = await session.arecord() if thread.awaiting else session.record()
        assert [m.content for m in record] == [m[1] for m in now]
        assert not [m for m in record if m.origin != "record" or "llm_sessions" in str(m.native)]
    return [now, [told(found.values.get("messages", [])) for found in await thread.history()]]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_all_durability_modes_store_the_same(corner: CornerCase, durability: str) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread, durability=durability)
        return await all_of(thread)

    now, history = corner.same(talker, script)
    assert len(now) == 4 * TURNS
    assert len(history) == (TURNS if durability == "exit" else 5 * TURNS)


def test_time_travel_continues_from_the_chosen_checkpoint(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        await thread.run(turn(40), await thread.at(8))
        early = await all_of(thread)
        await thread.run(turn(41))
        await thread.run(turn(42), await thread.at(12))
        return early, await all_of(thread)

    early, late = corner.same(talker, script)
    assert [len(early[0]), len(late[0])] == [12, 16]


@pytest.mark.parametrize("as_node", ["answers", "calls"])
def test_a_fork_by_update_goes_on(corner: CornerCase, as_node: str) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        values = {"messages": [HumanMessage("edited", id="h1"), user(30)], "say": turn(31)["say"]}
        forked = await thread.update(values, await thread.at(12), as_node)
        halfway = await all_of(thread)
        await thread.run(None, forked)
        await thread.update({"messages": [RemoveMessage("t0.0")]}, as_node="answers")
        return halfway, await all_of(thread)

    corner.same(talker, script)


def test_a_replay_runs_again_what_came_after(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        await thread.run(None, await thread.at(13, settled=False))
        first = await all_of(thread)
        await thread.run(turn(20))
        await thread.run(None, await thread.at(2, settled=False))
        return first, await all_of(thread)

    first, second = corner.same(talker, script)
    assert [len(first[0]), len(second[0])] == [16, 4]


def asker(saver: BaseCheckpointSaver) -> Pregel:
    """Two nodes at once: one speaks, the other asks, and says what it is answered."""

    def asks(state: State) -> State:
        return {"messages": [AIMessage(str(interrupt("may I?")), id=f"ab{len(state['say'])}{state['say'][0].id}")]}

    built = StateGraph(State)
    built.add_node("speaks", lambda state: {"messages": state["say"]})
    built.add_node("asks", asks)
    built.add_edge(START, "speaks")
    built.add_edge(START, "asks")
    return built.compile(checkpointer=saver)


@pytest.mark.parametrize("durability", ["async", "exit"])
def test_writes_of_sibling_tasks_survive_an_interrupt(corner: CornerCase, durability: str) -> None:
    async def script(thread: Thread) -> Any:
        seen = []
        for n in range(TURNS):
            await thread.run(turn(n), durability=durability)
            waiting = await thread.state()
            seen.append((told(waiting.values["messages"]), waiting.next, len(waiting.interrupts)))
            await thread.run(Command(resume=f"yes {n}"), durability=durability)
        return seen, await all_of(thread)

    seen, (now, _) = corner.same(asker, script)
    assert {waits for _, *waits in [(s[0], len(s[1]), s[2]) for s in seen] for waits in [tuple(waits)]} == {(1, 1)}
    assert [m[1] for m in now if m[1].startswith("yes")] == [f"yes {n}" for n in range(TURNS)]


def breaker(saver: BaseCheckpointSaver) -> Pregel:
    """Two nodes at once: one gives its whole input back and more, the other breaks at its first try."""
    broken: set[str] = set()

    def breaks(state: State) -> State:
        name = state["say"][0].id or ""
        if name not in broken:
            broken.add(name)
            time.sleep(0.1)
            raise ConnectionError
        return {"messages": [AIMessage(f"mended {name}", id=f"am{name}")]}

    built = StateGraph(State)
    built.add_node("speaks", lambda state: {"messages": [*state["messages"], *state["say"]]})
    built.add_node("breaks", breaks)
    built.add_edge(START, "speaks")
    built.add_edge(START, "breaks")
    return built.compile(checkpointer=saver)


@pytest.mark.parametrize("durability", ["sync", "exit"])
def test_a_failed_run_can_be_resumed(corner: CornerCase, durability: str) -> None:
    async def script(thread: Thread) -> Any:
        for n in range(TURNS):
            with pytest.raises(ConnectionError):
                await thread.run(turn(n), durability=durability)
            await thread.run(None, durability=durability)
        return await all_of(thread)

    now, _ = corner.same(breaker, script)
    assert len(now) == 5 * TURNS


def nested(keeps: bool | None) -> Any:
    """A graph whose one node is a graph with the same messages, which asks in the middle."""

    def build(saver: BaseCheckpointSaver) -> Pregel:
        def asks(state: State) -> State:
            interrupt("go on?")
            return {"messages": []}

        inner = StateGraph(State)
        inner.add_node("calls", lambda state: {"messages": state["say"][:2]})
        inner.add_node("asks", asks)
        inner.add_node("answers", lambda state: {"messages": state["say"][2:]})
        inner.add_edge(START, "calls")
        inner.add_edge("calls", "asks")
        inner.add_edge("asks", "answers")
        outer = StateGraph(State)
        outer.add_node("inner", inner.compile(checkpointer=keeps))
        outer.add_edge(START, "inner")
        return outer.compile(checkpointer=saver)

    return build


@pytest.mark.parametrize("keeps", [None, True], ids=["per-call", "per-thread"])
def test_a_resumed_subgraph_returns_the_originals_of_its_input(corner: CornerCase, keeps: bool | None) -> None:
    async def script(thread: Thread) -> Any:
        inside = []
        for n in range(TURNS):
            await thread.run(turn(n))
            below = (await thread.state(subgraphs=True)).tasks[0].state
            inside.append({m.id: m.content for m in below.values["messages"]})
            await thread.run(Command(resume="yes"))
        return inside, await all_of(thread)

    inside, (now, _) = corner.same(nested(keeps), script)
    assert len(now) == 4 * TURNS
    assert len(inside[-1]) == 4 * TURNS - 1


async def looked_into(thread: Thread) -> Any:
    """What a subgraph holds while it asks, at each turn; questions are short, so that views show them beside a digest
    of what was said before and after them."""
    inside = []
    for n in range(TURNS):
        await thread.run({"messages": [user(n, f"question {n}")], "say": [called(n), result(n), said(n)]})
        below = (await thread.state(subgraphs=True)).tasks[0].state
        inside.append(told(below.values["messages"]))
        await thread.run(Command(resume="yes"))
    return inside


def test_what_stands_in_the_middle_of_a_digest_has_its_place_in_a_subgraph(corner: CornerCase) -> None:
    inside = corner.same(nested(None), looked_into)
    assert len(inside[-1]) == 4 * TURNS - 1


def test_what_stands_in_the_middle_of_a_digest_has_its_place_in_an_inner_saver(corner: CornerCase) -> None:
    def beside(saver: BaseCheckpointSaver) -> Pregel:
        if not isinstance(saver, SessionSaver):
            return nested(None)(saver)
        return nested(None)(SessionSaver(saver.sessions, inner=InMemorySaver()))

    inside = corner.same(beside, looked_into)
    assert len(inside[-1]) == 4 * TURNS - 1


@pytest.mark.parametrize("keeps", [None, True], ids=["per-call", "per-thread"])
def test_a_subgraph_is_replayed(corner: CornerCase, keeps: bool | None) -> None:
    async def script(thread: Thread) -> Any:
        for n in range(TURNS):
            await thread.run(turn(n))
            await thread.run(Command(resume="yes"))
        await thread.run(None, await thread.at(9, settled=False))
        below = (await thread.state(subgraphs=True)).tasks[0].state
        await thread.run(Command(resume="again"))
        return [m.id for m in below.values["messages"]], await all_of(thread)

    inside, (now, _) = corner.same(nested(keeps), script)
    assert inside[-3:] == ["h2", "ac2", "t2.0"]
    assert len(now) == 12


@pytest.mark.parametrize("keeps", [None, True], ids=["per-call", "per-thread"])
def test_a_subgraph_is_replayed_from_before_it_said_anything(corner: CornerCase, keeps: bool | None) -> None:
    async def script(thread: Thread) -> Any:
        for n in range(TURNS):
            await thread.run(turn(n))
            await thread.run(Command(resume="yes"))
        await thread.run(None, await thread.at(1, settled=False))
        inside = (await thread.state(subgraphs=True)).tasks[0].state
        await thread.run(Command(resume="again"))
        await thread.run(turn(20))
        below = (await thread.state(subgraphs=True)).tasks[0].state
        return [{m.id for m in found.values["messages"]} for found in (inside, below)], await all_of(thread)

    (inside, below), (now, _) = corner.same(nested(keeps), script)
    assert inside == {"h0", "ac0", "t0.0"}
    assert below == {"h0", "ac0", "t0.0", "a0", "h20", "ac20", "t20.0"}
    assert len(now) == 5


def test_a_subgraph_may_be_looked_into_and_changed(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await thread.run(turn(0))
        await thread.run(Command(resume="yes"))
        for n in range(1, TURNS):
            await thread.run(turn(n))
            below = (await thread.state(subgraphs=True)).tasks[0].state
            await thread.update({"messages": [HumanMessage(f"in between {n}", id=f"hb{n}")]}, below.config, "calls")
            await thread.run(None)
            await thread.run(Command(resume="yes"))
        return await all_of(thread)

    now, _ = corner.same(nested(None), script)
    assert sum(m[1].startswith("in between") for m in now) == TURNS - 1


def test_sends_and_commands_reach_their_nodes(corner: CornerCase) -> None:
    class Fanned(State):
        parts: Annotated[list[str], operator.add]

    def build(saver: BaseCheckpointSaver) -> Pregel:
        def splits(state: Fanned) -> Command[Any]:
            work = [Send("works", {"messages": state["messages"], "say": [message]}) for message in state["say"]]
            return Command(update={"messages": [said(len(state["parts"]) + 500)], "parts": ["split"]}, goto=work)

        def works(state: Fanned) -> dict[str, Any]:
            interrupt("go on?")
            return {"messages": [*state["messages"][-2:], *state["say"]], "parts": [state["say"][0].id]}

        built = StateGraph(Fanned)
        built.add_node("splits", splits)
        built.add_node("works", works)
        built.add_edge(START, "splits")
        return built.compile(checkpointer=saver)

    async def script(thread: Thread) -> Any:
        for n in range(TURNS):
            await thread.run({"messages": [user(n)], "say": [said(n), said(100 + n)], "parts": []})
            asked = (await thread.state()).interrupts
            await thread.run(Command(resume={one.id: "yes" for one in asked}, update={"parts": ["resumed"]}))
        return (await thread.state()).values["parts"], await all_of(thread)

    parts, (now, _) = corner.same(build, script)
    assert len(now) == 4 * TURNS
    assert len(parts) == 4 * TURNS


def test_a_function_remembers_what_it_saved(corner: CornerCase) -> None:
    def build(saver: BaseCheckpointSaver) -> Pregel:
        @task
        def answers(n: int) -> AIMessage:
            return said(n)

        @entrypoint(checkpointer=saver)
        def talks(given: dict[str, Any], *, previous: list[AnyMessage] | None = None) -> Any:
            messages = add_messages(previous or [], given["messages"])
            answer = answers(given["n"]).result()
            if given.get("asks"):
                interrupt("go on?")
            messages = add_messages(messages, [answer])
            return entrypoint.final(value=len(messages), save=messages)

        return talks

    async def script(thread: Thread) -> Any:
        counts = []
        for n in range(TURNS):
            await thread.run({"messages": [user(n)], "n": n, "asks": n % 2})
            counts.append(await thread.run(Command(resume="yes")) if n % 2 else None)
        state = await thread.state()
        before = [told(found.values) if isinstance(found.values, list) else None for found in await thread.history()]
        if thread.sessions is not None:
            assert thread.sessions.session("t").search("question") == [] if not thread.awaiting else True
        return counts, state.values, before

    counts, _, _ = corner.same(build, script)
    assert counts[-1] == 2 * TURNS


def test_all_messages_may_be_removed_in_a_run(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        kept = [AIMessage(long("summary", 30), id="as"), said(TURNS - 1)]
        say = [RemoveMessage(REMOVE_ALL_MESSAGES), *kept]
        await thread.run({"messages": [user(50)], "say": [say, result(9), said(51)]})
        first = await all_of(thread)
        await talked(thread, 2)
        await thread.update({"messages": [RemoveMessage(REMOVE_ALL_MESSAGES)]}, as_node="answers")
        return first, await all_of(thread)

    def build(saver: BaseCheckpointSaver) -> Pregel:
        built = StateGraph(State)
        built.add_node("calls", lambda state: {"messages": state["say"][0]})
        built.add_node("answers", lambda state: {"messages": state["say"][1:]})
        built.add_edge(START, "calls")
        built.add_edge("calls", "answers")
        return built.compile(checkpointer=saver)

    first, _ = corner.same(build, script)
    assert [m[2] for m in first[0]] == ["as", f"a{TURNS - 1}", "t9.0", "a51"]


def test_a_pending_call_keeps_its_place_when_the_shown_messages_are_edited(corner: CornerCase) -> None:
    """No view shows such a call, so a list of nothing but new versions names it in no way."""

    def build(saver: BaseCheckpointSaver) -> Pregel:
        built = StateGraph(State)
        built.add_node("says", lambda state: {"messages": state["say"]})
        built.add_edge(START, "says")
        return built.compile(checkpointer=saver)

    async def script(thread: Thread) -> list[Any]:
        await thread.run({"messages": [user(1)], "say": [called(1)]})
        await thread.run({"messages": [user(2)], "say": [AIMessage("well", id="a2")]})
        edits = [HumanMessage(f"edited {n}", id=user(n).id) for n in (1, 2)]
        edits.append(AIMessage("edited", id="a2"))
        await thread.run({"messages": edits, "say": [AIMessage("done", id="a3")]})
        return await all_of(thread)

    now, _ = corner.same(build, script)
    assert len(now) == 5
