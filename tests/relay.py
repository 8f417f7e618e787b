"""A relay before a server that counts what goes through: the server's bytes, and how often it was asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlsplit

Target = str | tuple[str, int]
"""A unix socket, or a host and a port."""


class Relay:
    """Carries connections from a port of this machine to a server.

    `sent_bytes` is what the server sent. `trips` are round trips: a caller that sends something after it was
    answered begins one, however much it sends, in how many commands, before it waits for the answer.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.sent_bytes = 0
        self.trips = 0
        self.port = int(self._listener.getsockname()[1])
        self.url = ""

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET)
                server.connect(self._target)
                asked = threading.Event()
                for pair, from_server in (((client, server), False), ((server, client), True)):
                    for end in pair:
                        if end.family != socket.AF_UNIX:
                            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._carry, args=(*pair, from_server, asked), daemon=True).start()

    def lead_to(self, target: Target) -> None:
        """Carry new connections to another server, and those that are open as before."""
        self._target = target

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _carry(self, source: socket.socket, target: socket.socket, from_server: bool, asked: threading.Event) -> None:
        with suppress(OSError), target:
            while data := source.recv(65_536):
                if from_server:
                    self.sent_bytes += len(data)
                    asked.clear()
                elif not asked.is_set():
                    self.trips += 1
                    asked.set()
                target.sendall(data)


@contextmanager
def relay(url: str) -> Iterator[Relay]:
    """A running relay to the PostgreSQL server at `url`, which listens on a unix socket."""
    with _running(f"{parse_qs(urlsplit(url).query)['host'][0]}/.s.PGSQL.5432") as running:
        running.url = f"postgresql://postgres@127.0.0.1:{running.port}/postgres?sslmode=disable&gssencmode=disable"
        yield running


@contextmanager
def redis_relay(port: int) -> Iterator[Relay]:
    """A running relay to the Redis server at `port` of this machine."""
    with _running(("127.0.0.1", port)) as running:
        running.url = f"redis://127.0.0.1:{running.port}"
        yield running


@contextmanager
def _running(target: Target) -> Iterator[Relay]:
    made = Relay(target)
    threading.Thread(target=made.serve, daemon=True).start()
    try:
        yield made
    finally:
        made.close()
