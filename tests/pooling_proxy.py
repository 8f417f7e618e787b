"""A proxy before PostgreSQL that lends its connections by the transaction, as PgBouncer does in that mode.

Each transaction of a client goes over another connection of the server than the one before: what a client tells its
connection (SET, prepared statements, session locks) is gone with the transaction, or stays with somebody else.
"""

from __future__ import annotations

import queue
import select
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlsplit

STARTUP, SSL, GSS, CANCEL = 196_608, 80_877_103, 80_877_104, 80_877_102
READY, IDLE = b"Z", b"I"
CONNECTIONS = 3
NO_OPTIONS = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
"""PgBouncer's answer to `options=`."""
TRANSACTION_ENDS_AFTER = (b"Q", b"S")
"""Messages of a client that the server answers with READY."""


class PoolingProxy:
    """Listens on a port of this machine, and has CONNECTIONS to the server at the unix socket `path`."""

    def __init__(self, path: str, user: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._free: queue.Queue[socket.socket] = queue.Queue()
        self._open: list[socket.socket] = []
        self.transactions = 0
        self._path, self._user = path, user
        for _ in range(CONNECTIONS):
            self._connect()

    def serve(self) -> None:
        """Take clients until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _connect(self) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._path)
        self._open.append(server)
        said = b"user\0" + self._user.encode() + b"\0database\0postgres\0client_encoding\0UTF8\0\0"
        server.sendall(struct.pack("!ii", len(said) + 8, STARTUP) + said)
        self._hello = b"".join(_until_ready(server))
        self._free.put(server)

    def close(self) -> None:
        """End all connections."""
        self._listener.close()
        for one in self._open:
            one.close()

    def _talk(self, client: socket.socket) -> None:
        with suppress(OSError, ConnectionError), client:
            while True:
                length, kind = struct.unpack("!ii", _exactly(client, 8))
                said = _exactly(client, length - 8)
                if kind == STARTUP:
                    break
                if kind == CANCEL:
                    return
                client.sendall(b"N")
            if b"\0options\0" in said:
                client.sendall(b"E" + struct.pack("!i", len(NO_OPTIONS) + 4) + NO_OPTIONS)
                return
            client.sendall(self._hello)
            while True:
                self._transaction(client, _message(client))

    def _transaction(self, client: socket.socket, first: bytes) -> None:
        """Lend a connection from a client's first message to the end of its transaction."""
        if first[:1] == b"X":
            raise ConnectionError
        server = self._free.get()
        self.transactions += 1
        try:
            server.sendall(first)
            open_ends = int(first[:1] in TRANSACTION_ENDS_AFTER)
            while True:
                readable, _, _ = select.select([client, server], [], [])
                if client in readable:
                    said = _message(client)
                    server.sendall(said)
                    open_ends += said[:1] in TRANSACTION_ENDS_AFTER
                if server in readable:
                    said = _message(server)
                    client.sendall(said)
                    if said[:1] == READY:
                        open_ends -= 1
                        if not open_ends and said[5:6] == IDLE:
                            self._free.put(server)
                            return
        except (OSError, ConnectionError):
            # The client is gone in the middle of it; nobody else gets what is left.
            server.close()
            self._connect()
            raise


@contextmanager
def pooling_proxy(url: str, *, user: str) -> Iterator[PoolingProxy]:
    """A running proxy to the server at `url`, which listens on a unix socket and trusts `user`."""
    proxy = PoolingProxy(f"{parse_qs(urlsplit(url).query)['host'][0]}/.s.PGSQL.5432", user)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.close()


def _exactly(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = source.recv(size - len(found))
        if not more:
            raise ConnectionError
        found += more
    return found


def _message(source: socket.socket) -> bytes:
    head = _exactly(source, 5)
    return head + _exactly(source, struct.unpack("!i", head[1:])[0] - 4)


def _until_ready(server: socket.socket) -> Iterator[bytes]:
    while True:
        said = _message(server)
        yield said
        if said[:1] == READY:
            return
