"""Checks a summary against its source and strikes what the model invented."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from session_core.language.forms import dates, minutes_of, parts, times
from session_core.language.names import names
from session_core.language.number_words import spelled_numbers
from session_core.language.values import Value, ValueKind, currency, numbers, values
from session_core.language.words import sentences
from session_core.plan import GiveWay, never_pause
from session_core.verification.associations import Associations
from session_core.verification.claims import blank_out, distinctive_stems, stems
from session_core.verification.negation import Statement, agrees_with, denials

MAX_REPEATS = 3
"""A phrase of up to 12 words repeated more often than this means that the model is stuck in a loop."""

_COMMON_NUMBERS = 2
"""Number words up to this, and ordinals up to the next, are used without counting and are not checked."""

FEW = 2
"""This many words that are not in the source still count as a paraphrase."""

_ROLE = "user|assistant|system|tool|human|ai"
_EMPTY = re.compile(rf"\W*(?:\d{{1,2}}[.)]|none|n/a|{_ROLE})?\W*", re.IGNORECASE)
"""Filler output of a model: the number of a list item, the word for nothing, a role without text."""
_SPOKEN = re.compile(rf"\W*(?:{_ROLE})\s?:", re.IGNORECASE)
"""Prefixes that do not change the meaning of a sentence."""
_GERMAN = re.compile(r"\b(?:der|die|das|und|ist|nicht|ein|eine|mit|für|wurde|hat)\b")
_RUN = re.compile(r"(?<![A-Za-z0-9])\d{1,30}(?![A-Za-z0-9])")
_PATH = re.compile(r"(?<![\w/.:@-])[\w-][\w.-]*(?:/[\w.-]+)*/[\w-]+\.[a-z]\w{0,4}\b")
_RANGE = re.compile(r"(\d+)[-–](\d+)")
_DAY_NAME = re.compile(r"[^\W\d_][\w -]*")


@dataclass(frozen=True, slots=True)
class Checked:
    """A summary less what its source does not say. `struck` has the sentences removed, in order."""

    text: str
    struck: tuple[str, ...] = ()


def check(summary: str, source: str, *, previous: str = "", give_way: GiveWay = never_pause) -> Checked:
    """`summary` without each sentence that states something neither `source` nor `previous` does.

    Every number, date, time, amount, identifier and proper name must stand there; case, thousands
    separators, forms of dates and times, and "five" for 5 may differ. None may stand with what the source has
    elsewhere: an amount with another person, a date with another event, a count with another thing, from and to
    turned around. What the source denies may not be said, nor the other way round. A sentence said before and
    phrases in a loop are struck as well. In German, where each noun has a capital, lone names are not checked.
    Gives way after each sentence.
    """
    if not summary.strip():
        return Checked("")
    return Source.of(f"{source}\n{previous}", give_way).check(summary)


@dataclass(frozen=True, slots=True)
class Source:
    """The statements of a source in forms for fast lookup, for one check or many."""

    text: str
    words: frozenset[str]
    stems: frozenset[str]
    spoken: frozenset[str]
    numbers: frozenset[Decimal]
    amounts: frozenset[tuple[Decimal, str]]
    bare: frozenset[Decimal]
    currencies: frozenset[str]
    dates: frozenset[tuple[int, ...]]
    times: frozenset[tuple[int, bool]]
    digits: str = field(repr=False)
    associations: Associations = field(repr=False)
    denials: list[Statement] = field(repr=False)

    @classmethod
    def of(cls, source: str, give_way: GiveWay = never_pause) -> Source:
        found = values(source)
        words = frozenset(_word_forms(source))
        amounts = {(n, c) for v in found if (c := currency(v.text)) for n in numbers(v.text)}
        written = {Decimal(one.number).normalize() for one in spelled_numbers(source)}
        figures = [v for v in found if v.kind in (ValueKind.NUMBER, ValueKind.AMOUNT)]
        stated = {n for v in figures for n in numbers(v.text)}
        # Digits of other values; those of "1,000" are neither 1 nor 0.
        runs = {Decimal(run).normalize() for run in _RUN.findall(blank_out(source, figures))}
        dated = [v.text for v in found if v.kind is ValueKind.DATE]
        priced = {n for n, _ in amounts}
        return cls(
            source.casefold(),
            words,
            frozenset(word[:4] for word in words if len(word) >= 4),
            frozenset(stems(source)),
            frozenset(written | runs | stated),
            frozenset(amounts),
            frozenset((written | runs | stated) - priced),
            frozenset(c for _, c in amounts) | {c for w in words if (c := currency(w))},
            frozenset(part for text in dated for reading in dates(text) for part in parts(reading)),
            frozenset(time for v in found if v.kind is ValueKind.TIME for time in times(v.text)),
            re.sub(r"\D", "", source),
            Associations.of(source, give_way),
            denials(source, give_way),
        )

    def check(self, summary: str) -> Checked:
        """As the function `check`."""
        german = len(_GERMAN.findall(summary)) >= 3
        seen: set[str] = set()
        struck: list[str] = []
        lines: list[str] = []
        for line in summary.splitlines():
            kept = line
            for sentence in sentences(line):
                same = "".join(c for c in _SPOKEN.sub("", sentence, count=1).casefold() if c.isalnum())
                whole = _without_loop(sentence)
                if (same and same in seen) or not _is_grounded(whole, self, german):
                    kept = kept.replace(sentence, "", 1)
                    struck.append(sentence)
                elif whole != sentence:
                    kept = kept.replace(sentence, whole, 1)
                    struck.append(sentence[len(whole) :].strip())
                seen.add(same)
            if any(c.isalnum() for c in kept) or not line.strip():
                lines.append(re.sub(r"(?<=\S)[ \t]{2,}", " ", kept).rstrip())
        return Checked("\n".join(lines).strip(), tuple(struck))


def _is_grounded(sentence: str, known: Source, german: bool) -> bool:
    if _EMPTY.fullmatch(sentence.strip()):
        return False
    found = values(sentence)
    if not all(_is_stated(value, known) for value in found):
        return False
    if not all(_occurs_in(path, known.text) for path in _PATH.findall(sentence)):
        return False
    left = blank_out(sentence, found)
    if not _is_spoken_of(left, known):
        return False
    counted = (one for one in spelled_numbers(left) if one.number > _COMMON_NUMBERS + one.ordinal)
    if not all(Decimal(one.number).normalize() in known.numbers for one in counted):
        return False
    if not all(_is_name_known(name, known) for name in names(left, german)):
        return False
    return known.associations.are_kept_by(sentence) and agrees_with(sentence, known.denials, known.text)


def _is_spoken_of(sentence: str, known: Source) -> bool:
    """Whether the source contains half of the words, by their stems, or lacks hardly any."""
    words = {stem for stem in distinctive_stems(sentence) if stem.isalpha()}
    return len(words - known.spoken) <= max(FEW, len(words) // 2)


def _is_stated(value: Value, known: Source) -> bool:
    """Whether the source states `value`, in this form or another."""
    if _occurs_in(value.text, known.text):
        return True
    match value.kind:
        case ValueKind.IDENTIFIER:
            if ends := _RANGE.fullmatch(value.text):
                return _is_range_in(ends.group(1), ends.group(2), known.text)
            digits = re.sub(r"\D", "", value.text)
            phone = not any(c.isalpha() for c in value.text) and "." not in value.text and len(digits) >= 7
            return phone and digits in known.digits
        case ValueKind.DATE:
            readings = dates(value.text)
            if readings:
                return any(reading in known.dates for reading in readings)
            return all(_is_name_known(word, known) for word in _DAY_NAME.findall(value.text))
        case ValueKind.TIME:
            return minutes_of(value.text) in known.times
        case ValueKind.AMOUNT:
            return _is_amount_known(value.text, known)
        case ValueKind.NUMBER:
            return bool(numbers(value.text) & known.numbers)


def _is_range_in(low: str, high: str, text: str) -> bool:
    """Whether `text` expresses a range in another way: "3 to 5", "between 3 and 5", "8–12"."""
    return re.search(rf"(?<![\d.,]){low}\s?(?:[-–—]|to|and|bis|a|à|al|até)\s?{high}(?!\d|[.,]\d)", text) is not None


def _is_amount_known(amount: str, known: Source) -> bool:
    said, unit = numbers(amount), currency(amount)
    if unit is None:
        return bool(said & known.numbers)
    if any((number, unit) in known.amounts for number in said):
        return True
    return unit in known.currencies and bool(said & known.bare)


def _occurs_in(text: str, source: str) -> bool:
    """Whether `text` occurs in `source` (both casefolded) as a whole, not inside a longer value."""
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


def _is_name_known(name: str, known: Source) -> bool:
    """Whether the source contains the word, or a form of it with the same beginning."""
    plain = re.sub(r"['’]s$", "", name.casefold())
    forms = [plain, *plain.split("-")] if "-" in plain else [plain]
    if plain in known.words or all(form in known.words for form in forms[1:] or forms):
        return True
    longer = any(word.startswith(plain) and len(word) - len(plain) <= 3 for word in known.words)
    return len(plain) >= 4 and plain[:4] in known.stems and (longer or _is_inflection_known(plain, known))


def _is_inflection_known(word: str, known: Source) -> bool:
    return any(len(word) - cut >= 4 and word[:-cut] in known.words for cut in (1, 2))


def _word_forms(text: str) -> Iterator[str]:
    for word in re.findall(r"[^\W\d_][\w'’-]*", text.casefold()):
        yield word
        yield from re.split(r"['’_-]", word)


def _without_loop(sentence: str) -> str:
    """`sentence` up to where a phrase was repeated more than `MAX_REPEATS` times."""
    tokens = list(re.finditer(r"[\u3040-\u9fff]|[^\W_]+|[^\w\s]", sentence))
    texts = [token.group().casefold() for token in tokens]
    for size in range(1, 13):
        run = 0
        for index in range(size, len(texts)):
            run = run + 1 if texts[index] == texts[index - size] else 0
            if run >= size * MAX_REPEATS and any(w.isalpha() for w in texts[index - size + 1 : index + 1]):
                return sentence[: tokens[index - run + size - size].end()].rstrip()
    return sentence
