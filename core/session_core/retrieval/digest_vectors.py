"""Vectors of messages under digests, so that questions also find folded messages by meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from session_core.ports import Embedder
from session_core.ranges import Ranges
from session_core.retrieval.vectors import Vectors
from session_core.serial.cache import BoundedCache
from session_core.turns import Key, Message

BLOCK = 64
KNOWN_MESSAGES = 60_000
"""Capacity in messages of about 400 bytes each; least recently used sessions are dropped."""
MOST_COVERED = 2_000
"""The newest messages of a longer part that have vectors; older ones are found by words, or by an `Index`."""
NEAREST = 30
LEAST_NEAR = 0.3
"""How many of the nearest messages are read, and their minimum similarity: unrelated texts mostly are below it."""


class DigestVectors:
    """Caches vectors of stored messages, for embedders that are fast.

    They are computed when a fold covers the messages, once this process was asked a question; for those folded earlier
    or elsewhere, the first question reads the messages. They are kept in memory only, since a vector reveals much of
    its text, which an encrypting store must not. Thread-safe without a lock.
    """

    def __init__(self, room_messages: int = KNOWN_MESSAGES) -> None:
        self._blocks: BoundedCache[Mapping[int, bytes]] = BoundedCache(room_messages)
        self.asked = False
        """Whether there was a question yet: until then folds compute no vectors, since many services never ask one."""

    def missing(self, key: Key, born: str, part: Ranges) -> list[int]:
        """The numbers of `part` without a cached vector."""
        absent: list[int] = []
        for block, first, last in _blocks(part):
            known = self._block(key, born, block)
            if len(known) < BLOCK:
                absent += [seq for seq in range(first, last + 1) if seq not in known]
        return absent

    async def add(self, key: Key, born: str, messages: Sequence[Message], embedder: Embedder, vectors: Vectors) -> int:
        """Cache the vectors of `messages`, computed if necessary; returns their number. Raises what the embedder
        raises."""
        made = await vectors.packed(messages, embedder)
        new = dict(zip((message.seq for message in messages), made, strict=True))
        for block, first, last in _blocks(Ranges.of(sorted(new))):
            known = {**self._block(key, born, block), **{seq: new[seq] for seq in range(first, last + 1)}}
            self._blocks.put((key, born, block), dict(sorted(known.items())), size=BLOCK)
        return len(new)

    async def near(self, key: Key, born: str, query: str, part: Ranges, embedder: Embedder) -> list[int]:
        """The numbers of `part` nearest to `query`, nearest first; messages without a vector are left out."""
        seqs: list[int] = []
        vectors: list[bytes] = []
        for block, first, last in _blocks(part):
            known = self._block(key, born, block)
            whole = last - first == BLOCK - 1
            asked = known if whole else {seq: known[seq] for seq in range(first, last + 1) if seq in known}
            seqs += asked
            vectors += asked.values()
        if not seqs:
            return []
        packed: Any = embedder
        (wanted,) = await packed.packed([query])
        values = packed.nearness(wanted, vectors)
        near = [(value, seq) for value, seq in zip(values, seqs, strict=True) if value >= LEAST_NEAR]
        return [seq for _, seq in sorted(near, reverse=True)[:NEAREST]]

    def _block(self, key: Key, born: str, block: int) -> Mapping[int, bytes]:
        return self._blocks.kept((key, born, block), _size) or {}


def newest(part: Ranges) -> Ranges:
    """The `MOST_COVERED` greatest numbers of `part`, ascending."""
    left, taken = MOST_COVERED, []
    for first, last in sorted(part.pairs, reverse=True):
        if left > 0:
            taken.append((max(first, last - left + 1), last))
            left -= last - first + 1
    return Ranges(tuple(reversed(taken)))


def _size(_: Mapping[int, bytes]) -> int:
    return BLOCK


def _blocks(part: Ranges) -> Iterator[tuple[int, int, int]]:
    """The blocks that `part` touches: block number, first and last sequence number in it; several entries where it has
    gaps."""
    for start, last in part.pairs:
        for first in (start, *range((start // BLOCK + 1) * BLOCK, last + 1, BLOCK)):
            block = first // BLOCK
            yield block, first, min(last, block * BLOCK + BLOCK - 1)
