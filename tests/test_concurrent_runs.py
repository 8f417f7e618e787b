"""Runs on one thread at the same time: merged, one behind the other, or rejected; on real stores, in both voices."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import Command, interrupt

from langchain_session import SessionSaver
from session_core import Budget, Policy, Sessions
from session_core.errors import ConfigError, Conflict, TurnLost, TurnTaken

POLICY = Policy(Budget(8_000, reply_reserve_tokens=0), folding="inline")
CONFIG = {"configurable": {"thread_id": "t"}}
WRITERS, TURNS = 4, 2


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def sessions(request, servers, tmp_path, monkeypatch):
    savers: list[SessionSaver] = []

    class Noted(SessionSaver):
        """Is closed before its store: what it gave back later would open connections anew."""

        def __init__(self, *args, **options) -> None:
            super().__init__(*args, **options)
            savers.append(self)

    monkeypatch.setitem(globals(), "SessionSaver", Noted)
    with servers.place(request.param, tmp_path) as place:
        yield Sessions(place.store, policy=POLICY)
        for saver in savers:
            saver.close()


@pytest.fixture
def forgetful():
    with Sessions("memory://", policy=POLICY) as opened:
        yield opened


def asked_in_two_steps(saver, seen: list[list[str]]):
    """A graph that answers a question in two steps, and notes what each run began with."""

    def first(state: State):
        seen.append([str(m.content) for m in state["messages"]])
        return {"messages": [AIMessage("thinking about " + str(state["messages"][-1].content))]}

    def second(state: State):
        return {"messages": [AIMessage("done with " + str(state["messages"][-1].content))]}

    built = StateGraph(State)
    built.add_sequence([("first", first), ("second", second)])
    built.add_edge(START, "first")
    return built.compile(checkpointer=saver)


def in_threads(graph) -> None:
    def write(writer: int) -> None:
        for turn in range(TURNS):
            graph.invoke({"messages": [HumanMessage(f"{writer}-{turn}", id=f"h{writer}-{turn}")]}, CONFIG)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))


def in_tasks(graph) -> None:
    async def write(writer: int) -> None:
        for turn in range(TURNS):
            await graph.ainvoke({"messages": [HumanMessage(f"{writer}-{turn}", id=f"h{writer}-{turn}")]}, CONFIG)

    async def all_of_them() -> None:
        await asyncio.gather(*map(write, range(WRITERS)))

    asyncio.run(all_of_them())


@pytest.mark.parametrize("at_once", [in_threads, in_tasks])
def test_serialized_runs_are_recorded_one_after_the_other(sessions, at_once):
    seen: list[list[str]] = []
    at_once(asked_in_two_steps(SessionSaver(sessions, concurrency="serialize"), seen))
    said = [m.content for m in sessions.session("t").record()]
    users = said[::3]
    assert len(said) == 3 * WRITERS * TURNS
    assert sorted(users) == sorted(f"{w}-{t}" for w in range(WRITERS) for t in range(TURNS))
    assert said[1::3] == [f"thinking about {name}" for name in users]
    assert said[2::3] == [f"done with thinking about {name}" for name in users]
    assert seen == [said[: 3 * run + 1] for run in range(WRITERS * TURNS)]


@pytest.mark.parametrize("at_once", [in_threads, in_tasks])
def test_merged_runs_lose_nothing(sessions, at_once):
    at_once(asked_in_two_steps(SessionSaver(sessions), []))
    said = [m.content for m in sessions.session("t").record()]
    names = [f"{w}-{t}" for w in range(WRITERS) for t in range(TURNS)]
    expected = [text for n in names for text in (n, f"thinking about {n}", f"done with thinking about {n}")]
    assert sorted(said) == sorted(expected)


class Halfway:
    """A graph whose run waits in the middle until it is let on."""

    def __init__(self, saver) -> None:
        self.reached, self.go = threading.Event(), threading.Event()

        def wait(state: State):
            if state["messages"][-1].content.startswith("slow"):
                self.reached.set()
                assert self.go.wait(60)
            return {"messages": [AIMessage("answer")]}

        built = StateGraph(State)
        built.add_node("wait", wait)
        built.add_edge(START, "wait")
        self.graph = built.compile(checkpointer=saver)
        self._pool = ThreadPoolExecutor(1)

    def begin(self, awaiting: bool, text: str = "slow"):
        """A run that stands in its node now, with its future."""
        said = {"messages": [HumanMessage(text, id=text)]}
        if awaiting:
            run = self._pool.submit(lambda: asyncio.run(self.graph.ainvoke(said, CONFIG, durability="sync")))
        else:
            run = self._pool.submit(lambda: self.graph.invoke(said, CONFIG, durability="sync"))
        assert self.reached.wait(60)
        return run

    def ask(self, text: str, awaiting: bool, config=CONFIG):
        """Another run meanwhile."""
        said = {"messages": [HumanMessage(text, id=text)]}
        if awaiting:
            return asyncio.run(self.graph.ainvoke(said, config))
        return self.graph.invoke(said, config)


both_voices = pytest.mark.parametrize("awaiting", [False, True], ids=["blocking", "awaiting"])


@both_voices
def test_a_run_that_waits_too_long_gets_an_error_with_thread_and_fix(sessions, awaiting):
    half = Halfway(SessionSaver(sessions, concurrency="serialize", wait_s=0.05))
    run = half.begin(awaiting)
    with pytest.raises(TurnTaken, match=r"session t: .* wait longer with wait_s="):
        half.ask("hasty", awaiting)
    half.go.set()
    run.result(60)
    half.ask("next", awaiting)
    assert [m.content for m in sessions.session("t").record()] == ["slow", "answer", "next", "answer"]


@both_voices
def test_an_inactive_run_loses_its_turn_and_stores_nothing_more(sessions, awaiting):
    half = Halfway(SessionSaver(sessions, concurrency="serialize", turn_ttl_s=0.3))
    run = half.begin(awaiting)
    half.ask("next", awaiting)
    half.go.set()
    with pytest.raises(TurnLost):
        run.result(60)
    half.ask("after", awaiting)
    record = [m.content for m in sessions.session("t").record()]
    assert record == ["slow", "next", "answer", "after", "answer"]


@both_voices
def test_a_run_whose_thread_went_on_is_rejected(sessions, awaiting):
    half = Halfway(SessionSaver(sessions, concurrency="reject"))
    half.ask("before", awaiting)
    run = half.begin(awaiting)
    half.ask("quick", awaiting)
    newest = half.graph.get_state(CONFIG).config["configurable"]["checkpoint_id"]
    half.go.set()
    with pytest.raises(Conflict, match=newest):
        run.result(60)
    said = [m.content for m in sessions.session("t").record()]
    assert said == ["before", "answer", "slow", "quick", "answer"]


@both_voices
def test_of_two_first_runs_one_is_rejected(sessions, awaiting):
    half = Halfway(SessionSaver(sessions, concurrency="reject"))
    run = half.begin(awaiting)
    half.ask("quick", awaiting)
    half.go.set()
    with pytest.raises(Conflict):
        run.result(60)


@both_voices
def test_a_fork_is_not_rejected(sessions, awaiting):
    half = Halfway(SessionSaver(sessions, concurrency="reject"))
    half.ask("one", awaiting)
    early = half.graph.get_state(CONFIG).config
    half.ask("two", awaiting)
    half.ask("another way", awaiting, early)
    half.ask("and on", awaiting)
    said = [m.content for m in sessions.session("t").record()]
    assert said == ["one", "answer", "another way", "answer", "and on", "answer"]


def test_update_state_is_never_rejected_but_the_run_it_overtook_is(sessions):
    half = Halfway(SessionSaver(sessions, concurrency="reject"))
    half.ask("one", False)
    run = half.begin(False)
    half.graph.update_state(CONFIG, {"messages": [HumanMessage("a person", id="p")]}, as_node="wait")
    half.go.set()
    with pytest.raises(Conflict):
        run.result(60)
    assert "a person" in [m.content for m in sessions.session("t").record()]


@both_voices
def test_a_run_started_during_another_is_recorded_after_it(sessions, awaiting):
    first, second = (Halfway(SessionSaver(sessions)) for _ in range(2))
    runs = [half.begin(awaiting, name) for half, name in ((first, "slow"), (second, "slow too"))]
    for half, run in zip((first, second), runs, strict=True):
        half.go.set()
        run.result(60)
    said = [m.content for m in sessions.session("t").record()]
    assert said == ["slow", "answer", "slow too", "answer"]


def asks_first(saver):
    """A graph whose tool waits for a person's yes."""

    def model(state: State):
        if state["messages"][-1].type == "human":
            return {"messages": [AIMessage("", tool_calls=[{"name": "pay", "args": {}, "id": "c"}])]}
        return {"messages": [AIMessage("done")]}

    def pay(state: State):
        return {"messages": [ToolMessage(interrupt("Really?"), tool_call_id="c")]}

    built = StateGraph(State)
    built.add_node("model", model)
    built.add_node("pay", pay)
    built.add_edge(START, "model")
    built.add_conditional_edges("model", lambda state: "pay" if state["messages"][-1].tool_calls else END)
    built.add_edge("pay", "model")
    return built.compile(checkpointer=saver)


