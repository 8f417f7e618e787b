"""`SessionChatMessageHistory` behind `RunnableWithMessageHistory`: nothing lost, nothing doubled, always fitting."""

import asyncio
import threading

import pytest
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory
from strict_model import check_sent

from langchain_session import (
    ChatModelClassifier,
    ChatModelExtractor,
    ChatModelSummarizer,
    SessionChatMessageHistory,
    with_session,
)
from langchain_session.appending import MOST_NAMES
from session_core import Budget, Policy, Sessions
from session_core.events import FellBack, Folded
from session_core.testing import Heard

POLICY = Policy(Budget(2_000, reply_reserve_tokens=0), folding="background")


@pytest.fixture(params=["memory", "sqlite"])
def sessions(request, tmp_path):
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/chat.db"
    with Sessions(url, policy=POLICY) as opened:
        yield opened


def chain(sessions: Sessions, **keys: str) -> RunnableWithMessageHistory:
    """A chain that answers with the number of its question and a few words."""

    def answer(messages):
        said = messages.to_messages() if hasattr(messages, "to_messages") else messages
        check_sent(said, max_tokens=2_100)
        return AIMessage(f"answer to {said[-1].content}: " + "words " * 12)

    prompt = ChatPromptTemplate.from_messages(
        [("system", "Be kind."), MessagesPlaceholder("history"), ("human", "{question}")]
    )
    runnable = prompt | RunnableLambda(answer) if keys else RunnableLambda(answer)
    return RunnableWithMessageHistory(
        runnable, lambda session_id: SessionChatMessageHistory(session_id, sessions=sessions), **keys
    )


KEYED = {"input_messages_key": "question", "history_messages_key": "history"}
CONFIG = {"configurable": {"session_id": "s"}}


@pytest.mark.parametrize("keys", [{}, KEYED], ids=["list-input", "keyed-input"])
def test_300_turns_with_folding_lose_and_double_no_user_message(sessions, keys):
    talk = chain(sessions, **keys)
    for turn in range(300):
        question = f"question {turn}"
        talk.invoke({"question": question} if keys else [HumanMessage(question)], CONFIG)
    assert sessions.drain(60)
    kept = sessions.session("s").record()
    assert [m.content for m in kept if m.role == "user"] == [f"question {turn}" for turn in range(300)]
    assert len(kept) == 600
    assert sessions.session("s").stats().digests >= 3
    assert sessions.session("s").view().tokens <= 2_000


def test_the_awaiting_voice_does_the_same(sessions):
    async def talk():
        talking = chain(sessions, **KEYED)
        for turn in range(60):
            await talking.ainvoke({"question": f"question {turn}"}, CONFIG)
        return await SessionChatMessageHistory("s", sessions=sessions).arecord()

    kept = asyncio.run(talk())
    assert [m.content for m in kept if m.type == "human"] == [f"question {turn}" for turn in range(60)]


def test_a_streamed_answer_is_stored_whole(sessions):
    talk = chain(sessions, **KEYED)
    list(talk.stream({"question": "question 1"}, CONFIG))
    kept = SessionChatMessageHistory("s", sessions=sessions).record()
    assert [m.type for m in kept] == ["human", "ai"]
    assert kept[1].content.startswith("answer to question 1")


def test_messages_come_back_as_they_went_in(tmp_path):
    history = SessionChatMessageHistory("s", url=f"sqlite:///{tmp_path}/chat.db")
    said = [
        SystemMessage("Be brief.", id="sys"),
        HumanMessage([{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:x"}}]),
        AIMessage("", tool_calls=[{"name": "f", "args": {"a": [1, 2]}, "id": "c"}], response_metadata={"m": 1}),
        ToolMessage("out", tool_call_id="c", artifact={"rows": (1, 2)}, name="f"),
        AIMessage("done", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}),
    ]
    history.add_messages(said)
    assert history.record() == said
    assert history.messages == said
    assert isinstance(history, BaseChatMessageHistory)


def test_an_unfinished_exchange_is_kept_but_not_shown_to_a_model(sessions):
    history = SessionChatMessageHistory("s", sessions=sessions)
    history.add_messages(
        [
            HumanMessage("hi"),
            AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "c"}]),
            ToolMessage("x", tool_call_id="nobody"),
            AIMessage(""),
        ]
    )
    assert len(history.record()) == 4
    assert [m.content for m in history.messages] == ["hi"]


