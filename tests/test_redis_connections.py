"""Redis that is not to be had: an error that says whether to retry, in both voices."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import redis
from redis_server import RedisServer, redis_sentinel, redis_server
from relay import redis_relay

from session_core.errors import ConfigError, StoreBusy, StoreError, StoreLost
from session_core.stores.redis import direct, primaries
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.voices import run_blocking


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


def refused_in_both_voices(store: RedisStore, kind: type[StoreError], mend: str) -> None:
    with pytest.raises(kind, match=mend):
        run_blocking(store.append(KEY, [message(1)]))
    with pytest.raises(kind, match=mend):
        asyncio.run(awaited(store))
    run_blocking(store.close())


def until(come: Callable[[], object]) -> None:
    """Return when it has come."""
    end = time.monotonic() + 30
    while not come():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def sentinel_at(url: str) -> redis.Redis:
    """A client for the sentinel that `url` names."""
    return redis.Redis(port=urlsplit(url).port or 0, decode_responses=True)


def failing_over(watcher: redis.Redis) -> bool:
    """Whether the sentinel puts a replica in the place of the primary; it does once it knows one."""
    try:
        watcher.execute_command("SENTINEL", "FAILOVER", "main")
    except redis.ResponseError:
        return False
    return True


async def awaited(store: RedisStore) -> None:
    await store.awaiting().append(KEY, [message(1)])


def test_a_server_that_is_gone_is_lost_for_now(server: RedisServer) -> None:
    store = RedisStore(f"{server.url}?retries=0")
    run_blocking(store.append(KEY, [message(1)]))
    server.kill()
    for refused in (lambda: run_blocking(store.append(KEY, [message(1)])), lambda: asyncio.run(awaited(store))):
        with pytest.raises(StoreLost, match="retry"):
            refused()
    server.start()
    run_blocking(store.append(KEY, [message(2)]))
    run_blocking(store.close())


def test_a_service_without_a_primary_is_lost_for_now(server: RedisServer) -> None:
    with redis_sentinel(server) as url:
        unknown = RedisStore(f"{url.rpartition('/')[0]}/another?retries=0")
        refused_in_both_voices(unknown, StoreLost, "no primary that its sentinels know of")


def test_a_server_that_is_no_sentinel_is_not_called_too_old(server: RedisServer) -> None:
    url = server.url.replace("redis:", "redis+sentinel:") + "/main?retries=0"
    refused_in_both_voices(RedisStore(url), StoreError, "is not a sentinel")


def test_a_database_that_is_not_there_is_named(server: RedisServer) -> None:
    refused_in_both_voices(RedisStore(f"{server.url}/99"), StoreError, "no database of that number")


def test_a_server_that_says_nothing_is_tried_as_often_as_the_url_says() -> None:
    """As a plain server does when it is spoken to over TLS."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        quick = "socket_connect_timeout=0.3&socket_timeout=0.3&retries=2"
        refused_in_both_voices(RedisStore(f"rediss://127.0.0.1:{port}?{quick}"), StoreLost, "did not answer in time")
        silent.setblocking(False)
        tries = []
        with contextlib.suppress(BlockingIOError):
            while True:
                tries.append(silent.accept()[0])
        for one in tries:
            one.close()
    assert len(tries) == 2 * (1 + 2)


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_primary_that_was_replaced_is_left_while_it_still_takes_writes(
    voice: str, server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(primaries, "ASKED_AFTER_S", 0.0)
    with redis_server() as other, other.client() as second, server.client() as first:
        first.config_set("repl-diskless-sync-delay", 0)
        second.replicaof("127.0.0.1", server.port)
        until(lambda: second.info("replication")["master_link_status"] == "up")
        with redis_sentinel(server) as url, sentinel_at(url) as watcher:
            store = RedisStore(url)

            async def talk() -> None:
                spoken = store.awaiting() if voice == "awaiting" else store
                await spoken.append(KEY, [message(1)])
                first.wait(1, 5000)
                until(lambda: failing_over(watcher))
                until(lambda: watcher.sentinel_masters()["main"]["port"] == other.port)
                assert first.info("replication")["role"] == "master"
                await spoken.append(KEY, [message(2)])
                await spoken.close()

            run_blocking(talk()) if voice == "blocking" else asyncio.run(talk())
            found = RedisStore(other.url)
            assert [one.id for one in run_blocking(found.record(KEY))] == ["m1", "m2"]
            run_blocking(found.close())


@pytest.mark.parametrize("kind", ["one", "sentinel"])
def test_a_thread_ends_its_call_though_the_store_is_closed_meanwhile(kind: str, server: RedisServer) -> None:
    with redis_sentinel(server) as watched, server.client() as client, ThreadPoolExecutor(1) as thread:
        store = RedisStore(f"{server.url if kind == 'one' else watched}?retries=0")
        run_blocking(store.append(KEY, [message(1)]))
        run_blocking(store.state(KEY))
        (ours,) = [one["id"] for one in client.client_list() if one["cmd"] == "hget"]
        client.client_pause(20_000, all=False)
        call = thread.submit(lambda: run_blocking(store.append(KEY, [message(2)])))
        until(lambda: client.client_list(client_id=[ours])[0]["cmd"] == "evalsha")
        run_blocking(store.close())
        client.client_unpause()
        assert call.result().seqs == (2,)
        until(lambda: ours not in [one["id"] for one in client.client_list()])


def test_tasks_that_begin_together_ask_the_sentinels_once(server: RedisServer) -> None:
    async def many() -> int:
        await asyncio.gather(*[store.awaiting().append(KEY, [message(number)]) for number in range(24)])
        return len(watcher.client_list(_type="normal"))

    with redis_sentinel(server) as url, sentinel_at(url) as watcher:
        store = RedisStore(url)
        watcher.ping()
        alone = len(watcher.client_list(_type="normal"))
        assert asyncio.run(many()) == alone + 1
        until(lambda: len(watcher.client_list(_type="normal")) == alone)


def test_a_server_with_too_few_replicas_is_told() -> None:
    with redis_server(min_replicas_to_write="1") as alone:
        refused_in_both_voices(RedisStore(alone.url), StoreBusy, "too few replicas")
        with redis_sentinel(alone) as url:
            refused_in_both_voices(RedisStore(url), StoreLost, "accepts no writes: it was replaced")


def test_a_sentinel_that_says_nothing_is_asked_once_and_left_for_the_next(server: RedisServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, redis_sentinel(server) as url:
        both = url.replace("127.0.0.1", f"127.0.0.1:{silent.getsockname()[1]},127.0.0.1", 1)
        store = RedisStore(f"{both}?socket_timeout=0.1&socket_connect_timeout=0.1")
        run_blocking(store.append(KEY, [message(1)]))
        asyncio.run(awaited(store))
        run_blocking(store.close())
        silent.setblocking(False)
        for _ in ("blocking", "awaiting"):
            silent.accept()[0].close()
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_sentinels_with_a_password_of_their_own_are_asked_with_it(server: RedisServer) -> None:
    with redis_sentinel(server, settings_more="requirepass for-sentinels\n") as url:
        store = RedisStore(f"{url}?sentinel_password=for-sentinels")
        run_blocking(store.append(KEY, [message(1)]))
        asyncio.run(awaited(store))
        run_blocking(store.close())
        without = RedisStore(f"{url}?sentinel_password=another&retries=0")
        with pytest.raises(StoreError) as caught:
            run_blocking(without.load(KEY))
        assert "another" not in str(caught.value)
        run_blocking(without.close())
    with pytest.raises(ConfigError, match="redis\\+sentinel"):
        RedisStore(f"{server.url}?sentinel_password=another")


def test_a_server_with_no_connection_left_says_so_and_gives_one_when_it_has_one() -> None:
    with redis_server(appendonly="no", maxclients="2") as server:
        store = RedisStore(f"{server.url}?retries=0")
        with contextlib.ExitStack() as others:
            for _ in range(2):
                others.enter_context(server.client()).ping()
            # A connection that is closed before it has sent all of its greeting does not hear why.
            until(lambda: "raise maxclients" in refusal(lambda: run_blocking(store.append(KEY, [message(1)]))))
            until(lambda: "raise maxclients" in refusal(lambda: asyncio.run(awaited(store))))
        until(lambda: not refusal(lambda: run_blocking(store.append(KEY, [message(1)]))))
        run_blocking(store.close())


def test_a_name_that_leads_to_another_primary_is_followed_though_connections_to_the_old_one_stay_open(server):
    with redis_server() as other, redis_relay(server.port) as named, asyncio.Runner() as runner:
        store = RedisStore(named.url)
        awaiting = store.awaiting()
        run_blocking(store.append(KEY, [message(1)]))
        runner.run(awaiting.append(KEY, [message(2)]))
        with server.client() as replaced:
            replaced.replicaof("127.0.0.1", str(other.port))
        with pytest.raises(StoreLost, match="is a read-only replica, and nothing was written; retry"):
            run_blocking(store.append(KEY, [message(3)]))
        with pytest.raises(StoreLost, match="is a read-only replica, and nothing was written; retry"):
            runner.run(awaiting.append(KEY, [message(4)]))
        named.lead_to(("127.0.0.1", other.port))
        run_blocking(store.append(KEY, [message(5)]))
        runner.run(awaiting.append(KEY, [message(6)]))
        assert [said.id for said in run_blocking(RedisStore(other.url).record(KEY))] == [message(5).id, message(6).id]
        runner.run(awaiting.close())


def test_a_process_that_only_reads_follows_a_name_that_leads_to_another_primary(server, monkeypatch):
    monkeypatch.setattr(direct, "ROLE_ASKED_AFTER_S", 0.0)
    with redis_server() as other, redis_relay(server.port) as named, asyncio.Runner() as runner:
        store, later = RedisStore(named.url), RedisStore(other.url)
        awaiting = store.awaiting()
        run_blocking(store.append(KEY, [message(1)]))
        run_blocking(later.append(KEY, [message(1), message(2)]))
        assert len(runner.run(awaiting.record(KEY))) == 1
        with server.client() as replaced:
            # It reaches no primary, and goes on with what it has.
            replaced.replicaof("127.0.0.1", "1")
        assert len(run_blocking(store.record(KEY))) == 1
        named.lead_to(("127.0.0.1", other.port))
        assert len(run_blocking(store.record(KEY))) == 2
        assert len(runner.run(awaiting.load(KEY)).messages) == 2
        runner.run(awaiting.close())


def test_who_may_not_ask_for_the_role_of_a_server_reads_all_the_same(server, monkeypatch):
    monkeypatch.setattr(direct, "ROLE_ASKED_AFTER_S", 0.0)
    with server.client() as admin:
        admin.acl_setuser("reader", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-info"])
    store = RedisStore(server.url.replace("//", "//reader:any@"))
    run_blocking(store.append(KEY, [message(1)]))
    assert len(run_blocking(store.record(KEY))) == 1
    run_blocking(store.close())


def test_a_replica_that_lost_its_primary_is_not_called_a_cluster() -> None:
    options = {"appendonly": "no", "replica-serve-stale-data": "no", "replicaof": "127.0.0.1 1"}
    with redis_server(**options) as server:
        refused_in_both_voices(RedisStore(f"{server.url}?retries=0"), StoreLost, "a replica without its primary")


def refusal(work: Callable[[], object]) -> str:
    """What the server is said to have against `work`; nothing when it did it."""
    try:
        work()
    except StoreBusy as exc:
        return str(exc)
    return ""
