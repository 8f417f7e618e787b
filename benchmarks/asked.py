"""Time of a view for a question to 2,000 messages, beside what people use instead."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from benchmarks.quality_data import Conversation, Probe
from benchmarks.quality_methods import Asked, Contexts, Oracle
from benchmarks.quality_ours import Ours
from benchmarks.quality_rivals import LangMem, rivals
from benchmarks.quality_sessions import made_sets
from benchmarks.timing import Contender, interleaved, median_ms, percentile_ms, say, table

MESSAGES = 2_000
BUDGET_TOKENS = 4_000
QUESTIONS = 40
SEED = 7
SLOW = (Oracle, LangMem)
"""No rival; and one that takes a minute to read so much, message by message."""


def main() -> None:
    """Print a row for each method: the median and what 95 of 100 contexts stay under, in milliseconds."""
    conversation, probes = _long()
    others, missing = rivals()
    methods = [
        Ours("ours", folded=True),
        Ours("ours, not folded"),
        *(one for one in others if not isinstance(one, SLOW)),
    ]
    times = interleaved(
        [Contender(method.name, _asking(method.begin(conversation), probes)) for method in methods],
        QUESTIONS,
        collect=False,
    )
    say(
        f"A context of {BUDGET_TOKENS:,} tokens for a question to {MESSAGES:,} messages, made up: agents with tools,",
        f"chats, meetings. {QUESTIONS} questions, after warm-up, in turns. Rivals are handed messages in memory.",
        *missing,
    )
    base, *_ = map(median_ms, times.values())
    rows = [[name, median_ms(took), percentile_ms(took, 95), median_ms(took) / base] for name, took in times.items()]
    table(["", "median ms", "p95 ms", "x ours"], rows)


def _long() -> tuple[Conversation, list[Probe]]:
    """Made-up conversations one after another, and the questions that were put to them."""
    each = [one for kinds in zip(*made_sets(SEED, each=16).values(), strict=True) for one in kinds]
    said = [message for one in each for message in one.messages]
    messages = [message | {"turn_id": f"t{place}"} for place, message in enumerate(islice(said, MESSAGES), start=1)]
    if len(messages) < MESSAGES:
        raise SystemExit(f"only {len(messages)} messages were made up; more conversations of each kind are needed")
    probes = [probe for one in each for probe in one.probes if not probe.of_value]
    return Conversation("long", tuple(messages), ()), probes


def _asking(contexts: Contexts, probes: list[Probe]) -> Callable[[int], object]:
    def ask(turn: int) -> object:
        return contexts(Asked(MESSAGES, BUDGET_TOKENS, probes[turn % len(probes)]))

    return ask
