"""Vectors of messages under digests, so that questions also find folded messages by meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from session_core.ports import Embedder
from session_core.ranges import Ranges
from session_core.serial.remembered import Remembered
from session_core.turns import Key, Message
from session_core.vectors import Vectors

BLOCK = 64
KNOWN_MESSAGES = 60_000
"""How many messages a process remembers so, in some 400 bytes each; of more sessions, those asked lately."""
MOST_COVERED = 2_000
"""Of a longer part of a record the newest messages so many: what is older is found by its words, or by an `Index`."""
NEAREST = 30
LEAST_NEAR = 0.3
"""How many messages of those a question is near to are read, and how near they must be: most texts that have
nothing to do with each other are below."""


class Covered:
    """What a process knows of messages that it does not hold: a vector for each, of an embedder that is quick.

    They are made when a fold covers them, once a question was asked in this process; of what was folded before, or in
    another process, when a question first needs them: that one reads the messages from the store. They are kept in
    memory and nowhere else, since a vector tells much of what was said: a store that seals its messages would give
    them away by it. Safe with several threads without a lock.
    """

    def __init__(self, room_messages: int = KNOWN_MESSAGES) -> None:
        self._blocks: Remembered[Mapping[int, bytes]] = Remembered(room_messages)
        self.asked = False
        """Whether anybody asked a question yet: until then a fold makes none, since many services never ask one."""

    def missing(self, key: Key, born: str, part: Ranges) -> list[int]:
        """Those numbers of `part` whose vectors are not known."""
        absent: list[int] = []
        for block, first, last in _blocks(part):
            known = self._block(key, born, block)
            if len(known) < BLOCK:
                absent += [seq for seq in range(first, last + 1) if seq not in known]
        return absent

    async def add(self, key: Key, born: str, messages: Sequence[Message], embedder: Embedder, vectors: Vectors) -> int:
        """Remember what `vectors` has of `messages`, or makes; how many those are. Raises what the embedder does."""
        made = await vectors.packed(messages, embedder)
        new = dict(zip((message.seq for message in messages), made, strict=True))
        for block, first, last in _blocks(Ranges.of(sorted(new))):
            known = {**self._block(key, born, block), **{seq: new[seq] for seq in range(first, last + 1)}}
            self._blocks.put((key, born, block), dict(sorted(known.items())), size=BLOCK)
        return len(new)

    async def near(self, key: Key, born: str, query: str, part: Ranges, embedder: Embedder) -> list[int]:
        """Those numbers of `part` that are nearest to `query`, nearest first; what is not known is left out."""
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
    """The blocks that `part` is in: number, first and last of it there; in several pieces where it has gaps."""
    for start, last in part.pairs:
        for first in (start, *range((start // BLOCK + 1) * BLOCK, last + 1, BLOCK)):
            block = first // BLOCK
            yield block, first, min(last, block * BLOCK + BLOCK - 1)
