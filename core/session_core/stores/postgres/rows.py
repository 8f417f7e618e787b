"""Converts names and messages to arguments of PostgreSQL calls, and rows back."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any
from uuid import UUID
from zlib import crc32

from session_core.errors import InputError, StoreUnreadable
from session_core.ports import Version
from session_core.ranges import Ranges
from session_core.retrieval.retrieve import STOP_WORDS, ascii_words, searchable, terms
from session_core.serial.cache import MESSAGE_BYTES, BoundedCache
from session_core.serial.codec import decode_body, pack, packed_body, reading, unpack, wrap
from session_core.turns import Importance, Key, Message, Role

MAX_NAME_BYTES = 2_600
"""Maximum bytes of tenant, session id and namespace together, from the limit of PostgreSQL's index entries."""
WORDS_REMEMBERED = 8_192

_VERSIONS: Mapping[bytes, type[str] | type[int] | type[float]] = {b"s": str, b"i": int, b"f": float}
_COUNTED = re.compile(r"(\d{10})\.([0-9a-f]{8})", re.ASCII)
_NO_NAME = "\\"
_GIVEN = re.compile(r"~([0-9a-f]{16})")
_GIVEN_BYTES = 8
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEPT_OUT = re.compile(r"[\\\x00\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(\\|u[0-9a-f]{4})")
_ROLES = {"system": "s", "user": "u", "assistant": "a", "tool": "t"}
_LETTERS = {Importance.MUST_KEEP: "k", Importance.SUMMARIZE: "s", Importance.DISCARD: "d"}
_messages: BoundedCache[Message] = BoundedCache(8_000_000, each=MESSAGE_BYTES)
_IMPORTANCE = {letter: importance for importance, letter in _LETTERS.items()}


def text_in(text: str) -> str:
    """`text` for a text column: NUL, lone surrogates and backslashes are escaped."""
    return _KEPT_OUT.sub(_escape, text) if _KEPT_OUT.search(text) else text


def text_out(text: str) -> str:
    """The inverse of `text_in`."""
    return _ESCAPED.sub(_unescape, text) if "\\" in text else text


def maybe_in(text: str | None) -> str | None:
    """As `text_in`; None stays None."""
    return None if text is None else text_in(text)


def maybe_out(text: str | None) -> str | None:
    """As `text_out`; None stays None."""
    return None if text is None else text_out(text)


def id_in(message_id: str) -> bytes:
    """A message's id for its column: 8 bytes for a generated one, and for no other; 17 for a UUID."""
    given = _GIVEN.fullmatch(message_id)
    if given:
        return bytes.fromhex(given.group(1))
    if _UUID.fullmatch(message_id):
        return b"-" + bytes.fromhex(message_id.replace("-", ""))
    data = b"=" + message_id.encode("utf-8", "surrogatepass")
    return data if len(data) != _GIVEN_BYTES else b"+" + data


def id_out(data: bytes) -> str:
    """The inverse of `id_in`. Raises: StoreUnreadable."""
    if len(data) == _GIVEN_BYTES:
        return f"~{data.hex()}"
    kind, rest = data[:1], data[1:]
    with reading("a message's id"):
        if kind == b"-":
            return str(UUID(bytes=rest))
        return rest[kind == b"+" :].decode("utf-8", "surrogatepass")


def author_in(author: str | None) -> str:
    """An author for its column: '' for none; an empty one is a backslash, which `text_in` never returns."""
    return "" if author is None else text_in(author) or _NO_NAME


def author_out(author: str) -> str | None:
    """The inverse of `author_in`."""
    return ("" if author == _NO_NAME else text_out(author)) if author else None


def clip_in(clip: str | None, tokens: int) -> bytes:
    """A clip and its tokens; empty for None."""
    return b"" if clip is None else pack([clip, tokens])


def clip_out(data: bytes) -> tuple[str | None, int]:
    """The inverse of `clip_in`. Raises: StoreUnreadable."""
    if not data:
        return None, 0
    found = unpack(data)
    match found:
        case [str(clip), int(tokens)]:
            return clip, tokens
    raise StoreUnreadable(
        "a shortened message is stored in a form that cannot be read; it is damaged: restore the database from a backup"
    )


def names(key: Key) -> tuple[str, str, str]:
    """Tenant, session id and namespace as columns. Raises: InputError if they are too long together."""
    made = text_in(key.tenant), text_in(key.session_id), text_in(key.namespace)
    if sum(map(len, made)) * 4 > MAX_NAME_BYTES and sum(len(name.encode()) for name in made) > MAX_NAME_BYTES:
        raise InputError(
            f"session {key.session_id[:40]!r}...: tenant, session id and namespace take over {MAX_NAME_BYTES:,} bytes "
            "together, which PostgreSQL cannot index; shorten them"
        )
    return made


