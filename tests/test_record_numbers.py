"""The steps of a run name the messages that are stored by their numbers: cost, changes in place, and shared objects."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from itertools import count
from threading import Event
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, RemoveMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from side_by_side import CONFIG
from talking_graphs import ids

from langchain_session import SessionSaver
from langchain_session.graph_state.record_numbers import RecordNumbers, recorded
from session_core import Budget, Message, Policy, Sessions
from session_core.ports import MessageList
from session_core.stores.memory import MemoryStore
from session_core.turns import Key

STEPS = 40


class Given(MemoryStore):
    """Counts the messages that checkpoints bring along; the others are named by their numbers."""

    messages = 0

    async def put_checkpoint(self, checkpoint: Any, new_values: Mapping[str, Any], **how: Any) -> Any:
        lists = [value for value in new_values.values() if isinstance(value, MessageList)]
        self.messages += sum(isinstance(item, Message) for value in lists for item in value.items)
        return await super().put_checkpoint(checkpoint, new_values, **how)


def walker(saver: Any, change: Any = lambda messages: None, steps: int = STEPS) -> Any:
    """A graph whose runs have `steps` steps, each with one message; `change` may change what is there."""

    def step(state: MessagesState) -> Any:
        change(state["messages"])
        return {"messages": [AIMessage(f"step {len(state['messages'])} " + "word " * 20)]}

    def more(state: MessagesState) -> str:
        begun = max(at for at, message in enumerate(state["messages"]) if message.type == "human")
        return "step" if len(state["messages"]) - begun <= steps else END

    graph = StateGraph(MessagesState).add_node("step", step).add_edge(START, "step")
    return graph.add_conditional_edges("step", more, ["step", END]).compile(checkpointer=saver)


def words(app: Any) -> list[tuple[str, Any]]:
    return [(message.type, message.content) for message in app.get_state(CONFIG).values["messages"]]


def says(name: str) -> Any:
    return lambda state: {"messages": [AIMessage(name, id=name)]}


def in_order(saver: Any, *nodes: Any) -> Any:
    graph = StateGraph(MessagesState)
    for at, node in enumerate(nodes):
        graph.add_node(f"n{at}", node).add_edge(START if at == 0 else f"n{at - 1}", f"n{at}")
    return graph.compile(checkpointer=saver)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("state", ["view", "whole"])
def test_a_step_of_a_long_run_gives_the_store_what_is_new(state: Any, inside: bool) -> None:
    store = Given()
    policy = Policy(Budget(1_200, reply_reserve_tokens=0), folding="inline")
    with Sessions(store, policy=policy) as sessions:
        app = walker(SessionSaver(sessions, state=state, inner=InMemorySaver() if inside else None))
        for turn in range(3):
            app.invoke({"messages": [HumanMessage(f"question {turn}")]}, {**CONFIG, "recursion_limit": 1_000})
        assert len(words(app)) == 3 * (STEPS + 1)
        assert store.messages <= 3 * 3 * (STEPS + 1)


@pytest.mark.parametrize("state", ["view", "whole"])
@pytest.mark.parametrize("at", [1, 4, -1])
def test_a_message_that_a_later_step_changes_in_place_is_stored_as_it_is_then(state: Any, at: int) -> None:
    def change(messages: list[BaseMessage]) -> None:
        if len(messages) == 6:
            messages[at].content = "changed"

    with Sessions() as sessions:
        ours, theirs = walker(SessionSaver(sessions, state=state), change, 8), walker(InMemorySaver(), change, 8)
        for app in (ours, theirs):
            for turn in range(2):
                app.invoke({"messages": [HumanMessage(f"question {turn}")]}, CONFIG)
        assert words(ours) == words(theirs)


class Waiting(MemoryStore):
    """Holds back the checkpoint with the message "a" until the next node has changed it."""

    def __init__(self) -> None:
        super().__init__()
        self.given, self.changed = Event(), Event()

    async def put_checkpoint(self, checkpoint: Any, new_values: Mapping[str, Any], **how: Any) -> Any:
        lists = [value for value in new_values.values() if isinstance(value, MessageList)]
        if any(isinstance(item, Message) and item.id == "a" for value in lists for item in value.items):
            self.given.set()
            assert self.changed.wait(10)
        return await super().put_checkpoint(checkpoint, new_values, **how)


@pytest.mark.parametrize("inside", [False, True])
def test_a_message_that_is_changed_while_it_is_being_stored_is_stored_as_it_is_then(inside: bool) -> None:
    store = Waiting()

    def check(state: MessagesState) -> Any:
        assert store.given.wait(10)
        state["messages"][-1].content = "checked"
        store.changed.set()
        return {"messages": [AIMessage("b", id="b")]}

    with Sessions(store) as sessions:
        saver = SessionSaver(sessions, inner=InMemorySaver() if inside else None)
        app = in_order(saver, says("a"), check, says("c"))
        app.invoke({"messages": [HumanMessage("h", id="h")]}, CONFIG, durability="async")
        assert words(app) == [("human", "h"), ("ai", "checked"), ("ai", "b"), ("ai", "c")]


@pytest.mark.parametrize("inside", [False, True])
def test_a_copy_of_one_message_and_a_change_of_another_are_told_apart(inside: bool) -> None:
    def both(state: MessagesState) -> Any:
        *_, one, other = state["messages"]
        other.content = "changed"
        return {"messages": [one.model_copy(deep=True)]}

    with Sessions() as sessions:
        saver = SessionSaver(sessions, inner=InMemorySaver() if inside else None)
        app = in_order(saver, says("a"), says("b"), both, says("c"), says("d"))
        app.invoke({"messages": [HumanMessage("h", id="h")]}, CONFIG, durability="sync")
        assert [text for _, text in words(app)] == ["h", "a", "changed", "c", "d"]


def test_messages_that_cannot_be_compared_are_stored_all_the_same() -> None:
    def step(state: MessagesState) -> Any:
        name = f"t{len(state['messages'])}"
        return {"messages": [ToolMessage("found", tool_call_id=name, id=name, artifact=(1, 2))]}

    def built(saver: Any) -> Any:
        graph = StateGraph(MessagesState).add_node("step", step).add_edge(START, "step")
        more = lambda state: "step" if len(state["messages"]) < 6 else END  # noqa: E731
        return graph.add_conditional_edges("step", more, ["step", END]).compile(checkpointer=saver)

    with Sessions() as sessions:
        ours, theirs = built(SessionSaver(sessions)), built(InMemorySaver())
        for app in (ours, theirs):
            app.invoke({"messages": [HumanMessage("look", id="h")]}, CONFIG)
        assert [m.artifact for m in ours.get_state(CONFIG).values["messages"][1:]] == [(1, 2)] * 5
        assert ids(ours.get_state(CONFIG).values["messages"]) == ids(theirs.get_state(CONFIG).values["messages"])


def test_one_message_in_two_threads_and_again_in_a_thread_that_was_deleted() -> None:
    shared = [AIMessage(f"the same {n}", id=f"s{n}") for n in range(6)]

    def built(saver: Any) -> Any:
        graph = StateGraph(MessagesState)
        for n, message in enumerate(shared):
            graph.add_node(f"n{n}", lambda state, message=message: {"messages": [message]})
            graph.add_edge(START if n == 0 else f"n{n - 1}", f"n{n}")
        return graph.compile(checkpointer=saver)

    def told(app: Any, saver: Any) -> list[Any]:
        found = []
        for thread in ("a", "b", "a", "c"):
            config = {"configurable": {"thread_id": thread}}
            app.invoke({"messages": [HumanMessage(f"in {thread}", id=f"h{len(found)}")]}, config)
            saver.delete_thread("a" if len(found) == 1 else "unknown")
            found.append([ids(app.get_state({"configurable": {"thread_id": t}}).values["messages"]) for t in thread])
        return found

    with Sessions() as sessions:
        ours, theirs = SessionSaver(sessions), InMemorySaver()
        assert told(built(ours), ours) == told(built(theirs), theirs)


def test_one_message_in_any_number_of_threads_has_numbers_in_the_newest() -> None:
    numbers, constant = RecordNumbers(most_sessions=8), AIMessage("Welcome", id="w")
    for n in range(1_000):
        numbers.hand(Key(f"t{n}"), "born", [(constant, 1)])
    assert len(numbers) <= 8
    assert numbers.in_session(Key("t999"), "born")(constant) == 1


def test_numbers_are_kept_as_long_as_their_messages_live() -> None:
    before = len(recorded)
    with Sessions() as sessions:
        app = walker(SessionSaver(sessions))
        out = app.invoke({"messages": [HumanMessage("question")]}, {**CONFIG, "recursion_limit": 1_000})
        assert len(recorded) >= before + len(out["messages"]) - 1
        del out
    assert len(recorded) <= before


class Play:
    """A thread whose runs are interrupted, remove and edit messages, while others add turns; the same for one seed."""

    def __init__(self, seed: int, state: Any) -> None:
        self.chance, self.names = random.Random(seed), count()
        policy = Policy(Budget(self.chance.choice([400, 100_000]), reply_reserve_tokens=0), folding="inline")
        self.sessions = Sessions(policy=policy)
        graph = StateGraph(MessagesState).add_node("model", self.model).add_node("tool", self.tool)
        graph.add_edge(START, "model").add_edge("tool", "model")
        graph.add_conditional_edges("model", lambda state: "tool" if self.waits(state) else END)
        self.app = graph.compile(checkpointer=SessionSaver(self.sessions, state=state))

    @staticmethod
    def waits(state: MessagesState) -> bool:
        last = state["messages"][-1]
        return isinstance(last, AIMessage) and bool(last.tool_calls)

    def others(self) -> None:
        if self.chance.random() < 0.35:
            name = next(self.names)
            said = [Message("user", f"other {name}", id=f"o{name}"), Message("assistant", "yes", id=f"p{name}")]
            self.sessions.session("t").append(said)

    def model(self, state: MessagesState) -> Any:
        self.others()
        name = next(self.names)
        if state["messages"][-1].type != "human" and self.chance.random() < 0.4:
            return {"messages": [AIMessage("done", id=f"d{name}")]}
        text, calls = "w " * self.chance.choice([2, 60]), [{"name": "x", "args": {}, "id": f"c{name}"}]
        return {"messages": [AIMessage(text, id=f"a{name}", tool_calls=calls)]}

    def tool(self, state: MessagesState) -> Any:
        self.others()
        asking = [message for message in state["messages"] if isinstance(message, AIMessage) and message.tool_calls]
        if not asking:
            return {"messages": []}
        call = str(asking[-1].tool_calls[0]["id"])
        if int(call[1:]) % 3 == 0:
            interrupt("may I?")
        self.others()
        out: list[BaseMessage] = [ToolMessage("r " * self.chance.choice([2, 80]), tool_call_id=call, id=f"t{call}")]
        before = state["messages"][:-1]
        if before and self.chance.random() < 0.15:
            out.append(RemoveMessage(str(self.chance.choice(before).id)))
        if before and self.chance.random() < 0.25:
            text, name = self.chance.choice(["edited", "again"]), self.chance.choice([before[0].id, "h0", "h1", "h2"])
            out.append(HumanMessage(text, id=name))
        return {"messages": out}

    def told(self) -> list[Any]:
        """What a reader and a model would have after each turn."""
        found: list[Any] = []
        with self.sessions:
            for turn in range(4):
                self.app.invoke(
                    {"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG, durability="sync"
                )
                for _ in range(5):
                    if self.app.get_state(CONFIG).interrupts:
                        self.others()
                        self.app.invoke(Command(resume=True), CONFIG, durability="sync")
                view = self.sessions.session("t").view().messages
                found += [self.app.get_state(CONFIG).values["messages"], [(m.id, m.content) for m in view]]
        return found


@pytest.mark.parametrize("state", ["view", "whole"])
@pytest.mark.parametrize("seed", range(40, 58))
def test_what_is_named_by_number_is_what_would_be_stored_again(
    monkeypatch: pytest.MonkeyPatch, seed: int, state: Any
) -> None:
    named = Play(seed, state).told()
    monkeypatch.setattr(recorded, "in_session", lambda key, born: lambda message: None)
    assert named == Play(seed, state).told()


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
@pytest.mark.parametrize("state", ["view", "whole"])
def test_an_update_of_a_state_gives_the_store_what_changes(
    state: Any, voice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a conversation of more messages than one append may have can be updated too."""
    store = Given()
    with Sessions(store) as sessions:
        app = in_order(SessionSaver(sessions, state=state), says("done"))
        app.invoke({"messages": [HumanMessage(f"words {turn}") for turn in range(60)]}, CONFIG)
        store.messages = 0
        monkeypatch.setattr("session_core.admission.MAX_BATCH_MESSAGES", 20)
        _update(app, [HumanMessage("new", id="new")], voice)
        held = app.get_state(CONFIG).values["messages"]
        edited = held[7].model_copy(update={"content": "edited"})
        _update(app, [RemoveMessage(held[3].id), edited], voice)
        assert [text for _, text in words(app)] == [
            *(("edited" if turn == 7 else f"words {turn}") for turn in range(60) if turn != 3),
            *("done", "new"),
        ]
        assert store.messages == 2


def test_what_a_reader_changed_in_place_is_a_new_version() -> None:
    with Sessions() as sessions:
        app = in_order(SessionSaver(sessions), says("done"))
        app.invoke({"messages": [HumanMessage("first", id="1"), HumanMessage("second", id="2")]}, CONFIG)
        held = app.get_state(CONFIG).values["messages"]
        held[0].content = "changed"
        app.update_state(CONFIG, {"messages": held})
        assert [text for _, text in words(app)] == ["changed", "second", "done"]


def _update(app: Any, messages: list[BaseMessage], voice: str) -> None:
    if voice == "awaiting":
        asyncio.run(app.aupdate_state(CONFIG, {"messages": messages}))
    else:
        app.update_state(CONFIG, {"messages": messages})
