"""Shortens sentences to telegram style, without articles and other function words."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from session_core.language.words import TELEGRAM_WORDS
from session_core.passages.word_values import KNOWN_WORDS

_ENGLISH = frozenset("the of and for with to you my your our is are was this that not it".split())
_OTHER = frozenset(
    "der das und dem ist nicht mit auf wir ich ein eine für im vom zum zur kein keine bitte el los las que para una "
    "del por muy está pero le les des du et est pour avec nous je une au aux pas sur il lo gli di che della dei delle "
    "non sono uma dos das nos nas da em não ao het een voor niet op naar wij jest nie na się dla bir ve için".split()
)
"""Words of other languages, in which an English "do", "a", "am" or "so" is another word."""
_FRAME = re.compile(r"^[^\w'’]+|[^\w]+$")
_AFTER_THE = re.compile(r"\d+(?:st|nd|rd|th)\b|(?:morning|afternoon|evening)\b")


def to_telegram_style(text: str) -> str:
    """`text` in the style of a telegram: articles, auxiliaries, courtesies and the speaker's own "I" left out.

    Negations, prepositions and all else stay, in order; dates, times, names and what stands in marks of code stay word
    for word. "" where nothing would be left out or nothing is left, and in other languages than English.
    """
    texts = text.replace("**", "").split()
    if _is_foreign(text):
        return ""
    code = _in_code(texts) if "`" in text else ()
    kept = [
        word
        for place, word in enumerate(texts)
        if place in code or _is_essential(word) or _is_part_of_value(texts, place)
    ]
    short = " ".join(kept).strip(" .,;")
    return short if any(map(str.isalnum, short)) and len(kept) < len(texts) else ""


def _is_foreign(text: str) -> bool:
    """Whether a text is in another language: it has words or letters of one, and no more words of English."""
    lowered = text.lower().split()
    marks = len(_OTHER.intersection(lowered))
    marks += not text.isascii() and any(c.isalpha() and not c.isascii() for c in text)
    return marks > 0 and marks > len(_ENGLISH.intersection(lowered))


def _in_code(texts: Sequence[str]) -> Collection[int]:
    """The positions of the words between two code marks."""
    marks = [place for place, word in enumerate(texts) for _ in range(word.count("`") % 2)]
    return {place for start, end in zip(marks[::2], marks[1::2], strict=False) for place in range(start, end + 1)}


@lru_cache(maxsize=KNOWN_WORDS)
def _is_essential(word: str) -> bool:
    """Whether the sentence cannot be understood without the word."""
    return _FRAME.sub("", word).lower() not in TELEGRAM_WORDS


def _is_part_of_value(texts: Sequence[str], place: int) -> bool:
    """Whether the word there is part of a date, a time or a name: "the 5th", "10 am", "in the evening", "The Ivy"."""
    word, before = texts[place], texts[place - 1] if place else ""
    behind = texts[place + 1] if place + 1 < len(texts) else ""
    if word.lower() == "the" and _AFTER_THE.match(behind):
        return True
    if word[:2] == "am":
        return before[-1:].isdigit()
    return word in ("The", "A") and behind[:1].isupper() and before[-1:].isalnum()


def tokens_saved(text: str, short: str) -> int:
    """About how many tokens shorter `short` is: each omitted word counts as one."""
    return len(text.split()) - len(short.split())
