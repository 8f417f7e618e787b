"""Stores that were open when their process forked, as under gunicorn's preload, work in the child and in the parent."""

from __future__ import annotations

import asyncio
import copy
import faulthandler
import os
import pickle
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from every_store import KINDS, Servers
from redis_server import redis_sentinel
from sealed_fill import RING

from session_core import Sessions
from session_core.errors import NotPicklable
from session_core.ports import SessionStore
from session_core.runtime.forks import FORK_GUARD, ForkSafeLock
from session_core.stores.closing import Closing, LockWhileOpen
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.hybrid import HybridStore
from session_core.stores.memory import MemoryStore
from session_core.stores.open import open_cache, open_store
from session_core.stores.sqlite import SqliteStore
from session_core.stores.sqlite import file as sqlite_file
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking

HANGS_S = 30.0
CHILDREN = 4


@pytest.fixture(params=[*KINDS, "redis before postgres", "sentinel", "encrypted"])
def store(request: Any, servers: Servers, tmp_path: Path) -> Iterator[SessionStore]:
    if request.param in KINDS:
        with servers.place(request.param, tmp_path) as made:
            yield made.store
    else:
        with _further(request.param, servers) as further:
            yield further
            run_blocking(further.close())


@contextmanager
def _further(kind: str, servers: Servers) -> Iterator[SessionStore]:
    with servers.redis.client() as client:
        client.flushall()
    if kind == "redis before postgres":
        durable = open_store(f"{servers.postgres.url}&schema={servers.schema()}")
        yield HybridStore(open_cache(servers.redis.url), durable)
    elif kind == "encrypted":
        yield EncryptedStore(open_store(servers.redis.url), RING)
    else:
        with redis_sentinel(servers.redis) as url:
            yield open_store(url)


def forked(work: Callable[[], object]) -> int:
    """The process that does `work` and ends: with 0 when it went well, with what threads do when it hangs."""
    with warnings.catch_warnings():
        # From 3.12 on Python warns of forks beside threads, which is what is tried here.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        faulthandler.dump_traceback_later(HANGS_S, exit=True)
        try:
            work()
        except BaseException:  # noqa: BLE001 (the process ends, whatever it was)
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return child


def went_well(child: int) -> bool:
    return os.waitpid(child, 0)[1] == 0


async def ids(store: SessionStore, key: Key) -> list[str]:
    return [one.id for one in await store.record(key)]


def test_children_and_parent_talk_at_once_in_both_voices(store: SessionStore) -> None:
    over = threading.Event()

    def write(key: Key) -> int:
        written = 0
        while not over.is_set():
            run_blocking(store.append(key, [message(written)]))
            run_blocking(store.search(key, ["words"], max_hits=2))
            written += 1
        return written

    async def write_awaiting(key: Key) -> int:
        written = 0
        while not over.is_set():
            await store.awaiting().append(key, [message(written)])
            await store.awaiting().load(key)
            written += 1
        return written

    def talk(key: Key) -> None:
        async def second() -> list[str]:
            await store.awaiting().append(key, [message(2)])
            await store.awaiting().search(key, ["words"], max_hits=2)
            return await ids(store.awaiting(), key)

        run_blocking(store.append(key, [message(1)]))
        assert asyncio.run(second()) == ["m1", "m2"]
        assert run_blocking(ids(store, key)) == ["m1", "m2"]

    parents = [Key("a parent's thread"), Key("another"), Key("a parent's loop")]
    with ThreadPoolExecutor(3) as threads:
        written = [threads.submit(write, key) for key in parents[:2]]
        written.append(threads.submit(lambda: asyncio.run(write_awaiting(parents[2]))))
        try:
            children = [forked(lambda number=number: talk(Key(f"child {number}"))) for number in range(CHILDREN)]
            assert [went_well(child) for child in children] == [True] * CHILDREN
        finally:
            over.set()
    for key, one in zip(parents, written, strict=True):
        assert run_blocking(ids(store, key)) == [f"m{number}" for number in range(one.result())]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_fork_waits_for_critical_sections_of_other_threads(kind: str, tmp_path: Path) -> None:
    store = MemoryStore() if kind == "memory" else SqliteStore(tmp_path / "s.db")
    middle = store._lock if isinstance(store, MemoryStore) else store._file.writing()
    begun = threading.Event()

    def hold() -> None:
        with middle:
            begun.set()
            end = time.monotonic() + HANGS_S
            while FORK_GUARD._forking is None:
                assert time.monotonic() < end, "nobody forked"
                time.sleep(0.001)

    with ThreadPoolExecutor(1) as thread:
        held = thread.submit(hold)
        assert begun.wait(HANGS_S)
        child = forked(lambda: run_blocking(store.append(KEY, [message(1)])))
        held.result()
    assert went_well(child)
    run_blocking(store.append(KEY, [message(2)]))
    assert run_blocking(ids(store, KEY)) == (["m2"] if kind == "memory" else ["m1", "m2"])
    run_blocking(store.close())