def test_clear_removes_the_session(sessions):
    history = SessionChatMessageHistory("s", sessions=sessions)
    history.add_messages([HumanMessage("hi")])
    history.clear()
    assert history.messages == []
    assert history.record() == []


def test_histories_of_one_url_share_one_store(tmp_path):
    url = f"sqlite:///{tmp_path}/shared.db"
    SessionChatMessageHistory("s", url=url).add_messages([HumanMessage("hi")])
    assert SessionChatMessageHistory("s", url=url).messages == [HumanMessage("hi")]


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("own", [False, True], ids=["with_history", "with_session"])
def test_a_turn_with_the_ids_of_an_earlier_one_is_stored_too(sessions, own, awaited):
    # A chat page sends an edited question, and a cache an answer with its old id and another price.
    def answer(messages):
        usage = {"input_tokens": len(messages), "output_tokens": 1, "total_tokens": len(messages) + 1}
        return AIMessage("hello", id="cached", usage_metadata=usage)

    def history(session_id):
        return SessionChatMessageHistory(session_id, sessions=sessions)

    runnable = RunnableLambda(answer)
    talk = with_session(runnable, sessions) if own else RunnableWithMessageHistory(runnable, history)
    for question in ("hi", "hi!", "hi!!"):
        said = [HumanMessage(question, id="edited")]
        asyncio.run(talk.ainvoke(said, CONFIG)) if awaited else talk.invoke(said, CONFIG)
    kept = history("s").record()
    assert [m.content for m in kept] == ["hi", "hello", "hi!", "hello", "hi!!", "hello"]
    assert [m.id for m in kept] == ["edited", "cached"] * 3
    assert [m.content for m in history("s").messages] == [m.content for m in kept]


@pytest.mark.parametrize("awaited", [False, True])
def test_a_repeated_append_stores_nothing_again_also_under_ids_that_were_taken(sessions, awaited):
    history = SessionChatMessageHistory("s", sessions=sessions)
    history.add_messages([HumanMessage("hi", id="1")])
    turn = [HumanMessage("hi!", id="1"), AIMessage("hello", id="2"), HumanMessage("hi!!", id="1"), AIMessage("yes")]
    turn[-1].id = "3" * 65_536
    priced = turn[-1].model_copy(update={"response_metadata": {"cost": 0}})
    for _ in range(3):
        for messages in (turn, [priced]):
            asyncio.run(history.aadd_messages(messages)) if awaited else history.add_messages(messages)
    assert history.record() == [HumanMessage("hi", id="1"), *turn, priced]


def test_an_id_that_all_answers_have_costs_no_more_with_each(sessions):
    history = SessionChatMessageHistory("s", sessions=sessions)
    calls = []
    append = sessions.store.append

    async def counted(*given, **options):
        calls[-1] += 1
        return await append(*given, **options)

    sessions.store.append = counted
    said = [AIMessage(f"answer {turn}", id="chatcmpl") for turn in range(30)]
    for message in said:
        calls.append(0)
        history.add_messages([message])
    assert history.record() == said
    assert calls[-1] == calls[-10] <= MOST_NAMES + 1


def test_an_author_is_known_by_the_name_of_a_human_message(sessions):
    history = SessionChatMessageHistory("s", sessions=sessions)
    history.add_messages([HumanMessage("fish", name="ann"), HumanMessage("meat", name="bob")])
    assert sessions.session("s").stats().authors == ("ann", "bob")
    assert [m.content for m in history.messages] == ["ann: fish", "bob: meat"]
    assert [m.content for m in history.record()] == ["fish", "meat"]


def long_talk(summarizer) -> tuple[list, str]:
    heard = Heard()
    policy = Policy(Budget(1_500, reply_reserve_tokens=0), folding="inline", summarizer=summarizer)
    with Sessions(policy=policy, observers=[heard]) as sessions:
        history = SessionChatMessageHistory("s", sessions=sessions)
        for turn in range(30):
            history.add_messages([HumanMessage(f"My order {turn} is ORD-{turn}"), AIMessage("I looked it up. " * 10)])
        return list(heard), "\n".join(str(m.content) for m in history.messages)


