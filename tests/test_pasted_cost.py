"""What a fold does with a long text that somebody pasted: no more than for what it keeps of it."""

from __future__ import annotations

import random
import string
from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_core import facts
from session_core.facts import ASSISTANT_FACTS, USER_FACTS, USER_RULES, extract
from session_core.language import changes, instructions, quoting, values
from session_core.language.instructions import is_instruction
from session_core.plan import Fact, FactKind
from session_core.turns import Message, Role

LINES = 200
LOG = "\n".join(f"2026-11-05T10:{at % 60:02}:07Z INFO [req-{at:05}] handled id={at} in {at} ms" for at in range(LINES))


def _said(role: Role, text: str) -> Message:
    return Message(role, text, id="m1", seq=1)


@pytest.mark.parametrize(("role", "most"), [(Role.USER, USER_FACTS), (Role.ASSISTANT, ASSISTANT_FACTS)])
def test_of_a_log_only_the_facts_are_made_that_are_kept(role: Role, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    fact = facts._fact

    def counted(message: Message, kind: FactKind, sentence: str, author: str | None) -> Fact:
        made.append(sentence)
        return fact(message, kind, sentence, author)

    monkeypatch.setattr(facts, "_fact", counted)
    before = is_instruction.cache_info().misses
    kept = extract([_said(role, LOG)])
    assert len(kept) == len(made) == most
    assert is_instruction.cache_info().misses - before < LINES / 2


def _facts_of(stated: Iterable[tuple[FactKind, bool]]) -> list[tuple[FactKind, Fact | None]]:
    # A rule is told by its own words, and never turns out to be none.
    return [
        (kind, Fact(kind, str(at), seq=at) if holds or kind is FactKind.RULE else None)
        for at, (kind, holds) in enumerate(stated)
    ]


@given(st.lists(st.tuples(st.sampled_from(FactKind), st.booleans()), max_size=200), st.sampled_from([1, 8, 24]))
def test_the_facts_that_bind_most_are_kept_as_if_all_were_made(stated: list[tuple[FactKind, bool]], most: int) -> None:
    told = _facts_of(stated)
    every = [fact for _, fact in told if fact is not None]
    most_kept = max(most, min(USER_RULES, sum(fact.kind is FactKind.RULE for fact in every)))
    best = sorted(every, key=lambda fact: (list(FactKind).index(fact.kind), fact.seq))[:most_kept]
    kept = facts._keep_most_binding(((kind, lambda fact=fact: fact) for kind, fact in told), most)
    assert kept == sorted(best, key=lambda fact: fact.seq)


def test_a_value_is_looked_for_up_to_the_first_that_makes_a_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    signed = values._signed

    def counted(text: str) -> Iterator[int]:
        for start in signed(text):
            looked.append(start)
            yield start

    monkeypatch.setattr(values, "_signed", counted)
    line = " ".join(f"{at:08x}" for at in range(7, 107))
    assert facts._first_stated(line) == (FactKind.IDENTIFIER, 0, True)
    assert len(looked) < 3


def test_few_places_of_code_are_tried_for_values() -> None:
    letters = random.Random(7).choices(string.ascii_lowercase, k=4_000)
    code = "".join(f"if(!{one}){{return [{two}]&&{one}=>({two})}}" for one, two in pairwise(letters))
    assert list(values._starts(code)) == []
    assert len(list(values._starts("这是一个没有数字的句子。" * 100))) < 110


@pytest.mark.parametrize("day", ["周一", "星期二", "礼拜天", "月曜日", "土曜", "월요일", "일요일", "5月"])
def test_a_day_or_a_number_is_found_among_other_signs(day: str) -> None:
    assert [value.text for value in values.values(f"他们在{day}出发")] == [day]


def test_a_phone_number_may_begin_in_brackets() -> None:
    assert [value.text for value in values.values("call (030) 1234567 (or mail)")] == ["(030) 1234567"]


def test_what_a_long_text_quotes_is_looked_for_once() -> None:
    text = f"What does this say?\n{LOG}"[: quoting.LONG_CHARACTERS]
    before = quoting._spans_of_long.cache_info().misses
    told = [list(quoting.split_quoted(text)) for _ in range(3)]
    assert told[0] == told[2]
    assert told[0][-1][1]
    assert quoting._spans_of_long.cache_info().misses == before + 1


def test_the_parts_of_a_line_are_looked_at_for_rules_only_where_one_may_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(instructions, "is_rule", lambda part: looked.append(part) or False)
    assert not is_instruction("10:07:09.001 [pool-7] {a.b.c}: handled, in 7 ms; (9 of 11)")
    assert looked == []


def test_a_cut_in_a_text_of_ascii_hides_no_change_and_brings_no_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    assert changes.change("…I now live in Oslo")
    monkeypatch.setattr(changes, "_STATES", {"<home>": None})
    assert changes.change("…deadbeef00112233") is None
