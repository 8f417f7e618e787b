"""Parts of a record as contiguous pieces, so that a long record is sorted as quickly as a short one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise

from session_core.ranges import Ranges


class Pieces:
    """The pieces of `parts`, and each of `numbers` by itself; a piece goes by its first number.

    Numbers that stand in one piece stand together in each part, or not at all: what is decided on the first
    goes for all of them.
    """

    def __init__(self, parts: Iterable[Ranges], numbers: Iterable[int]) -> None:
        cuts = {cut for part in parts for first, last in part.pairs for cut in (first, last + 1)}
        for number in numbers:
            cuts.update((number, number + 1))
        self._firsts = sorted(cuts)
        self._ends = dict(pairwise(self._firsts))

    def of(self, part: Ranges) -> list[int]:
        """The pieces of `part`, in its order."""
        found: list[int] = []
        for first, last in part.pairs:
            found += self._firsts[bisect_left(self._firsts, first) : bisect_right(self._firsts, last)]
        return found

    def whole(self, pieces: Iterable[int]) -> Ranges:
        """The part that `pieces` are, one behind the other."""
        pairs: list[tuple[int, int]] = []
        for first in pieces:
            last = self._ends[first] - 1
            if pairs and pairs[-1][1] + 1 == first:
                pairs[-1] = pairs[-1][0], last
            else:
                pairs.append((first, last))
        return Ranges(tuple(pairs))
