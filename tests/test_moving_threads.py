"""Moving LangGraph threads in and out: state, history, time travel, waiting interrupts and subgraphs as they were."""

from __future__ import annotations

import asyncio

import pytest
from generated_sessions import conversation
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command
from office_graph import CONFIG, State, Whole, history, notes, office, played, shown
from postgres_server import postgres_server
from redis_server import redis_server

from langchain_session import SessionChatMessageHistory, SessionSaver
from langchain_session.conversion.messages import from_core_many
from session_core import Budget, Policy, Sessions
from session_core.ports import MessageList
from session_core.stores.memory import MemoryStore
from session_core.turns import Key, Message
from session_core.voices import run_blocking


@pytest.fixture(scope="module")
def servers():
    with redis_server() as redis, postgres_server() as postgres:
        yield {"redis": redis.url, "postgres": postgres.url}


@pytest.fixture(params=["memory", "sqlite", "postgres", "whole-numbers"])
def source(request, tmp_path, servers):
    if request.param == "sqlite":
        with SqliteSaver.from_conn_string(f"{tmp_path}/theirs.db") as saver:
            yield saver
    elif request.param == "postgres":
        with PostgresSaver.from_conn_string(servers["postgres"]) as saver:
            saver.setup()
            saver.delete_thread("t")
            yield saver
    else:
        yield InMemorySaver() if request.param == "memory" else Whole()


@pytest.fixture(params=["memory", "sqlite"])
def sessions(request, tmp_path):
    with Sessions("memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/ours.db") as opened:
        yield opened


@pytest.fixture(params=["memory", "sqlite", "redis", "postgres"])
def every_store(request, tmp_path, servers):
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/ours.db", **servers}
    with Sessions(urls[request.param]) as opened:
        opened.session("t").delete()
        yield opened


def test_a_thread_is_afterwards_what_it_was(source, every_store):
    theirs = played(source)
    ours = office(SessionSaver.import_from(source, "t", sessions=every_store))
    assert shown(ours.get_state(CONFIG)) == shown(theirs.get_state(CONFIG))
    assert history(ours) == history(theirs)
    assert notes(ours) == notes(theirs)
    assert notes(ours) != []


def test_a_waiting_interrupt_is_answered_as_if_nothing_had_happened(source, every_store):
    theirs = played(source)
    ours = office(SessionSaver.import_from(source, "t", sessions=every_store))
    for graph in (theirs, ours):
        graph.invoke(Command(resume="at last"), CONFIG)
        graph.invoke({"messages": [HumanMessage("and now?", id="now")], "steps": [], "drafts": []}, CONFIG)
        graph.invoke(Command(resume="sure"), CONFIG)
    told = [graph.get_state(CONFIG) for graph in (theirs, ours)]
    said = [[message.content for message in state.values["messages"]] for state in told]
    assert said[0] == said[1]
    assert told[0].values["steps"] == told[1].values["steps"]
    assert (told[0].next, told[0].tasks) == (told[1].next, told[1].tasks) == ((), ())


