"""Waiting for a connection while the server has no room for a further one."""

from __future__ import annotations

from time import monotonic
from typing import Any

import psycopg

from session_core.stores.postgres.address import Address
from session_core.stores.postgres.connections import IdleConnections
from session_core.stores.postgres.failures import is_full, not_now

LOOKED_FOR_S = 0.01
"""Seconds between two looks for a connection of this process that another caller gave back."""
ASKED_FOR_S = 0.5
"""Seconds between two attempts to open one."""


class Room:
    """The patience of a caller whom the server refused a connection, and who waits for those that others have here.

    With many processes the server may be full before any of them has as many connections as its URL allows. Where
    nobody here has one, there is nothing to wait for, and the refusal is reported at once.
    """

    def __init__(self, here: IdleConnections[Any], address: Address) -> None:
        self._here = here
        self._address = address
        self._until_s = monotonic() + address.wait_s
        self._next_s = 0.0

    def require_patience(self, exc: psycopg.OperationalError) -> None:
        """Raises: StoreLost, StoreBusy or StoreError for a refusal that waiting would not change, or did not."""
        now = monotonic()
        if not is_full(exc) or not self._here.is_awaited or now >= self._until_s:
            raise not_now(exc, self._address.shown) from exc
        self._next_s = min(now + ASKED_FOR_S, self._until_s)

    @property
    def to_be_asked_for(self) -> bool:
        """Whether it is time for the next attempt to open a connection."""
        return monotonic() >= self._next_s
