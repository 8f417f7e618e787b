"""PostgreSQL keeps every promise of a store, and its own: round trips, crashes, migrations, tenants, retention."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from every_store import TABLES, empty_schema
from fault_table import tell
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.checkpoint.conformance import checkpointer_test, validate
from pair_writers import check_processes, pair, whole_pairs
from postgres_server import PostgresServer, postgres_server

from langchain_session import SessionSaver
from session_core import Sessions
from session_core.errors import (
    ConfigError,
    Conflict,
    InputError,
    NewerSchema,
    SessionError,
    StoreBusy,
    StoreError,
    StoreLost,
    StoreUnreadable,
)
from session_core.plan import Digest
from session_core.ports import Appended, Checkpoint, Loaded, Marks, MessageList, Plain, SessionStore, State, Write
from session_core.ranges import Ranges
from session_core.stores.memory import MemoryStore
from session_core.stores.open import open_store
from session_core.stores.postgres import checkpoints
from session_core.stores.postgres.migrations import MIGRATIONS
from session_core.stores.postgres.rows import Batch, id_hash, id_in, names, plain_values, text_in, text_out
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import CLOSING_PROMISES, KEY, STORE_PROMISES, message
from session_core.turns import Key, Message, Role, ToolCall
from session_core.voices import run_blocking

PROMISES = [one for one in STORE_PROMISES if one not in CLOSING_PROMISES]
_schemas = count(1)


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    """A schema that is not there yet."""
    return f"{postgres.url}&schema=s{next(_schemas)}"


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    made = PostgresStore(url)
    yield made
    run_blocking(made.close())


def schema_of(url: str) -> str:
    return url.rpartition("schema=")[2].partition("&")[0]


def rows_left(server: PostgresServer, url: str) -> dict[str, int]:
    with server.connect() as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {schema_of(url)}.{table}").fetchone()[0]  # type: ignore[index]
            for table in TABLES
        }


@pytest.fixture(scope="module")
def opened(postgres: PostgresServer) -> Iterator[PostgresStore]:
    made = PostgresStore(f"{postgres.url}&schema=promises")
    yield made
    run_blocking(made.close())


@pytest.fixture
def emptied(opened: PostgresStore, postgres: PostgresServer) -> PostgresStore:
    """The same store for all promises but those that close it, emptied."""
    empty_schema(postgres, "promises")
    return opened


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_blocking(promise: Any, emptied: PostgresStore) -> None:
    run_blocking(promise(emptied))


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_awaiting(promise: Any, emptied: PostgresStore) -> None:
    asyncio.run(promise(emptied.awaiting()))


@pytest.mark.parametrize("promise", CLOSING_PROMISES, ids=lambda promise: promise.__name__)
def test_it_ends_as_promised_in_both_voices(promise: Any, url: str) -> None:
    run_blocking(promise(PostgresStore(url)))
    asyncio.run(promise(PostgresStore(f"{url}_awaited").awaiting()))


BASE = ("put", "put_writes", "get_tuple", "list", "delete_thread")


def test_the_saver_passes_the_official_conformance_kit(url: str) -> None:
    @checkpointer_test(name="postgres")
    async def factory() -> Any:
        async with SessionSaver(f"{url}_{next(_schemas)}") as saver:
            yield saver

    report = asyncio.run(validate(factory, capabilities=set(BASE)))
    failures = {name: result.failures for name, result in report.results.items() if result.failures}
    assert failures == {}
    assert all(report.results[name].passed for name in BASE)


# Round trips: the server says ReadyForQuery once for each.


def trips(store: PostgresStore, folder: Path, act: Callable[[], object]) -> int:
    """How many round trips `act` makes over the one connection of `store`."""
    told = folder / f"trace{next(_schemas)}"
    run_blocking(store.state(KEY))
    free = store._wire._processes[os.getpid()]._free
    cursor = free.take()
    traced = cursor.connection.pgconn
    free.give_back(cursor)
    with told.open("w") as file:
        traced.trace(file.fileno())
        act()
        traced.untrace()
    return told.read_text().count("ReadyForQuery")


def a_turn(first: int) -> list[Message]:
    call = Message(Role.ASSISTANT, "", id=f"c{first}", tool_calls=(ToolCall(f"t{first}", "look"),), tokens=5)
    result = Message(Role.TOOL, "found " * 300, id=f"r{first}", tool_call_id=f"t{first}", clip="found", clip_tokens=2)
    return [message(first), call, result, message(first + 1, Role.ASSISTANT)]


def a_checkpoint(name: str, parent: str | None = None) -> Checkpoint:
    return Checkpoint(KEY, name, parent, Plain("t", b"body"), {"messages": name, "step": name})


@pytest.mark.parametrize("age", [10, 2_000])
def test_round_trips_per_operation_do_not_grow_with_the_session(age: int, url: str, tmp_path: Path) -> None:
    store = PostgresStore(f"{url}&max_connections=1")
    run_blocking(store.append(KEY, [message(n) for n in range(age)]))
    run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, age - 5), "so far"), expected=0))
    run_blocking(store.append(KEY, a_turn(90_000)))
    value = {"messages": MessageList((Ranges.span(1, age), message(91_000))), "step": Plain("t", b"1")}
    writes = [Write("a", 0, "messages", MessageList((message(91_000),))), Write("a", 1, "step", Plain("t", b"1"))]
    done = {
        "append one": lambda: store.append(KEY, [message(93_000)], strict=True),
        "append one again": lambda: store.append(KEY, [message(93_000)], strict=True),
        "append": lambda: store.append(KEY, a_turn(92_000), strict=True),
        "append again": lambda: store.append(KEY, a_turn(92_000), strict=True),
        "load": lambda: store.load(KEY),
        "put_writes": lambda: store.put_writes(KEY, "1", writes),
        "put_checkpoint": lambda: store.put_checkpoint(a_checkpoint("1"), value, head_channel="messages", merge=True),
        "put_checkpoint without messages": lambda: store.put_checkpoint(
            a_checkpoint("2", "1"), {"step": Plain("t", b"2")}, head_channel="messages", merge=True
        ),
        "checkpoint": lambda: store.checkpoint(KEY),
        "state": lambda: store.state(KEY),
        "search": lambda: store.search(KEY, ["words"], max_hits=5),
        "delete": lambda: store.delete(KEY),
    }
    made = {name: trips(store, tmp_path, lambda work=work: run_blocking(work())) for name, work in done.items()}
    assert made == {**dict.fromkeys(done, 1), "put_checkpoint": 2}
    run_blocking(store.close())


def pages_read(connection: psycopg.Connection[Any], store: PostgresStore, call: str, *values: object) -> int:
    """How many pages the server looks at for `call`, with the plans that the connection made when it was first used."""
    said = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {store._statements[call]}", values).fetchone()
    plan = said[0][0]["Plan"]  # type: ignore[index]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize("call", ["append_message", "append_messages"])
def test_an_append_looks_at_as_few_pages_in_an_old_session_also_with_plans_of_a_young_one(
    call: str, store: PostgresStore, postgres: PostgresServer
) -> None:
    def append(first: int) -> int:
        said = message(first)
        plain, batch = (*plain_values(said), False, False), (*Batch.of([said]).values, None, False, True, None, False)
        return pages_read(connection, store, call, *names(KEY), *(plain if call == "append_message" else batch))

    with postgres.connect() as connection:
        young = [append(n) for n in range(40)][-5:]
        for first in range(1_000, 4_000, 500):
            run_blocking(store.append(KEY, [message(first + n) for n in range(500)]))
        old = [append(n) for n in range(10_000, 10_005)]
    assert max(old) <= max(young) + 25


@pytest.mark.parametrize("call", ["append_message", "append_messages", "find_message", "read_parent"])
def test_a_session_that_the_statistics_do_not_know_is_not_read_whole_for_an_id(
    call: str, store: PostgresStore, postgres: PostgresServer
) -> None:
    """With few sessions, the server takes one that it did not see when it last looked for a session of one message."""
    for first in range(0, 3_000, 500):
        run_blocking(store.append(KEY, [message(first + n) for n in range(500)]))
    with postgres.connect() as connection:
        connection.execute(f"ANALYZE {store._address.quoted}.messages")
        young = replace(KEY, session_id="young")
        for first in range(0, 3_000, 500):
            run_blocking(store.append(young, [message(first + n) for n in range(500)]))
        pages = []
        for number in range(10_000, 10_010):
            said = message(number)
            kept_id = id_in(said.id)
            values: dict[str, tuple[object, ...]] = {
                "append_message": (*plain_values(said), False, False),
                "append_messages": (*Batch.of([said]).values, None, False, True, None, False),
                "find_message": (kept_id, id_hash(kept_id)),
                "read_parent": (None, [], [kept_id], [id_hash(kept_id)]),
            }
            pages.append(pages_read(connection, store, call, *names(young), *values[call]))
    assert max(pages[-5:]) < 100, pages
    run_blocking(store.delete(young))


def test_a_view_of_an_old_session_reads_what_is_behind_the_digest_only(store: PostgresStore) -> None:
    run_blocking(store.append(KEY, [message(n) for n in range(2_000)]))
    run_blocking(store.put_digest(KEY, Digest(Ranges.span(1, 1_990), "so far"), expected=0))
    run_blocking(store.append(KEY, [message(3_000)]))
    rows = run_blocking(store._call("load_session", KEY.tenant, KEY.session_id, KEY.namespace, None))
    assert len(rows) == 1 + 11


# It decides as the stores in Python do.

IDS = st.sampled_from(["m1", "m1", "m2", "m2", "m3", "\\u0000", "a\x00b", "\ud800"])
PARTS = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3)), max_size=3).map(
    lambda found: Ranges.of(dict.fromkeys(seq for first, more in found for seq in range(first, first + more + 1)))
)


@st.composite
def a_message(draw: st.DrawFn) -> Message:
    role = draw(st.sampled_from(list(Role)))
    calls = draw(st.lists(st.sampled_from(["t1", "t2", "t\x00"]), max_size=2)) if role is Role.ASSISTANT else []
    clipped = draw(st.booleans())
    return Message(
        role,
        draw(st.sampled_from(["one", "two", "nul \x00", "half \ud800"])),
        id=draw(IDS),
        tool_calls=tuple(ToolCall(call, "look") for call in calls),
        tool_call_id=draw(st.sampled_from(["t1", "t2", "t\x00"])) if role is Role.TOOL else None,
        author=draw(st.sampled_from([None, "", "Ann", "B\x00b"])),
        tokens=draw(st.integers(0, 9)),
        time_s=draw(st.sampled_from([None, 1.5, 1e300, -0.1])),
        clip="cut \x00 \udfff" if clipped else None,
        clip_tokens=1 if clipped else 0,
        rendition=draw(st.sampled_from(["whole", "whole", "clip"])),
    )


BATCHES = st.lists(a_message(), max_size=5)
LISTS = st.builds(
    MessageList,
    st.lists(st.one_of(a_message(), PARTS), max_size=5).map(tuple),
    base=PARTS,
    base_version=st.sampled_from([None, 0, 1, "before"]),
    hidden=PARTS,
)
STEPS = st.one_of(
    st.tuples(st.just("append"), BATCHES, st.sampled_from([None, None, None, 0, 1, 2]), st.booleans(), st.booleans()),
    st.tuples(st.just("digest"), PARTS, st.integers(0, 1), st.sampled_from([None, None, "of another"])),
    st.tuples(st.just("mark"), PARTS, st.booleans()),
    st.tuples(
        st.just("checkpoint"),
        LISTS,
        st.one_of(st.none(), LISTS),
        st.booleans(),
        st.sampled_from([None, "0", "1", "before", "before"]),
    ),
)


async def _do(store: SessionStore, key: Key, place: int, step: tuple[Any, ...]) -> object:
    """What a step comes to; an error counts by its kind and what it says."""
    try:
        match step:
            case ("append", messages, expected, revise, strict):
                return await store.append(key, messages, expected=expected, revise=revise, strict=strict)
            case ("digest", covers, expected, born):
                made = Digest(covers, f"digest {place}", tokens=place)
                return await store.put_digest(key, made, expected=expected, born=born)
            case ("mark", head, activate):
                return await store.mark(key, Marks(tier=place, head=head or None, activate=activate))
            case (_, said, aside, merge, parent):
                versions = {"aside": place, "messages": place, "empty": 1.5}
                if parent == "before":
                    parent = str(place - 1)
                if said.base_version == "before":
                    said = replace(said, base_version=place - 1)
                row = Checkpoint(key, str(place), parent, Plain("t", b"b"), versions)
                values = {"messages": said, "empty": None, "aside": aside}
                return await store.put_checkpoint(row, values, head_channel="messages", merge=merge)
    except SessionError as exc:
        return type(exc), str(exc)


def _told(found: Any) -> Any:
    """What was found, less what a store need not keep."""
    if isinstance(found, Message):
        return replace(found, rendition="whole")
    if isinstance(found, State):
        return replace(found, born="")
    if isinstance(found, Appended):
        return replace(found, state=_told(found.state))
    if isinstance(found, Loaded):
        return replace(found, state=_told(found.state), messages=_told(found.messages))
    if isinstance(found, tuple) and found and isinstance(found[0], Message):
        return tuple(map(_told, found))
    return found


@pytest.fixture(scope="module")
def mirrored(postgres: PostgresServer) -> Iterator[PostgresStore]:
    made = PostgresStore(f"{postgres.url}&schema=mirrored")
    yield made
    run_blocking(made.close())


@pytest.mark.parametrize("free_tries", [1, 0], ids=["free", "held"])
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=8), lineage=PARTS)
def test_it_decides_as_the_store_in_memory(
    mirrored: PostgresStore, free_tries: int, steps: list[tuple[Any, ...]], lineage: Ranges
) -> None:
    key = Key(f"session {next(_schemas)}", "a \\ tenant")
    theirs, ours = MemoryStore(), mirrored

    async def both(act: Callable[[SessionStore], Any]) -> None:
        assert _told(await act(ours)) == _told(await act(theirs))

    async def compared() -> None:
        begun = [message(number) for number in range(1, 4)]
        await both(lambda store: store.append(key, begun))
        for place, step in enumerate(steps):
            await both(lambda store: _do(store, key, place, step))  # noqa: B023
            await both(lambda store: store.state(key))
        await both(lambda store: store.record(key))
        state = await theirs.state(key)
        known = Ranges.span(1, state.ledger.messages if state else 0)
        if set(lineage) | set(state.head if state else ()) <= set(known):
            await both(lambda store: store.load(key))
            await both(lambda store: store.load(key, lineage))
        for message_id in ("m1", "m2", "a\x00b"):
            await both(lambda store: store.find(key, message_id))  # noqa: B023
        for place in range(len(steps)):
            await both(lambda store: store.checkpoint(key, str(place)))  # noqa: B023
        await both(lambda store: store.checkpoints(key.tenant, key.session_id, None, before="5"))
        await both(lambda store: store.delete(key))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(checkpoints, "FREE_TRIES", free_tries)
        run_blocking(compared())


def test_a_digest_of_a_session_that_was_begun_again_is_refused(store: PostgresStore) -> None:
    old = run_blocking(store.append(KEY, [message(1)])).state
    run_blocking(store.delete(KEY))
    new = run_blocking(store.append(KEY, [message(2)])).state
    digest = Digest(Ranges.span(1, 1), "so far")
    with pytest.raises(Conflict, match="deleted"):
        run_blocking(store.put_digest(KEY, digest, expected=0, born=old.born))
    assert run_blocking(store.put_digest(KEY, digest, expected=0, born=new.born)).number == 1


@given(text=st.text(alphabet=st.sampled_from(["\\", "u", "0", "\x00", "\ud800", "\udfff", "ü", "n"])))
def test_any_text_can_be_kept_and_comes_back(text: str) -> None:
    kept = text_in(text)
    assert "\x00" not in kept
    assert kept.encode().decode() == kept
    assert text_out(kept) == text


# Many writers.


def test_eight_threads_on_one_session_lose_and_split_nothing(store: PostgresStore) -> None:
    def write(writer: int) -> None:
        for turn in range(20):
            run_blocking(store.append(KEY, pair(writer * 1_000 + turn * 2)))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(1, 9)))
    assert whole_pairs(run_blocking(store.record(KEY))) == 160


def test_checkpoints_and_appends_at_once_lose_nothing_of_the_head(store: PostgresStore) -> None:
    def append(writer: int) -> None:
        for turn in range(15):
            run_blocking(store.append(KEY, pair(writer * 1_000 + turn * 2)))

    def step(writer: int) -> None:
        base = Ranges()
        for turn in range(15):
            name = f"{writer}.{turn:03}"
            value = MessageList((base, *pair(writer * 1_000 + turn * 2)), base=base)
            row = Checkpoint(KEY, name, f"{writer}.{turn - 1:03}", Plain("t", b"b"), {"messages": name})
            run_blocking(store.put_checkpoint(row, {"messages": value}, head_channel="messages", merge=True))
            stored = run_blocking(store.checkpoint(KEY, name))
            assert stored is not None
            base = stored.values["messages"].part  # type: ignore[union-attr]

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(work, n) for n, work in enumerate((append, step, append, step), start=1)]:
            done.result()
    state = run_blocking(store.state(KEY))
    assert state is not None
    assert state.ledger.messages == 120
    assert sorted(state.head) == list(range(1, 121))


def test_a_checkpoint_gets_its_turn_however_much_others_write(store: PostgresStore) -> None:
    done = threading.Event()

    def append(writer: int) -> None:
        turn = count()
        while not done.is_set():
            run_blocking(store.append(KEY, pair(writer * 100_000 + next(turn) * 2)))

    with ThreadPoolExecutor(6) as threads:
        writers = [threads.submit(append, writer) for writer in range(1, 7)]
        try:
            for number in range(10):
                value = MessageList((message(number),))
                run_blocking(
                    store.put_checkpoint(
                        a_checkpoint(str(number)), {"messages": value}, head_channel="messages", merge=True
                    )
                )
        finally:
            done.set()
        for writer in writers:
            writer.result()
    state = run_blocking(store.state(KEY))
    assert state is not None
    assert sorted(state.head) == list(range(1, state.ledger.messages + 1))


def test_processes_migrate_at_once_and_lose_and_split_nothing(url: str) -> None:
    check_processes(url)


def test_two_that_migrate_at_once_make_one_schema(url: str, postgres: PostgresServer) -> None:
    for _ in range(5):
        gate = threading.Barrier(4)

        def opened(gate: threading.Barrier = gate) -> None:
            gate.wait()
            run_blocking(PostgresStore(url).close())

        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(opened) for _ in range(4)]:
                done.result()
        with postgres.connect() as connection:
            found = connection.execute(f"SELECT version FROM {schema_of(url)}.migrations ORDER BY 1").fetchall()
            connection.execute(f"DROP SCHEMA {schema_of(url)} CASCADE")
        assert found == [(version + 1,) for version in range(len(MIGRATIONS))]


async def _talk(store: SessionStore, number: int) -> int:
    key = Key(f"session {number}")
    for turn in range(5):
        await store.append(key, pair(turn * 2))
        await store.load(key)
    return whole_pairs(await store.record(key))


def test_64_sessions_at_once_awaited(store: PostgresStore) -> None:
    async def all_at_once() -> list[int]:
        twin = store.awaiting()
        return await asyncio.gather(*(_talk(twin, number) for number in range(64)))

    assert asyncio.run(all_at_once()) == [5] * 64
    assert len(run_blocking(store.sessions())) == 64


def test_64_sessions_at_once_in_threads(store: PostgresStore) -> None:
    with ThreadPoolExecutor(64) as threads:
        done = list(threads.map(lambda number: run_blocking(_talk(store, number)), range(64)))
    assert done == [5] * 64


def test_each_event_loop_has_its_own_connections(store: PostgresStore) -> None:
    twin = store.awaiting()
    for number in range(3):
        asyncio.run(twin.append(KEY, [message(number)]))
    assert len(asyncio.run(twin.record(KEY))) == 3


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_of_a_process_that_uses_it_opens_its_own_connections(store: PostgresStore) -> None:
    def write(number: int) -> None:
        run_blocking(store.append(KEY, [message(number)]))

    write(1)
    child = multiprocessing.get_context("fork").Process(target=write, args=(2,))
    child.start()
    child.join()
    write(3)
    assert child.exitcode == 0
    assert [m.id for m in run_blocking(store.record(KEY))] == ["m1", "m2", "m3"]


# Faults.


def test_what_was_acknowledged_is_there_after_the_server_was_killed() -> None:
    with postgres_server() as server:
        store = PostgresStore(server.url)
        acknowledged: list[int] = []
        stop = threading.Event()

        def write(writer: int) -> None:
            for turn in range(1_000):
                first = writer * 10_000 + turn * 2
                try:
                    run_blocking(store.append(KEY, pair(first)))
                except StoreBusy:
                    return
                acknowledged.extend((first, first + 1))
                if len(acknowledged) >= 60:
                    stop.set()

        writers = [threading.Thread(target=write, args=(n,)) for n in range(1, 4)]
        for writer in writers:
            writer.start()
        stop.wait()
        server.kill()
        for writer in writers:
            writer.join()
        server.start()
        found = _patiently(lambda: run_blocking(store.record(KEY)))
        tell("postgres killed", faults=1, acknowledged=len(acknowledged), found=len(found))
        assert {f"m{n}" for n in acknowledged} <= {m.id for m in found}
        assert [m.seq for m in found] == list(range(1, len(found) + 1))
        whole_pairs(found)
        state = run_blocking(store.state(KEY))
        assert state is not None
        assert (state.head, state.ledger.messages) == (Ranges.span(1, len(found)), len(found))
        run_blocking(store.append(KEY, [message(acknowledged[0])]))
        assert run_blocking(store.state(KEY)) == state
        run_blocking(store.close())


def _patiently(work: Callable[[], Any]) -> Any:
    """What `work` gives when it is asked again as StoreBusy says."""
    for _ in range(20):
        try:
            return work()
        except StoreBusy:
            continue
    raise AssertionError("busy for ever")


def _write_for_ever(url: str, told: str) -> None:
    store = PostgresStore(url)
    with Path(told).open("a") as acknowledged:
        for turn in range(100_000):
            run_blocking(store.append(KEY, pair(turn * 2)))
            acknowledged.write(f"{turn}\n")
            acknowledged.flush()


def test_a_writer_that_is_killed_leaves_whole_turns(store: PostgresStore, url: str, tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.touch()
    writer = multiprocessing.get_context("spawn").Process(target=_write_for_ever, args=(url, str(told)))
    writer.start()
    while told.read_text().count("\n") < 50:
        assert writer.is_alive()
    writer.kill()
    writer.join()
    acknowledged = told.read_text().count("\n")
    assert acknowledged <= whole_pairs(run_blocking(store.record(KEY))) <= acknowledged + 1


def test_a_session_that_somebody_holds_for_too_long_is_busy(
    store: PostgresStore, url: str, postgres: PostgresServer
) -> None:
    run_blocking(store.append(KEY, [message(1)]))
    with postgres.connect() as other:
        other.execute(f"ALTER FUNCTION {schema_of(url)}.append_message SET lock_timeout = '50ms'")
        with other.transaction():
            other.execute(f"SELECT 1 FROM {schema_of(url)}.sessions FOR UPDATE")
            with pytest.raises(StoreBusy, match="retry"):
                run_blocking(store.append(KEY, [message(2)]))
            run_blocking(store.append(Key("another"), [message(2)]))
    run_blocking(store.append(KEY, [message(2)]))


# Schema and address.


def test_a_newer_schema_is_refused_with_the_mend(store: PostgresStore, url: str, postgres: PostgresServer) -> None:
    with postgres.connect() as connection:
        connection.execute(f"INSERT INTO {schema_of(url)}.migrations (version) VALUES (999)")
    with pytest.raises(NewerSchema, match="pip install -U llm-sessions"):
        PostgresStore(url)


def test_a_schema_of_something_else_is_refused_and_left_alone(url: str, postgres: PostgresServer) -> None:
    with postgres.connect() as connection:
        connection.execute(f"CREATE SCHEMA {schema_of(url)}")
        connection.execute(f"CREATE TABLE {schema_of(url)}.sessions (theirs integer)")
        with pytest.raises(StoreUnreadable, match="another schema"):
            PostgresStore(url)
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s", (schema_of(url),)
        ).fetchall()
    assert tables == [("sessions",)]


def test_a_url_opens_the_store(url: str) -> None:
    for one in (url, url.replace("postgresql:", "postgres:")):
        store = open_store(one)
        assert isinstance(store, PostgresStore)
        run_blocking(store.close())


@pytest.mark.parametrize("option", ["schema=Robert';", "max_connections=0", "wait_s=soon", "rls=maybe", "colour=red"])
def test_a_wrong_option_is_named(option: str) -> None:
    with pytest.raises(ConfigError, match=option.partition("=")[0]):
        PostgresStore(f"postgresql://somebody:secret@/db?{option}")


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    with pytest.raises(StoreLost, match=r"postgresql://127\.0\.0\.1:1/db cannot be reached") as caught:
        PostgresStore("postgresql://somebody:secret@127.0.0.1:1/db")
    assert "secret" not in str(caught.value)


def test_a_server_that_has_no_such_database_is_not_worth_a_retry(postgres: PostgresServer) -> None:
    with pytest.raises(StoreUnreadable, match="create that database"):
        PostgresStore(postgres.url.replace("/postgres?", "/nowhere?"))
    with pytest.raises(StoreUnreadable, match="create that user"):
        PostgresStore(postgres.url.replace("//postgres:", "//nobody:"))


# What is kept.


def test_names_and_ids_may_hold_anything(store: PostgresStore) -> None:
    key = Key("a\\u0000 \ud800", "t\\", "\udfff")
    said = Message(Role.USER, "x", id="id\x00\\ " + "long" * 1_000, author="An\x00n \ud800", tokens=1)
    done = run_blocking(store.append(key, [said]))
    assert done.state.key == key
    assert done.state.ledger.authors == (said.author,)
    assert run_blocking(store.find(key, said.id)) == run_blocking(store.record(key))[0]
    assert run_blocking(store.record(key))[0].author == said.author


def test_names_that_are_too_long_to_index_are_refused(store: PostgresStore) -> None:
    with pytest.raises(InputError, match="shorten"):
        run_blocking(store.append(Key("\U0001f600" * 512, "\U0001f600" * 512), [message(1)]))


def test_a_channel_value_is_stored_once_for_all_checkpoints(
    store: PostgresStore, url: str, postgres: PostgresServer
) -> None:
    first = Checkpoint(KEY, "1", None, Plain("t", b"b"), {"a": 1, "b": "x", "c": 1.0})
    run_blocking(
        store.put_checkpoint(first, {"a": Plain("t", b"1"), "b": Plain("t", b"2")}, head_channel=None, merge=True)
    )
    for number in range(2, 6):
        later = Checkpoint(KEY, str(number), "1", Plain("t", b"b"), {"a": number, "b": "x", "c": 1.0})
        run_blocking(store.put_checkpoint(later, {"a": Plain("t", b"1")}, head_channel=None, merge=True))
    assert rows_left(postgres, url)["channel_values"] == 7
    newest = run_blocking(store.checkpoint(KEY))
    assert newest is not None
    assert dict(newest.versions) == {"a": 5, "b": "x", "c": 1.0}
    assert newest.values == {"a": Plain("t", b"1"), "b": Plain("t", b"2")}


def _fill(store: SessionStore, key: Key) -> None:
    run_blocking(store.append(key, a_turn(1)))
    run_blocking(store.put_digest(key, Digest(Ranges.span(1, 2), "so far"), expected=0))
    row = Checkpoint(key, "1", None, Plain("t", b"b"), {"step": 1})
    run_blocking(store.put_checkpoint(row, {"step": Plain("t", b"1")}, head_channel=None, merge=True))
    run_blocking(store.put_writes(key, "1", [Write("a", 0, "messages", MessageList((message(7),)))]))


def test_a_deleted_session_leaves_no_row(store: PostgresStore, url: str, postgres: PostgresServer) -> None:
    for key in (KEY, Key(KEY.session_id, KEY.tenant, "sub")):
        _fill(store, key)
    assert run_blocking(store.delete(KEY)) == 8
    assert rows_left(postgres, url) == dict.fromkeys(TABLES, 0)


def test_what_nobody_wrote_to_for_long_is_purged_whole(
    store: PostgresStore, url: str, postgres: PostgresServer
) -> None:
    for number in range(7):
        _fill(store, Key(f"old {number}"))
    _fill(store, Key("held"))
    with postgres.connect() as connection:
        connection.execute(f"UPDATE {schema_of(url)}.sessions SET touched = now() - interval '31 days'")
        _fill(store, Key("new"))
        _fill(store, Key("old 3", "default", "a namespace that is in use"))
        with connection.transaction():
            connection.execute(f"SELECT 1 FROM {schema_of(url)}.sessions WHERE session_id = 'held' FOR UPDATE")
            assert len(run_blocking(store.purge(30 * 86_400, at_once=2))) == 6
    assert {s.key.session_id for s in run_blocking(store.sessions())} == {"held", "new", "old 3"}
    assert rows_left(postgres, url)["messages"] == 4 * 4
    assert run_blocking(store.purge(30 * 86_400, tenant="another")) == ()
    assert run_blocking(store.purge(30 * 86_400)) == (Key("held"),)


# Row level security.


@pytest.fixture
def guarded(postgres: PostgresServer, url: str) -> Iterator[tuple[PostgresStore, str]]:
    """A store that asks for it, as a role that it holds for, and the URL of that role."""
    role = f"role_{schema_of(url)}"
    with postgres.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"GRANT CREATE ON DATABASE postgres TO {role}")
    as_role = url.replace("//postgres:", f"//{role}:")
    made = PostgresStore(f"{as_role}&rls=1")
    yield made, as_role
    run_blocking(made.close())


def test_a_tenant_cannot_read_or_write_rows_of_another(
    guarded: tuple[PostgresStore, str], postgres: PostgresServer
) -> None:
    store, url = guarded
    for tenant in ("acme", "globex"):
        _fill(store, Key("same name", tenant))
    plain = url.partition("&schema=")[0]
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"SET search_path = {schema_of(url)}")
        seen = "SELECT tenant, count(*) FROM {} GROUP BY tenant"
        tables = [table for table in TABLES if table != "notices"]
        assert not any(connection.execute(seen.format(table)).fetchall() for table in tables)
        connection.execute("SET llm_sessions.tenant = 'acme'")
        assert {tenant for table in tables for tenant, _ in connection.execute(seen.format(table))} == {"acme"}
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO sessions (tenant, session_id, namespace) VALUES ('globex', 'x', '')")
        assert connection.execute("DELETE FROM messages WHERE tenant = 'globex'").rowcount == 0
    assert len(run_blocking(store.record(Key("same name", "globex")))) == 4


def test_messages_from_before_the_guard_are_guarded_too_and_name_their_tenant_from_then_on(
    postgres: PostgresServer, url: str
) -> None:
    role = f"late_{schema_of(url)}"
    with postgres.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
        connection.execute(f"GRANT CREATE ON DATABASE postgres TO {role}")
    as_role = url.replace("//postgres:", f"//{role}:")
    before, keys = PostgresStore(as_role), [Key("one", "acme"), Key("one", "globex")]
    for key in keys:
        run_blocking(before.append(key, [message(1)]))
        run_blocking(before.append(key, [message(2)]))
    guarded = PostgresStore(f"{as_role}&rls=1")
    for store, number in ((before, 3), (guarded, 4)):
        for key in keys:
            run_blocking(store.append(key, [message(number)]))
            run_blocking(store.append(key, [message(number * 10), message(number * 10 + 1)]))
    assert [len(run_blocking(guarded.record(key))) for key in keys] == [8, 8]
    with postgres.connect() as connection:
        counted = f"SELECT tenant, count(*) FROM {schema_of(url)}.messages GROUP BY tenant ORDER BY tenant"
        assert connection.execute(counted).fetchall() == [("acme", 8), ("globex", 8)]
    for store in (before, guarded):
        run_blocking(store.close())


# One lists all tenants, which row level security refuses.
OF_ONE_TENANT = [promise for promise in STORE_PROMISES if promise.__name__ != "lists_newest_first"]


@pytest.mark.parametrize("promise", OF_ONE_TENANT, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_under_row_level_security(promise: Any, guarded: tuple[PostgresStore, str]) -> None:
    run_blocking(promise(guarded[0]))


def test_all_tenants_at_once_are_refused_under_row_level_security(guarded: tuple[PostgresStore, str]) -> None:
    store, _ = guarded
    _fill(store, Key("one", "acme"))
    with pytest.raises(ConfigError, match="name a tenant"):
        run_blocking(store.sessions())
    with pytest.raises(ConfigError, match="name a tenant"):
        run_blocking(store.purge(0.0))
    assert [s.key.session_id for s in run_blocking(store.sessions("acme"))] == ["one"]


# Behind the door.


def test_sessions_work_on_it_in_both_voices(url: str) -> None:
    async def awaited() -> int:
        async with Sessions(url) as sessions:
            await sessions.session("s").aappend({"role": "assistant", "content": "hello"})
            return len((await sessions.session("s").aview()).messages)

    with Sessions(url) as sessions:
        sessions.session("s").append({"role": "user", "content": "hello"})
    assert asyncio.run(awaited()) == 2


def test_errors_and_the_server_log_hold_no_word_of_a_message(
    store: PostgresStore, url: str, postgres: PostgresServer
) -> None:
    run_blocking(store.append(KEY, [message(1, content="the secret word")]))
    with postgres.connect() as connection:
        connection.execute(f"ALTER TABLE {schema_of(url)}.messages ADD CHECK (seq < 2)")
    with pytest.raises(SessionError) as caught:
        run_blocking(store.append(KEY, [message(2, content="another secret")]))
    assert "secret" not in str(caught.value)
    assert "secret" not in json.dumps(postgres.log())


def test_a_schema_that_has_counted_all_its_sessions_says_so(url: str, postgres: PostgresServer) -> None:
    store = PostgresStore(url)
    with postgres.connect() as connection:
        connection.execute(f"ALTER SEQUENCE {schema_of(url)}.session_numbers RESTART WITH 2147483647")
    run_blocking(store.append(Key("the last"), [message(1)]))
    with pytest.raises(StoreError, match="another schema"):
        run_blocking(store.append(Key("one more"), [message(1)]))
    run_blocking(store.append(Key("the last"), [message(2)]))
    assert [m.id for m in run_blocking(store.load(Key("the last"))).messages] == ["m1", "m2"]
    run_blocking(store.close())


PARTED = ("messages", "digests", "notices", "checkpoints", "channel_values", "writes", "drafts")


def test_all_that_grows_with_sessions_can_be_partitioned_by_their_hash(url: str, postgres: PostgresServer) -> None:
    store = PostgresStore(url)
    with postgres.connect() as connection:
        connection.execute(f"SET search_path = {schema_of(url)}")
        for table in PARTED:
            connection.execute(f"ALTER TABLE {table} RENAME TO whole_{table}")
            connection.execute(f"CREATE TABLE {table} (LIKE whole_{table} INCLUDING ALL) PARTITION BY HASH (session)")
            connection.execute(f"DROP TABLE whole_{table}")
            for part in range(3):
                connection.execute(
                    f"CREATE TABLE {table}_{part} PARTITION OF {table} FOR VALUES WITH (MODULUS 3, REMAINDER {part})"
                )
        for promise in PROMISES:
            run_blocking(promise(store))
            empty_schema(postgres, schema_of(url))
        run_blocking(store.append(KEY, [message(1)]))
        rows = connection.execute("SELECT count(DISTINCT tableoid), count(*) FROM messages").fetchone()
        assert rows == (1, 1)
    run_blocking(store.close())
