"""What a clip promises: it fits, it says what it leaves out, and the part that matters is still there."""

from __future__ import annotations

import csv
import io
import json
import random
import time
from collections.abc import Iterator
from typing import Any

import bpe_openai
import pytest
from clipping import REFERENCE, clipped, quarter
from hypothesis import given, settings
from hypothesis import strategies as st

from session_core.errors import BudgetError
from session_core.outputs.clip import Clip, clip, clip_arguments

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=60)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=12), inner, max_size=8),
    max_leaves=60,
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"id": st.integers(0, 999), "status": st.sampled_from(["ok", "bad"])},
        optional={"note": st.text(max_size=80), "price": st.floats(0, 99), "more": VALUES},
    ),
    max_size=40,
)
LIMITS = st.sampled_from([12, 13, 20, 35, 60, 120, 400])
LINES = st.lists(
    st.text(max_size=50)
    | st.sampled_from(
        [
            "2024-05-01 12:00:00 INFO worker beat 1",
            "2024-05-01 12:00:01 ERROR no disk",
            '  File "/app/a.py", line 3, in f',
            "    at a.b.C(D.java:3)",
            "ValueError: no",
            "Traceback (most recent call last):",
            "a | b | c",
            "---+---+---",
            "1,2,3",
            "src/a.py:12: def f():",
            "class A:",
            "<p>x</p>",
            "<script>",
            '{"a": 1}',
            "",
            "# Heading",
        ]
    ),
    max_size=80,
).map("\n".join)


# What holds for every text


@given(st.text(max_size=2000) | LINES, LIMITS)
@settings(max_examples=150, deadline=None)
def test_a_clip_of_any_text_is_within_its_tokens_and_always_the_same(text: str, max_tokens: int) -> None:
    first = clip(text, max_tokens=max_tokens, count=quarter, reference=REFERENCE)
    again = clip(text, max_tokens=max_tokens, count=quarter, reference=REFERENCE)
    assert first == again
    assert (first is None) == (quarter(text) <= max_tokens)
    assert first is None or quarter(first.text) == first.tokens <= max_tokens


@given(VALUES | ROWS, LIMITS, st.sampled_from([None, 2]), st.sampled_from(["", "Found this:\n"]))
@settings(max_examples=150, deadline=None)
def test_a_clip_of_any_json_is_within_its_tokens(
    value: object, max_tokens: int, indent: int | None, before: str
) -> None:
    text = before + json.dumps(value, indent=indent)
    result = clip(text, max_tokens=max_tokens, count=quarter, reference=REFERENCE, terms=frozenset({"ok"}))
    assert (result is None) == (quarter(text) <= max_tokens)
    assert result is None or quarter(result.text) == result.tokens <= max_tokens


@given(st.lists(st.lists(st.text(max_size=20), min_size=3, max_size=3), min_size=4, max_size=40), LIMITS)
@settings(max_examples=60, deadline=None)
def test_a_clip_of_any_table_is_within_its_tokens(rows: list[list[str]], max_tokens: int) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([["id", "name", "note"], *rows])
    result = clip(out.getvalue(), max_tokens=max_tokens, count=quarter, reference=REFERENCE)
    assert result is None or quarter(result.text) <= max_tokens


@given(LINES, st.integers(12, 60))
@settings(max_examples=60, deadline=None)
def test_a_clip_always_shows_that_it_is_one(text: str, max_tokens: int) -> None:
    result = clip(text, max_tokens=max_tokens, count=quarter, reference=REFERENCE)
    assert result is None or result.text.endswith((f"ref {REFERENCE}]", "[clipped]"))


@given(ROWS.map(lambda rows: json.dumps(rows)) | LINES, st.sampled_from([12, 40, 150]))
@settings(max_examples=25, deadline=None)
def test_a_clip_is_within_its_tokens_by_a_real_tokenizer(text: str, max_tokens: int) -> None:
    encoding = bpe_openai.get_encoding("o200k_base")

    def count(said: str) -> int:
        return len(encoding.encode_ordinary(said))

    result = clip(text, max_tokens=max_tokens, count=count, reference=REFERENCE)
    assert (result is None) == (count(text) <= max_tokens)
    assert result is None or count(result.text) == result.tokens <= max_tokens


