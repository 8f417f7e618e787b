"""A user is told that a conversation is long once, and again only when it is news; on every store, in both voices."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from every_store import KINDS, Servers
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph

from langchain_session import SessionSaver
from llamaindex_session import SessionChatStore
from session_core import Budget, Policy, Session, Sessions
from session_core.events import Notice, Noticed, Resumed, TierChanged
from session_core.ports import SessionStore
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.memory import MemoryStore
from session_core.testing import Heard
from session_core.turns import Key

DAY_S = 86_400.0
WINDOW_TOKENS = 300


class Clock:
    """A clock that tests set; each look takes a second."""

    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> float:
        self.now_s += 1.0
        return self.now_s


class Talk:
    """One session in a window so small that folds take the pressure off again and again."""

    def __init__(self, store: SessionStore, voice: str, folding: str = "inline") -> None:
        policy = Policy(Budget(WINDOW_TOKENS, reply_reserve_tokens=0), folding=folding)
        self.clock, self.heard, self.voice = Clock(), Heard(), voice
        self.sessions = Sessions(store, policy=policy, clock=self.clock, observers=[self.heard])
        self.turns = 0

    @property
    def session(self) -> Session:
        return self.sessions.session("s")

    def say(self, turns: int) -> None:
        """So many turns more."""
        for _ in range(turns):
            self.turns += 1
            said = {"role": "user", "content": f"Question {self.turns}: what of city {self.turns}? " * 4}
            answered = {"role": "assistant", "content": f"City {self.turns} is the capital, as far as I know. " * 5}
            if self.voice == "blocking":
                self.session.append(said)
                self.session.view()
                self.session.append(answered)
            else:
                asyncio.run(self._said(said, answered))

    async def _said(self, said: dict[str, str], answered: dict[str, str]) -> None:
        await self.session.aappend(said)
        await self.session.aview()
        await self.session.aappend(answered)

    def reset(self, *, carry: bool) -> None:
        if self.voice == "blocking":
            self.session.reset(carry=carry)
        else:
            asyncio.run(self.session.areset(carry=carry))

    def fill(self) -> None:
        """Turns until the pressure has been over 90 % some times more."""
        until = self.crossings + 3
        while self.crossings < until and self.turns < 400:
            self.say(1)
        assert self.crossings == until

    @property
    def crossings(self) -> int:
        return len([event for event in self.heard if isinstance(event, TierChanged) and str(event.after) == "notify"])

    @property
    def told(self) -> int:
        return len([event for event in self.heard if isinstance(event, Noticed)])

    def long_told(self) -> int:
        """Turns until the user was told some times and would not be told for many turns; how often that was."""
        while self.told < 3:
            self.say(1)
        self.fill()
        assert self.told == 3
        return self.told


@pytest.fixture(params=["blocking", "awaiting"])
def voice(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=KINDS)
def talk(request: pytest.FixtureRequest, voice: str, servers: Servers, tmp_path: Path) -> Iterator[Talk]:
    with servers.place(request.param, tmp_path) as place:
        yield Talk(place.store, voice)


def test_a_user_is_told_again_only_when_the_record_has_doubled(talk: Talk) -> None:
    while talk.crossings < 40:
        talk.say(1)
    notices = talk.session.notices()
    tokens = [notice.record_tokens for notice in notices]
    assert 2 <= len(tokens) == talk.told <= 6
    assert all(later >= 2 * earlier for earlier, later in pairwise(tokens))
    assert notices[-1].record_messages <= talk.session.stats().messages


def test_a_user_who_comes_back_after_days_is_told_again_once(talk: Talk) -> None:
    before = talk.long_told()
    talk.clock.now_s += 9 * DAY_S
    talk.fill()
    talk.fill()
    assert talk.told == before + 1


@pytest.mark.parametrize("carry", [True, False])
def test_a_user_who_began_afresh_is_told_again_once(talk: Talk, carry: bool) -> None:
    before = talk.long_told()
    talk.reset(carry=carry)
    talk.fill()
    talk.fill()
    assert talk.told == before + 1


def test_an_absence_right_after_a_reset_is_spoken_of() -> None:
    talk = Talk(MemoryStore(), "blocking")
    talk.session.append({"role": "system", "content": "You are a guide."})
    talk.say(1)
    talk.reset(carry=True)
    talk.clock.now_s += 9 * DAY_S
    talk.session.append({"role": "user", "content": "I am back"})
    talk.session.view()
    assert [event.absent_s > 8 * DAY_S for event in talk.heard if isinstance(event, Resumed)] == [True]


def test_a_break_before_a_reset_is_not_spoken_of_behind_it() -> None:
    talk = Talk(MemoryStore(), "blocking")
    talk.say(1)
    talk.clock.now_s += 9 * DAY_S
    talk.say(1)
    talk.reset(carry=True)
    talk.session.append({"role": "user", "content": "And now?"})
    assert not [message for message in talk.session.view().messages if "after a break" in message.content]


@pytest.mark.parametrize("emptied", ["set_messages", "aset_messages"])
def test_a_chat_store_that_is_emptied_begins_afresh(emptied: str) -> None:
    talk = Talk(MemoryStore(), "blocking")
    before = talk.long_told()
    done = getattr(SessionChatStore(sessions=talk.sessions), emptied)("s", [])
    if emptied.startswith("a"):
        asyncio.run(done)
    talk.fill()
    assert talk.told == before + 1


def test_a_conversation_that_is_trimmed_again_and_again_is_no_news() -> None:
    """A buffer that keeps the newest messages only sets them as the conversation, turn for turn."""
    talk = Talk(MemoryStore(), "blocking")
    chats = SessionChatStore(sessions=talk.sessions)
    for _ in range(60):
        talk.say(1)
        chats.set_messages("s", chats.get_messages("s")[-4:])
    tokens = [notice.record_tokens for notice in talk.session.notices()]
    assert talk.crossings > 6
    assert all(later >= 2 * earlier for earlier, later in pairwise(tokens))


@pytest.mark.parametrize(("back_to", "news"), [(1, True), (-2, False)])
def test_a_thread_that_is_forked_near_its_beginning_is_news(back_to: int, news: bool) -> None:
    talk = Talk(MemoryStore(), "blocking")

    def answer(state: MessagesState) -> dict[str, list[AIMessage]]:
        return {"messages": [AIMessage("The capital, as far as I know. " * 8)]}

    graph = StateGraph(MessagesState).add_node("model", answer).add_edge(START, "model")
    app = graph.compile(checkpointer=SessionSaver(talk.sessions))
    config = {"configurable": {"thread_id": "s"}}
    ends = []

    def ask(question: str, where: dict) -> None:
        app.invoke({"messages": [("user", f"{question}: what of the city? " * 6)]}, where)
        ends.append(app.get_state(config).config)

    while talk.told < 3:
        ask(f"Question {len(ends)}", config)
    before, crossings = talk.told, talk.crossings
    ask("Another one", ends[back_to])
    while talk.crossings < crossings + 2:
        ask(f"Later {len(ends)}", config)
    assert talk.told == before + news


def test_a_notice_that_does_not_open_any_more_was_told() -> None:
    """It stands in the way of no change of tier."""
    inner = MemoryStore()
    old = Talk(EncryptedStore(inner, Keyring({"old": b"o" * 32})), "blocking", folding="off")
    old.say(4)
    assert old.told == 1
    new = Talk(EncryptedStore(inner, Keyring({"new": b"n" * 32})), "blocking", folding="off")
    new.reset(carry=False)
    new.say(6)
    assert (new.told, new.crossings) == (0, 1)


class Looked(MemoryStore):
    """Counts how often its notices are read."""

    looks = 0

    async def notices(self, key: Key) -> tuple[Notice, ...]:
        self.looks += 1
        return await super().notices(key)


def test_notices_are_read_only_when_one_may_be_due() -> None:
    store = Looked()
    talk = Talk(store, "blocking")
    talk.say(40)
    assert store.looks == talk.crossings < 40
