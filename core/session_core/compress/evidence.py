"""Evidence: what of the messages that a view has no room for bears on what comes next, chosen by value for tokens.

A passage is worth what it has in common with the question and the last messages, and the values it
says that stand nowhere else in the view: those that were mentioned lately or used in calls most. What
was chosen is worth nothing a second time, so each further passage must say something new (greedy
maximum coverage under a budget: Nemhauser, Wolsey and Fisher, 1978; value for cost: Khuller, Moss and
Naor, 1999). Prose also counts as a whole: a message that answers the question (BM25, and meaning where
vectors are given) brings all of its sentences, and its neighbours.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from session_core.compress.passages import HEADING_CHARACTERS, Passage, Reading, asked, heading, stems, values_of
from session_core.language.quoting import BROUGHT_BACK, WITHIN
from session_core.plan import Count
from session_core.retrieve import K1, B
from session_core.turns import Message, Role

HEAD = BROUGHT_BACK

LATELY_TOKENS = 6_000
"""A value that was last mentioned so many tokens ago counts e times less."""

_VOICES = {"user": 1.3, "assistant": 0.6, "tool": 1.0, "call": 1.1}
_SAID_BY_USER = 0.25
"""What a user's ordinary word is worth; everybody else's are worth less than names and figures by far."""

_VALUE, _TIES, _HALF = 4.0, 3.0, 0.5
_COST_POWER = 0.8
_LAST_MESSAGES, _FADING = 4, 0.7
_FIGURES = 2.0
"""A number or a code in the question names one thing; so much more than a word it counts."""
_LAST_TIES = 0.5
_PROSE, _SHARE_POWER = 100.0, 6
_MEANING = 0.7
_ASSISTANT, _LENGTH_POWER = 0.7, 0.2
_NEIGHBOUR = 0.5
_AROUND = 0.7
"""Share of its output's best ties that each row of it has: a row belongs to what was called and to its object."""
_LIKE_ROWS = 0.2
_QUERY_WORDS = 120
_LEAST = 8


