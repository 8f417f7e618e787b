"""Hears what kind of value a question asks for (a day, a time, a number), and whether a sentence says one."""

from __future__ import annotations

import re

from session_core.language.forms import dates, minutes_of
from session_core.language.values import ValueKind, values

_DAY, _TIME, _NUMBER = "day", "time", "number"
_WANTED = (
    (
        re.compile(
            r"\b(?:what|which) (?:day|date|month|weekday|year)\b|\bwhen\b|\bwann\b|\bquand\b|\bcu[aá]ndo\b", re.I
        ),
        _DAY,
    ),
    (
        re.compile(
            r"\b(?:what|which) (?:time|hour)\b|\bhow (?:late|early)\b|\bwhen\b|\b(?:leave ?at|arrive ?by)\b|"
            r"\bum wie ?viel uhr\b|\bquelle heure\b|\bqu[eé] hora\b",
            re.I,
        ),
        _TIME,
    ),
    (
        re.compile(
            r"\bhow (?:many|much|old|far|long|often|big|tall|large)\b|\bwie ?viele?\b|\bcombien\b|\bcu[aá]nt", re.I
        ),
        _NUMBER,
    ),
)
_HOUR = "(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_ORDINAL = re.compile(r"^(\d{1,2})(?:st|nd|rd|th)$")
_SAID = {
    _DAY: re.compile(
        r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:today|tomorrow|tonight|yesterday|weekend)\b|"
        r"\b(?:next|last|this) (?:week|month|year)\b|\b(?:january|february|march|april|may \d|june|july|august|"
        r"september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b|\b\d{4}-\d\d-\d\d\b|"
        r"\b\d{1,2}(?:st|nd|rd|th)\b|\b\d{1,2}[./]\d{1,2}\b",
        re.I,
    ),
    _TIME: re.compile(
        r"\b(?:half|quarter) (?:past|to) \w+|\b(?:morning|afternoon|evening) (?:at )?\d{1,2}(?:[:.h]\d\d)?\b|"
        rf"\b(?:\d{{1,2}}(?:[:.h]\d\d)?|{_HOUR}) ?(?:[ap]\.?m\b|o['’]clock|uhr|in the (?:morning|afternoon|evening))|"
        r"\b\d{1,2}[:.h]\d\d\b|\b(?:noon|midnight|midday)\b|\bin the (?:morning|afternoon|evening)\b",
        re.I,
    ),
    _NUMBER: re.compile(
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|couple|twice|myself|alone)\b",
        re.I,
    ),
}


def wanted(question: str) -> frozenset[str]:
    """The kinds of values that `question` asks for; none where a rule cannot tell."""
    return frozenset(kind for pattern, kind in _WANTED if pattern.search(question))


def days(text: str) -> frozenset[str]:
    """The days that `text` says, the day of a month by its number."""
    found = {match.group().casefold() for match in _SAID[_DAY].finditer(text)}
    for value in values(text):
        if value.kind is ValueKind.DATE:
            found = {day for day in found if day not in value.text.casefold()}
            found |= {str(day) for _, _, day in dates(value.text) if day} or {value.text.casefold()}
    return frozenset(_ORDINAL.sub(r"\1", day) for day in found)


def times(text: str) -> frozenset[str]:
    """The times of day that `text` says, those in figures as on a clock with twelve hours."""
    return frozenset(
        str(minutes_of(said)[0] % (12 * 60)) if any(map(str.isdigit, said)) else said
        for said in (match.group().casefold() for match in _SAID[_TIME].finditer(text))
    )


def says(text: str, kinds: frozenset[str]) -> bool:
    """Whether `text` says a value of one of the `kinds`."""
    return any(_SAID[kind].search(text) for kind in kinds)
