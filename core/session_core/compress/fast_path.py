"""The short path of planning: most views show everything after the digest whole."""

from __future__ import annotations

from collections.abc import Sequence

from session_core.compress.fixed import digest_head, digest_tokens, opening_message, pinned_messages
from session_core.compress.plan_cache import PlanContext
from session_core.plan import Choice, Decided, Digest, Plan
from session_core.turns import Message, Role

_SYSTEM, _TOOL, _USER = Role.SYSTEM, Role.TOOL, Role.USER
_WHOLE = Choice.WHOLE


def plan_unchanged(messages: Sequence[Message], digest: Digest | None, context: PlanContext) -> Plan | None:
    """The plan that shows every one of `messages` unchanged; None if one must be changed, moved, left out or folded.

    It equals the plan of the ladder, without making and walking over units.
    """
    limits, budget = context.limits, context.limits.budget
    if limits.terse or limits.whole_tool_outputs is not None:
        return None
    pinned, rest = _split_system(messages, context)
    if len(pinned) + len(rest) < len(messages) or not _is_valid(rest):
        return None
    fixed, body = sum([message.tokens for message in pinned]), sum([message.tokens for message in rest])
    room = budget.threshold_tokens - fixed - body
    if room < 0 or (digest and digest.tokens > room and digest_tokens(digest, context) > room):
        return None
    condensed = digest_head(digest, limits.total - fixed, context)
    head = condensed.message or opening_message(context)
    if fixed + head.tokens + body > limits.total:
        return None
    told = condensed.message is not None or (rest and rest[0].role is not _USER)
    first = (*pinned, head) if told else pinned
    tokens = fixed + body
    return Plan(
        (*first, *rest),
        _decisions(messages, digest),
        tokens + head.tokens if told else tokens,
        tokens + digest.tokens if digest else tokens,
        digest,
        condensed.hidden_rules,
    )


def _split_system(messages: Sequence[Message], context: PlanContext) -> tuple[Sequence[Message], Sequence[Message]]:
    """The system messages of a view, and all others."""
    rest = [message for message in messages if message.role is not _SYSTEM]
    return (pinned_messages(messages, context), rest) if len(rest) < len(messages) else ((), rest)


def _is_valid(messages: Sequence[Message]) -> bool:
    """Whether a provider accepts `messages` as they are: none is empty, and each message with calls is directly
    followed by exactly one result per call."""
    waiting: set[str] = set()
    for message in messages:
        calls = message.tool_calls
        if message.role is _TOOL:
            if message.tool_call_id not in waiting:
                return False
            waiting.remove(message.tool_call_id)
        elif waiting:
            return False
        elif calls:
            waiting = {call.id for call in calls}
            if len(waiting) < len(calls):
                return False
        if message.rendition == "clip" or (not message.content.strip() and message.empty):
            return False
    return not waiting


def _decisions(messages: Sequence[Message], digest: Digest | None) -> tuple[Decided, ...]:
    made: list[Decided] = [
        (message.seq, _WHOLE, message.tokens, "system message" if message.role is _SYSTEM else "recent")
        for message in messages
    ]
    return ((digest.covers, Choice.FOLD, digest.tokens, f"digest {digest.number}"), *made) if digest else tuple(made)
