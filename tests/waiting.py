"""Waits for what comes by itself, in other threads, processes or servers."""

from __future__ import annotations

import time
from collections.abc import Callable

LONG_S = 60
"""A machine that is busy is no fault; only what never comes is."""


def until(holds: Callable[[], object]) -> None:
    """Return when it holds."""
    end = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)
