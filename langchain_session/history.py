"""`SessionChatMessageHistory`: a LangChain chat history whose messages always fit the budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self
from uuid import UUID

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from langchain_session.appending import aappend_said, append_said
from langchain_session.conversion.messages import from_core_many, to_core_many
from langchain_session.transfer.history_transfer import (
    amessages_of,
    messages_of,
    missing_batches,
    session_id_of,
    to_record,
)
from session_core import Policy, Session, Sessions
from session_core.errors import ConfigError
from session_core.importing import aimport_messages, import_messages
from session_core.sharing import shared_sessions

DEFAULT_URL = "sqlite:///llm-sessions.db"


class SessionChatMessageHistory(BaseChatMessageHistory):
    """The chat history of one session; `messages` is its view, never over the budget.

    Pass `sessions`, or a `url` that all histories of this process share (default: "sqlite:///llm-sessions.db").
    `messages` does not change within a turn, which `RunnableWithMessageHistory` relies on. `record()` returns the
    whole conversation.
    """

    def __init__(
        self,
        session_id: str | UUID,
        *,
        url: str | None = None,
        sessions: Sessions | None = None,
        policy: Policy | None = None,
        tenant: str = "default",
    ) -> None:
        if sessions is not None and (url is not None or policy is not None):
            raise ConfigError("sessions has its own store and policy; pass sessions=, or url= and policy=")
        opened = shared_sessions(DEFAULT_URL if url is None else url, policy) if sessions is None else sessions
        if not isinstance(opened, Sessions):
            raise ConfigError(f"sessions={type(opened).__name__}; pass a Sessions, or url=")
        self.session: Session = opened.session(session_id, tenant=tenant)
        self._turn: list[BaseMessage] | None = None
        self._fresh = True

    def __repr__(self) -> str:
        return f"SessionChatMessageHistory({str(self.session.key)!r}, {self.session.sessions.place!r})"

    @classmethod
    def import_from(
        cls,
        history: BaseChatMessageHistory,
        session_id: str | UUID | None = None,
        *,
        url: str | None = None,
        sessions: Sessions | None = None,
        policy: Policy | None = None,
        tenant: str = "default",
    ) -> Self:
        """A chat history of session `session_id` with all messages of `history`.

        Without `session_id` the session has the name of `history`. An empty source makes an empty conversation.
        Repeated calls continue where the last one ended and add only what is new; `history` is not changed. Raises:
        ConfigError if `history` has no session name; Diverged if it no longer begins with what was imported;
        InputError for a message that a session cannot store.
        """
        made = cls(session_id or session_id_of(history), url=url, sessions=sessions, policy=policy, tenant=tenant)
        import_messages(made.session, to_record(_all_of(history)))
        return made

    @classmethod
    async def aimport_from(
        cls,
        history: BaseChatMessageHistory,
        session_id: str | UUID | None = None,
        *,
        url: str | None = None,
        sessions: Sessions | None = None,
        policy: Policy | None = None,
        tenant: str = "default",
    ) -> Self:
        """Async form of `import_from`."""
        made = cls(session_id or session_id_of(history), url=url, sessions=sessions, policy=policy, tenant=tenant)
        await aimport_messages(made.session, to_record(await _aall_of(history)))
        return made

    def export_to(self, history: BaseChatMessageHistory) -> int:
        """Add the messages that `history` lacks; returns their number.

        Raises: Diverged if `history` has messages that this conversation does not begin with.
        """
        added = 0
        for batch in missing_batches(self.record(), _all_of(history), type(history).__name__):
            history.add_messages(batch)
            added += len(batch)
        return added

    async def aexport_to(self, history: BaseChatMessageHistory) -> int:
        """Async form of `export_to`."""
        added = 0
        for batch in missing_batches(await self.arecord(), await _aall_of(history), type(history).__name__):
            await history.aadd_messages(batch)
            added += len(batch)
        return added

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self.session.key.session_id

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]  # the base declares a plain attribute
        """The view, for the next model call."""
        kept = self._remembered_read()
        return kept if kept is not None else self._remember_first_read(from_core_many(self.session.view().messages))

    async def aget_messages(self) -> list[BaseMessage]:
        """Async form of `messages`."""
        kept = self._remembered_read()
        return (
            kept
            if kept is not None
            else self._remember_first_read(from_core_many((await self.session.aview()).messages))
        )

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Store `messages`, all or none; durable on return."""
        self._turn, self._fresh = None, False
        append_said(self.session, to_core_many(messages))

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Async form of `add_messages`."""
        self._turn, self._fresh = None, False
        await aappend_said(self.session, to_core_many(messages))

    def record(self) -> list[BaseMessage]:
        """The whole conversation, every message as it was added."""
        return from_core_many(self.session.record())

    async def arecord(self) -> list[BaseMessage]:
        """Async form of `record`."""
        return from_core_many(await self.session.arecord())

    def clear(self) -> None:
        """Delete the session everywhere."""
        self.session.delete()

    async def aclear(self) -> None:
        """Async form of `clear`."""
        await self.session.adelete()

    def _remember_first_read(self, seen: list[BaseMessage]) -> list[BaseMessage]:
        """Remember the first read of a new history. `RunnableWithMessageHistory` creates one per call, reads it at both
        ends of the turn and slices its input by the length: if another turn ended between the reads, a user's message
        would be lost."""
        self._turn, self._fresh = (list(seen), False) if self._fresh else (None, False)
        return seen

    def _remembered_read(self) -> list[BaseMessage] | None:
        """The remembered first read, returned once; later reads, or one after an append, are fresh."""
        kept, self._turn = self._turn, None
        return kept


def _all_of(history: BaseChatMessageHistory) -> list[BaseMessage]:
    """All messages of `history`; those of one of ours are its record, not its view."""
    return history.record() if isinstance(history, SessionChatMessageHistory) else messages_of(history)


async def _aall_of(history: BaseChatMessageHistory) -> list[BaseMessage]:
    """Async form of `_all_of`."""
    return await (history.arecord() if isinstance(history, SessionChatMessageHistory) else amessages_of(history))
