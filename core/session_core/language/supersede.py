"""Decides which earlier facts a new one replaces, and what of them stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from session_core.language.amending import (
    NAMES_NEAR,
    ROOM,
    append_correction,
    names,
    parts_told,
    restates,
    retracted_statements,
    retracted_words,
    subject_words,
)
from session_core.language.changes import Change, change, subject_of
from session_core.language.cues import is_correction, is_revision, kinds
from session_core.language.slots import THINGS, may_fill, same_slot, slot, without
from session_core.language.statements import (
    Frames,
    counted_things,
    families,
    figures,
    form,
    has_only_numbers,
    is_restatement,
    left_of,
    names_another_thing,
    other_subjects,
    replace_value,
    said_words,
    states_only,
    subjects_of,
    values_in,
)
from session_core.language.values import Value, ValueKind
from session_core.language.words import one_line, shorten
from session_core.plan import Fact, FactKind

ASSISTANT = "assistant"
TOOL = "tool"
QUOTED = "quoted"
"""First word of a fact's author when no user said it, or a user only quoted it."""

RESTATED = frozenset(
    (FactKind.CONSTRAINT, FactKind.DECISION, FactKind.CORRECTION, FactKind.PREFERENCE, FactKind.IDENTITY)
)
"""Kinds of facts that say the same again when they differ in a word only; of others there may be many alike."""

_LASTING = frozenset((FactKind.DECISION, FactKind.IDENTITY, FactKind.PREFERENCE))
_STANDING = frozenset((FactKind.RULE, FactKind.CONSTRAINT, FactKind.PREFERENCE))
_CLAUSES = re.compile(
    r"[;,]\s+(?:(?:and|but|und|aber|et|mais|y|pero|e|ma|mas|en|maar|и|но|а|i|ale|ve|ama)\s+)?|[，；、،]\s*",
    re.IGNORECASE,
)
_POINTS = frozenset("it that this them these those there es das sie ça cela eso esto lo ciò isso dat это".split())
"""A clause with one of these means nothing without the one before it."""

CORRECTION_REACH = 60
"""A correction that names no slot ("no, the 4th") looks back over so many messages for what it means."""


@dataclass(frozen=True, slots=True)
class _Found:
    """The facts that are replaced, the one that tells what the new one is about, and its subject; `unsure` if they may
    speak of another thing."""

    gone: tuple[int, ...] = ()
    told_by: int | None = None
    about: str | None = None
    unsure: bool = False


_NONE_FOUND = _Found()


