"""Parses a statement: its values, its other subjects, and which value replaces another."""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import lru_cache

from session_core.language.amending import ROOT, names, subject_words
from session_core.language.slots import ATTRIBUTES, typed, without
from session_core.language.values import Value, ValueKind, currency
from session_core.language.words import words

STATEMENTS = 2_048
"""Capacity of the caches of parsed statements; Python's garbage collector visits each entry."""
_LETTER = re.compile(r"(?<=\w )[B-HJ-Z]\b(?!['’])|(?<=[a-z] )A(?= (?:is|was|has|had|costs)\b)")
_CODE_DIGITS = 5
NOTHING: frozenset[str] = frozenset()
MOST_ALIKE = 8
"""Maximum statements with the same beginning or end that are compared, the newest."""


@lru_cache(maxsize=STATEMENTS)
def said_words(text: str) -> tuple[str, ...]:
    """All words of `text`, in order, in lower case."""
    return tuple(words(text))


@lru_cache(maxsize=STATEMENTS)
def values_in(text: str) -> tuple[Value, ...]:
    """The values of `text` that a correction can replace."""
    return tuple(typed(text))


@lru_cache(maxsize=STATEMENTS)
def families(text: str) -> frozenset[str]:
    """The kinds of values in `text`, in the terms of `counted_things`."""
    return frozenset(map(counted_things, values_in(text)))


def counted_things(value: Value) -> str:
    """The family, an amount and a bare number being one: "4 people", "make it 5"."""
    return ValueKind.NUMBER if value.kind is ValueKind.AMOUNT else _family(value)


def _family(value: Value) -> str:
    dated = value.kind in (ValueKind.DATE, ValueKind.TIME) or value.text[-2:] in ("st", "nd", "rd", "th")
    return "when" if dated else value.kind


def form(value: Value) -> str:
    """A value in the form for comparison: letters, digits and currency signs only."""
    return "".join(c for c in value.text.casefold() if c.isalnum() or c in "$€£¥%.").removesuffix(".")


def has_only_numbers(text: str) -> bool:
    """Whether the values of `text` are bare numbers, which may be days or hours."""
    told = values_in(text)
    return bool(told) and all(value.kind is ValueKind.NUMBER for value in told)


@lru_cache(maxsize=STATEMENTS)
def figures(text: str) -> frozenset[str]:
    """The values of `text` that a correction can replace; counts are without their unit."""
    counts = (ValueKind.NUMBER, ValueKind.AMOUNT)
    found = ["".join(filter(str.isdigit, v.text)) if v.kind in counts else form(v) for v in values_in(text)]
    return frozenset(found) if found else NOTHING


def replace_value(known: str, value: Value, correction: str) -> Value | None:
    """The value of `known` that `value` replaces, if that is unambiguous."""
    same = _numbered(known) & _numbered(correction)
    if _named_with(value, correction) in same:
        return None
    alike = [v for v in values_in(known) if v.kind is value.kind and currency(v.text) == currency(value.text)]
    alike = [v for v in alike if _named_with(v, known) not in same]
    if _family(value) == "when":
        alike = [v for v in alike if sum(map(str.isdigit, v.text)) <= _CODE_DIGITS]  # "The 25th" replaces no sum.
    alike = [v for v in alike if not (_long(v) or _long(value)) or len(v.text) == len(value.text)]
    if not alike and value.kind is ValueKind.NUMBER:
        alike = [v for v in values_in(known) if v.kind is ValueKind.AMOUNT]
    words = {form(v) for v in values_in(correction)}
    quoted = [v for v in alike if form(v) in words]
    if quoted:
        return quoted[0] if len(quoted) == 1 and form(value) != form(quoted[0]) else None
    return alike[0] if len({form(v) for v in alike}) == 1 else None


@lru_cache(maxsize=STATEMENTS)
def _numbered(text: str) -> frozenset[tuple[str, str]]:
    """What `text` tells apart by a number behind its word, and says something else of: "table 7 wants 5"."""
    named = [_named_with(value, text) for value in values_in(text)]
    return frozenset(filter(None, named)) if len(named) > 1 else frozenset()


def _named_with(value: Value, text: str) -> tuple[str, str] | None:
    """A number, and the word of the subject that stands right before it."""
    if value.kind is not ValueKind.NUMBER:
        return None
    before = text[: value.start].rstrip().rpartition(" ")[2].casefold()
    return (before[:ROOT], form(value)) if before in other_subjects(text) else None


def _long(value: Value) -> bool:
    """Whether a number is too long for a count, such as a postal code, which no count replaces."""
    return value.kind is ValueKind.NUMBER and value.text.isdigit() and len(value.text) >= _CODE_DIGITS


