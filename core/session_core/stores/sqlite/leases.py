"""Turn leases in SQLite: one row for the latest grant of a session, whose number is the fencing token."""

from __future__ import annotations

import sqlite3

from session_core.ports import Lease
from session_core.stores.rules import lease_over
from session_core.stores.sqlite.rows import names, text_in
from session_core.turns import Key

_OF_SESSION = "tenant = ? AND session_id = ? AND namespace = ?"


def take_lease(connection: sqlite3.Connection, key: Key, *, holder: str, ttl_s: float, now_s: float) -> Lease | None:
    """As in the protocol. A grant is a new row: its number was never used before, also not by a deleted session."""
    found = connection.execute(
        f"SELECT token, holder, taken_s, ttl_s FROM leases WHERE {_OF_SESSION}", names(key)
    ).fetchone()
    if found is not None and found[1] == holder:
        connection.execute("UPDATE leases SET taken_s = ?, ttl_s = ? WHERE token = ?", (now_s, ttl_s, found[0]))
        return Lease(key, int(found[0]), holder, ttl_s)
    if found is not None and not lease_over(found[2], found[3], now_s):
        return None
    connection.execute(f"DELETE FROM leases WHERE {_OF_SESSION}", names(key))
    made = connection.execute(
        "INSERT INTO leases (tenant, session_id, namespace, holder, taken_s, ttl_s) VALUES (?, ?, ?, ?, ?, ?)",
        (*names(key), holder, now_s, ttl_s),
    )
    return Lease(key, int(made.lastrowid or 0), holder, ttl_s)


def drop_lease(connection: sqlite3.Connection, lease: Lease) -> None:
    """Remove the grant."""
    connection.execute("DELETE FROM leases WHERE token = ?", (lease.token,))


def drop_leases_of_nothing(connection: sqlite3.Connection, until_s: float, tenant: str | None) -> bool:
    """Remove grants that expired before `until_s`, of sessions that do not exist; whether there were any."""
    gone = connection.execute(
        "DELETE FROM leases WHERE taken_s + ttl_s < ? AND (tenant = ? OR ? IS NULL) AND NOT EXISTS ("
        "SELECT 1 FROM sessions s WHERE s.tenant = leases.tenant AND s.session_id = leases.session_id)",
        (until_s, text_in(tenant), text_in(tenant)),
    )
    return gone.rowcount > 0


def token_of(connection: sqlite3.Connection, key: Key) -> int | None:
    """The token of the newest grant; None if it was released, or there was none."""
    found = connection.execute(f"SELECT token FROM leases WHERE {_OF_SESSION}", names(key)).fetchone()
    return None if found is None else int(found[0])
