"""A "no" to what an assistant asked is an answer to it; with a value it corrects what the user said before."""

from __future__ import annotations

import pytest

from session_core.fact_selection import line
from session_core.facts import extract, merge
from session_core.plan import Fact, FactKind
from session_core.turns import Message, Role

DECLINED = [
    ("I want a hotel in Rome under 200 euros.", "Shall I send you the offers by post?", "No, by email."),
    ("I prefer a window seat.", "Should I book you for the evening flight?", "No, in the morning."),
    ("Ich hätte gern ein Zimmer mit Balkon.", "Soll ich die Rechnung per Post schicken?", "Nein, per Mail bitte."),
]


def stated(*texts: str) -> tuple[Fact, ...]:
    roles = (Role.USER, Role.ASSISTANT, Role.USER)
    said = [Message(role, text, seq=seq) for seq, (role, text) in enumerate(zip(roles, texts, strict=True), start=1)]
    return merge((), extract(said))


@pytest.mark.parametrize("said", DECLINED)
def test_it_is_kept_with_the_question_beside_what_was_said_before(said: tuple[str, str, str]) -> None:
    before, answer = stated(*said)
    assert before.current
    assert (answer.kind, line(answer)) == (FactKind.ANSWER, f"{said[2]} [{said[1]}]")


def test_another_value_corrects_the_one_before() -> None:
    before, after = stated("We fly on 4 May.", "Shall I book the hotel for the 4th?", "No, the 5th.")
    assert not before.current
    assert after.text == "We fly on 4 May (later: “No, the 5th.”)"
