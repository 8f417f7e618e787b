"""Which facts fit in a limit, and how they are listed."""

from __future__ import annotations

from collections.abc import Sequence

from session_core.language.quoting import speaker_name
from session_core.language.supersede import spoken_by_user
from session_core.language.words import one_line, words
from session_core.plan import Fact, FactKind

EACH_KIND = 2
"""Facts selected of one kind before the next kind is considered."""
KIND_ORDER = {kind: place for place, kind in enumerate(FactKind)}
"""The kinds of facts, the most binding first."""


def select_places(facts: Sequence[Fact], prices: Sequence[int], max_tokens: int) -> list[int]:
    """The indexes of the current facts that fit in `max_tokens` as lines of a list, in the order in which they were
    stated. `prices` are the sizes of their lines (`bullet`).

    Rules come first, then constraints: while one of them does not fit, nothing else is selected; if there are too
    many, the newest and the oldest are selected alternately. Then each kind gets its newest two, in the order of the
    kinds, then its next two, so that many of one kind never displace the only one of another. If a line does not fit,
    a shorter one may.
    """
    chosen: list[int] = []
    left = max_tokens
    missing: FactKind | None = None
    for index in _by_rank(facts):
        kind = facts[index].kind
        if missing not in (None, kind):
            break
        if prices[index] <= left:
            chosen.append(index)
            left -= prices[index]
        elif kind.pinned:
            missing = kind
    return sorted(sorted(chosen), key=[fact.seq for fact in facts].__getitem__)


def bullet(fact: Fact) -> str:
    """The line of `fact` in a list."""
    return f"- ({fact.kind}) {line(fact)}\n"


def _by_rank(facts: Sequence[Fact]) -> list[int]:
    """The indexes of the current facts in the order of selection."""
    of_kind: dict[FactKind, list[int]] = {}
    backwards = range(len(facts) - 1, -1, -1)
    for index in sorted(backwards, key=[fact.seq for fact in facts].__getitem__, reverse=True):
        fact = facts[index]
        if fact.superseded_by is None:
            of_kind.setdefault(fact.kind, []).append(index)
    ranked: list[tuple[int, int, int, int]] = []
    for kind, newest_first in of_kind.items():
        order, pinned = KIND_ORDER[kind], kind.pinned
        group, first = order if pinned else len(KIND_ORDER), order * len(facts)
        in_turn = _alternating_ends(newest_first) if pinned else newest_first
        ranked += [(group, place // EACH_KIND, first + place, index) for place, index in enumerate(in_turn)]
    return [index for *_, index in sorted(ranked)]


def _alternating_ends(places: Sequence[int]) -> list[int]:
    """The first, the last, the second, the second to last, and so on."""
    half = (len(places) + 1) // 2
    pairs = zip(places[:half], reversed(places[half - len(places) % 2 :]), strict=True)
    return list(dict.fromkeys(index for pair in pairs for index in pair))


def line(fact: Fact) -> str:
    """`fact` on one line: its author if known, its text, and its subject if the text lacks it."""
    text = one_line(fact.text)
    who = f"{_voice(fact)}: " if fact.author else ""
    about = fact.slot or ""
    untold = about and not set(words(about)) <= set(words(text))
    return f"{who}{text} [{one_line(about)}]" if untold else f"{who}{text}"


def _voice(fact: Fact) -> str:
    author = fact.author or ""
    return speaker_name(author) if spoken_by_user(fact) else one_line(author)
