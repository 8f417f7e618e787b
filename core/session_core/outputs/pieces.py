"""Selects the pieces of a long output that stay, by priority and size, and marks every gap."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Protocol

UNCUT = "nothing left out, only written shorter"
"""The note of a rendition that contains everything in another form."""

GAP_CHARACTERS = 16
"""The approximate size of a gap marker."""

MISSES = 200
"""The search for pieces that fit ends after this many in a row that do not."""

_UNCUT_CHARACTERS = 200
"""Pieces up to this size are shown completely or not at all, unless there is very little room."""

_URGENT = 3
"""The first pieces, up to this number, are shortened much rather than left out."""

_LEAST_CUT = 24

Kept = dict[int, str]
"""The kept pieces by index, each as it is shown."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A shorter form of a text, and a note of what it leaves out ("212 of 240 rows left out")."""

    body: str
    left_out: str


class Shape(Protocol):
    """A parsed text that can be rendered at any size."""

    @property
    def kind(self) -> str: ...

    def render(self, max_characters: int) -> Rendition:
        """The most important parts in about `max_characters`; every cut is visible."""
        ...


def shorten(text: str, max_characters: int) -> str:
    """`text` in at most `max_characters`: its beginning, a marker, and its end."""
    if len(text) <= max_characters:
        return text
    if max_characters < 48:
        return text[: max(0, max_characters - 1)].rstrip() + "…"
    mark = f" …{len(text):,} characters left out… "
    room = max_characters - len(mark)
    head, tail = text[: room - room // 3].rstrip(), text[len(text) - room // 3 :].lstrip()
    return f"{head} …{len(text) - len(head) - len(tail):,} characters left out… {tail}"


def preference(*queues: tuple[int, Iterable[int]]) -> list[int]:
    """The piece numbers of all queues, best first and without duplicates: each queue in turn contributes as many as
    its weight."""
    seen: set[int] = set()
    chosen: list[int] = []

    def unseen(queue: Iterable[int]) -> Iterator[int]:
        for number in queue:
            if number not in seen:
                seen.add(number)
                yield number

    waiting = [(weight, unseen(queue)) for weight, queue in queues]
    while waiting:
        taken = [(weight, queue, list(islice(queue, weight))) for weight, queue in waiting]
        chosen += [number for _, _, numbers in taken for number in numbers]
        waiting = [(weight, queue) for weight, queue, numbers in taken if len(numbers) == weight]
    return chosen


def ends(total: int, *, tail_every: int = 4) -> Iterator[int]:
    """All numbers below `total`, from both ends inward: the first, the last, then mostly from the front."""
    first, last = 0, total - 1
    while first <= last:
        if (first + total - 1 - last) % tail_every == 1:
            yield last
            last -= 1
        else:
            yield first
            first += 1


def pick(total: int, order: Sequence[int], text_of: Callable[[int], str], max_characters: int) -> Kept:
    """The pieces to keep: taken in `order` until `max_characters` are used, including gap markers.

    A long piece, over a third of the remaining room, is shortened first, and grows again if room remains. Pieces
    that are not in `order` are never taken.
    """
    kept: Kept = {}
    left, misses = max_characters - GAP_CHARACTERS, 0
    least = min(_UNCUT_CHARACTERS, max_characters // 2)
    cut: list[int] = []
    for number in order:
        if left < 8 or misses > MISSES:
            break
        whole = text_of(number)
        shown = shorten(whole, max(least, left // 3))
        neighbours = (number == 0 or number - 1 in kept) + (number == total - 1 or number + 1 in kept)
        around = 1 + GAP_CHARACTERS * (1 - neighbours)
        cost = len(shown) + around
        if cost > left and len(kept) < _URGENT and left - around >= _LEAST_CUT:
            shown = shorten(whole, left - around)
            cost = len(shown) + around
        if cost > left:
            misses += 1
            continue
        misses = 0
        kept[number] = shown
        left -= cost
        if len(shown) < len(whole):
            cut.append(number)
    for number in cut:
        grown = shorten(text_of(number), len(kept[number]) + max(0, left))
        left -= len(grown) - len(kept[number])
        kept[number] = grown
    _fill_small_gaps(kept, set(order), text_of)
    _drop_blank_edges(kept, total)
    return kept


def _fill_small_gaps(kept: Kept, takeable: Container[int], text_of: Callable[[int], str]) -> None:
    """Add pieces between two kept ones if they are no longer than the gap marker."""
    numbers = sorted(kept)
    for before, after in pairwise(numbers):
        gap = range(before + 1, after)
        if not 0 < len(gap) <= GAP_CHARACTERS or not all(number in takeable for number in gap):
            continue
        texts = [text_of(number) for number in gap]
        if sum(len(text) + 1 for text in texts) <= GAP_CHARACTERS + 1:
            kept.update(zip(gap, texts, strict=True))


def _drop_blank_edges(kept: Kept, total: int) -> None:
    """Merge empty pieces beside a gap into it."""
    numbers = sorted(kept)
    for number in (*numbers, *reversed(numbers)):
        if number in kept:
            before, after = max(0, number - 1), min(total - 1, number + 1)
            if not kept[number] and not (before in kept and after in kept):
                del kept[number]


def join(
    kept: Kept,
    sizes: Sequence[int],
    noun: str,
    *,
    before: Callable[[int, int | None], str] | None = None,
) -> tuple[str, int]:
    """The kept pieces in order with a line for each gap, and the total size of the gaps.

    `sizes` says how many `noun` of the source each piece represents. `before` returns the separator between a piece
    and the kept one before it, by default a newline.
    """
    parts: list[str] = []
    missing, position = 0, 0
    previous: int | None = None
    for number in sorted(kept):
        gap = sum(sizes[position:number])
        if gap:
            parts.append(("\n" if parts else "") + gap_line(gap, noun))
            missing += gap
            previous = None
        if parts:
            parts.append(before(number, previous) if before else "\n")
        parts.append(kept[number])
        previous, position = number, number + 1
    gap = sum(sizes[position:])
    if gap:
        parts.append(("\n" if parts else "") + gap_line(gap, noun))
    return "".join(parts), missing + gap


def gap_line(count: int, noun: str) -> str:
    """The marker for `count` pieces that were left out."""
    return f"… {counted(count, noun)}"


def counted(count: int, noun: str) -> str:
    """`count` with its noun in singular or plural."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("ry") else f"{count:,} {noun}s"
