"""`SessionSaver` behind real graphs: the view for runs, the record for people, each message once."""

import asyncio
from typing import Annotated, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.types import Command, interrupt
from strict_model import check_sent

from langchain_session import SessionChatMessageHistory, SessionSaver, attach
from session_core import Budget, Policy, Sessions

POLICY = Policy(Budget(3_000, reply_reserve_tokens=0), folding="inline")


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def talker(seen: list[list[AnyMessage]], checkpointer: BaseCheckpointSaver | None = None, *, strict: bool = True):
    """A graph of a model with one tool call and 2 KB result a turn; it knows nothing of sessions."""

    def model(state: State):
        seen.append(list(state["messages"]))
        if strict:
            check_sent(state["messages"])
        last = state["messages"][-1]
        if isinstance(last, HumanMessage):
            call = {"name": "look", "args": {"q": last.content}, "id": f"c-{last.id}"}
            return {"messages": [AIMessage("", tool_calls=[call])]}
        return {"messages": [AIMessage(f"answer to {last.tool_call_id}")]}

    def tools(state: State):
        call = state["messages"][-1].tool_calls[0]
        text = "".join(f"row {n}: {call['args']['q']} is {n * 37}\n" for n in range(60))
        return {"messages": [ToolMessage(text, tool_call_id=call["id"])]}

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("tools", tools)
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model", lambda state: "tools" if state["messages"][-1].tool_calls else END, ["tools", END]
    )
    graph.add_edge("tools", "model")
    return graph.compile(checkpointer=checkpointer)


@pytest.fixture(params=["memory", "sqlite"])
def sessions(request, tmp_path):
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/chat.db"
    with Sessions(url, policy=POLICY) as opened:
        yield opened


CONFIG = {"configurable": {"thread_id": "t"}}


def test_runs_get_the_view_and_people_get_the_record(sessions):
    seen: list[list[AnyMessage]] = []
    graph = talker(seen, SessionSaver(sessions))
    for turn in range(40):
        graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    kept = graph.get_state(CONFIG).values["messages"]
    assert len(kept) == 160
    assert [m.content for m in kept if isinstance(m, HumanMessage)] == [f"question {n}" for n in range(40)]
    assert max(len(messages) for messages in seen) < 40
    assert len(sessions.session("t").record()) == 160


def test_the_awaiting_voice_does_the_same(sessions):
    async def talk():
        graph = talker([], SessionSaver(sessions))
        for turn in range(12):
            await graph.ainvoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
        return (await graph.aget_state(CONFIG)).values["messages"]

    assert len(asyncio.run(talk())) == 48


def test_it_ends_with_the_same_messages_as_the_in_memory_saver(sessions):
    ours, theirs = talker([], SessionSaver(sessions)), talker([], InMemorySaver())
    for turn in range(25):
        for graph in (ours, theirs):
            graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    told = [graph.get_state(CONFIG).values["messages"] for graph in (ours, theirs)]
    assert [(m.type, m.content) for m in told[0]] == [(m.type, m.content) for m in told[1]]
    history = [[s.values.get("messages", []) for s in graph.get_state_history(CONFIG)] for graph in (ours, theirs)]
    assert [len(m) for m in history[0]] == [len(m) for m in history[1]]


def test_every_message_is_stored_once(tmp_path):
    with Sessions(f"sqlite:///{tmp_path}/chat.db", policy=POLICY) as sessions:
        graph = talker([], SessionSaver(sessions))
        for turn in range(20):
            graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
        with sessions.store._file.reading() as connection:
            bodies = connection.execute("SELECT count(*) FROM bodies").fetchone()[0]
            messages = connection.execute("SELECT count(*) FROM messages").fetchone()[0]
    assert (bodies, messages) == (80, 80)


def test_a_fork_has_its_own_messages_and_no_digest_of_another_branch(sessions):
    graph = talker([], SessionSaver(sessions))
    for turn in range(12):
        graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    early = next(s for s in graph.get_state_history(CONFIG) if len(s.values.get("messages", [])) == 8 and not s.next)
    graph.invoke({"messages": [HumanMessage("another way", id="fork")]}, early.config)
    kept = graph.get_state(CONFIG).values["messages"]
    assert [m.content for m in kept if isinstance(m, HumanMessage)] == ["question 0", "question 1", "another way"]
    assert len(sessions.session("t").record(all_branches=True)) == 52


