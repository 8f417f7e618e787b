"""`SessionChatStore` as LlamaIndex uses a chat store, under its own buffer too, and the package's door."""

from __future__ import annotations

import asyncio
import copy
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer, ChatSummaryMemoryBuffer
from scripted_llm import ScriptedLLM, assistant, calls, result, user

import llamaindex_session
from llamaindex_session import SessionChatStore
from session_core import Policy, Sessions
from session_core.errors import ConfigError

SAID = [user("a"), assistant("b"), user("c"), calls("x", n=1), result("x", "four"), assistant("d")]


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    with Sessions("memory://") as opened:
        yield opened


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, sessions: Sessions) -> SessionChatStore:
    if request.param == "memory":
        return SessionChatStore(sessions=sessions)
    return SessionChatStore(f"sqlite:///{tmp_path}/chat.db")


def test_messages_come_back_as_they_were_set_and_added(store: SessionChatStore) -> None:
    store.set_messages("k", SAID)
    store.add_message("k", user("e"))
    assert store.get_messages("k") == [*SAID, user("e")]
    assert store.get_messages("unknown") == []


def test_setting_again_replaces_and_stores_nothing_twice(store: SessionChatStore) -> None:
    store.set_messages("k", SAID)
    store.set_messages("k", [SAID[0], assistant("other"), *SAID[2:]])
    assert store.get_messages("k") == [SAID[0], assistant("other"), *SAID[2:]]
    assert len(store.session("k").record(all_branches=True)) == len(SAID) + 1
    store.set_messages("k", [])
    assert store.get_messages("k") == []


def test_setting_in_another_order_is_that_order(store: SessionChatStore) -> None:
    store.set_messages("k", [user("a"), user("b"), user("c")])
    store.set_messages("k", [user("c"), user("a"), user("a"), user("b")])
    assert store.get_messages("k") == [user("c"), user("a"), user("a"), user("b")]


def test_a_message_is_deleted_by_its_place(store: SessionChatStore) -> None:
    store.set_messages("k", SAID)
    assert store.delete_message("k", 1) == SAID[1]
    assert store.delete_message("k", 0) == SAID[0]
    assert store.delete_message("k", 99) is None
    assert store.delete_last_message("k") == SAID[5]
    assert store.get_messages("k") == SAID[2:5]
    assert len(store.session("k").record(all_branches=True)) == len(SAID)


def test_nothing_is_deleted_from_an_unknown_session(store: SessionChatStore) -> None:
    assert store.delete_message("k", 0) is None
    assert store.delete_last_message("k") is None
    assert store.delete_messages("k") is None
    assert store.get_keys() == []


def test_a_deleted_session_is_gone_everywhere(store: SessionChatStore) -> None:
    store.set_messages("k", SAID)
    store.add_message("other", user("stays"))
    assert store.delete_messages("k") == SAID
    assert store.get_keys() == ["other"]
    assert store.session("k").record(all_branches=True) == []
    assert store.session("k").search("four") == []


def test_awaited_it_does_the_same(store: SessionChatStore) -> None:
    async def go() -> None:
        await store.aset_messages("k", SAID)
        await store.async_add_message("k", user("e"))
        assert await store.aget_messages("k") == [*SAID, user("e")]
        assert await store.adelete_message("k", 0) == SAID[0]
        assert await store.adelete_last_message("k") == user("e")
        await store.aset_messages("k", [*SAID[1:], user("f")])
        assert await store.aget_keys() == ["k"]
        assert await store.adelete_messages("k") == [*SAID[1:], user("f")]
        assert await store.aget_messages("k") == []

    asyncio.run(go())


def test_tenants_of_one_store_never_meet(sessions: Sessions) -> None:
    one, two = (SessionChatStore(sessions=sessions, tenant=name) for name in ("one", "two"))
    one.set_messages("k", SAID)
    assert two.get_messages("k") == []
    assert two.get_keys() == []
    assert two.delete_messages("k") is None
    assert one.get_messages("k") == SAID


def test_a_copy_for_another_tenant_leaves_the_store_as_it_is(sessions: Sessions) -> None:
    store = SessionChatStore(sessions=sessions, tenant="acme")
    store.add_message("s", user("hello"))
    other = store.model_copy(update={"tenant": "other"})
    assert (store.tenant, other.tenant) == ("acme", "other")
    assert (len(store.get_messages("s")), other.get_messages("s")) == (1, [])
    assert other.sessions is store.sessions
    assert store.model_copy() is store


def test_no_message_of_many_writers_is_lost_and_their_order_is_kept(store: SessionChatStore) -> None:
    def write(name: str) -> None:
        for n in range(20):
            store.add_message("k", user(f"{name} {n}"))

    writers = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    texts = [message.content or "" for message in store.get_messages("k")]
    assert len(texts) == 80
    assert [text for text in texts if text.startswith("a")] == [f"a {n}" for n in range(20)]


def test_llamaindex_own_buffer_works_on_it(store: SessionChatStore) -> None:
    buffer = ChatMemoryBuffer.from_defaults(chat_store=store, chat_store_key="k", token_limit=1_000)
    buffer.put_messages(SAID)
    assert buffer.get_all() == SAID
    again = ChatMemoryBuffer.from_defaults(chat_store=store, chat_store_key="k", token_limit=1_000)
    assert again.get() == SAID
    buffer.reset()
    assert again.get_all() == []


def test_llamaindex_summarizing_buffer_works_on_it(store: SessionChatStore) -> None:
    buffer = ChatSummaryMemoryBuffer.from_defaults(
        chat_store=store, chat_store_key="k", token_limit=60, llm=ScriptedLLM("a summary", strict=False)
    )
    for n in range(8):
        buffer.put_messages([user(f"question {n} " * 4), assistant(f"answer {n} " * 4)])
        buffer.get()
    texts = [message.content for message in store.get_messages("k")]
    assert texts == [message.content for message in buffer.get_all()]
    assert "a summary" in texts


def test_it_is_found_again_by_what_was_written(store: SessionChatStore) -> None:
    store.set_messages("k", SAID)
    copies: list[Any] = [
        SessionChatStore.from_dict(store.to_dict()),
        pickle.loads(pickle.dumps(store)),
        copy.deepcopy(store),
        copy.copy(store),
    ]
    assert all(again.get_messages("k") == SAID and again.sessions is store.sessions for again in copies)


def test_sessions_and_a_url_are_not_both_taken(sessions: Sessions) -> None:
    with pytest.raises(ConfigError, match="pass sessions="):
        SessionChatStore("memory://", sessions=sessions)
    with pytest.raises(ConfigError, match="pass sessions="):
        SessionChatStore(sessions=sessions, policy=Policy())


def test_given_messages_are_new_objects_each_time(store: SessionChatStore) -> None:
    store.add_message("k", user("hello"))
    store.get_messages("k")[0].additional_kwargs["seen"] = True
    assert store.get_messages("k") == [ChatMessage("hello", role="user")]


def test_every_public_name_is_there_and_no_other() -> None:
    assert all(getattr(llamaindex_session, name) for name in llamaindex_session.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = llamaindex_session.nothing


def test_without_llamaindex_the_error_has_the_pip_line() -> None:
    code = (
        "import sys; sys.modules['llama_index'] = None\n"
        "import llamaindex_session\n"
        "try: llamaindex_session.SessionMemoryBuffer\n"
        "except ImportError as exc: print(type(exc).__name__, exc)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "MissingExtra" in done.stdout
    assert "pip install 'llm-sessions[llamaindex]'" in done.stdout
