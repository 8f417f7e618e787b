"""A queue of folds on Redis: sorted sets in one cluster slot, one script per call, by the server's clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from session_core.errors import StoreUnreadable
from session_core.fold_queue import KEPT_S, PRESENT_S, FoldTask, PolicyQueue
from session_core.runtime.process_bound import ProcessBound
from session_core.stores.redis.address import Address
from session_core.stores.redis.names import as_bytes, as_text, escape, unescape
from session_core.stores.redis.scripts import (
    FOLD_ASK,
    FOLD_DONE,
    FOLD_HOLD,
    FOLD_LEFT,
    FOLD_POLICIES,
    FOLD_STATE,
    FOLD_TAKE,
    FOLD_UNCOUNT,
    Script,
)
from session_core.stores.redis.wires import BlockingWire, Call, Wire
from session_core.turns import Key

QUEUE_OPTIONS: Mapping[str, str] = {
    "socket_timeout": "0.5",
    "socket_connect_timeout": "0.5",
    "wait_s": "1",
    "retries": "1",
}
"""Default options of a queue's URL: nobody should wait long, since a process can fold by itself instead."""

WAITING, URGENT, TAKEN, WORKERS, HOLDERS, ATTEMPTS, HAD, ASKED = "wutphacr"
"""Key parts. The last two are of all policies: those that workers have, and those that were asked for."""
OF_ALL = HAD + ASKED
_PRESENT_MS, _KEPT_MS = round(PRESENT_S * 1000), round(KEPT_S * 1000)


class RedisFoldQueue(ProcessBound):
    """The queue on the server, or servers, that `url` names; for many processes and machines.

    Its keys begin with the `?prefix=` of the URL: sessions of different stores need different ones. `?ttl_s=` has no
    meaning here. A server that loses the queue loses requests, which the sessions repeat at their next turn.
    Nothing is connected before the first call. Thread-safe, and safe after a fork. Raises: ConfigError; MissingExtra
    without the driver.
    """

    def __init__(self, url: str | Wire) -> None:
        if isinstance(url, str):
            url = BlockingWire(replace(Address.parse(url, **QUEUE_OPTIONS), patient=False))
        self._wire = url
        self.place = url.address.shown
        self._prefix = f"{url.address.prefix}:folds:{{folds}}"
        self._twin: RedisFoldQueue | None = None

    def __repr__(self) -> str:
        return f"RedisFoldQueue({self.place!r})"

    def awaiting(self) -> RedisFoldQueue:
        """The same queue over connections of the running event loop; always the same object."""
        if self._wire.awaiting() is self._wire:
            return self
        if self._twin is None:
            self._twin = RedisFoldQueue(self._wire.awaiting())
        return self._twin

    async def ask(self, key: Key, *, policy: str, urgent: bool) -> int | None:
        parts = (WAITING, URGENT, TAKEN, WORKERS, ASKED)
        waiting: int | None = await self._run(FOLD_ASK, policy, parts, _packed(key), int(urgent), policy, _KEPT_MS)
        return waiting

    async def take(self, worker: str, *, policy: str, held_s: float) -> FoldTask | None:
        parts = (WAITING, URGENT, TAKEN, WORKERS, HOLDERS, ATTEMPTS, HAD)
        found = await self._run(FOLD_TAKE, policy, parts, worker, _PRESENT_MS, _ms(held_s), policy, _KEPT_MS)
        if found is None:
            return None
        name, token, waited_ms, attempt = found
        return FoldTask(self._unpacked(name), policy, int(token), int(waited_ms) / 1000, int(attempt))

    async def hold(self, worker: str, tasks: Sequence[FoldTask], *, policy: str, held_s: float) -> list[bool]:
        parts = (WAITING, URGENT, TAKEN, WORKERS, HOLDERS, ATTEMPTS, HAD)
        named = [part for task in tasks for part in (_packed(task.key), task.token)]
        held = await self._run(FOLD_HOLD, policy, parts, worker, _PRESENT_MS, _ms(held_s), policy, _KEPT_MS, *named)
        return [one == 1 for one in held]

    async def done(self, task: FoldTask) -> bool:
        told = await self._run(FOLD_DONE, task.policy, (TAKEN, HOLDERS, ATTEMPTS), _packed(task.key), task.token)
        return bool(told == 1)

    async def uncount(self, task: FoldTask) -> None:
        await self._run(FOLD_UNCOUNT, task.policy, (HOLDERS, ATTEMPTS), _packed(task.key), task.token)

    async def left(self, moment: str = "", *, policy: str) -> tuple[str, int]:
        at, left = await self._run(FOLD_LEFT, policy, (WAITING, URGENT, HOLDERS), moment)
        return as_text(at), int(left)

    async def leave(self, worker: str, *, policy: str) -> None:
        await self._wire.ask(("ZREM", self._name(WORKERS, policy), worker))

    async def policies(self) -> list[PolicyQueue]:
        told = await self._run(FOLD_POLICIES, "", (ASKED, HAD), _KEPT_MS)
        found = []
        for policy, ms in zip(told[::2], told[1::2], strict=True):
            parts = (WAITING, URGENT, TAKEN, WORKERS, HOLDERS)
            workers, waiting, at_work, oldest_ms = await self._run(FOLD_STATE, as_text(policy), parts)
            asked_s = ms / 1000 if ms >= 0 else None
            found.append(PolicyQueue(as_text(policy), workers, waiting, at_work, oldest_ms / 1000, asked_s))
        return found

    async def close(self) -> None:
        await self._wire.close()

    async def _run(self, script: Script, policy: str, parts: Sequence[str], *args: Any) -> Any:
        (answer,) = await self._wire.run(Call(script, [self._name(part, policy) for part in parts], args))
        return answer

    def _name(self, part: str, policy: str) -> bytes:
        whose = "" if part in OF_ALL else f":{_short(policy)}"
        return as_bytes(f"{self._prefix}{whose}:{part}")

    def _unpacked(self, name: bytes) -> Key:
        parts = as_text(name).split("|")
        if len(parts) != 3:
            raise StoreUnreadable(
                f"{self.place} has something else in its queue of folds; set another prefix in its URL"
            )
        tenant, session_id, namespace = map(unescape, parts)
        return Key(session_id, tenant, namespace)


def _packed(key: Key) -> bytes:
    return as_bytes("|".join(map(escape, (key.tenant, key.session_id, key.namespace))))


@lru_cache(maxsize=64)
def _short(policy: str) -> str:
    return blake2b(as_bytes(policy), digest_size=6).hexdigest()


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
