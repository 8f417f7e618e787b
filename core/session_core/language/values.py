"""Finds the values in a text: identifiers, dates, times, amounts and numbers, and their normalized forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from heapq import merge
from itertools import pairwise
from string import ascii_letters

from session_core.language.words import MONTHS, READ_AGAIN_CHARACTERS, SENTENCES


class ValueKind(StrEnum):
    """What sort of value it is."""

    IDENTIFIER = "identifier"
    DATE = "date"
    TIME = "time"
    AMOUNT = "amount"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Value:
    """One value: its words, and where it stands in its text."""

    kind: ValueKind
    text: str
    start: int
    end: int


CURRENCIES: dict[str, str] = {
    name: code
    for code, names in (
        ("usd", "$ us$ usd dollar dollars dólar dólares dollari 美元 ドル 달러 доллар долларов доллара دولار डॉलर"),
        ("eur", "€ eur euro euros 欧元 歐元 ユーロ 유로 евро يورو यूरो"),
        ("gbp", "£ gbp pound pounds quid 英镑 ポンド 파운드 фунтов"),
        ("jpy", "¥ jpy yen 円 日元"),
        ("cny", "cny rmb yuan 人民币 元 块"),
        ("inr", "₹ inr rupee rupees रुपये रुपए"),
        ("rub", "₽ rub rouble roubles ruble rubles рублей рубля рубль руб"),
        ("krw", "₩ krw won 원"),
        ("chf", "chf franken francs"),
        ("cad", "cad"),
        ("aud", "aud"),
        ("brl", "r$ brl real reais"),
        ("mxn", "mxn peso pesos"),
        ("sek", "sek kronor"),
        ("pln", "pln złotych złote zł zloty"),
        ("try", "₺ lira"),
        ("thb", "฿ thb baht"),
        ("%", "% percent prozent"),
    )
    for name in names.split()
}
"""Names and signs of currencies, by code; percent is treated as one."""

MULTIPLIERS = {
    "k": 1_000, "thousand": 1_000, "m": 1_000_000, "mn": 1_000_000, "million": 1_000_000,
    "millionen": 1_000_000, "bn": 1_000_000_000, "billion": 1_000_000_000, "万": 10_000, "億": 100_000_000,
}  # fmt: skip

_UNITS = (
    "km kms miles? mi meters? metres? cm mm ft feet inch inches kg kilos? lbs? grams? mg ml lit(?:er|re)s? "
    "[kmgt]b [kmg]hz watts? kwh hours? hrs? minutes? mins? seconds? secs? days? nights? weeks? months? years? people "
    "persons? guests? adults? children kids? passengers? rooms? tickets? seats? units? items? pieces? stars? pages? "
    "tage? nächte wochen? monate? jahre? stunden? minuten personen jours? nuits? semaines? mois ans heures? personnes "
    "días? noches? semanas? meses años? horas? personas giorni notti settimane mesi anni ore persone dias? noites? "
    "pessoas anos?"
).split()
_START = r"(?<![A-Za-z0-9_.,])"
_SIGN = r"(?:US\$|R\$|[$€£¥₹₽₩₺฿])"
_GROUPED = r"\d{1,3}(?:[,.'’\u00a0\u202f]\d{3})+(?:[.,]\d{1,4})?(?!\d)"
_NUM = rf"(?:{_GROUPED}|\d+(?:[.,]\d+)?)"
_WHOLE_NUM = rf"(?:{_GROUPED}|\d++(?:[.,]\d++)?)"
"""A number pattern that does not backtrack to fewer digits."""
_BY_BLANKS = r"\d{1,3}(?: \d{3})+"
"""Blanks as thousands separators, as in "2 400 euros": a number only if a currency follows."""
_MANY = r"(?:\s?(?:thousand|million|millionen|billion)|\s?(?:bn|mn)|[kKmM]|万|億)"
_CURRENCY_SIGNS = [(name, code) for name, code in CURRENCIES.items() if not name.isascii()]
_CODES = "|".join(sorted((n for n in CURRENCIES if n.isalpha() and n.isascii()), key=len, reverse=True))
CODES_ABROAD = "|".join(
    sorted((n for n in CURRENCIES if not n.isascii() and any(map(str.isalpha, n))), key=len, reverse=True)
)
_CODES_BEFORE = "|".join(name for name in _CODES.split("|") if name not in ("won", "real"))
"""Currency codes before a number; words that are also verbs ("won 5 games") are excluded."""
_MONTH = "(?:" + "|".join(sorted(MONTHS, key=len, reverse=True)) + r")\b(?:\.(?=\s\d))?"
_SOON = r"tomorrow|next\s(?:week(?:end)?|month|year)|morgen\sfrüh|demain|mañana|domani|amanhã"
_WEEKDAY = (
    "(?:mon|tues|wednes|thurs|fri|satur|sun)day|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|"
    "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles|jueves|viernes|sábado|domingo|lunedì|"
    "martedì|mercoledì|giovedì|venerdì|sabato|domenica|segunda-feira|terça-feira|quarta-feira|quinta-feira|sexta-feira|"
    "maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|понедельник|вторник|сред[ау]|четверг|пятниц[ау]|"
    "суббот[ау]|воскресенье|poniedziałek|wtorek|środ[aęy]|czwartek|piątek|sobot[aęy]|niedziel[aęi]|pazartesi|salı|"
    "çarşamba|perşembe|cuma|cumartesi"
)
DAY = (
    rf"\b(?:{_WEEKDAY}|{_SOON})\b|(?:星期|(?<![一每两几])周|礼拜)[一二三四五六日天](?![个年次天])|[月火水木金土日]曜日?|"
    r"[월화수목금토일]요일"
)

_WEB = r"https?://[^\s<>\"')\]]{1,500}|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}"
_UUID = r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
_DATE = "|".join(
    (
        r"\b\d{4}-\d{1,2}-\d{1,2}(?!\d)T?",
        r"\b\d{1,2}(?P<sep>[./-])\d{1,2}(?P=sep)(?:\d{4}|\d{2})\b(?!(?P=sep)\d)",
        r"\b\d{4}[./]\d{1,2}[./]\d{1,2}\b",
        (
            rf"\b\d{{1,2}}(?:st|nd|rd|th|er|\.|º)?[\s-](?:(?:of|de|di|do)\s)?{_MONTH}"
            r"(?:,?[\s-](?:de\s|of\s)?\d{4}\b)?"
        ),
        rf"\b{_MONTH}\s(?:the\s)?\d{{1,2}}(?:st|nd|rd|th)?\b(?![:.,]\d)(?:,?\s\d{{4}}\b)?",
        rf"\b{_MONTH}\s\d{{4}}\b",
        r"(?:\d{4}\s?[年년]\s?)?\d{1,2}\s?[月월](?:\s?\d{1,2}\s?[日号일])?",
        DAY,
    )
)
_TIME = "|".join(
    (
        r"(?:\b|(?<=\dT))\d{1,2}:\d{2}(?::\d{2})?(?!\d)(?:\s?(?:[ap]m\b|[ap]\.m\.))?",
        r"\b\d{1,2}\s?(?:[ap]m\b|[ap]\.m\.)|\b\d{1,2}\s?(?:uhr|o['’]clock)\b|\b\d{1,2}h(?:\d{2})?\b",
        r"\d{1,2}(?:[時时点](?![間间])|시(?!간))(?:\s?\d{1,2}[分분])?",
    )
)
_AMOUNT = "|".join(
    (
        rf"{_SIGN}\s?{_NUM}{_MANY}?(?![^\W\d_])|\b(?:{_CODES_BEFORE})\s{_NUM}{_MANY}?\b(?![-/:]\d)",
        rf"{_START}{_BY_BLANKS}\s?(?:{_SIGN}(?!\d)|{CODES_ABROAD}|(?:{_CODES})\b)",
        rf"{_START}{_WHOLE_NUM}{_MANY}?\s?(?:{_SIGN}(?!\d)|%|{CODES_ABROAD})",
        rf"{_START}{_WHOLE_NUM}{_MANY}?[\s-]?(?=[^\W\d_])(?:{_CODES}|{'|'.join(_UNITS)})\b",
    )
)
_PHONE = r"(?<![\w.,+-])(?:\+\d{1,3}|\(?0\d{1,4}\)?)[\s./-]?\d[\d\s./-]{4,14}\d\b"
_PATH = r"(?<![\w/])(?:~|\.{1,2})?/[\w.-]+(?:/[\w.-]+)+|[#@]\w{2,64}\b"
_NUMBER = rf"{_START}{_WHOLE_NUM}(?:{_MANY})?(?![A-Za-z0-9_]|[-/.:#,][A-Za-z0-9])"
_CODE = (
    r"(?<![A-Za-z0-9_.-])(?=[A-Za-z./:#-]{0,40}[0-9_]|[A-Za-z-]{1,40}\.[a-z])"
    r"[A-Za-z0-9_]+(?:[-/.:#][A-Za-z0-9_]+)*"
)
_WORD_START = r"(?:(?<![A-Za-z])|(?<=\dT))"
_PATTERN = re.compile(
    rf"{_WORD_START}(?:(?P<web>{_WEB})|(?P<uuid>{_UUID})|(?P<date>{_DATE})|(?P<time>{_TIME})|"
    f"(?P<amount>{_AMOUNT})|"
    rf"(?P<phone>{_PHONE})|(?P<path>{_PATH})|(?P<number>{_NUMBER})|(?P<code>{_CODE})|(?P<digits>\d+))",
    re.IGNORECASE,
)
_BEGINS_NONE = r"\s,;!?\"'A-Za-z()\[\]{}<>=*&^%|\\`"
_DAYS_ABROAD = (("\u33ff", "礼周日星月木水火土金", "\ua000"), ("\uabff", "금목수월일토화", "\ud7b0"))
"""The signs that a day's name begins with in Chinese and Japanese, and in Korean, between what bounds their scripts."""
_UNSPACED = "\u3001-\u3020\u3040-\u30ff" + "".join(
    f"{chr(ord(after) + 1)}-{chr(ord(before) - 1)}"
    for start, signs, end in _DAYS_ABROAD
    for after, before in pairwise((start, *sorted(signs), end))
    if ord(before) - ord(after) > 1
)
_SIGNED, _SIGNED_UNADDRESSED = re.compile(f"[^{_BEGINS_NONE}]+"), re.compile(f"[^{_BEGINS_NONE}{_UNSPACED}]+")
"""Digits and signs: a value begins with one of them, or with the letters before them, or with a name. Where no address
stands (name@host), it begins with no other word of a script that parts none."""
_IN_BRACKETS = re.compile(r"\((?=0)")
"""How a phone's number may begin besides."""
_BARE = re.compile(
    r"(?<![^ \n])[1-9][0-9]{0,6}"
    r"(?=[.,;!?]*(?:$|[ \n](?:[0-9](?![0-9]{2}(?![0-9]))|([A-Za-z]+)(?![^ \n.,;!?]|\.[A-Za-z]))))"
)
"""A number that stands alone before a word, another number or the end of a text."""
_COUNTED = re.compile(
    rf"{_CODES}|{'|'.join(_UNITS)}|{'|'.join(MONTHS)}|of|de|di|do|[ap]m|uhr|(?:thousand|million|billion|bn|mn).*",
    re.IGNORECASE,
)
"""What makes a number before it an amount, a date or a time."""
_WORD = re.compile("[A-Za-z]+")
_LETTERS = bytes(code if chr(code).isalpha() else ord(" ") for code in range(128)).ljust(256)
"""Of ASCII, what stands for each sign where only letters count."""
_NAMES = frozenset(
    name
    for name in (*MONTHS, *CURRENCIES, *_WEEKDAY.split("|"), *"tomorrow next morgen demain domani".split())
    if name.isascii() and name.isalpha()
) | {f"{day}day" for day in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")}
"""The words that a value may begin with."""
_NO_DIGITS = re.compile(rf"(?P<web>{_WEB})|(?P<path>{_PATH})|(?P<code>{_CODE})", re.IGNORECASE)
_DAYS = re.compile(f"(?P<date>{DAY})", re.IGNORECASE)
_NO_VALUES = re.compile(r"(?!)")
_NO_DIGITS_EITHER = re.compile(f"{_NO_DIGITS.pattern}|{_DAYS.pattern}", re.IGNORECASE)
_DIGIT = re.compile("[0-9]")
_SIGNS = re.compile(r"[@_/#]|\w\.[a-z]")
_KINDS = {
    "web": ValueKind.IDENTIFIER, "uuid": ValueKind.IDENTIFIER, "phone": ValueKind.IDENTIFIER,
    "path": ValueKind.IDENTIFIER, "code": ValueKind.IDENTIFIER, "date": ValueKind.DATE,
    "time": ValueKind.TIME, "amount": ValueKind.AMOUNT, "number": ValueKind.NUMBER,
    "digits": ValueKind.NUMBER,
}  # fmt: skip
_BY_NAME = {kind.value: kind for kind in ValueKind}
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th|er|º|[a-z])", re.IGNORECASE)
_FILE = re.compile(r"[\w-]+\.(?:[a-z]{2,4}|[a-z]\w\d?)", re.IGNORECASE)
_NUMBER_ONLY = re.compile(rf"{_NUM}(?:{_MANY}(?![^\W\d_]))?", re.IGNORECASE)
"""The k of "5km" multiplies nothing."""


