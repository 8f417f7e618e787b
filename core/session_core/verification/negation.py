"""Checks whether a sentence negates its source, or drops a negation of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from session_core.language.values import values
from session_core.language.words import QUESTION_MARKS, sentences
from session_core.plan import GiveWay, never_pause
from session_core.verification.claims import stem, stems

ENOUGH = 0.75
"""Share of a sentence's words that a sentence of the source must contain to be about the same."""

_FROM_HERE = frozenset(
    "not no never none nobody nothing neither nor without cannot kein keine keinen keinem keiner keines ohne weder "
    "sans aucun aucune nunca jamás sin ningún ninguna ninguno non senza nessun nessuna nessuno não sem nenhum "
    "nenhuma".split()
)
_ALL_AROUND = frozenset("nicht nie niemals pas jamais".split())
"""Negations that also apply to the words before them."""
_DENYING = frozenset(stem(word) for word in _FROM_HERE | _ALL_AROUND | {"don", "doesn", "didn", "isn", "aren", "can"})
_HALF = frozenset(
    stem(word)
    for word in (
        "avoid decline declines declined refuse refused cancel cancelled cancels reject excluded exclude lack lacks "
        "dislike unable unlike except instead failed fail denied deny stop stopped skip forbid forbidden prohibited "
        "banned prevent hate hates unless until only hardly rarely barely seldom free opposed against dropped removed "
        "missed quit vermeiden abgelehnt éviter evitar evitare"
    ).split()
)
"""Words that negate without a "not": "cancel it" is not "do not keep it", so a part with such a word is compared
only with parts that have the same one."""
_HARMLESS = re.compile(
    r"\bno (?:problem|worries|doubt|matter|later than|earlier than|more than|less than|fewer than)\b|"
    r"\bnot (?:only|just|least|later than|more than|less than|until)\b|"
    r"\b(?:do not|don['’]t) (?:forget|hesitate|worry|mind)\b|"
    r"\bcan(?:not|['’]t) (?:wait|help)\b|\b(?:why|if|or) not\b|"
    r"\b(?:is|are|was|were|do|does|did|would|could|can|have|has|should|wo)n['’]?t (?:it|you|they|we|i|he|she)\b|"
    r"\bnicht nur\b|\bnon solo\b|\bno solo\b|\bpas seulement\b|\bpas de problème\b|\bkein problem\b|"
    r"不好意思|没关系|没问题|不错",
    re.IGNORECASE,
)
_PART = re.compile(r"[.,;:!?()—]|\b(?:and|but|und|aber|sondern|et|mais|y|pero|e|ma|mas)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NOT = "不没沒未別别無无勿"
_PAIR = re.compile("[\u4e00-\u9fff]{2}")


@dataclass(frozen=True, slots=True)
class Statement:
    """The stems of a sentence, which of them it negates, and its words that negate without a "not"."""

    words: frozenset[str]
    denied: frozenset[str]
    half: frozenset[str] = frozenset()


def denials(text: str, give_way: GiveWay = never_pause) -> list[Statement]:
    """What each sentence of `text` states and negates, and each part that negates without a "not"; questions are
    skipped."""
    found: list[Statement] = []
    for sentence in sentences(text):
        if not _asks(sentence):
            said = _statement(sentence)
            found += [said] if not said.half else _parts(sentence)
        give_way()
    return found


def _asks(sentence: str) -> bool:
    return sentence.rstrip("\"'”’)").endswith(QUESTION_MARKS)


def _statement(text: str) -> Statement:
    found = _spoken(text)
    return Statement(_plain(found), _plain(frozenset(_negated_stems(text)) & found), _plain(_HALF & found))


def _plain(stemmed: frozenset[str]) -> frozenset[str]:
    """The stems, with one stem for all forms of a negating word: "stop" and "stopped" have two."""
    return frozenset(one[:4] if one in _HALF else one for one in stemmed) if _HALF & stemmed else stemmed


def _parts(sentence: str) -> list[Statement]:
    """The content of each part of a sentence with such a word, with the values that distinguish the parts."""
    made = []
    for part in filter(str.strip, _PART.split(sentence)):
        said = _statement(part)
        named = frozenset(value.text.casefold() for value in values(part))
        if said.half:
            made.append(Statement(said.words | named, said.denied, said.half))
    return made


def _spoken(text: str) -> frozenset[str]:
    return frozenset(stems(text)) - _DENYING


def _negated_stems(sentence: str) -> Iterator[str]:
    plain = _HARMLESS.sub(" ", sentence)
    for part in _PART.split(plain):
        spoken = [match.group().casefold() for match in _WORD.finditer(part)]
        if len(spoken) == 1:
            continue
        if _ALL_AROUND.intersection(spoken):
            yield from stems(part)
            continue
        start = next(
            (place for place, word in enumerate(spoken) if word in _FROM_HERE or re.search("n['’]t$", word)), None
        )
        if start is not None:
            yield from stems(" ".join(spoken[start + 1 :]))


def agrees_with(sentence: str, source: list[Statement], text: str) -> bool:
    """Whether no sentence of the source about the same thing says the opposite, or one says the same. `text` is the
    source itself."""
    return all(_agrees(told, source) for told in _statements(sentence)) and _agrees_in_chinese(sentence, text)


def _statements(sentence: str) -> Iterator[Statement]:
    if _asks(sentence):
        return
    whole = _statement(sentence)
    if whole.half:
        yield from _parts(sentence)
        return
    yield whole
    parts = [part for part in _PART.split(sentence) if part.strip()]
    if len(parts) > 1:
        yield from (Statement(w, whole.denied & w) for part in parts if len(w := _spoken(part)) > 1)


def _agrees(told: Statement, source: list[Statement]) -> bool:
    if not told.words:
        return True
    near = [o for o in source if o.half == told.half and len(told.words & o.words) >= ENOUGH * len(told.words)]
    return not near or any(not _contradicts(told, one) for one in near)


def _contradicts(told: Statement, one: Statement) -> bool:
    if not told.denied:
        return bool(told.words & one.denied)
    spoken_of = told.denied & one.words
    return bool(spoken_of) and not spoken_of & one.denied


def _agrees_in_chinese(sentence: str, text: str) -> bool:
    """The same for text without blanks between words: two characters after a "not", with and without it."""
    told = _HARMLESS.sub(" ", sentence)
    for place in range(len(told) - 1):
        pair = told[place : place + 2]
        if not _PAIR.fullmatch(pair) or pair[0] in _NOT:
            continue
        denied = place > 0 and told[place - 1] in _NOT
        ways = {text[at.start() - 1] in _NOT for at in re.finditer(pair, text) if at.start() > 0}
        if ways == {not denied}:
            return False
    return True
