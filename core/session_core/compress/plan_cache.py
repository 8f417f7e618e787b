"""What plans and folds share: counters, limits, and caches of digests, their messages and whole plans."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar
from weakref import ref

from session_core.plan import Count, Digest, GiveWay, Limits, Measure, Plan, never_pause
from session_core.serial.cache import BoundedCache
from session_core.turns import Message

T = TypeVar("T")

MAX_FINGERPRINTS = 8_192
"""Capacity of the cache of fingerprints; long messages count for several, 4 KB of text each."""


@dataclass(frozen=True, slots=True)
class FactLines:
    """The facts of a digest as list lines: their text, their tokens (0 for superseded ones), and the indexes of the
    standing rules among them."""

    texts: tuple[str, ...]
    tokens: tuple[int, ...]
    rules: tuple[int, ...]

    @property
    def rules_tokens(self) -> int:
        return sum([self.tokens[place] for place in self.rules])

    def at(self, places: Sequence[int]) -> FactLines:
        """The lines at the indexes `places`, in their order."""
        rules = set(self.rules)
        return FactLines(
            tuple([self.texts[place] for place in places]),
            tuple([self.tokens[place] for place in places]),
            tuple([new for new, place in enumerate(places) if place in rules]),
        )


@dataclass(frozen=True, slots=True)
class DigestHead:
    """The message for a digest in a view, None if it does not fit, and how many of its standing rules it leaves out."""

    message: Message | None
    hidden_rules: int


class PlanCache:
    """Caches for plans: digests, their messages, whole plans.

    Messages and digests are looked up by identity (`id`), since a store returns the same object for what it read
    before. Plans keep their inputs alive, so that no other object gets the same address. Digests are held by weak
    references, since each has a hundred objects for the garbage collector to visit; an entry whose digest is gone is
    ignored (`_cached`).
    """

    def __init__(self) -> None:
        self._digests = BoundedCache[Digest](128)
        self._prints = BoundedCache[tuple[Message, bytes]](MAX_FINGERPRINTS)
        self._shown = BoundedCache[tuple[ref[Digest], DigestHead]](4_096)
        self._lines = BoundedCache[tuple[ref[Digest], FactLines]](1_024)
        self._whole = BoundedCache[tuple[ref[Digest], tuple[Limits, Message]]](256)
        self._plans = BoundedCache[tuple[Sequence[Message], Digest | None, Plan]](32)
        self._opening: Message | None = None

    def digest(self, made_of: bytes, make: Callable[[], Digest]) -> Digest:
        """The digest for the fingerprint `made_of`, made by `make` if it is not cached."""
        return self._digests.get(made_of, make)

    def known_digest(self, made_of: bytes) -> Digest | None:
        """The cached digest for the fingerprint `made_of`, or None."""
        return self._digests.known(made_of)

    def fingerprint(self, message: Message) -> bytes:
        """The fingerprint of a message object, cached: a run asks for those of all its messages at each call."""
        size = 1 + len(message.content) // 4096
        return self._prints.get(id(message), lambda: (message, fingerprint(message)), size=size)[1]

    def head(self, digest: Digest, room_tokens: int, rest: Hashable, make: Callable[[], DigestHead]) -> DigestHead:
        """The head for this digest object in `room_tokens`; `rest` is what else it depends on."""
        return _cached(self._shown, digest, (id(digest), room_tokens, rest), make)

    def lines(self, digest: Digest, make: Callable[[], FactLines]) -> FactLines:
        """The lines for the facts of this digest object."""
        return _cached(self._lines, digest, id(digest), make)

    def known_lines(self, digest: Digest) -> FactLines | None:
        """The cached lines of this digest object, or None."""
        found = self._lines.known(id(digest))
        return found[1] if found is not None and found[0]() is digest else None

    def digest_message(self, digest: Digest, limits: Limits, make: Callable[[], Message]) -> Message:
        """The message for all of this digest object under `limits`.

        One is cached per digest, for the limits of the first call; for others it is made again. A fold asks first,
        so that the next view of the session has it.
        """
        made_in, message = _cached(self._whole, digest, id(digest), lambda: (limits, make()))
        return message if made_in == limits else make()

    def carry_over(self, old: Digest, new: Digest) -> Digest:
        """`new`, an equal digest; cached lines and message of `old` are cached for it too."""
        if new is not old:
            _carry_over(self._lines, old, new)
            _carry_over(self._whole, old, new)
        return new

    def opening(self, make: Callable[[], Message]) -> Message:
        """The opening message, made once: it is the same for every conversation."""
        if self._opening is None:
            self._opening = make()
        return self._opening

    def plan(
        self, messages: Sequence[Message], digest: Digest | None, rest: Hashable, make: Callable[[], Plan]
    ) -> Plan:
        """The plan for these message objects and this digest object; `rest` is what else it depends on."""
        key = (id(digest), rest, *map(id, messages))
        return self._plans.get(key, lambda: (tuple(messages), digest, make()))[2]


def _cached(known: BoundedCache[tuple[ref[Digest], T]], digest: Digest, key: Hashable, make: Callable[[], T]) -> T:
    """The cached value of this digest object under `key`, or else the result of `make`."""
    of, found = known.get(key, lambda: (ref(digest), make()))
    if of() is digest:
        return found
    # Its digest is gone, and another object has the same address now.
    known.forget(key)
    return known.get(key, lambda: (ref(digest), make()))[1]


def _carry_over(known: BoundedCache[tuple[ref[Digest], T]], old: Digest, new: Digest) -> None:
    found = known.known(id(old))
    if found is not None and found[0]() is old:
        made = found[1]
        _cached(known, new, id(new), lambda: made)


def fingerprint(*made_of: object) -> bytes:
    """A hash of all inputs of a digest, since the sessions of a process share one cache."""
    found = blake2b(digest_size=16)
    for one in made_of:
        found.update(one if isinstance(one, bytes) else repr(one).encode("utf-8", "surrogatepass"))
    return found.digest()


@dataclass(frozen=True, slots=True)
class PlanContext:
    """What plans and folds share: counters of texts and messages, limits, caches.

    `give_way` is called between the parts of a fold. Without `folds`, a plan uses cached digests only.
    """

    count: Count
    measure: Measure
    limits: Limits
    cache: PlanCache = field(default_factory=PlanCache, compare=False)
    give_way: GiveWay = field(default=never_pause, compare=False)
    folds: bool = field(default=True, compare=False)
