"""Events of sessions, for observers; none of them contains message content."""

from __future__ import annotations

from dataclasses import dataclass, field

from session_core.budget import Tier
from session_core.turns import Key


@dataclass(frozen=True, slots=True)
class Notice:
    """A persisted notice for the user about a session.

    `text` is ready to be shown; `version`, `record_tokens` and `record_messages` are the state of the record at that
    time.
    """

    text: str
    pressure: float
    version: int
    time_s: float = field(default=0.0)
    record_tokens: int = field(default=0, kw_only=True)
    record_messages: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the session `key`."""

    key: Key


@dataclass(frozen=True, slots=True)
class Appended(Event):
    """Messages were stored durably."""

    messages: int
    tokens: int
    session_tokens: int
    session_messages: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Viewed(Event):
    """A view was returned."""

    tokens: int
    limit_tokens: int
    tier: Tier
    seconds: float
    retrieved: int = 0


@dataclass(frozen=True, slots=True)
class TierChanged(Event):
    """The pressure of the session crossed a threshold, up or down."""

    before: Tier
    after: Tier
    pressure: float


@dataclass(frozen=True, slots=True)
class Noticed(Event):
    """A notice was persisted: the session is nearly full, and the user was not told recently."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class FoldAsked(Event):
    """A fold was requested; `waiting` is the number of sessions in the queue, this one included."""

    waiting: int


@dataclass(frozen=True, slots=True)
class Folded(Event):
    """A digest was written. `lag_s` is the time since the request, `lag_messages` the number of messages to fold at
    its start.
    """

    number: int
    messages: int
    tokens_before: int
    tokens_after: int
    lag_s: float
    lag_messages: int
    made_by: str


@dataclass(frozen=True, slots=True)
class FellBack(Event):
    """A model or an index failed, or contradicted its source; the rules took over. `summarizer` is its name."""

    summarizer: str
    reason: str


@dataclass(frozen=True, slots=True)
class RulesOutgrown(Event):
    """Standing rules take more room than views have: `hidden` of `rules` are only in the record, where search finds
    them.

    Raise the budget, or move them into the system message.
    """

    rules: int
    hidden: int


@dataclass(frozen=True, slots=True)
class FoldFailed(Event):
    """A fold raised, in the background or in an append; the session is intact and is folded at the next request."""

    reason: str


@dataclass(frozen=True, slots=True)
class WorkersLost(Event):
    """The queue of folds is unavailable or has no worker: this process folds by itself until it has one again.

    Told once, with the session that found out.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Resumed(Event):
    """A session continues after an absence of `absent_s` seconds."""

    absent_s: float


@dataclass(frozen=True, slots=True)
class Searched(Event):
    """A search was done."""

    hits: int
    seconds: float
