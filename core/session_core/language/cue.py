"""One turn of phrase, and the words that tell quickly whether it can stand in a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

STEM_CHARACTERS = 4
ANY_SCRIPT = ""
"""Stands for the words of a sentence that is not plain ASCII."""


@dataclass(frozen=True, slots=True, eq=False)
class Cue:
    """A phrase, and the words (by their first letters) without one of which it cannot stand in a sentence.

    Looking the words up first spares most sentences most of the patterns. Without words it is for
    scripts that have no blanks or are not Latin. `also` are words of which one must stand there too, whole, in a
    sentence of plain ASCII, where an apostrophe parts words; with `whole` these are the same ones.
    """

    stems: frozenset[str]
    pattern: re.Pattern[str]
    also: frozenset[str] = frozenset()

    @classmethod
    def of(cls, needed: str, pattern: str, *, also: str = "", whole: bool = False) -> Cue:
        return cls(
            frozenset(word[:STEM_CHARACTERS] for word in needed.split()) or frozenset((ANY_SCRIPT,)),
            re.compile(pattern, re.IGNORECASE),
            frozenset((needed if whole else also).split()),
        )
