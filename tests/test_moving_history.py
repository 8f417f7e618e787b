"""Moving chat histories in and out: all messages, once, in order, word for word, whatever happens on the way."""

from __future__ import annotations

import asyncio

import pytest
from generated_sessions import conversation
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_session import SessionChatMessageHistory
from langchain_session.conversion.messages import from_core_many
from session_core import Budget, Policy, Sessions
from session_core.errors import ConfigError, Diverged, DuplicateMessage, InputError
from session_core.importing import BATCH_MESSAGES


def said(count: int = 6) -> list:
    return [HumanMessage(f"question {n}") if n % 2 == 0 else AIMessage(f"answer {n}") for n in range(count)]


def history(messages) -> InMemoryChatMessageHistory:
    return InMemoryChatMessageHistory(messages=list(messages))


@pytest.fixture(params=["memory", "sqlite"])
def sessions(request, tmp_path):
    with Sessions("memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/chat.db") as opened:
        yield opened


def moved(messages, sessions, voice: str = "blocking") -> SessionChatMessageHistory:
    source = history(messages) if isinstance(messages, list) else messages
    if voice == "blocking":
        return SessionChatMessageHistory.import_from(source, "s", sessions=sessions)
    return asyncio.run(SessionChatMessageHistory.aimport_from(source, "s", sessions=sessions))


both_voices = pytest.mark.parametrize("voice", ["blocking", "awaiting"])


