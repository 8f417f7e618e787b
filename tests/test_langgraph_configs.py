"""The configs of `SessionSaver`: in snapshots, histories and streams nothing of ours is to be seen."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from edge_case_stores import CornerCase
from langchain_core.messages import AIMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from langgraph.pregel import Pregel
from langgraph.types import Command, interrupt
from side_by_side import CONFIG, State, Thread, player, said, talked, told, user

from langchain_session import SessionSaver
from session_core import Sessions

NAMES = ["checkpoint_id", "checkpoint_ns", "thread_id"]


async def streamed(thread: Thread, given: Any, config: dict[str, Any]) -> list[dict[str, Any]]:
    """The configs of a run's checkpoints, as its stream tells them."""
    if thread.awaiting:
        parts = [part async for part in thread.graph.astream(given, config, stream_mode="checkpoints")]
    else:
        parts = list(thread.graph.stream(given, config, stream_mode="checkpoints"))
    return [part["config"] for part in parts]


def test_a_snapshot_has_the_config_that_it_has_in_the_history_and_in_a_stream(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        early = await thread.at(8)
        forked = await thread.update({"messages": [user(20)]}, early, "step")
        stream = await streamed(thread, {"messages": [user(21)], "say": [said(21)]}, forked)
        history = await thread.history()
        now = await thread.state()
        named = await thread.state(history[1].config)
        assert [now.config, named.config] == [found.config for found in history[:2]]
        assert all(config in [found.config for found in history] for config in [early, forked, *stream])
        return [sorted(config["configurable"]) for config in (now.config, named.config, early, forked, *stream)]

    assert all(names == NAMES for names in corner.same(player, script))


def test_streamed_configs_of_serialized_runs_contain_no_turn(corner: CornerCase) -> None:
    async def play(thread: Thread) -> Any:
        thread.graph.checkpointer = SessionSaver(thread.sessions, concurrency="serialize")
        return [await streamed(thread, {"messages": [user(n)], "say": [said(n)]}, CONFIG) for n in range(2)]

    for configs in corner.ours(player, play):
        assert configs
        assert all(sorted(config["configurable"]) == NAMES for config in configs)


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it)), lambda it: json.loads(json.dumps(it))]
)
def test_a_copied_snapshot_config_is_plain_data_and_works(again: Any) -> None:
    with Sessions("memory://") as sessions:
        graph = player(SessionSaver(sessions))
        for n in range(3):
            graph.invoke({"messages": [user(n)], "say": [said(n)]}, CONFIG)
        early = next(s for s in graph.get_state_history(CONFIG) if len(s.values["messages"]) == 4 and not s.next)
        config = again(graph.get_state(early.config).config)
        assert config == early.config
        assert type(config["configurable"]["thread_id"]) is str
        graph.invoke({"messages": [user(9)], "say": [said(9)]}, config)
        assert [m.id for m in sessions.session("t").record()] == ["h0", "a0", "h1", "a1", "h9", "a9"]


def nested(saver: BaseCheckpointSaver) -> Pregel:
    """A graph that asks first, then has a graph that keeps its messages speak."""

    def turn(state: State) -> str:
        return next(message.id for message in reversed(state["messages"]) if message.type == "human")

    inner = StateGraph(State)
    inner.add_node("speak", lambda state: {"messages": [AIMessage("spoken", id=f"a{turn(state)}")]})
    inner.add_edge(START, "speak")
    built = StateGraph(State)
    built.add_node("ask", lambda state: {"messages": [AIMessage(interrupt("may I?"), id=f"ai{turn(state)}")]})
    built.add_node("below", inner.compile(checkpointer=True))
    built.add_edge(START, "ask")
    built.add_edge("ask", "below")
    return built.compile(checkpointer=saver)


def test_a_run_with_a_snapshot_config_does_not_change_its_subgraphs_record(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        for n in range(3):
            await thread.run({"messages": [user(n)]})
            waiting = await thread.state()
            await thread.run(Command(resume="yes"), waiting.config)
        now = await thread.state()
        below = await thread.state({"configurable": {**CONFIG["configurable"], "checkpoint_ns": "below"}})
        return [told(found.values["messages"]) for found in (now, below, *await thread.history()) if found.values]

    corner.same(nested, script)


def test_deleting_a_thread_frees_the_notes_in_its_configs(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        config = (await thread.state()).config
        saver: Any = thread.graph.checkpointer
        await saver.adelete_thread("t") if thread.awaiting else saver.delete_thread("t")
        name = config["configurable"]["thread_id"]
        for n in (30, 31):
            await thread.run({"messages": [user(n)], "say": [said(n)]}, {"configurable": {"thread_id": name}})
        return told((await thread.state()).values["messages"])

    assert len(corner.same(player, script)) == 4