def hostile() -> Iterator[tuple[str, str]]:
    size = 100_000
    yield "one endless line", "x" * size
    yield "only line ends", "\n" * size
    yield "NULs", "\0" * size
    yield "lone surrogates", "\ud800" * size
    yield "digits", "1" * size
    yield "open brackets", "[" * size
    yield "open objects", '{"a":' * (size // 5)
    yield "deep arrays", "[" * 900 + "]" * 900 + " " * size
    yield "escaped quotes", '["' + '\\"' * (size // 2)
    yield "Python quotes", "{'a': " + "'\\" * (size // 2)
    yield "open tags", "<p><p><p><p>" + "<a \"'" * (size // 5)
    yield "comments", "<!--" * (size // 4)
    yield "scripts without end", "<p><b><i><u>" + "<script>" * (size // 8)
    yield "a number of many digits", '{"a":' + "9" * size + "}"
    yield "bars", "|" * size
    yield "rules", "a|b\n" + "-" * size
    yield "an open quote in a table", 'a,b,c\n1,2,3\n1,2,3\n1,2,3\n"' + "x,y\n" * (size // 4)
    yield "terminal escapes", "\x1b[31m" * (size // 5) + "x" * 1000


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in hostile()])
@pytest.mark.parametrize("max_tokens", [12, 300])
def test_a_hostile_text_is_clipped_in_time(text: str, max_tokens: int) -> None:
    before = time.thread_time()
    result = clip(text, max_tokens=max_tokens, count=quarter, reference=REFERENCE, terms=frozenset({"x"}))
    assert result is not None
    assert quarter(result.text) <= max_tokens
    result.text.encode()
    assert time.thread_time() - before < 2


def test_a_megabyte_of_log_is_clipped_in_time() -> None:
    chance = random.Random(1)
    words = ["disk", "user", "order", "retry"]
    text = "\n".join(
        f"2024-05-01 12:00:{n % 60:02d} INFO {' '.join(chance.choices(words, k=8))} {n}" for n in range(15_000)
    )
    before = time.thread_time()
    clipped(text, 500, "order")
    assert time.thread_time() - before < 2


def test_a_counter_that_allows_no_text_gives_an_empty_clip() -> None:
    result = clip("word " * 100, max_tokens=12, count=lambda text: 100 if text else 0, reference=REFERENCE)
    assert result == Clip("", 0, "text")


def test_less_than_twelve_tokens_are_refused() -> None:
    with pytest.raises(BudgetError, match="12"):
        clip("word " * 100, max_tokens=11, count=quarter, reference=REFERENCE)


def test_a_text_that_fits_is_left_alone() -> None:
    assert clip("short", max_tokens=12, count=quarter, reference=REFERENCE) is None


def test_a_long_text_is_not_counted_whole() -> None:
    counted: list[int] = []

    def count(text: str) -> int:
        counted.append(len(text))
        return quarter(text)

    clip("some words " * 100_000, max_tokens=100, count=count, reference=REFERENCE)
    assert max(counted) < 20_000


# The mark


def test_the_mark_counts_exactly_what_is_left_out() -> None:
    text = clipped(json.dumps([{"id": f"ord_{n}", "note": f"door {n}"} for n in range(240)]), 300).text
    rows = sum(line.startswith("ord_") for line in text.splitlines())
    assert f"[clipped: {240 - rows} of 240 rows left out" in text
    gaps = sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("… ") and "row" in line)
    assert gaps == 240 - rows


def test_the_mark_names_the_reference_of_the_whole() -> None:
    assert clipped("some words\n" * 500, 60).text.endswith(f"ref {REFERENCE}]")


def test_the_mark_is_short_where_there_is_little_room() -> None:
    text = "\n".join(f"line {n} of many, all of them different" for n in range(500))
    assert clipped(text, 16).text.endswith(f"[clipped; ref {REFERENCE}]")


# Arguments of tool calls


def test_arguments_that_fit_stay_as_they_are() -> None:
    assert clip_arguments('{ "a": 1.50 }', max_tokens=10, count=quarter) == '{ "a": 1.50 }'


def test_a_long_argument_is_cut_with_a_mark() -> None:
    arguments = json.dumps({"path": "a.py", "content": "x = 1\n" * 1500, "lines": list(range(900))})
    shorter = json.loads(clip_arguments(arguments, max_tokens=200, count=quarter))
    assert shorter["path"] == "a.py"
    assert "characters left out" in shorter["content"]
    assert "items left out" in shorter["lines"][-1]


def test_arguments_that_are_no_object_become_one() -> None:
    assert json.loads(clip_arguments("not json at all", max_tokens=20, count=quarter)) == {
        "unreadable arguments": "not json at all"
    }


def test_arguments_come_down_to_an_empty_object() -> None:
    assert clip_arguments(json.dumps({"k" * 50: "v" * 50}), max_tokens=1, count=quarter) == "{}"


@given(
    st.dictionaries(st.text(max_size=20), VALUES, max_size=12).map(json.dumps) | st.text(max_size=300),
    st.sampled_from([1, 8, 20, 60, 200]),
)
@settings(max_examples=80, deadline=None)
def test_shorter_arguments_are_an_object_within_their_tokens(arguments: str, max_tokens: int) -> None:
    shorter = clip_arguments(arguments, max_tokens=max_tokens, count=quarter)
    assert isinstance(json.loads(shorter), dict)
    assert quarter(shorter) <= max(max_tokens, 1)


@given(st.dictionaries(st.text(max_size=20), VALUES, min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_shorter_arguments_keep_the_first_key_where_there_is_room(value: dict[str, Any]) -> None:
    shorter = json.loads(clip_arguments(json.dumps(value), max_tokens=400, count=quarter))
    assert next(iter(value)) in shorter
