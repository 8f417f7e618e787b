"""Every store keeps the promises of `session_core.testing`, in both voices; SQLite also on its own ground."""

import asyncio
import gc
import sqlite3
import threading
import time

import pytest
from pair_writers import check_processes, pair, whole_pairs

from session_core.errors import Conflict, InputError, NewerSchema, StoreBusy, StoreError, StoreUnreadable, UnknownScheme
from session_core.plan import Digest
from session_core.ranges import Ranges
from session_core.stores.memory import MemoryStore
from session_core.stores.open import open_store
from session_core.stores.sqlite import SqliteStore
from session_core.testing import KEY, STORE_PROMISES, message
from session_core.turns import Key
from session_core.voices import run_blocking, threaded


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    made = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "sessions.db")
    yield made
    run_blocking(made.close())


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_store_keeps_its_promise_blocking(promise, store):
    run_blocking(promise(store))


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_store_keeps_its_promise_awaiting(promise, store):
    asyncio.run(promise(threaded(store)))


def test_sqlite_keeps_sessions_over_a_restart(tmp_path):
    first = SqliteStore(tmp_path / "a.db")
    run_blocking(first.append(KEY, [message(1), message(2)]))
    run_blocking(first.close())
    second = SqliteStore(tmp_path / "a.db")
    assert [m.id for m in run_blocking(second.record(KEY))] == ["m1", "m2"]
    run_blocking(second.close())


def test_many_threads_lose_nothing_and_split_nothing(store):
    def write(writer: int) -> None:
        for turn in range(20):
            run_blocking(store.append(KEY, pair(writer * 1000 + turn * 2)))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert whole_pairs(run_blocking(store.record(KEY))) == 100


def test_many_processes_lose_nothing_and_split_nothing(tmp_path):
    check_processes(f"sqlite:///{tmp_path}/p.db")


def test_a_failed_append_leaves_nothing_behind(tmp_path):
    store = SqliteStore(tmp_path / "a.db")
    run_blocking(store.append(KEY, [message(1)]))
    before = run_blocking(store.state(KEY))
    with pytest.raises(InputError, match=": None is not a message"):
        run_blocking(store.append(KEY, [message(2), None]))
    assert run_blocking(store.state(KEY)) == before
    assert len(run_blocking(store.record(KEY))) == 1
    run_blocking(store.close())


def test_a_text_file_is_refused_as_unreadable(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("this is no database " * 100)
    with pytest.raises(StoreUnreadable, match=r"notes\.txt is not a readable SQLite database"):
        SqliteStore(path)


def test_a_foreign_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(StoreUnreadable, match="another application"):
        SqliteStore(path)


def test_a_newer_schema_is_refused_with_the_mend(tmp_path):
    path = tmp_path / "new.db"
    run_blocking(SqliteStore(path).close())
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 999")
    database.close()
    with pytest.raises(NewerSchema, match="pip install -U llm-sessions"):
        SqliteStore(path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreUnreadable, match="does its folder exist"):
        SqliteStore(tmp_path / "nowhere" / "a.db")


def test_a_writer_that_waits_too_long_says_busy(tmp_path):
    store = SqliteStore(tmp_path / "a.db", busy_timeout_s=0.05)
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusy, match="retry"):
        run_blocking(store.append(KEY, [message(1)]))
    other.rollback()
    other.close()
    run_blocking(store.append(KEY, [message(1)]))
    run_blocking(store.close())


BAD_URLS = [
    "mysql://host/db",
    "chat.db",
    "sqlite://host/chat.db",
    "sqlite://",
    "sqlite:///a#1.db",
    "sqlite:///:memory:",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_an_unknown_url_is_refused_with_the_known_ones(url):
    with pytest.raises(UnknownScheme, match="sqlite:///"):
        open_store(url)


def test_an_url_error_never_shows_a_password():
    with pytest.raises(UnknownScheme) as caught:
        open_store("mysql://user:secret@host/db")
    assert "secret" not in str(caught.value)


def test_sqlite_url_names_a_relative_or_absolute_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    relative = open_store("sqlite:///chat.db")
    absolute = open_store(f"sqlite:///{tmp_path}/full.db")
    assert (tmp_path / "chat.db").exists()
    assert (tmp_path / "full.db").exists()
    for store in (relative, absolute):
        run_blocking(store.close())


def test_deleting_one_session_leaves_the_others_findable(tmp_path):
    store = SqliteStore(tmp_path / "a.db")
    run_blocking(store.append(KEY, [message(1, content="blue shoes")]))
    run_blocking(store.append(Key("other"), [message(1, content="blue hats")]))
    run_blocking(store.delete(KEY))
    assert [m.content for m in run_blocking(store.search(Key("other"), ["blue"], max_hits=3))] == ["blue hats"]
    run_blocking(store.close())


def test_closing_lets_work_in_progress_finish(tmp_path):
    store = SqliteStore(tmp_path / "a.db")
    ended: list[str] = []

    def write(name: int) -> None:
        try:
            for turn in range(10_000):
                run_blocking(store.append(KEY, [message(name * 100_000 + turn)]))
        except StoreError as exc:
            ended.append(str(exc))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(1, 4)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    run_blocking(store.close())
    for thread in threads:
        thread.join()
    assert len(ended) == 3
    assert all("was closed" in said for said in ended)


def test_an_interrupted_wait_for_the_write_lock_leaves_nothing_open(tmp_path):
    store = SqliteStore(tmp_path / "a.db", busy_timeout_s=0.05)
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for _ in range(3):
        with pytest.raises(StoreBusy):
            run_blocking(store.append(KEY, [message(1)]))
    other.rollback()
    other.close()
    assert run_blocking(store.append(KEY, [message(1)])).new == 1
    run_blocking(store.close())


def test_many_short_lived_threads_leave_few_connections(tmp_path):
    store = SqliteStore(tmp_path / "a.db")
    for number in range(40):
        thread = threading.Thread(target=lambda n=number: run_blocking(store.append(KEY, [message(n)])))
        thread.start()
        thread.join()
    assert len(store._file._idle.connections) == 1
    run_blocking(store.close())


def test_a_garbage_collected_store_leaves_no_connection_open(tmp_path):
    store = SqliteStore(tmp_path / "a.db")
    run_blocking(store.append(KEY, [message(1)]))
    (connection,) = store._file._idle.connections
    connection.execute("SELECT 1")
    del store
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_digest_of_a_deleted_session_is_refused(store):
    first = run_blocking(store.append(KEY, [message(1), message(2)]))
    run_blocking(store.delete(KEY))
    digest = Digest(Ranges.span(1, 1), "what was deleted")
    with pytest.raises(Conflict):
        run_blocking(store.put_digest(KEY, digest, expected=0))
    run_blocking(store.append(KEY, [message(3), message(4)]))
    with pytest.raises(Conflict):
        run_blocking(store.put_digest(KEY, digest, expected=0, born=first.state.born))
