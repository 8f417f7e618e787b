"""Expands abbreviated typing ("pls dnt txt b4 9") to full words."""

from __future__ import annotations

import re

_MEANT = {
    "pls": "please",
    "plz": "please",
    "plse": "please",
    "dnt": "don't",
    "cnt": "can't",
    "wnt": "want",
    "shd": "should",
    "shld": "should",
    "wld": "would",
    "cld": "could",
    "u": "you",
    "ur": "your",
    "r": "are",
    "b4": "before",
    "aft": "after",
    "tmrw": "tomorrow",
    "tmr": "tomorrow",
    "2nite": "tonight",
    "bc": "because",
    "cuz": "because",
    "w/o": "without",
    "w/": "with",
    "nvm": "never mind",
    "rmbr": "remember",
    "rember": "remember",
    "alwys": "always",
    "nvr": "never",
    "evry": "every",
    "txt": "text",
    "msg": "message",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "have to",
}
_SHORT = re.compile(
    rf"(?<![\w/.@-])(?:{'|'.join(map(re.escape, sorted(_MEANT, key=len, reverse=True)))})(?![\w@./-]*[\w@])", re.I
)
_TRIED = frozenset(_MEANT) | {"w"}


def expand_abbreviations(sentence: str, said: frozenset[str] | set[str]) -> str:
    """`sentence`, whose words are `said`, with abbreviations expanded; the same object if it has none."""
    if _TRIED.isdisjoint(said):
        return sentence
    return _SHORT.sub(lambda found: _MEANT[found.group().lower()], sentence)
