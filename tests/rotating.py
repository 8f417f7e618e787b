"""What tests of a rotation share: the store under each set of keys, a renewal that others meet, what must open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sealed_fill import ALONE, BOTH, RING

from session_core.ports import SessionStore
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.sealing import Renewal
from session_core.testing import KEY, message
from session_core.turns import Message
from session_core.voices import run_blocking

SERVERS_ONLY = ("memory", "redis", "cluster", "postgres")
"""Where others may write between the reading and the writing of a step; SQLite's step is one transaction."""


class During:
    """A renewal that does something else each time before it renews a value of one kind."""

    def __init__(self, kind: str, act: Callable[[int], None]) -> None:
        self._kind, self._act = kind, act
        self.times = 0

    def __getattr__(self, name: str) -> Any:
        renew = getattr(Renewal(BOTH), name)

        def call(*args: Any) -> Any:
            if name == self._kind:
                self.times += 1
                self._act(self.times)
            return renew(*args)

        return call


def old(store: SessionStore) -> EncryptedStore:
    return EncryptedStore(store, RING)


def both(store: SessionStore) -> EncryptedStore:
    return EncryptedStore(store, BOTH)


def alone(store: SessionStore) -> EncryptedStore:
    return EncryptedStore(store, ALONE)


def rewritten(store: SessionStore, change: object) -> int:
    return run_blocking(store.rewrite(KEY, change))  # type: ignore[attr-defined]


def messages(first: int, last: int) -> list[Message]:
    return [message(n) for n in range(first, last + 1)]


async def check_everything_opens(store: EncryptedStore) -> None:
    state = await store.state(KEY)
    assert state is not None
    assert len(await store.record(KEY, state.head)) == len(state.head)
    assert (await store.load(KEY)).state == state
    await store.notices(KEY)
    for one in await store.checkpoints(KEY.tenant, KEY.session_id, None):
        await store.fill(one)
