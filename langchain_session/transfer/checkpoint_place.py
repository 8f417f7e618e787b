"""The position of a checkpoint: thread, namespace and id."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class CheckpointPlace:
    """The position of a checkpoint, ordered by creation. Without an id: the newest one."""

    id: str
    namespace: str
    thread_id: str

    @property
    def newest(self) -> CheckpointPlace:
        """The newest checkpoint of the same thread and namespace."""
        return CheckpointPlace("", self.namespace, self.thread_id)
