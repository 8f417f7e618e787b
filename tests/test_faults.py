"""Faults that are really done: what was acknowledged is there afterwards, in order, once."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import fault_writer
import full_disk
import pytest
from cutting_proxy import Cut, CuttingProxy, cutting_proxy
from fault_table import tell
from fault_tools import Places, postgres_socket
from postgres_server import postgres_server
from redis_server import redis_server

from session_core.errors import StoreError
from session_core.ports import Checkpoint, MessageList, Plain, SessionStore
from session_core.stores.open import open_store
from session_core.stores.redis.store import RedisStore
from session_core.stores.sqlite import SqliteStore
from session_core.stores.sqlite.migrations import MIGRATIONS
from session_core.testing import KEY, message
from session_core.turns import Key, Message
from session_core.voices import run_blocking

HERE = Path(__file__).parent
RETRIES = 6


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    with redis_server(appendfsync="always") as redis, postgres_server() as postgres:
        yield Places(redis, postgres)


def url_of(kind: str, places: Places, folder: Path) -> str:
    if kind == "redis":
        return places.redis_url()
    return places.postgres_url() if kind == "postgres" else f"sqlite:///{folder}/a.db"


# The writing process is killed in mid-append.


class Writer:
    """A process that appends batches to a session of its own."""

    def __init__(self, url: str, session: str, folder: Path) -> None:
        self.session = session
        self._told, self._wrong = folder / f"{session}.told", folder / f"{session}.wrong"
        with self._told.open("w") as told, self._wrong.open("w") as wrong:
            command = [sys.executable, str(HERE / "fault_writer.py"), url, session]
            self._process = subprocess.Popen(command, stdout=told, stderr=wrong)

    def has_done(self, batches: int) -> None:
        """Wait until so many batches are acknowledged."""
        while self._told.read_text().count("done") < batches:
            assert self._process.poll() is None, self._wrong.read_text()
            time.sleep(0.002)

    def kill(self) -> tuple[int, bool]:
        """How many batches were acknowledged, and whether one was under way."""
        self._process.kill()
        self._process.wait()
        assert self._wrong.read_text() == ""
        said = self._told.read_text()
        return said.count("done"), said.splitlines()[-1].startswith("begin")


@pytest.mark.parametrize("kind", ["sqlite", "redis", "postgres"])
def test_writers_that_make_the_schema_at_once_and_are_killed_in_mid_append_leave_whole_batches(
    kind: str, places: Places, tmp_path: Path
) -> None:
    url = url_of(kind, places, tmp_path)
    writers = [Writer(url, f"session {number}", tmp_path) for number in range(3)]
    killed: list[tuple[int, bool]] = []
    # Three, and as many more as it takes until one was in the middle of an append.
    for number in count(3):
        if len(killed) == len(writers):
            if any(under_way for _, under_way in killed):
                break
            writers.append(Writer(url, f"session {number}", tmp_path))
        writers[len(killed)].has_done(2)
        time.sleep(random.random() * 0.1)
        killed.append(writers[len(killed)].kill())
    store = open_store(url)
    found = [fault_writer.whole_batches(run_blocking(store.record(Key(writer.session)))) for writer in writers]
    tell(
        f"writer killed, {kind}",
        faults=len(killed),
        raised=sum(under_way for _, under_way in killed),
        acknowledged=sum(done for done, _ in killed) * fault_writer.BATCH,
        found=sum(found) * fault_writer.BATCH,
    )
    assert all(done <= there <= done + under_way for (done, under_way), there in zip(killed, found, strict=True))
    for writer, there in zip(writers, found, strict=True):
        key = Key(writer.session)
        again = run_blocking(store.append(key, fault_writer.batch(there)))
        assert again.new in (0, fault_writer.BATCH)
        assert fault_writer.whole_batches(run_blocking(store.record(key))) == there + 1
    assert run_blocking(store.damage()) == ()
    run_blocking(store.close())


# A Redis that forgets everything while somebody writes.


def test_a_redis_that_comes_back_empty_takes_what_is_said_from_then_on() -> None:
    with redis_server(appendonly="no") as server:
        store, acknowledged, begun_since = RedisStore(server.url), list[int](), list[int]()
        killed, stop = threading.Event(), threading.Event()

        def write() -> None:
            number = 0
            while not stop.is_set():
                since = killed.is_set()
                try:
                    run_blocking(store.append(KEY, [message(number), message(number + 1)]))
                except StoreError:
                    continue
                acknowledged.append(number)
                if since:
                    begun_since.append(number)
                number += 2

        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.3)
        server.kill()
        killed.set()
        server.start()
        while len(begun_since) < 50:
            time.sleep(0.01)
        stop.set()
        writer.join()
        found = [int(m.id[1:]) for m in run_blocking(store.record(KEY))]
        tell("redis came back empty", faults=1, acknowledged=2 * len(begun_since), found=len(found))
        assert found == list(range(found[0], found[0] + len(found)))
        assert {found[0], found[-1] - 1} <= set(acknowledged)
        assert found[-1] == acknowledged[-1] + 1
        # Of what was begun before only the append under way may be there: tried again when the server was back.
        assert begun_since[0] - found[0] in (0, 2)
        run_blocking(store.close())


# A connection that is cut in mid-reply.


@pytest.fixture(params=["redis", "postgres"])
def proxied(request: pytest.FixtureRequest, places: Places) -> Iterator[tuple[CuttingProxy, str, str]]:
    """A proxy, the URL of a store behind it, and that of the same store without it."""
    if request.param == "redis":
        url = places.redis_url()
        with cutting_proxy(places.redis.port) as proxy:
            yield proxy, f"redis://127.0.0.1:{proxy.port}", url
    else:
        url = places.postgres_url()
        with cutting_proxy(postgres_socket(places.postgres)) as proxy:
            plain = f"postgresql://postgres@127.0.0.1:{proxy.port}/postgres?sslmode=disable"
            yield proxy, f"{plain}&{url.rpartition('&')[2]}", url


def points(replied: int) -> list[Cut]:
    """The interesting places to cut a reply of so many bytes: its ends, what stands before them, and in between."""
    behind = {0, 1, 4, 5, 6, replied - 6, replied - 2, replied - 1, replied}
    behind |= {replied * part // 8 for part in range(1, 8)}
    return [Cut(unsent=True), *(Cut(place) for place in sorted(behind) if 0 <= place <= replied)]


async def until_acknowledged(work: Callable[[], Any]) -> int:
    """How often `work` raised before it was acknowledged."""
    for raised in range(RETRIES):
        try:
            await work()
        except StoreError:
            continue
        return raised
    raise AssertionError("a write was refused again and again")


def pair(number: int) -> list[Message]:
    return [message(number), message(number + 1)]


def checkpoint_of(store: SessionStore, key: Key, first: int, *, follows: bool = False) -> Any:
    row = Checkpoint(key, "1", None, Plain("t", b"b"), {"messages": 1})
    values = {"messages": MessageList(tuple(pair(first)))}
    return store.put_checkpoint(row, values, head_channel=None, merge=True, follows=follows)


WRITES: dict[str, Callable[[SessionStore, Key, int], Any]] = {
    "append": lambda store, key, first: store.append(key, pair(first)),
    "append to a version": lambda store, key, first: store.append(key, pair(first), expected=first // 2),
    "checkpoint": checkpoint_of,
    "checkpoint behind its parent": partial(checkpoint_of, follows=True),
}


async def cut_everywhere(
    store: SessionStore, direct: SessionStore, proxy: CuttingProxy, write: Callable[[SessionStore, Key, int], Any]
) -> tuple[int, int, int]:
    """How many cuts were made, how many writes raised for them, and how many messages were acknowledged."""
    warm = Key("warm")
    for number in range(0, 16, 2):
        proxy.cut()
        await write(store, warm, number)
    cuts = raised = acknowledged = 0
    for number, place in enumerate(points(proxy.replied)):
        key = Key(str(place))
        await store.append(key, pair(0))
        # Once, or as often as a driver tries that tries again by itself.
        proxy.cut(*[place] * (1, 4)[number % 2])
        raised += await until_acknowledged(lambda: write(store, key, 2))  # noqa: B023
        cuts += proxy.made
        proxy.cut()
        await store.append(key, pair(4))
        acknowledged += 6
        found = run_blocking(direct.record(key))
        assert [m.id for m in found] == ["m0", "m1", "m2", "m3", "m4", "m5"], place
        state = run_blocking(direct.state(key))
        assert state is not None
        assert state.ledger.messages == 6
    return cuts, raised, acknowledged


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_write_whose_reply_is_cut_is_there_once(
    voice: str, write: str, proxied: tuple[CuttingProxy, str, str]
) -> None:
    proxy, url, direct_url = proxied
    store, direct = open_store(url), open_store(direct_url)
    if voice == "blocking":
        told = run_blocking(cut_everywhere(store, direct, proxy, WRITES[write]))
    else:
        told = asyncio.run(cut_everywhere(store.awaiting(), direct, proxy, WRITES[write]))
    cuts, raised, acknowledged = told
    found = sum(state.ledger.messages for state in run_blocking(direct.sessions())) - 16
    tell(
        f"reply cut, {store.scheme}, {voice} {write}",
        faults=cuts,
        raised=raised,
        acknowledged=acknowledged,
        found=found,
    )
    assert cuts > 20
    assert raised > 3
    for one in (store, direct):
        run_blocking(one.close())


def test_a_load_that_is_cut_raises_or_is_whole(proxied: tuple[CuttingProxy, str, str]) -> None:
    proxy, url, direct_url = proxied
    store, direct = open_store(url), open_store(direct_url)
    run_blocking(direct.append(KEY, [message(number) for number in range(200)]))
    whole = run_blocking(direct.load(KEY))
    for _ in range(7):
        proxy.cut()
        run_blocking(store.load(KEY))
    for place in points(proxy.replied):
        proxy.cut(*[place] * 4)
        for _ in range(RETRIES):
            try:
                assert run_blocking(store.load(KEY)) == whole
            except StoreError:
                continue
        proxy.cut()
        assert run_blocking(store.load(KEY)) == whole
    for one in (store, direct):
        run_blocking(one.close())


# A full disk.


def _may_mount() -> bool:
    """Whether a file system can be mounted here without help, in a namespace of our own."""
    if shutil.which("unshare") is None:
        return False
    tried = ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


# The last one is large enough for the journal to be moved into the file, which needs room of its own.
DISKS = [("limit", 300_000), *([("mount", 500_000), ("mount", 6_000_000)] if _may_mount() else [])]


@pytest.mark.parametrize(("way", "size"), DISKS)
def test_a_full_disk_refuses_writes_loses_nothing_and_works_on_when_there_is_room(
    way: str, size: int, tmp_path: Path
) -> None:
    command = [sys.executable, full_disk.__file__, str(tmp_path), way, str(size)]
    if way == "mount":
        command = ["unshare", "-Urm", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    told = json.loads(done.stdout)
    figures = {name: len(told[name]) for name in ("acknowledged", "found")}
    tell(f"disk full, sqlite ({way} of {size:,} bytes)", faults=1, raised=len(told["errors"]), **figures)
    assert told["unlimited"] > 1
    assert told["full"] == told["acknowledged"][: len(told["full"])]
    assert len(told["full"]) == told["unlimited"] * 5
    assert told["found"] == told["acknowledged"]
    assert told["damage"] == []
    assert told["deleted"] == 0
    assert len(told["errors"]) == 4
    assert all("StoreError: " in said and "send it again" in said for said in told["errors"])


# Two that migrate at once.


def test_concurrent_opens_of_a_new_file_create_one_schema(tmp_path: Path) -> None:
    for number in range(8):
        path, gate = tmp_path / f"{number}.db", threading.Barrier(8)

        def opened(writer: int, path: Path = path, gate: threading.Barrier = gate) -> None:
            gate.wait()
            store = SqliteStore(path)
            run_blocking(store.append(KEY, pair(writer * 2)))
            run_blocking(store.close())

        with ThreadPoolExecutor(8) as threads:
            for done in [threads.submit(opened, writer) for writer in range(8)]:
                done.result()
        store = SqliteStore(path)
        assert len(run_blocking(store.record(KEY))) == 16
        with store._file.reading() as connection:
            assert connection.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        run_blocking(store.close())
