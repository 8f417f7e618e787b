"""A relay before a PostgreSQL server that counts what the server sends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlsplit


class Relay:
    """Carries connections from a port of this machine to a server's unix socket, and counts the server's bytes."""

    def __init__(self, url: str) -> None:
        self._target = f"{parse_qs(urlsplit(url).query)['host'][0]}/.s.PGSQL.5432"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.sent_bytes = 0
        port = self._listener.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable&gssencmode=disable"

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                for pair, counted in (((client, server), False), ((server, client), True)):
                    threading.Thread(target=self._carry, args=(*pair, counted), daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _carry(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        with suppress(OSError), target:
            while data := source.recv(65_536):
                if counted:
                    self.sent_bytes += len(data)
                target.sendall(data)


@contextmanager
def relay(url: str) -> Iterator[Relay]:
    """A running relay to the server at `url`."""
    running = Relay(url)
    threading.Thread(target=running.serve, daemon=True).start()
    try:
        yield running
    finally:
        running.close()
