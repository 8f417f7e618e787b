"""When to notify a user that a conversation is long, and the text of the notice."""

from __future__ import annotations

from collections.abc import Sequence

from session_core.budget import Budget
from session_core.events import Notice
from session_core.ports import State

NEWS_FACTOR = 2
"""A record that has grown by this factor since the last notice is news. So the number of notices grows with the
logarithm of the record, however often the pressure rises again after folds."""


def notice_of(state: State, tokens: int, budget: Budget, *, now_s: float) -> Notice:
    """The notice for a session whose conversation has `tokens`."""
    pressure = budget.pressure(tokens)
    fills = f"fills {pressure:.0%} of what" if pressure < 1 else "is longer than what"
    text = (
        f"This conversation {fills} the assistant can read at once. Older parts are being summarized; nothing is "
        "lost, and you can start a new conversation at any time."
    )
    return Notice(
        text,
        pressure,
        state.version,
        now_s,
        record_tokens=state.ledger.tokens,
        record_messages=state.ledger.messages,
    )


def is_news(state: State, told: Sequence[Notice]) -> bool:
    """Whether a user who got the notices `told` (oldest first) should get another: the record doubled, the session was
    resumed after an absence or a reset, or it went back to less than half of what it was (a fork)."""
    if not told:
        return True
    last, ledger = told[-1], state.ledger
    if ledger.tokens >= last.record_tokens * NEWS_FACTOR or state.resumed_after_seq >= last.record_messages:
        return True
    # A conversation that lost only its beginning was trimmed, which is no news.
    left = max(
        (min(end, last.record_messages) for begin, end in state.head.pairs if begin <= last.record_messages), default=0
    )
    return 0 < left * 2 < last.record_messages
