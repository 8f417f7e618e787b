"""Calls a helper that may block forever: in a thread of its own, with a timeout."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from inspect import isawaitable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from session_core.voices import run_blocking

T = TypeVar("T")


def call_with_timeout(work: Callable[[], Awaitable[T] | T], *, wait_s: float) -> T:
    """The result of `work`; its exceptions are raised here. Raises: TimeoutError after `wait_s` seconds.

    A helper with a plain method returns immediately. An abandoned thread runs until its model answers, and does not
    keep the process alive.
    """
    answers: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            made: Any = work()
            answers.put((run_blocking(_awaited(made)) if isawaitable(made) else made, None))
        except BaseException as exc:  # noqa: BLE001 (raised again where it was asked)
            answers.put((None, exc))

    threading.Thread(target=copy_context().run, args=(run,), name="llm-sessions-ask", daemon=True).start()
    try:
        answer, failed = answers.get(timeout=wait_s)
    except Empty:
        raise TimeoutError(f"no answer in {wait_s:g} s") from None
    if failed is not None:
        raise failed
    return answer  # type: ignore[return-value]  # None only when `work` gives it


async def _awaited(made: Awaitable[T]) -> T:
    return await made
