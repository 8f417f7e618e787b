"""The newest user message in a view: whole where it fits beside the system prompt, else its beginning and its end."""

from __future__ import annotations

import random

import pytest
from generated_sessions import conversation

from session_core import Budget, Message, Policy, Role, Sessions
from session_core.plan import View
from session_core.testing import check_valid

WORDS = "the order of the blue lamp from Graz came late again and two of its parts were missing in box".split()
SEEDS = 200
BLOCKS = 10


def _policy(window_tokens: int, **fields: object) -> Policy:
    return Policy(Budget(window_tokens, reply_reserve_tokens=0), **fields)  # type: ignore[arg-type]


def _text(chance: random.Random, words: int) -> str:
    """A question that is no two times the same, of about `words` words."""
    told = [f"{chance.choice(WORDS)}{chance.choice(['', '', '.', ',', chr(10)])}" for _ in range(words)]
    return f"Q{chance.randrange(10**6)}: {' '.join(told)} Why is E{chance.randrange(10**6)}?"


def _newest(view: View) -> Message:
    return [m for m in view.messages if m.role is Role.USER and m.origin == "record"][-1]


def _common_ends(whole: str, shown: str) -> tuple[str, str]:
    """The beginning and the end of `whole` that `shown` has."""
    head = next((n for n in range(len(shown), 0, -1) if whole.startswith(shown[:n])), 0)
    tail = next((n for n in range(len(shown) - head, 0, -1) if whole.endswith(shown[-n:])), 0)
    return shown[:head], shown[len(shown) - tail :] if tail else ""


