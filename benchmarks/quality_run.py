"""Puts the probes of conversations to methods, budget by budget, and adds up what their contexts are worth."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.quality_data import Conversation, Probe, budget_tokens
from benchmarks.quality_methods import Asked, Contexts, Method
from benchmarks.quality_score import Context, Score, scored
from benchmarks.timing import percentile_ms
from session_core.errors import SessionError

TOLERANCE = 1.02
"""A context may be so many times its budget: methods count tokens each in their own way."""


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one set at one budget. Shares are of probes, `used` (mean tokens), `over`, `bad`, `failed` and
    times of contexts; None where no probe bears on it."""

    set: str
    budget: str
    method: str
    probes: int
    hit: float
    context: float
    near: float | None
    far: float | None
    cover: float
    stale: float | None
    used: float
    over: float
    bad: float
    failed: int
    ms: float
    ms_95: float

    @property
    def valid(self) -> bool:
        """Whether a provider takes its contexts, and they fit: at most one in fifty does not."""
        return self.bad <= 0.02 and self.over <= 0.02


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that a context broke: which, and where."""

    method: str
    set: str
    what: str
    conversation: str
    at: int
    budget_tokens: int

    @property
    def kind(self) -> tuple[str, str, str]:
        """What it is counted under."""
        return self.method, self.set, self.what

    @property
    def place(self) -> str:
        """Where to look."""
        return f"{self.conversation} at {self.at} in {self.budget_tokens:,}"


@dataclass(slots=True)
class Tally:
    """What was seen of one method at one budget."""

    scores: list[Score] = field(default_factory=list)
    near: list[bool] = field(default_factory=list)
    far: list[bool] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    over: list[bool] = field(default_factory=list)
    bad: list[bool] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def answered(self, score: Score, probe: Probe, budget: int) -> None:
        """A probe's score; far is what was last mentioned further back than the budget reaches."""
        self.scores.append(score)
        if probe.gap_tokens is not None:
            (self.far if probe.gap_tokens >= budget else self.near).append(score.hit)

    def add(self, other: Tally) -> None:
        """Pool what was seen of two conversations."""
        self.scores += other.scores
        self.near += other.near
        self.far += other.far
        self.used += other.used
        self.over += other.over
        self.bad += other.bad
        self.seconds += other.seconds
        self.failed += other.failed

    def row(self, name: str, budget: str, method: str) -> Row:
        """The means."""
        stale = [score.stale for score in self.scores if score.stale is not None]
        return Row(
            name,
            budget,
            method,
            len(self.scores),
            statistics.fmean(score.hit for score in self.scores),
            statistics.fmean(score.context for score in self.scores),
            _mean(self.near),
            _mean(self.far),
            statistics.fmean(score.cover for score in self.scores),
            _mean(stale),
            statistics.fmean(self.used),
            statistics.fmean(self.over),
            statistics.fmean(self.bad),
            self.failed,
            statistics.median(self.seconds) * 1e3,
            percentile_ms(self.seconds, 95),
        )


Tallies = dict[tuple[str, str], Tally]
"""By budget and method."""
Replayed = tuple[Tallies, list[Broken]]


def replay(
    name: str, conversations: Sequence[Conversation], methods: Sequence[Method], budgets: Sequence[str]
) -> tuple[list[Row], list[Broken]]:
    """The rows of a set and the promises that contexts broke."""
    return added_up(name, (replayed(name, one, methods, budgets) for one in conversations))


def replayed(name: str, conversation: Conversation, methods: Sequence[Method], budgets: Sequence[str]) -> Replayed:
    """What was seen of one conversation of a set, by budget and method, and the promises that contexts broke.

    A probe is put at a budget only where the history is larger than it.
    """
    tallies = {(budget, method.name): Tally() for budget in budgets for method in methods}
    broken: list[Broken] = []
    for method in methods:
        of_method = {budget: tallies[budget, method.name] for budget in budgets}
        for where, what in _asked(conversation, method, of_method):
            broken.append(Broken(method.name, name, what, conversation.id, where.at, where.budget_tokens))
    return tallies, broken


def added_up(name: str, parts: Iterable[Replayed]) -> tuple[list[Row], list[Broken]]:
    """The rows of a set, by budget and method, and all that broke, of its conversations one after the other."""
    total: Tallies = {}
    broken: list[Broken] = []
    for tallies, wrong in parts:
        for place, tally in tallies.items():
            total.setdefault(place, Tally()).add(tally)
        broken += wrong
    return [tally.row(name, *place) for place, tally in total.items() if tally.scores], broken


def _asked(conversation: Conversation, method: Method, tallies: dict[str, Tally]) -> Iterator[tuple[Asked, str]]:
    """Put the probes of one conversation to one method; what its contexts broke."""
    known: dict[tuple[int, int], Context] = {}
    contexts = method.begin(conversation)
    for probe in conversation.probes:
        history = conversation.before[probe.at]
        for budget, tally in tallies.items():
            asked = Asked(probe.at, budget_tokens(budget, history), probe)
            if history <= asked.budget_tokens:
                continue
            place = (asked.at, asked.budget_tokens)
            context = None if method.asks else known.get(place)
            if context is None:
                context, raised = _timed(contexts, asked, tally)
                known[place] = context
                yield from ((asked, what) for what in (raised, *_wrong(context, asked)) if what)
            score = scored(context, probe, conversation)
            if score.stale:
                yield asked, "a superseded value without the final one"
            tally.answered(score, probe, asked.budget_tokens)


def _timed(contexts: Contexts, asked: Asked, tally: Tally) -> tuple[Context, str]:
    """A context, counted in `tally`, and what broke in making it: empty, where the method raises what it may."""
    began, raised = time.perf_counter(), ""
    try:
        messages = contexts(asked)
    except (SessionError, ValueError) as exc:
        messages, raised = (), f"raised {type(exc).__name__}"
        tally.failed += 1
    tally.seconds.append(time.perf_counter() - began)
    context = Context(messages)
    tally.used.append(context.tokens)
    tally.over.append(context.tokens > asked.budget_tokens * TOLERANCE)
    tally.bad.append(context.unpaired)
    return context, raised


def _wrong(context: Context, asked: Asked) -> Iterator[str]:
    if context.unpaired:
        yield "a call is parted from its result"
    if context.tokens > asked.budget_tokens * TOLERANCE:
        yield "over its budget"


def _mean(values: Iterable[bool]) -> float | None:
    found = list(values)
    return statistics.fmean(found) if found else None
