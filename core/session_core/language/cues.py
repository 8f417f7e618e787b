"""Reads what a speaker does with a sentence: state a rule, correct, decide, promise, give an order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from session_core.language.phrases import (
    ANY_SCRIPT,
    COMMITMENTS,
    CONSTRAINTS,
    CORRECTIONS,
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

_USER_KINDS = tuple(
    (kind, cues, frozenset().union(*(cue.stems for cue in cues)))
    for kind, cues in (
        (FactKind.RULE, RULES),
        (FactKind.CONSTRAINT, CONSTRAINTS),
        (FactKind.CORRECTION, CORRECTIONS),
        (FactKind.DECISION, DECISIONS),
        (FactKind.IDENTITY, IDENTITIES),
        (FactKind.PREFERENCE, PREFERENCES),
    )
)
"""Each kind with its cues, and the stems of all of them: most sentences have none of a kind's."""
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}?\b(?:previous|prior|above|all|any|earlier|"
    r"instructions?|rules?|guidelines|everything|your)\b|"
    r"\b(?:new|updated|special|important|hidden) (?:instructions?|rules?|directives?|polic(?:y|ies))\b|"
    r"\bsystem (?:prompt|message|override|notice)\b|^\W*(?:system|assistant|user|developer|admin)\s*:|"
    r"\bas an? (?:ai|assistant|language model)\b|\byou are (?:now|an?|the)\b|\bact as\b|<\|?/?(?:im_|system|"
    r"inst)|"
    r"\b(?:assistants?|agents?|ai|model|llm)\s*[,:]?\s+(?:must|should|shall|has to|have to|needs? to|is to|"
    r"are to)\b",
    re.IGNORECASE,
)
_NOT_ASKED = (FactKind.CONSTRAINT, FactKind.DECISION, FactKind.IDENTITY, FactKind.PREFERENCE)
_ASKING = re.compile(r"[?？]\W*$")
_REQUEST = re.compile(r"\b(?:can|could|would|will) you\b", re.IGNORECASE)


@lru_cache(maxsize=SENTENCES)
def kinds(sentence: str) -> tuple[FactKind, ...]:
    """What a user says with `sentence`, most binding first; a plain question binds nobody."""
    return tuple(_kinds(sentence))


def _kinds(sentence: str) -> Iterator[FactKind]:
    asking = _ASKING.search(sentence) is not None
    stems = _stems(sentence)
    for kind, cues, needed in _USER_KINDS:
        if needed.isdisjoint(stems):
            continue
        if asking and kind in _NOT_ASKED:
            continue
        if asking and kind is FactKind.RULE and not _REQUEST.search(sentence):
            continue
        if _says(sentence, stems, cues) or (kind.pinned and _announced(sentence, cues)):
            yield kind


def _announced(sentence: str, cues: tuple[Cue, ...]) -> bool:
    """Whether a few words and a colon lead in what `cues` say ("One rule for all of it: always ...")."""
    head, colon, rest = sentence.partition(":")
    told = rest.strip()
    if not colon or len(head.split()) > LEAD_IN_WORDS or not told or not told[0].isalpha():
        return False
    return _says(told, _stems(told), cues)


def corrects(sentence: str) -> bool:
    """Whether `sentence` takes back something that was said before."""
    return _says(sentence, _stems(sentence), CORRECTIONS)


@lru_cache(maxsize=SENTENCES)
def promises(sentence: str) -> bool:
    """Whether an assistant says with `sentence` what it did or will do."""
    return not _ASKING.search(sentence) and _says(sentence, _stems(sentence), COMMITMENTS)


def commands(text: str) -> bool:
    """Whether `text`, found in data, speaks to the model as if it could give it orders."""
    parts = [text, *re.split(r"[\"“”{}\[\]()<>:;.,!?\n]+\s*", text)]
    return _ORDER.search(text) is not None or any(_says(part, _stems(part), RULES) for part in parts)


def _stems(sentence: str) -> frozenset[str]:
    found = {word[:STEM_CHARACTERS] for word in words(sentence)}
    return frozenset(found) if sentence.isascii() else frozenset((*found, ANY_SCRIPT))


def _says(sentence: str, stems: frozenset[str], cues: tuple[Cue, ...]) -> bool:
    return any(not cue.stems.isdisjoint(stems) and cue.pattern.search(sentence) for cue in cues)
