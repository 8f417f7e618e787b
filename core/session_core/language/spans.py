"""The period that a question refers to: "yesterday", "last week", "on Monday", "two days ago", "4 May"."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = "january february march april may june july august september october november december".split()
_NUMBERS = {word: n for n, word in enumerate("one two three four five six seven eight nine ten".split(), start=1)}
_NUMBERS |= {"a": 1, "an": 1, "couple of": 2}
_MONTH = "|".join(f"{name}|{name[:3]}" for name in _MONTHS)
_COUNT = "|".join(sorted(_NUMBERS, key=len, reverse=True))

_ISO = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b")
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\.? (?:of )?({_MONTH})\b\.?,?(?: (\d{{4}})\b)?", re.IGNORECASE)
_MONTH_FIRST = re.compile(rf"\b({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? (\d{{4}})\b)?", re.IGNORECASE)
_IN_MONTH = re.compile(rf"\b(?:in|during|since|last) ({'|'.join(_MONTHS)})\b(?: (\d{{4}})\b)?", re.IGNORECASE)
_WEEKDAY = re.compile(rf"\b(last )?({'|'.join(_DAYS)})\b", re.IGNORECASE)
_AGO = re.compile(rf"\b(?:a )?(\d{{1,3}}|{_COUNT}) (day|week|month)s? ago\b", re.IGNORECASE)
_NEAR = re.compile(
    r"\b(day before yesterday|yesterday|today|tonight|this morning|(?:last|this|past) (?:week|month|year))\b",
    re.IGNORECASE,
)

Span = tuple[float, float]


def span(text: str, now_s: float) -> Span | None:
    """Start and end of the period that `text` refers to, in seconds since the epoch, or None.

    English words and ISO dates; days are those of UTC, which begin and end up to half a day later or earlier
    elsewhere. A day without a year, and a weekday, is the last one before `now_s`.
    """
    now = datetime.fromtimestamp(now_s, UTC)
    found = _dated(text, now) or _counted(text, now)
    return None if found is None else (found[0].timestamp(), found[1].timestamp())


def _dated(text: str, now: datetime) -> tuple[datetime, datetime] | None:
    if iso := _ISO.search(text):
        return _day(int(iso[1]), int(iso[2]), int(iso[3]))
    for pattern, day, month in ((_DAY_FIRST, 1, 2), (_MONTH_FIRST, 2, 1)):
        if found := pattern.search(text):
            number = _month(found[month])
            year = int(found[3] or now.year)
            made = _day(year, number, int(found[day]))
            if made and not found[3] and made[0] > now:
                made = _day(year - 1, number, int(found[day]))
            return made
    if found := _IN_MONTH.search(text):
        number = _month(found[1])
        year = int(found[2] or now.year - (number > now.month))
        begin = datetime(year, number, 1, tzinfo=UTC)
        return begin, _next_month(begin)
    return None


def _counted(text: str, now: datetime) -> tuple[datetime, datetime] | None:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if ago := _AGO.search(text):
        count = _NUMBERS.get(ago[1].lower()) or int(ago[1])
        match ago[2].lower():
            case "day":
                return _from(today - timedelta(days=count))
            case "week":
                return _from(today - timedelta(days=7 * count + 3), 7)
            case _:
                return _from(today - timedelta(days=30 * count + 15), 30)
    if near := _NEAR.search(text):
        week = today - timedelta(days=today.weekday())
        month = today.replace(day=1)
        match near[1].lower().split():
            case ["day", *_]:
                return _from(today - timedelta(days=2))
            case ["yesterday"]:
                return _from(today - timedelta(days=1))
            case ["this", "week"]:
                return _from(week, 7)
            case [_, "week"]:
                return _from(week - timedelta(days=7), 7)
            case ["this", "month"]:
                return month, _next_month(month)
            case [_, "month"]:
                return (month - timedelta(days=1)).replace(day=1), month
            case ["this", "year"]:
                return today.replace(month=1, day=1), today + timedelta(days=1)
            case [_, "year"]:
                return today.replace(year=now.year - 1, month=1, day=1), today.replace(month=1, day=1)
            case _:
                return _from(today)
    if weekday := _WEEKDAY.search(text):
        back = (today.weekday() - _DAYS.index(weekday[2].lower())) % 7
        return _from(today - timedelta(days=back or (7 if weekday[1] else 0)))
    return None


def _day(year: int, month: int, day: int) -> tuple[datetime, datetime] | None:
    try:
        return _from(datetime(year, month, day, tzinfo=UTC))
    except ValueError:
        return None


def _from(begin: datetime, days: int = 1) -> tuple[datetime, datetime]:
    return begin, begin + timedelta(days=days)


def _month(name: str) -> int:
    return next(n for n, known in enumerate(_MONTHS, start=1) if known.startswith(name.lower()))


def _next_month(begin: datetime) -> datetime:
    return (begin + timedelta(days=32)).replace(day=1)
