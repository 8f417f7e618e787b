"""A process looks through sessions for one question at a time, and who has none does not wait for it."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from near_words import QuickWords
from redis_server import RedisServer

from session_core import Budget, Policy, Session, Sessions
from session_core.events import Event, FellBack
from session_core.plan import View
from session_core.recall.quotes import select_quotes
from session_core.runtime.offload import PAUSE_S, SLICE_S, Slices, run_serially

QUESTION = "On which day is the review of project 7?"
BUDGET = Budget(4_000, reply_reserve_tokens=0)


class Turn:
    """Stands for the lock, and knows whether it is held."""

    def __init__(self) -> None:
        self.held = False
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()
        self.held = True

    def __exit__(self, *_: object) -> None:
        self.held = False
        self._lock.release()


class Noting(QuickWords):
    """Notes at each call whether the turn was held."""

    def __init__(self, note: Callable[[], None]) -> None:
        super().__init__()
        self._note = note

    async def packed(self, texts: Sequence[str]) -> list[bytes]:
        self._note()
        return await super().packed(texts)


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """The turn is taken, until this is set."""
    taken, over = threading.Event(), threading.Event()

    def work() -> None:
        taken.set()
        over.wait(30)

    holder = threading.Thread(target=run_serially, args=(work,))
    holder.start()
    taken.wait(30)
    yield over
    over.set()
    holder.join()


def _filled(sessions: Sessions, *, turns: int = 400) -> Session:
    session = sessions.session("s")
    session.append(
        [
            {
                "role": role,
                "content": f"The review of project {turn} is on day {turn % 28 + 1} of May, says {role}. " * 3,
            }
            for turn in range(turns)
            for role in ("user", "assistant")
        ]
    )
    return session


def _ask(session: Session) -> View:
    return session.view(QUESTION)


def _aask(session: Session) -> View:
    async def work() -> View:
        return await session.aview(QUESTION)

    return asyncio.run(work())


@pytest.mark.parametrize("ask", [_ask, _aask], ids=["blocking", "awaiting"])
def test_questions_run_one_at_a_time_per_process(
    plain_redis: RedisServer, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Session], View]
) -> None:
    turn, seen = Turn(), dict[str, set[bool]]()
    monkeypatch.setattr("session_core.runtime.offload._serial_lock", turn)
    monkeypatch.setattr("session_core.searching.READ_WHOLE", 0)

    def noting(module: str, name: str) -> None:
        real = getattr(__import__(module, fromlist=[name]), name)

        def call(*args: Any, **named: Any) -> Any:
            seen.setdefault(name, set()).add(turn.held)
            return real(*args, **named)

        monkeypatch.setattr(f"{module}.{name}", call)

    noting("session_core.searching", "select_quotes")
    noting("session_core.stores.redis.store", "best")
    noting("session_core.stores.redis.store", "_read_found")
    embedder = Noting(lambda: seen.setdefault("packed", set()).add(turn.held))
    policy = Policy(BUDGET, folding="off", embedder=embedder)
    with Sessions(f"{plain_redis.url}?prefix={ask.__name__}", policy=policy) as sessions:
        session = _filled(sessions)
        session.fold()
        view = ask(session)
    assert view.recalled
    assert seen == {"select_quotes": {True}, "best": {True}, "_read_found": {True}, "packed": {False}}


@pytest.mark.parametrize("ask", [_ask, _aask], ids=["blocking", "awaiting"])
def test_a_question_gives_way_while_other_calls_are_in_progress(ask: Callable[[Session], View]) -> None:
    with Sessions(policy=Policy(BUDGET, folding="off")) as sessions:
        session = _filled(sessions)
        alone = ask(session)
        slices = [sessions.services.slices, sessions.aservices.slices]
        assert [one.pauses for one in slices] == [0, 0]
        with sessions.services.calls:
            beside = ask(session)
    assert beside == alone
    assert sum(one.pauses for one in slices) > 1


def test_short_questions_never_sleep_on_an_event_loop() -> None:
    small = Budget(600, reply_reserve_tokens=0)
    with Sessions(policy=Policy(small, folding="off")) as sessions:
        session = _filled(sessions, turns=15)
        slices = sessions.aservices.slices
        slices.clock = itertools.count().__next__
        with sessions.services.calls:
            assert _aask(session).recalled
    assert slices.pauses == 0


def test_slices_end_only_where_somebody_waits() -> None:
    waiting, slept, times = [0], list[float](), iter([0.9 * SLICE_S, SLICE_S, 1.9 * SLICE_S, 2 * SLICE_S, 2 * SLICE_S])
    slices = Slices(lambda: waiting[0], lambda: next(times), slept.append)
    for _ in range(3):
        slices.give_way()
    assert not slept
    waiting[0] = 1
    slices.give_way()
    assert slept == [PAUSE_S]


def test_views_without_a_query_do_not_wait_for_questions(held: threading.Event) -> None:
    with Sessions(policy=Policy(BUDGET, folding="off")) as sessions:
        session, seen = _filled(sessions), list[View]()
        asking = threading.Thread(target=lambda: seen.append(session.view(QUESTION)))
        asking.start()
        assert session.view().messages
        asking.join(0.2)
        assert not seen
        held.set()
        asking.join()
        assert seen[0].recalled


def test_async_views_without_a_query_do_not_wait_for_questions(held: threading.Event) -> None:
    async def work(session: Session) -> View:
        asking = asyncio.create_task(session.aview(QUESTION))
        assert (await session.aview()).messages
        done, _ = await asyncio.wait({asking}, timeout=0.2)
        assert not done
        held.set()
        return await asking

    with Sessions(policy=Policy(BUDGET, folding="off")) as sessions:
        assert asyncio.run(work(_filled(sessions))).recalled


class Hanging(QuickWords):
    """Answers its first call when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs, self.over = threading.Event(), threading.Event()

    async def packed(self, texts: Sequence[str]) -> list[bytes]:
        if not self.hangs.is_set():
            self.hangs.set()
            self.over.wait(30)
        return await super().packed(texts)


@pytest.mark.parametrize("ask", [_ask, _aask], ids=["blocking", "awaiting"])
def test_a_hanging_embedder_blocks_no_other_question(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[Session], View]
) -> None:
    monkeypatch.setattr("session_core.runtime.offload.HELPER_WAIT_S", 0.1)
    embedder, told = Hanging(), list[Event]()
    policy = Policy(BUDGET, folding="off", embedder=embedder)
    with (
        Sessions(policy=policy, on_event=told.append) as hung,
        Sessions(policy=replace(policy, embedder=None)) as other,
    ):
        session = _filled(hung)
        asking = threading.Thread(target=ask, args=(session,))
        asking.start()
        assert embedder.hangs.wait(30)
        try:
            assert ask(_filled(other)).recalled
            assert ask(session).recalled
        finally:
            embedder.over.set()
            asking.join()
    assert [(one.summarizer, one.reason) for one in told if isinstance(one, FellBack)] == [("quick", "TimeoutError")]


def test_folds_do_not_wait_for_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    with Sessions(policy=Policy(BUDGET, folding="off")) as sessions:
        session, calls = _filled(sessions), sessions.services.calls

        def noting(*args: Any, **named: Any) -> Any:
            seen.append(calls.active)
            return select_quotes(*args, **named)

        monkeypatch.setattr("session_core.searching.select_quotes", noting)
        session.view(QUESTION)
        assert (seen, calls.active) == ([0], 0)


def test_a_forked_process_has_its_own_queue(held: threading.Event) -> None:
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        os._exit(run_serially(lambda: 0))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not held.is_set()
