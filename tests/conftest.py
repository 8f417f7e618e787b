"""What every test shares: property tests that judge what is found, never how fast the machine is or what chance brings.

LLM_SESSIONS_EXPLORE=1 pytest tests/test_x.py    # other examples with each run, to look for what nobody thought of
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The URL of a running cluster; a test that asks for it is skipped where clusters are refused for the driver."""
    # Not every environment that these tests run in has a driver of Redis.
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
