"""What the benchmarks of the stores have in common: the policy, the sizes, and the two tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.conversation import Said, batches
from benchmarks.timing import Times, median_ms, percentile_ms, say, table
from session_core import Budget, Policy, Session

BUDGET_TOKENS = 8_000
POLICY = Policy(Budget(BUDGET_TOKENS, reply_reserve_tokens=0), folding="inline")
SIZES = (100, 1_000, 10_000)
BEFORE = 1_000
"""Messages in a session before the appends that are timed."""
APPENDS = 2_000
TURNS = 11
IN_A_ROW = 5
"""Calls of a view in one turn; a history that is read whole has one."""


def converse(session: Session, said: Iterable[Said]) -> None:
    """Append turn by turn."""
    for batch in batches(iter(said)):
        session.append(batch)


def print_appends(times: Times) -> None:
    """The table of appends; the first contender is the floor."""
    say(
        f"Append of one message of 300 characters to a session of {BEFORE:,}: {APPENDS:,} calls each, in turns.",
        f"session.append counts, classifies and folds (inline, budget {BUDGET_TOKENS:,} tokens) what it is given.",
    )
    base, *_ = map(median_ms, times.values())
    rows = [[name, median_ms(took), percentile_ms(took, 99), median_ms(took) / base] for name, took in times.items()]
    table(["", "median ms", "p99 ms", "x floor"], rows)


@dataclass(frozen=True, slots=True)
class Viewed:
    """Views of one session: how many messages were read, in how many bytes, by the floor too; medians in ms."""

    size: int
    messages: int
    sent: int
    floor_sent: int
    ms: dict[str, float]

    @classmethod
    def of(cls, size: int, messages: int, sent: tuple[int, int], times: Times) -> Viewed:
        """The medians of `times`, whose contenders are floor, view, history and a peer, in this order."""
        return cls(size, messages, *sent, {name: median_ms(took) for name, took in times.items()})

    def row(self) -> list[object]:
        """As a row of the table."""
        floor, view, history, peer = self.ms.values()
        ratios = [view / floor, history / floor, peer / view]
        return [self.size, self.messages, self.sent, self.floor_sent, *self.ms.values(), *ratios]


def print_views(viewed: Sequence[Viewed], floor: str) -> None:
    """The table of views."""
    say(
        f"View of a session, budget {BUDGET_TOKENS:,} tokens, folded inline; every fourth message a 4 KB tool result,",
        f"the others 300 characters. Medians of {TURNS} turns in ms: {IN_A_ROW} calls a turn, 1 where all is read.",
        f"floor: {floor}.",
    )
    names = list(viewed[0].ms)
    head = ["messages", "read", "bytes", "floor's bytes", *names, "view/floor", "history/floor", f"{names[-1]}/view"]
    table(head, [one.row() for one in viewed])
    grown = ", ".join(f"{name} x {viewed[-1].ms[name] / viewed[0].ms[name]:.2f}" for name in names)
    print(f"  {viewed[-1].size:,} messages against {viewed[0].size:,}: {grown}")
