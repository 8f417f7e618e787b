"""Parts of a record as ranges of sequence numbers, in the conversation's order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class Ranges:
    """An ordered list of closed ranges `(first, last)`; a straight conversation is one range.

    An edited or forked conversation is a few. Neighbours are merged, so equal parts compare equal.
    """

    pairs: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, seqs: Iterable[int]) -> Ranges:
        """The ranges of `seqs`, in the order given; runs of consecutive numbers become one pair."""
        pairs: list[tuple[int, int]] = []
        for seq in seqs:
            if pairs and pairs[-1][1] + 1 == seq:
                pairs[-1] = (pairs[-1][0], seq)
            else:
                pairs.append((seq, seq))
        return cls(tuple(pairs))

    @classmethod
    def span(cls, first: int, last: int) -> Ranges:
        """Everything from `first` to `last`, both included; nothing when `last` is before `first`."""
        return cls(((first, last),)) if last >= first else cls()

    @classmethod
    def from_pairs(cls, pairs: Sequence[Sequence[int]]) -> Ranges:
        """Ranges that were stored as a list of two-number lists."""
        return cls(tuple((int(first), int(last)) for first, last in pairs))

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable([range(first, last + 1) for first, last in self.pairs])

    def __len__(self) -> int:
        total = 0
        for first, last in self.pairs:
            total += last - first + 1
        return total

    def __bool__(self) -> bool:
        return bool(self.pairs)

    def __contains__(self, seq: object) -> bool:
        return isinstance(seq, int) and any(first <= seq <= last for first, last in self.pairs)

    @property
    def last(self) -> int:
        """The sequence number at the end; 0 for no ranges."""
        return self.pairs[-1][1] if self.pairs else 0

    def plus(self, other: Ranges) -> Ranges:
        """This part, then `other`."""
        if not self.pairs or not other.pairs:
            return self if self.pairs else other
        (first, last), (after, end) = self.pairs[-1], other.pairs[0]
        if last + 1 == after:
            return Ranges((*self.pairs[:-1], (first, end), *other.pairs[1:]))
        return Ranges(self.pairs + other.pairs)

    def after(self, prefix: Ranges) -> Ranges | None:
        """The rest of this part after `prefix`, or None if it does not begin with `prefix`."""
        if not prefix.pairs:
            return self
        count = len(prefix.pairs)
        if self.pairs[: count - 1] != prefix.pairs[:-1] or len(self.pairs) < count:
            return None
        (first, last), (mine, end) = prefix.pairs[-1], self.pairs[count - 1]
        if first != mine or last > end:
            return None
        rest = ((last + 1, end),) if last < end else ()
        return Ranges(rest + self.pairs[count:])

    def until(self, other: Ranges) -> Ranges:
        """This part up to the last number of it that `other` has; nothing if they share none."""
        end = self.intersection(other).last
        place = next((n for n, (first, last) in enumerate(self.pairs) if first <= end <= last), None)
        return Ranges() if place is None else Ranges((*self.pairs[:place], (self.pairs[place][0], end)))

    def minus(self, other: Ranges) -> Ranges:
        """This part minus all of `other`, which has no duplicates; the time depends on the number of ranges."""
        if self.pairs == other.pairs or not other.pairs:
            return self if not other.pairs else Ranges()
        cuts = sorted(other.pairs)
        left: list[tuple[int, int]] = []
        for first, last in self.pairs:
            at = bisect_left(cuts, (first,))
            # A range that begins before may extend into it.
            for low, high in cuts[max(at - 1, 0) :]:
                if low > last:
                    break
                if high >= first:
                    left += [(first, low - 1)] if low > first else []
                    first = high + 1
            left += [(first, last)] if first <= last else []
        return Ranges._joined(left)

    @classmethod
    def _joined(cls, pairs: Iterable[tuple[int, int]]) -> Ranges:
        joined: list[tuple[int, int]] = []
        for first, last in pairs:
            if joined and joined[-1][1] + 1 == first:
                joined[-1] = joined[-1][0], last
            else:
                joined.append((first, last))
        return cls(tuple(joined))

    def without(self, seqs: set[int]) -> Ranges:
        """This part minus `seqs`."""
        return Ranges.of(seq for seq in self if seq not in seqs)

    def less(self, seqs: Iterable[int]) -> Ranges:
        """As `without`, for few numbers of a long part: the time depends on the number of ranges, not of numbers."""
        pairs = self.pairs
        for seq in seqs:
            cut = ((first, last) for pair in pairs for first, last in _around(pair, seq))
            pairs = tuple((first, last) for first, last in cut if first <= last)
        return _merged(pairs)

    def intersection(self, other: Ranges) -> Ranges:
        """The numbers of this part that are also in `other`, in this part's order; as fast as `less`."""
        theirs = sorted(other.pairs)
        common: list[tuple[int, int]] = []
        for first, last in self.pairs:
            for low, high in theirs[bisect_left(theirs, first, key=lambda pair: pair[1]) :]:
                if low > last:
                    break
                common.append((max(first, low), min(last, high)))
        return _merged(common)


def _merged(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """The ranges of `pairs`, with adjacent ones merged."""
    made: list[tuple[int, int]] = []
    for first, last in pairs:
        if made and made[-1][1] + 1 == first:
            first = made.pop()[0]
        made.append((first, last))
    return Ranges(tuple(made))


def _around(pair: tuple[int, int], seq: int) -> tuple[tuple[int, int], ...]:
    first, last = pair
    return ((first, seq - 1), (seq + 1, last)) if first <= seq <= last else (pair,)
