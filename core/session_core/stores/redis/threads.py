"""LangGraph threads on Redis: ancestors of checkpoints, deletion, copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from session_core.ports import Checkpoint, Holding
from session_core.ranges import Ranges
from session_core.runtime.ids import fresh_id
from session_core.serial.codec import reading
from session_core.stores.redis.calls import RedisCalls, packed, require_accepted, unpacked
from session_core.stores.redis.checkpoints import bare, whole
from session_core.stores.redis.names import as_bytes, as_text, from_plain, plain, unescape
from session_core.stores.redis.rows import digest_from, flat, ranges, unframe
from session_core.stores.redis.scripts import ANCESTORS, COPY_READ, COPY_WRITE, DROP_CHECKPOINTS, PARTS
from session_core.stores.redis.states import state_from
from session_core.stores.redis.wires import Call
from session_core.stores.refusals import copy_exists
from session_core.turns import Key

SESSIONS_AT_ONCE = 200
"""How many sessions one command searches for the checkpoints of a run."""


class RedisThreads(RedisCalls):
    """The thread methods of `CheckpointStore` on Redis."""

    async def ancestors(self, key: Key, checkpoint_id: str, channels: Sequence[str]) -> tuple[Checkpoint, ...]:
        args = [as_bytes(plain(name)) for name in (checkpoint_id, *channels)]
        answer = await self._read(ANCESTORS, key, *args)
        with reading(f"a checkpoint of session {key}"):
            return tuple(whole(key, found) for found in (answer or [])[1:])

    async def checkpoints_of_runs(self, tenant: str, run_ids: Sequence[str]) -> tuple[Checkpoint, ...]:
        """As in the protocol. There is no index of runs: all checkpoints of the tenant are read."""
        wanted = set(run_ids)
        (names,) = await self._wire.ask(("ZRANGE", self._names.sessions(tenant), 0, -1)) if wanted else ([],)
        found: list[Checkpoint] = []
        for start in range(0, len(names), SESSIONS_AT_ONCE):
            some = [Key(unescape(as_text(name)), tenant) for name in names[start : start + SESSIONS_AT_ONCE]]
            sets = await self._wire.ask(*(("SMEMBERS", self._names.namespaces(key)) for key in some))
            keys = [
                replace(key, namespace=as_text(namespace))
                for key, namespaces in zip(some, sets, strict=True)
                for namespace in (b"", *namespaces)
            ]
            answers = await self._wire.ask(*(("HGETALL", self._names.of(key)[2]) for key in keys))
            with reading("a checkpoint"):
                seen = (bare(key, *pair) for key, kept in zip(keys, answers, strict=True) for pair in kept.items())
                found.extend(one for one in seen if one.run_id in wanted)
        return tuple(sorted(found, key=lambda one: one.id, reverse=True))

    async def parts(self, key: Key, channels: Sequence[str]) -> Mapping[str, Ranges]:
        answer = await self._read(PARTS, key, *(as_bytes(plain(channel)) for channel in channels)) or []
        pairs = zip(answer[1::2], answer[2::2], strict=True)
        return {from_plain(name.decode()): ranges(unpacked(part) or []) for name, part in pairs}

    async def drop_checkpoints(
        self,
        key: Key,
        checkpoint_ids: Sequence[str],
        *,
        parents: Mapping[str, str | None] | None = None,
        head: Ranges | None = None,
        expected: int | None = None,
    ) -> None:
        request = packed(
            {
                "expected": expected,
                "head": None if head is None else flat(head),
                "ids": [plain(name) for name in checkpoint_ids],
                "children": [plain(name) for name in parents or {}],
                "parents": ["" if parent is None else plain(parent) for parent in (parents or {}).values()],
            }
        )
        (answer,) = await self._wire.run(self._call(DROP_CHECKPOINTS, key, request))
        require_accepted(answer, key, expected=expected)

    async def copy_session(self, key: Key, session_id: str) -> None:
        """As in the protocol, in one round trip to read and one to write."""
        target = replace(key, session_id=session_id, namespace="")
        namespaces, held = await self._held(key)
        if not any(held):
            return
        (others,) = await self._wire.ask(("SMEMBERS", self._names.namespaces(target)))
        args: list[Any] = [self._ttl_ms, fresh_id()]
        for at, namespace in enumerate((b"", *namespaces)):
            args.append(namespace)
            args.extend(part for values in held[4 * at : 4 * at + 4] for part in (len(values), *values))
        due = self._listing.due(target)
        call = Call(COPY_WRITE, self._whole(target, namespaces), args)
        if others or (await self._wire.run(*due, call))[-1][0] == b"there":
            raise copy_exists(key, target)
        self._listing.noted(target)

    async def holdings(self, key: Key) -> tuple[Holding, ...]:
        (names,) = await self._wire.ask(("SMEMBERS", self._names.namespaces(key)))
        keys = [replace(key, namespace=namespace) for namespace in ("", *sorted(map(as_text, names)))]
        states = await self._wire.ask(*(("HGET", self._names.of(one)[0], "state") for one in keys))
        found: list[Holding] = []
        for one, packed_state in zip(keys, states, strict=True):
            if packed_state is None:
                continue
            state = state_from(packed_state, one)
            numbers = [b"d%d" % number for number in range(1, state.ready.number + 1)]
            (entries,) = await self._wire.ask(("HMGET", self._names.of(one)[0], *numbers)) if numbers else ([],)
            found.append(
                Holding(state, tuple(digest_from(unframe(entry)[1]) for entry in entries if entry is not None))
            )
        return tuple(found)

    async def _held(self, key: Key) -> tuple[list[bytes], list[list[bytes]]]:
        """The namespaces of a session, and four lists with the values of it and of each namespace."""
        while True:
            (names,) = await self._wire.ask(("SMEMBERS", self._names.namespaces(key)))
            namespaces = sorted(names)
            (answer,) = await self._wire.run(Call(COPY_READ, self._whole(key, namespaces), namespaces))
            if answer[0] == b"ok":
                return namespaces, answer[1:]

    def _whole(self, key: Key, namespaces: Sequence[bytes]) -> list[bytes]:
        """The keys of a session, its set of namespaces first."""
        parts = [replace(key, namespace=as_text(namespace)) for namespace in (b"", *namespaces)]
        return [self._names.namespaces(key), *(name for part in parts for name in self._names.of_namespace(part))]
