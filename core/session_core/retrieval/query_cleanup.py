"""Removes from a query what it only repeats, since callers often pass the assistant's last message with the answer."""

from __future__ import annotations

from collections.abc import Iterable

from session_core.turns import Message, Role

LAST = 2
"""How many of the newest assistant messages are looked for in a query."""
LEAST_CHARACTERS = 12
"""Shorter messages are not looked for, since they may occur anywhere by chance."""


def asked_and_repeated(query: str, messages: Iterable[Message]) -> tuple[str, str]:
    """`query` without the part that repeats the assistant's last messages verbatim, and that part. If nothing else
    would remain, the query is returned unchanged."""
    said = [m for m in messages if m.role is Role.ASSISTANT and len(m.content) >= LEAST_CHARACTERS]
    newest = sorted(said, key=lambda message: message.seq)[-LAST:]
    repeated = [message.content for message in newest if message.content in query]
    asked = query
    for text in repeated:
        asked = asked.replace(text, "\n")
    return (asked.strip(), "\n".join(repeated)) if asked.strip() else (query, "")
