"""Selects checkpoints to delete so that the others keep their values, parents and deltas."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from langgraph.checkpoint.serde.base import SerializerProtocol

from langchain_session.graph_state.channels import Storage
from langchain_session.graph_state.deltas import conversation_name, copied_writes, up_to_value
from session_core.ports import Checkpoint, Plain
from session_core.ranges import Ranges

UNLISTED = "unlisted/"
"""Type prefix of rows that no graph stored: writes and values of deleted checkpoints that others depend on."""


def is_unlisted(found: Checkpoint) -> bool:
    """Whether the row exists only for the checkpoints that depend on it."""
    return found.body.type.startswith(UNLISTED)


@dataclass(frozen=True, slots=True)
class Rows:
    """All checkpoints of one session or namespace, without values and writes."""

    own: Mapping[str, Checkpoint]

    @classmethod
    def of(cls, found: Iterable[Checkpoint]) -> Rows:
        return cls({one.id: one for one in found})

    @property
    def newest(self) -> str | None:
        """The id of the newest checkpoint that a graph stored."""
        return max((name for name, one in self.own.items() if not is_unlisted(one)), default=None)

    def deleted_ancestors(self, name: str, gone: Collection[str]) -> tuple[list[str], str | None]:
        """The deleted ancestors of a checkpoint, nearest first, and the first ancestor that stays."""
        found: list[str] = []
        parent = self.own[name].parent_id
        while parent is not None and parent in gone and parent in self.own:
            found.append(parent)
            parent = self.own[parent].parent_id
        return found, parent if parent in self.own else None

    def line_of(self, name: str | None) -> set[str]:
        """The checkpoint and all its ancestors."""
        line: set[str] = set()
        while name is not None and name in self.own and name not in line:
            line.add(name)
            name = self.own[name].parent_id
        return line


async def drop(
    storage: Storage,
    rows: Rows,
    gone: Collection[str],
    *,
    head: Ranges | None = None,
    expected: int | None = None,
) -> None:
    """Delete the checkpoints `gone`. Their descendants get the nearest remaining ancestor as parent and keep their
    values.

    What their DeltaChannels are computed from is moved to an unlisted row. Raises: Conflict.
    """
    if not gone:
        return
    key = rows.own[next(iter(gone))].key
    parents: dict[str, str | None] = {}
    named = {one.parent_id for name, one in rows.own.items() if name not in gone}
    for name, one in rows.own.items():
        cut, rest = rows.deleted_ancestors(name, gone) if name not in gone else ([], None)
        if cut:
            kept = await _dependencies(storage, rows, one, cut, rest)
            parents[name] = kept or rest
            named.add(rest)
    orphans = {name for name, one in rows.own.items() if is_unlisted(one) and name not in named}
    await storage.store.drop_checkpoints(key, [*{*gone, *orphans}], parents=parents, head=head, expected=expected)


async def _dependencies(
    storage: Storage, rows: Rows, one: Checkpoint, cut: Sequence[str], rest: str | None
) -> str | None:
    """Store the part of `cut` from which channels of `one` are computed in an unlisted row; its id, None if there is
    nothing."""
    store, channel = storage.store, storage.channel
    whole = await store.fill(one)
    named = {name for place in (one.id, *cut) for name in rows.own[place].versions}
    if is_unlisted(one):
        named = {*whole.versions, *(write.channel for write in whole.writes)}
    channels = sorted(
        name for name in named - {conversation_name(channel)} if name not in whole.values and _is_a_channel(name)
    )
    if not channels:
        return None
    chain = [found for found in await store.ancestors(one.key, one.id, channels) if found.id in cut]
    seeds = {}
    for name in channels:
        found = up_to_value(chain, name)
        if found and name in found[-1].values:
            seeds[name] = found[-1].versions[name]
            if name == channel and conversation_name(name) in rows.own[found[-1].id].versions:
                seeds[conversation_name(name)] = seeds[name]
    writes = copied_writes(chain, channels)
    if not seeds and not writes:
        return None
    made = _unlisted(one, rest, _id_before(one.id, rows.own), storage.serde)
    await store.put_checkpoint(replace(made, versions=seeds), {}, head_channel=None, merge=False)
    if writes:
        await store.put_writes(made.key, made.id, writes)
    return made.id


def _is_a_channel(name: str) -> bool:
    """Whether the name may be a DeltaChannel's, and is none that LangGraph uses internally within one step."""
    return not name.startswith(("__", "branch:"))


def _id_before(name: str, taken: Collection[str]) -> str:
    """An unused id older than `name` and newer than its ancestor, if it is a UUID."""
    try:
        number = UUID(name).int if str(UUID(name)) == name else 0
    except ValueError:
        number = 0
    made = f"!{name}"
    while number and (made := str(UUID(int=number - 1))) in taken:
        number -= 1
    return made


def _unlisted(one: Checkpoint, rest: str | None, name: str, serde: SerializerProtocol) -> Checkpoint:
    bare: dict[str, Any] = {"v": 1, "id": name, "ts": "", "versions_seen": {}, "updated_channels": None}
    body = {"checkpoint": bare, "metadata": {"source": "loop", "step": -1, "parents": {}}}
    kind, data = serde.dumps_typed(body)
    return Checkpoint(one.key, name, rest, Plain(f"{UNLISTED}{kind}", data), {})


def head_after_drop(head: Ranges, rows: Rows, gone: Collection[str], parts: Mapping[str, Ranges]) -> Ranges:
    """The conversation after the checkpoints `gone` are deleted.

    It is that of the newest remaining checkpoint, with what others added since. If the newest one stays, it only loses
    messages that the deleted ones alone have. The log keeps everything.
    """
    lost = {seq for name in gone for seq in parts.get(name, ())}
    left = {
        name: parts[name]
        for name, one in rows.own.items()
        if name not in gone and name in parts and not is_unlisted(one)
    }
    if rows.newest not in gone:
        return head.without(lost - {seq for part in left.values() for seq in part})
    newest = Rows({name: one for name, one in rows.own.items() if name not in gone}).newest
    line = rows.line_of(newest)
    base = left.get(newest or "", Ranges())
    aside = {seq for name, part in left.items() if name not in line for seq in part}
    there = {*base, *(lost - (aside - {seq for name in line for seq in left.get(name, ())}))}
    return Ranges.of([*base, *(seq for seq in head if seq not in there)])
