"""Short verdicts on what an assistant said keep it beside them, and correct nothing else."""

from __future__ import annotations

import pytest

from session_core.fact_selection import line
from session_core.facts import extract, merge
from session_core.language.verdicts import judged, judges
from session_core.plan import FactKind
from session_core.recall.amendments import with_corrections
from session_core.recall.corrections import Corrections
from session_core.recall.offer_answers import with_answers
from session_core.turns import Key, Message, Role

FOUND = "tax.py falls back to 19 % for unknown countries. I'd raise an error instead. P2."
VERDICTS = [
    "no, that's intended, legal signed it off",
    "leave it as it is",
    "drop it",
    "ignore that one please",
    "that's not a bug",
    "make it P1, we had that in may",
    "P3, only affects reports",
    "das ist so gewollt",
    "lass das so",
    "c'est voulu",
    "es intencional",
    "è voluto",
    "é intencional",
    "dat is bedoeld",
    "это так задумано",
    "这是故意的",
    "仕様です",
]
OTHERS = [
    "make it 5 people",
    "no, Bergen",
    "what is a P2?",
    "that's lovely",
    "keep it at 19 % for Spain",
    "that is what my brother said when he saw the long report that you wrote for us",
    "P2",
    "thanks",
]


def said(*texts: str) -> list[Message]:
    """Messages of a user and an assistant in turn."""
    roles = (Role.USER, Role.ASSISTANT)
    return [Message(roles[at % 2], text, id=str(at), seq=at + 1) for at, text in enumerate(texts)]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_verdict_is_kept_with_what_it_judges(verdict: str) -> None:
    told = [fact for fact in merge([], extract(said("go on", FOUND, verdict))) if fact.kind is FactKind.ANSWER]
    assert [line(fact) for fact in told] == [f"{verdict} [{FOUND}]"]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_quoted_finding_tells_how_it_was_judged(verdict: str) -> None:
    messages = said("go on", FOUND, verdict)
    assert f"for unknown countries (answered: “{verdict}”)." in with_answers(messages[1:2], messages)[0].content


@pytest.mark.parametrize("text", OTHERS)
def test_what_names_a_value_or_judges_nothing_is_no_verdict(text: str) -> None:
    assert not judges(FOUND, text)


def test_what_only_confirms_cannot_be_judged() -> None:
    assert not judges("Noted.", "drop it")


def test_a_verdict_corrects_no_earlier_statement() -> None:
    told = merge([], extract(said("we support the old app", "Noted.", "go on", FOUND, "go on", FOUND, "no, drop it")))
    assert all(fact.current and "later" not in fact.text for fact in told)


def test_a_quoted_statement_is_not_corrected_by_a_verdict_on_something_else() -> None:
    messages = said("we support the old app", "Noted.", "go on", FOUND, "no, drop it")
    assert with_corrections(messages, ())[0].content == "we support the old app"
    assert Corrections().later(Key("t", "s"), None, messages) == ()


def test_a_later_verdict_on_the_same_finding_replaces_the_first() -> None:
    told = merge([], extract(said("go on", FOUND, "drop it", FOUND, "make it P1")))
    assert [fact.text for fact in told if fact.current and fact.kind is FactKind.ANSWER] == ["make it P1"]


def test_of_a_long_message_its_last_sentence_stands_with_the_verdict() -> None:
    assert judged("I read all of it. " * 20 + "The delay has no cap.") == "The delay has no cap."
