"""Whether a sentence denies what its source says, or says what its source denies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from session_core.compress.claims import stem, stems
from session_core.language.words import sentences
from session_core.plan import GiveWay, go_on

ENOUGH = 0.75
"""Share of a sentence's words that a sentence of the source must have to be what it speaks of."""

_FROM_HERE = frozenset(
    "not no never none nobody nothing neither nor without cannot kein keine keinen keinem keiner keines ohne weder "
    "sans aucun aucune nunca jamás sin ningún ninguna ninguno non senza nessun nessuna nessuno não sem nenhum "
    "nenhuma".split()
)
_ALL_AROUND = frozenset("nicht nie niemals pas jamais".split())
"""These deny the words before them too."""
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
"""Words that deny without a "not"; what a sentence with one says is not judged."""
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
class Said:
    """The words of a sentence by their stems, and which of them it denies."""

    words: frozenset[str]
    denied: frozenset[str]


def denials(text: str, give_way: GiveWay = go_on) -> list[Said]:
    """What each sentence of `text` says and denies; questions, and what denies without a "not", are left out."""
    found: list[Said] = []
    for sentence in sentences(text):
        said = _said(sentence)
        if said is not None:
            found.append(said)
        give_way()
    return found


def _said(sentence: str) -> Said | None:
    if sentence.rstrip("\"'”’)").endswith(("?", "？")):
        return None
    found = _spoken(sentence)
    if _HALF & found:
        return None
    return Said(found, frozenset(_denied(sentence)) & found)


def _spoken(text: str) -> frozenset[str]:
    return frozenset(stems(text)) - _DENYING


def _denied(sentence: str) -> Iterator[str]:
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


def agrees(sentence: str, source: list[Said], text: str) -> bool:
    """Whether no sentence of the source that speaks of the same says the contrary, or one says the same.

    `text` is the source itself.
    """
    return all(_agrees(told, source) for told in _tellings(sentence)) and _agrees_in_chinese(sentence, text)


def _tellings(sentence: str) -> Iterator[Said]:
    whole = _said(sentence)
    if whole is None:
        return
    yield whole
    parts = [part for part in _PART.split(sentence) if part.strip()]
    if len(parts) > 1:
        yield from (Said(w, whole.denied & w) for part in parts if len(w := _spoken(part)) > 1)


def _agrees(told: Said, source: list[Said]) -> bool:
    if not told.words:
        return True
    near = [one for one in source if len(told.words & one.words) >= ENOUGH * len(told.words)]
    return not near or any(not _contrary(told, one) for one in near)


def _contrary(told: Said, one: Said) -> bool:
    if not told.denied:
        return bool(told.words & one.denied)
    spoken_of = told.denied & one.words
    return bool(spoken_of) and not spoken_of & one.denied


def _agrees_in_chinese(sentence: str, text: str) -> bool:
    """Where words have no blanks between them: two characters after a "not", and the same without one."""
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
