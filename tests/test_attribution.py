"""A summary that gives one person's wish to another: no such sentence stands, and what is true of each stays."""

from __future__ import annotations

import pytest

from session_core import Budget, Policy, Sessions
from session_core.events import Event, FellBack
from session_core.ports import SummaryRequest
from session_core.turns import Message, Role
from session_core.verification.attribution import without_swaps

TALK = [
    Message(Role.USER, "I want the night train to Vienna.", author="Alice", seq=1),
    Message(Role.USER, "Flying is faster, I prefer the plane.", author="Bob Stone", seq=2),
    Message(Role.USER, "Let's stay near the lake.", author="Alice", seq=3),
    Message(Role.USER, "Yes, fine by me.", author="Chen", seq=4),
    Message(Role.USER, "Chen asked me yesterday for a room with a balcony.", author="Bob Stone", seq=5),
    Message(Role.ASSISTANT, "I would recommend the old sleeper. Should I rent bicycles as well?", seq=6),
    Message(Role.USER, "No, not for me.", author="Chen", seq=7),
]
TRUE = (
    "Alice wants the night train.",
    "Bob prefers the plane.",
    "Bob Stone prefers the plane, Alice the train.",
    "Alice's wish is a place near the lake.",
    "Chen wants to stay near the lake.",
    "Chen wants a room with a balcony.",
    "The assistant recommends the old sleeper.",
    "The user wants the night train.",
    "Alice would like to travel by rail overnight.",
    "Bob will bring the tickets.",
    "The lake is near.",
    "They want to stay near the lake.",
)
SWAPPED = (
    "Bob wants the night train.",
    "Bob Stone wants the night train to Vienna.",
    "Alice prefers the plane.",
    "Bob would like to stay near the lake.",
    "Alice wants a room with a balcony.",
    "The assistant wants the night train.",
    "The user wants to rent bicycles.",
    "Chen asks to rent bicycles.",
)


@pytest.mark.parametrize("sentence", TRUE)
def test_correctly_attributed_wishes_stay(sentence: str) -> None:
    assert without_swaps(sentence, TALK, "") == (sentence, 0)


@pytest.mark.parametrize("sentence", SWAPPED)
def test_wrongly_attributed_wishes_are_struck(sentence: str) -> None:
    summary = f"A trip is planned. {sentence}\nAlice wants the night train."
    assert without_swaps(summary, TALK, "") == ("A trip is planned.\nAlice wants the night train.", 1)


def test_a_line_of_the_summary_before_says_whose_it_is() -> None:
    before = "Alice: I want a window seat.\nBob Stone: I take the aisle."
    assert without_swaps("Alice wants the window seat.", TALK, before)[1] == 0
    assert without_swaps("Bob wants the window seat.", TALK, before)[1] == 1


def test_two_people_with_one_first_name_are_told_apart_by_the_whole_of_it() -> None:
    talk = [
        Message(Role.USER, "I want the sauna.", author="Kim Park", seq=1),
        Message(Role.USER, "I want the gym.", author="Kim Lee", seq=2),
    ]
    assert without_swaps("Kim wants the sauna.", talk, "")[1] == 0
    assert without_swaps("Lee wants the sauna.", talk, "")[1] == 1


class Swaps:
    """A summarizer that mixes people up."""

    name = "swaps"

    async def summarize(self, request: SummaryRequest) -> str:
        return "Bob wants the night train. Alice wants to stay near the lake."


def test_a_digest_has_no_swapped_wish_and_an_event_says_so() -> None:
    events: list[Event] = []
    policy = Policy(Budget(600, reply_reserve_tokens=0), folding="off", summarizer=Swaps())
    with Sessions(policy=policy, on_event=events.append) as sessions:
        session = sessions.session("s")
        session.append([{"role": one.role, "content": one.content, "name": one.author} for one in TALK], lenient=True)
        for town in range(6):
            session.append({"role": "user", "content": f"Tell me about town {town} and its bridges.", "name": "Alice"})
            session.append({"role": "assistant", "content": f"Town {town} lies by a river. " * 12})
        digest = session.fold()
    assert digest is not None
    assert "Bob wants" not in digest.summary
    assert any(isinstance(one, FellBack) and "wish to the wrong person" in one.reason for one in events)