_APART = re.compile(r"(?<=\d) (?=\d{3}(?!\d))")


def values(text: str) -> tuple[Value, ...]:
    """The values that `text` states, in order; no two overlap."""
    if len(text) > READ_AGAIN_CHARACTERS:
        return tuple(found(text))
    return tuple([Value(_BY_NAME[kind], shown, start, end) for kind, shown, start, end in _values_before(text)])


@lru_cache(maxsize=SENTENCES)
def _values_before(text: str) -> tuple[tuple[str, str, int, int], ...]:
    """The values as plain tuples: of thousands that are remembered Python's collector looks at none."""
    return tuple([(value.kind.value, value.text, value.start, value.end) for value in found(text)])


def numbers(text: str) -> frozenset[Decimal]:
    """The possible readings of the number `text`: "1.200" is 1200 or 1.2, "2.5k" is 2500."""
    match = _NUMBER_ONLY.search(_APART.sub("", text))
    if match is None:
        return frozenset()
    digits = re.match(r"[\d.,'’\u00a0\u202f]*\d", match.group())
    if digits is None:
        return frozenset()
    factor = MULTIPLIERS.get(match.group()[digits.end() :].strip().casefold(), 1)
    return frozenset((Decimal(reading) * factor).normalize() for reading in _readings(digits.group()))


