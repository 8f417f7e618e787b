"""Connections end with their event loop, however that ends: nothing is left open, and Python has nothing to warn of."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from postgres_server import postgres_server
from redis_server import RedisServer, redis_cluster, redis_server
from tls_front import tls_front

from session_core import Sessions
from session_core.errors import StoreClosed
from session_core.ports import SessionStore
from session_core.stores.postgres.store import PostgresStore
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.voices import in_thread, run_blocking

SERVERS = ("redis", "redis over TLS", "cluster", "postgres")


@pytest.fixture(scope="module")
def urls(plain_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder: Path = tmp_path_factory.mktemp("front")
    with (
        tls_front(plain_redis.port, folder) as (port, certificate),
        postgres_server() as postgres,
        redis_cluster() as cluster,
    ):
        secured = f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}"
        yield {"redis": plain_redis.url, "redis over TLS": secured, "cluster": cluster, "postgres": postgres.url}


def _store(url: str) -> RedisStore | PostgresStore:
    return PostgresStore(url) if url.startswith("postgres") else RedisStore(url)


@contextmanager
def nothing_unclosed() -> Iterator[None]:
    """Fails when something that became garbage in here was still open."""
    left: list[str] = []
    gc.collect()
    gc.freeze()
    before, sys.unraisablehook = sys.unraisablehook, lambda told: left.append(str(told.exc_value))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ResourceWarning)
            yield
            gc.collect()
    finally:
        sys.unraisablehook = before
        gc.unfreeze()
    assert left == []


async def _use(store: SessionStore) -> None:
    await store.load(KEY)


async def _used_and_closed(store: RedisStore | PostgresStore) -> None:
    await _use(store.awaiting())
    await store.awaiting().close()


def _run_and_close(loop: asyncio.AbstractEventLoop, store: RedisStore | PostgresStore) -> None:
    """As some libraries run a coroutine: the loop is closed without a word to its asynchronous generators."""
    loop.run_until_complete(_use(store.awaiting()))
    loop.close()


@pytest.mark.parametrize("kind", SERVERS)
def test_a_loop_that_ends_closes_its_connections(kind: str, urls: dict[str, str]) -> None:
    with nothing_unclosed():
        store = _store(urls[kind])
        for _ in range(2):
            asyncio.run(_use(store.awaiting()))
        del store


@pytest.mark.parametrize("kind", SERVERS)
def test_a_store_that_is_closed_at_the_end_of_its_loop_leaves_nothing(kind: str, urls: dict[str, str]) -> None:
    async def work(store: RedisStore | PostgresStore) -> None:
        await _use(store.awaiting())
        await store.awaiting().close()

    with nothing_unclosed():
        store = _store(urls[kind])
        asyncio.run(work(store))
        del store


@pytest.mark.parametrize("kind", SERVERS)
def test_a_task_that_is_cancelled_as_its_loop_ends_leaves_nothing(kind: str, urls: dict[str, str]) -> None:
    async def work(store: RedisStore | PostgresStore, after_ms: int) -> None:
        calls = [asyncio.create_task(_use(store.awaiting())) for _ in range(3)]
        await asyncio.sleep(after_ms / 1_000)
        assert calls

    with nothing_unclosed():
        store = _store(urls[kind])
        asyncio.run(_use(store.awaiting()))
        for after_ms in range(12):
            asyncio.run(work(store, after_ms))
        del store


@pytest.mark.parametrize("kind", SERVERS)
def test_what_a_loop_left_that_was_just_closed_is_closed_by_the_next(kind: str, urls: dict[str, str]) -> None:
    with nothing_unclosed():
        store = _store(urls[kind])
        for _ in range(2):
            _run_and_close(asyncio.new_event_loop(), store)
        asyncio.run(_use(store.awaiting()))
        del store


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
@pytest.mark.parametrize("kind", SERVERS)
def test_what_a_loop_left_that_was_just_closed_is_closed_with_the_store(
    kind: str, voice: str, urls: dict[str, str]
) -> None:
    with nothing_unclosed():
        store = _store(urls[kind])
        _run_and_close(asyncio.new_event_loop(), store)
        run_blocking(store.close()) if voice == "blocking" else asyncio.run(store.awaiting().close())
        del store


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_store_closed_while_a_loop_stands_still_is_closed_for_the_server_at_once(
    voice: str, plain_redis: RedisServer
) -> None:
    loop, store = asyncio.new_event_loop(), RedisStore(plain_redis.url)
    with nothing_unclosed():
        with plain_redis.client() as client:
            others = {one["id"] for one in client.client_list()}
            loop.run_until_complete(_use(store.awaiting()))
            (ours,) = {one["id"] for one in client.client_list()} - others
            run_blocking(store.close()) if voice == "blocking" else asyncio.run(store.awaiting().close())
            end = time.monotonic() + 60
            while ours in {one["id"] for one in client.client_list()}:
                assert time.monotonic() < end, "the connection is still there"
        # The loop goes on, and the store on it stays closed.
        with pytest.raises(StoreClosed):
            loop.run_until_complete(_use(store.awaiting()))
        loop.close()
        del loop, store


@pytest.mark.parametrize("kind", SERVERS)
def test_a_child_that_closes_its_store_leaves_the_connections_of_its_parent(kind: str, urls: dict[str, str]) -> None:
    once = "" if kind == "postgres" else f"{'&' if '?' in urls[kind] else '?'}retries=0"
    store = _store(urls[kind] + once)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(_use(store.awaiting()))
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            asyncio.run(_used_and_closed(store))
            run_blocking(store.close())
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    loop.run_until_complete(_use(store.awaiting()))
    loop.run_until_complete(store.awaiting().close())
    loop.close()


def test_a_call_that_outlives_its_store_leaves_no_connection(plain_redis: RedisServer) -> None:
    async def work(store: RedisStore | PostgresStore) -> None:
        awaited = store.awaiting()
        await _use(awaited)
        with plain_redis.client() as client:
            client.client_pause(150, all=True)
        call = asyncio.create_task(_use(awaited))
        await asyncio.sleep(0.02)
        await awaited.close()
        await call

    with nothing_unclosed():
        store = RedisStore(plain_redis.url)
        asyncio.run(work(store))
        del store


def test_what_could_not_be_sent_to_a_server_that_hangs_holds_no_connection() -> None:
    async def work(store: RedisStore | PostgresStore) -> None:
        awaited = store.awaiting()
        await _use(awaited)
        os.kill(process, signal.SIGSTOP)
        with suppress(TimeoutError):
            await asyncio.wait_for(awaited.append(KEY, [message(1, content=os.urandom(8_000_000).hex())]), 0.5)

    with redis_server(appendonly="no") as hanging:
        with hanging.client() as client:
            process = int(client.info("server")["process_id"])
        try:
            with nothing_unclosed():
                store = RedisStore(hanging.url)
                asyncio.run(work(store))
                del store
        finally:
            os.kill(process, signal.SIGCONT)


AT_EXIT = """
import asyncio, atexit, sys
from session_core import Sessions

sessions = Sessions(sys.argv[1])

async def leave():
    await sessions.session("s").aappend({"role": "user", "content": "the last one"})
    await sessions.session("s").afold()
    await sessions.aclose()
    print("left")

atexit.register(lambda: asyncio.run(leave()))
"""


def test_async_calls_work_while_the_interpreter_exits(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/s.db"
    ended = subprocess.run([sys.executable, "-c", AT_EXIT, url], capture_output=True, text=True, check=False)
    assert ended.stdout == "left\n", ended.stderr
    with Sessions(url) as sessions:
        assert [said.content for said in sessions.session("s").record()] == ["the last one"]


def test_a_call_for_which_no_thread_can_begin_is_not_made_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    may_end = threading.Event()

    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def work() -> None:
        busy = asyncio.get_running_loop().run_in_executor(None, may_end.wait)
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", no_more)
            with suppress(RuntimeError):
                await in_thread(made.append, "once")
        # The one thread there is takes what is queued, this call too.
        may_end.set()
        await busy
        await in_thread(made.append, "later")

    asyncio.run(work())
    assert made == ["once", "later"]
