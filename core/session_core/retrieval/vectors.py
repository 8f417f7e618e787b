"""Semantic similarity of messages to a question; each message is embedded once per process and cached."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from session_core.ports import Embedder
from session_core.retrieval.retrieve import cosine, searchable
from session_core.serial.cache import BoundedCache
from session_core.turns import Message

KNOWN_BYTES = 24 * 1024 * 1024
"""Capacity in bytes: some 60,000 messages of the static embedder, 4,000 with 1,536 dimensions. Least recently used
vectors are dropped."""
_BESIDE = 120
"""Overhead of a cached vector in bytes."""


class Vectors:
    """Caches vectors by a hash of the message's text, for questions, folds and searches of all sessions.

    Shared by both voices of one `Sessions`, whose embedders are the same. Nothing is persisted: a vector reveals much
    of its text, and an encrypting store would have it in clear.
    """

    def __init__(self, room_bytes: int = KNOWN_BYTES) -> None:
        self._known: BoundedCache[bytes | array[float]] = BoundedCache(room_bytes)
        self.lost = False
        """Whether the embedder is not available at all; it is not asked again."""

    async def nearness(self, query: str, messages: Sequence[Message], embedder: Embedder) -> list[float]:
        """The cosine similarity of each message to `query`. Raises what the embedder raises."""
        wanted, *vectors = await self._of((query,), messages, embedder)
        if is_fast(embedder):
            near: list[float] = embedder.nearness(wanted, vectors)  # type: ignore[attr-defined]  # `is_fast` said so
            return near
        return [cosine(wanted, vector) for vector in vectors]

    async def packed(self, messages: Sequence[Message], embedder: Embedder) -> list[bytes]:
        """The vectors of `messages` in the form of a fast `embedder`. Raises what it raises."""
        return await self._of((), messages, embedder)

    async def _of(self, query: Sequence[str], messages: Sequence[Message], embedder: Embedder) -> list[Any]:
        """The vectors of `query`, then of `messages`; missing ones are computed in one call, the query first."""
        texts = [searchable(message) or " " for message in messages]
        keys = [_key(text) for text in texts]
        found = [self._known.kept(key, _size) for key in keys]
        missing = {key: text for key, text, vector in zip(keys, texts, found, strict=True) if vector is None}
        wanted: list[Any] = []
        made: list[Any] = []
        if asked := [*query, *missing.values()]:
            packed: Any = embedder
            vectors: Any = await packed.packed(asked) if is_fast(embedder) else await embedder.embed(asked)
            wanted, made = vectors[: len(query)], vectors[len(query) :]
        if not is_fast(embedder):
            made = [array("f", vector) for vector in made]
        new = dict(zip(missing, made, strict=True))
        for key, vector in new.items():
            self._known.put(key, vector, size=_size(vector))
        return [*wanted, *(new[key] if vector is None else vector for key, vector in zip(keys, found, strict=True))]


def is_fast(embedder: Embedder) -> bool:
    """Whether the embedder compares vectors itself, and so is fast enough for all messages of a session."""
    return callable(getattr(embedder, "nearness", None))


def _size(vector: bytes | array[float]) -> int:
    return _BESIDE + (len(vector) if isinstance(vector, bytes) else len(vector) * vector.itemsize)


def _key(text: str) -> bytes:
    """Not the text itself, which would stay in memory as long as its vector: a tool's output is ten times as large."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
