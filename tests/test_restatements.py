"""What a user stated again: the older statement is shown only behind the newer one, and two things stay two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_core.counting.tokens import counter_for
from session_core.facts import extract
from session_core.language.words import sentences
from session_core.passages.reading import read
from session_core.passages.scoring import Question
from session_core.passages.telegram import to_telegram_style
from session_core.recall import amendments as amending
from session_core.recall.amendments import statements, with_corrections
from session_core.recall.restatements import find_restatements, stated_values
from session_core.turns import Message, Role
from tests.quote_blocks import quote_block

count = counter_for(None).count


def _said(*texts: str, author: str | None = None) -> list[Message]:
    """What a user says, an assistant's words between."""
    messages: list[Message] = []
    for text in texts:
        messages.append(Message(Role.USER, text, seq=len(messages) + 1, tokens=count(text), author=author))
        messages.append(Message(Role.ASSISTANT, "I have noted that.", seq=len(messages) + 1, tokens=5))
    return messages


def _block(question: str, messages: list[Message], room: int) -> str:
    pairs = [(message, read(message, count)) for message in messages]
    return quote_block(Question(question), pairs, [], room_tokens=room, count=count)[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("I need the van until March 13th.", "I will have it until the 14th."),
        ("My visit should be at 14:45.", "Half past 1 in the afternoon suits me."),
        ("The hall has to hold 40 guests.", "We are 55 guests, as it turns out."),
        ("We look for something in the north.", "There must be a place in the south."),
        ("We stay for five nights.", "We stay for 4 nights."),
    ],
)
def test_a_value_of_a_kind_is_stated_again_by_another_of_its_kind(old: str, new: str) -> None:
    messages = _said(old, "Is there a garden?", new)
    assert find_restatements([(message, read(message, count)) for message in messages]) == {(0, 0): (4, 0)}


@pytest.mark.parametrize(
    "texts",
    [
        ("We come on Friday.", "Yes, Friday."),
        ("It starts at 2 pm.", "It costs 40 dollars."),
        ("From the 3rd to the 9th of May.",),
        ("Five nights, please.", "For four guests."),
    ],
)
def test_the_same_again_and_another_kind_of_value_restate_nothing(texts: tuple[str, ...]) -> None:
    assert find_restatements([(message, read(message, count)) for message in _said(*texts)]) == {}


def test_what_another_person_says_later_or_much_later_restates_nothing() -> None:
    ann, ben = _said("I come on Friday.", author="Ann"), _said("I come on Monday.", author="Ben")
    both = [*ann, *(Message(m.role, m.content, seq=m.seq + 2, author=m.author) for m in ben)]
    assert find_restatements([(message, read(message, count)) for message in both]) == {}
    far = _said("The lamp comes on Friday.", "So.", "And then?", "How so?", "All of it?", "The desk comes on Monday.")
    assert find_restatements([(message, read(message, count)) for message in far]) == {}


@pytest.mark.parametrize("room", range(20, 120, 4))
def test_an_older_statement_never_stands_without_the_newer_one(room: int) -> None:
    """The question has the older one's words, and in a small room there is but a place for one of the two."""
    messages = _said(
        "Please reserve the big conference room of the office in Elm Street for March 13th.",
        "There has to be a projector for the slides that our guests will show.",
        "I would rather come on the 21st.",
        "And somebody should see to coffee and cake for all of them.",
        "There is a lift, I hope, for those who cannot climb stairs.",
    )
    block = _block("For which day is the conference room in Elm Street reserved?", messages, room)
    assert "21st" in block or "13th" not in block
    assert count(block) <= room


def test_days_times_and_numbers_are_told_from_one_another_however_they_are_written() -> None:
    assert stated_values("On the 4th at 2:30 pm.") == {"day": {"4"}, "time": {str(2 * 60 + 30)}}
    assert stated_values("March 4th, 14:30.") == {"day": {"4"}, "time": {str(2 * 60 + 30)}}
    assert stated_values("For four guests.")[("count", "guest")] == stated_values("For 4 guests.")[("count", "guest")]
    assert stated_values("Nothing of that.") == {}


