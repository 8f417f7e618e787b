"""`SessionSaver(inner=...)`: another saver keeps the checkpoints, whole and as without us; runs get the view."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Annotated, Any, TypedDict

import pytest
from blocking_voice import ALL, BASE
from inner_savers import BlockingInner, WholeSaver, awaiting_saver, blocking_savers
from langchain.agents import create_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, ToolMessage
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.types import Command, interrupt
from postgres_server import PostgresServer, postgres_server
from redis_server import redis_server
from strict_model import check_sent

from langchain_session import SessionMiddleware, SessionSaver, attach
from langchain_session.messages import to_core
from langchain_session.saver import InnerSaver
from session_core import Budget, Policy, Sessions
from session_core.errors import ConfigError, NotOffered

WINDOW = 3_000
POLICY = Policy(Budget(WINDOW, reply_reserve_tokens=0), folding="inline")
CONFIG = {"configurable": {"thread_id": "t"}}


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    turns: int


def talker(saver: BaseCheckpointSaver[Any] | bool | None, seen: list[list[AnyMessage]] | None = None, *, whole=False):
    """A graph of a model, a tool with 2 KB of output, and a node that adds no message; ids follow the question's.

    With `whole` the model gives its whole input back, and its answer.
    """

    def model(state: State):
        said = state["messages"]
        if seen is not None:
            seen.append(list(said))
        check_sent(said)
        last = said[-1]
        if isinstance(last, HumanMessage):
            call = {"name": "look", "args": {"q": last.content}, "id": f"c-{last.id}"}
            answer = AIMessage("", tool_calls=[call], id=f"ask-{last.id}")
        else:
            answer = AIMessage(f"answer to {last.tool_call_id}", id=f"say-{last.id}", response_metadata={"n": 1})
        return {"messages": [*said, answer] if whole else [answer]}

    def tools(state: State):
        call = state["messages"][-1].tool_calls[0]
        text = "".join(f"row {n}: {call['args']['q']} is {n * 37}\n" for n in range(60))
        done = ToolMessage(text, tool_call_id=call["id"], id=f"did-{call['id']}", artifact={"rows": [1, 2]})
        return {"messages": [done]}

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("tools", tools)
    graph.add_node("count", lambda state: {"turns": state.get("turns", 0) + 1})
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model", lambda state: "tools" if state["messages"][-1].tool_calls else "count", ["tools", "count"]
    )
    graph.add_edge("tools", "model")
    graph.add_edge("count", END)
    return graph.compile(checkpointer=saver)


def ask(graph: Any, *turns: int, config: dict[str, Any] = CONFIG, **options: Any) -> None:
    for turn in turns:
        graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, config, **options)


def kept(saver: BaseCheckpointSaver[Any], config: dict[str, Any] = CONFIG) -> list[AnyMessage]:
    """The messages of the thread, as `saver` has them."""
    found = saver.get_tuple(config)
    return found.checkpoint["channel_values"].get("messages", []) if found else []


def questions(messages: list[AnyMessage]) -> list[str]:
    return [str(message.content) for message in messages if message.type == "human"]


def history(saver: BaseCheckpointSaver[Any], config: dict[str, Any] = CONFIG) -> list[Any]:
    """All checkpoints of the thread, without what is drawn at random."""
    return [
        (found.metadata["source"], found.metadata["step"], found.checkpoint["channel_values"].get("messages"))
        for found in saver.list(config)
    ]


async def history_awaited(saver: BaseCheckpointSaver[Any]) -> list[Any]:
    return [found.checkpoint["channel_values"].get("messages") async for found in saver.alist(CONFIG)]


def turn_ends(graph: Any, messages: int) -> Any:
    """The config of the checkpoint that ended a turn with so many messages."""
    states = graph.get_state_history(CONFIG)
    return next(s.config for s in states if len(s.values.get("messages", [])) == messages and not s.next)


EDITS = [RemoveMessage("h16"), HumanMessage("edited", id="h3")]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def twins(request, server, tmp_path) -> Iterator[list[BaseCheckpointSaver[Any]]]:
    """Two savers of one kind: one to be put inside ours, one for the same graph without us."""
    with blocking_savers(request.param, server, tmp_path / "inner.db", tmp_path / "plain.db") as savers:
        yield savers


@pytest.fixture
def sessions(request, tmp_path) -> Iterator[Sessions]:
    """Our store: in a file where the inner saver is in one, else in memory."""
    in_file = "sqlite" in request.node.name
    with Sessions(f"sqlite:///{tmp_path}/sessions.db" if in_file else "memory://", policy=POLICY) as opened:
        yield opened


@pytest.fixture
def inner() -> InMemorySaver:
    return InMemorySaver()


async def passed(make: Any, capabilities: tuple[str, ...] = ALL) -> set[str]:
    """The capabilities of the official kit that the savers `make` gives pass."""

    @checkpointer_test(name="inner")
    async def factory():
        async with make() as saver:
            yield saver

    report = await validate(factory, capabilities=set(capabilities))
    return {name for name, result in report.results.items() if result.passed}


@pytest.mark.parametrize("kind", ["memory", "whole", "sqlite", "postgres"])
@pytest.mark.parametrize("voice", ["awaiting", "blocking"])
def test_it_passes_every_capability_of_the_official_kit_that_the_inner_saver_passes(kind, voice, server, tmp_path):
    names = count()

    @asynccontextmanager
    async def bare():
        async with awaiting_saver(kind, server, tmp_path / f"{next(names)}.db") as saver:
            yield saver

    @asynccontextmanager
    async def awaiting():
        async with bare() as saver, SessionSaver(inner=saver) as ours:
            yield ours

    @asynccontextmanager
    async def blocking():
        if kind == "whole":
            yield BlockingInner(inner=WholeSaver())
            return
        with blocking_savers(kind, server, tmp_path / f"{next(names)}.db") as (saver,):
            yield BlockingInner(inner=saver)

    alone = asyncio.run(passed(bare))
    assert alone >= set(BASE)
    assert asyncio.run(passed(awaiting if voice == "awaiting" else blocking)) >= alone


def test_runs_fit_and_the_inner_saver_has_what_it_would_have_without_us(twins, sessions):
    mine, plain = twins
    seen: list[list[AnyMessage]] = []
    saver = SessionSaver(sessions, inner=mine)
    ask(talker(saver, seen), *range(30))
    ask(talker(plain), *range(30))
    begun = [messages for messages in seen if messages[-1].type == "human"]
    squeeze = sessions.services
    assert max(sum(squeeze.measure(to_core(m)) for m in messages) for messages in begun) <= WINDOW
    assert len(kept(mine)) == 120
    assert history(mine) == history(plain)
    assert len(sessions.session("t").record()) == 120


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_every_durability_leaves_the_same_as_without_us(twins, durability):
    mine, plain = twins
    for saver in (SessionSaver(inner=mine, policy=POLICY), plain):
        ask(talker(saver), *range(12), durability=durability)
    assert history(mine) == history(plain)


def test_the_awaiting_voice_does_the_same(sessions, tmp_path, server):
    async def talk(kind: str) -> tuple[Any, Any]:
        async with (
            awaiting_saver(kind, server, tmp_path / f"{kind}-mine.db") as mine,
            awaiting_saver(kind, server, tmp_path / f"{kind}-plain.db") as plain,
        ):
            for saver in (SessionSaver(sessions, inner=mine, tenant=kind), plain):
                for turn in range(12):
                    said = [HumanMessage(f"question {turn}", id=f"h{turn}")]
                    await talker(saver).ainvoke({"messages": said}, CONFIG)
            return [
                [t.checkpoint["channel_values"].get("messages") async for t in s.alist(CONFIG)] for s in (mine, plain)
            ]

    for kind in ("sqlite", "postgres"):
        mine, plain = asyncio.run(talk(kind))
        assert mine == plain


def test_an_existing_thread_is_imported_once(twins, sessions):
    mine, plain = twins
    for saver in twins:
        ask(talker(saver), *range(20))
    seen: list[list[AnyMessage]] = []
    saver = SessionSaver(sessions, inner=mine)
    ask(talker(saver, seen), 20, 21)
    ask(talker(plain), 20, 21)
    assert len(seen[0]) < 40
    assert history(mine) == history(plain)
    assert len(sessions.session("t").record(all_branches=True)) == 88


def test_a_graph_continues_without_us_and_can_come_back(twins, sessions):
    mine, plain = twins
    ask(talker(SessionSaver(sessions, inner=mine)), *range(15))
    ask(talker(mine), *range(15, 18))
    talker(mine).update_state(CONFIG, {"messages": EDITS}, as_node="tools")
    seen: list[list[AnyMessage]] = []
    ask(talker(SessionSaver(sessions, inner=mine), seen), *range(18, 21))
    ask(talker(plain), *range(18))
    talker(plain).update_state(CONFIG, {"messages": EDITS}, as_node="tools")
    ask(talker(plain), *range(18, 21))
    assert history(mine) == history(plain)
    assert "question 17" in questions(seen[0])
    assert sessions.session("t").record()[0].content == "question 0"


def test_losing_our_store_loses_only_digests(inner):
    for turn in range(12):
        ask(talker(SessionSaver(inner=inner, policy=POLICY)), turn)
    plain = InMemorySaver()
    ask(talker(plain), *range(12))
    assert history(inner) == history(plain)


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
def test_an_interrupted_run_goes_on_with_what_its_siblings_wrote(twins, sessions, resumed_by_us):
    mine, plain = twins
    ours = SessionSaver(sessions, inner=mine)
    for saver in (ours, plain):
        ask(talker(saver), *range(12))
        ask(waiting(saver), 12)
    said = [found[2] for found in mine.get_tuple(CONFIG).pending_writes if found[1] == "messages"]
    assert said == [found[2] for found in plain.get_tuple(CONFIG).pending_writes if found[1] == "messages"]
    shown = waiting(ours if resumed_by_us else mine).invoke(Command(resume="yes"), CONFIG)["messages"]
    waiting(plain).invoke(Command(resume="yes"), CONFIG)
    assert [m.content for m in kept(mine)] == [m.content for m in kept(plain)]
    assert (len(shown) < 40) == resumed_by_us


def test_a_fork_and_a_replay_leave_the_same_as_without_us(twins, sessions):
    mine, plain = twins
    ours = SessionSaver(sessions, inner=mine)
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
    assert [m.content for m in sessions.session("t").record() if m.role == "user"] == questions(kept(mine))


def test_a_fork_from_a_checkpoint_of_before_us(twins, sessions):
    mine, plain = twins
    for saver in twins:
        ask(talker(saver), *range(12))
    for saver in (SessionSaver(sessions, inner=mine), plain):
        graph = talker(saver)
        ask(graph, 12)
        early = turn_ends(graph, 24)
        ask(graph, 50, config=early)
        ask(graph, 51)
    assert history(mine) == history(plain)


def test_an_interrupted_replay_goes_on_on_its_own_branch(twins, sessions):
    mine, plain = twins
    for saver in (SessionSaver(sessions, inner=mine), plain):
        graph = waiting(saver)
        ask(graph, 0)
        graph.invoke(Command(resume="yes"), CONFIG)
        ask(talker(saver), 1)
        early = next(s for s in graph.get_state_history(CONFIG) if len(s.values.get("messages", [])) == 1 and s.next)
        graph.invoke(None, early.config)
        graph.invoke(Command(resume="no"), CONFIG)
    assert history(mine) == history(plain)
    assert questions(kept(mine)) == ["question 0", "no"]


def test_removed_messages_are_gone_there_and_stay_in_the_log(twins, sessions):
    mine, plain = twins
    for saver in (SessionSaver(sessions, inner=mine), plain):
        graph = talker(saver)
        ask(graph, *range(12))
        graph.update_state(CONFIG, {"messages": [RemoveMessage("h2"), RemoveMessage("h11")]}, as_node="count")
        ask(graph, 12)
    assert history(mine) == history(plain)
    for saver in (SessionSaver(sessions, inner=mine), plain):
        graph = talker(saver)
        graph.update_state(CONFIG, {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES)]}, as_node="count")
        assert kept(saver) == []
        ask(graph, 13)
    assert history(mine) == history(plain)
    assert len(sessions.session("t").record(all_branches=True)) == 56


def test_a_node_that_returns_its_whole_input_changes_nothing(twins, sessions):
    mine, plain = twins
    for saver in (SessionSaver(sessions, inner=mine), plain):
        ask(talker(saver, whole=True), *range(20))
    assert history(mine) == history(plain)


def test_a_node_that_removes_a_message_it_was_shown(twins, sessions):
    def forgetful(saver):
        def drop(state: State):
            shown = [m for m in state["messages"] if m.type == "human" and m.id.startswith("h")]
            return {"messages": [RemoveMessage(shown[-1].id)]}

        built = StateGraph(State)
        built.add_node("drop", drop)
        built.add_edge(START, "drop")
        return built.compile(checkpointer=saver)

    mine, plain = twins
    for saver in (SessionSaver(sessions, inner=mine), plain):
        ask(talker(saver), *range(12))
        ask(forgetful(saver), 12, 13)
        ask(talker(saver), 14)
    assert history(mine) == history(plain)


def test_subgraphs_leave_the_same_as_without_us(twins, sessions):
    mine, plain = twins
    for saver in (SessionSaver(sessions, inner=mine), plain):
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
def test_a_replay_goes_through_a_subgraph_as_without_us(twins, sessions, turn):
    mine, plain = twins
    for saver in (SessionSaver(sessions, inner=mine), plain):
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


def test_a_run_that_stops_in_a_subgraph_goes_on_there(twins, sessions):
    mine, plain = twins
    for saver in (SessionSaver(sessions, inner=mine), plain):
        ask(talker(saver), *range(12))
        built = StateGraph(State)
        built.add_node("inside", waiting(None))
        built.add_edge(START, "inside")
        graph = built.compile(checkpointer=saver)
        ask(graph, 12)
        graph.invoke(Command(resume="yes"), CONFIG)
        ask(talker(saver), 13)
    assert history(mine) == history(plain)


def test_messages_without_ids_come_to_the_inner_saver_without_ids(twins, sessions):
    class Bare(TypedDict):
        messages: Annotated[list[AnyMessage], operator.add]

    mine, plain = twins
    seen: list[int] = []
    for saver in (SessionSaver(sessions, inner=mine), plain):

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
    assert len(sessions.session("t").record(all_branches=True)) == 81


def test_a_graph_without_messages_is_as_with_any_saver(twins, sessions):
    class Plain(TypedDict):
        count: int

    mine, plain = twins
    for saver in (SessionSaver(sessions, inner=mine), plain):
        built = StateGraph(Plain)
        built.add_node("add", lambda state: {"count": state["count"] + 1})
        built.add_edge(START, "add")
        graph = built.compile(checkpointer=saver)
        graph.invoke({"count": 1}, CONFIG)
        assert graph.get_state(CONFIG).values == {"count": 2}
    assert len(history(mine)) == len(history(plain))
    assert sessions.list() == ()


class Optionally(TypedDict, total=False):
    messages: list[AnyMessage] | None
    then: list[AnyMessage] | None


def test_a_conversation_that_a_node_set_to_none_begins_anew_there_too(inner):
    built = StateGraph(Optionally).add_node("step", lambda state: {"messages": state["then"]}).add_edge(START, "step")

    def played(saver: BaseCheckpointSaver[Any]) -> Any:
        app = built.compile(checkpointer=saver)
        app.invoke({"messages": [HumanMessage("one", id="h1")], "then": None}, CONFIG)
        app.invoke({"messages": [], "then": [AIMessage("two", id="a2")]}, CONFIG)
        app.invoke({"messages": [HumanMessage("three", id="h3")], "then": None}, CONFIG)
        app.update_state(CONFIG, {"messages": [HumanMessage("four", id="h4")]}, as_node="step")
        return [found.values.get("messages") for found in app.get_state_history(CONFIG)]

    saver = SessionSaver("memory://", inner=inner)
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
def test_a_delta_channel_stays_with_the_inner_saver(twins, sessions, frequency):
    mine, plain = twins
    graphs = [delta_talker(saver, frequency) for saver in (SessionSaver(sessions, inner=mine), plain)]
    for graph in graphs:
        ask(talker(graph.checkpointer), *range(10))
        ask(graph, *range(10, 30))
    told = [graph.get_state(CONFIG).values["messages"] for graph in graphs]
    assert told[0] == told[1]
    assert len(told[0]) == 80
    assert delta_talker(mine, frequency).get_state(CONFIG).values["messages"] == told[1]


def test_attach_makes_the_messages_of_a_delta_channel_fit(inner, sessions):
    seen: list[int] = []
    ask(attach(delta_talker(SessionSaver(sessions, inner=inner), 1000, seen)), *range(60))
    assert max(seen) < 100
    assert len(delta_talker(inner, 1000).get_state(CONFIG).values["messages"]) == 120


class Failing(InMemorySaver):
    """Refuses the checkpoints whose numbers are in `refused`, counted from 1."""

    refused: tuple[int, ...] = ()
    puts = 0

    def put(self, *given: Any) -> Any:
        self.puts += 1
        if self.puts in self.refused:
            raise ConnectionError("the server went away")
        return super().put(*given)


@pytest.mark.parametrize("refused", range(1, 13))
def test_a_retry_is_harmless_when_the_inner_saver_failed_after_ours_wrote(sessions, refused):
    inner, plain = Failing(), InMemorySaver()
    inner.refused = (refused,)
    graph = talker(SessionSaver(sessions, inner=inner))
    turns = (1, 2) if refused <= 6 else (0, 1, 2)
    ask(graph, *turns[:-2])
    with pytest.raises(ConnectionError):
        ask(graph, 1)
    if graph.get_state(CONFIG).tasks:
        graph.invoke(None, CONFIG)
    else:
        ask(graph, 1)
    ask(graph, 2)
    ask(talker(plain), *turns)
    assert kept(inner) == kept(plain)
    record = sessions.session("t").record()
    assert [m.id for m in record] == [m.id for m in kept(plain)]
    assert len(sessions.session("t").record(all_branches=True)) == len(record)


def test_nothing_is_given_to_the_inner_saver_when_ours_fails(tmp_path, inner):
    sessions = Sessions(f"sqlite:///{tmp_path}/sessions.db", policy=POLICY)
    graph = talker(SessionSaver(sessions, inner=inner))
    ask(graph, 0)
    before = history(inner)
    with sessions.store._file.writing() as connection:
        connection.execute("DROP TABLE channel_values")
    with pytest.raises(Exception, match="channel_values"):
        ask(graph, 1)
    assert history(inner) == before
    sessions.close()


def test_concurrent_runs_are_merged_in_what_the_inner_saver_has(tmp_path, sessions):
    async def talk():
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "inner.db")) as inner:
            graph = attach(talker(SessionSaver(sessions, inner=inner)))
            await graph.ainvoke({"messages": [HumanMessage("start", id="h")]}, CONFIG)

            async def writer(name: int):
                for turn in range(4):
                    said = [HumanMessage(f"{name}-{turn}", id=f"h{name}-{turn}")]
                    await graph.ainvoke({"messages": said}, CONFIG)

            await asyncio.gather(*(writer(name) for name in range(4)))
            await graph.ainvoke({"messages": [HumanMessage("end", id="end")]}, CONFIG)
            return (await inner.aget_tuple(CONFIG)).checkpoint["channel_values"]["messages"]

    said = questions(asyncio.run(talk()))
    assert sorted(said) == sorted(["start", *(f"{w}-{t}" for w in range(4) for t in range(4)), "end"])
    assert len(sessions.session("t").record()) == len(said) * 4


def test_two_runs_of_a_saver_that_counts_its_versions_are_merged_too(sessions):
    class Counting(InMemorySaver):
        def get_next_version(self, current, channel):
            return (current or 0) + 1

    inner = Counting()
    saver = SessionSaver(sessions, inner=inner)

    async def talk():
        graph = talker(saver)
        await asyncio.gather(
            *(graph.ainvoke({"messages": [HumanMessage(f"{n}", id=f"h{n}")]}, CONFIG) for n in range(5))
        )
        await graph.ainvoke({"messages": [HumanMessage("end", id="end")]}, CONFIG)

    asyncio.run(talk())
    assert sorted(questions(kept(inner))) == ["0", "1", "2", "3", "4", "end"]
    assert set(map(type, inner.get_tuple(CONFIG).checkpoint["channel_versions"].values())) == {int}


@pytest.mark.parametrize("kind", ["redis", "postgres"])
def test_any_store_works_with_an_inner_saver(kind, server, inner):
    plain = InMemorySaver()
    with redis_server() as redis:
        url = redis.url if kind == "redis" else f"{server.url}&schema=beside"
        with Sessions(url, policy=POLICY) as sessions:
            ask(talker(SessionSaver(sessions, inner=inner)), *range(6))
            ask(talker(inner), *range(6, 18))
            talker(inner).update_state(CONFIG, {"messages": EDITS}, as_node="count")
            graph = talker(SessionSaver(sessions, inner=inner))
            ask(graph, 18, 19)
            ask(graph, 50, config=turn_ends(graph, 32))
            ask(graph, 51)
            assert [m.content for m in sessions.session("t").record() if m.role == "user"] == questions(kept(inner))
    graph = talker(plain)
    ask(graph, *range(18))
    graph.update_state(CONFIG, {"messages": EDITS}, as_node="count")
    ask(graph, 18, 19)
    ask(graph, 50, config=turn_ends(graph, 32))
    ask(graph, 51)
    assert history(inner) == history(plain)


def test_what_others_said_can_be_removed_by_hand(sessions, inner):
    graph = talker(SessionSaver(sessions, inner=inner))
    ask(graph, 0)
    sessions.session("t").append({"role": "user", "content": "from a chain", "id": "chain"})
    ask(graph, 1)
    assert questions(kept(inner)) == ["question 0", "from a chain", "question 1"]
    graph.update_state(CONFIG, {"messages": [RemoveMessage("chain")]}, as_node="count")
    ask(graph, 2)
    assert questions(kept(inner)) == ["question 0", "question 1", "question 2"]


def test_deleting_a_thread_deletes_it_here_and_there(twins, sessions):
    mine, _ = twins
    saver = SessionSaver(sessions, inner=mine)
    ask(talker(saver), 0, 1)
    saver.delete_thread("t")
    assert mine.get_tuple(CONFIG) is None
    assert saver._originals._held == {}
    assert sessions.session("t").record(all_branches=True) == []
    ask(talker(saver), 2)
    assert questions(kept(mine)) == ["question 2"]


def test_a_thread_that_was_deleted_there_begins_anew(twins, sessions):
    mine, _ = twins
    saver = SessionSaver(sessions, inner=mine)
    ask(talker(saver), 0, 1)
    mine.delete_thread("t")
    ask(talker(saver), 2, 3)
    assert questions(kept(mine)) == ["question 2", "question 3"]
    assert [m.content for m in sessions.session("t").record() if m.role == "user"] == questions(kept(mine))


def test_the_conversation_goes_back_when_a_run_is_deleted(sessions):
    inner = WholeSaver()
    saver = SessionSaver(sessions, inner=inner)
    graph = talker(saver)
    for turn in range(3):
        ask(graph, turn, config={**CONFIG, "metadata": {"run_id": f"run-{turn}"}})
    saver.delete_for_runs(["run-2"])
    ask(graph, 3)
    assert questions(kept(inner)) == ["question 0", "question 1", "question 3"]
    saver.copy_thread("t", "copy")
    copy = {"configurable": {"thread_id": "copy"}}
    ask(graph, 4, config=copy)
    assert questions(kept(inner, copy)) == ["question 0", "question 1", "question 3", "question 4"]
    saver.prune(["copy"])
    ask(graph, 5, config=copy)
    assert len(kept(inner, copy)) == 20
    saver.prune(["copy"], strategy="delete")
    assert sessions.session("copy").record(all_branches=True) == []


def test_attach_and_middleware_take_their_policy_from_it(twins, sessions):
    mine, plain = twins
    seen: list[list[AnyMessage]] = []
    ask(attach(talker(SessionSaver(sessions, inner=mine), seen, whole=True)), *range(12))
    ask(talker(plain, whole=True), *range(12))
    assert kept(mine) == kept(plain)
    assert max(map(len, seen)) < 40


def test_an_agent_keeps_its_whole_thread_there(inner, sessions):
    saver = SessionSaver(sessions, inner=inner)
    answers = iter([AIMessage(f"answer {n} " * 60, id=f"a{n}") for n in range(20)])
    agent = create_agent(
        GenericFakeChatModel(messages=answers), middleware=[SessionMiddleware(saver)], checkpointer=saver
    )
    for turn in range(20):
        agent.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    assert [m.id for m in kept(inner)] == [name for n in range(20) for name in (f"h{n}", f"a{n}")]


def test_a_saver_of_the_other_voice_says_what_to_do(tmp_path, sessions):
    with SqliteSaver.from_conn_string(str(tmp_path / "inner.db")) as inner:
        graph = talker(SessionSaver(sessions, inner=inner))
        ask(graph, 0)

        async def talk():
            await graph.ainvoke({"messages": [HumanMessage("hello", id="h")]}, CONFIG)

        with pytest.raises(NotOffered, match=r"SqliteSaver does not offer aget_tuple.*invoke"):
            asyncio.run(talk())

    class Awaiting(BaseCheckpointSaver[int]):
        async def aget_tuple(self, config):
            return None

    with pytest.raises(NotOffered, match=r"Awaiting does not offer get_tuple.*ainvoke"):
        ask(talker(SessionSaver(inner=Awaiting())), 0)


def test_a_method_that_the_inner_saver_lacks_says_so(inner):
    saver = SessionSaver(inner=inner)
    for ask_for in (
        lambda: saver.copy_thread("t", "u"),
        lambda: saver.delete_for_runs(["r"]),
        lambda: saver.prune(["t"]),
    ):
        with pytest.raises(NotImplementedError, match="InMemorySaver does not offer"):
            ask_for()


def test_what_cannot_be_an_inner_saver_is_refused(inner):
    for wrong in (InMemorySaver, SqliteSaver.from_conn_string(":memory:"), SessionSaver()):
        with pytest.raises(ConfigError, match="inner="):
            SessionSaver(inner=wrong)
    with pytest.raises(ConfigError, match="serde"):
        SessionSaver(inner=inner, serde=inner.serde)


def test_it_is_a_session_saver_and_its_derived_clone_has_a_derived_inner_one(sessions):
    inner = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=[("tests", "Other")]))
    saver = SessionSaver(sessions, inner=inner)
    assert isinstance(saver, InnerSaver)
    assert saver.config_specs == inner.config_specs
    clone = saver.with_allowlist({("tests", "Thing")})
    assert clone is not saver
    assert clone.inner is not inner
    assert clone.serde is clone.inner.serde is not inner.serde
    ask(talker(clone), 0)
    assert questions(kept(inner)) == ["question 0"]


def test_without_the_inner_saver_ours_says_where_the_checkpoints_are(sessions, inner):
    ask(talker(SessionSaver(sessions, inner=inner)), 0)
    with pytest.raises(ConfigError, match="inner="):
        talker(SessionSaver(sessions)).get_state(CONFIG)
