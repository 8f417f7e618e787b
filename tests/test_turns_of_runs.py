"""When a run of `concurrency="serialize"` is over: the next does not wait; a dead one ends by time."""

import asyncio
import gc
import multiprocessing
import os
import threading
import time
from operator import add
from typing import Annotated, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.channels import EphemeralValue, LastValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.errors import GraphRecursionError
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import Command, Send, interrupt
from slow_graph import slow_graph

from langchain_session import SessionSaver
from langchain_session.checkpointing import concurrency
from session_core import Budget, Policy, Sessions
from session_core.errors import ConfigError, TurnLost, TurnTaken
from session_core.voices import run_blocking

POLICY = Policy(Budget(8_000, reply_reserve_tokens=0), folding="inline")
CONFIG = {"configurable": {"thread_id": "t"}}


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


@pytest.fixture
def sessions():
    with Sessions("memory://", policy=POLICY) as opened:
        yield opened


@pytest.fixture
def saver(sessions):
    """Nobody waits: a turn that is not given back at once is an error."""
    return SessionSaver(sessions, concurrency="serialize", wait_s=0.0)


def graph_of(saver, **compiled):
    """Two steps; the first does what the message says."""

    def act(state: State):
        said = state["messages"][-1].content
        if said == "fail":
            raise ValueError("as asked")
        if said == "stop":
            raise KeyboardInterrupt
        if said == "ask":
            return {"messages": [AIMessage(str(interrupt("may I?")))]}
        return {"messages": [AIMessage("acted")]}

    built = StateGraph(State)
    built.add_sequence([("act", act), ("end", lambda state: {"messages": [AIMessage("ended")]})])
    built.add_edge(START, "act")
    return built.compile(checkpointer=saver, **compiled)


class Voice:
    """A graph, called in one voice and one durability."""

    def __init__(self, awaiting: bool, durability: str) -> None:
        self._awaiting, self._how = awaiting, {"durability": durability}

    def invoke(self, graph, said, config=CONFIG):
        if self._awaiting:
            return asyncio.run(graph.ainvoke(said, config, **self._how))
        return graph.invoke(said, config, **self._how)


@pytest.fixture(params=[(voice, how) for voice in (False, True) for how in ("sync", "async", "exit")], ids=str)
def voice(request):
    return Voice(*request.param)


def said(text: str):
    return {"messages": [HumanMessage(text)]}


def contents(sessions) -> list[str]:
    return [m.content for m in sessions.session("t").record()]


def test_a_finished_run_releases_its_turn(sessions, saver, voice):
    graph = graph_of(saver)
    voice.invoke(graph, said("one"))
    voice.invoke(graph, said("two"))
    assert contents(sessions) == ["one", "acted", "ended", "two", "acted", "ended"]


def test_a_failed_run_releases_its_turn_while_its_error_is_referenced(sessions, saver, voice):
    graph = graph_of(saver)
    voice.invoke(graph, said("one"))
    try:
        voice.invoke(graph, said("fail"))
    except ValueError:
        voice.invoke(graph, said("again"))
    assert contents(sessions)[-3:] == ["again", "acted", "ended"]


@pytest.mark.parametrize("compiled", [{}, {"interrupt_before": ["end"]}, {"interrupt_after": ["act"]}], ids=str)
def test_an_interrupted_run_releases_its_turn(sessions, saver, voice, compiled):
    graph = graph_of(saver, **compiled)
    voice.invoke(graph, said("ask" if not compiled else "go"))
    assert graph.get_state(CONFIG).next
    voice.invoke(graph, Command(resume="yes") if not compiled else None)
    assert contents(sessions)[-1] == "ended"
    assert not graph.get_state(CONFIG).next


def test_a_run_over_the_recursion_limit_releases_its_turn(sessions, saver, voice):
    graph = graph_of(saver)
    with pytest.raises(GraphRecursionError) as held:
        voice.invoke(graph, said("one"), {**CONFIG, "recursion_limit": 1})
    voice.invoke(graph, said("two"))
    assert contents(sessions)[-1] == "ended"
    assert held.value.__traceback__ is not None


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_a_run_that_ctrl_c_ended_releases_its_turn_while_its_error_is_referenced(sessions, saver, durability):
    """As a notebook references the last error, for `%debug`."""
    graph = graph_of(saver)
    with pytest.raises(KeyboardInterrupt) as held:
        graph.invoke(said("stop"), CONFIG, durability=durability)
    graph.invoke(said("two"), CONFIG)
    assert contents(sessions)[-3:] == ["two", "acted", "ended"]
    assert held.value.__traceback__ is not None


