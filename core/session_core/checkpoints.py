"""The stored form of LangGraph checkpoints: checkpoint, values, and pending writes of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from session_core.ranges import Ranges
from session_core.turns import Key, Message

Version = str | int | float
"""A channel's version, as the graph counts it."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A serialized value: `type` names the codec."""

    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class MessageList:
    """A channel's value made of messages: in order, new messages and ranges of those already in the record.

    `single` means that the value was one message, not a list. A list that was derived from a view has a `base`, the
    part of the record that the view was made of, with the channel's `base_version`; `hidden` is the part of it that the
    view did not represent at all (for lack of room, or because no provider accepts it). As long as anything of the base
    remains in the list, the remaining messages keep the base's order, and hidden ones keep their place.
    """

    items: tuple[Message | Ranges, ...]
    single: bool = False
    base: Ranges = Ranges()
    base_version: Version | None = None
    hidden: Ranges = Ranges()


@dataclass(frozen=True, slots=True)
class Stored:
    """A message list in its stored form: a part of the record."""

    part: Ranges


@dataclass(frozen=True, slots=True)
class Write:
    """One pending write of a task. Bodies of messages in it are those of the record, stored once."""

    task_id: str
    index: int
    channel: str
    value: Plain | MessageList
    task_path: str = ""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint of a graph, without its values.

    `versions` has for each channel the version that its value was stored under. `values` and `writes` are filled in by
    `fill`; empty channels are absent. `run_id` is the run that stored it, if the graph names one.
    """

    key: Key
    id: str
    parent_id: str | None
    body: Plain
    versions: Mapping[str, Version]
    values: Mapping[str, Plain | Stored] = field(default_factory=dict)
    writes: tuple[Write, ...] = ()
    run_id: str | None = None
