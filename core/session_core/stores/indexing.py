"""Rebuilds a session's index from its record, after the index failed, was lost, or was added later."""

from __future__ import annotations

from session_core.advisers import Index
from session_core.errors import ConfigError
from session_core.ports import Store
from session_core.ranges import Ranges
from session_core.turns import Key, Role

PAGE_MESSAGES = 500


async def rebuild(store: Store, key: Key, index: Index | None) -> int:
    """Clear the session in `index` and add all messages that are folded now; returns their number. Raises: ConfigError
    if there is no index."""
    if index is None:
        raise ConfigError(f"session {key}: there is no index; pass one with Policy(index=...)")
    state = await store.state(key)
    if state is None:
        return 0
    await index.forget(key, state.ledger.messages)
    loaded = await store.load(key, state.head)
    folded = list(loaded.digest.covers) if loaded.digest else []
    held = 0
    for start in range(0, len(folded), PAGE_MESSAGES):
        page = await store.record(key, Ranges.of(folded[start : start + PAGE_MESSAGES]))
        messages = [message for message in page if message.role is not Role.SYSTEM]
        await index.add(key, messages)
        held += len(messages)
    return held
