"""One cue phrase, with the words that tell quickly whether it can occur in a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

STEM_CHARACTERS = 4
_SCRIPTS = re.compile(
    "([\u0400-\u04ff])|([\u0600-\u06ff])|([\u0900-\u097f])|([\u3040-\u30ff])|([\u4e00-\u9fff])|([\uac00-\ud7af])"
)
_NAMES = ("cyrillic", "arabic", "devanagari", "kana", "han", "hangul")
_NOT_LATIN = re.compile("[\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_KANA = re.compile("[\u3040-\u30ff]")


@dataclass(frozen=True, eq=False)
class Cue:
    """A phrase, and the words (by their first letters) of which a matching sentence contains at least one.

    Looking up the words first avoids most pattern matches. One of the words `also` must occur too, as a whole word;
    with `whole` these are the same words.
    """

    stems: frozenset[str]
    phrase: str
    also: frozenset[str] = frozenset()
    any_case: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The compiled pattern, compiled at its first use, since few of the hundreds in a dozen languages ever are."""
        return re.compile(self.phrase, re.IGNORECASE if self.any_case else 0)

    @classmethod
    def of(cls, needed: str, pattern: str, *, also: str = "", whole: bool = False) -> Cue:
        words = needed.casefold().split()
        return cls(
            frozenset(word[:STEM_CHARACTERS] for word in words),
            pattern,
            frozenset(words if whole else also.casefold().split()),
            any_case=True,
        )

    @classmethod
    def within(cls, script: str, pattern: str) -> Cue:
        """A cue for languages without blanks between words, or with many word endings: it is tried in each sentence
        with a character of the `script`."""
        return cls(frozenset((f"<{script}>",)), pattern)


def script(sentence: str) -> str:
    """The non-Latin script of the beginning of `sentence`, as a name: kana if there is any, "" for none."""
    if sentence.isascii() or not (found := _NOT_LATIN.search(sentence)):
        return ""
    told = _SCRIPTS.match(found.group())
    name = _NAMES[told.lastindex - 1] if told and told.lastindex else ""
    return "<kana>" if name == "han" and _KANA.search(sentence) else f"<{name}>"
