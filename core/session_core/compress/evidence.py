"""Evidence: what of the messages that a view has no room for bears on what comes next, chosen by value for tokens.

A passage is worth what it has in common with the question and the last messages, and the values it
says that stand nowhere else in the view: those that were mentioned lately, that calls used, or that
look like those that calls used, most. What was chosen is worth nothing a second time, so each further
passage must say something new (greedy maximum coverage under a budget: Nemhauser, Wolsey and Fisher,
1978; value for cost: Khuller, Moss and Naor, 1999). Prose also counts as a whole: a message that answers
the question brings all of its sentences, and its neighbours. Sentences stand in a telegram's words, and
in their own where there is room.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from session_core.compress.bearing import Bearing, Question, Read
from session_core.compress.choosing import HEAD, LEAST, Candidate, Choice, State, Worth, block_of, prices
from session_core.compress.passages import HEADING_CHARACTERS, ORDINARY, Passage, asked, heading, named_in, shape
from session_core.compress.restated import restated
from session_core.language.accepting import offers, takes
from session_core.language.wanted import says
from session_core.language.words import ASKING_WORDS
from session_core.plan import Count
from session_core.turns import Message, Role

LATELY_TOKENS = 12_000
"""A value that was last mentioned so many tokens ago counts e times less."""

_VOICES = {"user": 1.3, "assistant": 0.6, "tool": 1.0, "call": 1.1}
_VALUE, _TIES, _HALF = 6.0, 3.0, 0.5
_COST_POWER = 0.8
_USED, _LIKE_USED = 0.5, 1.5
"""How much more a value counts that calls used, and one that looks like those (an order's number like another's)."""
_PROSE, _SHARE_POWER, _SCARCITY_POWER = 100.0, 6, 2
_ALL_OF_USERS, _TIES_LESS = 2.0, 0.7
"""Where there is room for all that users said, how much more it counts than what others did, and how much less ties."""
_WHOLE_WORDS, _HALF_WORDS_TOKENS = 0.5, 1_000.0
"""What a sentence's own words are worth beside its telegram's, in a room of any size; half of it in one of so many
tokens. In a small room each word stands in the place of another sentence."""
_IN_HEADING = 0.5
"""What a value of a call is worth before rows, which mostly say it again."""
_LIKE_ROWS = 0.2
_FEW_ROWS = 8.0
"""Of a structure with more rows, each counts as much less: which of many is needed is seldom this one."""
_ECHO_WORDS = 8
TIGHT_TOKENS = 256
"""In so little room sentences compete for each place: there words of asking say nothing, sentences that say little of
their own have less of what their message has to do with the question, and questions without a value half of it."""
_SAYS, _ASKS = 0.6, 0.5
_TAKEN = 1.2
"""What a value counts that an assistant offered and the user took, nearly as one that the user said."""
_ANSWERS, _UNASKED, _UNASKED_TIES = 0.9, 0.2, 0.5
"""In tight room: what a value counts, whoever says it, in a sentence that says one of the kind that is asked for; and
how much sentences without one have of their message's bearing on the question, and of ties."""
_FILLINGS = 3
"""How often what is left of the room is filled: what passages cost is only estimated before."""


