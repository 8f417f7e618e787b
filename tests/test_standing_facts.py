"""Of what was stated, the newest stands: repeated, corrected, and said by somebody else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stated import assistant, current, told, tool, user

from session_core.fact_selection import line
from session_core.facts import extract, merge
from session_core.plan import FactKind
from session_core.turns import Message, Role


def test_the_same_words_are_kept_once() -> None:
    assert len(told(user("I prefer tea."), user("i prefer  tea", 2))) == 1


def test_merging_twice_changes_nothing() -> None:
    new = extract([user("My budget is $900."), user("Actually my budget is $800.", 2)])
    assert merge(merge((), new), new) == merge((), new)


def test_a_later_value_of_a_slot_takes_the_place_of_the_earlier_one() -> None:
    first, second = told(user("My budget is $900."), user("My budget is $700.", 5))
    assert (first.superseded_by, second.current) == (5, True)


def test_a_value_that_comes_back_is_current_again() -> None:
    facts = told(user("My budget is $900."), user("My budget is $700.", 2), user("My budget is $900.", 3))
    assert [fact.seq for fact in facts if fact.current] == [3]


def test_two_people_who_contradict_each_other_are_both_kept() -> None:
    facts = told(user("The deadline is Friday.", 1, "Ann"), user("The deadline is Monday.", 2, "Bob"))
    assert all(fact.current for fact in facts)


def test_a_tool_or_the_assistant_never_replaces_what_the_user_said() -> None:
    said = current(
        user("My budget is $900."), assistant("Your budget is $500.", 2), tool("budget: $100 (ref A-1234)", 3)
    )
    assert "My budget is $900." in said


def test_a_correction_without_a_slot_replaces_the_last_value_of_its_type() -> None:
    said = current(user("We fly to Rome on 3 May with 2 people."), user("No, I meant 4 May.", 3))
    assert "3 May" not in said
    assert "No, I meant 4 May. [We fly to Rome on … with 2 people.]" in said


def test_a_chain_of_corrections_keeps_what_it_is_about() -> None:
    said = current(
        user("We fly to Rome on 3 May."),
        user("No, I meant 4 May.", 3),
        user("Sorry, make it 5 May instead.", 5),
    )
    assert said == "Sorry, make it 5 May instead. [We fly to Rome on ….]"


def test_a_correction_replaces_what_the_assistant_repeated_and_keeps_the_rest_of_it() -> None:
    said = current(
        user("We fly on 3 May."),
        assistant("On 3 May there is a seat for $120.", 2),
        user("Actually, 4 May.", 3),
    )
    assert "3 May" not in said
    assert "On … there is a seat for $120." in said


def test_a_corrected_limit_stays_a_limit() -> None:
    facts = told(user("My budget is $900."), user("Make it $1,200 instead.", 2))
    assert [(f.kind, f.slot) for f in facts if f.current] == [(FactKind.CONSTRAINT, "budget")]


def test_a_correction_may_name_less_than_the_slot() -> None:
    said = current(user("My departure date is 3 May."), user("Change the date to 4 May.", 2))
    assert "3 May" not in said


def test_a_correction_that_could_mean_two_values_stands_behind_both() -> None:
    said = current(user("We stay from 3 May to 9 May."), user("No, I meant 4 May.", 2))
    assert said == "We stay from 3 May to 9 May (later: “No, I meant 4 May.”)"


def test_a_correction_leaves_what_another_person_said() -> None:
    facts = told(user("I arrive on 3 May.", 1, "Ann"), user("Actually, I arrive on 4 May.", 2, "Bob"))
    assert all(fact.current for fact in facts)


def test_a_correction_of_a_date_leaves_amounts_alone() -> None:
    facts = told(user("It costs $300."), user("No, I meant 4 May.", 2))
    assert all(fact.current for fact in facts)


def test_two_things_said_of_one_person_are_both_kept() -> None:
    facts = told(user("My daughter is 5."), user("My daughter is allergic to nuts.", 2))
    assert all(fact.current for fact in facts)


def test_what_a_replaced_sentence_says_besides_is_not_lost() -> None:
    said = current(user("My budget is $900 until 3 May."), user("My budget is $700.", 2))
    assert "$900" not in said
    assert "3 May" in said


SAID = (
    "My budget is $900.",
    "Actually $800.",
    "No, I meant 4 May.",
    "We fly on 3 May.",
    "Never call me.",
    "My name is Ann.",
    "make it 5 people",
    "The deadline is Friday",
    "change it to Monday",
)


@given(st.lists(st.sampled_from(SAID), max_size=12))
def test_of_each_slot_one_value_is_current_and_rules_never_go(said: list[str]) -> None:
    facts = told(*(user(text, seq) for seq, text in enumerate(said, start=1)))
    slots = [fact.slot for fact in facts if fact.current and fact.slot]
    assert len(slots) == len(set(slots))
    assert all(fact.current for fact in facts if fact.kind is FactKind.RULE)


@pytest.mark.parametrize(
    "correction",
    [
        "A correction: the budget for the review is 5,200 EUR, not 4,800 EUR.",
        "The budget for the review is 5,200 EUR, not 4,800 EUR.",
    ],
)
def test_a_correction_that_quotes_the_old_value_replaces_it_and_keeps_the_rest(correction: str) -> None:
    stated = Message(Role.USER, "The budget for the review is 4,800 EUR, and it must be done by 14 March 2027.", seq=1)
    corrected = Message(Role.USER, correction, seq=2)
    facts = merge((), extract([stated, corrected]))
    standing = [line(fact) for fact in facts if fact.current]
    assert stated.content not in standing
    assert any(shown.startswith(correction) for shown in standing)
    assert any("14 March 2027" in shown for shown in standing)
