"""A graph with everything that a thread may have, and what people see of its threads."""

from __future__ import annotations

import operator
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages
from langgraph.types import Command, Send, interrupt

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    steps: Annotated[list[str], operator.add]
    drafts: list[AnyMessage]


class Whole(InMemorySaver):
    """A saver that counts versions in whole numbers, as the base class of all savers does."""

    def get_next_version(self, current, channel):
        return 1 if current is None else current + 1


def office(checkpointer):
    """A graph with a tool, workers side by side, a subgraph with memory of its own, and a question to a human."""

    def model(state: State):
        asked = state["messages"][-1]
        call = {"name": "approve", "args": {"what": asked.content}, "id": f"call-{asked.id}"}
        return {"messages": [AIMessage("", tool_calls=[call])], "steps": ["model"], "drafts": [AIMessage("no id")]}

    def work(task: dict):
        return {"steps": [f"worker {task['n']}"], "drafts": [AIMessage(f"draft {task['n']}")]}

    def approve(state: State):
        said = interrupt({"may I": state["messages"][-1].tool_calls[0]["args"]})
        return {
            "messages": [ToolMessage(said, tool_call_id=state["messages"][-1].tool_calls[0]["id"])],
            "steps": ["ok"],
        }

    def note(state: State):
        return {"messages": [HumanMessage(f"note to myself {len(state['steps'])}")], "steps": ["note"]}

    child = StateGraph(State)
    child.add_node("note", note)
    child.add_edge(START, "note")

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("work", work)
    graph.add_node("approve", approve)
    graph.add_node("child", child.compile(checkpointer=True))
    graph.add_node("answer", lambda state: {"messages": [AIMessage("done")], "steps": ["answer"]})
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", lambda _: [Send("work", {"n": 0}), "approve"], ["work", "approve"])
    graph.add_edge("approve", "child")
    graph.add_edge("child", "answer")
    graph.add_edge("answer", END)
    return graph.compile(checkpointer=checkpointer)


def played(saver, turns: int = 2):
    """A thread with finished turns, a fork, an edit, a removal, and an interrupt that waits."""
    graph = office(saver)
    for turn in range(turns):
        graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")], "steps": [], "drafts": []}, CONFIG)
        graph.invoke(Command(resume=f"yes {turn}"), CONFIG)
    early = next(s for s in graph.get_state_history(CONFIG) if not s.next and len(s.values["messages"]) < 6)
    fork = {"messages": [HumanMessage("another way", id="fork")], "steps": [], "drafts": []}
    graph.invoke(fork, early.config)
    graph.invoke(Command(resume="no"), CONFIG)
    messages = graph.get_state(CONFIG).values["messages"]
    edited = [messages[1].model_copy(update={"content": "edited"}), RemoveMessage(messages[2].id)]
    graph.update_state(CONFIG, {"messages": edited}, as_node="answer")
    turned = [RemoveMessage(REMOVE_ALL_MESSAGES), *reversed(graph.get_state(CONFIG).values["messages"])]
    graph.update_state(CONFIG, {"messages": turned}, as_node="answer")
    graph.invoke({"messages": [HumanMessage("the last", id="last")], "steps": [], "drafts": []}, CONFIG)
    return graph


def bare(config) -> tuple[str, ...] | None:
    names = config["configurable"] if config else {}
    return tuple(names.get(name) for name in ("thread_id", "checkpoint_ns", "checkpoint_id")) if config else None


def shown(snapshot) -> dict[str, Any]:
    """A state as people see it. Messages that came without an id have one of ours by now."""
    values = dict(snapshot.values)
    values["drafts"] = [message.content for message in values.get("drafts", [])]
    tasks = [
        (task.id, task.name, task.path, task.error, task.interrupts, task.state and bare(task.state), task.result)
        for task in snapshot.tasks
    ]
    return {
        "values": values,
        "next": snapshot.next,
        "config": bare(snapshot.config),
        "parent": bare(snapshot.parent_config),
        "metadata": snapshot.metadata,
        "created": snapshot.created_at,
        "tasks": [(*task[:6], None if task[6] is None else str(task[6])) for task in tasks],
        "interrupts": snapshot.interrupts,
    }


def history(graph) -> list[dict[str, Any]]:
    return [shown(snapshot) for snapshot in graph.get_state_history(CONFIG)]


def notes(graph) -> list[str]:
    """What the subgraph keeps for itself."""
    saver = graph.checkpointer
    names = {found.config["configurable"]["checkpoint_ns"] for found in saver.list(CONFIG)} - {""}
    return sorted(
        f"{name} {found.checkpoint['id']} {[m.content for m in found.checkpoint['channel_values'].get('messages', [])]}"
        for name in names
        for found in saver.list({"configurable": {"thread_id": "t", "checkpoint_ns": name}})
    )
