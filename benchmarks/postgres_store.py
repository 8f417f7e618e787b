"""Sessions in PostgreSQL beside plain statements and `langchain-postgres`: an append, a view, bytes on the server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.conversation import Said, mixed, raw_bytes, texts
from benchmarks.floors import PostgresFloor, same_size
from benchmarks.peers import fill, langchain_messages, langchain_postgres
from benchmarks.setting import (
    APPENDS,
    BEFORE,
    IN_A_ROW,
    POLICY,
    SIZES,
    TURNS,
    Viewed,
    converse,
    print_appends,
    print_views,
)
from benchmarks.timing import Contender, Times, interleaved, machine, say, table
from langchain_session import SessionChatMessageHistory
from session_core import Sessions
from session_core.transcripts import message_from_plain
from session_core.turns import Key
from session_core.voices import run_blocking
from tests.postgres_server import PostgresServer, postgres_server
from tests.relay import Relay, relay

FRAME = 11
"""Bytes that the protocol puts around a row in a reply."""
SETTINGS = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
SMALL = 5
"""How many small sessions are measured at once: one by itself would drown in half empty pages."""
MANY = 50
THERE = 950
"""Sessions that are there before `MANY` more are measured: what one takes where a server has a thousand of them."""
NOT_SYNCED = "&options=-csynchronous_commit%3Doff"
WARM = 8
"""Calls before bytes are counted; by then the statement is prepared."""


@dataclass(frozen=True, slots=True)
class Database:
    """A server, a connection that commits each statement, and one as `langchain-postgres` takes it."""

    server: PostgresServer
    plain: psycopg.Connection[Any]
    theirs: psycopg.Connection[Any]

    def sessions(self, schema: str, url: str = "") -> Sessions:
        """Sessions in a schema of their own, so that nothing but them is in its tables."""
        return Sessions(f"{url or self.server.url}&schema={schema}", policy=POLICY)

    def bytes_in(self, schema: str, prefix: str = "") -> int:
        """What the tables there take that begin with `prefix`, with indexes and what is stored beside them."""
        query = """SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_stat_user_tables
                   WHERE schemaname = %s AND starts_with(relname, %s)"""
        return int(self.plain.execute(query, (schema, prefix)).fetchall()[0][0])


def main() -> None:
    """Print the three tables."""
    with ExitStack() as stack:
        server = stack.enter_context(postgres_server())
        plain = stack.enter_context(psycopg.connect(server.url, autocommit=True))
        database = Database(server, plain, stack.enter_context(psycopg.connect(server.url)))
        told = ", ".join(f"{name} {plain.execute(f'SHOW {name}').fetchall()[0][0]}" for name in SETTINGS)
        print(machine("psycopg", "orjson", "langchain-core", "langchain-postgres"))
        say(f"PostgreSQL {told}; over a unix socket, a connection for each, one thread, blocking.")
        print_appends(_appends(database))
        kept = [_kept(database, "mix", list(mixed(size))) for size in SIZES]
        kept.insert(1, _kept(database, f"mix_of_{SMALL}", list(mixed(SIZES[0])), SMALL))
        floor = "SELECT from a table, by its key, of as many rows and bytes as the reply to our load has, orjson.loads"
        with relay(server.url) as counting:
            print_views([_views(database, counting, size) for size in SIZES], floor)
        kept += [_kept(database, "texts", list(texts(size)), SMALL if size == SIZES[0] else 1) for size in SIZES]
        kept.append(_kept(database, f"texts_of_{MANY}", list(texts(SIZES[0])), MANY))
        kept.append(_kept(database, f"texts_behind_{THERE}", list(texts(SIZES[0])), MANY, THERE))
        kept.append(_kept(database, f"mix_behind_{THERE}", list(mixed(SIZES[0])), MANY, THERE))
        say("Bytes on the server over the messages' JSON: tables, indexes and what is stored beside them.")
        table(["", "messages", "raw bytes", "floor", "ours", "langchain-postgres"], kept)


def _appends(database: Database) -> Times:
    sessions, before, said = database.sessions("appends"), list(texts(BEFORE)), list(texts(APPENDS + 2))
    # Other texts: what was worked out for a text is remembered.
    others = texts(APPENDS + 3)
    session, other = sessions.session("appends"), sessions.session("store appends")
    converse(session, before)
    converse(other, before)
    floor = PostgresFloor(database.plain, "floor_appends")
    theirs = langchain_postgres(database.theirs, "theirs_appends")
    floor.fill(before)
    fill(theirs, before)
    prepared = [sessions.services.prepare(message_from_plain(one)) for one in others]
    objects = langchain_messages(said)
    times = interleaved(
        [
            Contender("floor: INSERT of orjson.dumps(dict)", lambda n: floor.append(said[n])),
            Contender(
                "store.append, message prepared before",
                lambda n: run_blocking(sessions.store.append(other.key, [prepared[n]], strict=True)),
            ),
            Contender("session.append(dict)", lambda n: session.append(said[n])),
            Contender("langchain-postgres add_message", lambda n: theirs.add_message(objects[n])),
        ],
        APPENDS,
        collect=False,
    )
    sessions.close()
    return times


def _views(database: Database, counting: Relay, size: int) -> Viewed:
    name, key = f"mix_{size}", Key("session 0")
    theirs, rows = langchain_postgres(database.theirs, f"theirs_{name}"), f"rows_{name}"
    assert len(theirs.messages) == size
    with database.sessions(name, counting.url) as sessions, psycopg.connect(counting.url, autocommit=True) as plain:
        loaded = run_blocking(sessions.store.load(key))
        sent = _sent(counting, lambda: run_blocking(sessions.store.load(key)))
        PostgresFloor(plain, rows).fill(same_size(loaded, sent, FRAME))
        floor_sent = _sent(counting, PostgresFloor(plain, rows).read)
    floor = PostgresFloor(database.plain, rows)
    with database.sessions(name) as sessions:
        session = sessions.session(key.session_id)
        times = interleaved(
            [
                Contender("floor", lambda _: floor.read(), IN_A_ROW),
                Contender("view", lambda _: session.view(), IN_A_ROW),
                Contender(
                    "history",
                    lambda _: SessionChatMessageHistory(key.session_id, sessions=sessions).messages,
                    IN_A_ROW,
                ),
                Contender("langchain-postgres", lambda _: theirs.messages),
            ],
            TURNS,
            collect=True,
        )
    return Viewed.of(size, len(loaded.messages), (sent, floor_sent), times)


def _sent(counting: Relay, read: Callable[[], object]) -> int:
    for _ in range(WARM):
        read()
    before = counting.sent_bytes
    read()
    return counting.sent_bytes - before


def _kept(database: Database, kind: str, said: list[Said], copies: int = 1, there: int = 0) -> list[object]:
    """Put sessions into tables of their own, by each store; a row of what they take, less what was taken before.

    With `there`, so many others are put there first, each in one append.
    """
    name, raw = f"{kind}_{len(said)}", raw_bytes(said) * copies
    floor = PostgresFloor(database.plain, f"floor_{name}")
    theirs = langchain_postgres(database.theirs, f"theirs_{name}")
    with database.sessions(name, f"{database.server.url}{NOT_SYNCED}") as sessions:
        for number in range(there):
            floor.fill(said)
            fill(theirs, said)
            sessions.session(f"session there {number}").append(said)
        puts = [
            (("public", f"floor_{name}"), lambda _: floor.fill(said)),
            ((name, ""), lambda number: converse(sessions.session(f"session {number}"), said)),
            (("public", f"theirs_{name}"), lambda _: fill(theirs, said)),
        ]
        return [kind, len(said), raw, *(_grown(database, where, put, copies) / raw for where, put in puts)]


def _grown(database: Database, where: tuple[str, str], put: Callable[[int], object], times: int) -> int:
    before = database.bytes_in(*where)
    for number in range(times):
        put(number)
    return database.bytes_in(*where) - before
