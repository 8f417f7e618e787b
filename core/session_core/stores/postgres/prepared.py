"""Names of prepared statements that are the same on every connection of every process."""

from __future__ import annotations

from hashlib import sha256
from typing import TypeVar

import psycopg
from psycopg._preparing import Prepare, PrepareManager
from psycopg._queries import PostgresQuery

PREPARED_AFTER_CALLS = 5
"""A connection prepares a statement after this many uses, since preparing takes a round trip."""
C = TypeVar("C", psycopg.Connection, psycopg.AsyncConnection)


class Named(PrepareManager):
    """Names prepared statements by a hash of their text.

    The driver numbers them: the first one of each connection has the same name. A pooler that shares server
    connections between clients would then run another client's statement under that name: a deletion instead of a
    read.
    """

    def get(self, query: PostgresQuery, prepare: bool | None = None) -> tuple[Prepare, bytes]:
        """As in the driver, except for the name of a statement to prepare."""
        found, name = super().get(query, prepare)
        return found, _name(query) if found is Prepare.SHOULD else name


def preparing(connection: C, *, wanted: bool) -> C:
    """`connection`, configured to prepare frequent statements, or none."""
    connection._prepared = Named()
    connection.prepare_threshold = PREPARED_AFTER_CALLS if wanted else None
    return connection


def _name(query: PostgresQuery) -> bytes:
    data = query.query + repr(query.types).encode()
    return b"llms_" + sha256(data).hexdigest()[:32].encode()
