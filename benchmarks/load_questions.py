"""The same load, when every tenth session is asked in each of its views about what it said long ago."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.conversation import Said
from benchmarks.load_clients import ARRIVING_S, PER_SECOND, Client
from benchmarks.load_loops import EVERY, Outcome
from benchmarks.timing import median_ms, percentile_ms, say, table

ROUNDS = 2
"""After each the questions that still wait are answered, which takes longer than the round."""
QUESTIONS = 1_000
WORDS = 5
"""Words of an old message that a question has."""
STEP = 7
"""From one question to the next, in messages of users: those that follow each other are about other parts."""


def questions(said: Sequence[Said]) -> Iterator[str]:
    """Different questions with words that stand one after the other in a message of a user."""
    users = [one["content"].split() for one in said if one["role"] == "user"]
    for number in range(QUESTIONS):
        words = users[number * STEP % len(users)]
        first = number // len(users) * WORDS
        yield f"What did I say about {' '.join(words[first : first + WORDS])}?"


def run(clients: Sequence[Client]) -> None:
    """First questions in each process, then the rounds, by turns."""
    for one in clients:
        one.load("first")
    for _ in range(ROUNDS):
        for one in clients:
            one.load("arriving")


def show(clients: Sequence[Client], plain: Sequence[Client]) -> None:
    """Print the table, and what a question takes alone. `plain` are those without questions."""
    say(
        f"The open loop with questions: every {EVERY}th session is asked in each of its cycles, {PER_SECOND // EVERY}",
        f"a second, {ROUNDS} rounds of {ARRIVING_S:g} s, each time with words of another old message. asked: views",
        "with a question; view: the others, beside whom they are worked on; quoted: messages of the record that a view",
        "with a question brought back. A process works on one question at a time: those that come faster than it can",
        "answer wait for each other (asked); the views and appends of the other sessions stand in no line behind them,",
        "but share the interpreter with the one at work.",
    )
    rows = [_row(f"{one.voice}, ours", one.arriving) for one in plain]
    rows += [_row(f"{one.voice}, ours, asked", one.arriving) for one in clients]
    head = [f"{what} p{p}" for what in ("asked", "view") for p in (50, 95, 99)]
    table(["", *head, "append p99", "unserved", "errors", "quoted", "cpu ms"], rows)
    for one in clients:
        half = len(one.first.asked) // 2
        first, later = one.first.asked[:half], one.first.asked[half:]
        say(
            f"first question, {one.voice}, nothing else at work: the first that a process asks a session reads its",
            f"whole record once. Of {half} sessions, one after the other: median {median_ms(first):.0f} ms, p99",
            f"{percentile_ms(first, 99):.0f} ms; the second to each: median {median_ms(later):.0f} ms, p99",
            f"{percentile_ms(later, 99):.0f} ms.",
        )


def _row(name: str, seen: Outcome) -> list[object]:
    with_question = [percentile_ms(seen.asked, p) if seen.asked else "" for p in (50, 95, 99)]
    without = [percentile_ms(seen.views, p) for p in (50, 95, 99)]
    quoted = sum(seen.quoted) / len(seen.quoted) if seen.quoted else ""
    counts = [len(seen.unserved), len(seen.errors), quoted, seen.cpu_ms]
    return [name, *with_question, *without, percentile_ms(seen.appends, 99), *counts]
