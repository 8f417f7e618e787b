"""What could not be had: the wish is shown only behind what was said when it was refused."""

from __future__ import annotations

import pytest

from session_core.counting.tokens import counter_for
from session_core.passages.reading import read
from session_core.passages.scoring import Question
from session_core.recall.restatements import refused_wishes, refuses
from session_core.turns import Message, Role
from tests.quote_blocks import quote_block

count = counter_for(None).count


def _talk(*texts: str, authors: tuple[str | None, ...] = (None,)) -> list[Message]:
    """A user and an assistant by turns; the user's turns by the `authors` in turn."""
    return [
        Message(
            Role.ASSISTANT if place % 2 else Role.USER,
            text,
            seq=place + 1,
            tokens=count(text),
            author=None if place % 2 else authors[place // 2 % len(authors)],
        )
        for place, text in enumerate(texts)
    ]


WISH = "I would like tulips for the table."
NONE_LEFT = "I'm sorry, we have no tulips left this week."
OTHER = "Then let it be roses."


@pytest.mark.parametrize(
    "text",
    [
        NONE_LEFT,
        "Unfortunately the hall is taken.",
        "There aren't any seats by the window.",
        "We don't have that in oak.",
        "The blue one is sold out.",
        "No rooms are available that night.",
        "Leider ist der Saal belegt.",
    ],
)
def test_refusals_are_recognised(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize("text", ["The hall is yours.", "It doesn't cost anything.", "I can't wait to see it."])
def test_other_replies_are_no_refusals(text: str) -> None:
    assert not refuses(text)


def test_a_wish_that_was_refused_goes_behind_what_was_said_then() -> None:
    talk = _talk(WISH, NONE_LEFT, OTHER)
    assert refused_wishes([(message, read(message, count)) for message in talk]) == {(0, 0): (2, 0)}


def test_of_consecutive_refusals_the_last_counts() -> None:
    talk = _talk(WISH, NONE_LEFT, OTHER, "Roses are sold out as well.", "Asters would do.")
    assert refused_wishes([(message, read(message, count)) for message in talk]) == {(0, 0): (4, 0), (2, 0): (4, 0)}


@pytest.mark.parametrize(
    "talk",
    [
        _talk(WISH, "We have them in red and white.", OTHER),
        _talk(WISH, NONE_LEFT, OTHER, authors=("Ann", "Ben")),
        _talk(WISH, NONE_LEFT),
        _talk(WISH, NONE_LEFT, "One. Two went well. Three cost 4 euros. Roses bloom."),
    ],
)
def test_what_was_not_refused_or_not_by_the_same_person_or_in_a_long_tale_stays(talk: list[Message]) -> None:
    assert refused_wishes([(message, read(message, count)) for message in talk]) == {}


@pytest.mark.parametrize("room", range(20, 60, 3))
def test_a_refused_wish_is_never_shown_alone(room: int) -> None:
    talk = _talk(WISH, NONE_LEFT, OTHER, "Noted.", "And two candles, please.", "They are in the parcel.")
    pairs = [(message, read(message, count)) for message in talk]
    block = quote_block(Question("Which tulips are for the table?"), pairs, [], room_tokens=room, count=count)[0]
    wished = any("tulips for the table" in line for line in block.splitlines())
    assert not wished or "roses" in block
