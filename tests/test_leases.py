"""Turn leases: strict alternation for who asks for it, on every kind of store, and an end for holders that vanish."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from session_core import Sessions
from session_core.errors import BudgetError, InputError, TurnLost, TurnTaken
from session_core.stores.open import open_store
from session_core.stores.sqlite import SqliteStore
from session_core.testing import message
from session_core.turns import Key, Role
from session_core.voices import run_blocking

WRITERS, TURNS = 6, 8
KINDS = ["memory", "sqlite", "redis", "postgres"]


@pytest.fixture
def url(request, tmp_path) -> str:
    kind = getattr(request, "param", "sqlite")
    if kind in ("redis", "postgres"):
        return str(request.getfixturevalue(f"{kind}_url"))
    return "memory://" if kind == "memory" else f"sqlite:///{tmp_path / 'leases.db'}"


@pytest.mark.parametrize("url", KINDS, indirect=True)
def test_turns_of_threads_do_not_overlap(url):
    with Sessions(url) as sessions:
        session = sessions.session("alternating")

        def write(writer: int) -> None:
            for turn in range(TURNS):
                with session.lease() as lease:
                    session.append({"role": "user", "content": f"{writer} asks {turn}"}, lease=lease)
                    session.append({"role": "assistant", "content": f"{writer} gets {turn}"}, lease=lease)

        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write, range(WRITERS)))
        _check_alternation(session.record())
        session.delete()


@pytest.mark.parametrize("url", KINDS, indirect=True)
def test_turns_of_tasks_do_not_overlap(url):
    async def main() -> None:
        async with Sessions(url) as sessions:
            session = sessions.session("alternating")

            async def write(writer: int) -> None:
                for turn in range(TURNS):
                    async with session.lease() as lease:
                        await session.aappend({"role": "user", "content": f"{writer} asks {turn}"}, lease=lease)
                        await asyncio.sleep(0)
                        await session.aappend({"role": "assistant", "content": f"{writer} gets {turn}"}, lease=lease)

            await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
            _check_alternation(await session.arecord())
            await session.adelete()

    asyncio.run(main())


def _check_alternation(record) -> None:
    assert len(record) == WRITERS * TURNS * 2
    for asked, got in zip(record[::2], record[1::2], strict=True):
        assert (asked.role, got.role) == (Role.USER, Role.ASSISTANT)
        assert asked.content.split()[::2] == got.content.split()[::2]


def test_a_timeout_names_the_current_holder(url):
    with Sessions(url) as sessions:
        session = sessions.session("s")
        told = r"session s: another holder has had the turn for all of 0\.05 s; retry"
        with session.lease(), pytest.raises(TurnTaken, match=told):
            session.lease(wait_s=0.05).__enter__()
        with session.lease(wait_s=0):
            pass


def test_a_turn_that_was_overtaken_writes_nothing_and_says_how_to_go_on(url):
    with Sessions(url) as sessions:
        session = sessions.session("s")
        slow = session.lease(ttl_s=0.01)
        with slow, session.lease(wait_s=5) as quick:
            assert quick.token > slow.token
            with pytest.raises(TurnLost, match=r"session s: the turn was released, or taken by another holder"):
                session.append({"role": "user", "content": "too late"}, lease=slow)
            with pytest.raises(TurnLost, match="start the turn again"):
                slow.renew()
            session.append({"role": "user", "content": "in time"}, lease=quick)
        assert [m.content for m in session.record()] == ["in time"]


def test_a_renewed_turn_is_not_overtaken(url):
    with Sessions(url) as sessions:
        session = sessions.session("s")
        with session.lease(ttl_s=0.02) as lease:
            first = lease.token
            lease._ttl_s = 60.0
            lease.renew()
            assert lease.token == first
            with pytest.raises(TurnTaken):
                session.lease(wait_s=0.1).__enter__()


def test_a_turn_is_held_in_its_block_only(url):
    with Sessions(url) as sessions:
        session = sessions.session("s")
        lease = session.lease()
        with pytest.raises(TurnLost, match="the turn is not held; write inside of"):
            session.append({"role": "user", "content": "before"}, lease=lease)
        with lease:
            session.append({"role": "user", "content": "within"}, lease=lease)
        with pytest.raises(TurnLost, match="not held"):
            session.append({"role": "user", "content": "behind"}, lease=lease)
        assert [m.content for m in session.record()] == ["within"]


def test_a_lease_that_is_held_is_not_for_a_second_holder(url):
    with Sessions(url) as sessions:
        session = sessions.session("s")
        with session.lease() as lease:
            with pytest.raises(TurnTaken, match=r"held already; take another with session\.lease\(\)"):
                lease.__enter__()
            session.append({"role": "user", "content": "still mine"}, lease=lease)


def test_a_turn_of_one_session_writes_to_no_other(url):
    with Sessions(url) as sessions:
        told = "session two: the lease belongs to session one"
        with sessions.session("one").lease() as lease, pytest.raises(InputError, match=told):
            sessions.session("two").append({"role": "user", "content": "x"}, lease=lease)


@pytest.mark.parametrize("times", [{"ttl_s": 0}, {"ttl_s": -1}, {"wait_s": -1}, {"ttl_s": float("nan")}])
def test_times_that_make_no_sense_are_refused(url, times):
    with Sessions(url) as sessions, pytest.raises(BudgetError, match="pass seconds"):
        sessions.session("s").lease(**times)


def test_a_clock_that_goes_back_ends_a_lease_instead_of_holding_the_session(tmp_path):
    now = [1_000_000.0]
    store = SqliteStore(tmp_path / "clock.db", clock=lambda: now[0])
    key = Key("s")
    before = run_blocking(store.take_lease(key, holder="one", ttl_s=60))
    now[0] -= 3_600
    after = run_blocking(store.take_lease(key, holder="two", ttl_s=60))
    assert before is not None
    assert after is not None
    assert after.token > before.token
    run_blocking(store.close())


def _hold_and_hang(url: str, taken, seen, ending) -> None:
    with Sessions(url) as sessions, sessions.session("s").lease() as lease:
        taken.set()
        seen.wait()
        lease._ttl_s = 0.5
        lease.renew()
        ending.set()
        threading.Event().wait()


@pytest.mark.parametrize("url", ["sqlite", "redis", "postgres"], indirect=True)
def test_a_holder_that_is_killed_holds_the_turn_no_longer_than_its_time(url):
    context = multiprocessing.get_context("spawn")
    taken, seen, ending = (context.Event() for _ in range(3))
    holder = context.Process(target=_hold_and_hang, args=(url, taken, seen, ending))
    holder.start()
    try:
        assert taken.wait(60)
        with Sessions(url) as sessions:
            session = sessions.session("s")
            with pytest.raises(TurnTaken):
                session.lease(wait_s=0).__enter__()
            seen.set()
            assert ending.wait(60)
            os.kill(holder.pid, signal.SIGKILL)
            with session.lease(wait_s=60) as lease:
                session.append({"role": "user", "content": "on it goes"}, lease=lease)
            assert [m.content for m in session.record()] == ["on it goes"]
            session.delete()
    finally:
        holder.kill()
        holder.join()


def test_a_lease_on_redis_has_an_end_and_goes_with_its_session(redis_url):
    with Sessions(redis_url) as sessions:
        session = sessions.session("ends")
        with session.lease() as lease:
            session.append({"role": "user", "content": "x"}, lease=lease)
            (raw,) = run_blocking(sessions.store._wire.ask(("PTTL", sessions.store._names.lease(session.key))))
            assert 60_000 < raw <= 60_000 + 86_400_000
            session.delete()
            (there,) = run_blocking(sessions.store._wire.ask(("EXISTS", sessions.store._names.lease(session.key))))
            assert there == 0


@pytest.mark.parametrize("url", ["memory", "sqlite", "postgres"], indirect=True)
def test_a_lease_without_a_session_is_purged(url):
    nothing, begun = Key("nothing said", "purged"), Key("begun", "purged")
    store = open_store(url)
    run_blocking(store.append(begun, [message(1)]))
    before = [run_blocking(store.take_lease(key, holder="one", ttl_s=0.01)) for key in (nothing, begun)]
    time.sleep(0.02)
    assert run_blocking(store.purge(3_600.0, tenant="purged")) == ()
    assert run_blocking(store.take_lease(nothing, holder="one", ttl_s=0.01)).token == before[0].token
    time.sleep(0.02)
    run_blocking(store.append(begun, [message(2)], lease=before[1]))
    assert run_blocking(store.purge(0.015, tenant="another")) == ()
    assert run_blocking(store.purge(0.005, tenant="purged")) in ((), (begun,))
    assert run_blocking(store.take_lease(nothing, holder="one", ttl_s=0.01)).token != before[0].token
    run_blocking(store.close())
