"""An SQLite file that is moved, removed or robbed of its journal while it is open: no write to it is confirmed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage
from langgraph.graph import START, MessagesState, StateGraph

from langchain_session import SessionSaver
from session_core import Sessions
from session_core.errors import StoreUnreadable
from session_core.stores.sqlite.file import SqliteFile

USER = {"role": "user", "content": "kept"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest.fixture
def sessions(path: Path) -> Iterator[Sessions]:
    with Sessions(f"sqlite:///{path}") as made:
        made.session("a").append(USER)
        yield made


def removed(path: Path) -> None:
    path.unlink()


def replaced(path: Path) -> None:
    other = path.with_name("other.db")
    with Sessions(f"sqlite:///{other}") as made:
        made.session("a").append(USER)
    other.rename(path)


def without_journal(path: Path) -> None:
    path.with_name("chat.db-wal").unlink()


def without_index_of_the_journal(path: Path) -> None:
    path.with_name("chat.db-shm").unlink()


def without_both_and_others_go_on(path: Path) -> None:
    """Another process makes them anew, and neither would see what the other one writes."""
    without_journal(path)
    without_index_of_the_journal(path)
    program = (
        "import os, sys; from session_core import Sessions\n"
        f"Sessions(sys.argv[1]).session('a').append({USER!r}); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, f"sqlite:///{path}"], check=True)


def asked_blocking(sessions: Sessions) -> None:
    sessions.session("a").append(USER)


def asked_awaiting(sessions: Sessions) -> None:
    asyncio.run(sessions.session("a").aappend(USER))


def asked_by_a_graph(sessions: Sessions) -> None:
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda _: {"messages": [AIMessage("yes")]})
    graph.add_edge(START, "model")
    app = graph.compile(checkpointer=SessionSaver(sessions))
    app.invoke({"messages": [("user", "hello")]}, {"configurable": {"thread_id": "a"}})


@pytest.mark.parametrize("asked", [asked_blocking, asked_awaiting, asked_by_a_graph])
@pytest.mark.parametrize("loss", [removed, replaced, without_journal, without_index_of_the_journal])
def test_a_write_to_what_does_not_stand_there_any_more_is_refused(
    loss: Callable[[Path], None], asked: Callable[[Sessions], None], sessions: Sessions, path: Path
) -> None:
    loss(path)
    with pytest.raises(StoreUnreadable, match="while it was open, and nothing was written"):
        asked(sessions)


def test_a_journal_that_others_made_anew_is_not_written_past(sessions: Sessions, path: Path) -> None:
    without_both_and_others_go_on(path)
    with pytest.raises(StoreUnreadable, match="-wal was removed while it was open, and nothing was written"):
        asked_blocking(sessions)


def test_a_hybrid_whose_durable_file_is_gone_confirms_nothing(path: Path) -> None:
    with Sessions(hot="memory://", cold=f"sqlite:///{path}") as sessions:
        sessions.session("a").append(USER)
        sessions.session("a").view()
        path.unlink()
        with pytest.raises(StoreUnreadable, match="put it back"):
            sessions.session("a").append(USER)
        assert len(sessions.session("a").view().messages) == 1


def test_a_file_that_is_put_back_is_gone_on_with(sessions: Sessions, path: Path) -> None:
    away = path.rename(path.with_name("away.db"))
    with pytest.raises(StoreUnreadable, match="put it back"):
        sessions.session("a").append(USER)
    away.rename(path)
    sessions.session("a").append(USER)
    assert len(sessions.session("a").record()) == 2


def test_what_was_confirmed_before_the_journal_went_is_saved_by_a_close(sessions: Sessions, path: Path) -> None:
    without_journal(path)
    with pytest.raises(StoreUnreadable, match="close the sessions"):
        sessions.session("a").append(USER)
    sessions.close()
    with Sessions(f"sqlite:///{path}") as again:
        assert [m.content for m in again.session("a").record()] == ["kept"]


def test_a_file_that_was_replaced_keeps_its_journal_when_the_other_is_closed(sessions: Sessions, path: Path) -> None:
    for name in ("chat.db", "chat.db-wal", "chat.db-shm"):
        path.with_name(name).unlink()
    with Sessions(f"sqlite:///{path}") as anew:
        anew.session("b").append(USER)
        sessions.close()
        anew.session("b").append(USER)
        assert len(anew.session("b").record()) == 2
    with Sessions(f"sqlite:///{path}") as again:
        assert len(again.session("b").record()) == 2


def test_a_relative_path_stays_where_it_was_when_the_process_changes_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    file = SqliteFile(Path("chat.db"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    with file.reading(), file.reading() as another:
        assert another.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
    file.close()
