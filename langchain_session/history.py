"""`SessionChatMessageHistory`: a chat history for `RunnableWithMessageHistory` that always fits."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from langchain_session.messages import from_core_many, to_core_many
from session_core import Policy, Session, Sessions
from session_core.sessions import shared


class SessionChatMessageHistory(BaseChatMessageHistory):
    """The chat history of one session; `messages` is its view, never over the budget.

    Give it `sessions`, or a `url` that all histories of this process share. `messages` is the same
    from the start of a turn to its end, which `RunnableWithMessageHistory` counts on. The whole
    conversation is in `record()`.
    """

    def __init__(
        self,
        session_id: str,
        *,
        url: str | None = None,
        sessions: Sessions | None = None,
        policy: Policy | None = None,
        tenant: str = "default",
    ) -> None:
        opened = sessions or shared(url or "sqlite:///llm-sessions.db", policy)
        self.session: Session = opened.session(session_id, tenant=tenant)
        self._turn: list[BaseMessage] | None = None
        self._fresh = True

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]  # the base declares a plain attribute
        """The view, for the next model call."""
        kept = self._same()
        return kept if kept is not None else self._first(from_core_many(self.session.view().messages))

    async def aget_messages(self) -> list[BaseMessage]:
        """As `messages`, awaited."""
        kept = self._same()
        return kept if kept is not None else self._first(from_core_many((await self.session.aview()).messages))

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Store `messages`, all or none; durable when it returns."""
        self._turn, self._fresh = None, False
        self.session.append(to_core_many(messages), lenient=True)

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """As `add_messages`, awaited."""
        self._turn, self._fresh = None, False
        await self.session.aappend(to_core_many(messages), lenient=True)

    def record(self) -> list[BaseMessage]:
        """The whole conversation, every message as it went in."""
        return from_core_many(self.session.record())

    async def arecord(self) -> list[BaseMessage]:
        """As `record`, awaited."""
        return from_core_many(await self.session.arecord())

    def clear(self) -> None:
        """Remove the session everywhere."""
        self.session.delete()

    async def aclear(self) -> None:
        """As `clear`, awaited."""
        await self.session.adelete()

    def _first(self, seen: list[BaseMessage]) -> list[BaseMessage]:
        """Keep what a new history reads first. `RunnableWithMessageHistory` makes one for each call, reads it
        at both ends of the turn and cuts its input by the length: another turn that ends between the two
        reads must not cut a user's message off."""
        self._turn, self._fresh = (list(seen), False) if self._fresh else (None, False)
        return seen

    def _same(self) -> list[BaseMessage] | None:
        """What was read first, once; a third read, or one after an append, is made anew."""
        kept, self._turn = self._turn, None
        return kept
