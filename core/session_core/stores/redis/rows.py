"""Converts messages and digests to the bytes stored in Redis and back, with the fields that Lua needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from math import inf
from struct import Struct
from typing import Any
from uuid import UUID

import ormsgpack

from session_core.errors import StoreUnreadable
from session_core.plan import Digest
from session_core.ranges import Ranges
from session_core.sealed import is_sealed
from session_core.serial.cache import MESSAGE_BYTES, BoundedCache
from session_core.serial.codec import (
    DIGEST_BYTES,
    LETTERS,
    decode_body,
    decode_digest,
    encode_digest,
    pack,
    packed_body,
    unpack,
    wrap,
)
from session_core.serial.exact import Exact, damage, pad, trim
from session_core.stores.redis.names import as_bytes, as_text, plain
from session_core.stores.redis.states import MEND, newer
from session_core.turns import Importance, Message, Role

FORMAT = 1
"""The version of a row; a greater one is from a newer release."""
_FORMAT = bytes((FORMAT,))
_LENGTH_AT = 1 + DIGEST_BYTES
_LONG = 255
_UUID = re.compile("[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ROW_FIELDS = 7
_WITH_UUID, _GIVEN = b"\xff", b"\xfe"
"""The first byte of a packed id that contains a UUID, or that was generated; UTF-8 text never begins with it."""
_GIVEN_ID = re.compile("~([0-9a-f]{16})")
_IMPORTANCE = (None, Importance.MUST_KEEP, Importance.DISCARD)
_FACTS = Struct(">cBIId")
_ROLES = {role: letter.encode() for role, letter in LETTERS.items()}
_TEXTS = frozenset((str, type(None))).__contains__
_exact = Exact()
_messages: BoundedCache[Message] = BoundedCache(8_000_000, each=MESSAGE_BYTES)
_NOTHING: tuple[list[int], list[bytes], tuple[Message, ...]] = ([], [], ())


def begin_row(message: Message) -> tuple[bytes, bytes]:
    """A row's label (format, content digest, id) and the packed body, for `finish_row`."""
    name = packed_id(message.id)
    length = bytes((len(name),)) if len(name) < _LONG else bytes((_LONG,)) + len(name).to_bytes(4, "big")
    body, digest = packed_body(message)
    return b"".join((_FORMAT, digest, length, name)), body


def finish_row(message: Message, body: bytes | None = None) -> bytes:
    """The rest of a message's row: everything except what its place implies. `body` avoids packing it again."""
    clip = pack(message.clip) if message.clip is not None else None
    importance = None if message.importance is Importance.SUMMARIZE else _IMPORTANCE.index(message.importance)
    return _exact.encode(
        trim(
            [
                wrap(packed_body(message)[0] if body is None else body),
                message.time_s,
                message.tokens,
                message.author,
                importance,
                clip,
                message.clip_tokens or None,
            ]
        )
    )


def label_of(row: bytes) -> bytes:
    """The label of a row."""
    return row[: _id_at(row)[1]]


def messages_from(rows: Sequence[bytes], seqs: Iterable[int]) -> tuple[Message, ...]:
    """The messages of `rows` with these numbers. Raises: StoreUnreadable, NewerSchema."""
    known = map(_messages.recent, rows)
    return tuple(
        [
            found if found is not None and found.seq == seq else message_from(row, seq)
            for row, seq, found in zip(rows, seqs, known, strict=False)
        ]
    )


def message_from(row: bytes, seq: int) -> Message:
    """The message of a row. Raises: StoreUnreadable, NewerSchema."""
    found = _messages.get(row, partial(_read, row, seq), size=len(row))
    return found if found.seq == seq else _messages.put(row, replace(found, seq=seq), size=len(row))


class Tails:
    """Caches the rows and messages of each session's last load, with which the next load usually begins.

    Rows are compared byte by byte, so that nothing can be outdated; that takes a fifth of looking up each. Very
    short sessions are not cached: looking them up is as fast.
    """

    def __init__(self, room_bytes: int = 8_000_000) -> None:
        self._known = BoundedCache[tuple[list[int], list[bytes], tuple[Message, ...]]](room_bytes, each=2_000)

    def messages(self, name: bytes, numbers: list[int], rows: list[bytes]) -> tuple[Message, ...]:
        """The messages of `rows` of the session `name`; `numbers` are theirs, in the form of `flat`."""
        known = self._known.known(name)
        begin, had, messages = known or _NOTHING
        if begin != numbers[:-1] or had != rows[: len(had)]:
            had, messages = [], ()
        new = rows[len(had) :]
        if new or known is None or self._known.recent(name) is not known:
            messages += messages_from(new, islice(ranges(numbers), len(had), None))
            size, more = sum(map(len, rows)), sum(map(len, new))
            self._known.put(name, (numbers[:-1], rows, messages), size=size, more=more)
        return messages

    def forget(self, name: bytes) -> None:
        """Drop the session `name`."""
        self._known.forget(name)


