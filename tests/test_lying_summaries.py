"""Lying summaries: each lie is struck, each sentence that the source bears out stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lying_summaries import SCENES

from session_core.verification.check import Checked, check

TRUE = [(name, scene.source, told) for name, scene in SCENES.items() for told in scene.true]
LIES = [(name, scene.source, told) for name, scene in SCENES.items() for told in scene.lies]


def _named(cases: list[tuple[str, str, str]]) -> list[object]:
    return [pytest.param(source, told, id=f"{name}: {told}") for name, source, told in cases]


@pytest.mark.parametrize(("source", "told"), _named(TRUE))
def test_true_sentences_stay(source: str, told: str) -> None:
    assert check(told, source) == Checked(told)


@pytest.mark.parametrize(("source", "told"), _named(LIES))
def test_a_lie_is_struck(source: str, told: str) -> None:
    assert check(told, source) == Checked("", (told,))


@pytest.mark.parametrize("name", SCENES)
def test_a_source_bears_out_every_sentence_of_its_own(name: str) -> None:
    source = SCENES[name].source
    assert check(source, source).struck == ()


WHO = ("Ana", "Bob", "Carla", "Diego", "Emma")
SAYING = ("paid {}", "was told {}", "chose {}", "wrote down {}")


@given(
    st.permutations(WHO), st.permutations(("$120", "$75.50", "$9", "$1,310", "$44")), st.sampled_from(SAYING), st.data()
)
def test_what_one_person_has_is_never_given_to_another(
    who: list[str], what: list[str], saying: str, data: st.DataObject
) -> None:
    source = "\n".join(f"User: {name} {saying.format(value)}." for name, value in zip(who, what, strict=True))
    first, second = data.draw(st.lists(st.integers(0, 4), min_size=2, max_size=2, unique=True))
    true, lie = (f"{who[first]} {saying.format(what[place])}." for place in (first, second))
    assert check(true, source) == Checked(true)
    assert check(lie, source) == Checked("", (lie,))
