"""`SessionChatMessageHistory` in the place of a `RedisChatMessageHistory`: keys, voices, streams, TTL, clear."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableFieldSpec
from langchain_core.runnables.history import RunnableWithMessageHistory
from strict_model import StrictChatModel

from langchain_session import SessionChatMessageHistory
from session_core import Budget, Policy, Sessions
from session_core.stores.redis.names import Names

POLICY = Policy(Budget(2_000, reply_reserve_tokens=0), folding="inline")
PROMPT = ChatPromptTemplate.from_messages(
    [("system", "Be kind."), MessagesPlaceholder("history"), ("human", "{question}")]
)
FIELDS = [
    ConfigurableFieldSpec(id="user_id", annotation=str, name="User", default="", is_shared=True),
    ConfigurableFieldSpec(id="conversation_id", annotation=str, name="Conversation", default="", is_shared=True),
]


@pytest.fixture(params=["memory", "sqlite", "redis"])
def sessions(request: pytest.FixtureRequest, tmp_path, plain_redis) -> Iterator[Sessions]:
    if request.param == "redis":
        with plain_redis.client() as client:
            client.flushall()
    urls = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/chat.db", "redis": plain_redis.url}
    with Sessions(urls[request.param], policy=POLICY) as opened:
        yield opened


def chain(model: StrictChatModel, sessions: Sessions) -> RunnableWithMessageHistory:
    def history(user_id: str, conversation_id: str) -> SessionChatMessageHistory:
        return SessionChatMessageHistory(conversation_id, sessions=sessions, tenant=user_id)

    return RunnableWithMessageHistory(
        PROMPT | model,
        history,
        input_messages_key="question",
        history_messages_key="history",
        history_factory_config=FIELDS,
    )


def config(user: str, conversation: str) -> dict[str, Any]:
    return {"configurable": {"user_id": user, "conversation_id": conversation}}


def invoked(talk: RunnableWithMessageHistory, said: dict[str, Any], names: dict[str, Any]) -> None:
    talk.invoke(said, names)


def awaited(talk: RunnableWithMessageHistory, said: dict[str, Any], names: dict[str, Any]) -> None:
    asyncio.run(talk.ainvoke(said, names))


def streamed(talk: RunnableWithMessageHistory, said: dict[str, Any], names: dict[str, Any]) -> None:
    assert len(list(talk.stream(said, names))) > 1


def stream_awaited(talk: RunnableWithMessageHistory, said: dict[str, Any], names: dict[str, Any]) -> None:
    async def collect() -> int:
        return len([piece async for piece in talk.astream(said, names)])

    assert asyncio.run(collect()) > 1


every_voice = pytest.mark.parametrize("call", [invoked, awaited, streamed, stream_awaited])


@every_voice
def test_each_pair_of_keys_has_a_conversation_of_its_own(sessions, call):
    model = StrictChatModel(answers=["I see."])
    talk = chain(model, sessions)
    for user, conversation in (("ann", "1"), ("ann", "2"), ("bob", "1"), ("ann", "1")):
        call(talk, {"question": f"{user} in {conversation}"}, config(user, conversation))
    heard = [[str(m.content) for m in messages if m.type == "human"] for messages in model.seen]
    assert heard == [["ann in 1"], ["ann in 2"], ["bob in 1"], ["ann in 1", "ann in 1"]]
    kept = SessionChatMessageHistory("1", sessions=sessions, tenant="ann").record()
    assert [isinstance(m, AIMessage) for m in kept] == [False, True] * 2
    assert kept[1].content == "I see."


@every_voice
def test_a_long_talk_with_tools_is_sent_as_providers_take_it(sessions, call):
    model = StrictChatModel(answers=["I see what you mean. " * 5], max_tokens=2_100)
    talk = chain(model, sessions)
    history = SessionChatMessageHistory("1", sessions=sessions, tenant="ann")
    for turn in range(12):
        asked = [{"name": "f", "args": {"n": n}, "id": f"c{turn}-{n}"} for n in range(2)]
        results = [ToolMessage(f"row of {n}\n" * 90, tool_call_id=call["id"]) for n, call in enumerate(asked)]
        history.add_messages(
            [HumanMessage(f"look {turn}"), AIMessage("", tool_calls=asked), *results, AIMessage("Done.")]
        )
        call(talk, {"question": f"question {turn}"}, config("ann", "1"))
    said = [str(m.content) for m in history.record() if m.type == "human"]
    assert said == [text for turn in range(12) for text in (f"look {turn}", f"question {turn}")]
    assert sessions.session("1", tenant="ann").stats().digests >= 1


def test_clear_ends_one_conversation_and_no_other(sessions):
    one, other = (SessionChatMessageHistory(name, sessions=sessions) for name in ("one", "other"))
    for history in (one, other):
        history.add_messages([HumanMessage("hi")])
    one.clear()
    assert (one.messages, one.record()) == ([], [])
    assert other.messages == [HumanMessage("hi")]
    asyncio.run(other.aclear())
    assert asyncio.run(other.aget_messages()) == []
    one.add_user_message("again")
    one.add_ai_message("yes")
    assert [m.content for m in one.messages] == ["again", "yes"]


def test_an_idle_conversation_on_redis_expires(plain_redis):
    with plain_redis.client() as client:
        client.flushall()
        with Sessions(f"{plain_redis.url}?ttl_s=600") as sessions:
            history = SessionChatMessageHistory("s", sessions=sessions)
            history.add_messages([HumanMessage("hi")])
            ours = Names().of(history.session.key)
            # Most of its time passes, somebody goes on with it, and it has all of it again.
            held = [key for key in ours if client.pexpire(key, 60_000)]
            history.add_messages([AIMessage("hello")])
            assert min(map(client.pttl, held)) > 500_000
            assert texts(history.record()) == ["hi", "hello"]
            for key in ours:
                client.pexpireat(key, 1)
            assert texts(history.record()) == texts(history.messages) == []


def texts(messages: list[BaseMessage]) -> list[str]:
    return [str(message.content) for message in messages]
