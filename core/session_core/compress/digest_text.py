"""Renders a digest as a message: an introduction, the summary, and the key facts that fit."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from functools import lru_cache, partial
from hashlib import blake2b

from session_core.classify import is_filler
from session_core.compress.plan_cache import FactLines, PlanContext
from session_core.fact_selection import bullet, line, select_places
from session_core.language.quoting import CONDENSED, quoted_lines
from session_core.language.supersede import spoken_by_user
from session_core.language.words import one_line, sentences
from session_core.plan import Count, Digest, Fact, FactKind, Limits
from session_core.retrieval.retrieve import rank, terms
from session_core.turns import Message, Role

NO_SEQS: frozenset[int] = frozenset()
MAX_CACHED_LINES = 2_048
"""Capacity of the cache of fact lines' words, which each question is compared with."""
MAX_RELATED_FACTS = 3
"""Maximum facts without room in the view that are quoted for a question."""


def shown_facts(digest: Digest, *, context: PlanContext, already_shown: Set[int] = NO_SEQS) -> tuple[Fact, ...]:
    """The facts of `digest` that fit into a view, in reading order.

    In a terse view only those that are always needed (others are quoted when a question needs them), and of the
    messages `already_shown` only pinned ones.
    """
    return tuple([digest.facts[place] for place in _summary_and_places(digest, context, already_shown)[1]])


def _is_always_needed(fact: Fact) -> bool:
    """Whether the fact is always needed: what users said about themselves."""
    return fact.kind in (FactKind.IDENTITY, FactKind.PREFERENCE) and spoken_by_user(fact)


def lines_of(digest: Digest, context: PlanContext) -> FactLines:
    """The facts of `digest` as lines, cached."""
    return context.cache.lines(digest, lambda: fact_lines(digest.facts, context.count))


def hidden_rules(digest: Digest, shown: str, context: PlanContext) -> int:
    """How many standing rules of `digest` its message with the text `shown` leaves out."""
    there, lines = set(shown.split("\n")), lines_of(digest, context)
    return sum([lines.texts[place].rstrip("\n") not in there for place in lines.rules])


def fact_lines(
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
    """The lines of a summary that say something else than the facts `told` and courtesies."""
    return "\n".join([row for row in summary.splitlines() if not _is_told(row.partition(": ")[2], told)])


def _is_told(text: str, told: Set[str]) -> bool:
    said = [one_line(sentence) for sentence in sentences(text)]
    return text in told or (not told.isdisjoint(said) and all(one in told or is_filler(one) for one in said))


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
