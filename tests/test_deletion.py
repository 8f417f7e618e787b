"""What was deleted is nowhere: no word of it, and not its name, in anything that a store holds; and retention."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_tools import KINDS, Places, fill, held_by, in_append_only_file, in_postgres_files, in_redis
from postgres_server import postgres_server
from redis_server import redis_server

from session_core.cli.command import main
from session_core.ports import SessionStore
from session_core.sessions import Sessions
from session_core.stores.memory import MemoryStore
from session_core.stores.sqlite import SqliteStore
from session_core.stores.sqlite.rows import messages_with, session_row
from session_core.testing import KEY, PURGING_PROMISES, message
from session_core.turns import Key
from session_core.voices import run_blocking

WORD, OTHER, NAME = "xyzzyplugh", "ordinaryword", "unmistakablename"
DELETED = Key(NAME, "tenant")
KEPT = Key("another session", "tenant")


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    with redis_server(rdbcompression="no") as redis, postgres_server() as postgres:
        yield Places(redis, postgres)


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, places: Places, tmp_path: Path) -> Iterator[SessionStore]:
    with places.store(request.param, tmp_path) as made:
        yield made


def two_sessions(store: SessionStore) -> None:
    for key, word in ((DELETED, WORD), (Key(NAME, "tenant", f"inner {NAME}"), WORD), (KEPT, OTHER)):
        fill(store, key, word)


def test_nothing_of_a_deleted_session_is_left_and_all_of_another_one(
    store: SessionStore, places: Places, tmp_path: Path
) -> None:
    two_sessions(store)
    before = held_by(store, places, tmp_path).lower()
    kept = run_blocking(store.record(KEPT))
    assert NAME.encode() in before
    # A sealed session hides its words, less the ids that it was given.
    assert before.count(WORD.encode()) > 20
    run_blocking(store.delete(DELETED))
    after = held_by(store, places, tmp_path).lower()
    assert WORD.encode() not in after
    assert NAME.encode() not in after
    assert after.count(OTHER.encode()) > 10
    assert run_blocking(store.record(KEPT)) == kept


def test_no_key_of_a_deleted_session_is_left_in_redis_and_its_rewritten_log_holds_none(
    places: Places, tmp_path: Path
) -> None:
    with places.store("redis", tmp_path) as store:
        two_sessions(store)
        run_blocking(store.delete(KEPT))
        assert WORD.encode() in in_append_only_file(places.redis)
        run_blocking(store.delete(DELETED))
        assert in_redis(places.redis) == repr([b"llms:tenants", [b"tenant"]]).encode()
        found = in_append_only_file(places.redis)
        assert WORD.encode() not in found
        assert NAME.encode() not in found


def test_the_files_of_a_vacuumed_postgresql_hold_nothing_of_a_deleted_session(places: Places, tmp_path: Path) -> None:
    with places.store("postgres", tmp_path) as store:
        two_sessions(store)
        assert WORD.encode() in in_postgres_files(places.postgres)
        run_blocking(store.delete(DELETED))
        found = in_postgres_files(places.postgres)
        assert WORD.encode() not in found
        assert NAME.encode() not in found
        assert OTHER.encode() in found


# SQLite, whose file we answer for byte by byte.


def sqlite_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_deleting_one_of_many_sessions_on_shared_pages_leaves_no_byte_of_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    for number in range(120):
        for key, word in ((DELETED, WORD), (KEPT, OTHER), (Key(f"s{number % 7}"), OTHER)):
            long = f" {word}{number}" * (1, 3, 40)[number % 3]
            run_blocking(store.append(key, [message(number, content=f"{word}{long}")]))
    secret = run_blocking(store.state(DELETED)).born
    run_blocking(store.delete(DELETED))
    found = sqlite_bytes(tmp_path)
    assert all(said.encode() not in found for said in (WORD, NAME, secret))
    assert run_blocking(store.damage()) == ()
    run_blocking(store.close())


def test_the_index_of_words_holds_no_word(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    run_blocking(store.append(KEY, [message(1, content=WORD)]))
    run_blocking(store.close())
    with sqlite3.connect(tmp_path / "a.db") as file:
        blocks = b"".join(block for (block,) in file.execute("SELECT block FROM words_data"))
    file.close()
    assert blocks
    assert WORD.encode() not in blocks


def test_a_journal_that_somebody_still_reads_is_emptied_by_a_later_write(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    two_sessions(store)
    reader = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM sessions").fetchone()
    assert run_blocking(store.delete(DELETED)) == 12
    assert WORD.encode() in sqlite_bytes(tmp_path)
    reader.close()
    run_blocking(store.append(KEPT, [message(1)]))
    assert WORD.encode() not in sqlite_bytes(tmp_path)
    run_blocking(store.close())


def test_a_search_prefers_rare_words_and_newer_messages(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "a.db")
    for number in range(100):
        said = "common word" if number != 50 else "common needle"
        run_blocking(store.append(KEY, [message(number, content=f"{said} {number}")]))
    found = run_blocking(store.search(KEY, ["common", "needle"], max_hits=3))
    assert [m.id for m in found] == ["m50", "m99", "m98"]
    run_blocking(store.close())


def test_words_with_equal_hashes_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("session_core.stores.sqlite.rows.MARK_CHARACTERS", 1)
    store = SqliteStore(tmp_path / "a.db")
    # With marks of one hexadecimal digit and a secret by chance, of so many words some share the first one's for sure.
    words = [f"word{number}" for number in range(512)]
    run_blocking(store.append(KEY, [message(n, content=word) for n, word in enumerate(words)]))
    with store._file.reading() as connection:
        row = session_row(connection, KEY)
        assert row is not None
        assert len(messages_with(connection, row, words[:1], most=99)) > 1
    assert [m.content for m in run_blocking(store.search(KEY, words[:1], max_hits=99))] == words[:1]
    run_blocking(store.close())


# Retention.


@pytest.mark.parametrize("promise", PURGING_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_of_retention_blocking(promise, store):
    run_blocking(promise(store))


@pytest.mark.parametrize("promise", PURGING_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_of_retention_awaiting(promise, store):
    asyncio.run(promise(store.awaiting()))


def test_nothing_of_a_purged_session_is_left(store: SessionStore, places: Places, tmp_path: Path) -> None:
    fill(store, DELETED, WORD)
    while DELETED not in run_blocking(store.purge(0.0)):
        pass
    after = held_by(store, places, tmp_path).lower()
    assert WORD.encode() not in after
    assert NAME.encode() not in after
    assert run_blocking(store.load(DELETED)).messages == ()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_the_time_since_the_last_write_decides_and_a_clock_that_goes_back_purges_nothing(
    kind: str, tmp_path: Path
) -> None:
    now_s = 1_000_000.0
    store = (
        MemoryStore(clock=lambda: now_s) if kind == "memory" else SqliteStore(tmp_path / "a.db", clock=lambda: now_s)
    )
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.append(Key("old"), [message(1)]))
    now_s += 100.0
    run_blocking(store.append(Key("old", namespace="inner"), [message(1)]))
    now_s -= 3_600.0
    assert run_blocking(store.purge(0.0)) == ()
    now_s += 3_650.0
    assert run_blocking(store.purge(100.0)) == (KEY,)
    now_s += 100.0
    assert run_blocking(store.purge(100.0)) == (Key("old"),)
    run_blocking(store.close())


def test_a_session_written_during_a_purge_stays_in_redis(places: Places, tmp_path: Path) -> None:
    with places.store("redis", tmp_path) as store:
        run_blocking(store.append(KEY, [message(1)]))
        assert run_blocking(store._removed(KEY, age_ms=60_000)) is None
        assert [state.key for state in run_blocking(store.sessions())] == [KEY]
        assert len(run_blocking(store.record(KEY))) == 1


def test_a_session_is_in_use_as_long_as_one_of_its_namespaces_is_in_redis(places: Places, tmp_path: Path) -> None:
    with places.store("redis", tmp_path) as store:
        run_blocking(store.append(KEY, [message(1)]))
        run_blocking(store.append(Key(KEY.session_id, KEY.tenant, "inner"), [message(1)]))
        assert run_blocking(store._idle_whole([KEY], 0)) == []
        assert run_blocking(store._idle_whole([KEY], 1e15)) == [KEY]


def test_delete_idle_on_the_command_line_needs_confirmation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    with Sessions(url) as sessions:
        for tenant in ("acme", "globex"):
            sessions.session("old", tenant=tenant).append({"role": "user", "content": "hello"})
    with sqlite3.connect(tmp_path / "a.db") as file:
        file.execute("UPDATE sessions SET touched_s = touched_s - 31 * 86400")
    file.close()
    with Sessions(url) as sessions:
        sessions.session("new", tenant="acme").append({"role": "user", "content": "hello"})
    assert main(["delete", "--older-than", "30d", "--url", url]) == 2
    assert "2 sessions without a write for 30 days would be deleted permanently; add --yes" in capsys.readouterr().err
    assert main(["delete", "--older-than", "30", "--url", url, "--yes", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        *(f"would delete session {tenant}/old" for tenant in ("acme", "globex")),
        "would delete 2 sessions without a write for 30 days",
    ]
    assert main(["delete", "--older-than", "30", "--tenant", "nobody", "--url", url]) == 0
    assert "would delete 0 sessions of tenant nobody" in capsys.readouterr().out
    assert main(["delete", "--older-than", "30", "--tenant", "acme", "--url", url, "--yes"]) == 0
    assert "deleted 1 session of tenant acme" in capsys.readouterr().out
    assert main(["delete", "old", "--older-than", "30", "--url", url, "--yes"]) == 2
    with Sessions(url) as sessions:
        assert {str(state.key) for state in sessions.list()} == {"acme/new", "globex/old"}
        assert asyncio.run(sessions.apurge(30 * 86_400.0)) == (Key("old", "globex"),)


def test_a_purge_lets_other_writers_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, other = SqliteStore(tmp_path / "chat.db"), SqliteStore(tmp_path / "chat.db", busy_timeout_s=0.01)
    for number in range(250):
        run_blocking(store.append(Key(f"s{number}"), [message(1)]))
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        run_blocking(other.append(Key("written to meanwhile"), [message(len(pauses))]))

    monkeypatch.setattr("session_core.stores.sqlite.store.time.sleep", pause)
    assert len(run_blocking(store.purge(0.0))) >= 250
    assert len(pauses) >= 3
    for one in (store, other):
        run_blocking(one.close())
