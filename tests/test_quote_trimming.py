"""A block of quotes that is too long for its room: it gets shorter, and does not go."""

from hypothesis import given
from hypothesis import strategies as st

from session_core import Budget, Message, Policy, Role
from session_core.compress.fixed import ADDITIONS_SHARE, Extras
from session_core.compress.ladder import plan
from session_core.language.quoting import BROUGHT_BACK
from session_core.recall.quote_trimming import trim_quotes
from session_core.services import Services

SHOP = Services(Policy(Budget(1_000, reply_reserve_tokens=0)))
COUNT = SHOP.counter.count
LINES = [f" the code of room {n} is LK-{n * 37:04d}" for n in range(60)]
BLOCK = "\n".join([BROUGHT_BACK, "user:", *LINES[:30], "Ann:", *LINES[30:]])


def test_the_lines_stay_that_the_question_is_about_under_who_said_them():
    told = trim_quotes(BLOCK, "What is the code of room 7, and of room 41?", max_tokens=60, count=COUNT).split("\n")
    assert {LINES[7], LINES[41]} <= set(told)
    assert told[:2] == [BROUGHT_BACK, "user:"]
    assert told.index("Ann:") < told.index(LINES[41])
    assert told == [line for line in BLOCK.split("\n") if line in told]


def test_a_source_without_a_line_goes():
    told = trim_quotes(BLOCK, "room 7", max_tokens=40, count=COUNT)
    assert LINES[7] in told
    fewest = trim_quotes(
        BLOCK, "room 7", max_tokens=COUNT("\n".join([BROUGHT_BACK, "user:", LINES[7]])) + 4, count=COUNT
    )
    assert fewest == "\n".join([BROUGHT_BACK, "user:", LINES[7]])


def test_what_fits_stays_as_it_is():
    assert trim_quotes(BLOCK, "room 7", max_tokens=COUNT(BLOCK), count=COUNT) == BLOCK


@given(st.integers(0, 400), st.lists(st.sampled_from([*LINES[:9], "user:", "Ann:", "[said otherwise]"]), max_size=30))
def test_it_fits_whatever_the_room(room, lines):
    block = "\n".join([BROUGHT_BACK, *lines])
    told = trim_quotes(block, "room 3", max_tokens=room, count=COUNT)
    assert COUNT(told) <= room or told == ""
    assert set(told.split("\n")) <= {*block.split("\n"), ""}


def test_a_plan_shows_recalled_lines_in_their_share():
    said = [SHOP.prepare(Message(Role.USER, "What is the code of room 7?", id="q"))]
    made = plan(said, None, context=SHOP.plan_context, extras=Extras(BLOCK))
    recalled = [message for message in made.messages if message.origin == "recall"]
    assert [LINES[7] in message.content for message in recalled] == [True]
    assert recalled[0].tokens <= SHOP.policy.limits.total * ADDITIONS_SHARE
    assert made.messages[-1] == said[0]