@both_voices
def test_all_messages_come_in_their_order_and_as_they_were(sessions, voice):
    messages = [
        SystemMessage("Be brief.", id="sys"),
        HumanMessage([{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:x"}}]),
        AIMessage("", tool_calls=[{"name": "f", "args": {"a": [1, 2]}, "id": "c"}], response_metadata={"m": 1}),
        ToolMessage("out", tool_call_id="c", artifact={"rows": (1, 2)}, name="f"),
        AIMessage("done", usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, name="bot"),
    ]
    ours = moved(messages, sessions, voice)
    assert ours.record() == messages
    assert ours.messages == messages


@both_voices
def test_a_second_import_stores_nothing_again(sessions, voice):
    for _ in range(3):
        ours = moved(said(), sessions, voice)
    assert ours.record() == said()
    assert len(ours.session.record(all_branches=True)) == 6


def test_what_was_said_twice_stays_two_messages(sessions):
    messages = [HumanMessage("ok"), AIMessage("fine"), HumanMessage("ok"), HumanMessage("ok"), AIMessage("fine")]
    for _ in range(2):
        assert moved(messages, sessions).record() == messages


def test_an_id_that_a_source_has_twice_comes_back_twice(sessions):
    messages = [
        HumanMessage("ok", id="a"),
        HumanMessage("ok", id="a"),
        AIMessage("a", id="a"),
        AIMessage("", id="a", tool_calls=[{"name": "f", "args": {}, "id": "a"}]),
    ]
    for _ in range(2):
        assert moved(messages, sessions).record() == messages


@pytest.mark.parametrize("named", [True, False])
def test_an_import_that_was_interrupted_goes_on(sessions, named, monkeypatch):
    messages = [m.model_copy(update={"id": f"m{n}" if named else None}) for n, m in enumerate(said(1_000))]
    store, appended = type(sessions.store), []
    append = store.append

    async def failing(self, *args, **kwargs):
        appended.append(len(args[1]))
        if len(appended) == 4:
            raise OSError("the power is gone")
        return await append(self, *args, **kwargs)

    monkeypatch.setattr(store, "append", failing)
    with pytest.raises(OSError, match="power"):
        moved(messages, sessions)
    monkeypatch.undo()
    assert len(sessions.session("s").record()) == 2 * BATCH_MESSAGES
    assert moved(messages, sessions).record() == messages
    assert len(sessions.session("s").record(all_branches=True)) == 1_000
    assert max(appended) == BATCH_MESSAGES


@both_voices
def test_only_what_a_source_has_more_by_now_is_added(sessions, voice):
    moved(said(4), sessions, voice)
    SessionChatMessageHistory("s", sessions=sessions).add_messages([HumanMessage("said here")])
    ours = moved(said(7), sessions, voice)
    assert [m.content for m in ours.record()] == [
        *(m.content for m in said(4)),
        "said here",
        *(m.content for m in said(7)[4:]),
    ]


@both_voices
@pytest.mark.parametrize(
    "now",
    [
        said(6)[1:],
        said(6)[:5],
        [HumanMessage("another question"), *said(6)[1:]],
        [*said(6)[:3], *said(6)[4:], *said(6)],
        [],
    ],
    ids=["first-gone", "last-gone", "changed", "one-gone", "cleared"],
)
@pytest.mark.parametrize("named", [True, False])
def test_a_source_that_no_longer_begins_with_what_was_imported_is_refused(sessions, now, voice, named):
    def with_ids(messages):
        return [m.model_copy(update={"id": f"id of {m.content}" if named else None}) for m in messages]

    moved(with_ids(said(6)), sessions)
    with pytest.raises(Diverged, match=r"session s: 6 messages were moved in.* delete this one first"):
        moved(with_ids(now), sessions, voice)
    assert sessions.session("s").stats().messages == 6


def test_a_deleted_session_can_be_imported_anew(sessions):
    moved(said(6), sessions).clear()
    assert moved(said(4), sessions).record() == said(4)


def test_a_message_whose_id_the_session_has_with_other_words_is_refused(sessions):
    SessionChatMessageHistory("s", sessions=sessions).add_messages([HumanMessage("here", id="a")])
    with pytest.raises(DuplicateMessage, match="a session of its own"):
        moved([HumanMessage("there", id="a")], sessions)


def test_tenants_do_not_meet(sessions):
    for tenant in ("acme", "zeta"):
        source = history([HumanMessage(f"we are {tenant}")])
        ours = SessionChatMessageHistory.import_from(source, "s", sessions=sessions, tenant=tenant)
        assert [m.content for m in ours.record()] == [f"we are {tenant}"]
    assert [state.key.tenant for state in sessions.list("acme")] == ["acme"]


class Named(InMemoryChatMessageHistory):
    session_id: str | int = "user-7"


class Counted(InMemoryChatMessageHistory):
    count: int = 0

    def __len__(self) -> int:
        return self.count


def test_the_session_is_called_as_the_source_is(sessions):
    ours = SessionChatMessageHistory.import_from(Named(messages=said()), sessions=sessions)
    assert ours.session_id == "user-7"
    assert SessionChatMessageHistory.import_from(Named(session_id=7), sessions=sessions).session_id == "7"
    assert SessionChatMessageHistory.import_from(Named(), "mine", sessions=sessions).session_id == "mine"


def test_a_source_without_a_name_needs_one(sessions):
    with pytest.raises(ConfigError, match=r"InMemoryChatMessageHistory .* pass session_id="):
        SessionChatMessageHistory.import_from(history(said()), sessions=sessions)


@both_voices
def test_a_source_that_holds_messages_back_is_refused(sessions, voice):
    with pytest.raises(InputError, match="says that it has 9 messages and gives 6"):
        moved(Counted(messages=said(), count=9), sessions, voice)
    assert sessions.list() == ()


def test_one_store_moves_into_another(sessions, tmp_path):
    long = [HumanMessage("a question " * 400), AIMessage("an answer " * 400)] * 100
    ours = moved(long, sessions)
    with Sessions(f"sqlite:///{tmp_path}/other.db") as other:
        there = SessionChatMessageHistory.import_from(ours, sessions=other)
        assert there.session_id == "s"
        assert there.record() == long


@both_voices
def test_a_history_is_filled_and_filled_up(sessions, voice):
    def out(target) -> int:
        return ours.export_to(target) if voice == "blocking" else asyncio.run(ours.aexport_to(target))

    ours, target = moved(said(600), sessions), history([])
    assert out(target) == 600
    assert out(target) == 0
    ours.add_messages([HumanMessage("more")])
    assert out(target) == 1
    assert target.messages == ours.record()


@both_voices
def test_a_history_with_other_messages_is_not_touched(sessions, voice):
    ours, target = moved(said(), sessions), history([HumanMessage("mine")])
    with pytest.raises(Diverged, match="InMemoryChatMessageHistory"):
        ours.export_to(target) if voice == "blocking" else asyncio.run(ours.aexport_to(target))
    assert target.messages == [HumanMessage("mine")]


@both_voices
def test_a_history_of_ours_is_filled_up_by_its_record_not_its_view(voice):
    def out(source, target) -> int:
        return source.export_to(target) if voice == "blocking" else asyncio.run(source.aexport_to(target))

    with Sessions("memory://", policy=Policy(Budget(300, reply_reserve_tokens=0))) as sessions:
        ours, theirs = (SessionChatMessageHistory(name, sessions=sessions) for name in ("ours", "theirs"))
        ours.add_messages([HumanMessage(f"question {n} " * 20) for n in range(40)])
        assert out(ours, theirs) == 40
        ours.add_user_message("more")
        assert out(ours, theirs) == 1
        assert theirs.record() == ours.record()


@given(seed=st.integers(0, 10_000), parts=st.integers(1, 4))
def test_what_went_in_comes_out(seed, parts):
    messages = from_core_many(conversation(seed))
    with Sessions() as opened:
        for part in range(1, parts + 1):
            ours = moved(messages[: len(messages) * part // parts], opened)
        target = history([])
        ours.export_to(target)
        assert target.messages == messages
        assert len(ours.session.record(all_branches=True)) == len(messages)
