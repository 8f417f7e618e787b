"""Deletion by age in a hybrid store: the cache serves nothing of what goes, also when the purge breaks off."""

from __future__ import annotations

from dataclasses import replace

from session_core.ports import SessionStore
from session_core.stores.hybrid.hot_side import HotSide
from session_core.stores.hybrid.threads import place_of
from session_core.stores.retention import require_purging
from session_core.turns import Key


async def purge_hybrid(cold: SessionStore, hot: HotSide, older_than_s: float, tenant: str | None) -> tuple[Key, ...]:
    """What `cold` deleted; its entries in `hot` are hidden before, and removed after."""
    inner = require_purging(cold)
    # Without the heads, which an interrupted purge of many sessions would hold all at once.
    writes = {
        key: replace(await hot.begin(place_of(key)), head=None) for key in await inner.idle(older_than_s, tenant=tenant)
    }
    try:
        gone = await inner.purge(older_than_s, tenant=tenant)
    finally:
        # Which of them went a purge that breaks off does not tell.
        for pending in writes.values():
            await hot.end(pending, discard=True)
    for key in gone:
        if key not in writes:
            await hot.end(await hot.begin(place_of(key)), discard=True)
    return gone
