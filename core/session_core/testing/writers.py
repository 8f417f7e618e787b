"""Promises of a store about concurrent writers; each promise is passed a way to run them, in threads or on a loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

from session_core.errors import Conflict
from session_core.ports import Appended, SessionStore
from session_core.testing.fakes import KEY, message
from session_core.turns import Message, Role
from session_core.voices import run_blocking

Work = Callable[[], Coroutine[Any, Any, object]]
Together = Callable[[Sequence[Work]], Awaitable[Sequence[object]]]
"""Runs all at once and gives what each comes to; an error stands for what raised it."""
WriterPromise = Callable[[SessionStore, Together], Awaitable[None]]
WRITERS, TURNS, ROUNDS = 6, 8, 5


async def in_threads(works: Sequence[Work]) -> Sequence[object]:
    """`Together` for a store that blocks: `run_blocking(promise(store, in_threads))`."""
    start = Barrier(len(works))

    def run(work: Work) -> object:
        start.wait()
        return run_blocking(work())

    with ThreadPoolExecutor(len(works)) as pool:
        futures = [pool.submit(run, work) for work in works]
        return [future.exception() or future.result() for future in futures]


async def keeps_whole_turns_of_many_writers(store: SessionStore, together: Together) -> None:
    """Of turns that many writers append to one session none is lost, doubled or split, and each writer's stay in
    order."""

    async def write(writer: int) -> list[tuple[int, ...]]:
        turns = [_turn(writer * 1_000 + place * 3) for place in range(TURNS)]
        return [(await store.append(KEY, turn)).seqs for turn in turns]

    told = await together([partial(write, writer) for writer in range(WRITERS)])
    numbers = [int(m.id[1:]) for m in await store.record(KEY)]
    assert len(numbers) == len(set(numbers)) == WRITERS * TURNS * 3, "a message is lost or there twice"
    turns = [numbers[place : place + 3] for place in range(0, len(numbers), 3)]
    assert all(turn == [turn[0], turn[0] + 1, turn[0] + 2] for turn in turns), "a turn is split or in another order"
    for writer in range(WRITERS):
        mine = [turn[0] for turn in turns if turn[0] // 1_000 == writer]
        assert mine == sorted(mine), "a writer's turns are out of order"
        seqs = told[writer]
        assert isinstance(seqs, list), seqs
        first = writer * 1_000
        assert [numbers[seq - 1] for turn in seqs for seq in turn] == [*range(first, first + TURNS * 3)]
    loaded = await store.load(KEY)
    assert [m.seq for m in loaded.messages] == [*range(1, len(numbers) + 1)]
    assert loaded.state.ledger.messages == len(numbers)


async def lets_one_of_many_take_a_version(store: SessionStore, together: Together) -> None:
    """Of writers that expect the same version exactly one succeeds; the others get Conflict."""
    for place in range(ROUNDS):
        state = await store.state(KEY)
        version = state.version if state else 0
        batches = [[message(place * 100 + writer)] for writer in range(WRITERS)]
        told = await together([partial(store.append, KEY, batch, expected=version) for batch in batches])
        assert sum(isinstance(one, Appended) for one in told) == 1, told
        assert sum(isinstance(one, Conflict) for one in told) == WRITERS - 1, told
    assert len(await store.record(KEY)) == ROUNDS


async def stores_once_what_many_append(store: SessionStore, together: Together) -> None:
    """Messages that many writers append at the same time are stored once, and every writer gets their numbers."""
    batches = [[message(place * 2), message(place * 2 + 1)] for place in range(ROUNDS)]
    for batch in batches:
        told = await together([partial(store.append, KEY, batch)] * WRITERS)
        done = [one for one in told if isinstance(one, Appended)]
        assert len(done) == WRITERS, told
        assert sum(one.new for one in done) == 2
        assert len({one.seqs for one in done}) == 1
    assert [m.id for m in await store.record(KEY)] == [f"m{number}" for number in range(ROUNDS * 2)]


async def gives_one_of_many_the_turn(store: SessionStore, together: Together) -> None:
    """Of holders that request a turn at the same time exactly one gets it."""
    told = await together(
        [partial(store.take_lease, KEY, holder=f"holder {number}", ttl_s=600.0) for number in range(WRITERS)]
    )
    assert not [one for one in told if isinstance(one, BaseException)], told
    assert sum(one is not None for one in told) == 1, told


def _turn(first: int) -> list[Message]:
    return [message(first), message(first + 1, Role.ASSISTANT), message(first + 2, Role.ASSISTANT)]


WRITER_PROMISES: tuple[WriterPromise, ...] = (
    keeps_whole_turns_of_many_writers,
    lets_one_of_many_take_a_version,
    stores_once_what_many_append,
    gives_one_of_many_the_turn,
)
