"""`with_session`: every shape of input and answer, both voices, streams, failures, concurrent turns."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable, RunnableLambda
from session_calls import CONFIG, POLICY, blocking, every_voice, kept
from strict_model import StrictChatModel

from langchain_session import with_session
from session_core import Sessions
from session_core.errors import ConfigError, InputError, PinnedTooLarge, TurnTaken
from session_core.stores.memory import MemoryStore

PROMPT = ChatPromptTemplate.from_messages(
    [("system", "Be kind."), MessagesPlaceholder("history"), ("human", "{question}")]
)
KEYED = {"input_messages_key": "question", "history_messages_key": "history"}


@pytest.fixture(params=["memory", "sqlite"])
def sessions(request: pytest.FixtureRequest, tmp_path) -> Iterator[Sessions]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/chat.db"
    with Sessions(url, policy=POLICY) as opened:
        yield opened


SHAPES: dict[str, tuple[Callable[[StrictChatModel], Runnable[Any, Any]], dict[str, str], Any]] = {
    "a text": (lambda model: model, {}, "hi"),
    "a message": (lambda model: model, {}, HumanMessage("hi")),
    "a list": (lambda model: model, {}, [HumanMessage("hi")]),
    "a list of pairs": (lambda model: model, {}, [("human", "hi")]),
    "a text answered by a text": (lambda model: model | StrOutputParser(), {}, "hi"),
    "a dict for a prompt": (lambda model: PROMPT | model, KEYED, {"question": "hi"}),
    "a dict of one key": (lambda model: RunnableLambda(lambda d: d["messages"]) | model, {}, {"messages": ["hi"]}),
    "a dict answered by a dict": (
        lambda model: RunnableLambda(lambda d: {"answer": model.invoke(d["text"]), "n": 1}),
        {"input_messages_key": "text", "output_messages_key": "answer"},
        {"text": "hi", "n": 1},
    ),
    "an agent that gives its whole state back": (
        lambda model: RunnableLambda(lambda d: {"messages": [*d["messages"], model.invoke(d["messages"])]}),
        {},
        {"messages": [HumanMessage("hi")]},
    ),
}


@every_voice
@pytest.mark.parametrize("shape", SHAPES)
def test_each_turn_is_on_record_once_and_read_by_the_next(sessions, shape, call):
    made, keys, said = SHAPES[shape]
    model = StrictChatModel(answers=["hello there", "you said hi"])
    talk = with_session(made(model), sessions, **keys)
    call(talk, said)
    call(talk, said)
    turn = [("user", "hi"), ("assistant", "hello there")]
    assert kept(sessions) == [*turn, ("user", "hi"), ("assistant", "you said hi")]
    heard = [(m.type, m.content) for m in model.seen[1] if m.type != "system"]
    assert heard == [("human", "hi"), ("ai", "hello there"), ("human", "hi")]


@every_voice
def test_200_turns_are_within_the_window_and_none_is_lost(call):
    with Sessions(policy=POLICY) as sessions:
        model = StrictChatModel(answers=["I see what you mean. " * 8], max_tokens=2_000)
        talk = with_session(PROMPT | model, sessions, overhead_tokens=20, **KEYED)
        for turn in range(200 if call is blocking else 40):
            call(talk, {"question": f"question {turn}"})
        assert [text for role, text in kept(sessions) if role == "user"] == [f"question {n}" for n in range(turn + 1)]
        assert sessions.session("s").stats().digests >= 1


@every_voice
def test_what_was_said_long_ago_comes_back_right_before_the_question(sessions, call):
    model = StrictChatModel(answers=["I see what you mean. " * 8])
    talk = with_session(model, sessions)
    call(talk, "The code of the red door is 4711-X.")
    for turn in range(40):
        sessions.session("s").append(
            [{"role": "user", "content": f"talk {turn} " * 9}, {"role": "assistant", "content": "Yes. " * 30}]
        )
    call(talk, "What was the code of the red door?")
    *_, before, asked = model.seen[-1]
    assert asked.content == "What was the code of the red door?"
    assert "4711-X" in str(before.content)
    assert before.type == "human"


@every_voice
def test_a_list_that_holds_no_messages_is_refused_before_the_runnable_runs(sessions, call):
    with pytest.raises(InputError, match="a list of 1 messages"):
        call(with_session(StrictChatModel(answers=["never"]), sessions), [object()])
    assert kept(sessions) == []


class Counting(MemoryStore):
    """A store that tells how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def load(self, *args: Any, **kwargs: Any) -> Any:
        self.asked.append("load")
        return await super().load(*args, **kwargs)

    async def append(self, *args: Any, **kwargs: Any) -> Any:
        self.asked.append("append")
        return await super().append(*args, **kwargs)

    async def state(self, *args: Any, **kwargs: Any) -> Any:
        self.asked.append("state")
        return await super().state(*args, **kwargs)


