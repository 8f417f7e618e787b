"""The line of a fact, and which facts stay where not all fit: rules first, and one kind never pushes another out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from session_core.compress.digest_text import digest_message
from session_core.compress.plan_cache import PlanCache, PlanContext
from session_core.counting.tokens import counter_for, message_tokens
from session_core.fact_selection import bullet, line, select_places
from session_core.facts import extract, merge
from session_core.plan import Count, Digest, Fact, FactKind, Limits
from session_core.policy import Policy
from session_core.ranges import Ranges
from session_core.turns import Message, Role


def select(facts: Sequence[Fact], *, max_tokens: int, count: Count) -> list[Fact]:
    """The facts that are listed in so many tokens."""
    prices = [count(bullet(fact)) for fact in facts]
    return [facts[place] for place in select_places(facts, prices, max_tokens)]


def test_a_line_names_the_author_and_what_it_is_about() -> None:
    fact = Fact(FactKind.CORRECTION, "make it\n4 May", seq=1, author="Ann", slot="departure date")
    assert line(fact) == "Ann: make it 4 May [departure date]"


def test_a_line_does_not_repeat_what_its_words_say() -> None:
    assert line(Fact(FactKind.AMOUNT, "My budget is $5", seq=1, slot="budget")) == "My budget is $5"


FACTS = st.lists(
    st.builds(
        Fact,
        st.sampled_from(list(FactKind)),
        st.text("ab 12.", min_size=1, max_size=60),
        seq=st.integers(1, 30),
        superseded_by=st.sampled_from([None, None, None, 31]),
    ),
    max_size=25,
)


def price(fact: Fact) -> int:
    return len(f"- ({fact.kind}) {line(fact)}\n")


@given(FACTS, st.integers(0, 600))
def test_what_is_selected_fits_and_is_current(facts: list[Fact], room: int) -> None:
    chosen = select(facts, max_tokens=room, count=len)
    assert sum(map(price, chosen)) <= room
    assert all(fact.current for fact in chosen)


@given(FACTS, st.integers(0, 600))
def test_no_rule_is_dropped_while_anything_else_is_kept(facts: list[Fact], room: int) -> None:
    chosen = select(facts, max_tokens=room, count=len)
    pinned = [fact for fact in facts if fact.current and fact.kind.pinned]
    if any(not fact.kind.pinned for fact in chosen):
        assert sum(fact.kind.pinned for fact in chosen) == len(pinned)
    rules = [fact for fact in pinned if fact.kind is FactKind.RULE]
    if any(fact.kind is not FactKind.RULE for fact in chosen):
        assert sum(fact.kind is FactKind.RULE for fact in chosen) == len(rules)


@given(FACTS)
def test_with_room_enough_every_current_fact_stands_in_reading_order(facts: list[Fact]) -> None:
    chosen = select(facts, max_tokens=10**6, count=len)
    assert [fact.seq for fact in chosen] == sorted(fact.seq for fact in facts if fact.current)


def test_many_facts_of_one_kind_never_push_the_only_one_of_another_out() -> None:
    said = [Message(Role.USER, "My name is Mara Lindqvist.", seq=1)]
    said += [Message(Role.USER, f"I prefer option {n}.", seq=n) for n in range(2, 62)]
    facts = merge((), extract(said))
    shown = select(facts, max_tokens=120, count=lambda text: (len(text) + 3) // 4)
    assert "My name is Mara Lindqvist." in [fact.text for fact in shown]


def test_of_too_many_rules_the_first_and_the_last_stay() -> None:
    said = [Message(Role.USER, f"Never open gate {n} at night.", seq=n) for n in range(1, 301)]
    shown = select(merge((), extract(said)), max_tokens=200, count=lambda text: (len(text) + 3) // 4)
    told = [fact.text for fact in shown]
    assert told[0] == "Never open gate 1 at night."
    assert told[-1] == "Never open gate 300 at night."


def test_a_summary_that_only_says_facts_again_leaves_its_room_to_others() -> None:
    stated = [Fact(FactKind.AMOUNT, f"Hall {number} costs {number}50 euros.", seq=number) for number in range(1, 9)]
    limits = replace(Policy().limits, facts_tokens=50, digest_tokens=60)
    repeated = f"User: Hi again. {stated[-2].text} {stated[-1].text}"
    other = "User: We met in the old mill."
    texts = [_shown(Digest(Ranges.span(1, 9), summary, tuple(stated)), limits) for summary in (repeated, other)]
    held = [sum(fact.text in text for fact in stated) for text in texts]
    assert held[0] > held[1]
    assert "Hi again" not in texts[0]
    assert other in texts[1]


def _shown(digest: Digest, limits: Limits) -> str:
    counter = counter_for(None)
    tools = PlanContext(counter.count, lambda said: message_tokens(said, counter), limits, PlanCache())
    return digest_message(digest, context=tools).content
