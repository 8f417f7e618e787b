"""Tells when a LangGraph run is over, however it ends."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack

_ENTERED = ("__enter__", "__aenter__")
"""The methods in which a run reads its first checkpoint."""


def at_end_of_run(tell: Callable[[], object]) -> None:
    """Have `tell` called after all that the run does that reads its first checkpoint, somewhere up the stack of calls.

    LangGraph enters what has to end with the run into one stack of exits, and begins after this read. What is in it
    first is called last, also after Ctrl-C, the step limit and a cancellation, even if somebody holds the error. A
    release of LangGraph without such a stack tells nothing.
    """
    frame = inspect.currentframe()
    while frame is not None:
        if frame.f_code.co_name in _ENTERED:
            exits = getattr(frame.f_locals.get("self"), "stack", None)
            if isinstance(exits, (ExitStack, AsyncExitStack)):
                exits.callback(tell)
                return
        frame = frame.f_back