class Hosted(GenericFakeChatModel):
    model: str = ""


class Deployed(GenericFakeChatModel):
    model_name: str = ""


def test_helpers_of_different_models_of_one_class_have_different_names():
    small, large = (Hosted(messages=iter([]), model=name) for name in ("small", "large"))
    deployed = Deployed(messages=iter([]), model_name="eu-1")
    assert ChatModelSummarizer(small).name == "llm:Hosted:small"
    assert ChatModelClassifier(large).name == "llm:Hosted:large"
    assert ChatModelExtractor(deployed).name == "llm:Deployed:eu-1"


def test_a_chat_model_writes_the_digest():
    model = GenericFakeChatModel(messages=iter([AIMessage("The user asked about order ORD-1.")] * 99))
    heard, shown = long_talk(ChatModelSummarizer(model))
    assert {event.made_by for event in heard if isinstance(event, Folded)} == {"llm:GenericFakeChatModel"}
    assert "The user asked about order ORD-1." in shown


def test_what_a_chat_model_invents_is_struck():
    model = GenericFakeChatModel(
        messages=iter([AIMessage("The user asked about order ORD-1. Delivery is on 7 May 2031.")] * 99)
    )
    heard, shown = long_talk(ChatModelSummarizer(model))
    assert "2031" not in shown
    assert any(isinstance(event, FellBack) for event in heard)


def test_a_failing_chat_model_is_replaced_by_the_rules():
    heard, shown = long_talk(ChatModelSummarizer(GenericFakeChatModel(messages=iter([]))))
    assert any(isinstance(event, FellBack) for event in heard)
    assert {event.made_by for event in heard if isinstance(event, Folded)} == {"extractive"}
    assert "ORD-" in shown


@pytest.mark.parametrize("keys", [{}, KEYED], ids=["list-input", "keyed-input"])
def test_two_turns_at_once_lose_no_user_message(sessions, keys):
    inside = threading.Barrier(2)

    ended = threading.Event()

    def answer(messages):
        if inside.wait(60) == 0:
            ended.wait(60)
        return AIMessage("answer")

    runnable = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{question}")])
    model = RunnableLambda(answer)
    talk = RunnableWithMessageHistory(
        runnable | model if keys else model,
        lambda session_id: SessionChatMessageHistory(session_id, sessions=sessions),
        **keys,
    )
    said = [f"question {name}" for name in "ab"]
    asked = [{"question": text} if keys else [HumanMessage(text)] for text in said]

    def ask(question) -> None:
        talk.invoke(question, CONFIG)
        ended.set()

    threads = [threading.Thread(target=ask, args=(question,)) for question in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(m.content for m in sessions.session("s").record() if m.role == "user") == said


def test_a_history_that_is_only_read_sees_what_others_write(sessions):
    reader = SessionChatMessageHistory("s", sessions=sessions)
    assert reader.messages == []
    SessionChatMessageHistory("s", sessions=sessions).add_messages([HumanMessage("hi")])
    assert [reader.messages, reader.messages][-1] == [HumanMessage("hi")]


class Awaiting:
    """A summarizer that waits for an event loop."""

    name = "awaiting"

    async def summarize(self, request):
        await asyncio.sleep(0)
        return "never"


def test_a_summarizer_that_awaits_is_replaced_by_the_rules():
    heard, shown = long_talk(Awaiting())
    assert {event.reason for event in heard if isinstance(event, FellBack)} == {"VoiceError"}
    assert "ORD-" in shown


def test_an_observer_that_raises_breaks_nothing():
    def broken(event):
        raise KeyError("no")

    with Sessions(on_event=broken) as sessions:
        with pytest.warns(UserWarning, match="raised KeyError on Appended"):
            SessionChatMessageHistory("s", sessions=sessions).add_messages([HumanMessage("hi")])
        assert len(sessions.session("s").record()) == 1
