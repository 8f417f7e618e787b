"""What is logged for those who have no observer: trouble with folds, by name, and nothing of what was said."""

from __future__ import annotations

import logging

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph

from langchain_session import SessionSaver
from session_core import Budget, Message, Policy, Role, Sessions
from session_core.classify import RuleClassifier
from session_core.errors import StoreBusy
from session_core.events import RulesOutgrown
from session_core.importing import import_messages
from session_core.logs import log
from session_core.plan import Digest
from session_core.stores.memory import MemoryStore
from session_core.turns import Key

SECRET = "pw-4711"
BUDGET = Budget(400, reply_reserve_tokens=0)


class Silent:
    """A model that does not answer."""

    name = "silent"

    def summarize(self, request: object) -> str:
        raise TimeoutError(f"{SECRET} was not summarized")


class Busy(MemoryStore):
    """A store that takes no digests."""

    def awaiting(self) -> Busy:
        return self

    async def put_digest(self, key: Key, digest: Digest, *, expected: int, born: str = "") -> Digest:
        raise StoreBusy(f"session {key}: another writer held the database too long; retry")


def _talk(sessions: Sessions) -> None:
    for turn in range(12):
        sessions.session("a").append({"role": "user", "content": f"{SECRET} in turn {turn}. " + "words " * 20})


def test_a_fold_that_fails_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with Sessions(Busy(), policy=Policy(BUDGET, folding="inline")) as sessions:
        _talk(sessions)
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert told
    assert "session a: a fold failed (StoreBusy: " in told[0].getMessage()
    assert SECRET not in caplog.text


def test_a_model_that_fails_is_named_where_somebody_looks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "session_core")
    with Sessions(policy=Policy(BUDGET, folding="inline", summarizer=Silent())) as sessions:
        _talk(sessions)
    assert "session a: the rules took over from silent (TimeoutError)" in caplog.text
    assert SECRET not in caplog.text


def test_rules_without_room_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "session_core")
    log(RulesOutgrown(Key("a"), rules=9, hidden=2))
    assert "session a: 2 of 9 standing rules have no room in views" in caplog.text


def test_an_import_tells_how_much_it_moved(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "session_core")
    with Sessions() as sessions:
        for said in (2, 3):
            import_messages(sessions.session("a"), [Message(Role.USER, SECRET) for _ in range(said)])
    assert [record.getMessage() for record in caplog.records] == [
        "session a: 2 of 2 messages were imported, the others were there",
        "session a: 1 of 3 messages were imported, the others were there",
    ]


def test_an_import_of_threads_tells_how_much_it_moved(caplog: pytest.LogCaptureFixture) -> None:
    theirs, ours = InMemorySaver(), SessionSaver()
    graph = StateGraph(MessagesState).add_node("a", lambda _: {"messages": [SECRET]}).add_edge(START, "a")
    graph.compile(checkpointer=theirs).invoke({"messages": [SECRET]}, {"configurable": {"thread_id": "t"}})
    caplog.set_level(logging.INFO, "session_core")
    for _ in range(2):
        SessionSaver.import_from(theirs, sessions=ours.sessions)
    assert [record.getMessage() for record in caplog.records] == [
        "thread t: 3 of 3 checkpoints were copied, the others were there",
        "thread t: 0 of 3 checkpoints were copied, the others were there",
    ]


def test_a_session_without_trouble_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "session_core")
    with Sessions(policy=Policy(BUDGET, folding="inline", classifier=RuleClassifier())) as sessions:
        _talk(sessions)
    assert caplog.records == []
