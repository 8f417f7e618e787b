"""A new key for sessions on every store: all of them, while others write, stopped half way, with nothing lost."""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from every_store import KINDS, Place, Servers, every_server
from sealed_fill import (
    ALONE,
    BOTH,
    PENDING,
    RESULT,
    RING,
    SECRET_VALUE,
    check_secrets,
    checkpoint_of,
    fill_with_secrets,
)

from session_core.errors import ConfigError, StoreBusy, StoreError, StoreUnreadable
from session_core.ports import Checkpoint, MessageList, Plain, SessionStore, Write
from session_core.serial.codec import body_digest
from session_core.stores.encrypted import EncryptedStore, Rotated
from session_core.stores.keyring import Keyring
from session_core.stores.postgres.store import PostgresStore
from session_core.stores.redis.store import RedisStore
from session_core.stores.sealing import Renewal
from session_core.testing import KEY, message
from session_core.turns import Key, Message, Role
from session_core.voices import run_blocking

SUB = Key(KEY.session_id, KEY.tenant, "sub")
SERVERS_ONLY = ("memory", "redis", "cluster", "postgres")
"""Where others may write between the reading and the writing of a step; SQLite's step is one transaction."""


@pytest.fixture(params=KINDS)
def place(request: Any, servers: Servers, tmp_path: Path) -> Iterator[Place]:
    with servers.place(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=SERVERS_ONLY)
def inner(request: Any, servers: Servers, tmp_path: Path) -> Iterator[SessionStore]:
    with servers.place(request.param, tmp_path) as made:
        yield made.store


class During:
    """A renewal that does something else each time before it renews a value of one kind."""

    def __init__(self, kind: str, act: Callable[[int], None]) -> None:
        self._kind, self._act = kind, act
        self.times = 0

    def __getattr__(self, name: str) -> Any:
        renew = getattr(Renewal(BOTH), name)

        def call(*args: Any) -> Any:
            if name == self._kind:
                self.times += 1
                self._act(self.times)
            return renew(*args)

        return call


def old(store: SessionStore) -> EncryptedStore:
    return EncryptedStore(store, RING)


def both(store: SessionStore) -> EncryptedStore:
    return EncryptedStore(store, BOTH)


def alone(store: SessionStore) -> EncryptedStore:
    return EncryptedStore(store, ALONE)


def rewritten(store: SessionStore, change: object) -> int:
    return run_blocking(store.rewrite(KEY, change))  # type: ignore[attr-defined]


def messages(first: int, last: int) -> list[Message]:
    return [message(n) for n in range(first, last + 1)]


# All of it, and nothing else.


def test_after_a_rotation_everything_opens_with_the_new_key_alone(place: Place) -> None:
    for key in (KEY, SUB):
        run_blocking(fill_with_secrets(old(place.store), key))
    assert run_blocking(both(place.store).rotate(KEY)) > 20
    assert run_blocking(both(place.store).rotate(KEY)) == 0
    for key in (KEY, SUB):
        run_blocking(check_secrets(alone(place.store), key))


def test_a_rotation_can_be_awaited(place: Place) -> None:
    async def rotated() -> None:
        store = place.store.awaiting()
        await fill_with_secrets(old(store))
        assert await both(store).rotate(KEY) > 10
        assert await both(store).rotate_all() == Rotated(1, 0)
        await check_secrets(alone(store))
        await store.close()

    asyncio.run(rotated())


@pytest.mark.parametrize("kind", SERVERS_ONLY)
def test_no_value_of_the_old_key_is_left(kind: str, servers: Servers, tmp_path: Path) -> None:
    # What is sealed begins with its format and its key's id: in bytes, as Python or SQL show them, or in base64.
    began = re.compile(rb"\x01\x02k1|\\x01\\x02k1|01026b31|AQJrM[Q-Za-f]")
    with servers.place(kind, tmp_path) as place:
        run_blocking(fill_with_secrets(old(place.store)))
        assert len(began.findall(place.held())) > 10
        run_blocking(both(place.store).rotate(KEY))
        assert began.findall(place.held()) == []


def test_numbers_versions_order_and_content_digests_stay(place: Place) -> None:
    store = place.store
    run_blocking(old(store).append(Key("older", KEY.tenant), [message(1)]))
    run_blocking(fill_with_secrets(old(store)))
    run_blocking(old(store).append(Key("newer", KEY.tenant), [message(99)]))
    before = _figures(store)
    run_blocking(both(store).rotate(KEY))
    assert _figures(store) == before


