"""Finds statements that were made again: a day, a time, a count or a choice that the same person changed soon after.

Showing only the older one would present it as still valid.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import lru_cache

from session_core.language.amending import one_of_each
from session_core.language.question_types import days, times
from session_core.language.words import SENTENCES
from session_core.passages.reading import QUOTE
from session_core.passages.scoring import Read
from session_core.recall.refusals import refused_wishes
from session_core.turns import Role
from session_core.verification.claims import counts

Spot = tuple[int, int]
"""A message's place among the messages, and a passage's among its passages."""
REACH = 4
"""A statement is stated again within so many messages of users: later, another thing is spoken of."""
SENTENCES_OF_ONE = 3
"""Who says more sentences at once tells of many things."""


def find_restatements(messages: Sequence[Read]) -> dict[Spot, Spot]:
    """For each passage of a user that was stated again, the newest statement.

    It is not certain that both are about the same thing, so a pair only keeps both passages together.
    """
    newest = refused_wishes(messages)
    recent: dict[Hashable, deque[tuple[int, Spot, frozenset[str]]]] = {}
    for turn, spot, kind, words in _statements(messages):
        known = recent.setdefault(kind, deque())
        while known and turn - known[0][0] > REACH:
            known.popleft()
        for before, older, other in known:
            if before < turn and words.isdisjoint(other):
                newest[older] = spot
        known.append((turn, spot, words))
    return newest


def _statements(messages: Sequence[Read]) -> Iterator[tuple[int, Spot, Hashable, frozenset[str]]]:
    """Statements of users in short messages, in order: the number of the user's message, the passage, author and kind
    of the values, and the values."""
    turn = 0
    for at in sorted(range(len(messages)), key=lambda place: messages[place][0].seq):
        message, reading = messages[at]
        if message.role is not Role.USER or message.origin != "record":
            continue
        turn += 1
        if len(reading.passages) > SENTENCES_OF_ONE:
            continue
        for place, passage in enumerate(reading.passages):
            if passage.text.startswith(QUOTE):
                continue
            for kind, words in stated_values(passage.text).items():
                yield turn, (at, place), (message.author, kind), words


@lru_cache(maxsize=SENTENCES)
def stated_values(text: str) -> Mapping[Hashable, frozenset[str]]:
    """The days, times, counts and alternatives in `text`, by kind; only one value of each kind can hold at a time."""
    found: dict[Hashable, frozenset[str]] = {"day": days(text), "time": times(text)}
    found |= {("group", group): words for group, words in one_of_each(text).items()}
    numbers: dict[Hashable, frozenset[str]] = {}
    for one in counts(text):
        if one.noun and not one.ordinal and one.number != 1:
            kind = ("count", one.noun)
            numbers[kind] = numbers.get(kind, frozenset()) | {str(one.number)}
    found |= numbers
    return {kind: said for kind, said in found.items() if said}
