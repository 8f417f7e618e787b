"""A graph whose messages are under another key than "messages"."""

from __future__ import annotations

import logging
from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint
from langgraph.graph import START, MessagesState, StateGraph, add_messages
from langgraph.types import Command, interrupt

from langchain_session import SessionSaver, attach
from session_core import Budget, Policy
from session_core.errors import ConfigError, InputError

POLICY = Policy(Budget(2_000), folding="inline")
THREAD: Any = {"configurable": {"thread_id": "t"}}


class Talk(TypedDict):
    talk: Annotated[list[AnyMessage], add_messages]


def talker(saver: Any, seen: list[int]) -> Any:
    def answer(state: Talk) -> dict[str, list[BaseMessage]]:
        seen.append(len(state["talk"]))
        return {"talk": [AIMessage("We meet in the usual place. " * 30)]}

    return StateGraph(Talk).add_node("answer", answer).add_edge(START, "answer").compile(checkpointer=saver)


def run(graph: Any, turns: int) -> None:
    for turn in range(turns):
        graph.invoke({"talk": [("user", f"Question {turn}")]}, THREAD)


def remembering(saver: Any, seen: list[int], *, asks: bool = False) -> Any:
    """A function that saves its messages, as in LangGraph's functional API."""

    @entrypoint(checkpointer=saver)
    def talks(question: str, *, previous: list[AnyMessage] | None = None) -> Any:
        seen.append(len(previous or []))
        agreed = interrupt("go on?") if asks else "yes"
        said: list[Any] = [("user", question), AIMessage(f"We meet in the usual place: {agreed}. " * 30)]
        return entrypoint.final(value=agreed, save=add_messages(previous or [], said))

    return talks


@pytest.mark.parametrize("asks", [False, True])
def test_a_function_gets_the_view_of_the_messages_it_saved(caplog: pytest.LogCaptureFixture, asks: bool) -> None:
    seen: list[int] = []
    saver = SessionSaver("memory://", policy=POLICY, channel="__previous__")
    talks = remembering(saver, seen, asks=asks)
    for turn in range(20):
        talks.invoke(f"Question {turn}", THREAD)
        assert not asks or talks.invoke(Command(resume="agreed"), THREAD) == "agreed"
    assert not caplog.records
    assert max(seen) < 20
    record = saver.sessions.session("t").record()
    assert [message.content for message in record if message.role == "user"] == [f"Question {n}" for n in range(20)]
    assert len(record) == 40


def test_a_saver_says_how_a_function_gets_a_view(caplog: pytest.LogCaptureFixture) -> None:
    talks = remembering(SessionSaver("memory://", policy=POLICY), [])
    for turn in range(3):
        talks.invoke(f"Question {turn}", THREAD)
    (said,) = [one.getMessage() for one in caplog.records]
    assert "SessionSaver(..., channel='__previous__')" in said


def test_a_saver_says_once_which_key_has_the_messages(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        run(talker(SessionSaver("memory://", policy=POLICY), []), 3)
    (said,) = [one.getMessage() for one in caplog.records]
    assert "SessionSaver(..., channel='talk')" in said


def test_a_saver_over_another_one_says_it_too(caplog: pytest.LogCaptureFixture) -> None:
    run(talker(SessionSaver("memory://", policy=POLICY, inner=InMemorySaver()), []), 1)
    assert "channel='talk'" in caplog.text


def test_other_messages_in_an_input_are_no_conversation(caplog: pytest.LogCaptureFixture) -> None:
    class Shown(MessagesState):
        examples: Annotated[list[AnyMessage], add_messages]

    graph = StateGraph(Shown).add_node("a", lambda state: {"messages": [AIMessage("x")]}).add_edge(START, "a")
    graph.compile(checkpointer=SessionSaver("memory://")).invoke({"examples": [("user", "Like this")]}, THREAD)
    assert not caplog.records


def test_a_saver_that_was_told_the_key_says_nothing_and_hands_out_views(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []
    saver = SessionSaver("memory://", policy=POLICY, channel="talk")
    graph = attach(talker(saver, seen))
    run(graph, 20)
    assert not caplog.records
    assert max(seen) < 20
    assert len(graph.get_state(THREAD).values["talk"]) == 40


def test_attach_refuses_a_graph_whose_messages_it_would_not_find() -> None:
    saver = SessionSaver("memory://", policy=POLICY)
    with pytest.raises(ConfigError, match=r"no state key 'messages', but messages under 'talk'; pass Session"):
        attach(talker(saver, []))


def test_attach_accepts_a_graph_with_the_key_in_a_graph_within_it() -> None:
    class Outer(TypedDict):
        question: str

    inner = StateGraph(MessagesState).add_node("a", lambda state: {"messages": [AIMessage("x")]}).add_edge(START, "a")
    outer = StateGraph(Outer).add_node("inner", inner.compile()).add_edge(START, "inner")
    attach(outer.compile(), policy=POLICY)


def test_a_config_without_a_thread_id_is_told_where_to_put_it() -> None:
    graph = talker(SessionSaver("memory://", policy=POLICY, channel="talk"), [])
    with pytest.raises(InputError, match=r"thread_id is None, or missing; .*\{\"configurable\": \{\"thread_id\""):
        graph.invoke({"talk": [("user", "Hello")]}, {"configurable": {"session_id": "t"}})
