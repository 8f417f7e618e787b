"""A graph whose only node hangs on a message that says "slow", for tests that cancel a run in the middle."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage, AnyMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def slow_graph(saver: BaseCheckpointSaver[Any], acting: asyncio.Event) -> Any:
    """The graph; `acting` is set once the node hangs."""

    async def act(state: State) -> State:
        if state["messages"][-1].content == "slow":
            acting.set()
            await asyncio.sleep(60)
        return {"messages": [AIMessage("acted")]}

    built = StateGraph(State)
    built.add_node("act", act)
    built.add_edge(START, "act")
    return built.compile(checkpointer=saver)
