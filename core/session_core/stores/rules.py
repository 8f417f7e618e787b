"""Decisions shared by all stores, as pure functions: numbering, states, leases, digests, refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from secrets import token_hex

from session_core.admission import MAX_BATCH_BYTES, MAX_LABEL_CHARACTERS, require_storable
from session_core.errors import DuplicateMessage, InputError, MessageTooLarge
from session_core.plan import Digest
from session_core.ports import Lease, Marks, MessageList, Plain, Standing, State
from session_core.ranges import Ranges
from session_core.sealed import without_keys
from session_core.serial.codec import body_digest
from session_core.stores.refusals import (
    checkpoint_moved_on,
    duplicate_message,
    orphan_result,
    other_digest,
    other_version,
    session_gone,
    turn_lost,
)
from session_core.turns import Key, Message, Role

Known = Callable[[str], dict[bytes, int]]
"""For a message id: the content digests that the record has for it, each with its sequence number."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """The result of numbering a batch: a number for each message, what is new, and what replaces what."""

    seqs: tuple[int, ...]
    new: tuple[tuple[Message, bytes], ...]
    replaced: tuple[tuple[int, int], ...]
    alike: tuple[frozenset[int], ...] = ()
    """For each message, all numbers that the record has for its id."""
    again: tuple[int, ...] = ()
    """Numbers of known messages that had left the conversation and come back to it."""

    @property
    def tokens(self) -> int:
        """The size of the new messages."""
        return sum(message.tokens for message, _ in self.new)


def number(
    key: Key,
    messages: Sequence[Message],
    *,
    next_seq: int,
    known: Known,
    head: Ranges,
    revise: bool,
    lineage: Ranges = Ranges(),
) -> Numbered:
    """Give each message its sequence number; one whose id and content are known keeps its own.

    A clip of a known message counts as that message, so that a shortened rendition that a framework returns never
    replaces the original; of several versions it counts as the one in `lineage`. Without `revise`, what has left the
    `head` comes back (`_coming_back`). Raises: DuplicateMessage without `revise` if the head has an id with other
    content, or the batch has it twice.
    """
    seen: dict[str, dict[bytes, int]] = {}
    left: set[str] = set()
    seqs: list[int] = []
    new: list[tuple[Message, bytes]] = []
    replaced: list[tuple[int, int]] = []
    alike: list[frozenset[int]] = []
    for message in messages:
        digest = body_digest(message)
        first = message.id not in seen
        under_id = seen.setdefault(message.id, known(message.id))
        if first and under_id and not revise and not any(seq in head for seq in under_id.values()):
            left.add(message.id)
        if digest in under_id or (under_id and message.rendition != "whole"):
            alike.append(frozenset(under_id.values()))
            seqs.append(under_id.get(digest) or version_in(under_id.values(), lineage))
            continue
        if under_id and not revise and not (first and message.id in left):
            raise duplicate_message(key, message.id)
        seq = next_seq + len(new)
        replaced.extend((old, seq) for old in under_id.values())
        under_id[digest] = seq
        alike.append(frozenset(under_id.values()))
        seqs.append(seq)
        new.append((replace(message, seq=seq), digest))
    again = _coming_back(messages, seqs, alike, left, next_seq) if left else ()
    return Numbered(tuple(seqs), tuple(new), tuple(replaced), tuple(alike), again)


def _coming_back(
    messages: Sequence[Message], seqs: Sequence[int], alike: Sequence[frozenset[int]], left: Set[str], next_seq: int
) -> tuple[int, ...]:
    """The numbers of known messages whose ids `left` the conversation, and that come back to it.

    None, if a question among them comes together with a new one: that is what an agent with a memory of its own gives,
    of which only the new part is said now. Of the versions of one id in a batch the new one comes back, or the first.
    """
    given = list(zip(messages, seqs, alike, strict=True))
    back: dict[str, tuple[Message, int]] = {}
    for message, seq, every in given:
        if message.id in left and max(every) < next_seq:
            back.setdefault(message.id, (message, seq))
    asks_again = any(m.role is Role.USER for m, _ in back.values())
    if asks_again and any(m.role is Role.USER and seq >= next_seq for m, seq, _ in given):
        return ()
    return tuple(seq for _, seq in back.values())


def require_values(
    key: Key, values: Iterable[Plain | MessageList | None], *, author_characters: int = MAX_LABEL_CHARACTERS
) -> None:
    """As `require_storable`, for the contents of a checkpoint or its writes."""
    given = list(values)
    items = (item for value in given if isinstance(value, MessageList) for item in value.items)
    messages = [item for item in items if not isinstance(item, Ranges)]
    require_storable(key, messages, author_characters=author_characters)
    size = sum(len(value.data) for value in given if isinstance(value, Plain))
    if size > MAX_BATCH_BYTES:
        raise MessageTooLarge(
            f"session {key}: a checkpoint's values have {size:,} bytes, the limit is {MAX_BATCH_BYTES:,}; keep large "
            "data elsewhere, with a reference in the graph's state"
        )


def version_in(seqs: Iterable[int], lineage: Ranges) -> int:
    """Of the versions of one message the newest in `lineage`, or the newest of all; 0 for none."""
    found = sorted(seqs)
    return next((seq for seq in reversed(found) if seq in lineage), found[-1] if found else 0)


def best_holders(holding: Iterable[Sequence[int]], *, most: int) -> list[int]:
    """At most `most` numbers of messages or bodies, given those that hold each word of a search: those with rarer words
    first, of equal ones the newest."""
    worth: dict[int, float] = {}
    for held in holding:
        for one in held:
            worth[one] = worth.get(one, 0.0) + 1.0 / len(held)
    return sorted(worth, key=lambda one: (-worth[one], -one))[:most]


def require_version(state: State, expected: int | None) -> None:
    """Raises: Conflict if the session is not at version `expected`."""
    if not is_at(state, expected):
        raise other_version(state.key, state.version, expected)


def is_at(state: State, expected: int | None) -> bool:
    """Whether the session is at version `expected`; None is any."""
    return expected is None or state.version == expected


def numbered_at(state: State, expected: int | None, numbered: Callable[[], Numbered]) -> Numbered:
    """The result of `numbered` for an append to version `expected`. Raises: as that does; Conflict if the session is at
    another version, unless all messages are stored: then this is a repetition of the call that stored them."""
    if is_at(state, expected):
        return numbered()
    try:
        outcome = numbered()
    except DuplicateMessage:
        raise other_version(state.key, state.version, expected) from None
    if outcome.new or outcome.again:
        raise other_version(state.key, state.version, expected)
    return outcome


def sealed_by(state: State, seal: bool | None) -> State:
    """The state after a write of sealed or clear messages (None: no message). Raises: StoreUnreadable for clear
    messages in a sealed session."""
    if state.sealed and seal is False:
        raise without_keys(state.key)
    return replace(state, sealed=True) if seal and not state.sealed else state


def lease_over(taken_s: float, ttl_s: float, now_s: float) -> bool:
    """Whether a lease has expired; also if the clock went back before its start."""
    return not taken_s <= now_s < taken_s + ttl_s


def require_own_lease(key: Key, lease: Lease | None, *, of_any_namespace: bool = False) -> None:
    """Raises: InputError if the `lease` of a write is one of another session."""
    if lease is not None and lease.key != (replace(key, namespace=lease.key.namespace) if of_any_namespace else key):
        raise InputError(f"session {key}: the lease belongs to session {lease.key}; take one of this session")


def require_lease(key: Key, lease: Lease | None, token: int | None, *, of_any_namespace: bool = False) -> None:
    """Raises: TurnLost if the `lease` of a write does not have the session's `token` (None: it has none)."""
    require_own_lease(key, lease, of_any_namespace=of_any_namespace)
    if lease is not None and lease.token != token:
        raise turn_lost(key, lease)


