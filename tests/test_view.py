"""The promises of a view: it fits, it is valid, it is the same for the same version, and it keeps what matters."""

import pytest
from generated_sessions import conversation

from session_core import Budget, Message, Policy, Role, Sessions, Tier, ToolCall
from session_core.compress.fold import fold
from session_core.errors import (
    BudgetError,
    DuplicateMessage,
    EmptyMessage,
    MessageTooLarge,
    NotFound,
    OrphanToolResult,
    PinnedTooLarge,
    UnknownRole,
)
from session_core.events import Folded, Noticed, Resumed, TierChanged
from session_core.testing import Heard, check_valid
from session_core.voices import run_blocking

DAY_S = 86_400.0
SEEDS = 600
BLOCKS = 20


def small(window_tokens: int = 2_000, **policy) -> Policy:
    return Policy(Budget(window_tokens, reply_reserve_tokens=0), **{"folding": "inline", **policy})


@pytest.mark.parametrize("block", range(BLOCKS))
def test_no_view_is_over_budget_or_invalid(block):
    for seed in range(block, SEEDS, BLOCKS):
        window = (256, 300, 600, 1_500, 6_000)[seed % 5]
        folding = ("inline", "off")[seed // 5 % 2]
        with Sessions(policy=small(window, folding=folding)) as sessions:
            session = sessions.session("s")
            said = conversation(seed, most_turns=16 if seed % 10 == 0 else 5)
            half = len(said) // 2
            for part in (said[:half], said[half:]):
                session.append(part, lenient=True)
                view = session.view("budget" if seed % 3 == 0 else None)
                assert view.tokens <= window, (seed, view.tokens, window)
                assert sum(map(sessions.services.measure, view.messages)) == view.tokens, seed
                assert check_valid(view.messages) == [], seed


def test_a_system_message_with_every_turn_never_stops_a_session():
    for text in ("You are a careful assistant. " * 6, "The time is {turn}. " * 8):
        with Sessions(policy=small(1_500)) as sessions:
            session = sessions.session("s")
            for turn in range(120):
                session.append([{"role": "system", "content": text.format(turn=turn)}])
                session.append({"role": "user", "content": f"question {turn}"})
                view = session.view()
                assert view.tokens <= 1_500
                assert check_valid(view.messages) == []
                session.append({"role": "assistant", "content": f"answer {turn} " * 10})
            assert text.format(turn=119) in [m.content for m in session.view().messages]


@pytest.mark.parametrize("words", [20, 60, 95, 120, 135, 160, 180])
@pytest.mark.parametrize("window", [256, 400])
def test_large_system_messages_and_extras_leave_a_view_that_fits(words, window):
    now = [0.0]
    with Sessions(policy=small(window), clock=lambda: now[0]) as sessions:
        session = sessions.session("s")
        session.append({"role": "system", "content": "rule " * words})
        for turn in range(12):
            session.append({"role": "user", "content": f"My flight {turn} to Rome is at {turn + 1} pm for 90 euros."})
            session.append({"role": "assistant", "content": f"Noted flight {turn}. " * 5})
        now[0] = 90 * DAY_S
        session.append({"role": "user", "content": "flight 3 euros?"})
        view = session.view("flight 3 euros")
        assert view.tokens <= window
        assert check_valid(view.messages) == []


def test_the_record_is_what_was_appended():
    for seed in range(60):
        with Sessions(policy=small()) as sessions:
            said = conversation(seed)
            sessions.session("s").append(said, lenient=True)
            kept = sessions.session("s").record()
            assert [(m.id, m.role, m.content, m.tool_calls, m.media, m.author) for m in kept] == [
                (m.id, m.role, m.content, m.tool_calls, m.media, m.author) for m in said
            ]


def test_three_facts_of_turn_1_are_in_the_view_of_turn_200():
    with Sessions(policy=small(4_000)) as sessions:
        session = sessions.session("s")
        session.append(
            {
                "role": "user",
                "content": "My name is Mara Lindqvist. Never book a flight before 9 am. My budget is 1,250 euros.",
            }
        )
        session.append({"role": "assistant", "content": "Understood."})
        for turn in range(2, 201):
            session.append({"role": "user", "content": f"Question {turn}: what is the capital of country {turn}?"})
            session.append({"role": "assistant", "content": f"City {turn} is the capital, as far as I know. " * 4})
        view = session.view()
        shown = "\n".join(message.content for message in view.messages)
        assert "Mara Lindqvist" in shown
        assert "Never book a flight before 9 am" in shown
        assert "1,250 euros" in shown
        assert view.report.folded > 300
        assert view.tokens <= 4_000


def test_two_views_of_one_version_are_equal_although_a_fold_ends_between_them():
    policy = small(1_500, folding="off")
    with Sessions(policy=policy) as sessions:
        session = sessions.session("s")
        for turn in range(40):
            session.append({"role": "user", "content": f"question {turn} " * 10})
            session.append({"role": "assistant", "content": f"answer {turn} " * 10})
        before = session.view()
        assert session.fold() is not None
        assert session.view().messages == before.messages
        session.append({"role": "user", "content": "next"})
        assert session.view().messages != before.messages


def test_a_view_only_grows_at_its_end_between_two_swaps():
    with Sessions(policy=small(6_000)) as sessions:
        session = sessions.session("s")
        changed = 0
        last: tuple[Message, ...] = ()
        for turn in range(80):
            session.append({"role": "user", "content": f"question {turn} " * 8})
            session.append({"role": "assistant", "content": f"answer {turn} " * 30})
            view = session.view().messages
            changed += view[: len(last)] != last
            last = view
        assert 1 <= changed <= 8


def test_tiers_are_told_and_at_90_percent_a_notice_is_kept():
    heard = Heard()
    with Sessions(policy=small(1_000, folding="off"), observers=[heard]) as sessions:
        session = sessions.session("s")
        for turn in range(30):
            session.append({"role": "user", "content": f"words and words {turn} " * 6})
        tiers = [event.after for event in heard if isinstance(event, TierChanged)]
        assert tiers == [Tier.SUMMARIZE, Tier.FACTS, Tier.NOTIFY]
        noticed = [event.notice for event in heard if isinstance(event, Noticed)]
        assert noticed == session.notices()
        assert "%" in noticed[0].text


def test_a_notice_of_more_than_fits_says_so_without_a_number():
    with Sessions(policy=small(1_000, folding="off")) as sessions:
        session = sessions.session("s")
        session.append({"role": "user", "content": "words and words " * 1_000})
        (notice,) = session.notices()
        assert notice.pressure > 1
        assert notice.text.startswith("This conversation is longer than what the assistant can read at once.")


def test_folding_takes_the_pressure_off_and_says_its_lag():
    heard = Heard()
    with Sessions(policy=small(2_000, folding="background"), observers=[heard]) as sessions:
        session = sessions.session("s")
        for turn in range(60):
            session.append({"role": "user", "content": f"question {turn} " * 8})
            session.append({"role": "assistant", "content": f"answer {turn} " * 12})
            assert sessions.drain(10)
        folds = [event for event in heard if isinstance(event, Folded)]
        assert len(folds) >= 2
        assert all(fold.lag_s >= 0 and fold.tokens_after < fold.tokens_before for fold in folds)
        assert session.stats().pressure < 0.8
        assert session.stats().digests == len(folds)


def test_a_session_that_is_resumed_says_how_long_it_was_away():
    now = [1_000_000.0]
    heard = Heard()
    with Sessions(policy=small(), observers=[heard], clock=lambda: now[0]) as sessions:
        session = sessions.session("s")
        session.append([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}])
        assert not any(m.origin == "refresh" for m in session.view().messages)
        now[0] += 9 * DAY_S
        first = session.view().messages
        assert next(m for m in first if m.origin == "refresh").content.count("9 days") == 1
        now[0] += 5.0
        assert session.view().messages == first
        session.append({"role": "user", "content": "I am back"})
        after = session.view().messages
        assert [m.origin for m in after][-2:] == ["refresh", "record"]
        session.append({"role": "assistant", "content": "Welcome back"})
        session.append({"role": "user", "content": "go on"})
        assert not any(m.origin == "refresh" for m in session.view().messages)
        assert [event.absent_s for event in heard if isinstance(event, Resumed)] == [9 * DAY_S]


