"""Converts the channel values of a checkpoint to their stored form, and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from langgraph.checkpoint.serde.base import SerializerProtocol

from langchain_session.graph_state.channels import Prepare, Storage, is_message_list
from langchain_session.graph_state.listing import ListOrigin, stored_list, whole_list
from langchain_session.graph_state.message_lists import ASIDE, from_aside, put_aside
from session_core.ports import Checkpoint, MessageList, Plain, SessionStore, Stored
from session_core.turns import Key


async def stored_values(
    values: Mapping[str, Any],
    changed: Collection[str],
    made: ListOrigin,
    *,
    key: Key,
    storage: Storage,
    prepare: Prepare,
) -> dict[str, Plain | MessageList | None]:
    """The stored form of the `changed` channels; None for a channel that is empty now.

    The conversation is the message list in the channel of `storage`; lists in other channels are stored beside it.
    Live objects are never changed.
    """
    channel, store = storage.channel, storage.store
    kept: dict[str, Plain | MessageList | None] = {}
    said: Any = values.get(channel) if channel in changed else None
    if said == [] or is_message_list(said):
        kept[channel] = await stored_list(said, made, key=key, storage=storage, prepare=prepare)
    rest = {name: values[name] for name in changed if name in values and name not in kept}
    kept |= await put_aside(rest, key, store, parent_id=made.parent_id)
    for name in changed:
        if name not in kept:
            kept[name] = Plain(*storage.serde.dumps_typed(values[name])) if name in values else None
    return kept


async def live_values(found: Checkpoint, store: SessionStore, serde: SerializerProtocol) -> dict[str, Any]:
    """The values of a checkpoint for readers: complete messages, each as its graph had it."""
    live: dict[str, Any] = {}
    for channel, value in found.values.items():
        if isinstance(value, Stored):
            live[channel] = await whole_list(value.part, found.key, store)
        elif value.type == ASIDE:
            live[channel] = await from_aside(value, found.key, store)
        else:
            live[channel] = serde.loads_typed((value.type, value.data))
    return live
