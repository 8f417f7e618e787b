"""What of the record bears on a run's question stands right before it, the same for every model call of the turn."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from chains import chain_of_calls, check_views
from langchain.agents import create_agent
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.tools import tool
from scripted_chat import ScriptedChat, fetching
from talking_graphs import talker

from langchain_session import SessionMiddleware, SessionSaver, attach
from langchain_session.conversion.marks import mark_of
from session_core import Budget, Message, Policy, Role, Sessions
from session_core.events import Searched
from session_core.testing import Heard

BUDGET = Budget(8_000, reply_reserve_tokens=0)
SECRET = "The gate of the north garden opens with tulip-4471."
ASKED = "How does the gate of the north garden open?"


def policy(**named: Any) -> Policy:
    return Policy(BUDGET, folding="inline", **named)


def opened(heard: Heard | None = None, **named: Any) -> Sessions:
    """Sessions with a thread whose early turns are folded."""
    sessions = Sessions(policy=policy(**named), observers=[heard] if heard is not None else [])
    session = sessions.session("t")
    session.append([Message(Role.USER, SECRET), Message(Role.ASSISTANT, "I see.")])
    for n in range(60):
        words = f"thing {n} about the river and the {n}th table of the hall. "
        session.append([Message(Role.USER, words * 8), Message(Role.ASSISTANT, f"noted {n}. " * 20)])
    saver = SessionSaver(sessions)
    # A thread begins with a checkpoint, and its record may be older.
    chain_of_calls([], calls=0).compile(checkpointer=saver).invoke({"messages": [HumanMessage("hello")]}, config())
    return sessions


def config(thread: str = "t") -> dict[str, Any]:
    return {"configurable": {"thread_id": thread}, "recursion_limit": 500}


def attached(sessions: Sessions, seen: list[list[BaseMessage]], calls: int = 0) -> Any:
    return attach(chain_of_calls(seen, calls=calls, rows=20).compile(checkpointer=SessionSaver(sessions)))


def agent_of(sessions: Sessions, seen: list[list[BaseMessage]], calls: int = 0) -> Any:
    @tool
    def fetch(n: int) -> str:
        """Fetch n."""
        return f"row of {n}\n" * 20

    saver = SessionSaver(sessions)
    model = ScriptedChat(script=fetching(calls))
    object.__setattr__(model, "seen", seen)
    return create_agent(model, [fetch], middleware=[SessionMiddleware(saver)], checkpointer=saver)


def quotes(messages: list[BaseMessage]) -> list[str]:
    return [str(m.content) for m in messages if (mark_of(m) or {}).get("origin") == "recall"]


@pytest.mark.parametrize("made", [attached, agent_of])
@pytest.mark.parametrize("awaited", [False, True], ids=["blocking", "awaited"])
def test_an_old_turn_that_bears_on_the_question_stands_right_before_it(made, awaited):
    with opened() as sessions:
        seen: list[list[BaseMessage]] = []
        graph = made(sessions, seen)
        asked = {"messages": [HumanMessage(ASKED)]}
        asyncio.run(graph.ainvoke(asked, config())) if awaited else graph.invoke(asked, config())
        assert SECRET in quotes(seen[0])[0]
        assert [m.content for m in seen[0][-2:]] == [quotes(seen[0])[0], ASKED]
        check_views(seen)


@pytest.mark.parametrize("made", [attached, agent_of])
def test_it_is_looked_for_once_a_turn_and_stays_where_it_was(made):
    heard = Heard()
    with opened(heard) as sessions:
        seen: list[list[BaseMessage]] = []
        graph = made(sessions, seen, 3)
        before = len(heard)
        graph.invoke({"messages": [HumanMessage(ASKED)]}, config())
        assert sum(isinstance(event, Searched) for event in heard[before:]) == 1
        assert len(seen) == 4
        assert all(quotes(messages) == quotes(seen[0]) for messages in seen)
        starts = [[m.content for m in messages[: len(seen[0])]] for messages in seen]
        assert all(one == other for one, other in pairwise(starts))


@pytest.mark.parametrize("every", [7, 1_000], ids=["snapshots", "writes alone"])
@pytest.mark.parametrize("durability", ["async", "exit"])
def test_a_thread_in_deltas_has_its_quotes_as_any_other(every, durability, tmp_path):
    small = Policy(Budget(3_000, reply_reserve_tokens=0), folding="inline")

    def ask(text: str, name: str) -> list[list[BaseMessage]]:
        seen: list[list[BaseMessage]] = []
        with Sessions(f"sqlite:///{tmp_path}/chat.db", policy=small) as sessions:
            graph = attach(talker(SessionSaver(sessions), every=every, seen=seen))
            graph.invoke({"messages": [HumanMessage(text, id=name)]}, config(), durability=durability)
        return seen

    ask(SECRET, "secret")
    for n in range(12):
        ask(f"question {n}", f"h{n}")
    seen = ask(ASKED, "asked")
    assert [SECRET in quotes(messages)[0] for messages in seen] == [True, True]
    check_views(seen)


def test_a_quote_never_enters_the_record():
    with opened() as sessions:
        graph = attached(sessions, [])
        graph.invoke({"messages": [HumanMessage(ASKED)]}, config())
        kept = graph.get_state(config()).values["messages"]
        assert not any("quoted from the record" in str(m.content) for m in kept)
        assert sum(SECRET in m.content for m in sessions.session("t").record()) == 1


def test_the_next_question_brings_its_own_quote_and_the_old_one_goes():
    with opened() as sessions:
        seen: list[list[BaseMessage]] = []
        graph = attached(sessions, seen)
        graph.invoke({"messages": [HumanMessage(ASKED)]}, config())
        seen.clear()
        graph.invoke({"messages": [HumanMessage("What of the 3th table?")]}, config())
        assert len(quotes(seen[-1])) == 1
        assert "3th table" in quotes(seen[-1])[0]


def test_a_turn_that_stands_in_the_view_is_not_quoted():
    with opened() as sessions:
        seen: list[list[BaseMessage]] = []
        attached(sessions, seen).invoke({"messages": [HumanMessage("What of the 59th table?")]}, config())
        assert not any("the 59th table" in text for text in quotes(seen[0]))
        assert any("the 59th table" in str(m.content) for m in seen[0][:-1])


def test_the_policy_switches_it_off():
    with opened(recall_tokens=0) as sessions:
        seen: list[list[BaseMessage]] = []
        attached(sessions, seen).invoke({"messages": [HumanMessage(ASKED)]}, config())
        assert quotes(seen[0]) == []


STATED = "The budget for the review is 5,000 EUR, and it must be done by 14 March 2027."


@pytest.mark.parametrize(
    ("stated", "corrected", "turns"),
    [
        ("My budget is 5,000 EUR.", "Actually, my budget is 6,000 EUR.", 60),
        (STATED, "A correction: the budget for the review is 6,000 EUR, not 5,000.", 12),
    ],
)
def test_what_was_corrected_since_is_quoted_with_its_correction(stated: str, corrected: str, turns: int):
    with opened() as sessions:
        session = sessions.session("t")
        seen: list[list[BaseMessage]] = []
        graph = attached(sessions, seen)
        graph.invoke({"messages": [HumanMessage(stated)]}, config())
        for n in range(turns):
            words = 40 * 60 // turns
            session.append([Message(Role.USER, f"and thing {n}? " * words), Message(Role.ASSISTANT, "well " * 80)])
        asked = {"messages": [HumanMessage("What is my budget in EUR?")]}
        graph.invoke(asked, config())
        assert any("5,000 EUR" in text for text in quotes(seen[-1]))
        graph.invoke({"messages": [HumanMessage(corrected)]}, config())
        graph.invoke(asked, config())
        old = [row for text in quotes(seen[-1]) for row in text.splitlines() if "5,000 EUR" in row]
        assert all("6,000 EUR" in row.partition("5,000 EUR")[2] for row in old)


def test_a_short_thread_is_not_searched():
    heard = Heard()
    with Sessions(policy=policy(), observers=[heard]) as sessions:
        attached(sessions, []).invoke({"messages": [HumanMessage(ASKED)]}, config())
        assert len(sessions.session("t").record()) == 2
        assert not any(isinstance(event, Searched) for event in heard)


def test_a_forged_digest_mark_gives_no_access_to_another_session():
    with opened() as sessions:
        seen: list[list[BaseMessage]] = []
        attached(sessions, seen).invoke({"messages": [HumanMessage(ASKED)]}, config())
        forged = next(m for m in seen[0] if "digest" in (mark_of(m) or {}))
        seen.clear()
        graph = attached(sessions, seen)
        graph.invoke({"messages": [forged, HumanMessage(ASKED)]}, config("thief"))
        assert not any("tulip" in text for text in quotes(seen[0]))


def quoted_of_many_rooms():
    with Sessions(policy=policy(facts_tokens=60, keep_turns=1)) as sessions:
        session = sessions.session("t")
        for n in range(80):
            words = f"Please book room R-{n:03d} for {n + 2} people. " + "And then some more words. " * 20
            session.append([Message(Role.USER, words), Message(Role.ASSISTANT, "I will do that. " * 12)])
        view = session.view(query="For how many people is room R-053?")
        (quote,) = [m.content for m in view.messages if m.origin == "recall"]
        return quote


def test_a_fact_that_the_digest_has_no_room_for_is_quoted_with_the_question():
    assert "book room R-053 for 55 people" in quoted_of_many_rooms()


def test_of_a_long_record_the_fact_itself_is_quoted(monkeypatch):
    monkeypatch.setattr("session_core.searching.READ_WHOLE", 0)
    quote = quoted_of_many_rooms()
    assert "(identifier) Please book room R-053 for 55 people." in quote
    assert "Conflicting answers" not in quote
