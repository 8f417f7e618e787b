"""Numbers written as words, and ordinals: "twenty-five", "two hundred", "third", "4th"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_SMALL: dict[str, int] = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * number
    for number, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_ELSEWHERE = {
    word: number
    for words in (
        "zwei drei vier fünf sechs sieben acht neun zehn",
        "deux trois quatre cinq",
        "dos tres cuatro cinco seis siete ocho nueve diez",
        "due tre quattro cinque",
        "dois três quatro cinco",
    )
    for number, word in enumerate(words.split(), start=2)
}
"""Number words of other languages, except words that mean something else in one of them."""
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1_000}
_ORDINALS: dict[str, int] = {
    word: number
    for number, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=1
    )
}
_WORDS = {**_ELSEWHERE, **_SMALL, **_TENS}
_ANY = "|".join(sorted((*_WORDS, *_SCALES), key=len, reverse=True))
_SPELLED = re.compile(rf"\b(?:{_ANY})(?:(?:-|\s(?:and\s)?)(?:{_ANY}))*\b", re.IGNORECASE)
_ORDINAL = re.compile(
    rf"\b(?:(\d{{1,4}})(?:st|nd|rd|th|º|ª)|(?:({'|'.join(_TENS)})-)?({'|'.join(_ORDINALS)}))(?!\w)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class SpelledNumber:
    """A number, and the span of its words in the text."""

    number: int
    start: int
    end: int
    ordinal: bool = False


def spelled_numbers(text: str) -> tuple[SpelledNumber, ...]:
    """The numbers that `text` spells out, and its ordinals also in digits, in order."""
    ordinals = [
        SpelledNumber(
            int(figures or 0) + _TENS.get((tens or "").lower(), 0) + _ORDINALS.get((word or "").lower(), 0), *span, True
        )
        for match in _ORDINAL.finditer(text)
        for figures, tens, word in [match.groups()]
        for span in [match.span()]
    ]
    taken = {place for one in ordinals for place in range(one.start, one.end)}
    counted = [
        one
        for match in _SPELLED.finditer(text)
        for one in _parts(match.group(), match.start())
        if one.start not in taken
    ]
    return tuple(sorted((*ordinals, *counted), key=lambda one: one.start))


def _parts(text: str, start: int) -> Iterator[SpelledNumber]:
    """The numbers in a sequence of number words: "twenty five" is one, "five six" are two."""
    words = list(re.finditer(r"\w+", text))
    part: list[re.Match[str]] = []
    for word in words:
        if word.group().lower() == "and":
            continue
        if part and not _goes_on([one.group().lower() for one in part], word.group().lower()):
            yield _whole(part, start)
            part = []
        part.append(word)
    if part:
        yield _whole(part, start)


def _goes_on(before: Sequence[str], word: str) -> bool:
    last = before[-1]
    if word in _SCALES:
        return True
    return last in _SCALES or (last in _TENS and 0 < _WORDS[word] < 10)


def _whole(part: Sequence[re.Match[str]], start: int) -> SpelledNumber:
    total, current = 0, 0
    for word in (one.group().lower() for one in part):
        if word == "thousand":
            total, current = total + max(current, 1) * 1_000, 0
        elif word in _SCALES:
            current = max(current, 1) * _SCALES[word]
        else:
            current += _WORDS[word]
    return SpelledNumber(total + current, start + part[0].start(), start + part[-1].end())
