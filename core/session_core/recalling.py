"""What a search found, as text for a model: each message with its reference and the part that bears on the query."""

from __future__ import annotations

from collections.abc import Sequence

from session_core.compress.clip import clip
from session_core.plan import Count
from session_core.retrieve import terms
from session_core.turns import Message


def excerpt(message: Message, query: str, *, max_tokens: int, count: Count) -> str:
    """The message's text, or, of a long one, what bears on `query` in at most `max_tokens`."""
    shorter = clip(
        message.content, max_tokens=max_tokens, count=count, reference=message.id, terms=frozenset(terms(query))
    )
    return shorter.text if shorter else message.content


def speaker(message: Message) -> str:
    """Who said it: the author, the tool, or the role."""
    return message.author or message.name or message.role.value


def told(found: Sequence[Message], query: str, *, max_tokens: int, count: Count) -> str:
    """The messages one after the other, each in at most `max_tokens`; a plain sentence when there is none."""
    if not found:
        return "Nothing in this conversation matches."
    return "\n\n".join(
        f"[{speaker(message)}, ref {message.id}]\n{excerpt(message, query, max_tokens=max_tokens, count=count)}"
        for message in found
    )