def require_born(state: State, born: str | None) -> None:
    """Raises: Conflict if the session is not the one with `born` (it was deleted, and maybe recreated)."""
    if born is not None and state.born != born:
        raise session_gone(state.key)


def last_named(values: Iterable[Plain | MessageList | None]) -> int:
    """The highest number by which the lists among `values` name messages of the record; 0 for none."""
    items = (item for value in values if isinstance(value, MessageList) for item in value.items)
    return max((last for item in items if isinstance(item, Ranges) for _, last in item.pairs), default=0)


def has_named(state: State, born: str | None, values: Iterable[Plain | MessageList | None]) -> bool:
    """Whether the session is the one with `born` (None: any), and has all messages that `values` name."""
    return born is None or (state.born == born and last_named(values) <= state.ledger.messages)


def require_named(state: State, born: str | None, values: Iterable[Plain | MessageList | None]) -> None:
    """Raises: Conflict if the session is not the one with `born`, or has not all messages that `values` name: then its
    server lost some, as after a failover to a replica that was behind."""
    if not has_named(state, born, values):
        raise session_gone(state.key)


def require_parent(key: Key, parent_id: str | None, newest_id: str | None, *, stored: bool) -> None:
    """Raises: Conflict if a checkpoint that must follow its parent finds a newer one, and is not `stored` itself by an
    earlier try of the same call."""
    if parent_id != newest_id and not stored:
        raise checkpoint_moved_on(key, newest_id)