def currency(text: str) -> str | None:
    """The code of the currency (or "%") of the amount `text`, or None."""
    rest = re.sub(r"[\d.,'’\u00a0\u202f]", " ", text).casefold()
    for part in rest.split():
        if part in CURRENCIES:
            return CURRENCIES[part]
    return None if rest.isascii() else next((code for sign, code in _CURRENCY_SIGNS if sign in rest), None)


def found(text: str) -> Iterator[Value]:
    """As `values`, lazily and without a cache, for callers that need only the first of some kind."""
    pattern = _pattern(text)
    for group, shown, start in _matches(text) if pattern is _PATTERN else map(_told, pattern.finditer(text)):
        if group == "web":
            shown = shown.rstrip(".,;:!?")
        elif group == "date":
            shown = shown.removesuffix("T").rstrip()
        kind: ValueKind | None = _KINDS[group]
        if group == "code":
            kind = _code_kind(shown)
        elif group == "number" and shown.isdigit():
            kind = ValueKind.IDENTIFIER if _names_something(shown) else ValueKind.NUMBER
        if kind is not None:
            yield Value(kind, shown, start, start + len(shown))


def _matches(text: str) -> Iterator[tuple[str, str, int]]:
    """What `_PATTERN.finditer` finds, each with its group and where it begins, in a tenth of its time: the pattern is
    tried only where it may match, and not at a number that is no more than that."""
    at = 0
    for start in _starts(text):
        if start < at:
            continue
        if (bare := _BARE.match(text, start)) and not (bare[1] and _counts(bare[1])):
            at = bare.end()
            yield "number", bare[0], start
        elif match := _PATTERN.match(text, start):
            at = match.end()
            yield _told(match)


