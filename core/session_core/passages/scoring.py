"""Relevance of messages and passages to a question: shared words, meaning, and context."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from operator import mul

from session_core.language.question_types import has_value_of, wanted_kinds
from session_core.language.words import QUESTION_MARKS
from session_core.passages.reading import Reading
from session_core.passages.word_values import stems
from session_core.retrieval.retrieve import K1, B
from session_core.turns import Message, Role

Read = tuple[Message, Reading]

_QUERY_WORDS = 120
_QUESTION_CHARACTERS = 120
_LAST_MESSAGES, _FADING, _LAST_TIES = 4, 0.7, 0.5
"""The words of so many messages before a question count too, half as much, each message back less."""
_FIGURES = 2.0
"""A number or a code in the question names one thing; so much more than a word it counts."""
_MEANING = 0.6
_NEIGHBOUR = 0.5
_TOPIC, _TOPIC_REACH = 0.8, 6
_ASSISTANT, _LENGTH_POWER = 0.7, 0.2
_KIND = 3.0
_ROWS, _LINES = 0.7, 0.3
"""Share of its output's ties that each part of it has: a row belongs to what was called and to its object, a line
of a text less."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, the last messages before it, and how near in meaning each candidate is (0 to 1), if known.

    `repeated` is what an assistant said last, where the question came with it. `complete` says that the candidates are
    all that was said, not what a search found of it.
    """

    text: str
    last: Sequence[Reading] = ()
    nearness: Sequence[float] | None = None
    complete: bool = True
    repeated: str = ""

    @property
    def short(self) -> bool:
        """Whether it only asks; a longer text tells of more than that."""
        return len(self.text) <= _QUESTION_CHARACTERS


class Relevance:
    """What has to do with `question`, among the `candidates` and what else of the record stands beside them."""

    def __init__(self, question: Question, candidates: Sequence[Read], standing: Sequence[Read]) -> None:
        self._nearness = question.nearness
        words = list(dict.fromkeys(stems(question.text)))[:_QUERY_WORDS]
        self._names = _authors_words((*candidates, *standing), words)
        rarity = _rarity((*candidates, *standing), self._names)
        self.wanted = wanted_kinds(question.text)
        self._asked = {word: rarity(word) for word in words}
        for word in list(dict.fromkeys(stems(question.repeated)))[:_QUERY_WORDS]:
            self._asked.setdefault(word, rarity(word) * _LAST_TIES)
        self._codes = frozenset(word for word in self._asked if any(map(str.isdigit, word)))
        self._weights = {
            word: weight * (_FIGURES if word in self._codes else 1.0) for word, weight in self._asked.items()
        }
        for back, reading in enumerate(reversed(question.last[-_LAST_MESSAGES:])):
            for word in reading.words:
                self._weights.setdefault(word, rarity(word) * _LAST_TIES * _FADING**back)
        self._once = {word: _saturated(weight, 1) for word, weight in self._weights.items()}

    def passage_scores(self, reading: Reading) -> list[float]:
        """How much each passage has in common with the question and the last messages; 0 for nothing."""
        if self._weights.keys().isdisjoint(reading.words):
            return [0.0] * len(reading.passages)
        return [self.tie_score(passage.words) for passage in reading.passages]

    def tie_score(self, words: Mapping[str, int]) -> float:
        """How much these words have in common with the question and the last messages; 0 for nothing."""
        # Some thousand passages a question: most have none of its words, and most words occur once in theirs.
        once = self._once
        if once.keys().isdisjoint(words):
            return 0.0
        return sum(
            [
                once[word] if times == 1 else _saturated(self._weights[word], times)
                for word, times in words.items()
                if word in once
            ],
            0.0,
        )

    def context_scores(self, reading: Reading, ties: Sequence[float], heading: str) -> float:
        """What each part of an output has of the ties of its call, of a structure also of its best row; all of it
        where one of the two has a number or code of the question. `ties` are those of its parts."""
        head = Counter(stems(heading))
        if not reading.structured:
            return _LINES * self.tie_score(head)
        share = _ROWS if self._codes.isdisjoint(head) and self._codes.isdisjoint(reading.words) else 1.0
        return share * max(self.tie_score(head), *ties, 0.0)

    def candidate_scores(self, candidates: Sequence[Read], *, tight: bool = False) -> list[float]:
        """How much each candidate as a whole has to do with the question, the best 1: by words (BM25), by meaning, by
        its neighbours; short ones and those of users first, since a question is about what somebody said. In `tight`
        room what says a value of the kind that is asked for (a day, a time, a number) goes before the rest."""
        scores = _normalize(self._by_words(candidates))
        if self._nearness is not None:
            near = _normalize([max(0.0, value) for value in self._nearness])
            scores = [(1 - _MEANING) * score + _MEANING * value for score, value in zip(scores, near, strict=True)]
        if tight and self.wanted:
            scores = [
                score * (_KIND if any(self.says_wanted(message, one.text) for one in reading.passages) else 1.0)
                for score, (message, reading) in zip(scores, candidates, strict=True)
            ]
        spread = _with_neighbours(scores)
        for place, (asked, reply) in enumerate(pairwise(candidates), start=1):
            if _answers(asked[0], reply[0]):
                # Who replies seldom says again what was asked, so a reply has to do with all that its question has.
                spread[place] = max(spread[place], scores[place - 1])
        if (share := _TOPIC * _exchange_share(candidates)) > 0:
            topic = _normalize(_smooth(scores, _TOPIC_REACH))
            around = [(1 - share) * a + share * b for a, b in zip(_normalize(spread), topic, strict=True)]
            # With several subjects at a time, or a remark in passing, nothing around an answer has to do with it.
            spread = [max(own, mixed) for own, mixed in zip(_normalize(scores), around, strict=True)]
        return _normalize(
            [
                score * (_ASSISTANT if said.role is Role.ASSISTANT else 1.0) / max(20, said.tokens) ** _LENGTH_POWER
                for score, (said, _) in zip(spread, candidates, strict=True)
            ]
        )

    def says_wanted(self, message: Message, text: str) -> bool:
        """Whether `text`, from `message`, has a value of the kind that is asked for. The author's name stands beside
        what people say: "I have them" answers who does."""
        return (bool(message.author) and self.wanted == {"name"}) or has_value_of(text, self.wanted)

    def _by_words(self, candidates: Sequence[Read]) -> list[float]:
        average = sum(reading.length for _, reading in candidates) / len(candidates) or 1.0
        scores: list[float] = []
        for message, reading in candidates:
            own = self._names.get(message.author or "", ())
            if not own and self._asked.keys().isdisjoint(reading.words):
                scores.append(0.0)
                continue
            damping = K1 * (1 - B + B * reading.length / average)
            found = [(weight, reading.words[word]) for word, weight in self._asked.items() if word in reading.words]
            # Each message counts as saying its author's name: a question about someone seldom means who calls them.
            found += [(self._asked[word], 1) for word in own if word not in reading.words]
            scores.append(sum([weight * n * (K1 + 1) / (n + damping) for weight, n in found]))
        return scores


def _saturated(weight: float, times: int) -> float:
    """What a word of this `weight` counts where it occurs so many times (BM25, without regard to length)."""
    return weight * times * (K1 + 1) / (times + K1)


def _authors_words(said: Sequence[Read], asked: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The words of `asked`, in order, that are in the name of each author; only authors with one."""
    named = {author: stems(author) for author in {message.author for message, _ in said if message.author}}
    found = {author: [word for word in asked if word in own] for author, own in named.items()}
    return {author: words for author, words in found.items() if words}


