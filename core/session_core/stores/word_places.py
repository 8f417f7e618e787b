"""In-memory word index for stores without one: each message is read for it once per process."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

from session_core.retrieval.retrieve import STOP_WORDS, ascii_words, searchable, terms
from session_core.serial.cache import BoundedCache
from session_core.stores.rules import best_holders
from session_core.turns import Key, Message

BLOCK = 64
"""Messages 1 to 64 of a session are read together, then 65 to 128, and so on; a log only grows, so a full block
never changes."""
KNOWN_PLACES = 4_000_000
"""Capacity in occurrences of words, of 5 bytes each; least recently searched sessions are dropped."""


@dataclass(frozen=True, slots=True)
class Block:
    """The hashes of the words of some messages, ascending, and for each the index of a message that contains it."""

    hashes: array[int]
    places: bytes

    @classmethod
    def of(cls, messages: Iterable[Message]) -> Block:
        """The words of at most 256 messages. Words with the same hash, one pair in billions, count as one."""
        # Hash and index in one number, each word of a message once: two thirds of the time of pairs.
        found = sorted(
            {crc32(word) << 8 | place for place, message in enumerate(messages) for word in _words(searchable(message))}
        )
        return cls(array("I", [one >> 8 for one in found]), bytes([one & 255 for one in found]))

    def holding(self, hashed: int) -> bytes:
        """The indexes of the messages that contain the word with this hash."""
        first = bisect_left(self.hashes, hashed)
        if first == len(self.hashes) or self.hashes[first] != hashed:
            return b""
        return self.places[first : bisect_right(self.hashes, hashed, first)]


_STOP_WORDS = frozenset(word.encode() for word in STOP_WORDS)
Part = tuple[int, Block]
"""The number of a block's first message, and the block."""


class WordPlaces:
    """The blocks of the sessions of one store, in memory only. Thread-safe without a lock."""

    def __init__(self, room_places: int = KNOWN_PLACES) -> None:
        self._blocks: BoundedCache[Block] = BoundedCache(room_places)

    def known(self, key: Key, born: str, first: int) -> Block | None:
        """The full block that begins with message number `first`, if it is cached."""
        return self._blocks.kept((key, born, first), _size)

    def read(self, key: Key, born: str, first: int, messages: Sequence[Message]) -> list[Part]:
        """The blocks of `messages`, the first of which has the number `first` and begins a block; full ones are
        cached."""
        parts: list[Part] = []
        for start in range(0, len(messages), BLOCK):
            inside = messages[start : start + BLOCK]
            block = Block.of(inside)
            if len(inside) == BLOCK:
                self._blocks.put((key, born, first + start), block, size=_size(block))
            parts.append((first + start, block))
        return parts

    def missing(self, key: Key, born: str, messages: int, *, at_once: int) -> tuple[list[Part], list[tuple[int, int]]]:
        """The cached blocks of a session with so many messages, and the first and last message to be read: from a
        block's beginning on, at most `at_once` messages, in whole blocks unless the record ends."""
        known: list[Part] = []
        wanted: list[tuple[int, int]] = []
        for first in range(1, messages + 1, BLOCK):
            if (block := self.known(key, born, first)) is not None:
                known.append((first, block))
                continue
            last = min(first + BLOCK - 1, messages)
            if wanted and wanted[-1][1] == first - 1 and last - wanted[-1][0] < at_once:
                wanted[-1] = wanted[-1][0], last
            else:
                wanted.append((first, last))
        return known, wanted


def best(parts: Sequence[Part], words: Iterable[str], *, max_hits: int) -> list[int]:
    """The numbers of the messages that contain any of `words`: those with rarer words first, of equal ones the
    newest."""
    return best_holders((list(_holding(parts, _hash(word))) for word in dict.fromkeys(words)), most=max_hits)


def _holding(parts: Sequence[Part], hashed: int) -> Iterator[int]:
    for first, block in parts:
        for place in block.holding(hashed):
            yield first + place


def _words(text: str) -> set[bytes]:
    """The distinct words of `terms`, in the form in which they are hashed."""
    if text.isascii():
        return set(ascii_words(text)) - _STOP_WORDS
    return {_bytes(word) for word in terms(text)}


def _bytes(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")


def _hash(word: str) -> int:
    return crc32(_bytes(word))


def _size(block: Block) -> int:
    return len(block.places) + 1
