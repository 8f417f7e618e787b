"""One LangGraph thread, a 2 KB tool result a turn: database bytes, what a run loads, time of a turn.

Both savers run the same graph on a file of their own, turn by turn, interleaved in one process.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages

from langchain_session import SessionSaver
from langchain_session.conversion.messages import to_core
from session_core import Budget, Policy
from session_core.counting.tokens import counter_for, message_tokens

TURNS = 200
MARKS = (10, 50, 100, 200)
RESULT_BYTES = 2_048
WINDOW_TOKENS = 16_000
COUNTER = counter_for()


class State(TypedDict):
    """The state of the usual chat graph."""

    messages: Annotated[list[AnyMessage], add_messages]


class Measured:
    """One saver under the graph: what its runs saw, how long its turns took, how large its file is."""

    def __init__(self, name: str, path: Path, saver: BaseCheckpointSaver[Any]) -> None:
        self.name = name
        self.path = path
        self.loaded: list[int] = []
        self.tokens: list[int] = []
        self.turn_ms: list[float] = []
        self.graph = chat_graph(self.loaded, self.tokens, saver)
        self.config: Any = {"configurable": {"thread_id": "t"}}

    def turn(self, number: int) -> None:
        """One turn of the conversation."""
        began = time.perf_counter()
        self.graph.invoke({"messages": [HumanMessage(f"question {number}", id=f"h{number}")]}, self.config)
        self.turn_ms.append((time.perf_counter() - began) * 1e3)

    def bytes(self) -> int:
        """The database's size, its journal folded in."""
        with sqlite3.connect(self.path) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
        return self.path.stat().st_size

    def messages(self) -> int:
        """How many messages `get_state` shows."""
        return len(self.graph.get_state(self.config).values["messages"])


def chat_graph(loaded: list[int], tokens: list[int], saver: BaseCheckpointSaver[Any]) -> Any:
    """The usual chat graph over `saver`; its runs note how many messages they began with, and their tokens."""

    def model(state: State) -> dict[str, Any]:
        last = state["messages"][-1]
        if isinstance(last, HumanMessage):
            loaded.append(len(state["messages"]))
            tokens.append(sum(message_tokens(to_core(message), COUNTER) for message in state["messages"]))
            call = {"name": "look", "args": {"q": last.content}, "id": f"call-{last.id}"}
            return {"messages": [AIMessage("", tool_calls=[call])]}
        return {"messages": [AIMessage(f"the answer to it, in a few words, by {last.id}")]}

    def tools(state: State) -> dict[str, Any]:
        call = state["messages"][-1].tool_calls[0]
        rnd = random.Random(call["id"])
        text = " ".join(f"{rnd.getrandbits(40):x}" for _ in range(RESULT_BYTES))[:RESULT_BYTES]
        return {"messages": [ToolMessage(text, tool_call_id=call["id"])]}

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("tools", tools)
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", lambda s: "tools" if s["messages"][-1].tool_calls else END, ["tools", END])
    graph.add_edge("tools", "model")
    return graph.compile(checkpointer=saver)


def main() -> None:
    """Run both savers side by side and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        ours_path, theirs_path = Path(folder, "ours.db"), Path(folder, "theirs.db")
        policy = Policy(Budget(WINDOW_TOKENS))
        with (
            SessionSaver.from_conn_string(f"sqlite:///{ours_path}", policy=policy) as ours,
            SqliteSaver.from_conn_string(str(theirs_path)) as theirs,
        ):
            _run([Measured("SessionSaver", ours_path, ours), Measured("SqliteSaver", theirs_path, theirs)])


def _run(rows: list[Measured]) -> None:
    print(f"{TURNS} turns, {RESULT_BYTES} bytes a tool result, window {WINDOW_TOKENS:,} tokens")
    print(f"{'turns':>6} {'SessionSaver MB':>16} {'SqliteSaver MB':>15} {'ratio':>7}")
    for number in range(1, TURNS + 1):
        for row in rows:
            row.turn(number)
        if number in MARKS:
            ours, theirs = (row.bytes() for row in rows)
            print(f"{number:>6} {ours / 1e6:>16.2f} {theirs / 1e6:>15.2f} {theirs / ours:>7.1f}")
    for row in rows:
        first, last = (statistics.median(part) for part in (row.turn_ms[5:15], row.turn_ms[-10:]))
        print(
            f"{row.name}: {row.messages()} messages in get_state; a run starts with at most {max(row.loaded)} of them"
        )
        print(f"    ({max(row.tokens):,} tokens); a turn takes {first:.0f} ms around turn 10, {last:.0f} ms at the end")
