"""Detects reports of what somebody else thinks or wants; the next sentence says what comes of it."""

from __future__ import annotations

import re
from functools import lru_cache

from session_core.language.words import SENTENCES, sentences

_REPORTS = re.compile(
    r"^\W*(?:(?:and|but|so|ok(?:ay)?|well|btw|also|und|aber|y|pero|et|mais|e|ma|mas|en|maar)[, ]+)*"
    r"(?!(?:i|we|you|it|that|this|there|he['’]s|she['’]s|ich|wir|du|es|das|yo|je|nous|io|noi|eu|nós|ik|wij)\b)"
    r"(?:[^\s,.;:!?]+[ ,]+){1,6}?"
    r"(?:says?|said|thinks?|thought|believes?|suggests?|suggested|wants?|wanted|propose[sd]?|argue[sd]?|recommend(?:s|ed)|"
    r"insist(?:s|ed)?|reckons?|swears?|swore|asks? (?:if|whether|for)|asked (?:if|whether|for)|claim(?:s|ed)|"
    r"meint|meinte|sagt|sagte|findet|fand|will|wollte|möchte|schlägt|glaubt|"
    r"dice[n]?|dijo|piensa|cree|opina|quiere|sugiere|propone|pense|veut|voudrait|trouve|suggère|"
    r"pensa|vuole|vorrebbe|consiglia|diz|disse|acha|quer|sugere|zegt|zei|vindt|denkt|wil|wilde|"
    r"говорит|сказал\w*|думает|считает|хочет|предлагает|mówi|uważa|chce)\b",
    re.IGNORECASE,
)
_LEAST = 3
"""With fewer words than these, somebody is only named."""


@lru_cache(maxsize=SENTENCES)
def is_report(sentence: str) -> bool:
    """Whether `sentence` reports what somebody else says, thinks or wants."""
    return len(sentence.split()) > _LEAST and _REPORTS.search(sentence) is not None


def last(text: str) -> str:
    """The last sentence of `text`."""
    texts = sentences(text)
    return texts[-1] if texts else ""
