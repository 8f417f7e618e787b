"""Applies the shared rules to a message list of a checkpoint, on data read from the session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from session_core.ports import Checkpoint, MessageList, Plain, State
from session_core.ranges import Ranges
from session_core.stores.list_parts import Before, base_of, store_list
from session_core.stores.postgres.connections import Row
from session_core.stores.postgres.rows import (
    flat,
    id_hash,
    id_in,
    id_out,
    maybe_in,
    ranges,
    text_in,
    text_out,
    version_out,
)
from session_core.stores.postgres.states import state_from
from session_core.stores.rules import begun, number
from session_core.turns import Key, Message

Values = Mapping[str, Plain | MessageList | None]


def read_parent_args(checkpoint: Checkpoint, new_values: Values) -> tuple[object, ...]:
    """The arguments of `read_parent` after the names of the session."""
    lists = {channel: value for channel, value in new_values.items() if isinstance(value, MessageList)}
    ids = list({id_in(item.id) for value in lists.values() for item in value.items if isinstance(item, Message)})
    return (
        maybe_in(checkpoint.parent_id),
        [text_in(channel) for channel in lists],
        ids,
        [id_hash(kept_id) for kept_id in ids],
    )


@dataclass(frozen=True, slots=True)
class ParentState:
    """A session as `read_parent` returned it; `read` and `born` identify that state."""

    state: State
    read: tuple[int, int, int]
    born: str | None
    before: Mapping[str, Before]
    known: Mapping[str, Mapping[bytes, int]]

    @classmethod
    def of(cls, key: Key, rows: Sequence[Row]) -> ParentState:
        if not rows:
            return cls(begun(key), (0, 0, 0), None, {}, {})
        row = rows[0][0]
        before: dict[str, Before] = {}
        known: dict[str, dict[bytes, int]] = {}
        for _, name, version, part, kept_id, digest, seq in rows[1:]:
            if version is not None:
                before[text_out(name)] = Before(version_out(version), ranges(part))
            else:
                known.setdefault(id_out(kept_id), {})[digest.bytes] = seq
        return cls(state_from(row), (row["version"], row["messages"], row["values_kept"]), row["born"], before, known)


@dataclass(frozen=True, slots=True)
class CheckpointPlan:
    """What a checkpoint adds to the session: its new messages, and the part of each list. `known` is what the record
    has of these messages afterwards."""

    seen: ParentState
    state: State
    new: tuple[Message, ...]
    parts: Mapping[str, Ranges]
    known: Mapping[str, Mapping[bytes, int]]

    @classmethod
    def make(cls, seen: ParentState, new_values: Values, *, head_channel: str | None, merge: bool) -> CheckpointPlan:
        state = seen.state
        known = {message_id: dict(versions) for message_id, versions in seen.known.items()}
        new: list[Message] = []
        parts: dict[str, Ranges] = {}
        for channel, value in new_values.items():
            if not isinstance(value, MessageList):
                continue
            before = seen.before.get(channel, Before())
            outcome = number(
                state.key,
                [item for item in value.items if isinstance(item, Message)],
                next_seq=state.ledger.messages + 1,
                known=lambda message_id: dict(known.get(message_id, {})),
                head=state.head,
                revise=True,
                lineage=base_of(value, before),
            )
            for message, digest in outcome.new:
                known.setdefault(message.id, {})[digest] = message.seq
                new.append(message)
            is_head = channel == head_channel
            state, parts[channel] = store_list(state, value, outcome, before, is_head=is_head, merge=merge)
        return cls(seen, state, tuple(new), parts, known)

    @property
    def revises(self) -> bool:
        """Whether a new message is another version of an existing one."""
        return any(message.id in self.seen.known for message in self.new)

    @property
    def values(self) -> tuple[object, ...]:
        """The last arguments of `put_checkpoint`: what was read, and the session's new state."""
        return list(self.seen.read), self.seen.born, self.state.version, flat(self.state.head)
