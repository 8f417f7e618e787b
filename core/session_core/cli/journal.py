"""The journal of a run of one session: measured figures for every turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from session_core.budget import Budget, Tier
from session_core.events import Event, Folded, TierChanged
from session_core.turns import Key


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn in figures; its journal adds number, tier and folds.

    `view_tokens` is the largest input of a model call in it. `tier` is the highest of the turn, `folds`
    how many digests were written in it. `clipped` and `dropped` count messages of its last view,
    `folded` those under the digest. `store_bytes` is the size of the database after it, if there is one.
    """

    record_tokens: int
    view_tokens: int
    number: int = 0
    tier: Tier = Tier.NORMAL
    folds: int = 0
    clipped: int = 0
    folded: int = 0
    dropped: int = 0
    seconds: float = 0.0
    store_bytes: int | None = None


@dataclass(slots=True)
class Journal:
    """Turns of the session `key` under `budget`; an observer that is told what the session does.

    `without_bytes` are sizes of a database after each turn of the same run without this product.
    """

    key: Key
    budget: Budget
    turns: list[Turn] = field(default_factory=list)
    without_bytes: list[int] = field(default_factory=list)
    _heard: list[Event] = field(default_factory=list)
    _tier: Tier = Tier.NORMAL

    def observe(self, event: Event) -> None:
        """Note a change of tier or a fold of the session."""
        if event.key == self.key and isinstance(event, TierChanged | Folded):
            self._heard.append(event)

    def close_turn(self, measured: Turn) -> Turn:
        """The turn that ends here, with what the session told since the last one."""
        heard, self._heard = self._heard, []
        changes = [event for event in heard if isinstance(event, TierChanged)]
        highest = max((change.after for change in changes), default=self._tier)
        self._tier = changes[-1].after if changes else self._tier
        folds = len(heard) - len(changes)
        turn = replace(measured, number=len(self.turns) + 1, tier=highest, folds=folds)
        self.turns.append(turn)
        return turn

    @property
    def most_view_tokens(self) -> int:
        """The largest input of a model call in all of the run."""
        return max((turn.view_tokens for turn in self.turns), default=0)

    def told(self, turn: Turn) -> str:
        """One line on a turn for those who wait."""
        share = turn.view_tokens / self.budget.limit_tokens
        folds = f", digest {self.folds_until(turn)}" if turn.folds else ""
        return (
            f"record {turn.record_tokens:>8,} tokens   view {turn.view_tokens:>7,} ({share:>4.0%})   {turn.tier}{folds}"
        )

    def folds_until(self, turn: Turn) -> int:
        """How many digests were written up to the end of `turn`."""
        return sum(one.folds for one in self.turns[: turn.number])


def tier_changes(turns: Sequence[Turn]) -> list[Turn]:
    """The turns whose tier is another than that of the turn before."""
    before = Tier.NORMAL
    changed: list[Turn] = []
    for turn in turns:
        if turn.tier != before:
            changed.append(turn)
        before = turn.tier
    return changed