def test_a_fork_that_says_nothing_is_where_the_thread_is_now(sessions):
    graph = talker([], SessionSaver(sessions))
    for turn in range(3):
        graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    early = next(s for s in graph.get_state_history(CONFIG) if len(s.values.get("messages", [])) == 4 and not s.next)
    graph.invoke(None, early.config)
    assert len(graph.get_state(CONFIG).values["messages"]) == 4
    graph.invoke({"messages": [HumanMessage("another way", id="fork")]}, CONFIG)
    kept = graph.get_state(CONFIG).values["messages"]
    assert [m.content for m in kept if isinstance(m, HumanMessage)] == ["question 0", "another way"]


def test_a_copy_of_an_early_checkpoint_is_the_conversation_again(sessions):
    graph = talker([], SessionSaver(sessions))
    for turn in range(3):
        graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    early = next(s for s in graph.get_state_history(CONFIG) if len(s.values.get("messages", [])) == 4 and not s.next)
    graph.update_state(early.config, None, as_node="__copy__")
    assert len(graph.get_state(CONFIG).values["messages"]) == 4
    graph.invoke({"messages": [HumanMessage("another way", id="h9")]}, CONFIG)
    assert [m.content for m in sessions.session("t").record() if m.role == "user"] == ["question 0", "another way"]


def test_an_interrupted_replay_goes_on_on_its_own_branch(sessions):
    def ask(state: State):
        return {"messages": [HumanMessage(str(interrupt("may I?")))]}

    built = StateGraph(State)
    built.add_node("ask", ask)
    built.add_edge(START, "ask")
    graph = built.compile(checkpointer=SessionSaver(sessions))
    graph.invoke({"messages": [HumanMessage("first")]}, CONFIG)
    waiting = graph.get_state(CONFIG).config
    graph.invoke(Command(resume="yes"), CONFIG)
    graph.invoke({"messages": [HumanMessage("second")]}, CONFIG)
    graph.invoke(None, waiting)
    graph.invoke(Command(resume="no"), CONFIG)
    assert [m.content for m in graph.get_state(CONFIG).values["messages"]] == ["first", "no"]


def test_an_edited_and_a_removed_message_change_the_conversation_and_not_the_log(sessions):
    graph = talker([], SessionSaver(sessions))
    graph.invoke({"messages": [HumanMessage("first", id="h0")]}, CONFIG)
    graph.update_state(CONFIG, {"messages": [HumanMessage("edited", id="h0")]}, as_node="tools")
    answer = graph.get_state(CONFIG).values["messages"][-1]
    graph.update_state(CONFIG, {"messages": [RemoveMessage(answer.id)]}, as_node="tools")
    kept = graph.get_state(CONFIG).values["messages"]
    assert kept[0].content == "edited"
    assert len(kept) == 3
    assert sessions.session("t").record()[0].content == "edited"
    assert len(sessions.session("t").record(all_branches=True)) == 5


def test_removing_all_messages_begins_a_new_conversation(sessions):
    graph = talker([], SessionSaver(sessions))
    for turn in range(12):
        graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    graph.update_state(CONFIG, {"messages": [RemoveMessage(REMOVE_ALL_MESSAGES)]}, as_node="tools")
    assert graph.get_state(CONFIG).values["messages"] == []
    assert sessions.session("t").record() == []
    graph.invoke({"messages": [HumanMessage("afresh", id="new")]}, CONFIG)
    kept = graph.get_state(CONFIG).values["messages"]
    assert [m.content for m in kept if m.type == "human"] == ["afresh"]
    assert len(sessions.session("t").record(all_branches=True)) == 52


def test_an_interrupted_run_goes_on_where_it_was(sessions):
    def ask(state: State):
        return {"messages": [AIMessage("", tool_calls=[{"name": "approve", "args": {}, "id": "c1"}])]}

    def approve(state: State):
        said = interrupt("may I?")
        return {"messages": [ToolMessage(said, tool_call_id=state["messages"][-1].tool_calls[0]["id"])]}

    built = StateGraph(State)
    built.add_node("ask", ask)
    built.add_node("approve", approve)
    built.add_edge(START, "ask")
    built.add_edge("ask", "approve")
    graph = built.compile(checkpointer=SessionSaver(sessions))
    graph.invoke({"messages": [HumanMessage("do it")]}, CONFIG)
    graph.invoke(Command(resume="yes"), CONFIG)
    assert [m.content for m in graph.get_state(CONFIG).values["messages"]] == ["do it", "", "yes"]


