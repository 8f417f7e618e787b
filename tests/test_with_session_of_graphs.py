"""`with_session` around an agent or graph, which may stream its state, the updates of its nodes, or tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from strict_model import StrictChatModel

from langchain_session import with_session
from session_core import Sessions
from session_core.errors import ConfigError

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
