"""Running totals of a session, stored with it so that nobody has to read the record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from session_core.turns import Message, Role

MOST_OPEN_CALLS = 128
"""How many open calls are tracked, or as many as the newest message has; older ones count as never answered. Without a
bound, a session whose runs are interrupted would grow with each of them."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Running totals over the whole record of a session.

    `tokens` is the size of all messages uncompressed, `view_tokens` with large tool outputs clipped. `open_calls` are
    the newest tool calls without results (`MOST_OPEN_CALLS`). `authors` are the distinct authors of user messages, in
    the order of their first message.
    """

    messages: int = 0
    turns: int = 0
    tokens: int = 0
    view_tokens: int = 0
    largest_tokens: int = 0
    open_calls: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    first_time_s: float | None = None
    last_time_s: float | None = None

    def plus(self, messages: Iterable[Message]) -> Ledger:
        """The totals after `messages` were appended."""
        total = self
        for message in messages:
            total = total._plus_one(message)
        return total

    def _plus_one(self, message: Message) -> Ledger:
        calls = [call for call in self.open_calls if call != message.tool_call_id]
        calls += [call.id for call in message.tool_calls]
        calls = calls[-max(MOST_OPEN_CALLS, len(message.tool_calls)) :]
        spoke = message.role is Role.USER and message.author and message.author not in self.authors
        return replace(
            self,
            messages=self.messages + 1,
            turns=self.turns + (message.role is Role.USER),
            tokens=self.tokens + message.tokens,
            view_tokens=self.view_tokens + message.view_tokens,
            largest_tokens=max(self.largest_tokens, message.tokens),
            open_calls=tuple(calls),
            authors=(*self.authors, message.author) if spoke and message.author else self.authors,
            first_time_s=self.first_time_s if self.first_time_s is not None else message.time_s,
            last_time_s=message.time_s if message.time_s is not None else self.last_time_s,
        )
