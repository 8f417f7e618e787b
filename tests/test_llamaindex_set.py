"""Setting the messages of a `SessionMemoryBuffer`: what was stored is stored once, and what a view left out stays."""

from __future__ import annotations

import asyncio
import random

import pytest
from llama_index.core.agent.workflow import AgentInput
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.workflow import JsonSerializer
from scripted_llm import assistant, calls, conversation, result, user

from llamaindex_session import SessionMemoryBuffer


def test_a_chat_history_begins_the_session_once(sqlite_url: str) -> None:
    history = [ChatMessage("be brief", role="system"), user("hi"), assistant("hello")]
    first = SessionMemoryBuffer.from_defaults(history, session_id="s", url=sqlite_url, token_limit=1_000)
    first.put(user("more"))
    again = SessionMemoryBuffer.from_defaults(history, session_id="s", url=sqlite_url, token_limit=1_000)
    assert again.get_all() == [*history, user("more")]
    empty = SessionMemoryBuffer.from_defaults([], session_id="s", url=sqlite_url, token_limit=1_000)
    assert empty.get_all() == [*history, user("more")]


def test_set_with_the_conversation_and_more_stores_only_what_is_more(memory: SessionMemoryBuffer) -> None:
    memory.put_messages(conversation(4))
    memory.set([*memory.get_all(), user("more")])
    memory.set([*memory.get_all(), assistant("and more")])
    assert memory.get_all() == [*conversation(4), user("more"), assistant("and more")]
    assert len(memory.session.record(all_branches=True)) == len(conversation(4)) + 2


def test_set_with_a_view_keeps_the_conversation_it_stands_for(memory: SessionMemoryBuffer) -> None:
    said = conversation(40)
    memory.put_messages(said)
    view = memory.get(input="order ORD-3")
    assert len(view) < len(said)
    memory.set([*view, user("more")])
    assert memory.get_all() == [*said, user("more")]


def test_set_with_another_conversation_replaces_it_and_loses_nothing(memory: SessionMemoryBuffer) -> None:
    memory.put_messages([user("a"), assistant("b"), user("c")])
    memory.set([user("a"), assistant("other"), user("c")])
    assert memory.get_all() == memory.get() == [user("a"), assistant("other"), user("c")]
    assert [m.content for m in memory.session.record(all_branches=True)] == ["a", "b", "c", "other"]
    asyncio.run(memory.aset([user("new")]))
    assert memory.get_all() == [user("new")]
    memory.set([])
    assert memory.get_all() == []


def test_set_with_a_view_of_another_session_takes_it_as_words(sqlite_url: str, memory: SessionMemoryBuffer) -> None:
    memory.put_messages(conversation(40))
    other = SessionMemoryBuffer.from_defaults(session_id="two", url=sqlite_url, token_limit=2_000)
    other.put_messages(conversation(3))
    other.set(memory.get())
    assert [m.content for m in other.get_all()] == [m.content for m in memory.get()]


def test_a_short_answer_that_was_given_before_is_a_new_message_behind_a_view(memory: SessionMemoryBuffer) -> None:
    said = [message for _ in range(40) for message in (user("yes"), assistant("Done. " + "word " * 60))]
    memory.put_messages(said)
    memory.set([*memory.get(), user("yes")])
    assert memory.get_all() == [*said, user("yes")]


@pytest.mark.parametrize("token_limit", [60, 100, 400, 2_000])
def test_views_that_are_set_lose_and_double_nothing_of_what_was_said_again_and_again(token_limit: int) -> None:
    chance = random.Random(token_limit)
    short = ["yes", "ok", "thanks", "go on", "The code is K-7.", "what about tomorrow?", "perfect, thank you!"]
    memory = SessionMemoryBuffer.from_defaults(url="memory://", token_limit=token_limit)
    said: list[ChatMessage] = []
    for turn in range(40):
        new = [user(chance.choice(short)), assistant(chance.choice([*short, "word " * 60]))]
        if turn % 3 == 0:
            new[1:1] = [calls(f"c{turn}", n=1), result(f"c{turn}", "row of a table\n" * chance.randint(1, 60))]
        if turn % 2:
            memory.set([*memory.get(input=chance.choice([None, "which code?"])), *new])
        else:
            memory.put_messages(new)
        said += new
        assert memory.get_all() == said


def test_what_is_taken_out_of_a_view_is_out_of_the_conversation(memory: SessionMemoryBuffer) -> None:
    memory.put_messages([*conversation(40), user("my pin is 1234"), assistant("noted"), user("go on")])
    view = memory.get()
    memory.set([message for message in view if message != user("my pin is 1234")])
    assert memory.get_all() == [*conversation(40), assistant("noted"), user("go on")]


def test_a_view_that_went_through_the_serializer_of_contexts_stands_for_the_same(memory: SessionMemoryBuffer) -> None:
    said = conversation(40)
    memory.put_messages(said)
    view = memory.get()
    again = JsonSerializer().deserialize(JsonSerializer().serialize(view))
    assert again == view
    memory.set([*again, user("more")])
    assert memory.get_all() == [*said, user("more")]


def test_a_view_read_again_as_plain_messages_carries_nothing_that_a_provider_would_refuse(
    memory: SessionMemoryBuffer,
) -> None:
    memory.put_messages(conversation(40))
    view = memory.get()
    again = [ChatMessage.model_validate_json(message.model_dump_json()) for message in view]
    assert [(m.role, m.content, m.additional_kwargs) for m in again] == [
        (m.role, m.content, m.additional_kwargs) for m in view
    ]
    event = JsonSerializer().serialize(AgentInput(input=view, current_agent_name="one"))
    assert "llm_sessions" not in event