def test_several_users_are_told_apart_by_name():
    with Sessions(policy=small()) as sessions:
        session = sessions.session("s")
        session.append({"role": "user", "content": "I want fish"}, author="Ann")
        assert session.view().messages[0].content == "I want fish"
        session.append({"role": "user", "content": "I want meat"}, author="Bob")
        assert [m.content for m in session.view().messages] == ["Ann: I want fish", "Bob: I want meat"]
        assert session.stats().authors == ("Ann", "Bob")
        assert [m.content for m in session.record()] == ["I want fish", "I want meat"]


def test_a_large_tool_output_is_clipped_in_the_view_and_whole_behind_its_reference():
    whole = "\n".join(f"line {n}: value {n * 7}" for n in range(3_000))
    with Sessions(policy=small(4_000)) as sessions:
        session = sessions.session("s")
        session.append({"role": "user", "content": "read it"})
        session.append(Message(Role.ASSISTANT, tool_calls=(ToolCall("t", "read", "{}"),)))
        session.append(Message(Role.TOOL, whole, id="big", tool_call_id="t", name="read"))
        shown = next(m for m in session.view().messages if m.role is Role.TOOL)
        assert shown.rendition == "clip"
        assert "big" in shown.content
        assert session.expand("big").content == whole
        assert "CLIP" in session.view().explain().upper()