def _told(match: re.Match[str]) -> tuple[str, str, int]:
    return match.lastgroup or "number", match[0], match.start()


def _starts(text: str) -> Iterable[int]:
    """Where a value of `text` may begin, in order; most of these begin none. Who stops early has looked at no more."""
    named = _named(text)
    if "(0" in text:
        named += [bracket.start() for bracket in _IN_BRACKETS.finditer(text)]
    return merge(sorted(named), _signed(text)) if named else _signed(text)


def _signed(text: str) -> Iterator[int]:
    at, last, addressed = 0, -1, "@" in text
    for signs in (_SIGNED if addressed else _SIGNED_UNADDRESSED).finditer(text):
        first, end = signs.span()
        # A full stop before a blank begins nothing, nor does what stands before it.
        stopped = text[end - 1] == "." and text[end : end + 1].strip() == ""
        if stopped and end - first == 1:
            continue
        if text[first - 1 : first].isalpha() and (letters := at + len(text[at:first].rstrip(ascii_letters))) > last:
            yield letters
        if addressed or end - first > 1 or text[first] != ".":
            yield from range(first, end - stopped)
        if text[end : end + 1] in ("T", "t"):
            # The separator of a date and its time.
            yield end
            yield end + 1
            last = end
        at = end


def _named(text: str) -> list[int]:
    """Where the names in `text` stand that a value may begin with; and where they are but a part of a word."""
    if not text.isascii():
        return [word.start() for word in _WORD.finditer(text) if word[0].lower() in _NAMES]
    lowered = text.lower()
    return [place.start() for name in _names(lowered) for place in re.finditer(name, lowered)]


