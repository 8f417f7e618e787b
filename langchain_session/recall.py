"""`recall_tool`: a tool with which an agent gets back what its view shows shortened or not at all."""

from __future__ import annotations

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, tool

from langchain_session.saver import SessionSaver
from session_core import Session, Sessions
from session_core.errors import NotFound
from session_core.recalling import told

MAX_HITS = 5


def recall_tool(source: SessionSaver | Sessions, *, tenant: str = "default") -> BaseTool:
    """A tool named "recall" over the session of the running thread.

    With `reference` (from a clip) it returns that message whole; with `query` the matching messages
    of the whole conversation, at most five, of long ones the part that bears on the query.
    """
    sessions = source.sessions if isinstance(source, SessionSaver) else source
    whose = source.tenant if isinstance(source, SessionSaver) else tenant

    def session_of(config: RunnableConfig) -> Session:
        names = config.get("configurable", {})
        return sessions.session(str(names.get("thread_id") or names.get("session_id")), tenant=whose)

    @tool
    def recall(config: RunnableConfig, query: str = "", reference: str = "") -> str:
        """Look up earlier parts of this conversation: the whole text behind a `reference`, or a search by `query`."""
        session = session_of(config)
        if not reference:
            found = session.search(query, max_hits=MAX_HITS)
            shop = sessions.workshop
            return told(found, query, max_tokens=shop.policy.tool_output_tokens, count=shop.counter.count)
        try:
            return session.expand(reference).content
        except NotFound as exc:
            return str(exc)

    return recall
