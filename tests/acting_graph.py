"""A graph whose first step does what its message says: it fails, stops, asks or goes on."""

from typing import Annotated, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.types import interrupt

from session_core import Budget, Policy

POLICY = Policy(Budget(8_000, reply_reserve_tokens=0), folding="inline")


CONFIG = {"configurable": {"thread_id": "t"}}


class State(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]


def graph_of(saver, **compiled):
    """Two steps; the first does what the message says."""

    def act(state: State):
        said = state["messages"][-1].content
        if said == "fail":
            raise ValueError("as asked")
        if said == "stop":
            raise KeyboardInterrupt
        if said == "ask":
            return {"messages": [AIMessage(str(interrupt("may I?")))]}
        return {"messages": [AIMessage("acted")]}

    built = StateGraph(State)
    built.add_sequence([("act", act), ("end", lambda state: {"messages": [AIMessage("ended")]})])
    built.add_edge(START, "act")
    return built.compile(checkpointer=saver, **compiled)


def said(text: str):
    return {"messages": [HumanMessage(text)]}


def contents(sessions) -> list[str]:
    return [m.content for m in sessions.session("t").record()]