def test_time_travel_goes_from_any_point_as_before(source, every_store):
    theirs = played(source)
    ours = office(SessionSaver.import_from(source, "t", sessions=every_store))
    points = [snapshot.config for snapshot in theirs.get_state_history(CONFIG)]
    for point in points[:: max(1, len(points) // 5)]:
        told = []
        for graph in (theirs, ours):
            graph.invoke(None, {"configurable": dict(point["configurable"])})
            state = graph.get_state(CONFIG)
            told.append(([m.content for m in state.values["messages"]], state.values["steps"], state.next))
        assert told[0] == told[1]


def test_each_message_is_stored_once(sessions):
    source = InMemorySaver()
    theirs = played(source)
    saver = SessionSaver.import_from(source, "t", sessions=sessions)
    said = {
        (m.id, m.content) for snapshot in theirs.get_state_history(CONFIG) for m in snapshot.values.get("messages", [])
    }
    drafts = {m.content for snapshot in theirs.get_state_history(CONFIG) for m in snapshot.values.get("drafts", [])}
    record = saver.sessions.session("t").record(all_branches=True)
    beside = run_blocking(saver.sessions.store.record(Key("t", namespace="~aside")))
    assert (len(record), {m.content for m in beside}, len(beside)) == (len(said), drafts, len(drafts))


class Given(MemoryStore):
    """Counts the messages that checkpoints bring along; the others are named by their numbers."""

    messages = 0

    async def put_checkpoint(self, checkpoint, values, **how):
        lists = [value for value in values.values() if isinstance(value, MessageList)]
        self.messages += sum(isinstance(item, Message) for value in lists for item in value.items)
        return await super().put_checkpoint(checkpoint, values, **how)


def test_a_message_is_given_to_the_store_once_and_not_with_each_checkpoint_that_has_it():
    source, store = InMemorySaver(), Given()
    theirs = played(source, turns=6)
    saver = SessionSaver.import_from(source, "t", sessions=Sessions(store))
    keys = {found.key for found in run_blocking(store.checkpoints("default", "t", None))}
    assert history(office(saver)) == history(theirs)
    assert store.messages == sum(len(run_blocking(store.record(key))) for key in keys)


class Listing(MemoryStore):
    """Counts the checkpoints of lists that are read with their values."""

    filled = 0

    async def fill(self, checkpoint):
        self.filled += 1
        return await super().fill(checkpoint)


def test_our_own_checkpoints_are_listed_without_their_messages():
    source, store = InMemorySaver(), Listing()
    theirs = played(source, turns=3)
    saver = SessionSaver.import_from(source, "t", sessions=Sessions(store))
    saver = SessionSaver.import_from(source, "t", sessions=saver.sessions)
    out = InMemorySaver()
    assert saver.export_to(out) == len(list(source.list(None)))
    assert store.filled == 0
    assert history(office(out)) == history(theirs)


def test_a_second_import_changes_nothing(sessions):
    source = InMemorySaver()
    theirs = played(source)
    for _ in range(2):
        saver = SessionSaver.import_from(source, "t", sessions=sessions)
        state = sessions.list()
    SessionSaver.import_from(source, sessions=sessions)
    assert sessions.list() == state
    assert history(office(saver)) == history(theirs)


def test_an_import_that_was_interrupted_goes_on(sessions, monkeypatch):
    source = InMemorySaver()
    theirs = played(source)
    put, puts = SessionSaver.put, []

    def failing(self, *args):
        puts.append(args)
        if len(puts) == 12:
            raise OSError("the power is gone")
        return put(self, *args)

    monkeypatch.setattr(SessionSaver, "put", failing)
    with pytest.raises(OSError, match="power"):
        SessionSaver.import_from(source, "t", sessions=sessions)
    monkeypatch.undo()
    assert 0 < len(list(SessionSaver(sessions).list(CONFIG))) < len(list(source.list(CONFIG)))
    saver = SessionSaver.import_from(source, "t", sessions=sessions)
    assert history(office(saver)) == history(theirs)


def test_what_a_thread_has_more_by_now_is_added(sessions):
    source = InMemorySaver()
    theirs = played(source)
    SessionSaver.import_from(source, "t", sessions=sessions)
    theirs.invoke(Command(resume="at last"), CONFIG)
    saver = SessionSaver.import_from(source, "t", sessions=sessions)
    assert history(office(saver)) == history(theirs)
    assert office(saver).get_state(CONFIG).next == ()


def test_all_threads_come_unless_one_is_named(sessions):
    source = InMemorySaver()
    graph = office(source)
    for name in ("a", "b"):
        asked = {"messages": [HumanMessage(f"I am {name}", id="h")], "steps": [], "drafts": []}
        graph.invoke(asked, {"configurable": {"thread_id": name}})
    SessionSaver.import_from(source, "a", sessions=sessions, tenant="acme")
    assert [state.key.session_id for state in sessions.list("acme")] == ["a"]
    saver = SessionSaver.import_from(source, sessions=sessions, tenant="acme")
    assert sorted(state.key.session_id for state in sessions.list("acme")) == ["a", "b"]
    for name in ("a", "b"):
        saver.delete_thread(name)


def test_a_thread_goes_out_and_comes_back_as_it_was(sessions, tmp_path):
    source = InMemorySaver()
    theirs = played(source)
    saver = SessionSaver.import_from(source, "t", sessions=sessions)
    with SqliteSaver.from_conn_string(f"{tmp_path}/out.db") as out:
        assert saver.export_to(out, "t") == len(list(source.list(CONFIG)))
        assert saver.export_to(out) == 0
        there = office(out)
        assert history(there) == history(theirs)
        assert notes(there) == notes(theirs)
        for graph in (theirs, there):
            graph.invoke(Command(resume="at last"), CONFIG)
        assert [m.content for m in there.get_state(CONFIG).values["messages"]] == [
            m.content for m in theirs.get_state(CONFIG).values["messages"]
        ]


def test_forks_stay_apart_in_a_saver_that_counts_in_whole_numbers(sessions):
    theirs, out = played(InMemorySaver()), Whole()
    saver = SessionSaver.import_from(theirs.checkpointer, "t", sessions=sessions)
    saver.export_to(out)
    assert saver.export_to(out) == 0
    there = office(out)
    assert history(there) == history(theirs)
    for graph in (theirs, there):
        graph.invoke(Command(resume="at last"), CONFIG)
    assert there.get_state(CONFIG).values["steps"] == theirs.get_state(CONFIG).values["steps"]


def test_the_whole_record_goes_out_although_runs_saw_a_view(tmp_path):
    policy = Policy(Budget(1_500, reply_reserve_tokens=0), folding="inline")
    with Sessions(f"sqlite:///{tmp_path}/ours.db", policy=policy) as sessions:
        built = StateGraph(State)
        built.add_node("answer", lambda state: {"messages": [AIMessage(f"of {len(state['messages'])} " * 20)]})
        built.add_edge(START, "answer")
        saver, out = SessionSaver(sessions), InMemorySaver()
        ours = built.compile(checkpointer=saver)
        for turn in range(40):
            ours.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
        assert sessions.session("t").stats().digests
        saver.export_to(out, "t")
        there = built.compile(checkpointer=out)
        assert there.get_state(CONFIG).values["messages"] == ours.get_state(CONFIG).values["messages"]
        assert len(there.get_state(CONFIG).values["messages"]) == 80
        there.invoke({"messages": [HumanMessage("more")]}, CONFIG)
        assert len(there.get_state(CONFIG).values["messages"]) == 82


def test_what_a_chain_added_goes_out_in_the_newest_checkpoint(sessions, tmp_path):
    source = InMemorySaver()
    played(source)
    saver = SessionSaver.import_from(source, "t", sessions=sessions)
    ours = office(saver)
    ours.invoke(Command(resume="at last"), CONFIG)
    history = SessionChatMessageHistory("t", sessions=sessions)
    with SqliteSaver.from_conn_string(f"{tmp_path}/out.db") as out:
        for added in ("from a chain", "once more"):
            history.add_messages([HumanMessage(added)])
            saver.export_to(out, "t")
            there = office(out)
            assert there.get_state(CONFIG).values["messages"][-1].content == added
            assert len(there.get_state(CONFIG).values["messages"]) == len(history.record())
            assert there.get_state(CONFIG).next == ()


def test_one_store_moves_into_another(sessions, tmp_path):
    source = InMemorySaver()
    played(source)
    saver = SessionSaver.import_from(source, "t", sessions=sessions)
    SessionChatMessageHistory("t", sessions=sessions).add_messages([HumanMessage("from a chain")])
    other = SessionSaver.import_from(saver, "t", url=f"sqlite:///{tmp_path}/other.db")
    assert history(office(other)) == history(office(saver))
    assert [m.content for m in other.sessions.session("t").record()] == [
        m.content for m in sessions.session("t").record()
    ]
    other.close()


def test_the_awaiting_voice_does_the_same(sessions, tmp_path):
    with SqliteSaver.from_conn_string(f"{tmp_path}/theirs.db") as saver:
        theirs = history(played(saver))

    async def talk():
        async with AsyncSqliteSaver.from_conn_string(f"{tmp_path}/theirs.db") as source:
            for _ in range(2):
                saver = await SessionSaver.aimport_from(source, "t", sessions=sessions)
        async with AsyncSqliteSaver.from_conn_string(f"{tmp_path}/out.db") as out:
            added = [await saver.aexport_to(out, "t") for _ in range(2)]
            there = [shown(snapshot) async for snapshot in office(out).aget_state_history(CONFIG)]
        ours = office(saver)
        before = [shown(snapshot) async for snapshot in ours.aget_state_history(CONFIG)]
        await ours.ainvoke(Command(resume="at last"), CONFIG)
        return added, there, before, await ours.aget_state(CONFIG)

    added, there, before, state = asyncio.run(talk())
    assert added[0] > added[1] == 0
    assert there == before == theirs
    assert state.values["messages"][-1].content == "done"


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), parts=st.integers(1, 3))
def test_what_went_in_comes_out(seed, parts):
    messages = from_core_many(conversation(seed, most_turns=6))
    built = StateGraph(State)
    built.add_node("listen", lambda state: {"steps": ["heard"]})
    built.add_edge(START, "listen")
    source, out = InMemorySaver(), InMemorySaver()
    theirs, there = built.compile(checkpointer=source), built.compile(checkpointer=out)
    with Sessions() as sessions:
        for part in range(parts):
            said = messages[len(messages) * part // parts : len(messages) * (part + 1) // parts]
            theirs.invoke({"messages": said, "steps": [], "drafts": []}, CONFIG)
            saver = SessionSaver.import_from(source, sessions=sessions)
        saver.export_to(out)
        assert history(there) == history(built.compile(checkpointer=saver)) == history(theirs)
        assert there.get_state(CONFIG).values["messages"] == messages
        assert len(sessions.session("t").record(all_branches=True)) == len(messages)