def test_a_cancellation_that_somebody_handles_releases_the_turn_while_its_error_is_referenced(sessions, saver):
    """As of a notebook's cell, whose task goes on."""
    acting = asyncio.Event()
    graph = slow_graph(saver, acting)

    async def talk():
        cell = asyncio.current_task()
        waits = asyncio.ensure_future(acting.wait())
        waits.add_done_callback(lambda _: cell.cancel())
        with pytest.raises(asyncio.CancelledError) as held:
            await graph.ainvoke(said("slow"), CONFIG)
        await graph.ainvoke(said("next"), CONFIG)
        return held

    assert asyncio.run(talk()).value.__traceback__ is not None
    assert contents(sessions) == ["slow", "next", "acted"]


def test_an_abandoned_stream_releases_its_turn(saver):
    graph = graph_of(saver)
    stream = graph.stream(said("one"), CONFIG)
    next(stream)
    with pytest.raises(TurnTaken):
        graph.invoke(said("two"), CONFIG)
    del stream
    graph.invoke(said("two"), CONFIG)


def test_a_cancelled_run_releases_its_turn(sessions, saver):
    acting = asyncio.Event()
    graph = slow_graph(saver, acting)

    async def talk():
        run = asyncio.create_task(graph.ainvoke(said("slow"), CONFIG))
        await acting.wait()
        with pytest.raises(TurnTaken):
            await graph.ainvoke(said("hasty"), CONFIG)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        del run
        await asyncio.sleep(0)
        await graph.ainvoke(said("next"), CONFIG)

    asyncio.run(talk())
    assert contents(sessions) == ["slow", "next", "acted"]


@pytest.mark.parametrize("how", ["a second try", "a sibling that waits"])
def test_a_cancelled_task_that_is_still_referenced_releases_its_turn(sessions, how):
    """Its error has the frames of the run, so that no garbage collection finds them."""

    async def turn() -> int:
        entered = asyncio.Event()
        graph = slow_graph(SessionSaver(sessions, concurrency="serialize", wait_s=10.0), entered)

        def asked(said: str):
            return asyncio.create_task(graph.ainvoke({"messages": [HumanMessage(said)]}, CONFIG))

        first = asked("slow")
        await entered.wait()
        second = asked("second") if how == "a sibling that waits" else None
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.gather(first, second or asked("second"), return_exceptions=True)
        return len((await graph.aget_state(CONFIG)).values["messages"])

    assert asyncio.run(turn()) == 3


def test_a_turn_lasts_through_branches_joins_and_sends(sessions, saver):
    class Wide(State):
        found: Annotated[list[str], add]

    held: list[bool] = []

    def holds(state) -> dict:
        held.append(run_blocking(sessions.store.take_lease(saver.key(CONFIG), holder="spy", ttl_s=1)) is None)
        return {"found": ["one"]}

    built = StateGraph(Wide)
    for name in ("left", "right", "sent", "last"):
        built.add_node(name, holds)
    built.add_edge(START, "left")
    built.add_edge(START, "right")
    built.add_edge(["left", "right"], "sent")
    built.add_conditional_edges("sent", lambda state: [Send("last", state), Send("last", state)])
    graph = built.compile(checkpointer=saver)
    graph.invoke(said("go"), CONFIG, durability="sync")
    assert held == [True] * 5
    graph.invoke(said("again"), CONFIG)


def test_a_turn_goes_on_in_a_graph_put_together_by_hand(sessions, saver):
    held: list[bool] = []

    def holds(value):
        held.append(run_blocking(sessions.store.take_lease(saver.key(CONFIG), holder="spy", ttl_s=1)) is None)
        return value

    graph = Pregel(
        nodes={
            "one": NodeBuilder().subscribe_only("a").do(holds).write_to("b"),
            "two": NodeBuilder().subscribe_only("b").do(holds).write_to("c"),
        },
        channels={"a": EphemeralValue(str), "b": LastValue(str), "c": LastValue(str)},
        input_channels=["a"],
        output_channels=["c"],
        checkpointer=saver,
    )
    for text in ("first", "second"):
        graph.invoke({"a": text}, CONFIG, durability="sync")
    assert held == [True] * 4


def test_a_finished_entrypoint_releases_its_turn(sessions, saver, voice):
    @entrypoint(checkpointer=saver)
    def flow(text: str, *, previous: list[str] | None = None) -> list[str]:
        return [*(previous or []), text]

    @entrypoint(checkpointer=saver)
    async def aflow(text: str, *, previous: list[str] | None = None) -> list[str]:
        return [*(previous or []), text]

    graph = aflow if voice._awaiting else flow
    voice.invoke(graph, "one")
    assert voice.invoke(graph, "two") == ["one", "two"]


