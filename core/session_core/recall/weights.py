"""Weights of values for a question: recently mentioned ones, ones used by calls, and ones that resemble these."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from session_core.language.words import ASKING_WORDS
from session_core.passages.reading import Passage
from session_core.passages.scoring import Read, Relevance
from session_core.passages.word_values import named_in, shape
from session_core.plan import Count
from session_core.recall.mentions import Mentions
from session_core.recall.selection import Candidate, Chosen, Worth

_VALUE, _TIES, _HALF = 6.0, 3.0, 0.5
_COST_POWER = 0.8
_NEW = 2.0
"""With values worth so much that are not told yet, ties count half: what only says again what is told needs no room."""
_USED, _LIKE_USED = 0.5, 1.5
"""How much more a value counts that calls used, and one that looks like those (an order's number like another's)."""
_IN_HEADING = 0.5
"""What a value of a call is worth before rows, which mostly say it again."""
_LIKE_ROWS = 0.2
_BEST_ROW = 0.7
"""With more, what a tool said displaces what a person said of it later."""

_FEW_ROWS, _NAMED_ROWS, _MANY_ROWS = 8.0, 3, 100
"""Of a structure with more rows than a few, each counts as much less: which of many is needed is seldom this one. Of
many that is not so for those that have most to do with the question."""


class Weights:
    """The weight of each value in `candidates` and `standing`, computed once for all choices among them."""

    def __init__(
        self,
        candidates: Sequence[Read],
        standing: Sequence[Read],
        headings: Sequence[str],
        bearing: Relevance,
        count: Count,
    ) -> None:
        self._said, self._headings, self._bearing = [*candidates, *standing], headings, bearing
        self._gone = frozenset[str]().union(*(reading.values for _, reading in standing))
        self._mentions = Mentions(self._said)
        self._lately = self._mentions.lately
        used = _uses_in_calls(self._said)
        self._uses = {value: 1 + _USED * math.log1p(times) for value, times in used.items()}
        forms = Counter(form for value in used if (form := shape(value)))
        self._like = {form: 1 + _LIKE_USED * times / (times + 1) for form, times in forms.items()}
        self._counts: dict[bool, dict[str, float]] = {}
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

    def _counted(self, *, tight: bool) -> dict[str, float]:
        """The values whose weight is not 1, wherever they occur."""
        counts = dict(self._mentions.weights(self._bearing, tight=tight))
        coded = {value for _, reading in self._said for value, form in reading.shapes.items() if form in self._like}
        for value in coded.union(self._uses):
            counts[value] = counts.get(value, 1.0) * self._use_weight(value)
        return counts

    def _use_weight(self, value: str) -> float:
        return self._uses.get(value, 1.0) * self._like.get(shape(value), 1.0)

    def add(self, place: int, values: Iterable[str]) -> None:
        """Add weights for values that the candidate was found to contain later."""
        fresh = [value for value in values if value not in self._lately]
        self._lately.update(dict.fromkeys(fresh, self._mentions.near[place]))
        for counts in self._counts.values():
            counts.update((value, self._use_weight(value)) for value in fresh)

    def new_in(self, passage: Passage) -> bool:
        """Whether the passage has a value that is not shown beside the quotes."""
        return not self._gone.issuperset(passage.values)

    def start(self, *, tight: bool) -> Chosen:
        """The start of a choice: nothing is chosen. Values shown beside the quotes count nothing; if room is `tight`,
        nor do the words of questions."""
        if tight not in self._counts:
            self._counts[tight] = self._counted(tight=tight)
        lately, counted = self._lately, self._counts[tight]
        counts, now = dict.fromkeys(lately, 1.0), dict(lately)
        for value, weight in counted.items():
            if value in lately:
                counts[value] = weight
                now[value] = weight * lately[value]
        chosen = Chosen(self._headings, counts, now)
        chosen.mark_shown(self._gone)
        if tight:
            chosen.mark_shown(ASKING_WORDS)
        return chosen

    def worth(self, chosen: Chosen, best: float) -> Worth:
        """The function that computes the worth of a passage behind those `chosen`; `best` is the highest relevance."""
        counts, counts_now, lately = chosen.counts, chosen.counts_now, self._lately
        named, opening = self._named, self._opening
        sources, groups = chosen.sources, chosen.groups

        def worth(one: Candidate) -> float:
            """For its tokens: ties, and the values that are not told yet; rows of a kind that is told already less."""
            passage, source = one.passage, one.source
            opens = source not in sources
            told = {**named[source], **passage.values} if opens and named[source] else passage.values
            # Values in the question count fully; others count less the longer ago they were said.
            tied, new = one.relevance / best if best else 0.0, 0.0
            if tied:
                fading = 1.0 - tied
                for name, value in told.items():
                    if count := counts[name]:
                        new += value * count * lately[name] ** fading
                new *= 1 + _TIES * tied**2 / (tied**2 + _HALF**2)
            else:
                for name, value in told.items():
                    new += value * counts_now[name]
            new *= one.favour
            if passage.group:
                new /= 1 + _LIKE_ROWS * groups[source, passage.group]
            cost = one.tokens + opening[source] if opens else one.tokens
            ties = one.relevance * (1 + tied) * (new / (new + _NEW) if new else 0.0)
            stated = (ties + _VALUE * new) / one.crowd
            return float(stated / cost**_COST_POWER)

        return worth


def crowding_penalties(ties: Sequence[float]) -> dict[float, float]:
    """How much less a row counts because of the other rows of its structure, by its relevance to the question: hardly
    any row is as relevant as the ones that the question names."""
    crowd = max(1.0, len(ties) / _FEW_ROWS)
    if len(ties) < _MANY_ROWS:
        return dict.fromkeys(ties, crowd)
    before, found = 0, dict[float, float]()
    for tied, rows in sorted(Counter(ties).items(), reverse=True):
        before += rows
        found[tied] = 1.0 if before <= _NAMED_ROWS else crowd
    return found


def shares_of_best(ties: Sequence[float], places: int) -> Sequence[float]:
    """The share of its message's nearness to the question that each row of an output has, by its ties: `_BEST_ROW` for
    the row with most, so that it competes with what people say. 0 for each of `places` rows if there are no ties."""
    best = max(ties, default=0.0)
    return [_BEST_ROW * one / best for one in ties] if best else [0.0] * places


def _uses_in_calls(messages: Sequence[Read]) -> Counter[str]:
    """How often calls used each value."""
    calls = [reading for message, reading in messages if message.tool_calls]
    passages = [passage for reading in calls for passage in reading.passages if passage.voice == "call"]
    return Counter(value for passage in passages for value in passage.values)