def id_hash(kept_id: bytes) -> int:
    """The integer by which messages are looked up; `kept_id` is the result of `id_in`.

    Generated ids are consecutive (`session_core.runtime.ids`), and so are their index entries.
    """
    if len(kept_id) == _GIVEN_BYTES:
        return int.from_bytes(kept_id[_GIVEN_BYTES // 2 :], "big", signed=True)
    return int.from_bytes(blake2b(kept_id, digest_size=4).digest(), "big", signed=True)


def word_hashes(words: Iterable[str]) -> bytes:
    """Hashes of the words, two bytes each, without duplicates."""
    return b"".join(dict.fromkeys(map(_hashes.__getitem__, words)))


class _Hashes(dict[str, bytes]):
    """A cache of word hashes of two bytes; `lru_cache` takes twice as long."""

    def __missing__(self, word: str) -> bytes:
        if len(self) >= WORDS_REMEMBERED:
            self.clear()
        made = self[word] = (crc32(word.encode("utf-8", "surrogatepass")) & 0xFFFF).to_bytes(2, "big")
        return made


class _Parts(dict[bytes, bytes]):
    """The hashes of ASCII words; empty for stop words."""

    def __missing__(self, word: bytes) -> bytes:
        if len(self) >= WORDS_REMEMBERED:
            self.clear()
        text = word.decode()
        made = self[word] = b"" if text in STOP_WORDS else _hashes[text]
        return made


_hashes = _Hashes()
_parts = _Parts()


def words_in(message: Message) -> bytes:
    """As `word_hashes` of the terms of a message; for ASCII in three quarters of the time."""
    text = searchable(message)
    if not text.isascii():
        return word_hashes(terms(text))
    return b"".join(dict.fromkeys(map(_parts.__getitem__, ascii_words(text))))


def flat(part: Ranges) -> list[int]:
    """`part` as an array of pairs."""
    return [seq for pair in part.pairs for seq in pair]


def ranges(pairs: Sequence[int] | None) -> Ranges:
    """The part for an array of pairs."""
    return Ranges(tuple(zip(pairs[::2], pairs[1::2], strict=True))) if pairs else Ranges()


def version_in(version: Version) -> bytes:
    """A channel's version with its type for its column; 9 bytes for one that our saver made."""
    if isinstance(version, str):
        counted = _COUNTED.fullmatch(version)
        if counted and int(counted.group(1)) < 2**32:
            return struct.pack(">cI4s", b"c", int(counted.group(1)), bytes.fromhex(counted.group(2)))
    letter = next(letter for letter, kind in _VERSIONS.items() if isinstance(version, kind))
    return letter + str(version).encode("utf-8", "surrogatepass")


def version_out(data: bytes) -> Version:
    """The inverse of `version_in`. Raises: StoreUnreadable."""
    kind, rest = data[:1], data[1:]
    with reading("a channel's version"):
        if kind == b"c":
            number, drawn = struct.unpack(">I4s", rest)
            return f"{number:010d}.{drawn.hex()}"
        return _VERSIONS[kind](rest.decode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages as arguments of a call: their columns as JSON, with bodies and clips separately."""

    columns: str
    bodies: list[bytes]
    clips: list[bytes]

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Batch:
        seen: set[str] = set()
        columns, bodies = [], []
        for place, message in enumerate(messages, start=1):
            body, digest = packed_body(message)
            columns.append(_columns(place, message, digest, again=message.id in seen))
            bodies.append(wrap(body))
            seen.add(message.id)
        clips = [clip_in(message.clip, message.clip_tokens) for message in messages]
        return cls(json.dumps(columns), bodies, clips)

    @property
    def values(self) -> tuple[object, ...]:
        return self.columns, self.bodies, self.clips


def _columns(place: int, message: Message, digest: bytes, *, again: bool) -> dict[str, object]:
    kept_id = id_in(message.id)
    return {
        "place": place,
        "id": in_json(kept_id),
        "id_hash": id_hash(kept_id),
        "digest": digest.hex(),
        "role": _ROLES[message.role.value],
        "author": author_in(message.author),
        # As text, since JSON lacks some float values.
        "time_s": None if message.time_s is None else repr(float(message.time_s)),
        "tokens": message.tokens,
        "view_tokens": message.view_tokens,
        "importance": _LETTERS[message.importance],
        "call": maybe_in(message.tool_call_id),
        "calls": [text_in(call.id) for call in message.tool_calls] or None,
        "short": message.rendition != "whole",
        "again": again,
        "words": in_json(words_in(message)),
    }


def is_plain(message: Message) -> bool:
    """Whether the message can be stored by `append_message`: it has content only."""
    return not (message.tool_calls or message.tool_call_id) and message.clip is None and message.rendition == "whole"


def plain_values(message: Message) -> tuple[object, ...]:
    """A plain message as arguments of `append_message`."""
    kept_id = id_in(message.id)
    body, digest = packed_body(message)
    return (
        kept_id,
        id_hash(kept_id),
        digest.hex(),
        author_in(message.author),
        None if message.time_s is None else float(message.time_s),
        message.tokens,
        _LETTERS[message.importance],
        message.role is Role.USER,
        wrap(body),
        words_in(message),
    )


def in_json(data: bytes) -> str:
    """Bytes in the JSON form of a bytea."""
    return f"\\x{data.hex()}"


def message_from(row: Sequence[Any]) -> Message:
    """The message of a row of type `kept`."""
    key = tuple(row)
    found = _messages.recent(key)
    if found is None:
        found = _messages.get(key, partial(_read, key), size=len(row[-2]) + len(row[-1]))
    return found


def _read(row: Sequence[Any]) -> Message:
    seq, kept_id, author, time_s, tokens, importance, body, clip = row
    text, clip_tokens = clip_out(clip)
    return decode_body(
        body,
        id=id_out(kept_id),
        seq=seq,
        author=author_out(author),
        time_s=time_s,
        tokens=tokens,
        importance=_IMPORTANCE[importance],
        clip=text,
        clip_tokens=clip_tokens,
    )


def _escape(found: re.Match[str]) -> str:
    return "\\\\" if found.group() == "\\" else f"\\u{ord(found.group()):04x}"


def _unescape(found: re.Match[str]) -> str:
    code = found.group(1)
    return code if code == "\\" else chr(int(code[1:], 16))
