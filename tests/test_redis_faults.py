"""The Redis store when its server forgets, dies, is full, refuses or is not there."""

from __future__ import annotations

import asyncio
import random
import threading
import time

import pytest
from fault_table import tell
from redis_server import redis_server
from redis_sessions import everything, fill, ids_of

from session_core import Session, Sessions
from session_core.errors import Conflict, NewerSchema, StoreBusy, StoreError, StoreLost, StoreUnreadable
from session_core.plan import Digest
from session_core.ports import Checkpoint, Plain
from session_core.ranges import Ranges
from session_core.stores.redis.driver import TIMEOUTS_S
from session_core.stores.redis.names import Names
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking


def test_a_server_that_forgets_everything_gives_an_empty_session(redis_store, plain_redis):
    everything(redis_store)
    with plain_redis.client() as client:
        client.flushall()
    assert run_blocking(redis_store.load(KEY)).messages == ()
    assert run_blocking(redis_store.record(KEY)) == ()
    assert run_blocking(redis_store.search(KEY, ["words"], max_hits=5)) == ()
    assert run_blocking(redis_store.checkpoint(KEY)) is None
    everything(redis_store)
    assert [m.id for m in run_blocking(redis_store.record(KEY))] == ["m1", "m2", "m3"]
    assert [state.key for state in run_blocking(redis_store.sessions())] == [KEY]


def test_a_digest_never_covers_what_a_server_forgot(redis_store, plain_redis):
    fill(redis_store, KEY, 4)
    with plain_redis.client() as client:
        client.flushall()
    with pytest.raises(Conflict, match="was deleted"):
        run_blocking(redis_store.put_digest(KEY, Digest(Ranges.span(1, 4), "old"), expected=0))
    run_blocking(redis_store.append(KEY, [message(1)]))
    with pytest.raises(Conflict, match="fold again"):
        run_blocking(redis_store.put_digest(KEY, Digest(Ranges.span(1, 4), "old"), expected=0))


def test_a_digest_of_a_deleted_session_is_refused(redis_store):
    first = run_blocking(redis_store.append(KEY, [message(1), message(2)]))
    run_blocking(redis_store.delete(KEY))
    digest = Digest(Ranges.span(1, 1), "what was deleted")
    with pytest.raises(Conflict, match="was deleted"):
        run_blocking(redis_store.put_digest(KEY, digest, expected=0, born=first.state.born))
    begun = run_blocking(redis_store.append(KEY, [message(3), message(4)]))
    with pytest.raises(Conflict, match="was deleted"):
        run_blocking(redis_store.put_digest(KEY, digest, expected=0, born=first.state.born))
    assert run_blocking(redis_store.put_digest(KEY, digest, expected=0, born=begun.state.born)).number == 1


def test_a_server_that_forgets_the_scripts_is_told_them_again(redis_store, plain_redis):
    for round_ in range(2):
        everything(redis_store, Key(f"session {round_}"))
        with plain_redis.client() as client:
            client.script_flush()
        run_blocking(redis_store.append(Key("new"), [message(round_)]))
        assert len(run_blocking(redis_store.load(Key(f"session {round_}"))).messages) == 2


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


def test_a_lost_answer_does_not_store_a_message_twice(redis_store, plain_redis):
    run_blocking(redis_store.append(KEY, [message(1)]))
    with plain_redis.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    run_blocking(redis_store.append(KEY, [message(1), message(2)]))
    assert [m.id for m in run_blocking(redis_store.record(KEY))] == ["m1", "m2"]


def test_a_session_that_the_server_threw_away_in_part_is_an_error_with_the_mend(redis_store, plain_redis):
    run_blocking(redis_store.append(KEY, [message(1)]))
    with plain_redis.client() as client:
        client.delete(Names().of(KEY)[1])
    with pytest.raises(StoreUnreadable, match="noeviction"):
        run_blocking(redis_store.load(KEY))
    assert run_blocking(redis_store.delete(KEY)) == 0
    assert run_blocking(redis_store.load(KEY)).messages == ()


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
def test_no_reader_takes_a_session_without_one_of_its_keys_for_an_empty_one(read, place, redis_store, plain_redis):
    session = Sessions(redis_store).session(KEY.session_id, tenant=KEY.tenant)
    session.append([{"role": "user", "content": "a message"}])
    with plain_redis.client() as client:
        client.delete(Names().of(KEY)[place])
    with pytest.raises(StoreUnreadable, match="noeviction"):
        read(session)
    session.delete()
    assert session.record() == []


