"""What tests of faults and secrecy share: stores and their servers, what they hold, sessions full of a word."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from postgres_server import PostgresServer
from redis_server import RedisServer

from session_core.events import Notice
from session_core.plan import Digest, Fact, FactKind
from session_core.ports import Checkpoint, Marks, MessageList, Plain, SessionStore, Write
from session_core.ranges import Ranges
from session_core.stores.cache import MemoryCache
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.hybrid import HybridStore
from session_core.stores.keyring import Keyring
from session_core.stores.memory import MemoryStore
from session_core.stores.postgres.store import PostgresStore
from session_core.stores.redis.store import RedisStore
from session_core.stores.sqlite import SqliteStore
from session_core.turns import Importance, Key, Message, Role, ToolCall
from session_core.voices import run_blocking

KINDS = ("memory", "sqlite", "redis", "postgres", "hybrid", "encrypted")


class Places:
    """Where the stores of a test module are kept: a folder, and servers that run as long as it does."""

    def __init__(self, redis: RedisServer, postgres: PostgresServer) -> None:
        self.redis, self.postgres = redis, postgres
        self._made = 0

    @contextmanager
    def store(self, kind: str, folder: Path) -> Iterator[SessionStore]:
        """An empty store of `kind`, closed at the end."""
        made = self._opened(kind, folder)
        try:
            yield made
        finally:
            run_blocking(made.close())

    def redis_url(self) -> str:
        """The URL of the server, which is empty then."""
        with self.redis.client() as client:
            client.flushall()
        return self.redis.url

    def postgres_url(self) -> str:
        """The URL of a schema that is not there yet."""
        self._made += 1
        return f"{self.postgres.url}&schema=s{self._made}"

    def _opened(self, kind: str, folder: Path) -> SessionStore:
        match kind:
            case "memory":
                return MemoryStore()
            case "redis":
                return RedisStore(self.redis_url())
            case "postgres":
                return PostgresStore(self.postgres_url())
            case "hybrid":
                return HybridStore(MemoryCache(), SqliteStore(folder / "cold.db"))
            case "encrypted":
                return EncryptedStore(SqliteStore(folder / "sealed.db"), Keyring({"k1": bytes(range(32))}))
        return SqliteStore(folder / "sessions.db")


def fill(store: SessionStore, key: Key, word: str) -> None:
    """One of each thing that a session can hold, with `word` in it."""
    call = ToolCall(f"call-{word}", f"tool_{word}", f'{{"q": "{word}"}}')
    said = [
        Message(Role.USER, f"{word} asks", id=f"{word}-1", author=f"author {word}", tokens=5, time_s=1.0),
        Message(Role.ASSISTANT, f"{word} calls", id=f"{word}-2", tool_calls=(call,), tokens=5, time_s=2.0),
        Message(
            Role.TOOL,
            f"{word} found",
            id=f"{word}-3",
            tool_call_id=call.id,
            name=call.name,
            tokens=9,
            clip=f"{word} cut",
            clip_tokens=2,
            time_s=3.0,
        ),
        Message(Role.ASSISTANT, f"{word} answers", id=f"{word}-4", importance=Importance.MUST_KEEP, time_s=4.0),
    ]
    run_blocking(store.append(key, said))
    run_blocking(store.append(key, [Message(Role.USER, f"{word} revised", id=f"{word}-1")], revise=True))
    fact = Fact(FactKind.RULE, f"{word} is a rule", seq=1, author=f"author {word}", slot=word)
    digest = Digest(Ranges.span(1, 2), f"{word} in short", (fact,), pinned=Ranges.span(1, 1), tokens=9)
    run_blocking(store.put_digest(key, digest, expected=0))
    run_blocking(store.mark(key, Marks(tier=3, notice=Notice(f"{word} is full", 0.9, 1))))
    drafted = Message(Role.USER, f"{word} drafted", id=f"{word}-5", author=f"author {word}")
    run_blocking(
        store.put_writes(
            key,
            "1",
            [
                Write("task", 0, f"channel {word}", Plain("json", f"{word} written".encode())),
                Write("task", 1, "messages", MessageList((drafted,))),
            ],
        )
    )
    row = Checkpoint(key, "1", None, Plain("json", f"{word} body".encode()), {"messages": 1, f"channel {word}": 1})
    values = {
        "messages": MessageList((*said, Message(Role.USER, f"{word} in a checkpoint", id=f"{word}-6"))),
        f"channel {word}": Plain("json", f"{word} value".encode()),
    }
    run_blocking(store.put_checkpoint(row, values, head_channel="messages", merge=True))
    run_blocking(store.load(key))


def held_by(store: SessionStore, places: Places, folder: Path) -> bytes:
    """Everything that the store holds: its objects in this process, its files, all rows and keys of its server."""
    found = [b"\n".join(_texts(store))]
    found += [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    inner = getattr(store, "inner", getattr(store, "cold", store))
    if isinstance(inner, RedisStore):
        found.append(in_redis(places.redis))
    if isinstance(inner, PostgresStore):
        found.append(in_postgres(places.postgres))
    return b"\n".join(found)


def _texts(root: object) -> Iterator[bytes]:
    """All text and bytes that `root` leads to, in values of ours and in containers."""
    seen: set[int] = set()
    waiting: list[object] = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, type) or callable(one):
            continue
        seen.add(id(one))
        if isinstance(one, (str, bytes)):
            yield one.encode("utf-8", "replace") if isinstance(one, str) else one
        elif type(one).__module__.startswith(("session_core", "builtins", "collections")):
            waiting.extend(gc.get_referents(one))


def in_redis(server: RedisServer) -> bytes:
    """The name and the content of every key."""
    found: list[Any] = []
    reads = {b"hash": "HGETALL", b"list": "LRANGE", b"set": "SMEMBERS", b"zset": "ZRANGE", b"string": "GET"}
    with server.client() as client:
        for key in client.scan_iter():
            kind = client.type(key)
            every = (0, -1) if kind in (b"list", b"zset") else ()
            found += [key, client.execute_command(reads[kind], key, *every)]
    return repr(found).encode()


def in_append_only_file(server: RedisServer) -> bytes:
    """The server's append-only files, after it wrote them anew."""
    with server.client() as client:
        client.bgrewriteaof()
        while client.info("persistence")["aof_rewrite_in_progress"]:
            time.sleep(0.01)
    return b"".join(path.read_bytes() for path in (server.folder / "appendonlydir").iterdir())