def require_calls(state: State, outcome: Numbered) -> None:
    """Raises: OrphanToolResult if a new result answers no open call."""
    waiting = set(state.ledger.open_calls)
    for message, _ in outcome.new:
        if message.role is Role.TOOL and message.tool_call_id not in waiting:
            raise orphan_result(state.key, message.tool_call_id)
        waiting.discard(message.tool_call_id or "")
        waiting |= {call.id for call in message.tool_calls}


def begun(key: Key) -> State:
    """The state of a new session, distinguished from an older one of the same name by `born`, which is secret."""
    return State(key, born=token_hex(16))


def require_newest(state: State, expected: int, born: str | None) -> None:
    """Raises: Conflict if digest `expected` is no longer the newest, or if the session is not the one with `born`
    (it was deleted and recreated)."""
    require_born(state, born)
    if state.ready.number != expected:
        raise other_digest(state.key, state.ready.number, expected)


def grow_state(state: State, outcome: Numbered, head: Ranges | None = None) -> State:
    """The state after the new messages of `outcome`, with `head`, or with the old head extended by them.

    A batch that begins a turn makes the newest digest active; so a view never changes in the middle of a turn.
    """
    fresh = [message for message, _ in outcome.new]
    if head is None:
        head = _extend_head(state.head, outcome)
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
    """The state with another head; a change creates a new version."""
    return state if head == state.head else replace(state, head=head, version=state.version + 1)


def _extend_head(head: Ranges, outcome: Numbered) -> Ranges:
    instead = dict(outcome.replaced)
    fresh = [message.seq for message, _ in outcome.new]
    if outcome.again:
        behind = {*fresh, *outcome.again}
        return head.plus(Ranges.of(seq for seq in dict.fromkeys(outcome.seqs) if seq in behind))
    if not instead:
        return head.plus(Ranges.of(fresh))
    taken = {new for old, new in outcome.replaced if old in head}
    kept = [instead.get(seq, seq) for seq in head]
    return Ranges.of([*dict.fromkeys(kept), *(seq for seq in fresh if seq not in taken)])


def outlived(number: int, newest: int, active: int) -> bool:
    """Whether digest `number` may be removed for number `newest`; one that views use or will use may not.

    It stays while fewer than twice as many came after it as the largest power of two in its number. So two remain
    for each doubling of the distance, and a fork finds one not much older than it needs.
    """
    return number < active and newest - number >= 2 * (number & -number)


def digest_for(newest_first: Iterable[Digest], lineage: Ranges) -> Digest | None:
    """The newest digest that covers a beginning of `lineage`; later ones are not read."""
    return next((digest for digest in newest_first if lineage.after(digest.covers) is not None), None)


def apply_marks(state: State, marks: Marks) -> State:
    """The state with the changes of `marks`."""
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
    """The figures of a digest for the state."""
    return Standing(digest.number, digest.tokens, digest.covered_tokens, digest.covered_messages)
