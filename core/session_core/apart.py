"""How work that keeps a processor busy is run: where the caller is, or, for callers on an event loop, beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")

BUSY_TOKENS = 2_000
"""To look through texts of so many tokens takes some ms: an event loop does not wait for more."""
BUSY_ROWS = 100
"""To read so many stored messages takes as long."""


class Apart(Protocol):
    """Runs work that takes long in the way that suits the voice."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """What `work` gives, which touches nothing that is bound to a thread or a loop."""
        ...


async def inline(work: Callable[[], T], /) -> T:
    """`Apart` of the blocking voice: `work` is done where the caller is."""
    return work()
