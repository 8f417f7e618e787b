"""The ordinary append on Redis: it says what the long way says, in few commands; a call broken off harms no other."""

from __future__ import annotations

import asyncio
import random
import signal
from dataclasses import replace

import pytest
from redis_server import RedisServer

from session_core import Message, Role
from session_core.errors import StoreUnreadable
from session_core.plan import Digest
from session_core.ports import Appended, Checkpoint, Marks, MessageList, Plain, SessionStore, Write
from session_core.ranges import Ranges
from session_core.stores.memory import MemoryStore
from session_core.stores.redis.names import Names
from session_core.stores.redis.states import touched_ms
from session_core.stores.redis.store import RedisStore
from session_core.testing import message
from session_core.turns import Key
from session_core.voices import run_blocking

KEY = Key("a session")
ORDINARY = {"hget": 2, "time": 1, "rpush": 1, "hset": 1}
"""The commands of an append of one message in the middle of a session, in its script."""
PATIENCE_S = 0.1


class BrokenOff(BaseException):
    """What a signal raises in the middle of a call."""


def _new(rnd: random.Random, number: int) -> Message:
    role = rnd.choice((Role.USER, Role.ASSISTANT, Role.SYSTEM))
    time_s = rnd.choice((None, float(number), number + 0.25))
    author = rnd.choice((None, None, None, None, "Ann", "Zoë"))
    made = message(number, role, f"words {number} " * rnd.choice((1, 60)))
    return replace(made, id=_id(number), time_s=time_s, tokens=rnd.randint(0, 90), author=author)


def _id(number: int) -> str:
    """Of every three one that the caller has, one that a session gave, and a short one that looks like that."""
    return (f"m{number}", f"~{number:016x}", f"~{number:07x}")[number % 3]


