"""`recall_tool`: a tool with which an agent retrieves messages that its view shortens or omits."""

from __future__ import annotations

from llama_index.core.tools import FunctionTool

from llamaindex_session.chat_store import SessionChatStore
from llamaindex_session.in_run import original_in_run
from llamaindex_session.memory import SessionMemoryBuffer
from session_core import Message, Session, Sessions
from session_core.errors import ConfigError, NotFound
from session_core.recall.recalling import TOOL_DESCRIPTION, page_text, results_text

MAX_HITS = 5


def recall_tool(
    source: SessionMemoryBuffer | SessionChatStore | Sessions,
    *,
    session_id: str | None = None,
    tenant: str = "default",
) -> FunctionTool:
    """A tool named "recall" over one session: that of a memory, or the one called `session_id`.

    With `reference` (from a clip) it returns that message whole; a long one in pages of at most a quarter of the
    budget, with the `offset` of the next page. With `query` it returns up to five matching messages of the whole
    conversation, each limited to the policy's size of a tool output; of long ones the relevant part. A
    SessionChatStore also determines the tenant.
    Raises: ConfigError if no session is given.
    """
    session = _session(source, session_id, tenant)

    def recall(query: str = "", reference: str = "", offset: int = 0) -> str:
        if not reference:
            return _result_text(session.search(query, max_hits=MAX_HITS), query, session)
        try:
            message = session.expand(reference)
        except NotFound as exc:
            return str(exc)
        return _page(message, reference, offset, session)

    async def arecall(query: str = "", reference: str = "", offset: int = 0) -> str:
        if not reference:
            return _result_text(await session.asearch(query, max_hits=MAX_HITS), query, session)
        try:
            message = await original_in_run(reference, session) or await session.aexpand(reference)
        except NotFound as exc:
            return str(exc)
        return _page(message, reference, offset, session)

    return FunctionTool.from_defaults(fn=recall, async_fn=arecall, description=TOOL_DESCRIPTION)


def _session(source: SessionMemoryBuffer | SessionChatStore | Sessions, session_id: str | None, tenant: str) -> Session:
    if isinstance(source, SessionMemoryBuffer):
        return source.session if session_id is None else source.chat_store.session(session_id)
    if session_id is None:
        raise ConfigError("recall_tool does not know which session to search; pass session_id=, or a memory")
    if isinstance(source, SessionChatStore):
        return source.session(session_id)
    if not isinstance(source, Sessions):
        raise ConfigError(f"recall_tool({type(source).__name__}); pass a memory, a SessionChatStore or a Sessions")
    return source.session(session_id, tenant=tenant)


def _result_text(found: list[Message], query: str, session: Session) -> str:
    services = session.sessions.services
    limits, most = services.policy.limits, services.policy.tool_output_tokens
    return results_text(found, query, max_tokens=most, count=services.counter.count, page_tokens=limits.page_tokens)


def _page(message: Message, reference: str, offset: int, session: Session) -> str:
    services = session.sessions.services
    most = services.policy.limits.page_tokens
    return page_text(message, reference=reference, offset=offset, page_tokens=most, count=services.counter.count)
