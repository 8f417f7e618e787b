"""Splits sentences into claims: which values and names occur together, next to which words, in which order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise

from session_core.language.cues import is_correction
from session_core.language.forms import dates, minutes_of, parts, times
from session_core.language.names import LABELS, names
from session_core.language.number_words import spelled_numbers
from session_core.language.values import Value, ValueKind, currency, numbers, values
from session_core.language.words import QUESTION_MARKS, STOP_WORDS, sentences, words
from session_core.plan import GiveWay, never_pause

Key = tuple[object, ...]
"""What two ways to say one value have in common."""

_VAGUE = frozenset(
    "take takes took place places happen happens be been get gets got come comes go goes need needs want wants wanted "
    "like likes say says said tell told ask asks asked mention mentions date dates time times day days amount number "
    "now new one ones please much many there total".split()
)
"""Words that tell no value from another."""
_SPOKEN_OF = frozenset(
    "user users assistant client customer agent nutzer usuario utilisateur utente please 用户".split()
)
"""Who a summary speaks of: the source has no word for them."""
_TITLES = frozenset("mr mrs ms dr prof sr sra herr frau".split())
_PRONOUNS = frozenset(
    "i we you he she it they this that these those the a an my our your his her its their there ich wir du er sie es "
    "der die das je tu il elle nous vous ils on yo tú él ella io noi lui eu nós".split()
)
_BREAK = re.compile(r"[,;:()—]|\b(?:and|but|while|whereas|und|aber|et|mais|pero|mas)\b", re.IGNORECASE)
_SUBJECT = re.compile(r"(?:^|[:;] |, )([^\W\d_][\w-]+) ([^\W\d_]+)")
_IRREGULAR = {"paid": "pay", "flew": "fly", "left": "leav", "lent": "lend", "bought": "buy", "sent": "send"}
_ENDINGS = ("ations", "ation", "ings", "ing", "ed", "es", "s", "e")
_UNITS = {
    name: unit
    for unit, written in {
        "km": "kms kilometer kilometers kilometre kilometres", "mile": "mi miles", "meter": "m meters metre metres",
        "kg": "kgs kilo kilos kilogram kilograms", "lb": "lbs", "gram": "g grams", "foot": "ft feet",
        "inch": "in inches", "cm": "centimeter centimeters", "hour": "h hr hrs hours", "minute": "min mins minutes",
        "second": "sec secs seconds", "day": "days", "night": "nights", "week": "weeks", "month": "months",
        "year": "years", "liter": "l liters litre litres", "person": "persons people",
    }.items()
    for name in (unit, *written.split())
}  # fmt: skip
_MEASURES = frozenset(_UNITS.values()) - {"person"}


@dataclass(frozen=True, slots=True)
class Item:
    """A value or a name, its position, and its sort: only items of one sort can contradict each other."""

    sort: str
    keys: frozenset[Key]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Count:
    """A count or an ordinal, and its noun, which is empty if there is none."""

    number: Decimal
    ordinal: bool
    noun: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A part of a sentence with one statement: its values, its names, and its other words as stems.

    `doers` are the names at its beginning; `sentence` identifies the sentence that it is part of.
    """

    items: tuple[Item, ...]
    names: frozenset[str]
    doers: frozenset[str]
    anchors: frozenset[str]
    between: tuple[tuple[Item, tuple[str, ...], Item], ...] = field(default=())
    question: frozenset[str] = field(default=frozenset())
    corrects: bool = field(default=False)
    sentence: int = field(default=0)


def stem(word: str) -> str:
    """The beginning that the forms of a word share: "leaves", "leaving" and "leave" have the same."""
    plain = word.casefold()
    if plain in _IRREGULAR:
        return _IRREGULAR[plain]
    if plain.endswith("ies") and len(plain) > 4:
        return f"{plain[:-3]}y"
    for ending in _ENDINGS:
        if plain.endswith(ending) and len(plain) - len(ending) >= 3:
            return plain[: -len(ending)][:5]
    return plain[:5]


