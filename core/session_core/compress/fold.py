"""Folds the oldest units of a record into a digest, and renders a digest as a message."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from hashlib import blake2b
from typing import TypeVar
from weakref import ref

from session_core.compress.amendments import statements, with_corrections
from session_core.compress.summary import amended_lines, summarize
from session_core.fact_selection import bullet, line, select_places
from session_core.facts import extract, merge, open_question
from session_core.language.quoting import CONDENSED, quoted_lines
from session_core.language.supersede import spoken_by_user
from session_core.language.words import one_line
from session_core.plan import Count, Digest, Fact, FactKind, GiveWay, Limits, Measure, Plan, never_pause, seqs_of
from session_core.ranges import Ranges
from session_core.retrieve import rank, terms
from session_core.serial.cache import BoundedCache
from session_core.turns import Importance, Message, Role

T = TypeVar("T")

MAX_FINGERPRINTS = 8_192
"""Capacity of the cache of fingerprints; long messages count for several, 4 KB of text each."""
NO_SEQS: frozenset[int] = frozenset()
MAX_CACHED_LINES = 2_048
"""Capacity of the cache of fact lines' words, which each question is compared with."""
MAX_RELATED_FACTS = 3
"""Maximum facts without room in the view that are quoted for a question."""
STORED_FACTS = 4
"""A digest stores up to this many times the facts that a view has room for, so that later views can choose."""
STORED_RULES = 16_000
"""Tokens of standing rules that a digest stores in addition, whether a view has room for them or not."""


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


def fold(
    base: Digest | None,
    messages: Sequence[Message],
    covers: Ranges,
    *,
    context: PlanContext,
    summary: str | None = None,
    found: Sequence[Fact] = (),
) -> Digest:
    """The digest of `base` and `messages`, which replaces `covers` of the record.

    `summary` is a checked summary of a model; without it the extractive one is used. Facts are always extracted by
    rules, so that a model cannot lose one; `found` are additional facts of a model.
    """
    give_way = context.give_way
    said = [m for m in messages if m.role is not Role.SYSTEM]
    previous = base.summary if base else ""
    asked = base.asked if base else None
    stated = extract([_brief(message) for message in said], asked=asked, give_way=give_way)
    stated = sorted([*stated, *found], key=lambda fact: fact.seq) if found else stated
    room = context.limits.summary_room
    if summary is None and not room:
        # As in small views with quotes, which leave the digest only its facts.
        summary = ""
    elif summary is None:
        told = [message for message in said if message.importance is not Importance.DISCARD]
        every = [one for message in told if message.role is Role.USER for one in statements(message)]
        told = with_corrections(told, stated, give_way=give_way)
        previous = amended_lines(previous, [*stated, *every], give_way=give_way)
        summary = summarize(previous, told, max_tokens=room, count=context.count, give_way=give_way)
    else:
        summary = amended_lines(summary, stated, give_way=give_way)
    known = merge(base.facts if base else (), stated, give_way=give_way)
    lines = _lines(known, context.count, base, context.cache.known_lines(base) if base else None)
    facts_room = STORED_FACTS * context.limits.facts_room + min(STORED_RULES, lines.rules_tokens)
    kept = select_places(known, lines.tokens, facts_room)
    facts = tuple([known[place] for place in kept])
    give_way()
    pinned = seqs_of([m for m in messages if m.role is Role.SYSTEM])
    digest = Digest(
        covers,
        summary,
        facts,
        pinned=base.pinned.plus(pinned) if base else pinned,
        covered_tokens=(base.covered_tokens if base else 0) + sum(m.tokens for m in messages),
        covered_messages=(base.covered_messages if base else 0) + len(messages),
        asked=open_question(said),
    )
    context.cache.lines(digest, lambda: lines.at(kept))
    return context.cache.carry_over(digest, replace(digest, tokens=digest_message(digest, context=context).tokens))


def _brief(message: Message) -> Message:
    """A tool output's clip, which keeps everything that facts are made of and is fast to read."""
    if message.clip is None:
        return message
    text, _, mark = message.clip.rpartition("\n")
    return replace(message, content=text if mark.startswith("[clipped") else message.clip)


def shown_facts(digest: Digest, *, context: PlanContext, already_shown: Set[int] = NO_SEQS) -> tuple[Fact, ...]:
    """The facts of `digest` that fit into a view, in reading order.

    In a terse view only those that are always needed (others are quoted when a question needs them), and of the
    messages `said` only pinned ones.
    """
    return tuple([digest.facts[place] for place in _summary_and_places(digest, context, already_shown)[1]])


def _is_always_needed(fact: Fact) -> bool:
    """Whether the fact is always needed: what users said about themselves."""
    return fact.kind in (FactKind.IDENTITY, FactKind.PREFERENCE) and spoken_by_user(fact)


def lines_of(digest: Digest, context: PlanContext) -> FactLines:
    """The facts of `digest` as lines, cached."""
    return context.cache.lines(digest, lambda: _lines(digest.facts, context.count))


def hidden_rules(digest: Digest, shown: str, context: PlanContext) -> int:
    """How many standing rules of `digest` its message with the text `shown` leaves out."""
    there, lines = set(shown.split("\n")), lines_of(digest, context)
    return sum([lines.texts[place].rstrip("\n") not in there for place in lines.rules])


