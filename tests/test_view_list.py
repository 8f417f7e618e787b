"""The list that a run is handed, by itself: what reducers, serializers and models make of it."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolMessage, convert_to_openai_messages
from langgraph.channels import BinaryOperatorAggregate
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph.message import REMOVE_ALL_MESSAGES, add_messages

from langchain_session.graph_state.view_list import PendingCalls, ViewList, removed_in
from session_core.ranges import Ranges


def handed():
    return ViewList([HumanMessage("hello", id="h1"), AIMessage("well", id="a1")])


def ids(messages):
    return [message.id for message in messages]


def test_add_messages_removes_what_the_list_does_not_hold():
    left = handed()
    kept = add_messages(left, [RemoveMessage("old"), RemoveMessage("a1"), HumanMessage("more", id="h2")])
    assert (ids(kept), removed_in(kept)) == (["h1", "h2"], {"old"})
    assert (ids(left), removed_in(left)) == (["h1", "a1"], frozenset())


def test_a_reducer_around_it_may_call_it():
    def reducer(one, other):
        return add_messages(one, other)

    assert removed_in(reducer(handed(), [RemoveMessage("old")])) == {"old"}


def test_removals_work_after_any_number_of_updates():
    grown = add_messages(add_messages(handed(), [AIMessage("so", id="a2")]), AIMessage("said", id="a3"))
    assert ids(add_messages(grown, [RemoveMessage("old")])) == ["h1", "a1", "a2", "a3"]


def test_removed_and_said_again_in_one_update_is_an_edit():
    kept = add_messages(handed(), [RemoveMessage("old"), HumanMessage("again", id="old")])
    assert ids(kept) == ["h1", "a1", "old"]


def test_the_channel_of_a_run_removes_again_and_again():
    channel = BinaryOperatorAggregate(list, add_messages).from_checkpoint(handed())
    for name in ("old", "a1", "older", "oldest"):
        channel.update([[RemoveMessage(name)]])
    assert (ids(channel.get()), removed_in(channel.get())) == (["h1"], {"old", "older", "oldest"})
    other = BinaryOperatorAggregate(list, add_messages).from_checkpoint(list(handed()))
    with pytest.raises(ValueError, match="doesn't exist"):
        other.update([[RemoveMessage("old")]])


def test_when_all_was_removed_nothing_is_left_to_remove():
    channel = BinaryOperatorAggregate(list, add_messages).from_checkpoint(handed())
    channel.update([[RemoveMessage("old")], [RemoveMessage(REMOVE_ALL_MESSAGES), AIMessage("so", id="a2")]])
    with pytest.raises(ValueError, match="doesn't exist"):
        channel.update([[RemoveMessage("older")]])


CALLS = AIMessage("", id="c", tool_calls=[{"name": "look", "args": {}, "id": f"c.{n}"} for n in range(2)])
RESULTS = [ToolMessage("found", tool_call_id=f"c.{n}", id=f"r{n}") for n in range(2)]


def waiting():
    made = ViewList([HumanMessage("hello", id="h1"), CALLS, RESULTS[0]])
    made.waiting, made.hidden = PendingCalls(frozenset({"c.1"}), {"c": 2, "r0": 3}), [(1, 1)]
    return made


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ([HumanMessage("and?", id="h2")], ["h1", "h2"]),
        ([RemoveMessage("old"), AIMessage("so", id="a1"), HumanMessage("and?", id="h2")], ["h1", "a1", "h2"]),
        ([RESULTS[1], HumanMessage("and?", id="h2")], ["h1", "c", "r0", "r1", "h2"]),
        ([AIMessage("a note", id="a1"), RESULTS[1]], ["h1", "c", "r0", "a1", "r1"]),
        ([RemoveMessage("c"), RemoveMessage("r0"), HumanMessage("and?", id="h2")], ["h1", "h2"]),
        ([ToolMessage("denied", tool_call_id="c.0", id="r0"), HumanMessage("and?", id="h2")], ["h1", "c", "r0", "h2"]),
    ],
)
def test_calls_that_wait_are_left_out_for_a_question_that_comes_before_their_results(given, left):
    held = waiting()
    assert ids(add_messages(held, given)) == left
    hides = "c" not in left and RemoveMessage("c") not in given
    assert held.hidden == ([(1, 1), (2, 2), (3, 3)] if hides else [(1, 1)])


def test_pending_calls_stay_if_nothing_else_is_there():
    held = waiting()
    del held[0]
    assert ids(add_messages(held, HumanMessage("and?", id="h2"))) == ["c", "r0", "h2"]


def test_all_of_it_may_be_removed():
    assert ids(add_messages(handed(), [RemoveMessage(REMOVE_ALL_MESSAGES), AIMessage("s", id="s")])) == ["s"]


def test_a_plain_list_refuses_unknown_removals():
    with pytest.raises(ValueError, match="doesn't exist"):
        add_messages(list(handed()), [RemoveMessage("old")])


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda said: pickle.loads(pickle.dumps(said))])
def test_it_is_copied_and_pickled_as_a_list(again):
    assert again(handed()) == handed()


def test_it_is_serialized_as_a_list():
    serde = JsonPlusSerializer()
    assert serde.loads_typed(serde.dumps_typed({"messages": handed()})) == {"messages": list(handed())}


def test_removals_are_never_sent_to_a_model():
    kept = add_messages(handed(), [RemoveMessage("old")])
    assert convert_to_openai_messages(kept) == convert_to_openai_messages(list(handed()))


@given(st.permutations(range(1, 16)), st.integers(0, 15), st.sets(st.integers(1, 16)))
def test_less_and_shared_agree_with_set_operations(order, count, others):
    part = Ranges.of(order[:count])
    assert part.less(others) == part.without(others)
    assert part.intersection(Ranges.of(others)) == Ranges.of(seq for seq in part if seq in others)


def test_ranges_are_subtracted_and_intersected_by_range():
    part = Ranges(((5, 9), (1, 3)))
    assert part.less([7, 1, 4]) == Ranges(((5, 6), (8, 9), (2, 3)))
    assert part.intersection(Ranges(((2, 6), (9, 90)))) == Ranges(((5, 6), (9, 9), (2, 3)))
    assert part.intersection(Ranges(((1, 3), (4, 10)))) == part
    assert Ranges.span(1, 10**12).intersection(Ranges.span(3, 4)) == Ranges.span(3, 4)
