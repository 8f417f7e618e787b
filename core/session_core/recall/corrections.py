"""Statements and corrections in a part of a record, cached per process and extended incrementally."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from session_core.facts import extract
from session_core.language.supersede import Facts
from session_core.plan import Digest, Fact
from session_core.recall.amendments import could_amend, is_brief
from session_core.serial.cache import BoundedCache
from session_core.turns import Key, Message, Role

KNOWN_FACTS = 40_000
"""How many facts of single messages, and how many statements of sessions, a process caches."""
Place = tuple[Key, Hashable]
"""A session, and the first message considered: a run sees only the end of its own."""


@dataclass(slots=True)
class Stated:
    """Statements in a part of a record, merged in order."""

    facts: Facts
    base: tuple[Fact, ...] = ()
    made_of: list[Hashable] = field(default_factory=list)
    _amending: list[int] = field(default_factory=list)
    _looked_at: int = 0

    def amending(self) -> tuple[Fact, ...]:
        """The facts that can correct something."""
        known = self.facts.all
        self._amending += [place for place in range(self._looked_at, len(known)) if could_amend(known[place])]
        self._looked_at = len(known)
        return tuple(known[place] for place in self._amending)

    def add(self, print_: Hashable, facts: Sequence[Fact]) -> None:
        """Add the facts of the next message."""
        self.made_of.append(print_)
        for fact in facts:
            self.facts.put(fact)


class Corrections:
    """Caches statements per session, so that a view only reads messages added since the previous one.

    Thread-safe without a lock: a caller takes the entry of its session out; a second one starts with an empty entry.
    """

    def __init__(self, room_facts: int = KNOWN_FACTS) -> None:
        self._room = room_facts
        self._own: BoundedCache[tuple[Fact, ...]] = BoundedCache(room_facts)
        self._stated: dict[Place, Stated] = {}

    def later(self, key: Key, digest: Digest | None, messages: Sequence[Message]) -> Sequence[Fact]:
        """The facts of `digest` and of the users' messages among `messages` that can correct something, in order."""
        base = digest.facts if digest else ()
        users = [m for m in messages if m.role is Role.USER and m.origin == "record" and is_brief(m)]
        users.sort(key=_seq_of)
        prints = [_print(message) for message in users]
        place = (key, prints[0] if prints else None)
        stated = self._stated.pop(place, None)
        if stated is None or stated.base != base or prints[: len(stated.made_of)] != stated.made_of:
            stated = Stated(Facts(base), base)
        for print_, message in list(zip(prints, users, strict=True))[len(stated.made_of) :]:
            stated.add(print_, self._facts_of(message))
        self._keep(place, stated)
        return stated.amending()

    def _facts_of(self, message: Message) -> tuple[Fact, ...]:
        made_of = (message.role, message.name, *_print(message))
        known = self._own.kept(made_of, _size)
        if known is None:
            made = tuple(extract([message]))
            known = self._own.put(made_of, made, size=_size(made))
        return known

    def _keep(self, place: Place, stated: Stated) -> None:
        self._stated[place] = stated
        kept = list(self._stated.values())
        while len(kept) > 1 and sum(len(one.facts.all) for one in kept) > self._room:
            self._stated.pop(next(iter(self._stated), place), None)
            kept = list(self._stated.values())


def _size(facts: tuple[Fact, ...]) -> int:
    return len(facts) + 1


def _print(message: Message) -> tuple[Hashable, ...]:
    return message.seq, message.content, message.author


def _seq_of(message: Message) -> int:
    return message.seq
