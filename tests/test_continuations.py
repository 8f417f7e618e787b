"""Where nothing is asked for in particular, a view quotes what binds before what was only chatted about."""

from __future__ import annotations

import pytest

from session_core import Budget, Policy, Sessions
from session_core.language.continuations import asks_for_everything, is_continuation, is_question
from session_core.passages.reading import Reading, read
from session_core.passages.scoring import Question
from session_core.recall.open_ended import remaining_ties_weight
from session_core.turns import Message, Role


@pytest.mark.parametrize(
    "text",
    ["ok, what's next?", "Continue please", "Sounds good, let's go on", "weiter bitte", "Sigue, por favor",
     "続けてください", "继续吧", "Thanks! What should we do now?"],
)  # fmt: skip
def test_continuations_ask_for_nothing_in_particular(text: str) -> None:
    assert is_continuation(text)


@pytest.mark.parametrize(
    "text", ["", "What's next for the roof?", "Continue with step 7", "Weiter mit dem Dach", "屋根はどうしますか", "?"]
)
def test_naming_a_subject_asks_for_it(text: str) -> None:
    assert not is_continuation(text)


@pytest.mark.parametrize(
    "text",
    ["Give me a recap of it.", "Write the final version.", "What did we decide?", "list our requirements",
     "Fass bitte alles zusammen", "今までの話をまとめて"],
)  # fmt: skip
def test_requests_for_a_recap_are_recognised(text: str) -> None:
    assert asks_for_everything(text)


@pytest.mark.parametrize("text", ["What did Ann say?", "Write to Ann.", "Show me the roof."])
def test_requests_for_one_thing_are_no_recap(text: str) -> None:
    assert not asks_for_everything(text)


def test_questions_without_a_mark() -> None:
    assert is_question("how many tiles are there")
    assert is_question("can you explain slate to me")
    assert not is_question("what we need is slate")
    assert not is_question("is fine")


CHAT = [
    ("We go with slate for the roof.", "Good."),
    ("If the quote is over the limit we take tin", "Noted."),
    ("the roofer: old Mr Brandt", "All right."),
    ("My cousin wants solar panels. We don't do that.", "No panels then."),
    *[
        (
            f"what is a {one} anyway",
            f"A {one} is a thing that builders in the mountains knew a long time ago and still use.",
        )
        for one in "purlin rafter soffit gable dormer truss batten fascia eave ridge hip valley flashing gutter".split()
    ],
]


@pytest.mark.parametrize("query", ["ok, what's next?", "Recap everything we agreed."])
@pytest.mark.parametrize("folding", ["off", "inline"])
def test_what_was_decided_is_quoted_before_what_was_only_asked(folding: str, query: str) -> None:
    policy = Policy(Budget(260, reply_reserve_tokens=0), folding=folding)  # type: ignore[arg-type]
    with Sessions("memory://", policy=policy) as sessions:
        session = sessions.session("roof")
        for said, told in CHAT:
            session.append([{"role": "user", "content": said}, {"role": "assistant", "content": told}])
        shown = "\n".join(message.content for message in session.view(query).messages)
    assert "slate" in shown
    assert "take tin" in shown
    assert "Brandt" in shown
    assert "cousin wants solar panels" not in shown or "do that" in shown


def test_yes_refers_to_the_offer_right_before_it() -> None:
    asked = (
        Message(Role.ASSISTANT, "Shall I order the ridge tiles from Brandt?", seq=9),
        _reading("Shall I order it?"),
    )
    told = (Message(Role.ASSISTANT, "The ridge tiles are here.", seq=9), _reading("They are here."))
    assert remaining_ties_weight(Question("Yes please"), [asked]) == 1
    assert remaining_ties_weight(Question("Yes please"), [told]) < 1
    assert remaining_ties_weight(Question("Ok, what's next?"), [asked]) < 1
    assert remaining_ties_weight(Question("That's right", repeated="Shall I order them?"), [told]) == 1


def _reading(text: str) -> Reading:
    return read(Message(Role.ASSISTANT, text, seq=9), len)
