"""Checks whether a sentence associates a value, a count or a name with something else than its source does."""

from __future__ import annotations

from dataclasses import dataclass

from session_core.plan import GiveWay, never_pause
from session_core.verification.claims import Claim, Count, Item, claims, counts, is_unit, names_in, stem

ENOUGH = 0.5
"""Share of a claim's words that must occur with another value of the same kind to contradict it."""

_MUTUAL = frozenset("and or with und et y e con avec mit marri meet met versus vs".split())


@dataclass(frozen=True, slots=True)
class Associations:
    """The values, counts and names that occur together in a source."""

    names: frozenset[str]
    claims: tuple[Claim, ...]
    counts: tuple[Count, ...]

    @classmethod
    def of(cls, source: str, give_way: GiveWay = never_pause) -> Associations:
        called = names_in(source, give_way)
        give_way()
        return cls(called, tuple(claims(source, called, give_way)), tuple(counts(source)))

    def are_kept_by(self, sentence: str) -> bool:
        """Whether `sentence` contradicts no association of the source.

        Only contradictions count: a value without associations in the source may occur anywhere.
        """
        told = claims(sentence, self.names)
        return (
            all(self._counted(count) for count in counts(sentence))
            and all(self._bound(claim, item) for claim in told for item in claim.items)
            and all(self._together(claim) for claim in told)
            and all(self._in_order(*pair) for claim in told for pair in claim.between)
        )

    def _counted(self, told: Count) -> bool:
        """Whether counts are kept: three rooms stay three rooms, and five kilometers are not five miles."""
        if not told.noun:
            return True
        same = [count for count in self.counts if count.ordinal == told.ordinal]
        nouns = [count.noun for count in same if count.number == told.number]
        if told.noun in nouns or "" in nouns:
            return True
        if any(count.noun == told.noun for count in same):
            return False
        return not (is_unit(told.noun) and nouns and all(is_unit(noun) for noun in nouns))

    def _bound(self, claim: Claim, item: Item) -> bool:
        here = [
            one
            for one in self.claims
            if any(item.keys & other.keys for other in one.items if _may_be_equal(other, item))
        ]
        if not here:
            return True
        those = {id(one) for one in here}
        rest = (one for one in self.claims if id(one) not in those)
        others = [one for one in rest if any(other.sort == item.sort for other in one.items)]
        if any(one.corrects for one in here):
            # It takes the place of what was said before, but not of what stands in the same breath.
            breaths = {one.sentence for one in here}
            others = [one for one in others if one.sentence in breaths]
        whose = [one.names for one in here]
        if claim.names and all(whose) and not any(claim.names & names for names in whose):
            theirs = claim.doers and all(one.doers and claim.anchors <= one.anchors for one in here)
            return not theirs and not any(claim.names & one.names for one in others)
        if sum(one.sort == item.sort for one in claim.items) > 1 or any(not _words(one) for one in here):
            return True
        words = claim.anchors | _stems(claim.names)
        most = max(len(words & _words(one)) for one in here)
        against = max((len(words & (one.anchors | _stems(one.names))) for one in others), default=0)
        return against <= most or against < ENOUGH * len(words)

    def _together(self, claim: Claim) -> bool:
        """Whether values stay with their names: who lives in Rome does not live in Paris."""
        if len(claim.names) < 2 or not claim.anchors:
            return True
        words = claim.names & self.names
        alike = [one for one in self.claims if claim.anchors <= one.anchors]
        for name in words:
            mine = [one for one in alike if name in one.names]
            for other in words - {name}:
                theirs = [one for one in alike if other in one.names]
                if not mine or not theirs or any(other in one.names for one in mine):
                    continue
                if all(len(one.names) > 1 for one in (*mine, *theirs)):
                    return False
        return True

    def _in_order(self, first: Item, words: tuple[str, ...], second: Item) -> bool:
        """Whether the order is kept: May 3 to May 10 is not May 10 to May 3, and a lender is not a borrower."""
        if not words or first.sort != second.sort or _MUTUAL.intersection(words):
            return True
        pairs = [pair for one in self.claims for pair in one.between if pair[1] == words]
        kept = any(first.keys & a.keys and second.keys & b.keys for a, _, b in pairs)
        turned = any(first.keys & b.keys and second.keys & a.keys for a, _, b in pairs)
        return kept or not turned


def _may_be_equal(one: Item, other: Item) -> bool:
    """Whether two values may be equal: a number without a noun may count anything."""
    return one.sort == other.sort or "count" in (one.sort, other.sort)


def _words(claim: Claim) -> frozenset[str]:
    """The words of a claim in the source and of the question that it answers."""
    return claim.anchors | claim.question | _stems(claim.names)


def _stems(names: frozenset[str]) -> frozenset[str]:
    return frozenset(stem(name) for name in names)
