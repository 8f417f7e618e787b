"""Copies a session value by value through the store, for stores that cannot copy stored bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from session_core.errors import StoreError
from session_core.ports import Checkpoint, Holding, Marks, MessageList, Plain, SessionStore, Stored
from session_core.stores.refusals import copy_exists
from session_core.turns import Key

AT_ONCE = 500
"""Messages per append."""


async def copy_by_value(store: SessionStore, key: Key, session_id: str) -> None:
    """As `copy_session`, in many steps; if one fails, the partial copy is deleted.

    Checkpoints are read before the record that they refer to, which only grows. Raises: Conflict, StoreError.
    """
    target = replace(key, session_id=session_id, namespace="")
    if await store.holdings(target):
        raise copy_exists(key, target)
    bare = await store.checkpoints(key.tenant, key.session_id, None)
    checkpoints = [await store.fill(one) for one in reversed(bare)]
    held = await store.holdings(key)
    try:
        for holding in held:
            copy = replace(target, namespace=holding.state.key.namespace)
            await _copy_record(store, holding, copy)
            await _copy_checkpoints(store, [one for one in checkpoints if one.key == holding.state.key], copy)
    except StoreError:
        await store.delete(target)
        raise


async def _copy_record(store: SessionStore, holding: Holding, copy: Key) -> None:
    """Copies the log with the same numbers, then digests and notices, then the state. Digests are numbered from 1
    again, since some of the old ones may have been removed."""
    state = holding.state
    log = await store.record(state.key)
    for first in range(0, len(log), AT_ONCE):
        await store.append(copy, log[first : first + AT_ONCE], revise=True)
    for place, digest in enumerate(holding.digests):
        await store.put_digest(copy, digest, expected=place)
        if digest.number == state.active.number:
            await store.mark(copy, Marks(activate=True))
    for notice in await store.notices(state.key):
        await store.mark(copy, Marks(notice=notice))
    notes = Marks(state.tier, state.resumed_after_seq, state.absent_s, head=state.head)
    await store.mark(copy, notes)


async def _copy_checkpoints(store: SessionStore, checkpoints: Sequence[Checkpoint], copy: Key) -> None:
    """Copies checkpoints, oldest first, each value once, and the writes."""
    done: set[tuple[str, str]] = set()
    for found in checkpoints:
        places = {channel: (channel, str(found.versions[channel])) for channel in found.values}
        values: dict[str, Plain | MessageList | None] = {
            channel: MessageList((value.part,)) if isinstance(value, Stored) else value
            for channel, value in found.values.items()
            if places[channel] not in done
        }
        done |= set(places.values())
        bare = replace(found, key=copy, values={}, writes=())
        await store.put_checkpoint(bare, values, head_channel=None, merge=False)
        if found.writes:
            await store.put_writes(copy, found.id, found.writes)
