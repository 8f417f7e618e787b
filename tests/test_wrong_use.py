"""Wrong things given to the doors, of LangGraph and of the core: an error that says what to pass."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from llama_index.core.llms import MockLLM
from openai.types.chat import ChatCompletionMessage
from openai.types.responses import ResponseFunctionToolCall

from langchain_session import (
    ChatModelClassifier,
    ChatModelExtractor,
    ChatModelSummarizer,
    EmbeddingsEmbedder,
    SessionChatMessageHistory,
    SessionMiddleware,
    SessionSaver,
    VectorStoreIndex,
    attach,
    with_session,
)
from llamaindex_session import LLMSummarizer, SessionChatStore, SessionMemoryBuffer
from session_core import Budget, Policy, Sessions
from session_core.errors import BudgetError, ConfigError, InputError, VoiceError, named_type
from session_core.events import Event
from session_core.stores.keyring import Keyring


@pytest.mark.parametrize(
    ("value", "named"),
    [(3, "an int"), (InMemorySaver(), "an InMemorySaver"), (HumanMessage("hi"), "a HumanMessage"), (None, "None")],
)
def test_the_type_of_a_wrong_value_is_named_as_one_says_it(value: Any, named: str) -> None:
    with pytest.raises(ConfigError, match=f"^{named} is not a chat history; pass a BaseChatMessageHistory"):
        SessionChatMessageHistory.import_from(value, "user-46", url="memory://")


@pytest.mark.parametrize("wrong", [None, 3, {"url": "memory://"}, InMemorySaver()])
def test_a_saver_is_over_a_url_or_sessions(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="pass a URL such as"):
        SessionSaver(wrong)


@pytest.mark.parametrize("wrong", [None, "sqlite:///chat.db", InMemorySaver()])
def test_a_middleware_is_over_a_saver_sessions_or_a_policy(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="pass the agent's SessionSaver"):
        SessionMiddleware(wrong)


def test_one_observer_without_a_list_is_told_so() -> None:
    class Watches:
        def observe(self, event: Event) -> None: ...

    wrong: Any = Watches()
    with pytest.raises(ConfigError, match=r"^observers=Watches; pass a list of observers$"):
        Sessions("memory://", observers=wrong)


@pytest.mark.parametrize("wrong", [None, StateGraph(MessagesState)])
def test_attach_wants_a_compiled_graph(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="not a compiled graph"):
        attach(wrong, saver=SessionSaver("memory://"))


@pytest.mark.parametrize("several", [False, True])
def test_a_message_of_a_framework_is_named_and_sent_to_its_adapter(several: bool) -> None:
    theirs: Any = HumanMessage("hello")
    with pytest.raises(InputError, match=r"a HumanMessage is not a message; .* through its adapter"):
        Sessions("memory://").session("a").append([theirs] if several else theirs)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    "theirs",
    [
        ChatCompletionMessage(role="assistant", content="hello"),
        ResponseFunctionToolCall(type="function_call", call_id="c", name="look", arguments="{}"),
    ],
    ids=["chat", "responses"],
)
def test_what_an_sdk_answered_is_appended_by_its_dump(theirs: Any, several: bool) -> None:
    session = Sessions("memory://").session("a")
    with pytest.raises(InputError, match=r"is not a message; .* an SDK answered is one by its model_dump\(\)$"):
        session.append([theirs] if several else theirs)
    assert session.append(theirs.model_dump()).new == 1


def test_a_saver_is_named_its_store_as_the_other_adapters_are() -> None:
    with SessionSaver(url="memory://") as saver:
        assert saver.sessions.place == "memory://"


def test_a_saver_has_one_store() -> None:
    with Sessions("memory://") as sessions, pytest.raises(ConfigError, match="pass only one"):
        SessionSaver(sessions, url="memory://")


def test_a_runnable_is_named_its_store_as_the_other_adapters_are() -> None:
    chain = with_session(FakeListChatModel(responses=["Hello"]), url="memory://", policy=Policy(Budget(4_000)))
    assert chain.sessions.place == "memory://"


def test_the_factory_of_histories_is_not_a_store() -> None:
    factory: Any = lambda name: SessionChatMessageHistory(name, url="memory://")  # noqa: E731
    with pytest.raises(ConfigError, match=r"with_session\(function\); it needs no factory of histories"):
        with_session(FakeListChatModel(responses=["Hello"]), factory)


@pytest.mark.parametrize("thread_id", [None])
def test_a_thread_without_an_id_is_not_the_one_of_everybody_without_an_id(thread_id: Any) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": ["Hello"]})
    graph.add_edge(START, "model")
    app: Any = graph.compile(checkpointer=SessionSaver("memory://"))
    with pytest.raises(InputError, match="the config's thread_id is None"):
        app.invoke({"messages": ["I am Ann"]}, {"configurable": {"thread_id": thread_id}})


def test_an_import_is_from_a_saver_not_from_its_url() -> None:
    theirs: Any = "postgresql://user@host/db"
    with pytest.raises(ConfigError, match=r"a str is given as the saver to import from; pass an object with list"):
        SessionSaver.import_from(theirs, url="memory://")


@pytest.mark.parametrize("model", [FakeListChatModel(responses=["Hello"]), MockLLM()], ids=["langchain", "llamaindex"])
def test_a_bare_model_is_told_what_makes_a_summarizer_of_it(model: Any) -> None:
    with pytest.raises(ConfigError, match=r"ChatModelSummarizer\(model\).*LLMSummarizer\(llm\)"):
        Policy(summarizer=model)


def test_the_model_of_a_policy_is_a_name() -> None:
    model: Any = FakeListChatModel(responses=["Hello"])
    with pytest.raises(BudgetError, match="model=FakeListChatModel; pass the name of a model"):
        Policy(model=model)


@pytest.mark.parametrize("wrong", ["k1:abc", b"0" * 32, [b"0" * 32]])
def test_a_keyring_is_of_named_keys(wrong: Any) -> None:
    with pytest.raises(ConfigError, match=r"pass Keyring\(\{id: 32 bytes\}\) or Keyring.from_env\(\)"):
        Keyring(wrong)


def test_what_is_added_to_a_view_is_named_when_it_leaves_no_room() -> None:
    saver = SessionSaver("memory://", policy=Policy(Budget(100, reply_reserve_tokens=20)))
    agent: Any = create_agent(
        FakeListChatModel(responses=["Hello"]), system_prompt="Be brief. " * 30, middleware=[SessionMiddleware(saver)]
    )
    with pytest.raises(BudgetError, match=r"system prompt, tools and schemas take \d+ of 80 tokens.* raise Budget"):
        agent.invoke({"messages": ["Hello"]})


def test_a_key_of_another_name_is_named_when_there_is_no_content() -> None:
    with pytest.raises(InputError, match="has no content, but a key 'text'; put the text under 'content'"):
        Sessions("memory://").session("a").append({"role": "user", "text": "hello"})


@pytest.mark.parametrize("named", [{"session_id": "a"}, {"url": "memory://"}, {"sessions": None}])
def test_a_memory_is_made_by_from_defaults(named: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"SessionMemoryBuffer.from_defaults\(session_id=..., url=...\)"):
        SessionMemoryBuffer(**named)


def test_the_first_argument_of_from_defaults_is_not_the_session() -> None:
    theirs: Any = "user-44"
    with pytest.raises(InputError, match=r"a str is not a list of messages; .*a session's name is session_id="):
        SessionMemoryBuffer.from_defaults(theirs, url="memory://")


def test_what_is_no_policy_is_named() -> None:
    wrong: Any = "gpt-4o"
    for make in (SessionMemoryBuffer.from_defaults, SessionChatStore, partial(SessionChatMessageHistory, "a")):
        with pytest.raises(BudgetError, match=r"policy=str; pass Policy\(Budget"):
            make(url="memory://", policy=wrong)


@pytest.mark.parametrize(("limit", "error"), [(10, "needs at least 48"), ("x", "a whole number"), (501, "exceeds the")])
def test_a_token_limit_that_was_set_later_is_named(limit: Any, error: str) -> None:
    memory = SessionMemoryBuffer.from_defaults(url="memory://", token_limit=500)
    memory.token_limit = limit
    with pytest.raises(BudgetError, match=f"token_limit={limit!r}.*{error}"):
        memory.get()


@pytest.mark.parametrize("damaged", [[], {}, {"chat_store": {"class_name": "SessionChatStore", "place": {"x": 1}}}])
def test_what_no_memory_wrote_is_refused(damaged: Any) -> None:
    with pytest.raises(ConfigError, match=r"this (was not written by a SessionMemoryBuffer|refers to no store)"):
        SessionMemoryBuffer.from_dict(damaged)


@pytest.mark.parametrize("wrong", [HumanMessage("hi"), "hi", {"role": "user"}, None])
def test_one_message_is_no_list_of_messages(wrong: Any) -> None:
    history = SessionChatMessageHistory("one", url="memory://")
    with pytest.raises(InputError, match=f"^{named_type(wrong)} is not a list of messages"):
        history.add_messages(wrong)


def test_with_session_takes_a_function_and_names_what_is_none() -> None:
    config: Any = {"configurable": {"session_id": "function"}}
    assert with_session(lambda messages: messages[-1].content, "memory://").invoke("hi", config) == "hi"
    with pytest.raises(ConfigError, match=r"with_session\(str\); pass a runnable"):
        with_session("gpt-4o", "memory://")  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["hello", {"role": "user", "content": "hello"}, None])
def test_what_is_put_into_a_memory_is_a_message(wrong: Any) -> None:
    memory = SessionMemoryBuffer.from_defaults(session_id="put", url="memory://")
    with pytest.raises(InputError, match=f"^{named_type(wrong)} is not a message; pass ChatMessage"):
        memory.put(wrong)


def test_a_word_without_a_scheme_is_shown() -> None:
    with pytest.raises(ConfigError, match=r"'chat\.db' is not a store URL"):
        Sessions("chat.db")


@pytest.mark.parametrize("word", ["memory", ":memory:"])
def test_a_word_for_memory_is_shown_with_its_url(word: str) -> None:
    with pytest.raises(ConfigError, match=rf"'{word}' is not a store URL.*; what is kept in memory only is memory://"):
        Sessions(word)


def test_a_number_as_a_name_is_shown_as_the_string_to_pass() -> None:
    number: Any = 42
    with Sessions("memory://") as sessions, pytest.raises(InputError, match=r"session id 42 .*; pass the string '42'"):
        sessions.session(number)


@pytest.mark.parametrize(
    "made",
    [ChatModelSummarizer, ChatModelClassifier, ChatModelExtractor, EmbeddingsEmbedder, VectorStoreIndex, LLMSummarizer],
)
def test_a_helper_is_made_of_a_model_not_of_its_name(made: Any) -> None:
    """It would fall back to the rules at each fold, which only a listener hears."""
    with pytest.raises(ConfigError, match=r"a str is given as .*; pass an object with \w+\(\.\.\.\)"):
        made("openai:gpt-4o-mini")


@pytest.mark.parametrize("place", ["sqlite:///{}/chat.db", "redis://127.0.0.1:1"])
def test_an_async_method_where_asyncio_does_not_run_names_the_way(place: str, tmp_path: Path) -> None:
    """As under trio, which drives coroutines too."""
    lost = pytest.raises(VoiceError, match=r"asyncio event loop.*trio\.to_thread")
    with Sessions(place.format(tmp_path)) as sessions, lost:
        sessions.session("s").aappend({"role": "user", "content": "hello"}).send(None)