def evidence(
    question: Question,
    candidates: Sequence[Read],
    standing: Sequence[Read],
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
    if room < LEAST or not candidates:
        return "", []
    called = asked([message for message, _ in (*candidates, *standing)])
    headings = [heading(message, called) for message, _ in candidates]
    tight = room_tokens <= TIGHT_TOKENS
    found = _candidates(question, candidates, standing, headings, room, tight=tight)
    if not found:
        return "", []
    gone = {value for _, reading in standing for passage in reading.passages for value in passage.values}
    state = State(gone | ASKING_WORDS if tight else gone)
    worth = _worth_of(candidates, standing, headings, state, max(one.relevance for one in found), count)
    own_words = _WHOLE_WORDS * room / (room + _HALF_WORDS_TOKENS)
    newer = _newer(found, restated([*candidates, *standing]))
    choice = Choice(found, state, worth, prices(headings, state, count), headings, own_words, newer)
    choice.fill(room)
    for _ in range(_FILLINGS):
        left = room_tokens - count(block_of(choice.made, headings))
        if left < LEAST or not choice.fill(left):
            break
    chosen = choice.made
    while chosen:
        block = block_of(chosen, headings)
        over = count(block) - room_tokens
        if over <= 0:
            return block, [candidates[source][0] for source in sorted({one.source for one in chosen})]
        del chosen[-max(1, len(chosen) * over // (2 * room_tokens)) :]
    return "", []


def _candidates(
    question: Question,
    candidates: Sequence[Read],
    standing: Sequence[Read],
    headings: Sequence[str],
    room_tokens: int,
    *,
    tight: bool,
) -> list[Candidate]:
    """Every passage once, the newest of those that are equal, with how much it has to do with the question."""
    bearing = Bearing(question, candidates, standing)
    prose = _prose_share(candidates) ** _SHARE_POWER
    scarcity = _scarcity(candidates, room_tokens) if question.complete else 1.0
    whole = [_PROSE * prose * scarcity**_SCARCITY_POWER * share**2 for share in bearing.whole(tight=tight)]
    favour = {"user": 1 + _ALL_OF_USERS * prose * (1 - scarcity), "assistant": 1 - _TIES_LESS * prose * (1 - scarcity)}
    around = [
        bearing.around(reading, head) if message.role is Role.TOOL else 0.0
        for head, (message, reading) in zip(headings, candidates, strict=True)
    ]
    taken = _taken(candidates, standing)
    kinds = bearing.wanted if tight else frozenset[str]()
    seen = _in_headings(candidates, standing)
    found: list[Candidate] = []
    for source in range(len(candidates) - 1, -1, -1):
        for place in range(len(candidates[source][1].passages) - 1, -1, -1):
            passage = candidates[source][1].passages[place]
            if passage.text in seen or (source and _echoes(passage, candidates[source - 1])):
                continue
            seen.add(passage.text)
            ties = (bearing.ties(passage.words) + around[source]) * favour["assistant"]
            spoken = whole[source] if passage.voice in favour else 0.0
            if tight:
                spoken *= _says(passage)
            weight = favour.get(passage.voice, 1.0) * _VOICES[passage.voice]
            if source in taken and _telling(passage):
                weight = max(weight, _TAKEN)
            if kinds and says(passage.text, kinds):
                weight = max(weight, _ANSWERS)
            elif kinds:
                spoken, ties = spoken * _UNASKED, ties * _UNASKED_TIES
            found.append(Candidate(passage, source, place, ties, spoken, weight))
    return found


def _newer(found: Sequence[Candidate], stated_again: Mapping[tuple[int, int], tuple[int, int]]) -> dict[int, int]:
    """The candidates that were stated again, each with the one that did."""
    numbers = {(one.source, one.place): number for number, one in enumerate(found)}
    return {numbers[old]: numbers[new] for old, new in stated_again.items() if old in numbers and new in numbers}


def _taken(candidates: Sequence[Read], standing: Sequence[Read]) -> frozenset[int]:
    """The places of what assistants said that offered something, which the user took right behind it."""
    said = [(m.seq, place, m) for place, (m, _) in enumerate(candidates)]
    said += [(m.seq, -1, m) for m, _ in standing if m.origin == "record"]
    return frozenset(
        place
        for (_, place, offer), (_, _, reply) in pairwise(sorted(said, key=lambda one: one[0]))
        if place >= 0 and offer.role is Role.ASSISTANT and reply.role is Role.USER
        if takes(reply.content) and offers(offer.content)
    )


def _telling(passage: Passage) -> bool:
    """Whether it says a name, a figure or a code."""
    return any(worth > ORDINARY for worth in passage.values.values())


def _says(passage: Passage) -> float:
    """How much of its message's bearing on the question a passage has, by what it says itself."""
    said = sum(worth for value, worth in passage.values.items() if value not in ASKING_WORDS)
    asks = passage.text.endswith(("?", "？")) and not _telling(passage)
    return said / (said + _SAYS) * (_ASKS if asks else 1.0)


def _echoes(passage: Passage, before: Read) -> bool:
    """Whether an assistant only says again in a few words what the user said right before ("Norwich, all right.")."""
    if passage.voice != "assistant" or before[0].role is not Role.USER or len(passage.text.split()) > _ECHO_WORDS:
        return False
    told = {value for part in before[1].passages for value in part.values}
    stated = {value for value, worth in passage.values.items() if worth > ORDINARY}
    return bool(stated) and stated <= told


def _in_headings(candidates: Sequence[Read], standing: Sequence[Read]) -> set[str]:
    """The calls that stand whole in the headings of their results."""
    answered = {message.tool_call_id for message, _ in (*candidates, *standing) if message.role is Role.TOOL}
    calls = [call for message, _ in candidates for call in message.tool_calls if call.id in answered]
    return {text for call in calls if len(text := f"{call.name} {call.arguments}") <= HEADING_CHARACTERS}


def _prose_share(candidates: Sequence[Read]) -> float:
    """The share of the candidates' tokens that people and assistants said, calls and results being the rest."""
    total = sum(message.tokens for message, _ in candidates)
    said = sum(m.tokens for m, _ in candidates if m.role is not Role.TOOL and not m.tool_calls)
    return said / total if total else 0.0


def _scarcity(candidates: Sequence[Read], room_tokens: int) -> float:
    """1 where there is room for hardly any of what users said, 0 where there is for all of it: then nothing is to be
    found out about which of it is meant."""
    passages = [passage for _, reading in candidates for passage in reading.passages if passage.voice == "user"]
    said = sum(passage.brief_tokens for passage in passages)
    return max(0.0, 1 - room_tokens / said) if said else 0.0


def _worth_of(
    candidates: Sequence[Read],
    standing: Sequence[Read],
    headings: Sequence[str],
    state: State,
    best: float,
    count: Count,
) -> Worth:
    shares = [_IN_HEADING if reading.structured else 1.0 for _, reading in candidates]
    named = [
        {name: value * share for name, value in named_in(text).items()}
        for text, share in zip(headings, shares, strict=True)
    ]
    opening = [count(text) if len(told) > 1 else 0 for text, told in zip(headings, named, strict=True)]
    lately = _mentions([*candidates, *standing])
    used: Counter[str] = Counter(
        value
        for _, reading in (*candidates, *standing)
        for passage in reading.passages
        if passage.voice == "call"
        for value in passage.values
    )
    uses = {value: 1 + _USED * math.log1p(times) for value, times in used.items()}
    taken = Counter(form for value in used if (form := shape(value)))
    like = {form: 1 + _LIKE_USED * times / (times + 1) for form, times in taken.items()}
    counts = {name: uses.get(name, 1.0) * (like.get(shape(name), 1.0) if like else 1.0) for name in lately}
    counts_now = {name: count * lately[name] for name, count in counts.items()}
    covered, sources, groups = state.covered, state.sources, state.groups

    crowds = [max(1.0, len(reading.passages) / _FEW_ROWS) if reading.structured else 1.0 for _, reading in candidates]

    def worth(one: Candidate) -> float:
        """For its tokens: ties, and the values that are not told yet; rows of a kind that is told already less."""
        passage, opens = one.passage, one.source not in sources
        # What the question names counts wherever it was said; the rest counts less the longer ago it was.
        tied = one.relevance / best if best else 0.0
        fading = 1.0 - tied
        weights, values, new = counts if tied else counts_now, passage.values, 0.0
        for told in (named[one.source], values) if opens else (values,):
            for name, value in told.items():
                if name not in covered and name in weights and (told is values or name not in values):
                    new += value * weights[name] * (lately[name] ** fading if tied else 1.0)
        new *= 1 + _TIES * tied**2 / (tied**2 + _HALF**2)
        new *= one.favour
        if passage.group:
            new /= 1 + _LIKE_ROWS * groups[one.source, passage.group]
        cost = one.tokens + opening[one.source] if opens else one.tokens
        stated = (one.relevance * (1 + tied) + _VALUE * new) / crowds[one.source]
        return float(stated / cost**_COST_POWER + one.whole)

    return worth


def _mentions(messages: Sequence[Read]) -> Mapping[str, float]:
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