@pytest.mark.parametrize("block", range(BLOCKS))
def test_the_newest_question_is_whole_if_it_fits_and_else_takes_most_of_the_room(block: int) -> None:
    for seed in range(block, SEEDS, BLOCKS):
        chance = random.Random(seed)
        limit = chance.choice([48, 60, 100, 200, 300, 500, 1_000, 2_000])
        with Sessions(policy=_policy(limit, folding=chance.choice(["inline", "off"]))) as sessions:
            session, measure, count = sessions.session("s"), sessions.services.measure, sessions.services.counter.count
            rules = "Never ship to Graz. Be brief." if chance.random() < 0.5 else ""
            fixed = measure(Message(Role.SYSTEM, rules)) if rules else 0
            said = [m for m in conversation(seed, most_turns=6) if m.role is not Role.SYSTEM]
            session.append(([Message(Role.SYSTEM, rules)] if rules else []) + said, lenient=True)
            asked = _text(chance, int(limit * chance.choice([0.1, 0.3, 0.5, 0.7, 0.8, 1.5, 4])))
            session.append({"role": "user", "content": asked})
            for query in (None, asked, "which lamp is meant?"):
                view = session.view(query)
                shown, price = _newest(view), measure(Message(Role.USER, asked))
                assert view.tokens <= limit, (seed, query)
                assert check_valid(view.messages) == [], (seed, query)
                ruled = sum(m.tokens for m in view.messages if m.origin == "digest")
                if price <= limit - fixed - min(ruled, (limit - fixed) // 4):
                    assert shown.content == asked, (seed, limit, price, query)
                    continue
                head, tail = _common_ends(asked, shown.content)
                assert count(head) + count(tail) > (limit - fixed) / 2, (seed, limit, query, shown.content)
                assert head, (seed, limit)
                assert tail or limit - fixed < 64, (seed, limit, shown.content)


@pytest.mark.parametrize("limit", [100, 200, 400, 1_000])
@pytest.mark.parametrize("calls", [1, 4])
def test_within_a_run_a_long_question_and_the_newest_result_share_the_room(limit: int, calls: int) -> None:
    chance = random.Random(limit)
    asked = _text(chance, limit)
    with Sessions(policy=_policy(limit)) as sessions:
        session = sessions.session("s")
        session.append({"role": "user", "content": asked})
        for n in range(calls):
            call = {"id": f"c{n}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
            result = "\n".join(f"row {i}: item {i} costs {i * 7}" for i in range(200))
            session.append({"role": "assistant", "content": "", "tool_calls": [call]})
            session.append({"role": "tool", "content": result, "tool_call_id": f"c{n}"})
        view, count = session.view(), sessions.services.counter.count
    head, tail = _common_ends(asked, _newest(view).content)
    assert count(head) + count(tail) > limit / 4
    assert view.tokens <= limit
    assert check_valid(view.messages) == []
    assert view.messages[-1].role is Role.TOOL


@pytest.mark.parametrize("limit", [120, 160, 250, 400])
def test_within_a_run_quotes_and_digest_leave_room_for_the_newest_call_and_its_result(limit: int) -> None:
    for seed in range(40):
        chance = random.Random(seed)
        with Sessions(policy=_policy(limit, folding=chance.choice(["inline", "off"]))) as sessions:
            session = sessions.session("s")
            said = [m for m in conversation(seed, most_turns=8) if m.role is not Role.SYSTEM]
            session.append(said, lenient=True)
            asked = _text(chance, chance.choice([5, 20, 60, 200]))
            names = [f"c{n}" for n in range(chance.choice([1, 1, 3]))]
            calls = [{"id": n, "type": "function", "function": {"name": "look", "arguments": "{}"}} for n in names]
            session.append({"role": "user", "content": asked})
            session.append({"role": "assistant", "content": _text(chance, 20), "tool_calls": calls})
            for name in names:
                result = _text(chance, chance.choice([1, 50, 400]))
                session.append({"role": "tool", "content": result, "tool_call_id": name})
            for query in (None, asked, "what about the order with number order-1?"):
                view = session.view(query)
                assert view.tokens <= limit
                assert check_valid(view.messages) == []
                assert view.messages[-1].role is Role.TOOL, (seed, query)
                assert asked[:8] in _newest(view).content, (seed, query)


def test_a_question_that_fits_beside_short_results_is_whole() -> None:
    with Sessions(policy=_policy(200)) as sessions:
        session = sessions.session("s")
        asked = _text(random.Random(1), 95)
        session.append({"role": "user", "content": asked})
        call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        session.append({"role": "assistant", "content": "", "tool_calls": [call]})
        session.append({"role": "tool", "content": "fine", "tool_call_id": "c"})
        assert _newest(session.view()).content == asked


@pytest.mark.parametrize("share", [0.8, 0.93, 1.0, 2.0])
def test_a_question_that_fills_the_view_leaves_the_standing_rules_a_quarter_of_it(share: float) -> None:
    with Sessions(policy=_policy(500, folding="inline", keep_turns=1)) as sessions:
        session, count = sessions.session("s"), sessions.services.counter.count
        rules = ["Never ship the blue lamp to Graz.", "Always answer in French."]
        session.append([{"role": "user", "content": rule} for rule in rules])
        for n in range(20):
            session.append({"role": "user", "content": f"Tell me of box {n} with its blue lamp, and of its shade."})
            session.append({"role": "assistant", "content": f"Box {n} it is, with its lamp and its shade, as you say."})
        asked = _text(random.Random(3), int(400 * share))
        session.append({"role": "user", "content": asked})
        views = [session.view(asked), session.view()]
    for view in views:
        assert all(rule in view.messages[0].content for rule in rules)
        assert view.report.hidden_rules == 0
        head, tail = _common_ends(asked, _newest(view).content)
        assert count(head) + count(tail) > min(count(asked) - 1, 500 * 0.65)
        assert view.tokens <= 500


@pytest.mark.parametrize("share", [0.3, 0.4, 0.5, 0.6])
def test_quotes_for_a_long_question_take_no_room_from_the_rules(share: float) -> None:
    with Sessions(policy=_policy(500, folding="inline", keep_turns=1)) as sessions:
        session = sessions.session("s")
        session.append({"role": "user", "content": "Never ship the blue lamp to Graz."})
        for n in range(20):
            session.append({"role": "user", "content": f"Box {n} has the blue lamp number L-{n * 37} and its shade."})
            session.append({"role": "assistant", "content": f"Box {n} it is, with its lamp and its shade, as you say."})
        asked = _text(random.Random(3), int(300 * share))
        session.append({"role": "user", "content": asked})
        view = session.view(asked)
    assert _newest(view).content == asked
    assert "Never ship the blue lamp to Graz." in view.messages[0].content
    assert view.report.hidden_rules == 0
