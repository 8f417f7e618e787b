"""Tells when a LangGraph run is over, however it ends."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, ExitStack
from typing import Any
from weakref import ref

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
                if isinstance(exits, AsyncExitStack):
                    _tell_if_never_left(exits, tell)
                return
        frame = frame.f_back


def _tell_if_never_left(exits: AsyncExitStack[bool | None], tell: Callable[[], object]) -> None:
    """LangGraph leaves its stack in a task of its own. A cancelled scope of anyio cancels that before it has begun, so
    that nothing in the stack is called."""
    stack = ref(exits)

    def leave(*raised: Any) -> _Leaving:
        # Only what is in the stack may call this.
        entered = stack()
        assert entered is not None
        return _Leaving(AsyncExitStack.__aexit__(entered, *raised), tell)

    exits.__aexit__ = leave  # type: ignore[method-assign]  # LangGraph calls it by its name


class _Leaving(Coroutine[Any, Any, bool | None]):
    """`leaving`, with a call of `tell` if it is ended before it has begun."""

    def __init__(self, leaving: Coroutine[Any, Any, bool | None], tell: Callable[[], object]) -> None:
        self._leaving = leaving
        self._tell: Callable[[], object] | None = tell

    def send(self, value: Any) -> Any:
        self._tell = None
        return self._leaving.send(value)

    def throw(self, *raised: Any) -> Any:
        self._tell_once()
        return self._leaving.throw(*raised)

    def close(self) -> None:
        self._tell_once()
        self._leaving.close()

    def __await__(self) -> Any:
        return self._leaving.__await__()

    def _tell_once(self) -> None:
        tell, self._tell = self._tell, None
        if tell is not None:
            tell()
