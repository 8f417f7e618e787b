"""What happens in a session, as values for observers; none of them holds a word of any message."""

from __future__ import annotations

from dataclasses import dataclass, field

from session_core.budget import Tier
from session_core.turns import Key


@dataclass(frozen=True, slots=True)
class Notice:
    """What a user should be told about a session, as it was persisted.

    `text` is ready to be shown; `version`, `record_tokens` and `record_messages` are how far the record was.
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
    """Messages are durable in the record."""

    messages: int
    tokens: int
    session_tokens: int
    session_messages: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Viewed(Event):
    """A view was handed out."""

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
    """The user should hear that the session is nearly full, and did not lately; the notice is persisted."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class FoldAsked(Event):
    """A fold was asked for; `waiting` counts the sessions in the queue with it."""

    waiting: int


@dataclass(frozen=True, slots=True)
class Folded(Event):
    """A digest was written. `lag_s` runs from the asking to the writing, `lag_messages` is how many
    messages were waiting to be folded when it began."""

    number: int
    messages: int
    tokens_before: int
    tokens_after: int
    lag_s: float
    lag_messages: int
    made_by: str


@dataclass(frozen=True, slots=True)
class FellBack(Event):
    """A model or an index failed or said what its source does not; the rules stand in. `summarizer` is its name."""

    summarizer: str
    reason: str


@dataclass(frozen=True, slots=True)
class RulesOutgrown(Event):
    """The standing rules of a session take more room than its views have for them: `hidden` of `rules` stand in the
    record alone, where a search finds them. Raise the budget, or put them into the system message."""

    rules: int
    hidden: int


@dataclass(frozen=True, slots=True)
class FoldFailed(Event):
    """A fold raised, in the background or in an append; the session is whole and will be folded when asked again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resumed(Event):
    """A session goes on after an absence of `absent_s` seconds."""

    absent_s: float


@dataclass(frozen=True, slots=True)
class Searched(Event):
    """Old messages were looked up."""

    hits: int
    seconds: float
