"""The Redis store on real servers: promises, round trips, size, addresses, and the doors that lead to it."""

from __future__ import annotations

import asyncio
import gc
import random
import subprocess
import sys
from collections.abc import Iterator

import pytest
import redis
from blocking_voice import BASE, BlockingVoice
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.graph import START, MessagesState, StateGraph
from redis_server import RedisServer, redis_sentinel
from redis_sessions import everything, fill, ids_of, keys

from langchain_session import SessionSaver
from session_core import Budget, Message, Policy, Role, Sessions
from session_core.errors import ConfigError
from session_core.ports import Checkpoint, MessageList, Plain, Write
from session_core.ranges import Ranges
from session_core.stores.open import open_store
from session_core.stores.redis.names import Names
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, STORE_PROMISES, message
from session_core.turns import Key
from session_core.voices import run_blocking

# Promises


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_blocking(promise, redis_store):
    run_blocking(promise(redis_store))


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_awaiting(promise, redis_store):
    asyncio.run(promise(redis_store.awaiting()))


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


def test_it_finds_the_primary_through_a_sentinel(plain_redis, redis_url):
    with redis_sentinel(plain_redis) as sentinel:
        store = open_store(sentinel)
        run_blocking(store.append(KEY, [message(1)]))
        assert asyncio.run(ids_of(store.awaiting(), KEY)) == ["m1"]
        run_blocking(store.close())


@pytest.mark.parametrize("name", ["plain", "{brace}", "}{", "a|b", "%7B", "", "é 漢 \U0001f642", "half \ud800", "a:s:"])
def test_all_keys_of_a_session_are_in_one_slot_whatever_it_is_called(name, redis_store, plain_redis):
    key, lists = Key(f"s{name}", f"t{name}"), (b"llms:sessions:", b"llms:tenants")
    everything(redis_store, key)
    run_blocking(redis_store.append(Key(f"s{name}", f"t{name}", f"n{name}"), [message(1)]))
    slots = {redis.crc.key_slot(one) for one in keys(plain_redis) if not one.startswith(lists)}
    assert len(slots) == 1
    assert [state.key for state in run_blocking(redis_store.sessions(f"t{name}"))] == [key]
    assert run_blocking(redis_store.delete(key)) == 5
    assert [one for one in keys(plain_redis) if not one.startswith(lists)] == []


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
def test_an_append_and_a_load_take_one_round_trip_at_any_age(count, ttl, redis_url):
    fill(RedisStore(redis_url + ttl), KEY, count)
    for work in (lambda s: s.append(KEY, [message(9_001), message(9_002)]), lambda s: s.load(KEY)):
        for _ in range(2):
            store = RedisStore(Counted(RedisStore(redis_url + ttl)._wire))
            run_blocking(work(store))
            assert store._wire.trips == 1


def test_a_round_trip_is_one_read_for_the_server_also_for_a_new_session(plain_redis, redis_url):
    store = RedisStore(f"{redis_url}?ttl_s=600")
    fill(store, KEY, 10)
    run_blocking(store.load(KEY))
    overhead = -_reads(plain_redis) + _reads(plain_redis)
    before = _reads(plain_redis)
    run_blocking(store.append(KEY, [message(n) for n in range(20, 30)]))
    run_blocking(store.load(KEY))
    run_blocking(store.append(Key("new"), [message(1)]))
    run_blocking(store.state(KEY))
    assert _reads(plain_redis) - before - overhead == 4
    run_blocking(store.close())


def test_a_checkpoint_takes_one_round_trip_to_put_and_one_to_get(redis_store):
    everything(redis_store)
    counted = RedisStore(Counted(redis_store._wire))
    checkpoint = Checkpoint(KEY, "2", "1", Plain("t", b"y"), {"messages": "2"})
    items = MessageList((message(1), message(5)))
    run_blocking(counted.put_checkpoint(checkpoint, {"messages": items}, head_channel="messages", merge=True))
    run_blocking(counted.put_writes(KEY, "2", [Write("task", 0, "other", Plain("t", b"z"))]))
    run_blocking(counted.checkpoint(KEY))
    assert counted._wire.trips == 3


def test_a_known_message_is_not_sent_again(redis_store, plain_redis):
    body = "long words " * 5_000
    run_blocking(redis_store.append(KEY, [message(1, content=body)]))
    with plain_redis.client() as client:
        before = client.info("stats")["total_net_input_bytes"]
        for number in range(5):
            checkpoint = Checkpoint(KEY, str(number), None, Plain("t", b"y"), {"messages": str(number)})
            items = MessageList((message(1, content=body),))
            run_blocking(
                redis_store.put_checkpoint(checkpoint, {"messages": items}, head_channel="messages", merge=True)
            )
        assert client.info("stats")["total_net_input_bytes"] - before < 5_000


