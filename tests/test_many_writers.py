"""Eight writers on one thread of LangGraph, on real servers: every turn that came back is there, and within reach."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph

from langchain_session import SessionSaver
from session_core import Budget, Policy, Sessions
from session_core.testing import check_valid

WRITERS, TURNS = 8, 5
CONFIG = {"configurable": {"thread_id": "t"}}
EXPECTED = {f"w{writer}t{turn}" for writer in range(WRITERS) for turn in range(TURNS)}


@pytest.fixture(params=["redis", "postgres"])
def sessions(request, servers, tmp_path):
    with servers.place(request.param, tmp_path) as place:
        yield Sessions(place.store, policy=Policy(Budget(900, reply_reserve_tokens=0)))


def answering(saver):
    built = StateGraph(MessagesState)
    built.add_node("answer", lambda state: {"messages": [AIMessage(f"the answer to {state['messages'][-1].id}")]})
    built.add_edge(START, "answer")
    return built.compile(checkpointer=saver)


def said(writer: int, turn: int):
    return {"messages": [HumanMessage(f"writer {writer} asks for the {turn}th time", id=f"w{writer}t{turn}")]}


def in_threads(graph) -> None:
    def write(writer: int) -> None:
        for turn in range(TURNS):
            graph.invoke(said(writer, turn), CONFIG)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))


def in_tasks(graph) -> None:
    async def write(writer: int) -> None:
        for turn in range(TURNS):
            await graph.ainvoke(said(writer, turn), CONFIG)

    async def all_of_them() -> None:
        await asyncio.gather(*map(write, range(WRITERS)))

    asyncio.run(all_of_them())


@pytest.mark.parametrize("at_once", [in_threads, in_tasks])
def test_no_turn_of_concurrent_writers_is_lost_or_missing_in_the_next_view(sessions, at_once):
    graph = answering(SessionSaver(sessions))
    at_once(graph)
    assert sessions.drain(60)
    kept = graph.get_state(CONFIG).values["messages"]
    record = sessions.session("t").record()
    assert {m.id for m in kept if m.type == "human"} == EXPECTED
    assert {m.id for m in record if m.role == "user"} == EXPECTED
    assert len(kept) == len(record) == 2 * len(EXPECTED)

    graph.invoke({"messages": [HumanMessage("and now?", id="next")]}, CONFIG)
    view = sessions.session("t").view()
    assert view.digest is not None
    within = {message.seq for message in view.messages} | set(view.digest.covers)
    assert {m.id for m in sessions.session("t").record() if m.role == "user" and m.seq in within} == {*EXPECTED, "next"}
    assert check_valid(view.messages) == []
