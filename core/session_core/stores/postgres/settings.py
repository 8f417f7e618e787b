"""Settings of a role or database that change the meaning of our statements."""

from __future__ import annotations

from typing import Any

import psycopg

from session_core.errors import StoreUnreadable
from session_core.stores.postgres.address import Address

AS_THEY_STAND = "SET standard_conforming_strings = on; SET array_nulls = on"
"""Settings for each connection, since those of a role or a database may differ and change at any time."""


def require_settings(connection: psycopg.Connection[Any], address: Address) -> None:
    """Configure `connection` to take strings literally. Raises: StoreUnreadable if texts or NULLs in arrays are not
    kept."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in (None, "UTF8"):
        raise StoreUnreadable(
            f"{address.shown} uses the encoding {encoding}, which cannot store all text; use a database that was made "
            "with CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )
    # Behind a transaction pooler, settings of a connection do not last.
    gaps = connection.execute("SELECT current_setting('array_nulls')").fetchone()
    connection.execute(AS_THEY_STAND)
    if gaps != ("on",):
        raise StoreUnreadable(
            f"{address.shown} has array_nulls off, which turns NULL in an array into the text NULL; turn it on "
            "for the user with ALTER ROLE ... SET array_nulls = on"
        )
