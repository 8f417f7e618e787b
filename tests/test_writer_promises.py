"""Every store keeps the promises of many writers at once, in both voices; and the suite sees what breaks them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from every_store import KINDS, Servers

from session_core.errors import Conflict
from session_core.ports import Appended, Lease, Marks, SessionStore, State
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.memory import MemoryStore
from session_core.testing import STORE_PROMISES, WRITER_PROMISES, at_once, in_threads
from session_core.turns import Key, Message
from session_core.voices import pause_blocking, run_blocking, threaded


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[SessionStore]:
    with servers.place(request.param, tmp_path) as place:
        yield place.store


@pytest.mark.parametrize("promise", WRITER_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_blocking(promise: Any, store: SessionStore) -> None:
    run_blocking(promise(store, in_threads))


@pytest.mark.parametrize("promise", WRITER_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_awaiting(promise: Any, store: SessionStore) -> None:
    async def kept() -> None:
        awaiting = threaded(store) if isinstance(store, MemoryStore) else store.awaiting()
        await promise(awaiting, at_once)

    asyncio.run(kept())


@pytest.mark.parametrize("promise", WRITER_PROMISES, ids=lambda promise: promise.__name__)
def test_an_encrypting_store_keeps_it(promise: Any, servers: Servers, tmp_path: Path) -> None:
    with servers.place("postgres", tmp_path) as place:
        run_blocking(promise(EncryptedStore(place.store, Keyring({"k": bytes(32)})), in_threads))


# What is planted, the suite finds.


class Splits(MemoryStore):
    """Appends message by message."""

    async def append(self, key: Key, messages: Sequence[Message], **how: Any) -> Appended:
        done = await super().append(key, messages[:1], **how)
        for one in messages[1:]:
            await pause_blocking(0.0005)
            done = await super().append(key, [one], **how)
        return done


class LooksFirst(MemoryStore):
    """Compares the version, and only then writes."""

    async def append(
        self, key: Key, messages: Sequence[Message], *, expected: int | None = None, **how: Any
    ) -> Appended:
        state = await self.state(key)
        if expected not in (None, state.version if state else 0):
            raise Conflict("another version")
        await pause_blocking(0.001)
        return await super().append(key, messages, **how)


class Cuts(MemoryStore):
    """Loses the end of a large batch."""

    async def append(self, key: Key, messages: Sequence[Message], **how: Any) -> Appended:
        return await super().append(key, messages[:1_000], **how)


class NoVersion0(MemoryStore):
    """Takes a 0 for nothing expected."""

    async def append(
        self, key: Key, messages: Sequence[Message], *, expected: int | None = None, **how: Any
    ) -> Appended:
        return await super().append(key, messages, expected=expected or None, **how)


class Miscounts(MemoryStore):
    """Tells other totals than it has."""

    async def state(self, key: Key) -> State | None:
        state = await super().state(key)
        return None if state is None else replace(state, ledger=replace(state.ledger, turns=0))


class HeadStays(MemoryStore):
    """Forgets which part a mark names."""

    async def mark(self, key: Key, marks: Marks) -> None:
        await super().mark(key, replace(marks, head=None))


class TwoTurns(MemoryStore):
    """Gives the turn to who asks while another one is just given it."""

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        held = self._leases.get(key)
        await pause_blocking(0.001)
        if held is None:
            self._leases.pop(key, None)
        return await super().take_lease(key, holder=holder, ttl_s=ttl_s)


PLANTED = (Splits, LooksFirst, Cuts, NoVersion0, Miscounts, HeadStays, TwoTurns)


@pytest.mark.parametrize("broken", PLANTED, ids=lambda broken: broken.__name__)
def test_a_store_that_breaks_a_promise_is_found(broken: type[MemoryStore]) -> None:
    found = [promise.__name__ for promise in STORE_PROMISES if _fails(promise(broken()))]
    found += [promise.__name__ for promise in WRITER_PROMISES if _fails(promise(broken(), in_threads))]
    assert found


def _fails(work: Any) -> bool:
    try:
        run_blocking(work)
    except (AssertionError, Conflict):
        return True
    return False
