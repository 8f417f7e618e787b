"""`SessionSaver(state="whole")`: the state of a run has the whole record, and models see the budgeted view of it."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from every_store import KINDS, Servers
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, RemoveMessage, SystemMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from scripted_chat import ScriptedChat
from side_by_side import CONFIG, long, user
from side_by_side import told as words
from talking_graphs import POLICY, ask, history, ids, opened, talker, told_of

from langchain_session import SessionMiddleware, SessionSaver, attach, recall_tool
from langchain_session.checkpointing.whole_state import handouts
from langchain_session.conversion.marks import mark_of
from session_core import Sessions
from session_core.errors import ConfigError

TURNS = 8


@pytest.fixture
def sessions() -> Iterator[Sessions]:
    with Sessions(policy=POLICY) as made:
        yield made


def digests(messages: Any) -> list[BaseMessage]:
    return [message for message in messages if (mark_of(message) or {}).get("origin") == "digest"]


def view_ids(sessions: Sessions, thread: str = "t") -> list[str]:
    """The ids of the view's messages, without those that are made for it."""
    return ids(m for m in sessions.session(thread).view().messages if m.origin == "record")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("every", [None, 3])
def test_runs_return_what_get_state_does_and_models_see_the_view(
    servers: Servers, tmp_path: Path, kind: str, every: int | None
) -> None:
    """In each store, and in a DeltaChannel; the same as under LangGraph's own saver."""
    with opened(servers, kind, tmp_path) as sessions:
        seen: list[list[AnyMessage]] = []
        app = attach(talker(SessionSaver(sessions, state="whole"), every=every, seen=seen))
        plain = talker(InMemorySaver(), every=every)
        ask(app, *range(TURNS))
        ask(plain, *range(TURNS))
        given = {"messages": [HumanMessage("last", id="h-last")]}
        streamed = [told_of(values) for values in app.stream(given, CONFIG, stream_mode="values")]
        assert streamed == [told_of(values) for values in plain.stream(given, CONFIG, stream_mode="values")]
        assert history(app) == history(plain)
        assert len(streamed[-1]) == 4 * (TURNS + 1)
        assert digests(seen[-1])
        assert len(seen[-1]) < 25
        assert len(sessions.session("t").record()) == 4 * (TURNS + 1)


def test_the_digest_that_models_see_is_the_stored_one(sessions: Sessions) -> None:
    """Not one that is made anew of the state: summaries of models and facts of old digests are in the stored one."""
    seen: list[list[AnyMessage]] = []
    app = attach(talker(SessionSaver(sessions, state="whole"), seen=seen))
    ask(app, *range(TURNS))
    expected, kept = sessions.session("t").view().messages, view_ids(sessions)
    app.invoke({"messages": [HumanMessage("last", id="h-last")]}, CONFIG)
    (digest,) = digests(seen[-2])
    assert digest.content == next(m.content for m in expected if m.origin == "digest")
    assert ids(m for m in seen[-2] if (mark_of(m) or {}).get("origin") is None) == [*kept, "h-last"]


def test_a_saver_inside_keeps_the_checkpoints_and_models_see_the_view(sessions: Sessions) -> None:
    mine, theirs = InMemorySaver(), InMemorySaver()
    seen: list[list[AnyMessage]] = []
    app = attach(talker(SessionSaver(sessions, inner=mine, state="whole"), seen=seen, whole=True))
    plain = talker(theirs, whole=True)
    for graph in (app, plain):
        ask(graph, *range(TURNS))
        out = graph.invoke({"messages": [HumanMessage("edited", id="h0"), HumanMessage("next", id="h-next")]}, CONFIG)
        assert len(out["messages"]) == 4 * (TURNS + 1)
    assert history(talker(mine)) == history(plain)
    assert digests(seen[-1])
    assert len(seen[-1]) < 25


def test_the_async_voice_is_the_same(sessions: Sessions) -> None:
    async def talk() -> tuple[Any, list[list[AnyMessage]]]:
        seen: list[list[AnyMessage]] = []
        app = attach(talker(SessionSaver(sessions, state="whole"), seen=seen))
        for n in range(TURNS):
            out = await app.ainvoke({"messages": [HumanMessage(f"question {n}", id=f"h{n}")]}, CONFIG)
        assert told_of(out) == told_of((await app.aget_state(CONFIG)).values)
        return out, seen

    out, seen = asyncio.run(talk())
    assert len(out["messages"]) == 4 * TURNS
    assert digests(seen[-1])
    assert len(seen[-1]) < 25


