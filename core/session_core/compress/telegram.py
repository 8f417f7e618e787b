"""Shortens sentences to telegram style, without articles and other function words."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from session_core.compress.word_values import KNOWN_WORDS
from session_core.language.words import TELEGRAM_WORDS

_FRAME = re.compile(r"^[^\w'’]+|[^\w]+$")
_AFTER_THE = re.compile(r"\d+(?:st|nd|rd|th)\b|(?:morning|afternoon|evening)\b")


def brief(text: str) -> str:
    """`text` in the style of a telegram: articles, auxiliaries, courtesies and the speaker's own "I" left out.

    Negations, prepositions and all else stay, in order; dates, times, names and what stands in marks of code stay word
    for word. "" where nothing
    would be left out or nothing is left.
    """
    said = text.replace("**", "").split()
    code = _in_code(said)
    kept = [word for place, word in enumerate(said) if place in code or _telling(word) or _belongs(said, place)]
    short = " ".join(kept).strip(" .,;")
    return short if any(map(str.isalnum, short)) and len(kept) < len(said) else ""


def _in_code(said: Sequence[str]) -> Collection[int]:
    """The positions of the words between two code marks."""
    marks = [place for place, word in enumerate(said) for _ in range(word.count("`") % 2)]
    return {place for start, end in zip(marks[::2], marks[1::2], strict=False) for place in range(start, end + 1)}


@lru_cache(maxsize=KNOWN_WORDS)
def _telling(word: str) -> bool:
    """Whether the sentence cannot be understood without the word."""
    return _FRAME.sub("", word).lower() not in TELEGRAM_WORDS


def _belongs(said: Sequence[str], place: int) -> bool:
    """Whether the word there is part of a date, a time or a name: "the 5th", "10 am", "in the evening", "The Ivy"."""
    word, before = said[place], said[place - 1] if place else ""
    behind = said[place + 1] if place + 1 < len(said) else ""
    if word.lower() == "the" and _AFTER_THE.match(behind):
        return True
    if word[:2] == "am":
        return before[-1:].isdigit()
    return word in ("The", "A") and behind[:1].isupper() and before[-1:].isalnum()


def saved(text: str, short: str) -> int:
    """About how many tokens shorter `short` is: each omitted word counts as one."""
    return len(text.split()) - len(short.split())
