"""Folding in the background: it gives way to the calls that somebody waits for, in proportion to who waits for it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from generated_sessions import conversation

from session_core import Budget, Message, Policy, Role, Sessions, Tier, pipeline
from session_core.compress.fold import fold
from session_core.compress.summary import summarize
from session_core.errors import Conflict, StoreBusy
from session_core.events import Folded, FoldFailed
from session_core.facts import extract, merge
from session_core.pipeline import LOOK_S, PATIENCE_S, PAUSE_S, WORK_S, Pace, Queue
from session_core.ports import SummaryRequest
from session_core.ranges import Ranges
from session_core.services import ActiveCalls, Services
from session_core.testing import Heard
from session_core.turns import Key

POLICY = Policy(Budget(2_000, reply_reserve_tokens=0))
OFF = replace(POLICY, folding="off")
MESSAGES = 30
A, B = Key("a"), Key("b")


class Clock:
    """Seconds that pass with each look, and with each wait, which it keeps."""

    def __init__(self, step_s: float, began_s: float = 0.0) -> None:
        self._looks = count(1)
        self._step_s = step_s
        self._passed_s = began_s
        self.slept: list[float] = []
        self.waited: list[float] = []

    def now(self) -> float:
        return next(self._looks) * self._step_s + self._passed_s

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def wait(self, seconds: float) -> bool:
        """A wait for a moment without calls that brings none."""
        self.waited.append(seconds)
        self._passed_s += seconds
        return False


def paced(clock: Clock, pressed: int = 1, quiet: Callable[[float], bool] = lambda _: True) -> Pace:
    return Pace(lambda: pressed, quiet, clock=clock.now, sleep=clock.sleep)


def wish(number: int) -> list[Message]:
    """A turn of about 100 tokens."""
    said = f"the {number}th of my wishes is " + "much the same " * 25
    return [Message(Role.USER, said), Message(Role.ASSISTANT, "noted")]


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.001)


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


def test_a_fold_yields_after_its_time_slice():
    clock = Clock(WORK_S * 0.26)
    pace = paced(clock)
    for _ in range(400):
        pace.give_way()
    assert pace.pauses == len(clock.slept) == 100
    assert set(clock.slept) == {PAUSE_S}


def test_urgent_folds_lengthen_the_time_slice_up_to_a_limit():
    pauses = {}
    for pressed in (0, 1, 2, 4, 100):
        pace = paced(Clock(WORK_S * 0.26), pressed)
        for _ in range(1_600):
            pace.give_way()
        pauses[pressed] = pace.pauses
    assert pauses == {0: 400, 1: 400, 2: 200, 4: 100, 100: 100}


def test_a_fold_that_can_be_put_off_waits_for_a_moment_without_calls_and_no_longer():
    clock = Clock(WORK_S)
    pace = paced(clock, 0, quiet=lambda seconds: clock.wait(seconds) or len(clock.waited) == 1_000)
    pace.give_way()
    assert (clock.slept, clock.waited, pace.pauses) == ([PAUSE_S] * 1_000, [LOOK_S] * 1_000, 1)


def test_urgent_folds_wait_shorter_for_calls_in_progress():
    for pressed in (1, 2, 4):
        clock = Clock(2**-20, began_s=1)
        paced(clock, pressed, quiet=clock.wait).give_way()
        assert sum(clock.waited) == pytest.approx(PATIENCE_S / pressed, abs=1e-4)


def test_a_fold_that_becomes_urgent_stops_waiting():
    clock = Clock(WORK_S)
    pace = Pace(lambda: len(clock.waited) >= 40, clock.wait, clock=clock.now, sleep=clock.sleep)
    pace.give_way()
    assert clock.waited == [LOOK_S] * 40


def test_a_queue_puts_off_the_folds_of_sessions_with_room_while_calls_leave_no_pause():
    queue = Queue(put_off_s=10)
    queue.add(A, 1, Tier.SUMMARIZE)
    queue.add(B, 2, Tier.SUMMARIZE)
    assert (queue.take(3, quiet=False), queue.urgent_folds(3), len(queue)) == (None, 0, 2)
    assert queue.take(3, quiet=True) == (A, 1)
    assert (queue.at_work, queue.urgent_folds(3), len(queue)) == (A, 0, 2)


def test_a_queue_tells_the_age_of_its_oldest_request_until_it_is_done():
    queue = Queue()
    assert queue.oldest_s(50.0) == 0
    queue.add(Key("a"), 10.0, Tier.FACTS)
    queue.add(Key("b"), 20.0, Tier.FACTS)
    queue.take(30.0, quiet=True)
    assert queue.oldest_s(50.0) == 40
    queue.at_work = None
    assert queue.oldest_s(50.0) == 30


def test_a_queue_postpones_folds_up_to_its_limit():
    queue = Queue(put_off_s=10)
    queue.add(A, 1, Tier.SUMMARIZE)
    queue.add(B, 2, Tier.SUMMARIZE)
    queue.add(A, 9, Tier.SUMMARIZE)
    assert (queue.take(10.5, quiet=False), queue.urgent_folds(11), queue.urgent_folds(12)) == (None, 1, 2)
    assert queue.take(12, quiet=False) == (A, 1)
    assert queue.urgent_folds(12) == 2
    queue.at_work = None
    assert queue.urgent_folds(12) == 1


def test_a_fold_in_progress_becomes_urgent_after_its_limit():
    queue = Queue(put_off_s=10)
    queue.add(A, 1, Tier.SUMMARIZE)
    queue.take(2, quiet=True)
    assert (queue.urgent_folds(10), queue.urgent_folds(11)) == (0, 1)


def test_a_session_over_the_facts_threshold_is_folded_before_those_that_have_room():
    queue = Queue(put_off_s=10)
    queue.add(A, 1, Tier.SUMMARIZE)
    queue.add(B, 2, Tier.SUMMARIZE)
    queue.add(B, 3, Tier.FACTS)
    assert queue.urgent_folds(3) == 1
    assert queue.take(3, quiet=False) == (B, 2)
    assert (queue.urgent_folds(3), len(queue)) == (1, 2)
    assert queue.take(3, quiet=False) is None


def test_a_session_that_asks_while_it_is_folded_is_counted_once_and_folded_again():
    queue = Queue(put_off_s=10)
    queue.add(A, 1, Tier.NOTIFY)
    queue.take(1, quiet=False)
    queue.add(A, 2, Tier.SUMMARIZE)
    assert len(queue) == 1
    queue.at_work = None
    assert (queue.urgent_folds(2), queue.take(2, quiet=True)) == (0, (A, 2))


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


def test_folds_that_callers_wait_for_do_not_yield():
    clock = Clock(1.0)
    pace = paced(clock)
    pace.hurried = 1
    pace.give_way()
    assert clock.slept == []
    pace.hurried = 0
    pace.give_way()
    assert clock.slept == [PAUSE_S]


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


def test_a_fold_gives_way_after_each_message_each_fact_and_each_line():
    services = Services(POLICY)
    messages = [services.prepare(said(number)) for number in range(MESSAGES)]
    facts = extract(messages)
    assert len(facts) >= MESSAGES
    ways: dict[str, list[None]] = {name: [] for name in ("extract", "merge", "summarize", "fold")}
    extract(messages, give_way=lambda: ways["extract"].append(None))
    merge((), facts, give_way=lambda: ways["merge"].append(None))
    count_tokens = services.counter.count
    summarize("", messages, max_tokens=300, count=count_tokens, give_way=lambda: ways["summarize"].append(None))
    tools = replace(services.plan_context, give_way=lambda: ways["fold"].append(None))
    fold(None, messages, Ranges.span(1, MESSAGES), context=tools)
    assert len(ways["extract"]) == MESSAGES
    assert len(ways["merge"]) == len(facts)
    assert len(ways["summarize"]) >= 2 * MESSAGES
    assert len(ways["fold"]) >= len(ways["extract"]) + len(ways["merge"]) + len(ways["summarize"])


def test_yielding_does_not_change_the_digest():
    for seed in range(12):
        services = Services(POLICY, clock=lambda: 0.0)
        given = [services.prepare(replace(m, id=f"m{n}", seq=n)) for n, m in enumerate(conversation(seed), 1)]
        covers = Ranges.span(1, len(given))
        pace = paced(Clock(1.0))
        digest = fold(None, given, covers, context=replace(services.plan_context, give_way=pace.give_way))
        assert pace.pauses >= len([m for m in given if m.role is not Role.SYSTEM])
        assert digest == fold(None, given, covers, context=services.plan_context)


def test_folds_in_the_background_give_way_and_those_that_a_caller_waits_for_do_not():
    for folding in ("background", "inline"):
        clock = Clock(1.0)
        with Sessions(policy=replace(POLICY, folding=folding)) as sessions:
            sessions.pipeline.pace.clock, sessions.pipeline.pace.sleep = clock.now, clock.sleep
            session = sessions.session("s")
            for number in range(0, 4 * MESSAGES, 2):
                session.append([said(number), said(number + 1)])
                until(lambda: not sessions.pipeline.waiting)
            folded = session.stats().folded_messages
            assert folded >= MESSAGES
            assert (sessions.pipeline.pace.pauses >= folded) is (folding == "background")


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