def _figures(store: SessionStore) -> object:
    state = run_blocking(store.state(KEY))
    assert state is not None
    loaded, found = run_blocking(store.load(KEY)), run_blocking(store.checkpoints(KEY.tenant, None, None))
    return (
        replace(state, ledger=replace(state.ledger, authors=())),
        [(m.id, m.seq, m.time_s, m.tokens, m.importance, body_digest(m)) for m in run_blocking(store.record(KEY))],
        [m.seq for m in loaded.messages],
        [replace(one, body=Plain("", b"")) for one in found],
        [s.key for s in run_blocking(store.sessions(KEY.tenant))],
    )


def test_a_message_that_is_sent_again_after_a_rotation_is_known(place: Place) -> None:
    run_blocking(fill_with_secrets(old(place.store)))
    run_blocking(both(place.store).rotate(KEY))
    assert run_blocking(alone(place.store).append(KEY, [RESULT, message(50)])).seqs == (3, 5)


# Others go on meanwhile.


def test_eight_threads_that_write_turns_lose_double_and_reorder_nothing(place: Place) -> None:
    store = place.store
    run_blocking(fill_with_secrets(old(store)))
    run_blocking(old(store).append(KEY, messages(1001, 1800)))
    started, stop = threading.Barrier(9), threading.Event()
    said: dict[int, list[str]] = {}

    def write(writer: int) -> None:
        mine = said[writer] = []
        started.wait()
        turn = 0
        while turn < 6 or not stop.is_set():
            first = 10_000 * writer + 2 * turn
            call = replace(message(first), author=f"author {writer}")
            run_blocking(both(store).append(KEY, [call, message(first + 1, Role.ASSISTANT)]))
            pending = MessageList((message(first + 1, Role.ASSISTANT),), single=True)
            run_blocking(both(store).put_writes(KEY, f"c{writer}", [Write(f"t{turn}", 0, "messages", pending)]))
            mine += [f"m{first}", f"m{first + 1}"]
            turn += 1

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(1, 9)]
    for thread in threads:
        thread.start()
    started.wait()
    assert run_blocking(both(store).rotate(KEY)) > 800
    stop.set()
    for thread in threads:
        thread.join()
    record = [m.id for m in run_blocking(alone(store).record(KEY))]
    assert record[:804] == ["u1", "c1", "r1", "m9", *(f"m{n}" for n in range(1001, 1801))]
    assert len(record) == len(set(record)) == 804 + sum(map(len, said.values()))
    assert all([name for name in record if name in set(mine)] == mine for mine in said.values())
    pairs = [int(name[1:]) for name in record[804:]]
    assert all(second == first + 1 for first, second in zip(pairs[::2], pairs[1::2], strict=True))
    run_blocking(check_everything_opens(alone(store)))


async def check_everything_opens(store: EncryptedStore) -> None:
    state = await store.state(KEY)
    assert state is not None
    assert len(await store.record(KEY, state.head)) == len(state.head)
    assert (await store.load(KEY)).state == state
    await store.notices(KEY)
    for one in await store.checkpoints(KEY.tenant, KEY.session_id, None):
        await store.fill(one)


@pytest.mark.parametrize("rotated_first", [True, False])
def test_a_pending_message_becomes_one_of_the_record(rotated_first: bool, place: Place) -> None:
    store = place.store
    run_blocking(fill_with_secrets(old(store)))
    checkpoint = replace(checkpoint_of(KEY), id="2", parent_id="1", versions={"messages": 2})
    value = {"messages": MessageList((*run_blocking(old(store).record(KEY)), PENDING))}

    def become_record() -> None:
        run_blocking(both(store).put_checkpoint(checkpoint, value, head_channel="messages", merge=True))

    if rotated_first:
        run_blocking(both(store).rotate(KEY))
    become_record()
    if not rotated_first:
        run_blocking(both(store).rotate(KEY))
    found = run_blocking(alone(store).find(KEY, PENDING.id))
    assert found is not None
    assert (found.content, found.author, found.clip) == (PENDING.content, PENDING.author, PENDING.clip)
    run_blocking(check_everything_opens(alone(store)))


