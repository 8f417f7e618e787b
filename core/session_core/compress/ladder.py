"""The ladder: from messages, digest and budget to a plan that always fits and is always valid.

Its steps, each taken only if the one before is not enough: complete messages; clips of tool outputs; the oldest
units folded into the digest; and, if the newest exchange alone is too large, its messages cut (`squeeze`).

The steps are found by a walk over the units that depends on nothing but the units: between two steps a view only
grows at its end, so that a provider's prompt cache keeps its prefix.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, pairwise

from session_core.compress.fast_path import plan_unchanged
from session_core.compress.fixed import (
    NO_EXTRAS,
    Extras,
    additions,
    digest_head,
    digest_reserve,
    digest_tokens,
    opening_message,
    pinned_messages,
)
from session_core.compress.fold import fold
from session_core.compress.plan_cache import PlanContext, fingerprint
from session_core.compress.squeeze import newest_question, room_from_question, squeeze
from session_core.plan import Choice, Decided, Digest, Plan, Recalled
from session_core.ranges import Ranges
from session_core.turns import Importance, Message, Role, Unit, units

KEPT_UNITS = 8
"""How many of the last units a fold keeps if the newest turn has more. It may be an agent's run of hundreds of
calls: if all of it were kept, the next fold would follow three calls later."""

REMEMBERED_STEPS = 4
"""How many of the last steps' digests are cached."""


class FoldRequired(Exception):
    """A plan needs a digest that is not cached, and may not fold (`PlanContext.folds`)."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The result of the walk: units before `folded` go into the digest, those before `clipped` are clipped.

    `folds` are the positions up to which each step folded, in order.
    """

    folded: int
    clipped: int
    folds: tuple[int, ...] = ()


def plan(
    messages: Sequence[Message],
    digest: Digest | None,
    *,
    context: PlanContext,
    extras: Extras = NO_EXTRAS,
    open_end: bool = False,
) -> Plan:
    """The plan for one view of `messages`, which follow `digest` in conversation order.

    `open_end` leaves the last unit unchanged, however large, if it has pending calls: for a run that continues after
    an interrupt, before its next model call.

    Guarantees: `tokens` is at most the budget's limit; every tool call is with its results; the first message is a
    system or user message; none is empty. Raises: PinnedTooLarge if the system messages alone leave no room;
    FoldRequired if `context` must not fold but would have to.
    """
    if extras == NO_EXTRAS and (made := plan_unchanged(messages, digest, context)) is not None:
        return made
    make = partial(_plan, messages, digest, context, extras, open_end)
    return context.cache.plan(messages, digest, (context.limits, extras, open_end), make)


