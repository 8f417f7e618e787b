"""The decisions of compression as data: facts, digests, decisions, plans, and the resulting view."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from session_core.budget import LEAST_EXCHANGE_TOKENS, LEAST_PART_TOKENS, Budget, Tier
from session_core.notebook_html import view_html
from session_core.payloads.anthropic import anthropic_request
from session_core.payloads.openai import openai_messages
from session_core.ranges import Ranges
from session_core.turns import Message

Count = Callable[[str], int]
"""Tokens of a text, without any message framing."""


Measure = Callable[[Message], int]
"""Tokens of a message as a provider counts it: content, tool calls, media and framing."""


GiveWay = Callable[[], None]
"""What long work calls between its parts, so that whoever waits for the interpreter can have it."""


def never_pause() -> None:
    """A no-op in place of yielding, for work that a caller waits for."""


RECALL_SHARE = 0.65
"""Maximum share of the limit for quotes: the answer to a question is mostly further back than the last messages. At 0.5
a tenth fewer of the values that later calls needed were in views of 500 tokens."""
RECALL_TOKENS = 3_000
"""Maximum tokens of quotes in a large view."""
WHOLE_TASK_SHARE, TASK_SHARE, FRAMING_TOKENS = 0.6, 0.4, 12
"""The share of the limit up to which a question with results behind it is shown whole before anything is quoted, the
share for a longer one, and the tokens of framing."""
DIGEST_FRAMING_TOKENS = 20
"""The tokens of the first lines of a digest, and its framing, of which a question leaves 12 anyway."""
RULES_SHARE = 0.5
"""Maximum share of the limit for standing rules; a view reports rules beyond it."""
UNCACHED_TOKENS = 8_192
"""Views up to this size are made anew for each question: providers cache no prefix under 1,024 to 4,096 tokens, and a
small view needs the room."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a plan, in tokens; small budgets shrink all parts.

    A digest takes at most 30 % of the limit (50 % if standing rules need it), quotes 65 %.
    """

    budget: Budget
    keep_turns: int = field(default=3, kw_only=True)
    digest_tokens: int = field(default=300, kw_only=True)
    facts_tokens: int = field(default=400, kw_only=True)
    recall_tokens: int = field(default=RECALL_TOKENS, kw_only=True)
    whole_tool_outputs: int | None = field(default=None, kw_only=True)
    rules_share: float = field(default=RULES_SHARE, kw_only=True)
    terse: bool = field(default=False, kw_only=True)
    """Whether filler messages, and facts that are not always needed, make room for what a question needs."""

    @property
    def total(self) -> int:
        return self.budget.limit_tokens

    @property
    def summary_room(self) -> int:
        return min(self.digest_tokens, int(self.total * 0.15))

    @property
    def facts_room(self) -> int:
        return min(self.facts_tokens, int(self.total * 0.15))

    @property
    def rules_room(self) -> int:
        """The room for standing rules when they need more than that of the facts."""
        return int(self.total * self.rules_share)

    def recall_reserve(self, *, beside: int = 0, asked: int = 0, within_run: bool = False) -> int:
        """Tokens that the turns of a view leave for quotes: at most `recall_tokens`.

        Also at most 65 % of what the limit leaves after `beside` tokens (system messages and rules) and as many again
        for turns. A question of `asked` tokens is shown whole before anything is quoted; within a run that works on it,
        a task over 60 % of the limit counts as 40 %.
        """
        if within_run:
            whole, part = asked + LEAST_EXCHANGE_TOKENS, LEAST_PART_TOKENS + LEAST_EXCHANGE_TOKENS
            asked = whole if whole <= self.total * WHOLE_TASK_SHARE else max(part, int(self.total * TASK_SHARE))
        kept = max(LEAST_PART_TOKENS, asked + FRAMING_TOKENS)
        share = min(int((self.total - 2 * beside) * RECALL_SHARE), self.total - beside - kept)
        return max(0, min(self.recall_tokens, share))

    def beside(self, tokens: int, *, digest_share: float = 1.0) -> Limits:
        """The limits for the turns of a view that reserves `tokens` for quotes.

        A small view (up to `UNCACHED_TOKENS`) then is `terse`: its digest has no summary and, within `digest_share`
        of the limit, only facts that are always needed: rules, constraints, who the user is and what they like. Other
        facts are quoted if the question needs them, and messages that only greet or thank are left out.
        """
        budget = self.budget.minus_reserved(tokens)
        if self.total > UNCACHED_TOKENS:
            return replace(self, budget=budget)
        budget = replace(budget, summarize_at=0.9, facts_at=0.95, notify_at=1.0, hysteresis=0.1)
        facts = min(self.facts_room, int(self.total * digest_share))
        return replace(self, budget=budget, digest_tokens=0, facts_tokens=facts, terse=True)

    @property
    def page_tokens(self) -> int:
        """The size of a page of recall results: a quarter of the limit, so that it fits into the next view."""
        return max(64, self.total // 4)


class FactKind(StrEnum):
    """The kind of a fact, in order of priority."""

    RULE = "rule"
    CONSTRAINT = "constraint"
    DECISION = "decision"
    ANSWER = "answer"
    CORRECTION = "correction"
    PREFERENCE = "preference"
    COMMITMENT = "commitment"
    IDENTITY = "identity"
    AMOUNT = "amount"
    DATE = "date"
    IDENTIFIER = "identifier"

    @property
    def pinned(self) -> bool:
        """Whether it is kept verbatim in every view; only system and user messages can state such facts."""
        return self in (FactKind.RULE, FactKind.CONSTRAINT)


@dataclass(frozen=True, slots=True)
class Fact:
    """One line that must survive: its kind, its text, and its source message.

    `slot` names its subject ("departure date") if a rule could tell; a later fact with the same slot supersedes it.
    `superseded_by` is the sequence number of the superseding message.
    """

    kind: FactKind
    text: str
    seq: int = field(kw_only=True)
    author: str | None = field(default=None, kw_only=True)
    time_s: float | None = field(default=None, kw_only=True)
    slot: str | None = field(default=None, kw_only=True)
    superseded_by: int | None = field(default=None, kw_only=True)

    @property
    def current(self) -> bool:
        return self.superseded_by is None


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Digest:
    """The replacement of the oldest part of a record in a view: rolling summary and key facts.

    `number` counts a session's digests from 1. `covers` is the exact part it replaces, `covered_tokens` and
    `covered_messages` its size. `pinned` are system messages in that part, which views still show whole. `made_by` is
    the name of the summarizer, `tokens` the size of the digest's message. `asked` is the last question or offer in it
    that is not yet answered.
    """

    covers: Ranges
    summary: str
    facts: tuple[Fact, ...] = ()
    number: int = field(default=0, kw_only=True)
    pinned: Ranges = field(default=Ranges(), kw_only=True)
    tokens: int = field(default=0, kw_only=True)
    covered_tokens: int = field(default=0, kw_only=True)
    covered_messages: int = field(default=0, kw_only=True)
    made_by: str = field(default="extractive", kw_only=True)
    time_s: float | None = field(default=None, kw_only=True)
    asked: str | None = field(default=None, kw_only=True)


class Choice(StrEnum):
    """How a unit of the record appears in a view."""

    WHOLE = "whole"
    CLIP = "clip"
    FOLD = "fold"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to one part of the record, at what cost, and why."""

    covers: Ranges
    choice: Choice
    tokens: int
    why: str

    def __str__(self) -> str:
        first, last = self.covers.pairs[0][0] if self.covers else 0, self.covers.last
        where = f"{first}" if first == last else f"{first}-{last}"
        return f"{where:>9}  {self.choice:<5}  {self.tokens:>6} tokens  {self.why}"


