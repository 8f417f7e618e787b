"""The policy of `worker_app`, for the application of a test and for its worker processes."""

from __future__ import annotations

from session_core import Budget, Policy
from session_core.ports import Summarizer, SummaryRequest


class Quarters:
    """Counts tokens without a table, which would take longer to load than a test."""

    name, exact = "quarters", False

    def count(self, text: str) -> int:
        return len(text) // 4 + 1


class Nothing:
    """Leaves the summary to the rules, under the name of the one that the workers have."""

    name = "held"

    def summarize(self, request: SummaryRequest) -> str:
        return ""


def policy_with(summarizer: Summarizer) -> Policy:
    return Policy(Budget(2_000, reply_reserve_tokens=0), summarizer=summarizer, counter=Quarters())
