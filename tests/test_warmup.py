"""What first calls would wait for is loaded ahead; what costs money, or is not there, is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from session_core import Policy, Sessions
from session_core.errors import ConfigError, StoreError


class Far:
    """An embedder of somebody else's, who wants money for each text."""

    name = "far"

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        return [[1.0] for _ in texts]


class Near(Far):
    """One that has its vectors in this process."""

    name = "near"

    async def packed(self, texts: Sequence[str]) -> list[bytes]:
        return [b"" for _ in texts]

    def nearness(self, query: bytes, vectors: Sequence[bytes]) -> list[float]:
        return [0.0 for _ in vectors]


class Gone(Near):
    """One whose package is not there."""

    name = "gone"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        raise ConfigError("pip install it")


def _blocking(sessions: Sessions) -> None:
    sessions.warm()


def _awaited(sessions: Sessions) -> None:
    asyncio.run(sessions.awarm())


VOICES = pytest.mark.parametrize("warm", [_blocking, _awaited])
Warm = Callable[[Sessions], None]


@VOICES
@pytest.mark.parametrize(("embedder", "times"), [(Near(), 1), (Far(), 0)])
def test_an_embedder_that_has_its_vectors_here_is_loaded_and_no_other(warm: Warm, embedder: Far, times: int) -> None:
    embedder.asked.clear()
    with Sessions(policy=Policy(embedder=embedder)) as sessions:
        warm(sessions)
    assert len(embedder.asked) == times


@VOICES
def test_an_embedder_that_is_not_there_is_asked_once(warm: Warm) -> None:
    embedder = Gone()
    with Sessions(policy=Policy(embedder=embedder)) as sessions:
        warm(sessions)
        warm(sessions)
        assert sessions.services.vectors.lost
    assert len(embedder.asked) == 1


@VOICES
def test_a_store_that_does_not_answer_is_told_at_the_start(warm: Warm) -> None:
    with Sessions("redis://127.0.0.1:1") as sessions, pytest.raises(StoreError, match=r"127\.0\.0\.1:1"):
        warm(sessions)


@VOICES
def test_warming_stores_nothing(warm: Warm) -> None:
    with Sessions() as sessions:
        warm(sessions)
        assert sessions.list() == ()
