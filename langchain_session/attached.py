"""`attach`: compression within a run, for any compiled graph, without changes to its nodes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.graph import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel
from langgraph.pregel.protocol import PregelProtocol

from langchain_session.checkpointing.whole_state import Seen, handouts
from langchain_session.graph_state.channels import is_message_list
from langchain_session.in_run import Fit, RunFitter
from langchain_session.output_mapping import OutputMapping, messages_under, put
from langchain_session.question_quotes import QuestionQuotes
from langchain_session.saver import SessionSaver
from session_core import Policy
from session_core.errors import ConfigError
from session_core.services import Services

Graph = TypeVar("Graph", bound=Pregel[Any, Any, Any, Any])


@dataclass(frozen=True, slots=True)
class NodeFitting:
    """How the nodes of one graph see messages: fitted by `squeeze`, with quotes found by `reminding`."""

    squeeze: RunFitter
    channel: str
    reminding: QuestionQuotes | None = None

    def messages_to_fit(self, value: Any) -> list[BaseMessage] | None:
        """The messages of a node's input that need fitting; None if there are none, or calls are pending."""
        found: Any = value if isinstance(value, list) else messages_under(value, self.channel)
        return found if is_message_list(found) and not _has_pending_calls(found) else None

    def fit_input(self, value: Any, seen: Seen, recalled: str) -> tuple[Any, OutputMapping]:
        """The input with messages that fit, and a mapping back for the output of the node."""
        fit: Fit = seen.through(self.squeeze.fit(seen.messages, recalled=recalled))
        messages = seen.raw
        whole = len(fit.shown) == len(messages) and all(a is b for a, b in zip(fit.shown, messages, strict=True))
        back = OutputMapping(fit, self.channel)
        if whole:
            return value, back
        return fit.shown if isinstance(value, list) else put(value, self.channel, fit.shown), back


class FittedNode(Runnable[Any, Any]):
    """Runs a node with messages that fit, and maps its output back to the messages of the state."""

    def __init__(self, bound: Runnable[Any, Any], fitting: NodeFitting) -> None:
        self.bound = bound
        self.fitting = fitting

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        return self.bound.get_name(suffix, name=name)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        said = self.fitting.messages_to_fit(input)
        if said is None:
            return self.bound.invoke(input, config, **kwargs)
        reminding, seen = self.fitting.reminding, handouts.seen(said)
        recalled = reminding.text(seen.messages, _names(config)) if reminding is not None else ""
        shown, back = self.fitting.fit_input(input, seen, recalled)
        return back(self.bound.invoke(shown, config, **kwargs))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        said = self.fitting.messages_to_fit(input)
        if said is None:
            return await self.bound.ainvoke(input, config, **kwargs)
        reminding, seen = self.fitting.reminding, handouts.seen(said)
        recalled = await reminding.atext(seen.messages, _names(config)) if reminding is not None else ""
        fitted = self.fitting.squeeze.offload(seen.messages, lambda: self.fitting.fit_input(input, seen, recalled))
        shown, back = await fitted
        return back(await self.bound.ainvoke(shown, config, **kwargs))

    # Only the complete output is mapped; streaming uses callbacks and writers.
    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:
        yield self.invoke(input, config, **kwargs)

    async def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:
        yield await self.ainvoke(input, config, **kwargs)


def attach(
    graph: Graph, *, policy: Policy | None = None, saver: SessionSaver | None = None, channel: str | None = None
) -> Graph:
    """A copy of `graph` whose nodes see messages that fit the budget, at every step of a run.

    State, checkpoints, streams and outputs stay complete: if a node returns or sends on the messages that it saw, the
    originals are used; under another key than `channel` they stay as it saw them. Inputs of a `Send` are fitted too. A
    graph that is a node is attached with it; one that is called within a node's code is not (attach it before, with the
    same `saver`). A list that ends with pending tool calls is passed unchanged, and tools see the state unchanged.

    Policy, record and `channel` are those of `saver`, or of the graph's own SessionSaver; with `policy` alone nothing
    is quoted from the record. Where the state has the whole record (`SessionSaver(state="whole")`), nodes see the
    stored digest in place of what it covers. Attaching twice has no further effect. For what a node adds to its
    messages (system prompt, tool schemas) set `Policy(overhead_tokens=...)`. Raises: ConfigError without a
    SessionSaver and a policy, if the graph is not compiled, or if its messages are under another key than `channel`.
    """
    if not isinstance(graph, Pregel):
        raise ConfigError(
            f"attach({type(graph).__name__}) is not a compiled graph; pass graph.compile(checkpointer=...)"
        )
    own = saver or graph.checkpointer
    reminding = None
    if isinstance(own, SessionSaver):
        services = own.sessions.services if policy is None else Services(policy)
        reminding = QuestionQuotes(own.sessions, own.tenant)
        channel = channel or own.channel
    elif policy is not None:
        services = Services(policy)
    else:
        raise ConfigError(
            "attach(graph) takes its policy from the graph's SessionSaver; compile the graph with one, "
            "or pass attach(graph, saver=...) or attach(graph, policy=Policy(...))"
        )
    channel = channel or "messages"
    _require_messages_under(channel, graph)
    return _fit_nodes(graph, NodeFitting(RunFitter(services), channel, reminding))


def _require_messages_under(channel: str, graph: Pregel[Any, Any, Any, Any]) -> None:
    """Raises: ConfigError if neither `graph` nor a graph in it has `channel`, and it has messages under another key."""
    if channel in graph.channels:
        return
    graphs = [graph, *(inner for _, inner in graph.get_subgraphs(recurse=True) if isinstance(inner, Pregel))]
    if any(channel in one.channels for one in graphs):
        return
    merged = (name for one in graphs for name, kept in one.channels.items() if _merges_messages(kept))
    other = next(merged, None)
    if other is not None:
        raise ConfigError(
            f"attach(graph): the graph has no state key {channel!r}, but messages under {other!r}; pass "
            f"SessionSaver(..., channel={other!r}), or without a saver attach(graph, channel={other!r}, policy=...)"
        )


def _merges_messages(kept: object) -> bool:
    return add_messages in (getattr(kept, "operator", None), getattr(kept, "reducer", None))


def _fit_nodes(graph: Graph, fitting: NodeFitting) -> Graph:
    nodes = dict(graph.nodes)
    for name, node in nodes.items():
        bound: Any = node.bound
        if isinstance(bound, Pregel):
            inner = _fit_nodes(bound, fitting)
            nodes[name] = node.copy({"bound": inner, "subgraphs": [inner]})
            continue
        reads = node.channels if isinstance(node.channels, list) else [node.channels]
        if fitting.channel not in reads and "__root__" not in reads:
            continue
        if not isinstance(bound, FittedNode | ToolNode | PregelProtocol):
            nodes[name] = node.copy({"bound": FittedNode(bound, fitting)})
    attached = graph.copy()
    attached.nodes = nodes
    return attached


def _names(config: RunnableConfig | None) -> Mapping[str, Any]:
    return config.get("configurable", {}) if config else {}


def _has_pending_calls(messages: list[BaseMessage]) -> bool:
    """Whether calls wait for their results: the node that makes them must get their arguments whole."""
    answered: set[str] = set()
    for message in reversed(messages):
        calls = getattr(message, "tool_calls", None)
        if calls:
            return not {call["id"] for call in calls} <= answered
        if message.type != "tool":
            return False
        answered.add(message.tool_call_id)  # type: ignore[attr-defined]
    return False
