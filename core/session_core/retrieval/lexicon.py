"""The words of thousands of messages, cached per process: BM25 over a whole session in a millisecond."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log

from session_core.retrieval.retrieve import K1, B, searchable, terms
from session_core.serial.cache import BoundedCache
from session_core.turns import Message

BLOCK = 64
"""Messages whose sequence numbers have the same quotient are read together; only the newest block changes."""
KNOWN_WORDS = 400_000
"""Capacity in distinct words of blocks, of about 200 bytes each; least recently used ones are dropped."""


@dataclass(frozen=True, slots=True)
class _Block:
    """The occurrences of each word in a block: pairs of a message's offset and a count, one byte each."""

    places: Mapping[str, bytes]
    lengths: Sequence[int]
    words: int


class Lexicon:
    """Ranks the messages of sessions by words; the result depends on the messages and the query only."""

    def __init__(self) -> None:
        self._blocks: BoundedCache[_Block] = BoundedCache(KNOWN_WORDS)

    def scores(self, query: str, messages: Sequence[Message]) -> list[float]:
        """The BM25 score of each message among `messages`, as in `retrieve.rank`; 0 if it shares no word."""
        blocks = [self._block(part) for part in _parts(messages)]
        lengths = [length for block in blocks for length in block.lengths]
        average = sum(block.words for block in blocks) / max(1, len(lengths)) or 1.0
        scores = [0.0] * len(lengths)
        for word in dict.fromkeys(terms(query)):
            found = [block.places.get(word, b"") for block in blocks]
            holding = sum(map(len, found)) // 2
            if not holding:
                continue
            weight = log(1 + (len(lengths) - holding + 0.5) / (holding + 0.5)) * (K1 + 1)
            first = 0
            for block, pairs in zip(blocks, found, strict=True):
                for at in range(0, len(pairs), 2):
                    place, times = first + pairs[at], pairs[at + 1]
                    damping = K1 * (1 - B + B * lengths[place] / average)
                    scores[place] += weight * times / (times + damping)
                first += len(block.lengths)
        return scores

    def _block(self, messages: Sequence[Message]) -> _Block:
        # Strings cache their hash, so a lookup of a block is cheap.
        made_of = (
            tuple([message.content for message in messages]),
            tuple([(place, message.tool_calls) for place, message in enumerate(messages) if message.tool_calls]),
        )
        known = self._blocks.kept(made_of, _size)
        if known is None:
            made = _read(messages)
            known = self._blocks.put(made_of, made, size=_size(made))
        return known


def _size(block: _Block) -> int:
    return len(block.places) + 1


def _parts(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Runs of messages that are read together, at most 255 each, so that an offset fits into a byte."""
    for _, part in groupby(messages, lambda message: message.seq // BLOCK):
        held = list(part)
        for start in range(0, len(held), 255):
            yield held[start : start + 255]


def _read(messages: Sequence[Message]) -> _Block:
    places: dict[str, bytearray] = {}
    lengths: list[int] = []
    for place, message in enumerate(messages):
        found = terms(searchable(message))
        lengths.append(len(found))
        for word, times in Counter(found).items():
            places.setdefault(word, bytearray()).extend((place, min(times, 255)))
    return _Block({word: bytes(pairs) for word, pairs in places.items()}, tuple(lengths), sum(lengths))
