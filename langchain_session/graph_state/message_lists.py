"""Message lists in other channels than the conversation's: each message stored once, outside of the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from langchain_core.messages import BaseMessage

from langchain_session.conversion.marks import restore_mark, set_mark_aside
from langchain_session.conversion.messages import from_core, to_core
from langchain_session.graph_state.channels import is_message_list, with_ids
from session_core.ports import Plain, SessionStore
from session_core.ranges import Ranges
from session_core.serial.codec import pack, unpack
from session_core.turns import Key, Message

ASIDE = "llm-sessions/aside"
"""The type of a stored value that is a message list in another channel; its data are ranges of sequence numbers."""


async def put_aside(
    values: Mapping[str, Any], key: Key, store: SessionStore, *, parent_id: str | None
) -> dict[str, Plain]:
    """The stored values for those of `values` that are message lists, by channel, for a checkpoint behind `parent_id`.

    Their messages go into a session of their own, in one append for all channels; stored ones are not stored again.
    Messages that were made for a view are stored as they are, with their marks.
    """
    lists = {
        name: [set_mark_aside(message) for message in value] for name, value in values.items() if is_message_list(value)
    }
    if not lists:
        return {}
    if any(not message.id for said in lists.values() for message in said):
        lists = await _with_ids(lists, key, store, parent_id)
    every = [to_core(message) for messages in lists.values() for message in messages]
    numbers = iter((await store.append(_beside(key), every, revise=True)).seqs)
    parts = {name: Ranges.of(next(numbers) for _ in said) for name, said in lists.items()}
    return {name: Plain(ASIDE, pack([list(pair) for pair in part.pairs])) for name, part in parts.items()}


async def from_aside(value: Plain, key: Key, store: SessionStore) -> list[BaseMessage]:
    """The message list that `value` was stored for."""
    return [restore_mark(from_core(message)) for message in await _kept(value, key, store)]


async def _with_ids(
    lists: Mapping[str, list[BaseMessage]], key: Key, store: SessionStore, parent_id: str | None
) -> dict[str, list[BaseMessage]]:
    """The lists with an id for each message: the one of the channel's previous checkpoint, else a new one."""
    before = await store.checkpoint(key, parent_id) if parent_id else None
    made: dict[str, list[BaseMessage]] = {}
    for name, messages in lists.items():
        value = before.values.get(name) if before is not None else None
        known = await _kept(value, key, store) if isinstance(value, Plain) and value.type == ASIDE else ()
        made[name] = with_ids(messages, known)
    return made


async def _kept(value: Plain, key: Key, store: SessionStore) -> tuple[Message, ...]:
    pairs = unpack(value.data)
    return await store.record(_beside(key), Ranges.from_pairs(pairs if isinstance(pairs, list) else []))


def _beside(key: Key) -> Key:
    return replace(key, namespace=f"{key.namespace}~aside")
