"""Compression inside a run: `attach` keeps every model call within the budget and leaves the state as it is."""

import asyncio
import gc
import itertools
from itertools import pairwise
from typing import Any

import pytest
from chains import State, chain_of_calls, check_views, result_of
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, ToolMessage
from langgraph.graph import END, START, StateGraph

from langchain_session import SessionSaver, attach
from langchain_session.conversion.marks import mark_of
from langchain_session.in_run import RunFitter
from session_core import Budget, Policy, Sessions
from session_core.compress import ladder
from session_core.compress.fold import fold
from session_core.errors import ConfigError
from session_core.services import Services

POLICY = Policy(Budget(8_000, reply_reserve_tokens=0), folding="inline")
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 500}
CALLS = 50


@pytest.fixture
def sessions():
    with Sessions(policy=POLICY) as opened:
        yield opened


@pytest.mark.parametrize("whole_input", [False, True], ids=["appends", "returns-its-input"])
def test_a_chain_of_50_calls_in_one_run_stays_within_the_budget(sessions, whole_input):
    seen: list[list[BaseMessage]] = []
    graph = attach(
        chain_of_calls(seen, calls=CALLS, whole_input=whole_input).compile(checkpointer=SessionSaver(sessions))
    )
    graph.invoke({"messages": [HumanMessage("do all of it")]}, CONFIG)
    assert len(seen) == CALLS + 1
    check_views(seen)
    kept = graph.get_state(CONFIG).values["messages"]
    assert [m.content for m in kept if m.type == "tool"] == [result_of(n) for n in range(1, CALLS + 1)]
    assert not any(mark_of(m) for m in kept)
    assert len(kept) == 2 + 2 * CALLS


def test_every_view_of_a_chain_starts_with_the_question(sessions):
    seen: list[list[BaseMessage]] = []
    graph = attach(chain_of_calls(seen).compile(checkpointer=SessionSaver(sessions)))
    graph.invoke({"messages": [HumanMessage("do all of it")]}, CONFIG)
    assert all("do all of it" in [m.content for m in messages] for messages in seen)


def test_a_view_in_a_chain_rarely_changes_before_its_end(sessions):
    seen: list[list[BaseMessage]] = []
    graph = attach(chain_of_calls(seen, calls=CALLS, rows=40).compile(checkpointer=SessionSaver(sessions)))
    graph.invoke({"messages": [HumanMessage("do all of it")]}, CONFIG)
    texts = [[str(m.content) for m in messages] for messages in seen]
    changed = sum(later[: len(earlier)] != earlier for earlier, later in pairwise(texts))
    assert 1 <= changed <= CALLS / 5


def test_the_awaiting_and_the_streaming_voice_fit_too(sessions):
    seen: list[list[BaseMessage]] = []
    graph = attach(chain_of_calls(seen, calls=15).compile(checkpointer=SessionSaver(sessions)))

    async def run():
        async for _ in graph.astream({"messages": [HumanMessage("go")]}, CONFIG, stream_mode="updates"):
            pass

    asyncio.run(run())
    assert len(seen) == 16
    check_views(seen)


def test_attaching_twice_is_attaching_once_and_leaves_the_graph_alone(sessions):
    seen: list[list[BaseMessage]] = []
    plain = chain_of_calls(seen, calls=2).compile(checkpointer=SessionSaver(sessions))
    once = attach(plain)
    twice = attach(once)
    assert {name: node.bound for name, node in twice.nodes.items()} == {
        name: node.bound for name, node in once.nodes.items()
    }
    assert plain.nodes["model"].bound is not once.nodes["model"].bound
    assert twice.invoke({"messages": [HumanMessage("go")]}, CONFIG)["messages"][-1].content == "done"


def test_a_graph_without_our_saver_needs_a_policy():
    graph = chain_of_calls([]).compile()
    with pytest.raises(ConfigError, match="policy=Policy"):
        attach(graph)
    assert attach(graph, policy=POLICY) is not graph


def test_a_tool_node_gets_its_arguments_whole(sessions):
    content = "line of a file\n" * 8_000
    given: list[str] = []

    def model(state: State):
        done = isinstance(state["messages"][-1], ToolMessage)
        calls = [] if done else [{"name": "write", "args": {"content": content}, "id": "c1"}]
        return {"messages": [AIMessage("done" if done else "", tool_calls=calls)]}

    def write(state: State):
        given.append(state["messages"][-1].tool_calls[0]["args"]["content"])
        return {"messages": [ToolMessage("written", tool_call_id="c1")]}

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("write", write)
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model", lambda state: "write" if state["messages"][-1].tool_calls else END, ["write", END]
    )
    graph.add_edge("write", "model")
    run = attach(graph.compile(checkpointer=SessionSaver(sessions)))
    assert run.invoke({"messages": [HumanMessage("go")]}, CONFIG)["messages"][-1].content == "done"
    assert given == [content]


def test_threads_with_similar_messages_never_share_content(sessions):
    for name in ("alpha", "omega"):
        seen: list[list[BaseMessage]] = []
        graph = attach(chain_of_calls(seen).compile(checkpointer=SessionSaver(sessions)))
        config = {"configurable": {"thread_id": name}, "recursion_limit": 500}
        graph.invoke({"messages": [HumanMessage(f"my word is {name}", id="h")]}, config)
        told = " ".join(str(m.content) for messages in seen for m in messages)
        assert f"my word is {name}" in told
        assert ("alpha" in told) is (name == "alpha")


