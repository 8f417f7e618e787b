"""What the cache keeps of a session: the input of a view as bytes, and how an append extends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from session_core.errors import StoreUnreadable
from session_core.ports import Appended, Loaded, MessageList, Plain, State
from session_core.ranges import Ranges
from session_core.serial.cache import MESSAGE_BYTES, BoundedCache
from session_core.serial.codec import (
    decode_body,
    decode_digest,
    encode_body,
    encode_digest,
    pack,
    unpack,
)
from session_core.stores.cache import Entry
from session_core.stores.plain_state import state_from_plain, state_to_plain
from session_core.turns import Importance, Key, Message

FORMAT = 1
_messages: BoundedCache[Message] = BoundedCache(8_000_000, each=MESSAGE_BYTES)
_DAMAGE = (ValueError, TypeError, KeyError, IndexError, AttributeError)


@dataclass(frozen=True, slots=True)
class Head:
    """The state and the packed digest, with the size of the messages after it but without themselves."""

    state: State
    digest: bytes | None
    message_bytes: int

    def packed(self) -> bytes:
        return pack([FORMAT, self.state.version, state_to_plain(self.state), self.digest, self.message_bytes])

    def continues_in(self, state: State, *, new: int, steps: int) -> bool:
        """Whether `state` follows from this head by a write that adds `new` messages and raises the version by at
        most `steps`. Otherwise there was a write in between that the hot side does not know of."""
        old = self.state
        return (
            state.born == old.born
            and state.ledger.messages == old.ledger.messages + new
            and old.version <= state.version <= old.version + steps
        )


Grown = tuple[Head, tuple[bytes, ...]]
"""The head after a write, and the messages that it appended."""


def head_from(data: bytes, key: Key) -> Head:
    """The unpacked head. Raises: StoreUnreadable, also for another release's."""
    try:
        found, version, state, digest, message_bytes = cast("list[Any]", unpack(data))
        if found != FORMAT:
            raise ValueError(f"format {found}")
        return Head(state_from_plain(state, key=key, version=int(version)), digest, int(message_bytes))
    except _DAMAGE:
        raise StoreUnreadable(f"session {key}: the hot side holds what this release does not read") from None


def entry_of(loaded: Loaded) -> Entry:
    """`loaded` as an entry of the hot side."""
    messages = packed_messages(loaded.messages)
    digest = None if loaded.digest is None else encode_digest(loaded.digest)
    return Entry(Head(loaded.state, digest, sum(map(len, messages))).packed(), messages)


def loaded_from(entry: Entry, key: Key) -> Loaded:
    """The inverse of `entry_of`. Raises: StoreUnreadable."""
    head = head_from(entry.head, key)
    digest = None if head.digest is None else decode_digest(head.digest)
    return Loaded(head.state, digest, tuple(map(_message, entry.messages)))


def loaded_if_readable(entry: Entry, key: Key) -> Loaded | None:
    """As `loaded_from`; None if it cannot be read."""
    try:
        return loaded_from(entry, key)
    except StoreUnreadable:
        return None


def packed_messages(messages: Sequence[Message]) -> tuple[bytes, ...]:
    """Each message as a separate item, so that others can be appended."""
    return tuple(_packed(message) for message in messages)


def extend_head(head: Head, messages: Sequence[Message], done: Appended) -> Grown | None:
    """The head after `messages` were appended with the result `done`, and those that are new to it.

    None if the projection cannot be extended by appending: the head changed in another way, another digest is
    active, or there were writes in between that the hot side does not know of (then the figures do not match, or the
    session is another of the same name).
    """
    last = head.state.ledger.messages
    fresh = {seq: message for message, seq in zip(messages, done.seqs, strict=True) if seq > last}
    grew = Ranges.span(last + 1, last + done.new)
    state = done.state
    adds_up = (
        state.born == head.state.born
        and list(fresh) == list(grew)
        and state.ledger.messages == last + done.new
        and state.head == head.state.head.plus(grew)
        and state.active == head.state.active
    )
    if not adds_up:
        return None
    more = packed_messages([replace(message, seq=seq) for seq, message in fresh.items()])
    return Head(state, head.digest, head.message_bytes + sum(map(len, more))), more


def extend_head_by_checkpoint(
    head: Head, values: Mapping[str, Plain | MessageList | None], head_channel: str | None, done: Appended
) -> Grown | None:
    """As `extend_head`, for messages of a checkpoint, if all of them are new, or none."""
    lists = {channel: value for channel, value in values.items() if isinstance(value, MessageList)}
    brought = [item for value in lists.values() for item in value.items if isinstance(item, Message)]
    if not done.new:
        brought = []
    elif len(brought) != done.new or set(lists) != {head_channel}:
        return None
    last = head.state.ledger.messages
    return extend_head(head, brought, replace(done, seqs=tuple(range(last + 1, last + 1 + len(brought)))))


def update_head(head: Head, state: State) -> Grown | None:
    """The head with `state`, if the messages and the digest of a view are unchanged."""
    old = head.state
    same = (state.born, state.head, state.ledger, state.active) == (old.born, old.head, old.ledger, old.active)
    return (replace(head, state=state), ()) if same else None


def _packed(message: Message) -> bytes:
    columns = pack(
        [
            message.id,
            message.seq,
            message.time_s,
            message.tokens,
            message.author,
            message.importance.value,
            message.clip,
            message.clip_tokens,
        ]
    )
    return len(columns).to_bytes(4, "big") + columns + encode_body(message)


def _message(data: bytes) -> Message:
    return _messages.get(data, partial(_read, data), size=len(data))


def _read(data: bytes) -> Message:
    end = 4 + int.from_bytes(data[:4], "big")
    try:
        message_id, seq, time_s, tokens, author, importance, clip, clip_tokens = cast("list[Any]", unpack(data[4:end]))
        return decode_body(
            data[end:],
            id=message_id,
            seq=seq,
            time_s=time_s,
            tokens=tokens,
            author=author,
            importance=Importance(importance),
            clip=clip,
            clip_tokens=clip_tokens,
        )
    except _DAMAGE:
        raise StoreUnreadable("the hot side holds a message that this release does not read") from None
