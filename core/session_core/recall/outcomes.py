"""Finds the outcome of an exchange: a short sentence in which an assistant confirms what a user chose in fewer words.

"Deck or rack oven?" "The rack oven costs less." "That one then." "The Brisa rack oven." The last sentence has all of
it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from session_core.classify import is_filler
from session_core.language.acceptance import put
from session_core.language.continuations import is_question
from session_core.language.words import sentences, words
from session_core.passages.reading import Passage, Voice
from session_core.passages.scoring import Read
from session_core.turns import Message, Role

SETTLING_WORDS, OUTCOME_WORDS = 6, 9
"""An answer of no more words settles something, and so many say what comes of it."""

SMALL_PART = 3
"""What people said is a small part of the room if it takes no more than one in so many."""

_NEAR = 0.4
"""How much of the best sentence's ties one has that is as much on the topic."""
_SPOKEN = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The places of candidates that state the outcome of an exchange, and of those that only settled it."""

    told: frozenset[int] = frozenset()
    settling: frozenset[int] = frozenset()


def find_outcomes(candidates: Sequence[Read], standing: Sequence[Read]) -> Outcomes:
    """The outcomes among `candidates`; messages that stand beside them may contain the question."""
    said = [(message, place) for place, (message, _) in enumerate(candidates)]
    said += [(message, -1) for message, _ in standing]
    order = sorted((one for one in said if _speech(one[0])), key=lambda one: one[0].seq)
    told, settling = set[int](), set[int]()
    asked: Message | None = None
    for (before, _), (answer, at) in pairwise(order):
        if before.role is Role.USER:
            asked = before
        if answer.role is Role.USER and before.role is Role.ASSISTANT and _settles(answer, before, asked):
            settling.add(at)
    seqs = {candidates[place][0].seq: place for place in settling if place >= 0}
    for (_, at), (reply, place) in pairwise(order):
        if at in settling and place >= 0 and reply.role is Role.ASSISTANT and outcome(reply.content):
            told.add(place)
    return Outcomes(frozenset(told), frozenset(seqs.values()))


def outcome(reply: str) -> str:
    """The outcome that `reply` states: its first sentence, if it is short and no question; "" if there is none."""
    first = next(iter(sentences(reply)), "")
    short = 0 < len(words(first)) <= OUTCOME_WORDS and not is_question(first) and not is_filler(first)
    return first if short else ""


def minor_voices(
    candidates: Sequence[Read], room_tokens: int, binds: Callable[[Passage], bool]
) -> Callable[[Passage], bool] | None:
    """Which passages take only a small part of the room, as in a run of tools, where people say in few words what is
    wanted and how far the work has come: those of users and assistants, or those of users, or at least those that
    `binds`; None if not even that."""
    tokens = Counter[Voice]()
    for _, reading in candidates:
        for passage in reading.passages:
            tokens[passage.voice] += passage.brief_tokens
    users, both = tokens["user"], tokens["user"] + tokens["assistant"]
    if tokens.total() < 2 * both:
        return None
    if both * SMALL_PART <= room_tokens:
        return lambda passage: passage.voice in _SPOKEN
    if users * SMALL_PART <= room_tokens:
        return lambda passage: passage.voice == "user"
    said = [passage for _, reading in candidates for passage in reading.passages if passage.voice in _SPOKEN]
    binding = sum(passage.brief_tokens for passage in said if binds(passage))
    return binds if binding * SMALL_PART <= room_tokens else None


def on_topic(
    candidates: Sequence[Read], ties: Sequence[Sequence[float]], room_tokens: int
) -> frozenset[tuple[int, int]]:
    """Of a run of tools, the places of the sentences that have most in common with a question, given the `ties` of all
    passages; empty if they take more than a small part of the room. One of them says little that is rare, and there
    are many lines of outputs, each with a name that occurs nowhere else."""
    said = [
        (source, place, passage)
        for source, (_, reading) in enumerate(candidates)
        for place, passage in enumerate(reading.passages)
        if passage.voice in _SPOKEN
    ]
    outputs = sum(message.tokens for message, _ in candidates if message.role is Role.TOOL)
    most = max((ties[source][place] for source, place, _ in said), default=0.0)
    if most <= 0 or outputs < sum(passage.brief_tokens for *_, passage in said):
        return frozenset()
    near = [(source, place, p) for source, place, p in said if ties[source][place] >= _NEAR * most]
    small = sum(passage.brief_tokens for *_, passage in near) * SMALL_PART <= room_tokens
    return frozenset((source, place) for source, place, _ in near) if small else frozenset()


def _speech(message: Message) -> bool:
    return message.role in (Role.USER, Role.ASSISTANT) and message.origin == "record" and bool(message.content.strip())


def _settles(answer: Message, before: Message, asked: Message | None) -> bool:
    texts = words(answer.content)
    if not 0 < len(texts) <= SETTLING_WORDS or is_question(answer.content):
        return False
    return bool(put(before.content)) or (asked is not None and is_question(asked.content))
