"""`with_session` around an agent or graph, which may stream its state, the updates of its nodes, or tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, PIIMiddleware, before_model
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, SystemMessage
from langchain_core.runnables import RunnableLambda
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from strict_model import StrictChatModel

from langchain_session import with_session
from session_core import Sessions
from session_core.errors import ConfigError, InputError

Stream = Callable[..., list[Any]]
CONFIG: Any = {"configurable": {"session_id": "s"}}


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    with Sessions("memory://") as opened:
        yield opened


def streamed(talk: Any, **options: Any) -> list[Any]:
    return list(talk.stream({"messages": [HumanMessage("hi")]}, CONFIG, **options))


def streamed_awaited(talk: Any, **options: Any) -> list[Any]:
    async def collect() -> list[Any]:
        return [piece async for piece in talk.astream({"messages": [HumanMessage("hi")]}, CONFIG, **options)]

    return asyncio.run(collect())


both_voices = pytest.mark.parametrize("stream", [streamed, streamed_awaited])


@both_voices
@pytest.mark.parametrize("options", [{}, {"stream_mode": "messages"}, {"stream_mode": ["values", "updates"]}])
def test_a_graph_that_streams_no_whole_state_is_told_so_before_it_runs(
    sessions: Sessions, stream: Stream, options: dict[str, Any]
) -> None:
    model = StrictChatModel(answers=["hello"])
    with pytest.raises(ConfigError, match="stream_mode='values', or compile the graph with checkpointer=SessionSaver"):
        stream(with_session(create_agent(model), sessions), **options)
    assert sessions.session("s").record() == []
    assert model.seen == []


@both_voices
def test_a_graph_that_streams_its_state_has_its_turns_on_record(sessions: Sessions, stream: Stream) -> None:
    talk = with_session(create_agent(StrictChatModel(answers=["hello", "again"])), sessions)
    for _ in range(2):
        assert stream(talk, stream_mode="values")
    kept = [(m.role.value, m.content) for m in sessions.session("s").record()]
    assert kept == [("user", "hi"), ("assistant", "hello"), ("user", "hi"), ("assistant", "again")]


@both_voices
@pytest.mark.parametrize("option", [{"subgraphs": True}, {"version": "v2"}])
def test_a_graph_that_streams_something_around_its_state_is_told_so_before_it_runs(
    sessions: Sessions, stream: Stream, option: dict[str, Any]
) -> None:
    model = StrictChatModel(answers=["hello"])
    with pytest.raises(ConfigError, match=f"a graph with {next(iter(option))}=.* pass only stream_mode='values'"):
        stream(with_session(create_agent(model), sessions), stream_mode="values", **option)
    assert model.seen == []


@both_voices
@pytest.mark.parametrize("retried", [False, True])
def test_a_stream_mode_that_is_bound_to_a_graph_counts(sessions: Sessions, stream: Stream, retried: bool) -> None:
    graph = create_agent(StrictChatModel(answers=["hello"]))
    assert stream(with_session(graph.bind(stream_mode="values"), sessions))
    with pytest.raises(ConfigError, match="stream_mode='updates'"):
        stream(with_session(graph.with_retry() if retried else graph.bind(stream_mode="updates"), sessions))
    assert [m.content for m in sessions.session("s").record()] == ["hi", "hello"]


def test_an_edited_question_with_its_old_id_takes_no_place_of_the_old_one_in_a_graph(sessions: Sessions) -> None:
    model = StrictChatModel(answers=["one", "two", "three", "four"])
    talk = with_session(create_agent(model), sessions)
    said: list[str] = []
    for question, its_id in (("hi", "edited"), ("hi!", "edited"), ("and?", None), ("hi!!", "edited")):
        answer = talk.invoke({"messages": [HumanMessage(question, id=its_id)]}, CONFIG)["messages"][-1]
        assert [m.content for m in model.seen[-1]] == [*said, question]
        said += [question, answer.content]
        assert [m.content for m in sessions.session("s").record()] == said


@before_model
def _trim(state: Any, runtime: Any) -> Any:
    if len(state["messages"]) > 3:
        return {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES), *state["messages"][-3:]]}
    return None


@pytest.mark.parametrize("middleware", [_trim, PIIMiddleware("email")], ids=["trimmed", "redacted"])
def test_what_an_agent_removed_or_changed_in_its_state_is_stored_once(
    sessions: Sessions, middleware: AgentMiddleware[Any, Any]
) -> None:
    model = StrictChatModel(answers=["a0", "a1", "a2", "a3"])
    talk = with_session(create_agent(model, middleware=[middleware]), sessions)
    for turn in range(4):
        talk.invoke({"messages": [HumanMessage(f"q{turn} bob@example.com")]}, CONFIG)
    said = [text for turn in range(4) for text in (f"q{turn} bob@example.com", f"a{turn}")]
    assert [m.content for m in sessions.session("s").record()] == said


def test_messages_before_those_that_a_runnable_was_sent_double_none_of_them(sessions: Sessions) -> None:
    def answer(messages: list[Any]) -> list[Any]:
        return [SystemMessage("be brief", id="rules"), *messages, AIMessage(f"answer {len(messages)}")]

    talk = with_session(RunnableLambda(answer), sessions)
    for question in ("a", "b", "c"):
        talk.invoke(question, CONFIG)
    kept = [m.content for m in sessions.session("s").record()]
    assert kept == ["a", "be brief", "answer 1", "b", "answer 4", "c", "answer 6"]


def test_an_answer_of_unreadable_messages_loses_nothing_that_was_asked(sessions: Sessions) -> None:
    talk = with_session(create_agent(StrictChatModel(answers=["hello"])), sessions)
    with pytest.raises(InputError, match="holds something that LangChain cannot read as a message"):
        talk.invoke({"messages": [HumanMessage("hi")]}, CONFIG, stream_mode="messages")
    assert [m.content for m in sessions.session("s").record()] == ["hi"]