def _names(lowered: str) -> frozenset[str]:
    """The names in a text of ASCII in lower case."""
    return _NAMES.intersection(lowered.encode().translate(_LETTERS).decode().split())


@lru_cache(maxsize=SENTENCES)
def _counts(word: str) -> bool:
    """Whether `word` makes more of a figure before it."""
    return _COUNTED.fullmatch(word) is not None


def _pattern(text: str) -> re.Pattern[str]:
    """The cheapest pattern that finds all values of `text`: most sentences have no digit."""
    if not text.isascii() or _DIGIT.search(text):
        return _PATTERN
    if _SIGNS.search(text):
        return _NO_DIGITS_EITHER
    return _DAYS if _names(text.lower()) else _NO_VALUES


def _code_kind(token: str) -> ValueKind | None:
    """Whether a run of letters, digits and joiners names something, is a number, or is a plain word."""
    if not any(c.isdigit() for c in token):
        named = "_" in token.strip("_") or ("." in token and _FILE.fullmatch(token) and token.islower())
        return ValueKind.IDENTIFIER if named else None
    if not any(c.isalpha() for c in token):
        return ValueKind.NUMBER if _NUMBER_ONLY.fullmatch(token) else ValueKind.IDENTIFIER
    if _ORDINAL.fullmatch(token) or len(token) < 3:
        return ValueKind.NUMBER if token[0].isdigit() else None
    return ValueKind.IDENTIFIER


def _names_something(digits: str) -> bool:
    """Whether bare digits look like an account or a code rather than a quantity."""
    return len(digits) >= 8 or (digits[0] == "0" and digits.strip("0") != "")


def _readings(digits: str) -> Iterator[str]:
    """The decimals that a number as written can mean, by English and by continental habits."""
    plain = re.sub(r"['’\u00a0\u202f]", "", digits)
    marks = [c for c in plain if c in ".,"]
    if not marks:
        yield plain
        return
    last = plain.rfind(marks[-1])
    head, tail = re.sub("[.,]", "", plain[:last]), plain[last + 1 :]
    if len(set(marks)) == 2:
        yield f"{head}.{tail}"
        return
    grouped = len(tail) == 3 and all(len(part) == 3 for part in re.split("[.,]", plain)[1:])
    if grouped and plain[0] != "0":
        yield head + tail
    if len(marks) == 1 and (marks[0] == "." or not grouped or plain[0] == "0"):
        yield f"{head or '0'}.{tail}"
