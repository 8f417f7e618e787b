"""What happens to the nodes of a cluster in tests: they fall silent, take no writes, or lose connections."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle

import redis


def opened(client: redis.Redis) -> int:
    """How many connections others have to the server of `client`."""
    return len(client.client_list(_type="normal")) - 1


def scripts_sent(client: redis.Redis) -> int:
    """How many connections of others a server was last sent a script over."""
    return sum(one["cmd"] == "evalsha" for one in client.client_list(_type="normal"))


WRITTEN_BETWEEN = 40
"""Commands from one broken connection to the next."""


@contextmanager
def writes_paused(clients: Sequence[redis.Redis]) -> Iterator[None]:
    """The servers answer no script while the block runs."""
    for client in clients:
        client.client_pause(60_000, all=False)
    try:
        yield
    finally:
        for client in clients:
            client.client_unpause()


@contextmanager
def silent(clients: Sequence[redis.Redis]) -> Iterator[list[int]]:
    """All servers stand still while the block runs; gives how often somebody connected to each meanwhile."""
    connected: list[int] = []
    before = [client.info("stats")["total_connections_received"] for client in clients]
    processes = [client.info("server")["process_id"] for client in clients]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield connected
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)
    after = [client.info("stats")["total_connections_received"] for client in clients]
    connected += [now - then for now, then in zip(after, before, strict=True)]


@contextmanager
def breaking(clients: Sequence[redis.Redis], written: Sequence[int]) -> Iterator[list[int]]:
    """Closes all connections to one server after the other while the block runs; gives how many, each time.

    The next time comes with what was written meanwhile, not by a clock: on a slow machine connections would be
    closed faster than they are made, and no call is sent again for ever.
    """
    broken: list[int] = []
    over = threading.Event()

    def close() -> None:
        for times, client in enumerate(cycle(clients), start=1):
            while len(written) < times * WRITTEN_BETWEEN:
                if over.wait(0.001):
                    return
            broken.append(client.client_kill_filter(_type="normal", skipme=True))

    thread = threading.Thread(target=close)
    thread.start()
    try:
        yield broken
    finally:
        over.set()
        thread.join()
