"""A proxy of our own between a store and its real server, that cuts a connection in the middle of a reply."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a connection ends: before the request reaches the server, or behind `replied` bytes of the reply."""

    replied: int = 0
    unsent: bool = False

    def __str__(self) -> str:
        return "before the request" if self.unsent else f"behind {self.replied} bytes"


class CuttingProxy:
    """Forwards to `target`, a port of this machine or a unix socket; cuts the next connections as it is told."""

    def __init__(self, target: int | Path) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._cuts: list[Cut] = []
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.replied = 0
        self.made = 0
        """How many bytes of replies came through, and how many cuts were made."""

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def cut(self, *cuts: Cut) -> None:
        """Cut the next connections that are used, one after the other; bytes count from the one before."""
        with self._lock:
            self._cuts, self.replied, self.made = list(cuts), 0, 0

    def start(self) -> None:
        self._run(self._accept)

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            _end(one)
        for thread in self._threads:
            thread.join()

    def _run(self, work, *args) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_INET if isinstance(self._target, int) else socket.AF_UNIX)
            server.connect(("127.0.0.1", self._target) if isinstance(self._target, int) else str(self._target))
            self._open += [client, server]
            self._run(self._requests, client, server)
            self._run(self._replies, client, server)

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        for data in _read(client):
            with self._lock:
                unsent = bool(self._cuts) and self._cuts[0].unsent
                if unsent:
                    self._next_cut()
            if unsent or not _sent(server, data):
                break
        _end(client, server)

    def _replies(self, client: socket.socket, server: socket.socket) -> None:
        for data in _read(server):
            with self._lock:
                cut = self._cuts[0] if self._cuts and not self._cuts[0].unsent else None
                left = len(data) if cut is None else cut.replied - self.replied
                over = cut is not None and left <= len(data)
                self.replied += len(data)
                if over:
                    self._next_cut()
            if not _sent(client, data[: max(left, 0)] if over else data) or over:
                break
        _end(client, server)

    def _next_cut(self) -> None:
        self._cuts.pop(0)
        self.replied = 0
        self.made += 1


@contextmanager
def cutting_proxy(target: int | Path) -> Iterator[CuttingProxy]:
    """A running proxy before `target`."""
    proxy = CuttingProxy(target)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


def _read(source: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            data = source.recv(CHUNK)
        except OSError:
            return
        if not data:
            return
        yield data


def _sent(target: socket.socket, data: bytes) -> bool:
    try:
        target.sendall(data)
    except OSError:
        return False
    return True


def _end(*sockets: socket.socket) -> None:
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
