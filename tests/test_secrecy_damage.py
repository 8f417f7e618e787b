"""Nothing of what was said stands in the errors of stored values that are damaged, or that no key opens."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_tools import KINDS, Places, fill
from secrecy import SECRET, chain, overheard, secret, silent

from session_core.errors import SessionError
from session_core.ports import SessionStore
from session_core.ranges import Ranges
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.postgres.store import PostgresStore
from session_core.stores.redis.names import Names
from session_core.stores.redis.store import RedisStore
from session_core.stores.sqlite import SqliteStore
from session_core.testing import KEY
from session_core.turns import Key
from session_core.voices import run_blocking


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, places: Places, tmp_path: Path) -> Iterator[SessionStore]:
    with places.store(request.param, tmp_path) as made:
        yield made


@pytest.fixture(autouse=True)
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with overheard(caplog):
        yield


def reads(store: SessionStore, key: Key) -> list[Callable[[], Any]]:
    async def first() -> Any:
        found = await store.checkpoint(key)
        return found and await store.fill(found)

    return [
        lambda: store.load(key),
        lambda: store.load(key, Ranges.span(1, 2)),
        lambda: store.record(key),
        lambda: store.find(key, f"{SECRET}-2"),
        lambda: store.search(key, [SECRET], max_hits=5),
        lambda: store.state(key),
        lambda: store.notices(key),
        lambda: store.sessions(key.tenant),
        lambda: store.checkpoints(key.tenant, key.session_id, None),
        lambda: first(),
        lambda: store.append(key, [secret(id=f"new {os.urandom(4).hex()}")]),
    ]


def tried(works: list[Callable[[], Any]]) -> int:
    """How many of `works` raised; each an error of ours that says nothing."""
    raised = 0
    for work in works:
        try:
            run_blocking(work())
        except SessionError as exc:
            raised += 1
            for one in chain(exc):
                silent([str(one).replace(f"{SECRET}-", "id-"), vars(one)])
    return raised


JUNK = [
    b"",
    SECRET.encode(),
    b"\x01" + SECRET.encode(),
    b"\x02" + SECRET.encode(),
    b"\x07" + SECRET.encode(),
    # A text, a map with a strange key, a list of texts: well-formed, and not what should stand there.
    b"\x01\xaa" + SECRET.encode(),
    b"\x01\x81\xaa" + SECRET.encode() + b"\x01",
    b"\x01\x93" + (b"\xaa" + SECRET.encode()) * 3,
    b"\x01\x99" + (b"\xaa" + SECRET.encode()) * 9,
]


COLUMNS = {
    "sessions": ["state"],
    "bodies": ["data"],
    "digests": ["data"],
    "notices": ["data"],
    "checkpoints": ["body", "versions"],
    "channel_values": ["data", "type"],
    "writes": ["data", "type"],
    "messages": ["importance", "tokens", "time_s"],
}


@pytest.mark.parametrize("table", COLUMNS)
def test_errors_of_damaged_rows_contain_no_content(table: str, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    store = SqliteStore(path)
    fill(store, KEY, SECRET)
    run_blocking(store.close())
    whole = path.read_bytes()
    raised = 0
    for column in COLUMNS[table]:
        for junk in JUNK:
            path.write_bytes(whole)
            with sqlite3.connect(path) as file:
                file.execute(
                    f"UPDATE {table} SET {column} = ?", (junk if column != "type" else junk.decode("latin-1"),)
                )
            file.close()
            damaged = SqliteStore(path)
            raised += tried(reads(damaged, KEY))
            run_blocking(damaged.close())
    assert raised > 0


def test_errors_of_damaged_redis_keys_contain_no_content(places: Places) -> None:
    raised = 0
    for junk in [*JUNK, b"\x01" * 19 + SECRET.encode(), b"\x81\xa1f\x01", b"\x82\xa1f\x01\xa1n\xa3abc"]:
        store = RedisStore(places.redis_url())
        fill(store, KEY, SECRET)
        state, log, _, values, _ = Names().of(KEY)
        for damage in (
            lambda client: client.lset(log, 1, junk),  # noqa: B023
            lambda client: client.hset(state, "notices", junk),  # noqa: B023
            lambda client: client.hset(state, "d1", junk),  # noqa: B023
            lambda client: [client.hset(values, field, junk) for field in client.hkeys(values)],  # noqa: B023
            lambda client: client.hset(state, "state", junk),  # noqa: B023
            lambda client: client.set(log, SECRET),  # noqa: B023
        ):
            with places.redis.client() as client:
                damage(client)
            raised += tried(reads(store, KEY))
        run_blocking(store.close())
    assert raised > 50


@pytest.mark.parametrize(
    "column",
    [
        *("messages.body", "messages.clip", "messages.id"),
        "digests.data",
        "notices.data",
        "channel_values.data",
        "writes.data",
    ],
)
def test_errors_of_damaged_postgresql_rows_contain_no_content(column: str, places: Places) -> None:
    url = places.postgres_url()
    store = PostgresStore(url)
    fill(store, KEY, SECRET)
    table, name = column.split(".")
    raised = 0
    for junk in JUNK:
        with places.postgres.connect() as connection:
            connection.execute(f"UPDATE {url.rpartition('schema=')[2]}.{table} SET {name} = %s", (junk,))
        raised += tried(reads(store, KEY))
    assert raised > 0
    run_blocking(store.close())


def test_errors_of_a_wrong_key_contain_no_content(tmp_path: Path) -> None:
    inner = SqliteStore(tmp_path / "a.db")
    fill(EncryptedStore(inner, Keyring({"k1": bytes(32)})), KEY, SECRET)
    for ring in (Keyring({"k1": b"\x01" * 32}), Keyring({"k2": bytes(32)})):
        assert tried(reads(EncryptedStore(inner, ring), KEY)) > 5
    fill(inner, Key("in clear"), SECRET)
    assert tried(reads(EncryptedStore(inner, Keyring({"k1": bytes(32)})), Key("in clear"))) > 5
    run_blocking(inner.close())


def test_errors_of_a_corrupted_file_contain_no_content(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    store = SqliteStore(path)
    fill(store, KEY, SECRET)
    run_blocking(store.close())
    data = bytearray(path.read_bytes())
    data[4_096:40_000] = (SECRET.encode() * 4_000)[: 40_000 - 4_096]
    path.write_bytes(data)
    damaged = SqliteStore(path)
    assert tried(reads(damaged, KEY)) > 0
    silent(run_blocking(damaged.damage()))
    run_blocking(damaged.close())
