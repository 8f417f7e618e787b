"""`recall_tool`: a tool with which an agent retrieves messages that its view shortens or omits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool

from langchain_session.conversion.marks import mark_of, text_of
from langchain_session.conversion.messages import to_core
from langchain_session.graph_state.channels import is_message_list
from langchain_session.graph_state.threads import READ
from langchain_session.saver import SessionSaver
from session_core import Message, Session, Sessions
from session_core.errors import ConfigError, NotFound
from session_core.recall.recalling import TOOL_DESCRIPTION, TOOL_NAME, is_recalled, page_text, results_text
from session_core.retrieval.retrieve import rank, terms
from session_core.services import Services

MAX_HITS = 5


def recall_tool(source: SessionSaver | Sessions, *, tenant: str = "default", channel: str | None = None) -> BaseTool:
    """A tool named "recall" over the session of the running thread, sync and async.

    With `reference` (from a clip) it returns that message whole; a long one in pages of at most a quarter of the
    budget, with the `offset` of the next page. With `query` it returns up to five matching messages of the whole
    conversation, of long ones the relevant part. Messages of the current run are found too, whether or not they are
    stored yet. Results are not clipped again; they are folded like other messages when they are old, and references
    stay valid as long as the record. If the config names a tenant (as for `with_session`), that tenant is used.
    """
    sessions = source.sessions if isinstance(source, SessionSaver) else source
    if not isinstance(sessions, Sessions):
        raise ConfigError(f"recall_tool({type(source).__name__}); pass the agent's SessionSaver, or a Sessions")
    whose = source.tenant if isinstance(source, SessionSaver) else tenant
    key = channel or (source.channel if isinstance(source, SessionSaver) else "messages")

    def run_of(config: RunnableConfig) -> _RecallContext:
        names = config.get("configurable", {})
        name = names.get("thread_id") or names.get("session_id")
        session = sessions.session(str(name), tenant=str(names.get("tenant") or whose)) if name else None
        return _RecallContext(_state_of(config, key), session, sessions.services)

    def recall(config: RunnableConfig, query: str = "", reference: str = "", offset: int = 0) -> str:
        run = run_of(config)
        if not reference:
            stored = run.session.search(query, max_hits=MAX_HITS) if run.session else []
            return run.found(query, stored)
        try:
            message = run.live(reference) or (run.session.expand(reference) if run.session else None)
        except NotFound as exc:
            return str(exc)
        return run.page(message, reference, offset)

    async def arecall(config: RunnableConfig, query: str = "", reference: str = "", offset: int = 0) -> str:
        run = run_of(config)
        if not reference:
            stored = await run.session.asearch(query, max_hits=MAX_HITS) if run.session else []
            return run.found(query, stored)
        try:
            message = run.live(reference) or (await run.session.aexpand(reference) if run.session else None)
        except NotFound as exc:
            return str(exc)
        return run.page(message, reference, offset)

    return StructuredTool.from_function(func=recall, coroutine=arecall, name=TOOL_NAME, description=TOOL_DESCRIPTION)


@dataclass(frozen=True, slots=True)
class _RecallContext:
    """The state of the run that calls the tool, the session of its thread, and the shared rules."""

    state: Sequence[BaseMessage]
    session: Session | None
    services: Services

    def live(self, reference: str) -> Message | None:
        """The run's own message with that reference, unless the state has it in a shortened form."""
        for message in self.state:
            name = message.id or getattr(message, "tool_call_id", None)
            if name == reference and mark_of(message) is None:
                return to_core(message)
        return None

    def found(self, query: str, stored: Sequence[Message]) -> str:
        """The matches of the run's state and of the record, as a page of text."""
        known = {message.id for message in stored}
        wanted = terms(query)
        own: list[Message] = []
        for message in self.state:
            if message.id in known or mark_of(message) is not None:
                continue
            words = f"{text_of(message)} {getattr(message, 'tool_calls', '')}".lower()
            if any(word in words for word in wanted) and not is_recalled(neutral := to_core(message)):
                own.append(neutral)
        best = [one for one, _ in rank(query, [*stored, *own], max_hits=MAX_HITS)] if own else stored
        limits, most = self.services.policy.limits, self.services.policy.tool_output_tokens
        return results_text(
            best, query, max_tokens=most, count=self.services.counter.count, page_tokens=limits.page_tokens
        )

    def page(self, message: Message | None, reference: str, offset: int) -> str:
        if message is None:
            return f"This conversation has no message {reference!r}; references come from its own views."
        most = self.services.policy.limits.page_tokens
        return page_text(
            message, reference=reference, offset=offset, page_tokens=most, count=self.services.counter.count
        )


def _state_of(config: RunnableConfig, channel: str) -> list[BaseMessage]:
    """The messages in the state of the graph that called the tool, as they are before this step's writes."""
    read: Any = config.get("configurable", {}).get(READ)
    if read is None:
        return []
    try:
        said = read(channel, False)
    except KeyError:
        return []
    return said if is_message_list(said) else []