def agent_of(saver: SessionSaver, model: ScriptedChat, tools: list[Any] | None = None) -> Any:
    return create_agent(
        model, tools or [], system_prompt="Be brief", middleware=[SessionMiddleware(saver)], checkpointer=saver
    )


def test_an_agent_with_the_middleware_returns_everything_and_its_model_sees_the_view(sessions: Sessions) -> None:
    model = ScriptedChat(script=lambda n, _: AIMessage(long(f"answer {n}", 200)))
    agent = agent_of(SessionSaver(sessions, state="whole"), model)
    for n in range(12):
        out = agent.invoke({"messages": [user(n, long(f"question {n}", 200))]}, CONFIG)
    assert len(out["messages"]) == 24
    assert model.most_tokens(sessions) <= 3_000
    assert len(digests(model.seen[-1])) == 1
    assert not digests(out["messages"])


def test_what_an_old_message_says_about_the_question_is_quoted_from_the_record(sessions: Sessions) -> None:
    model = ScriptedChat(script=lambda n, _: AIMessage(long(f"answer {n}", 200)))
    agent = agent_of(SessionSaver(sessions, state="whole"), model)
    agent.invoke({"messages": [HumanMessage("The vault of the harbour office opens with code 7741-XK.")]}, CONFIG)
    for n in range(14):
        agent.invoke({"messages": [user(n, long(f"question {n}", 200))]}, CONFIG)
    agent.invoke({"messages": [HumanMessage("Which code opens the vault of the harbour office?")]}, CONFIG)
    assert any("7741-XK" in str(message.content) for message in model.seen[-1])


def test_the_recall_tool_finds_messages_that_the_model_does_not_see(sessions: Sessions) -> None:
    saver = SessionSaver(sessions, state="whole")
    found: list[str] = []

    def node(state: MessagesState, config: RunnableConfig) -> Any:
        found.append(recall_tool(saver).invoke({"reference": "h0"}, config))
        return {"messages": [AIMessage("done")]}

    app = StateGraph(MessagesState).add_node("model", node).add_edge(START, "model").compile(checkpointer=saver)
    for n in range(2):
        app.invoke({"messages": [user(n)]}, CONFIG)
    assert "question 0" in found[-1]


# What a graph does with its state


def test_a_folded_message_that_is_removed_leaves_state_and_model_at_once(sessions: Sessions) -> None:
    model = ScriptedChat(script=lambda n, _: AIMessage(long(f"answer {n}", 200)))
    agent = agent_of(SessionSaver(sessions, state="whole"), model)
    agent.invoke({"messages": [HumanMessage("My locker has number 5512-A.", id="h-locker")]}, CONFIG)
    for n in range(14):
        agent.invoke({"messages": [user(n, long(f"question {n}", 200))]}, CONFIG)
    assert "5512-A" in digests(model.seen[-1])[0].text
    out = agent.invoke({"messages": [RemoveMessage("h-locker"), HumanMessage("next", id="h-next")]}, CONFIG)
    assert "h-locker" not in ids(out["messages"])
    assert digests(model.seen[-1])
    assert "5512-A" not in str(model.seen[-1])


def test_a_folded_message_that_is_edited_is_edited_in_place(sessions: Sessions) -> None:
    app = attach(talker(SessionSaver(sessions, state="whole")))
    plain = talker(InMemorySaver())
    for graph in (app, plain):
        ask(graph, *range(TURNS))
        graph.invoke({"messages": [HumanMessage("edited", id="h0"), HumanMessage("next", id="h-next")]}, CONFIG)
    assert history(app) == history(plain)


