"""`Policy(whole_tool_outputs=...)`: how many of the newest long outputs a view shows whole."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from generated_sessions import conversation
from hypothesis import given, settings
from hypothesis import strategies as st

from session_core import Budget, Message, Policy, Role, ToolCall
from session_core.compress.ladder import plan
from session_core.errors import BudgetError
from session_core.services import Services
from session_core.testing import check_valid

WIDE = Budget(200_000)
ROWS = json.dumps([{"id": f"A-{n}", "price": n, "state": "ok"} for n in range(200)])


def chain(services: Services, calls: int) -> list[Message]:
    said = [Message(Role.USER, "go", id="u")]
    for n in range(calls):
        said.append(Message(Role.ASSISTANT, id=f"a{n}", tool_calls=(ToolCall(f"c{n}", "f"),)))
        said.append(Message(Role.TOOL, ROWS, id=f"t{n}", tool_call_id=f"c{n}"))
    return prepared(services, said)


def prepared(services: Services, said: Sequence[Message]) -> list[Message]:
    return [replace(services.prepare(message), seq=seq, time_s=1.0) for seq, message in enumerate(said, start=1)]


def clipped(messages: Sequence[Message]) -> list[bool]:
    return [m.rendition == "clip" for m in messages if m.role is Role.TOOL]


@pytest.mark.parametrize(
    ("newest", "calls", "whole"),
    [(None, 9, 9), (0, 9, 0), (0, 1, 0), (1, 2, 2), (1, 3, 1), (3, 6, 6), (3, 7, 3), (3, 9, 5), (3, 10, 6), (3, 11, 3)],
)
def test_between_n_and_2n_newest_outputs_stay_whole(newest, calls, whole):
    services = Services(Policy(WIDE, whole_tool_outputs=newest))
    made = plan(chain(services, calls), None, context=services.plan_context)
    assert clipped(made.messages) == [True] * (calls - whole) + [False] * whole


@pytest.mark.parametrize(("newest", "most"), [(0, 0), (3, 6)])
def test_a_view_that_grows_rarely_changes_before_its_end(newest, most):
    services = Services(Policy(WIDE, whole_tool_outputs=newest))
    said = chain(services, 30)
    views = [plan(said[:end], None, context=services.plan_context).messages for end in range(1, len(said) + 1, 2)]
    changed = [later[: len(one)] != one for one, later in pairwise(views)]
    assert sum(changed) == most


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), newest=st.integers(0, 4), window=st.sampled_from([1_000, 4_000, 30_000]))
def test_a_view_fits_and_is_valid_however_many_stand_whole(seed, newest, window):
    services = Services(Policy(Budget(window), whole_tool_outputs=newest))
    made = plan(prepared(services, conversation(seed)), None, context=services.plan_context)
    assert made.tokens <= services.policy.limits.total
    assert check_valid(made.messages) == []


@pytest.mark.parametrize("wrong", [-1, 1.5, True, "3"])
def test_whole_tool_outputs_must_be_a_whole_number_or_none(wrong):
    with pytest.raises(BudgetError, match="whole_tool_outputs"):
        Policy(whole_tool_outputs=wrong)


def test_the_last_units_of_a_long_turn_are_folded_to_the_target_too():
    services = Services(Policy(Budget(30_000), keep_turns=3))
    said = chain(services, 120)
    views = [plan(said[:end], None, context=services.plan_context).messages for end in range(1, len(said) + 1, 2)]
    changed = sum(later[: len(one)] != one for one, later in pairwise(views))
    assert 0 < changed <= 36