class Facts:
    """Facts in the order in which they were put, superseded ones included, and where those stand that say the same.

    `gone` has the number and the words of each statement that was superseded here, or may have been, and the fact that
    did it, as it was put; again for each fact that supersedes that one in turn.
    """

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.all: list[Fact] = []
        self.gone: list[tuple[int, str, Fact]] = []
        self._behind: dict[tuple[int, str], list[tuple[int, str]]] = {}
        self._beside: dict[int, set[str]] = {}
        self._framed = Frames()
        self._spoken: dict[str, list[int]] = {}
        self._looked_at = 0
        self._places: dict[tuple[str, ...], list[int]] = {}
        self._slots: dict[str, list[int]] = {}
        for fact in facts:
            self._add(fact)

    def put(self, fact: Fact) -> None:
        """Put `fact` behind the others unless it is among them, and mark what it replaces."""
        if (alike := self._places.get(said_words(fact.text))) and self._said_before(fact, alike):
            return
        if (beside := self._beside.get(fact.seq)) and shorten(one_line(fact.text), ROOM) in beside:
            return
        by_user = spoken_by_user(fact)
        answers = fact.kind is FactKind.ANSWER and fact.slot is not None
        correcting = by_user and not answers and is_correction(fact.text)
        found = self._of_its_slot(fact, correcting=correcting)
        if not found.gone and correcting:
            found = self._with_its_slot(fact, _of_its_type(self.all, fact))
        if found.unsure:
            self._put_with(fact, found.gone[0])
            return
        if not found.gone:
            placed = by_user and not answers and self._put_beside(fact, correcting)
            if not placed and not (by_user and _only_another_wish(fact)):
                self._add(fact)
            return
        rests: list[Fact] = []
        kind = fact.kind
        for index in found.gone:
            known = self.all[index]
            if by_user and spoken_by_user(known) and known.kind.pinned and not kind.pinned:
                kind = known.kind
            rest = left_of(known.text, fact.text) if index != found.told_by else None
            if rest is None and spoken_by_user(known):
                rest = _other_clause(known, fact, found.about or "")
            if rest is not None:
                rests.append(replace(known, text=rest, slot=None))
            self._supersede(index, fact, fact.text)
        about = found.about or fact.slot
        same = kind is fact.kind and about == fact.slot
        for one in (*rests, fact if same else replace(fact, kind=kind, slot=about)):
            self._add(one)

    def _said_before(self, fact: Fact, alike: Sequence[int]) -> bool:
        """Whether one of the facts `alike`, which have its words, is the same one: a yes to another question is not."""
        for place in alike:
            known = self.all[place]
            if _one_voice(known, fact):
                again = known.current and fact.slot in (known.slot, slot(fact.text))
                if again or known.seq == fact.seq:
                    return True
        return False

    def _of_its_slot(self, fact: Fact, *, correcting: bool) -> _Found:
        if fact.slot is None:
            return _NONE_FOUND
        slots = [fact.slot]
        if correcting:
            slots = [named for named in self._slots if same_slot(fact.slot, named)]
        gone = [
            index
            for index in sorted(index for named in slots for index in self._slots.get(named, ()))
            if (known := self.all[index]).current and known.seq <= fact.seq and (
                (correcting and (not spoken_by_user(known) or _one_voice(known, fact)))
                or (known.slot == fact.slot and known.seq < fact.seq and _one_voice(known, fact))
            )
        ]  # fmt: skip
        return _Found(tuple(gone), about=self.all[gone[-1]].slot if gone else None)

    def _with_its_slot(self, fact: Fact, found: _Found) -> _Found:
        """`found` and what else stands for the subject that the correction turned out to have."""
        if found.about is None:
            return found
        more = self._of_its_slot(replace(fact, slot=found.about), correcting=False).gone
        return replace(found, gone=tuple(dict.fromkeys((*found.gone, *more))))

    def _put_beside(self, fact: Fact, correcting: bool) -> bool:
        """Put a correction that has no value of a type on one line with what it corrects, as far as that can be
        told; whether there is such a fact. Neither is lost, and neither stands without the other. A rule stays
        word for word, and what corrects it is pinned like it."""
        revising = correcting or is_revision(fact.text)
        found, old = self._meant(fact) if revising else (self._reframed(fact), frozenset[str]())
        found = found or self._changed(fact)
        if not found:
            return False
        self._append(fact, found)
        old = old or frozenset(word for index in found for word in self._old_value(index, fact))
        about = frozenset(word for index in found for word in subject_words(self.all[index].text))
        for index in range(found[0] + 1 if old and found else len(self.all), len(self.all)):
            known = self.all[index]
            again = known.current and not spoken_by_user(known) and known.seq - fact.seq <= NAMES_NEAR
            if again and old <= set(said_words(known.text)) and about & subject_words(known.text) - old:
                self._supersede(index, fact, fact.text)
        return True

    def _put_with(self, fact: Fact, index: int) -> None:
        """Put a correction with the fact that it may mean: on one line with it if a user said that. What others said
        stays theirs, and has the correction where it is quoted."""
        known = self.all[index]
        if spoken_by_user(known):
            self._append(fact, [index])
        else:
            self.gone.append((known.seq, known.text, fact))
            self._add(fact)

    def _append(self, fact: Fact, found: Sequence[int]) -> None:
        """Put `fact` on one line with each of the facts `found`."""
        for index in found:
            known = self.all[index]
            if known.kind is FactKind.RULE:
                self._add(replace(fact, kind=FactKind.RULE))
            else:
                kind = known.kind if known.kind.pinned or known.kind in _LASTING else FactKind.CORRECTION
                text = append_correction(known.text, fact.text)
                self._supersede(index, fact, text)
                self._add(replace(fact, kind=kind, text=text, slot=known.slot))

    def _old_value(self, index: int, fact: Fact) -> list[str]:
        """The words of the values at `index` in whose place `fact` puts another of their type."""
        new, words = families(fact.text), {form(value) for value in values_in(fact.text)}
        values = [v.text for v in values_in(self.all[index].text) if counted_things(v) in new and form(v) not in words]
        return list(said_words(" ".join(values)))

    def _meant(self, fact: Fact) -> tuple[list[int], frozenset[str]]:
        new = families(fact.text)
        own = [(index, fact.seq - known.seq, known.text) for index, known in self._own(fact)]
        alike = [(index, 0, text) for index, back, text in own if new & families(text) and back <= NAMES_NEAR]
        plain = not other_subjects(fact.text) if new else is_correction(fact.text)
        found, old = retracted_statements(fact.text, alike if new else own, plain=plain)
        if not found and plain and has_only_numbers(fact.text):
            # "No, the 4th", "I meant 11": a day or an hour, if no number stands nearer.
            found, old = retracted_statements(fact.text, [one for one in own if "when" in families(one[2])], plain=True)
        return found, old

    def _reframed(self, fact: Fact) -> list[int]:
        for index, known in self._own(fact, self._framed.alike(fact.text)):
            again = restates(known.text, fact.text) or is_restatement(known.text, fact.text)
            if again and known.kind in RESTATED and not parts_told(known.text)[1]:
                return [index]
        return []

    def _changed(self, fact: Fact) -> list[int]:
        """The newest fact that holds no more, at any distance."""
        made = change(fact.text)
        if made is None:
            return []
        own = self._own(fact, self._touched(made), reach=fact.seq)
        return next(([index] for index, known in own if made.ends(parts_told(known.text)[0])), [])

    def _touched(self, made: Change) -> Sequence[int]:
        """The places of users' facts that speak of what a change speaks of, newest first: what each speaks of is looked
        up only once something has changed."""
        if made.denies:
            return range(len(self.all) - 1, -1, -1)
        for place in range(self._looked_at, len(self.all)):
            if not spoken_by_user(self.all[place]):
                continue
            for word in subject_of(parts_told(self.all[place].text)[0]):
                self._spoken.setdefault(word, []).append(place)
        self._looked_at = len(self.all)
        return sorted({place for word in made.about for place in self._spoken.get(word, ())}, reverse=True)

    def _own(
        self, fact: Fact, places: Iterable[int] | None = None, *, reach: int = CORRECTION_REACH
    ) -> Iterator[tuple[int, Fact]]:
        """The current facts of the one who said `fact`, within its reach, newest first; of `places` only, if given."""
        for index in range(len(self.all) - 1, -1, -1) if places is None else places:
            known = self.all[index]
            if fact.seq - known.seq > reach:
                return
            if known.current and fact.seq >= known.seq and spoken_by_user(known) and _one_voice(known, fact):
                yield index, known

    def _supersede(self, index: int, by: Fact, text: str) -> None:
        """Mark the fact at `index` as superseded; what `by` says stands now as `text`."""
        known = self.all[index]
        said = self._behind.get((known.seq, known.text), [(known.seq, known.text)])
        self.gone.extend((seq, words, by) for seq, words in said)
        self._behind.setdefault((by.seq, text), [(by.seq, by.text)]).extend(said)
        self.all[index] = replace(known, superseded_by=by.seq)

    def _add(self, fact: Fact) -> None:
        place = len(self.all)
        self._places.setdefault(said_words(fact.text), []).append(place)
        if fact.slot is not None:
            self._slots.setdefault(fact.slot, []).append(place)
        if laters := parts_told(fact.text)[1]:
            self._beside.setdefault(fact.seq, set()).update(laters)
        if fact.kind in RESTATED and spoken_by_user(fact):
            self._framed.add(fact.text, place)
        self.all.append(fact)


