"""Adds the session's name to the errors of every store call, in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from session_core.errors import StoreError
from session_core.warmup import NOBODY

S = TypeVar("S")
_KEYS: dict[str, Callable[[Any], object]] = {
    "key": lambda key: key,
    "checkpoint": lambda checkpoint: checkpoint.key,
    "lease": lambda lease: lease.key,
}
"""How a call receives its session: the name of its first argument, and how to get the session from it."""


def naming_sessions(store: type[S]) -> type[S]:
    """`store`, with the session's name added to each StoreError of a call on one session.

    The lower layers (wires, error translation) do not know which session a call is about.
    """
    for name, method in inspect.getmembers(store, inspect.iscoroutinefunction):
        first = next(iter([*inspect.signature(method).parameters][1:]), "")
        if first in _KEYS and not name.startswith("_"):
            setattr(store, name, _naming(method, first))
    return store


def _naming(method: Callable[..., Any], first: str) -> Callable[..., Any]:
    @wraps(method)
    async def call(self: object, *args: Any, **named: Any) -> Any:
        try:
            return await method(self, *args, **named)
        except StoreError as exc:
            session = _KEYS[first](args[0] if args else named[first])
            if session is NOBODY:
                # A health check (`Sessions.warm`) is about no real session.
                raise
            raise exc.about(session).with_traceback(exc.__traceback__) from exc.__cause__

    return call