@every_voice
def test_a_turn_is_one_read_and_one_write(call):
    store = Counting()
    with Sessions(store, policy=POLICY) as sessions:
        talk = with_session(StrictChatModel(), sessions)
        for _ in range(3):
            call(talk, "hi")
    assert store.asked == ["load", "append"] * 3


def test_whole_turns_of_many_callers_never_stand_within_each_other(sessions):
    def answer(messages: list[BaseMessage]) -> AIMessage:
        return AIMessage(f"answer to {messages[-1].content}")

    talk = with_session(RunnableLambda(answer), sessions)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: [talk.invoke(f"{n}-{i}", CONFIG) for i in range(10)], range(8)))
    record = kept(sessions)
    assert len(record) == 160
    assert all(
        second == ("assistant", f"answer to {first[1]}")
        for first, second in zip(record[::2], record[1::2], strict=True)
    )


def test_a_batch_has_each_of_its_sessions(sessions):
    talk = with_session(StrictChatModel(answers=["hello"]), sessions)
    configs = [{"configurable": {"session_id": name}} for name in "ab"]
    talk.batch(["hi a", "hi b"], configs)
    asyncio.run(talk.abatch(["again a", "again b"], configs))
    for name in "ab":
        assert [text for role, text in kept(sessions, name) if role == "user"] == [f"hi {name}", f"again {name}"]


def test_the_config_may_name_a_tenant(sessions):
    talk = with_session(StrictChatModel(), sessions, tenant="acme")
    for tenant in (None, "other"):
        talk.invoke("hi", {"configurable": {"thread_id": "s", **({"tenant": tenant} if tenant else {})}})
    assert len(sessions.session("s", tenant="acme").record()) == 2
    assert len(sessions.session("s", tenant="other").record()) == 2
    assert kept(sessions) == []


def test_with_a_lease_turns_go_one_by_one(sessions):
    heard: list[int] = []

    def answer(messages: list[BaseMessage]) -> AIMessage:
        heard.append(len(messages))
        return AIMessage("answer")

    talk = with_session(RunnableLambda(answer), sessions, lease=True)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: talk.invoke(f"{n}", CONFIG), range(8)))
    assert heard == [1, 3, 5, 7, 9, 11, 13, 15]


def test_who_does_not_get_the_turn_in_time_is_told(sessions):
    inside, leave = threading.Event(), threading.Event()

    def answer(_: Any) -> str:
        inside.set()
        leave.wait(60)
        return "answer"

    talk = with_session(RunnableLambda(answer), sessions, lease=True, lease_wait_s=0.05)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(talk.invoke, "first", CONFIG)
        assert inside.wait(60)
        with pytest.raises(TurnTaken):
            talk.invoke("second", CONFIG)
        leave.set()
        first.result()
    assert kept(sessions) == [("user", "first"), ("assistant", "answer")]


def test_tool_calls_of_an_agent_are_on_record_whole(sessions):
    calls = [{"name": "f", "args": {"n": 1}, "id": "c1", "type": "tool_call"}]
    made = [AIMessage("", tool_calls=calls), ToolMessage("out", tool_call_id="c1", artifact=[1]), AIMessage("done")]
    talk = with_session(RunnableLambda(lambda messages: [*messages, *made]), sessions)
    talk.invoke("hi", CONFIG)
    talk.invoke([SystemMessage("Be brief."), HumanMessage("again")], CONFIG)
    roles = [role for role, _ in kept(sessions)]
    assert roles == ["user", "assistant", "tool", "assistant", "system", "user", "assistant", "tool", "assistant"]


