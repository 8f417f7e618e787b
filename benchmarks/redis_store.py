"""Sessions on Redis beside plain commands and LangChain's histories: an append, a view, bytes on the server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

import redis

from benchmarks.conversation import Said, mixed, texts
from benchmarks.floors import RedisFloor, same_size
from benchmarks.peers import fill, langchain_community, langchain_messages, langchain_redis
from benchmarks.redis_bytes import Kept, print_kept
from benchmarks.servers import module_redis, redis_version, reply_bytes, speaking_2
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
from benchmarks.timing import Contender, Times, interleaved, machine, say
from langchain_session import SessionChatMessageHistory
from session_core import Sessions
from session_core.transcripts import message_from_plain
from session_core.voices import run_blocking
from tests.redis_server import RedisServer, redis_server

FRAME = 10
"""Bytes that the protocol puts around a row in a reply."""
SMALL = 5
"""How many small sessions are measured at once: one by itself would drown in what a server rounds up."""


@dataclass(frozen=True, slots=True)
class Both:
    """A plain server with the sessions on it, and the one with modules that `langchain-redis` needs."""

    plain: RedisServer
    client: redis.Redis
    sessions: Sessions
    modules: redis.Redis


def main() -> None:
    """Print the three tables."""
    with ExitStack() as stack:
        plain, modules = stack.enter_context(redis_server()), stack.enter_context(module_redis())
        client, client_2 = stack.enter_context(plain.client()), stack.enter_context(speaking_2(modules))
        sessions = stack.enter_context(Sessions(plain.url, policy=POLICY))
        print(machine("redis", "orjson", "langchain-core", "langchain-redis", "langchain-community"))
        say(
            f"{redis_version(client)} over 127.0.0.1, appendonly yes, appendfsync everysec; one thread, blocking.",
            "langchain-redis speaks to a second server like it, with RediSearch and RedisJSON (protocol=2).",
        )
        both = Both(plain, client, sessions, client_2)
        print_appends(_appends(both))
        floor = "LRANGE of a list with as many rows and bytes as the reply to our load has, orjson.loads of each"
        kept = [_kept(both, "mix", list(mixed(size)), 1) for size in SIZES]
        print_views([_views(both, size) for size in SIZES], floor)
        kept += [_kept(both, "texts", list(texts(size)), SMALL if size == SIZES[0] else 1) for size in SIZES]
        print_kept(kept)


def _appends(both: Both) -> Times:
    sessions, before, said = both.sessions, list(texts(BEFORE)), list(texts(APPENDS + 2))
    # Other texts: what was worked out for a text is remembered.
    others = texts(APPENDS + 3)
    session, other = sessions.session("appends"), sessions.session("store appends")
    converse(session, before)
    converse(other, before)
    floor = RedisFloor(both.client, "floor of appends")
    floor.fill(before)
    community = langchain_community(both.plain.url, "appends")
    theirs = langchain_redis(both.modules, "appends")
    fill(community, before)
    fill(theirs, before)
    prepared = [sessions.services.prepare(message_from_plain(one)) for one in others]
    objects = langchain_messages(said)
    return interleaved(
        [
            Contender("floor: RPUSH of orjson.dumps(dict)", lambda n: floor.append(said[n])),
            Contender(
                "store.append, message prepared before",
                lambda n: run_blocking(sessions.store.append(other.key, [prepared[n]], strict=True)),
            ),
            Contender("session.append(dict)", lambda n: session.append(said[n])),
            Contender("langchain-community add_message", lambda n: community.add_message(objects[n])),
            Contender("langchain-redis add_message", lambda n: theirs.add_message(objects[n])),
        ],
        APPENDS,
        collect=False,
    )


def _kept(both: Both, kind: str, said: list[Said], copies: int) -> Kept:
    """Put sessions called `kind size number` into each store, and see what they take."""

    def each(put: Callable[[str], object]) -> Callable[[], None]:
        def put_all() -> None:
            for number in range(copies):
                put(f"{kind} {len(said)} {number}")

        return put_all

    puts = [
        ("floor", both.client, each(lambda name: RedisFloor(both.client, f"list {name}").fill(said))),
        ("ours", both.client, each(lambda name: converse(both.sessions.session(name), said))),
        ("langchain-redis", both.modules, each(lambda name: fill(langchain_redis(both.modules, name), said))),
    ]
    return Kept.of(kind, said, puts, copies)


def _views(both: Both, size: int) -> Viewed:
    name = f"mix {size} 0"
    session, theirs = both.sessions.session(name), langchain_redis(both.modules, name)
    assert len(theirs.messages) == size
    loaded = run_blocking(both.sessions.store.load(session.key))
    sent = reply_bytes(both.client, lambda: run_blocking(both.sessions.store.load(session.key)))
    floor = RedisFloor(both.client, f"floor of {size}")
    floor.fill(same_size(loaded, sent, FRAME))
    times = interleaved(
        [
            Contender("floor", lambda _: floor.read(), IN_A_ROW),
            Contender("view", lambda _: session.view(), IN_A_ROW),
            Contender("history", lambda _: SessionChatMessageHistory(name, sessions=both.sessions).messages, IN_A_ROW),
            Contender("langchain-redis", lambda _: theirs.messages),
        ],
        TURNS,
        collect=True,
    )
    return Viewed.of(size, len(loaded.messages), (sent, reply_bytes(both.client, floor.read)), times)
