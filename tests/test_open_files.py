"""A process that may open no further file: what each store says, and that it goes on as soon as it may."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from session_core import Sessions
from session_core.errors import StoreBusy

SAID = {"role": "user", "content": "My budget is 900 euros."}
TOLD = r"too many files and connections open \(ulimit -n\)"

on_servers = pytest.mark.parametrize("url", ["redis_url", "postgres"], indirect=True)


@contextmanager
def no_file_left() -> Iterator[None]:
    """In the block this process opens no file: the lowest free number is over its limit."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.fixture(params=["sqlite", "redis_url", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store that holds the session "many", in a process that has loaded all it needs for a connection."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/chat.db"
    else:
        server = request.getfixturevalue(request.param)
        url = server if isinstance(server, str) else server.url
    with Sessions(url) as sessions:
        sessions.session("many").append(SAID)
        yield url
        sessions.session("many").delete()


def test_who_opens_a_store_is_told_of_the_limit_and_can_as_soon_as_files_are_closed(url: str) -> None:
    with no_file_left(), pytest.raises(StoreBusy, match=TOLD):
        Sessions(url).session("many").append(SAID)
    with Sessions(url) as sessions:
        assert sessions.session("many").append(SAID).new == 1


@on_servers
def test_a_call_is_told_of_the_limit_and_is_repeated_with_success(url: str) -> None:
    with Sessions(url) as sessions:
        session = sessions.session("many")
        with no_file_left(), pytest.raises(StoreBusy, match=f"session many: .*{TOLD}"):
            session.append(SAID)
        assert session.append(SAID).new == 1
        assert len(session.record()) == 2


@on_servers
def test_an_awaited_call_is_told_of_the_limit_and_is_repeated_with_success(url: str) -> None:
    async def run() -> None:
        async with Sessions(url) as sessions:
            session = sessions.session("many")
            with no_file_left(), pytest.raises(StoreBusy, match=f"session many: .*{TOLD}"):
                await session.aappend(SAID)
            assert (await session.aappend(SAID)).new == 1
            assert len(await session.arecord()) == 2

    asyncio.run(run())
