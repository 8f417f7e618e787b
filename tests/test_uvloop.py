"""On uvloop, which most services run on: calls, calls that are cut short, and ends are as on asyncio's own loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop
from postgres_server import postgres_server
from redis_server import redis_server
from tls_front import tls_front

from session_core import Session, Sessions
from session_core.errors import StoreLost

SAID = {"role": "user", "content": "hello"}


def on_uvloop(work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with (
        redis_server() as redis,
        postgres_server() as postgres,
        tls_front(redis.port, tmp_path_factory.mktemp("tls")) as (port, certificate),
    ):
        yield {
            "redis": redis.url,
            "tls": f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}",
            "postgres": postgres.url,
        }


async def talked(session: Session) -> int:
    await session.adelete()
    await session.aappend(SAID)
    await session.aview()
    await session.aappend({"role": "assistant", "content": "good day"})
    return len(await session.arecord())


@pytest.mark.parametrize("kind", ["redis", "tls", "postgres", "sqlite", "hybrid"])
def test_sessions_talk_and_end_at_once(kind: str, urls: dict[str, str], tmp_path: Path) -> None:
    async def work() -> None:
        cold = f"sqlite:///{tmp_path}/chat.db"
        sessions = Sessions(hot=urls["redis"], cold=cold) if kind == "hybrid" else Sessions(urls.get(kind, cold))
        async with sessions:
            found = await asyncio.gather(*(talked(sessions.session(f"{kind} {number}")) for number in range(8)))
        assert found == [2] * 8

    on_uvloop(work())


@pytest.mark.parametrize("kind", ["redis", "tls", "postgres"])
def test_a_call_that_is_cancelled_says_so_and_the_next_one_gets_its_own_answer(kind: str, urls: dict[str, str]) -> None:
    async def work() -> None:
        async with Sessions(urls[kind]) as sessions:
            session = sessions.session(f"cancelled on {kind}")
            await talked(session)
            call = asyncio.create_task(session.arecord())
            await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert [len(await session.arecord()) for _ in range(3)] == [2, 2, 2]

    on_uvloop(work())


def test_a_server_that_says_nothing_is_lost_for_now() -> None:
    async def work(port: int) -> None:
        async with Sessions(f"redis://127.0.0.1:{port}?socket_timeout=0.1&retries=0") as sessions:
            with pytest.raises(StoreLost, match="did not answer in time"):
                await sessions.session("s").aappend(SAID)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        on_uvloop(work(silent.getsockname()[1]))


@pytest.mark.parametrize("kind", ["redis", "tls", "postgres"])
def test_a_loop_that_ends_ends_its_connections(kind: str, urls: dict[str, str]) -> None:
    sessions = Sessions(urls[kind])

    async def work() -> None:
        assert await talked(sessions.session(f"left on {kind}")) == 2

    for _ in range(2):
        on_uvloop(work())
    sessions.close()
