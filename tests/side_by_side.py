"""One graph under two savers: what a thread is under `SessionSaver` and under LangGraph's own, told alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.pregel import Pregel

from langchain_session import SessionSaver
from session_core import Budget, Policy, Sessions
from session_core.voices import run_blocking

CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
SMALL = Policy(Budget(900, reply_reserve_tokens=0), folding="inline")
"""A window that a few of the messages of `long` fill, so that views are digests and clips."""

Build = Callable[[BaseCheckpointSaver], Pregel]


class Thread:
    """One graph on one thread, in one voice: every method awaits, the blocking voice never waits for a loop."""

    def __init__(self, graph: Pregel, voice: str, sessions: Sessions | None = None) -> None:
        self.graph = graph
        self.awaiting = voice == "awaiting"
        self.sessions = sessions

    async def run(self, given: Any, config: dict[str, Any] = CONFIG, **how: Any) -> Any:
        """One run of the graph."""
        if self.awaiting:
            return await self.graph.ainvoke(given, config, **how)
        return self.graph.invoke(given, config, **how)

    async def state(self, config: dict[str, Any] = CONFIG, **how: Any) -> Any:
        """What `get_state` gives."""
        return await self.graph.aget_state(config, **how) if self.awaiting else self.graph.get_state(config, **how)

    async def update(self, values: Any, config: dict[str, Any] = CONFIG, as_node: str | None = None) -> Any:
        """An `update_state`; the config of what it made."""
        if self.awaiting:
            return await self.graph.aupdate_state(config, values, as_node=as_node)
        return self.graph.update_state(config, values, as_node=as_node)

    async def history(self) -> list[Any]:
        """All snapshots, newest first."""
        if self.awaiting:
            return [found async for found in self.graph.aget_state_history(CONFIG)]
        return list(self.graph.get_state_history(CONFIG))

    async def at(self, count: int, *, settled: bool = True) -> dict[str, Any]:
        """The config of the newest snapshot with `count` messages, a settled one unless told otherwise."""
        for found in await self.history():
            if len(found.values.get("messages", ())) == count and bool(found.next) != settled:
                return found.config
        raise AssertionError(f"no snapshot with {count} messages")


TURNS = 4
"""How many turns `talked` takes unless told otherwise; views of `SMALL` have folded some of them by then."""

Script = Callable[[Thread], Awaitable[Any]]


def under_ours(build: Build, script: Script, url: str, voice: str, policy: Policy = SMALL) -> Any:
    """What `script` returns of the graph over sessions at `url`; the store is opened and closed in the voice."""

    async def play() -> Any:
        sessions = Sessions(url, policy=policy)
        saver = SessionSaver(sessions)
        told = await script(Thread(build(saver), voice, sessions))
        if voice == "awaiting":
            await saver.aclose()
        else:
            saver.close()
        return told

    return asyncio.run(play()) if voice == "awaiting" else run_blocking(play())


def under_theirs(build: Build, script: Script, voice: str) -> Any:
    """What `script` returns of the same graph under InMemorySaver."""

    async def play() -> Any:
        return await script(Thread(build(InMemorySaver()), voice))

    return asyncio.run(play()) if voice == "awaiting" else run_blocking(play())


def told(messages: Sequence[BaseMessage]) -> list[tuple[Any, ...]]:
    """What messages say, without ids that are made by chance."""
    return [
        (
            message.type,
            message.content if isinstance(message.content, str) else str(message.content),
            message.id if (message.id or "")[:1] in "hait" and len(message.id or "") < 12 else None,
            [(call["name"], str(call["args"]), call["id"]) for call in getattr(message, "tool_calls", ())],
            getattr(message, "tool_call_id", None),
            message.additional_kwargs,
        )
        for message in messages
    ]


def long(text: str, words: int = 60) -> str:
    """`text` and about as many tokens as `words` behind it."""
    return f"{text}: " + " ".join(f"{text}-{n}" for n in range(words // 3))


def user(n: int, text: str | None = None) -> HumanMessage:
    return HumanMessage(long(f"question {n}") if text is None else text, id=f"h{n}")


def said(n: int, text: str | None = None) -> AIMessage:
    return AIMessage(long(f"answer {n}") if text is None else text, id=f"a{n}")


def called(n: int, calls: int = 1) -> AIMessage:
    asked = [{"name": "look", "args": {"n": n}, "id": f"c{n}.{i}"} for i in range(calls)]
    return AIMessage("", id=f"ac{n}", tool_calls=asked)


def result(n: int, i: int = 0, text: str | None = None) -> ToolMessage:
    rows = "".join(f"row {k}: {n} is {k * 37}\n" for k in range(60)) if text is None else text
    return ToolMessage(rows, tool_call_id=f"c{n}.{i}", id=f"t{n}.{i}")


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    say: list[Any]


def player(saver: BaseCheckpointSaver, schema: type = State, acts: Any = (), **others: Any) -> Pregel:
    """A graph that says what the input tells it, one item of `say` in each superstep.

    An item that is a text names one of `acts`, which makes what is said of what the node is handed.
    `others` are the node's other writes.
    """

    def step(state: Any) -> Any:
        now, *rest = read(state, "say")
        now = dict(acts)[now](read(state, "messages")) if isinstance(now, str) else now
        return {"messages": now, "say": rest} | {name: make(state) for name, make in others.items()}

    def read(state: Any, name: str) -> Any:
        return state[name] if isinstance(state, dict) else getattr(state, name)

    built = StateGraph(schema)
    built.add_node("step", step)
    built.add_edge(START, "step")
    built.add_conditional_edges("step", lambda state: ["step"] if read(state, "say") else [], ["step"])
    return built.compile(checkpointer=saver)


def acting(**acts: Any) -> Any:
    """How a `player` with these acts is built."""
    return lambda saver: player(saver, acts=acts)


def whole(seen: list[AnyMessage]) -> list[AnyMessage]:
    """All that a node is handed."""
    return seen


async def talked(thread: Thread, turns: int = TURNS) -> None:
    for n in range(turns):
        await thread.run({"messages": [user(n)], "say": [[called(n), result(n)], said(n)]})


async def all_of(thread: Thread) -> list[Any]:
    return [told((await thread.state()).values["messages"])] + [
        told(found.values.get("messages", [])) for found in await thread.history()
    ]


def ids(found: list[Any]) -> list[str]:
    return [message[2] for message in found]
