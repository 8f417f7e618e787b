"""Replaces the view in a message list by the part of the record that it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from langchain_session.conversion.marks import mark_of
from langchain_session.graph_state.channels import NAMELESS
from langchain_session.graph_state.originals import Original, Originals
from session_core.ports import SessionStore
from session_core.ranges import Ranges
from session_core.turns import Key

LEVELS = "|"
"""The separator between the names of a graph and its subgraph in a checkpoint namespace."""


def parent_keys(key: Key) -> list[Key]:
    """The sessions of a subgraph's parent graphs, nearest first; it receives their views."""
    names = key.namespace.split(LEVELS) if key.namespace else []
    return [Key(key.session_id, key.tenant, LEVELS.join(names[:n])) for n in range(len(names) - 1, -1, -1)]


def is_of_a_view(message: BaseMessage) -> bool:
    """Whether the message was changed or generated for a view."""
    mark = mark_of(message)
    return (message.id or "").startswith(NAMELESS) or (mark is not None and mark.get("rendition") != "foreign")


async def raw_write(value: Any, key: Key, store: SessionStore, originals: Originals) -> Any:
    """A value that a task of `key` wrote, with view messages of its graph, parents and subgraphs replaced by their
    originals; a value without any is returned unchanged."""
    single = isinstance(value, BaseMessage)
    said = [value] if single else value
    if not isinstance(said, list) or not all(isinstance(item, BaseMessage) for item in said):
        return value
    if not any(map(is_of_a_view, said)):
        return value
    raw = await expand_view(said, [key, *parent_keys(key), *_others(said, key)], store, originals)
    return raw[0] if single and len(raw) == 1 else raw


def _others(messages: Sequence[BaseMessage], key: Key) -> list[Key]:
    """The other sessions of this thread that marks name: those of subgraphs."""
    marks = [mark for message in messages if (mark := mark_of(message)) is not None and "session" in mark]
    named = {Key(key.session_id, key.tenant, str(mark.get("space"))): str(mark["session"]) for mark in marks}
    return [
        other for other, session in named.items() if str(other) == session and other not in (key, *parent_keys(key))
    ]


async def expand_view(
    messages: Sequence[BaseMessage],
    keys: Sequence[Key],
    store: SessionStore,
    originals: Originals,
    *,
    keep: Key | None = None,
) -> list[BaseMessage]:
    """`messages` with messages of views of `keys` replaced by the originals: clips by their messages, a digest by all
    that it covers. Other generated messages are removed, except those of `keep`."""
    states = {str(key): state for key in keys if (state := await store.state(key)) is not None}
    names = {message.id for message in messages}
    covered: dict[int, list[Original]] = {}
    for place, message in enumerate(messages):
        mark = mark_of(message) or {}
        state = states.get(str(mark.get("session")))
        if state is not None and "origin" in mark:
            covers = Ranges.from_pairs(mark.get("covers", ()))
            part = state.head.until(covers)
            found = await originals.of(store, state, part.plus(covers.minus(part)))
            covered[place] = [one for one in found if one.seq in covers or one.id in names]
    # Messages shown beside their digest (pinned rules) are restored at their place under it or in the middle of it.
    listed = {message.id: message for message in messages if message.type != "remove" and not is_of_a_view(message)}
    under = {one.id for found in covered.values() for one in found}
    known: dict[str, Original] = {}
    if any(is_of_a_view(message) and "origin" not in (mark_of(message) or {}) for message in messages):
        for state in reversed(states.values()):
            known |= {one.id: one for one in await originals.of(store, state, state.head)}
    whole: list[BaseMessage] = []
    for place, message in enumerate(messages):
        mark = mark_of(message) or {}
        if place in covered:
            whole += [listed.get(one.id, one.message) for one in covered[place]]
        elif "origin" in mark:
            whole += [message] if keep is not None and mark.get("session") == str(keep) else []
        elif message.id not in under or message.type == "remove":
            original = known.get(str(mark.get("ref", message.id))) if is_of_a_view(message) else None
            whole.append(message if original is None else original.message)
    return whole


def equals_raw_write(of_view: Any, raw: Any) -> bool:
    """Whether a write that was derived from a view equals the one that was stored without it."""
    ours, theirs = ([value] if isinstance(value, BaseMessage) else value or [] for value in (of_view, raw))
    own = {message.id for message in ours if not is_of_a_view(message)}
    return bool(ours) and own <= {getattr(message, "id", None) for message in theirs}
