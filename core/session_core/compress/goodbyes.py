"""Finds the closing thanks and goodbyes of a conversation, which make room when a question is asked."""

from __future__ import annotations

from dataclasses import replace

from session_core.classify import is_filler
from session_core.language.courtesies import is_courtesy
from session_core.plan import Choice, Decided, Plan
from session_core.turns import Importance, Message, Role

LEAST_SHARE = 0.06
"""A goodbye that takes less of the limit stays, since its room would hardly hold a sentence."""


def closing_courtesy(made: Plan, query: str, limit_tokens: int) -> Message | None:
    """The newest user message of the plan, when it only thanks, wishes well or says that this was all; it stands there
    as the question, but `query` is another. None where it agrees to something, calls follow, or it takes little of
    `limit_tokens`."""
    at = max((i for i, m in enumerate(made.messages) if m.role is Role.USER and m.origin == "record"), default=-1)
    if at < 0 or any(message.role is Role.TOOL or message.tool_calls for message in made.messages[at:]):
        return None
    said = made.messages[at]
    bare = said.importance is Importance.DISCARD and not said.media and said.rendition == "whole"
    dear = said.tokens > limit_tokens * LEAST_SHARE
    return (
        said if bare and dear and said.content.strip() not in query and is_courtesy(said.content, is_filler) else None
    )


def remove_message(made: Plan, removed: Message) -> Plan:
    """The plan without the message `removed`; quotes right before it take its place."""
    gone: Decided = (removed.seq, Choice.DROP, 0, "a courtesy, while the question is about something else")
    return replace(
        made,
        messages=tuple(message for message in made.messages if message is not removed),
        decided=tuple(gone if one[0] == removed.seq else one for one in made.decided),
        tokens=made.tokens - removed.tokens,
    )
