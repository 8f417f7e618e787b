"""A `SessionMemoryBuffer` that is copied, serialized or found by another process is attached to its session again."""

from __future__ import annotations

import copy
import gc
import json
import pickle
from collections.abc import Iterator

import pytest
from llama_index.core.memory import BaseMemory
from llama_index.core.memory.simple_composable_memory import SimpleComposableMemory
from llama_index.core.workflow import JsonSerializer
from scripted_llm import ScriptedLLM, assistant, conversation, user

from llamaindex_session import LLMSummarizer, SessionMemoryBuffer
from session_core import Budget, Policy, Sessions
from session_core.errors import ConfigError


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    with Sessions("memory://") as opened:
        yield opened


def test_it_survives_dict_and_string(memory: SessionMemoryBuffer) -> None:
    memory.put_messages(conversation(3))
    through_string = SessionMemoryBuffer.from_string(memory.to_string())
    through_dict = SessionMemoryBuffer.from_dict(json.loads(json.dumps(memory.to_dict())))
    through_model = SessionMemoryBuffer.from_dict(memory.model_dump())
    for again in (through_string, through_dict, through_model):
        assert again.get_all() == conversation(3)
        assert (again.session_id, again.token_limit) == (memory.session_id, memory.token_limit)
        assert again.chat_store.sessions is memory.chat_store.sessions
    through_dict.put(user("more"))
    assert memory.get_all()[-1] == user("more")


def test_it_survives_pickling(memory: SessionMemoryBuffer) -> None:
    memory.put(user("hello"))
    again = pickle.loads(pickle.dumps(memory))
    assert isinstance(again, SessionMemoryBuffer)
    assert again.get_all() == [user("hello")]


def test_it_survives_the_serializer_of_workflows(memory: SessionMemoryBuffer) -> None:
    memory.put(user("hello"))
    again = JsonSerializer().deserialize(JsonSerializer().serialize(memory))
    assert isinstance(again, SessionMemoryBuffer)
    assert again.get_all() == [user("hello")]


def test_a_serialized_memory_carries_no_message(memory: SessionMemoryBuffer) -> None:
    memory.put(user("a secret"))
    assert "secret" not in memory.to_string()


def test_copies_are_the_memory_itself(memory: SessionMemoryBuffer) -> None:
    assert copy.copy(memory) is copy.deepcopy(memory) is memory
    assert copy.deepcopy({"memory": [memory]})["memory"][0] is memory


def test_a_copy_with_other_values_leaves_the_memory_as_it_is(memory: SessionMemoryBuffer) -> None:
    memory.put(user("hello"))
    smaller, other = memory.model_copy(update={"token_limit": 100}), memory.model_copy(update={"chat_store_key": "b"})
    assert (memory.token_limit, memory.session_id) == (2_000, "one")
    assert (smaller.token_limit, smaller.get_all()) == (100, memory.get_all())
    assert (other.session_id, other.get_all()) == ("b", [])
    assert memory.model_copy(update={"session_id": "b"}).session_id == "b"
    assert memory.model_copy() is memory.model_copy(deep=True) is memory
    with pytest.raises(ValueError, match="tenant"):
        memory.model_copy(update={"tenant": "acme"})


def test_a_memory_of_given_sessions_reattaches_while_they_live(sessions: Sessions) -> None:
    memory = SessionMemoryBuffer.from_defaults(session_id="s", sessions=sessions, tenant="acme")
    memory.put(user("hello"))
    again = SessionMemoryBuffer.from_string(memory.to_string())
    assert again.chat_store.sessions is sessions
    assert again.get_all() == [user("hello")]


def test_a_memory_of_sessions_that_are_gone_says_so_and_takes_new_ones(sessions: Sessions) -> None:
    data = SessionMemoryBuffer.from_defaults(session_id="s", sessions=Sessions("memory://")).to_dict()
    gc.collect()
    with pytest.raises(ConfigError, match="sessions="):
        SessionMemoryBuffer.from_dict(data)
    again = SessionMemoryBuffer.from_dict(data, sessions=sessions)
    assert (again.session_id, again.chat_store.sessions) == ("s", sessions)


def test_a_policy_with_a_summarizer_is_found_again(sqlite_url: str) -> None:
    policy = Policy(Budget(2_000), summarizer=LLMSummarizer(ScriptedLLM("notes")))
    memory = SessionMemoryBuffer.from_defaults(session_id="s", url=sqlite_url, policy=policy)
    assert SessionMemoryBuffer.from_string(memory.to_string()).chat_store.sessions.policy is policy
    data = memory.to_dict()
    data["chat_store"]["place"]["url"] += ".other"
    with pytest.raises(ConfigError, match="llm:ScriptedLLM"):
        SessionMemoryBuffer.from_dict(data)


def test_what_another_memory_wrote_is_refused_with_the_way_to_move_it() -> None:
    other = {"token_limit": 3_000, "chat_store": {"store": {}, "class_name": "SimpleChatStore"}}
    with pytest.raises(ConfigError, match="put_messages"):
        SessionMemoryBuffer.from_dict(other)


def test_it_fits_where_frameworks_ask_for_a_memory(memory: SessionMemoryBuffer) -> None:
    composed = SimpleComposableMemory.from_defaults(primary_memory=memory)
    composed.put(user("hello"))
    assert composed.primary_memory is memory
    assert isinstance(memory, BaseMemory)
    assert composed.get() == memory.get() == [user("hello")]


def test_a_later_process_finds_the_session_by_what_was_written(sqlite_url: str, memory: SessionMemoryBuffer) -> None:
    import subprocess
    import sys

    memory.put_messages([user("hello"), assistant("hi")])
    code = (
        "import sys; from llamaindex_session import SessionMemoryBuffer as M;"
        "print([m.content for m in M.from_string(sys.stdin.read()).get()])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=memory.to_string(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['hello', 'hi']"
