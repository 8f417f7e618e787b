"""Values to what a call to PostgreSQL takes, and its rows to values: names, messages, states."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any
from zlib import crc32

from session_core.errors import InputError, StoreUnreadable
from session_core.ledger import Ledger
from session_core.ports import Standing, State, Version
from session_core.ranges import Ranges
from session_core.retrieve import searchable, terms
from session_core.serial.codec import body_digest, decode_body, encode_body, pack, unpack
from session_core.serial.remembered import Remembered
from session_core.turns import Importance, Key, Message

MAX_NAME_BYTES = 2_600
"""What a key of tenant, session and namespace may take together: PostgreSQL's index entries end near there."""

_VERSIONS: Mapping[str, type[str] | type[int] | type[float]] = {"s": str, "i": int, "f": float}
_KEPT_OUT = re.compile(r"[\\\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(\\|u[0-9a-f]{4})")
_ROLES = {"system": "s", "user": "u", "assistant": "a", "tool": "t"}
_LETTERS = {Importance.MUST_KEEP: "k", Importance.SUMMARIZE: "s", Importance.DISCARD: "d"}
_messages: Remembered[Message] = Remembered(4_000_000)
_IMPORTANCE = {letter: importance for importance, letter in _LETTERS.items()}


def text_in(text: str) -> str:
    """`text` as a text column takes it: a NUL, a lone surrogate and a backslash are escaped."""
    return _KEPT_OUT.sub(_escape, text) if _KEPT_OUT.search(text) else text


def text_out(text: str) -> str:
    """What `text_in` was given."""
    return _ESCAPED.sub(_unescape, text) if "\\" in text else text


def maybe_in(text: str | None) -> str | None:
    """As `text_in`; None stays."""
    return None if text is None else text_in(text)


def maybe_out(text: str | None) -> str | None:
    """As `text_out`; None stays."""
    return None if text is None else text_out(text)


def names(key: Key) -> tuple[str, str, str]:
    """Tenant, session id and namespace as columns. Raises: InputError when they are too long together."""
    made = text_in(key.tenant), text_in(key.session_id), text_in(key.namespace)
    if sum(map(len, made)) * 4 > MAX_NAME_BYTES and sum(len(name.encode()) for name in made) > MAX_NAME_BYTES:
        raise InputError(
            f"session {key.session_id[:40]!r}...: tenant, session id and namespace take over {MAX_NAME_BYTES:,} bytes "
            "together, which PostgreSQL cannot index; shorten them"
        )
    return made


def id_hash(message_id: str) -> int:
    """What messages are looked up by, as a bigint."""
    return int.from_bytes(blake2b(text_in(message_id).encode(), digest_size=8).digest(), "big", signed=True)


def word_hashes(words: Iterable[str]) -> list[int]:
    """The words as the index has them: 31 bits each, without doubles."""
    return sorted({crc32(word.encode("utf-8", "surrogatepass")) >> 1 for word in words})


def flat(part: Ranges) -> list[int]:
    """`part` as an array of pairs."""
    return [seq for pair in part.pairs for seq in pair]


def ranges(pairs: Sequence[int] | None) -> Ranges:
    """The part that an array of pairs is."""
    return Ranges(tuple(zip(pairs[::2], pairs[1::2], strict=True))) if pairs else Ranges()


def version_in(version: Version) -> str:
    """A channel's version with the letter of its type before it."""
    letter = next(letter for letter, kind in _VERSIONS.items() if isinstance(version, kind))
    return letter + text_in(str(version))


def version_out(text: str) -> Version:
    """What `version_in` was given."""
    return _VERSIONS[text[0]](text_out(text[1:]))


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages as arguments of a call: their columns as JSON, and beside it bodies and clips."""

    columns: str
    bodies: list[bytes]
    clips: list[bytes | None]

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Batch:
        seen: set[str] = set()
        columns = []
        for place, message in enumerate(messages, start=1):
            columns.append(_columns(place, message, again=message.id in seen))
            seen.add(message.id)
        clips = [None if message.clip is None else pack(message.clip) for message in messages]
        return cls(json.dumps(columns), [encode_body(message) for message in messages], clips)

    @property
    def values(self) -> tuple[object, ...]:
        return self.columns, self.bodies, self.clips


def _columns(place: int, message: Message, *, again: bool) -> dict[str, object]:
    return {
        "place": place,
        "id": text_in(message.id),
        "id_hash": id_hash(message.id),
        "digest": body_digest(message).hex(),
        "role": _ROLES[message.role.value],
        "author": maybe_in(message.author),
        # As text, since JSON has no word for some of the numbers that a float can be.
        "time_s": None if message.time_s is None else repr(float(message.time_s)),
        "tokens": message.tokens,
        "view_tokens": message.view_tokens,
        "clip_tokens": message.clip_tokens,
        "importance": _LETTERS[message.importance],
        "call": maybe_in(message.tool_call_id),
        "calls": [text_in(call.id) for call in message.tool_calls] or None,
        "short": message.rendition != "whole",
        "again": again,
        "words": word_hashes(terms(searchable(message))),
    }


def message_from(row: Sequence[Any]) -> Message:
    """The message of a row of type `kept`."""
    *columns, body, clip, clip_tokens = row
    named = f"{columns!r} {clip_tokens} {len(body)} ".encode()
    key = b"".join((named, body, clip or b""))
    return _messages.get(key, partial(_read, row), size=len(key))


def _read(row: Sequence[Any]) -> Message:
    seq, message_id, author, time_s, tokens, importance, body, clip, clip_tokens = row
    return decode_body(
        body,
        id=text_out(message_id),
        seq=seq,
        author=maybe_out(author),
        time_s=time_s,
        tokens=tokens,
        importance=_IMPORTANCE[importance],
        clip=None if clip is None else _text(clip),
        clip_tokens=clip_tokens,
    )


def state_from(row: Mapping[str, Any]) -> State:
    """The state in a row of `sessions`, as JSON."""
    return State(
        Key(text_out(row["session_id"]), text_out(row["tenant"]), text_out(row["namespace"])),
        version=row["version"],
        head=ranges(row["head"]),
        ledger=Ledger(
            messages=row["messages"],
            turns=row["turns"],
            tokens=row["tokens"],
            view_tokens=row["view_tokens"],
            largest_tokens=row["largest_tokens"],
            open_calls=tuple(map(text_out, row["open_calls"])),
            authors=tuple(map(text_out, row["authors"])),
            first_time_s=_float(row["first_time_s"]),
            last_time_s=_float(row["last_time_s"]),
        ),
        active=Standing(*row["active"]),
        ready=Standing(*row["ready"]),
        tier=row["tier"],
        resumed_after_seq=row["resumed_after_seq"],
        absent_s=float(row["absent_s"]),
        born=row["born"],
    )


def _text(data: bytes) -> str:
    text = unpack(data)
    if not isinstance(text, str):
        raise StoreUnreadable("a clip is no text; it is damaged: restore the database from a backup")
    return text


def _float(value: object) -> float | None:
    return None if value is None else float(str(value))


def _escape(found: re.Match[str]) -> str:
    return "\\\\" if found.group() == "\\" else f"\\u{ord(found.group()):04x}"


def _unescape(found: re.Match[str]) -> str:
    said = found.group(1)
    return said if said == "\\" else chr(int(said[1:], 16))
