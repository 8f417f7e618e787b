"""What sessions take on a Redis server, over the bytes of their messages as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import redis

from benchmarks.conversation import Said, raw_bytes
from benchmarks.servers import bytes_kept, bytes_of_keys
from benchmarks.timing import say, table


@dataclass(frozen=True, slots=True)
class Grown:
    """How much a server grew: by MEMORY USAGE of its keys, and by all memory in use."""

    keys: int
    all: int

    @classmethod
    def by(cls, client: redis.Redis, put: Callable[[], object]) -> Grown:
        """What `put` adds; nobody else may write meanwhile."""
        keys, used = bytes_of_keys(client), bytes_kept(client)
        put()
        return cls(bytes_of_keys(client) - keys, bytes_kept(client) - used)

    def over(self, raw: int) -> list[float]:
        """As parts of the raw bytes."""
        return [self.keys / raw, self.all / raw]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the same messages took in each store, by its name."""

    kind: str
    size: int
    raw: int
    grown: dict[str, Grown]

    @classmethod
    def of(
        cls,
        kind: str,
        said: Sequence[Said],
        puts: Iterable[tuple[str, redis.Redis, Callable[[], object]]],
        copies: int = 1,
    ) -> Kept:
        """Put the messages into each store, `copies` times as the puts do it, and see what that took."""
        grown = {name: Grown.by(client, put) for name, client, put in puts}
        return cls(kind, len(said), raw_bytes(said) * copies, grown)

    def row(self) -> list[object]:
        """As a row of the table."""
        return [self.kind, self.size, self.raw, *(part for one in self.grown.values() for part in one.over(self.raw))]


def print_kept(kept: Sequence[Kept]) -> None:
    """The table of bytes."""
    say(
        "Bytes on the server over the messages' JSON. keys: the sum of MEMORY USAGE of all keys; all: the growth of",
        "used_memory less connections and the log's buffer, so with search indexes.",
    )
    head = [f"{name}, {how}" for name in kept[0].grown for how in ("keys", "all")]
    table(["", "messages", "raw bytes", *head], [one.row() for one in kept])
