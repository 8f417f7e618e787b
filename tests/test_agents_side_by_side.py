"""Agents with people in the loop: the same threads as under InMemorySaver, with a newly opened saver for each run.

Answers for each call and subagents that fork are newer than the oldest supported versions, so `test-floors` lacks this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from deepagents import create_deep_agent
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from scripted_chat import ScriptedChat

from langchain_session import SessionMiddleware, SessionSaver
from session_core import Budget, Policy, Sessions

POLICY = Policy(Budget(12_000, reply_reserve_tokens=0), folding="inline")
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}, "recursion_limit": 200}
TURNS = 4
Agent = Any
pytestmark = pytest.mark.filterwarnings("ignore:The feature `forked subagents` is in beta")
Build = Callable[[BaseCheckpointSaver[Any]], Agent]
Opened = Callable[[], Any]


@tool
def send(to: str) -> str:
    """Send an e-mail."""
    return f"sent to {to}: " + " ".join(f"{to}-{n}" for n in range(900))


DECISIONS: list[dict[str, Any]] = [
    {"type": "approve"},
    {"type": "edit", "edited_action": {"name": "send", "args": {"to": "another"}}},
    {"type": "reject", "message": "not him"},
    {"type": "respond", "message": "I called her"},
]


def calls(turn: int) -> AIMessage:
    asked = [{"name": "send", "args": {"to": f"p{turn}.{n}"}, "id": f"c{turn}.{n}"} for n in range(len(DECISIONS))]
    return AIMessage("", id=f"ask{turn}", tool_calls=asked)


def own(saver: BaseCheckpointSaver[Any]) -> list[AgentMiddleware[Any, Any]]:
    return [SessionMiddleware(saver)] if isinstance(saver, SessionSaver) else []


def mailer(mode: Any) -> Build:
    """An agent that sends four e-mails in each turn; a person decides on each of them."""
    model = ScriptedChat(script=lambda n, _: calls(n) if n % 2 else AIMessage(f"done {n}", id=f"say{n}"))

    def build(saver: BaseCheckpointSaver[Any]) -> Agent:
        asks = HumanInTheLoopMiddleware(interrupt_on={"send": True}, interrupt_mode=mode)
        return create_agent(model, [send], middleware=[asks, *own(saver)], checkpointer=saver)

    return build


def delegating() -> Build:
    """A deep agent with a subagent that continues its conversation and asks a person before it sends."""

    def lead(n: int, _: Any) -> AIMessage:
        task = {"name": "task", "args": {"description": f"send {n}", "subagent_type": "mailer"}, "id": f"t{n}"}
        return AIMessage("", id=f"lead{n}", tool_calls=[task]) if n % 2 else AIMessage(f"done {n}", id=f"say{n}")

    leader = ScriptedChat(script=lead)
    sender = ScriptedChat(script=lambda n, _: calls(n) if n % 2 else AIMessage(f"sent {n}", id=f"sub{n}"))

    def build(saver: BaseCheckpointSaver[Any]) -> Agent:
        sub: Any = {
            "name": "mailer",
            "description": "Sends.",
            "mode": "fork",
            "model": sender,
            "tools": [send],
            "interrupt_on": {"send": True},
            "middleware": own(saver),
        }
        made = {"subagents": [sub], "middleware": own(saver), "system_prompt": "You lead."}
        return create_deep_agent(leader, [send], checkpointer=saver, **made)

    return build


AGENTS = {
    "one-answer-for-all": lambda: mailer("batched"),
    "an-answer-for-each": lambda: mailer("per_call"),
    "a-subagent-that-forks": delegating,
}


def decisions(waits: Any) -> Any:
    """The answers to all that waits; for a single interrupt without its id."""
    if len(waits) == 1:
        return {"decisions": DECISIONS}
    by_call = {f"{n}": decision for n, decision in enumerate(DECISIONS)}
    return {one.id: by_call[one.value["tool_call_id"].partition(".")[2]] for one in waits}


async def talk(opened: Opened, voice: str) -> list[Any]:
    """What the thread says in its whole history; each run gets its agent from `opened`."""

    async def run(given: Any) -> None:
        with opened() as agent:
            await agent.ainvoke(given, CONFIG) if voice == "awaiting" else agent.invoke(given, CONFIG)

    for turn in range(TURNS):
        await run({"messages": [HumanMessage(f"turn {turn}", id=f"h{turn}")]})
        with opened() as agent:
            waits = agent.get_state(CONFIG).interrupts
        assert waits
        await run(Command(resume=decisions(waits)))
    with opened() as agent:
        return [(said(found), found.next, interrupts(found)) for found in agent.get_state_history(CONFIG)]


def said(found: Any) -> list[Any]:
    messages = found.values.get("messages", [])
    return [(m.type, m.content, getattr(m, "status", None), getattr(m, "tool_call_id", m.id)) for m in messages]


def interrupts(found: Any) -> list[str]:
    return sorted(str(one.value) for one in found.interrupts)


@pytest.mark.parametrize("state", ["view", "whole"])
@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_a_thread_is_the_same_if_each_answer_comes_in_a_new_process(
    agent: Callable[[], Build], voice: str, state: Any, tmp_path: Path
) -> None:
    here, there = agent(), agent()(InMemorySaver())

    @contextmanager
    def ours() -> Iterator[Agent]:
        with Sessions(f"sqlite:///{tmp_path}/chat.db", policy=POLICY) as sessions:
            yield here(SessionSaver(sessions, state=state))

    @contextmanager
    def theirs() -> Iterator[Agent]:
        yield there

    assert asyncio.run(talk(ours, voice)) == asyncio.run(talk(theirs, voice))