Decided = tuple[Ranges | int, Choice, int, str]
"""A decision in the compact form that plans and views carry: part or number, choice, tokens, reason. Most are never
looked at, and creating objects for them took a third of the time of a view."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The decision for one view: the messages in order, and the reason for each."""

    messages: tuple[Message, ...]
    decided: tuple[Decided, ...]
    tokens: int
    raw_tokens: int
    """The size of the active digest and everything after it, uncompressed."""
    digest: Digest | None = None
    """The digest in the plan's first message, including units that were folded for this plan."""
    hidden_rules: int = 0
    """Standing rules of the digest for which its message has no room."""
    recalled: tuple[Recalled, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Recalled:
    """A message that was quoted for a question: sequence number, reference to the original, author, and why."""

    seq: int
    reference: str
    speaker: str
    why: str

    def __str__(self) -> str:
        return f"{self.seq:>9}  quote  {'':>13}  {self.speaker}, ref {self.reference}: {self.why}"


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a view; everything that was clipped, folded or dropped is counted."""

    limit_tokens: int
    tokens: int
    raw_tokens: int
    record_tokens: int
    record_messages: int
    whole: int
    clipped: int
    folded: int
    dropped: int
    counter: str
    hidden_rules: int = 0
    """Standing rules of the digest for which the view has no room."""


@dataclass(frozen=True, slots=True)
class View:
    """The messages for one model call: never over the budget, always valid for a provider.

    A function of the record's `version`, the active digest and the query: two views at the same version are equal.
    """

    messages: tuple[Message, ...]
    tokens: int
    tier: Tier
    report: Report
    decided: tuple[Decided, ...] = ()
    digest: Digest | None = None
    hidden: Ranges = Ranges()
    """Messages that the view does not represent at all: no room, or nothing that a provider accepts."""
    lineage: Ranges = Ranges()
    """The part of the record that the view was made of."""
    version: int = 0
    recalled: tuple[Recalled, ...] = ()
    """The messages that were quoted for the question, in the order of the record."""
    pending_from: int = 0
    """Messages from this number on are not in the record; they were about to be appended."""

    def __repr__(self) -> str:
        # Without content, since it may end up in a log.
        figures = f"tokens={self.tokens}, limit_tokens={self.report.limit_tokens}, tier={str(self.tier)!r}"
        return f"View(messages={len(self.messages)}, {figures})"

    def _repr_html_(self) -> str:
        return view_html(self.messages, tokens=self.tokens, limit_tokens=self.report.limit_tokens, tier=self.tier)

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What was chosen for each part of the record, in order."""
        return tuple(
            Decision(Ranges.of([where] if where else []) if isinstance(where, int) else where, choice, tokens, why)
            for where, choice, tokens, why in self.decided
        )

    def to_openai(self) -> list[Any]:
        """The messages for OpenAI's SDK: `client.chat.completions.create(model=..., messages=view.to_openai())`.

        Each is a dict; typed as the SDK's own classes are not known here, and type checkers accept no other dict.
        Ids and names that the API refuses are replaced, consistently in every view. A part that it does not support
        is replaced by a text; reasoning is not sent.
        """
        return openai_messages(self.messages)

    def to_anthropic(self, *, cache: bool = True) -> dict[str, Any]:
        """Messages and system text for Anthropic's SDK: `client.messages.create(model=..., **view.to_anthropic())`.

        As `to_openai`, but signed thinking that was appended in this API's format is sent unaltered before the calls
        it led to. Up to four prompt cache breakpoints are set unless `cache` is false; disable them if you set your
        own, for tools for example.
        """
        return anthropic_request(self.messages, cache=cache)

    def explain(self) -> str:
        """One line for each part of the record: where it is, what was chosen, its cost, and why.

        Followed by a line for each message that was quoted for the question, and for rules without room, if any.
        """
        texts = [*map(str, self.decisions), *map(str, self.recalled)]
        if self.report.hidden_rules:
            texts.append(f"{self.report.hidden_rules} standing rules have no room; raise Budget(window_tokens=...)")
        return "\n".join(texts)


def seqs_of(messages: Sequence[Message]) -> Ranges:
    """The part of the record that consists of `messages`."""
    return Ranges.of(m.seq for m in messages if m.seq)
