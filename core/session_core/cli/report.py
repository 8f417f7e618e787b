"""Prints a journal on the terminal: a table of turns, curves, and totals."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from session_core.budget import Tier
from session_core.cli.journal import Journal, Turn, tier_changes
from session_core.cli.terminal import bar, columns, size, spark
from session_core.outputs.pieces import counted

MOST_ROWS = 70
"""A longer run is shown in so many rows at most; what is left out is said below the table."""

LETTERS = {Tier.NORMAL: "·", Tier.SUMMARIZE: "s", Tier.FACTS: "f", Tier.NOTIFY: "n"}


def table(journal: Journal) -> list[str]:
    """A row for each turn; of a long run every n-th, and those where the tier changed."""
    shown = _shown(journal.turns)
    sized = any(turn.store_bytes is not None for turn in journal.turns)
    headers = ["turn", "record", "view", "of limit", "clipped", "folded", "dropped"]
    headers += ["database"] if sized else []
    headers += ["SqliteSaver"] if journal.without_bytes else []
    lines = columns([*headers, "tier"], [_row(turn, journal, sized) for turn in shown], left=0)
    left_out = len(journal.turns) - len(shown)
    if left_out:
        lines.append(f"({left_out} more turns are not shown)")
    return lines


def curves(journal: Journal) -> list[str]:
    """Record, view, tiers, folds and bytes as lines of the terminal's width."""
    turns = journal.turns
    if not turns:
        return []
    room = max(20, min(100, shutil.get_terminal_size((100, 24)).columns - 40))
    step = max(1, -(-len(turns) // room))
    stretches = [turns[i : i + step] for i in range(0, len(turns), step)]
    limit = journal.budget.limit_tokens
    tiers = "".join(LETTERS[max(turn.tier for turn in some)] for some in stretches)
    folds = "".join("▲" if any(turn.folds for turn in some) else " " for some in stretches)
    end, most = turns[-1].record_tokens, journal.most_view_tokens
    record = spark([turn.record_tokens for turn in turns], top=end, width=room)
    view = spark([turn.view_tokens for turn in turns], top=limit, width=room)
    lines = [
        f"record  {record}  {end:,} tokens at the end",
        f"view    {view}  at most {most:,} of {limit:,}",
        f"tier    {tiers}  {counted(len(tier_changes(turns)), 'change')} (s summarize, f facts, n notify)",
        f"digest  {folds}  {sum(t.folds for t in turns)} written",
    ]
    return [*lines, *_bytes(journal, room)]


def _bytes(journal: Journal, room: int) -> list[str]:
    ours, theirs = journal.turns[-1].store_bytes, journal.without_bytes
    if ours is None:
        return []
    top = max(ours, theirs[-1] if theirs else 0)
    lines = [f"SessionSaver  {bar(ours, top=top, width=room)}  {size(ours)}"]
    if theirs:
        lines.append(f"SqliteSaver   {bar(theirs[-1], top=top, width=room)}  {size(theirs[-1])}")
    return lines


def _shown(turns: Sequence[Turn]) -> list[Turn]:
    if len(turns) <= MOST_ROWS:
        return list(turns)
    step = -(-len(turns) // (MOST_ROWS // 2))
    told = {turn.number for turn in tier_changes(turns)[: MOST_ROWS // 2 - 1]}
    return [t for t in turns if t.number in told or t.number % step == 0 or t is turns[-1]]


def _row(turn: Turn, journal: Journal, sized: bool) -> list[str]:
    folds = f", digest {journal.folds_until(turn)}" if turn.folds else ""
    row = [
        f"{turn.number}",
        f"{turn.record_tokens:,}",
        f"{turn.view_tokens:,}",
        f"{turn.view_tokens / journal.budget.limit_tokens:.0%}",
        f"{turn.clipped}",
        f"{turn.folded}",
        f"{turn.dropped}",
    ]
    if sized:
        row.append("" if turn.store_bytes is None else size(turn.store_bytes))
    if journal.without_bytes:
        theirs = journal.without_bytes[turn.number - 1 : turn.number]
        row.append(size(theirs[0]) if theirs else "")
    return [*row, f"{turn.tier}{folds}"]
