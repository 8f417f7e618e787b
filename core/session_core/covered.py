"""The vectors of what digests cover, by session and number, so that a question finds by meaning what is folded too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from session_core.ports import Embedder
from session_core.retrieve import searchable
from session_core.serial.remembered import Remembered
from session_core.turns import Key, Message

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

    They are made when a fold covers them, or, in another process, when a question first needs them: that one reads
    the messages from the store. They are kept in memory and nowhere else, since a vector tells much of what was said:
    a store that seals its messages would give them away by it. Safe with several threads without a lock.
    """

    def __init__(self, room_messages: int = KNOWN_MESSAGES) -> None:
        self._blocks: Remembered[Mapping[int, bytes]] = Remembered(room_messages)

    def missing(self, key: Key, born: str, seqs: Sequence[int]) -> list[int]:
        """Those of `seqs` whose vectors are not known."""
        absent: list[int] = []
        for block, part in _parts(seqs):
            known = self._block(key, born, block)
            absent += [seq for seq in part if seq not in known]
        return absent

    async def add(self, key: Key, born: str, messages: Sequence[Message], embedder: Embedder) -> int:
        """Remember the vectors of `messages`; how many those are. Raises what the embedder does."""
        packed: Any = embedder
        made = await packed.packed([searchable(message) or " " for message in messages])
        new = dict(zip((message.seq for message in messages), made, strict=True))
        for block, part in _parts(sorted(new)):
            both = {**self._block(key, born, block), **{seq: new[seq] for seq in part}}
            self._blocks.forget((key, born, block))
            self._blocks.get((key, born, block), _always(both), size=BLOCK)
        return len(new)

    async def near(self, key: Key, born: str, query: str, seqs: Sequence[int], embedder: Embedder) -> list[int]:
        """Those of `seqs` that are nearest to `query`, nearest first; what is not known is left out."""
        known = {seq: vector for block, part in _parts(seqs) for seq, vector in self._of(key, born, block, part)}
        if not known:
            return []
        packed: Any = embedder
        (wanted,) = await packed.packed([query])
        near = dict(zip(known, packed.nearness(wanted, list(known.values())), strict=True))
        best = sorted((seq for seq in near if near[seq] >= LEAST_NEAR), key=lambda seq: (-near[seq], -seq))
        return best[:NEAREST]

    def _of(self, key: Key, born: str, block: int, seqs: Iterable[int]) -> list[tuple[int, bytes]]:
        known = self._block(key, born, block)
        return [(seq, known[seq]) for seq in seqs if seq in known]

    def _block(self, key: Key, born: str, block: int) -> Mapping[int, bytes]:
        return self._blocks.kept((key, born, block), _size) or {}


def _size(_: Mapping[int, bytes]) -> int:
    return BLOCK


def _always(block: Mapping[int, bytes]) -> Any:
    return lambda: block


def _parts(seqs: Sequence[int]) -> list[tuple[int, list[int]]]:
    return [(block, list(part)) for block, part in groupby(seqs, lambda seq: seq // BLOCK)]
