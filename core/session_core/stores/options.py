"""The keyword arguments of store calls, for stores that pass them on to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from session_core.ports import Lease
from session_core.ranges import Ranges


class AppendOptions(TypedDict, total=False):
    """Those of `append`."""

    expected: int | None
    revise: bool
    strict: bool
    lease: Lease | None


class CheckpointOptions(TypedDict):
    """Those of `put_checkpoint`."""

    head_channel: str | None
    merge: bool
    lease: NotRequired[Lease | None]
    follows: NotRequired[bool]
    born: NotRequired[str | None]


class DropOptions(TypedDict, total=False):
    """Those of `drop_checkpoints`."""

    parents: Mapping[str, str | None] | None
    head: Ranges | None
    expected: int | None
