"""A graph of a model, a tool with 2 KB of output, and a node that says nothing; its messages in a list or in deltas."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypedDict

from every_store import Servers
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.channels import DeltaChannel
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import _messages_delta_reducer, add_messages
from strict_model import check_sent

from session_core import Budget, Policy, Sessions

POLICY = Policy(Budget(3_000, reply_reserve_tokens=0), folding="inline")
CONFIG: dict[str, Any] = {"configurable": {"thread_id": "t"}}
Reducer = Callable[[list[AnyMessage], Sequence[Any]], list[AnyMessage]]


def talker(
    saver: BaseCheckpointSaver[Any] | None,
    *,
    every: int | None = None,
    reducer: Reducer = _messages_delta_reducer,
    seen: list[list[AnyMessage]] | None = None,
    whole: bool = False,
    strict: bool = False,
) -> Any:
    """A turn has four messages, whose ids follow the question's. `every` updates a delta has its snapshot.

    With `whole` the model gives its whole input back, and its answer. A `strict` one refuses what providers refuse.
    """
    of_messages: Any = add_messages if every is None else DeltaChannel(reducer, snapshot_frequency=every)
    of_sizes: Any = together if every is None else DeltaChannel(updated, snapshot_frequency=every + 3)

    class State(TypedDict, total=False):
        messages: Annotated[list[AnyMessage], of_messages]
        sizes: Annotated[dict[str, int], of_sizes]
        turns: int

    def model(state: State) -> State:
        messages = state["messages"]
        if seen is not None:
            seen.append(list(messages))
        if strict:
            check_sent(messages)
        last = messages[-1]
        if isinstance(last, HumanMessage):
            call = {"name": "look", "args": {"q": last.content}, "id": f"call-{last.id}"}
            answer = AIMessage("", tool_calls=[call], id=f"ask-{last.id}")
        else:
            answer = AIMessage(f"answer to {last.id}", id=f"say-{last.id}", response_metadata={"n": 1})
        return {"messages": [*messages, answer] if whole else [answer]}

    def tools(state: State) -> State:
        call = state["messages"][-1].tool_calls[0]
        text = "".join(f"row {n}: {call['args']['q']} is {n * 37}\n" for n in range(60))
        done = ToolMessage(text, tool_call_id=call["id"], id=f"did-{call['id']}", artifact={"rows": [1, 2]})
        return {"messages": [done], "sizes": {call["id"]: len(text)}}

    graph = StateGraph(State)
    graph.add_node("model", model)
    graph.add_node("tools", tools)
    graph.add_node("count", lambda state: {"turns": state.get("turns", 0) + 1})
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model", lambda state: "tools" if state["messages"][-1].tool_calls else "count", ["tools", "count"]
    )
    graph.add_edge("tools", "model")
    graph.add_edge("count", END)
    return graph.compile(checkpointer=saver)


def together(old: dict[str, int] | None, new: dict[str, int]) -> dict[str, int]:
    return {**(old or {}), **new}


def updated(old: dict[str, int] | None, writes: Sequence[dict[str, int]]) -> dict[str, int]:
    return {name: size for part in (old or {}, *writes) for name, size in part.items()}


def ask(graph: Any, *turns: int, config: dict[str, Any] = CONFIG, **options: Any) -> None:
    """One run for each turn, whose run id is `r` and its number."""
    for turn in turns:
        named = {**config, "metadata": {"run_id": f"r{turn}"}}
        graph.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, named, **options)


def told(state: Any) -> tuple[Any, ...]:
    """What a state says."""
    values = state.values
    messages = [(m.type, m.id, m.content) for m in values.get("messages", [])]
    return messages, values.get("sizes"), values.get("turns"), state.next


def ids(messages: Sequence[Any]) -> list[str]:
    return [str(message.id) for message in messages]


def history(graph: Any, config: dict[str, Any] = CONFIG) -> list[tuple[Any, ...]]:
    """All states of the thread, the newest first."""
    return [told(state) for state in graph.get_state_history(config)]


def by_id(graph: Any, config: dict[str, Any] = CONFIG) -> dict[str, tuple[Any, ...]]:
    """All states of the thread, each with the id of its checkpoint."""
    states = graph.get_state_history(config)
    return {state.config["configurable"]["checkpoint_id"]: told(state) for state in states}


@contextmanager
def opened(servers: Servers, kind: str, folder: Path) -> Iterator[Sessions]:
    """Sessions on an empty store of a kind."""
    with servers.place(kind, folder) as place, Sessions(place.store, policy=POLICY) as made:
        yield made


def told_of(values: Any) -> list[Any]:
    """The messages of a state as a page may show them."""
    return [(m.type, m.id, m.content, m.additional_kwargs) for m in values["messages"]]