def _lines(
    facts: Sequence[Fact], count: Count, base: Digest | None = None, known: FactLines | None = None
) -> FactLines:
    """The lines of `facts`; for fact objects of `base` those in `known` are reused."""
    before = {id(fact): place for place, fact in enumerate(base.facts)} if base and known else {}
    texts: list[str] = []
    tokens: list[int] = []
    for fact in facts:
        place = before.get(id(fact))
        if known is not None and place is not None:
            texts.append(known.texts[place])
            tokens.append(known.tokens[place])
        else:
            texts.append(bullet(fact))
            tokens.append(count(texts[-1]) if fact.current else 0)
    return FactLines(tuple(texts), tuple(tokens), _rules(facts))


def _rules(facts: Sequence[Fact]) -> tuple[int, ...]:
    return tuple([place for place, fact in enumerate(facts) if fact.kind is FactKind.RULE and fact.current])


def _selected_places(
    digest: Digest, lines: FactLines, limits: Limits, already_shown: Set[int] = NO_SEQS, more: int = 0
) -> list[int]:
    room = max(limits.facts_room, min(limits.rules_room, lines.rules_tokens)) + more
    if not limits.terse:
        return select_places(digest.facts, lines.tokens, room)
    lasting = [
        place
        for place, fact in enumerate(digest.facts)
        if fact.kind.pinned or (fact.seq not in already_shown and _is_always_needed(fact))
    ]
    told = select_places([digest.facts[place] for place in lasting], [lines.tokens[place] for place in lasting], room)
    return [lasting[place] for place in told]


def related_facts(query: str, digest: Digest, *, context: PlanContext) -> list[Fact]:
    """The `MAX_RELATED_FACTS` facts of `digest` that are most relevant to `query` and do not fit into a view, best
    first.

    They must have two thirds of the query's words, since such short lines share one with nearly everything.
    """
    shown, wanted = set(_selected_places(digest, lines_of(digest, context), context.limits)), set(terms(query))
    hidden = [fact for place, fact in enumerate(digest.facts) if fact.current and place not in shown]
    hidden = [fact for fact in hidden if 3 * len(wanted & _words(line(fact))) >= 2 * len(wanted)]
    lines = [Message(Role.USER, line(fact), seq=place) for place, fact in enumerate(hidden)]
    return [hidden[found.seq] for found, _ in rank(query, lines, max_hits=MAX_RELATED_FACTS)]


@lru_cache(maxsize=MAX_CACHED_LINES)
def _words(line: str) -> frozenset[str]:
    return frozenset(terms(line))


def digest_text(digest: Digest, *, context: PlanContext, already_shown: Set[int] = NO_SEQS) -> str:
    """The text of `digest` in a view: an introduction, the summary, the key facts."""
    lines = lines_of(digest, context)
    summary, shown = _summary_and_places(digest, context, already_shown)
    blocks = [CONDENSED]
    if summary:
        blocks.append(f"Summary:\n{quoted_lines(summary)}")
    if shown:
        blocks.append("Key facts:\n" + "".join([lines.texts[place] for place in shown]).rstrip("\n"))
    hidden = sum([fact.current for fact in digest.facts]) - len(shown)
    if hidden > 0:
        rules = len(set(lines.rules).difference(shown))
        among = f", including {rules} standing rules" if rules else ""
        if rules or not context.limits.terse:
            more = "1 more fact is" if hidden == 1 else f"{hidden} more facts are"
            blocks.append(f"({more} in the record{among}.)")
    return "\n".join(blocks)


def _summary_and_places(digest: Digest, context: PlanContext, already_shown: Set[int]) -> tuple[str, list[int]]:
    """The summary that a view shows, and the indexes of the facts beside it. A line of the summary that only says a
    fact again leaves its room to further facts."""
    lines = lines_of(digest, context)
    places = _selected_places(digest, lines, context.limits, already_shown)
    summary = _fitting_summary(digest.summary, context)
    if not summary:
        return "", places
    told = {one_line(digest.facts[place].text) for place in places}
    kept = _without_told(summary, told)
    left = context.limits.summary_room - context.count(kept) - 1
    if kept == summary or left <= 0:
        return summary, places
    places = _selected_places(digest, lines, context.limits, already_shown, more=left)
    return _without_told(kept, {one_line(digest.facts[place].text) for place in places}), places


def _without_told(summary: str, told: Set[str]) -> str:
    """The lines of a summary that say something else than the facts `told`."""
    return "\n".join([row for row in summary.splitlines() if row.partition(": ")[2] not in told])


def _fitting_summary(summary: str, context: PlanContext) -> str:
    """As many lines of the summary as fit, from the first on."""
    room, count = context.limits.summary_room, context.count
    if count(summary) <= room:
        return summary
    kept: list[str] = []
    for text in summary.splitlines():
        room -= count(text) + 1
        if room < 0:
            break
        kept.append(text)
    return "\n".join(kept)


def digest_message(digest: Digest, *, context: PlanContext, already_shown: Set[int] = NO_SEQS) -> Message:
    """The message that replaces what `digest` covers in a view.

    It is a user message and not a system message: what was said must not gain authority by being summarized.
    """
    make = partial(_message, digest, context, already_shown)
    return make() if already_shown else context.cache.digest_message(digest, context.limits, make)


def _message(digest: Digest, context: PlanContext, already_shown: Set[int]) -> Message:
    text = digest_text(digest, context=context, already_shown=already_shown)
    name = blake2b(f"{digest.covers.pairs}{text}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    message = Message(Role.USER, text, id=f"llm-sessions:digest:{name}", origin="digest", covers=digest.covers)
    return replace(message, tokens=context.measure(message))
