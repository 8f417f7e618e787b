"""Shortens a block of quotes to the lines that are most relevant to the question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from session_core.language.quoting import WITHIN
from session_core.plan import Count
from session_core.retrieval.retrieve import terms


def trim_quotes(block: str, question: str, *, max_tokens: int, count: Count) -> str:
    """`block` in at most `max_tokens`: its first line, and quoted lines under what names their source; "" when
    there is no room for one.

    Words of the question count the more, the fewer lines have them; of lines that are alike the last stays.
    """
    if count(block) <= max_tokens:
        return block
    head, *rest = block.split("\n")
    quoted = [place for place, line in enumerate(rest) if line.startswith(WITHIN)]
    kept: list[int] = []
    left = max_tokens - count(head) - 1
    for place in sorted(quoted, key=_ranks(rest, quoted, question)):
        price = count(rest[place]) + 1
        if (source := _source(rest, place)) is not None and _source_of_none(rest, source, kept):
            price += count(rest[source]) + 1
        if price <= left:
            kept.append(place)
            left -= price
    while kept:
        text = "\n".join([head, *_with_sources(rest, kept)])
        if count(text) <= max_tokens:
            return text
        kept.pop()
    return ""


def _ranks(lines: Sequence[str], quoted: Sequence[int], question: str) -> Callable[[int], tuple[float, int]]:
    asked = set(terms(question))
    shared = {place: asked.intersection(terms(lines[place])) for place in quoted}
    often = Counter(word for words in shared.values() for word in words)
    return lambda place: (-sum(1 / often[word] for word in shared[place]), -place)


def _source(lines: Sequence[str], place: int) -> int | None:
    """The line that names the source of the quoted line at `place`."""
    return next((above for above in range(place - 1, -1, -1) if not lines[above].startswith(WITHIN)), None)


def _source_of_none(lines: Sequence[str], source: int, kept: Collection[int]) -> bool:
    return all(_source(lines, place) != source for place in kept)


def _with_sources(lines: Sequence[str], kept: Collection[int]) -> list[str]:
    places = {*kept, *(source for place in kept if (source := _source(lines, place)) is not None)}
    return [lines[place] for place in sorted(places)]
