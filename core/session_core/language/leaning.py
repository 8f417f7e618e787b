"""Detects sentences that mean nothing without the one right before them: "Sixty is too many. Make it seventy-five."."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from session_core.language.amending import subject_words
from session_core.language.cues import is_revision
from session_core.language.number_words import spelled_numbers
from session_core.language.values import ValueKind, values
from session_core.language.words import SENTENCES, words

_ASKING = ("?", "？", "؟")
_SENTENCES_OF_ONE = 6
_BESIDE = 2
"""Words besides a value; more of them tell something."""
_LONGEST = 40
"""Characters; a longer sentence says what it is about."""


@lru_cache(maxsize=SENTENCES)
def leans(sentence: str) -> bool:
    """Whether `sentence` only gives a value, or corrects something without naming it."""
    if len(sentence) > _LONGEST or sentence.endswith(_ASKING) or not sentence[:1].isalnum():
        return False
    told = values(sentence)
    if any(one.kind is ValueKind.IDENTIFIER for one in told):
        return False
    spans = {(one.start, one.end) for one in told}
    spans |= {(one.start, one.end) for one in spelled_numbers(sentence)}
    rest = sentence
    for start, end in sorted(spans, reverse=True):
        rest = f"{rest[:start]} {rest[end:]}"
    if subject_words(rest):
        return False
    return is_revision(sentence) or (bool(spans) and len(words(rest)) <= _BESIDE)


def continues(before: str, sentence: str, *, corrects: bool) -> bool:
    """Whether `sentence` belongs to the one right `before` it in the same message: it means nothing without that, or
    corrects it ("The contact is Petra. No, Petra left, it's Milan")."""
    if corrects and before and not subject_words(before).isdisjoint(subject_words(sentence)):
        return True
    return leans_on(before, sentence)


def leans_on(before: str, sentence: str) -> bool:
    """Whether `sentence` means nothing without the one `before` it, which asks nothing."""
    return bool(before) and not before.endswith(_ASKING) and leans(sentence)


def joined(texts: Sequence[str], most_characters: int) -> Iterator[str]:
    """Sentences in order, each with those that lean on it, as long as they have `most_characters` together. Of many
    sentences each stands alone: they may be lines of a list, or moves of a game."""
    if len(texts) > _SENTENCES_OF_ONE:
        yield from texts
        return
    before = ""
    for sentence in texts:
        if len(before) + len(sentence) < most_characters and leans_on(before, sentence):
            before = f"{before} {sentence}"
        else:
            if before:
                yield before
            before = sentence
    if before:
        yield before