def test_a_query_brings_back_what_was_folded_away():
    with Sessions(policy=small(1_500)) as sessions:
        session = sessions.session("s")
        session.append({"role": "user", "content": "The wifi code of the cabin is tulip-4471-green, by the way."})
        session.append({"role": "assistant", "content": "Noted."})
        for turn in range(60):
            session.append({"role": "user", "content": f"question {turn} about gardening " * 5})
            session.append({"role": "assistant", "content": f"answer {turn} about plants " * 5})
        session.append({"role": "user", "content": "What was the wifi code of the cabin?"})
        view = session.view("What was the wifi code of the cabin?")
        recalled = [m for m in view.messages if m.origin == "recall"]
        assert "tulip-4471-green" in recalled[0].content
        assert view.messages[-1].content == "What was the wifi code of the cabin?"
        assert session.search("wifi code cabin")[0].content.startswith(("The wifi", "What was"))


class Blues:
    """An embedder for which whoever asks for shoes means blue ones."""

    async def embed(self, texts):
        return [[1.0, 0.0] if text == "shoes" or "blue" in text else [0.0, 1.0] for text in texts]


@pytest.mark.parametrize(("embedder", "first"), [(None, "shoes, shoes"), (Blues(), "blue shoes")])
def test_an_embedder_reranks_a_search(embedder, first):
    with Sessions(policy=small(embedder=embedder)) as sessions:
        session = sessions.session("s")
        session.append([{"role": "user", "content": text} for text in ("shoes, shoes", "hats", "blue shoes")])
        assert session.search("shoes")[0].content == first


def test_reset_with_carry_keeps_facts_and_without_keeps_nothing():
    with Sessions(policy=small()) as sessions:
        for carry in (True, False):
            session = sessions.session(f"carry-{carry}")
            session.append({"role": "user", "content": "My name is Mara. Never use metric units."})
            session.append({"role": "assistant", "content": "Understood, never metric units."})
            session.reset(carry=carry)
            shown = " ".join(m.content for m in session.view().messages)
            assert ("Never use metric units" in shown) is carry
            assert len(session.record(all_branches=True)) == 2


def test_deleting_a_session_leaves_nothing():
    with Sessions(policy=small()) as sessions:
        session = sessions.session("s")
        session.append({"role": "user", "content": "hello there"})
        assert session.delete() == 1
        assert session.record(all_branches=True) == []
        assert session.view().messages == ()
        assert session.search("hello") == []


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"role": "user", "content": "  "}, EmptyMessage, "is empty"),
        ({"role": "robot", "content": "x"}, UnknownRole, "use one of system, user"),
        ({"role": "tool", "content": "x", "tool_call_id": "nobody"}, OrphanToolResult, "append the assistant"),
        ({"role": "user", "content": "x" * 3_000}, MessageTooLarge, "max_message_bytes"),
        ({"role": "system", "content": "rule " * 400}, PinnedTooLarge, "Budget\\(window_tokens"),
    ],
)
def test_bad_input_is_refused_with_the_mend_and_nothing_is_written(said, error, words):
    with Sessions(policy=small(400, max_message_bytes=2_500)) as sessions:
        session = sessions.session("s")
        session.append({"role": "user", "content": "first"})
        with pytest.raises(error, match=words):
            session.append([{"role": "user", "content": "second"}, said])
        assert [m.content for m in session.record()] == ["first"]