def spoken_by_user(fact: Fact) -> bool:
    """Whether a user said it, not an assistant, a tool or a text that somebody quoted."""
    return _a_user(fact.author or "")


@lru_cache(maxsize=1_024)
def _a_user(author: str) -> bool:
    return author.split(" ")[0] not in (ASSISTANT, TOOL, QUOTED)


def _of_its_type(facts: Sequence[Fact], fact: Fact) -> _Found:
    """What a correction without a known slot means: the facts that state the value it replaces.

    A sentence that states several values of one type is left as it is, unless the correction quotes
    the old one. Another named person's words are left to that person.
    """
    if not values_in(fact.text):
        return _NONE_FOUND
    first = fact.seq - CORRECTION_REACH
    near = [place for place, known in enumerate(facts) if first <= known.seq <= fact.seq]
    reach = [place for place in reversed(near) if facts[place].current and _open(facts[place], fact)]
    # The meaning is clear if the correction names the old value itself, unless by chance: "4 stars" are no "4 nights".
    words, others = figures(fact.text), {i for i in reach if names_another_thing(fact.text, facts[i].text)}
    named = [index for index in reach if index not in others and words & figures(facts[index].text)]
    wrong = retracted_words(fact.text)
    if all(value.kind is not ValueKind.IDENTIFIER for value in values_in(fact.text)):
        wrong = frozenset(filter(str.isdecimal, wrong))
    if wrong and not any(wrong <= frozenset(said_words(facts[index].text)) for index in named or reach):
        # "The 12th, not the 2nd", "release/7, not main": the old value is not among these, and nothing else is meant.
        return _NONE_FOUND
    nearest, unsure = _nearest(facts, named or reach, fact), None
    for value in values_in(fact.text):
        for index in nearest:
            old = replace_value(facts[index].text, value, fact.text)
            if old is not None:
                same = [i for i in reach if i in nearest or not spoken_by_user(facts[i])]
                gone = [i for i in same if states_only(facts[i].text, old)] or [index]
                told_by = next((i for i in gone if spoken_by_user(facts[i])), index)
                if told_by not in others:
                    return _Found(tuple(gone), told_by, _subject(facts[told_by], old))
                if old.kind is value.kind:
                    unsure = unsure or _Found((told_by,), unsure=True)
    return unsure or _NONE_FOUND


