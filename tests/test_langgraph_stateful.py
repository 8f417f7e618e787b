"""One thread driven any way a graph can drive it, under `SessionSaver` and LangGraph's own saver side by side."""

from __future__ import annotations

import os
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import Annotated, Any, TypedDict

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, RemoveMessage, SystemMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.types import Command, interrupt
from side_by_side import CONFIG, SMALL, called, long, result, told

from langchain_session import SessionChatMessageHistory, SessionSaver
from session_core import Sessions

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "12"))
"""How many threads are driven: the same ones in each run of the suite, others when more are asked for."""


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    script: list[dict[str, Any]]
    notes: list[AnyMessage]


class Broken(Exception):
    """What a node of the test raises."""


class Player:
    """A graph that does what the input tells it, whatever it is handed: each step of the script is one superstep."""

    def __init__(self, saver: BaseCheckpointSaver) -> None:
        self.broken = True
        self.seen: list[tuple[str, Any]] = []
        built = StateGraph(State)
        built.add_node("step", self.step)
        built.add_node("beside", self.beside)
        built.add_edge(START, "step")
        built.add_conditional_edges("step", self.ways, ["step", "beside"])
        built.add_conditional_edges("beside", self.ways, ["step", "beside"])
        self.graph = built.compile(checkpointer=saver)

    @staticmethod
    def ways(state: State) -> list[str]:
        """Both nodes at once when the next step says so, or one, or none at the end."""
        script = state.get("script") or []
        if not script:
            return []
        return ["step", "beside"] if script[0].get("beside") else ["step"]

    def step(self, state: State) -> dict[str, Any]:
        self.seen.append(("step", told(state.get("messages", []))))
        script = state.get("script") or []
        if not script:
            return {}
        now, rest = script[0], script[1:]
        if now.get("breaks") and self.broken:
            raise Broken
        if now.get("asks"):
            interrupt("go on?")
        said = now["said"]
        if now.get("whole"):
            said = [*state["messages"], *said]
        done: dict[str, Any] = {"messages": said, "script": rest}
        if now.get("notes"):
            done["notes"] = list(state["messages"][-2:])
        return done

    def beside(self, state: State) -> dict[str, Any]:
        self.seen.append(("beside", told(state.get("messages", []))))
        now = (state.get("script") or [{}])[0]
        said = now.get("beside", [])
        return {"messages": [*state["messages"], *said] if now.get("gives") else said}


