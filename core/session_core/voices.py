"""Two ways to call everything: blocking, which never needs an event loop, and awaiting, which never blocks one."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

from session_core.errors import VoiceError

T = TypeVar("T")


def run_blocking(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which must finish without waiting for an event loop.

    It is sent once: no loop, no thread, so it works inside a running loop (notebooks), after a fork
    and in any thread. Raises: VoiceError when `work` waits for something only a loop can give.
    """
    try:
        work.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    name = getattr(work, "__qualname__", "this call")
    work.close()
    raise VoiceError(
        f"{name} waits for an event loop; call the awaiting voice (await session.a...), or give the "
        "policy a summarizer, embedder or store that blocks"
    )


class _Threaded:
    """Stands for a port whose coroutines block; each call runs in a thread of the loop's executor."""

    def __init__(self, port: object) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._port, name)
        if not inspect.iscoroutinefunction(attribute):
            return attribute

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await asyncio.to_thread(lambda: run_blocking(attribute(*args, **kwargs)))

        return call


def threaded(port: T) -> T:
    """`port` for awaiting callers: the same methods, each run in a thread instead of on the loop."""
    return cast(T, _Threaded(port))
