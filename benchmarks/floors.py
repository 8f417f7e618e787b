"""The least that a store can do: append a JSON dict, read JSON dicts; nothing else is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import psycopg
import redis
from psycopg.sql import SQL, Identifier

from benchmarks.conversation import Said, as_json
from session_core.ports import Loaded


class RedisFloor:
    """A list of JSON dicts: orjson and RPUSH to append, LRANGE and orjson to read."""

    def __init__(self, client: redis.Redis, key: str) -> None:
        self._client = client
        self._key = key

    def append(self, one: Said) -> object:
        """Append one message."""
        return self._client.rpush(self._key, as_json(one))

    def fill(self, said: Iterable[Said]) -> None:
        """Append many."""
        self._client.rpush(self._key, *map(as_json, said))

    def read(self, last: int = 0) -> list[Any]:
        """The last messages; all of them for 0."""
        return [orjson.loads(row) for row in self._client.lrange(self._key, -last, -1)]


class PostgresFloor:
    """A table of JSON as bytes with one index: an INSERT to append, a SELECT and orjson to read.

    `connection` commits each statement by itself; statements are prepared after some calls.
    """

    def __init__(self, connection: psycopg.Connection[Any], table: str) -> None:
        self._connection = connection
        self._session = "a session"
        self._insert = SQL("INSERT INTO {} (session, body) VALUES (%s, %b)").format(Identifier(table))
        self._select = SQL("SELECT body FROM {} WHERE session = %s ORDER BY id").format(Identifier(table))
        columns = SQL("(id bigserial, session text, body bytea, PRIMARY KEY (session, id))")
        connection.execute(SQL("CREATE TABLE IF NOT EXISTS {} {}").format(Identifier(table), columns))

    def append(self, one: Said) -> object:
        """Append one message."""
        return self._connection.execute(self._insert, (self._session, as_json(one)))

    def fill(self, said: Iterable[Said]) -> None:
        """Append many, in one transaction."""
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(self._insert, [(self._session, as_json(one)) for one in said])

    def read(self) -> list[Any]:
        """All messages of the session."""
        found = self._connection.execute(self._select, (self._session,), binary=True)
        return [orjson.loads(body) for (body,) in found.fetchall()]


def same_size(loaded: Loaded, sent: int, frame: int) -> list[Said]:
    """Rows for a floor that has to read what a load of ours read: a dict for each message and one for the digest.

    Their texts are cut or filled up, so that together, with `frame` bytes around each row, they take the `sent`
    bytes that the server's reply to the load had.
    """
    rows: list[Said] = [{"role": message.role.value, "content": message.content or "-"} for message in loaded.messages]
    if loaded.digest is not None:
        rows.append({"role": "user", "content": loaded.digest.summary or "-"})
    scale = (sent - frame * len(rows)) / sum(len(as_json(row)) for row in rows)
    return [_sized(row, round(len(as_json(row)) * scale)) for row in rows]


def _sized(row: Said, size: int) -> Said:
    """The row with as much text, its own again and again, as makes JSON of at most `size` bytes."""
    text = row["content"]
    while len(as_json({**row, "content": text})) < size:
        text += text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(as_json({**row, "content": text[:middle]})) <= size else (low, middle - 1)
    return {**row, "content": text[:low]}
