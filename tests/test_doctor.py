"""The runbook on stores whose figures are known beforehand."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_core import Budget, Message, Policy, Role, Sessions, ToolCall
from session_core.doctor import Findings, Named, examine, lines
from session_core.plan import Digest
from session_core.ports import Marks, SessionStore
from session_core.ranges import Ranges
from session_core.stores.memory import MemoryStore
from session_core.turns import Key
from session_core.voices import run_blocking

POLICY = Policy(budget=Budget(1_000, reply_reserve_tokens=0), model="gpt-4o")


def _add(store: SessionStore, key: Key, tokens: Iterable[int]) -> None:
    """A session with one user message of each size."""
    said = [Message(Role.USER, "words", id=f"m{i}", tokens=size) for i, size in enumerate(tokens)]
    run_blocking(store.append(key, said))


def _fold(store: SessionStore, key: Key, *, last: int, covered: int, tokens: int) -> None:
    digest = Digest(Ranges.span(1, last), "so far", tokens=tokens, covered_tokens=covered, covered_messages=last)
    run_blocking(store.put_digest(key, digest, expected=0))


def _found(store: SessionStore, policy: Policy = POLICY, *, tenant: str | None = None) -> Findings:
    return run_blocking(examine(store, policy, tenant=tenant))


def _said(store: SessionStore, policy: Policy = POLICY, *, tenant: str | None = None) -> str:
    return "\n".join(lines(_found(store, policy, tenant=tenant)))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def hundred(store: MemoryStore) -> MemoryStore:
    """Sessions of 10, 20, ... 1,000 tokens."""
    for i in range(1, 101):
        _add(store, Key(f"s{i}", "acme" if i % 2 else "other"), [10 * i])
    return store


def test_an_empty_store_says_so(store: MemoryStore) -> None:
    assert _said(store).startswith("The memory store holds no sessions.")
    assert "PROBLEM" not in _said(store)


def test_percentiles_are_of_all_sessions(hundred: MemoryStore) -> None:
    found = _found(hundred).record_tokens
    assert (found.p50, found.p90, found.p99) == (500, 900, 990)


def test_percentiles_are_told_against_the_limit(hundred: MemoryStore) -> None:
    assert "p50 500 tokens (50% of the limit), p90 900 tokens (90% of the limit)" in _said(hundred)


def test_shares_over_each_threshold_are_told(hundred: MemoryStore) -> None:
    told = _said(hundred)
    assert "41% over 60% of the limit (summarize)" in told
    assert "21% over 80% of the limit (facts)" in told
    assert "11% over 90% of the limit (notify)" in told


def test_the_largest_records_are_named(hundred: MemoryStore) -> None:
    assert _found(hundred).largest[:2] == (Named(Key("s100", "other"), 1_000), Named(Key("s99", "acme"), 990))
    assert "The largest records: other/s100 (1,000 tokens), acme/s99 (990 tokens)" in _said(hundred)


def test_one_tenant_is_examined_alone(hundred: MemoryStore) -> None:
    assert _found(hundred, tenant="acme").sessions == 50
    assert "50 sessions of tenant acme" in _said(hundred, tenant="acme")


def test_a_session_whose_folding_is_behind_is_named(store: MemoryStore) -> None:
    _add(store, Key("slow"), [400, 300])
    _add(store, Key("small"), [100])
    assert _found(store).behind == (Named(Key("slow"), 700),)
    assert "PROBLEM  folding is behind in slow (700 tokens)." in _said(store)


def test_a_session_with_a_ready_digest_is_not_behind(store: MemoryStore) -> None:
    _add(store, Key("folded"), [400, 300])
    _fold(store, Key("folded"), last=1, covered=400, tokens=50)
    assert _found(store).behind == ()
    assert "With a new digest that takes effect at the next turn: 1 session." in _said(store)


def test_folded_messages_do_not_count_as_standing(store: MemoryStore) -> None:
    _add(store, Key("folded"), [400, 300])
    _fold(store, Key("folded"), last=1, covered=400, tokens=50)
    run_blocking(store.append(Key("folded"), [Message(Role.USER, "next", id="next", tokens=7)]))
    assert _found(store).standing_tokens.p50 == 50 + 300 + 7


def test_a_reset_session_is_judged_by_its_new_size(store: MemoryStore) -> None:
    _add(store, Key("fresh"), [500, 500])
    run_blocking(store.mark(Key("fresh"), Marks(head=Ranges())))
    found = _found(store)
    assert (found.behind, found.branched, found.in_tier[0]) == ((), 1, 1)
    assert "With edits, forks or resets: 1 session;" in _said(store)


def test_disabled_folding_has_its_own_fix(store: MemoryStore) -> None:
    _add(store, Key("slow"), [700])
    off = Policy(budget=POLICY.budget, folding="off", model="gpt-4o")
    assert "call session.fold(), or use 'background'" in _said(store, off)


def test_calls_that_wait_for_results_are_named(store: MemoryStore) -> None:
    call = Message(Role.ASSISTANT, "", id="c", tool_calls=(ToolCall("t1", "look"), ToolCall("t2", "look")))
    run_blocking(store.append(Key("waits"), [Message(Role.USER, "go", id="u"), call]))
    assert _found(store).open_calls == (Named(Key("waits"), 2),)
    assert "tool calls wait for their results in waits (2 calls)" in _said(store)


def test_a_message_larger_than_a_view_is_a_problem(store: MemoryStore) -> None:
    _add(store, Key("huge"), [1_001])
    _add(store, Key("just"), [1_000])
    assert _found(store).oversized == (Named(Key("huge"), 1_001),)
    assert "single messages are larger than a whole view in huge (1,001 tokens)" in _said(store)


def test_more_sessions_than_a_line_holds_are_counted(store: MemoryStore) -> None:
    for i in range(8):
        _add(store, Key(f"s{i}"), [700 + i])
    told = _said(store)
    assert "folding is behind in s7 (707 tokens), s6 (706 tokens)" in told
    assert "s3 (703 tokens) and 3 more." in told


def test_a_healthy_store_has_no_problems(store: MemoryStore) -> None:
    _add(store, Key("small"), [100])
    assert _found(store).healthy
    assert "No problems found." in _said(store)


def test_the_counter_in_use_is_told(store: MemoryStore) -> None:
    exact, unknown = _said(store), _said(store, Policy(model="claude-x"))
    assert "Tokens are counted with o200k_base, the provider's own table." in exact
    assert "not the provider's own table" in unknown


def test_states_of_a_real_conversation_agree_with_its_statistics() -> None:
    policy = Policy(budget=Budget(1_000, reply_reserve_tokens=0), folding="inline")
    with Sessions("memory://", policy=policy) as sessions:
        session = sessions.session("talk")
        for turn in range(20):
            session.append([{"role": "user", "content": f"{turn} " + "why so? " * 40}])
            session.append([{"role": "assistant", "content": "for this " * 20}])
        found, stats = _found(sessions.store, policy), session.stats()
    assert (found.record_tokens.p50, found.standing_tokens.p50) == (stats.tokens, stats.standing_tokens)


@given(st.lists(st.integers(0, 3_000), max_size=30))
def test_every_session_is_in_one_tier_and_behind_exactly_over_the_threshold(sizes: list[int]) -> None:
    store = MemoryStore()
    for i, size in enumerate(sizes):
        _add(store, Key(f"s{i}"), [size])
    found = _found(store)
    assert sum(found.in_tier) == found.sessions == len(sizes)
    assert {one.key for one in found.behind} == {Key(f"s{i}") for i, size in enumerate(sizes) if size >= 600}


def test_a_fold_below_the_threshold_says_that_the_application_may_have_a_smaller_window() -> None:
    store = MemoryStore()
    _add(store, Key("early"), [100, 100, 100])
    _fold(store, Key("early"), last=2, covered=200, tokens=50)
    _add(store, Key("in time"), [300, 300, 300])
    _fold(store, Key("in time"), last=2, covered=600, tokens=50)
    assert _found(store).early == 1
    assert "Folded although under 60% of this limit: 1 session; if the application has a smaller window" in _said(store)


def test_folds_in_time_say_nothing_of_the_window() -> None:
    store = MemoryStore()
    _add(store, Key("in time"), [300, 300, 300])
    _fold(store, Key("in time"), last=2, covered=600, tokens=50)
    assert "smaller window" not in _said(store)


def test_the_limit_is_told_with_what_it_is_made_of() -> None:
    store = MemoryStore()
    _add(store, Key("a"), [10])
    said = _said(store, Policy(Budget(8_000, reply_reserve_tokens=500)))
    assert "A view may have 7,500 tokens (a window of 8,000 minus 500 for the reply)." in said
