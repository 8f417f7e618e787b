"""Checks a summary against its source: what a model made up is struck before it is believed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from session_core.language.values import Value, ValueKind, currency, numbers, values
from session_core.language.words import MONTHS, STOP_WORDS, sentences

MAX_REPEATS = 3
"""A phrase of up to 12 words said more often than this without a break is a model stuck in a loop."""

_NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_COMMON_NUMBERS = frozenset(("zero", "one", "two"))
"""Words that are said without counting anything; in a summary they are not checked."""

_LABELS = frozenset(
    (
        "user users assistant client customer agent human system tool team ai key point points summary "
        "context conversation topic topics goal goals fact facts detail details note notes decision "
        "decisions preference preferences constraint constraints commitment commitments correction "
        "corrections question questions open next step steps action actions item items task tasks "
        "budget date dates amount amounts identifier identifiers name names status result results "
        "request requests background overview history progress requirement requirements important "
        "current pending remaining final main other additional previous so far everyone both someone "
        "nobody however therefore finally overall meanwhile first second third then later guest guests "
        "place destination travel traveler travelers traveller passenger passengers hotel flight "
        "flights room rooms price cost total payment order orders product products issue issues problem "
        "problems solution solutions error errors reference references contact email phone address time "
        "times deadline location event meeting project type category size quantity language tools code "
        "file files feature features bug bugs plan plans schedule itinerary interest interests concern "
        "concerns follow-up outstanding resolved unresolved agreed confirmed change changes update "
        "updates info information data source sources link links resources rule rules limit limits "
        "conditions terms currently previously initially recently yes ok okay please thanks i"
    ).split()
)
_SPEAKING = frozenset(
    (
        "said says asked asks wants wanted prefers preferred agreed agrees booked told will promised "
        "decided confirmed requested likes liked lives works suggested mentioned has had is was needs "
        "needed stated thinks thought offered accepted declined sent paid recommended approved and"
    ).split()
)
_NOUN = re.compile(r"(?:ing|[st]ion|ment|ness|ity|ance|ence|ings|[st]ions|ments)$")
_GERMAN = re.compile(r"\b(?:der|die|das|und|ist|nicht|ein|eine|mit|für|wurde|hat)\b")
_TOKEN = re.compile(r"[^\W\d_][\w'’-]*|\d[\d.,]*")
_RUN = re.compile(r"(?<![A-Za-z0-9])\d{1,30}(?![A-Za-z0-9])")
_DAY_NAME = re.compile(r"[^\W\d_][\w -]*")


@dataclass(frozen=True, slots=True)
class Checked:
    """A summary less what its source does not say. `struck` has the sentences removed, in order."""

    text: str
    struck: tuple[str, ...] = ()


def check(summary: str, source: str, *, previous: str = "") -> Checked:
    """`summary` without each sentence that states something neither `source` nor `previous` does.

    Every number, date, time, amount, identifier and proper name must stand there; case, thousands
    separators, forms of dates and times, and "five" for 5 may differ. A sentence said before and phrases
    in a loop are struck as well. In German, where each noun has a capital, lone names are not checked.
    """
    if not summary.strip():
        return Checked("")
    known = _Known.of(f"{source}\n{previous}")
    german = len(_GERMAN.findall(summary)) >= 3
    seen: set[str] = set()
    struck: list[str] = []
    lines: list[str] = []
    for line in summary.splitlines():
        kept = line
        for sentence in sentences(line):
            same = "".join(c for c in sentence.casefold() if c.isalnum())
            whole = _without_loop(sentence)
            if (same and same in seen) or not _grounded(whole, known, german):
                kept = kept.replace(sentence, "", 1)
                struck.append(sentence)
            elif whole != sentence:
                kept = kept.replace(sentence, whole, 1)
                struck.append(sentence[len(whole) :].strip())
            seen.add(same)
        if any(c.isalnum() for c in kept) or not line.strip():
            lines.append(re.sub(r"(?<=\S)[ \t]{2,}", " ", kept).rstrip())
    return Checked("\n".join(lines).strip(), tuple(struck))


@dataclass(frozen=True, slots=True)
class _Known:
    """What a source says, in forms that can be looked up."""

    text: str
    words: frozenset[str]
    stems: frozenset[str]
    numbers: frozenset[Decimal]
    amounts: frozenset[tuple[Decimal, str]]
    bare: frozenset[Decimal]
    currencies: frozenset[str]
    dates: frozenset[tuple[int, ...]]
    times: frozenset[tuple[int, bool]]
    digits: str = field(repr=False)

    @classmethod
    def of(cls, source: str) -> _Known:
        found = values(source)
        words = frozenset(_word_forms(source))
        amounts = {(n, c) for v in found if (c := currency(v.text)) for n in numbers(v.text)}
        spelled = {Decimal(n).normalize() for word, n in _NUMBER_WORDS.items() if word in words}
        figures = [v for v in found if v.kind in (ValueKind.NUMBER, ValueKind.AMOUNT)]
        stated = {n for v in figures for n in numbers(v.text)}
        # Digits of other values; those of "1,000" are no 1 and no 0.
        runs = {Decimal(run).normalize() for run in _RUN.findall(_without(source, figures))}
        dated = [v.text for v in found if v.kind is ValueKind.DATE]
        priced = {n for n, _ in amounts}
        return cls(
            source.casefold(),
            words,
            frozenset(word[:4] for word in words if len(word) >= 4),
            frozenset(spelled | runs | stated),
            frozenset(amounts),
            frozenset((spelled | runs | stated) - priced),
            frozenset(c for _, c in amounts) | {c for w in words if (c := currency(w))},
            frozenset(part for said in dated for reading in _dates(said) for part in _parts(reading)),
            frozenset(time for v in found if v.kind is ValueKind.TIME for time in _times(v.text)),
            re.sub(r"\D", "", source),
        )


def _without(text: str, found: Sequence[Value]) -> str:
    """`text` with blanks for the values that were found in it."""
    rest = list(text)
    for value in found:
        rest[value.start : value.end] = " " * (value.end - value.start)
    return "".join(rest)


def _grounded(sentence: str, known: _Known, german: bool) -> bool:
    found = values(sentence)
    if not all(_stands(value, known) for value in found):
        return False
    left = _without(sentence, found)
    counted = (word for word in re.findall(r"[^\W\d_]+", left.casefold()) if word in _NUMBER_WORDS)
    if not all(word in _COMMON_NUMBERS or Decimal(_NUMBER_WORDS[word]) in known.numbers for word in counted):
        return False
    return all(_named(name, known) for name in _names(left, german))


def _stands(value: Value, known: _Known) -> bool:
    """Whether the source states `value`, in this form or in another."""
    if _literally(value.text, known.text):
        return True
    match value.kind:
        case ValueKind.IDENTIFIER:
            digits = re.sub(r"\D", "", value.text)
            phone = not any(c.isalpha() for c in value.text) and "." not in value.text and len(digits) >= 7
            return phone and digits in known.digits
        case ValueKind.DATE:
            readings = _dates(value.text)
            if readings:
                return any(reading in known.dates for reading in readings)
            return all(_named(word, known) for word in _DAY_NAME.findall(value.text))
        case ValueKind.TIME:
            return _time(value.text) in known.times
        case ValueKind.AMOUNT:
            return _priced(value.text, known)
        case ValueKind.NUMBER:
            return bool(numbers(value.text) & known.numbers)


def _priced(amount: str, known: _Known) -> bool:
    said, unit = numbers(amount), currency(amount)
    if unit is None:
        return bool(said & known.numbers)
    if any((number, unit) in known.amounts for number in said):
        return True
    return unit in known.currencies and bool(said & known.bare)


def _literally(text: str, source: str) -> bool:
    """Whether `text` stands in `source` (both in any case) as a whole, not inside a longer value."""
    wanted = text.casefold()
    at = source.find(wanted)
    while at >= 0:
        before, after = source[at - 1 : at] if at else "", source[at + len(wanted) : at + len(wanted) + 2]
        longer = wanted[-1].isalnum() and bool(re.match(r"\w|[.,:/-]\d", after))
        inside = before.isalnum() or bool(re.search(r"\d[.,:/-]$", source[max(0, at - 2) : at]))
        ascii_neighbours = before.isascii() and after[:1].isascii()
        if not ((longer or inside) and ascii_neighbours):
            return True
        at = source.find(wanted, at + 1)
    return False


def _dates(text: str) -> set[tuple[int, ...]]:
    """What a date can mean, as (year, month, day), 0 for a part not said; nothing for words like "Monday"."""
    figures = [int(run) for run in re.findall(r"\d+", text)]
    month = next((MONTHS[w] for w in re.findall(r"[^\W\d_]+", text.casefold()) if w in MONTHS), 0)
    if month:
        year = next((n for n in figures if n > 31), 0)
        day = next((n for n in figures if n <= 31), 0)
        return {(year, month, day)}
    if re.search("[月월]", text):
        full = figures if re.search("[年년]", text) else [0, *figures]
        return {(full[0], full[1], full[2] if len(full) > 2 else 0)}
    if len(figures) != 3:
        return set()
    first, second, third = figures
    if first > 31:
        return {d for d in ((first, second, third),) if _possible(d)}
    year = third if third > 99 else 2000 + third
    return {d for d in ((year, second, first), (year, first, second)) if _possible(d)}


def _possible(parts: tuple[int, int, int]) -> bool:
    try:
        date(*parts)
    except ValueError:
        return False
    return True


def _parts(reading: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """A date and what it says when less of it is repeated."""
    year, month, day = reading
    yield from ((year, month, day), (0, month, day), (year, month, 0), (0, month, 0))


def _time(text: str) -> tuple[int, bool]:
    """Minutes after midnight, and whether it is said which half of the day it is."""
    figures = [int(run) for run in re.findall(r"\d+", text)] or [0]
    hour, minute = figures[0], figures[1] if len(figures) > 1 else 0
    half = re.search(r"([ap])\.?m", text.casefold())
    if half:
        hour = hour % 12 + (12 if half.group(1) == "p" else 0)
    return hour * 60 + minute, half is not None


def _times(text: str) -> Iterator[tuple[int, bool]]:
    """The ways to repeat a time: with am or pm where it is known, with 24 hours, or with neither."""
    minutes, halved = _time(text)
    yield minutes, False
    if halved or minutes >= 12 * 60 or text.startswith("0"):
        yield minutes, True
    if halved and minutes >= 13 * 60:
        yield minutes - 12 * 60, False


def _names(text: str, german: bool) -> Iterator[str]:
    """The proper names in a sentence: words with a capital that its place does not explain."""
    tokens = list(_TOKEN.finditer(text))
    for index, token in enumerate(tokens):
        word = token.group()
        if not word[0].isupper() or (len(word) == 1 and index == 0):
            continue
        before = text[: token.start()].rstrip(" \t\"'“‘(*_[")
        starts = not before or before[-1] in ".!?:…|>→-•"
        following = tokens[index + 1].group() if index + 1 < len(tokens) else ""
        if word.casefold() in _LABELS or word.casefold() in STOP_WORDS:
            continue
        if german and not following[:1].isupper():
            continue
        called = following[:1].isupper() or following.casefold() in _SPEAKING or word.endswith(("'s", "’s"))
        if starts and _NOUN.search(word) and not following[:1].isupper():
            continue
        if not starts or called or word.isupper():
            yield word


def _named(name: str, known: _Known) -> bool:
    """Whether the source has the word, or a form of it that begins alike."""
    plain = re.sub(r"['’]s$", "", name.casefold())
    forms = [plain, *plain.split("-")] if "-" in plain else [plain]
    if plain in known.words or all(form in known.words for form in forms[1:] or forms):
        return True
    longer = any(word.startswith(plain) and len(word) - len(plain) <= 3 for word in known.words)
    return len(plain) >= 4 and plain[:4] in known.stems and (longer or _inflected(plain, known))


def _inflected(word: str, known: _Known) -> bool:
    return any(len(word) - cut >= 4 and word[:-cut] in known.words for cut in (1, 2))


def _word_forms(text: str) -> Iterator[str]:
    for word in re.findall(r"[^\W\d_][\w'’-]*", text.casefold()):
        yield word
        yield from re.split(r"['’_-]", word)


def _without_loop(sentence: str) -> str:
    """`sentence` up to where a phrase has been said once more than `MAX_REPEATS` times in a row."""
    tokens = list(re.finditer(r"[\u3040-\u9fff]|[^\W_]+|[^\w\s]", sentence))
    said = [token.group().casefold() for token in tokens]
    for size in range(1, 13):
        run = 0
        for index in range(size, len(said)):
            run = run + 1 if said[index] == said[index - size] else 0
            if run >= size * MAX_REPEATS and any(w.isalpha() for w in said[index - size + 1 : index + 1]):
                return sentence[: tokens[index - run + size - size].end()].rstrip()
    return sentence
