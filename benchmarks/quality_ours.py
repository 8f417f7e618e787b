"""Ours, as it is shipped and in variants that lack one thing each, asked over a record in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any
from unittest.mock import patch

from benchmarks.quality_data import Conversation, Said
from benchmarks.quality_methods import Asked, Contexts, Method
from session_core import Budget, Policy, Session, Sessions
from session_core.outputs.clip import Clip
from session_core.passages.reading import Reading
from session_core.plan import Count
from session_core.policy import Folding
from session_core.serial.cache import BoundedCache
from session_core.services import MAX_CACHED_PASSAGES
from session_core.stores.memory import MemoryStore
from session_core.turns import Message

SHOWN = ("role", "content", "tool_calls", "tool_call_id", "name")
CLIPPERS = ("session_core.services.clip", "session_core.compress.squeeze.clip")
"""Where messages are clipped for a view."""
HEAD_SHARE = 2 / 3
"""Share of a plain cut that goes to the beginning of a text."""


class Ours:
    """A session with one policy. `folded`: appended exchange by exchange and folded inline as it grows, so that
    digests are made of digests; without it the view alone compresses. `plain_clips`: a clip is a text's beginning
    and end, whatever stands there."""

    asks = True

    def __init__(self, name: str, *, folded: bool = False, plain_clips: bool = False, **options: Any) -> None:
        self.name = name
        self._folding: Folding = "inline" if folded else "off"
        self._plain_clips = plain_clips
        self._options = options
        self._readings = BoundedCache[Reading](MAX_CACHED_PASSAGES)

    def begin(self, conversation: Conversation) -> Contexts:
        """A record for each budget when it is folded, else one for all."""
        said = list(map(as_appended, conversation.messages))
        records: dict[int, _Record] = {}
        shared = MemoryStore()

        def context(asked: Asked) -> Sequence[Said]:
            budget = max(Budget.least_tokens, asked.budget_tokens)
            if budget not in records:
                policy = Policy(Budget(budget, reply_reserve_tokens=0), folding=self._folding, **self._options)
                store = MemoryStore() if self._folding == "inline" else shared
                session = self._sessions(store, policy).session(conversation.id)
                records[budget] = _Record(session, said, by_turn=store is not shared)
            if not self._plain_clips:
                return records[budget].context(asked)
            with plain_clips():
                return records[budget].context(asked)

        return context

    def _sessions(self, store: MemoryStore, policy: Policy) -> Sessions:
        """Sessions that know what those of other budgets read, as one process with one policy knows what it read."""
        sessions = Sessions(store, policy=policy)
        sessions.services = replace(sessions.services, reading_cache=self._readings)
        return sessions


@dataclass(slots=True)
class _Record:
    """A session that is filled up to where a question is asked; another one over the same store may fill it too."""

    session: Session
    said: Sequence[Said]
    by_turn: bool
    filled: int = field(default=0)

    def context(self, asked: Asked) -> Sequence[Said]:
        wanted = self.said[self.filled : asked.at]
        for batch in exchanges(wanted) if self.by_turn else [wanted] * bool(wanted):
            self.session.append(batch, lenient=True)
        self.filled = max(self.filled, asked.at)
        return [as_said(message) for message in self.session.view(asked.probe.query).messages]


def variants() -> list[Method]:
    """Ours as it is shipped, in several rounds of folding, and without one of its parts."""
    return [
        Ours("ours"),
        Ours("ours folded", folded=True),
        Ours("no facts", facts_tokens=0),
        Ours("no retrieval", recall_tokens=0),
        Ours("plain clips", plain_clips=True),
    ]


def as_appended(message: Said) -> Said:
    """What is appended of a message, under an id that is the same in each run: clips name it."""
    made = blake2b(message["turn_id"].encode(), digest_size=8).hexdigest()
    return {"id": made} | {part: message[part] for part in SHOWN if message.get(part) is not None}


def as_said(message: Message) -> Said:
    """A message of a view in the shape of the OpenAI chat API."""
    said: Said = {"role": str(message.role), "content": message.content}
    if message.tool_calls:
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return said | ({"tool_call_id": message.tool_call_id} if message.tool_call_id else {})


def exchanges(said: Sequence[Said]) -> Iterator[list[Said]]:
    """The messages one by one, each call with its results."""
    batch: list[Said] = []
    for message in said:
        if batch and message["role"] != "tool":
            yield batch
            batch = []
        batch.append(message)
    if batch:
        yield batch


@contextmanager
def plain_clips() -> Iterator[None]:
    """Within it, clips are plain cuts."""
    with ExitStack() as stack:
        for place in CLIPPERS:
            stack.enter_context(patch(place, cut))
        yield


def cut(text: str, *, max_tokens: int, count: Count, reference: str, **_: object) -> Clip | None:
    """The beginning and the end of `text` in at most `max_tokens`, or None when it fits as it is."""
    if (whole := count(text)) <= max_tokens:
        return None
    mark = f"[clipped; ref {reference}]"
    kept = int(len(text) * max_tokens / whole)
    while kept:
        head = int(kept * HEAD_SHARE)
        shorter = f"{text[:head]} … {text[len(text) - kept + head :]}\n{mark}"
        if (price := count(shorter)) <= max_tokens:
            return Clip(shorter, price, "text")
        kept = int(kept * 0.9)
    return Clip("…", count("…"), "text")
