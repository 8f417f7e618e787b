"""How much each passage counts for a question and a room: by who says it, by what it has in common with the question,
and by what its message has as a whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import pairwise

from session_core.language.acceptance import accepts_offer, has_offer
from session_core.language.continuations import is_question
from session_core.language.words import ASKING_WORDS, QUESTION_MARKS
from session_core.passages.reading import Passage
from session_core.passages.scoring import Question, Read, Relevance
from session_core.recall.open_ended import TAKEN, OpenEnded, is_specific, remaining_ties_weight
from session_core.recall.outcomes import on_topic
from session_core.recall.selection import Candidate
from session_core.recall.weights import crowding_penalties, shares_of_best
from session_core.turns import Message, Role

_VOICES = {"user": 1.3, "assistant": 0.6, "tool": 1.0, "call": 1.1}
"""How much a passage counts by who says it."""
_PROSE, _SHARE_POWER, _SCARCITY_POWER = 100.0, 6, 2
"""How much it counts that a message answers as a whole: most where nearly all was said by people and assistants (by the
power of their share) and where there is room for little of it (by the power of its scarcity)."""
_ALL_OF_USERS, _TIES_LESS = 2.0, 0.7
"""Where there is room for all that users said, how much more it counts than what others did, and how much less ties."""
_ALARM = 1.5
"""How much more a line counts that tells of something gone wrong than the others of its output."""
_SAYS, _ASKS = 0.6, 0.5
"""In tight room: a sentence whose values count this much has half of its message's bearing on the question; and what
share of it a sentence has that only asks."""
_ANSWERS, _UNASKED, _UNASKED_TIES = 0.9, 0.2, 0.5
"""In tight room: what a value counts, whoever says it, in a sentence that says one of the kind that is asked for; and
how much sentences without one have of their message's bearing on the question, and of ties."""
_PEOPLE, _SPEAKERS = (Role.USER,), (Role.USER, Role.ASSISTANT)
_SAID = ("user", "assistant")

Ties = Sequence[Sequence[float]]
"""For each message, what each of its passages has in common with the question."""


