"""Plays the demo's conversation: the agent on our saver and on LangGraph's own, and a chain that continues it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID
from warnings import catch_warnings, simplefilter

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import BaseTool, StructuredTool

from langchain_session.attached import attach
from langchain_session.conversion.marks import mark_of
from langchain_session.conversion.messages import to_core, to_core_many
from langchain_session.demo.agent import SYSTEM, agent
from langchain_session.demo.model import StandIn
from langchain_session.history import SessionChatMessageHistory
from langchain_session.in_run import RunFitter
from langchain_session.saver import SessionSaver
from session_core.demo.played import Played, Sent
from session_core.demo.tools import Folder
from session_core.errors import missing_extra
from session_core.policy import Policy
from session_core.services import Services
from session_core.sessions import Sessions
from session_core.turns import Message

MOST_STEPS = 25
"""No turn of the demo needs as many; an agent that runs in a circle ends here."""


def overhead_tokens(folder: Folder, policy: Policy) -> int:
    """What the agent puts around its messages in each model call: its system prompt and its tools."""
    return RunFitter(Services(policy)).overhead_tokens(SYSTEM, _tools(folder))


def play(sessions: Sessions, session_id: str, folder: Folder, asked: Sequence[str]) -> Iterator[Played]:
    """The agent with our saver, turn after turn; the graph is the one of `agent.py`, unchanged."""
    tools = _tools(folder)
    graph = attach(agent(StandIn(), tools, SessionSaver(sessions)))
    around = RunFitter(sessions.services).overhead_tokens(None, tools)
    for question in asked:
        heard = _Heard(sessions.services, around)
        asking = HumanMessage(question)
        messages: list[BaseMessage] = [asking]
        steps = graph.stream(
            {"messages": [asking]}, _config(session_id, heard), stream_mode="updates", durability="sync"
        )
        for step in steps:
            messages.extend(message for update in step.values() for message in update["messages"])
        yield Played(tuple(to_core_many(messages)), tuple(heard.sent))


def whole_state(sessions: Sessions, session_id: str, folder: Folder) -> list[Message]:
    """The messages that `get_state` of the agent's graph shows."""
    graph = agent(StandIn(), _tools(folder), SessionSaver(sessions))
    return to_core_many(graph.get_state({"configurable": {"thread_id": session_id}}).values["messages"])


def play_without(file: Path, folder: Folder, asked: Sequence[str]) -> Iterator[None]:
    """The same agent, script and tools with LangGraph's own saver on `file`; yields after each turn.

    Raises: MissingExtra.
    """
    try:
        from langgraph.checkpoint.sqlite import SqliteSaver
    except ModuleNotFoundError as exc:
        raise missing_extra("langgraph-checkpoint-sqlite", "demo") from exc
    with SqliteSaver.from_conn_string(str(file)) as saver:
        graph = agent(StandIn(), _tools(folder), saver)
        for question in asked:
            graph.invoke({"messages": [HumanMessage(question)]}, _config("demo"), durability="sync")
            yield


def ask_chain(sessions: Sessions, session_id: str, asked: Sequence[str]) -> Iterator[Played]:
    """A LangChain chain with `RunnableWithMessageHistory` over the same session."""
    chain = _chain(sessions)
    for question in asked:
        heard = _Heard(sessions.services, 0)
        config: RunnableConfig = {"configurable": {"session_id": session_id}, "callbacks": [heard]}
        answer = chain.invoke({"question": question}, config)
        yield Played((to_core(HumanMessage(question)), to_core(answer)), tuple(heard.sent))


def _chain(sessions: Sessions) -> RunnableWithMessageHistory:
    prompt = ChatPromptTemplate.from_messages([SYSTEM, MessagesPlaceholder("history"), ("human", "{question}")])
    with catch_warnings():
        # LangChain removes the class in 2.0; it is supported until then.
        simplefilter("ignore", DeprecationWarning)
        return RunnableWithMessageHistory(
            prompt | StandIn(),
            lambda session_id: SessionChatMessageHistory(session_id, sessions=sessions),
            input_messages_key="question",
            history_messages_key="history",
        )


class _Heard(BaseCallbackHandler):
    """Weighs what a model is sent, with `around` tokens of tools beside the messages."""

    def __init__(self, services: Services, around: int) -> None:
        self.sent: list[Sent] = []
        self._services = services
        self._around = around

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        **kwargs: Any,
    ) -> None:
        for given in messages:
            tokens = self._around + sum(self._services.measure(to_core(message)) for message in given)
            clipped = sum((mark_of(message) or {}).get("rendition") == "clip" for message in given)
            self.sent.append(Sent(tokens, clipped))


def _tools(folder: Folder) -> list[BaseTool]:
    return [StructuredTool.from_function(tool) for tool in folder.tools]


def _config(thread: str, heard: _Heard | None = None) -> RunnableConfig:
    config: RunnableConfig = {"configurable": {"thread_id": thread}, "recursion_limit": MOST_STEPS}
    if heard is not None:
        config["callbacks"] = [heard]
    return config
