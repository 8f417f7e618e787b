"""What notebooks show of sessions and views: every figure that is promised, and nothing that is not escaped."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from session_core import Budget, Message, Policy, Role, Session, Sessions
from session_core.budget import Tier
from session_core.display import bars, session_html
from session_core.ledger import Ledger
from session_core.notebook_html import MAX_BARS, Bar, escape, gauge, timeline, view_html
from session_core.plan import Digest, Fact, FactKind
from session_core.ports import State
from session_core.ranges import Ranges
from session_core.stats import describe
from session_core.turns import Key

BUDGET = Budget(1_000, reply_reserve_tokens=0)
HOSTILE = "</td></text><script>alert('x')</script><b onclick=\"x\">&amp;"


class _Tags(HTMLParser):
    """The tags of a page, and whether each that is opened is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _message(seq: int, role: Role = Role.USER, content: str = "words", tokens: int = 10) -> Message:
    return Message(role, content, id=f"m{seq}", seq=seq, tokens=tokens)


def _conversation(content: str = "words") -> list[Message]:
    """Three turns of a question and an answer."""
    return [_message(n, Role.USER if n % 2 else Role.ASSISTANT, content) for n in range(1, 7)]


def _page(content: str = "words", digest: Digest | None = None, name: str = "room 7") -> str:
    messages = _conversation(content)
    state = State(Key(name), head=Ranges.span(1, 6))
    stats = describe(state, messages, Policy(budget=BUDGET))
    return session_html(stats, messages=messages, digest=digest, budget=BUDGET)


def _digest(text: str = "nothing with nuts") -> Digest:
    facts = (
        Fact(FactKind.RULE, text, seq=1, author="Dana"),
        Fact(FactKind.AMOUNT, "1,800 EUR", seq=2, superseded_by=3),
    )
    return Digest(Ranges.span(1, 4), text, facts, number=2, tokens=25, covered_tokens=40, covered_messages=4)


def test_the_gauge_tells_tokens_limit_and_tier() -> None:
    assert "650 of 1,000 tokens (65%), tier summarize" in gauge(650, BUDGET)


def test_the_gauge_marks_three_thresholds() -> None:
    assert re.findall(r">(\w+ \d+%)</text>", gauge(0, BUDGET)) == ["summarize 60%", "facts 80%", "notify 90%"]


def test_a_gauge_over_its_limit_stays_in_its_frame() -> None:
    ends = [
        float(x) + float(width)
        for x, width in re.findall(r'x="([\d.]+)" y="\S+" width="([\d.]+)"', gauge(9_000, BUDGET))
    ]
    assert max(ends) <= 720


def test_a_turn_is_folded_when_all_of_it_is() -> None:
    assert [bar.folded for bar in bars(_conversation(), {1, 2, 3})] == [True, False, False]


def test_tokens_of_a_turn_are_told_by_role() -> None:
    assert bars(_conversation(), ())[0].tokens == {Role.USER: 10, Role.ASSISTANT: 10}


def test_a_long_conversation_says_how_many_turns_a_bar_is() -> None:
    drawn = timeline([Bar({Role.USER: 5}, f"turn {n}") for n in range(MAX_BARS * 2 + 1)])
    assert "a bar is 3 turns, the highest 15 tokens" in drawn
    assert f"timeline of {MAX_BARS * 2 + 1} turns" in drawn


def test_a_session_shows_what_is_folded_and_which_facts_are_kept() -> None:
    page = _page(digest=_digest())
    assert "folded: 4 messages of 40 tokens are shown in views as a digest of 25" in page
    assert "Facts kept: 1, superseded: 1" in page
    assert "<b>rule</b> nothing with nuts" in page
    assert "<s>1,800 EUR</s>" in page


def test_a_session_without_digest_says_that_nothing_is_folded() -> None:
    assert "Nothing is folded yet" in _page()


def test_a_session_over_its_limit_does_not_claim_that_every_turn_stands_word_for_word() -> None:
    messages = [replace(message, tokens=200) for message in _conversation()]
    budget = Budget(1_000, reply_reserve_tokens=0)
    state = State(Key("room 7"), head=Ranges.span(1, 6), ledger=Ledger(messages=6, turns=3, tokens=1_200))
    page = session_html(describe(state, messages, Policy(budget)), messages=messages, digest=None, budget=budget)
    assert "word for word" not in page
    assert "each view is folded by rules" in page


def test_a_session_that_is_not_there_is_shown_as_empty() -> None:
    with Sessions("memory://") as sessions:
        assert "0 messages in 0 turns" in sessions.session("nobody")._repr_html_()


def test_sessions_and_views_show_themselves() -> None:
    with Sessions("memory://", policy=Policy(budget=BUDGET, folding="off")) as sessions:
        session: Session = sessions.session("room 7")
        session.append({"role": "user", "content": "How long is the hall?"})
        assert "1 message in 1 turn," in session._repr_html_()
        assert "How long is the hall?" in session.view()._repr_html_()


def test_a_long_message_in_a_view_says_how_much_is_not_shown() -> None:
    page = view_html([_message(1, content="x" * 200)], tokens=10, limit_tokens=100, tier=Tier.NORMAL)
    assert "… and 40 more characters" in page


def test_message_content_is_escaped() -> None:
    pages = _page(HOSTILE, _digest(HOSTILE), HOSTILE)
    pages += view_html([_message(1, content=HOSTILE)], tokens=10, limit_tokens=100, tier=Tier.NORMAL)
    assert "script" not in _Tags(pages).seen
    assert 'onclick="' not in pages


def test_lone_surrogates_are_displayed() -> None:
    assert _page("nul \x00 and \ud800", _digest("\ud800")).encode("utf-8")


@given(st.text())
def test_any_text_is_one_piece_of_text(text: str) -> None:
    assert not set('<>"') & set(escape(text))


@given(st.lists(st.tuples(st.sampled_from(Role), st.integers(0, 5_000), st.text(max_size=40)), max_size=12))
def test_html_tags_are_balanced(said: list[tuple[Role, int, str]]) -> None:
    messages = [
        Message(role, text, id=f"m{n}", seq=n, tokens=tokens, tool_call_id="t" if role is Role.TOOL else None)
        for n, (role, tokens, text) in enumerate(said, start=1)
    ]
    state = State(Key("any"), head=Ranges.span(1, len(messages)))
    page = session_html(
        describe(state, messages, Policy(budget=BUDGET)), messages=messages, digest=_digest(), budget=BUDGET
    )
    page += view_html(messages, tokens=10, limit_tokens=100, tier=Tier.NORMAL)
    assert _Tags(page).open == []


def test_a_session_that_cannot_be_read_shows_why() -> None:
    with Sessions("memory://") as sessions:
        session = sessions.session("<b>s")
        session.append({"role": "user", "content": "hello"})
    page = session._repr_html_()
    assert "session &lt;b&gt;s: memory:// was closed and stays so; make a new Sessions or saver" in page
    assert not _Tags(page).open
