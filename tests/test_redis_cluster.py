"""A cluster of Redis servers under many callers: at their first calls, as connections break, as a slot is moved."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from cluster_faults import breaking, opened, scripts_sent, silent, writes_paused
from redis_server import redis_cluster, redis_server
from waiting import until

from session_core.errors import ConfigError, StoreBusy, StoreError, StoreLost
from session_core.stores.redis.address import Address
from session_core.stores.redis.driver import require_driver
from session_core.stores.redis.senders import awaiting_sender, blocking_sender
from session_core.stores.redis.store import RedisStore
from session_core.testing.fakes import message
from session_core.turns import Key
from session_core.voices import run_blocking

CALLERS, CALLS = 24, 60
KEYS = [Key(f"session {number}") for number in range(12)]
COUNTER, IN_SLOT_0 = "{06S}counter", Key("s42131")
"""A key and a session in slot 0, which belongs to the first server."""


@pytest.fixture
def nodes() -> Iterator[tuple[str, list[redis.Redis]]]:
    """The URL of a cluster, and a client for each of its servers."""
    with redis_cluster() as url:
        ports = [int(host.rpartition(":")[2]) for host in url.removeprefix("redis+cluster://").split(",")]
        clients = [redis.Redis(host="127.0.0.1", port=port) for port in ports]
        yield url, clients
        for client in clients:
            client.close()


def test_calls_that_come_before_the_nodes_are_known_go_to_the_right_one(nodes):
    url, clients = nodes
    store = RedisStore(url)

    async def start() -> None:
        awaiting = store.awaiting()
        await asyncio.gather(*[awaiting.append(key, [message(1)]) for key in KEYS * 4])
        await awaiting.close()

    asyncio.run(start())
    assert [name for client in clients for name in client.info("errorstats") if "MOVED" in name] == []


def test_an_awaiting_caller_sees_nothing_of_connections_that_break(nodes):
    url, clients = nodes
    store, written = RedisStore(url), list[int]()

    async def write(caller: int) -> None:
        for call in range(CALLS):
            await store.awaiting().append(KEYS[(caller + call) % len(KEYS)], [message(caller * 1_000 + call)])
            written.append(caller)

    async def all_write() -> None:
        await asyncio.gather(*map(write, range(CALLERS)))

    with breaking(clients, written) as broken:
        asyncio.run(all_write())
    assert sum(broken) > CALLERS
    assert sum(len(run_blocking(store.record(key))) for key in KEYS) == CALLERS * CALLS
    run_blocking(store.close())


def test_a_blocking_caller_sees_nothing_of_connections_that_break(nodes):
    url, clients = nodes
    store, written = RedisStore(url), list[int]()

    def write(caller: int) -> None:
        for call in range(CALLS):
            run_blocking(store.append(KEYS[(caller + call) % len(KEYS)], [message(caller * 1_000 + call)]))
            written.append(caller)

    with breaking(clients, written) as broken, ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(write, range(CALLERS)))
    assert sum(broken) > CALLERS
    assert sum(len(run_blocking(store.record(key))) for key in KEYS) == CALLERS * CALLS
    run_blocking(store.close())


def test_it_closes_what_is_open_after_a_connection_broke(nodes):
    url, clients = nodes
    store = RedisStore(f"{url}?retries=0")

    async def broken() -> list[int]:
        awaiting = store.awaiting()
        await asyncio.gather(*[awaiting.append(key, [message(1)]) for key in KEYS])
        before = [opened(client) for client in clients]
        clients[0].client_kill_filter(_type="normal", skipme=True)
        lost = await asyncio.gather(*[awaiting.append(key, [message(2)]) for key in KEYS], return_exceptions=True)
        assert any(isinstance(one, StoreLost) for one in lost)
        await awaiting.close()
        return before

    assert min(asyncio.run(broken())) > 0
    until(lambda: not any(map(opened, clients)))


def test_calls_that_outlive_their_store_leave_no_connection(nodes):
    url, clients = nodes

    async def outlived() -> list[int]:
        awaiting = RedisStore(url).awaiting()
        calls = [asyncio.create_task(awaiting.state(key)) for key in KEYS]
        await asyncio.sleep(0)
        await awaiting.close()
        await asyncio.gather(*calls)
        return [opened(client) for client in clients]

    assert asyncio.run(outlived()) == [0, 0, 0]


def test_threads_that_begin_together_share_their_connections(nodes):
    url, clients = nodes
    store = RedisStore(f"{url}?max_connections=4")
    start = threading.Barrier(CALLERS)

    def write(caller: int) -> None:
        start.wait()
        run_blocking(store.append(KEYS[caller % len(KEYS)], [message(caller)]))

    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(write, range(CALLERS)))
    assert max(map(opened, clients)) <= 5, "four, and one that learned the nodes"
    run_blocking(store.close())
    until(lambda: not any(map(opened, clients)))


def test_nodes_that_are_all_down_are_lost_for_now():
    with socket.socket() as deaf:
        # Taken, so that nobody else can take it, and without a listener.
        deaf.bind(("127.0.0.1", 0))
        store = RedisStore(f"redis+cluster://127.0.0.1:{deaf.getsockname()[1]}")
        with pytest.raises(StoreLost, match=r"cannot be reached; is it running"):
            run_blocking(store.state(KEYS[0]))
        with pytest.raises(StoreLost, match=r"cannot be reached; is it running"):
            asyncio.run(store.awaiting().state(KEYS[0]))


def test_callers_that_wait_while_silent_nodes_are_asked_do_not_ask_them_again(nodes):
    url, clients = nodes
    store = RedisStore(f"{url}?socket_timeout=0.3")

    async def all_write() -> list[object]:
        awaiting = store.awaiting()
        await asyncio.gather(*[awaiting.append(key, [message(1)]) for key in KEYS])
        with silent(clients) as connected:
            lost = await asyncio.gather(*[awaiting.append(key, [message(2)]) for key in KEYS], return_exceptions=True)
        await awaiting.close()
        return [*lost, connected]

    *lost, connected = asyncio.run(all_write())
    assert [type(one) for one in lost] == [StoreLost] * len(KEYS)
    assert sum(connected) <= 2 * len(clients)


def test_threads_that_wait_while_silent_nodes_are_asked_do_not_ask_them_again(nodes):
    url, clients = nodes
    store = RedisStore(f"{url}?socket_timeout=1")
    start = threading.Barrier(len(KEYS))

    def write(key: Key, number: int) -> None:
        start.wait()
        run_blocking(store.append(key, [message(number)]))

    with ThreadPoolExecutor(len(KEYS)) as pool:
        with writes_paused(clients):
            first = [pool.submit(write, key, 1) for key in KEYS]
            # So each has a connection, and who connects later does it to learn the nodes.
            until(lambda: sum(map(scripts_sent, clients)) == len(KEYS))
        assert [one.exception() for one in first] == [None] * len(KEYS)
        with silent(clients) as connected:
            lost = [pool.submit(write, key, 2).exception for key in KEYS]
            assert [type(exception()) for exception in lost] == [StoreLost] * len(KEYS)
    run_blocking(store.close())
    # Each by itself would ask all nodes. On a slow machine some come when the others have given up, and ask again.
    assert sum(connected) < len(KEYS) * len(clients) / 2


def test_threads_that_come_before_silent_nodes_are_known_ask_them_once():
    start = threading.Barrier(len(KEYS))
    with socket.create_server(("127.0.0.1", 0)) as quiet:
        store = RedisStore(f"redis+cluster://127.0.0.1:{quiet.getsockname()[1]}?socket_timeout=0.3")

        def ask(key: Key) -> None:
            start.wait()
            run_blocking(store.state(key))

        with ThreadPoolExecutor(len(KEYS)) as pool:
            lost = [pool.submit(ask, key).exception for key in KEYS]
            assert [type(exception()) for exception in lost] == [StoreLost] * len(KEYS)
        quiet.accept()[0].close()
        quiet.setblocking(False)
        with pytest.raises(BlockingIOError):
            quiet.accept()


def test_a_server_that_is_no_cluster_is_told():
    with redis_server() as server:
        store = RedisStore(server.url.replace("redis://", "redis+cluster://").partition("/0")[0])
        with pytest.raises(StoreError, match=r"cannot be reached as a cluster"):
            run_blocking(store.state(KEYS[0]))
        run_blocking(store.close())


def test_a_wrong_password_is_no_node_that_is_down(nodes):
    url, clients = nodes
    for client in clients:
        client.config_set("requirepass", "right")
    for login, mend in (("", "requires a password"), (":wrong@", "refuses the user or password")):
        store = RedisStore(url.replace("://", f"://{login}"))
        with pytest.raises(StoreError, match=mend):
            run_blocking(store.state(KEYS[0]))
        with pytest.raises(StoreError, match=mend):
            asyncio.run(store.awaiting().state(KEYS[0]))


def test_a_slot_that_no_node_takes_is_told(nodes):
    url, clients = nodes
    store = RedisStore(url)
    run_blocking(store.append(KEYS[0], [message(1)]))
    owner, name = next((client, name) for client in clients for name in client.scan_iter("*{*"))
    slot = owner.execute_command("CLUSTER", "KEYSLOT", name)
    other = next(client for client in clients if client is not owner)
    other_id = other.execute_command("CLUSTER", "MYID")
    owner.execute_command("DEL", *owner.scan_iter("*{*"))
    owner.execute_command("CLUSTER", "SETSLOT", slot, "NODE", other_id)
    with pytest.raises(StoreBusy, match=r"from node to node; .* half moved, .* retry"):
        run_blocking(store.append(KEYS[0], [message(2)]))
    run_blocking(store.close())


def moved(owner: redis.Redis, other: redis.Redis, *names: str | bytes) -> None:
    """Begin to move slot 0 to `other`: these keys are there then, and `owner` has the slot still."""
    other.execute_command("CLUSTER", "SETSLOT", 0, "IMPORTING", owner.execute_command("CLUSTER", "MYID"))
    owner.execute_command("CLUSTER", "SETSLOT", 0, "MIGRATING", other.execute_command("CLUSTER", "MYID"))
    owner.migrate("127.0.0.1", other.get_connection_kwargs()["port"], list(names), 0, 5000)


def refusals(server: redis.Redis) -> int:
    """How many calls it told to try again."""
    return int(str(server.info("errorstats").get("errorstat_TRYAGAIN", {"count": 0})["count"]))


def knows_four(server: redis.Redis) -> bool:
    """Whether the server takes part in a cluster of four that works."""
    told = str(server.execute_command("CLUSTER", "INFO"))
    return "ok" in told.partition("cluster_state")[2][:12] and "4" in told.partition("cluster_known_nodes")[2][:8]


def count_in_both_voices(url: str, name: str, move: Callable[[], None]) -> int:
    """The value of a counter that eight add to, on several connections, before and after `move`."""
    address = Address.parse(url)
    add = [("INCR", name)]

    async def talk() -> None:
        sender = awaiting_sender(address)
        for step in (move, lambda: None):
            await asyncio.gather(*(sender.send(add) for _ in range(4)))
            step()
        await sender.close()

    sender = blocking_sender(address)
    sender.send([("SET", name, 0)])
    asyncio.run(talk())
    try:
        return int(sender.send(add)[0])
    finally:
        sender.close()


def test_calls_follow_a_slot_that_is_being_moved(nodes):
    url, clients = nodes
    assert count_in_both_voices(url, COUNTER, lambda: moved(clients[0], clients[1], COUNTER)) == 9


def test_calls_follow_a_slot_to_a_server_that_had_none(nodes):
    url, clients = nodes
    with redis_server(**{"cluster-enabled": "yes"}) as joining, joining.client() as other:
        other.execute_command("CLUSTER", "MEET", "127.0.0.1", clients[0].get_connection_kwargs()["port"])
        end = time.monotonic() + 30
        while not all(knows_four(one) for one in (*clients, other)):
            assert time.monotonic() < end, "the server did not join"
            time.sleep(0.05)
        assert count_in_both_voices(url, COUNTER, lambda: moved(clients[0], other, COUNTER)) == 9


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_session_in_a_slot_that_is_being_moved_is_waited_for(nodes, voice):
    """Meanwhile both servers refuse calls for several keys, some of which may not exist yet."""
    url, (owner, other, _) = nodes
    store = RedisStore(url)
    run_blocking(store.append(IN_SLOT_0, [message(1)]))
    moved(owner, other, *owner.scan_iter("*{*"))
    with ThreadPoolExecutor() as pool:
        if voice == "blocking":
            appended = pool.submit(run_blocking, store.append(IN_SLOT_0, [message(2)]))
        else:
            appended = pool.submit(asyncio.run, store.awaiting().append(IN_SLOT_0, [message(2)]))
        # The driver gives up after eight refusals.
        while not appended.done() and refusals(owner) + refusals(other) < 10:
            time.sleep(0.01)
        for server in (other, owner):
            server.execute_command("CLUSTER", "SETSLOT", 0, "NODE", other.execute_command("CLUSTER", "MYID"))
        appended.result()
    assert len(run_blocking(store.record(IN_SLOT_0))) == 2
    run_blocking(store.close())


def test_a_driver_that_loses_nodes_is_refused_for_clusters_alone():
    for old in ("6.4.0", "7.4.1", "8.0.0"):
        with pytest.raises(ConfigError, match=r"a cluster needs redis-py 8\.0\.1 or newer, this is .*; pip install -U"):
            require_driver(Address.parse("redis+cluster://localhost"), old)
        require_driver(Address.parse("redis://localhost"), old)
    for new in ("8.0.1", "8.1.0", "10.0.0b1"):
        require_driver(Address.parse("redis+cluster://localhost"), new)