def test_a_pending_message_may_become_one_of_the_record_in_mid_rotation(inner: SessionStore) -> None:
    run_blocking(fill_with_secrets(old(inner)))
    # The record has four; the fifth is the pending one.
    change = During("message", lambda times: run_blocking(both(inner).append(KEY, [PENDING])) if times == 5 else None)
    rewritten(inner, change)
    assert change.times >= 5
    found = run_blocking(alone(inner).find(KEY, PENDING.id))
    assert found is not None
    assert found.clip == PENDING.clip
    run_blocking(check_everything_opens(alone(inner)))


@pytest.mark.parametrize("kind", ["author", "message", "digest", "notice", "plain"])
def test_a_session_that_is_deleted_in_mid_rotation_stays_deleted(kind: str, servers: Servers, tmp_path: Path) -> None:
    for name in SERVERS_ONLY:
        with servers.place(name, tmp_path) as place:
            run_blocking(fill_with_secrets(old(place.store)))
            rewritten(place.store, During(kind, lambda _, store=place.store: run_blocking(store.delete(KEY))))
            assert run_blocking(place.store.state(KEY)) is None
            assert run_blocking(place.store.record(KEY)) == ()
            assert run_blocking(place.store.checkpoints(KEY.tenant, KEY.session_id, None)) == ()
            assert b"k2" not in place.held()


@pytest.mark.parametrize("kind", ["author", "message", "digest", "notice", "plain"])
def test_a_session_that_is_begun_again_in_mid_rotation_keeps_what_is_new(kind: str, inner: SessionStore) -> None:
    new: list[object] = []

    def begin_again(times: int) -> None:
        if times == 1:
            run_blocking(inner.delete(KEY))
            run_blocking(fill_with_secrets(both(inner)))
            new.append(_sealed_values(inner))

    run_blocking(fill_with_secrets(old(inner)))
    rewritten(inner, During(kind, begin_again))
    # What was read before says the same as what is there now, but is not it.
    assert [_sealed_values(inner)] == new


def _sealed_values(store: SessionStore) -> object:
    found = run_blocking(store.checkpoint(KEY, "1"))
    loaded, notices = run_blocking(store.load(KEY)), run_blocking(store.notices(KEY))
    return run_blocking(store.record(KEY)), loaded.digest, notices, found


def test_a_write_that_is_replaced_in_mid_rotation_keeps_the_new_value(inner: SessionStore) -> None:
    newer = Plain("t", b"newer")

    def write(times: int) -> None:
        run_blocking(both(inner).put_writes(KEY, "1", [Write("t", -1, "x", newer)]))

    run_blocking(old(inner).put_checkpoint(checkpoint_of(KEY), {}, head_channel=None, merge=True))
    run_blocking(old(inner).put_writes(KEY, "1", [Write("t", -1, "x", SECRET_VALUE)]))
    change = During("plain", lambda times: write(times) if times == 2 else None)
    rewritten(inner, change)
    found = run_blocking(alone(inner).checkpoint(KEY, "1"))
    assert found is not None
    assert [w.value for w in found.writes] == [newer]


@pytest.mark.parametrize("kind", ["redis", "cluster", "postgres"])
def test_a_value_that_others_change_each_time_is_told(kind: str, servers: Servers, tmp_path: Path) -> None:
    with servers.place(kind, tmp_path) as place:

        def write(times: int) -> None:
            value = Plain("t", b"%d" % times)
            run_blocking(old(place.store).put_writes(KEY, "1", [Write("t", -1, "x", value)]))

        write(0)
        with pytest.raises(StoreBusy, match="other writers changed 1 values during each"):
            rewritten(place.store, During("plain", write))


def test_authors_that_speak_up_in_mid_rotation_are_kept(inner: SessionStore) -> None:
    def speak(times: int) -> None:
        if times == 1:
            run_blocking(both(inner).append(KEY, [replace(message(2), author="Ben")]))

    run_blocking(old(inner).append(KEY, [replace(message(1), author="Ann")]))
    rewritten(inner, During("author", speak))
    state = run_blocking(alone(inner).state(KEY))
    assert state is not None
    assert state.ledger.authors == ("Ann", "Ben")


# Stopped half way.


class Stopped(BaseException):
    """The process was told to end."""


