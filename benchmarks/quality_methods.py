"""What a method is to the benchmark of quality: begun once for a conversation, then asked for contexts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.quality_data import Conversation, Probe, Said, message_tokens, text_of, tokens

AROUND_VALUE = 150
"""How many characters on either side of a value the oracle takes where the whole message has no room."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: a context of the first `at` messages in `budget_tokens`, for a probe."""

    at: int
    budget_tokens: int
    probe: Probe


Contexts = Callable[[Asked], Sequence[Said]]
"""Answers in the order of the conversation: `at` never goes back."""


class Method(Protocol):
    """A way to make contexts. `asks` says whether it looks at the question; when not, it is asked once for all."""

    name: str
    asks: bool

    def begin(self, conversation: Conversation) -> Contexts:
        """Take the conversation in, and give what answers for it."""
        ...


class Oracle:
    """Knows the evidence and shows it alone: what could be reached."""

    name = "oracle"
    asks = True

    def begin(self, conversation: Conversation) -> Contexts:
        """Nothing to prepare."""
        return lambda asked: list(_evidence(conversation, asked))


def fitted(messages: Sequence[Said], order: Iterable[int], budget_tokens: int) -> list[Said]:
    """Of `messages` those that fit, taken in `order`, in the order in which they were said."""
    taken: set[int] = set()
    for place in order:
        price = message_tokens(messages[place])
        if price <= budget_tokens:
            taken.add(place)
            budget_tokens -= price
    return [messages[place] for place in sorted(taken)]


def _evidence(conversation: Conversation, asked: Asked) -> Iterable[Said]:
    probe, room = asked.probe, asked.budget_tokens
    turns = reversed(probe.evidence) if probe.kind == "needed_value" else probe.evidence
    for text in conversation.texts(turns):
        message = {"role": "user", "content": text}
        if message_tokens(message) > room and probe.of_value:
            message = {"role": "user", "content": _around(text, probe.answer)}
        if message_tokens(message) <= room:
            room -= message_tokens(message)
            yield message


def _around(text: str, values: Sequence[str]) -> str:
    for value in values:
        start = text.lower().find(value.lower())
        if start >= 0:
            return text[max(0, start - AROUND_VALUE) : start + len(value) + AROUND_VALUE]
    return text


def newest(messages: Sequence[Said], enough_tokens: int) -> Sequence[Said]:
    """The newest messages that say more than `enough_tokens`, or all."""
    said = 0
    for place in range(len(messages) - 1, -1, -1):
        said += tokens(text_of(messages[place]))
        if said > enough_tokens:
            return messages[place:]
    return messages