@both_voices
def test_a_run_that_waited_goes_on_behind_its_call_whatever_was_said_meanwhile(sessions, awaiting):
    graph = asks_first(SessionSaver(sessions))
    for given in ({"messages": [HumanMessage("Pay the bill.")]}, Command(resume="yes")):
        if awaiting:
            asyncio.run(graph.ainvoke(given, CONFIG))
        else:
            graph.invoke(given, CONFIG)
        said = [m.type for m in graph.get_state(CONFIG).values["messages"]]
        sessions.session("t").append([{"role": "user", "content": "By the way."}])
    assert said == ["human", "ai", "tool", "ai", "human"]


def test_an_unknown_concurrency_rule_is_refused(forgetful):
    with pytest.raises(ConfigError, match="merge, serialize, reject"):
        SessionSaver(forgetful, concurrency="queue")
    with pytest.raises(ConfigError, match="turn_ttl_s"):
        SessionSaver(forgetful, concurrency="serialize", turn_ttl_s=0)


def test_runs_of_other_threads_do_not_wait(forgetful):
    half = Halfway(SessionSaver(forgetful, concurrency="serialize", wait_s=0))
    run = half.begin(False)
    half.ask("elsewhere", False, {"configurable": {"thread_id": "u"}})
    half.go.set()
    run.result(60)
