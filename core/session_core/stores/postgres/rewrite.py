"""Rewrites every value of a session in PostgreSQL, in pages of two round trips each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from session_core.ports import Plain
from session_core.serial.codec import (
    decode_body,
    digest_from_plain,
    digest_to_plain,
    encode_body,
    notice_from_plain,
    notice_to_plain,
    pack,
    unpack,
)
from session_core.stores.postgres.calls import PostgresCalls
from session_core.stores.postgres.rows import (
    author_in,
    author_out,
    clip_in,
    clip_out,
    id_out,
    names,
    text_in,
    text_out,
    version_out,
)
from session_core.stores.postgres.writes import rewrite_draft, rewrite_row
from session_core.stores.rewrite import (
    AT_ONCE,
    BYTES_AT_ONCE,
    TRIES,
    Change,
    changed_author,
    changed_authors,
    changed_too_often,
)
from session_core.turns import Key

_BEFORE_ALL = ["", ""], -(2**31)
"""A place before all others."""


@dataclass(frozen=True, slots=True)
class Value:
    """A row with a value: its place, its row version, and its contents."""

    names: list[str]
    number: int
    seen: str
    author: str | None
    type: str | None
    data: bytes
    clip: bytes | None

    @property
    def place(self) -> dict[str, object]:
        """The fields without the bytes, as an argument of a call."""
        named = {"names": self.names, "number": self.number, "seen": self.seen}
        return {**named, "author": self.author, "type": self.type}


class PostgresRewriting(PostgresCalls):
    """The Rewriting half of the PostgreSQL store."""

    async def rewrite(self, key: Key, change: Change) -> int:
        """As in `Rewriting`. 500 messages, unless they are large, take one round trip to read and one to write."""
        tenant, session_id, _ = names(key)
        changed = 0
        for namespace, authors, kinds in await self._call("read_kinds", tenant, session_id):
            one = replace(key, namespace=text_out(namespace))
            changed += await self._authors(one, authors, change)
            for kind in kinds:
                changed += await self._each(one, kind, change)
        return changed

    async def names(self, tenant: str | None = None) -> tuple[Key, ...]:
        """As in `Rewriting`. Raises: ConfigError without a tenant if row level security is on."""
        if tenant == "":
            return ()
        rows = await self._call("list_names", text_in(tenant) if tenant else "")
        return tuple(Key(text_out(session_id), text_out(owner)) for owner, session_id in rows)

    async def _each(self, key: Key, kind: str, change: Change) -> int:
        """Rewrite all values of one kind, page by page; a page that others changed is read again."""
        changed, tries = 0, 0
        after: tuple[list[str], int] = _BEFORE_ALL
        while True:
            rows = await self._call("read_values", *names(key), kind, *after, AT_ONCE, BYTES_AT_ONCE)
            page = [Value(*row) for row in rows]
            new = [value for old in page if (value := _renewed(key, kind, old, change)) != old]
            done = await self._put(key, kind, new)
            changed += done
            tries = 0 if done == len(new) else tries + 1
            if tries == TRIES:
                raise changed_too_often(key, len(new) - done)
            if not tries:
                if len(page) < AT_ONCE and sum(len(value.data) for value in page) < BYTES_AT_ONCE:
                    return changed
                after = page[-1].names, page[-1].number

    async def _put(self, key: Key, kind: str, new: Sequence[Value]) -> int:
        if not new:
            return 0
        text = json.dumps([value.place for value in new])
        data, clips = [value.data for value in new], [value.clip for value in new]
        return len(await self._call("put_values", *names(key), kind, text, data, clips))

    async def _authors(self, key: Key, authors: list[str], change: Change) -> int:
        for _ in range(TRIES):
            old = tuple(map(text_out, authors))
            new = changed_authors(change, key, old)
            if new == old:
                return 0
            rows = await self._call("put_authors", *names(key), authors, [*map(text_in, new)])
            if rows[0][0]:
                return 1
            found = await self._call("read_state", *names(key))
            if not found:
                return 0
            authors = found[0][0]["authors"]
        raise changed_too_often(key, 1)


def _renewed(key: Key, kind: str, value: Value, change: Change) -> Value:
    """The changed value of a row of table `kind`."""
    if kind == "messages":
        return _message(key, value, change)
    if kind == "digests":
        digest = digest_from_plain(unpack(value.data))
        made = change.digest(key, digest)
        return value if made == digest else replace(value, data=pack(digest_to_plain(made)))
    if kind == "notices":
        notice = notice_from_plain(unpack(value.data))
        changed = change.notice(key, notice)
        return value if changed == notice else replace(value, data=pack(notice_to_plain(changed)))
    if kind == "drafts":
        return _draft(key, value, change)
    if kind == "writes":
        return _writes(key, value, change)
    if kind == "checkpoints":
        return _plain(key, ("checkpoint", text_out(value.names[0])), value, change)
    version = version_out(bytes.fromhex(value.names[1]))
    return _plain(key, ("value", text_out(value.names[0]), str(version)), value, change)


def _message(key: Key, value: Value, change: Change) -> Value:
    clip, clip_tokens = clip_out(value.clip or b"")
    old = decode_body(
        value.data,
        id=_id(value.names[0]),
        seq=value.number,
        author=author_out(value.author or ""),
        clip=clip,
        clip_tokens=clip_tokens,
    )
    new = change.message(key, old)
    if new == old:
        return value
    sealed = clip_in(new.clip, new.clip_tokens)
    return replace(value, author=author_in(new.author), data=encode_body(new), clip=sealed)


def _id(hexadecimal: str) -> str:
    return id_out(bytes.fromhex(hexadecimal))


def _writes(key: Key, value: Value, change: Change) -> Value:
    """A row of writes refers to messages and their authors; their bodies are stored elsewhere."""
    checkpoint, task = (text_out(_id(name)) for name in value.names)

    def plain(index: int, old: Plain) -> Plain:
        return change.plain(key, ("write", checkpoint, task, str(value.number + index)), old)

    return replace(value, data=rewrite_row(value.data, plain, partial(changed_author, change, key)))


def _draft(key: Key, value: Value, change: Change) -> Value:
    def body(message_id: str, data: bytes) -> bytes:
        return encode_body(change.message(key, decode_body(data, id=message_id)))

    return replace(value, data=rewrite_draft(value.data, body))


def _plain(key: Key, place: tuple[str, ...], value: Value, change: Change) -> Value:
    old = Plain(text_out(value.type or ""), cast(bytes, unpack(value.data)))
    new = change.plain(key, place, old)
    return value if new == old else replace(value, type=text_in(new.type), data=pack(new.data))
