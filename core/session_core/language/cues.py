"""Reads what a speaker does with a sentence: state a rule, correct, decide, promise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from session_core.language.corrections import CORRECTIONS, REVISIONS
from session_core.language.cue import ANY_SCRIPT, STEM_CHARACTERS, Cue
from session_core.language.phrases import COMMITMENTS, CONSTRAINTS, DECISIONS, IDENTITIES, PREFERENCES, RULES
from session_core.language.words import SENTENCES, runs, words
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

    def said(self, sentence: str, heard: _Heard) -> bool:
        """Whether one of the cues stands in `sentence`, of which `heard` was made."""
        for stem in heard.stems & self.stems:
            for cue in self._by_stem[stem]:
                if cue.also and heard.whole is not None and cue.also.isdisjoint(heard.whole):
                    continue
                if cue.pattern.search(sentence):
                    return True
        return False


class _Heard(NamedTuple):
    """The words of a sentence, by their stems; and whole, where it is plain ASCII."""

    stems: set[str]
    whole: set[str] | None


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
    asking, heard = _asks(sentence), _heard(sentence)
    for kind, cues in _USER_KINDS:
        if heard.stems.isdisjoint(cues.stems):
            continue
        if asking and kind in _NOT_ASKED:
            continue
        if asking and kind is FactKind.RULE and not _REQUEST.search(sentence):
            continue
        said = _NAMED.sub("…", sentence) if kind is FactKind.CORRECTION else sentence
        if cues.said(said, heard) or (kind.pinned and _announced(sentence, cues)):
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
    return cues.said(told, _heard(told))


def corrects(sentence: str) -> bool:
    """Whether `sentence` takes back something that was said before."""
    return FactKind.CORRECTION in kinds(sentence)


@lru_cache(maxsize=SENTENCES)
def revises(sentence: str) -> bool:
    """Whether `sentence` seems to put another wish in the place of an earlier one, or to take something back."""
    return corrects(sentence) or _REVISIONS.said(sentence, _heard(sentence))


@lru_cache(maxsize=SENTENCES)
def promises(sentence: str) -> bool:
    """Whether an assistant says with `sentence` what it did or will do."""
    return not _asks(sentence) and _COMMITMENTS.said(sentence, _heard(sentence))


def ruling(part: str) -> bool:
    """Whether `part` of a text lays down a rule, whoever says it."""
    return _RULES.said(part, _heard(part))


def _heard(sentence: str) -> _Heard:
    whole = set(runs(sentence)) if sentence.isascii() else None
    said = whole if whole is not None and "'" not in sentence else words(sentence)
    stems = {word[:STEM_CHARACTERS] for word in said}
    if whole is None:
        stems.add(ANY_SCRIPT)
    return _Heard(stems, whole)
