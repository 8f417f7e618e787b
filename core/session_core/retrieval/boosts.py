"""Preferences from a question about who spoke and when, added to the scores of words and meaning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from session_core.language.spans import span
from session_core.language.words import words
from session_core.turns import Message, Role

NAMED = 0.3
TIMED = 0.35
"""The bonus for a message by a named person or of a named time, relative to 1 for the best match: enough to decide
between similar matches, too little to promote a message that does not match."""
MARGIN_S = 8 * 3600.0
"""Seconds around a day that belong to it in some time zone."""


def message_boosts(query: str, messages: Sequence[Message], now_s: float | None) -> list[float] | None:
    """The bonus of each message for its author and its time; None if `query` names none that distinguishes them.

    `now_s` is the time of the question. A time that no message, or nearly every message has, counts for nothing.
    """
    more = [0.0] * len(messages)
    if named := _named(query, {name for message in messages if (name := speaker_of(message))}):
        more = [NAMED if speaker_of(message) in named else 0.0 for message in messages]
    asked = None if now_s is None else span(query, now_s)
    if asked is not None:
        first, end = asked[0] - MARGIN_S, asked[1] + MARGIN_S
        then = [message.time_s is not None and first <= message.time_s < end for message in messages]
        if 0 < sum(then) <= 0.9 * len(then):
            more = [value + TIMED * inside for value, inside in zip(more, then, strict=True)]
    return more if any(more) else None


def speaker_of(message: Message) -> str | None:
    """The author's name, if given; None for a tool."""
    return message.author or (message.name if message.role is Role.ASSISTANT else None)


def _named(query: str, authors: set[str]) -> set[str]:
    """The authors whom `query` names: by the full name, or by a capitalized part of it that is unique among them."""
    if len(authors) < 2:
        return set()
    asked = " ".join(words(query))
    parts = {author: words(author) for author in authors}
    shared = Counter(word for told in parts.values() for word in set(told))
    found = {author for author, told in parts.items() if told and f" {' '.join(told)} " in f" {asked} "}
    capital = {word for token in query.split() if token[:1].isupper() for word in words(token)}
    for author, texts in parts.items():
        if any(len(word) > 2 and word in capital and shared[word] == 1 for word in texts):
            found.add(author)
    return found if len(found) < len(authors) else set()
