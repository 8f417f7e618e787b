"""Detects labelled statements: "helpers: Jo and Tim", "log level: info"."""

from __future__ import annotations

import re
from functools import lru_cache

from session_core.language.words import QUESTION_MARKS, SENTENCES

MOST_CHARACTERS = 120
"""A longer text after a colon is a text with a heading."""
_LABELLED = re.compile(
    r"^\W*(?P<head>[^\W\d_][^\s:：]*(?: [^\s:：]+){0,2})(?:: |：)\s*(?P<told>[^\s:].*)$", re.IGNORECASE | re.DOTALL
)
_NO_LABEL = re.compile(
    r"^(?:(?:note|ps|p\.s|edit|re|from|to|cc|subject|sent|date|http\w*|question|q|a|example|e\.g|eg|error|warning|info|"
    r"debug|traceback|exception|fyi|btw|hint|source|quote|answer|translate|rewrite|summarize|explain|write|wow|ok(?:ay)?|"
    r"yes|no|oh|hi|hello|hey|thanks|look|see|todo)|.*error)$",
    re.IGNORECASE,
)


@lru_cache(maxsize=SENTENCES)
def is_labelled(sentence: str) -> bool:
    """Whether `sentence` is a label of a few words, a colon and a statement, and no question."""
    if len(sentence) > MOST_CHARACTERS or sentence.endswith(QUESTION_MARKS):
        return False
    found = _LABELLED.match(sentence)
    return found is not None and not _NO_LABEL.match(found["head"]) and any(map(str.isalnum, found["told"]))
