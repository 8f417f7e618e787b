"""What a message says is digested once, however many checkpoints of a thread list it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_session import SessionSaver
from session_core.serial import codec
from session_core.serial.codec import body_digest
from session_core.testing import message
from session_core.turns import Importance

TURNS = 12


def _thread() -> InMemorySaver:
    def answer(state: MessagesState):
        place = len(state["messages"])
        return {"messages": [AIMessage(f"answer {place}", id=f"a{place}")]}

    saver, graph = InMemorySaver(), StateGraph(MessagesState)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    made = graph.compile(saver)
    for turn in range(TURNS):
        said = HumanMessage(f"question {turn}", id=f"q{turn}")
        made.invoke({"messages": [said]}, {"configurable": {"thread_id": "t"}})
    return saver


@pytest.fixture
def digested(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was digested."""
    said: list[bytes] = []
    real = codec._digest

    def counted(data: bytes) -> bytes:
        said.append(data)
        return real(data)

    monkeypatch.setattr(codec, "_digest", counted)
    return said


@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaiting"])
def test_an_import_computes_each_message_digest_once(awaited: bool, digested: list[bytes]) -> None:
    theirs = _thread()
    digested.clear()
    if awaited:
        asyncio.run(SessionSaver.aimport_from(theirs, "t", url="memory://"))
    else:
        SessionSaver.import_from(theirs, "t", url="memory://")
    assert len(digested) == len(set(digested)) == 2 * TURNS


def test_a_changed_message_gets_a_new_digest() -> None:
    first = message(1)
    before = body_digest(first)
    changed = replace(first, content=first.content + " and more")
    assert body_digest(changed) not in (before, b"")
    assert body_digest(replace(changed, content=first.content)) == before
    priced = first.with_figures("other", 0.0, tokens=3, importance=Importance.DISCARD, clip=None, clip_tokens=0)
    assert body_digest(priced) == before
    assert (first, hash(first)) == (message(1), hash(message(1)))
