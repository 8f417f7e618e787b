"""Courtesies: what only frames a talk is heard as such, and nothing that states, asks or answers something."""

from __future__ import annotations

import pytest

from session_core.classify import is_filler


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for your patience.",
        "Thanks for choosing Nordlicht Opticians, have a lovely evening!",
        "Have a safe journey.",
        "Enjoy your stay!",
        "Is there anything else I can help you with today?",
        "Do you need anything else?",
        "Let me know if you have any other questions.",
        "You are most welcome. Good bye.",
        "No, that's all I need. Thank you.",
        "That will be all for now.",
        "I'm all set, thanks so much!",
        "I really appreciate your help.",
        "It was a pleasure to help.",
        "Don't hesitate to call us again.",
        "No thank you, all of my questions have been answered.",
        "No, you have been very helpful. Thanks again, goodbye.",
        "There is nothing else. Thanks for the information.",
        "I think that covers it thank you",
        "No, but thank you, that will be all I need.",
        "I have everything I need. Have a nice day!",
    ],
)
def test_courtesies_are_filler(text: str) -> None:
    assert is_filler(text)


@pytest.mark.parametrize(
    "text",
    [
        "No, thank you.",
        "Yes, thanks.",
        "No thank you",
        "Yes, thanks for everything.",
        "There is nothing else in that drawer.",
        "That covers the roof. Thanks!",
        "Have you told me all I need for the visa?",
        "Yes please, thanks for all your help.",
        "Thanks for the blue one.",
        "Thank you for the quote of 40 euros.",
        "Is there anything else in that street?",
        "Is there anything else I should know about the visa?",
        "All of it is due in March.",
        "Enjoy Bergen by boat with the Fjord Pass.",
        "Have the boiler looked at.",
        "I need everything by Friday.",
        "You need a great coat for the trip.",
        "Let me know if the plumber calls.",
        "Take care of the orchids.",
    ],
)
def test_answers_and_statements_are_not_filler(text: str) -> None:
    assert not is_filler(text)
