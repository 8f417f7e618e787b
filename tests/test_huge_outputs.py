"""Tool outputs that are larger than any view: what the views after them still show."""

from __future__ import annotations

from itertools import pairwise

import pytest

from session_core import Budget, Message, Policy, Role, Sessions
from session_core.plan import View
from session_core.testing import check_valid

TASK = "Find out why the login of the shop fails since Monday."
LIMITS = [1_500, 2_000, 8_000]


def _exchange(number: int, rows: int) -> list[dict[str, object]]:
    call = {"id": f"c{number}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    result = "\n".join(f"src/shop_{i}.py:{i * 7}: value {i * 13 + number} is read" for i in range(rows))
    return [
        {"role": "assistant", "content": f"Step {number}.", "tool_calls": [call]},
        {"role": "tool", "content": result, "tool_call_id": f"c{number}"},
    ]


def _views(limit: int, steps: int, huge_every: int, **fields: object) -> list[View]:
    """The view after each step of one run, of which every `huge_every`th result is five times the limit."""
    policy = Policy(Budget(limit, reply_reserve_tokens=0), folding="off", **fields)  # type: ignore[arg-type]
    with Sessions(policy=policy) as sessions:
        session, made = sessions.session("s"), []
        session.append([{"role": "user", "content": TASK}])
        for number in range(steps):
            session.append(_exchange(number, 1 if number % huge_every else limit // 3))
            made.append(session.view())
    assert all(view.tokens <= limit and check_valid(view.messages) == [] for view in made)
    return made


def _results(view: View) -> list[Message]:
    return [message for message in view.messages if message.role is Role.TOOL]


@pytest.mark.parametrize("limit", LIMITS)
def test_the_view_after_a_short_step_still_has_the_clip_of_the_huge_output_before_it(limit: int) -> None:
    for view in _views(limit, 20, 2)[3::2]:
        assert [result.rendition for result in _results(view)][-2:] == ["clip", "whole"]


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("whole_tool_outputs", [None, 0, 1])
def test_a_huge_output_has_at_least_most_of_half_of_its_view(limit: int, whole_tool_outputs: int | None) -> None:
    for view in _views(limit, 12, 2, whole_tool_outputs=whole_tool_outputs)[2::2]:
        newest = _results(view)[-1]
        assert newest.tokens > limit * 0.4 or whole_tool_outputs == 0, view.explain()


@pytest.mark.parametrize("limit", LIMITS)
def test_a_huge_output_folds_no_more_than_it_needs(limit: int) -> None:
    views = _views(limit, 40, 10)
    heads = [view.messages[0].content for view in views]
    assert sum(earlier != later for earlier, later in pairwise(heads)) <= 10


def test_the_steps_before_a_huge_output_stay_in_view() -> None:
    for view in _views(8_000, 20, 2)[12:]:
        assert len(_results(view)) > 4, view.explain()
