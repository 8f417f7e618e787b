"""A graph with a type of its own in its state, for savers with other serializers."""

from dataclasses import dataclass
from typing import Annotated, TypedDict

from langchain_core.messages import AnyMessage
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages

from langchain_session import SessionSaver


@dataclass
class Order:
    item: str


class Ordering(TypedDict):
    messages: Annotated[list[AnyMessage], add_messages]
    order: Order


def shop(saver: SessionSaver):
    built = StateGraph(Ordering)
    built.add_node("take", lambda state: {"order": Order(state["messages"][-1].content)})
    built.add_edge(START, "take")
    return built.compile(checkpointer=saver)
