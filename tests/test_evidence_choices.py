"""A question is answered alike by a process that was asked before and by one that was not, within its room."""

from __future__ import annotations

import random
import sys
from math import ceil

import pytest

from session_core import Budget, Policy, Session, Sessions
from session_core.counting.estimate import estimate
from session_core.counting.tokens import counter_for
from session_core.language.quoting import WITHIN
from session_core.passages.reading import read
from session_core.passages.scoring import Question
from session_core.plan import Count
from session_core.policy import Folding
from session_core.recall.blocks import Blocks
from session_core.recall.evidence import Evidence
from session_core.recall.selection import Candidate
from session_core.stores.memory import MemoryStore
from session_core.turns import Message, Role

count = counter_for(None).count
THINGS = "caterer florist printer driver drummer baker tailor joiner".split()
NAMES = "Ada Bo Cleo Dan Eve Finn Gus Hal Ida Jo".split()
QUESTIONS = [f"Who is the {thing}, and since when?" for thing in THINGS[:3]]


def _talk(seed: int, turns: int) -> list[dict[str, str]]:
    """Two people who settle who does what, change their minds, and speak of the weather."""
    chance, said = random.Random(seed), []
    for turn in range(turns):
        thing, name = chance.choice(THINGS), chance.choice(NAMES)
        text = chance.choice(
            (
                f"The {thing} is {name}, from {chance.randint(1, 28)} May on.",
                f"Actually, the {thing} is {name}.",
                f"No, I meant {name} for it.",
                f"It rained on the {chance.randint(1, 28)}th, and the {thing} was late by {chance.randint(2, 90)}.",
            )
        )
        said.append({"id": f"{seed}u{turn}", "role": "user", "content": text})
        said.append({"id": f"{seed}a{turn}", "role": "assistant", "content": f"Noted for the {thing}. Anything else?"})
    return said


def _weather(turns: int) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": f"It rained for {turn} hours in the town of {turn} bridges."}
        for turn in range(turns)
    ]


def _sessions(store: MemoryStore, folding: Folding = "off") -> Sessions:
    return Sessions(store, policy=Policy(Budget(1_500, reply_reserve_tokens=0), folding=folding), clock=lambda: 0.0)


def _asked(session: Session, question: str) -> list[str]:
    return [message.content for message in session.view(question).messages]


def _forget() -> None:
    """Let all rules forget what they found in texts, as in a process that has just begun."""
    for name, module in list(sys.modules.items()):
        if name.startswith("session_core"):
            for known in vars(module).values():
                getattr(known, "cache_clear", lambda: None)()


@pytest.mark.parametrize("folding", ["off", "inline"])
def test_views_do_not_depend_on_earlier_questions_of_the_process(folding: Folding) -> None:
    store, talk = MemoryStore(), _talk(1, 100)
    with _sessions(store, folding) as sessions:
        session = sessions.session("s")
        for start in range(0, len(talk), 10):
            session.append(talk[start : start + 10])
        warm = [_asked(session, question) for question in (*QUESTIONS, *QUESTIONS)][len(QUESTIONS) :]
    for question, before in zip(QUESTIONS, warm, strict=True):
        _forget()
        with _sessions(store, folding) as sessions:
            assert _asked(sessions.session("s"), question) == before


def test_a_correction_between_two_questions_is_quoted_for_the_second() -> None:
    with _sessions(MemoryStore()) as sessions:
        session = sessions.session("s")
        session.append([{"role": "user", "content": "The harbour party is on 3 May."}, *_weather(150)])
        first = "\n".join(_asked(session, "When is the harbour party?"))
        session.append([{"role": "user", "content": "No, the harbour party is on 4 May."}, *_weather(40)])
        second = "\n".join(_asked(session, "When is the harbour party?"))
    assert "harbour party is on 3 May." in first
    assert "4 May" not in first
    assert "3 May (later: “No, the harbour party is on 4 May.”)" in second


def _candidates(seed: int) -> tuple[list[Candidate], list[str]]:
    messages = [Message(Role.USER, said["content"], seq=seq) for seq, said in enumerate(_talk(seed, 40), start=1)]
    readings = [read(message, count) for message in messages]
    found = [
        Candidate(passage, source, place, 0.0, 0.0, 1.0, full=bool((source + place) % 2))
        for source, reading in enumerate(readings)
        for place, passage in enumerate(reading.passages)
    ]
    return found, [("user:", "assistant:")[source // 3 % 2] for source in range(len(messages))]


@pytest.mark.parametrize("seed", range(4))
def test_counting_a_block_line_by_line_gives_the_tokens_of_the_whole(seed: int) -> None:
    found, headings = _candidates(seed)
    blocks, chance = Blocks(headings, count), random.Random(seed)
    for _ in range(20):
        chosen = chance.sample(found, chance.randint(1, len(found)))
        assert blocks.estimate_tokens(chosen) == count(blocks.text(chosen))


def _by_factor(text: str) -> int:
    return ceil(1.3 * count(text))


@pytest.mark.parametrize("guess", [estimate, _by_factor])
def test_an_estimating_counter_never_exceeds_the_room(guess: Count) -> None:
    messages = [Message(Role.USER, said["content"], seq=seq, tokens=20) for seq, said in enumerate(_talk(5, 200))]
    weighed = Evidence(Question(QUESTIONS[0]), [(one, read(one, guess)) for one in messages], [], count=guess)
    weighed.choose(500)
    quoted = weighed.quote(500)
    assert 470 <= guess(quoted.block) <= 500
    lines = quoted.block.splitlines()
    assert all(f"{WITHIN}{one.text}" in lines or f"{WITHIN}{one.brief}" in lines for _, one in quoted.passages)


@pytest.mark.parametrize("behind", ["", "[One line more, of which there is none before.]"])
def test_room_for_a_last_line_is_taken_from_the_passages_chosen_last(behind: str) -> None:
    messages = [Message(Role.USER, said["content"], seq=seq, tokens=20) for seq, said in enumerate(_talk(6, 200))]
    weighed = Evidence(Question(QUESTIONS[1]), [(one, read(one, count)) for one in messages], [], count=count)
    weighed.choose(600)
    for room in (600, 300, 60, 5):
        quoted = weighed.quote(room, behind)
        assert count(quoted.block) <= room
        assert not quoted.block or quoted.block.endswith(behind)
        assert len(quoted.passages) <= len(weighed.chosen_passages)
    assert len(weighed.quote(600, most=3).passages) == 3
