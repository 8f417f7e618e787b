"""What every store decides the same way, without touching its data: numbering, heads, digests, write keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from session_core.errors import Conflict, DuplicateMessage, OrphanToolResult
from session_core.plan import Digest
from session_core.ports import Marks, MessageList, Standing, State
from session_core.ranges import Ranges
from session_core.serial.codec import body_digest
from session_core.turns import Key, Message, Role

Known = Callable[[str], dict[bytes, int]]
"""For a message id: the content digests that the record has under it, each with its sequence number."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """The outcome of numbering a batch: a number for each message, what is new, and what replaces what."""

    seqs: tuple[int, ...]
    new: tuple[tuple[Message, bytes], ...]
    replaced: tuple[tuple[int, int], ...]

    @property
    def tokens(self) -> int:
        """The price of what is new."""
        return sum(message.tokens for message, _ in self.new)


def number(key: Key, messages: Sequence[Message], *, next_seq: int, known: Known, revise: bool) -> Numbered:
    """Give each message its sequence number; one that is known by id and content keeps its own.

    A clip of a known message stands for that message, so that a shortened rendition that comes back
    from a framework never replaces the whole.

    Raises: DuplicateMessage when an id is known with other content and `revise` is not set.
    """
    seen: dict[str, dict[bytes, int]] = {}
    seqs: list[int] = []
    new: list[tuple[Message, bytes]] = []
    replaced: list[tuple[int, int]] = []
    for message in messages:
        digest = body_digest(message)
        under_id = seen.setdefault(message.id, known(message.id))
        if digest in under_id:
            seqs.append(under_id[digest])
            continue
        if under_id and message.rendition != "whole":
            seqs.append(max(under_id.values()))
            continue
        if under_id and not revise:
            raise DuplicateMessage(
                f"session {key}: message {message.id!r} is in the record with other content; "
                "give the new one an id of its own"
            )
        seq = next_seq + len(new)
        replaced.extend((old, seq) for old in under_id.values())
        under_id[digest] = seq
        seqs.append(seq)
        new.append((replace(message, seq=seq), digest))
    return Numbered(tuple(seqs), tuple(new), tuple(replaced))


def require_version(state: State, expected: int | None) -> None:
    """Raises: Conflict when the session is not at version `expected`."""
    if expected is not None and state.version != expected:
        raise Conflict(f"session {state.key} is at version {state.version}, not {expected}; load it again and retry")


def require_calls(state: State, outcome: Numbered) -> None:
    """Raises: OrphanToolResult when a new result answers no call that is open."""
    waiting = set(state.ledger.open_calls)
    for message, _ in outcome.new:
        if message.role is Role.TOOL and message.tool_call_id not in waiting:
            raise OrphanToolResult(
                f"session {state.key}: a tool result answers call {message.tool_call_id!r}, which is not open; "
                "append the assistant message with that call first, and each result once"
            )
        waiting.discard(message.tool_call_id or "")
        waiting |= {call.id for call in message.tool_calls}


def require_newest(state: State, expected: int) -> None:
    """Raises: Conflict when digest `expected` is not the newest one any more."""
    if state.ready.number != expected:
        raise Conflict(
            f"session {state.key} has digest {state.ready.number} by now, not {expected}; fold again on the newer one"
        )


def grown(state: State, outcome: Numbered, head: Ranges | None = None) -> State:
    """The state after the new messages of `outcome`, with `head`, or with the old head grown by them.

    A batch that begins a turn makes the newest digest the active one; so a view never changes in
    the middle of a turn.
    """
    fresh = [message for message, _ in outcome.new]
    if head is None:
        head = _grown_head(state.head, outcome)
    begins_turn = any(message.role is Role.USER for message in fresh)
    changed = bool(fresh) or head != state.head
    return replace(
        state,
        version=state.version + changed,
        head=head,
        ledger=state.ledger.plus(fresh),
        active=state.ready if begins_turn else state.active,
    )


def with_head(state: State, head: Ranges) -> State:
    """The state with another head; a change is a new version."""
    return state if head == state.head else replace(state, head=head, version=state.version + 1)


def _grown_head(head: Ranges, outcome: Numbered) -> Ranges:
    instead = dict(outcome.replaced)
    fresh = [message.seq for message, _ in outcome.new]
    if not instead:
        return head.plus(Ranges.of(fresh))
    taken = {new for old, new in outcome.replaced if old in head}
    kept = [instead.get(seq, seq) for seq in head]
    return Ranges.of([*dict.fromkeys(kept), *(seq for seq in fresh if seq not in taken)])


def digest_for(newest_first: Iterable[Digest], lineage: Ranges) -> Digest | None:
    """The newest digest that covers a beginning of `lineage`; those after it are not even read."""
    return next((digest for digest in newest_first if lineage.after(digest.covers) is not None), None)


def part_of(value: MessageList, outcome: Numbered, before: Ranges) -> Ranges:
    """The part of a record that a stored message list is: numbers and ranges in order, none twice.

    A number that one of the ranges covers stands where the range has it; a hidden one stands behind
    the last number before it. `before` is the part that the list's parent was.
    """
    numbers = iter(outcome.seqs)
    items = [item if isinstance(item, Ranges) else next(numbers) for item in value.items]
    covered = {seq for item in items if isinstance(item, Ranges) for seq in item}
    order: dict[int, None] = {}
    for item in items:
        if isinstance(item, Ranges):
            order.update(dict.fromkeys(item))
        elif item not in covered:
            order[item] = None
    seqs = list(order)
    fresh = {message.seq for message, _ in outcome.new}
    kept = any(seq not in fresh for seq in seqs)
    for seq in value.hidden:
        if kept and seq not in order and (value.first or seq in before):
            after = max((i for i, known in enumerate(seqs) if known < seq), default=-1)
            seqs.insert(after + 1, seq)
    return Ranges.of(seqs)


def head_after(head: Ranges, part: Ranges, before: Ranges, since: int | None) -> Ranges:
    """The head after a run stored `part`, when `before` was its previous part.

    What others appended while the run went on (numbers over `since` that the run never had) stays;
    the group that began first stands first, whole. With `since` None `part` replaces the head.
    """
    if since is None:
        return part
    mine = set(part) | set(before)
    others = [seq for seq in head if seq > since and seq not in mine]
    if not others:
        return part
    old = [seq for seq in part if seq <= since]
    fresh = [seq for seq in part if seq > since]
    later = [*fresh, *others] if fresh and fresh[0] < others[0] else [*others, *fresh]
    return Ranges.of([*old, *later])


def marked(state: State, marks: Marks) -> State:
    """The state with the notes of `marks`."""
    after = replace(
        state,
        tier=state.tier if marks.tier is None else marks.tier,
        resumed_after_seq=state.resumed_after_seq if marks.resumed_after_seq is None else marks.resumed_after_seq,
        absent_s=state.absent_s if marks.absent_s is None else marks.absent_s,
    )
    if marks.activate and after.active != after.ready:
        after = replace(after, active=after.ready, version=after.version + 1)
    return after if marks.head is None else with_head(after, marks.head)


def standing(digest: Digest) -> Standing:
    """The figures of a digest that the state keeps."""
    return Standing(digest.number, digest.tokens, digest.covered_tokens, digest.covered_messages)
