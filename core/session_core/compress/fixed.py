"""The parts of a view besides its turns: system messages, digest and additions, each within its share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from session_core.compress.digest_text import digest_message, hidden_rules, lines_of, shown_facts
from session_core.compress.plan_cache import DigestHead, PlanContext
from session_core.errors import PinnedTooLarge
from session_core.plan import Digest
from session_core.recall.quote_trimming import trim_quotes
from session_core.turns import Message, Role

PINNED_SHARE = 0.5
"""Maximum share of the limit for all system messages, unless the first alone exceeds it."""
MOST_PINNED_SHARE = 0.75
"""A first system message over this share leaves no room for a conversation and is refused."""
DIGEST_SHARE = 0.5
RULES_DIGEST_SHARE = 0.65
RULES_BEFORE_QUESTION_SHARE = 0.25
"""A newest question that would fill the view leaves this share of it to the digest's rules, as far as they need it."""
EMPTY_DIGEST_SHARE = 0.06
"""A digest without summary and facts only says that there was more; if that takes more than this share, it is
dropped."""
ADDITIONS_SHARE = 0.25
"""Share of the limit without system messages, as the shares above."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What a view shows in addition to the record: quotes of old messages, and a note about an absence."""

    recalled: str = ""
    refresh: str = ""


NO_EXTRAS = Extras()


def pinned_messages(messages: Sequence[Message], context: PlanContext) -> list[Message]:
    """The system messages of a view, in order: the first, and as many of the newest as fit, without duplicates.
    Raises: PinnedTooLarge if the first alone leaves no room."""
    said = [message for message in messages if message.role is Role.SYSTEM and not message.empty]
    if not said:
        return []
    total = context.limits.total
    if said[0].tokens > total * MOST_PINNED_SHARE:
        raise PinnedTooLarge(
            f"the system message takes {said[0].tokens} of {total} tokens and is part of every view; shorten it "
            "or raise Budget(window_tokens=...)"
        )
    shown, left = {said[0].content: said[0]}, total * PINNED_SHARE - said[0].tokens
    for message in reversed(said[1:]):
        if message.content not in shown and message.tokens <= left:
            shown[message.content] = message
            left -= message.tokens
    chosen = {id(message) for message in shown.values()}
    return [message for message in said if id(message) in chosen]


def additions(
    extras: Extras, room_tokens: int, question: str, context: PlanContext, *, most_tokens: int
) -> list[Message]:
    """The messages for `extras`, in their share of the room and in `most_tokens`. What does not fit is left out, quotes
    first, and of these the lines that are least relevant to `question`."""
    made: list[Message] = []
    left = min(int(room_tokens * ADDITIONS_SHARE), most_tokens)
    for origin, text in (("refresh", extras.refresh), ("recall", extras.recalled)):
        if not text:
            continue
        message = Message(
            Role.USER, text, id=f"llm-sessions:{origin}", origin="recall" if origin == "recall" else "refresh"
        )
        message = replace(message, tokens=context.measure(message))
        if message.tokens > left and origin == "recall":
            around = message.tokens - context.count(text)
            message = replace(
                message, content=trim_quotes(text, question, max_tokens=left - around, count=context.count)
            )
            message = replace(message, tokens=context.measure(message))
        if message.content and message.tokens <= left:
            made.insert(0, message)
            left -= message.tokens
    return made


def digest_tokens(digest: Digest | None, context: PlanContext) -> int:
    """The size of a digest's message for the decision whether more has to be folded."""
    return min(digest.tokens, digest_reserve(digest, context)) if digest else 0


def digest_reserve(digest: Digest | None, context: PlanContext) -> int:
    """The room reserved for the message of a digest that extends `digest`."""
    limits = context.limits
    rules = min(limits.rules_room, lines_of(digest, context).rules_tokens) if digest else 0
    return limits.summary_room + max(limits.facts_room, rules) + 64


def opening_message(context: PlanContext) -> Message:
    """A first message for a view that would begin with the assistant, which some providers refuse."""
    return context.cache.opening(partial(_make_opening, context))


def _make_opening(context: PlanContext) -> Message:
    text = "[The conversation begins with the assistant.]"
    made = Message(Role.USER, text, id="llm-sessions:opening", origin="digest")
    return replace(made, tokens=context.measure(made))


def digest_head(
    digest: Digest | None,
    room_tokens: int,
    context: PlanContext,
    shown: Collection[int] = (),
    *,
    most_tokens: int | None = None,
) -> DigestHead:
    """The digest's message in its share of the room, and in `most_tokens`, which its rules may exceed: with less and
    less of its summary and facts; none if not even its first line fits, or, in a small room, if it has neither and
    hides no rule.

    A terse one has only pinned facts of the messages `shown`, which the view shows themselves.
    """
    if digest is None:
        return DigestHead(None, 0)
    said: frozenset[int] = frozenset()
    if context.limits.terse:
        said = frozenset([fact.seq for fact in digest.facts if fact.seq in shown])
    most = int(room_tokens * RULES_DIGEST_SHARE)
    most = most if most_tokens is None else min(most, most_tokens)
    make = partial(_head, digest, room_tokens, most, context, said)
    return context.cache.head(digest, room_tokens, (most, context.limits, said), make)


def _head(digest: Digest, room_tokens: int, most: int, context: PlanContext, said: frozenset[int]) -> DigestHead:
    limits = context.limits
    # Rules are dropped last and may exceed a digest's usual share, since they apply to all the rest.
    least = int(room_tokens * RULES_BEFORE_QUESTION_SHARE) if hidden_rules(digest, "", context) else 0
    for share, rules in (*((part, 1.0) for part in (1.0, 0.6, 0.3, 0.1, 0.0)), (0.0, 0.6), (0.0, 0.3), (0.0, 0.0)):
        summary, facts = int(limits.summary_room * share), int(limits.facts_room * share)
        smaller = replace(limits, digest_tokens=summary, facts_tokens=facts, rules_share=limits.rules_share * rules)
        message = digest_message(digest, context=replace(context, limits=smaller), already_shown=said)
        if message.tokens <= (min(most, room_tokens * DIGEST_SHARE) if share else max(most, least)):
            dear = smaller.digest_tokens == 0 and message.tokens > limits.total * EMPTY_DIGEST_SHARE
            empty = dear and not shown_facts(digest, context=replace(context, limits=smaller), already_shown=said)
            hidden = hidden_rules(digest, message.content, context)
            return DigestHead(None if empty and not hidden else message, hidden)
    return DigestHead(None, hidden_rules(digest, "", context))
