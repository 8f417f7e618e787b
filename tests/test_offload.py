"""What takes long is done beside an event loop, in few threads, and gives what the blocking voice gives."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from postgres_server import PostgresServer
from redis_server import RedisServer, redis_server

from session_core import Budget, Policy, Session, Sessions
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.redis.store import RedisStore
from session_core.voices import MAX_THREADS

POLICY = Policy(Budget(4_000, reply_reserve_tokens=0), folding="off")
QUESTION = "On which day is the review of project 7?"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[int]]:
    """In which threads quotes were chosen, plans folded, words looked up and large messages read."""
    seen: dict[str, set[int]] = {}
    for place in (
        "session_core.searching.select_quotes",
        "session_core.compress.ladder.fold",
        "session_core.stores.redis.store.best",
        "session_core.stores.encrypted.best",
        "session_core.services.clip",
    ):
        monkeypatch.setattr(place, _noting(place, seen))
    return seen


def _noting(place: str, seen: dict[str, set[int]]) -> Callable[..., Any]:
    module, _, name = place.rpartition(".")
    real = getattr(__import__(module, fromlist=[name]), name)

    def call(*args: Any, **named: Any) -> Any:
        seen.setdefault(f"{module.rpartition('.')[2]}.{name}", set()).add(threading.get_ident())
        return real(*args, **named)

    return call


def said(turns: int) -> list[dict[str, str]]:
    return [
        {"role": role, "content": f"The review of project {turn} is on day {turn % 28 + 1} of May, says {role}. " * 3}
        for turn in range(turns)
        for role in ("user", "assistant")
    ]


def test_questions_to_long_sessions_run_off_the_event_loop(server: RedisServer, threads: Any) -> None:
    with Sessions(f"{server.url}?prefix=long", policy=POLICY) as sessions:
        session = sessions.session("long")
        session.append(said(400))
        awaited = asyncio.run(_seen(session))
        mine = threading.get_ident()
        assert all(mine not in those for those in threads.values())
        assert {"searching.select_quotes", "ladder.fold"} <= set(threads)
        threads.clear()
        again = session.view(QUESTION)
        assert again.messages == awaited.messages
        assert threads["searching.select_quotes"] == {mine}


def test_long_records_are_read_exported_and_counted_off_the_event_loop(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, set[int]] = {}
    places = ("stores.postgres.store.message_from", "sessions.chat_message", "stats.describe")
    for place in (f"session_core.{name}" for name in places):
        monkeypatch.setattr(place, _noting(place, seen))

    async def read(session: Session) -> tuple[Any, ...]:
        found = (await session.arecord(), await session.aexport(), await session.astats())
        await session.sessions.aclose()
        return found

    with Sessions(postgres.url, policy=POLICY) as sessions:
        session = sessions.session("long")
        session.append(said(400))
        whole = (session.record(), session.export(), session.stats())
        seen.clear()
        assert asyncio.run(read(session)) == whole
    assert len(seen) == len(places)
    assert all(threading.get_ident() not in those for those in seen.values())


def test_short_sessions_run_on_the_event_loop(server: RedisServer, threads: Any) -> None:
    policy = Policy(Budget(400, reply_reserve_tokens=0))
    with Sessions(f"{server.url}?prefix=short", policy=policy) as sessions:
        session = sessions.session("short")
        session.append(said(8))
        asyncio.run(_seen(session))
    assert threads["searching.select_quotes"] == {threading.get_ident()}


@pytest.mark.parametrize("sealed", [False, True])
def test_word_searches_run_off_the_event_loop(server: RedisServer, threads: Any, *, sealed: bool) -> None:
    store: Any = RedisStore(f"{server.url}?prefix=words{sealed}")
    store = EncryptedStore(store, Keyring({"k": bytes(32)})) if sealed else store
    with Sessions(store, policy=POLICY) as sessions:
        session = sessions.session("words")
        session.append(said(200))
        awaited = asyncio.run(_found(session))
        ((_, those),) = [(name, those) for name, those in threads.items() if name.endswith("best")]
        assert threading.get_ident() not in those
        assert awaited == session.search("project 7")


def test_large_tool_outputs_are_processed_off_the_event_loop(threads: Any) -> None:
    with Sessions("memory://", policy=POLICY) as sessions:
        session = sessions.session("tools")
        call = {"id": "1", "type": "function", "function": {"name": "read", "arguments": "{}"}}
        asyncio.run(_appended(session, {"role": "assistant", "content": "", "tool_calls": [call]}))
        asyncio.run(_appended(session, {"role": "tool", "tool_call_id": "1", "content": "a line of words\n" * 2_000}))
    assert threading.get_ident() not in threads["services.clip"]


def test_the_number_of_threads_per_loop_is_bounded() -> None:
    executors = [Sessions().aservices.executor, Sessions().aservices.executor]
    active, most, lock = 0, 0, threading.Lock()

    def work() -> int:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        time.sleep(0.01)
        with lock:
            active -= 1
        return threading.get_ident()

    async def many() -> list[int]:
        return await asyncio.gather(*[executor(work) for executor in executors * 6])

    for _ in range(2):
        assert threading.get_ident() not in asyncio.run(many())
    assert most <= MAX_THREADS


async def _seen(session: Session) -> Any:
    return await session.aview(QUESTION)


async def _found(session: Session) -> Any:
    return await session.asearch("project 7")


async def _appended(session: Session, message: dict[str, Any]) -> None:
    await session.aappend(message)
