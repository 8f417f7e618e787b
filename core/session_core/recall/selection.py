"""Selects passages for a token limit, best value per token first."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from session_core.passages.reading import Passage
from session_core.passages.word_values import named_in
from session_core.plan import Count, GiveWay, never_pause

LEAST = 8
"""Room below this is not worth filling."""


@dataclass(slots=True)
class Candidate:
    """A passage that may be chosen: where it stands, what it has in common with the question by itself and as part of
    its message, how much it counts by who says it, and how much less for the rows like it; `full` once it stands in its
    own words."""

    passage: Passage
    source: int
    place: int
    relevance: float
    whole: float
    favour: float
    crowd: float = 1.0
    full: bool = False

    @property
    def tokens(self) -> int:
        return self.passage.tokens if self.full else self.passage.brief_tokens


@dataclass(slots=True)
class Chosen:
    """The passages chosen so far under their `headings`, and what each value still counts: `counts`, and by how lately
    it was said `counts_now`."""

    headings: Sequence[str]
    counts: dict[str, float]
    counts_now: dict[str, float]
    sources: set[int] = field(default_factory=set)
    groups: Counter[tuple[int, int]] = field(default_factory=Counter)

    def mark_shown(self, values: Iterable[str]) -> None:
        """Mark values as shown: they count nothing from now on."""
        told = dict.fromkeys(values, 0.0)
        self.counts |= told
        self.counts_now |= told

    def take(self, one: Candidate) -> None:
        """Choose a passage: what it says, and its heading, is shown."""
        self.sources.add(one.source)
        if one.passage.group:
            self.groups[one.source, one.passage.group] += 1
        self.mark_shown(one.passage.told_values)
        self.mark_shown(named_in(self.headings[one.source]))


Worth = Callable[[Candidate], float]
"""The value of a passage by itself, and as part of its message."""
Price = Callable[[Candidate], int]
"""The cost of choosing a passage: its tokens, with heading and columns if it is the first under them."""


class Prices:
    """The costs of passages; lines are counted once."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._counted: dict[str, int] = {}

    def of(self, chosen: Chosen) -> Price:
        """The costs when these passages are chosen already."""

        def price(one: Candidate) -> int:
            total = one.tokens
            if one.source not in chosen.sources:
                total += self._tokens(chosen.headings[one.source])
            if one.passage.schema:
                whole, before = self._tokens(one.passage.schema), chosen.groups[one.source, one.passage.group]
                total += one.passage.schema_tokens(whole, before)
            return total

        return price

    def _tokens(self, line: str) -> int:
        if line not in self._counted:
            self._counted[line] = self._count(line) + 1
        return self._counted[line]


class Choice:
    """Chooses passages, the best for its tokens first; `made` has them in the order of their choice.

    What a passage is worth falls with each one chosen before it, which has said some of it. So worths in the heap
    are upper bounds, and only the passage at the top is weighed anew: if it still is the best it is taken, else it
    goes back (lazy greedy: Minoux, 1978). `first` is about what each is worth before anything is chosen. `newer` has
    the places of statements that were made again, with the place of the later one, which is taken before them.

    A heap entry is (minus worth, n). n >= 0 is the passage `found[n]`; n < 0 is the passage `found[~n]` once it is
    chosen in a telegram's words, with what its own words would be worth (`own_words` of it) for the tokens they add.
    """

    def __init__(
        self,
        found: Sequence[Candidate],
        first: Sequence[float],
        chosen: Chosen,
        worth: Worth,
        price: Price,
        *,
        own_words: float,
        newer: Mapping[int, int],
        give_way: GiveWay = never_pause,
    ) -> None:
        self.made: list[Candidate] = []
        self._newer, self._give_way = newer, give_way
        self._own_words = own_words
        self._found, self._chosen, self._worth, self._price = found, chosen, worth, price
        self._heap = [
            (-worth - one.whole, number) for number, (one, worth) in enumerate(zip(found, first, strict=True))
        ]
        self._taken: set[int] = set()
        heapq.heapify(self._heap)

    def fill(self, room: int) -> bool:
        """Choose what has room; whether something was."""
        heap, too_long, before = self._heap, list[tuple[float, int]](), room
        while heap and room >= LEAST:
            self._give_way()
            key, number = heapq.heappop(heap)
            if number < 0:
                one = self._found[~number]
                cost = one.passage.tokens - one.passage.brief_tokens
                if cost <= room:
                    one.full = True
                    room -= cost
                continue
            if number in self._taken:
                continue
            newer = self._newer.get(number)
            next_one = number if newer is None or newer in self._taken else newer
            one = self._found[next_one]
            cost = self._price(one)
            if cost > room:
                too_long.append((key, number))
                continue
            now = -self._worth(self._found[number]) - self._found[number].whole
            if next_one == number and heap and now > heap[0][0] + 1e-9:
                heapq.heappush(heap, (now, number))
                continue
            self._take(one, next_one, now)
            room -= cost
            if next_one != number:
                # The later statement was chosen first; now the earlier one may be chosen too.
                heapq.heappush(heap, (now, number))
        for entry in too_long:
            heapq.heappush(heap, entry)
        return room < before

    def _take(self, one: Candidate, number: int, key: float) -> None:
        self.made.append(one)
        self._taken.add(number)
        if one.passage.brief:
            heapq.heappush(self._heap, (key * self._own_words, ~number))
        self._chosen.take(one)