def test_a_telegram_keeps_days_times_and_names_word_for_word() -> None:
    assert to_telegram_style("I would like to come on the 5th at 10 am, please.") == "like to come on the 5th at 10 am"
    assert to_telegram_style("I am in town at half past 6 in the evening.") == "in town at half past 6 in the evening"
    assert to_telegram_style("We would be at The Ivy in the old town.") == "at The Ivy in old town"


def test_stories_restate_nothing() -> None:
    story = "We left on Friday. It was cold. The children slept. On Monday we were there."
    messages = _said("The lamp comes on Sunday.", story)
    assert find_restatements([(message, read(message, count)) for message in messages]) == {}


@pytest.mark.parametrize(
    ("said", "later"),
    [
        (
            "I use a mixture of water and fertilizer for my plants.",
            "Is it okay, or should I switch to a balanced fertilizer?",
        ),
        ("We had a party in the garden of my sister.", "I have been to a few concerts lately, actually."),
        ("I read a book on the history of France.", "What about the museums of that country?"),
        ("My sister bought a dress in that shop.", "Do you know how to move a piano to another floor?"),
        ("The house stands at the end of a road.", "I am asking which of the two colours is better for a room."),
    ],
)
def test_questions_and_other_subjects_correct_nothing(said: str, later: str) -> None:
    messages = _said(said, later)
    facts = [fact for message in messages if message.role is Role.USER for fact in statements(message)]
    assert with_corrections(messages, facts) == messages


def test_what_sounds_like_a_correction_in_a_long_text_corrects_nothing() -> None:
    short = _said("My flight to Rome leaves on 3 May.", "No, my flight to Rome leaves on 4 May.")
    facts = [fact for message in short if message.role is Role.USER for fact in statements(message)]
    assert "later: “" in with_corrections(short, facts)[0].content
    told = f"{'He spoke of the sea and of the ships. ' * 20}No, my flight to Rome leaves on 4 May."
    long = _said("My flight to Rome leaves on 3 May.", told)
    assert with_corrections(long, []) == long


def test_a_statement_stands_whole_before_what_corrects_it() -> None:
    old = (
        "We will have the summer meeting of the whole team on 3 May in the old town hall beside the river, where we "
        "had it in the year before last."
    )
    messages = _said(old, "Actually, the summer meeting of the team is on 4 May.")
    facts = [fact for message in messages if message.role is Role.USER for fact in statements(message)]
    content = with_corrections(messages, facts)[0].content
    assert content.startswith(f"{old[:-1]} (later: “")
    assert sentences(content) == (content,)


STATED = (
    "I want the hall in red paint for us.", "I want the hall in blue paint for us.", "I need a train to Leeds.",
    "We need a room for 41 people.", "We need a room for 57 people.", "We live in Oslo now.", "We live in Oslo.",
    "I never eat nuts.", "Please never call before 9.", "My budget is $900.", "No, I meant Bergen.", "Thanks a lot!",
    "The order A-77 is late.", "I prefer tea in the garden.", "I must have tea in the garden.", "Is the hall red?",
)  # fmt: skip


@given(st.lists(st.tuples(st.booleans(), st.lists(st.sampled_from(STATED), min_size=1, max_size=2)), max_size=6))
def test_messages_that_nothing_can_amend_are_known_before_all_is_looked_at(said: list[tuple[bool, list[str]]]) -> None:
    roles = {True: Role.USER, False: Role.ASSISTANT}
    messages = [Message(roles[by_user], " ".join(texts), seq=seq) for seq, (by_user, texts) in enumerate(said, 1)]
    known = with_corrections(messages, extract(messages))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(amending, "_may_supersede", lambda *_: True)
        assert with_corrections(messages, extract(messages)) == known
