"""Times and names in a question, and answers that differ: what they prefer, and what they say about it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from near_words import QuickWords

from session_core import Budget, Policy, Sessions
from session_core.language.spans import span
from session_core.recall.conflicts import MOST_MARKED, Quote, conflict_line, find_conflicts
from session_core.retrieval.boosts import NAMED, TIMED, message_boosts
from session_core.turns import Message, Role

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)  # a Wednesday
DAY_S = 86_400.0


def _at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("What did I ask on 2026-05-04?", "2026-05-04", "2026-05-05"),
        ("what was said on May 4th?", "2026-05-04", "2026-05-05"),
        ("the 4th of May, 2024 call", "2024-05-04", "2024-05-05"),
        ("our talk on 24 December", "2025-12-24", "2025-12-25"),
        ("anything from today", "2026-05-20", "2026-05-21"),
        ("Yesterday you said", "2026-05-19", "2026-05-20"),
        ("the day before yesterday", "2026-05-18", "2026-05-19"),
        ("on Monday", "2026-05-18", "2026-05-19"),
        ("last Wednesday", "2026-05-13", "2026-05-14"),
        ("two days ago", "2026-05-18", "2026-05-19"),
        ("last week", "2026-05-11", "2026-05-18"),
        ("this week", "2026-05-18", "2026-05-25"),
        ("last month", "2026-04-01", "2026-05-01"),
        ("in March", "2026-03-01", "2026-04-01"),
        ("in December", "2025-12-01", "2026-01-01"),
        ("last year", "2025-01-01", "2026-01-01"),
    ],
)
def test_time_expressions_are_parsed_as_spans(text: str, first: str, last: str) -> None:
    assert span(text, NOW.timestamp()) == (_at(first), _at(last))


@pytest.mark.parametrize(
    "text", ["What is my budget?", "may I march on?", "on 2026-02-31", "31 June", "a second ago", "四月に"]
)
def test_text_without_a_time_has_no_span(text: str) -> None:
    assert span(text, NOW.timestamp()) is None


@pytest.mark.parametrize("now", [0.0, 951_782_400.0, 1_709_164_800.0, 4_102_444_799.0])
def test_every_expression_holds_at_every_time(now: float) -> None:
    for text in ("yesterday", "last year", "12 months ago", "last month", "in May", "last week"):
        found = span(text, now)
        assert found is not None
        assert found[0] < found[1]


def test_a_day_that_the_year_has_not_is_no_time() -> None:
    assert span("29 February", _at("2000-03-01")) == (_at("2000-02-29"), _at("2000-03-01"))
    assert span("29 February", _at("1999-03-01")) is None


def _said(number: int, author: str | None, time_s: float | None = None) -> Message:
    return Message(Role.USER, "The deadline matters.", seq=number, author=author, time_s=time_s)


def test_a_person_who_is_named_is_preferred() -> None:
    messages = [_said(1, "Project Manager"), _said(2, "Industrial Designer"), _said(3, None)]
    assert message_boosts("what did the project manager think?", messages, None) == [NAMED, 0.0, 0.0]
    assert message_boosts("What did Designer want?", messages, None) == [0.0, NAMED, 0.0]
    assert message_boosts("what project is it?", messages, None) is None
    assert message_boosts("what did Ann say?", [_said(1, "Ann")], None) is None
    assert message_boosts("Ann Lee?", [_said(1, "Ann Lee"), _said(2, "Ann Roy")], None) == [NAMED, 0.0]


def test_a_time_that_is_named_is_preferred_where_it_tells_messages_apart() -> None:
    now = NOW.timestamp()
    messages = [_said(1, None, now - 9 * DAY_S), _said(2, None, now - DAY_S), _said(3, None, None)]
    assert message_boosts("what did I say yesterday?", messages, now) == [0.0, TIMED, 0.0]
    assert message_boosts("what did I say yesterday?", messages[1:2], now) is None
    assert message_boosts("what did I say in 1999-01-01?", messages, now) is None
    assert message_boosts("what did I say yesterday?", messages, None) is None


@pytest.mark.parametrize("embedder", [None, QuickWords()])
def test_a_view_prefers_the_day_that_a_question_names(embedder: QuickWords | None) -> None:
    def talk(day: int, hall: str) -> list[Message]:
        when = NOW.timestamp() - day * DAY_S
        said = [Message(Role.USER, f"The rehearsal of the choir is in the {hall} hall.", time_s=when)]
        return said + [Message(Role.USER, f"Day {day}, remark {n}: sun and rain.", time_s=when) for n in range(40)]

    budget = Budget(256, reply_reserve_tokens=0)
    with Sessions(policy=Policy(budget, folding="off", embedder=embedder)) as sessions:
        one = sessions.session("s")
        for day, hall in ((9, "green"), (8, "red"), (2, "blue"), (1, "white"), (0, "brown")):
            one.append(talk(day, hall))
        for asked, hall in (("yesterday", "white"), ("2 days ago", "blue"), ("8 days ago", "red")):
            view = one.view(f"In which hall did I say the rehearsal is, {asked}?")
            shown = "".join(m.content for m in view.messages if m.origin == "recall")
            assert hall in shown


FIRST = Quote("The deadline of the report is 12 May.", "Ann", _at("2026-05-01"))
OTHER = Quote("I think the deadline of the report is 19 May.", "Bob", _at("2026-05-02"))


def test_conflicting_answers_are_marked_with_speaker_and_time() -> None:
    found = find_conflicts("When is the deadline of the report?", [FIRST, OTHER])
    assert [tie.values for tie in found] == [("12 May", "19 May")]
    assert conflict_line(found) == (
        '[Conflicting answers, oldest first: "12 May" (Ann, 2026-05-01 00:00) and "19 May" '
        "(Bob, 2026-05-02 00:00). The record does not say which is correct.]"
    )
    assert conflict_line([]) == ""


@pytest.mark.parametrize(
    ("question", "other"),
    [
        ("When is the deadline of the report?", "The deadline of the report is 12 May!"),
        ("When is the deadline of the report?", "The concert in the park with my brother is on 19 May."),
        ("When is the deadline of the report?", "Is the deadline of the report 19 May?"),
        ("When is the deadline of the report?", "The deadline of the report is between 12 May and 19 May."),
        ("When is the deadline of the report?", "The deadline of the report costs $40."),
        ("How was lunch?", "The deadline of the report is 19 May."),
    ],
)
def test_agreeing_or_unrelated_answers_are_not_marked(question: str, other: str) -> None:
    assert find_conflicts(question, [FIRST, Quote(other, "Bob")]) == []


def test_values_of_different_things_are_not_marked() -> None:
    quotes = [Quote("The Ritz costs $200 a night.", "assistant"), Quote("The Plaza costs $150 a night.", "assistant")]
    assert find_conflicts("How much does a night cost?", quotes) == []
    assert (
        find_conflicts("How much does a night cost?", [quotes[0], Quote("The Ritz costs $240 a night.", "Bob")]) != []
    )


def test_the_number_of_marked_conflicts_is_bounded() -> None:
    quotes = [Quote(f"The deadline of the report is {day} May.", "Ann") for day in range(1, 9)]
    assert len(find_conflicts("deadline of the report?", quotes)) == MOST_MARKED


def test_a_view_says_that_two_people_gave_different_deadlines() -> None:
    budget = Budget(400, reply_reserve_tokens=0)
    with Sessions(policy=Policy(budget, folding="off", embedder=None)) as sessions:
        one = sessions.session("s")
        one.append({"role": "user", "content": FIRST.text}, author="Ann")
        one.append({"role": "user", "content": "Trains are late."}, author="Bob")
        one.append({"role": "user", "content": OTHER.text}, author="Bob")
        one.append([{"role": "user", "content": f"Remark {n}: sun, rain, and a train."} for n in range(200)])
        view = one.view("When is the deadline of the report?")
        shown = "".join(m.content for m in view.messages if m.origin == "recall")
        assert shown.index("12 May") < shown.index("19 May") < shown.index("Conflicting answers")
        assert '"12 May" (Ann' in shown
        assert '"19 May" (Bob' in shown
        assert view.tokens <= budget.limit_tokens
        assert one.view("When is the deadline of the report?") == view