@pytest.mark.parametrize("whole_input", [False, True], ids=["appends", "returns-its-input"])
def test_runs_on_top_of_a_digest_keep_the_record_whole(sessions, whole_input):
    for run in range(4):
        seen: list[list[BaseMessage]] = []
        graph = attach(
            chain_of_calls(seen, calls=12, whole_input=whole_input).compile(checkpointer=SessionSaver(sessions))
        )
        graph.invoke({"messages": [HumanMessage(f"run {run}", id=f"h{run}")]}, CONFIG)
        check_views(seen)
    kept = graph.get_state(CONFIG).values["messages"]
    assert [m.content for m in kept if m.type == "human"] == [f"run {run}" for run in range(4)]
    assert [m.content for m in kept if m.type == "tool"] == [result_of(n) for n in range(1, 13)] * 4
    assert not any(mark_of(m) for m in kept)


def test_a_node_may_trim_what_it_was_shown(sessions):
    def trim(state: State):
        return {"messages": [RemoveMessage(id=m.id) for m in state["messages"][:-2]]}

    graph = StateGraph(State)
    graph.add_node("model", lambda state: {"messages": [AIMessage("words and words " * 60)]})
    graph.add_node("trim", trim)
    graph.add_edge(START, "model")
    graph.add_edge("model", "trim")
    saver = SessionSaver(sessions)
    without = StateGraph(State)
    without.add_node("model", lambda state: {"messages": [AIMessage("words and words " * 60)]})
    without.add_edge(START, "model")
    long = without.compile(checkpointer=saver)
    for turn in range(60):
        long.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    assert sessions.session("t").stats().digests > 0
    run = attach(graph.compile(checkpointer=saver))
    run.invoke({"messages": [HumanMessage("trim it", id="last")]}, CONFIG)
    assert len(run.get_state(CONFIG).values["messages"]) == 2


def read_again(squeeze: RunFitter, messages: list[BaseMessage]) -> list[BaseMessage]:
    """Those of `messages` that a second call reads anew."""
    squeeze(messages)
    before = [squeeze.known(message, place) for place, message in enumerate(messages, start=1)]
    squeeze(messages)
    after = [squeeze.known(message, place) for place, message in enumerate(messages, start=1)]
    return [m for m, one, other in zip(messages, before, after, strict=True) if one is not other]


def exchange(number: int) -> list[BaseMessage]:
    call = AIMessage("", id=f"a{number}", tool_calls=[{"name": "f", "args": {"n": number}, "id": f"c{number}"}])
    return [call, ToolMessage(result_of(number), id=f"t{number}", tool_call_id=f"c{number}")]


def test_a_message_is_read_once_in_a_run():
    squeeze = RunFitter(Services(POLICY))
    messages = [HumanMessage("go", id="h"), *exchange(1), *exchange(2)]
    assert read_again(squeeze, messages) == []


@pytest.mark.parametrize("in_place", [False, True], ids=["new-content", "changed-in-place"])
def test_a_message_that_was_changed_is_read_anew(in_place):
    squeeze = RunFitter(Services(POLICY))
    asked = HumanMessage([{"type": "text", "text": "one"}], id="h")
    squeeze([asked, *exchange(1)])
    if in_place:
        asked.content[0]["text"] = "two " * 9_000
    else:
        asked.content = "two " * 9_000
    assert "two" in str(squeeze([asked, *exchange(1)])[0].content)
    assert squeeze([asked, *exchange(1)])[0] is not asked


def test_cached_messages_are_freed_with_the_run():
    squeeze = RunFitter(Services(POLICY))
    squeeze([HumanMessage("go", id="h"), *exchange(1)])
    gc.collect()
    assert len(squeeze.known) == 0


def test_the_view_of_a_list_does_not_depend_on_cached_steps():
    grown, fresh = RunFitter(Services(POLICY)), RunFitter(Services(POLICY))
    messages: list[BaseMessage] = [HumanMessage("go", id="h")]
    for number in range(1, 40):
        messages += exchange(number)
        seen = grown(messages)
    assert [m.content for m in fresh(messages)] == [m.content for m in seen]


def test_messages_that_a_checkpointer_read_anew_are_not_folded_anew(monkeypatch):
    """At the next run they are other objects, read at another time, and say the same."""
    folds: list[object] = []
    monkeypatch.setattr(ladder, "fold", lambda *of, **named: folds.append(of) or fold(*of, **named))
    times = itertools.count(1_000.0)
    squeeze = RunFitter(Services(POLICY, clock=lambda: next(times)))
    said = [kind(f"{n} of these " * 60, id=f"m{n}") for n in range(40) for kind in (HumanMessage, AIMessage)]
    shown = squeeze(said)
    made = len(folds)
    again = squeeze([message.model_copy() for message in said])
    assert made > 0 == len(folds) - made
    assert [message.content for message in again] == [message.content for message in shown]


def test_a_clip_of_a_message_without_an_id_names_its_call():
    squeeze = RunFitter(Services(Policy(Budget(8_000), whole_tool_outputs=0)))
    call, result = exchange(1)
    result.id = None
    assert "ref c1" in str(squeeze([HumanMessage("go"), call, result])[-1].content)
