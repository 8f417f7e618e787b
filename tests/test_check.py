"""The check of a summary: what its source does not say is struck, what it does say stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_core.verification.check import Checked, check

SOURCE = (
    "User: Hi, I'm Maria Lopez, maria@example.com. We are five people and want to stay near the Zoo in Berlin"
    " from May 3rd to 2025-05-10, for at most $1,200.\n"
    "Assistant: Hotel Adler has rooms for 95 € a night. Check-in is at 3 pm. Reference ORD-2024-00193.\n"
    "User: My phone is +49 30 1234567. My sister Ana pays 20%.\n"
)


@pytest.mark.parametrize(
    "sentence",
    [
        "Maria Lopez wants to stay in Berlin.",
        "The user is MARIA LOPEZ.",
        "They arrive on 3 May.",
        "They arrive on May 3.",
        "They leave on 10 May 2025.",
        "They leave on 10/05/2025.",
        "The budget is 1200 dollars.",
        "The budget is USD 1,200.00.",
        "The budget is $1.2k.",
        "There are 5 people.",
        "There are five of them.",
        "A night costs 95 euros.",
        "Check-in is at 15:00.",
        "Check-in is at 3 p.m.",
        "The reference is ord-2024-00193.",
        "Her number is +49-30-1234567.",
        "Ana's share is 20 percent.",
        "Contact: Maria@Example.com",
        "The user asked about two options.",
        "Hotel Adler was suggested by the assistant.",
        "Booking is still open.",
    ],
)
def test_what_the_source_says_stays_in_any_common_form(sentence: str) -> None:
    assert check(sentence, SOURCE) == Checked(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "They arrive on 4 May.",
        "They arrive on 3 June.",
        "They arrive on May 3rd, 2024.",
        "They leave on 2025-05-11.",
        "They leave on Friday.",
        "They leave tomorrow.",
        "The budget is $1,300.",
        "The budget is €1,200.",
        "The budget is 12 dollars.",
        "There are 6 people.",
        "There are seven of them.",
        "A night costs $95.",
        "Check-in is at 4 pm.",
        "Check-in is at 3:30 pm.",
        "Check-in is at 3 am.",
        "The reference is ORD-2024-0019.",
        "The reference is ORD-2024-00194.",
        "The reference is RD-2024-00193.",
        "Her number is +49 30 1234568.",
        "Her mail is mario@example.com.",
        "Her share is 25%.",
        "Maria Gomez wants to stay.",
        "She wants to see Hamburg.",
        "Bob agreed to pay.",
        "Hotel Astoria was suggested.",
        "See https://example.com/offer for more.",
    ],
)
def test_what_the_source_does_not_say_is_struck(sentence: str) -> None:
    assert check(f"{sentence} Berlin was named.", SOURCE) == Checked("Berlin was named.", (sentence,))


def test_what_the_previous_summary_says_counts_as_said() -> None:
    assert check("Bob paid $70.", "nothing", previous="Earlier, Bob paid $70.").struck == ()


def test_lists_and_headings_keep_their_form() -> None:
    summary = "## Key Points\n\n- **Guest:** Maria Lopez\n- They pay $9,999.\n- **Place:** Berlin, near the zoo"
    kept = "## Key Points\n\n- **Guest:** Maria Lopez\n- **Place:** Berlin, near the zoo"
    assert check(summary, SOURCE) == Checked(kept, ("They pay $9,999.",))


def test_a_sentence_said_again_is_struck() -> None:
    assert check("Maria pays. Maria pays. MARIA pays!", SOURCE).text == "Maria pays."


def test_a_phrase_in_a_loop_is_cut_after_its_first_saying() -> None:
    found = check("Maria wants a room and a room and a room and a room and a room and a room", SOURCE)
    assert found.text.count("a room") <= 2
    assert found.text.startswith("Maria wants a room")
    assert found.struck


def test_what_is_said_again_without_its_speaker_is_struck() -> None:
    once = "The garden path needs new stones."
    checked = check(f"assistant: {once} {once}\n{once}", once)
    assert (checked.text, checked.struck) == (f"assistant: {once}", (once, once))


def test_a_role_without_words_is_struck() -> None:
    checked = check("user: We sail on Friday.\nassistant\n- User:", "We sail on Friday.")
    assert checked.text == "user: We sail on Friday."


def test_one_word_in_a_loop_is_cut() -> None:
    assert len(check("the zoo " + "very " * 500, SOURCE).text) < 40


def test_a_loop_in_a_script_without_blanks_is_cut() -> None:
    assert len(check("预算" * 200, "预算").text) < 20


def test_german_nouns_are_not_taken_for_names() -> None:
    source = "Ich möchte mit 3 Personen nach Wien und das Hotel ist für uns nicht wichtig."
    summary = "Die Reise nach Wien ist für 3 Personen und das Hotel ist nicht wichtig. Der Preis ist 80 Euro."
    assert check(summary, source).struck == ("Der Preis ist 80 Euro.",)


def test_figures_in_chinese_are_checked() -> None:
    source = "我想在5月3日去柏林，预算5000元。"
    assert check("用户要在5月3日去柏林。预算5000元。", source).struck == ()
    assert check("用户要在5月4日去柏林。预算6000元。", source).text == ""


def test_an_empty_summary_is_empty() -> None:
    assert check(" \n ", SOURCE) == Checked("")


PIECES = st.lists(
    st.one_of(
        st.integers(0, 99_999).map(str),
        st.integers(1_000, 9_999_999).map("{:,}".format),
        st.decimals(0, 999, places=2).map(str),
        st.sampled_from(["the", "price", "is", "was", "and", "we", "paid", ".", ",", "in", "room", "for", "€", "%"]),
    ),
    max_size=30,
).map(" ".join)


def plain(number: str) -> str:
    figure = number.replace(",", "")
    return (figure.rstrip("0").rstrip(".") if "." in figure else figure).lstrip("0") or "0"


def figures(text: str) -> set[str]:
    return {plain(run) for run in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)}


@given(PIECES, PIECES)
def test_no_number_is_left_that_the_source_does_not_state(summary: str, source: str) -> None:
    assert figures(check(summary, source).text) <= figures(source)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_can_be_checked_and_nothing_is_added(summary: str, source: str) -> None:
    found = check(summary, source)
    assert len(found.text) <= len(summary)


@given(PIECES)
def test_a_source_bears_out_its_own_figures(source: str) -> None:
    assert figures(check(source, source).text) == figures(source) or check(source, source).struck


@given(st.text(max_size=200), st.text(max_size=200))
def test_what_was_checked_passes_again(summary: str, source: str) -> None:
    once = check(summary, source).text
    assert figures(check(once, source).text) <= figures(once)