def _open(known: Fact, fact: Fact) -> bool:
    """Whether a correction by value can mean `known`, as far as its kind, its slot and who said it tell."""
    if known.kind is FactKind.RULE or not may_fill(fact.slot, known.slot):
        return False
    return _one_voice(known, fact) if spoken_by_user(known) else _speaks_of(known, fact.slot)


def _nearest(facts: Sequence[Fact], reach: Sequence[int], fact: Fact) -> list[int]:
    """Those of `reach` that have most to do with what `fact` speaks of: "actually the hotel is 150" is about what was
    said of the hotel, whatever was said since, and of nothing else if that is not among them."""
    about, called = subjects_of(fact.text), names(fact.text)
    shared = {
        index: len(about & things)
        for index in reach
        for things, known in [(subjects_of(facts[index].text), names(facts[index].text))]
        if not (called and known and called.isdisjoint(known))
        and not (about & THINGS and things & THINGS and about.isdisjoint(things))
    }
    most = max(shared.values(), default=0)
    return [index for index, count in shared.items() if count == most]


def _other_clause(known: Fact, fact: Fact, about: str) -> str | None:
    """What `known` demands or wishes in a clause that has no value of the type that `fact` replaces, and that is not
    kept as its subject `about`: "the budget is 900, and please no balloons"."""
    new = families(fact.text)
    for part in _CLAUSES.split(known.text)[1:]:
        binding = not _STANDING.isdisjoint(kinds(part)) and not _POINTS.intersection(said_words(part))
        if binding and new.isdisjoint(families(part)) and part not in about:
            return part
    return None


def _speaks_of(known: Fact, named: str | None) -> bool:
    """Whether what an assistant or a tool said can be about a slot that a correction names."""
    return named is None or "…" in named or named.split()[-1] in said_words(known.text)


def _subject(known: Fact, old: Value) -> str:
    """What the replaced value was about: a slot, or the sentence around it."""
    if known.slot and ("…" in known.slot or len(values_in(known.text)) == 1):
        return known.slot
    return without(known.text, [value for value in values_in(known.text) if form(value) == form(old)])


def _only_another_wish(fact: Fact) -> bool:
    """Whether `fact` says nothing by itself: "how about the other one?" without anything that it could replace."""
    wish = fact.kind is FactKind.CORRECTION and not is_correction(fact.text)
    return wish and not values_in(fact.text) and not names(fact.text)


def _one_voice(known: Fact, fact: Fact) -> bool:
    """Whether one and the same person said both; an unnamed user can be any user."""
    if known.author == fact.author:
        return True
    return (known.author is None or fact.author is None) and spoken_by_user(known) and spoken_by_user(fact)
