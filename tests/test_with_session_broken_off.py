"""`with_session`: of a turn that breaks off, what was said is stored as far as it came."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda
from session_calls import CONFIG, POLICY, every_voice, kept, streaming, streaming_awaited
from strict_model import StrictChatModel

from langchain_session import SessionChatMessageHistory, with_session
from session_core import Sessions
from session_core.errors import InputError
from session_core.stores.memory import MemoryStore


@pytest.fixture(params=["memory", "sqlite"])
def sessions(request: pytest.FixtureRequest, tmp_path) -> Iterator[Sessions]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/chat.db"
    with Sessions(url, policy=POLICY) as opened:
        yield opened


@every_voice
def test_a_model_that_fails_loses_nothing_that_the_user_said(sessions, call):
    def fail(_: Any) -> Any:
        raise RuntimeError("no answer")

    with pytest.raises(RuntimeError, match="no answer"):
        call(with_session(RunnableLambda(fail), sessions), "hi")
    assert kept(sessions) == [("user", "hi")]


@every_voice
def test_an_answer_that_holds_no_messages_loses_nothing_that_the_user_said(sessions, call):
    def pieces(_: Any) -> Iterator[Any]:
        yield [object()]

    async def awaited(_: Any) -> AsyncIterator[Any]:
        yield [object()]

    with pytest.raises(InputError, match="holds something that LangChain cannot read"):
        call(with_session(RunnableGenerator(pieces, awaited), sessions), "hi")
    assert kept(sessions) == [("user", "hi")]


def failing_stream() -> Runnable[Any, Any]:
    def pieces(_: Any) -> Iterator[AIMessageChunk]:
        yield AIMessageChunk("half of ")
        yield AIMessageChunk("an answer", tool_call_chunks=[{"name": "f", "args": '{"a', "id": "c", "index": 0}])
        raise RuntimeError("cut off")

    async def awaited(_: Any) -> AsyncIterator[AIMessageChunk]:
        for piece in pieces(_):
            yield piece

    return RunnableGenerator(pieces, awaited)


@pytest.mark.parametrize("call", [streaming, streaming_awaited])
def test_of_a_stream_that_breaks_the_part_that_came_is_stored_and_says_so(sessions, call):
    with pytest.raises(RuntimeError, match="cut off"):
        call(with_session(failing_stream(), sessions), "hi")
    assert kept(sessions) == [("user", "hi"), ("assistant", "half of an answer")]
    assert sessions.session("s").record()[1].tool_calls == ()


def test_a_stream_that_the_caller_leaves_is_stored_as_far_as_it_came(sessions):
    stream = with_session(StrictChatModel(answers=["one two three"]), sessions).stream("hi", CONFIG)
    assert next(stream).content == "one"
    assert kept(sessions) == []
    stream.close()
    assert kept(sessions) == [("user", "hi"), ("assistant", "one")]


def test_a_stream_that_is_left_awaiting_is_stored_as_far_as_it_came(sessions):
    async def leave() -> None:
        stream = with_session(StrictChatModel(answers=["one two three"]), sessions).astream("hi", CONFIG)
        async for _ in stream:
            break
        await stream.aclose()

    asyncio.run(leave())
    assert kept(sessions) == [("user", "hi"), ("assistant", "one")]


def test_a_cancelled_call_keeps_what_the_user_said(sessions):
    async def cancel() -> None:
        begun = asyncio.Event()

        async def wait(_: Any) -> None:
            begun.set()
            await asyncio.sleep(60)

        task = asyncio.create_task(with_session(RunnableLambda(wait), sessions).ainvoke("hi", CONFIG))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert kept(sessions) == [("user", "hi")]


class Distant(MemoryStore):
    """A store that has the loop wait for each answer; `reading` is called whenever a session is read."""

    reading: Callable[[], None] = staticmethod(lambda: None)

    async def load(self, *args: Any, **options: Any) -> Any:
        self.reading()
        await asyncio.sleep(0)
        return await super().load(*args, **options)

    async def append(self, *args: Any, **options: Any) -> Any:
        await asyncio.sleep(0)
        return await super().append(*args, **options)

    async def drop_lease(self, *args: Any) -> None:
        await asyncio.sleep(0)
        await super().drop_lease(*args)


@pytest.mark.parametrize("lease", [False, True])
@pytest.mark.parametrize(
    ("leaves", "stored"), [("answer", [("user", "hi"), ("assistant", "one")]), ("view", [("user", "hi")])]
)
def test_a_client_that_goes_away_loses_nothing_that_was_said(leaves, stored, lease):
    """Web frameworks cancel its handler, and again at each further wait."""
    store = Distant()
    sessions = Sessions(store, policy=POLICY)

    async def endless(pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for piece in pieces:
            yield piece
            await asyncio.sleep(60)

    async def call() -> None:
        talk = with_session(StrictChatModel(answers=["one two"]) | RunnableGenerator(endless), sessions, lease=lease)
        with anyio.CancelScope() as scope:
            if leaves == "view":
                store.reading = scope.cancel
            async for _ in talk.astream("hi", CONFIG):
                scope.cancel()
        async with sessions.session("s").lease(wait_s=5.0):
            pass
        for _ in range(10):
            await asyncio.sleep(0)

    asyncio.run(call())
    assert kept(sessions) == stored


def test_the_partial_answer_says_that_it_was_broken_off(sessions):
    stream = with_session(StrictChatModel(answers=["one two"]), sessions).stream("hi", CONFIG)
    next(stream)
    stream.close()
    history = SessionChatMessageHistory("s", sessions=sessions)
    assert history.record()[-1].response_metadata == {"broken_off": True}
