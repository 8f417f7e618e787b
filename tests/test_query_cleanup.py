"""A query that only repeats what an assistant said last asks for what is new in it."""

from session_core import Message, Role
from session_core.counting.tokens import counter_for
from session_core.passages.reading import read
from session_core.passages.scoring import Question
from session_core.recall.blocks import HEAD
from session_core.retrieval.query_cleanup import asked_and_repeated
from tests.quote_blocks import quote_block

count = counter_for(None).count

OFFER = "I looked at both of them. Shall I move the booking of the Heron?"


def said(*texts: str) -> list[Message]:
    roles = (Role.USER, Role.ASSISTANT)
    return [Message(roles[n % 2], text, seq=n + 1, id=f"m{n}") for n, text in enumerate(texts)]


def test_what_an_assistant_said_last_is_no_part_of_the_question():
    messages = said("Move it, please.", OFFER, "Yes, the Heron.")
    assert asked_and_repeated(f"{OFFER}\nYes, the Heron.", messages) == ("Yes, the Heron.", OFFER)


def test_a_query_that_is_nothing_else_stays_a_question():
    messages = said("Move it, please.", OFFER)
    assert asked_and_repeated(OFFER, messages) == (OFFER, "")


def test_what_users_said_and_what_was_said_long_ago_is_asked():
    messages = said(
        "Which one is the Heron?", OFFER, "Fine.", "The Heron stands at the river.", "Oh.", "It is blue, too."
    )
    for query in ("Which one is the Heron?", f"{OFFER} Why?"):
        assert asked_and_repeated(query, messages) == (query, "")


def test_a_short_word_of_an_assistant_is_not_taken_out_of_others():
    messages = said("Is it the Heron?", "Yes")
    assert asked_and_repeated("Yesterday you said yes. Yes?", messages) == ("Yesterday you said yes. Yes?", "")


def test_where_one_thing_has_room_the_answer_decides_and_not_the_offer():
    """The offer goes on about everything; the answer names one thing."""
    offer = "Those who come by train like the light at the bridge. Shall I move a booking?"
    told = [
        Message(Role.ASSISTANT, "Those who walk like the light at the mill.", seq=1, id="a", tokens=12),
        Message(Role.USER, "The Sable is what I rented in March.", seq=2, id="b", tokens=12),
        *(Message(Role.USER, f"Nothing new on day {day}.", seq=day, id=str(day), tokens=8) for day in range(3, 20)),
    ]
    candidates = [(message, read(message, count)) for message in told]
    room = count(f"{HEAD}\nuser:\n The Sable is what I rented in March.") + 3

    def quoted(question: Question) -> str:
        return quote_block(question, candidates, [], room_tokens=room, count=count)[0]

    assert "Sable" in quoted(Question("Yes, the Sable.", repeated=offer))
    assert "Sable" not in quoted(Question(f"{offer}\nYes, the Sable."))
