"""The Redis store on real servers: promises, round trips, time to live, faults, many callers at once."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import redis
from blocking_voice import BASE, BlockingVoice
from fault_table import tell
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.graph import START, MessagesState, StateGraph
from pair_writers import check_processes, whole_pairs
from redis_server import RedisServer, redis_sentinel, redis_server

from langchain_session import SessionSaver
from session_core import Budget, Message, Policy, Role, Session, Sessions
from session_core.errors import ConfigError, Conflict, NewerSchema, StoreBusy, StoreError, StoreLost, StoreUnreadable
from session_core.plan import Digest
from session_core.ports import Checkpoint, MessageList, Plain, SessionStore, Write
from session_core.ranges import Ranges
from session_core.stores.fair_semaphore import FairSemaphore
from session_core.stores.open import open_store
from session_core.stores.redis.driver import TIMEOUTS_S
from session_core.stores.redis.names import Names
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, STORE_PROMISES, message
from session_core.turns import Key
from session_core.voices import run_blocking


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
def url(server: RedisServer) -> str:
    with server.client() as client:
        client.flushall()
    return server.url


@pytest.fixture
def store(url: str) -> Iterator[RedisStore]:
    made = RedisStore(url)
    yield made
    run_blocking(made.close())


def keys(server: RedisServer) -> list[bytes]:
    with server.client() as client:
        return list(client.scan_iter())


def fill(store: SessionStore, key: Key, count: int) -> None:
    for first in range(1, count + 1, 20):
        run_blocking(store.append(key, [message(n) for n in range(first, min(first + 20, count + 1))]))


def everything(store: SessionStore, key: Key = KEY) -> None:
    """One of each kind of thing that a session can hold."""
    run_blocking(store.append(key, [message(1), message(2)]))
    run_blocking(store.append(Key(key.session_id, key.tenant, "inner"), [message(1)]))
    run_blocking(store.put_digest(key, Digest(Ranges.span(1, 1), "summary"), expected=0))
    values = {"messages": MessageList((message(1), message(3))), "other": Plain("t", b"x")}
    checkpoint = Checkpoint(key, "1", None, Plain("t", b"y"), {"messages": "1", "other": "1"})
    run_blocking(store.put_checkpoint(checkpoint, values, head_channel="messages", merge=True))
    run_blocking(store.put_writes(key, "1", [Write("task", 0, "messages", MessageList((message(4),)))]))


# Promises


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_blocking(promise, store):
    run_blocking(promise(store))


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_awaiting(promise, store):
    asyncio.run(promise(store.awaiting()))


@pytest.fixture
def on_cluster(cluster: str) -> Iterator[RedisStore]:
    hosts = cluster.removeprefix("redis+cluster://").split(",")
    for host in hosts:
        with redis.Redis(host="127.0.0.1", port=int(host.rpartition(":")[2])) as client:
            client.flushall()
    made = RedisStore(f"{cluster}?ttl_s=60")
    yield made
    run_blocking(made.close())


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_on_a_cluster_blocking(promise, on_cluster):
    run_blocking(promise(on_cluster))


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_on_a_cluster_awaiting(promise, on_cluster):
    asyncio.run(promise(on_cluster.awaiting()))


def test_it_finds_the_primary_through_a_sentinel(server, url):
    with redis_sentinel(server) as sentinel:
        store = open_store(sentinel)
        run_blocking(store.append(KEY, [message(1)]))
        assert asyncio.run(_ids(store.awaiting(), KEY)) == ["m1"]
        run_blocking(store.close())


@pytest.mark.parametrize("name", ["plain", "{brace}", "}{", "a|b", "%7B", "", "é 漢 \U0001f642", "half \ud800", "a:s:"])
def test_all_keys_of_a_session_are_in_one_slot_whatever_it_is_called(name, store, server):
    key, lists = Key(f"s{name}", f"t{name}"), (b"llms:sessions:", b"llms:tenants")
    everything(store, key)
    run_blocking(store.append(Key(f"s{name}", f"t{name}", f"n{name}"), [message(1)]))
    slots = {redis.crc.key_slot(one) for one in keys(server) if not one.startswith(lists)}
    assert len(slots) == 1
    assert [state.key for state in run_blocking(store.sessions(f"t{name}"))] == [key]
    assert run_blocking(store.delete(key)) == 5
    assert [one for one in keys(server) if not one.startswith(lists)] == []


# Round trips, size


class Counted:
    """A wire that counts how often its caller waits for a server."""

    def __init__(self, wire) -> None:
        self.address = wire.address
        self.trips = 0
        self._wire = wire

    async def run(self, *calls):
        self.trips += 1
        return await self._wire.run(*calls)

    async def ask(self, *commands):
        self.trips += 1
        return await self._wire.ask(*commands)

    async def close(self):
        await self._wire.close()


def _reads(server: RedisServer) -> int:
    """How many requests, each of one or more commands, the server has read; this one included. The end of a
    connection is one too: garbage of other tests ends none later."""
    gc.collect()
    with server.client() as client:
        return int(client.info("stats")["total_reads_processed"])


@pytest.mark.parametrize("ttl", ["", "?ttl_s=600"])
@pytest.mark.parametrize("count", [10, 2_000])
def test_an_append_and_a_load_take_one_round_trip_at_any_age(count, ttl, url):
    fill(RedisStore(url + ttl), KEY, count)
    for work in (lambda s: s.append(KEY, [message(9_001), message(9_002)]), lambda s: s.load(KEY)):
        for _ in range(2):
            store = RedisStore(Counted(RedisStore(url + ttl)._wire))
            run_blocking(work(store))
            assert store._wire.trips == 1


def test_a_round_trip_is_one_read_for_the_server_also_for_a_new_session(server, url):
    store = RedisStore(f"{url}?ttl_s=600")
    fill(store, KEY, 10)
    run_blocking(store.load(KEY))
    overhead = -_reads(server) + _reads(server)
    before = _reads(server)
    run_blocking(store.append(KEY, [message(n) for n in range(20, 30)]))
    run_blocking(store.load(KEY))
    run_blocking(store.append(Key("new"), [message(1)]))
    run_blocking(store.state(KEY))
    assert _reads(server) - before - overhead == 4
    run_blocking(store.close())


def test_a_checkpoint_takes_one_round_trip_to_put_and_one_to_get(store):
    everything(store)
    counted = RedisStore(Counted(store._wire))
    checkpoint = Checkpoint(KEY, "2", "1", Plain("t", b"y"), {"messages": "2"})
    items = MessageList((message(1), message(5)))
    run_blocking(counted.put_checkpoint(checkpoint, {"messages": items}, head_channel="messages", merge=True))
    run_blocking(counted.put_writes(KEY, "2", [Write("task", 0, "other", Plain("t", b"z"))]))
    run_blocking(counted.checkpoint(KEY))
    assert counted._wire.trips == 3


def test_a_known_message_is_not_sent_again(store, server):
    body = "long words " * 5_000
    run_blocking(store.append(KEY, [message(1, content=body)]))
    with server.client() as client:
        before = client.info("stats")["total_net_input_bytes"]
        for number in range(5):
            checkpoint = Checkpoint(KEY, str(number), None, Plain("t", b"y"), {"messages": str(number)})
            items = MessageList((message(1, content=body),))
            run_blocking(store.put_checkpoint(checkpoint, {"messages": items}, head_channel="messages", merge=True))
        assert client.info("stats")["total_net_input_bytes"] - before < 5_000


def _size(server: RedisServer) -> int:
    with server.client() as client:
        return sum(int(client.memory_usage(key, samples=0) or 0) for key in client.scan_iter())


@pytest.mark.parametrize(("characters", "most"), [(400, 1.3), (4_000, 1.0)])
@pytest.mark.parametrize("count", [100, 1_000])
def test_the_server_holds_little_more_than_the_messages_and_less_when_they_are_long(
    count, characters, most, store, server
):
    rnd = random.Random(7)
    words = ["".join(rnd.choices("abcdefghijklmnopqrstuvwxyz", k=rnd.randint(2, 9))) for _ in range(2_000)]
    said = [" ".join(rnd.choices(words, k=characters // 6))[:characters] for _ in range(count)]
    ids = [f"{rnd.getrandbits(128):032x}" for _ in said]
    for text, name in zip(said, ids, strict=True):
        run_blocking(store.append(KEY, [Message(Role.USER, text, id=name, tokens=99, time_s=1.7e9)]))
    assert _size(server) < most * sum(len(text) for text in said)


def test_a_message_is_stored_once_by_appends_writes_and_checkpoints(store, server):
    texts = [random.Random(n).randbytes(2_000).hex() for n in range(20)]
    for n, text in enumerate(texts):
        said = MessageList((message(n, content=text),))
        run_blocking(store.put_writes(KEY, str(n), [Write("task", 0, "messages", said)]))
        part = (Ranges.span(1, n), message(n, content=text)) if n else (message(n, content=text),)
        checkpoint = Checkpoint(KEY, f"{n:03}", f"{n - 1:03}", Plain("t", b"y"), {"messages": str(n)})
        run_blocking(
            store.put_checkpoint(checkpoint, {"messages": MessageList(part)}, head_channel="messages", merge=True)
        )
        run_blocking(store.put_writes(KEY, f"{n:03}", [Write("later", 0, "messages", said)]))
    assert len(run_blocking(store.record(KEY))) == 20
    assert _size(server) < 1.3 * sum(map(len, texts))
    found = run_blocking(store.checkpoint(KEY, "007"))
    assert [item.content for item in found.writes[0].value.items] == [texts[7]]


# Time to live


def test_every_key_of_a_session_has_its_time_to_live(server, url):
    store = RedisStore(f"{url}?ttl_s=600")
    everything(store)
    with server.client() as client:
        times = {key: client.pttl(key) for key in client.scan_iter()}
    assert len(times) == 9
    assert all(0 < left <= 2 * 600_000 for left in times.values()), times
    run_blocking(store.close())


def test_without_a_lifetime_no_key_expires(store, server):
    everything(store)
    with server.client() as client:
        assert {client.pttl(key) for key in client.scan_iter()} == {-1}


@pytest.mark.parametrize("use", [lambda s: s.load(KEY), lambda s: s.append(KEY, [message(1)])], ids=["load", "append"])
def test_each_use_gives_the_whole_session_its_time_again(use, server, url):
    store = RedisStore(f"{url}?ttl_s=600")
    everything(store)
    with server.client() as client:
        names = Names().of(KEY)
        for key in names:
            client.pexpire(key, 60_000)
        run_blocking(use(store))
        assert all(client.pttl(key) > 500_000 for key in names)
    run_blocking(store.close())


def test_an_idle_session_ends_whole_and_leaves_the_list(server, url):
    store, listed = RedisStore(f"{url}?ttl_s=600"), Names().sessions("a tenant")
    everything(store)
    with server.client() as client:
        # As if its time had passed, and then twice as much.
        for key in keys(server):
            if key != listed and client.pttl(key) <= 600_000:
                client.pexpireat(key, 1)
        assert run_blocking(store.load(KEY)).messages == ()
        assert run_blocking(store.sessions("a tenant")) == ()
        client.zincrby(listed, -1_200_000, KEY.session_id)
        run_blocking(store.append(Key("other", "a tenant"), [message(1)]))
        assert client.zrange(listed, 0, -1) == [b"other"]
    run_blocking(store.close())


def test_a_session_lives_on_when_its_time_is_taken_away(server, url):
    everything(RedisStore(f"{url}?ttl_s=600"))
    run_blocking(RedisStore(url).append(KEY, [message(9)]))
    with server.client() as client:
        assert {client.pttl(key) for key in Names().of(KEY)} == {-1}


# Lists


def test_a_session_made_again_after_its_end_elsewhere_is_listed(store, server):
    other = RedisStore(store._wire)
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(other.delete(KEY))
    assert run_blocking(store.sessions()) == ()
    run_blocking(store.append(KEY, [message(1)]))
    assert [state.key for state in run_blocking(other.sessions())] == [KEY]


def test_stale_list_entries_are_removed_after_a_while_only(store, server):
    run_blocking(store.append(KEY, [message(1)]))
    listed = Names().sessions(KEY.tenant)
    with server.client() as client:
        client.zadd(listed, {"gone": 7_200_000 - time.time() * 1000, "coming": -time.time() * 1000})
        run_blocking(store.sessions())
        assert set(client.zrange(listed, 0, -1)) == {b"coming", b"a session"}


# Faults


def test_a_server_that_forgets_everything_gives_an_empty_session(store, server):
    everything(store)
    with server.client() as client:
        client.flushall()
    assert run_blocking(store.load(KEY)).messages == ()
    assert run_blocking(store.record(KEY)) == ()
    assert run_blocking(store.search(KEY, ["words"], max_hits=5)) == ()
    assert run_blocking(store.checkpoint(KEY)) is None
    everything(store)
    assert [m.id for m in run_blocking(store.record(KEY))] == ["m1", "m2", "m3"]
    assert [state.key for state in run_blocking(store.sessions())] == [KEY]


def test_a_digest_never_covers_what_a_server_forgot(store, server):
    fill(store, KEY, 4)
    with server.client() as client:
        client.flushall()
    with pytest.raises(Conflict, match="was deleted"):
        run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, 4), "old"), expected=0))
    run_blocking(store.append(KEY, [message(1)]))
    with pytest.raises(Conflict, match="fold again"):
        run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, 4), "old"), expected=0))


def test_a_digest_of_a_deleted_session_is_refused(store):
    first = run_blocking(store.append(KEY, [message(1), message(2)]))
    run_blocking(store.delete(KEY))
    digest = Digest(Ranges.span(1, 1), "what was deleted")
    with pytest.raises(Conflict, match="was deleted"):
        run_blocking(store.put_digest(KEY, digest, expected=0, born=first.state.born))
    begun = run_blocking(store.append(KEY, [message(3), message(4)]))
    with pytest.raises(Conflict, match="was deleted"):
        run_blocking(store.put_digest(KEY, digest, expected=0, born=first.state.born))
    assert run_blocking(store.put_digest(KEY, digest, expected=0, born=begun.state.born)).number == 1


def test_a_server_that_forgets_the_scripts_is_told_them_again(store, server):
    for round_ in range(2):
        everything(store, Key(f"session {round_}"))
        with server.client() as client:
            client.script_flush()
        run_blocking(store.append(Key("new"), [message(round_)]))
        assert len(run_blocking(store.load(Key(f"session {round_}"))).messages) == 2


def test_every_acknowledged_message_survives_the_death_of_the_server():
    with redis_server(appendfsync="always") as server:
        store, acknowledged, stop = RedisStore(server.url), [], threading.Event()

        def write() -> None:
            while not stop.is_set():
                number = len(acknowledged) * 2 + 1
                try:
                    run_blocking(store.append(KEY, [message(number), message(number + 1)]))
                except StoreError:
                    return
                acknowledged.append(number)

        writer = threading.Thread(target=write)
        writer.start()
        while len(acknowledged) <= 10:
            time.sleep(0.01)
        time.sleep(random.random() * 0.1)
        server.kill()
        stop.set()
        writer.join()
        server.start()
        found = [int(m.id[1:]) for m in run_blocking(store.record(KEY))]
        tell("redis killed (appendfsync always)", faults=1, acknowledged=2 * len(acknowledged), found=len(found))
        assert found == list(range(1, len(found) + 1))
        assert len(found) % 2 == 0
        assert 0 <= len(found) - 2 * len(acknowledged) <= 2
        run_blocking(store.close())


def test_a_lost_answer_does_not_store_a_message_twice(store, server):
    run_blocking(store.append(KEY, [message(1)]))
    with server.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    run_blocking(store.append(KEY, [message(1), message(2)]))
    assert [m.id for m in run_blocking(store.record(KEY))] == ["m1", "m2"]


def test_a_session_that_the_server_threw_away_in_part_is_an_error_with_the_mend(store, server):
    run_blocking(store.append(KEY, [message(1)]))
    with server.client() as client:
        client.delete(Names().of(KEY)[1])
    with pytest.raises(StoreUnreadable, match="noeviction"):
        run_blocking(store.load(KEY))
    assert run_blocking(store.delete(KEY)) == 0
    assert run_blocking(store.load(KEY)).messages == ()


@pytest.mark.parametrize("place", [0, 1], ids=["state", "log"])
@pytest.mark.parametrize(
    "read",
    [
        Session.record,
        Session.export,
        Session.stats,
        Session.view,
        lambda session: session.search("message"),
        lambda session: asyncio.run(session.arecord()),
    ],
    ids=["record", "export", "stats", "view", "search", "arecord"],
)
def test_no_reader_takes_a_session_without_one_of_its_keys_for_an_empty_one(read, place, store, server):
    session = Sessions(store).session(KEY.session_id, tenant=KEY.tenant)
    session.append([{"role": "user", "content": "a message"}])
    with server.client() as client:
        client.delete(Names().of(KEY)[place])
    with pytest.raises(StoreUnreadable, match="noeviction"):
        read(session)
    session.delete()
    assert session.record() == []


def test_messages_without_a_state_can_be_rescued(store, server):
    session = Sessions(store).session(KEY.session_id, tenant=KEY.tenant)
    session.append([{"role": "user", "content": "a message"}])
    with server.client() as client:
        client.delete(Names().of(KEY)[0])
    assert [message.content for message in session.record(all_branches=True)] == ["a message"]


@pytest.mark.parametrize("place", [2, 3], ids=["checkpoints", "values"])
def test_a_thread_whose_checkpoints_the_server_threw_away_is_no_empty_one(place, store, server):
    everything(store)
    with server.client() as client:
        client.delete(Names().of(KEY)[place])
    again = Checkpoint(KEY, "2", "1", Plain("t", b"y"), {"messages": "1"})
    for work in (store.checkpoint(KEY), store.begin(KEY), store.checkpoint(KEY, "1")):
        with pytest.raises(StoreUnreadable, match="noeviction"):
            run_blocking(work)
    with pytest.raises(StoreUnreadable, match="noeviction"):
        run_blocking(store.put_checkpoint(again, {}, head_channel="messages", merge=True))
    assert run_blocking(store.delete(KEY)) == 4
    assert run_blocking(store.checkpoint(KEY)) is None


def test_a_session_of_a_newer_release_is_left_alone(store, server):
    run_blocking(store.append(KEY, [message(1)]))
    with server.client() as client:
        state = client.hget(Names().of(KEY)[0], "state")
        client.hset(Names().of(KEY)[0], "state", b"\x09" + state[1:])
    for work in (store.load(KEY), store.append(KEY, [message(2)]), store.state(KEY)):
        with pytest.raises(NewerSchema, match="pip install -U llm-sessions"):
            run_blocking(work)


def test_a_server_that_is_not_there_is_said_soon_and_without_its_password():
    store = RedisStore("redis://ann:secret@127.0.0.1:1")
    began = time.monotonic()
    with pytest.raises(StoreError, match="is it running") as caught:
        run_blocking(store.append(KEY, [message(1)]))
    with pytest.raises(StoreError, match="is it running"):
        asyncio.run(_ids(store.awaiting(), KEY))
    assert time.monotonic() - began < TIMEOUTS_S["socket_connect_timeout"] * 4
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_busy(server, url):
    store = RedisStore(f"{url}?socket_timeout=0.1")
    with server.hanging(), pytest.raises(StoreBusy, match="socket_timeout"):
        run_blocking(store.append(KEY, [message(2)]))
    run_blocking(store.close())


@pytest.mark.parametrize(
    ("said", "mend"),
    [("", "requires a password"), (":wrong@", "refuses the user or password"), ("right@", "redis://:PASSWORD@host")],
)
def test_a_missing_or_wrong_password_is_named(said, mend):
    with redis_server(requirepass="right", appendonly="no") as server:
        store = RedisStore(server.url.replace("://", f"://{said}"))
        with pytest.raises(StoreError, match=mend):
            run_blocking(store.append(KEY, [message(1)]))
        with pytest.raises(StoreError, match=mend):
            asyncio.run(store.awaiting().append(KEY, [message(1)]))
        right = RedisStore(server.url.replace("://", "://:right@"))
        run_blocking(right.append(KEY, [message(1)]))
        for one in (store, right):
            run_blocking(one.close())


def test_a_password_for_a_server_without_one_is_named(server):
    store = RedisStore(server.url.replace("://", "://:needless@"))
    with pytest.raises(StoreError, match="has no password; take it out"):
        run_blocking(store.append(KEY, [message(1)]))


def test_a_server_whose_name_is_not_known_is_not_said_to_be_down():
    store = RedisStore("redis://nowhere.invalid?retries=0")
    with pytest.raises(StoreLost, match="name that is not known"):
        run_blocking(store.append(KEY, [message(1)]))
    with pytest.raises(StoreLost, match="name that is not known"):
        asyncio.run(store.awaiting().append(KEY, [message(1)]))


def test_a_full_server_takes_nothing_of_an_append_and_still_gives(store, server):
    run_blocking(store.append(KEY, [message(1)]))
    with server.client() as client:
        client.config_set("maxmemory", "1mb")
        with pytest.raises(StoreError, match="maxmemory"):
            run_blocking(store.append(KEY, [message(2), message(3)]))
        assert len(run_blocking(store.load(KEY)).messages) == 1
        client.config_set("maxmemory", "0")
    run_blocking(store.append(KEY, [message(2)]))


def test_a_replica_is_named_as_one(server, url):
    with redis_server(appendonly="no", replicaof=f"127.0.0.1 {server.port}") as replica:
        store = RedisStore(replica.url)
        with pytest.raises(StoreError, match="address of the primary"):
            run_blocking(store.append(KEY, [message(1)]))
        run_blocking(store.close())


def test_an_error_shows_nothing_of_a_message(store, server):
    with server.client() as client:
        client.set(Names().of(KEY)[1], "of another application")
    with pytest.raises(StoreUnreadable, match="another prefix") as caught:
        run_blocking(store.append(KEY, [message(1, content="very private")]))
    assert "private" not in str(caught.value)


# Many at once


def test_eight_threads_on_one_session_lose_split_and_double_nothing(store):
    def write(writer: int) -> None:
        for first in range(writer * 10_000, writer * 10_000 + 80, 2):
            run_blocking(store.append(KEY, [message(first), message(first + 1)]))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert whole_pairs(run_blocking(store.record(KEY))) == 320


def test_processes_on_one_session_lose_split_and_double_nothing(url):
    check_processes(url)


def _forked(store: SessionStore, answers) -> None:
    run_blocking(store.append(KEY, [message(2)]))
    answers.put(asyncio.run(_ids(store.awaiting(), KEY)))


def test_a_store_goes_on_working_in_a_forked_process_and_beside_it(store):
    run_blocking(store.append(KEY, [message(1)]))
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_forked, args=(store, answers))
    child.start()
    assert answers.get(timeout=60) == ["m1", "m2"]
    child.join()
    assert child.exitcode == 0
    assert len(run_blocking(store.record(KEY))) == 2


async def _ids(store: SessionStore, key: Key) -> list[str]:
    return [m.id for m in await store.record(key)]


def test_each_event_loop_has_connections_of_its_own(store):
    awaiting = store.awaiting()
    assert store.awaiting() is awaiting
    assert awaiting.awaiting() is awaiting
    run_blocking(store.append(KEY, [message(1)]))
    assert [asyncio.run(_ids(awaiting, KEY)) for _ in range(3)] == [["m1"]] * 3

    async def in_a_loop() -> list[str]:
        run_blocking(store.append(KEY, [message(2)]))
        return await _ids(awaiting, KEY)

    loops = [threading.Thread(target=asyncio.run, args=(in_a_loop(),)) for _ in range(4)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    assert asyncio.run(in_a_loop()) == ["m1", "m2"]


def test_closing_closes_the_connections_of_running_loops_too(server, url):
    async def talk() -> None:
        store = RedisStore(url)
        await store.awaiting().append(KEY, [message(1)])
        run_blocking(store.close())
        for _ in range(3_000):
            with server.client() as client:
                if len(client.client_list()) == 1:
                    return
            await asyncio.sleep(0.02)
        raise AssertionError("a connection is open still")

    asyncio.run(talk())


def test_128_threads_with_a_session_each_see_no_error(store):
    failed: list[Exception] = []

    def talk(number: int) -> None:
        key = Key(f"session {number}")
        try:
            for turn in range(4):
                run_blocking(store.load(key))
                run_blocking(store.append(key, [message(turn * 2)]))
                run_blocking(store.append(key, [message(turn * 2 + 1)]))
            assert len(run_blocking(store.record(key))) == 8
        except Exception as exc:  # noqa: BLE001 - any failure counts
            failed.append(exc)

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(128)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_128_tasks_with_a_session_each_see_no_error(store):
    async def talk(number: int) -> int:
        key, awaiting = Key(f"session {number}"), store.awaiting()
        for turn in range(4):
            await awaiting.load(key)
            await awaiting.append(key, [message(turn * 2)])
            await awaiting.append(key, [message(turn * 2 + 1)])
        return len(await awaiting.record(key))

    async def all_at_once() -> list[int]:
        return await asyncio.gather(*(talk(number) for number in range(128)))

    assert asyncio.run(all_at_once()) == [8] * 128


def test_a_gate_serves_those_who_wait_by_the_order_of_their_coming():
    gate, served = FairSemaphore(1), []
    held = gate.enter(wait_s=60)
    assert held

    def come(number: int) -> None:
        place = gate.enter(wait_s=60)
        assert place
        served.append(number)
        gate.leave(place)

    threads = [threading.Thread(target=come, args=(number,)) for number in range(20)]
    for number, thread in enumerate(threads):
        thread.start()
        while len(gate._waiting) < number + 1:
            time.sleep(0.001)
    assert not gate.enter(wait_s=0.01)
    gate.leave(held)
    for thread in threads:
        thread.join()
    assert served == list(range(20))
    assert gate.enter(wait_s=1)


# Addresses


@pytest.mark.parametrize(
    ("address", "mend"),
    [
        ("redis://localhost?ttl=5", "'ttl' is not known"),
        ("redis://localhost?ttl_s=soon", "use a number"),
        ("redis://localhost?ttl_s=-1", "use seconds"),
        ("redis://localhost?prefix={x}", "braces"),
        ("redis://localhost?max_connections=0", "at least 1"),
        ("redis://localhost/x", "use a number"),
        ("redis+cluster://localhost/2", "only database 0"),
        ("redis+sentinel://localhost", "name the service"),
        ("redis://localhost/0/1", "'1' follows the number of the database"),
        ("redis+sentinel://localhost/main/0/x/y", "'x/y' follows"),
    ],
)
def test_a_wrong_address_is_refused_with_the_mend(address, mend):
    with pytest.raises(ConfigError, match=mend) as caught:
        open_store(address.replace("://", "://ann:secret@"))
    assert "secret" not in str(caught.value)


def test_a_prefix_and_a_database_keep_applications_apart(server, url):
    stores = [open_store(f"{url}/{place}") for place in ("", "?prefix=other", "1", "1?prefix=other")]
    for number, one in enumerate(stores):
        assert run_blocking(one.record(KEY)) == ()
        run_blocking(one.append(KEY, [message(number)]))
        assert len(run_blocking(one.sessions())) == 1
    for one in stores:
        run_blocking(one.close())


def test_without_the_driver_the_error_says_how_to_get_it():
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "from session_core.stores.open import open_store\n"
        "open_store('redis://localhost')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install 'llm-sessions[redis]'" in done.stderr


def test_the_driver_is_not_loaded_for_other_stores():
    code = "import sys, session_core; session_core.Sessions('memory://'); print('redis' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# Through the doors


def test_sessions_talk_through_redis_in_both_voices(url):
    with Sessions(f"{url}?ttl_s=600") as sessions:
        session = sessions.session("user-42")
        session.append([{"role": "user", "content": "my order is ORD-77"}, {"role": "assistant", "content": "noted"}])

        async def asked() -> list[str]:
            await session.aappend({"role": "user", "content": "which order?"})
            return [m.content for m in (await session.aview()).messages]

        assert asyncio.run(asked()) == ["my order is ORD-77", "noted", "which order?"]
        assert [m.content for m in session.search("ord-77")] == ["my order is ORD-77"]
        assert session.delete() == 3


@pytest.mark.parametrize("kind", [SessionSaver, BlockingVoice], ids=["awaiting", "blocking"])
def test_the_saver_on_redis_passes_the_official_conformance_kit(kind, url, server):
    @checkpointer_test(name=f"{kind.__name__}-redis")
    async def factory():
        with server.client() as client:
            client.flushall()
        saver = kind(url)
        yield saver
        await saver.aclose()

    report = asyncio.run(validate(factory, capabilities=set(BASE)))
    failures = {name: result.failures for name, result in report.results.items() if result.failures}
    assert failures == {}
    assert all(report.results[name].passed for name in BASE)
    assert sum(result.tests_passed for result in report.results.values()) > 50


def test_a_graph_with_a_long_thread_sees_views_and_keeps_everything_once(url, server):
    seen: list[int] = []
    config = {"configurable": {"thread_id": "t"}}

    def model(state: MessagesState):
        seen.append(len(state["messages"]))
        return {"messages": [AIMessage(f"answer {len(seen)}: " + "words and more " * 100)]}

    built = StateGraph(MessagesState)
    built.add_node("model", model)
    built.add_edge(START, "model")
    policy = Policy(Budget(3_000, reply_reserve_tokens=0), folding="inline")
    with SessionSaver.from_conn_string(url, policy=policy) as saver:
        graph = built.compile(checkpointer=saver)
        for turn in range(30):
            graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, config)
        kept = graph.get_state(config).values["messages"]
    assert [m.content for m in kept if m.type == "human"] == [f"question {turn}" for turn in range(30)]
    assert len(kept) == 60
    assert max(seen) < 25
    with server.client() as client:
        assert client.llen(Names().of(Key("t"))[1]) == 60