@dataclass(slots=True)
class _Candidate:
    passage: Passage
    source: int
    place: int
    relevance: float
    whole: float


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, the last messages before it, and how near in meaning each candidate is (0 to 1), if known."""

    text: str
    last: Sequence[Reading] = ()
    nearness: Sequence[float] | None = None


@dataclass(slots=True)
class _State:
    """What has been chosen so far and what it cost."""

    covered: set[str]
    sources: set[int] = field(default_factory=set)
    groups: Counter[tuple[int, int]] = field(default_factory=Counter)


def evidence(
    question: Question,
    candidates: Sequence[tuple[Message, Reading]],
    standing: Sequence[tuple[Message, Reading]],
    *,
    room_tokens: int,
    count: Count,
) -> tuple[str, list[Message]]:
    """The passages of `candidates` that are worth most in `room_tokens`, as one block of quotes ("" for none), and
    the messages that it quotes.

    `candidates` are messages that the view does not show whole, `standing` what it shows, both in the
    order of the record. Equal input gives equal output.
    """
    room = room_tokens - count(HEAD) - 2
    if room < _LEAST or not candidates:
        return "", []
    called = asked([message for message, _ in (*candidates, *standing)])
    headings = [heading(message, called) for message, _ in candidates]
    found = _candidates(question, candidates, standing, headings)
    if not found:
        return "", []
    gone = {value for _, reading in standing for passage in reading.passages for value in passage.values}
    state = _State(gone)
    worth = _worth_of(candidates, standing, headings, state, max(one.relevance for one in found), count)
    price = _prices(headings, state, count)
    chosen = _choose(found, state, worth, price, headings, room)
    while chosen:
        told = _told(chosen, headings)
        over = count(told) - room_tokens
        if over <= 0:
            return told, [candidates[source][0] for source in sorted({one.source for one in chosen})]
        del chosen[-max(1, len(chosen) * over // (2 * room_tokens)) :]
    return "", []


def _candidates(
    question: Question,
    candidates: Sequence[tuple[Message, Reading]],
    standing: Sequence[tuple[Message, Reading]],
    headings: Sequence[str],
) -> list[_Candidate]:
    """Every passage once, the newest of those that are equal, with how much it has to do with the question."""
    rarity = _rarity([reading for _, reading in (*candidates, *standing)])
    query = list(dict.fromkeys(stems(question.text)))[:_QUERY_WORDS]
    weights = {word: rarity(word) * (_FIGURES if any(map(str.isdigit, word)) else 1.0) for word in query}
    for back, reading in enumerate(reversed(question.last[-_LAST_MESSAGES:])):
        for word in reading.words:
            weights.setdefault(word, rarity(word) * _LAST_TIES * _FADING**back)
    whole = _whole(query, rarity, candidates, question.nearness)
    share = _prose_share(candidates) ** _SHARE_POWER
    codes = frozenset(word for word in query if any(map(str.isdigit, word)))
    around = [
        _around(reading, Counter(stems(head)), weights, codes) if message.role is Role.TOOL else 0.0
        for head, (message, reading) in zip(headings, candidates, strict=True)
    ]
    answered = {message.tool_call_id for message, _ in (*candidates, *standing) if message.role is Role.TOOL}
    headed = {
        f"{call.name} {call.arguments}"
        for message, _ in candidates
        for call in message.tool_calls
        if call.id in answered
    }
    seen = {text for text in headed if len(text) <= HEADING_CHARACTERS}
    found: list[_Candidate] = []
    for source in range(len(candidates) - 1, -1, -1):
        for place in range(len(candidates[source][1].passages) - 1, -1, -1):
            passage = candidates[source][1].passages[place]
            if passage.text in seen:
                continue
            seen.add(passage.text)
            spoken = passage.voice in ("user", "assistant")
            ties = _ties(passage.words, weights) + around[source]
            found.append(_Candidate(passage, source, place, ties, _PROSE * share * whole[source] ** 2 * spoken))
    return found


def _around(reading: Reading, head: Mapping[str, int], weights: Mapping[str, float], codes: frozenset[str]) -> float:
    """What each row of an output has of the ties of its call and of its best row; all of it where one of the two
    has a number or code of the question."""
    share = _AROUND if codes.isdisjoint(head) and codes.isdisjoint(reading.words) else 1.0
    return share * max(_ties(head, weights), *(_ties(passage.words, weights) for passage in reading.passages), 0.0)


def _ties(words: Mapping[str, int], weights: Mapping[str, float]) -> float:
    return sum(weights[word] * n * (K1 + 1) / (n + K1) for word, n in words.items() if word in weights)


def _rarity(readings: Sequence[Reading]) -> Callable[[str], float]:
    holding: Counter[str] = Counter()
    for reading in readings:
        holding.update(reading.words.keys())
    total = len(readings)

    def rarity(word: str) -> float:
        return math.log(1 + (total - holding[word] + 0.5) / (holding[word] + 0.5))

    return rarity


def _whole(
    query: Sequence[str],
    rarity: Callable[[str], float],
    candidates: Sequence[tuple[Message, Reading]],
    nearness: Sequence[float] | None,
) -> list[float]:
    """How much each message has to do with the question, the best 1: by words, by meaning, by its neighbours;
    short ones and those of users first, since a question is about what somebody said."""
    weights = {word: rarity(word) for word in query}
    average = sum(reading.length for _, reading in candidates) / len(candidates) or 1.0
    scores: list[float] = []
    for _, reading in candidates:
        damping = K1 * (1 - B + B * reading.length / average)
        scores.append(
            sum(
                weight * reading.words[word] * (K1 + 1) / (reading.words[word] + damping)
                for word, weight in weights.items()
                if word in reading.words
            )
        )
    scores = _to_one(scores)
    if nearness is not None:
        near = _to_one([max(0.0, value) for value in nearness])
        scores = [(1 - _MEANING) * score + _MEANING * value for score, value in zip(scores, near, strict=True)]
    last = len(scores) - 1
    spread = list(scores)
    for index in range(len(scores)):
        for step, weight in ((1, _NEIGHBOUR), (2, _NEIGHBOUR**2)):
            before, behind = scores[max(0, index - step)], scores[min(last, index + step)]
            spread[index] = max(spread[index], weight * max(before, behind))
    return _to_one(
        [
            score * (_ASSISTANT if message.role is Role.ASSISTANT else 1.0) / max(20, message.tokens) ** _LENGTH_POWER
            for score, (message, _) in zip(spread, candidates, strict=True)
        ]
    )


def _to_one(values: Sequence[float]) -> list[float]:
    most = max(values, default=0.0)
    return [value / most for value in values] if most > 0 else [0.0] * len(values)


def _prose_share(candidates: Sequence[tuple[Message, Reading]]) -> float:
    """The share of the candidates' tokens that people and assistants said, calls and results being the rest."""
    total = sum(message.tokens for message, _ in candidates)
    said = sum(m.tokens for m, _ in candidates if m.role is not Role.TOOL and not m.tool_calls)
    return said / total if total else 0.0


