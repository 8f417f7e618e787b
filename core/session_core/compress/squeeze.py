"""The last step of the ladder: cuts units that are too large for the remaining room until they fit, still valid."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from session_core.budget import LEAST_EXCHANGE_TOKENS
from session_core.compress.plan_cache import PlanContext
from session_core.language.quoting import RECALLED
from session_core.outputs.both_ends import both_ends
from session_core.outputs.clip import clip, clip_arguments
from session_core.turns import Message, Role, Unit

LEAST_TEXT_TOKENS = 16
"""Texts are not cut below this, since nothing understandable would remain."""
LEAST_QUESTION_TOKENS = 24
"""What is left for a question if the newest call behind it and its result take all the rest."""


def squeeze(parts: Sequence[Unit], room_tokens: int, *, context: PlanContext) -> list[Unit]:
    """`parts` in at most `room_tokens`.

    The newest user message is served first (`question_room`): it is whole, or its beginning and its end are. Of the
    others every message over a common ceiling is cut to it (the ceiling as high as possible, so that short messages
    stay complete, and recalled ones as long as cutting the others is enough); then the oldest units are dropped, the
    newest only if nothing of it fits behind the question; then the oldest calls of the newest unit, each with its
    result.
    """
    kept = list(parts)
    if _total_tokens(kept) <= room_tokens:
        return kept
    asked = newest_question(kept)
    if asked is None:
        return _cut_others(kept, room_tokens, context) or [_least_of(kept[-1], room_tokens, context)]
    question, behind = kept[asked], kept[asked + 1 :]
    shown = _cut_question(question, question_room(question, behind, room_tokens), context)
    left = room_tokens - shown.tokens
    others = _cut_others([*kept[:asked], *behind], left, context)
    if behind and not others:
        others = [_least_of(behind[-1], room_tokens - LEAST_QUESTION_TOKENS, context)]
        shown = _cut_question(question, room_tokens - _total_tokens(others), context)
    if not others or _total_tokens([shown, *others]) > room_tokens:
        return [_cut_question(question, room_tokens, context)]
    before = max(0, len(others) - len(behind))
    return [*others[:before], shown, *others[before:]]


def newest_question(parts: Sequence[Unit]) -> int | None:
    """The index of the newest user message among the units."""
    return next((place for place in reversed(range(len(parts))) if parts[place].starts_turn), None)


def question_room(question: Unit, behind: Sequence[Unit], room_tokens: int) -> int:
    """How much of `room_tokens` the question may take: what it needs, but only half if what follows needs the rest."""
    return min(question.tokens, max(room_tokens // 2, room_tokens - _total_tokens(behind)))


def room_from_question(parts: Sequence[Unit], asked: int | None, room_tokens: int) -> int:
    """How much of `room_tokens` the newest question, at `asked`, and the newest exchange behind it leave."""
    if asked is None:
        return room_tokens
    behind = parts[asked + 1 :]
    least = min(_total_tokens(behind[-1:]), LEAST_EXCHANGE_TOKENS)
    return max(0, room_tokens - question_room(parts[asked], behind, room_tokens) - least)


def _cut_question(question: Unit, room_tokens: int, context: PlanContext) -> Unit:
    """The question in at most `room_tokens`: without media, then only the beginning and the end of its text."""
    said = question.first
    if said.tokens <= room_tokens:
        return question
    text = _without_media(said)
    bare = replace(said, content="", aside="", media=(), rendition="clip")
    room = max(1, room_tokens - context.measure(bare))
    made = replace(bare, content=both_ends(text, max_tokens=room, count=context.count, reference=said.id))
    return Unit((replace(made, tokens=context.measure(made)),))


def _cut_others(parts: Sequence[Unit], room_tokens: int, context: PlanContext) -> list[Unit]:
    """As many of the newest of `parts` as fit when they are cut; none if not even the last one does."""
    kept = list(parts)
    while kept and _total_tokens(kept) > room_tokens:
        if _least_tokens(kept, context) <= room_tokens:
            cut = _cut_all(kept, room_tokens, context)
            if _total_tokens(cut) <= room_tokens:
                return cut
        del kept[0]
    return kept


def _least_of(unit: Unit, room_tokens: int, context: PlanContext) -> Unit:
    """What remains of a unit that is too large even when cut: its newest calls with their results, else a note."""
    fewer = _newest_calls(unit, room_tokens, context)
    return fewer if fewer.tokens <= room_tokens else _hard_cut(fewer, room_tokens, context)


def _total_tokens(parts: Sequence[Unit]) -> int:
    return sum([unit.tokens for unit in parts])


def _least_tokens(parts: Sequence[Unit], context: PlanContext) -> int:
    """A lower bound for the size of cut units, by which hopeless cuts of many messages are avoided."""
    return sum([min(message.tokens, context.measure(_bare(message))) for unit in parts for message in unit.messages])


def _bare(message: Message) -> Message:
    """`message` without anything that a cut may leave out."""
    calls = tuple([replace(call, arguments="{}") for call in message.tool_calls])
    return replace(message, content="", aside="", media=(), tool_calls=calls, tokens=0)


def _cut_all(parts: Sequence[Unit], room_tokens: int, context: PlanContext) -> list[Unit]:
    """The units with every message over the common ceiling cut to it; recalled ones only if cutting the rest is not
    enough."""
    messages = [message for unit in parts for message in unit.messages]
    recalled = [message for message in messages if _is_recalled(message)]
    spared = sum(message.tokens for message in recalled)
    if recalled and spared < room_tokens:
        cut = _cut_some(parts, room_tokens - spared, {id(message) for message in recalled}, context)
        if _total_tokens(cut) <= room_tokens:
            return cut
    return _cut_some(parts, room_tokens, frozenset(), context)


def _cut_some(parts: Sequence[Unit], room_tokens: int, spared: Collection[int], context: PlanContext) -> list[Unit]:
    """The units with every message that is not in `spared` cut to a ceiling, so that these take at most
    `room_tokens`."""

    def shorter(message: Message, ceiling: int) -> Message:
        return message if id(message) in spared else _cut(message, ceiling, context)

    prices = [message.tokens for unit in parts for message in unit.messages if id(message) not in spared]
    total = room_tokens + _total_tokens(parts) - sum(prices)
    ceiling = _ceiling(prices, room_tokens)
    cut = list(parts)
    for _ in range(4):
        cut = [Unit(tuple(shorter(m, ceiling) for m in unit.messages), unit.complete) for unit in parts]
        over = _total_tokens(cut) - total
        if over <= 0 or ceiling <= LEAST_TEXT_TOKENS:
            break
        ceiling = max(LEAST_TEXT_TOKENS, ceiling - over // max(1, sum(p >= ceiling for p in prices)) - 4)
    return cut


def _is_recalled(message: Message) -> bool:
    return message.role is Role.TOOL and message.content.startswith(RECALLED)


def _ceiling(prices: Sequence[int], room_tokens: int) -> int:
    """The highest ceiling at which all sizes together fit into the room."""
    left, many = room_tokens, len(prices)
    for price in sorted(prices):
        if price * many > left:
            return max(LEAST_TEXT_TOKENS, left // many)
        left, many = left - price, many - 1
    return max(prices, default=LEAST_TEXT_TOKENS)


def _cut(message: Message, ceiling: int, context: PlanContext) -> Message:
    """`message` in about `ceiling` tokens; its reference is its own id."""
    if message.tokens <= ceiling:
        return message
    bare = replace(message, content="", aside="", media=(), tool_calls=(), tokens=0)
    framing = context.measure(bare)
    calls, aside = message.tool_calls, ""
    if calls:
        # Reasoning before a call is sent back verbatim: providers that sign it refuse the call without it.
        thought = context.count(message.aside) if message.aside else 0
        if 0 < thought <= (ceiling - framing) // 2:
            aside, framing = message.aside, framing + thought
        text_room = max(LEAST_TEXT_TOKENS, (ceiling - framing) // 4)
        said = min(context.count(message.content), text_room)
        each = max(4, (ceiling - framing - said) // len(calls) - 8)
        calls = tuple(
            replace(call, arguments=clip_arguments(call.arguments, max_tokens=each, count=context.count))
            for call in calls
        )
    else:
        text_room = max(LEAST_TEXT_TOKENS, ceiling - framing)
    content = _without_media(message)
    shorter = clip(content, max_tokens=text_room, count=context.count, reference=message.id)
    text = shorter.text if shorter else content
    made = replace(message, content=text, aside=aside, media=(), tool_calls=calls, rendition="clip")
    return replace(made, tokens=context.measure(made))


def _without_media(message: Message) -> str:
    """The text of `message`, which names its media."""
    if not message.media:
        return message.content
    kinds = ", ".join(media.kind for media in message.media)
    return f"[{kinds} left out; ref {message.id}]\n{message.content}".rstrip()


def _newest_calls(unit: Unit, room_tokens: int, context: PlanContext) -> Unit:
    """As many of the unit's newest calls as fit with their results, all of them cut; at least one.

    Only what is kept is cut, since one message may have thousands of calls.
    """
    first, results = _cut(unit.first, LEAST_TEXT_TOKENS, context), unit.messages[1:]
    answered = {result.tool_call_id for result in results}
    unanswered = tuple([call for call in first.tool_calls if call.id not in answered])
    bare = replace(first, tool_calls=())
    framing = context.measure(bare)
    prices = {call.id: context.measure(replace(bare, tool_calls=(call,))) - framing for call in first.tool_calls}
    left = room_tokens - context.measure(replace(bare, tool_calls=unanswered))
    shown: list[Message] = []
    for result in reversed(results):
        cut = _cut(result, LEAST_TEXT_TOKENS, context)
        left -= cut.tokens + prices.get(result.tool_call_id or "", 0)
        if left < 0 and shown:
            break
        shown.append(cut)
    if len(shown) < len(results):
        gone = {result.tool_call_id for result in results[: len(results) - len(shown)]}
        calls = tuple([call for call in first.tool_calls if call.id not in gone])
        first = replace(first, aside="", tool_calls=calls, rendition="clip")
        first = replace(first, tokens=context.measure(first))
    return Unit((first, *reversed(shown)), unit.complete)


def _hard_cut(unit: Unit, room_tokens: int, context: PlanContext) -> Unit:
    """One unit as a plain note, if not even one call and its result fit."""
    text = " ".join(f"{message.role}: {message.content}" for message in unit.messages)
    note = replace(unit.first, content=text, aside="", media=(), tool_calls=(), rendition="clip")
    framing = context.measure(replace(note, content=""))
    shorter = clip(text, max_tokens=max(12, room_tokens - framing), count=context.count, reference=unit.first.id)
    note = replace(note, content=shorter.text if shorter else text or f"[left out; ref {unit.first.id}]")
    return Unit((replace(note, tokens=context.measure(note)),))