@pytest.mark.parametrize("kind", ["message", "digest", "notice", "plain"])
def test_a_rotation_that_was_stopped_is_begun_again(kind: str, place: Place) -> None:
    def stop(times: int) -> None:
        raise Stopped

    run_blocking(fill_with_secrets(old(place.store)))
    run_blocking(old(place.store).append(KEY, messages(100, 1_200)))
    with pytest.raises(Stopped):
        rewritten(place.store, During(kind, stop))
    run_blocking(check_everything_opens(both(place.store)))
    assert run_blocking(both(place.store).rotate(KEY)) > 0
    run_blocking(check_everything_opens(alone(place.store)))
    assert len(run_blocking(alone(place.store).record(KEY))) == 4 + 1_101


# Steps.


class Counted:
    """A wire that counts how often its caller waits for a server."""

    def __init__(self, wire: Any) -> None:
        self._wire, self.trips = wire, 0

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._wire, name)
        if name not in ("run", "ask", "fetch", "fetch_then"):
            return attribute

        def call(*args: Any) -> Any:
            self.trips += 1
            return attribute(*args)

        return call


def _trips(store: Any) -> int:
    wire = store._wire = Counted(store._wire)
    run_blocking(both(store).rotate(KEY))
    store._wire = wire._wire
    return int(wire.trips)


@pytest.mark.parametrize("kind", ["redis", "cluster", "postgres"])
def test_500_messages_take_two_round_trips(kind: str, servers: Servers, tmp_path: Path) -> None:
    with servers.place(kind, tmp_path) as place:
        run_blocking(old(place.store).append(KEY, messages(1, 10)))
        few = _trips(place.store)
        run_blocking(place.store.delete(KEY))
        run_blocking(old(place.store).append(KEY, messages(1, 490)))
        assert _trips(place.store) == few
        run_blocking(place.store.delete(KEY))
        run_blocking(old(place.store).append(KEY, messages(1, 1_990)))
        assert _trips(place.store) == few + 3 * 2
        assert few <= 4


@pytest.mark.parametrize("kind", ["redis", "postgres"])
def test_a_step_is_small_when_messages_are_large(kind: str, servers: Servers, tmp_path: Path) -> None:
    with servers.place(kind, tmp_path) as place:
        run_blocking(old(place.store).append(KEY, [message(1)]))
        few = _trips(place.store)
        run_blocking(place.store.delete(KEY))
        for number in range(8):
            # Random, so that it is not made much smaller.
            text = random.Random(number).randbytes(700_000).hex()
            run_blocking(old(place.store).append(KEY, [message(number, content=text)]))
        assert _trips(place.store) > few


def test_a_rotation_gives_no_session_more_time_to_live(servers: Servers) -> None:
    with servers.redis.client() as client:
        client.flushall()
        store = RedisStore(f"{servers.redis.url}?ttl_s=600")
        run_blocking(fill_with_secrets(old(store)))
        ours = [key for key in client.scan_iter() if b"{" in key]
        for key in ours:
            client.pexpire(key, 60_000)
        assert run_blocking(both(store).rotate(KEY)) > 0
        assert {0 < client.pttl(key) <= 60_000 for key in ours} == {True}
        assert {key for key in client.scan_iter() if b"{" in key} == set(ours)
        run_blocking(check_secrets(alone(store)))
        run_blocking(store.close())


def test_a_rotation_is_no_activity_for_retention(servers: Servers, tmp_path: Path) -> None:
    with servers.place("postgres", tmp_path) as place:
        store = place.store
        assert isinstance(store, PostgresStore)
        run_blocking(fill_with_secrets(old(store)))
        with servers.postgres.connect() as connection:
            connection.execute(f"UPDATE {store._address.schema}.sessions SET touched = now() - interval '31 days'")
        run_blocking(both(store).rotate(KEY))
        assert run_blocking(store.purge(30 * 86_400)) == (KEY,)


_THEIRS = f"'another', '{KEY.session_id}'"
_PAST_THE_GUARD: dict[str, list[Any]] = {
    f"SELECT * FROM read_kinds({_THEIRS})": [],
    f"SELECT * FROM read_values({_THEIRS}, '', 'messages', '{{}}', 0, 9, 9999)": [],
    f"SELECT * FROM read_values({_THEIRS}, '', 'writes', '{{\"\",\"\"}}', 0, 9, 9999)": [],
    f"SELECT * FROM put_values({_THEIRS}, '', 'messages', '[{{\"number\": 1}}]', '{{x}}', '{{x}}')": [],
    f"SELECT put_authors({_THEIRS}, '', authors, '{{}}') FROM sessions": [(False,)],
    "SELECT * FROM list_names('another')": [],
}
"""Calls for another tenant in the name of this one, and what they give."""


