"""Selects the oldest turns that a fold takes, and where the covered part ends."""

from __future__ import annotations

from collections.abc import Sequence

from session_core.compress.plan_cache import PlanContext
from session_core.plan import Digest
from session_core.turns import Message, Role, Unit


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


def _speaks(message: Message) -> bool:
    """Whether the message belongs to a unit: system messages are pinned, orphans and empty ones belong to none."""
    return (
        message.role is Role.USER or bool(message.tool_calls) or (message.role is Role.ASSISTANT and not message.empty)
    )
