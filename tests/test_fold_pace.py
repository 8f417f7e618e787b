"""How background folds share the interpreter: when one yields, which is next, and that its digest stays the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest
from generated_sessions import conversation
from waiting import until

from session_core import Budget, Message, Policy, Role, Sessions, Tier
from session_core.compress.fold import fold
from session_core.compress.summary import summarize
from session_core.facts import extract, merge
from session_core.folds.pipeline import LOOK_S, PATIENCE_S, PAUSE_S, WORK_S, Pace, Queue
from session_core.ranges import Ranges
from session_core.services import Services
from session_core.turns import Key

POLICY = Policy(Budget(2_000, reply_reserve_tokens=0))
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


def test_folds_that_callers_wait_for_do_not_yield():
    clock = Clock(1.0)
    pace = paced(clock)
    pace.hurried = 1
    pace.give_way()
    assert clock.slept == []
    pace.hurried = 0
    pace.give_way()
    assert clock.slept == [PAUSE_S]


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
