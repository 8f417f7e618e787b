"""`FoldQueue`: the port of a queue over which processes request folds from workers on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from session_core.turns import Key

PRESENT_S = 30.0
"""Seconds after its last call for which a worker counts as present."""
MOST_ATTEMPTS = 5
"""How often a request is folded at most: a fold that ends its worker each time must not end them all for ever."""
KEPT_S = 86_400.0
"""Seconds for which requests by a policy are kept that neither an application nor a worker has any more."""


@dataclass(frozen=True, slots=True)
class FoldTask:
    """A session that a worker took, to fold it.

    `policy` is what it was requested by, `token` names this taking, `waited_s` is the time since the request, by the
    queue's clock. `attempt` counts from 1; after `MOST_ATTEMPTS` it is to be given up, and not folded.
    """

    key: Key
    policy: str
    token: int
    waited_s: float
    attempt: int


@dataclass(frozen=True, slots=True)
class PolicyQueue:
    """The requests by one policy: how many wait or are at work, the age of the oldest, and who is there.

    `asked_s` is the time since the last request, also of one that was refused for want of workers; None if there was
    none lately.
    """

    policy: str
    workers: int
    waiting: int
    at_work: int
    oldest_s: float
    asked_s: float | None


class FoldQueue(Protocol):
    """Requests of folds: names of sessions and times, never content.

    Requests by each policy (a text of `fold_policy`) are apart from all others: a worker takes only those that it
    folds as their application would. A session is queued once, and at work with one worker at a time. A request is
    kept until its worker has called `done`; if the worker falls silent, another one takes it. All methods raise
    StoreError if the queue is unavailable.
    """

    place: str

    async def ask(self, key: Key, *, policy: str, urgent: bool) -> int | None:
        """Request a fold; urgent ones are taken first. Returns how many sessions wait or are at work by this policy.

        None if no worker with this policy is present: nothing was queued.
        """
        ...

    async def take(self, worker: str, *, policy: str, held_s: float) -> FoldTask | None:
        """The next session; it is held for `held_s` seconds, and longer with `hold`."""
        ...

    async def hold(self, worker: str, tasks: Sequence[FoldTask], *, policy: str, held_s: float) -> list[bool]:
        """Hold `tasks` for `held_s` more seconds; returns for each whether it had not expired."""
        ...

    async def done(self, task: FoldTask) -> bool:
        """Remove the request; False if it had expired, and is another worker's by now."""
        ...

    async def uncount(self, task: FoldTask) -> None:
        """Do not count this attempt, which failed for a reason that is not the session's; it expires as others do."""
        ...

    async def left(self, moment: str = "", *, policy: str) -> tuple[str, int]:
        """A moment, now by default, and how many of the requests up to then are not done."""
        ...

    async def leave(self, worker: str, *, policy: str) -> None:
        """The worker takes no more."""
        ...

    async def policies(self) -> Sequence[PolicyQueue]:
        """The requests by each policy that an application or a worker had lately, in no order."""
        ...

    def awaiting(self) -> Self:
        """The same queue for callers on an event loop; always the same object."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
