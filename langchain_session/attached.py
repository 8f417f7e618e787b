"""`attach`: in-run compression for a graph that somebody else compiled, without a change to its nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from langchain_core.messages import BaseMessage
from langgraph.pregel import Pregel

from langchain_session.channels import is_message_list
from langchain_session.inrun import Squeeze
from langchain_session.saver import SessionSaver
from session_core import Policy
from session_core.errors import ConfigError
from session_core.workshop import Workshop

Graph = TypeVar("Graph", bound=Pregel[Any, Any, Any, Any])


class Fitting:
    """What a node reads, with its messages made to fit; the state behind it stays raw."""

    def __init__(self, squeeze: Squeeze, channel: str, then: Callable[[Any], Any] | None) -> None:
        self._squeeze = squeeze
        self._channel = channel
        self._then = then

    def __call__(self, value: Any) -> Any:
        fitted = self._fitted(value)
        return self._then(fitted) if self._then is not None else fitted

    def _fitted(self, value: Any) -> Any:
        said: Any = value.get(self._channel) if isinstance(value, dict) else value
        if not is_message_list(said) or _waits(said):
            return value
        fitted = self._squeeze(said)
        return {**value, self._channel: fitted} if isinstance(value, dict) else fitted


def _waits(messages: list[BaseMessage]) -> bool:
    """Whether calls wait for their results: the node that makes them must get their arguments whole."""
    return bool(getattr(messages[-1], "tool_calls", None))


def attach(graph: Graph, *, policy: Policy | None = None, channel: str = "messages") -> Graph:
    """A copy of `graph` whose nodes are handed messages that fit the budget, at every step of a run.

    The state and the checkpoints keep whole what the run adds. The policy is that
    of the graph's `SessionSaver` unless one is given. Attaching twice is attaching once. Inputs that
    a `Send` carries go to their node as they are, and so does a list that ends with calls to be made.
    Raises: ConfigError when there is neither a SessionSaver nor a policy.
    """
    saver = graph.checkpointer
    if policy is not None:
        shop = Workshop(policy)
    elif isinstance(saver, SessionSaver):
        shop = saver.sessions.workshop
    else:
        raise ConfigError(
            "attach(graph) takes its policy from the graph's SessionSaver; compile the graph with one, "
            "or pass attach(graph, policy=Policy(...))"
        )
    nodes = dict(graph.nodes)
    for name, node in nodes.items():
        reads = node.channels if isinstance(node.channels, list) else [node.channels]
        if channel not in reads and "__root__" not in reads:
            continue
        if not isinstance(node.mapper, Fitting):
            nodes[name] = node.copy({"mapper": Fitting(Squeeze(shop), channel, node.mapper)})
    attached = graph.copy()
    attached.nodes = nodes
    return attached
