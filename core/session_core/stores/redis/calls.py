"""Shared by both halves of the Redis store: script calls, their refusals, and the rows they return."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import ormsgpack

from session_core.errors import Conflict, NewerSchema, SessionError, StoreUnreadable
from session_core.ports import Lease, State
from session_core.sealed import without_keys
from session_core.stores.redis.listing import Listing
from session_core.stores.redis.names import Names, as_bytes, as_text, from_plain
from session_core.stores.redis.rows import begin_row, cache_row, facts, finish_row, label_of, unframe, unpacked_id
from session_core.stores.redis.scripts import NAMESPACES, RENEW, Script
from session_core.stores.redis.states import FORMAT, may_expire, state_sent
from session_core.stores.redis.wires import Call, Wire
from session_core.stores.refusals import (
    checkpoint_moved_on,
    duplicate_message,
    orphan_result,
    other_digest,
    other_version,
    session_gone,
    turn_lost,
)
from session_core.turns import Key, Message

KNOWN_ROWS = 40_000
"""Capacity of a process's cache of rows that a server has."""


class KnownRows:
    """Caches which rows the server has, so that they need not be sent again.

    It may be wrong (the server lost them); then the scripts request the rows.
    """

    def __init__(self) -> None:
        self._newer: set[int] = set()
        self._older: set[int] = set()
        self._read_to: dict[int, int] = {}

    def has(self, name: bytes, row_label: bytes) -> bool:
        """Whether the session with the key `name` has the row."""
        place = hash((name, row_label))
        return place in self._newer or place in self._older

    def add(self, name: bytes, row_labels: Iterable[bytes]) -> None:
        """Remember rows of the session."""
        if len(self._newer) > KNOWN_ROWS // 2:
            self._newer, self._older, self._read_to = set(), self._newer, {}
        self._newer.update([hash((name, row_label)) for row_label in row_labels])

    def read(self, name: bytes, born: str, rows: Sequence[bytes], messages: Sequence[Message]) -> None:
        """Remember the `rows` of the session from which `messages` were read: those after the ones read before."""
        place = hash((name, born))
        known = self._read_to.get(place, 0)
        if messages and messages[-1].seq > known:
            new = [label_of(row) for row, message in zip(rows, messages, strict=True) if message.seq > known]
            self.add(name, new)
            self._read_to[place] = messages[-1].seq


