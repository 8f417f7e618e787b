"""Detects sentences that mean nothing without a neighbour.

Without the one right before them ("Sixty is too many. Make it seventy-five."), or without the next one, which says what
comes of a report ("My aunt wants fireworks. We don't.").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from session_core.language.amending import subject_words
from session_core.language.cues import is_revision
from session_core.language.number_words import spelled_numbers
from session_core.language.values import ValueKind, values
from session_core.language.words import QUESTION_MARKS, SENTENCES, sentences, words

_SENTENCES_OF_ONE = 6
_BESIDE = 2
"""Words besides a value; more of them tell something."""
_LONGEST = 40
"""Characters; a longer sentence says what it is about."""
_REPORTS = re.compile(
    r"^\W*(?:(?:and|but|so|ok(?:ay)?|well|btw|also|und|aber|y|pero|et|mais|e|ma|mas|en|maar)[, ]+)*"
    r"(?!(?:i|we|you|it|that|this|there|he['’]s|she['’]s|ich|wir|du|es|das|yo|je|nous|io|noi|eu|nós|ik|wij)\b)"
    r"(?:[^\s,.;:!?]+[ ,]+){1,6}?"
    r"(?:says?|said|thinks?|thought|believes?|suggests?|suggested|wants?|wanted|propose[sd]?|argue[sd]?|recommend(?:s|"
    r"ed)|insist(?:s|ed)?|reckons?|swears?|swore|asks? (?:if|whether|for)|asked (?:if|whether|for)|claim(?:s|ed)|meint|"
    r"meinte|sagt|sagte|findet|fand|will|wollte|möchte|schlägt|glaubt|dice[n]?|dijo|piensa|cree|opina|quiere|sugiere|"
    r"propone|pense|veut|voudrait|trouve|suggère|pensa|vuole|vorrebbe|consiglia|diz|disse|acha|quer|sugere|zegt|zei|"
    r"vindt|denkt|wil|wilde|говорит|сказал\w*|думает|считает|хочет|предлагает|mówi|uważa|chce)\b",
    re.IGNORECASE,
)
_LEAST_WORDS = 3
"""With fewer words than these, somebody is only named."""


@lru_cache(maxsize=SENTENCES)
def leans(sentence: str) -> bool:
    """Whether `sentence` only gives a value, or corrects something without naming it."""
    if len(sentence) > _LONGEST or sentence.endswith(QUESTION_MARKS) or not sentence[:1].isalnum():
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
    return bool(before) and not before.endswith(QUESTION_MARKS) and leans(sentence)


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


@lru_cache(maxsize=SENTENCES)
def is_report(sentence: str) -> bool:
    """Whether `sentence` reports what somebody else says, thinks or wants."""
    return len(sentence.split()) > _LEAST_WORDS and _REPORTS.search(sentence) is not None


def is_report_with_outcome(text: str) -> bool:
    """Whether `text` is such a report and what comes of it."""
    return is_report(text) and not is_report(next(reversed(sentences(text)), ""))


def joined_with_reports(texts: Sequence[str], most_characters: int) -> Iterator[str]:
    """As `joined`, and each report together with the sentence after it."""
    before = ""
    for sentence in joined(texts, most_characters):
        both = f"{before} {sentence}" if before else sentence
        if before and len(both) > most_characters:
            yield before
            both = sentence
        before = both if is_report(sentence) else ""
        if not before:
            yield both
    if before:
        yield before
