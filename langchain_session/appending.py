"""Appends what was said to a session, also under an id that the session knows with other words.

Ids mean nothing to a plain history: a cached answer comes again with its id and another price, a chat page sends an
edited question with the id of the old one. `RunnableWithMessageHistory` only logs errors of a history, so that a turn
that is refused would be lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from langchain_session.conversion.messages import from_core, to_core
from session_core import Session
from session_core.errors import DuplicateMessage
from session_core.leasing import TurnLease
from session_core.serial.codec import body_digest
from session_core.turns import Message

MOST_NAMES = 8
"""How many names of one id are tried before a message gets one that nobody has; each costs a call of the store."""
ID_CHARACTERS = 200
"""How much of an id a name of it begins with."""


def append_said(session: Session, messages: Sequence[Message], lease: TurnLease | None = None) -> None:
    """Store `messages`, all or none; one with the id of another keeps it in its own form only.

    Repeated with the same messages, it stores none again, up to `MOST_NAMES` of one id.
    """
    said, refused = messages, set[str]()
    while True:
        try:
            session.append(said, lenient=True, lease=lease)
        except DuplicateMessage as exc:
            said = _renamed(messages, said, refused, exc)
        else:
            return


async def aappend_said(session: Session, messages: Sequence[Message], lease: TurnLease | None = None) -> None:
    """Async form of `append_said`."""
    said, refused = messages, set[str]()
    while True:
        try:
            await session.aappend(said, lenient=True, lease=lease)
        except DuplicateMessage as exc:
            said = _renamed(messages, said, refused, exc)
        else:
            return


def _renamed(
    messages: Sequence[Message], tried: Sequence[Message], refused: set[str], error: DuplicateMessage
) -> list[Message]:
    """`messages` with names that differ where their words do, none of them `refused`, as the one of `error` is now.

    Raises: the error, if none of those `tried` has its id.
    """
    its_id = error.message_id
    under_it = {body_digest(message) for message in tried if message.id == its_id}
    if not its_id or not under_it:
        raise error
    if len(under_it) == 1:
        refused.add(its_id)
    words: dict[str, bytes] = {}
    return [_named(message, words, refused) for message in messages]


def _named(message: Message, words: dict[str, bytes], refused: Set[str]) -> Message:
    """`message` under the first name that has no other `words`; without one, for an id of the store, if all have."""
    if not message.id:
        return message
    digest = body_digest(message)
    for name in _names(message.id):
        if name not in refused and words.setdefault(name, digest) == digest:
            break
    else:
        name = ""
    return message if name == message.id else replace(to_core(from_core(message), named=False), id=name)


def _names(message_id: str) -> Iterator[str]:
    """An id, then the same with numbers: not of the words, or it would tell of them beside an encrypted body."""
    yield message_id
    for number in range(2, MOST_NAMES + 1):
        yield f"{message_id[:ID_CHARACTERS]}#{number}"
