"""Clocks go back, and those of two writers differ by a day: order is by sequence, nothing turns negative."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from fault_tools import KINDS, Places

from session_core import Budget, Policy, Sessions
from session_core.cli.command import main
from session_core.events import Event, Resumed
from session_core.ports import SessionStore
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, Heard, check_valid, message
from session_core.turns import Key
from session_core.voices import run_blocking

HOUR_S, DAY_S = 3_600.0, 86_400.0
POLICY = Policy(Budget(1_200, reply_reserve_tokens=0), folding="inline")


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, places: Places, tmp_path: Path) -> Iterator[SessionStore]:
    with places.store(request.param, tmp_path) as made:
        yield made


class Clock:
    """A clock that tests set."""

    def __init__(self, now_s: float = 1_700_000_000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        self.now_s += 1.0
        return self.now_s


def seconds_in(events: list[Event]) -> list[float]:
    """All durations that events told."""
    named = ("seconds", "lag_s", "absent_s")
    return [getattr(event, name) for event in events for name in named if hasattr(event, name)]


def test_a_clock_that_goes_back_between_turns_and_within_them_changes_no_order(store: SessionStore) -> None:
    clock, heard = Clock(), Heard()
    with Sessions(store, policy=POLICY, clock=clock, observers=[heard]) as sessions:
        session = sessions.session("s")
        for turn in range(30):
            session.append({"role": "user", "content": f"question {turn} " + "with more words " * 10})
            if turn % 4 == 1:
                clock.now_s -= HOUR_S
            within = session.view()
            session.append({"role": "assistant", "content": f"answer {turn}"})
            if turn % 4 == 3:
                clock.now_s -= HOUR_S
            assert check_valid(within.messages) == []
            assert within.messages[-1].content.startswith(f"question {turn} ")
        record = session.record()
        stats = session.stats()
        state = run_blocking(store.state(session.key))
    assert [m.content.partition(" with")[0] for m in record] == [
        f"{word} {turn}" for turn in range(30) for word in ("question", "answer")
    ]
    assert any(later.time_s < earlier.time_s for earlier, later in pairwise(record))
    assert [m.seq for m in record] == list(range(1, 61))
    assert state is not None
    assert state.absent_s == 0.0
    assert state.ready.number > 1
    assert stats.messages == 60
    assert min(stats.tokens, stats.standing_tokens, stats.lag_messages, stats.folded_messages) >= 0
    assert not [event for event in heard if isinstance(event, Resumed)]
    assert min(seconds_in(heard)) >= 0.0


def test_an_absence_is_noticed_though_the_clock_went_back_before(store: SessionStore) -> None:
    clock, heard = Clock(), Heard()
    with Sessions(store, clock=clock, observers=[heard]) as sessions:
        session = sessions.session("s")
        session.append([{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}])
        clock.now_s -= HOUR_S
        session.append([{"role": "user", "content": "and?"}, {"role": "assistant", "content": "well"}])
        session.view()
        assert not [event for event in heard if isinstance(event, Resumed)]
        clock.now_s += 9 * DAY_S
        session.append({"role": "user", "content": "I am back"})
        first, again = session.view(), session.view()
    absent = [event.absent_s for event in heard if isinstance(event, Resumed)]
    assert len(absent) == 1
    assert 9 * DAY_S - 2 * HOUR_S < absent[0] < 9 * DAY_S
    assert first.messages == again.messages


def test_two_writers_whose_clocks_differ_by_a_day_are_ordered_by_sequence_and_absent_once_at_most(
    store: SessionStore,
) -> None:
    early, late, heard = Clock(), Clock(1_700_000_000.0 + DAY_S), Heard()
    with (
        Sessions(store, clock=early, observers=[heard]) as one,
        Sessions(store, clock=late, observers=[heard]) as other,
    ):
        for turn in range(10):
            session = (one, other)[turn % 2].session("s")
            session.append({"role": "user", "content": f"question {turn}"})
            session.view()
            session.append({"role": "assistant", "content": f"answer {turn}"})
        record = session.record()
        assert [m.content for m in record[::2]] == [f"question {turn}" for turn in range(10)]
        assert session.view().messages == one.session("s").view().messages
    absences = [event.absent_s for event in heard if isinstance(event, Resumed)]
    assert len(absences) <= 1
    assert all(DAY_S - 60.0 < absent < DAY_S + 60.0 for absent in absences)


def test_sessions_are_listed_whatever_their_times(store: SessionStore) -> None:
    times = {"now": 1_700_000_000.0, "before": 1_699_990_000.0, "of another century": 4e12, "old": -1e9}
    for name, time_s in times.items():
        with Sessions(store, clock=lambda: time_s) as sessions:  # noqa: B023
            sessions.session(name).append({"role": "user", "content": "hello"})
    with Sessions(store) as sessions:
        assert [state.key.session_id for state in sessions.list()] == ["of another century", "now", "before", "old"]


def test_the_command_line_shows_times_that_no_calendar_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    with Sessions(url) as sessions:
        # Milliseconds, as JavaScript counts them.
        sessions.session("s").append({"role": "user", "content": "hello", "timestamp": 1_700_000_000_000})
    assert main(["list", "--url", url]) == 0
    assert main(["show", "s", "--url", url]) == 0
    assert "1.7e+12 s" in capsys.readouterr().out


def test_the_time_to_live_in_redis_goes_by_the_server_and_not_by_this_clock(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RedisStore(f"{places.redis_url()}?ttl_s=600")
    real = time.time
    for shift_s in (0.0, -DAY_S, DAY_S):
        monkeypatch.setattr(time, "time", lambda shift_s=shift_s: real() + shift_s)
        run_blocking(store.append(KEY, [message(round(shift_s))]))
        run_blocking(store.append(Key(f"{shift_s}", KEY.tenant), [message(1)]))
        assert run_blocking(store.purge(60.0)) == ()
        assert len(run_blocking(store.load(KEY)).messages) > 0
    assert len(run_blocking(store.sessions())) == 4
    with places.redis.client() as client:
        assert all(0 < client.pttl(key) <= 1_200_000 for key in client.scan_iter())
    run_blocking(store.close())
