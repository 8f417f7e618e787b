"""A store that was closed stays closed: nothing is opened again, in either voice, and who was at work ends in peace."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import redis
from every_store import Servers
from redis_server import redis_sentinel
from waiting import until

from session_core import Budget, Policy, Sessions
from session_core.errors import StoreClosed
from session_core.events import Event, FoldFailed
from session_core.ports import SessionStore, SummaryRequest
from session_core.stores.hybrid import HybridStore
from session_core.stores.open import open_cache, open_store
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking

ON_SERVERS = ("redis", "cluster", "postgres", "hybrid")
WRITERS = 8


class Opened:
    """A store on servers, and how many connections they have that are not ours."""

    def __init__(self, kind: str, servers: Servers) -> None:
        self._servers = servers
        self._kind = kind
        self.store = self._open()

    def _open(self) -> SessionStore:
        redis_url, postgres_url = (
            self._servers.redis.url,
            f"{self._servers.postgres.url}&schema={self._servers.schema()}",
        )
        if self._kind == "hybrid":
            return HybridStore(open_cache(redis_url), open_store(postgres_url))
        return open_store({"redis": redis_url, "cluster": self._servers.cluster, "postgres": postgres_url}[self._kind])

    def connections(self) -> int:
        """How many the servers of this kind have, but for the one that asks."""
        ports = [self._servers.redis.port]
        if self._kind == "cluster":
            hosts = self._servers.cluster.removeprefix("redis+cluster://").split(",")
            ports = [int(host.rpartition(":")[2]) for host in hosts]
        found = 0
        if self._kind != "postgres":
            for port in ports:
                with redis.Redis(host="127.0.0.1", port=port) as client:
                    found += len(client.client_list(_type="normal")) - 1
        if self._kind in ("postgres", "hybrid"):
            with self._servers.postgres.connect() as connection:
                asked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'llm-sessions'"
                found += connection.execute(asked).fetchone()[0]
        return found


@pytest.fixture(params=ON_SERVERS)
def opened(request: Any, servers: Servers) -> Iterator[Opened]:
    made = Opened(request.param, servers)
    yield made
    run_blocking(made.store.close())


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_store_closed_in_one_voice_opens_nothing_in_the_other(opened: Opened, voice: str) -> None:
    store, before = opened.store, opened.connections()

    async def talk() -> None:
        run_blocking(store.append(KEY, [message(1)]))
        await store.awaiting().append(KEY, [message(2)])
        run_blocking(store.close()) if voice == "blocking" else await store.awaiting().close()
        for spoken in (store, store.awaiting()):
            with pytest.raises(StoreClosed):
                await spoken.load(KEY)

    asyncio.run(talk())
    with pytest.raises(StoreClosed):
        run_blocking(store.append(KEY, [message(3)]))
    until(lambda: opened.connections() <= before)


def test_threads_end_without_errors_when_their_store_is_closed(opened: Opened) -> None:
    store, before = opened.store, opened.connections()
    begun = threading.Barrier(WRITERS + 1)

    def write(writer: int) -> list[str]:
        key, stored = Key(f"session {writer}"), list[str]()
        begun.wait()
        try:
            while True:
                run_blocking(store.append(key, [message(len(stored))]))
                stored.append(f"m{len(stored)}")
        except StoreClosed:
            return stored

    with ThreadPoolExecutor(WRITERS) as threads:
        writers = [threads.submit(write, writer) for writer in range(WRITERS)]
        begun.wait()
        until(lambda: all(run_blocking(store.state(Key(f"session {writer}"))) for writer in range(WRITERS)))
        run_blocking(store.close())
        assert all(writer.result() for writer in writers)
    until(lambda: opened.connections() <= before)


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_tasks_end_without_errors_when_their_store_is_closed(opened: Opened, voice: str) -> None:
    store, before = opened.store, opened.connections()

    async def write(writer: int) -> int:
        stored = 0
        try:
            while True:
                await store.awaiting().append(Key(f"session {writer}"), [message(stored)])
                stored += 1
        except StoreClosed:
            return stored

    async def all_at_once() -> list[int]:
        writers = [asyncio.create_task(write(writer)) for writer in range(WRITERS)]
        while await store.awaiting().state(Key("session 0")) is None:
            pass
        run_blocking(store.close()) if voice == "blocking" else await store.awaiting().close()
        return await asyncio.gather(*writers)

    assert len(asyncio.run(all_at_once())) == WRITERS
    until(lambda: opened.connections() <= before)


@pytest.mark.parametrize("kind", ["one", "cluster", "sentinel"])
def test_a_call_under_way_ends_as_it_would_have_also_where_none_is_made_twice(kind: str, servers: Servers) -> None:
    async def write(store: SessionStore, writer: int) -> int:
        stored = 0
        with suppress(StoreClosed):
            while True:
                await store.append(Key(f"{kind} {writer}"), [message(stored)])
                stored += 1
        return stored

    async def all_at_once(url: str) -> list[int]:
        store = open_store(f"{url}?retries=0").awaiting()
        writers = [asyncio.create_task(write(store, writer)) for writer in range(WRITERS)]
        while await store.state(Key(f"{kind} 0")) is None:
            pass
        await store.close()
        return await asyncio.gather(*writers)

    if kind == "sentinel":
        with redis_sentinel(servers.redis) as url:
            assert len(asyncio.run(all_at_once(url))) == WRITERS
    else:
        assert len(asyncio.run(all_at_once(servers.redis.url if kind == "one" else servers.cluster))) == WRITERS


class Waiting:
    """A summarizer that holds a fold up until it is let go."""

    name = "waiting"

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    async def summarize(self, request: SummaryRequest) -> str:
        """What it was given, once it may."""
        self.begun.set()
        assert self.go_on.wait(60)
        return request.messages[0].content[:40]


def test_a_fold_ends_without_errors_when_its_sessions_are_closed(opened: Opened) -> None:
    heard: list[Event] = []
    summarizer = Waiting()
    policy = Policy(Budget(1_000, reply_reserve_tokens=0), summarizer=summarizer)
    before = opened.connections()
    sessions = Sessions(opened.store, policy=policy, on_event=heard.append)
    session = sessions.session("a")
    for number in range(12):
        session.append({"role": "user", "content": f"Order {number} " + "of many words " * 20})
        session.append({"role": "assistant", "content": f"Noted {number}."})
    sessions.ask_fold(session.key)
    assert summarizer.begun.wait(60)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run_blocking(opened.store.close())
        summarizer.go_on.set()
        sessions.close()
    assert not sessions.pipeline.waiting
    assert [event for event in heard if isinstance(event, FoldFailed)] == []
    until(lambda: opened.connections() <= before)