def test_subgraphs_and_looks_at_the_own_thread_belong_to_the_turn(sessions, saver, voice):
    child = graph_of(True)

    def look(state: State, config):
        own = {**config, "configurable": {**config["configurable"], "checkpoint_ns": "", "checkpoint_id": None}}
        found = graph.get_state({"configurable": {"thread_id": "t"}}).values.get("messages", [])
        saver.get_tuple(own)
        return {"messages": [AIMessage(f"{len(found)} before")]}

    built = StateGraph(State)
    built.add_node("child", child)
    built.add_node("look", look)
    built.add_edge(START, "child")
    built.add_edge("child", "look")
    graph = built.compile(checkpointer=saver)
    for text in ("one", "two"):
        voice.invoke(graph, said(text))
    assert [m.content for m in sessions.session("t").record() if m.role == "user"] == ["one", "two"]


def test_a_node_may_run_a_graph_on_another_thread(sessions, saver):
    other = graph_of(saver)

    def hand_over(state: State):
        other.invoke(said("over there"), {"configurable": {"thread_id": "u"}})
        return {"messages": [AIMessage("handed over")]}

    built = StateGraph(State)
    built.add_node("hand_over", hand_over)
    built.add_edge(START, "hand_over")
    graph = built.compile(checkpointer=saver)
    for text in ("one", "two"):
        graph.invoke(said(text), CONFIG)
    assert len(sessions.session("u").record()) == 6


def test_a_session_lease_and_runs_wait_for_each_other(sessions, saver):
    graph = graph_of(saver)
    with sessions.session("t").lease(), pytest.raises(TurnTaken):
        graph.invoke(said("hasty"), CONFIG)
    graph.invoke(said("next"), CONFIG)
    with sessions.session("t").lease(wait_s=0.0) as turn:
        sessions.session("t").append({"role": "user", "content": "plain"}, lease=turn)


def test_another_process_need_not_wait_for_a_run_that_is_gone(tmp_path):
    """The turn of an interrupted run goes back though nobody calls its saver any more."""
    url = f"sqlite:///{tmp_path}/chat.db"
    with (
        SessionSaver(url, policy=POLICY, concurrency="serialize") as one,
        SessionSaver(url, policy=POLICY, concurrency="serialize", wait_s=20.0) as other,
    ):
        graph_of(one, interrupt_before=["end"]).invoke(said("go"), CONFIG)
        graph_of(other).invoke(None, CONFIG)
        assert contents(other.sessions)[-1] == "ended"


def test_a_saver_that_is_closed_gives_no_turn_back_later(sessions, monkeypatch):
    began, go, given = threading.Event(), threading.Event(), []
    drop = sessions.store.drop_lease

    async def slow(lease) -> None:
        began.set()
        assert go.wait(60)
        await drop(lease)
        given.append(lease)

    monkeypatch.setattr(sessions.store, "drop_lease", slow)
    saver = SessionSaver(sessions, concurrency="serialize")
    graph_of(saver, interrupt_before=["end"]).invoke(said("go"), CONFIG)
    gc.collect()
    assert began.wait(60)
    threading.Timer(0.05, go.set).start()
    saver.close()
    assert len(given) == 1


def test_a_close_says_what_it_did_not_wait_for(sessions, monkeypatch, caplog):
    began, go = threading.Event(), threading.Event()
    drop = sessions.store.drop_lease

    async def stuck(lease) -> None:
        began.set()
        assert go.wait(60)
        await drop(lease)

    monkeypatch.setattr(sessions.store, "drop_lease", stuck)
    monkeypatch.setattr(concurrency, "CLOSE_WAITS_S", 0.01)
    saver = SessionSaver(sessions, concurrency="serialize")
    graph_of(saver, interrupt_before=["end"]).invoke(said("go"), CONFIG)
    gc.collect()
    assert began.wait(60)
    saver.close()
    (told,) = caplog.messages
    assert "did not release turns" in told
    assert "they expire 300 s after" in told
    go.set()


def test_first_runs_of_several_threads_start_one_thread_that_gives_turns_back(sessions, monkeypatch):
    """A second one would outlive the close, which waited for it and said so."""
    started = []

    class Slow(threading.Thread):
        def start(self) -> None:
            if self.name == "llm-sessions-turns":
                started.append(self)
                time.sleep(0.05)
            super().start()

    saver = SessionSaver(sessions, concurrency="serialize")
    graph = graph_of(saver)
    runs = [
        threading.Thread(target=graph.invoke, args=(said("go"), {"configurable": {"thread_id": str(number)}}))
        for number in range(4)
    ]
    monkeypatch.setattr(threading, "Thread", Slow)
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    saver.close()
    assert [one.is_alive() for one in started] == [False]


