"""Reads an output as lines, and the shape shared by all line-based types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from session_core.outputs.pieces import UNCUT, Rendition, counted, join, pick
from session_core.outputs.relevance import alarm_lines, by_terms

MAX_READ_LINES = 60_000
"""Of longer outputs only both ends are read, and outliers between them."""

_STANDING_OUT = 100
_SAMPLE_WIDTH = 2000


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a text. A line in `unread` is empty and stands for `sizes` lines that were not read."""

    texts: list[str]
    sizes: list[int]
    unread: frozenset[int] = frozenset()

    @classmethod
    def of(cls, text: str, terms: frozenset[str] = frozenset()) -> Lines:
        """The lines of `text`, stripped at the right, without trailing empty ones."""
        lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        if len(lines) <= MAX_READ_LINES:
            return cls(lines, [1] * len(lines))
        return cls._ends_of(lines, terms)

    @classmethod
    def _ends_of(cls, lines: list[str], terms: frozenset[str]) -> Lines:
        head, tail = MAX_READ_LINES * 3 // 4, len(lines) - MAX_READ_LINES // 4
        middle = lines[head:tail]
        outstanding = by_terms(middle, terms)[:_STANDING_OUT] + sorted(alarm_lines(middle))[:_STANDING_OUT]
        texts, sizes, unread = lines[:head], [1] * head, set()
        position = head
        for number in [*sorted({head + n for n in outstanding}), tail]:
            if number > position:
                unread.add(len(texts))
                texts.append("")
                sizes.append(number - position)
            texts.append(lines[number])
            sizes.append(1)
            position = number + 1
        texts += lines[tail + 1 :]
        sizes += [1] * (len(lines) - tail - 1)
        return cls(texts, sizes, frozenset(unread))

    @property
    def sample(self) -> list[str]:
        """Enough lines of the beginning and the end to detect the type."""
        filled = [line[:_SAMPLE_WIDTH] for line in self.texts[:400] if line.strip()][:200]
        return filled or [""]


@dataclass(frozen=True, slots=True)
class Listing:
    """A sequence of pieces with their order of importance: the shape of most types of output."""

    kind: str
    texts: Sequence[str]
    order: Sequence[int]
    sizes: Sequence[int]
    noun: str = field(default="line", kw_only=True)
    heading: str = field(default="", kw_only=True)
    """Written once above the pieces instead of in each."""
    note: str = field(default="", kw_only=True)
    """What else was left out while reading, as text."""
    untold: Mapping[int, int] = field(default_factory=dict, kw_only=True)
    """How many of the lines that a piece represents are not shown; `untold_why` is the reason."""
    untold_why: str = field(default="similar ones shown once", kw_only=True)
    before: Callable[[int, int | None], str] | None = field(default=None, kw_only=True)
    told: Callable[[dict[int, str]], dict[int, str]] | None = field(default=None, kw_only=True)
    """How kept pieces are rendered, if that differs from how they were measured, such as a path written once."""

    def render(self, max_characters: int) -> Rendition:
        """The most important pieces, in their own order, in about `max_characters`."""
        room = max_characters - len(self.heading)
        kept = pick(len(self.texts), self.order, self.texts.__getitem__, room)
        shortened = sum(len(shown) < len(self.texts[number]) for number, shown in kept.items())
        told = self.told(kept) if self.told else kept
        body, missing = join(told, self.sizes, self.noun, before=self.before)
        losses = []
        if missing:
            losses.append(f"{missing:,} of {counted(sum(self.sizes), self.noun)} left out")
        alike = sum(self.untold.get(number, 0) for number in kept)
        if alike:
            losses.append(f"{counted(alike, self.noun)} {self.untold_why}")
        if shortened:
            losses.append(f"{counted(shortened, self.noun)} shortened")
        if self.note:
            losses.append(self.note)
        return Rendition(self.heading + body, "; ".join(losses) or UNCUT)


def without(order: Sequence[int], unread: frozenset[int]) -> list[int]:
    """`order` without the pieces that cannot be shown."""
    return [number for number in order if number not in unread] if unread else list(order)
