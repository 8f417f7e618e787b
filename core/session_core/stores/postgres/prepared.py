"""Names of prepared statements that are the same on every connection of every process."""

from __future__ import annotations

from hashlib import sha256
from typing import TypeVar

import psycopg
from psycopg._preparing import Prepare, PrepareManager
from psycopg._queries import PostgresQuery

PREPARED_AFTER_CALLS = 5
"""A connection prepares a statement once it has run that often: preparing is a round trip of its own."""
C = TypeVar("C", psycopg.Connection, psycopg.AsyncConnection)


class Named(PrepareManager):
    """Names a statement by what it says.

    The driver counts: its first one on each connection has the same name. A pooler that gives one connection of the
    server to several clients would run, under that name, the statement of another client: a deletion for a read.
    """

    def get(self, query: PostgresQuery, prepare: bool | None = None) -> tuple[Prepare, bytes]:
        """As the driver has it, but for the name of one that is to be prepared."""
        found, name = super().get(query, prepare)
        return found, _name(query) if found is Prepare.SHOULD else name


def preparing(connection: C, *, wanted: bool) -> C:
    """`connection`, which from now on prepares what it sends often, or nothing."""
    connection._prepared = Named()
    connection.prepare_threshold = PREPARED_AFTER_CALLS if wanted else None
    return connection


def _name(query: PostgresQuery) -> bytes:
    said = query.query + repr(query.types).encode()
    return b"llms_" + sha256(said).hexdigest()[:32].encode()
