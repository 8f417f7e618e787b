"""Another saver inside ours when a side fails, when runs meet, and when threads are deleted."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from inner_savers import EDITS, WholeSaver, history, kept, questions, talker, turn_ends
from langchain_core.messages import HumanMessage, RemoveMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from redis_server import redis_server
from talking_graphs import CONFIG, POLICY, ask

from langchain_session import SessionSaver, attach
from session_core import Sessions


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
def test_a_retry_is_harmless_when_the_inner_saver_failed_after_ours_wrote(sessions_beside, refused):
    inner, plain = Failing(), InMemorySaver()
    inner.refused = (refused,)
    graph = talker(SessionSaver(sessions_beside, inner=inner))
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
    record = sessions_beside.session("t").record()
    assert [m.id for m in record] == [m.id for m in kept(plain)]
    assert len(sessions_beside.session("t").record(all_branches=True)) == len(record)


def test_nothing_is_given_to_the_inner_saver_when_ours_fails(tmp_path, inner_saver):
    sessions = Sessions(f"sqlite:///{tmp_path}/sessions.db", policy=POLICY)
    graph = talker(SessionSaver(sessions, inner=inner_saver))
    ask(graph, 0)
    before = history(inner_saver)
    with sessions.store._file.writing() as connection:
        connection.execute("DROP TABLE channel_values")
    with pytest.raises(Exception, match="channel_values"):
        ask(graph, 1)
    assert history(inner_saver) == before
    sessions.close()


def test_concurrent_runs_are_merged_in_what_the_inner_saver_has(tmp_path, sessions_beside):
    async def talk():
        async with AsyncSqliteSaver.from_conn_string(str(tmp_path / "inner.db")) as inner:
            graph = attach(talker(SessionSaver(sessions_beside, inner=inner)))
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
    assert len(sessions_beside.session("t").record()) == len(said) * 4


def test_two_runs_of_a_saver_that_counts_its_versions_are_merged_too(sessions_beside):
    class Counting(InMemorySaver):
        def get_next_version(self, current, channel):
            return (current or 0) + 1

    inner = Counting()
    saver = SessionSaver(sessions_beside, inner=inner)

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
def test_any_store_works_with_an_inner_saver(kind, postgres, inner_saver):
    plain = InMemorySaver()
    with redis_server() as redis:
        url = redis.url if kind == "redis" else f"{postgres.url}&schema=beside"
        with Sessions(url, policy=POLICY) as sessions:
            ask(talker(SessionSaver(sessions, inner=inner_saver)), *range(6))
            ask(talker(inner_saver), *range(6, 18))
            talker(inner_saver).update_state(CONFIG, {"messages": EDITS}, as_node="count")
            graph = talker(SessionSaver(sessions, inner=inner_saver))
            ask(graph, 18, 19)
            ask(graph, 50, config=turn_ends(graph, 32))
            ask(graph, 51)
            assert [m.content for m in sessions.session("t").record() if m.role == "user"] == questions(
                kept(inner_saver)
            )
    graph = talker(plain)
    ask(graph, *range(18))
    graph.update_state(CONFIG, {"messages": EDITS}, as_node="count")
    ask(graph, 18, 19)
    ask(graph, 50, config=turn_ends(graph, 32))
    ask(graph, 51)
    assert history(inner_saver) == history(plain)


def test_what_others_said_can_be_removed_by_hand(sessions_beside, inner_saver):
    graph = talker(SessionSaver(sessions_beside, inner=inner_saver))
    ask(graph, 0)
    sessions_beside.session("t").append({"role": "user", "content": "from a chain", "id": "chain"})
    ask(graph, 1)
    assert questions(kept(inner_saver)) == ["question 0", "from a chain", "question 1"]
    graph.update_state(CONFIG, {"messages": [RemoveMessage("chain")]}, as_node="count")
    ask(graph, 2)
    assert questions(kept(inner_saver)) == ["question 0", "question 1", "question 2"]


def test_deleting_a_thread_deletes_it_here_and_there(twins, sessions_beside):
    mine, _ = twins
    saver = SessionSaver(sessions_beside, inner=mine)
    ask(talker(saver), 0, 1)
    saver.delete_thread("t")
    assert mine.get_tuple(CONFIG) is None
    assert saver._originals._held == {}
    assert sessions_beside.session("t").record(all_branches=True) == []
    ask(talker(saver), 2)
    assert questions(kept(mine)) == ["question 2"]


def test_a_thread_that_was_deleted_there_begins_anew(twins, sessions_beside):
    mine, _ = twins
    saver = SessionSaver(sessions_beside, inner=mine)
    ask(talker(saver), 0, 1)
    mine.delete_thread("t")
    ask(talker(saver), 2, 3)
    assert questions(kept(mine)) == ["question 2", "question 3"]
    assert [m.content for m in sessions_beside.session("t").record() if m.role == "user"] == questions(kept(mine))


def test_the_conversation_goes_back_when_a_run_is_deleted(sessions_beside):
    inner = WholeSaver()
    saver = SessionSaver(sessions_beside, inner=inner)
    graph = talker(saver)
    for turn in range(3):
        ask(graph, turn)
    saver.delete_for_runs(["r2"])
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
    assert sessions_beside.session("copy").record(all_branches=True) == []
