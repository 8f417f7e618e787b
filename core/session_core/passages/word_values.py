"""The information value of each word of a text: how much of it could not be said in other words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from unicodedata import combining, normalize

from session_core.language.words import STOP_WORDS, words
from session_core.retrieval.retrieve import terms

KNOWN_WORDS = 32_768
"""Words come again and again: what is found of each one is kept for so many."""
KNOWN_FORMS = 4_096
_TOKEN = re.compile(r"[\w#@][\w#@.+/:'’-]*\w|[^\W_]")
_TOKEN_IN_ASCII = re.compile(r"[0-9A-Za-z_#@][0-9A-Za-z_#@.+/:'-]*[0-9A-Za-z_]|[0-9A-Za-z]")
"""The same in a text of ASCII alone, in a third of the time: signs that are listed are looked up at once."""
_SUFFIXES = ("'s", "’s", "ings", "ing", "ies", "es", "ed", "s")
_MARKED = re.compile(r"`([^`\n]{2,80})`")
_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_PATH_MARKS = frozenset("_/@#")
_KINDS = "".join("9" if chr(code).isdigit() else "a" if chr(code).isalpha() else chr(code) for code in range(128))
"""Each sign of ASCII, a letter or a figure by its kind."""
_ASCII_MARKS, _ASCII_DIGITS = re.compile(r"[0-9_/@#.]"), re.compile("[0-9]")
ORDINARY = 0.25
WORTH = {"code": 3.0, "figure": 1.5, "path": 2.5, "name": 1.2}


def stems(text: str) -> list[str]:
    """The words of `text` to match with a query; English endings and Latin accents are removed."""
    return list(map(_stem, terms(text)))


@lru_cache(maxsize=8_192)
def named_in(heading: str) -> Mapping[str, float]:
    """The values of a heading, cached, since the same headings occur again and again."""
    return values_of(heading)


def values_of(text: str) -> dict[str, float]:
    """The words of `text` with their information value: codes, paths and numbers most, common words little."""
    found: dict[str, float] = {}
    tokens = (_TOKEN_IN_ASCII if text.isascii() else _TOKEN).findall
    for value, worth in map(_value, tokens(text)):
        if worth and (value not in found or worth > found[value]):
            found[value] = worth
    for span in _MARKED.findall(text) if "`" in text else ():
        for token in tokens(span):
            if (value := token.lower()) in found:
                found[value] = max(found[value], WORTH["name"])
    if not text.isascii():
        for pair in words(text):
            if not pair.isascii():
                found.setdefault(pair, ORDINARY)
    return found


@lru_cache(maxsize=KNOWN_WORDS)
def _value(token: str) -> tuple[str, float]:
    """A word in lower case and its information value, which is higher for digits, paths and names; 0 for function
    words."""
    lowered = token.lower()
    if lowered in STOP_WORDS:
        return lowered, 0.0
    if _ASCII_DIGITS.search(token) if token.isascii() else any(map(str.isdigit, token)):
        code = len(token) >= 4 or any(c.isalpha() or c in "#@_" for c in token)
        return lowered, WORTH["code" if code else "figure"]
    if not _PATH_MARKS.isdisjoint(token) or "." in token.strip("."):
        return lowered, WORTH["path"]
    return lowered, WORTH["name"] if token[:1].isupper() else ORDINARY


@lru_cache(maxsize=KNOWN_WORDS)
def shape(value: str) -> str:
    """The form of a code or path: letters and digits replaced by their kind, punctuation kept; "" for a plain word."""
    return _form(value.translate(_KINDS)) if value.isascii() else _form(value)


@lru_cache(maxsize=KNOWN_FORMS)
def _form(value: str) -> str:
    """The shape of a value, cached: codes are many, but most differ only in their letters and digits."""
    if not (_ASCII_MARKS.search(value) if value.isascii() else any(c.isdigit() or c in "_/@#." for c in value)):
        return ""
    kinds = _DIGITS.sub(lambda found: f"9{len(found.group())}", value)
    return _LETTERS.sub("a", kinds)


@lru_cache(maxsize=KNOWN_WORDS)
def parts_of(value: str) -> Mapping[str, int]:
    """The words in a path or in a name of several words; none for a single word and for anything with digits."""
    if not shape(value) or any(map(str.isdigit, value)):
        return {}
    parts = dict.fromkeys(stems(value), 1)
    return parts if len(parts) > 1 else {}


@lru_cache(maxsize=KNOWN_WORDS)
def _stem(word: str) -> str:
    if not word.isascii():
        # Many leave accents out, and names of fields have none.
        plain = "".join([sign for sign in normalize("NFKD", word) if not combining(sign)])
        # "qué" asks, "que" joins.
        word = plain if plain.isascii() and plain not in STOP_WORDS else word
    if word.endswith(_SUFFIXES) and word.isascii():
        for suffix in _SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= 3:
                return word[: -len(suffix)]
    return word
