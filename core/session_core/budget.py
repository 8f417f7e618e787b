"""The token budget of a view: window, reply reserve, thresholds, and the tier for a pressure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar

from session_core.errors import BudgetError

MIN_LIMIT_TOKENS = 48
"""Smallest view that can hold a digest, a question and a clipped tool exchange and still be valid."""
LEAST_PART_TOKENS = 32
"""Smallest part of a view for its turns, beside what is brought back."""

LEAST_EXCHANGE_TOKENS = 64
"""What a call with its result needs, both cut; so much is left of a view for the newest ones behind a question."""


class Tier(IntEnum):
    """What a pressure requires; a higher tier includes the lower ones."""

    NORMAL = 0
    SUMMARIZE = 1
    FACTS = 2
    NOTIFY = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Budget:
    """The token limits of a view. All shares are of `limit_tokens`, the window minus the reply reserve.

    `hysteresis` is how far below `summarize_at` a fold goes. The larger it is, the more turns pass until the next
    fold, and between folds a view only grows at its end, so that the provider's prompt cache is hit. Raises:
    BudgetError for values that contradict each other.
    """

    least_tokens: ClassVar[int] = MIN_LIMIT_TOKENS

    window_tokens: int = 128_000
    reply_reserve_tokens: int | None = field(default=None, kw_only=True)
    summarize_at: float = field(default=0.6, kw_only=True)
    facts_at: float = field(default=0.8, kw_only=True)
    notify_at: float = field(default=0.9, kw_only=True)
    hysteresis: float = field(default=0.25, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.window_tokens, int) or isinstance(self.window_tokens, bool):
            raise BudgetError(f"window_tokens={self.window_tokens!r}; pass a whole number of tokens")
        if self.reply_reserve_tokens is None:
            object.__setattr__(self, "reply_reserve_tokens", max(0, min(4_096, self.window_tokens // 8)))
        for name in ("summarize_at", "facts_at", "notify_at", "hysteresis"):
            if isinstance(share := getattr(self, name), bool) or not isinstance(share, (int, float)):
                raise BudgetError(f"{name}={share!r}; pass a number between 0 and 1")
        if isinstance(self.reply_reserve_tokens, bool) or not isinstance(self.reply_reserve_tokens, int):
            raise BudgetError(f"reply_reserve_tokens={self.reply_reserve_tokens!r}; pass a whole number of tokens")
        if self.reply_reserve < 0:
            raise BudgetError(f"reply_reserve_tokens={self.reply_reserve}; pass 0 or more")
        if self.limit_tokens < self.least_tokens:
            raise BudgetError(
                f"window_tokens={self.window_tokens} minus reply_reserve_tokens={self.reply_reserve} leaves "
                f"{self.limit_tokens} tokens for the view; at least {self.least_tokens} are needed"
            )
        if not 0 < self.summarize_at < self.facts_at < self.notify_at <= 1:
            raise BudgetError(
                f"thresholds {self.summarize_at}, {self.facts_at}, {self.notify_at} are not in order; "
                "pass 0 < summarize_at < facts_at < notify_at <= 1"
            )
        if not 0 < self.hysteresis < self.summarize_at:
            raise BudgetError(
                f"hysteresis={self.hysteresis}; pass more than 0 and less than summarize_at={self.summarize_at}"
            )

    @property
    def reply_reserve(self) -> int:
        return self.reply_reserve_tokens or 0

    @property
    def limit_tokens(self) -> int:
        """The most tokens that a view may have."""
        return self.window_tokens - self.reply_reserve

    @property
    def fold_target_tokens(self) -> int:
        """The most tokens that a view may have right after a fold."""
        return int(self.limit_tokens * (self.summarize_at - self.hysteresis))

    @property
    def threshold_tokens(self) -> int:
        """The most tokens of a view without folding: the facts threshold."""
        return int(self.limit_tokens * self.facts_at)

    def keep_tokens(self, share: float) -> int:
        """The most tokens that the turns kept by a fold may leave in a view.

        Midway between the fold target and `share` of the limit, so that the next fold is still some turns away.
        """
        return (self.fold_target_tokens + int(self.limit_tokens * share)) // 2

    def pressure(self, tokens: int) -> float:
        """`tokens` as a share of the limit; more than 1 means that the uncompressed messages would not fit."""
        return tokens / self.limit_tokens

    def tier(self, tokens: int) -> Tier:
        """The tier for `tokens`."""
        pressure = self.pressure(tokens)
        if pressure >= self.notify_at:
            return Tier.NOTIFY
        if pressure >= self.facts_at:
            return Tier.FACTS
        return Tier.SUMMARIZE if pressure >= self.summarize_at else Tier.NORMAL

    def minus_overhead(self, overhead_tokens: int) -> Budget:
        """This budget minus `overhead_tokens` that the caller adds to the view.

        Raises: BudgetError if nothing useful is left.
        """
        if not isinstance(overhead_tokens, int) or overhead_tokens < 0:
            raise BudgetError(f"overhead_tokens={overhead_tokens!r}; pass a whole number of tokens, 0 or more")
        if (left := self.limit_tokens - overhead_tokens) < self.least_tokens:
            raise BudgetError(
                f"system prompt, tools and schemas take {overhead_tokens} of {self.limit_tokens} tokens, which leaves "
                f"{left} for the view; at least {self.least_tokens} are needed: raise Budget(window_tokens=...), or "
                "send fewer or shorter ones"
            )
        return self._reduced(overhead_tokens, Budget) if overhead_tokens else self

    def minus_reserved(self, reserved_tokens: int) -> Budget:
        """This budget minus `reserved_tokens` of the view itself; little may be left."""
        return self._reduced(reserved_tokens, _PartialBudget)

    def _reduced(self, overhead_tokens: int, kind: type[Budget]) -> Budget:
        return kind(
            self.window_tokens - overhead_tokens,
            reply_reserve_tokens=self.reply_reserve,
            summarize_at=self.summarize_at,
            facts_at=self.facts_at,
            notify_at=self.notify_at,
            hysteresis=self.hysteresis,
        )


class _PartialBudget(Budget):
    """The size of some of a view's parts."""

    least_tokens = LEAST_PART_TOKENS
