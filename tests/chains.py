"""Graphs that make many tool calls in one run and know nothing of sessions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from strict_model import check_sent

_runs = count(1)
"""Ids of calls are another run's in each graph, as models give them: a provider refuses one that comes twice."""


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def result_of(number: int, rows: int = 400) -> str:
    """6 KB with 400 rows, 8 KB with 540; the code stands in its first line only."""
    return f"result {number}: code C-{number:04d}\n" + f"row of table {number}\n" * rows


def chain_of_calls(
    seen: list[list[BaseMessage]],
    *,
    calls: int = 50,
    whole_input: bool = False,
    rows: int = 400,
    schema: type = State,
) -> StateGraph:
    """A graph that makes `calls` tool calls in one run and keeps in `seen` what its model was shown."""

    run = next(_runs)

    def said(state: Any) -> list[BaseMessage]:
        return state["messages"] if isinstance(state, dict) else state.messages

    def model(state: schema):  # type: ignore[valid-type]
        seen.append(list(said(state)))
        number = len(seen)
        if number > calls:
            made: list[BaseMessage] = [AIMessage("done")]
        else:
            made = [AIMessage("", tool_calls=[{"name": "f", "args": {"n": number}, "id": f"c{run}-{number}"}])]
        return {"messages": [*said(state), *made] if whole_input else made}

    def tools(state: schema):  # type: ignore[valid-type]
        call = said(state)[-1].tool_calls[0]
        return {"messages": [ToolMessage(result_of(call["args"]["n"], rows), tool_call_id=call["id"])]}

    graph = StateGraph(schema)
    graph.add_node("model", model)
    graph.add_node("tools", tools)
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", lambda state: "tools" if said(state)[-1].tool_calls else END, ["tools", END])
    graph.add_edge("tools", "model")
    return graph


def check_views(seen: Sequence[Sequence[BaseMessage]], limit: int = 8_000) -> None:
    """Every list is one that both providers take, and within the limit."""
    for messages in seen:
        check_sent(messages, max_tokens=limit)


def chain_in_state(calls: int) -> list[BaseMessage]:
    """The messages of a run of `calls` calls, each with an id."""
    said: list[BaseMessage] = [HumanMessage("go", id="h")]
    for n in range(1, calls + 1):
        said.append(AIMessage("", id=f"a{n}", tool_calls=[{"name": "f", "args": {"n": n}, "id": f"c{n}"}]))
        said.append(ToolMessage(result_of(n), id=f"t{n}", tool_call_id=f"c{n}"))
    return said
