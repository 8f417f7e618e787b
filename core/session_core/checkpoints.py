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
    """A value made of messages: in order, messages, or parts of the record already there.

    `single` says that the value was one message and not a list. A list that was made of a view names
    what it was made of: `base` is the part of the record, `base_version` the channel's version, and
    `hidden` what of it the view showed in no form (what no provider takes, what had no room). What is
    left of the base keeps the base's order, and what was hidden its place, as long as anything of the
    base is left.
    """

    items: tuple[Message | Ranges, ...]
    single: bool = False
    base: Ranges = Ranges()
    base_version: Version | None = None
    hidden: Ranges = Ranges()


@dataclass(frozen=True, slots=True)
class Stored:
    """A message list as it was stored: the part of the record that it is."""

    part: Ranges


@dataclass(frozen=True, slots=True)
class Write:
    """One pending write of a task. The bodies of messages in it are those of the record, stored once."""

    task_id: str
    index: int
    channel: str
    value: Plain | MessageList
    task_path: str = ""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint of a graph, its values apart.

    `versions` names for each channel the version its value was stored under. `values` and `writes`
    are what `fill` found; channels that were empty are absent. `run_id` says which run stored it, where
    the graph tells.
    """

    key: Key
    id: str
    parent_id: str | None
    body: Plain
    versions: Mapping[str, Version]
    values: Mapping[str, Plain | Stored] = field(default_factory=dict)
    writes: tuple[Write, ...] = ()
    run_id: str | None = None