def _size(server: RedisServer) -> int:
    with server.client() as client:
        return sum(int(client.memory_usage(key, samples=0) or 0) for key in client.scan_iter())


@pytest.mark.parametrize(("characters", "most"), [(400, 1.3), (4_000, 1.0)])
@pytest.mark.parametrize("count", [100, 1_000])
def test_the_server_holds_little_more_than_the_messages_and_less_when_they_are_long(
    count, characters, most, redis_store, plain_redis
):
    rnd = random.Random(7)
    words = ["".join(rnd.choices("abcdefghijklmnopqrstuvwxyz", k=rnd.randint(2, 9))) for _ in range(2_000)]
    said = [" ".join(rnd.choices(words, k=characters // 6))[:characters] for _ in range(count)]
    ids = [f"{rnd.getrandbits(128):032x}" for _ in said]
    for text, name in zip(said, ids, strict=True):
        run_blocking(redis_store.append(KEY, [Message(Role.USER, text, id=name, tokens=99, time_s=1.7e9)]))
    assert _size(plain_redis) < most * sum(len(text) for text in said)


def test_a_message_is_stored_once_by_appends_writes_and_checkpoints(redis_store, plain_redis):
    texts = [random.Random(n).randbytes(2_000).hex() for n in range(20)]
    for n, text in enumerate(texts):
        said = MessageList((message(n, content=text),))
        run_blocking(redis_store.put_writes(KEY, str(n), [Write("task", 0, "messages", said)]))
        part = (Ranges.span(1, n), message(n, content=text)) if n else (message(n, content=text),)
        checkpoint = Checkpoint(KEY, f"{n:03}", f"{n - 1:03}", Plain("t", b"y"), {"messages": str(n)})
        run_blocking(
            redis_store.put_checkpoint(checkpoint, {"messages": MessageList(part)}, head_channel="messages", merge=True)
        )
        run_blocking(redis_store.put_writes(KEY, f"{n:03}", [Write("later", 0, "messages", said)]))
    assert len(run_blocking(redis_store.record(KEY))) == 20
    assert _size(plain_redis) < 1.3 * sum(map(len, texts))
    found = run_blocking(redis_store.checkpoint(KEY, "007"))
    assert [item.content for item in found.writes[0].value.items] == [texts[7]]


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


def test_a_prefix_and_a_database_keep_applications_apart(plain_redis, redis_url):
    stores = [open_store(f"{redis_url}/{place}") for place in ("", "?prefix=other", "1", "1?prefix=other")]
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


def test_sessions_talk_through_redis_in_both_voices(redis_url):
    with Sessions(f"{redis_url}?ttl_s=600") as sessions:
        session = sessions.session("user-42")
        session.append([{"role": "user", "content": "my order is ORD-77"}, {"role": "assistant", "content": "noted"}])

        async def asked() -> list[str]:
            await session.aappend({"role": "user", "content": "which order?"})
            return [m.content for m in (await session.aview()).messages]

        assert asyncio.run(asked()) == ["my order is ORD-77", "noted", "which order?"]
        assert [m.content for m in session.search("ord-77")] == ["my order is ORD-77"]
        assert session.delete() == 3


@pytest.mark.parametrize("kind", [SessionSaver, BlockingVoice], ids=["awaiting", "blocking"])
def test_the_saver_on_redis_passes_the_official_conformance_kit(kind, redis_url, plain_redis):
    @checkpointer_test(name=f"{kind.__name__}-redis")
    async def factory():
        with plain_redis.client() as client:
            client.flushall()
        saver = kind(redis_url)
        yield saver
        await saver.aclose()

    report = asyncio.run(validate(factory, capabilities=set(BASE)))
    failures = {name: result.failures for name, result in report.results.items() if result.failures}
    assert failures == {}
    assert all(report.results[name].passed for name in BASE)
    assert sum(result.tests_passed for result in report.results.values()) > 50


def test_a_graph_with_a_long_thread_sees_views_and_keeps_everything_once(redis_url, plain_redis):
    seen: list[int] = []
    config = {"configurable": {"thread_id": "t"}}

    def model(state: MessagesState):
        seen.append(len(state["messages"]))
        return {"messages": [AIMessage(f"answer {len(seen)}: " + "words and more " * 100)]}

    built = StateGraph(MessagesState)
    built.add_node("model", model)
    built.add_edge(START, "model")
    policy = Policy(Budget(3_000, reply_reserve_tokens=0), folding="inline")
    with SessionSaver.from_conn_string(redis_url, policy=policy) as saver:
        graph = built.compile(checkpointer=saver)
        for turn in range(30):
            graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, config)
        kept = graph.get_state(config).values["messages"]
    assert [m.content for m in kept if m.type == "human"] == [f"question {turn}" for turn in range(30)]
    assert len(kept) == 60
    assert max(seen) < 25
    with plain_redis.client() as client:
        assert client.llen(Names().of(Key("t"))[1]) == 60
