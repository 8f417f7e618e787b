"""The lists of tenants and sessions, which are in other cluster slots than the sessions."""

from __future__ import annotations

import time
from collections.abc import Callable

from session_core.stores.redis.names import Names, as_bytes, escape
from session_core.stores.redis.scripts import TOUCH
from session_core.stores.redis.wires import Call
from session_core.turns import Key

REMEMBERED = 20_000
"""How many listed sessions a process remembers; others are listed again at their next use."""

Place = tuple[str, str | None]


class Listing:
    """Keeps sessions in use listed, with as few calls as possible.

    A session is listed before its first write and, if sessions expire, again after each quarter of the lifetime in
    which it is used; its tenant with it, or up to a quarter before. Lists may contain sessions that are gone, but
    never lack one that exists, whatever lifetimes others use.
    """

    def __init__(self, names: Names, ttl_ms: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._names = names
        self._ttl_ms = ttl_ms
        self._clock = clock
        self._noted: dict[Place, float] = {}

    def due(self, key: Key, *, exists: bool = False) -> list[Call]:
        """The calls that keep `key` listed; with `exists` only those for a session in use."""
        if (exists and not self._ttl_ms) or self._fresh((key.tenant, key.session_id)):
            return []
        return [self._call(place, exists) for place in _places(key) if not self._fresh(place)]

    def noted(self, key: Key, *, exists: bool = False) -> None:
        """Remember that the due calls for `key` were made."""
        if exists and not self._ttl_ms:
            return
        if len(self._noted) > REMEMBERED:
            self._noted.clear()
        now = self._clock()
        for place in _places(key):
            if not self._fresh(place):
                self._noted[place] = now

    def forget(self, key: Key) -> None:
        """Discard what was remembered of `key`."""
        for place in _places(key):
            self._noted.pop(place, None)

    def _fresh(self, place: Place) -> bool:
        noted = self._noted.get(place)
        return noted is not None and (not self._ttl_ms or (self._clock() - noted) * 4_000 < self._ttl_ms)

    def _call(self, place: Place, exists: bool) -> Call:
        tenant, session_id = place
        listed = self._names.tenants() if session_id is None else self._names.sessions(tenant)
        name = as_bytes(escape(tenant if session_id is None else session_id))
        return Call(TOUCH, [listed], [self._ttl_ms, name, int(session_id is None), "XX" if exists else ""])


def _places(key: Key) -> tuple[Place, Place]:
    return (key.tenant, None), (key.tenant, key.session_id)
