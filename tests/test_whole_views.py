"""A view of which all stands whole is made in one look, and is the one that the ladder makes of it step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from session_core import Budget, Policy
from session_core.compress.fast_path import plan_unchanged
from session_core.compress.fixed import Extras
from session_core.compress.fold import fold
from session_core.compress.ladder import _plan, plan
from session_core.compress.plan_cache import PlanContext
from session_core.errors import PinnedTooLarge
from session_core.plan import Digest, Limits, Plan
from session_core.ranges import Ranges
from session_core.services import Services
from session_core.turns import Media, Message, Role, ToolCall, numbered

SHOP = Services(Policy(tool_output_tokens=32))
TEXTS = (
    "",
    " \n",
    "Thanks!",
    "We must never ship to Graz.",
    "Order A-1042 is on its way. " * 3,
    "row 17: 4.50 EUR\n" * 40,
)
CALLS = st.lists(st.sampled_from("ab"), min_size=1, max_size=2)


def _tools(limits: Limits) -> PlanContext:
    return PlanContext(SHOP.counter.count, SHOP.measure, limits)


def _asking(ids: Sequence[str]) -> Message:
    return Message(Role.ASSISTANT, tool_calls=tuple(ToolCall(call, "look", '{"at": 1}') for call in ids))


def _answering(call: str, text: str) -> Message:
    return Message(Role.TOOL, text, tool_call_id=call)


def _exchange(ids: Sequence[str], text: str) -> list[Message]:
    return [_asking(ids), *(_answering(call, text) for call in ids)]


SOUND = st.one_of(
    st.builds(lambda text: [Message(Role.USER, text)], st.sampled_from(TEXTS[2:])),
    st.builds(lambda text: [Message(Role.ASSISTANT, text)], st.sampled_from(TEXTS[2:])),
    st.builds(_exchange, st.sampled_from(("a", "b", "ab", "ba")), st.sampled_from(TEXTS[2:])),
)
ODD = st.one_of(
    st.builds(
        lambda role, text: [Message(role, text)],
        st.sampled_from((Role.USER, Role.ASSISTANT)),
        st.sampled_from(TEXTS[:2]),
    ),
    st.builds(lambda text: [Message(Role.SYSTEM, text)], st.sampled_from(TEXTS[1:5])),
    st.builds(lambda ids: [_asking(ids)], CALLS),
    st.builds(lambda ids: [_asking(ids), _answering("a", TEXTS[4])], CALLS),
    st.builds(lambda call, text: [_answering(call, text)], st.sampled_from("ab"), st.sampled_from(TEXTS)),
    st.just([Message(Role.USER, media=(Media("image", "https://example.org/x.png"),))]),
)
RECORDS = st.lists(st.one_of(SOUND, SOUND, ODD), max_size=12).map(lambda parts: [one for part in parts for one in part])
LIMITS = st.builds(
    lambda window, terse, outputs: replace(
        Policy(Budget(window, reply_reserve_tokens=0), whole_tool_outputs=outputs).limits, terse=terse
    ),
    st.sampled_from((300, 600, 1_000, 2_000, 8_000)),
    st.sampled_from((False, False, False, True)),
    st.sampled_from((None, None, None, 0, 2)),
)


def _recorded(said: Sequence[Message], first_seq: int) -> list[Message]:
    prepared = [SHOP.prepare(replace(message, id=f"m{place}")) for place, message in enumerate(said)]
    return list(numbered(prepared, first_seq))


def _digest(limits: Limits) -> Digest:
    told = _recorded([Message(Role.USER, TEXTS[3]), Message(Role.ASSISTANT, TEXTS[4])], 1)
    made = fold(None, told, Ranges.span(1, 2), context=_tools(limits))
    return replace(made, number=1)


def _tried(make: Callable[[], Plan]) -> Plan | str:
    try:
        return make()
    except PinnedTooLarge as exc:
        return str(exc)


@settings(max_examples=1_000)
@given(RECORDS, LIMITS, st.booleans(), st.booleans())
def test_the_short_path_gives_the_plan_of_the_ladder(said, limits, folded, open_end):
    digest = _digest(limits) if folded else None
    messages = _recorded(said, 3 if folded else 1)
    ladder = _tried(lambda: _plan(messages, digest, _tools(limits), Extras(), open_end))
    assert _tried(lambda: plan(messages, digest, context=_tools(limits), open_end=open_end)) == ladder


@settings(max_examples=300)
@given(st.lists(SOUND, max_size=20), st.booleans())
def test_the_short_path_reads_each_message_once(said, folded):
    limits = Policy(Budget(20_000)).limits
    messages = _recorded([message for part in said for message in part], 3 if folded else 1)
    made = plan_unchanged(messages, _digest(limits) if folded else None, _tools(limits))
    assert made is not None
    assert [m for m in made.messages if m.origin == "record"] == messages
