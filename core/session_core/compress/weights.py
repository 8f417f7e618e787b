"""What values count for a question: those that were mentioned lately, that calls used, or that look like those most."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from session_core.compress.bearing import Read
from session_core.compress.choosing import Candidate, State, Worth
from session_core.compress.passages import named_in, shape
from session_core.plan import Count

LATELY_TOKENS = 12_000
"""A value that was last mentioned so many tokens ago counts e times less."""

_VALUE, _TIES, _HALF = 6.0, 3.0, 0.5
_COST_POWER = 0.8
_USED, _LIKE_USED = 0.5, 1.5
"""How much more a value counts that calls used, and one that looks like those (an order's number like another's)."""
_IN_HEADING = 0.5
"""What a value of a call is worth before rows, which mostly say it again."""
_LIKE_ROWS = 0.2
_FEW_ROWS = 8.0
"""Of a structure with more rows, each counts as much less: which of many is needed is seldom this one."""


class Weights:
    """What each value counts that `candidates` and `standing` say, worked out once for all choices among them."""

    def __init__(
        self, candidates: Sequence[Read], standing: Sequence[Read], headings: Sequence[str], count: Count
    ) -> None:
        said = [*candidates, *standing]
        self._gone = frozenset[str]().union(*(reading.values for _, reading in standing))
        self._near = _nearness(said)
        used = _used(said)
        self._uses = {value: 1 + _USED * math.log1p(times) for value, times in used.items()}
        forms = Counter(form for value in used if (form := shape(value)))
        self._like = {form: 1 + _LIKE_USED * times / (times + 1) for form, times in forms.items()}
        self._lately = dict[str, float]()
        for place in sorted(range(len(said)), key=self._near.__getitem__):
            self._lately |= dict.fromkeys(said[place][1].values, self._near[place])
        self._counts = dict.fromkeys(self._lately, 1.0)
        self._now = dict(self._lately)
        self._count(self._uses)
        if self._like:
            self._count(value for _, reading in said for value, form in reading.shapes.items() if form in self._like)
        told = [named_in(text) for text in headings]
        self._named = [
            {
                name: value * (_IN_HEADING if reading.structured else 1.0)
                for name, value in named.items()
                if name in self._lately
            }
            for named, (_, reading) in zip(told, candidates, strict=True)
        ]
        self._opening = [count(text) if len(named) > 1 else 0 for text, named in zip(headings, told, strict=True)]
        self._crowds = [
            max(1.0, len(reading.passages) / _FEW_ROWS) if reading.structured else 1.0 for _, reading in candidates
        ]

    def _count(self, values: Iterable[str]) -> None:
        """Let these count by how often calls used them and how alike they are to what calls used."""
        for value in values:
            if value in self._lately:
                self._counts[value] = self._uses.get(value, 1.0) * self._like.get(shape(value), 1.0)
                self._now[value] = self._counts[value] * self._lately[value]

    def add(self, place: int, values: Iterable[str]) -> None:
        """Let values count that the candidate there turned out to say besides."""
        fresh = [value for value in values if value not in self._lately]
        self._lately |= dict.fromkeys(fresh, self._near[place])
        self._count(fresh)

    def state(self, gone: Collection[str]) -> State:
        """Where a choice begins: nothing is chosen; what stands beside it and what is `gone` counts nothing."""
        state = State(dict(self._counts), dict(self._now))
        state.tell(self._gone)
        state.tell(gone)
        return state

    def worth(self, state: State, best: float) -> Worth:
        """What a passage is worth in a `state`, where the `best` has so much to do with the question."""
        counts, counts_now, lately = state.counts, state.counts_now, self._lately
        named, opening, crowds = self._named, self._opening, self._crowds
        sources, groups = state.sources, state.groups

        def worth(one: Candidate) -> float:
            """For its tokens: ties, and the values that are not told yet; rows of a kind that is told already less."""
            passage, source = one.passage, one.source
            opens = source not in sources
            told = {**named[source], **passage.values} if opens else passage.values
            # What the question names counts wherever it was said; the rest counts less the longer ago it was.
            tied, new = one.relevance / best if best else 0.0, 0.0
            if tied:
                fading = 1.0 - tied
                for name, value in told.items():
                    new += value * counts[name] * lately[name] ** fading
                new *= 1 + _TIES * tied**2 / (tied**2 + _HALF**2)
            else:
                for name, value in told.items():
                    new += value * counts_now[name]
            new *= one.favour
            if passage.group:
                new /= 1 + _LIKE_ROWS * groups[source, passage.group]
            cost = one.tokens + opening[source] if opens else one.tokens
            stated = (one.relevance * (1 + tied) + _VALUE * new) / crowds[source]
            return float(stated / cost**_COST_POWER)

        return worth


def _nearness(messages: Sequence[Read]) -> list[float]:
    """For each message how lately it was, 1 for just now."""
    near, behind = [0.0] * len(messages), 0
    for place in sorted(range(len(messages)), key=lambda place: -messages[place][0].seq):
        near[place] = math.exp(-behind / LATELY_TOKENS)
        behind += messages[place][0].tokens
    return near


def _used(messages: Sequence[Read]) -> Counter[str]:
    """How often calls used each value."""
    calls = [reading for message, reading in messages if message.tool_calls]
    passages = [passage for reading in calls for passage in reading.passages if passage.voice == "call"]
    return Counter(value for passage in passages for value in passage.values)
