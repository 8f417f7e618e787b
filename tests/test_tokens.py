"""Tokens: offline, exact where a table is at hand, a measured estimate where none is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from session_core import Budget, Policy, Sessions
from session_core.counting import tables as token_tables
from session_core.counting.estimate import estimate
from session_core.counting.tokens import FRAMING_TOKENS, MEDIA_TOKENS, RememberingCounter, counter_for, message_tokens
from session_core.doctor import examine
from session_core.errors import BudgetError, ConfigError
from session_core.ranges import Ranges
from session_core.turns import Importance, Media, Message, Native, Role, ToolCall
from session_core.voices import run_blocking

SAMPLES = {
    "chat": "Hi! I'm planning a trip to Berlin with my wife and two kids. Can you help us find a hotel?",
    "prose": (
        "The committee met again in the afternoon and agreed to have the old bridge repaired before winter, "
        "although nobody could say yet who would pay for it or how long the road would have to stay closed."
    ),
    "code": (
        "def total(items: list[Item]) -> float:\n    result = 0.0\n    for item in items:\n"
        "        if item.price is not None and item.count > 0:\n"
        "            result += item.price * item.count\n"
        "    return round(result, 2)\n"
    ),
    "json": '{"order_id": "A-1234", "items": [{"sku": "XK-99", "count": 2, "price": 19.99}], "paid": true}',
    "numbers": "12 345 6789 10,000.50 2024-05-03 14:30 99% 3.14159 +49 30 1234567 192.168.0.1",
    "german": "Ich möchte für drei Personen einen Flug nach Lissabon buchen, am liebsten am Vormittag.",
    "french": "Je voudrais réserver une chambre calme près de la gare, avec petit déjeuner, pour deux nuits.",
    "spanish": "Quisiera cambiar la fecha de mi reserva porque el vuelo de vuelta sale un día más tarde.",
    "russian": "Я хочу забронировать билет на поезд до Казани и получить подтверждение по электронной почте.",
    "chinese": "我想预订五月三日去柏林的机票，预算不超过两千元，请在周末之前告诉我结果。",
    "japanese": "五月三日にベルリンへ行く飛行機を予約したいのですが、予算は二十万円以内でお願いします。",
    "korean": "오월 삼일에 베를린으로 가는 비행기를 예약하고 싶은데 예산은 이백만 원 이하입니다.",
    "arabic": "أريد أن أحجز رحلة إلى برلين في الثالث من مايو لثلاثة أشخاص وأرجو إرسال التفاصيل.",
    "emoji": "Great job 🎉🎉 see you soon 👋🏽 let's go 🚀 ✅ done ❌ failed",
}
TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from(" \n\tabcdeTHE019.,;()'é中の한я🎉"), max_size=300)
Tables = tuple[Callable[[str], list[int]], Callable[[str], list[int]]]


def without_tables(code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh process in which no token table can be found."""
    lead = "import session_core.counting.tokens as tokens\ntokens.table = lambda encoding: None\n"
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", lead + code],
        capture_output=True, text=True, check=True, env={**os.environ},
    )  # fmt: skip


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(scope="module")
def tables() -> Tables:
    ours, theirs = token_tables._from_tiktoken("o200k_base"), token_tables._from_bpe_openai("o200k_base")
    assert ours is not None
    assert theirs is not None
    return ours, theirs


@pytest.mark.parametrize("encoding", ["o200k_base", "cl100k_base"])
def test_a_table_is_found_without_the_network(no_network: None, encoding: str) -> None:
    found = token_tables.table(encoding)
    assert found is not None
    assert found("hello world") == 2