def cache_row(message: Message, row: bytes) -> None:
    """Cache `message` for `row`, since rows are usually read by the process that wrote them. It has no number yet.

    Only if reading the row would give an equal message: values of the types that are restored, and default values
    for what is not stored.
    """
    given = (
        message.id,
        message.content,
        message.aside,
        message.author,
        message.name,
        message.tool_call_id,
        message.clip,
    )
    recorded = message.rendition == "whole" and message.origin == "record" and not message.covers
    more = message.tool_calls or message.media or message.native
    if type(message) is Message and recorded and not more and all(map(_TEXTS, map(type, given))):
        _messages.get(row, lambda: message, size=len(row))


def _read(row: bytes, seq: int) -> Message:
    name, (body, time_s, tokens, author, importance, clip, clip_tokens) = _fields(row)
    try:
        kept = _IMPORTANCE[importance or 0] or Importance.SUMMARIZE
    except (IndexError, TypeError) as exc:
        raise StoreUnreadable(f"message number {seq} cannot be read ({damage(exc)}); {MEND}") from None
    return decode_body(
        body,
        id=name,
        seq=seq,
        time_s=time_s,
        tokens=tokens,
        author=author,
        importance=kept,
        clip=None if clip is None else str(unpack(clip)),
        clip_tokens=clip_tokens or 0,
    )


def content_of_row(row: bytes, *, id: str, author: str | None) -> Message:  # noqa: A002 - as the message's field
    """The content of a row as a message with another id or author. Raises: StoreUnreadable, NewerSchema."""
    return decode_body(_fields(row)[1][0], id=id, author=author)


def _fields(row: bytes) -> tuple[str, list[Any]]:
    try:
        if row[0] > FORMAT:
            raise newer("a message", row[0], FORMAT)
        start, end = _id_at(row)
        return unpacked_id(row[start:end]), pad(_exact.decode(row[end:]), _ROW_FIELDS)
    except (ValueError, TypeError, IndexError) as exc:
        raise StoreUnreadable(f"a message cannot be read ({damage(exc)}); {MEND}") from None


def _id_at(row: bytes) -> tuple[int, int]:
    """Start and end of the id in a row."""
    start, length = _LENGTH_AT + 1, row[_LENGTH_AT]
    if length == _LONG:
        start, length = start + 4, int.from_bytes(row[start : start + 4], "big")
    return start, start + length


def packed_id(message_id: str) -> bytes:
    """A message's id in few bytes: 9 for a generated one; a UUID in it takes 16, wherever it is. Equal ids give
    equal bytes."""
    given = _GIVEN_ID.fullmatch(message_id)
    if given is not None:
        return _GIVEN + bytes.fromhex(given.group(1))
    found = _UUID.search(message_id)
    if found is None or found.start() > 255:
        return as_bytes(message_id)
    digits = found.group()
    head = _WITH_UUID + bytes([len(digits), found.start()])
    rest = message_id[: found.start()] + message_id[found.end() :]
    return head + bytes.fromhex(digits.replace("-", "")) + as_bytes(rest)


def unpacked_id(data: bytes) -> str:
    """The inverse of `packed_id`."""
    if data[:1] == _GIVEN:
        return f"~{data[1:].hex()}"
    if data[:1] != _WITH_UUID:
        return as_text(data)
    _, length, place = data[:3]
    digits = data[3:19].hex() if length == 32 else str(UUID(bytes=data[3:19]))
    rest = as_text(data[19:])
    return rest[:place] + digits + rest[place:]


def facts(message: Message) -> bytes:
    """What the scripts must know of a message; account.lua names the indexes."""
    time_s, call_id, calls = message.time_s, message.tool_call_id, message.tool_calls
    data = _FACTS.pack(
        _ROLES[message.role],
        (message.rendition == "whole") + 2 * is_sealed(message),
        message.tokens,
        message.view_tokens,
        inf if time_s is None else time_s,
    )
    author = message.author if message.role is Role.USER else None
    if not (author or calls or call_id is not None):
        return data
    names = [plain(author) if author else None, None if call_id is None else plain(call_id)]
    return data + ormsgpack.packb([*names, [plain(call.id) for call in calls]])


def flat(part: Ranges) -> list[int]:
    """`part` in the form of the scripts."""
    return [seq for pair in part.pairs for seq in pair]


def ranges(numbers: Sequence[int]) -> Ranges:
    """The inverse of `flat`."""
    return Ranges(tuple(zip(numbers[::2], numbers[1::2], strict=True)))


def frame(head: object, rest: bytes) -> bytes:
    """An entry whose head a script reads: length of the head, head, and the rest unchanged."""
    packed = ormsgpack.packb(head)
    return len(packed).to_bytes(4, "big") + packed + rest


def unframe(entry: bytes) -> tuple[Any, bytes]:
    """The head and the rest of a framed entry; without a head, an empty list."""
    end = 4 + int.from_bytes(entry[:4], "big")
    return ormsgpack.unpackb(entry[4:end]) if end > 4 else [], entry[end:]


def digest_entry(digest: Digest) -> bytes:
    """The stored form of a digest."""
    return frame([flat(digest.covers), flat(digest.pinned)], encode_digest(digest))


def digest_from(data: bytes) -> Digest:
    """The digest after the head of an entry."""
    return decode_digest(data)