def states_only(known: str, old: Value) -> bool:
    """Whether `known` states the old value and no other of its kind."""
    return {form(value) for value in values_in(known) if value.kind is old.kind} == {form(old)}


def left_of(known: str, correction: str) -> str | None:
    """What `known` states besides the type of value that `correction` replaces; None if nothing."""
    new = values_in(correction)
    words = {form(value) for value in new}
    if not new:
        return None
    gone = [value for value in values_in(known) if _family(value) == _family(new[0])]
    left = [value for value in values_in(known) if value not in gone and form(value) not in words]
    return without(known, gone) if gone and left else None


@lru_cache(maxsize=STATEMENTS)
def frame(text: str) -> tuple[Hashable, ...]:
    """Keys that two statements share if one may restate the other: their beginning, their end, their subject."""
    about = _about(text)
    return (*_ends(text), about) if about else _ends(text)


def _ends(text: str) -> tuple[Hashable, ...]:
    texts = said_words(text)
    return (("begins", *texts[:2]), ("ends", *texts[-2:])) if len(texts) >= 4 else ()


class Frames:
    """An index of statements by their frames; of those with an equal one, the newest `MOST_ALIKE`."""

    def __init__(self) -> None:
        self._places: dict[Hashable, list[int]] = {}
        self._about: dict[str, list[frozenset[str]]] = {}

    def add(self, text: str, place: int) -> None:
        """Add the statement `text` at `place`, which is after the others."""
        for key in frame(text):
            self._places.setdefault(key, []).append(place)
            if isinstance(key, frozenset):
                self._about.setdefault(max(key, key=len), []).append(key)

    def alike(self, text: str) -> list[int]:
        """The places of statements that `text` may restate, newest first."""
        if not self._places:
            return []
        # What a statement is about takes long to tell, and few have all words of what another is about.
        keys = frame(text) if self._names_all(said_words(text)) else _ends(text)
        found = {place for key in keys for place in self._places.get(key, ())[-MOST_ALIKE:]}
        return sorted(found, reverse=True)

    def _names_all(self, texts: tuple[str, ...]) -> bool:
        """Whether the words `texts` contain the whole subject of one of the statements."""
        return any(about.issubset(texts) for word in texts for about in self._about.get(word, ()))


@lru_cache(maxsize=STATEMENTS)
def _about(text: str) -> frozenset[str]:
    """The subject of a statement of dates, amounts or numbers; empty if it has fewer than two words."""
    stated = values_in(text)
    if not {_family(value) for value in stated} - {ValueKind.IDENTIFIER}:
        return NOTHING
    found = other_subjects(text)
    return found if len(found) >= 2 else NOTHING


@lru_cache(maxsize=STATEMENTS)
def other_subjects(text: str) -> frozenset[str]:
    """The subject of `text` besides dates, amounts and numbers: none for "the 4th", a suite for "Suite 641"."""
    return subject_words(text).difference(*(said_words(value.text) for value in values_in(text)))


@lru_cache(maxsize=STATEMENTS)
def subjects_of(text: str) -> frozenset[str]:
    """The subject of `text` without values; includes the letter of "room B"."""
    return other_subjects(text) | frozenset(_LETTER.findall(text))


def names_another_thing(correction: str, known: str) -> bool:
    """Whether `correction` names first what it speaks of ("the bus leaves at 9"), or somebody ("Leo's exam"), and
    `known` names others, as far as their words tell: it may be the same by another name, as "the price" is of anything.
    """
    told, about = [root for root in _roots(correction) if root not in _OF_ANYTHING], _roots(known)
    if not told or not about:
        return False
    another = told[0] not in about and about[0] not in told
    return another or not names(correction) <= names(known) or _another_number(correction, known, told[0])


def _another_number(correction: str, known: str, named: str) -> bool:
    """Whether both say something of what they call `named`, one of number 4 and the other of number 5, and nothing that
    both have would tell that only the number was wrong."""
    told, about = ({number for word, number in _numbered(text) if word == named} for text in (correction, known))
    return bool(told and about) and told.isdisjoint(about) and figures(correction).isdisjoint(figures(known))


_OF_ANYTHING = frozenset(word[:ROOT] for word in ATTRIBUTES)


@lru_cache(maxsize=STATEMENTS)
def _roots(text: str) -> tuple[str, ...]:
    subjects = other_subjects(text)
    return tuple(word[:ROOT] for word in said_words(text) if word in subjects)


def is_restatement(old: str, new: str) -> bool:
    """Whether `new` repeats `old` with other values of the same types."""
    same = bool(_about(old)) and _about(old) == _about(new) and not figures(old) & figures(new)
    return same and {_family(value) for value in values_in(old)} == {_family(value) for value in values_in(new)}