def test_a_message_that_a_node_changes_in_place_is_stored_as_changed(sessions: Sessions) -> None:
    def node(state: MessagesState) -> Any:
        if len(state["messages"]) > 4:
            state["messages"][0].content = "changed"
            state["messages"][2].additional_kwargs.setdefault("tags", []).append("seen")
        return {"messages": [AIMessage(f"answer {len(state['messages'])}", id=f"a{len(state['messages'])}")]}

    def build(saver: Any) -> Any:
        return StateGraph(MessagesState).add_node("model", node).add_edge(START, "model").compile(checkpointer=saver)

    app, plain = build(SessionSaver(sessions, state="whole")), build(InMemorySaver())
    for graph in (app, plain):
        for n in range(3):
            graph.invoke({"messages": [user(n)]}, CONFIG)
    ours, theirs = (words(graph.get_state(CONFIG).values["messages"]) for graph in (app, plain))
    assert ours == theirs
    assert ours[0][1] == "changed"
    assert ours[2][5] == {"tags": ["seen"]}


def test_a_node_that_gives_its_whole_input_back_changes_nothing(sessions: Sessions) -> None:
    """It is shown a digest, and gives it back."""
    app = attach(talker(SessionSaver(sessions, state="whole"), whole=True))
    plain = talker(InMemorySaver(), whole=True)
    for graph in (app, plain):
        ask(graph, *range(TURNS))
    assert history(app) == history(plain)
    assert ids(sessions.session("t").record()) == ids(app.get_state(CONFIG).values["messages"])


def latest(_: list[AnyMessage], said: list[AnyMessage]) -> list[AnyMessage]:
    return said


@pytest.mark.parametrize("copies", [False, True])
def test_messages_without_ids_stay_without_and_are_stored_once(sessions: Sessions, copies: bool) -> None:
    of_messages: Any = latest if copies else operator.add

    fields = {"messages": Annotated[list[AnyMessage], of_messages], "old": Annotated[list[AnyMessage], latest]}
    bare: Any = TypedDict("bare", fields, total=False)  # type: ignore[operator]

    def node(state: Any) -> Any:
        said: list[AnyMessage] = [AIMessage("the same")]
        if copies:
            said = [*deepcopy(state.get("old", [])), *state["messages"], *said]
        return {"messages": said, "old": said}

    def build(saver: Any) -> Any:
        return StateGraph(bare).add_node("model", node).add_edge(START, "model").compile(checkpointer=saver)

    app, plain = build(SessionSaver(sessions, state="whole")), build(InMemorySaver())
    for graph in (app, plain):
        for _ in range(4):
            out = graph.invoke({"messages": [HumanMessage("again")]}, CONFIG)
        assert {message.id for message in out["messages"]} == {None}
    assert history(app) == history(plain)
    assert len(sessions.session("t").record(all_branches=True)) == 8


def test_messages_of_a_deleted_thread_are_not_taken_for_those_of_its_successor(sessions: Sessions) -> None:
    """They are still alive, and their numbers exist again."""
    saver = SessionSaver(sessions, state="whole")
    app = talker(saver)
    ask(app, *range(2))
    old = app.invoke({"messages": [HumanMessage("old", id="h-old")]}, CONFIG)["messages"]
    saver.delete_thread("t")
    ask(app, 7)
    out = app.invoke({"messages": old}, CONFIG)
    assert ids(out["messages"])[4:15] == ids(old)[:11]
    assert told_of(out) == told_of(app.get_state(CONFIG).values)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("turn", [1, 2])
def test_a_thread_that_is_deleted_during_a_run_has_afterwards_what_that_run_had(
    sessions: Sessions, turn: int, inside: bool
) -> None:
    def built(saver: Any) -> Any:
        def step(state: MessagesState) -> Any:
            if len(state["messages"]) == 3 * turn + 1:
                saver.delete_thread("t")
            return {"messages": [AIMessage("first", id=f"a{len(state['messages'])}")]}

        def then(state: MessagesState) -> Any:
            return {"messages": [AIMessage("second", id=f"a{len(state['messages'])}")]}

        graph = StateGraph(MessagesState).add_node("step", step).add_node("then", then)
        return graph.add_edge(START, "step").add_edge("step", "then").compile(checkpointer=saver)

    inner = InMemorySaver() if inside else None
    ours, theirs = built(SessionSaver(sessions, inner=inner, state="whole")), built(InMemorySaver())
    for n in range(4):
        given = {"messages": [HumanMessage(f"question {n}", id=f"h{n}")]}
        assert ids(ours.invoke(given, CONFIG)["messages"]) == ids(theirs.invoke(given, CONFIG)["messages"])
        assert ids(ours.get_state(CONFIG).values["messages"]) == ids(theirs.get_state(CONFIG).values["messages"])