def never(_: Any) -> Any:
    raise AssertionError("the model is not to be asked")


REFUSED = {
    "no session": ("hi", {}, {}, ConfigError, "names no session"),
    "a dict of two keys": ({"a": "x", "b": "y"}, CONFIG, {}, InputError, "input_messages_key"),
    "no messages": (7, CONFIG, {}, InputError, "contains no messages"),
    "a system message that leaves no room": (
        [SystemMessage("x " * 9_000)],
        CONFIG,
        {},
        PinnedTooLarge,
        "system message",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_invalid_input_is_refused_before_the_model_is_called(sessions, case):
    said, config, keys, error, says = REFUSED[case]
    with pytest.raises(error, match=says):
        with_session(RunnableLambda(never), sessions, **keys).invoke(said, config)
    assert kept(sessions) == []


def test_an_answer_that_holds_no_messages_is_refused_and_the_question_kept(sessions):
    with pytest.raises(InputError, match="output_messages_key"):
        with_session(RunnableLambda(lambda _: {"a": 1, "b": 2}), sessions).invoke("hi", CONFIG)
    assert kept(sessions) == [("user", "hi")]


def test_an_answer_that_is_an_object_is_refused_with_the_way_to_keep_both(sessions):
    with pytest.raises(InputError, match=r"answered with an object, which .* include_raw=True"):
        with_session(RunnableLambda(lambda _: object()), sessions).invoke("hi", CONFIG)
    assert kept(sessions) == [("user", "hi")]


def test_the_messages_of_a_state_are_found_without_naming_them(sessions):
    def agent(state: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [*state["messages"], AIMessage("hello")], "structured_response": state["language"]}

    talk = with_session(RunnableLambda(agent), sessions)
    said = talk.invoke({"messages": [HumanMessage("hi")], "language": "en"}, CONFIG)
    assert said["structured_response"] == "en"
    assert kept(sessions) == [("user", "hi"), ("assistant", "hello")]


def test_the_place_of_the_history_is_never_taken_for_the_input(sessions):
    talk = with_session(RunnableLambda(lambda _: "hello"), sessions, history_messages_key="messages")
    talk.invoke({"question": "hi", "messages": []}, CONFIG)
    assert kept(sessions) == [("user", "hi"), ("assistant", "hello")]


@pytest.mark.parametrize("keys", [{}, {"input_messages_key": "messages"}], ids=["only key", "named"])
def test_an_input_where_the_history_would_replace_it_is_refused(sessions, keys):
    talk = with_session(RunnableLambda(lambda _: "hello"), sessions, history_messages_key="messages", **keys)
    with pytest.raises(InputError, match="input and history are both under 'messages'"):
        talk.invoke({"messages": [HumanMessage("hi")]}, CONFIG)
    assert kept(sessions) == []


def test_it_is_a_runnable_like_any_other(sessions):
    model = StrictChatModel(answers=["hello"])
    talk = (lambda text: text.upper()) | with_session(model, sessions) | StrOutputParser()
    assert talk.with_config(configurable={"session_id": "s"}).invoke("hi") == "hello"
    assert kept(sessions) == [("user", "HI"), ("assistant", "hello")]
    assert {spec.id for spec in with_session(model, sessions).config_specs} >= {"session_id", "tenant"}


def test_a_huge_question_is_cut_for_the_model_and_whole_on_record(sessions):
    model = StrictChatModel(max_tokens=2_000)
    huge = "row of a pasted table\n" * 2_000
    with_session(model, sessions).invoke(huge, CONFIG)
    assert kept(sessions)[0] == ("user", huge)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"q": "hello"}, "the dict has no key 'question', which input_messages_key names"),
        ("hello", "a str has no place"),
    ],
)
def test_an_input_that_the_keys_do_not_fit_is_told_so_before_the_runnable_runs(given: Any, said: str) -> None:
    with Sessions(MemoryStore()) as sessions:
        asked = with_session(PROMPT | RunnableLambda(lambda _: pytest.fail("it ran")), sessions, **KEYED)
        with pytest.raises(InputError, match=said):
            asked.invoke(given, CONFIG)
