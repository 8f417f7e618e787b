"""What the tests of a bad model go by sees what is invented and confused, and nothing else."""

from __future__ import annotations

import pytest
from planted_facts import confused, invented, rounds, said, source_of

PLANTED = rounds(1, 2)
FIRST, SECOND = PLANTED
SOURCE = source_of([message for number, one in enumerate(PLANTED) for message in said(one, number)])


@pytest.mark.parametrize(
    "text",
    [
        "It costs $9.",
        "Offer KX-00001 is open.",
        "Then Bernard came.",
        "It ends in Frimaire 1799.",
        "There were twelve.",
    ],
)
def test_what_nobody_said_is_seen(text: str) -> None:
    assert invented(text, SOURCE)


def test_what_was_said_is_not_taken_for_invented() -> None:
    assert invented(SOURCE, SOURCE) == []
    assert (
        invented(f"Summary:\nThe offer of {FIRST.person} is {FIRST.code}.\n(17 more facts are in the record.)", SOURCE)
        == []
    )


@pytest.mark.parametrize(
    "text",
    [
        f"{FIRST.person} has {SECOND.amount}.",
        f"The {SECOND.thing} is offered as {FIRST.code}.",
        f"They want {FIRST.unwanted}.",
    ],
)
def test_what_is_given_to_another_or_no_longer_denied_is_seen(text: str) -> None:
    assert list(confused(text, PLANTED)) == [text]


def test_what_stands_as_it_was_said_is_not_taken_for_confused() -> None:
    assert list(confused(SOURCE, PLANTED)) == []
