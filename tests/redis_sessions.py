"""What tests of the Redis store put into it, and how they look at it."""

from __future__ import annotations

from redis_server import RedisServer

from session_core.plan import Digest
from session_core.ports import Checkpoint, MessageList, Plain, SessionStore, Write
from session_core.ranges import Ranges
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking


def keys(server: RedisServer) -> list[bytes]:
    with server.client() as client:
        return list(client.scan_iter())


def fill(store: SessionStore, key: Key, count: int) -> None:
    for first in range(1, count + 1, 20):
        run_blocking(store.append(key, [message(n) for n in range(first, min(first + 20, count + 1))]))


def everything(store: SessionStore, key: Key = KEY) -> None:
    """One of each kind of thing that a session can hold."""
    run_blocking(store.append(key, [message(1), message(2)]))
    run_blocking(store.append(Key(key.session_id, key.tenant, "inner"), [message(1)]))
    run_blocking(store.put_digest(key, Digest(Ranges.span(1, 1), "summary"), expected=0))
    values = {"messages": MessageList((message(1), message(3))), "other": Plain("t", b"x")}
    checkpoint = Checkpoint(key, "1", None, Plain("t", b"y"), {"messages": "1", "other": "1"})
    run_blocking(store.put_checkpoint(checkpoint, values, head_channel="messages", merge=True))
    run_blocking(store.put_writes(key, "1", [Write("task", 0, "messages", MessageList((message(4),)))]))


async def ids_of(store: SessionStore, key: Key) -> list[str]:
    """The ids of its messages, in order."""
    return [m.id for m in await store.record(key)]