async def _out_of_order(store: SessionStore, rnd: random.Random, known: int) -> object:
    """What makes the next append another than an ordinary one, or is itself another one."""
    state = await store.state(KEY)
    assert state is not None
    digest = Digest(Ranges.span(1, known // 2), "summary", tokens=5)
    writes = [Write("task", 0, "messages", MessageList((message(known + 1),)))]
    other = replace(message(1, content="other words"), id=_id(rnd.randint(1, known)))
    return await rnd.choice(
        (
            lambda: store.append(KEY, [other], revise=True),
            lambda: store.append(KEY, [message(known + 900)] * 2),
            lambda: store.mark(KEY, Marks(head=Ranges.span(1, known // 2))),
            lambda: store.mark(KEY, Marks(tier=2)),
            lambda: store.put_digest(KEY, digest, expected=state.ready.number),
            lambda: store.put_writes(KEY, "1", writes),
        )
    )()


@pytest.mark.parametrize("seed", range(6))
def test_ordinary_and_other_appends_in_turn_say_what_the_store_in_memory_says(
    seed: int, redis_store: RedisStore
) -> None:
    model = MemoryStore()
    number = 0
    for step in range(140):
        rnd = random.Random(f"{seed} {step}")
        batch = [_new(rnd, number + n) for n in range(1, rnd.choice((1, 1, 2, 4, 8, 9)) + 1)]
        number += len(batch)
        answers = []
        for one in (redis_store, model):
            done: Appended = run_blocking(one.append(KEY, batch, strict=rnd.random() < 0.5))
            again = run_blocking(one.append(KEY, batch))
            assert (again.seqs, again.new, again.tokens) == (done.seqs, 0, 0)
            answers.append(replace(done, state=replace(done.state, born="")))
        assert answers[0] == answers[1]
        if rnd.random() < 0.15:
            for one in (redis_store, model):
                run_blocking(_out_of_order(one, random.Random(f"{seed} {step}"), number))
    assert run_blocking(redis_store.record(KEY)) == run_blocking(model.record(KEY))
    for n in range(1, number + 1):
        found = run_blocking(redis_store.find(KEY, _id(n)))
        assert found is not None
        assert found == run_blocking(model.find(KEY, _id(n)))


@pytest.mark.parametrize("apart", [1, 2, 64, 128, 1_000, 4_096])
def test_ids_that_a_process_gives_to_many_sessions_in_turn_spread_over_the_index(
    apart: int, redis_store: RedisStore, plain_redis: RedisServer
) -> None:
    run_blocking(redis_store.append(KEY, [replace(message(n), id=f"~{7 + n * apart:016x}") for n in range(3_000)]))
    with plain_redis.client() as client:
        fields = client.hgetall(Names().of(KEY)[0])
    entries = [len(value) // 8 for name, value in fields.items() if name.startswith(b"i")]
    assert sum(entries) == 3_000
    assert max(entries) <= 4 * 32


@pytest.mark.parametrize("before", [40, 2_040])
def test_an_append_of_one_message_takes_five_commands_at_any_age(
    before: int, redis_store: RedisStore, plain_redis: RedisServer
) -> None:
    run_blocking(redis_store.append(KEY, [message(n) for n in range(1, before + 1)]))
    with plain_redis.client() as client:
        client.config_resetstat()
        run_blocking(redis_store.append(KEY, [message(before + 1, Role.ASSISTANT)], strict=True))
        told = client.info("commandstats")
    counts = {name.removeprefix("cmdstat_"): found["calls"] for name, found in told.items()}
    assert {name: count for name, count in counts.items() if name in ORDINARY} == ORDINARY
    assert counts["evalsha"] == 1
    assert not counts.keys() - ORDINARY.keys() - {"evalsha", "config|resetstat", "info", "client|setinfo", "hello"}


def test_an_ordinary_append_notes_when_it_was(redis_store: RedisStore, plain_redis: RedisServer) -> None:
    moments = []
    for number in range(1, 4):
        run_blocking(redis_store.append(KEY, [message(number)]))
        with plain_redis.client() as client:
            seconds, micros = client.time()
            noted = touched_ms(client.hget(Names().of(KEY)[0], "state"))
        moments.append(noted)
        assert 0 <= seconds * 1000 + micros / 1000 - noted < 5_000
    assert moments == sorted(moments)


def test_the_answer_of_an_interrupted_call_reaches_no_other_caller(
    redis_store: RedisStore, plain_redis: RedisServer
) -> None:
    run_blocking(redis_store.append(KEY, [message(1)]))

    def ring(*_: object) -> None:
        raise BrokenOff

    def broken_off() -> None:
        signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
        run_blocking(redis_store.append(KEY, [message(2)]))

    before = signal.signal(signal.SIGALRM, ring)
    try:
        with plain_redis.hanging(), pytest.raises(BrokenOff):
            broken_off()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert run_blocking(redis_store.find(KEY, "m1")) == replace(message(1), seq=1)
    assert run_blocking(redis_store.append(KEY, [message(2), message(3)])).seqs == (2, 3)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("evicted", [True, False])
def test_an_append_to_a_broken_log_is_refused_and_leaves_it_as_it_is(
    redis_store: RedisStore, plain_redis: RedisServer, count: int, evicted: bool
) -> None:
    run_blocking(redis_store.append(KEY, [message(1), message(2)]))
    log = Names().of(KEY)[1]
    with plain_redis.client() as client:
        client.rpop(log, 2 if evicted else 1)
        before = client.dump(log)
        with pytest.raises(StoreUnreadable, match="noeviction"):
            run_blocking(redis_store.append(KEY, [message(number) for number in range(3, 3 + count)]))
        assert client.dump(log) == before


def test_idle_connections_that_the_server_closed_cost_no_retry_in_either_voice(
    plain_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("session_core.stores.redis.direct.IDLE_S", -1.0)
    store = RedisStore(f"{plain_redis.url}?retries=0")

    async def work() -> None:
        for one in (store, store.awaiting()):
            for _ in range(2):
                assert await one.state(Key("nobody")) is None
                with plain_redis.client() as client:
                    client.client_kill_filter(_type="normal", skipme=True)
        await store.awaiting().close()

    asyncio.run(work())
    run_blocking(store.close())


def test_the_answer_of_a_cancelled_call_reaches_no_other_caller(
    redis_store: RedisStore, plain_redis: RedisServer
) -> None:
    async def work() -> None:
        awaited = redis_store.awaiting()
        await awaited.append(KEY, [message(1)])
        with plain_redis.hanging(), pytest.raises(TimeoutError):
            await asyncio.wait_for(awaited.append(KEY, [message(2)]), PATIENCE_S)
        assert await awaited.find(KEY, "m1") == replace(message(1), seq=1)
        assert (await awaited.append(KEY, [message(2), message(3)])).seqs == (2, 3)
        await awaited.close()

    asyncio.run(work())


def test_a_checkpoint_that_brings_messages_leaves_the_next_append_right(redis_store: RedisStore) -> None:
    seqs = []
    for one in (redis_store, MemoryStore()):
        run_blocking(one.append(KEY, [message(1), message(2)]))
        part = MessageList((Ranges.span(1, 2), message(3)), base=Ranges.span(1, 2))
        made = Checkpoint(KEY, "1", None, Plain("b", b""), {"messages": "1"})
        run_blocking(one.put_checkpoint(made, {"messages": part}, head_channel="messages", merge=True))
        done = run_blocking(one.append(KEY, [message(4)]))
        seqs.append((done.seqs, done.state.head, done.state.version))
    assert seqs[0] == seqs[1]