def _plan(
    messages: Sequence[Message], digest: Digest | None, context: PlanContext, extras: Extras, open_end: bool
) -> Plan:
    pinned = pinned_messages(messages, context)
    rest = [message for message in messages if message.role is not Role.SYSTEM]
    whole = units(rest)
    waiting = whole.pop() if open_end and whole and not whole[-1].complete else None
    parts = [settled for unit in whole if (settled := _settle(unit, context)) is not None]
    parts = _without_courtesies(parts) if context.limits.terse else parts
    asked = newest_question(parts)
    free = context.limits.total - sum(m.tokens for m in pinned)
    held = min(waiting.tokens, free // 2) if waiting else 0
    spare = room_from_question(parts, asked, free - held)
    added = additions(extras, free, _question(messages), context, most_tokens=spare)
    spare -= sum(m.tokens for m in added)
    fixed = context.limits.total - free + sum(m.tokens for m in added) + held
    steps = walk(parts, fixed, digest, asked=asked, context=context)
    grown = _extend_digest(digest, messages, parts, steps, context)
    kept = [*map(_clip_unit, parts[steps.folded : steps.clipped]), *parts[max(steps.folded, steps.clipped) :]]
    question = parts[asked] if asked is not None and asked < steps.folded else None
    said = frozenset(question.seqs) if question else frozenset[int]()
    condensed = digest_head(grown, free, context, said, most_tokens=spare)
    head = [condensed.message] if condensed.message else []
    body = [*([question] if question else []), *kept]
    first = head or [opening_message(context)]
    room = context.limits.total - fixed - sum(m.tokens for m in head)
    squeezed = squeeze(body, room, context=context)
    if not head and squeezed and not squeezed[0].starts_turn:
        squeezed = squeeze(body, room - first[0].tokens, context=context)
    body = squeezed + ([waiting] if waiting else [])
    shown = _with_additions(body, added)
    if shown and shown[0].role is not Role.USER:
        head = first
    final = (*pinned, *head, *shown)
    return Plan(
        final,
        _decisions(messages, digest, parts, steps, body, {m.seq for m in pinned}),
        sum(message.tokens for message in final),
        _raw_tokens(messages, digest),
        grown,
        condensed.hidden_rules,
    )


def walk(parts: Sequence[Unit], fixed: int, digest: Digest | None, *, asked: int | None, context: PlanContext) -> Steps:
    """How far the units are clipped and folded, found by adding them one after another.

    `fixed` tokens are taken by other parts of the view; `asked` is the index of the newest question, which is never
    folded. A unit that takes the sum over the facts threshold starts a step: everything before it is clipped and, if
    the sum is still over the fold target, the oldest are folded. The last turns (`keep_turns`), or the last units of
    a long one, are folded only if they take more than midway to the threshold. An exchange that alone is over the
    threshold is clipped as soon as another unit follows; what is before it is folded only as far as it takes more than
    half of the limit. With `whole_tool_outputs` the older long outputs are clipped earlier, in batches, so that most
    added units clip nothing.
    """
    limits, budget = context.limits, context.limits.budget
    threshold, target = budget.threshold_tokens, budget.fold_target_tokens
    midway, half = budget.keep_tokens(budget.facts_at), limits.total // 2
    whole_outputs = limits.whole_tool_outputs
    digest_now, digest_grown = digest_tokens(digest, context), digest_reserve(digest, context)
    prices = [unit.tokens for unit in parts]
    total = fixed + digest_now
    if whole_outputs is None and total + sum(prices) <= threshold:
        return Steps(0, 0)
    starts = [i for i, unit in enumerate(parts) if unit.starts_turn]
    folded = clipped = outputs = cut = 0
    folds: list[int] = []

    def clip_before(place: int) -> None:
        nonlocal clipped, total
        total -= sum(unit.tokens - unit.view_tokens for unit in parts[max(clipped, folded) : place])
        clipped = max(clipped, place)

    for index, price in enumerate(prices):
        if cut:
            clip_before(index)
            cut = 0
        total += price
        if whole_outputs is not None:
            outputs += parts[index].long_outputs
            if outputs > 2 * whole_outputs:
                place, outputs = _last_outputs(parts, index + 1, whole_outputs)
                clip_before(place)
        if total <= threshold:
            continue
        outputs = 0 if clipped > index else parts[index].long_outputs
        clip_before(index)
        kept_from = _first_kept(starts, index, limits.keep_turns)
        # An exchange that no view can show whole is cut to what the others leave; so these leave half. A question,
        # which comes before them while it is the newest, is not.
        cut = 0 if parts[index].starts_turn or price <= threshold or clipped > index else price
        least, most = (min(target, half), min(midway, half)) if cut else (target, midway)
        total -= cut
        while folded < index and total > least and (folded < kept_from or total > most):
            if folded == 0:
                total += digest_grown - digest_now
            total -= parts[folded].view_tokens
            if folded == asked:
                # The newest question moves behind the digest, and is whole there.
                total += parts[folded].tokens
            folded += 1
        if folded and folded - 1 == asked:
            # With nothing folded behind it, it just stays where it is.
            total -= parts[asked].tokens - parts[asked].view_tokens
            folded -= 1
        total += cut
        if folded > (folds[-1] if folds else 0):
            folds.append(folded)
    return Steps(folded, clipped, tuple(folds))


def _first_kept(starts: Sequence[int], index: int, keep_turns: int) -> int:
    """The index of the first unit that is kept as long as there is room, seen from `index`: the last `keep_turns`
    turns, or the last units of a longer turn. `starts` are the indexes at which turns begin."""
    turns = bisect_right(starts, index)
    turn_from = starts[turns - 1] if turns else 0
    if index - turn_from > KEPT_UNITS:
        return index - KEPT_UNITS
    return starts[turns - keep_turns] if turns >= keep_turns else 0


def _last_outputs(parts: Sequence[Unit], end: int, most: int) -> tuple[int, int]:
    """The index of the first unit before `end` with one of the last `most` long outputs, and how many there are."""
    held = 0
    while end and held < most:
        end -= 1
        held += parts[end].long_outputs
    return end, held


def _extend_digest(
    digest: Digest | None, messages: Sequence[Message], parts: Sequence[Unit], steps: Steps, context: PlanContext
) -> Digest | None:
    """The digest with all that the walk folded, step by step, so that a longer list only adds a step.

    Digests of shorter lists are cached; the result does not depend on the cache.
    """
    if not steps.folds:
        return digest
    memory, made_of = context.cache, [fingerprint(digest, context.limits)]
    for start, end in pairwise((0, *steps.folds)):
        prints = [memory.fingerprint(message) for unit in parts[start:end] for message in unit.messages]
        made_of.append(fingerprint(made_of[-1], *prints))
    # From the last cached step on: in a long run the first ones are dropped some day.
    grown, done = digest, 0
    for step in range(len(steps.folds), 0, -1):
        known = memory.known_digest(made_of[step])
        if known is not None:
            grown, done = known, step
            break
    if done < len(steps.folds) and not context.folds:
        raise FoldRequired
    covers = _covers(digest, messages, parts, steps.folds)
    for step in range(done, len(steps.folds)):
        start, end = (0, *steps.folds)[step : step + 2]
        gone = [message for unit in parts[start:end] for message in unit.messages]
        make = partial(fold, grown, gone, covers[step], context=context)
        # A longer list shares these steps or all but the last ones; caching more would only evict others.
        last = len(steps.folds) - step <= REMEMBERED_STEPS
        grown = memory.digest(made_of[step + 1], make) if last else make()
    return grown


def _settle(unit: Unit, context: PlanContext) -> Unit | None:
    """The unit in a form that providers accept: no unanswered call, nothing empty; None if nothing is left."""
    first = unit.first
    if len(unit.messages) == 1 and not first.tool_calls:
        return None if first.empty else unit
    results = unit.messages[1:]
    sound = unit.complete and len({call.id for call in first.tool_calls}) == len(first.tool_calls)
    if sound and not any(message.empty for message in results):
        return None if first.empty else unit
    if not sound:
        answered = {message.tool_call_id for message in unit.messages[1:]}
        # Some models repeat call ids; only the first of equal ones can be matched.
        calls = {call.id: call for call in reversed(first.tool_calls) if call.id in answered}
        first = replace(first, tool_calls=tuple(reversed(calls.values())), rendition="clip")
        first = replace(first, tokens=context.measure(first))
    return None if first.empty else Unit((first, *(_non_empty(message, context) for message in results)))


def _without_courtesies(parts: Sequence[Unit]) -> list[Unit]:
    """`parts` without filler messages, except for the newest user message."""
    asked = newest_question(parts)
    return [u for place, u in enumerate(parts) if place == asked or u.first.importance is not Importance.DISCARD]


def _non_empty(message: Message, context: PlanContext) -> Message:
    """A non-empty tool result, since providers refuse empty ones."""
    if not message.empty:
        return message
    said = replace(message, content="(no output)", aside="", rendition="clip")
    return replace(said, tokens=context.measure(said))


def _clip_unit(unit: Unit) -> Unit:
    return Unit(tuple(_replace_by_clip(message) for message in unit.messages))


def _replace_by_clip(message: Message) -> Message:
    if message.clip is None:
        return message
    short = replace(message, content=message.clip, media=(), aside="", rendition="clip")
    return replace(short, tokens=message.clip_tokens)


def _covers(
    digest: Digest | None, messages: Sequence[Message], parts: Sequence[Unit], folds: Sequence[int]
) -> list[Ranges]:
    """For each fold position, the part of the record up to the last unit before it, in conversation order, including
    pinned messages."""
    before = digest.covers if digest else Ranges()
    places = {message.seq: place for place, message in enumerate(messages)}
    ends = list(accumulate((max((places.get(seq, -1) for seq in unit.seqs), default=-1) for unit in parts), max))
    covers: list[Ranges] = []
    grown, end = before, 0
    for point in folds:
        gone = [m.seq for m in messages[end : ends[point - 1] + 1] if m.seq and m.seq not in before]
        grown, end = grown.plus(Ranges.of(gone)), ends[point - 1] + 1
        covers.append(grown)
    return covers


def _with_additions(body: Sequence[Unit], additions: Sequence[Message]) -> list[Message]:
    """The units' messages, with `additions` right before the newest user message (else at the end)."""
    newest = newest_question(body)
    at = len(body) if newest is None else newest
    before = [message for unit in body[:at] for message in unit.messages]
    return [*before, *additions, *[message for unit in body[at:] for message in unit.messages]]


def add_recalled(made: Plan, text: str, quoted: tuple[Recalled, ...], limit_tokens: int, context: PlanContext) -> Plan:
    """The plan with `text`, which quotes the messages `quoted`, as a message right before its newest user message
    (else at its end), if there is room."""
    if not text:
        return made
    recalled = Message(Role.USER, text, id="llm-sessions:recall", origin="recall")
    recalled = replace(recalled, tokens=context.measure(recalled))
    if made.tokens + recalled.tokens > limit_tokens:
        return made
    said = [i for i, m in enumerate(made.messages) if m.role is Role.USER and m.origin == "record"]
    at = said[-1] if said else len(made.messages)
    messages = (*made.messages[:at], recalled, *made.messages[at:])
    return replace(made, messages=messages, tokens=made.tokens + recalled.tokens, recalled=quoted)


def _question(messages: Sequence[Message]) -> str:
    return next((message.content for message in reversed(messages) if message.role is Role.USER), "")


def _raw_tokens(messages: Sequence[Message], digest: Digest | None) -> int:
    return (digest.tokens if digest else 0) + sum(message.tokens for message in messages)


def _decisions(
    messages: Sequence[Message],
    digest: Digest | None,
    parts: Sequence[Unit],
    steps: Steps,
    body: Sequence[Unit],
    pinned: Collection[int],
) -> tuple[Decided, ...]:
    made: list[Decided] = []
    if digest:
        made.append((digest.covers, Choice.FOLD, digest.tokens, f"digest {digest.number}"))
    folded = {message.seq for unit in parts[: steps.folded] for message in unit.messages}
    if folded:
        gone = [message.seq for message in messages if message.seq in folded]
        made.append((Ranges.of(gone), Choice.FOLD, 0, "over the facts threshold"))
    standing = {message.seq: message for unit in body for message in unit.messages}
    whole = Choice.WHOLE
    for message in messages:
        seq = message.seq
        shown = standing.get(seq)
        if seq in pinned and message.role is Role.SYSTEM:
            made.append((seq, whole, message.tokens, "system message"))
        elif shown is not None and shown.rendition == "clip":
            made.append((seq, Choice.CLIP, shown.tokens, f"{message.tokens} tokens whole"))
        elif shown is not None:
            made.append((seq, whole, shown.tokens, "recent"))
        elif seq not in folded:
            talk = message.importance is Importance.DISCARD and message.content.strip()
            why = "small talk, which goes first" if talk else "does not fit, or has nothing that a provider accepts"
            made.append((seq, Choice.DROP, 0, why))
    return tuple(made)
