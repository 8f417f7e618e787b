"""Finds the things that an assistant only named, when a user chooses one of them: "Sand and navy are available." "The
other one.\""""

from __future__ import annotations

import re

from session_core.language.acceptance import OFFERED_CHARACTERS, names_place
from session_core.language.words import one_line, sentences

_PAIRED = re.compile(
    r"[^\W_]\W+(?:and|or|und|oder|et|ou|y|e|o|en|of|и|или|i|lub|ve|veya) [^\W_]|[(]?\b(?:1|a)[.):] .*\b(?:2|b)[.):] |"
    r"[と和或及와과]"
)
"""What joins two things of which one may be chosen."""


def chosen_from(told: str, sentence: str) -> str | None:
    """What an assistant `told` that names several things, if a user's `sentence` chooses one of them; else None. The
    sentence before is included if both are short."""
    if not names_place(sentence):
        return None
    texts = sentences(told)
    if not texts or len(texts[-1]) > OFFERED_CHARACTERS or not _PAIRED.search(texts[-1]):
        return None
    both = one_line(" ".join(texts[-2:]))
    return both if len(both) <= OFFERED_CHARACTERS else one_line(texts[-1])