_VAGUE_STEMS = frozenset(stem(word) for word in _VAGUE)


def stems(text: str) -> list[str]:
    """The stems of the content words, in order."""
    return [
        stem(part)
        for word in words(text)
        for part in re.split("['’]", word)
        if part not in STOP_WORDS and part not in _SPOKEN_OF and (len(part) > 1)
    ]


def distinctive_stems(text: str) -> list[str]:
    """As `stems`, without words that distinguish nothing."""
    plain = " ".join(word for word in words(text) if word not in LABELS)
    return [one for one in stems(plain) if one not in _VAGUE_STEMS]


def claims(text: str, known_names: frozenset[str], give_way: GiveWay = never_pause) -> list[Claim]:
    """The claims of each sentence of `text`; capitalized words in `known_names` are names."""
    found: list[Claim] = []
    asked: frozenset[str] = frozenset()
    for number, sentence in enumerate(sentences(text)):
        made = list(_of_sentence(sentence, known_names))
        correcting = is_correction(sentence)
        found.extend(replace(claim, question=asked, corrects=correcting, sentence=number) for claim in made)
        asks = sentence.endswith(QUESTION_MARKS)
        asked = frozenset(stems(sentence)) - _VAGUE_STEMS if asks else frozenset()
        give_way()
    return found


def names_in(text: str, give_way: GiveWay) -> frozenset[str]:
    """The names in `text`, in lower case, and words at the beginning of sentences that may be names."""
    found: set[str] = set()
    for sentence in sentences(text):
        blank = blank_out(sentence, values(sentence))
        found.update(re.sub("['’]s$", "", name.casefold()) for name in (*names(blank, False), *_subjects(blank)))
        give_way()
    return frozenset(found) - _TITLES


def stated_keys(text: str) -> frozenset[Key]:
    """The values and names in `text`, in normalized form."""
    found: set[Key] = set()
    for sentence in sentences(text):
        every = values(sentence)
        found.update(min(keys, key=repr) for value in every for keys in [_sort_and_keys(value)[1]] if keys)
        found.update(("name", name.casefold()) for name in names(blank_out(sentence, every), False))
    return frozenset(found)


def _subjects(sentence: str) -> Iterator[str]:
    for first, following in _SUBJECT.findall(sentence):
        if (
            first[0].isupper()
            and following.islower()
            and not {first.casefold(), following} & (STOP_WORDS | LABELS | _PRONOUNS)
        ):
            yield first


def counts(text: str) -> Iterator[Count]:
    """The counted things in `text`, with numbers in digits or in words."""
    for value in values(text):
        if value.kind in (ValueKind.AMOUNT, ValueKind.NUMBER) and currency(value.text) is None:
            unit = re.search(r"[^\W\d_]+$", value.text) if value.kind is ValueKind.AMOUNT else None
            noun = _noun(unit.group()) if unit else _next_noun(text, value.end)
            if not re.search(r"\d(?:st|nd|rd|th)$", value.text):
                for number in numbers(value.text):
                    yield Count(number, False, noun)
    for one in spelled_numbers(text):
        yield Count(Decimal(one.number).normalize(), one.ordinal, _next_noun(text, one.end))


def is_unit(noun: str) -> bool:
    """Whether a noun from `counts` is a unit of measurement."""
    return noun.removeprefix("square ") in _MEASURES


def _next_noun(text: str, at: int) -> str:
    found = re.match(r"[\s-]{0,2}((?:square|cubic)\s)?([^\W\d_]+)", text[at : at + 60])
    if found is None or found.group(2).casefold() in STOP_WORDS:
        return ""
    return f"square {_noun(found.group(2))}" if found.group(1) else _noun(found.group(2))


def _noun(word: str) -> str:
    plain = word.casefold()
    return _UNITS.get(plain) or stem(plain)


