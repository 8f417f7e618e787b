"""Which of several values a correction means: the one of the thing that it names, and no other is lost by it."""

from __future__ import annotations

import pytest

from session_core.fact_selection import line
from session_core.facts import extract, merge
from session_core.plan import Fact
from session_core.turns import Message, Role

CASES = (
    # what is said, what must stand, and what must not
    (("The hotel costs 120 euros.", "The flight costs 300 euros.", "Actually the hotel is 150."), "150 300", "120"),
    (("The train leaves at 3 pm.", "The bus leaves at 5 pm.", "Sorry, the train leaves at 4 pm."), "4 5", "3"),
    (("Dentist on 3 May.", "Vet on 7 May.", "No wait, the dentist is on 4 May."), "4 7", "3"),
    (("Tom weighs 20 kg.", "Lea weighs 15 kg.", "Correction: Tom weighs 22 kg."), "22 15", "20"),
    (("Room A has 20 seats.", "Room B has 30 seats.", "Oops, room A has 25 seats."), "25 30", "20"),
    (
        ("The report is due on 3 May.", "The bill is due on 9 May.", "I was wrong, the report is due on 5 May."),
        "5 9",
        "3",
    ),
    (
        ("The Hilton costs 120 euros.", "The Ritz costs 300 euros.", "Actually the Hilton is 150 euros."),
        "150 300",
        "120",
    ),
    (
        ("The first order is ORD-11.", "The second order is ORD-22.", "Actually, the first order is ORD-12."),
        "12 22",
        "11",
    ),
    # what it names is not among them
    (("The flight costs 300 euros.", "The hotel is lovely.", "Actually the hotel is 150."), "300 150", ""),
    (("Tom weighs 20 kg.", "Sorry, Lea weighs 15 kg."), "20 15", ""),
    (("The oven is 200 degrees.", "Actually the fridge is 4 degrees."), "200 4", ""),
    (("The train leaves at 9:30.", "Actually, the bus leaves at 14:00."), "930 1400", ""),
    (("The soup serves 6 people.", "Sorry, the cake serves 8 people."), "6 8", ""),
    (("Change the price to 30 euros.", "Change the shipping to 5 euros."), "30 5", ""),
    # a number behind its name tells which one it is
    (("Server 1 has 64 GB.", "Actually server 2 has 128 GB."), "1 64 2 128", ""),
    (("Zimmer 12 hat 2 Betten.", "Nein, Zimmer 14 hat 3 Betten."), "12 2 14 3", ""),
    (("Table 7 wants 5 teas.", "Actually table 7 wants 6 teas."), "7 6", "5"),
    (("La chambre 4 coûte 80 euros.", "Non, la chambre 4 coûte 90 euros."), "4 90", "80"),
    (("Order 12 is for 4 people.", "Order 13 is for 6.", "Sorry, order 12 is for 5 people."), "12 5 13 6", "4"),
    (("We are at gate 12.", "No, gate 14."), "14", "12"),
    (("Gate 12 at 9:30.", "No, gate 14 at 9:30."), "14 930", "12"),
    (("We have suite 641 for 2 nights.", "No, it is suite 614 for 2 nights."), "614 2", "641"),
    # it names nothing, or what everything has
    (("The flight costs 300 euros.", "Actually the price is 350 euros."), "350", "300"),
    (("The train leaves at 3 pm.", "I like trains.", "Sorry, it leaves at 4 pm."), "4", "3"),
)


def current(said: tuple[str, ...]) -> list[str]:
    facts: tuple[Fact, ...] = ()
    for seq, text in enumerate(said, start=1):
        facts = merge(facts, extract([Message(Role.USER, text, seq=seq, id=f"m{seq}")]))
    return [line(fact) for fact in facts if fact.current]


def figures(text: str) -> set[str]:
    return {"".join(filter(str.isdigit, word)) for word in text.replace("-", " ").split()} - {""}


@pytest.mark.parametrize(("said", "kept", "gone"), CASES)
def test_a_correction_means_the_thing_that_it_names(said: tuple[str, ...], kept: str, gone: str) -> None:
    stand = figures(" ".join(current(said)))
    assert set(kept.split()) <= stand
    assert stand.isdisjoint(gone.split())


@pytest.mark.parametrize("role", [Role.ASSISTANT, Role.TOOL])
def test_what_others_said_of_another_thing_never_becomes_the_words_of_the_user(role: Role) -> None:
    told = [
        Message(role, "The flight costs 300 euros.", seq=1, tool_call_id="c" if role is Role.TOOL else None),
        Message(Role.USER, "Actually, the dinner is 150 euros.", seq=2),
    ]
    own = [fact.text for fact in merge((), extract(told)) if fact.current and fact.author is None]
    assert own == ["Actually, the dinner is 150 euros."]