Worth = Callable[[_Candidate], float]


def _worth_of(
    candidates: Sequence[tuple[Message, Reading]],
    standing: Sequence[tuple[Message, Reading]],
    headings: Sequence[str],
    state: _State,
    best: float,
    count: Count,
) -> Worth:
    named = [values_of(text) for text in headings]
    opening = [count(text) if len(told) > 1 else 0 for text, told in zip(headings, named, strict=True)]
    lately = _mentions([*candidates, *standing])
    used: Counter[str] = Counter(
        value
        for _, reading in (*candidates, *standing)
        for passage in reading.passages
        if passage.voice == "call"
        for value in passage.values
    )
    uses = {value: 1 + 0.5 * math.log1p(times) for value, times in used.items()}

    def worth(one: _Candidate) -> float:
        """For its tokens: ties, and the values that are not told yet; rows of a kind that is told already less."""
        passage = one.passage
        told = passage.values if one.source in state.sources else {**named[one.source], **passage.values}
        ordinary = _SAID_BY_USER if passage.voice == "user" else 0.0
        # What the question names counts wherever it was said; the rest counts less the longer ago it was.
        tied = one.relevance / best if best else 0.0
        fading = 1.0 - tied
        new = sum(
            max(ordinary, value) * lately[name] ** fading * uses.get(name, 1.0)
            for name, value in told.items()
            if name in lately and name not in state.covered
        )
        new *= _VOICES[passage.voice] * (1 + _TIES * tied**2 / (tied**2 + _HALF**2))
        if passage.group:
            new /= 1 + _LIKE_ROWS * state.groups[one.source, passage.group]
        cost = passage.tokens if one.source in state.sources else passage.tokens + opening[one.source]
        return float((one.relevance * (1 + tied) + _VALUE * new) / cost**_COST_POWER + one.whole)

    return worth


def _mentions(messages: Sequence[tuple[Message, Reading]]) -> Mapping[str, float]:
    """For each value how lately it was mentioned, 1 for just now."""
    found: dict[str, float] = {}
    behind = 0
    for message, reading in sorted(messages, key=lambda pair: -pair[0].seq):
        near = math.exp(-behind / LATELY_TOKENS)
        for passage in reading.passages:
            for value in passage.values:
                found.setdefault(value, near)
        behind += message.tokens
    return found


Price = Callable[[_Candidate], int]


def _prices(headings: Sequence[str], state: _State, count: Count) -> Price:
    counted: dict[str, int] = {}

    def tokens(text: str) -> int:
        if text not in counted:
            counted[text] = count(text) + 1
        return counted[text]

    def price(one: _Candidate) -> int:
        """Its tokens, with its heading and schema where it is the first under them."""
        total = one.passage.tokens
        if one.source not in state.sources:
            total += tokens(headings[one.source])
        if one.passage.schema and (one.source, one.passage.group) not in state.groups:
            total += tokens(one.passage.schema)
        return total

    return price


def _choose(
    found: Sequence[_Candidate], state: _State, worth: Worth, price: Price, headings: Sequence[str], room: int
) -> list[_Candidate]:
    """The best first, each worth anew what the ones before it left to say (lazy greedy: Minoux, 1978)."""
    heap = [(-worth(one), number) for number, one in enumerate(found)]
    heapq.heapify(heap)
    chosen: list[_Candidate] = []
    while heap and room >= _LEAST:
        _, number = heapq.heappop(heap)
        one = found[number]
        cost = price(one)
        if cost > room:
            continue
        now = -worth(one)
        if heap and now > heap[0][0] + 1e-9:
            heapq.heappush(heap, (now, number))
            continue
        chosen.append(one)
        room -= cost
        state.sources.add(one.source)
        if one.passage.group:
            state.groups[one.source, one.passage.group] += 1
        state.covered.update(one.passage.values)
        state.covered.update(values_of(headings[one.source]))
    return chosen


def _told(chosen: Collection[_Candidate], headings: Sequence[str]) -> str:
    lines = [HEAD]
    source, schema = -1, ""
    for one in sorted(chosen, key=lambda one: (one.source, one.place)):
        if one.source != source:
            source, schema = one.source, ""
            lines.append(headings[source])
        if one.passage.schema and one.passage.schema != schema:
            schema = one.passage.schema
            lines.append(f"{WITHIN}{schema}")
        lines.append(f"{WITHIN}{one.passage.text}")
    return "\n".join(lines)
