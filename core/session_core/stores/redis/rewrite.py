"""Rewrites every value of a session on Redis, in steps of two round trips each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha1
from typing import Any, cast

from session_core.ports import Plain, State
from session_core.serial.codec import digest_to_plain, notice_from_plain, notice_to_plain, pack, unpack
from session_core.stores.redis.calls import RedisCalls, packed
from session_core.stores.redis.names import as_text, from_plain, plain, unescape
from session_core.stores.redis.rows import digest_from, finish_row, label_of, message_from
from session_core.stores.redis.scripts import REWRITE_READ, REWRITE_WRITE
from session_core.stores.redis.states import state_from
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

Place = int | bytes
"""The sequence number of a message, or a field of a hash; 0 for all notices."""


@dataclass(frozen=True, slots=True)
class Swap:
    """A compare-and-set at a place in the scripts' notation, which may be inside of a value."""

    place: Place
    inner: object
    old: bytes
    new: bytes


Renew = Callable[[Place, Any], Iterable[Swap]]
"""Maps the value at a place to its replacement."""


class RedisRewriting(RedisCalls):
    """The Rewriting half of the Redis store."""

    async def rewrite(self, key: Key, change: Change) -> int:
        """As in `Rewriting`. 500 messages, unless they are large, take one round trip to read and one to write."""
        (names,) = await self._wire.ask(("SMEMBERS", self._names.namespaces(key)))
        changed = 0
        for namespace in ("", *sorted(map(as_text, names))):
            changed += await self._rewrite_one(replace(key, namespace=namespace), change)
        return changed

    async def names(self, tenant: str | None = None) -> tuple[Key, ...]:
        """All listed sessions; one that has expired may be among them."""
        tenants = await self._tenants(tenant)
        found = await self._wire.ask(*(("ZRANGE", self._names.sessions(one), 0, -1) for one in tenants))
        return tuple(
            Key(unescape(as_text(name)), one) for one, names in zip(tenants, found, strict=True) for name in names
        )

    async def _tenants(self, tenant: str | None) -> list[str]:
        """All tenants, or the requested one."""
        if tenant is not None:
            return [tenant]
        (names,) = await self._wire.ask(("ZRANGE", self._names.tenants(), 0, -1))
        return [unescape(as_text(name)) for name in names]

    async def _rewrite_one(self, key: Key, change: Change) -> int:
        """Rewrites one namespace; bodies outside of the log before the writes that refer to them."""
        session, _, checkpoints, values = self._names.of_namespace(key)
        found, has_notices, ids, fields = await self._wire.ask(
            ("HGET", session, "state"), ("HEXISTS", session, "notices"), ("HKEYS", checkpoints), ("HKEYS", values)
        )
        if found is None:
            return 0
        state, work = state_from(found, key), _Values(key, change)
        digests = [b"d%d" % number for number in range(1, state.ready.number + 1)]
        return (
            await self._authors(key, state, change)
            + await self._each(key, "log", range(1, state.ledger.messages + 1), work.message)
            + await self._each(key, "session", digests, work.digest)
            + await self._each(key, "notices", [0] if has_notices else [], work.notices)
            + await self._each(key, "checkpoints", ids, work.checkpoint)
            + await self._each(key, "values", [name for name in fields if name[:1] == b"v"], work.value)
            + await self._each(key, "values", [name for name in fields if name[:1] == b"b"], work.body)
            + await self._each(key, "writes", [name for name in fields if _is_directory(name)], work.writes)
        )

    async def _each(self, key: Key, kind: str, places: Sequence[Place], renew: Renew) -> int:
        """Rewrite the values at `places`; those that others changed in between are repeated."""
        changed, left = 0, list(places)
        for _ in range(TRIES):
            again: dict[Place, None] = {}
            while left:
                answer = await self._read(REWRITE_READ, key, kind, BYTES_AT_ONCE, *left[:AT_ONCE])
                found = answer[1:] if answer else [None] * len(left)
                read = zip(left, found, strict=False)
                swaps = [swap for place, value in read if value is not None for swap in renew(place, value)]
                del left[: len(found)]
                done = await self._swap(key, kind, swaps)
                changed += sum(done)
                again |= {swap.place: None for swap, was_done in zip(swaps, done, strict=True) if not was_done}
            left = list(again)
            if not left:
                return changed
        raise changed_too_often(key, len(left))

    async def _swap(self, key: Key, kind: str, swaps: Sequence[Swap]) -> list[int]:
        """For each of `swaps`, 1 if the old value was there and was replaced."""
        if not swaps:
            return []
        args = [
            part for swap in swaps for part in (swap.inner, sha1(swap.old, usedforsecurity=False).hexdigest(), swap.new)
        ]
        return list((await self._read(REWRITE_WRITE, key, kind, *args) or [])[1:])

    async def _authors(self, key: Key, state: State, change: Change) -> int:
        for _ in range(TRIES):
            old = state.ledger.authors
            new = changed_authors(change, key, old)
            if new == old:
                return 0
            was, will_be = packed([*map(plain, old)]), packed([*map(plain, new)])
            if await self._swap(key, "authors", [Swap(0, was, b"", will_be)]) == [1]:
                return 1
            (found,) = await self._wire.ask(("HGET", self._names.of(key)[0], "state"))
            if found is None:
                return 0
            state = state_from(found, key)
        raise changed_too_often(key, 1)