class Weighing:
    """Weighs the passages of `candidates` for a room of `room_tokens`.

    `new_in` tells whether a passage has a value that is not shown yet. In `tight` room sentences compete for each
    place.
    """

    def __init__(
        self,
        question: Question,
        candidates: Sequence[Read],
        standing: Sequence[Read],
        bearing: Relevance,
        ties: Ties,
        room_tokens: int,
        *,
        tight: bool,
        new_in: Callable[[Passage], bool],
    ) -> None:
        self._candidates, self._ties, self._short = candidates, ties, question.short
        self._tight, self._new_in = tight, new_in
        prose = _prose_share(candidates) ** _SHARE_POWER
        # Of what a search found, nothing tells how scarce the room is for all that was said.
        scarcity = _scarcity(candidates, room_tokens, _PEOPLE) if question.complete else 1.0
        # A long answer also counts as a whole: room for users' few words says nothing about assistants' many.
        answers = _scarcity(candidates, room_tokens, _SPEAKERS) if question.complete else 1.0
        share = _PROSE * prose * answers**_SCARCITY_POWER
        self._whole = [share * one**2 for one in bearing.candidate_scores(candidates, tight=tight)]
        self._ties_share = 1 - _TIES_LESS * prose * (1 - scarcity)
        more = {"user": 1 + _ALL_OF_USERS * prose * (1 - scarcity), "assistant": self._ties_share}
        self._voices = {voice: more.get(voice, 1.0) * weight for voice, weight in _VOICES.items()}
        self._taken = _accepted_offers(candidates, standing)
        self._says_wanted = bearing.says_wanted if tight and bearing.wanted else None
        self._ties_left = remaining_ties_weight(question, standing)
        self._open_ended = OpenEnded(candidates, standing, room_tokens) if self._ties_left < 1 else None
        asks = self._open_ended is None and question.short and is_question(question.text)
        self._topic = on_topic(candidates, ties, room_tokens) if asks else frozenset[tuple[int, int]]()

    def candidates(self, source: int, places: Sequence[int], shown: Sequence[Passage]) -> Iterator[Candidate]:
        """The passages of one message that stand at `places`, weighed, as they would be quoted (`shown`)."""
        (message, reading), ties, whole = self._candidates[source], self._ties[source], self._whole[source]
        crowds = crowding_penalties(ties) if reading.structured else {}
        rows_bear = (bool(crowds) or self._short) and self._open_ended is None
        rows = shares_of_best(ties if rows_bear else (), len(ties))
        offered, topic, open_ended = source in self._taken, self._topic, self._open_ended
        voices, alarms, ties_share = self._voices, reading.alarms, self._ties_share
        for place in places:
            passage = shown[place]
            tied = ties[place] * ties_share
            spoken = whole if passage.voice in _SAID else whole * rows[place]
            favour = voices[passage.voice]
            if place in alarms:
                favour *= _ALARM
            if offered and is_specific(passage):
                favour = max(favour, TAKEN)
            if self._tight:
                tied, spoken, favour = self._in_tight_room(message, passage, tied, spoken, favour)
            if topic and (source, place) in topic:
                spoken = max(spoken, _PROSE * ties[place])
            if open_ended is not None:
                favour = open_ended.favour(source, place, passage, favour)
                rare = open_ended.is_rare_speech(passage) and self._new_in(passage)
                spoken = _PROSE if rare else spoken * self._ties_left
                tied *= self._ties_left
            yield Candidate(passage, source, place, tied, spoken, favour, crowds[ties[place]] if crowds else 1.0)

    def _in_tight_room(
        self, message: Message, passage: Passage, tied: float, spoken: float, favour: float
    ) -> tuple[float, float, float]:
        """The same figures where a sentence must say something itself, of the kind that is asked for if one is."""
        spoken *= _own_share(passage)
        if self._says_wanted is None:
            return tied, spoken, favour
        if self._says_wanted(message, passage.text):
            return tied, spoken, max(favour, _ANSWERS)
        return tied * _UNASKED_TIES, spoken * _UNASKED, favour


def _accepted_offers(candidates: Sequence[Read], standing: Sequence[Read]) -> frozenset[int]:
    """The places of what assistants said that offered something, which the user took right behind it."""
    said = [(m.seq, place, m) for place, (m, _) in enumerate(candidates)]
    said += [(m.seq, -1, m) for m, _ in standing if m.origin == "record"]
    return frozenset(
        place
        for (_, place, offer), (_, _, reply) in pairwise(sorted(said, key=lambda one: one[0]))
        if place >= 0 and offer.role is Role.ASSISTANT and reply.role is Role.USER
        if accepts_offer(reply.content) and has_offer(offer.content)
    )


def _own_share(passage: Passage) -> float:
    """How much of its message's bearing on the question a passage has, by what it says itself."""
    said = sum(worth for value, worth in passage.values.items() if value not in ASKING_WORDS)
    asks = passage.text.endswith(QUESTION_MARKS) and not is_specific(passage)
    return said / (said + _SAYS) * (_ASKS if asks else 1.0)


def _prose_share(candidates: Sequence[Read]) -> float:
    """The share of the candidates' tokens that people and assistants said, calls and results being the rest."""
    total = sum(message.tokens for message, _ in candidates)
    said = sum(m.tokens for m, _ in candidates if m.role is not Role.TOOL and not m.tool_calls)
    return said / total if total else 0.0


def _scarcity(candidates: Sequence[Read], room_tokens: int, roles: Collection[Role]) -> float:
    """1 where there is room for hardly any of what `roles` said, 0 where there is for all of it: then nothing is to be
    found out about which of it is meant."""
    readings = [reading for message, reading in candidates if message.role in roles]
    said = sum(passage.brief_tokens for one in readings for passage in one.passages if passage.voice in _SAID)
    return max(0.0, 1 - room_tokens / said) if said else 0.0
