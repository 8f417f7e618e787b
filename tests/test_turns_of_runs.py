"""When a run of `concurrency="serialize"` is over: the next does not wait; a dead one ends by time."""

import asyncio
from operator import add
from typing import Annotated

import pytest
from acting_graph import CONFIG, POLICY, State, contents, graph_of, said
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.channels import EphemeralValue, LastValue
from langgraph.errors import GraphRecursionError
from langgraph.func import entrypoint
from langgraph.graph import START, StateGraph
from langgraph.pregel import NodeBuilder, Pregel
from langgraph.types import Command, Send
from slow_graph import slow_graph

from langchain_session import SessionSaver
from session_core import Sessions
from session_core.errors import TurnLost, TurnTaken
from session_core.voices import run_blocking


@pytest.fixture
def sessions():
    with Sessions("memory://", policy=POLICY) as opened:
        yield opened


@pytest.fixture
def saver(sessions):
    """Nobody waits: a turn that is not given back at once is an error."""
    return SessionSaver(sessions, concurrency="serialize", wait_s=0.0)


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
