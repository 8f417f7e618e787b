"""Calls of the schema's functions: their statements, argument types, and the tenant of each."""

from __future__ import annotations

from collections.abc import Mapping

from session_core.stores.postgres.connections import Row
from session_core.stores.postgres.wire import Wire

_SESSION = ("text", "text")
_BATCH = ("json", "bytea[]", "bytea[]")
_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "append_messages": (*_SESSION, *_BATCH, "bigint", "boolean", "boolean", "bigint", "boolean"),
    "append_message": (
        *(*_SESSION, "bytea", "integer", "uuid", "text", "double precision", "integer", "text", "boolean"),
        *("bytea", "bytea", "boolean", "boolean"),
    ),
    "take_lease": (*_SESSION, "text", "double precision"),
    "drop_lease": (*_SESSION, "bigint"),
    "load_session": (*_SESSION, "integer[]"),
    "read_record": (*_SESSION, "integer[]"),
    "find_message": (*_SESSION, "bytea", "integer"),
    "search_messages": (*_SESSION, "bytea[]", "integer"),
    "read_state": _SESSION,
    "put_digest": (*_SESSION, "integer", "bigint[]", "integer[]", "integer[]", "bytea", "text"),
    "mark_session": (
        *_SESSION,
        "integer",
        "integer",
        "double precision",
        "bytea",
        "integer[]",
        "boolean",
    ),
    "read_notices": _SESSION,
    "list_sessions": (),
    "read_parent": (*_SESSION, "text", "text[]", "bytea[]", "integer[]"),
    "hold_parent": (*_SESSION, "text", "text[]", "bytea[]", "integer[]"),
    "put_checkpoint": (
        *(*_SESSION, "text", "text", "text", "text", "bytea", "json", "bytea[]"),
        *(*_BATCH, "bigint[]", "text", "bigint", "integer[]", "text", "bigint", "boolean", "boolean"),
        "boolean",
    ),
    "put_writes": (*_SESSION, "text", "json", "bytea[]", "bytea[]", "boolean"),
    "read_checkpoint": (*_SESSION, "text"),
    "list_checkpoints": (*_SESSION, "text"),
    "read_ancestors": (*_SESSION, "text", "text[]"),
    "list_of_runs": ("text[]",),
    "read_parts": (*_SESSION, "text[]"),
    "drop_checkpoints": (*_SESSION, "text[]", "text[]", "text[]", "integer[]", "bigint"),
    "copy_session": ("text", "text"),
    "list_holdings": ("text",),
    "read_kinds": ("text",),
    "read_values": (*_SESSION, "text", "text[]", "bigint", "integer", "bigint"),
    "put_values": (*_SESSION, "text", *_BATCH),
    "put_authors": (*_SESSION, "text[]", "text[]"),
    "list_names": (),
    "delete_session": ("text",),
    "idle_sessions": ("double precision",),
    "purge_sessions": ("double precision", "integer", "text", "text"),
}
"""The argument types of each function after the tenant."""
_OF_ONE_ROW = frozenset(("append_message", "append_messages"))
"""Frequent functions that return one row; called as a table they would be materialized and read again."""


def statements(schema: str) -> Mapping[str, str]:
    """The statement that calls each function of `schema`.

    The tenant is set as a setting of the transaction, which the row level security policies use: arguments are
    evaluated before the function starts, so this needs no round trip of its own.
    """
    tenant = "set_config('llm_sessions.tenant', %s::text, true)"
    calls = {
        name: f"{schema}.{name}({', '.join([tenant, *(f'%s::{kind}' for kind in kinds)])})"
        for name, kinds in _ARGUMENTS.items()
    }
    return {
        name: f"SELECT (x.r).* FROM (SELECT {call} AS r OFFSET 0) AS x"
        if name in _OF_ONE_ROW
        else f"SELECT * FROM {call}"
        for name, call in calls.items()
    }


class PostgresCalls:
    """What all halves of the PostgreSQL store call the functions with."""

    _wire: Wire
    _statements: Mapping[str, str]

    async def _call(self, name: str, *values: object) -> list[Row]:
        """The rows that the function `name` returns for `values`; one round trip."""
        return await self._wire.fetch(self._statements[name], values)