def test_a_number_that_another_thing_has_by_chance_is_not_what_a_correction_takes_back() -> None:
    said = (
        "I need a hotel with 4 stars.",
        "Book the Wartworth for 1 person.",
        "I need a train from Leeds to York on Friday.",
        "Can you change the Wartworth booking to Monday for 3 people and 4 nights?",
    )
    stand = current(said)
    assert "I need a train from Leeds to York on Friday." in " ".join(stand)
    assert not any("Leeds" in one and "Wartworth" in one for one in stand)


@pytest.mark.parametrize(
    ("said", "correction"),
    [
        ("I'm allergic to nuts.", "No, not Rome after all: we go to Lisbon."),
        ("My favourite hotel is the Ritz.", "No, not Rome after all: we go to Lisbon."),
        ("Ich bin gegen Nüsse allergisch.", "Nein, doch nicht Rom: wir fahren nach Lissabon."),
        ("Je suis allergique aux noix.", "Non, finalement pas Rome : nous allons à Lisbonne."),
    ],
)
def test_a_correction_that_names_what_nobody_said_belongs_to_nothing_else(said: str, correction: str) -> None:
    stand = current((said, correction))
    assert [one.partition(") ")[2] or one for one in stand] == [said, correction]


def test_a_correction_that_names_what_was_said_before_something_else_belongs_there() -> None:
    correction = "No, not Rome after all: we go to Lisbon."
    nuts, trip = sorted(current(("I'd like to go to Rome.", "I'm allergic to nuts.", correction)), key=len)
    assert nuts == "I'm allergic to nuts."
    assert correction in trip


def test_of_two_equal_values_only_the_one_that_is_named_goes() -> None:
    stand = current(("Tom weighs 20 kg.", "Lea weighs 20 kg.", "Correction: Tom weighs 22 kg."))
    assert "Lea weighs 20 kg." in stand
    assert not any("Tom weighs 20" in one for one in stand)


def test_what_the_assistant_repeated_goes_too() -> None:
    said = [
        Message(Role.USER, "The flight is on 3 May.", seq=1),
        Message(Role.ASSISTANT, "Noted, on 3 May.", seq=2),
        Message(Role.USER, "Sorry, 4 May.", seq=3),
    ]
    assert not any("3 May" in line(fact) for fact in merge((), extract(said)) if fact.current)


def test_of_statements_in_words_the_one_that_is_named_most_goes_however_far_back_it_is() -> None:
    said = [
        "We decided that the colour of the flowers for the terrace is amber.",
        *("The weather in the valley was lovely.",) * 30,
        "We decided that the colour of the flowers for the workshop is scarlet.",
        "Actually, the colour of the flowers for the terrace is ivory.",
    ]
    stand = current(tuple(said))
    assert any("scarlet" in told and "ivory" not in told for told in stand), stand
    assert all("ivory" in told for told in stand if "amber" in told), stand


def standing(*said: str) -> list[str]:
    """The lines of the facts that hold after `said`, each in a message of its own, with a reply between each two."""
    messages = [Message(Role.USER, text, id=f"m{at}", seq=2 * at) for at, text in enumerate(said, start=1)]
    return [line(fact) for fact in merge([], extract(messages)) if fact.current]


def test_an_identifier_that_is_named_as_wrong_but_was_never_said_leaves_other_identifiers() -> None:
    told = standing("Tomasz does app/invoice.rb", "the target branch is release/7.4, not main")
    assert "Tomasz does app/invoice.rb" in told


def test_a_correction_belongs_to_the_one_statement_that_has_a_word_of_it_and_not_to_the_nearest() -> None:
    others = [f"I like the {thing}" for thing in ("lake", "garden", "balcony", "kitchen", "view")]
    told = standing(
        "I need a desk for work",
        *others,
        "we're five: the four of us and grandpa",
        "the desk isn't needed any more, I quit",
    )
    assert "I need a desk for work (later: “the desk isn't needed any more, I quit”)" in told
    assert "we're five: the four of us and grandpa" in told


def test_a_correction_of_the_sentence_before_it_corrects_no_earlier_message() -> None:
    told = standing(
        "for the floor: if Jansen can start before may he gets it, else Holt",
        "contact at the installer is Petra. no, Petra left, it's Milan",
    )
    assert "for the floor: if Jansen can start before may he gets it, else Holt" in told
    assert "contact at the installer is Petra. no, Petra left, it's Milan" in told


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("the budget is 1,500 euros, and please no balloons", "the budget is now 1,800 euros", "please no balloons"),
        ("das Budget ist 900 Euro, aber bitte keine Ballons", "das Budget ist jetzt 950 Euro", "bitte keine Ballons"),
        ("my budget is 900 euros; never book a hostel", "my budget is 1,000 euros", "never book a hostel"),
    ],
)  # fmt: skip
def test_a_wish_beside_a_value_that_is_replaced_stays(old: str, new: str, kept: str) -> None:
    told = standing(old, new)
    assert kept in told
    assert old not in told


def test_a_word_that_is_named_as_wrong_is_not_taken_back_elsewhere() -> None:
    between = [f"step {at} went well, go on please" for at in range(40)]
    told = standing("I was born in Oslo", *between, "the meeting is in Bergen, not in Oslo")
    assert "I was born in Oslo" in told