def test_the_next_run_does_not_wait_for_a_thread_that_is_just_giving_back(sessions, saver, monkeypatch):
    began, go = threading.Event(), threading.Event()
    drop = sessions.store.drop_lease

    async def slow(lease) -> None:
        if threading.current_thread().name == "llm-sessions-turns":
            began.set()
            assert go.wait(60)
        await drop(lease)

    monkeypatch.setattr(sessions.store, "drop_lease", slow)
    graph = graph_of(saver, interrupt_before=["end"])
    graph.invoke(said("go"), CONFIG)
    gc.collect()
    assert began.wait(60)
    graph.invoke(None, CONFIG)
    go.set()
    assert contents(sessions) == ["go", "acted", "ended"]


def _die_in_a_node(url: str) -> None:
    def act(state: State):
        os._exit(9)

    built = StateGraph(State)
    built.add_node("act", act)
    built.add_edge(START, "act")
    saver = SessionSaver(url, policy=POLICY, concurrency="serialize", turn_ttl_s=1.5)
    built.compile(checkpointer=saver).invoke(said("fatal"), CONFIG, durability="sync")


def test_the_turn_of_a_process_that_died_ends_by_time(tmp_path):
    url = f"sqlite:///{tmp_path}/chat.db"
    process = multiprocessing.get_context("spawn").Process(target=_die_in_a_node, args=(url,))
    process.start()
    process.join()
    assert process.exitcode == 9
    with SessionSaver(url, policy=POLICY, concurrency="serialize", wait_s=20.0) as saver:
        graph_of(saver).invoke(said("next"), CONFIG)
        assert contents(saver.sessions) == ["fatal", "next", "acted", "ended"]


def test_a_run_that_goes_on_after_it_gave_its_turn_back_takes_it_again_if_it_can(sessions, saver):
    """A task failed, but somebody puts on with the config of that run: as a graph would that LangGraph goes on with."""

    class Spy(SessionSaver):
        def put(self, config, checkpoint, metadata, new_versions):
            self.last = config, checkpoint, metadata, new_versions
            return super().put(config, checkpoint, metadata, new_versions)

    spy = Spy(sessions, concurrency="serialize", wait_s=0.0)
    graph_of(spy).invoke(said("one"), CONFIG)
    config, checkpoint, metadata, versions = spy.last
    again = {**checkpoint, "id": checkpoint["id"] + "0"}
    spy.put(config, again, metadata, versions)
    with sessions.session("t").lease(), pytest.raises(TurnLost):
        spy.put(config, again, metadata, versions)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_an_inner_saver_can_serialize_runs(sessions, kind, tmp_path):
    def check(inner) -> None:
        saver = SessionSaver(sessions, inner=inner, concurrency="serialize", wait_s=0.0)
        graph = graph_of(saver, interrupt_before=["end"])
        stream = graph_of(saver).stream(said("one"), CONFIG)
        next(stream)
        with pytest.raises(TurnTaken):
            graph.invoke(said("hasty"), CONFIG)
        list(stream)
        graph.invoke(said("two"), CONFIG)
        graph.invoke(None, CONFIG)
        kept = [m.content for m in inner.get_tuple(CONFIG).checkpoint["channel_values"]["messages"]]
        assert kept == ["one", "acted", "ended", "two", "acted", "ended"] == contents(sessions)

    if kind == "memory":
        check(InMemorySaver())
    else:
        with SqliteSaver.from_conn_string(str(tmp_path / "theirs.db")) as inner:
            check(inner)


def test_a_late_run_stores_nothing_in_an_inner_saver_either(sessions):
    inner = InMemorySaver()
    saver = SessionSaver(sessions, inner=inner, concurrency="serialize", turn_ttl_s=0.1)
    graph = graph_of(saver)
    late = graph.stream(said("late"), CONFIG, durability="sync")
    next(late)
    graph.invoke(said("next"), CONFIG)
    with pytest.raises(TurnLost):
        list(late)
    kept = [m.content for m in inner.get_tuple(CONFIG).checkpoint["channel_values"]["messages"]]
    assert kept.count("ended") == 1
    assert kept == contents(sessions)


def test_an_inner_saver_cannot_reject(sessions):
    with pytest.raises(ConfigError, match="serialize"):
        SessionSaver(sessions, inner=InMemorySaver(), concurrency="reject")
