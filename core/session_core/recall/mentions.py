"""How a conversation used each value: how recently, how often, who said it first and who repeated it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from session_core.passages.reading import Voice
from session_core.passages.scoring import Read, Relevance
from session_core.passages.word_values import parts_of, shape

LATELY_TOKENS = 12_000
"""A value that was last mentioned so many tokens ago counts e times less."""
_TOLD_ON = 2.0
"""How much a code or path counts that a tool gave and the assistant told on in its own words: of all that an output
says, that was what it was asked for. Words it tells on anyway, since it speaks of the thing."""
_COINED = 0.5
"""What a value counts that one call says and nothing else: an agent made it up, and nothing came of it."""
_AGAIN = 1.0
"""What it adds to a path or name of several words that several messages say, with the logarithm of how many: the work
goes on around it. A code that comes again and again tells its record from others, and says no more each time."""
_ASKED, _HALF_ASKED = 1.0, 5.0
"""What the words that it has in common with the question and the last messages add at most, and half of it."""


class Mentions:
    """How recently each value was mentioned (1 for just now), and its weight for what happened to it afterwards."""

    def __init__(self, messages: Sequence[Read]) -> None:
        self.lately: dict[str, float] = {}
        self.near = [0.0] * len(messages)
        """For each message how lately it was."""
        self._by: dict[Voice, set[str]] = {"user": set(), "assistant": set(), "tool": set(), "call": set()}
        self._calls: Counter[str] = Counter()
        self._names: Counter[str] = Counter()
        self._fields: set[str] = set()
        behind = sum(message.tokens for message, _ in messages)
        for place in sorted(range(len(messages)), key=lambda place: messages[place][0].seq):
            message, reading = messages[place]
            behind -= message.tokens
            near = self.near[place] = math.exp(-behind / LATELY_TOKENS)
            for voice, words in reading.said.items():
                self._by[voice] |= words
                self.lately.update(dict.fromkeys(words, near))
            if "call" in reading.said:
                self._calls.update(reading.said["call"])
            if reading.names:
                self._names.update(reading.names)
            self._fields |= reading.fields

    def weights(self, bearing: Relevance, *, tight: bool = False) -> Mapping[str, float]:
        """The weights of the values whose weight is not 1. If room is `tight`, values that were passed on count like
        all others, since the sentence that passes them on competes with what users said."""
        by = self._by
        found = {} if tight else {value: _TOLD_ON for value in by["tool"] & by["assistant"] if shape(value)}
        for value in by["call"].difference(by["tool"], by["assistant"], by["user"], self._fields):
            if self._calls[value] == 1:
                found[value] = _COINED
        for value, times in self._names.items():
            if value not in self._fields:
                tied = bearing.tie_score(parts_of(value))
                more = (1 + _AGAIN * math.log(times)) * (1 + _ASKED * tied / (tied + _HALF_ASKED))
                found[value] = found.get(value, 1.0) * more
        return found