def _rarity(said: Sequence[Read], names: Mapping[str, Sequence[str]]) -> Callable[[str], float]:
    holding = Counter(chain.from_iterable([reading.words for _, reading in said]))
    if names:
        for message, reading in said:
            holding.update([word for word in names.get(message.author or "", ()) if word not in reading.words])
    total = len(said)

    def rarity(word: str) -> float:
        return math.log(1 + (total - holding[word] + 0.5) / (holding[word] + 0.5))

    return rarity


def _normalize(values: Sequence[float]) -> list[float]:
    most = max(values, default=0.0)
    return [value / most for value in values] if most > 0 else [0.0] * len(values)


def _with_neighbours(scores: Sequence[float]) -> list[float]:
    """Each score, or a share of a better one close by: a reply brings its question, a question its reply."""
    around = [0.0, 0.0, *scores, 0.0, 0.0]
    near = zip(around, around[1:], scores, around[3:], around[4:], strict=False)
    return [max(at, _NEIGHBOUR * max(b, c), _NEIGHBOUR**2 * max(a, d)) for a, b, at, c, d in near]


def _answers(asked: Message, reply: Message) -> bool:
    """Whether one person may answer another's question with `reply`. Assistants end most messages with a question."""
    people = asked.role is Role.USER and reply.role is Role.USER
    if not people or (asked.author, asked.name) == (reply.author, reply.name):
        return False
    return asked.content.rstrip().endswith(QUESTION_MARKS)


def _exchange_share(candidates: Sequence[Read]) -> float:
    """The share of turns in which one person answers another: people go on about a thing for many turns."""
    said = [(message.author or message.name) if message.role is Role.USER else None for message, _ in candidates]
    return sum(bool(one and other and one != other) for one, other in pairwise(said)) / max(1, len(said) - 1)


def _smooth(values: Sequence[float], reach: int) -> list[float]:
    """Each value as the mean of those around it, near ones most (a triangle's weights)."""
    weights = [reach + 1 - abs(step) for step in range(-reach, reach + 1)]
    around, total = [*[0.0] * reach, *values, *[0.0] * reach], sum(weights)
    return [sum(map(mul, weights, around[at : at + len(weights)])) / total for at in range(len(values))]