def test_system_messages_stay_where_they_are_and_the_model_has_them(sessions: Sessions) -> None:
    seen: list[list[AnyMessage]] = []
    app = attach(talker(SessionSaver(sessions, state="whole"), seen=seen))
    app.invoke({"messages": [SystemMessage("Answer in French", id="i1"), HumanMessage("hello", id="h-1")]}, CONFIG)
    ask(app, *range(TURNS))
    out = app.get_state(CONFIG).values["messages"]
    assert (out[0].id, seen[-1][0].id) == ("i1", "i1")
    assert digests(seen[-1])


def test_several_authors_are_named_to_the_model_and_not_in_the_state(sessions: Sessions) -> None:
    seen: list[list[AnyMessage]] = []
    app = attach(talker(SessionSaver(sessions, state="whole"), seen=seen))
    for n, name in enumerate(["Ann", "Ben", "Ann"]):
        out = app.invoke({"messages": [HumanMessage(f"I am here {n}", name=name, id=f"h{n}")]}, CONFIG)
    assert "Ben: I am here 1" in [message.content for message in seen[-1]]
    assert "I am here 1" in [message.content for message in out["messages"]]


# Interrupts, branches, subgraphs, concurrent runs


def test_a_thread_is_the_same_whichever_state_its_runs_had(sessions: Sessions) -> None:
    savers = [SessionSaver(sessions, state=state) for state in ("view", "whole")]
    plain = talker(InMemorySaver())
    for n in range(TURNS):
        ask(talker(savers[n % 2]), n)
        ask(plain, n)
    assert history(talker(savers[0])) == history(talker(savers[1])) == history(plain)


def test_a_fork_starts_with_all_of_its_branch(sessions: Sessions) -> None:
    seen: list[list[AnyMessage]] = []
    saver = SessionSaver(sessions, state="whole")
    app = attach(talker(saver, seen=seen))
    ask(app, *range(TURNS))
    early = next(s.config for s in app.get_state_history(CONFIG) if len(s.values["messages"]) == 20 and not s.next)
    out = app.invoke({"messages": [HumanMessage("other way", id="h-other")]}, early)
    assert ids(out["messages"])[:20] == ids(app.get_state(early).values["messages"])
    assert len(out["messages"]) == 24
    assert "h6" not in str(seen[-1])
    assert ids(sessions.session("t").record()) == ids(out["messages"])


def test_runs_at_once_lose_nothing(sessions: Sessions) -> None:
    """The second begins and ends while the first waits in its node."""
    saver = SessionSaver(sessions, state="whole")
    inner = talker(saver)
    ask(inner, *range(TURNS))

    def node(state: MessagesState) -> Any:
        if state["messages"][-1].id == "h-slow":
            ask(inner, 90)
        return {"messages": [AIMessage("slow", id="a-slow")]}

    outer = StateGraph(MessagesState).add_node("model", node).add_edge(START, "model").compile(checkpointer=saver)
    outer.invoke({"messages": [HumanMessage("slow", id="h-slow")]}, CONFIG)
    now = ids(outer.get_state(CONFIG).values["messages"])
    assert now[:32] == [name for n in range(TURNS) for name in ids_of_turn(n)]
    assert sorted(now[32:]) == sorted(["h-slow", "a-slow", *ids_of_turn(90)])


def ids_of_turn(n: int) -> list[str]:
    return [f"h{n}", f"ask-h{n}", f"did-call-h{n}", f"say-did-call-h{n}"]


# What is left behind, and wrong use


def test_nothing_is_kept_of_a_run_that_is_over(sessions: Sessions) -> None:
    app = talker(SessionSaver(sessions, state="whole"))
    ask(app, *range(2))
    known = len(handouts)
    ask(app, *range(2, 6))
    assert len(handouts) <= known


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(ConfigError, match="state='all'; use one of view, whole"):
        SessionSaver(state="all")  # type: ignore[arg-type]