def test_a_parent_that_closes_its_file_leaves_the_childs_journal_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "s.db")
    run_blocking(store.append(KEY, [message(0)]))
    (heard, told), (may, go_on) = os.pipe(), os.pipe()

    def write() -> None:
        run_blocking(store.append(KEY, [message(1)]))
        os.write(told, b"x")
        os.read(may, 1)
        for number in range(2, 10):
            run_blocking(store.append(KEY, [message(number)]))

    child = forked(write)
    os.read(heard, 1)
    run_blocking(store.close())
    other = SqliteStore(tmp_path / "s.db")
    assert run_blocking(ids(other, KEY)) == ["m0", "m1"]
    run_blocking(other.close())
    os.write(go_on, b"x")
    assert went_well(child)
    last = SqliteStore(tmp_path / "s.db")
    assert run_blocking(ids(last, KEY)) == [f"m{number}" for number in range(10)]
    run_blocking(last.close())
    for end in (heard, told, may, go_on):
        os.close(end)


def test_a_lock_that_a_thread_held_is_free_in_the_child() -> None:
    lock, begun, over = ForkSafeLock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            begun.set()
            over.wait(HANGS_S)

    with ThreadPoolExecutor(1) as thread:
        thread.submit(hold)
        assert begun.wait(HANGS_S)
        child = forked(lambda: lock.acquire(timeout=0) or os._exit(2))
        assert not lock.acquire(blocking=False)
        over.set()
    assert went_well(child)


def test_a_child_waits_for_no_fold_of_its_parent() -> None:
    with Sessions() as sessions:
        sessions.pipeline.queue.add(KEY, time.monotonic(), sessions.session("a").stats().tier)
        with sessions.pipeline._changed:
            child = forked(lambda: (sessions.drain(HANGS_S) or os._exit(2), sessions.close()))
        assert went_well(child)
        sessions.pipeline.queue.clear()


def test_a_thread_interrupted_before_it_got_a_lock_blocks_no_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted:
        def acquire(self) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(threading, "RLock", Interrupted)
    lock = LockWhileOpen(Closing("a store"))
    monkeypatch.undo()
    with pytest.raises(KeyboardInterrupt), lock:
        pass
    assert threading.get_ident() not in FORK_GUARD._active


def test_a_fork_while_a_write_looks_for_the_journal_does_not_take_it_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, forks = SqliteStore(tmp_path / "s.db"), list[threading.Thread]()
    run_blocking(store.append(KEY, [message(1)]))
    real = sqlite_file._identity

    def identity(path: Path) -> tuple[int, int] | None:
        if path.name.endswith("-wal") and not forks:
            forks.append(threading.Thread(target=lambda: went_well(forked(lambda: None))))
            forks[0].start()
            forks[0].join(0.3)
        return real(path)

    monkeypatch.setattr(sqlite_file, "_identity", identity)
    run_blocking(store.append(KEY, [message(2)]))
    forks[0].join(HANGS_S)
    assert run_blocking(ids(store, KEY)) == ["m1", "m2"]
    run_blocking(store.close())


@pytest.mark.parametrize("url", ["memory://", "sqlite:///{}/chat.db"])
@pytest.mark.parametrize("what", ["sessions", "session", "store", "awaited"])
def test_who_pickles_what_has_connections_is_told_what_to_give_to_the_other_process(
    what: str, url: str, tmp_path: Path
) -> None:
    with Sessions(url.format(tmp_path)) as sessions:
        parts = {"sessions": sessions, "session": sessions.session("s"), "store": sessions.store}
        given = parts.get(what, sessions.awaited)
        with pytest.raises(NotPicklable, match=r"give the other process the URL"):
            pickle.dumps({"config": [given]})
        assert copy.deepcopy([given]) == [given]
        assert copy.copy(given) is given
