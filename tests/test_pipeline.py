"""Folding in the background of a process: when it waits for calls, who waits for it, and when it fails or ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from waiting import until

from session_core import Budget, Message, Policy, Role, Sessions
from session_core.errors import Conflict, StoreBusy
from session_core.events import Folded, FoldFailed
from session_core.folds import pipeline
from session_core.ports import SummaryRequest
from session_core.services import ActiveCalls
from session_core.testing import Heard
from session_core.turns import Key

POLICY = Policy(Budget(2_000, reply_reserve_tokens=0))
OFF = replace(POLICY, folding="off")
MESSAGES = 30


def wish(number: int) -> list[Message]:
    """A turn of about 100 tokens."""
    said = f"the {number}th of my wishes is " + "much the same " * 25
    return [Message(Role.USER, said), Message(Role.ASSISTANT, "noted")]


class Waiting:
    """A summarizer that goes on when it is told to."""

    name = "waiting"

    def __init__(self, go_on: Callable[[], bool]) -> None:
        self._go_on = go_on

    async def summarize(self, request: SummaryRequest) -> str:
        until(self._go_on)
        return ""


def said(number: int) -> Message:
    text = f"My budget for item {number} is {number + 100} euros. Please never call me about order A-{number}77."
    return Message(Role.USER, text, id=f"m{number}", seq=number + 1, tokens=30)


def test_a_busy_process_runs_urgent_folds_only() -> None:
    with Sessions(policy=POLICY) as sessions:
        session = sessions.session("s")
        calls, thread = sessions.services.calls, sessions.pipeline
        with calls:
            while session.stats().pressure < 0.65:
                session.append(wish(1))
            time.sleep(0.2)
            assert (session.stats().digests, thread.waiting) == (0, 1)
            while session.stats().pressure < 0.85:
                session.append(wish(1))
            until(lambda: not thread.waiting)
        assert session.stats().digests == 1


def test_a_fold_that_was_put_off_is_done_when_calls_leave_a_pause() -> None:
    with Sessions(policy=POLICY) as sessions:
        session = sessions.session("s")
        with sessions.services.calls:
            while session.stats().pressure < 0.65:
                session.append(wish(1))
            time.sleep(0.1)
            assert sessions.pipeline.waiting == 1
        until(lambda: not sessions.pipeline.waiting)
        assert session.stats().digests == 1


def test_the_end_of_the_last_call_wakes_a_waiting_fold():
    calls, seen = ActiveCalls(), list[bool]()
    assert calls.wait_until_idle(0)
    with calls:
        assert not calls.wait_until_idle(0)
        waiting = threading.Thread(target=lambda: seen.append(calls.wait_until_idle(30)))
        with calls:
            waiting.start()
            time.sleep(0.05)
        assert (waiting.is_alive(), seen) == (True, [])
    waiting.join(timeout=60)
    assert seen == [True]


def test_views_and_appends_are_calls_under_way_until_they_end_or_fail():
    seen: list[int] = []
    with Sessions(policy=POLICY, on_event=lambda _: seen.append(calls.active)) as sessions:
        calls, session = sessions.services.calls, sessions.session("s")
        session.append(said(0))
        assert (seen, calls.active) == ([1], 0)
        with pytest.raises(Conflict):
            session.append(said(1), expected=7)
        session.view()
        assert calls.active == 0


def test_a_forked_process_counts_its_own_calls():
    calls = ActiveCalls()
    with calls:
        child = os.fork()
        if child == 0:
            os._exit(calls.active)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert calls.active == 1


def test_folds_hurry_while_somebody_drains_them_and_no_longer():
    hurried: list[int] = []
    summarizer = Waiting(lambda: hurried.append(sessions.pipeline.pace.hurried) or hurried[-1] == 1)
    with Sessions(policy=replace(POLICY, summarizer=summarizer)) as sessions:
        session = sessions.session("s")
        session.append([said(number) for number in range(2 * MESSAGES)])
        assert sessions.drain(30)
        assert hurried[-1] == 1
        assert sessions.pipeline.pace.hurried == 0


def test_a_fold_requested_while_another_one_is_made_is_answered_by_it():
    summarizer = Waiting(lambda: bool(sessions.pipeline.ask(Key("s"))) or True)
    with Sessions(policy=replace(POLICY, summarizer=summarizer), on_event=(told := []).append) as sessions:
        sessions.session("s").append([said(number) for number in range(2 * MESSAGES)])
        assert sessions.drain(30)
    assert [event.number for event in told if isinstance(event, Folded)] == [1]


def test_a_view_that_would_fold_activates_the_ready_digest(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    with Sessions(url, policy=OFF) as sessions, Sessions(url, policy=OFF) as others:
        session = sessions.session("s")
        for number in range(MESSAGES):
            session.append(wish(number))
        own = session.view()
        made = session.fold()
        assert own.digest is not None
        assert made is not None
        assert (own.digest.number, made.number) == (0, 1)
        # Here the view's own digest is remembered, and within a turn nothing changes; in another process it is not.
        assert session.view() == own
        seen = others.session("s").view()
        assert seen.digest == made
        assert seen.version > own.version
        assert session.view() == seen
        session.append(wish(MESSAGES)[0])
        assert session.view().messages[: len(seen.messages)] == seen.messages


def test_a_view_whose_store_takes_no_writes_folds_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuses(*_: object) -> None:
        raise StoreBusy("no writes now")

    url = f"sqlite:///{tmp_path}/s.db"
    with Sessions(url, policy=OFF) as sessions, Sessions(url, policy=OFF) as others:
        session = sessions.session("s")
        for number in range(MESSAGES):
            session.append(wish(number))
        own = session.view()
        assert session.fold() is not None
        monkeypatch.setattr(others.store, "mark", refuses)
        assert others.session("s").view().messages == own.messages


def test_a_digest_that_waits_is_left_to_the_next_turn_while_there_is_room() -> None:
    with Sessions("memory://", policy=OFF) as sessions:
        session = sessions.session("s")
        for number in range(13):
            session.append(wish(number))
        before = session.view()
        assert before.digest is None
        assert session.fold() is not None
        assert session.view().messages == before.messages


def test_an_append_succeeds_where_no_thread_can_begin_and_the_next_one_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As at the exit of the interpreter from Python 3.12 on, or in a process with as many threads as it may have."""

    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    told, turns = Heard(), [[Message(Role.USER, f"{number} " + "why so? " * 60)] for number in range(20)]
    with Sessions(policy=POLICY, observers=[told]) as sessions:
        session = sessions.session("s")
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", no_more)
            session.append([message for turn in turns[:-1] for message in turn])
            assert sessions.drain(0.0)
        (failed,) = [event for event in told if isinstance(event, FoldFailed)]
        assert failed.reason == "RuntimeError"
        session.append(turns[-1])
        assert sessions.drain()
        assert session.stats().digests == 1


def test_a_close_does_not_wait_for_a_model_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "CLOSE_WAITS_S", 0.0, raising=False)
    asked, closed = threading.Event(), threading.Event()
    seen: list[bool] = []

    class Hanging:
        name = "hanging"

        async def summarize(self, request: SummaryRequest) -> str:
            asked.set()
            seen.append(closed.wait(20))
            return ""

    sessions = Sessions(policy=replace(POLICY, summarizer=Hanging()))
    sessions.session("s").append([one for number in range(MESSAGES) for one in wish(number)])
    assert asked.wait(60)
    sessions.close()
    closed.set()
    until(lambda: bool(seen))
    assert seen == [True]
