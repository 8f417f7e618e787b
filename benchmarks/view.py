"""Time of a view at 100, 1,000 and 10,000 messages, with a question too, beside `trim_messages` on the same ones."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, trim_messages

from benchmarks import asked
from langchain_session import SessionChatMessageHistory
from session_core import Budget, Policy, Sessions

SIZES = (100, 1_000, 10_000)
BUDGET_TOKENS = 8_000
ROUNDS = 7


def main() -> None:
    """Print a row for each size: medians in milliseconds, and their ratio."""
    print(f"budget {BUDGET_TOKENS:,} tokens, 300 characters a message, medians of {ROUNDS} in milliseconds")
    print(f"{'messages':>9} {'history.messages':>17} {'trim_messages, approximate':>27} {'ratio':>7}")
    with tempfile.TemporaryDirectory() as folder:
        policy = Policy(Budget(BUDGET_TOKENS, reply_reserve_tokens=0), folding="inline")
        with Sessions(f"sqlite:///{Path(folder, 'view.db')}", policy=policy) as sessions:
            for size in SIZES:
                said = [_message(number) for number in range(size)]
                history = SessionChatMessageHistory(f"of {size}", sessions=sessions)
                for start in range(0, size, 20):
                    history.add_messages(said[start : start + 20])
                ours = _median_ms(lambda history=history: history.messages)
                theirs = _median_ms(lambda said=said: _trimmed(said))
                print(f"{size:>9,} {ours:>17.1f} {theirs:>27.1f} {theirs / ours:>7.1f}")
    asked.main()


def _message(number: int) -> BaseMessage:
    text = f"message {number} says something about the garden and the kitchen. " * 5
    return HumanMessage(text[:300]) if number % 2 == 0 else AIMessage(text[:300])


def _trimmed(said: list[BaseMessage]) -> list[BaseMessage]:
    return trim_messages(said, max_tokens=BUDGET_TOKENS, token_counter="approximate", start_on="human")


def _median_ms(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(taken)
