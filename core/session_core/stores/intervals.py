"""Splits ranges of sequence numbers at each other's borders, so that merging costs by range, not by message."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise

from session_core.ranges import Ranges


class Intervals:
    """The elementary intervals of `parts`: the ranges between all their borders, with each of `numbers` alone.

    An interval is named by its first number. Each part contains an interval completely or not at all, so a
    decision about its first number holds for all of it.
    """

    def __init__(self, parts: Iterable[Ranges], numbers: Iterable[int]) -> None:
        cuts = {cut for part in parts for first, last in part.pairs for cut in (first, last + 1)}
        for number in numbers:
            cuts.update((number, number + 1))
        self._firsts = sorted(cuts)
        self._ends = dict(pairwise(self._firsts))

    def of(self, part: Ranges) -> list[int]:
        """The intervals that `part` consists of, in its order."""
        found: list[int] = []
        for first, last in part.pairs:
            found += self._firsts[bisect_left(self._firsts, first) : bisect_right(self._firsts, last)]
        return found

    def whole(self, pieces: Iterable[int]) -> Ranges:
        """The inverse of `of`: the ranges of `pieces`, concatenated in the given order."""
        pairs: list[tuple[int, int]] = []
        for first in pieces:
            last = self._ends[first] - 1
            if pairs and pairs[-1][1] + 1 == first:
                pairs[-1] = pairs[-1][0], last
            else:
                pairs.append((first, last))
        return Ranges(tuple(pairs))
