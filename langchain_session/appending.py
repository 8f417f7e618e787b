"""Appends what was said to a session, also under an id that the session knows with other words.

Ids mean nothing to a plain history: a cached answer comes again with its id and another price, a chat page sends an
edited question with the id of the old one. `RunnableWithMessageHistory` only logs errors of a history, so that a turn
that is refused would be lost.
"""

from __future__ import annotations

from collections.abc import Sequence

from langchain_session.conversion.messages import from_core, to_core
from session_core import Session
from session_core.errors import DuplicateMessage
from session_core.leasing import TurnLease
from session_core.turns import Message


def append_said(session: Session, messages: Sequence[Message], lease: TurnLease | None = None) -> None:
    """Store `messages`, all or none; one with the id of another keeps it in its own form only."""
    while True:
        try:
            session.append(messages, lenient=True, lease=lease)
        except DuplicateMessage as exc:
            messages = _with_another_id(messages, exc)
        else:
            return


async def aappend_said(session: Session, messages: Sequence[Message], lease: TurnLease | None = None) -> None:
    """Async form of `append_said`."""
    while True:
        try:
            await session.aappend(messages, lenient=True, lease=lease)
        except DuplicateMessage as exc:
            messages = _with_another_id(messages, exc)
        else:
            return


def _with_another_id(messages: Sequence[Message], error: DuplicateMessage) -> list[Message]:
    """`messages`, of which none has the id that `error` is about. Raises: the error, if none had it."""
    if not error.message_id or all(message.id != error.message_id for message in messages):
        raise error
    return [
        to_core(from_core(message), named=False) if message.id == error.message_id else message for message in messages
    ]
