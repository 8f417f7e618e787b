"""BM25 over read blocks gives what BM25 over messages gives, and corrections gone on with are corrections made anew."""

from __future__ import annotations

import random

import pytest

from session_core.facts import extract, merge
from session_core.plan import Digest
from session_core.ranges import Ranges
from session_core.recall.amendments import could_amend
from session_core.recall.corrections import Corrections
from session_core.retrieval.lexicon import Lexicon
from session_core.retrieval.retrieve import rank
from session_core.turns import Key, Message, Role, ToolCall

WORDS = "train hotel north south cheap ticket platform garden bridge museum night early 17 ORD-9 größe 東京駅".split()
KEY = Key("s")


def _messages(seed: int, count: int) -> list[Message]:
    chance = random.Random(seed)
    made = []
    for seq in range(1, count + 1):
        text = " ".join(chance.choice(WORDS) for _ in range(chance.randint(0, 30)))
        calls = (ToolCall(f"c{seq}", "find", f'{{"where": "{chance.choice(WORDS)}"}}'),) if seq % 9 == 0 else ()
        made.append(Message(Role.ASSISTANT if calls else Role.USER, text, seq=seq, tool_calls=calls))
    return made


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_a_ranking_of_the_same_messages(seed: int) -> None:
    lexicon = Lexicon()
    messages = _messages(seed, 300)
    for query in ("the cheap hotel in the north", "ORD-9", "東京駅 platform", "nothing of it"):
        for part in (messages, messages[40:290:3]):
            scores = lexicon.scores(query, part)
            wanted = {message.seq: score for message, score in rank(query, part, max_hits=len(part))}
            assert scores == pytest.approx([wanted.get(message.seq, 0.0) for message in part])


def test_many_messages_of_one_number_are_read_too() -> None:
    messages = [Message(Role.USER, f"hotel {n}", seq=7) for n in range(600)]
    scores = Lexicon().scores("hotel 599", messages)
    assert scores.index(max(scores)) == 599


def test_messages_that_differ_in_their_calls_alone_are_told_apart() -> None:
    lexicon = Lexicon()
    for place in ("north", "south"):
        calling = [Message(Role.ASSISTANT, "", seq=1, tool_calls=(ToolCall("c", "find", place),))]
        assert lexicon.scores(place, calling)[0] > 0


SAID = [
    "My budget is $400 for the flight.",
    "The meeting is on 4 May at 10:00.",
    "I like window seats and my seat is 14C.",
    "No, I meant the meeting is on 11 May.",
    "My order number is W-4471, please look at it.",
    "Actually, change my budget to $650.",
    "Thanks, that is all for the moment.",
    "Sorry, the order number is W-9902.",
]


@pytest.mark.parametrize("seed", range(12))
def test_facts_gone_on_with_are_those_made_anew(seed: int) -> None:
    chance, corrections = random.Random(seed), Corrections()
    said: list[Message] = []
    while len(said) < 160:
        for _ in range(chance.randint(1, 9)):
            text = chance.choice(SAID) if chance.random() < 0.5 else f"And what about number {len(said)} then?"
            said.append(Message(Role.USER, text, seq=2 * len(said) + 1, time_s=float(len(said))))
        each = [fact for message in said for fact in extract([message])]
        expected = [fact for fact in merge((), each) if could_amend(fact)]
        assert list(corrections.later(KEY, None, said)) == expected


def test_facts_of_the_digest_come_first() -> None:
    correction = Message(Role.USER, "No, I meant the meeting is on 11 May.", seq=9)
    digest = Digest(Ranges.span(1, 20), "", facts=tuple(extract([correction])))
    corrections = Corrections()
    assert corrections.later(KEY, None, []) == ()
    assert corrections.later(KEY, digest, []) == digest.facts


def test_what_can_correct_nothing_is_left_out() -> None:
    bare = Message(Role.USER, "We paid $40 at the door in Basel.", seq=9)
    assert len(extract([bare])) == 1
    assert Corrections().later(KEY, None, [bare]) == ()


def test_of_many_sessions_those_looked_at_lately_are_remembered() -> None:
    corrections = Corrections(room_facts=20)
    for number in range(50):
        said = [Message(Role.USER, text, seq=place) for place, text in enumerate(SAID, start=1)]
        assert corrections.later(Key(f"s{number}"), None, said)
    assert len(corrections._stated) <= 3