def in_postgres(server: PostgresServer) -> bytes:
    """Every row of every table of ours as text, and what its bytes are."""
    found: list[bytes] = []
    with server.connect() as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname LIKE 's%' "
            "AND schemaname <> 'pg_catalog'"
        ).fetchall()
        for (table,) in tables:
            for (row,) in connection.execute(f"SELECT t::text FROM {table} AS t").fetchall():
                found.append(row.encode())
                found += [bytes.fromhex(part) for part in _hex(row)]
    return b"\n".join(found)


def _hex(row: str) -> Iterator[str]:
    for part in row.split("\\x")[1:]:
        digits = "".join(letter for letter in part.partition('"')[0].partition(",")[0] if letter in "0123456789abcdef")
        yield digits[: len(digits) // 2 * 2]


def postgres_socket(server: PostgresServer) -> Path:
    """The socket that the server listens at."""
    with server.connect() as connection:
        return Path(connection.info.host) / f".s.PGSQL.{connection.info.port}"


def in_postgres_files(server: PostgresServer) -> bytes:
    """The files of the database, after it was vacuumed and written out; its journal is not among them."""
    with server.connect() as connection:
        connection.execute("VACUUM FULL")
        connection.execute("CHECKPOINT")
        folder = Path(connection.execute("SHOW data_directory").fetchone()[0])  # type: ignore[index]
    return b"".join(path.read_bytes() for path in (folder / "base").rglob("*") if path.is_file())
