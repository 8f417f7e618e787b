"""Moving LlamaIndex' chat stores and memories in and out: every key, all messages, once, in order, word for word."""

from __future__ import annotations

import asyncio
import base64

import pytest
from generated_sessions import conversation
from hypothesis import given
from hypothesis import strategies as st
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, MessageRole, TextBlock, ToolCallBlock
from llama_index.core.memory import ChatMemoryBuffer, Memory
from llama_index.core.storage.chat_store import SimpleChatStore
from llama_index.core.storage.chat_store.sql import SQLAlchemyChatStore
from llama_index.storage.chat_store.redis import RedisChatStore

from llamaindex_session import SessionChatStore, SessionMemoryBuffer
from llamaindex_session.messages import from_core_many
from session_core import Sessions
from session_core.errors import ConfigError, Diverged, NotFound

SAID = [
    ChatMessage(role="system", content="Be brief."),
    ChatMessage(
        role="user",
        blocks=[TextBlock(text="look"), ImageBlock(image=base64.b64encode(b"picture"), image_mimetype="image/png")],
    ),
    ChatMessage(
        role="assistant",
        blocks=[ToolCallBlock(tool_call_id="c", tool_name="f", tool_kwargs={"a": [1, 2]})],
        additional_kwargs={"usage": {"tokens": 7}},
    ),
    ChatMessage(role="tool", content="out", additional_kwargs={"tool_call_id": "c", "name": "f"}),
    ChatMessage(role="assistant", content="done"),
    ChatMessage(role="user", content="ok"),
    ChatMessage(role="user", content="ok"),
]


@pytest.fixture(params=["memory", "sqlite"])
def sessions(request, tmp_path):
    with Sessions("memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/chat.db") as opened:
        yield opened


@pytest.fixture(params=["simple", "redis"])
def chat_store(request, redis_url):
    if request.param == "simple":
        yield SimpleChatStore()
    else:
        store = RedisChatStore(redis_url)
        store._redis_client.flushdb()
        yield store
        store._redis_client.close()


def moved(chat_store, sessions, voice: str = "blocking", keys=None) -> SessionChatStore:
    if voice == "blocking":
        return SessionChatStore.import_from(chat_store, keys, sessions=sessions)
    return asyncio.run(SessionChatStore.aimport_from(chat_store, keys, sessions=sessions))


def filled(**messages) -> SimpleChatStore:
    chat_store = SimpleChatStore()
    for key, said in messages.items():
        chat_store.set_messages(key, list(said))
    return chat_store


both_voices = pytest.mark.parametrize("voice", ["blocking", "awaiting"])


def test_all_keys_come_in_with_all_their_messages_as_they_were(chat_store, sessions):
    for key in ("ann", "bob"):
        chat_store.set_messages(key, [*SAID, ChatMessage(role="user", content=f"I am {key}")])
    for _ in range(2):
        ours = moved(chat_store, sessions)
        assert sorted(ours.get_keys()) == ["ann", "bob"]
        for key in ("ann", "bob"):
            assert ours.get_messages(key) == chat_store.get_messages(key)
            assert len(ours.session(key).record(all_branches=True)) == len(SAID) + 1


@both_voices
def test_only_the_keys_that_are_named_are_imported(sessions, voice):
    source = filled(ann=SAID, bob=SAID, carl=SAID)
    assert moved(source, sessions, voice, ["ann"]).get_keys() == ["ann"]
    assert sorted(moved(source, sessions, voice, "carl").get_keys()) == ["ann", "carl"]


@both_voices
def test_only_what_a_key_has_more_by_now_is_added(sessions, voice):
    source = filled(ann=SAID)
    moved(source, sessions, voice)
    source.add_message("ann", ChatMessage(role="user", content="more"))
    assert moved(source, sessions, voice).get_messages("ann") == source.get_messages("ann")


def test_a_source_that_was_written_to_json_meanwhile_is_the_same_one(sessions):
    before, after = SimpleChatStore(), SimpleChatStore()
    before.set_messages("k", SAID)
    after.set_messages("k", [ChatMessage.model_validate(message.model_dump()) for message in SAID])
    after.add_message("k", ChatMessage(role="user", content="more"))
    SessionChatStore.import_from(before, sessions=sessions)
    ours = SessionChatStore.import_from(after, sessions=sessions)
    assert ours.get_messages("k") == after.get_messages("k")


@both_voices
def test_a_key_that_no_longer_begins_with_what_was_imported_is_refused(sessions, voice):
    source = filled(ann=SAID)
    moved(source, sessions, voice)
    source.delete_message("ann", 0)
    with pytest.raises(Diverged, match="session ann"):
        moved(source, sessions, voice)
    assert len(sessions.session("ann").record()) == len(SAID)


@both_voices
def test_a_key_that_is_refused_hinders_no_other_one(sessions, voice):
    source = filled(ann=SAID, bob=SAID, carl=SAID)
    moved(source, sessions, voice, "bob")
    source.delete_message("bob", 0)
    with pytest.raises(Diverged, match="1 of 3 were refused, the others were moved: session bob"):
        moved(source, sessions, voice)
    ours, target = SessionChatStore(sessions=sessions), filled(ann=SAID[1:])
    assert sorted(ours.get_keys()) == ["ann", "bob", "carl"]
    with pytest.raises(Diverged, match="1 of 3 were refused, the others were moved: key 'ann'"):
        _ = ours.export_to(target) if voice == "blocking" else asyncio.run(ours.aexport_to(target))
    assert target.get_messages("bob") == target.get_messages("carl") == SAID


