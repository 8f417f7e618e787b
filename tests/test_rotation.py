"""A new key for sessions on every store: all that they hold, in small steps, whole stores, with nothing lost."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from every_store import KINDS, Place, Servers, every_server
from rotating import SERVERS_ONLY, During, alone, both, messages, old
from sealed_fill import RESULT, RING, SECRET_VALUE, check_secrets, fill_with_secrets

from session_core.errors import ConfigError, StoreError, StoreUnreadable
from session_core.ports import Checkpoint, Plain, SessionStore
from session_core.serial.codec import body_digest
from session_core.stores.encrypted import EncryptedStore, Rotated
from session_core.stores.keyring import Keyring
from session_core.stores.postgres.store import PostgresStore
from session_core.stores.redis.store import RedisStore
from session_core.testing import KEY, message
from session_core.turns import Key
from session_core.voices import run_blocking

SUB = Key(KEY.session_id, KEY.tenant, "sub")


@pytest.fixture(params=KINDS)
def place(request: Any, servers: Servers, tmp_path: Path) -> Iterator[Place]:
    with servers.place(request.param, tmp_path) as made:
        yield made


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
