"""Moving LangGraph threads in and out: what cannot be moved is told, with what to do."""

from __future__ import annotations

import asyncio

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command
from office_graph import CONFIG, history, office, played

from langchain_session import SessionSaver
from session_core import Sessions
from session_core.errors import ConfigError, Diverged, InputError, NotFound, VoiceError


@pytest.fixture(params=["memory", "sqlite"])
def sessions(request, tmp_path):
    with Sessions("memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/ours.db") as opened:
        yield opened


def test_a_thread_that_went_on_in_both_places_is_refused(sessions):
    source = InMemorySaver()
    theirs = played(source)
    ours = office(SessionSaver.import_from(source, "t", sessions=sessions))
    ours.invoke(Command(resume="here"), CONFIG)
    before = history(ours)
    SessionSaver.import_from(source, "t", sessions=sessions)
    assert history(ours) == before
    theirs.invoke(Command(resume="there"), CONFIG)
    with pytest.raises(Diverged, match=r"session t.*call delete_thread"):
        SessionSaver.import_from(source, "t", sessions=sessions)
    assert history(ours) == before


def test_a_conversation_that_a_chain_wrote_is_not_replaced(sessions):
    source = InMemorySaver()
    theirs = played(source)
    session = sessions.session("t")
    session.append({"role": "user", "content": "mine"})
    with pytest.raises(Diverged, match="another conversation"):
        SessionSaver.import_from(source, "t", sessions=sessions)
    session.delete()
    SessionSaver.import_from(source, "t", sessions=sessions)
    theirs.update_state(CONFIG, {"steps": ["more"]}, as_node="answer")
    session.append({"role": "user", "content": "mine"})
    with pytest.raises(Diverged, match="went on"):
        SessionSaver.import_from(source, "t", sessions=sessions)
    assert session.record()[-1].content == "mine"


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_thread_that_is_named_and_not_there_is_told(sessions, voice):
    source = InMemorySaver()
    played(source, 1)
    told = r"session typo: the InMemorySaver has no checkpoint of that thread, nothing was moved; name a thread"

    def moved():
        if voice == "blocking":
            return SessionSaver.import_from(source, "typo", sessions=sessions)
        return asyncio.run(SessionSaver.aimport_from(source, "typo", sessions=sessions))

    with pytest.raises(NotFound, match=told):
        moved()
    assert sessions.list() == ()
    saver = SessionSaver.import_from(InMemorySaver(), sessions=sessions)
    with pytest.raises(NotFound, match="session typo: the SessionSaver has no checkpoint of that thread"):
        saver.export_to(source, "typo")


def test_a_conversation_without_a_graph_says_how_it_is_moved(sessions):
    sessions.session("chain").append({"role": "user", "content": "mine"})
    with pytest.raises(NotFound, match=r"session chain: .* move it with SessionChatMessageHistory"):
        SessionSaver(sessions).export_to(InMemorySaver(), "chain")


def test_a_saver_without_the_voice_says_so(sessions, tmp_path):
    with (
        SqliteSaver.from_conn_string(f"{tmp_path}/theirs.db") as saver,
        pytest.raises(
            VoiceError, match="SqliteSaver does not list checkpoints in this voice; call the method without the a"
        ),
    ):
        asyncio.run(SessionSaver.aimport_from(saver, "t", sessions=sessions))


def test_threads_go_nowhere_without_a_store():
    """Called on a saver of one's own, it would leave that one empty and make another."""
    with pytest.raises(ConfigError, match=r"import_from\(saver, url="):
        SessionSaver("memory://").import_from(InMemorySaver())


def test_versions_that_nobody_can_count_on_from_are_refused(sessions):
    class Odd(InMemorySaver):
        def get_next_version(self, current, channel):
            return f"v{len(str(current))}" if current is None else f"{current}x"

    source = Odd()
    played(source, 1)
    with pytest.raises(InputError, match="does not begin with a number"):
        SessionSaver.import_from(source, "t", sessions=sessions)
