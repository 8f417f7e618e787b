"""Finds wishes that were refused: what a user asks for right after a refusal replaces the wish before it.

Also without common words ("We have no tulips; roses, perhaps?" "Roses, then").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from session_core.language.words import SENTENCES
from session_core.passages.reading import QUOTE, Passage
from session_core.passages.scoring import Read
from session_core.turns import Message, Role

Spot = tuple[int, int]
"""A message's place among the messages, and a passage's among its passages."""
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


@lru_cache(maxsize=SENTENCES)
def refuses(text: str) -> bool:
    """Whether an assistant's `text` says that something is not available or not possible."""
    return _REFUSES.search(text) is not None


def refused_wishes(messages: Sequence[Read]) -> dict[Spot, Spot]:
    """For each refused passage of a user, the next passage of the same user with content; after several refusals in a
    row, the one after the last.

    It is not certain that both are about the same thing, so a pair only keeps both passages together.
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