def test_a_rotation_keeps_to_row_level_security(servers: Servers) -> None:
    schema = servers.schema()
    with servers.postgres.connect() as connection:
        connection.execute(f"CREATE ROLE role_{schema} LOGIN")
        connection.execute(f"GRANT CREATE ON DATABASE postgres TO role_{schema}")
    url = servers.postgres.url.replace("//postgres:", f"//role_{schema}:")
    store = PostgresStore(f"{url}&schema={schema}&rls=1")
    others = replace(KEY, tenant="another")
    for key in (KEY, others):
        run_blocking(fill_with_secrets(old(store), key))
    done = run_blocking(both(store).rotate_all(KEY.tenant))
    assert (done.sessions, done.left) == (1, {})
    run_blocking(check_secrets(alone(store)))
    with pytest.raises(StoreUnreadable):
        run_blocking(alone(store).record(others))
    with pytest.raises(ConfigError, match="name a tenant"):
        run_blocking(both(store).rotate_all())
    before = run_blocking(store.record(others))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SET search_path = {schema}")
        connection.execute(f"SET llm_sessions.tenant = '{KEY.tenant}'")
        for call, answer in _PAST_THE_GUARD.items():
            assert (call, connection.execute(call).fetchall()) == (call, answer)
    assert run_blocking(store.record(others)) == before
    run_blocking(store.close())


# Whole stores.


def test_a_whole_store_is_rotated_sessions_without_a_message_too(place: Place) -> None:
    store = place.store
    run_blocking(fill_with_secrets(old(store)))
    graph, tree = Key("a graph", "another"), Key("a tree", "another", "sub")
    bare = Checkpoint(graph, "1", None, SECRET_VALUE, {"x": 1})
    run_blocking(old(store).put_checkpoint(bare, {"x": SECRET_VALUE}, head_channel=None, merge=True))
    run_blocking(old(store).append(tree, [message(1)]))
    assert [state.key for state in run_blocking(store.sessions())] == [KEY]
    assert run_blocking(both(store).rotate_all("nobody")) == Rotated(0, 0)
    assert run_blocking(both(store).rotate_all("another")) == Rotated(2, 3)
    assert run_blocking(both(store).rotate_all()).sessions == 3
    assert run_blocking(both(store).rotate_all()) == Rotated(3, 0)
    run_blocking(check_secrets(alone(store)))
    assert run_blocking(alone(store).checkpoint(graph)).values == {"x": SECRET_VALUE}  # type: ignore[union-attr]
    assert len(run_blocking(alone(store).record(tree))) == 1


def test_a_session_that_does_not_open_holds_up_no_other(place: Place) -> None:
    store = place.store
    third = EncryptedStore(store, Keyring({"k3": b"t" * 32}, match_key=RING.match_key))
    for name, sealer in (("a", old(store)), ("lost", third), ("z", old(store))):
        run_blocking(sealer.append(Key(name), [message(1)]))
    done = run_blocking(both(store).rotate_all())
    assert (done.sessions, done.values, len(done.left)) == (3, 2, 1)
    assert "'k3'" in done.left[Key("lost")]
    assert "lost" not in done.left[Key("lost")]
    for name in ("a", "z"):
        assert len(run_blocking(alone(store).record(Key(name)))) == 1


def test_a_store_that_does_not_answer_ends_the_rotation() -> None:
    with every_server() as running:
        store = RedisStore(f"{running.redis.url}?socket_timeout=5")
        for number in range(3):
            run_blocking(old(store).append(Key(f"s{number}"), [message(1)]))
        change = During("message", lambda _: running.redis.kill())
        ring = both(store)
        ring._rewriting = lambda: _Instead(store, change)  # type: ignore[method-assign,assignment,return-value]
        with pytest.raises(StoreError):
            run_blocking(ring.rotate_all())
        assert change.times == 1
        run_blocking(store.close())


class _Instead:
    """A store that is rewritten with another change than it is asked for."""

    def __init__(self, store: Any, change: object) -> None:
        self._store, self._change = store, change
        self.names = store.names

    async def rewrite(self, key: Key, _: object) -> int:
        return int(await self._store.rewrite(key, self._change))
