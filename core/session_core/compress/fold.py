"""Folds the oldest units of a record into a digest: which turns, where the covered part ends, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from session_core.compress.digest_text import digest_message, fact_lines
from session_core.compress.plan_cache import PlanContext
from session_core.compress.summary import amended_lines, summarize
from session_core.fact_selection import select_places
from session_core.facts import extract, merge, open_question
from session_core.plan import Digest, Fact, seqs_of
from session_core.ranges import Ranges
from session_core.recall.amendments import statements, with_corrections
from session_core.turns import Importance, Message, Role, Unit

STORED_FACTS = 4
"""A digest stores up to this many times the facts that a view has room for, so that later views can choose."""
STORED_RULES = 16_000
"""Tokens of standing rules that a digest stores in addition, whether a view has room for them or not."""


def fold_point(parts: Sequence[Unit], fixed_tokens: int, digest: Digest | None, *, context: PlanContext) -> int:
    """How many of the oldest units a fold takes: whole turns, as few as bring the view to the target.

    The last `keep_turns` turns stay verbatim as long as they take less than midway from the target to the threshold;
    the last turn always stays. 0 if nothing is to be folded.
    """
    limits, budget = context.limits, context.limits.budget
    starts = [i for i, unit in enumerate(parts) if unit.starts_turn and i > 0]
    if not starts:
        return 0
    most = budget.keep_tokens(budget.summarize_at)
    reserve = max(limits.summary_room + limits.facts_room, digest.tokens if digest else 0)
    left = fixed_tokens + reserve + sum(unit.tokens for unit in parts)
    keep_from = starts[-limits.keep_turns] if len(starts) >= limits.keep_turns else starts[0]
    point = 0
    for start in starts:
        enough = left <= budget.fold_target_tokens
        if enough or (start > keep_from and left <= most):
            break
        left -= sum(unit.tokens for unit in parts[point:start])
        point = start
    return point


def covered_prefix(messages: Sequence[Message], chosen: Sequence[Unit]) -> int:
    """How many of `messages` a fold of the units `chosen` covers: a prefix without messages of other units, so that
    concurrent turns are never folded partly."""
    seqs = {seq for unit in chosen for seq in unit.seqs}
    ends = [i for i, message in enumerate(messages) if message.seq in seqs]
    if not ends:
        return 0
    outside = (i for i, m in enumerate(messages[: ends[-1]]) if m.seq not in seqs and _speaks(m))
    return min(ends[-1] + 1, next(outside, len(messages)))


def fold(
    base: Digest | None,
    messages: Sequence[Message],
    covers: Ranges,
    *,
    context: PlanContext,
    summary: str | None = None,
    found: Sequence[Fact] = (),
) -> Digest:
    """The digest of `base` and `messages`, which replaces `covers` of the record.

    `summary` is a checked summary of a model; without it the extractive one is used. Facts are always extracted by
    rules, so that a model cannot lose one; `found` are additional facts of a model.
    """
    give_way = context.give_way
    said = [m for m in messages if m.role is not Role.SYSTEM]
    asked = base.asked if base else None
    stated = extract([_brief(message) for message in said], asked=asked, give_way=give_way)
    stated = sorted([*stated, *found], key=lambda fact: fact.seq) if found else stated
    if summary is None:
        summary = _summary(base.summary if base else "", said, stated, context)
    else:
        summary = amended_lines(summary, stated, give_way=give_way)
    known = merge(base.facts if base else (), stated, give_way=give_way)
    lines = fact_lines(known, context.count, base, context.cache.known_lines(base) if base else None)
    facts_room = STORED_FACTS * context.limits.facts_room + min(STORED_RULES, lines.rules_tokens)
    kept = select_places(known, lines.tokens, facts_room)
    facts = tuple([known[place] for place in kept])
    give_way()
    pinned = seqs_of([m for m in messages if m.role is Role.SYSTEM])
    digest = Digest(
        covers,
        summary,
        facts,
        pinned=base.pinned.plus(pinned) if base else pinned,
        covered_tokens=(base.covered_tokens if base else 0) + sum(m.tokens for m in messages),
        covered_messages=(base.covered_messages if base else 0) + len(messages),
        asked=open_question(said),
    )
    context.cache.lines(digest, lambda: lines.at(kept))
    return context.cache.carry_over(digest, replace(digest, tokens=digest_message(digest, context=context).tokens))


def _summary(previous: str, said: Sequence[Message], stated: Sequence[Fact], context: PlanContext) -> str:
    """The summary by rules of what was `said` behind `previous`, with what was corrected since."""
    room, give_way = context.limits.summary_room, context.give_way
    if not room:
        # As in small views with quotes, which leave the digest only its facts.
        return ""
    told = [message for message in said if message.importance is not Importance.DISCARD]
    every = [one for message in told if message.role is Role.USER for one in statements(message)]
    corrected = with_corrections(told, stated, give_way=give_way)
    amended = amended_lines(previous, [*stated, *every], give_way=give_way)
    return summarize(amended, corrected, max_tokens=room, count=context.count, give_way=give_way)


def _brief(message: Message) -> Message:
    """A tool output's clip, which keeps everything that facts are made of and is fast to read."""
    if message.clip is None:
        return message
    text, _, mark = message.clip.rpartition("\n")
    return replace(message, content=text if mark.startswith("[clipped") else message.clip)


def _speaks(message: Message) -> bool:
    """Whether the message belongs to a unit: system messages are pinned, orphans and empty ones belong to none."""
    return (
        message.role is Role.USER or bool(message.tool_calls) or (message.role is Role.ASSISTANT and not message.empty)
    )
