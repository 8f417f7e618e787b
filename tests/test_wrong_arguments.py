"""Wrong things given to sessions, histories, memories and stores: an error of ours, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage
from langchain_core.runnables import RunnableLambda
from langgraph.graph.message import REMOVE_ALL_MESSAGES
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.storage.chat_store import SimpleChatStore

from langchain_session import SessionChatMessageHistory, SessionSaver, recall_tool, with_session
from llamaindex_session import SessionChatStore, SessionMemoryBuffer
from llamaindex_session import recall_tool as recall_of_a_memory
from session_core import Policy, Sessions
from session_core.errors import BudgetError, ConfigError, InputError
from session_core.stores.memory import MemoryStore

WRONG: tuple[Any, ...] = (None, 3, "x", ["x"], [None], {"role": "user"}, [("user", "hi")])


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(policy=Policy(folding="off"))


@pytest.mark.parametrize("wrong", WRONG)
def test_a_history_takes_messages_alone(wrong: Any, sessions: Sessions) -> None:
    history = SessionChatMessageHistory("s", sessions=sessions)
    with pytest.raises(InputError, match="pass"):
        history.add_messages(wrong)
    with pytest.raises(InputError, match="pass"):
        history.add_messages([HumanMessage("kept out too"), wrong])
    with pytest.raises(InputError, match="pass"):
        history.add_messages(HumanMessage("not in a list"))  # type: ignore[arg-type]
    assert history.record() == []


@pytest.mark.parametrize("wrong", WRONG)
def test_a_memory_takes_messages_alone(wrong: Any, sessions: Sessions) -> None:
    memory = SessionMemoryBuffer.from_defaults(session_id="s", sessions=sessions)
    for write in (memory.put_messages, memory.set, lambda one: memory.put_messages([ChatMessage("well"), one])):
        with pytest.raises(InputError, match="pass"):
            write(wrong)
    assert memory.get_all() == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Sessions(Path("chat.db")),  # type: ignore[arg-type]
        lambda: Sessions(MemoryStore),  # type: ignore[arg-type]
        lambda: Sessions(hot=3, cold="memory://"),  # type: ignore[arg-type]
        lambda: Sessions(observers=[3]),  # type: ignore[list-item]
        lambda: Sessions(on_event=3),  # type: ignore[arg-type]
        lambda: SessionChatMessageHistory("s", url=3),  # type: ignore[arg-type]
        lambda: SessionChatMessageHistory("s", url=""),
        lambda: SessionChatMessageHistory("s", sessions="memory://"),  # type: ignore[arg-type]
        lambda: SessionChatMessageHistory("s", sessions=Sessions(), policy=Policy()),
        lambda: SessionChatMessageHistory.import_from(None, "s", url="memory://"),  # type: ignore[arg-type]
        lambda: SessionChatMessageHistory("s", url="memory://").export_to([]),  # type: ignore[arg-type]
        lambda: SessionSaver("memory://", channel=3),  # type: ignore[arg-type]
        lambda: SessionSaver("memory://", channel=""),
        lambda: SessionSaver(Sessions(), policy=Policy()),
        lambda: recall_tool(None),  # type: ignore[arg-type]
        lambda: recall_of_a_memory(None, session_id="s"),  # type: ignore[arg-type]
        lambda: SessionChatStore(3),  # type: ignore[arg-type]
        lambda: SessionChatStore(""),
        lambda: SessionChatStore.import_from(None, url="memory://"),  # type: ignore[arg-type]
        lambda: SessionMemoryBuffer.import_from(None, "s", url="memory://"),  # type: ignore[arg-type]
        lambda: SessionMemoryBuffer.from_defaults(session_id="s", url="memory://", llm=3),  # type: ignore[arg-type]
        lambda: Policy(summarizer=3),  # type: ignore[arg-type]
        lambda: Policy(extractor=object()),  # type: ignore[arg-type]
        lambda: Policy(classifier="rules"),  # type: ignore[arg-type]
        lambda: Policy(index={}),  # type: ignore[arg-type]
    ],
)
def test_what_something_is_made_of_is_looked_at_when_it_is_made(wrong: Callable[[], object]) -> None:
    with pytest.raises(ConfigError, match=r"pass|use one of|name one"):
        wrong()


@pytest.mark.parametrize("tokens", ["many", -1, 0.5])
def test_a_count_of_tokens_is_a_whole_number_and_never_makes_the_budget_larger(tokens: Any, sessions: Sessions) -> None:
    session = sessions.session("s")
    session.append({"role": "user", "content": "Hello"})
    memory = SessionMemoryBuffer.from_defaults(session_id="s", sessions=sessions)
    with pytest.raises(BudgetError, match="pass a"):
        session.view(overhead_tokens=tokens)
    with pytest.raises(BudgetError, match="pass a"):
        memory.get(initial_token_count=tokens)
    with pytest.raises(BudgetError):
        SessionMemoryBuffer.from_defaults(session_id="s", url="memory://", token_limit=tokens)


@pytest.mark.parametrize("wrong", [3, b"words", ["words"]])
def test_a_question_is_a_text(wrong: Any, sessions: Sessions) -> None:
    session = sessions.session("s")
    for ask in (session.view, session.search):
        with pytest.raises(InputError, match="pass a string"):
            ask(wrong)
    with pytest.raises(InputError, match="max_hits"):
        session.search("words", max_hits=-1)


def test_a_lease_of_something_else_writes_nothing(sessions: Sessions) -> None:
    session = sessions.session("s")
    with pytest.raises(InputError, match="pass the lease"):
        session.append({"role": "user", "content": "Hello"}, lease=3)  # type: ignore[arg-type]
    for ttl_s in ("x", float("nan"), float("inf"), 0):
        with pytest.raises(BudgetError, match="pass seconds"):
            session.lease(ttl_s=ttl_s)  # type: ignore[arg-type]
    assert session.record() == []


@pytest.mark.parametrize("calls", [3, [3], [{"id": "1"}], "call", [{"id": "1", "function": {"name": "f"}}, None]])
def test_a_tool_call_that_cannot_be_read_is_not_left_out_in_silence(calls: Any, sessions: Sessions) -> None:
    session = sessions.session("s")
    with pytest.raises(InputError, match="tool_calls"):
        session.append({"role": "assistant", "content": "Well", "tool_calls": calls})
    assert session.record() == []


def test_a_message_whose_id_is_a_number_is_stored_once(sessions: Sessions) -> None:
    session = sessions.session("s")
    for _ in range(2):
        session.append({"role": "user", "content": "Hello", "id": 17})
    assert [message.id for message in session.record()] == ["17"]


def test_an_empty_session_id_of_a_memory_is_refused() -> None:
    with pytest.raises(InputError, match="not empty"):
        SessionMemoryBuffer.from_defaults(session_id="", url="memory://")


def test_an_index_that_is_no_number_is_named() -> None:
    with pytest.raises(InputError, match="idx"):
        SessionChatStore("memory://").delete_message("s", "first")  # type: ignore[arg-type]


def test_others_histories_are_taken_all_the_same() -> None:
    theirs = InMemoryChatMessageHistory(messages=[HumanMessage("Hello")])
    assert len(SessionChatMessageHistory.import_from(theirs, "a", sessions=Sessions()).record()) == 1
    store = SimpleChatStore(store={"b": [ChatMessage("Hello")]})
    assert len(SessionChatStore.import_from(store, sessions=Sessions()).get_messages("b")) == 1
    memory = ChatMemoryBuffer.from_defaults([ChatMessage("Hello")], token_limit=1_000)
    assert len(SessionMemoryBuffer.import_from(memory, "c", sessions=Sessions()).get_all()) == 1


@pytest.mark.parametrize("wrong", [RemoveMessage("1"), RemoveMessage("unknown"), RemoveMessage(REMOVE_ALL_MESSAGES)])
def test_a_remove_message_is_refused_by_a_history_and_stores_nothing(wrong: RemoveMessage, sessions: Sessions) -> None:
    history = SessionChatMessageHistory("s", sessions=sessions)
    history.add_messages([HumanMessage("hi", id="1")])
    with pytest.raises(InputError, match="clear"):
        history.add_messages([HumanMessage("more"), wrong])
    assert len(history.record()) == 1


def test_a_remove_message_in_an_answer_does_not_end_up_in_the_record(sessions: Sessions) -> None:
    answer = [AIMessage("hello"), RemoveMessage("1")]
    with_session(RunnableLambda(lambda _: answer), sessions).invoke("hi", {"configurable": {"session_id": "s"}})
    assert [message.content for message in sessions.session("s").record()] == ["hi", "hello"]


def test_a_uuid_names_the_session_of_its_text(sessions: Sessions) -> None:
    name = uuid4()
    SessionChatMessageHistory(name, sessions=sessions).add_user_message("hi")
    assert len(sessions.session(name).record()) == len(sessions.session(str(name)).record()) == 1
    assert len(SessionMemoryBuffer.from_defaults(session_id=name, sessions=sessions).get_all()) == 1
