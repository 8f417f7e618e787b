"""Translates versions of channels into another checkpointer's way of counting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, Checkpoint, CheckpointTuple

from langchain_session.transfer.checkpoint_place import CheckpointPlace
from session_core.errors import InputError


class VersionTranslator:
    """The checkpoints of one thread, given oldest first, with channel versions that `saver` can increment.

    Savers compare versions as strings or numbers and pad numbers to different widths. Two forks of a thread may use one
    number for two values; here each value has its own version.
    """

    def __init__(self, saver: BaseCheckpointSaver[Any]) -> None:
        first = saver.get_next_version(None, None)
        self._saver = saver
        self._width = len(first.partition(".")[0]) if isinstance(first, str) else 0
        self._told: dict[CheckpointPlace, tuple[ChannelVersions, ChannelVersions]] = {}
        self._stored: set[tuple[str, str, Any]] = set()
        self._numbers: Counter[tuple[str, str]] = Counter()

    def of(self, found: CheckpointTuple, place: CheckpointPlace) -> tuple[Checkpoint, ChannelVersions]:
        """The checkpoint with versions for the saver, and the versions whose values it has to store."""
        versions = found.checkpoint["channel_versions"]
        parent = found.parent_config["configurable"]["checkpoint_id"] if found.parent_config else ""
        before, told_before = self._told.get(CheckpointPlace(parent, place.namespace, place.thread_id), ({}, {}))
        told: ChannelVersions = {
            name: told_before[name] if before.get(name) == version else self._new(version, place, name)
            for name, version in versions.items()
        }
        self._told[place] = versions, told
        seen = {
            node: {name: told[name] if versions.get(name) == one else self._older(one) for name, one in own.items()}
            for node, own in found.checkpoint["versions_seen"].items()
        }
        changed: ChannelVersions = {
            name: version for name, version in told.items() if (place.namespace, name, version) not in self._stored
        }
        self._stored.update((place.namespace, name, version) for name, version in told.items())
        checkpoint = {**found.checkpoint, "channel_versions": told, "versions_seen": seen}
        return cast(Checkpoint, checkpoint), changed

    def with_new_versions(
        self, checkpoint: Checkpoint, values: Mapping[str, Any]
    ) -> tuple[Checkpoint, ChannelVersions]:
        """The checkpoint with other `values` under new versions that trigger no node, and these versions."""
        old = checkpoint["channel_versions"]
        changed: ChannelVersions = {name: self._saver.get_next_version(old.get(name), None) for name in values}
        seen = {
            node: {name: changed.get(name, one) if old.get(name) == one else one for name, one in own.items()}
            for node, own in checkpoint["versions_seen"].items()
        }
        made = {**checkpoint, "channel_values": {**checkpoint["channel_values"], **values}, "versions_seen": seen}
        return cast(Checkpoint, {**made, "channel_versions": {**old, **changed}}), changed

    def _new(self, version: str | int | float, place: CheckpointPlace, channel: str) -> str | int:
        """The version of a value that was first seen in the checkpoint at `place`."""
        if not self._width:
            self._numbers[place.namespace, channel] += 1
            return self._numbers[place.namespace, channel]
        number, rest = _parts(version)
        return f"{number:0{self._width}d}.{rest or place.id}"

    def _older(self, version: str | int | float) -> str | int:
        """A version that a node has seen and that the value no longer has."""
        number, rest = _parts(version)
        text = f"{number:0{self._width}d}"
        return (f"{text}.{rest}" if rest else text) if self._width else 0


def _parts(version: str | int | float) -> tuple[int, str]:
    """The number at the beginning of a version, and its unique suffix if it is a string."""
    number, _, rest = str(version).partition(".")
    if not number.isdecimal():
        raise InputError(
            f"a channel's version {version!r} does not begin with a number, so the "
            "thread cannot be moved; its saver must count versions in numbers"
        )
    return int(number), rest if isinstance(version, str) else ""