def test_messages_without_a_state_can_be_rescued(redis_store, plain_redis):
    session = Sessions(redis_store).session(KEY.session_id, tenant=KEY.tenant)
    session.append([{"role": "user", "content": "a message"}])
    with plain_redis.client() as client:
        client.delete(Names().of(KEY)[0])
    assert [message.content for message in session.record(all_branches=True)] == ["a message"]


@pytest.mark.parametrize("place", [2, 3], ids=["checkpoints", "values"])
def test_a_thread_whose_checkpoints_the_server_threw_away_is_no_empty_one(place, redis_store, plain_redis):
    everything(redis_store)
    with plain_redis.client() as client:
        client.delete(Names().of(KEY)[place])
    again = Checkpoint(KEY, "2", "1", Plain("t", b"y"), {"messages": "1"})
    for work in (redis_store.checkpoint(KEY), redis_store.begin(KEY), redis_store.checkpoint(KEY, "1")):
        with pytest.raises(StoreUnreadable, match="noeviction"):
            run_blocking(work)
    with pytest.raises(StoreUnreadable, match="noeviction"):
        run_blocking(redis_store.put_checkpoint(again, {}, head_channel="messages", merge=True))
    assert run_blocking(redis_store.delete(KEY)) == 4
    assert run_blocking(redis_store.checkpoint(KEY)) is None


def test_a_session_of_a_newer_release_is_left_alone(redis_store, plain_redis):
    run_blocking(redis_store.append(KEY, [message(1)]))
    with plain_redis.client() as client:
        state = client.hget(Names().of(KEY)[0], "state")
        client.hset(Names().of(KEY)[0], "state", b"\x09" + state[1:])
    for work in (redis_store.load(KEY), redis_store.append(KEY, [message(2)]), redis_store.state(KEY)):
        with pytest.raises(NewerSchema, match="pip install -U llm-sessions"):
            run_blocking(work)


def test_a_server_that_is_not_there_is_said_soon_and_without_its_password():
    store = RedisStore("redis://ann:secret@127.0.0.1:1")
    began = time.monotonic()
    with pytest.raises(StoreError, match="is it running") as caught:
        run_blocking(store.append(KEY, [message(1)]))
    with pytest.raises(StoreError, match="is it running"):
        asyncio.run(ids_of(store.awaiting(), KEY))
    assert time.monotonic() - began < TIMEOUTS_S["socket_connect_timeout"] * 4
    assert "secret" not in str(caught.value)


def test_a_server_that_does_not_answer_is_busy(plain_redis, redis_url):
    store = RedisStore(f"{redis_url}?socket_timeout=0.1")
    with plain_redis.hanging(), pytest.raises(StoreBusy, match="socket_timeout"):
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


def test_a_password_for_a_server_without_one_is_named(plain_redis):
    store = RedisStore(plain_redis.url.replace("://", "://:needless@"))
    with pytest.raises(StoreError, match="has no password; take it out"):
        run_blocking(store.append(KEY, [message(1)]))


def test_a_server_whose_name_is_not_known_is_not_said_to_be_down():
    store = RedisStore("redis://nowhere.invalid?retries=0")
    with pytest.raises(StoreLost, match="name that is not known"):
        run_blocking(store.append(KEY, [message(1)]))
    with pytest.raises(StoreLost, match="name that is not known"):
        asyncio.run(store.awaiting().append(KEY, [message(1)]))


def test_a_full_server_takes_nothing_of_an_append_and_still_gives(redis_store, plain_redis):
    run_blocking(redis_store.append(KEY, [message(1)]))
    with plain_redis.client() as client:
        client.config_set("maxmemory", "1mb")
        with pytest.raises(StoreError, match="maxmemory"):
            run_blocking(redis_store.append(KEY, [message(2), message(3)]))
        assert len(run_blocking(redis_store.load(KEY)).messages) == 1
        client.config_set("maxmemory", "0")
    run_blocking(redis_store.append(KEY, [message(2)]))


def test_a_replica_is_named_as_one(plain_redis, redis_url):
    with redis_server(appendonly="no", replicaof=f"127.0.0.1 {plain_redis.port}") as replica:
        store = RedisStore(replica.url)
        with pytest.raises(StoreError, match="address of the primary"):
            run_blocking(store.append(KEY, [message(1)]))
        run_blocking(store.close())


def test_an_error_shows_nothing_of_a_message(redis_store, plain_redis):
    with plain_redis.client() as client:
        client.set(Names().of(KEY)[1], "of another application")
    with pytest.raises(StoreUnreadable, match="another prefix") as caught:
        run_blocking(redis_store.append(KEY, [message(1, content="very private")]))
    assert "private" not in str(caught.value)