class Side(RuleBasedStateMachine):
    """After each rule the conversation and its history are the same on both sides.

    While runs hold the whole record, so is what nodes see, and what runs return and stream.
    """

    @initialize(
        store=st.sampled_from(["memory", "memory", "sqlite"]),
        folding=st.sampled_from(["inline", "off"]),
        state=st.sampled_from(["view", "whole"]),
    )
    def begin(self, store: str, folding: str, state: str) -> None:
        self.folder = TemporaryDirectory()
        url = "memory://" if store == "memory" else f"sqlite:///{self.folder.name}/chat.db"
        self.sessions = Sessions(url, policy=replace(SMALL, folding=folding))
        self.state = state
        self.ours = Player(SessionSaver(self.sessions, state=state))
        self.theirs = Player(InMemorySaver())
        self.n = 0
        self.waits = False
        self.edits = 0

    def teardown(self) -> None:
        if hasattr(self, "sessions"):
            self.sessions.close()
            self.folder.cleanup()

    @rule()
    def the_other_state_is_chosen(self) -> None:
        self.state = {"view": "whole", "whole": "view"}[self.state]
        self.ours = Player(SessionSaver(self.sessions, state=self.state))

    # What people and nodes may do

    @rule(data=st.data(), steps=st.integers(1, 3), how=st.sampled_from(["sync", "async", "exit"]))
    def talks(self, data: st.DataObject, steps: int, how: str) -> None:
        changed = data.draw(st.sampled_from(["given", "said", "both", "nothing"]))
        # Each superstep has messages of its own to change: nothing is removed twice.
        kept = self.stored(CONFIG) if changed != "nothing" else []
        parts = [kept[place :: steps + 1] for place in range(steps + 1)]
        given = [self.question(data), *(data.draw(self.changes(of=parts[0])) if changed in ("given", "both") else [])]
        script = [data.draw(self.steps(of=part if changed in ("said", "both") else None)) for part in parts[1:]]
        self.both(lambda graph: streamed(graph, {"messages": given, "script": script}, CONFIG, durability=how))

    @precondition(lambda self: self.waits)
    @rule()
    def goes_on(self) -> None:
        self.ours.broken = self.theirs.broken = False
        task = [bool(side.graph.get_state(CONFIG).interrupts) for side in (self.ours, self.theirs)]
        assert task[0] == task[1]
        self.both(lambda graph: streamed(graph, Command(resume="yes") if task[0] else None, CONFIG))

    @rule(data=st.data())
    def people_edit(self, data: st.DataObject) -> None:
        changes = data.draw(self.changes(least=1))
        self.both(lambda graph: graph.update_state(CONFIG, {"messages": changes}, as_node="step"))

    @rule(data=st.data(), at=st.integers(0, 30), update=st.booleans())
    def goes_back(self, data: st.DataObject, at: int, update: bool) -> None:
        history = [list(side.graph.get_state_history(CONFIG)) for side in (self.ours, self.theirs)]
        assert len(history[0]) == len(history[1])
        if not history[1]:
            return
        at = at % len(history[1])
        configs = [found[at].config for found in history]
        kept = self.stored(configs[1])
        if update:
            changes = data.draw(self.changes(least=1, of=kept))
            self.each(
                lambda side, config: side.graph.update_state(config, {"messages": changes}, as_node="step"), configs
            )
        else:
            given = {"messages": [self.question(data)], "script": [data.draw(self.steps())]}
            self.each(lambda side, config: streamed(side.graph, given, config), configs)

    @rule(at=st.integers(0, 30))
    def is_replayed(self, at: int) -> None:
        history = [list(side.graph.get_state_history(CONFIG)) for side in (self.ours, self.theirs)]
        if not history[1]:
            return
        at = at % len(history[1])
        configs = [found[at].config for found in history]
        self.each(lambda side, config: streamed(side.graph, None, config), configs)

    # What is said

    def question(self, data: st.DataObject) -> BaseMessage:
        self.n += 1
        if data.draw(st.integers(0, 9)) == 0:
            return SystemMessage(long(f"rule {self.n}", 20), id=f"i{self.n}")
        return HumanMessage(long(f"question {self.n}", data.draw(st.sampled_from([6, 60, 200]))), id=f"h{self.n}")

    def steps(self, *, of: list[BaseMessage] | None = None) -> st.SearchStrategy[dict[str, Any]]:
        """One superstep: what is said, or what of `of` is changed, and whether it breaks, asks, gives its whole input
        back or has a sibling."""

        @st.composite
        def make(draw: st.DrawFn) -> dict[str, Any]:
            self.n += 1
            n = self.n
            kind = "changes" if of is not None else draw(st.sampled_from(["says", "calls", "dangles", "clears"]))
            said: list[BaseMessage] = {
                "says": [AIMessage(long(f"answer {n}", draw(st.sampled_from([6, 60]))), id=f"a{n}")],
                "calls": [called(n, 2), result(n, 1), result(n, 0), AIMessage("done", id=f"a{n}")],
                "dangles": [called(n)],
                "clears": [RemoveMessage(REMOVE_ALL_MESSAGES), AIMessage(long(f"summary {n}", 20), id=f"a{n}")],
                "changes": draw(self.changes(of=of)) if of is not None else [],
            }[kind]
            step: dict[str, Any] = {"said": said}
            flag = draw(st.sampled_from(["", "", "", "breaks", "asks", "whole", "notes", "beside"]))
            if flag == "beside":
                gives = kind not in ("clears", "changes") and draw(st.booleans())
                step |= {"beside": [AIMessage(f"aside {n}", id=f"ab{n}")], "asks": True, "gives": gives}
            elif flag and not (flag == "whole" and kind in ("clears", "changes")):
                step[flag] = True
            return step

        return make()

    @st.composite
    @staticmethod
    def _changes(draw: st.DrawFn, self: Side, least: int, of: list[BaseMessage] | None) -> list[BaseMessage]:
        kept = of if of is not None else self.stored(CONFIG)
        changes: list[BaseMessage] = []
        for message in draw(st.lists(st.sampled_from(kept), max_size=3, unique_by=id)) if kept else []:
            self.edits += 1
            removed = draw(st.booleans())
            edited = message.model_copy(update={"content": f"edited {self.edits}"})
            changes.append(RemoveMessage(message.id or "") if removed else edited)
        if len(changes) < least or draw(st.booleans()):
            self.n += 1
            changes.append(HumanMessage(f"more {self.n}", id=f"h{self.n}"))
        return changes

    def changes(self, least: int = 0, of: list[BaseMessage] | None = None) -> st.SearchStrategy[list[BaseMessage]]:
        """Messages of the whole record that are edited or removed, those that no view shows too, and a new one."""
        return Side._changes(self, least, of)

    def stored(self, config: Any) -> list[BaseMessage]:
        """What stands in a checkpoint; `get_state` shows what siblings of a waiting task have said, too."""
        found = self.theirs.graph.checkpointer.get_tuple(config)
        return found.checkpoint["channel_values"].get("messages", []) if found else []

    # Both sides

    def both(self, act: Any) -> None:
        self.each(lambda side, _: act(side.graph), [None, None])

    def each(self, act: Any, configs: list[Any]) -> None:
        ended, came, seen = [], [], []
        for side, config in zip((self.ours, self.theirs), configs, strict=True):
            side.seen.clear()
            try:
                came.append(act(side, config))
                ended.append("")
            except (Broken, ValueError) as exc:
                ended.append(type(exc).__name__)
            seen.append(sorted(side.seen, key=str))
        assert ended[0] == ended[1], ended
        if self.state == "whole":
            assert seen[0] == seen[1]
            if isinstance(came[0] if came else None, list):
                assert came[0] == came[1]
        self.waits = bool(self.theirs.graph.get_state(CONFIG).next)
        self.ours.broken = self.theirs.broken = True

    @invariant()
    def the_record_is_the_same(self) -> None:
        if not hasattr(self, "sessions"):
            return
        ours, theirs = self.ours.graph.get_state(CONFIG), self.theirs.graph.get_state(CONFIG)
        assert ids_in(ours) == ids_in(theirs)
        assert said_in(ours) == said_in(theirs)
        assert ours.next == theirs.next
        history = [list(side.graph.get_state_history(CONFIG)) for side in (self.ours, self.theirs)]
        assert [ids_in(found) for found in history[0]] == [ids_in(found) for found in history[1]]
        assert [said_in(found) for found in history[0]] == [said_in(found) for found in history[1]]
        if not self.waits:
            assert told(SessionChatMessageHistory("t", sessions=self.sessions).record()) == said_in(theirs)


def streamed(graph: Any, given: Any, config: Any, **how: Any) -> list[Any]:
    """The messages of each `values` event of a run."""
    return [told(values.get("messages", [])) for values in graph.stream(given, config, stream_mode="values", **how)]


def ids_in(found: Any) -> list[Any]:
    return [message.id for message in found.values.get("messages", [])]


def said_in(found: Any) -> list[Any]:
    return told(found.values.get("messages", []))


Side.TestCase.settings = settings(
    max_examples=EXAMPLES,
    derandomize="STATEFUL_EXAMPLES" not in os.environ,
    stateful_step_count=20,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
TestOneThreadOnBothSides = pytest.mark.timeout(0)(Side.TestCase)
