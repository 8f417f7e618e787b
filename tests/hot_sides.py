"""The hot sides that hybrid stores are tested with, and what happens to them: time passes, they forget, they fail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ormsgpack
from redis_server import RedisServer

from session_core.stores.cache import Cache, Entry, MemoryCache
from session_core.stores.hybrid import HybridStore
from session_core.stores.redis.cache import RedisCache
from session_core.testing import KEY
from session_core.turns import Key
from session_core.voices import run_blocking

PATIENT = "?socket_timeout=20&socket_connect_timeout=20&wait_s=20"
"""For tests that count calls: a machine that is busy is no fault of the server."""


@dataclass(frozen=True)
class Held:
    """What stands at a place, as nobody but a test may look at it."""

    counts: bool
    entry: Entry


class Clock:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class MemoryHot:
    """A cache in this process."""

    def __init__(self) -> None:
        self._clock = Clock()
        self.cache = MemoryCache(clock=self._clock)

    def elapse(self, seconds: float) -> None:
        self._clock.now_s += seconds

    def forget(self) -> None:
        self.cache.forget()

    def places(self) -> list[str]:
        now_s = self._clock.now_s
        return [place for place, held in self.cache._places.items() if held.until_s > now_s]

    def held(self) -> list[Held]:
        return [Held(held.counts, held.entry()) for held in self.cache._places.values()]

    def spoil_heads(self) -> None:
        for held in self.cache._places.values():
            held.head = b"\x09 newer"


class RedisHot:
    """A cache on a server. Its clock is nobody's to set; so time passes by moving back what it wrote down."""

    def __init__(self, server: RedisServer) -> None:
        self._client = server.client()
        self.cache = RedisCache(server.url + PATIENT)
        self.forget()

    def elapse(self, seconds: float) -> None:
        """As if `seconds` had passed on the server; fewer than none, as if its clock had been set back."""
        for key in self._client.scan_iter():
            writes = self._client.hget(key, "w")
            if writes is not None:
                moved = {
                    name: [begun - round(seconds * 1000), lasts]
                    for name, (begun, lasts) in ormsgpack.unpackb(writes).items()
                }
                self._client.hset(key, "w", ormsgpack.packb(moved))
            self._client.pexpire(key, self._client.pttl(key) - round(seconds * 1000))

    def forget(self) -> None:
        self._client.flushall()

    def places(self) -> list[str]:
        return [key.partition(b"{")[2][:-1].decode() for key in self._client.scan_iter()]

    def held(self) -> list[Held]:
        hashes = [self._client.hgetall(key) for key in self._client.scan_iter()]
        return [
            Held(
                b"w" not in fields and fields.get(b"v") == fields[b"k"],
                Entry(fields.get(b"h", b""), tuple(_messages(fields))),
            )
            for fields in hashes
        ]

    def spoil_heads(self) -> None:
        for key in self._client.scan_iter():
            self._client.hset(key, "h", b"\x09 newer")

    def close(self) -> None:
        run_blocking(self.cache.close())
        self._client.close()


Hot = MemoryHot | RedisHot


@contextmanager
def hot_side(kind: str, server: RedisServer) -> Iterator[Hot]:
    """One of the two, empty; `server` is used for the one on a server."""
    if kind == "memory":
        yield MemoryHot()
        return
    made = RedisHot(server)
    try:
        yield made
    finally:
        made.close()


def _messages(fields: dict[bytes, bytes]) -> Iterator[bytes]:
    for number in range(1, int(fields[b"n"]) + 1):
        yield from ormsgpack.unpackb(fields[b"%d" % number])


class Around:
    """Stands for a cache or a store: counts calls, does something before or after them, or fails."""

    def __init__(self, port: Any, called: Counter[str] | None = None) -> None:
        self.port = port
        self.called: Counter[str] = Counter() if called is None else called
        self.before: dict[str, Any] = {}
        self.after: dict[str, Any] = {}
        self.failure: Exception | None = None

    def awaiting(self) -> Cache:
        return self

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.port, name)
        if not callable(attribute):
            return attribute

        async def call(*args: Any, **kwargs: Any) -> Any:
            self.called[name] += 1
            if self.failure is not None and name != "close":
                raise self.failure
            self.before.pop(name, lambda: None)()
            done = await attribute(*args, **kwargs)
            self.after.pop(name, lambda: None)()
            return done

        return call


class Forgetful(Around):
    """A cache that forgets everything every third call."""

    def __init__(self, hot: Hot) -> None:
        super().__init__(hot.cache)
        self._hot = hot

    def __getattr__(self, name: str) -> Any:
        call = super().__getattr__(name)
        if sum(self.called.values()) % 3 == 2:
            self._hot.forget()
        return call


class Died(BaseException):
    """The process is gone."""


def hybrid(sides: tuple[Around, Around], **options: Any) -> HybridStore:
    """The store of a cache and a durable store."""
    return HybridStore(sides[0], sides[1], **options)


def calls(sides: tuple[Around, Around]) -> tuple[Counter[str], Counter[str]]:
    """The calls to both sides since the last look."""
    found = Counter(sides[0].called), Counter(sides[1].called)
    sides[0].called.clear()
    sides[1].called.clear()
    return found


def agrees(store: HybridStore, key: Key = KEY) -> bool:
    """Whether a view is what the durable side says."""
    return run_blocking(store.load(key)) == run_blocking(store.cold.load(key))


PLACE = "8:a tenant:a session"
ENTRY = Entry(b"head", (b"one", b"two"))


def filled(cache: Cache, place: str = PLACE) -> None:
    seen = run_blocking(cache.look(place))
    assert run_blocking(cache.fill(place, seen.mark, ENTRY))


def found_in(cache: Cache, place: str = PLACE) -> Entry | None:
    return run_blocking(cache.look(place)).entry
