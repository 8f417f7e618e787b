"""A run that begins while a call of another waits for its result: what it is handed is a list that a provider takes."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from strict_model import check_sent

from langchain_session import SessionSaver
from session_core import Budget, Policy, Sessions

SMALL = Policy(Budget(900, reply_reserve_tokens=0), folding="inline")
LARGE = Policy(Budget(64_000, reply_reserve_tokens=0), folding="inline")
CONFIG = {"configurable": {"thread_id": "t"}}

both_voices = pytest.mark.parametrize("voice", ["blocking", "awaiting"])
young_and_folded = pytest.mark.parametrize("policy", [LARGE, SMALL], ids=["whole", "folded"])


@pytest.fixture(params=["sqlite", "redis", "postgres"])
def store(request, servers, tmp_path):
    with servers.place(request.param, tmp_path) as place:
        yield place.store


class Calling:
    """A graph whose model calls two tools for each question; those of a slow one wait until they are let on.

    What its model is handed goes to the strict provider, and its ids are noted.
    """

    def __init__(self, saver, *, asks: bool = False) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        self.seen: list[list[str]] = []

        def model(state):
            check_sent(state["messages"])
            last = state["messages"][-1]
            self.seen.append([message.id for message in state["messages"]])
            if last.type == "tool":
                return {"messages": [AIMessage(f"answer to {last.id}", id=f"a-{last.id}")]}
            calls = [{"name": "look", "args": {}, "id": f"{last.id}.{place}"} for place in range(2)]
            return {"messages": [AIMessage("", tool_calls=calls, id=f"c-{last.id}")]}

        def tools(state):
            calls = state["messages"][-1].tool_calls
            if asks and calls[0]["id"].startswith("slow"):
                interrupt("may I?")
            if calls[0]["id"].startswith("slow") and not asks:
                self.reached.set()
                assert self.go.wait(60)
            found = [ToolMessage("found", tool_call_id=call["id"], id=f"r-{call['id']}") for call in calls]
            return {"messages": found}

        built = StateGraph(MessagesState)
        built.add_node("model", model)
        built.add_node("tools", tools)
        built.add_edge(START, "model")
        built.add_conditional_edges(
            "model", lambda state: ["tools"] if state["messages"][-1].tool_calls else [], ["tools"]
        )
        built.add_edge("tools", "model")
        self.graph = built.compile(checkpointer=saver)
        self._pool = ThreadPoolExecutor(1)

    def run(self, given, voice: str):
        if voice == "awaiting":
            return asyncio.run(self.graph.ainvoke(given, CONFIG, durability="sync"))
        return self.graph.invoke(given, CONFIG, durability="sync")

    def ask(self, name: str, voice: str):
        return self.run({"messages": [HumanMessage(f"question of {name} " + "so " * 60, id=name)]}, voice)

    def begin(self, name: str, voice: str):
        run = self._pool.submit(self.ask, name, voice)
        assert self.reached.wait(60)
        return run


def turn(name: str) -> list[str]:
    return [name, f"c-{name}", f"r-{name}.0", f"r-{name}.1", f"a-r-{name}.1"]


def recorded(sessions: Sessions) -> list[str]:
    return [message.id for message in sessions.session("t").record()]


@both_voices
@young_and_folded
def test_a_question_beside_an_open_call_is_not_put_behind_it(store, policy, voice):
    sessions = Sessions(store, policy=policy)
    calling = Calling(SessionSaver(sessions))
    before = [f"early {number}" for number in range(3)]
    for name in before:
        calling.ask(name, voice)
    slow = calling.begin("slow", voice)
    calling.ask("quick", voice)
    calling.go.set()
    slow.result(60)
    calling.ask("later", voice)
    assert recorded(sessions) == [name for one in (*before, "slow", "quick", "later") for name in turn(one)]
    assert all("c-slow" not in seen for seen in calling.seen if "quick" in seen and "r-slow.0" not in seen)


@both_voices
def test_a_run_that_continues_an_open_call_sees_it(store, voice):
    sessions = Sessions(store, policy=LARGE)
    calling = Calling(SessionSaver(sessions), asks=True)
    calling.ask("early", voice)
    calling.ask("slow", voice)
    calling.run(Command(resume="yes"), voice)
    assert recorded(sessions) == [*turn("early"), *turn("slow")]


@both_voices
def test_results_that_a_person_gives_with_the_next_question_find_their_call(store, voice):
    sessions = Sessions(store, policy=LARGE)
    calling = Calling(SessionSaver(sessions), asks=True)
    calling.ask("slow", voice)
    given = [ToolMessage("denied", tool_call_id=f"slow.{place}", id=f"r-slow.{place}") for place in range(2)]
    calling.run({"messages": [*given, HumanMessage("then what?", id="next")]}, voice)
    assert recorded(sessions) == ["slow", "c-slow", "r-slow.0", "r-slow.1", *turn("next")]
    assert calling.seen[1] == ["slow", "c-slow", "r-slow.0", "r-slow.1", "next"]


@both_voices
def test_a_question_instead_of_an_answer_to_an_interrupt_stands_alone_and_the_call_stays_in_the_record(store, voice):
    sessions = Sessions(store, policy=LARGE)
    calling = Calling(SessionSaver(sessions), asks=True)
    calling.ask("slow", voice)
    calling.ask("next", voice)
    assert recorded(sessions) == ["slow", "c-slow", *turn("next")]
    assert [message.id for message in calling.graph.get_state(CONFIG).values["messages"]] == recorded(sessions)