def test_what_a_chain_adds_to_the_session_is_in_the_next_run(sessions):
    seen: list[list[AnyMessage]] = []
    graph = talker(seen, SessionSaver(sessions))
    graph.invoke({"messages": [HumanMessage("one", id="h1")]}, CONFIG)
    sessions.session("t").append(
        [{"role": "user", "content": "from a chain"}, {"role": "assistant", "content": "noted"}]
    )
    graph.invoke({"messages": [HumanMessage("two", id="h2")]}, CONFIG)
    assert "from a chain" in [m.content for m in seen[-1]]
    assert [m.content for m in graph.get_state(CONFIG).values["messages"] if m.type == "human"] == [
        "one",
        "from a chain",
        "two",
    ]


def test_messages_of_another_adapter_are_not_stored_again_by_the_next_run(sessions):
    graph = talker([], SessionSaver(sessions))
    graph.invoke({"messages": [HumanMessage("one", id="h1")]}, CONFIG)
    sessions.session("t").append({"role": "user", "content": "from plain code"})
    SessionChatMessageHistory("t", sessions=sessions).add_messages([HumanMessage("from a history"), AIMessage("ok")])
    graph.invoke({"messages": [HumanMessage("two", id="h2")]}, CONFIG)
    graph.update_state(CONFIG, {"messages": [HumanMessage("three", id="h3")]}, as_node="tools")
    record = sessions.session("t").record()
    assert [m.content for m in record if m.role == "user"] == [
        "one",
        "from plain code",
        "from a history",
        "two",
        "three",
    ]
    assert len(sessions.session("t").record(all_branches=True)) == len(record)


def test_a_resumed_tool_gets_its_arguments_whole(sessions):
    content = "line of a file\n" * 4_000

    def ask(state: State):
        call = {"name": "write", "args": {"content": content}, "id": "c1"}
        return {"messages": [AIMessage("", tool_calls=[call])]}

    def write(state: State):
        interrupt("may I?")
        given = state["messages"][-1].tool_calls[0]["args"]["content"]
        return {"messages": [ToolMessage(str(len(given)), tool_call_id="c1")]}

    built = StateGraph(State)
    built.add_node("ask", ask)
    built.add_node("write", write)
    built.add_edge(START, "ask")
    built.add_edge("ask", "write")
    graph = attach(built.compile(checkpointer=SessionSaver(sessions)))
    graph.invoke({"messages": [HumanMessage("write it")]}, CONFIG)
    graph.invoke(Command(resume="yes"), CONFIG)
    assert graph.get_state(CONFIG).values["messages"][-1].content == str(len(content))


def test_concurrent_runs_on_one_thread_lose_no_turn(sessions):
    async def talk():
        graph = attach(talker([], SessionSaver(sessions)))
        await graph.ainvoke({"messages": [HumanMessage("start", id="h")]}, CONFIG)

        async def writer(name: int):
            for turn in range(4):
                await graph.ainvoke({"messages": [HumanMessage(f"{name}-{turn}", id=f"h{name}-{turn}")]}, CONFIG)

        await asyncio.gather(*(writer(name) for name in range(4)))

    asyncio.run(talk())
    kept = [m.content for m in sessions.session("t").record() if m.role == "user"]
    assert sorted(kept) == sorted(["start", *(f"{w}-{t}" for w in range(4) for t in range(4))])


def test_a_graph_without_messages_works_as_with_any_saver(sessions):
    class Plain(TypedDict):
        count: int

    built = StateGraph(Plain)
    built.add_node("add", lambda state: {"count": state["count"] + 1})
    built.add_edge(START, "add")
    graph = built.compile(checkpointer=SessionSaver(sessions))
    graph.invoke({"count": 1}, CONFIG)
    assert graph.get_state(CONFIG).values == {"count": 2}
    assert sessions.list() == ()


