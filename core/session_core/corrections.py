"""Which messages were corrected later: what people stated, put together once for each process and gone on with."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field

from session_core.facts import extract, merge
from session_core.language.cues import corrects
from session_core.language.slots import same_slot
from session_core.language.supersede import CORRECTION_REACH, Facts, spoken_by_user
from session_core.plan import Digest, Fact
from session_core.serial.remembered import Remembered
from session_core.turns import Key, Message, Role

KNOWN_FACTS = 40_000
"""How many facts of single messages a process remembers, and how many of what sessions stated."""
Place = tuple[Key, Hashable]
"""A session, and the first message of it that is looked at: a run sees but the end of its own."""


@dataclass(slots=True)
class Stated:
    """What people stated in a part of a record, merged in their order, and where to look for a correction."""

    facts: Facts
    base: tuple[Fact, ...] = ()
    made_of: list[Hashable] = field(default_factory=list)
    _looked: int = 0
    _of_slot: dict[str, list[int]] = field(default_factory=dict)
    _correcting: list[int] = field(default_factory=list)
    _slots: dict[str, int] = field(default_factory=dict)
    """The slots that corrections name, with the last place of each."""
    _verdicts: dict[int, tuple[Sequence[Fact], object, bool]] = field(default_factory=dict)

    def add(self, print_: Hashable, facts: Sequence[Fact]) -> None:
        """Go on with the facts of the next message."""
        self.made_of.append(print_)
        for fact in facts:
            self.facts.put(fact)

    def index(self) -> None:
        """Take up what was put since the last time."""
        known = self.facts.all
        for place in range(self._looked, len(known)):
            fact = known[place]
            if fact.slot is not None:
                self._of_slot.setdefault(fact.slot, []).append(place)
            if spoken_by_user(fact) and corrects(fact.text):
                self._correcting.append(place)
        self._looked = len(known)
        self._correcting.sort(key=self._seq)
        self._slots = {slot: place for place in self._correcting if (slot := known[place].slot) is not None}

    def corrects(self, own: Sequence[Fact]) -> bool:
        """Whether one of the facts, later than `own` of one message, replaces one of those."""
        seq = own[0].seq
        first = bisect_right(self._correcting, seq, key=self._seq)
        last = bisect_right(self._correcting, seq + CORRECTION_REACH, key=self._seq)
        named = {fact.slot for fact in own if fact.slot is not None}
        # What is put later can change a verdict only by one of these.
        turns_on = (last - first, named and len(self._slots), sum(len(self._of_slot.get(slot, ())) for slot in named))
        known = self._verdicts.get(seq)
        if known is None or known[0] is not own or known[1] != turns_on:
            replaced = self._by_slot(own, named) or self._by_value(own, self._correcting[first:last])
            known = self._verdicts[seq] = own, turns_on, replaced
        return known[2]

    def _by_slot(self, own: Sequence[Fact], named: Collection[str]) -> bool:
        known = self.facts.all
        for one in named:
            places = list(self._of_slot.get(one, ()))
            places += [place for slot, place in self._slots.items() if same_slot(slot, one)]
            if any(known[place].seq > own[0].seq and _replaces(known[place], own) for place in places):
                return True
        return False

    def _by_value(self, own: Sequence[Fact], near: Sequence[int]) -> bool:
        known, seq = self.facts.all, own[0].seq
        if not any(_replaces(known[place], own) for place in near):
            return False
        # A value is corrected where it was stated last: what was said in between counts too.
        between = [fact for fact in known if seq < fact.seq <= seq + CORRECTION_REACH]
        return any(not fact.current for fact in merge(own, between)[: len(own)])

    def _seq(self, place: int) -> int:
        return self.facts.all[place].seq


class Corrections:
    """Knows for the sessions of a process what was corrected; a view costs what was said since the one before it.

    Safe with several threads without a lock: who works on a session has its facts alone, and a second one begins anew.
    """

    def __init__(self, room_facts: int = KNOWN_FACTS) -> None:
        self._room = room_facts
        self._own: Remembered[tuple[Fact, ...]] = Remembered(room_facts)
        self._stated: dict[Place, Stated] = {}

    def wrong(self, key: Key, messages: Sequence[Message], digest: Digest | None, said: Sequence[Message]) -> set[int]:
        """The numbers of those of `messages` that a later message of a user corrects: a fact of the digest, or of the
        messages `said`."""
        owned = [(message.seq, own) for message in messages if (own := self._facts_of(message))]
        if not owned:
            return set()
        base = digest.facts if digest else ()
        users = sorted((m for m in said if m.role is Role.USER and m.origin == "record"), key=_seq_of)
        prints = [_print(message) for message in users]
        place = (key, prints[0] if prints else None)
        stated = self._stated.pop(place, None)
        if stated is None or stated.base != base or prints[: len(stated.made_of)] != stated.made_of:
            stated = Stated(Facts(base), base)
        for print_, message in list(zip(prints, users, strict=True))[len(stated.made_of) :]:
            stated.add(print_, self._facts_of(message))
        stated.index()
        found = {seq for seq, own in owned if stated.corrects(own)}
        self._keep(place, stated)
        return found

    def _facts_of(self, message: Message) -> tuple[Fact, ...]:
        if message.role is Role.TOOL:
            return ()
        made_of = (message.role, message.name, *_print(message))
        known = self._own.known(made_of)
        if known is None:
            known = tuple(extract([message]))
        return self._own.get(made_of, lambda: known, size=len(known) + 1)

    def _keep(self, place: Place, stated: Stated) -> None:
        self._stated[place] = stated
        kept = list(self._stated.values())
        while len(kept) > 1 and sum(len(one.facts.all) for one in kept) > self._room:
            self._stated.pop(next(iter(self._stated), place), None)
            kept = list(self._stated.values())


def _replaces(fact: Fact, own: Sequence[Fact]) -> bool:
    return any(not known.current for known in merge(own, [fact])[: len(own)])


def _print(message: Message) -> tuple[Hashable, ...]:
    return message.seq, message.content, message.author


def _seq_of(message: Message) -> int:
    return message.seq