@both_voices
def test_a_chat_store_is_filled_and_filled_up(chat_store, sessions, voice):
    async def awaited() -> int:
        added = await ours.aexport_to(chat_store)
        if isinstance(chat_store, RedisChatStore):
            await chat_store._aredis_client.aclose()
        return added

    def out() -> int:
        return ours.export_to(chat_store) if voice == "blocking" else asyncio.run(awaited())

    ours = moved(filled(ann=SAID, bob=SAID[:3]), sessions)
    assert out() == len(SAID) + 3
    assert chat_store.get_messages("ann") == SAID
    ours.add_message("bob", ChatMessage(role="user", content="more"))
    assert out() == 1
    assert chat_store.get_messages("bob") == ours.get_messages("bob")


@both_voices
def test_a_key_that_is_named_and_not_there_is_told_and_hinders_no_other_one(sessions, voice):
    source = filled(ann=SAID, empty=[])
    with pytest.raises(NotFound, match=r"1 of 3 were refused, .* session typo: the SimpleChatStore has no such key"):
        moved(source, sessions, voice, ["empty", "typo", "ann"])
    ours, target = SessionChatStore(sessions=sessions), SimpleChatStore()
    assert ours.get_keys() == ["ann"]
    with pytest.raises(NotFound, match="session typo: the SessionChatStore has no such key"):
        _ = ours.export_to(target, "typo") if voice == "blocking" else asyncio.run(ours.aexport_to(target, "typo"))


def test_a_database_says_that_it_has_not_the_key(sessions):
    database = SQLAlchemyChatStore("said")

    async def talk() -> None:
        with pytest.raises(NotFound, match="session typo: the SQLAlchemyChatStore has no such key"):
            await SessionChatStore.aimport_from(database, "typo", sessions=sessions)
        await database._async_engine.dispose()

    asyncio.run(talk())


def test_a_chat_store_with_other_messages_is_not_touched(sessions):
    ours, target = moved(filled(ann=SAID), sessions), filled(ann=SAID[1:])
    with pytest.raises(Diverged, match="key 'ann' of the SimpleChatStore"):
        ours.export_to(target)
    assert target.get_messages("ann") == SAID[1:]


def test_what_a_database_has_archived_comes_too(sessions, tmp_path):
    async def talk() -> SessionChatStore:
        url = f"sqlite+aiosqlite:///{tmp_path}/theirs.db"
        memory = Memory.from_defaults("ann", token_limit=60, token_flush_size=20, async_database_uri=url)
        database = memory.sql_store
        for number in range(8):
            await memory.aput(ChatMessage(role="user", content=f"question {number} " * 3))
            await memory.aput(ChatMessage(role="assistant", content=f"answer {number} " * 3))
        assert len(await database.get_messages("ann")) < 16
        ours = await SessionChatStore.aimport_from(database, sessions=sessions)
        await database._async_engine.dispose()
        return ours

    said = asyncio.run(talk()).get_messages("ann")
    assert [m.content.split()[1] for m in said] == [str(n) for n in range(8) for _ in range(2)]


def test_a_store_that_only_awaits_says_so(sessions):
    with pytest.raises(ConfigError, match="use aimport_from"):
        SessionChatStore.import_from(SQLAlchemyChatStore("said"), sessions=sessions)


@both_voices
def test_a_buffer_becomes_a_memory_of_the_same_session_and_limit(tmp_path, voice):
    buffer = ChatMemoryBuffer.from_defaults(chat_history=SAID, chat_store_key="ann", token_limit=900)
    asked = {"url": f"sqlite:///{tmp_path}/chat.db"}
    for _ in range(2):
        if voice == "blocking":
            memory = SessionMemoryBuffer.import_from(buffer, **asked)
        else:
            memory = asyncio.run(SessionMemoryBuffer.aimport_from(buffer, **asked))
        assert (memory.session_id, memory.token_limit) == ("ann", 900)
        assert memory.get_all() == SAID


def test_a_memory_comes_in_whole(sessions):
    async def talk() -> SessionMemoryBuffer:
        memory = Memory.from_defaults("ann", token_limit=60, token_flush_size=20)
        for number in range(8):
            await memory.aput(ChatMessage(role="user", content=f"question {number} " * 3))
        ours = await SessionMemoryBuffer.aimport_from(memory, sessions=sessions)
        await memory.sql_store._async_engine.dispose()
        return ours

    memory = asyncio.run(talk())
    assert memory.session_id == "ann"
    assert [m.content.split()[1] for m in memory.get_all()] == [str(n) for n in range(8)]


def test_the_name_that_every_buffer_has_is_no_name(sessions):
    buffer = ChatMemoryBuffer.from_defaults(chat_history=SAID)
    with pytest.raises(ConfigError, match="ChatMemoryBuffer does not say which session it is"):
        SessionMemoryBuffer.import_from(buffer, sessions=sessions)
    assert SessionMemoryBuffer.import_from(buffer, "ann", sessions=sessions).get_all() == SAID


@given(seed=st.integers(0, 10_000), parts=st.integers(1, 4))
def test_what_went_in_comes_out(seed, parts):
    messages = from_core_many(conversation(seed))
    with Sessions() as opened:
        for part in range(1, parts + 1):
            ours = moved(filled(s=messages[: len(messages) * part // parts]), opened)
        target = SimpleChatStore()
        ours.export_to(target)
        assert target.get_messages("s") == messages
        assert len(ours.session("s").record(all_branches=True)) == len(messages)
        assert all(isinstance(message.role, MessageRole) for message in target.get_messages("s"))
