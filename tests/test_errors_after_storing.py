"""An append that is stored never raises for what comes after it: callers would send the same again, and double it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from session_core import Budget, Policy, Sessions
from session_core.errors import Conflict, SessionError, StoreBusy, StoreUnreadable
from session_core.events import Event, FoldFailed
from session_core.plan import Digest
from session_core.ports import Marks
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.memory import MemoryStore
from session_core.turns import Key

LONG = "Please tell me of the old bridges of the town, and of the river that they cross. " * 4


class Failing(MemoryStore):
    """Takes messages, and nothing else."""

    failure: SessionError = StoreBusy("somebody holds it; retry")

    async def mark(self, key: Key, marks: Marks) -> None:
        raise self.failure

    async def put_digest(self, key: Key, digest: Digest, **named: Any) -> Digest:
        raise self.failure


@pytest.mark.parametrize("failure", [StoreBusy("somebody holds it; retry"), Conflict("others were faster; load again")])
def test_what_is_stored_is_said_to_be_stored_whatever_fails_behind_it(failure: SessionError) -> None:
    store, events = Failing(), list[Event]()
    store.failure = failure
    policy = Policy(Budget(600, reply_reserve_tokens=0), folding="inline")
    with Sessions(store, policy=policy, on_event=events.append) as sessions:
        session = sessions.session("s")
        for _ in range(20):
            assert session.append({"role": "user", "content": LONG}).new == 1
            assert asyncio.run(session.aappend({"role": "assistant", "content": LONG})).new == 1
        assert len(session.record()) == 40
        assert session.view().tokens <= 600


def test_what_is_sealed_and_stored_is_said_to_be_stored_though_an_older_key_is_missing() -> None:
    inner, before = MemoryStore(), Keyring({"k1": b"1" * 32})
    after = Keyring({"k2": b"2" * 32}, match_key=before.match_key)
    Sessions(EncryptedStore(inner, before)).session("s").append({"role": "user", "content": "Hello"}, author="Ann")
    session = Sessions(EncryptedStore(inner, after)).session("s")
    assert session.append({"role": "user", "content": "Hello again"}, author="Bob").new == 1
    with pytest.raises(StoreUnreadable, match="k1"):
        session.view()
    both = Sessions(EncryptedStore(inner, Keyring({"k2": b"2" * 32, "k1": b"1" * 32}))).session("s")
    assert [message.content for message in both.record()] == ["Hello", "Hello again"]


def test_a_fold_that_fails_in_an_append_is_told_by_an_event() -> None:
    class Folding(Failing):
        async def mark(self, key: Key, marks: Marks) -> None:
            await MemoryStore.mark(self, key, marks)

    events: list[Event] = []
    policy = Policy(Budget(600, reply_reserve_tokens=0), folding="inline")
    with Sessions(Folding(), policy=policy, on_event=events.append) as sessions:
        session = sessions.session("s")
        for _ in range(20):
            session.append({"role": "user", "content": LONG})
        with pytest.raises(StoreBusy):
            session.fold()
    assert any(isinstance(event, FoldFailed) for event in events)