@dataclass(frozen=True, slots=True)
class _Values:
    """The changed values of one namespace, by kind."""

    key: Key
    change: Change

    def message(self, place: Any, row: bytes) -> Iterable[Swap]:
        old = message_from(row, place)
        new = self.change.message(self.key, old)
        return [] if new == old else [Swap(place, place, row, label_of(row) + finish_row(new))]

    def body(self, place: Place, row: bytes) -> Iterable[Swap]:
        """A message that only a pending write has; one of the record is identified by its number."""
        if row[:1] == b"#":
            return []
        old = message_from(row, 0)
        new = self.change.message(self.key, old)
        return [] if new == old else [Swap(place, place, row, label_of(row) + finish_row(new))]

    def digest(self, place: Place, entry: bytes) -> Iterable[Swap]:
        head, data = _split_entry(entry)
        old = digest_from(data)
        new = self.change.digest(self.key, old)
        return [] if new == old else [Swap(place, place, entry, head + pack(digest_to_plain(new)))]

    def notices(self, place: Place, notices: Sequence[bytes]) -> Iterable[Swap]:
        for number, data in enumerate(notices, 1):
            old = notice_from_plain(unpack(data))
            new = self.change.notice(self.key, old)
            if new != old:
                yield Swap(place, number, data, pack(notice_to_plain(new)))

    def checkpoint(self, place: Any, entry: bytes) -> Iterable[Swap]:
        head, rest = _split_entry(entry)
        parent, data = _split_entry(rest)
        name = from_plain(place.decode())
        new = self._plain(("checkpoint", name), data)
        return [] if new == data else [Swap(place, place, entry, head + parent + new)]

    def value(self, place: Any, value: bytes) -> Iterable[Swap]:
        """A serialized value; a message list refers to the record and has no data of its own."""
        if value[:1] != b"p":
            return []
        channel, version = _names_in(place[1:])
        new = b"p" + self._plain(("value", channel, version), value[1:])
        return [] if new == value else [Swap(place, place, value, new)]

    def writes(self, place: Any, writes: Sequence[Sequence[Any]]) -> Iterable[Swap]:
        """The writes of a checkpoint, which refer to messages by name; bodies are stored elsewhere."""
        directory = place.decode()
        for task, index, data in writes:
            new = self._write(from_plain(directory[1:]), from_plain(task.decode()), index, data)
            if new != data:
                yield Swap(place, packed([directory, task.decode(), index]), data, new)

    def _write(self, checkpoint_id: str, task: str, index: int, data: bytes) -> bytes:
        first, second = _pair(data)
        if not isinstance(first, bool):
            return self._plain(("write", checkpoint_id, task, str(index)), data)
        names = [[name, changed_author(self.change, self.key, author)] for name, author in second]
        return data if names == second else pack([first, names])

    def _plain(self, place: tuple[str, ...], data: bytes) -> bytes:
        old = Plain(*_pair(data))
        new = self.change.plain(self.key, place, old)
        return data if new == old else pack([new.type, new.data])


def _split_entry(entry: bytes) -> tuple[bytes, bytes]:
    """The head of an entry, which follows its length, and the rest."""
    end = 4 + int.from_bytes(entry[:4], "big")
    return entry[:end], entry[end:]


def _pair(data: bytes) -> tuple[Any, Any]:
    first, second = cast("list[Any]", unpack(data))
    return first, second


def _is_directory(field: bytes) -> bool:
    """Whether a field of values may be a checkpoint's list of tasks; those of a task contain a NUL.

    A name that is not plain text begins with a NUL (see `plain`); the script finds no tasks under a field that only
    looks like a list.
    """
    return field[:1] == b"w" and (b"\0" not in field[1:] or field[1:2] == b"\0")


def _names_in(field: bytes) -> tuple[str, str]:
    """The two names in a field, separated by a NUL."""
    end = max(field.find(b"\0", field[:1] == b"\0"), 0)
    return from_plain(field[:end].decode()), from_plain(field[end + 1 :].decode())
