"""Every port is real behind a public adapter: folding, tiers and notices, refresh, authors, the command line."""

from typing import Annotated, Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from strict_model import check_sent

from langchain_session import SessionChatMessageHistory, SessionSaver
from session_core import Budget, Policy, Sessions, Tier
from session_core.cli import main
from session_core.events import FoldAsked, Folded, Noticed, TierChanged
from session_core.testing import Heard

DAY_S = 86_400.0
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def talker(saver: SessionSaver, seen: list[list[AnyMessage]]):
    def model(state: State):
        seen.append(list(state["messages"]))
        check_sent(state["messages"])
        return {"messages": [AIMessage("I see what you mean. " * 8)]}

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_edge(START, "model")
    return graph.compile(checkpointer=saver)


@pytest.mark.parametrize("folding", ["inline", "background"])
def test_folds_of_a_graph_report_their_lag(folding):
    heard = Heard()
    policy = Policy(Budget(2_000, reply_reserve_tokens=0), folding=folding)
    with Sessions(policy=policy, observers=[heard]) as sessions:
        graph = talker(SessionSaver(sessions), [])
        for turn in range(60):
            graph.invoke({"messages": [HumanMessage(f"question {turn}")]}, CONFIG)
            assert sessions.drain(10)
        folds = [event for event in heard if isinstance(event, Folded)]
        assert len(folds) >= 2
        assert all(0 <= fold.lag_s < 10 and fold.lag_messages > 0 for fold in folds)
        assert bool([event for event in heard if isinstance(event, FoldAsked)]) is (folding == "background")
        assert sessions.pipeline.waiting == 0
        assert len(graph.get_state(CONFIG).values["messages"]) == 120


def test_a_history_tells_its_tiers_and_keeps_its_notice_over_a_restart(tmp_path):
    told: list[object] = []
    url = f"sqlite:///{tmp_path}/chat.db"
    policy = Policy(Budget(1_000, reply_reserve_tokens=0), folding="off")
    with Sessions(url, policy=policy, on_event=told.append) as sessions:
        history = SessionChatMessageHistory("s", sessions=sessions)
        for turn in range(30):
            history.add_messages([HumanMessage(f"words and more words {turn} " * 6)])
    assert [e.after for e in told if isinstance(e, TierChanged)] == [Tier.SUMMARIZE, Tier.FACTS, Tier.NOTIFY]
    assert len([e for e in told if isinstance(e, Noticed)]) == 1
    with Sessions(url, policy=policy) as again:
        notices = again.session("s").notices()
    assert len(notices) == 1
    assert "nothing is lost" in notices[0].text


def test_a_graph_that_is_resumed_after_days_tells_its_model(tmp_path):
    now = [1_000_000.0]
    seen: list[list[AnyMessage]] = []
    with Sessions(f"sqlite:///{tmp_path}/chat.db", clock=lambda: now[0]) as sessions:
        graph = talker(SessionSaver(sessions), seen)
        graph.invoke({"messages": [HumanMessage("Book it")]}, CONFIG)
        now[0] += 9 * DAY_S
        graph.invoke({"messages": [HumanMessage("Is it done?")]}, CONFIG)
        graph.invoke({"messages": [HumanMessage("And now?")]}, CONFIG)
        assert ["9 days" in str(m.content) for m in seen[1]].count(True) == 1
        assert not any("9 days" in str(m.content) for m in seen[2])
        kept = [m.content for m in graph.get_state(CONFIG).values["messages"] if m.type == "human"]
        assert kept == ["Book it", "Is it done?", "And now?"]


def test_a_graph_of_several_people_names_them():
    seen: list[list[AnyMessage]] = []
    with Sessions() as sessions:
        graph = talker(SessionSaver(sessions), seen)
        graph.invoke({"messages": [HumanMessage("fish", name="ann")]}, CONFIG)
        graph.invoke({"messages": [HumanMessage("meat", name="bob")]}, CONFIG)
        graph.invoke({"messages": [HumanMessage("both", name="ann")]}, CONFIG)
        assert [m.content for m in seen[2] if m.type == "human"] == ["ann: fish", "bob: meat", "both"]
        kept = graph.get_state(CONFIG).values["messages"]
        assert [m.content for m in kept if m.type == "human"] == ["fish", "meat", "both"]
        assert sessions.session("t").stats().authors == ("ann", "bob")


def test_list_show_and_doctor_read_what_a_graph_wrote(tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/chat.db"
    with Sessions(url) as sessions:
        talker(SessionSaver(sessions), []).invoke({"messages": [HumanMessage("Where is my parcel?")]}, CONFIG)
    assert main(["list", "--url", url]) == 0
    assert " t " in f" {capsys.readouterr().out} ".replace("\n", " ")
    assert main(["show", "t", "--url", url]) == 0
    assert "Where is my parcel?" in capsys.readouterr().out
    assert main(["doctor", "--url", url]) == 0
    assert "p99" in capsys.readouterr().out
