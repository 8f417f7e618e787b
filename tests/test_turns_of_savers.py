"""Turns of `concurrency="serialize"` beyond one run: other processes and threads, closed savers, inner savers."""

import gc
import multiprocessing
import os
import threading
import time

import pytest
from acting_graph import CONFIG, POLICY, State, contents, graph_of, said
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph

from langchain_session import SessionSaver
from langchain_session.checkpointing import concurrency
from session_core import Sessions
from session_core.errors import ConfigError, TurnLost, TurnTaken


@pytest.fixture
def sessions():
    with Sessions("memory://", policy=POLICY) as opened:
        yield opened


@pytest.fixture
def saver(sessions):
    """Nobody waits: a turn that is not given back at once is an error."""
    return SessionSaver(sessions, concurrency="serialize", wait_s=0.0)


def test_another_process_need_not_wait_for_a_run_that_is_gone(tmp_path):
    """The turn of an interrupted run goes back though nobody calls its saver any more."""
    url = f"sqlite:///{tmp_path}/chat.db"
    with (
        SessionSaver(url, policy=POLICY, concurrency="serialize") as one,
        SessionSaver(url, policy=POLICY, concurrency="serialize", wait_s=20.0) as other,
    ):
        graph_of(one, interrupt_before=["end"]).invoke(said("go"), CONFIG)
        graph_of(other).invoke(None, CONFIG)
        assert contents(other.sessions)[-1] == "ended"


def test_a_saver_that_is_closed_gives_no_turn_back_later(sessions, monkeypatch):
    began, go, given = threading.Event(), threading.Event(), []
    drop = sessions.store.drop_lease

    async def slow(lease) -> None:
        began.set()
        assert go.wait(60)
        await drop(lease)
        given.append(lease)

    monkeypatch.setattr(sessions.store, "drop_lease", slow)
    saver = SessionSaver(sessions, concurrency="serialize")
    graph_of(saver, interrupt_before=["end"]).invoke(said("go"), CONFIG)
    gc.collect()
    assert began.wait(60)
    threading.Timer(0.05, go.set).start()
    saver.close()
    assert len(given) == 1


def test_a_close_says_what_it_did_not_wait_for(sessions, monkeypatch, caplog):
    began, go = threading.Event(), threading.Event()
    drop = sessions.store.drop_lease

    async def stuck(lease) -> None:
        began.set()
        assert go.wait(60)
        await drop(lease)

    monkeypatch.setattr(sessions.store, "drop_lease", stuck)
    monkeypatch.setattr(concurrency, "CLOSE_WAITS_S", 0.01)
    saver = SessionSaver(sessions, concurrency="serialize")
    graph_of(saver, interrupt_before=["end"]).invoke(said("go"), CONFIG)
    gc.collect()
    assert began.wait(60)
    saver.close()
    (told,) = caplog.messages
    assert "did not release turns" in told
    assert "they expire 300 s after" in told
    go.set()


def test_first_runs_of_several_threads_start_one_thread_that_gives_turns_back(sessions, monkeypatch):
    """A second one would outlive the close, which waited for it and said so."""
    started = []

    class Slow(threading.Thread):
        def start(self) -> None:
            if self.name == "llm-sessions-turns":
                started.append(self)
                time.sleep(0.05)
            super().start()

    saver = SessionSaver(sessions, concurrency="serialize")
    graph = graph_of(saver)
    runs = [
        threading.Thread(target=graph.invoke, args=(said("go"), {"configurable": {"thread_id": str(number)}}))
        for number in range(4)
    ]
    monkeypatch.setattr(threading, "Thread", Slow)
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    saver.close()
    assert [one.is_alive() for one in started] == [False]


def test_the_next_run_does_not_wait_for_a_thread_that_is_just_giving_back(sessions, saver, monkeypatch):
    began, go = threading.Event(), threading.Event()
    drop = sessions.store.drop_lease

    async def slow(lease) -> None:
        if threading.current_thread().name == "llm-sessions-turns":
            began.set()
            assert go.wait(60)
        await drop(lease)

    monkeypatch.setattr(sessions.store, "drop_lease", slow)
    graph = graph_of(saver, interrupt_before=["end"])
    graph.invoke(said("go"), CONFIG)
    gc.collect()
    assert began.wait(60)
    graph.invoke(None, CONFIG)
    go.set()
    assert contents(sessions) == ["go", "acted", "ended"]


def _die_in_a_node(url: str) -> None:
    def act(state: State):
        os._exit(9)

    built = StateGraph(State)
    built.add_node("act", act)
    built.add_edge(START, "act")
    saver = SessionSaver(url, policy=POLICY, concurrency="serialize", turn_ttl_s=1.5)
    built.compile(checkpointer=saver).invoke(said("fatal"), CONFIG, durability="sync")


def test_the_turn_of_a_process_that_died_ends_by_time(tmp_path):
    url = f"sqlite:///{tmp_path}/chat.db"
    process = multiprocessing.get_context("spawn").Process(target=_die_in_a_node, args=(url,))
    process.start()
    process.join()
    assert process.exitcode == 9
    with SessionSaver(url, policy=POLICY, concurrency="serialize", wait_s=20.0) as saver:
        graph_of(saver).invoke(said("next"), CONFIG)
        assert contents(saver.sessions) == ["fatal", "next", "acted", "ended"]


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_an_inner_saver_can_serialize_runs(sessions, kind, tmp_path):
    def check(inner) -> None:
        saver = SessionSaver(sessions, inner=inner, concurrency="serialize", wait_s=0.0)
        graph = graph_of(saver, interrupt_before=["end"])
        stream = graph_of(saver).stream(said("one"), CONFIG)
        next(stream)
        with pytest.raises(TurnTaken):
            graph.invoke(said("hasty"), CONFIG)
        list(stream)
        graph.invoke(said("two"), CONFIG)
        graph.invoke(None, CONFIG)
        kept = [m.content for m in inner.get_tuple(CONFIG).checkpoint["channel_values"]["messages"]]
        assert kept == ["one", "acted", "ended", "two", "acted", "ended"] == contents(sessions)

    if kind == "memory":
        check(InMemorySaver())
    else:
        with SqliteSaver.from_conn_string(str(tmp_path / "theirs.db")) as inner:
            check(inner)


def test_a_late_run_stores_nothing_in_an_inner_saver_either(sessions):
    inner = InMemorySaver()
    saver = SessionSaver(sessions, inner=inner, concurrency="serialize", turn_ttl_s=0.1)
    graph = graph_of(saver)
    late = graph.stream(said("late"), CONFIG, durability="sync")
    next(late)
    graph.invoke(said("next"), CONFIG)
    with pytest.raises(TurnLost):
        list(late)
    kept = [m.content for m in inner.get_tuple(CONFIG).checkpoint["channel_values"]["messages"]]
    assert kept.count("ended") == 1
    assert kept == contents(sessions)


def test_an_inner_saver_cannot_reject(sessions):
    with pytest.raises(ConfigError, match="serialize"):
        SessionSaver(sessions, inner=InMemorySaver(), concurrency="reject")
