"""Passages where nothing is asked for in particular ("go on", "sum it up"): what binds, answers or settles counts, and
ties with the words of the query count little."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from session_core.language.acceptance import accepts_offer, put
from session_core.language.continuations import asks_for_everything, is_continuation, is_question
from session_core.language.cues import kinds as stated
from session_core.language.labels import is_labelled
from session_core.language.leaning import is_report_with_outcome
from session_core.language.words import QUESTION_MARKS
from session_core.passages.reading import QUOTE, Passage
from session_core.passages.scoring import Question, Read
from session_core.passages.word_values import ORDINARY
from session_core.recall.offer_answers import ANSWERED
from session_core.recall.outcomes import find_outcomes, minor_voices
from session_core.turns import Role

TAKEN = 1.2
"""What a value counts that an assistant offered and the user took, nearly as one that the user said."""
_BINDS, _ASKED_FOR, _WONDERS = 2.5, 1.5, 0.3
"""How much more a user's sentence counts that rules, decides, prefers or corrects, and one that answers; how much less
one that only asks."""
_CAME, _SETTLES = 1.7, 0.5
"""How much more the few words count that say what came of an exchange; how much less those that settled it."""
_OLDEST = 0.8
"""What the oldest statement counts beside the newest one, which may have taken its place."""
_GOES_ON, _WANTS_ALL = 0.2, 0.5
"""What is left of ties, which are mostly of chance."""


def remaining_ties_weight(question: Question, standing: Sequence[Read]) -> float:
    """How much ties with `question` tell: less than 1 where it asks for nothing in particular. Who says yes to what was
    put right before it means that."""
    text = question.text
    if is_continuation(text):
        accepted = _last_question(standing) and accepts_offer(text) and not is_question(text)
        return 1.0 if question.repeated or accepted else _GOES_ON
    return _WANTS_ALL if asks_for_everything(text) else 1.0


class OpenEnded:
    """How much each passage of `candidates` counts for what its speaker does with it, and when."""

    def __init__(self, candidates: Sequence[Read], standing: Sequence[Read], room_tokens: int) -> None:
        self._candidates = candidates
        self._came = find_outcomes(candidates, standing)
        self._rare: Callable[[Passage], bool] | None = minor_voices(candidates, room_tokens, _binds)

    def favour(self, source: int, place: int, passage: Passage, favour: float) -> float:
        """What a passage counts that counts `favour` where something is asked."""
        if ANSWERED in passage.text:
            favour = max(favour, TAKEN) * _BINDS
        favour *= _act_weight(passage, asked_for=not place and self._answers_question(source))
        if source in self._came.told and not place:
            favour = max(favour, TAKEN) * _CAME
        elif source in self._came.settling:
            favour *= _SETTLES
        return favour * (_OLDEST + (1 - _OLDEST) * source / len(self._candidates))

    def is_rare_speech(self, passage: Passage) -> bool:
        """Whether it is of the little that people said in a run of tools."""
        return self._rare is not None and self._rare(passage)

    def _answers_question(self, source: int) -> bool:
        """Whether an assistant asked something right before what stands at `source`."""
        before = self._candidates[source - 1][0] if source else None
        return before is not None and before.role is Role.ASSISTANT and before.content.rstrip().endswith(QUESTION_MARKS)


def is_specific(passage: Passage) -> bool:
    """Whether it says a name, a figure or a code."""
    return any(worth > ORDINARY for worth in passage.values.values())


def _binds(passage: Passage) -> bool:
    """Whether somebody states, wishes, decides or settles something with a passage, or gives a name or a value."""
    if passage.voice != "user":
        return ANSWERED in passage.text
    return _act_weight(passage, asked_for=False) > 1 or (is_specific(passage) and not is_question(passage.text))


def _act_weight(passage: Passage, *, asked_for: bool) -> float:
    """How much more than another one a sentence counts by what its speaker does with it."""
    if passage.voice != "user" or passage.text.startswith(QUOTE):
        return 1.0
    text = passage.text
    if stated(text) or is_labelled(text) or is_report_with_outcome(text):
        return _BINDS
    if is_question(passage.text):
        return _WONDERS
    return _ASKED_FOR if asked_for else 1.0


def _last_question(standing: Sequence[Read]) -> bool:
    """Whether the newest message of an assistant that stands asks or offers something."""
    said = [message for message, _ in standing if message.role is Role.ASSISTANT and message.content.strip()]
    return bool(said) and put(said[-1].content) != ""
