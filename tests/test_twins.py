"""Every public method has a twin with an `a` before its name, which takes the same and gives the same."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from langchain_session import SessionChatMessageHistory, SessionSaver
from llamaindex_session import SessionChatStore, SessionMemoryBuffer
from session_core import Budget, Policy, Session, Sessions
from session_core.errors import Conflict, TurnTaken
from session_core.leasing import TurnLease
from session_core.stores.memory import MemoryStore

CLASSES = (Session, Sessions, TurnLease, SessionSaver, SessionChatMessageHistory, SessionChatStore, SessionMemoryBuffer)
TWINS = [
    (kind, name)
    for kind in CLASSES
    for name, made in inspect.getmembers(kind, callable)
    if not name.startswith("_") and callable(getattr(kind, f"a{name}", None)) and "session" in made.__module__
]


def _parameters(made: object) -> list[tuple[str, object, object]]:
    return [(one.name, one.kind, one.default) for one in inspect.signature(made).parameters.values()]


@pytest.mark.parametrize(("kind", "name"), TWINS, ids=lambda one: getattr(one, "__name__", one))
def test_sync_and_async_methods_have_the_same_parameters(kind: type, name: str) -> None:
    assert _parameters(getattr(kind, f"a{name}")) == _parameters(getattr(kind, name))


@pytest.fixture
def sessions(tmp_path):
    policy = Policy(Budget(800, reply_reserve_tokens=0), folding="off")
    with Sessions(f"sqlite:///{tmp_path}/twins.db", policy=policy) as made:
        yield made


@pytest.fixture
def session(sessions):
    made = sessions.session("s")
    for turn in range(20):
        said = f"Question {turn} about item number {turn * 7}, in some more words than are needed for it."
        made.append([{"role": "user", "content": said}, {"role": "assistant", "content": f"Answer {turn}. " * 8}])
    return made


def test_astats_equals_stats(session) -> None:
    assert asyncio.run(session.astats()) == session.stats()


def test_aappend_takes_an_author_and_refuses_another_version(sessions) -> None:
    session = sessions.session("new")
    asyncio.run(session.aappend({"role": "user", "content": "Hello."}, author="Ann", expected=0))
    with pytest.raises(Conflict):
        asyncio.run(session.aappend({"role": "user", "content": "Hello again."}, expected=0))
    assert [(one.content, one.author) for one in session.record()] == [("Hello.", "Ann")]


def test_a_namespace_is_a_record_of_its_own_that_is_deleted_with_its_session(sessions) -> None:
    session, notes = sessions.session("one"), sessions.session("one", namespace="notes")
    session.append({"role": "user", "content": "Hello."})
    notes.append({"role": "user", "content": "A note."})
    assert [one.content for one in session.record()] == ["Hello."]
    assert [one.content for one in notes.record()] == ["A note."]
    session.delete()
    assert notes.record() == []


def test_anotices_equals_notices(session) -> None:
    told = asyncio.run(session.anotices())
    assert told
    assert told == session.notices()


def test_afold_makes_the_digest_of_the_next_turn(session) -> None:
    made = asyncio.run(session.afold())
    session.append({"role": "user", "content": "Go on."})
    assert made is not None
    assert session.view().digest.covers == made.covers


def test_arenew_extends_the_lease() -> None:
    now_s = [1_000.0]
    session = Sessions(MemoryStore(clock=lambda: now_s[0])).session("s")

    async def held() -> None:
        async with session.lease(ttl_s=60) as turn:
            now_s[0] += 50
            await turn.arenew()
            now_s[0] += 50
            async with session.lease(wait_s=0):
                pass

    with pytest.raises(TurnTaken):
        asyncio.run(held())
