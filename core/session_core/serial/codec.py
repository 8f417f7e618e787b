"""The stored bytes of messages, digests, ledgers and notices: versioned, and compressed where that helps."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from hashlib import blake2b
from typing import Any, TypedDict, Unpack

from zstandard import ZstdError

from session_core.errors import StoreUnreadable
from session_core.events import Notice
from session_core.ledger import Ledger
from session_core.plan import Digest, Fact, FactKind
from session_core.ranges import Ranges
from session_core.serial.cache import BoundedCache
from session_core.serial.compression import SHORT_TO_BYTES, compress, compress_short, decompress, decompress_short
from session_core.serial.exact import Damaged, Exact, damage, mapping, pad, trim
from session_core.turns import Importance, Media, Message, Native, Role, ToolCall

PLAIN, COMPRESSED, SHORT = b"\x01", b"\x02", b"\x03"
"""The first byte of all stored data: plain msgpack, or compressed as a long or a short text."""

COMPRESSED_FROM_BYTES = 100
"""Shorter data is not compressed."""
BODY_FIELDS = 9
DIGEST_BYTES = 16

_exact = Exact()
_DAMAGE = (ValueError, TypeError, KeyError, IndexError, AttributeError, ZstdError, struct.error)


def pack(value: object) -> bytes:
    """Plain data in the store's envelope. Raises: InputError if it is not plain data."""
    return wrap(_exact.encode(value))


def unpack(data: bytes) -> object:
    """The inverse of `pack`. Raises: StoreUnreadable."""
    try:
        return _exact.decode(_unwrap(data))
    except _DAMAGE as exc:
        raise _unreadable("a stored value", exc) from None


def encode_body(message: Message) -> bytes:
    """The content of `message` in the store's envelope; id, sequence number, tokens and author are columns beside
    it."""
    return wrap(_exact.encode(_body(message)))


def packed_body(message: Message) -> tuple[bytes, bytes]:
    """The packed content of a message and its `body_digest`, faster than computing both."""
    body = data = _exact.encode(_body(message))
    if message.native is not None and message.native.note:
        data = _exact.encode(_body(message, note=False))
    return body, _digest(data)


class Columns(TypedDict, total=False):
    """What a store keeps beside a message's body, named as in `Message`."""

    id: str
    seq: int
    time_s: float | None
    tokens: int
    author: str | None
    importance: Importance
    clip: str | None
    clip_tokens: int


def decode_body(data: bytes, **columns: Unpack[Columns]) -> Message:
    """The message with the body `data` and these columns. Raises: StoreUnreadable."""
    try:
        role, content, calls, call_id, name, media, native, aside, note = pad(_exact.decode(_unwrap(data)), BODY_FIELDS)
        return Message(
            _ROLES[role],
            content or "",
            tool_calls=tuple(ToolCall(*call) for call in calls or ()),
            tool_call_id=call_id,
            name=name,
            media=tuple(Media(*part) for part in media or ()),
            aside=aside or "",
            native=Native(native[0], native[1], note or b"") if native else None,
            **columns,
        )
    except _DAMAGE as exc:
        raise _unreadable(f"message {columns.get('id') or columns.get('seq') or ''}".strip(), exc) from None


def body_digest(message: Message) -> bytes:
    """16 bytes that are equal for messages with equal content, whatever their ids."""
    return message.content_hash(_digest_of)


def _digest_of(message: Message) -> bytes:
    return _digest(_exact.encode(_body(message, note=False)))


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=DIGEST_BYTES).digest()


_FACT_FIELDS = tuple(field.name for field in fields(Fact))
_FACT_KINDS = {kind.value: kind for kind in FactKind}
LETTERS = {Role.SYSTEM: "s", Role.USER: "u", Role.ASSISTANT: "a", Role.TOOL: "t"}
_ROLES = {letter: role for role, letter in LETTERS.items()}


def _body(message: Message, *, note: bool = True) -> list[object]:
    native = message.native
    text_alone = native is None and message.tool_call_id is None and message.name is None
    if text_alone and not (message.tool_calls or message.media or message.aside):
        return [LETTERS[message.role], message.content] if message.content else [LETTERS[message.role]]
    return trim(
        [
            LETTERS[message.role],
            message.content or None,
            [[call.id, call.name, call.arguments] for call in message.tool_calls] or None,
            message.tool_call_id,
            message.name,
            [trim([part.kind, part.data, part.mime]) for part in message.media] or None,
            [native.format, native.data] if native else None,
            message.aside or None,
            native.note or None if native and note else None,
        ]
    )


