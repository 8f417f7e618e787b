"""Conversations with questions whose answers are known: read from a folder, counted, sampled."""

from __future__ import annotations

import gzip
import json
import random
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from session_core.counting.tokens import counter_for

Said = dict[str, Any]
"""A message in the shape of the OpenAI chat API."""

FRAMING_TOKENS = 4
LEAST_BUDGET = 48
"""A share of a short history is never a smaller budget than this."""
BUDGETS = ("500", "1000", "2000", "4000", "8000")
SHARES = ("25%", "50%")
SHORT_TOKENS = 1_000
ASKED_CHARACTERS = 600
"""So much of what the user said last goes with what the assistant said before it."""

count = counter_for("gpt-4o").count
"""Tokens of a text in OpenAI's newest public table."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A question put after the first `at` messages, and what a context must hold to answer it.

    `kind` is needed_value (a later call uses it), slot_final (what was settled last; `superseded` are the
    values before it), or else a question about `evidence`, the turns that answer it. `gap_tokens` is how
    long ago the value was last mentioned.
    """

    kind: str
    question: str
    answer: tuple[str, ...]
    evidence: tuple[str, ...]
    at: int
    category: str = ""
    extractive: bool = True
    superseded: tuple[str, ...] = ()
    gap_tokens: int | None = None
    aux_query: str = ""

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Probe:
        """The probe in a line of a data set; what it says besides is left out."""
        known = {name: plain[name] for name in cls.__slots__ if plain.get(name) is not None}
        lists = {name: tuple(known.get(name, ())) for name in ("answer", "evidence", "superseded")}
        return cls(**{**known, **lists})

    @property
    def of_value(self) -> bool:
        """Whether a value is looked for, and not what was said about something."""
        return self.kind in ("needed_value", "slot_final")

    @property
    def query(self) -> str:
        """What a method is asked with: of an agent the last two messages, of others the question."""
        if self.kind == "needed_value" and self.aux_query:
            return f"{self.aux_query}\n{self.question[:ASKED_CHARACTERS]}"
        return self.question


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages with their `turn_id`, and the probes put to them."""

    id: str
    messages: tuple[Said, ...]
    probes: tuple[Probe, ...]
    before: tuple[int, ...] = field(init=False)
    """Tokens of the first 0, 1, 2, ... messages."""

    def __post_init__(self) -> None:
        prices = map(message_tokens, self.messages)
        object.__setattr__(self, "before", tuple(accumulate(prices, initial=0)))

    def texts(self, turn_ids: Iterable[str]) -> list[str]:
        """What the messages of these turns say."""
        by_id = {message["turn_id"]: message for message in self.messages}
        return [text_of(by_id[turn]) for turn in turn_ids]


@lru_cache(200_000)
def tokens(text: str) -> int:
    """As `count`, for texts that come again."""
    return count(text)


def text_of(message: Said) -> str:
    """What a message says: its content, and a line for each call."""
    calls = [call["function"] for call in message.get("tool_calls") or ()]
    return (message.get("content") or "") + "".join(f"\n{call['name']} {call['arguments']}" for call in calls)


def message_tokens(message: Said) -> int:
    """Tokens of a message, with four for its framing."""
    return tokens(text_of(message)) + FRAMING_TOKENS


def read_sets(folder: Path, names: Sequence[str] = ()) -> dict[str, list[Conversation]]:
    """The conversations in the `.jsonl` and `.jsonl.gz` files of `folder`, or in those that are named.

    Raises: SystemExit when there is no such file.
    """
    files = {path.name.split(".")[0]: path for path in sorted(folder.glob("*.jsonl*"))}
    missing = [name for name in names if name not in files]
    if missing or not files:
        raise SystemExit(f"{folder} has no {', '.join(missing) or '*.jsonl or *.jsonl.gz'}")
    return {name: list(map(_conversation, _lines(files[name]))) for name in names or files}


def sampled(conversations: Sequence[Conversation], most: int, seed: int) -> list[Conversation]:
    """The conversations with at most `most` probes in all (0 for every one), drawn by `seed`; each in its order."""
    keys = [(one.id, place) for one in conversations for place in range(len(one.probes))]
    kept = set(random.Random(seed).sample(keys, most) if 0 < most < len(keys) else keys)
    drawn = [_with_probes(one, [(one.id, place) in kept for place in range(len(one.probes))]) for one in conversations]
    return [one for one in drawn if one.probes]


def budgets_for(conversations: Sequence[Conversation]) -> tuple[str, ...]:
    """Budgets that press: those below twice the median history at its probes, or shares of it where it is short."""
    median = statistics.median(one.before[probe.at] for one in conversations for probe in one.probes)
    if median < SHORT_TOKENS:
        return SHARES
    return tuple(budget for budget in BUDGETS if int(budget) < 2 * median)


def budget_tokens(budget: str, history_tokens: int) -> int:
    """What a budget of "2000" or "25%" (of the history) comes to."""
    if budget.endswith("%"):
        return max(LEAST_BUDGET, int(history_tokens * float(budget[:-1]) / 100))
    return int(budget)


def _with_probes(one: Conversation, kept: Sequence[bool]) -> Conversation:
    probes = (probe for probe, keep in zip(one.probes, kept, strict=True) if keep)
    return Conversation(one.id, one.messages, tuple(sorted(probes, key=lambda probe: probe.at)))


def _lines(path: Path) -> list[dict[str, Any]]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in data.split(b"\n") if line.strip()]


def _conversation(plain: Mapping[str, Any]) -> Conversation:
    return Conversation(plain["id"], tuple(plain["messages"]), tuple(map(Probe.of, plain["probes"])))