def test_one_id_with_two_contents_is_refused():
    with Sessions(policy=small()) as sessions:
        session = sessions.session("s")
        session.append(Message(Role.USER, "one", id="x"))
        with pytest.raises(DuplicateMessage, match="session s: message 'x'"):
            session.append(Message(Role.USER, "two", id="x"))


def test_an_unknown_reference_is_named():
    with Sessions(policy=small()) as sessions, pytest.raises(NotFound, match="session s has no message 'y'"):
        sessions.session("s").expand("y")


@pytest.mark.parametrize(
    "values",
    [
        {"window_tokens": 40},
        {"window_tokens": 4_000, "reply_reserve_tokens": 3_960},
        {"window_tokens": 4_000, "summarize_at": 0.9},
        {"window_tokens": 4_000, "hysteresis": 0.7},
        {"window_tokens": 4_000.5},
        {"window_tokens": 4_000, "notify_at": 1.2},
        {"window_tokens": 4_000, "reply_reserve_tokens": "x"},
        {"window_tokens": 4_000, "reply_reserve_tokens": 10.5},
        {"window_tokens": 4_000, "summarize_at": "half"},
    ],
)
def test_an_invalid_budget_is_refused(values):
    with pytest.raises(BudgetError, match=r"pass|needed"):
        Budget(**values)


BAD_POLICIES = [
    {"keep_turns": 0},
    {"keep_turns": 1.5},
    {"digest_tokens": 3},
    {"recall_tokens": -1},
    {"recall_tokens": 0.5},
    {"folding": "sometimes"},
    {"budget": 8_000},
    {"budget": Budget(4_000), "overhead_tokens": 3_900},
]


@pytest.mark.parametrize("values", BAD_POLICIES)
def test_an_invalid_policy_is_refused(values):
    with pytest.raises(BudgetError, match=r"pass|raise Budget"):
        Policy(**values)


def test_a_budget_in_the_place_of_a_policy_is_named():
    with pytest.raises(BudgetError, match=r"pass Policy\(Budget"):
        Sessions(policy=Budget(8_000))


def test_the_cost_of_a_turn_does_not_grow_with_the_session():
    with Sessions(policy=small(3_000)) as sessions:
        session = sessions.session("s")
        loaded = []
        for turn in range(300):
            session.append({"role": "user", "content": f"question {turn} " * 5})
            session.append({"role": "assistant", "content": f"answer {turn} " * 10})
            session.view()
            loaded.append(_loaded_tokens(session))
        assert max(loaded) <= 3_000


def _loaded_tokens(session) -> int:
    loaded = run_blocking(session.sessions.store.load(session.key))
    return sum(m.tokens for m in loaded.messages)


def test_a_long_session_that_nothing_folds_is_planned_anew_only_at_its_end(monkeypatch):
    folds = []

    def counted(*args, **options):
        folds.append(len(args[1]))
        return fold(*args, **options)

    monkeypatch.setattr("session_core.compress.ladder.fold", counted)
    with Sessions(policy=small(1_000, folding="off")) as sessions:
        session = sessions.session("long")
        # A rule has room of its own beside what is brought back, so that two plans are made, with steps of their own.
        session.append([{"role": "user", "content": "From now on, always answer in French."}])
        session.append([{"role": ("assistant", "user")[n % 2], "content": f"{n} " * 30} for n in range(1_200)])
        session.view("What was number 17?")
        assert len(folds) > 200, "more steps than digests are remembered"
        folds.clear()
        session.view("What was number 18?")
        assert not folds
        session.append([{"role": "user", "content": "and now?"}, {"role": "assistant", "content": "Now " * 60}])
        session.view("What was number 19?")
        assert len(folds) <= 2


def test_a_view_says_of_small_talk_that_it_went_first():
    with Sessions(policy=small(1_750)) as sessions:
        session = sessions.session("s")
        for number in range(30):
            session.append({"role": "user", "content": f"q {number} " + "word " * 40})
            session.append({"role": "assistant", "content": "ok " * 40})
        assert "small talk, which goes first" in session.view("what?").explain()
