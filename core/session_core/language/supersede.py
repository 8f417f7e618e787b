"""Decides which earlier facts a new one replaces, and what of them stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from session_core.language.cues import corrects
from session_core.language.slots import open_to, same_slot, typed, without
from session_core.language.values import Value, ValueKind, currency
from session_core.language.words import words
from session_core.plan import Fact, FactKind

ASSISTANT = "assistant"
TOOL = "tool"
QUOTED = "quoted"
"""First word of a fact's author when no user said it, or a user only quoted it."""

CORRECTION_REACH = 60
"""A correction that names no slot ("no, the 4th") looks back over so many messages for what it means."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The facts that are replaced, the one that tells what the new one is about, and its subject."""

    gone: tuple[int, ...] = ()
    told_by: int | None = None
    about: str | None = None


class Facts:
    """Facts in the order in which they were put, superseded ones included, and where those stand that say the same."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.all: list[Fact] = []
        self._places: dict[tuple[str, ...], list[int]] = {}
        for fact in facts:
            self._add(fact)

    def put(self, fact: Fact) -> None:
        """Put `fact` behind the others unless it is among them, and mark what it replaces."""
        alike = [self.all[place] for place in self._places.get(_said(fact.text), ())]
        if any((known.current or known.seq == fact.seq) and _one_voice(known, fact) for known in alike):
            return
        by_user = spoken_by_user(fact)
        correcting = by_user and corrects(fact.text)
        found = _of_its_slot(self.all, fact, correcting)
        if not found.gone and correcting:
            found = _with_its_slot(self.all, fact, _of_its_type(self.all, fact))
        rests: list[Fact] = []
        kind = fact.kind
        for index in found.gone:
            known = self.all[index]
            if by_user and spoken_by_user(known) and known.kind.pinned and not kind.pinned:
                kind = known.kind
            rest = _rest(known, fact) if index != found.told_by else None
            if rest is not None:
                rests.append(replace(known, text=rest, slot=None))
            self.all[index] = replace(known, superseded_by=fact.seq)
        for one in (*rests, replace(fact, kind=kind, slot=found.about or fact.slot)):
            self._add(one)

    def _add(self, fact: Fact) -> None:
        self._places.setdefault(_said(fact.text), []).append(len(self.all))
        self.all.append(fact)


def spoken_by_user(fact: Fact) -> bool:
    """Whether a user said it, not an assistant, a tool or a text that somebody quoted."""
    return (fact.author or "").split(" ")[0] not in (ASSISTANT, TOOL, QUOTED)


@lru_cache(maxsize=8_192)
def _said(text: str) -> tuple[str, ...]:
    return tuple(words(text))


@lru_cache(maxsize=8_192)
def _typed(text: str) -> tuple[Value, ...]:
    return tuple(typed(text))


def _of_its_slot(facts: Sequence[Fact], fact: Fact, correcting: bool) -> _Found:
    if fact.slot is None:
        return _Found()
    gone = [
        index
        for index, known in enumerate(facts)
        if known.current and known.slot is not None and known.seq <= fact.seq and (
            (correcting and same_slot(fact.slot, known.slot))
            or (known.slot == fact.slot and _one_voice(known, fact))
        )
    ]  # fmt: skip
    return _Found(tuple(gone), about=facts[gone[-1]].slot if gone else None)


def _of_its_type(facts: Sequence[Fact], fact: Fact) -> _Found:
    """What a correction without a known slot means: the facts that state the value it replaces.

    A sentence that states several values of one type is left as it is, unless the correction quotes
    the old one. Another named person's words are left to that person.
    """
    reach = [
        index
        for index in range(len(facts) - 1, -1, -1)
        if facts[index].current
        and facts[index].kind is not FactKind.RULE
        and 0 <= fact.seq - facts[index].seq <= CORRECTION_REACH
        and open_to(fact.slot, facts[index].slot)
        and (not spoken_by_user(facts[index]) or _one_voice(facts[index], fact))
    ]
    for value in _typed(fact.text):
        for index in reach:
            old = _replaced(facts[index].text, value, fact.text)
            if old is not None:
                gone = [i for i in reach if _states_only(facts[i].text, old)] or [index]
                told_by = next((i for i in gone if spoken_by_user(facts[i])), index)
                return _Found(tuple(gone), told_by, _subject(facts[told_by], old))
    return _Found()


def _with_its_slot(facts: Sequence[Fact], fact: Fact, found: _Found) -> _Found:
    """`found` and what else stands for the subject that the correction turned out to have."""
    if found.about is None:
        return found
    more = _of_its_slot(facts, replace(fact, slot=found.about), correcting=False).gone
    return replace(found, gone=tuple(dict.fromkeys((*found.gone, *more))))


def _subject(known: Fact, old: Value) -> str:
    """What the replaced value was about: a slot, or the sentence around it."""
    if known.slot and ("…" in known.slot or len(_typed(known.text)) == 1):
        return known.slot
    return without(known.text, [value for value in _typed(known.text) if _form(value) == _form(old)])


def _replaced(known: str, value: Value, correction: str) -> Value | None:
    """The value of `known` that `value` takes the place of, when there is no doubt which."""
    alike = [v for v in _typed(known) if v.kind is value.kind and currency(v.text) == currency(value.text)]
    if not alike and value.kind is ValueKind.NUMBER:
        alike = [v for v in _typed(known) if v.kind is ValueKind.AMOUNT]
    said = {_form(v) for v in _typed(correction)}
    quoted = [v for v in alike if _form(v) in said]
    if quoted:
        return quoted[0] if len(quoted) == 1 and _form(value) != _form(quoted[0]) else None
    return alike[0] if len({_form(v) for v in alike}) == 1 else None


def _states_only(known: str, old: Value) -> bool:
    """Whether `known` states the old value and no other of its kind."""
    return {_form(value) for value in _typed(known) if value.kind is old.kind} == {_form(old)}


def _rest(known: Fact, fact: Fact) -> str | None:
    """What `known` states besides the type of value that `fact` replaces; None when that is nothing."""
    new = _typed(fact.text)
    said = {_form(value) for value in new}
    if not new:
        return None
    gone = [value for value in _typed(known.text) if _family(value) == _family(new[0])]
    left = [value for value in _typed(known.text) if value not in gone and _form(value) not in said]
    return without(known.text, gone) if gone and left else None


def _family(value: Value) -> str:
    return "when" if value.kind in (ValueKind.DATE, ValueKind.TIME) else value.kind


def _form(value: Value) -> str:
    return "".join(c for c in value.text.casefold() if c.isalnum() or c in "$€£¥%.").removesuffix(".")


def _one_voice(known: Fact, fact: Fact) -> bool:
    """Whether one and the same person said both; an unnamed user can be any user."""
    if known.author == fact.author:
        return True
    return (known.author is None or fact.author is None) and spoken_by_user(known) and spoken_by_user(fact)