def test_deleting_a_thread_deletes_the_session(sessions):
    saver = SessionSaver(sessions)
    graph = talker([], saver)
    graph.invoke({"messages": [HumanMessage("one", id="h1")]}, CONFIG)
    saver.delete_thread("t")
    assert graph.get_state(CONFIG).values == {}
    assert sessions.session("t").record(all_branches=True) == []


def contents(messages) -> list[str]:
    return [str(m.content)[:12] for m in messages]


def long_talk(graph, turns: int = 30) -> None:
    for turn in range(turns):
        graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)


def both(sessions, **how):
    return talker([], SessionSaver(sessions), **how), talker([], InMemorySaver(), **how)


def test_a_system_message_in_the_middle_keeps_its_place(sessions):
    ours, theirs = both(sessions, strict=False)
    for graph in (ours, theirs):
        graph.invoke({"messages": [HumanMessage("one", id="h1")]}, CONFIG)
        graph.invoke({"messages": [SystemMessage("be brief", id="s"), HumanMessage("two", id="h2")]}, CONFIG)
        graph.invoke({"messages": [HumanMessage("three", id="h3")]}, CONFIG)
    kept = [graph.get_state(CONFIG).values["messages"] for graph in (ours, theirs)]
    assert contents(kept[0]) == contents(kept[1])


def test_update_state_knows_what_a_chain_wrote(sessions):
    graph = talker([], SessionSaver(sessions))
    graph.invoke({"messages": [HumanMessage("one", id="h1")]}, CONFIG)
    sessions.session("t").append({"role": "user", "content": "from a chain"})
    graph.update_state(CONFIG, {"messages": [HumanMessage("two", id="h2")]}, as_node="tools")
    assert [m.content for m in sessions.session("t").record() if m.role == "user"] == ["one", "from a chain", "two"]


def test_returning_the_view_unchanged_changes_nothing(sessions):
    graph = talker([], SessionSaver(sessions))
    long_talk(graph)
    before = contents(graph.get_state(CONFIG).values["messages"])
    shown = graph.invoke({"messages": [HumanMessage("more", id="more")]}, CONFIG)["messages"]
    graph.update_state(CONFIG, {"messages": shown}, as_node="tools")
    after = contents(graph.get_state(CONFIG).values["messages"])
    assert after[: len(before)] == before
    assert len(after) == len(before) + 4


def test_an_edit_of_a_folded_message_takes_its_place(sessions):
    ours, theirs = both(sessions)
    for graph in (ours, theirs):
        long_talk(graph)
        graph.invoke({"messages": [HumanMessage("edited", id="h1"), HumanMessage("last", id="last")]}, CONFIG)
    kept = [graph.get_state(CONFIG).values["messages"] for graph in (ours, theirs)]
    assert contents(kept[0]) == contents(kept[1])


def test_another_channel_with_shortened_messages_leaves_the_record_whole(sessions):
    class Two(State):
        llm_input: list[AnyMessage]

    def model(state: Two):
        short = [m.model_copy(update={"content": str(m.content)[:7]}) for m in state["messages"]]
        return {"llm_input": short, "messages": [AIMessage("ok")]}

    built = StateGraph(Two)
    built.add_node("model", model)
    built.add_edge(START, "model")
    graph = built.compile(checkpointer=SessionSaver(sessions))
    for turn in range(20):
        graph.invoke({"messages": [HumanMessage(f"question {turn} " * 40, id=f"h{turn}")]}, CONFIG)
    kept = graph.get_state(CONFIG).values["messages"]
    assert [m.content for m in kept if m.type == "human"] == [f"question {turn} " * 40 for turn in range(20)]
    assert sessions.session("t").expand("h1").content == "question 1 " * 40


def test_a_subgraph_that_keeps_its_own_messages_does_not_disturb_its_parent(sessions):
    child = talker([], True)
    built = StateGraph(State)
    built.add_node("child", child)
    built.add_edge(START, "child")
    graph = built.compile(checkpointer=SessionSaver(sessions))
    for turn in range(12):
        graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    kept = graph.get_state(CONFIG).values["messages"]
    assert [m.content for m in kept if m.type == "human"] == [f"question {turn}" for turn in range(12)]
