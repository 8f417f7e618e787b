"""State in every corner: removals, edits, ids that are missing, other channels, other kinds of state, other doors."""

from __future__ import annotations

import dataclasses
import operator
from typing import Annotated, Any, TypedDict

import pydantic
import pytest
from edge_case_stores import CornerCase
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, SystemMessage, ToolMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.pregel import Pregel
from langgraph.types import Command
from side_by_side import (
    TURNS,
    State,
    Thread,
    acting,
    all_of,
    called,
    ids,
    long,
    player,
    result,
    said,
    talked,
    told,
    user,
    whole,
)

from session_core import Budget, Policy
from session_core.turns import Key

# What no view shows can be removed


def test_a_folded_message_is_removed_by_the_input(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        await thread.run({"messages": [RemoveMessage("h0"), user(20)], "say": [said(20), said(21)]})
        first = await all_of(thread)
        await thread.run({"messages": [user(22)], "say": [said(22)]})
        return first, await all_of(thread)

    first, second = corner.same(player, script)
    assert "h0" not in ids(first[0]) + ids(second[0])
    assert len(second[0]) == 4 * TURNS - 1 + 5


def test_folded_messages_are_removed_by_a_node_and_by_a_command(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        gone = [RemoveMessage("ac1"), RemoveMessage("t1.0"), RemoveMessage(f"h{TURNS - 1}")]
        await thread.run({"messages": [user(20)], "say": [said(20), gone, said(21)]})
        await thread.run(Command(update={"messages": [RemoveMessage("a0")]}))
        return await all_of(thread)

    now = ids(corner.same(player, script)[0])
    assert {"ac1", "t1.0", "a0", f"h{TURNS - 1}"}.isdisjoint(now)
    assert len(now) == 4 * TURNS - 4 + 3


def test_each_superstep_of_a_run_removes_folded_messages(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        shown = [RemoveMessage(f"a{TURNS - 1}"), RemoveMessage("h0")]
        later = [
            [RemoveMessage("ac0"), RemoveMessage("t0.0")],
            said(20),
            RemoveMessage("a0"),
            RemoveMessage("a20"),
            said(21),
        ]
        await thread.run({"messages": [user(20)], "say": [shown, *later]})
        await thread.run({"messages": [user(22)], "say": [said(22)]})
        return await all_of(thread)

    now = ids(corner.same(player, script)[0])
    assert {"h0", "ac0", "t0.0", "a0", "a20", f"a{TURNS - 1}"}.isdisjoint(now)
    assert len(now) == 4 * TURNS - 5 + 4


def test_a_call_that_nobody_answered_is_removed(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await thread.run({"messages": [user(0)], "say": [called(0)]})
        await thread.run({"messages": [user(1)], "say": [said(1)]})
        await thread.run({"messages": [RemoveMessage("ac0"), user(2)], "say": [said(2)]})
        return await all_of(thread)

    assert ids(corner.same(player, script)[0]) == ["h0", "h1", "a1", "h2", "a2"]


def test_what_was_removed_and_is_said_again_has_a_place_of_its_own(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        again = [RemoveMessage("h0"), HumanMessage("said otherwise", id="h0")]
        await thread.run({"messages": [*again, user(20)], "say": [RemoveMessage("h20"), [said(20), user(20)]]})
        return await all_of(thread)

    now = ids(corner.same(player, script)[0])
    assert (now[0], now[-2:]) == ("h0", ["a20", "h20"])


def test_a_system_message_of_long_ago_is_removed(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await thread.run({"messages": [SystemMessage("Be brief.", id="i0"), user(90)], "say": [said(90)]})
        await thread.run({"messages": [SystemMessage("Speak French.", id="i1")], "say": [said(91)]})
        await talked(thread)
        await thread.run({"messages": [user(20)], "say": ["drop", said(20)]})
        return await all_of(thread)

    def drop(seen: list[AnyMessage]) -> list[AnyMessage]:
        return [RemoveMessage(m.id) for m in seen if m.content == "Speak French."]

    assert [name for name in ids(corner.same(acting(drop=drop), script)[0]) if name.startswith("i")] == ["i0"]


# Edits


def test_edits_stand_where_their_messages_stood(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        edits = [HumanMessage("of a folded one", id="h0"), result(TURNS - 1, text="of a clipped one"), said(1, "again")]
        await thread.run({"messages": [user(20), *edits, user(21)], "say": [said(20), said(1, "and again")]})
        await thread.run({"messages": [user(22)], "say": [said(1)]})
        return await all_of(thread)

    now = corner.same(player, script)[0]
    assert [now[0][1], now[4 * TURNS - 2][1]] == ["of a folded one", "of a clipped one"]
    assert ids(now)[-4:] == ["h20", "h21", "a20", "h22"]
    assert len(now) == 4 * TURNS + 4


def test_an_edit_of_what_a_clip_shows_is_an_edit(corner: CornerCase) -> None:
    shown: list[AnyMessage] = []

    def shout(seen: list[AnyMessage]) -> list[AnyMessage]:
        shown.extend(m for m in seen if m.id == "t0.0")
        return [shown[-1].model_copy(update={"content": "EDITED"})]

    async def script(thread: Thread) -> Any:
        big = "".join(f"row {k}: value {k * 37}\n" for k in range(900))
        await thread.run({"messages": [user(0)], "say": [[called(0), result(0, text=big)], said(0)]})
        await thread.run({"messages": [user(20)], "say": ["shout", said(20), [result(0, text="and again")], said(21)]})
        return await all_of(thread)

    policy = Policy(Budget(4_000, reply_reserve_tokens=0), folding="inline")
    found = corner.same(acting(shout=shout), script, policy)
    assert "[clipped" in str(shown[0].content)
    assert [now[2][1] for now in found[:4]] == ["and again", "and again", "and again", "EDITED"]


def test_long_arguments_that_a_view_cuts_are_edited(corner: CornerCase) -> None:
    body = "line of a file\n" * 300

    def write(n: int, text: str) -> AIMessage:
        return AIMessage("", id=f"ac{n}", tool_calls=[{"name": "write", "args": {"text": text}, "id": f"c{n}.0"}])

    def cut(seen: list[AnyMessage]) -> list[AnyMessage]:
        (message,) = (m for m in seen if m.id == "ac1")
        assert len(str(message.tool_calls)) < len(body)
        short = [{**message.tool_calls[0], "args": {"text": "short"}}]
        return [message.model_copy(update={"tool_calls": short})]

    async def script(thread: Thread) -> Any:
        await thread.run({"messages": [user(1, "write it")], "say": [[write(1, body), result(1, text="ok")]]})
        edit = "cut" if thread.sessions is not None else [write(1, "short")]
        await thread.run({"messages": [user(2, "no, shorter")], "say": [edit, said(2, "done")]})
        return (await all_of(thread))[0]

    assert corner.same(acting(cut=cut), script)[1][3] == [("write", "{'text': 'short'}", "c1.0")]


def test_a_node_that_returns_its_whole_input_adds_nothing(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        for n in range(TURNS):
            await thread.run({"messages": [user(n)], "say": [[called(n), result(n)], "whole", said(n), "whole"]})
        return await all_of(thread)

    assert len(corner.same(acting(whole=whole), script)[0]) == 4 * TURNS


# Messages that lack something


class Added(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], operator.add]
    say: list[Any]
    drafts: list[AnyMessage]
    kept: Annotated[list[AnyMessage], operator.add]


def drafts(state: Any) -> list[AnyMessage]:
    return [HumanMessage("a draft"), AIMessage("a draft"), HumanMessage("a draft")]


def test_messages_without_ids_are_stored_once_and_have_none(corner: CornerCase) -> None:
    def build(saver: BaseCheckpointSaver) -> Pregel:
        return player(saver, Added, drafts=drafts, kept=lambda state: [AIMessage(f"note {len(state['messages'])}")])

    async def script(thread: Thread) -> Any:
        for n in range(TURNS):
            given = {"messages": [HumanMessage("ok"), HumanMessage(long(f"{n}"))], "say": [[AIMessage("yes")], []]}
            await thread.run(given)
        await thread.update({"messages": [HumanMessage("ok")]}, as_node="step")
        values = (await thread.state()).values
        if thread.sessions is not None:
            await once(thread, len(values["messages"]), 3 + len(values["kept"]))
        names = ("messages", "drafts", "kept")
        return [[(m.type, m.content, m.id) for m in values[name]] for name in names], await all_of(thread)

    (messages, _, kept), _ = corner.same(build, script)
    assert (len(messages), len(kept)) == (3 * TURNS + 1, 2 * TURNS)
    assert {name for _, _, name in messages} == {None}


async def once(thread: Thread, messages: int, beside: int) -> None:
    """Each message is one of the log, and what stands in other channels is not in it at all."""
    assert thread.sessions is not None
    store = thread.sessions.awaited if thread.awaiting else thread.sessions.store
    assert len(await store.record(Key("t"))) == messages
    assert len(await store.record(Key("t", namespace="~aside"))) <= beside


def test_a_result_without_the_id_of_a_call_is_taken(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        stray = ToolMessage("stray", tool_call_id="", id="t0")
        await thread.run({"messages": [user(0)], "say": [stray, said(0)]})
        await talked(thread)
        return await all_of(thread)

    assert corner.same(player, script)[0][1][:2] == ("tool", "stray")


# Other channels, other kinds of state


def test_other_lists_of_messages_stay_out_of_the_conversation(corner: CornerCase) -> None:
    class Two(State):
        drafts: list[AnyMessage]
        notes: Annotated[list[AnyMessage], add_messages]

    def build(saver: BaseCheckpointSaver) -> Pregel:
        note = [AIMessage("secret", id="as")]
        return player(saver, Two, drafts=lambda _: [user(0, "a short form"), result(1, text="x")], notes=lambda _: note)

    async def script(thread: Thread) -> Any:
        await talked(thread)
        values = (await thread.state()).values
        if thread.sessions is not None:
            await once(thread, 4 * TURNS, 3 + TURNS)
            session = thread.sessions.session("t")
            found = await session.asearch("secret") if thread.awaiting else session.search("secret")
            assert found == []
        return await all_of(thread), told(values["drafts"]), told(values["notes"])

    _, drafts, notes = corner.same(build, script)
    assert (ids(drafts), ids(notes)) == (["h0", "t1.0"], ["as"])


def test_what_a_node_keeps_of_its_view_comes_back_as_it_kept_it(corner: CornerCase) -> None:
    class Kept(State):
        seen: list[AnyMessage]

    def build(saver: BaseCheckpointSaver) -> Pregel:
        return player(saver, Kept, seen=lambda state: list(state["messages"]))

    async def script(thread: Thread) -> Any:
        await talked(thread)
        kept = (await thread.state()).values["seen"]
        await thread.run({"messages": [*kept, user(20)], "say": [said(20)]})
        return await all_of(thread)

    assert len(corner.same(build, script)[0]) == 4 * TURNS + 2


class Model(pydantic.BaseModel):
    messages: Annotated[list[AnyMessage], add_messages] = []
    say: list[Any] = []


@dataclasses.dataclass
class Data:
    messages: Annotated[list[AnyMessage], add_messages] = dataclasses.field(default_factory=list)
    say: list[Any] = dataclasses.field(default_factory=list)


@pytest.mark.parametrize("schema", [Model, Data])
def test_state_may_be_a_model_or_a_dataclass(corner: CornerCase, schema: type) -> None:
    def build(saver: BaseCheckpointSaver) -> Pregel:
        return player(saver, schema, {"whole": whole})

    async def script(thread: Thread) -> Any:
        await talked(thread)
        await thread.run({"messages": [RemoveMessage("h0"), user(20)], "say": ["whole", said(20)]})
        await thread.update({"messages": [user(21)]}, as_node="step")
        return await all_of(thread)

    assert len(corner.same(build, script)[0]) == 4 * TURNS + 2


class Optionally(TypedDict, total=False):
    messages: list[AnyMessage] | None
    then: list[AnyMessage] | None


def test_a_conversation_that_a_node_set_to_none_begins_anew(corner: CornerCase) -> None:
    def build(saver: BaseCheckpointSaver) -> Pregel:
        built = StateGraph(Optionally).add_node("step", lambda state: {"messages": state["then"]})
        return built.add_edge(START, "step").compile(checkpointer=saver)

    async def script(thread: Thread) -> Any:
        await thread.run({"messages": [user(1)], "then": None})
        await thread.run({"messages": [], "then": [said(2)]})
        await thread.run({"messages": [user(3)], "then": None})
        await thread.update({"messages": [user(4)]}, as_node="step")
        return [[told(found.values.get("messages") or []) for found in await thread.history()], await messages(thread)]

    async def messages(thread: Thread) -> Any:
        return told((await thread.state()).values["messages"])

    assert len(corner.same(build, script)[1]) == 1
