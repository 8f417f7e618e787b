"""Promises of a store that can delete idle sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from session_core.errors import ConfigError
from session_core.ports import Plain, Purging, SessionStore, Write
from session_core.testing.fakes import KEY, message
from session_core.turns import Key

HOUR_S = 3_600.0
TRIES = 1_000
"""How often a purge of what is older than nothing is asked for; its clock may have coarse ticks."""


class PurgingStore(SessionStore, Purging, Protocol):
    """What these promises are for."""


async def keeps_what_is_in_use(store: PurgingStore) -> None:
    """Sessions written to within the given time stay, whatever times their messages have."""
    await store.append(KEY, [message(1)])
    await store.append(Key("far ahead"), [message(4_102_444_800)])
    assert await store.purge(HOUR_S) == ()
    assert len(await store.sessions()) == 2


async def purges_what_is_idle(store: PurgingStore) -> None:
    """Idle sessions are deleted whole, for one tenant or all, and their keys returned."""
    inner, other = Key(KEY.session_id, KEY.tenant, "inner"), Key("other", "another tenant")
    await store.append(KEY, [message(1)])
    await store.append(inner, [message(2)])
    await store.append(other, [message(3)])
    assert await _purged(store, KEY.tenant) == {KEY}
    assert await store.state(inner) is None
    assert await store.state(KEY) is None
    assert [state.key for state in await store.sessions()] == [other]
    assert await _purged(store) == {other}
    assert await store.sessions() == ()


async def purges_what_has_checkpoints_only(store: PurgingStore) -> None:
    """Sessions that never had a message are purged too."""
    inner = Key(KEY.session_id, KEY.tenant, "inner")
    await store.put_writes(inner, "1", [Write("task", 0, "channel", Plain("t", b"x"))])
    assert await _purged(store) == {KEY}
    assert await store.state(inner) is None


async def names_what_it_would_purge(store: PurgingStore) -> None:
    """`idle` returns what `purge` would delete, for one tenant or all, and changes nothing."""
    other = Key("other", "another tenant")
    await store.append(KEY, [message(1)])
    await store.append(Key(KEY.session_id, KEY.tenant, "inner"), [message(2)])
    await store.append(other, [message(3)])
    await store.put_writes(Key("bare", KEY.tenant), "1", [Write("task", 0, "channel", Plain("t", b"x"))])
    assert await store.idle(HOUR_S) == ()
    every = {KEY, other, Key("bare", KEY.tenant)}
    for _ in range(TRIES):
        if set(await store.idle(0.0)) == every:
            break
    else:
        raise AssertionError("what is idle was not named")
    assert set(await store.idle(0.0, tenant=other.tenant)) == {other}
    assert len(await store.sessions()) == 2
    assert set(await store.purge(0.0)) == every
    assert await store.idle(0.0) == ()


async def begins_a_purged_session_afresh(store: PurgingStore) -> None:
    """A purged session that is recreated has nothing of the old one."""
    old = await store.append(KEY, [message(1)])
    assert await _purged(store) == {KEY}
    new = await store.append(KEY, [message(2)])
    assert new.state.born != old.state.born
    assert [m.id for m in (await store.load(KEY)).messages] == ["m2"]


async def refuses_what_is_no_age(store: PurgingStore) -> None:
    """A negative age, which would match every session, is refused, and so are an age that is no number and an empty
    tenant."""
    await store.append(KEY, [message(1)])
    for age_s in (-1.0, float("nan"), float("inf")):
        for work in (store.purge, store.idle):
            try:
                await work(age_s)
            except ConfigError:
                continue
            raise AssertionError(f"an age of {age_s} s was not refused")
    for work in (store.purge, store.idle):
        try:
            await work(0.0, tenant="")
        except ConfigError:
            continue
        raise AssertionError("a tenant without a name was not refused")
    assert await store.sessions("") == ()
    assert len(await store.sessions()) == 1


async def _purged(store: PurgingStore, tenant: str | None = None) -> set[Key]:
    for _ in range(TRIES):
        gone = await store.purge(0.0, tenant=tenant)
        if gone:
            return set(gone)
    raise AssertionError("what is idle was not purged")


PURGING_PROMISES: tuple[Callable[[PurgingStore], Awaitable[None]], ...] = (
    keeps_what_is_in_use,
    purges_what_is_idle,
    purges_what_has_checkpoints_only,
    names_what_it_would_purge,
    begins_a_purged_session_afresh,
    refuses_what_is_no_age,
)
