"""Finds statements that were made again, and wishes that were refused.

A day, a time, a count or a choice that the same person changed soon after; a wish that the next one replaces. Showing
only the older one would present it as still valid. It is not certain that both are about the same thing, so a pair only
keeps both passages together.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from session_core.language.amending import one_of_each
from session_core.language.question_types import days, times
from session_core.language.words import SENTENCES
from session_core.passages.reading import QUOTE, Passage
from session_core.passages.scoring import Read
from session_core.turns import Message, Role
from session_core.verification.claims import counts

Spot = tuple[int, int]
"""A message's place among the messages, and a passage's among its passages."""
REACH = 4
"""A statement is stated again within so many messages of users: later, another thing is spoken of."""
SENTENCES_OF_ONE = 3
"""Who says more sentences at once tells of many things."""
_REFUSES = re.compile(
    r"\b(?:unfortunately|(?:i ?['’]?a?m|we ?['’]?(?:re| are)) (?:so |very |afraid|sorry)|sorry|afraid|"
    r"there (?:are|is|were|was)(?: n['’]?t| not|n['’]t)(?: any)?|there (?:are|is|were|was) (?:currently )?(?:no|none)|"
    r"(?:do|does|did|could|can) ?n['’]?t (?:have|find|see|offer|do|make|get|serve|sell|book|locate)|"
    r"(?:cannot|could not|do not|did not|does not) (?:have|find|see|offer|do|make|get|serve|sell|book|locate)|unable|"
    r"no (?:\w+ ){0,4}(?:match\w*|available|found|left|results?|openings?|listings?|in the|that)|none|unavailable|"
    r"not available|fully booked|sold out|out of stock|leider|kein\w*|malheureusement|désolée?|lamentablemente|"
    r"lo siento|purtroppo|infelizmente)\b",
    re.IGNORECASE,
)


def find_restatements(messages: Sequence[Read]) -> dict[Spot, Spot]:
    """For each passage of a user that was stated again, or refused, the newest statement."""
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


@lru_cache(maxsize=SENTENCES)
def refuses(text: str) -> bool:
    """Whether an assistant's `text` says that something is not available or not possible."""
    return _REFUSES.search(text) is not None


def refused_wishes(messages: Sequence[Read]) -> dict[Spot, Spot]:
    """For each refused passage of a user, the next passage of the same user with content; after several refusals in a
    row, the one after the last. They need no common words ("We have no tulips; roses, perhaps?" "Roses, then").
    """
    order = sorted(range(len(messages)), key=lambda place: messages[place][0].seq)
    said = [at for at in order if messages[at][0].origin == "record" and messages[at][0].content]
    newest: dict[Spot, Spot] = {}
    for (first, answer), (_, second) in reversed(list(pairwise(pairwise(said)))):
        if not _refusal(*(messages[at][0] for at in (first, answer, second))):
            continue
        old, new = messages[first][1].passages, messages[second][1].passages
        told = [place for place, passage in enumerate(new) if _wishes(passage)]
        if told and max(len(old), len(new)) <= SENTENCES_OF_ONE:
            best = max(told, key=lambda place: sum(new[place].values.values()))
            last = newest.get((second, best), (second, best))
            newest |= {(first, place): last for place, passage in enumerate(old) if _wishes(passage)}
    return newest


def _refusal(wish: Message, answer: Message, again: Message) -> bool:
    """Whether a user asks for something, is refused, and says something else."""
    talk = (wish.role, answer.role, again.role) == (Role.USER, Role.ASSISTANT, Role.USER)
    return talk and wish.author == again.author and refuses(answer.content)


def _wishes(passage: Passage) -> bool:
    """Whether the passage is the speaker's own statement."""
    return not passage.text.startswith(QUOTE) and bool(passage.values)
