"""Processes that append pairs of messages to one session at the same time, and what must be left of it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from threading import Barrier

from session_core.stores.open import open_store
from session_core.testing import KEY, message
from session_core.turns import Message, Role
from session_core.voices import run_blocking

WRITERS, PAIRS = 4, 25
STARTS_IN_S = 60.0


def pair(first: int) -> list[Message]:
    """Two messages that belong together."""
    return [message(first), message(first + 1, Role.ASSISTANT)]


def whole_pairs(record: Sequence[Message]) -> int:
    """How many pairs a record has; none may be split, and none may stand twice."""
    numbers = [int(m.id[1:]) for m in record]
    assert [m.seq for m in record] == list(range(1, len(record) + 1))
    assert len(numbers) == len(set(numbers))
    assert all(first + 1 == second for first, second in zip(numbers[::2], numbers[1::2], strict=True))
    return len(numbers) // 2


def check_processes(url: str) -> None:
    """WRITERS processes open the store at the same moment, and lose, split and double nothing."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(WRITERS)
    writers = [context.Process(target=_write_pairs, args=(url, number, start)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    store = open_store(url)
    state = run_blocking(store.state(KEY))
    assert whole_pairs(run_blocking(store.record(KEY))) == WRITERS * PAIRS
    assert state is not None
    assert list(state.head) == list(range(1, WRITERS * PAIRS * 2 + 1))
    run_blocking(store.close())


def _write_pairs(url: str, writer: int, start: Barrier) -> None:
    start.wait(STARTS_IN_S)
    store = open_store(url)
    for number in range(PAIRS):
        run_blocking(store.append(KEY, pair(writer * 10_000 + number * 2)))
    run_blocking(store.close())
