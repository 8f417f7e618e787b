"""Reads what a speaker does with a sentence: state a rule, correct, decide, promise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from session_core.language.corrections import CORRECTIONS, REVISIONS
from session_core.language.phrases import (
    ANY_SCRIPT,
    COMMITMENTS,
    CONSTRAINTS,
    DECISIONS,
    IDENTITIES,
    PREFERENCES,
    RULES,
    STEM_CHARACTERS,
    Cue,
)
from session_core.language.words import SENTENCES, words
from session_core.plan import FactKind

LEAD_IN_WORDS = 8
"""Most words before a colon that announce a rule; longer ones tell a story."""


class _Cues:
    """Cues by the stems they need: most sentences have none of most."""

    def __init__(self, cues: Sequence[Cue]) -> None:
        self._by_stem: dict[str, list[Cue]] = {}
        for cue in cues:
            for stem in cue.stems:
                self._by_stem.setdefault(stem, []).append(cue)
        self.stems = frozenset(self._by_stem)

    def said(self, sentence: str, stems: frozenset[str]) -> bool:
        """Whether one of the cues stands in `sentence`, whose stems are `stems`."""
        plain = ANY_SCRIPT not in stems and "'" not in sentence
        for stem in stems & self.stems:
            for cue in self._by_stem[stem]:
                if plain and cue.also and stems.isdisjoint(cue.also):
                    continue
                if cue.pattern.search(sentence):
                    return True
        return False


_RULES = _Cues(RULES)
_COMMITMENTS = _Cues(COMMITMENTS)
_REVISIONS = _Cues(REVISIONS)
_USER_KINDS = (
    (FactKind.RULE, _RULES),
    (FactKind.CONSTRAINT, _Cues(CONSTRAINTS)),
    (FactKind.CORRECTION, _Cues(CORRECTIONS)),
    (FactKind.DECISION, _Cues(DECISIONS)),
    (FactKind.IDENTITY, _Cues(IDENTITIES)),
    (FactKind.PREFERENCE, _Cues(PREFERENCES)),
)
_NOT_ASKED = (FactKind.CONSTRAINT, FactKind.DECISION, FactKind.IDENTITY, FactKind.PREFERENCE)
_ASKING = re.compile(r"[?？]\W*$")
_NAMED = re.compile(r"[\"“„«][^\"“”«»]{1,60}[\"”“»]")
"""What is named by its words takes nothing back: the reason “no longer needed”."""
_REQUEST = re.compile(r"\b(?:can|could|would|will) you\b", re.IGNORECASE)


@lru_cache(maxsize=SENTENCES)
def kinds(sentence: str) -> tuple[FactKind, ...]:
    """What a user says with `sentence`, most binding first; a plain question binds nobody."""
    return tuple(_kinds(sentence))


def _kinds(sentence: str) -> Iterator[FactKind]:
    asking, stems = _asks(sentence), _stems(sentence)
    for kind, cues in _USER_KINDS:
        if stems.isdisjoint(cues.stems):
            continue
        if asking and kind in _NOT_ASKED:
            continue
        if asking and kind is FactKind.RULE and not _REQUEST.search(sentence):
            continue
        said = _NAMED.sub("…", sentence) if kind is FactKind.CORRECTION else sentence
        if cues.said(said, stems) or (kind.pinned and _announced(sentence, cues)):
            yield kind


def _asks(sentence: str) -> bool:
    """Whether `sentence` ends as a question."""
    return ("?" in sentence or "？" in sentence) and _ASKING.search(sentence) is not None


def _announced(sentence: str, cues: _Cues) -> bool:
    """Whether a few words and a colon lead in what `cues` say ("One rule for all of it: always ...")."""
    head, colon, rest = sentence.partition(":")
    told = rest.strip()
    if not colon or len(head.split()) > LEAD_IN_WORDS or not told or not told[0].isalpha():
        return False
    return cues.said(told, _stems(told))


def corrects(sentence: str) -> bool:
    """Whether `sentence` takes back something that was said before."""
    return FactKind.CORRECTION in kinds(sentence)


@lru_cache(maxsize=SENTENCES)
def revises(sentence: str) -> bool:
    """Whether `sentence` seems to put another wish in the place of an earlier one, or to take something back."""
    return corrects(sentence) or _REVISIONS.said(sentence, _stems(sentence))


@lru_cache(maxsize=SENTENCES)
def promises(sentence: str) -> bool:
    """Whether an assistant says with `sentence` what it did or will do."""
    return not _asks(sentence) and _COMMITMENTS.said(sentence, _stems(sentence))


def ruling(part: str) -> bool:
    """Whether `part` of a text lays down a rule, whoever says it."""
    return _RULES.said(part, _stems(part))


def _stems(sentence: str) -> frozenset[str]:
    found = {word[:STEM_CHARACTERS] for word in words(sentence)}
    return frozenset(found) if sentence.isascii() else frozenset((*found, ANY_SCRIPT))