def wrap(packed: bytes) -> bytes:
    """Packed data in the store's envelope."""
    if COMPRESSED_FROM_BYTES < len(packed) <= SHORT_TO_BYTES:
        smaller = compress_short(packed)
        if len(smaller) < len(packed):
            return SHORT + smaller
    elif len(packed) > SHORT_TO_BYTES:
        smaller = compress(packed)
        if len(smaller) < len(packed):
            return COMPRESSED + smaller
    return PLAIN + packed


def _unwrap(data: bytes) -> bytes:
    version, rest = bytes(data[:1]), bytes(data[1:])
    if version == PLAIN:
        return rest
    if version == SHORT:
        return decompress_short(rest)
    if version == COMPRESSED:
        return decompress(rest)
    raise Damaged(f"unknown format {version.hex() or 'of no bytes'}")


@contextmanager
def reading(what: str) -> Iterator[None]:
    """A context that raises StoreUnreadable for `what` if its data is malformed."""
    try:
        yield
    except _DAMAGE as exc:
        raise _unreadable(what, exc) from None


def _unreadable(what: str, exc: Exception) -> StoreUnreadable:
    """The error for damaged data. The decoder's own error is not its cause, since it may quote content."""
    return StoreUnreadable(
        f"{what} cannot be read ({damage(exc)}); it is damaged, not ours, or was written by a newer release: "
        "update llm-sessions, or restore it from a backup"
    )


def digest_to_plain(digest: Digest) -> dict[str, object]:
    """`digest` as plain data."""
    plain = _fields(digest)
    parts = {"covers": _pairs(digest.covers), "pinned": _pairs(digest.pinned)}
    return {**plain, **parts, "facts": [_fact_fields(fact) for fact in digest.facts]}


_digests: BoundedCache[Digest] = BoundedCache(2_000_000)


def encode_digest(digest: Digest) -> bytes:
    """`digest` for a store.

    Reading these bytes in this process returns the same object, whose lines are cached and which shares its facts
    with the digest before.
    """
    data = pack(digest_to_plain(digest))
    _digests.get(data, lambda: digest, size=len(data))
    return data


def decode_digest(data: bytes) -> Digest:
    """The inverse of `encode_digest`; usually the same object for the same bytes. Raises: StoreUnreadable."""
    return _digests.get(data, lambda: digest_from_plain(unpack(data)), size=len(data))


def digest_from_plain(plain: object) -> Digest:
    """The inverse of `digest_to_plain`. Raises: StoreUnreadable."""
    try:
        found = dict(mapping(plain))
        facts = tuple(map(_fact, found.pop("facts")))
        covers, pinned = (Ranges.from_pairs(found.pop(name)) for name in ("covers", "pinned"))
        return Digest(covers=covers, pinned=pinned, facts=facts, **found)
    except _DAMAGE as exc:
        raise _unreadable("a digest", exc) from None


def _fact(plain: Mapping[str, Any]) -> Fact:
    said = dict(plain)
    return Fact(_FACT_KINDS[said.pop("kind")], said.pop("text"), **said)


def ledger_to_plain(ledger: Ledger) -> dict[str, object]:
    """`ledger` as plain data."""
    return {**_fields(ledger), "open_calls": list(ledger.open_calls), "authors": list(ledger.authors)}


def ledger_from_plain(plain: object) -> Ledger:
    """The inverse of `ledger_to_plain`. Raises: StoreUnreadable."""
    try:
        found = dict(mapping(plain))
        found |= {name: tuple(found[name]) for name in ("open_calls", "authors")}
        return Ledger(**found)
    except _DAMAGE as exc:
        raise _unreadable("a ledger", exc) from None


def notice_to_plain(notice: Notice) -> dict[str, object]:
    """`notice` as plain data."""
    return _fields(notice)


def notice_from_plain(plain: object) -> Notice:
    """The inverse of `notice_to_plain`. Raises: StoreUnreadable."""
    try:
        return Notice(**mapping(plain))
    except _DAMAGE as exc:
        raise _unreadable("a notice", exc) from None


def _fields(value: Digest | Fact | Ledger | Notice) -> dict[str, object]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _fact_fields(fact: Fact) -> dict[str, object]:
    """The fields of `fact` that differ from their defaults."""
    said = {name: value for name in _FACT_FIELDS if (value := getattr(fact, name)) is not None}
    return {**said, "kind": fact.kind.value}


def _pairs(ranges: Ranges) -> list[list[int]]:
    return [list(pair) for pair in ranges.pairs]