class RedisCalls:
    """Calls the servers of one address in one voice."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._names = Names(wire.address.prefix)
        self._ttl_ms = round((wire.address.ttl_s or 0) * 1000)
        self._listing = Listing(self._names, self._ttl_ms)
        self._known_rows = KnownRows()

    async def _write(
        self, script: Script, key: Key, *args: object, lease: Lease | None = None
    ) -> tuple[list[Any], bytes]:
        """The answer of a script that may create the session, and the new state, which is empty for a refusal.

        The script answers nothing if it did exactly what was requested, in an existing session. A session is listed
        before it is created, or in the same round trip.
        """
        due = self._listing.due(key)
        call = self._call(script, key, *args)
        if lease is not None:
            call = call._replace(keys=[*call.keys, self._names.lease(lease.key)])
        if due:
            (answer,) = await self._call_in_use(key, due, call)
            self._listing.noted(key)
        else:
            (answer,) = await self._wire.run(call)
        if not isinstance(answer, bytes):
            return answer, b""
        # A state alone; the length prefix of an answer before a state is never as large.
        outcome, state = ([], answer) if answer[0] == FORMAT else unframe(answer)
        if outcome and outcome[0] and not due:
            await self._list_again(key)
        if not self._ttl_ms and may_expire(state):
            await self._remove_expiry(key)
        return outcome, state

    async def _list_again(self, key: Key, *calls: Call) -> list[Any]:
        """The answers to `calls`, in one round trip that also lists `key`, even if it was listed before."""
        self._listing.forget(key)
        due = self._listing.due(key)
        answers = await self._wire.run(*due, *calls)
        self._listing.noted(key)
        return answers[len(due) :]

    async def _call_in_use(self, key: Key, due: Sequence[Call], *calls: Call) -> list[Any]:
        """The answers to `calls` on a session, together with the `due` calls that keep it listed.

        Each namespace expires by itself. After each quarter of the lifetime in which the session was used, all of
        them are renewed: in an extra round trip, if there are any.
        """
        if not (due and self._ttl_ms):
            return (await self._wire.run(*due, *calls))[len(due) :]
        *answers, names = await self._wire.run(*due, *calls, Call(NAMESPACES, [self._names.namespaces(key)], []))
        if {"", *map(as_text, names)} - {key.namespace}:
            await self._renew_expiry(key, names)
        return answers[len(due) :]

    async def _remove_expiry(self, key: Key) -> None:
        """Remove the expiry of a session in use, if the URL has no lifetime and another one did before.

        Its keys and list entries become persistent in two extra round trips. The states record it last, so that the
        next use completes what an interrupted process left undone.
        """
        (names,) = await self._list_again(key, Call(NAMESPACES, [self._names.namespaces(key)], []))
        await self._renew_expiry(key, names)

    async def _renew_expiry(self, key: Key, namespaces: Iterable[bytes]) -> None:
        """Give each key of a session the lifetime of the URL."""
        parts = [replace(key, namespace=as_text(namespace)) for namespace in (b"", *namespaces)]
        keys = [self._names.namespaces(key), *(name for part in parts for name in self._names.of_namespace(part))]
        await self._wire.run(Call(RENEW, keys, [self._ttl_ms]))

    async def _read(self, script: Script, key: Key, *args: object) -> list[Any] | None:
        """The answer of a read-only script; None if there is nothing."""
        (answer,) = await self._wire.run(self._call(script, key, *args))
        return None if answer is None else require_accepted(answer, key)

    def _call(self, script: Script, key: Key, *args: object) -> Call:
        return Call(script, self._names.of(key), [self._ttl_ms, as_bytes(key.namespace), *args])

    async def _send_rows(
        self,
        script: Script,
        key: Key,
        messages: Sequence[Message],
        *args: object,
        expected: int | None = None,
        lease: Lease | None = None,
        recorded: bool = True,
    ) -> tuple[list[Any], State]:
        """The answer of a script that gets `args`, then facts and row of each message; and the state.

        Rows that the server probably has are sent as labels. `recorded` means that the record has them afterwards;
        pending writes are not part of it yet.
        """
        name = self._names.of(key)[0]
        labels, rows = _rows(name, messages, self._known_rows)
        outcome, state = await self._write(script, key, *args, *rows, lease=lease)
        if outcome[:2] == [b"refused", b"rows"]:
            _, rows = _rows(name, messages, KnownRows())
            outcome, state = await self._write(script, key, *args, *rows, lease=lease)
        if outcome:
            require_accepted(outcome, key, expected=expected, lease=lease)
        if recorded:
            self._known_rows.add(name, labels)
            for message, label, row in zip(messages, labels, rows[1::2], strict=True):
                if len(row) > len(label):
                    cache_row(message, row)
        return outcome, state_sent(state, key)


def _rows(name: bytes, messages: Iterable[Message], known: KnownRows) -> tuple[list[bytes], list[bytes]]:
    """The labels of `messages`, and alternately the facts and rows, for a server that has the rows of `known`."""
    labels: list[bytes] = []
    rows: list[bytes] = []
    for message in messages:
        label, body = begin_row(message)
        labels.append(label)
        rows += (facts(message), label if known.has(name, label) else label + finish_row(message, body))
    return labels, rows


def packed(request: object) -> bytes:
    """A request in the form that the scripts read."""
    return ormsgpack.packb(request)


def unpacked(answer: bytes) -> Any:
    """A script's packed answer."""
    return ormsgpack.unpackb(answer)


def require_accepted(
    answer: list[Any], key: Key, *, expected: int | None = None, lease: Lease | None = None
) -> list[Any]:
    """`answer`, unless it is a refusal, which is raised as the corresponding error."""
    if answer[0] == b"refused":
        raise _refusal(key, answer[1].decode(), answer[2] if len(answer) > 2 else None, expected, lease)
    return answer


def _refusal(key: Key, kind: str, detail: Any, expected: int | None, lease: Lease | None) -> SessionError:
    """The error for the refusal of a script."""
    if kind == "lease" and lease is not None:
        return turn_lost(key, lease)
    if kind == "newer":
        return NewerSchema(f"session {key} has format {detail}; upgrade with: pip install -U llm-sessions")
    if kind == "sealed":
        return without_keys(key)
    if kind == "duplicate":
        return duplicate_message(key, unpacked_id(detail))
    if kind == "orphan":
        return orphan_result(key, from_plain(detail.decode()))
    if kind == "moved":
        return checkpoint_moved_on(key, None if detail is None else from_plain(detail.decode()))
    if kind == "conflict":
        return other_version(key, detail, expected)
    if kind == "digest":
        return other_digest(key, detail, expected or 0)
    if kind == "gone":
        return session_gone(key)
    if kind == "shorter":
        return Conflict(f"session {key} now has {detail} messages, fewer than the digest covers; fold again")
    return StoreUnreadable(
        f"session {key} is incomplete: the server evicted some of its keys; set its maxmemory-policy to "
        "noeviction, and delete this session"
    )
