"""Promises of a store about leases: one holder, expiry, no writes after losing the turn."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic

from session_core.errors import InputError, TurnLost
from session_core.ports import Lease, MessageList, SessionStore
from session_core.testing.fakes import KEY, Promise, bare_checkpoint, message
from session_core.turns import Key

LONG_S, SHORT_S = 600.0, 0.05


async def gives_the_turn_to_one_holder(store: SessionStore) -> None:
    """While one holder has the turn no other gets it; once it is released, the next gets a greater token."""
    first = await _taken(store, "one", LONG_S)
    assert (first.key, first.holder, first.ttl_s) == (KEY, "one", LONG_S)
    assert await store.take_lease(KEY, holder="two", ttl_s=LONG_S) is None
    await store.drop_lease(first)
    second = await _taken(store, "two", LONG_S)
    assert second.token > first.token
    await store.drop_lease(first)
    assert await store.take_lease(KEY, holder="one", ttl_s=LONG_S) is None


async def lets_a_holder_hold_on(store: SessionStore) -> None:
    """The holder of the turn can take it again: the token stays, and the time starts anew."""
    first = await _taken(store, "one", SHORT_S)
    again = await _taken(store, "one", LONG_S)
    assert again.token == first.token
    await _until(SHORT_S * 2)
    assert await store.take_lease(KEY, holder="two", ttl_s=LONG_S) is None


async def ends_a_lease_by_time(store: SessionStore) -> None:
    """A lease that is not renewed expires: another holder gets the turn, and writes with the old lease are refused."""
    late = await _taken(store, "late", SHORT_S)
    await store.append(KEY, [message(1)], lease=late)
    await _until(SHORT_S * 2)
    await store.append(KEY, [message(2)], lease=late)
    next_one = await _taken(store, "next", LONG_S)
    assert next_one.token > late.token
    assert await _refused(store, late)
    assert await store.take_lease(KEY, holder="late", ttl_s=LONG_S) is None
    await store.append(KEY, [message(3)], lease=next_one)
    assert [m.id for m in await store.record(KEY)] == ["m1", "m2", "m3"]


async def refuses_a_lease_that_was_given_back(store: SessionStore) -> None:
    """A released lease writes nothing, whether or not another holder has the turn."""
    held = await _taken(store, "one", LONG_S)
    await store.append(KEY, [message(1)], lease=held)
    await store.drop_lease(held)
    assert await _refused(store, held)
    await store.append(KEY, [message(2)])
    assert [m.id for m in await store.record(KEY)] == ["m1", "m2"]


async def ends_leases_with_their_session(store: SessionStore) -> None:
    """A lease ends when its session is deleted: it cannot recreate it, and its token is never used again."""
    await store.append(KEY, [message(1)])
    sub = Key(KEY.session_id, KEY.tenant, "sub")
    held = await _taken(store, "one", LONG_S)
    within = await store.take_lease(sub, holder="one", ttl_s=LONG_S)
    await store.append(sub, [message(1)], lease=within)
    await store.delete(KEY)
    assert await _refused(store, held)
    assert await store.state(KEY) is None
    other = await _taken(store, "two", LONG_S)
    assert other.token != held.token
    assert await _refused(store, held)
    assert await store.take_lease(sub, holder="two", ttl_s=LONG_S) is not None


async def makes_no_session_by_a_lease(store: SessionStore) -> None:
    """The turn of an unknown session can be taken; only its first append creates the session."""
    held = await _taken(store, "one", LONG_S)
    assert await store.state(KEY) is None
    assert await store.sessions(KEY.tenant) == ()
    done = await store.append(KEY, [message(1)], lease=held)
    assert done.new == 1


async def keeps_leases_apart(store: SessionStore) -> None:
    """Each session, tenant and namespace has its own turn; a lease of one cannot write to another."""
    held = await _taken(store, "one", LONG_S)
    others = (Key("b session", KEY.tenant), Key(KEY.session_id, "another"), Key(KEY.session_id, KEY.tenant, "sub"))
    for other in others:
        assert await store.take_lease(other, holder="two", ttl_s=LONG_S) is not None
        try:
            await store.append(other, [message(1)], lease=held)
        except InputError:
            continue
        raise AssertionError("a lease of one session wrote to another")
    await store.delete(others[0])
    await store.append(KEY, [message(1)], lease=held)


async def fences_checkpoints_too(store: SessionStore) -> None:
    """A checkpoint with an invalid lease is refused whole; the lease of a session is valid for all its namespaces."""
    held = await _taken(store, "one", LONG_S)
    sub = Key(KEY.session_id, KEY.tenant, "sub")
    await _checkpoint(store, KEY, "1", None, held)
    await _checkpoint(store, sub, "1", None, held)
    await store.drop_lease(held)
    next_one = await _taken(store, "two", LONG_S)
    for key in (KEY, sub):
        try:
            await _checkpoint(store, key, "2", "1", held)
        except TurnLost:
            continue
        raise AssertionError("a lease that was given back stored a checkpoint")
    await _checkpoint(store, KEY, "3", "1", next_one)
    assert [one.id for one in await store.checkpoints(KEY.tenant, KEY.session_id, "")] == ["3", "1"]
    assert [m.id for m in await store.record(KEY)] == ["m1", "m3"]
    try:
        await _checkpoint(store, Key("b session", KEY.tenant), "1", None, next_one)
    except InputError:
        return
    raise AssertionError("a lease of one session stored a checkpoint of another")


async def _checkpoint(store: SessionStore, key: Key, name: str, parent_id: str | None, lease: Lease) -> None:
    row = replace(bare_checkpoint(name, parent_id), key=key)
    values = {"messages": MessageList((message(int(name)),))}
    await store.put_checkpoint(row, values, head_channel="messages", merge=True, lease=lease)


async def _taken(store: SessionStore, holder: str, ttl_s: float) -> Lease:
    lease = await store.take_lease(KEY, holder=holder, ttl_s=ttl_s)
    assert lease is not None, f"{holder} does not get the turn"
    return lease


async def _refused(store: SessionStore, lease: Lease) -> bool:
    try:
        await store.append(lease.key, [message(99)], lease=lease)
    except TurnLost:
        return True
    return False


async def _until(seconds: float) -> None:
    """Let time pass, by whatever clock the store uses, in either voice."""
    end = monotonic() + seconds
    while monotonic() < end:
        pass


LEASE_PROMISES: tuple[Promise, ...] = (
    gives_the_turn_to_one_holder,
    lets_a_holder_hold_on,
    ends_a_lease_by_time,
    refuses_a_lease_that_was_given_back,
    ends_leases_with_their_session,
    makes_no_session_by_a_lease,
    keeps_leases_apart,
    fences_checkpoints_too,
)
