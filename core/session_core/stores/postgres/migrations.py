"""The schema as an ordered list of SQL files; a database's version is how many of them it has seen."""

from __future__ import annotations

from importlib import resources

import psycopg

from session_core.errors import NewerSchema
from session_core.stores.postgres.address import Address
from session_core.stores.postgres.failures import Translated, unreachable
from session_core.stores.postgres.settings import require_settings

MIGRATIONS = ("tables", "leases", "ranges", "reading", "record", "checkpoints", "deletion", "rewriting", "threads")
"""Never edit a released one; append the next, and let it enable row level security for its tables."""
LOCK_TIMEOUT_MS = 60_000
"""How long a process waits for another one that is migrating."""

Connection = psycopg.Connection[tuple[object, ...]]


def migrate(address: Address) -> None:
    """Create the schema or bring it to this release's version; several processes may call it at once.

    Raises: NewerSchema; StoreUnreadable if this release cannot use it.
    """
    with Translated(address.shown), _connected(address) as connection:
        require_settings(connection, address)
        if _behind(connection, address):
            _catch_up(connection, address)


def _connected(address: Address) -> Connection:
    try:
        return psycopg.connect(address.conninfo, autocommit=True, prepare_threshold=None)
    except psycopg.Error as exc:
        raise unreachable(exc, address.shown) from exc


def _behind(connection: Connection, address: Address) -> bool:
    return _version(connection, address) < len(MIGRATIONS) or (address.rls and not _guarded(connection, address))


def _catch_up(connection: Connection, address: Address) -> None:
    """Run the missing migrations, all or nothing, while other migrating processes wait."""
    schema = address.quoted
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"llm_sessions {schema}",))
        version = _version(connection, address)
        if version == 0:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            connection.execute(
                f"CREATE TABLE {schema}.migrations (version integer PRIMARY KEY, applied timestamptz DEFAULT now())"
            )
        connection.execute(f"SET LOCAL search_path = {schema}, pg_temp")
        for step in range(version, len(MIGRATIONS)):
            connection.execute(_script(MIGRATIONS[step]))
            connection.execute("INSERT INTO migrations (version) VALUES (%s)", (step + 1,))
        if address.rls and not _guarded(connection, address):
            connection.execute("SELECT guard_tenants()")


def _version(connection: Connection, address: Address) -> int:
    if not _there(connection, address, "migrations"):
        return 0
    row = connection.execute(f"SELECT coalesce(max(version), 0) FROM {address.quoted}.migrations").fetchone()
    version = int(str(row[0])) if row else 0
    if version > len(MIGRATIONS):
        raise NewerSchema(
            f"{address.shown}, schema {address.schema}, is at version {version}, this release knows "
            f"{len(MIGRATIONS)}; upgrade with: pip install -U llm-sessions"
        )
    return version


def _guarded(connection: Connection, address: Address) -> bool:
    """Whether row level security is enabled for all tables with tenants' rows."""
    return connection.execute(f"SELECT {address.quoted}.tenants_guarded()").fetchone() == (True,)


def _there(connection: Connection, address: Address, name: str) -> bool:
    """Whether the table exists now; a name in a statement is resolved only once."""
    found = connection.execute(
        "SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s AND c.relname = %s",
        (address.schema, name),
    )
    return found.fetchone() is not None


def _script(name: str) -> bytes:
    return resources.files("session_core.stores.postgres").joinpath("sql", f"{name}.sql").read_bytes()
