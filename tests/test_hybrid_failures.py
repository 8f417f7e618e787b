"""A hybrid store when a side fails, a process dies or writes meet: it loses nothing and shows nothing old."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hot_sides import Clock, Died, agrees, calls, hybrid

from session_core.errors import StoreBusy, StoreError, StoreLost
from session_core.ports import Marks
from session_core.stores.cache import WRITING_S
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking


def die():
    raise Died


def test_a_dead_hot_side_costs_one_call_in_its_time(sides, monkeypatch):
    clock = Clock()
    store = hybrid(sides, retry_after_s=5.0)
    store._hot._breaker._clock = clock
    sides[0].failure = TimeoutError("no answer")
    for n in range(1, 20):
        run_blocking(store.append(KEY, [message(n)]))
        assert len(run_blocking(store.load(KEY)).messages) == n
    assert sum(sides[0].called.values()) == 1
    clock.now_s = 6.0
    run_blocking(store.load(KEY))
    run_blocking(store.load(KEY))
    assert sum(sides[0].called.values()) == 2


def test_a_dead_hot_side_is_told_and_so_is_its_return(sides):
    told = []
    store = hybrid(sides, retry_after_s=0.0, on_degraded=told.append)
    assert store.degraded is None
    sides[0].failure = StoreError("no answer")
    run_blocking(store.append(KEY, [message(1)]))
    assert store.degraded == "hot: StoreError: no answer"
    sides[0].failure = None
    run_blocking(store.load(KEY))
    assert store.degraded is None
    assert told == ["hot: StoreError: no answer", None]


def test_what_was_written_while_the_hot_side_was_away_is_repaired_when_it_is_back(sides):
    store = hybrid(sides, retry_after_s=0.0)
    for session in ("one", "two"):
        run_blocking(store.append(Key(session), [message(1)]))
        run_blocking(store.load(Key(session)))
    sides[0].failure = StoreError("no answer")
    for session in ("one", "two"):
        run_blocking(store.append(Key(session), [message(2)]))
    sides[0].failure = None
    assert agrees(store, Key("one"))
    other = hybrid(sides)
    assert agrees(other, Key("two"))


def test_a_hot_side_that_comes_back_in_mid_write_shows_nothing_old(sides):
    store, other = hybrid(sides, retry_after_s=0.0), hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    sides[0].failure = StoreError("no answer")

    def back():
        sides[0].failure = None
        run_blocking(store.load(KEY))
        run_blocking(other.load(KEY))

    sides[1].before["append"] = back
    run_blocking(store.append(KEY, [message(2)]))
    assert agrees(store)
    assert agrees(other)


def test_a_hot_side_that_dies_after_the_write_shows_nothing_old(sides):
    store = hybrid(sides, retry_after_s=0.0)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))

    def fail():
        sides[0].failure = StoreError("no answer")

    sides[1].after["append"] = fail
    run_blocking(store.append(KEY, [message(2)]))
    sides[0].failure = None
    assert agrees(store)
    assert agrees(hybrid(sides))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_hot_side_that_forgets_in_mid_write_is_filled_again(sides, hot, when):
    store, other = hybrid(sides), hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))

    def forget():
        hot.forget()
        run_blocking(other.load(KEY))

    getattr(sides[1], when)["append"] = forget
    run_blocking(store.append(KEY, [message(2)]))
    assert agrees(store)
    assert agrees(other)


def test_writes_past_the_hot_side_are_seen_at_the_next_write(sides):
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    run_blocking(sides[1].port.append(KEY, [message(2)]))
    assert store.drifts == 0
    run_blocking(store.append(KEY, [message(3)]))
    assert store.drifts == store.awaiting().drifts == 1
    assert agrees(store)
    run_blocking(store.append(KEY, [message(4)]))
    assert agrees(store)
    assert store.drifts == 1


@pytest.mark.parametrize("write", ["append", "mark"])
def test_a_session_begun_again_past_the_hot_side_is_seen_at_the_next_write(sides, write):
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    run_blocking(sides[1].port.delete(KEY))
    run_blocking(sides[1].port.append(KEY, [replace(message(1), id="another")]))
    run_blocking(store.append(KEY, [message(3)]) if write == "append" else store.mark(KEY, Marks(tier=1)))
    assert agrees(store)
    assert store.drifts == 1


def test_a_verifying_store_sees_writes_past_the_hot_side_at_once(sides):
    store = hybrid(sides, verify=True)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    run_blocking(sides[1].port.append(KEY, [message(2)]))
    assert len(run_blocking(store.load(KEY)).messages) == 2
    sides[1].called.clear()
    run_blocking(store.load(KEY))
    assert sides[1].called == Counter(state=1)


def test_what_another_release_left_in_the_hot_side_is_a_miss_and_replaced(sides, hot):
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    hot.spoil_heads()
    assert len(run_blocking(store.load(KEY)).messages) == 1
    calls(sides)
    assert len(run_blocking(store.load(KEY)).messages) == 1
    assert calls(sides) == (Counter(look=1), Counter())
    hot.spoil_heads()
    run_blocking(store.append(KEY, [message(2)]))
    assert agrees(store)


def test_a_hot_side_that_dies_in_mid_delete_shows_nothing_deleted_when_the_durable_side_is_dead_too(sides):
    store = hybrid(sides, retry_after_s=0.0)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))

    def fail():
        sides[0].failure = StoreError("no answer")

    sides[1].after["delete"] = fail
    run_blocking(store.delete(KEY))
    sides[0].failure, sides[1].failure = None, StoreError("connection refused")
    with pytest.raises(StoreError):
        run_blocking(store.load(KEY))


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_purge_that_breaks_off_leaves_nothing_of_what_it_deleted_in_the_hot_side(sides, when):
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    while KEY not in run_blocking(store.idle(0.0)):
        pass

    def broken():
        raise StoreLost("connection reset")

    getattr(sides[1], when)["purge"] = broken
    with pytest.raises(StoreLost):
        run_blocking(store.purge(0.0))
    assert len(run_blocking(store.load(KEY)).messages) == (1 if when == "before" else 0)
    assert agrees(store)


def test_nothing_of_a_session_is_served_from_the_hot_side_while_a_purge_deletes_it(sides):
    store, served = hybrid(sides), []
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    while KEY not in run_blocking(store.idle(0.0)):
        pass
    sides[1].after["purge"] = lambda: served.append(run_blocking(store.load(KEY)).messages)
    assert run_blocking(store.purge(0.0)) == (KEY,)
    assert served == [()]


def test_a_dead_durable_side_refuses_writes_and_serves_reads(sides):
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(1), message(2)]))
    before = run_blocking(store.load(KEY))
    sides[1].failure = StoreError("connection refused")
    with pytest.raises(StoreError, match=r"a tenant/a session: the write is not confirmed.*bring that store back"):
        run_blocking(store.append(KEY, [message(3)]))
    assert store.degraded == "cold: StoreError: connection refused"
    assert run_blocking(store.load(KEY)) == before
    assert run_blocking(store.state(KEY)) == before.state
    with pytest.raises(StoreError):
        run_blocking(store.record(KEY))
    with pytest.raises(StoreError):
        run_blocking(store.load(Key("unknown to the hot side")))
    sides[1].failure = None
    run_blocking(store.append(KEY, [message(3)]))
    assert store.degraded is None
    assert agrees(store)


def test_a_write_whose_answer_was_lost_is_never_hidden_by_the_hot_side(sides):
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))

    def lost():
        raise StoreError("connection reset")

    sides[1].after["append"] = lost
    with pytest.raises(StoreError):
        run_blocking(store.append(KEY, [message(2)]))
    assert len(run_blocking(store.load(KEY)).messages) == 2
    assert run_blocking(store.append(KEY, [message(2)])).new == 0


def test_a_lost_answer_while_the_hot_side_was_away_shows_nothing_old(sides):
    store = hybrid(sides, retry_after_s=0.0)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    sides[0].failure = StoreError("no answer")

    def lost():
        raise StoreError("connection reset")

    sides[1].after["append"] = lost
    with pytest.raises(StoreError):
        run_blocking(store.append(KEY, [message(2)]))
    sides[0].failure = None
    assert len(run_blocking(store.load(KEY)).messages) == 2


def test_a_lost_connection_to_the_durable_side_is_told_and_stays_one_to_retry(sides):
    store = hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    before = run_blocking(store.load(KEY))
    sides[1].failure = StoreLost("lost its connection; retry")
    with pytest.raises(StoreLost, match=r"the write is not confirmed.*bring that store back"):
        run_blocking(store.append(KEY, [message(2)]))
    assert store.degraded == "cold: StoreLost: lost its connection; retry"
    assert run_blocking(store.load(KEY)) == before
    assert run_blocking(store.state(KEY)) == before.state


def test_a_busy_durable_side_stays_busy_for_the_caller(sides):
    store = hybrid(sides)
    sides[1].failure = StoreBusy("held; retry")
    with pytest.raises(StoreBusy):
        run_blocking(store.append(KEY, [message(1)]))
    assert store.degraded is None


def test_a_process_that_dies_before_its_write_leaves_a_miss(sides, hot):
    store, other = hybrid(sides), hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    sides[1].before["append"] = die
    with pytest.raises(Died):
        run_blocking(store.append(KEY, [message(2)]))
    assert agrees(other)
    assert sides[0].called["fill"] == 1
    hot.elapse(WRITING_S + 1)
    assert agrees(other)
    assert sides[0].called["fill"] == 2


def test_a_process_that_dies_after_its_write_leaves_a_miss(sides, hot):
    store, other = hybrid(sides), hybrid(sides)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.load(KEY))
    sides[1].after["append"] = die
    with pytest.raises(Died):
        run_blocking(store.append(KEY, [message(2)]))
    assert len(run_blocking(other.load(KEY)).messages) == 2
    hot.elapse(WRITING_S + 1)
    assert len(run_blocking(other.load(KEY)).messages) == 2


def test_a_reader_that_read_before_a_write_fills_nothing_after_it(sides):
    reader, writer = hybrid(sides), hybrid(sides)
    run_blocking(sides[1].port.append(KEY, [message(1)]))
    sides[1].after["load"] = lambda: run_blocking(writer.append(KEY, [message(2)]))
    assert len(run_blocking(reader.load(KEY)).messages) == 1
    assert len(run_blocking(reader.load(KEY)).messages) == 2


def test_a_reader_that_read_before_a_write_fills_nothing_at_a_place_that_another_one_looked_at(sides, hot):
    reader, writer = hybrid(sides), hybrid(sides)
    run_blocking(sides[1].port.append(KEY, [message(1)]))

    def written_and_looked_at():
        run_blocking(writer.append(KEY, [message(2)]))
        run_blocking(hot.cache.look(*places))

    places = []
    sides[1].before["load"] = lambda: places.extend(hot.places())
    sides[1].after["load"] = written_and_looked_at
    run_blocking(reader.load(KEY))
    assert places
    assert agrees(reader)


def test_a_reader_that_read_before_a_delete_brings_nothing_back(sides, hot):
    reader, writer = hybrid(sides), hybrid(sides)
    run_blocking(sides[1].port.append(KEY, [message(1)]))
    sides[1].after["load"] = lambda: run_blocking(writer.delete(KEY))
    run_blocking(reader.load(KEY))
    assert hot.places() == []
    assert run_blocking(reader.load(KEY)).messages == ()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_writer_that_another_one_overtakes_leaves_nothing_stale(sides, when):
    slow, fast = hybrid(sides), hybrid(sides)
    run_blocking(slow.append(KEY, [message(1)]))
    run_blocking(slow.load(KEY))
    getattr(sides[1], when)["append"] = lambda: run_blocking(fast.append(KEY, [message(8)]))
    run_blocking(slow.append(KEY, [message(2)]))
    assert agrees(fast)
    assert agrees(slow)
    assert slow.drifts == fast.drifts == 0


def test_a_writer_that_is_overtaken_and_dies_after_its_write_leaves_nothing_stale(sides):
    slow, fast = hybrid(sides), hybrid(sides)
    run_blocking(slow.append(KEY, [message(1)]))
    run_blocking(slow.load(KEY))

    def overtaken():
        run_blocking(fast.append(KEY, [message(8)]))
        run_blocking(fast.load(KEY))

    sides[1].before["append"] = overtaken
    sides[1].after["append"] = lambda: None
    cold_append = sides[1].port.append

    async def written_then_dead(*args, **kwargs):
        done = await cold_append(*args, **kwargs)
        if args[1][0].id == "m2":
            raise Died
        return done

    sides[1].port.append = written_then_dead
    with pytest.raises(Died):
        run_blocking(slow.append(KEY, [message(2)]))
    assert agrees(fast)