def test_finding_a_table_imports_no_framework() -> None:
    code = (
        "import sys, session_core.counting.tokens as t; t.counter_for('gpt-4o').count('x');"
        "sys.exit(any(m.split('.')[0] == 'llama_index' for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_finding_a_table_leaves_the_environment_as_it_was() -> None:
    before = dict(os.environ)
    token_tables.table("o200k_base")
    assert dict(os.environ) == before


def test_a_damaged_table_file_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fb374d419588a4632f3f557e76b4b70aebbca790", "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"):
        (tmp_path / name).write_bytes(b"IQ== 0\n")
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    found = token_tables.table("o200k_base")
    assert found is not None
    assert found("hello world") == 2


@pytest.mark.parametrize("name", SAMPLES)
def test_both_tables_agree_on_every_sample(tables: Tables, name: str) -> None:
    ours, theirs = tables
    assert ours(SAMPLES[name]) == theirs(SAMPLES[name])


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_both_tables_agree_on_any_text(tables: Tables, text: str) -> None:
    ours, theirs = tables
    assert len(ours(text)) == len(theirs(text))


@pytest.mark.parametrize(
    ("model", "name", "exact"),
    [
        ("gpt-4o-mini", "o200k_base", True),
        ("openai/gpt-4.1", "o200k_base", True),
        ("gpt-5-nano", "o200k_base", True),
        ("o3-mini", "o200k_base", True),
        ("gpt-4-turbo", "cl100k_base", True),
        ("gpt-3.5-turbo", "cl100k_base", True),
        ("us.anthropic.claude-sonnet-4", "o200k_base x 1.3", False),
        ("mistral-large-latest", "o200k_base x 1.35", False),
        ("gemini-2.5-pro", "o200k_base x 1.15", False),
        ("meta-llama/Llama-3.1-8B", "o200k_base x 1.2", False),
        ("my-deployment", "o200k_base", False),
        (None, "o200k_base", False),
    ],
)
def test_a_model_is_counted_with_its_table_and_says_whether_that_is_exact(
    model: str | None, name: str, exact: bool
) -> None:
    counter = counter_for(model)
    assert (counter.name, counter.exact) == (name, exact)


def test_a_foreign_family_counts_with_a_margin() -> None:
    text = SAMPLES["prose"]
    assert counter_for("claude-opus-4").count(text) > counter_for("gpt-4o").count(text) * 1.29


def test_models_of_one_table_share_one_counter() -> None:
    assert counter_for("gpt-4o") is counter_for("gpt-4.1")


def test_text_that_spells_a_special_token_is_counted_as_text() -> None:
    assert counter_for("gpt-4o").count("say <|endoftext|> twice <|endofprompt|>") > 10


def test_a_lone_surrogate_is_counted() -> None:
    assert counter_for("gpt-4o").count("a\ud800b") >= 3


@pytest.mark.parametrize("unit", ["a", " ", "1", "=-", "中", "\n"])
def test_a_megabyte_of_one_character_is_counted_within_two_seconds(unit: str) -> None:
    counter = counter_for("gpt-4o")
    counter.count("warm")
    start = time.thread_time()
    assert counter.count(unit * (1_000_000 // len(unit))) > 1_000
    assert time.thread_time() - start < 2


def test_counting_does_not_release_the_gil() -> None:
    """What lets go of it beside a thread that computes takes 5 ms to get it back, for each text."""
    counter, turns, ended = counter_for("gpt-4o"), [0], [False]
    texts = [f"Order {number}. {SAMPLES['prose'] * 20}" for number in range(200)]
    counter.count("warm")

    def take_turns() -> None:
        while not ended[0]:
            turns[0] += 1
            time.sleep(0)

    other, before_s = threading.Thread(target=take_turns, daemon=True), sys.getswitchinterval()
    other.start()
    try:
        sys.setswitchinterval(60)
        # Who waits for the interpreter now does so for the interval from before.
        time.sleep(0.01)
        began = turns[0]
        for text in texts:
            counter.count(text)
        taken = turns[0] - began
    finally:
        sys.setswitchinterval(before_s)
        ended[0] = True
        other.join()
    assert taken == 0


def test_counting_in_pieces_differs_by_a_few_tokens_only() -> None:
    text = SAMPLES["prose"] * 800
    encode = token_tables._from_bpe_openai("o200k_base")
    assert encode is not None
    assert 0 <= counter_for("gpt-4o").count(text) - len(encode(text)) <= 5


@given(st.text(" \nab", min_size=1, max_size=50), st.integers(1, 3))
def test_pieces_are_the_text(text: str, times: int) -> None:
    assert "".join(token_tables.pieces(text * times)) == text * times


def test_pieces_never_exceed_their_length() -> None:
    cut = list(token_tables.pieces("ab " * 100_000 + "x" * 120_000))
    assert max(map(len, cut)) <= token_tables.PIECE_CHARACTERS
    assert "".join(cut) == "ab " * 100_000 + "x" * 120_000


@pytest.mark.parametrize("name", SAMPLES)
def test_the_estimate_stays_within_its_band(name: str) -> None:
    exact = counter_for("gpt-4o").count(SAMPLES[name])
    assert 0.8 <= estimate(SAMPLES[name]) / exact <= 1.5


def test_the_estimate_is_a_little_too_high_on_average() -> None:
    exact = counter_for("gpt-4o")
    ratios = [estimate(text) / exact.count(text) for text in SAMPLES.values()]
    assert 1.0 <= sum(ratios) / len(ratios) <= 1.15


@given(TEXTS, TEXTS)
def test_a_longer_text_is_never_estimated_at_much_less(text: str, more: str) -> None:
    assert estimate(text + more) >= 0.9 * estimate(text) - 2


def test_without_a_table_one_warning_names_the_mend() -> None:
    code = (
        "a = tokens.counter_for('gpt-4o'); tokens.counter_for('gpt-4'); c = tokens.counter_for('claude-3');"
        "print(a.name, a.exact, c.name, a.count('hello world, how are you?'))"
    )
    done = without_tables(code)
    assert done.stdout.split()[:2] == ["estimate", "False"]
    assert done.stderr.count("UserWarning") == 1
    assert "pip install" in done.stderr


LETTERS = RememberingCounter(len, "letters", exact=True)


def test_a_counter_remembers_short_texts() -> None:
    asked: list[str] = []

    def letters(text: str) -> int:
        asked.append(text)
        return len(text)

    counter = RememberingCounter(letters, "letters", exact=True)
    assert [counter.count("abc"), counter.count("abc"), counter.count("")] == [3, 3, 0]
    assert asked == ["abc"]


def test_many_threads_get_one_counter_and_one_figure() -> None:
    found: list[tuple[int, int]] = []
    work = [
        threading.Thread(target=lambda: found.append((id(counter_for("gpt-4o")), counter_for("gpt-4o").count("a b c"))))
        for _ in range(8)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert len(set(found)) == 1


def test_a_message_costs_its_text_and_framing() -> None:
    assert message_tokens(Message(Role.USER, "abcd"), LETTERS) == 4 + FRAMING_TOKENS


def test_a_message_costs_its_names_calls_and_media_too() -> None:
    message = Message(
        Role.ASSISTANT, "hey", author="bob", name="b",
        tool_calls=(ToolCall("c1", "find", '{"a": 1}'),), media=(Media("image", "data:"),),
    )  # fmt: skip
    expected = FRAMING_TOKENS + 3 + 3 + 1 + (4 + 8 + FRAMING_TOKENS) + MEDIA_TOKENS["image"]
    assert message_tokens(message, LETTERS) == expected


def test_a_tool_result_costs_the_id_it_answers() -> None:
    message = Message(Role.TOOL, "ok", tool_call_id="call_1")
    assert message_tokens(message, LETTERS) == FRAMING_TOKENS + 2 + 6


def test_counting_warns_nobody_of_what_a_table_s_package_does() -> None:
    code = "from session_core.counting.tokens import counter_for; print(counter_for(None).count('hello'))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_pricing_a_message_changes_nothing_else() -> None:
    said = Message(
        Role.TOOL, "ok", id="1", tool_calls=(ToolCall("c1", "find"),), tool_call_id="c2", name="find", author="Ann",
        media=(Media("image", "data:"),), aside="so", native=Native("x/1", b"1"), time_s=1.0, seq=3, tokens=4,
        clip="o", origin="recall", rendition="clip", covers=Ranges.span(1, 2),
    )  # fmt: skip
    worked_out = {"tokens": 9, "importance": Importance.DISCARD, "clip": "k", "clip_tokens": 5}
    assert said.with_figures("2", 7.0, **worked_out) == replace(said, id="2", time_s=7.0, **worked_out)
    assert {f.name for f in fields(said) if f.init and getattr(said, f.name) == f.default} == {
        "importance",
        "clip_tokens",
    }


class Words:
    """A tokenizer of somebody's own: a token for each word."""

    name = "words"
    exact = True

    def count(self, text: str) -> int:
        return len(text.split())


def test_a_policy_s_own_counter_counts_what_is_stored_and_what_a_view_may_cost() -> None:
    policy = Policy(Budget(200, reply_reserve_tokens=0), counter=Words(), folding="off")
    with Sessions("memory://", policy=policy) as sessions:
        session = sessions.session("s")
        session.append({"role": "user", "content": "one two three"})
        session.append([{"role": "user", "content": "word " * 30}, {"role": "assistant", "content": "x" * 4_000}] * 4)
        assert session.record()[0].tokens == 3 + FRAMING_TOKENS
        view = session.view()
        assert view.report.counter == "words"
        assert sum(len(m.content.split()) + FRAMING_TOKENS for m in view.messages) == view.tokens <= 200
        findings = run_blocking(examine(sessions.store, policy))
        assert (findings.counter, findings.exact, findings.estimated) == ("words", True, False)


def test_an_invalid_counter_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"policy's counter; pass an object with count"):
        Policy(counter=len)  # type: ignore[arg-type]
    # A text has a method of that name, too.
    with pytest.raises(BudgetError, match=r"pass an object with count\(text\), or Policy\(model="):
        Policy(counter="o200k_base")  # type: ignore[arg-type]
