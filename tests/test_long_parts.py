"""Parts of long records: put in order by their ranges, to the same end as number by number."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_core.ports import MessageList
from session_core.ranges import Ranges
from session_core.stores.intervals import Intervals
from session_core.stores.list_parts import Before, head_after, part_of
from session_core.stores.rules import Numbered
from session_core.testing import message

MOST = 40
LONG = 10**15
"""A record that cannot be gone through number by number."""


@st.composite
def parts(draw):
    """A part that has nothing twice, in any order."""
    cuts = sorted(draw(st.sets(st.integers(1, MOST), max_size=10)))
    pairs = draw(st.permutations(list(zip(cuts[::2], cuts[1::2], strict=False))))
    return Ranges.of(seq for first, last in pairs for seq in range(first, last + 1))


@given(parts(), parts())
def test_subtracting_ranges_equals_subtracting_their_numbers(one, other):
    assert one.minus(other) == one.without(set(other))


@given(st.lists(parts(), max_size=4), st.sets(st.integers(1, MOST), max_size=5))
def test_pieces_are_disjoint_and_concatenate_to_the_part(some, numbers):
    pieces = Intervals(some, numbers)
    for part in some:
        assert pieces.whole(pieces.of(part)) == part
    everything = [seq for first in set().union(*map(pieces.of, some)) for seq in pieces.whole([first])]
    assert sorted(everything) == sorted({seq for part in some for seq in part})
    assert all(pieces.whole([number]) == Ranges.span(number, number) for number in numbers)


@given(parts(), parts(), parts())
def test_the_head_keeps_messages_that_others_added(head, part, base):
    after = head_after(head, part, Ranges(), base)
    others = [seq for seq in head if seq not in set(base) | set(part)]
    assert sorted(after) == sorted({*part, *others})
    assert [seq for seq in after if seq in set(others)] == others
    assert [seq for seq in after if seq in set(part) & set(base)] == [seq for seq in part if seq in base]


@given(parts(), parts(), parts())
def test_what_a_run_added_stays_together_and_others_stay_behind_what_they_answer(head, part, base):
    after = list(head_after(head, part, Ranges(), base))
    added, mine = set(part) - set(base), list(part)
    for one, follower in pairwise(mine):
        if {one, follower} <= added:
            assert after.index(follower) == after.index(one) + 1
    before: int | None = None
    for seq in head:
        if seq in part:
            before = seq
        elif seq not in base and before is not None:
            assert after.index(before) < after.index(seq)


def listed(*items, base, hidden=None):
    return MessageList(items, base=base, base_version=1, hidden=hidden or Ranges())


@pytest.mark.parametrize("hidden", [Ranges(), Ranges.span(5, 5)], ids=["all shown", "one hidden"])
def test_a_long_record_takes_no_longer_than_a_short_one(hidden):
    base = Ranges.span(1, LONG)
    digest = Ranges(((1, 4), (6, LONG - 10)))
    value = listed(message(1), digest, *(message(n) for n in range(10)), base=base, hidden=hidden)
    seqs = (1, *range(LONG - 8, LONG + 2))
    numbered = Numbered(seqs, (), (), tuple(frozenset({seq}) for seq in seqs))
    part = part_of(value, numbered, Before(1, base), is_head=True)
    shown = Ranges.span(1, LONG - 10) if hidden else digest
    assert part == shown.plus(Ranges.span(LONG - 8, LONG + 1))
    assert head_after(base, part, base, base) == part
    assert head_after(Ranges.span(1, LONG + 9), Ranges.span(1, LONG), base, base) == Ranges.span(1, LONG + 9)
