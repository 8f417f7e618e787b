"""What every test shares: property tests that judge what is found, never how fast the machine is or what chance brings.

LLM_SESSIONS_EXPLORE=1 pytest tests/test_x.py    # other examples with each run, to look for what nobody thought of
"""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

# The fixtures import what they need when they run: not every environment of these tests has all drivers.
if TYPE_CHECKING:
    import redis
    from edge_case_stores import CornerCase
    from every_store import Servers
    from fault_tools import Places
    from hot_sides import Around, Hot, RedisHot
    from langgraph.checkpoint.base import BaseCheckpointSaver
    from langgraph.checkpoint.memory import InMemorySaver
    from postgres_server import PostgresServer
    from redis_server import RedisServer

    from llamaindex_session import SessionMemoryBuffer
    from session_core import Sessions
    from session_core.stores.postgres.store import PostgresStore
    from session_core.stores.redis.cache import RedisCache
    from session_core.stores.redis.store import RedisStore

IN_MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 * 1024**3
"""A run has up to about 1 GB of files at a time."""


def _keep_files_in_memory() -> None:
    """Let databases and servers of tests write where a wait for the disk takes no time, if there is such a place.

    Thousands of tests make a database, and each waits for the disk several times; nobody cuts the power here.
    """
    if "TMPDIR" in os.environ or not (IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK | os.X_OK)):
        return
    if shutil.disk_usage(IN_MEMORY).free >= ROOM_BYTES:
        os.environ["TMPDIR"] = str(IN_MEMORY)
        tempfile.tempdir = None


_schemas = itertools.count()
_keep_files_in_memory()
# Told to servers (postgres_server.py), which benchmarks start as well.
os.environ["LLM_SESSIONS_TESTS"] = "1"

settings.register_profile(
    "llm-sessions",
    deadline=None,
    derandomize="LLM_SESSIONS_EXPLORE" not in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("llm-sessions")


def pytest_collection_finish() -> None:
    """Let no collection of garbage look at 16,000 tests and their modules again; some tests collect it often."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The URL of a running cluster; a test that asks for it is skipped where clusters are refused for the driver."""
    from redis_server import redis_cluster

    from session_core.errors import ConfigError
    from session_core.stores.redis.address import Address
    from session_core.stores.redis.driver import require_driver

    try:
        require_driver(Address.parse("redis+cluster://localhost"))
    except ConfigError as exc:
        pytest.skip(str(exc))
    with redis_cluster() as running:
        yield running


@pytest.fixture(scope="module")
def plain_redis() -> Iterator[RedisServer]:
    """A Redis server that writes nothing to disk; one per module."""
    from redis_server import redis_server

    with redis_server(appendonly="no") as running:
        yield running


@pytest.fixture
def redis_client(plain_redis: RedisServer) -> Iterator[redis.Redis]:
    """A client of an emptied Redis server."""
    with plain_redis.client() as client:
        client.flushall()
        yield client


@pytest.fixture
def redis_url(plain_redis: RedisServer) -> str:
    """The URL of an emptied Redis server."""
    with plain_redis.client() as client:
        client.flushall()
    return plain_redis.url


@pytest.fixture
def redis_store(redis_url: str) -> Iterator[RedisStore]:
    """A store on an emptied Redis server."""
    from session_core.stores.redis.store import RedisStore
    from session_core.voices import run_blocking

    store = RedisStore(redis_url)
    yield store
    run_blocking(store.close())


@pytest.fixture
def redis_hot(plain_redis: RedisServer) -> Iterator[RedisHot]:
    """The hot side of a hybrid store on an emptied Redis server."""
    from hot_sides import RedisHot

    made = RedisHot(plain_redis)
    yield made
    made.close()


@pytest.fixture
def redis_cache(redis_hot: RedisHot) -> RedisCache:
    """The cache of that hot side."""
    return redis_hot.cache


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server; one per module."""
    from postgres_server import postgres_server

    with postgres_server() as running:
        yield running


@pytest.fixture
def postgres_schema() -> str:
    """A schema that does not exist yet."""
    return f"s{next(_schemas)}"


@pytest.fixture
def postgres_url(postgres: PostgresServer, postgres_schema: str) -> str:
    """The URL of a schema that does not exist yet."""
    return f"{postgres.url}&schema={postgres_schema}"


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[PostgresStore]:
    """A store in a schema of its own."""
    from session_core.stores.postgres.store import PostgresStore
    from session_core.voices import run_blocking

    store = PostgresStore(postgres_url)
    yield store
    run_blocking(store.close())


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """Servers for the stores, one set per module; each starts when it is first asked for."""
    from every_store import every_server

    with every_server() as running:
        yield running


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    """A Redis server and a PostgreSQL server with their default settings, for stores that a test breaks."""
    from fault_tools import Places
    from postgres_server import postgres_server
    from redis_server import redis_server

    with redis_server() as redis, postgres_server() as postgres:
        yield Places(redis, postgres)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a `corner` in each of `edge_case_stores.PLACES`."""
    if "corner" in metafunc.fixturenames:
        from edge_case_stores import PLACES

        metafunc.parametrize("corner", PLACES, indirect=True)


@pytest.fixture
def corner(request: pytest.FixtureRequest, tmp_path: Path, servers: Servers) -> CornerCase:
    """One store in one voice, empty."""
    from edge_case_stores import corner_at

    return corner_at(request.param, tmp_path, servers)


@pytest.fixture(params=["memory", "redis"])
def hot(request: pytest.FixtureRequest, plain_redis: RedisServer) -> Iterator[Hot]:
    """A hot side of each kind for a hybrid store."""
    from hot_sides import hot_side

    with hot_side(request.param, plain_redis) as made:
        yield made


@pytest.fixture
def sides(hot: Hot) -> tuple[Around, Around]:
    """A cache and a durable store that count their calls."""
    from hot_sides import Around

    from session_core.stores.memory import MemoryStore

    return Around(hot.cache), Around(MemoryStore())


@pytest.fixture
def inner_saver() -> InMemorySaver:
    """A saver of LangGraph's to put inside ours."""
    from langgraph.checkpoint.memory import InMemorySaver

    return InMemorySaver()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def twins(
    request: pytest.FixtureRequest, postgres: PostgresServer, tmp_path: Path
) -> Iterator[list[BaseCheckpointSaver[Any]]]:
    """Two savers of one kind: one to be put inside ours, one for the same graph without us."""
    from inner_savers import blocking_savers

    with blocking_savers(request.param, postgres, tmp_path / "inner.db", tmp_path / "plain.db") as savers:
        yield savers


@pytest.fixture
def sessions_beside(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sessions]:
    """Our store beside an inner saver: in a file where that one is in one, else in memory."""
    from talking_graphs import POLICY

    from session_core import Sessions

    in_file = "sqlite" in request.node.name
    with Sessions(f"sqlite:///{tmp_path}/sessions.db" if in_file else "memory://", policy=POLICY) as opened:
        yield opened


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a file of this test."""
    return f"sqlite:///{tmp_path}/chat.db"


@pytest.fixture
def memory(sqlite_url: str) -> SessionMemoryBuffer:
    """A LlamaIndex memory of 2,000 tokens in that file."""
    from llamaindex_session import SessionMemoryBuffer

    return SessionMemoryBuffer.from_defaults(session_id="one", url=sqlite_url, token_limit=2_000)
