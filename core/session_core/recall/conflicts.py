"""Marks quoted sentences that answer one question with different values, without deciding between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import combinations

from session_core.language.values import Value, ValueKind, values
from session_core.language.words import QUESTION_MARKS, SENTENCES, one_line
from session_core.passages.word_values import stems

ALIKE = 0.4
"""Two sentences are about the same thing if they share this much of their words, apart from values."""
MOST_MARKED = 2
_TYPES = (ValueKind.DATE, ValueKind.TIME, ValueKind.AMOUNT, ValueKind.IDENTIFIER)


@dataclass(frozen=True, slots=True)
class Quote:
    """A quoted sentence, with its speaker and time if known."""

    text: str
    who: str
    time_s: float | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two quotes, the earlier first, and the values in which they differ."""

    quotes: tuple[Quote, Quote]
    values: tuple[str, str]


def find_conflicts(question: str, quotes: Sequence[Quote]) -> list[Conflict]:
    """The pairs of `quotes`, given in their order, that answer `question` with different values of one type.

    Both have words of the question and much of their other words in common, each states exactly one value of the
    type, all numbers and codes of the question stand in both, and they do not each name something that the other does
    not. At most `MOST_MARKED`.
    """
    asked = frozenset(stems(question))
    codes = {word for word in asked if any(map(str.isdigit, word))}
    stated = [(quote, *one) for quote in quotes for one in _unique_values(quote.text) if not asked.isdisjoint(one[1])]
    stated = [one for one in stated if codes.issubset(stems(one[0].text))] if codes else stated
    found: list[Conflict] = []
    for (first, value, about), (second, other, of_other) in combinations(stated, 2):
        if first is second or value.kind is not other.kind:
            continue
        common = about & of_other
        if common.isdisjoint(asked) or len(common) < max(2, ALIKE * len(about | of_other)):
            continue
        of_two = (_names(first.text) & about) - of_other and (_names(second.text) & of_other) - about
        if not of_two and _form(value) != _form(other):
            found.append(Conflict((first, second), (value.text, other.text)))
    return found[:MOST_MARKED]


def conflict_line(found: Sequence[Conflict]) -> str:
    """A line that reports the differing quotes, with speakers and times; "" for none."""
    texts = [" and ".join(map(_attributed_value, tie.values, tie.quotes)) for tie in found]
    return (
        f"[Conflicting answers, oldest first: {'; '.join(texts)}. The record does not say which is correct.]"
        if texts
        else ""
    )


def _attributed_value(value: str, quote: Quote) -> str:
    day = "" if quote.time_s is None else f", {datetime.fromtimestamp(quote.time_s, UTC):%Y-%m-%d %H:%M}"
    return f'"{one_line(value)}" ({one_line(quote.who)}{day})'


def has_value(sentence: str) -> bool:
    """Whether `sentence` contains a value that another sentence may contradict."""
    return bool(_unique_values(sentence))


@lru_cache(maxsize=SENTENCES)
def _unique_values(sentence: str) -> tuple[tuple[Value, frozenset[str]], ...]:
    return tuple(_find_unique_values(sentence))


def _find_unique_values(sentence: str) -> Iterator[tuple[Value, frozenset[str]]]:
    """Each value that is the only one of its type in `sentence`, with the sentence's other words."""
    if sentence.rstrip().endswith(QUESTION_MARKS):
        return
    found = values(sentence)
    rest, at = [], 0
    for value in sorted(found, key=lambda value: value.start):
        rest.append(sentence[at : value.start])
        at = max(at, value.end)
    about = frozenset(stems(" ".join([*rest, sentence[at:]])))
    for value in found:
        if value.kind in _TYPES and sum(other.kind is value.kind for other in found) == 1:
            yield value, about


@lru_cache(maxsize=SENTENCES)
def _names(sentence: str) -> frozenset[str]:
    """The capitalized words, which may be names."""
    return frozenset(stem for token in sentence.split() if token[:1].isupper() for stem in stems(token))


def _form(value: Value) -> str:
    return "".join(c for c in value.text.casefold() if c.isalnum())
