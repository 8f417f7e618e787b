"""Standing rules: word for word in every view, after any number of folds; when they outgrow their room it is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from session_core import Budget, Policy, Session, Sessions
from session_core.events import RulesOutgrown
from session_core.fact_selection import line
from session_core.facts import extract, merge
from session_core.plan import FactKind
from session_core.testing import Heard
from session_core.turns import Message, Role

RULES = (
    "Never call me before noon.",
    "Always answer in metric units.",
    "Please never mention my sister's name.",
    "Don't book anything without asking me.",
    "From now on reply in short sentences.",
    "Make sure to quote the price with tax.",
    "Never use the company card.",
    "Always send receipts to my accountant.",
    "Only suggest hotels with a lift.",
    "You must not share my address.",
)
TURN = "Tell me about the old mill number {} by the river, and how people got there in those days, please."
ROUNDS = 5


def policy(limit: int) -> Policy:
    return Policy(Budget(limit, reply_reserve_tokens=0), folding="inline")


def folded(session: Session, rounds: int) -> None:
    """Talk of other things until the digest was made anew so often."""
    number = 0
    while (digest := session.view().digest) is None or digest.number < rounds:
        number += 1
        assert number < 600
        session.append(Message(Role.USER, TURN.format(number)))
        session.append(Message(Role.ASSISTANT, "It stood there for a long time, and people came on foot. " * 2))


def missing(session: Session, rules: tuple[str, ...], query: str | None) -> list[str]:
    said = "\n".join(message.content for message in session.view(query).messages)
    return [rule for rule in rules if rule not in said]


@pytest.mark.parametrize("limit", [512, 1_000, 4_000])
@pytest.mark.parametrize("many", [1, 3, 10])
def test_no_rule_is_lost_after_five_rounds_of_folding(limit: int, many: int) -> None:
    with Sessions(policy=policy(limit)) as sessions:
        session = sessions.session("s")
        for rule in RULES[:many]:
            session.append([Message(Role.USER, f"Hello. {rule} What is new?"), Message(Role.ASSISTANT, "Understood.")])
        for rounds in (1, ROUNDS):
            folded(session, rounds)
            for query in (None, "How did people get to the mill number 3?"):
                assert missing(session, RULES[:many], query) == []
                assert session.view(query).report.hidden_rules == 0


@pytest.mark.parametrize("facts_tokens", [0, 400])
def test_limits_never_take_the_place_of_a_rule(facts_tokens: int) -> None:
    with Sessions(policy=replace(policy(1_024), facts_tokens=facts_tokens)) as sessions:
        session = sessions.session("s")
        for number, rule in enumerate(RULES[:10]):
            session.append([Message(Role.USER, rule), Message(Role.ASSISTANT, "Understood.")])
            limits = " ".join(f"Lot {number}{part} must not cost more than {part}00 euros." for part in range(1, 9))
            session.append([Message(Role.USER, limits), Message(Role.ASSISTANT, "Noted.")])
        folded(session, 2)
        for query in (None, "How did people get to the mill number 3?"):
            assert missing(session, RULES[:10], query) == []


def test_a_rule_of_the_system_stands_in_every_view() -> None:
    rule = "Never give a refund over $500."
    with Sessions(policy=policy(512)) as sessions:
        session = sessions.session("s")
        session.append([Message(Role.SYSTEM, rule), Message(Role.USER, "Never call me.")])
        session.append(Message(Role.ASSISTANT, "Yes."))
        folded(session, ROUNDS)
        for query in (None, "Can I have a refund?"):
            assert missing(session, (rule, "Never call me."), query) == []


def test_rules_that_outgrow_their_room_are_counted_and_told() -> None:
    heard = Heard()
    rules = tuple(f"Never open gate number {number} of the northern yard at night." for number in range(60))
    with Sessions(policy=policy(512), observers=[heard]) as sessions:
        session = sessions.session("s")
        for rule in rules:
            session.append([Message(Role.USER, rule), Message(Role.ASSISTANT, "Understood.")])
        for number in range(10):
            session.append([Message(Role.USER, TURN.format(number)), Message(Role.ASSISTANT, "On foot.")])
        view = session.view()
        assert view.digest is not None
        assert sum(fact.kind is FactKind.RULE for fact in view.digest.facts) == len(rules)
        hidden = len(missing(session, rules, None))
        assert 0 < hidden == view.report.hidden_rules
        assert f"including {hidden} standing rules" in view.messages[0].content
        assert f"{hidden} standing rules" in view.explain()
        told = [event for event in heard if isinstance(event, RulesOutgrown)]
        assert told[-1].rules == len(rules)
        assert told[-1].hidden > 0
        assert view.tokens <= 512


def test_a_long_rule_is_kept_word_for_word() -> None:
    rule = f"Never book a flight that {'leaves before noon or lands after ten or ' * 12}has a stop in between."
    assert [fact.text for fact in extract([Message(Role.USER, rule)])] == [rule]


def test_a_message_of_many_rules_gives_all_of_them() -> None:
    rules = [f"Never open gate {number} at night." for number in range(60)]
    found = extract([Message(Role.USER, "\n".join(rules))])
    assert [fact.text for fact in found] == rules


@pytest.mark.parametrize("people", [("Ann", "Bob"), ("Ann", "Bob", "Carl")])
def test_people_who_contradict_each_other_are_all_kept_with_their_names(people: tuple[str, ...]) -> None:
    days = dict(zip(people, ("Monday", "Tuesday", "Friday"), strict=False))
    with Sessions(policy=policy(700)) as sessions:
        session = sessions.session("s")
        for who, day in days.items():
            session.append(Message(Role.USER, f"The deadline is {day}. Never ship before it.", author=who))
            session.append(Message(Role.ASSISTANT, "Noted."))
        session.append([Message(Role.USER, "No, I meant Sunday.", author="Ann"), Message(Role.ASSISTANT, "Noted.")])
        folded(session, ROUNDS)
        shown = session.view().messages[0].content.splitlines()
        for who, day in days.items():
            expected = "No, I meant Sunday." if who == "Ann" else f"The deadline is {day}."
            assert any(line.startswith(f"- (constraint) {who}: {expected}") for line in shown)
        quoted = "\n".join(message.content for message in session.view("When is the deadline?").messages)
        assert "Tuesday (later" not in quoted
        assert "Friday (later" not in quoted
        facts = merge((), session.view().digest.facts)
        assert {fact.author for fact in facts if fact.kind is FactKind.RULE} == set(people)


def test_a_view_explains_what_was_quoted_from_where_and_why() -> None:
    with Sessions(policy=policy(600)) as sessions:
        session = sessions.session("s")
        said = Message(Role.USER, "The key of the boat house hangs behind the third oar.", id="m-key", author="Ann")
        session.append([said, Message(Role.ASSISTANT, "I see.")])
        folded(session, ROUNDS)
        view = session.view("Where does the key of the boat house hang?")
        [quoted] = [one for one in view.recalled if one.reference == "m-key"]
        assert (quoted.seq, quoted.speaker) == (1, "Ann")
        assert "key, boat, house" in quoted.why
        assert session.expand(quoted.reference).content == said.content
        assert f"Ann, ref m-key: {quoted.why}" in view.explain()
        assert session.view().recalled == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("budget: 500 EUR for the Lisbon trip", "budget: 500 EUR for the Lisbon trip"),
        ("For the Lisbon trip we can spend 500 EUR.", "For the Lisbon trip we can spend 500 EUR."),
        ("It has 16 GB of memory, and weighs 1.2 kg.", "It has 16 GB of memory, and weighs 1.2 kg."),
        ("What do you need for the deposit? 500 EUR.", "500 EUR. [What do you need for the deposit?]"),
    ],
)
def test_a_value_stands_with_its_unit_and_what_it_is_of(text: str, told: str) -> None:
    assert told in [line(fact) for fact in merge((), extract([Message(Role.USER, text)]))]


def test_a_bare_answer_stands_with_its_question() -> None:
    said = [
        Message(Role.ASSISTANT, "Fine. What is your budget for the trip to Lisbon?", seq=1),
        Message(Role.USER, "500 EUR", seq=2),
    ]
    assert [line(fact) for fact in extract(said)] == ["500 EUR [What is your budget for the trip to Lisbon?]"]


def test_a_correction_is_no_answer_to_the_question_before_it() -> None:
    said = [
        Message(Role.USER, "My budget is $900.", seq=1),
        Message(Role.ASSISTANT, "Noted. Which colour do you want for the boat?", seq=2),
        Message(Role.USER, "No, I meant $700.", seq=3),
    ]
    assert [line(fact) for fact in merge((), extract(said)) if fact.current] == ["No, I meant $700. [budget]"]