def _of_sentence(sentence: str, known_names: frozenset[str]) -> Iterator[Claim]:
    stated = [Item(*_sort_and_keys(value), value.start, value.end) for value in values(sentence)]
    taken = {place for item in stated for place in range(item.start, item.end)}
    for one in spelled_numbers(sentence):
        if one.start not in taken and one.number > 1 and not one.ordinal:
            stated.append(Item("count", frozenset([("n", Decimal(one.number).normalize())]), one.start, one.end))
    blank = blank_out(sentence, stated)
    named = [
        Item("name", frozenset([("name", plain)]), match.start(), match.end())
        for match in re.finditer(r"[^\W\d_][\w-]*", blank)
        if match.group()[0].isupper() and (plain := match.group().casefold()) in known_names and plain not in _TITLES
    ]
    subject: frozenset[str] = frozenset()
    who: frozenset[str] = frozenset()
    for start, end in _spans(blank, stated, named):
        items = sorted((i for i in (*stated, *named) if start <= i.start < end), key=lambda item: item.start)
        here = frozenset(str(key[1]) for item in items if item.sort == "name" for key in item.keys)
        texts = [s for s in stems(blank[start:end]) if s not in _VAGUE_STEMS and s not in {stem(n) for n in here}]
        first = next(iter(words(blank[start:end].lstrip(" ,;:").removeprefix("and").removeprefix("but"))), "")
        own = first in _PRONOUNS or bool(here)
        anchors = frozenset(texts) if own or not texts else frozenset(texts) | subject
        subject = (
            frozenset() if own and first not in ("the", "der", "die", "das", "la", "le", "el") else frozenset(texts[:1])
        )
        who = here or (frozenset() if own else who)
        leads = next((word for word in words(blank[start:end]) if word not in STOP_WORDS | LABELS), "")
        doers = frozenset(name for name in here if name == re.sub("['’]s$", "", leads))
        yield Claim(tuple(i for i in items if i.sort != "name"), who, doers, anchors, tuple(_between(blank, items)))


def _between(blank: str, items: Sequence[Item]) -> Iterator[tuple[Item, tuple[str, ...], Item]]:
    for one, other in pairwise(items):
        said = re.findall(r"[^\W\d_]+|[-–]", blank[one.end : other.start].casefold())
        yield one, tuple(stem(word) if word not in STOP_WORDS else word for word in said), other


def _spans(blank: str, stated: Sequence[Item], named: Sequence[Item]) -> Iterator[tuple[int, int]]:
    """The parts that are statements on their own; other parts belong to the next one, the last to the one before."""
    cuts = [match.start() for match in _BREAK.finditer(blank)]
    found: list[tuple[int, int]] = []
    start = 0
    for end in (*cuts, len(blank)):
        has_value = any(start <= item.start < end for item in stated)
        has_name = any(start <= item.start < end for item in named)
        spoken = len(stems(blank[start:end])) - sum(start <= item.start < end for item in named)
        if (has_value or has_name) and (spoken > 0 or (has_value and has_name)):
            found.append((start, end))
            start = end
    if found and start < len(blank):
        found[-1] = (found[-1][0], len(blank))
    yield from found or [(0, len(blank))]


def blank_out(text: str, found: Sequence[Value | Item]) -> str:
    """`text` with blanks in place of what was found in it."""
    rest = list(text)
    for value in found:
        rest[value.start : value.end] = " " * (value.end - value.start)
    return "".join(rest)


def _sort_and_keys(value: Value) -> tuple[str, frozenset[Key]]:
    match value.kind:
        case ValueKind.DATE:
            readings = [part for said in dates(value.text) for part in parts(said) if part[2] or not said[2]]
            if not readings:
                return "date", frozenset([("day", value.text.casefold())])
            return "date", frozenset(("date", *part) for part in readings)
        case ValueKind.TIME:
            return "time", frozenset(
                {("time", m % (12 * 60), h and m) for m, h in (*times(value.text), minutes_of(value.text))}
            )
        case ValueKind.IDENTIFIER:
            return "identifier", frozenset([("id", "".join(c for c in value.text.casefold() if c.isalnum()))])
        case _:
            unit = currency(value.text)
            sort = "count" if unit is None else "percent" if unit == "%" else "money"
            return sort, frozenset(("n", number) for number in numbers(value.text))
