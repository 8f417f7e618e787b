"""Every store of ours on the real thing, empty, and all that it holds as bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import redis
from postgres_server import PostgresServer, postgres_server
from redis_server import RedisServer, redis_cluster, redis_server

from session_core.ports import SessionStore
from session_core.stores.cache import MemoryCache
from session_core.stores.hybrid import HybridStore
from session_core.stores.memory import MemoryStore
from session_core.stores.postgres.store import PostgresStore
from session_core.stores.redis.store import RedisStore
from session_core.stores.sqlite import SqliteStore
from session_core.voices import run_blocking

KINDS = ("memory", "sqlite", "redis", "cluster", "postgres", "hybrid")
TABLES = ("sessions", "messages", "digests", "notices", "checkpoints", "channel_values", "writes", "drafts")


@dataclass(frozen=True, slots=True)
class Place:
    """An empty place of one kind: `store` works on it, `held` looks at it past the store, `end` empties it again."""

    kind: str
    store: SessionStore
    held: Callable[[], bytes]
    end: Callable[[], None] = lambda: None


class Servers:
    """The servers that stores need, each started when it is first asked for."""

    def __init__(self, running: ExitStack) -> None:
        self._running = running
        self._redis: RedisServer | None = None
        self._cluster: str | None = None
        self._postgres: PostgresServer | None = None
        self._schemas = count(1)
        self._empty_schemas: list[str] = []

    @contextmanager
    def place(self, kind: str, folder: Path) -> Iterator[Place]:
        """An empty place; its store is closed at the end."""
        made: Place = getattr(self, f"_{kind}_place")(folder)
        try:
            yield made
        finally:
            run_blocking(made.store.close())
            made.end()

    @property
    def redis(self) -> RedisServer:
        if self._redis is None:
            self._redis = self._running.enter_context(redis_server(appendonly="no"))
        return self._redis

    @property
    def cluster(self) -> str:
        if self._cluster is None:
            self._cluster = self._running.enter_context(redis_cluster())
        return self._cluster

    @property
    def postgres(self) -> PostgresServer:
        if self._postgres is None:
            self._postgres = self._running.enter_context(postgres_server())
        return self._postgres

    def schema(self) -> str:
        """The name of a schema that is not there yet."""
        return f"e{next(self._schemas)}"

    def _memory_place(self, _: Path) -> Place:
        store = MemoryStore()
        return Place("memory", store, lambda: repr(store._sessions).encode("utf-8", "surrogatepass"))

    def _sqlite_place(self, folder: Path) -> Place:
        return Place("sqlite", SqliteStore(folder / "sessions.db"), lambda: _files(folder))

    def _hybrid_place(self, folder: Path) -> Place:
        cache = MemoryCache()
        store = HybridStore(cache, SqliteStore(folder / "sessions.db"))
        return Place("hybrid", store, lambda: _files(folder) + repr(cache._places).encode())

    def _redis_place(self, _: Path) -> Place:
        return _on_redis("redis", self.redis.url, [self.redis.port])

    def _cluster_place(self, _: Path) -> Place:
        hosts = self.cluster.removeprefix("redis+cluster://").split(",")
        return _on_redis("cluster", self.cluster, [int(host.rpartition(":")[2]) for host in hosts])

    def _postgres_place(self, _: Path) -> Place:
        # A schema that an earlier test left costs half of a new one.
        schema = self._empty_schemas.pop() if self._empty_schemas else self.schema()

        def end() -> None:
            empty_schema(self.postgres, schema)
            self._empty_schemas.append(schema)

        store = PostgresStore(f"{self.postgres.url}&schema={schema}")
        return Place("postgres", store, lambda: _tables(self.postgres, schema), end)


@contextmanager
def every_server() -> Iterator[Servers]:
    """Servers, which end with the block."""
    with ExitStack() as running:
        yield Servers(running)


def empty_schema(server: PostgresServer, schema: str) -> None:
    """Delete every row of a schema; TRUNCATE takes twice as long for few."""
    with server.connect() as connection:
        connection.execute("; ".join(f"DELETE FROM {schema}.{table}" for table in (*TABLES, "leases")))


def _on_redis(kind: str, url: str, ports: Sequence[int]) -> Place:
    for port in ports:
        with redis.Redis(host="127.0.0.1", port=port) as client:
            client.flushall()
    return Place(kind, RedisStore(url), lambda: b"".join(map(_keys, ports)))


def _keys(port: int) -> bytes:
    """All keys and values of a server, and each as it would go to its disk."""
    read: dict[bytes, Callable[[Any, bytes], object]] = {
        b"hash": lambda client, key: client.hgetall(key),
        b"list": lambda client, key: client.lrange(key, 0, -1),
        b"set": lambda client, key: client.smembers(key),
        b"zset": lambda client, key: client.zrange(key, 0, -1, withscores=True),
    }
    found: list[bytes] = []
    with redis.Redis(host="127.0.0.1", port=port) as client:
        for key in client.scan_iter():
            found += [key, *_flat(read[client.type(key)](client, key)), client.dump(key)]
    return b"\n".join(found)


def _flat(value: object) -> list[bytes]:
    if isinstance(value, bytes):
        return [value]
    if isinstance(value, dict):
        return [part for pair in value.items() for part in pair]
    return [part for one in value for part in _flat(one)] if isinstance(value, list | set | tuple) else []


def _tables(server: PostgresServer, schema: str) -> bytes:
    """Every row of every table as text, and what is in its columns of bytes as it is."""
    found: list[bytes] = []
    with server.connect() as connection:
        for table in TABLES:
            for (row,) in connection.execute(f"SELECT to_jsonb(x) FROM {schema}.{table} AS x"):
                found += [str(row).encode(), *_bytes_in(row)]
    return b"\n".join(found)


def _bytes_in(row: dict[str, Any]) -> list[bytes]:
    shown = [value for value in row.values() if isinstance(value, str) and value.startswith("\\x")]
    return [bytes.fromhex(value[2:]) for value in shown]


def _files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())
