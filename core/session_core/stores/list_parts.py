"""Maps a message list of a checkpoint to a part of the record, and computes the new head; pure, like `rules`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from session_core.ports import MessageList, State, Version
from session_core.ranges import Ranges
from session_core.stores.intervals import Intervals
from session_core.stores.rules import Numbered, grow_state, with_head
from session_core.turns import Message, Role


@dataclass(frozen=True, slots=True)
class Before:
    """A channel at a checkpoint's parent: its version, and its part of the record."""

    version: Version | None = None
    part: Ranges = Ranges()


def store_list(
    state: State, value: MessageList, outcome: Numbered, before: Before, *, is_head: bool, merge: bool
) -> tuple[State, Ranges]:
    """The state after the new messages of a list were stored (`outcome`), and the list's part of the record.

    The conversation's own list (`is_head`) becomes the head; with `merge` together with what others appended.
    """
    state = grow_state(state, outcome, state.head)
    part = part_of(value, outcome, before, is_head=is_head)
    if not is_head:
        return state, part
    if not merge:
        return with_head(state, part), part
    head = head_after(state.head, part, before.part, value.base, answering=_is_answering(value, outcome))
    return with_head(state, head), part


def part_of(value: MessageList, outcome: Numbered, before: Before, *, is_head: bool) -> Ranges:
    """The part of the record for a stored message list.

    The conversation's own list (`is_head`) has no duplicates and keeps the order of its base, since a view reorders
    messages (system messages first, results after their calls). Other lists are taken as they are.
    """
    versions = dict(zip(outcome.seqs, outcome.alike, strict=True))
    ranges = [item for item in value.items if isinstance(item, Ranges)]
    pieces = Intervals([*ranges, value.base, value.hidden, before.part], [*versions, *chain(*versions.values())])
    numbers = iter(outcome.seqs)
    listed: list[int] = []
    for item in value.items:
        listed.extend(pieces.of(item) if isinstance(item, Ranges) else [next(numbers)])
    if not is_head:
        return pieces.whole(listed)
    newer = _newer_versions(value, versions)
    listed = list(dict.fromkeys(newer.get(seq, seq) for seq in listed))
    hidden = set(pieces.of(value.hidden))
    if _has_stored_before(value, before):
        hidden &= set(pieces.of(before.part))
    return pieces.whole(_in_order(listed, versions, pieces.of(base_of(value, before)), hidden))


def base_of(value: MessageList, before: Before) -> Ranges:
    """The part of the record that a list is compared with: what its run stored last, or what the run started with."""
    return before.part if _has_stored_before(value, before) or not value.base else value.base


def _has_stored_before(value: MessageList, before: Before) -> bool:
    """Whether the run has stored a list before; then its earlier removals are final."""
    return bool(before.part) and value.base_version is not None and value.base_version != before.version


def _newer_versions(value: MessageList, versions: dict[int, frozenset[int]]) -> dict[int, int]:
    """For messages that the list has both in a range and as a new version: the old number and the new one."""
    ranged = [item for item in value.items if isinstance(item, Ranges)]
    return {
        old: seq
        for seq, alike in versions.items()
        for old in alike
        if old not in versions and any(old in item for item in ranged)
    }


def _in_order(
    listed: Sequence[int], versions: dict[int, frozenset[int]], base: Sequence[int], hidden: set[int]
) -> list[int]:
    """What remains of `base` in its order, with new versions in place of old ones, and the rest where the list has
    it: after its neighbour, or at the end. Of one message only the listed version is kept."""
    old = set(base)
    if not old.intersection(listed) and not any(old & alike for alike in versions.values()):
        hidden = set()
    instead: dict[int, int] = {}
    gone: set[int] = set()
    for seq, alike in versions.items():
        others = alike.difference(versions)
        gone |= others
        if seq not in old and (replaced := others & old):
            instead[min(replaced)] = seq
    shown = {*listed, *hidden}
    kept = [instead.get(seq, seq) for seq in base if seq in instead or (seq not in gone and seq in shown)]
    placed = set(kept)
    # New versions of folded messages are at the end of a list, whatever their neighbours are.
    last = max((i for i, seq in enumerate(listed) if seq in placed and seq in old), default=-1)
    anchor: int | None = None
    for seq in listed[: last + 1]:
        if seq not in placed and seq not in gone:
            kept.insert(kept.index(anchor) + 1 if anchor is not None else 0, seq)
        anchor = seq if seq not in gone else anchor
    return [*kept, *(seq for seq in listed[last + 1 :] if seq not in gone and seq not in placed)]


def _is_answering(value: MessageList, outcome: Numbered) -> bool:
    """Whether the first message that a run added is a tool result, which belongs to the call before it."""
    messages = (item for item in value.items if isinstance(item, Message))
    added = (message.role for message, seq in zip(messages, outcome.seqs, strict=True) if seq not in value.base)
    return next(added, None) is Role.TOOL


def head_after(head: Ranges, part: Ranges, before: Ranges, base: Ranges, *, answering: bool = False) -> Ranges:
    """The head after a run stored `part`, when `before` was its previous part and it had started with `base`.

    Messages that others appended meanwhile (in the head, but never in the run) stay, each after its predecessor in
    the head: a turn that was unfinished when the run started continues before the run's own. They never come between
    messages that the run added, nor before the first of them if the run starts by `answering` an open call.
    """
    others = head.minus(base).minus(before).minus(part)
    if not others:
        return part
    pieces = Intervals([head, part, base, others], ())
    mine, begun = pieces.of(part), set(pieces.of(base))
    waiting = deque(_behind(pieces.of(head), set(mine), set(pieces.of(others))))
    placed: set[int | None] = {None}
    out: list[int] = []
    for piece, follower in zip_longest([None, *mine], mine):
        if piece is not None:
            out.append(piece)
            placed.add(piece)
        if follower is None or follower in begun or piece is None or (piece in begun and not answering):
            while waiting and waiting[0][0] in placed:
                out.append(waiting.popleft()[1])
    return pieces.whole(out)


def _behind(head: Sequence[int], mine: set[int], theirs: set[int]) -> Iterator[tuple[int | None, int]]:
    """Each of their intervals in the head, with my interval that precedes it (None: the beginning)."""
    anchor: int | None = None
    for piece in head:
        if piece in theirs:
            yield anchor, piece
        elif piece in mine:
            anchor = piece
