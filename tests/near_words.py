"""Embedders for tests without a model: words of one meaning are one, and each text that is embedded is counted."""

from __future__ import annotations

from collections.abc import Sequence

from meaning import Meanings

from session_core.retrieval.retrieve import cosine


class PlainWords:
    """An embedder with nothing but `embed`, such as one that asks a server."""

    name = "plain"

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked += texts
        return Meanings().embed_documents(list(texts))


class QuickWords(PlainWords):
    """An embedder that compares its vectors itself, so that all messages of a session are asked about."""

    name = "quick"

    async def packed(self, texts: Sequence[str]) -> list[bytes]:
        return [bytes(int(10 * number) for number in vector) for vector in await self.embed(texts)]

    def nearness(self, query: bytes, vectors: Sequence[bytes]) -> list[float]:
        return [cosine(list(query), list(vector)) for vector in vectors]
