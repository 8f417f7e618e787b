"""What a value counts for what happened to it since it was said; rows without what their call asked with."""

from __future__ import annotations

import json

import pytest

from session_core.counting.tokens import counter_for
from session_core.passages.reading import Reading, read
from session_core.passages.scoring import Question, Relevance
from session_core.recall.blocks import HEAD
from session_core.recall.call_echoes import without_call_values
from session_core.recall.mentions import Mentions
from session_core.turns import Message, Role, ToolCall
from tests.quote_blocks import quote_block

count = counter_for(None).count


def _read(*messages: Message) -> list[tuple[Message, Reading]]:
    return [(message, read(message, count)) for message in messages]


def _called(seq: int, name: str, arguments: str, result: str) -> tuple[Message, Message]:
    call = ToolCall(f"c{seq}", name, arguments)
    return (
        Message(Role.ASSISTANT, "", seq=seq, id=f"m{seq}", tool_calls=(call,), tokens=20),
        Message(Role.TOOL, result, seq=seq + 1, id=f"m{seq + 1}", tool_call_id=call.id, tokens=count(result)),
    )


def _weights(*messages: Message, question: str = "Go on.") -> dict[str, float]:
    said = [(message, read(message, count)) for message in messages]
    return dict(Mentions(said).weights(Relevance(Question(question), said, [])))


def test_what_the_assistant_told_on_from_a_tool_counts_more() -> None:
    rows = json.dumps({"lamps": [{"sku": "LX-4410", "colour": "red"}, {"sku": "LX-4411", "colour": "tan"}]})
    told = Message(Role.ASSISTANT, "The tan one is LX-4411.", seq=3, id="m3")
    weights = _weights(*_called(1, "find_lamps", "{}", rows), told)
    assert weights["lx-4411"] > 1
    assert "lx-4410" not in weights
    assert "tan" not in weights


@pytest.mark.parametrize("again", [False, True])
def test_what_one_call_alone_says_counts_less(again: bool) -> None:
    messages = [*_called(1, "run", json.dumps({"cmd": "make tmp_probe_7"}), "done")]
    messages += _called(3, "run", json.dumps({"cmd": "ls tmp_probe_7"}), "ok") if again else ()
    assert ("tmp_probe_7" in _weights(*messages)) is not again


def test_a_path_that_the_work_goes_on_around_counts_more_and_a_field_or_a_tool_does_not() -> None:
    paths = (
        _called(1, "find", "{}", "src/store/keys.py\nsrc/store/rows.py"),
        _called(3, "cat", "{}", "src/store/keys.py"),
    )
    weights = _weights(*(message for pair in paths for message in pair))
    assert weights["src/store/keys.py"] > weights["src/store/rows.py"]
    records = [_called(n, "get_price", "{}", json.dumps({"unit_price": n})) for n in (1, 3)]
    assert {"unit_price", "get_price"}.isdisjoint(_weights(*(message for pair in records for message in pair)))


def test_a_path_with_the_words_of_the_question_counts_more_than_another() -> None:
    messages = _called(1, "find", "{}", "lib/parser/tokens.rs\nlib/printer/colours.rs")
    weights = _weights(*messages, question="Why does the parser lose tokens?")
    assert weights["lib/parser/tokens.rs"] > weights["lib/printer/colours.rs"]


def test_a_row_does_not_say_again_what_its_call_asked_with() -> None:
    found = json.dumps({"order": "#W1288", "user": "mei_8020", "zip": "28236", "status": "sent"})
    _, result = _called(1, "get_order", '{"order": "#W1288"}', found)
    [row] = read(result, count).passages
    shorter = without_call_values(row, 'get_order {"order": "#W1288"}')
    assert shorter.text == "user: mei_8020, zip: 28236, status: sent"
    assert shorter.tokens < row.tokens
    assert shorter.words == row.words, "a query still finds it by what it was asked with"
    assert row.values.keys() - shorter.values.keys() == {"order", "#w1288"}, "the line above it says that"


@pytest.mark.parametrize(
    "call",
    [
        'get_order {"order": "#W1289"}',
        'get_order {"flag": true, "zip": 282}',
        f'find {{"order": "#W1288", "x": "{"y" * 90}"}}',
        "get",
    ],
)
def test_a_row_keeps_what_stands_nowhere_above_it(call: str) -> None:
    _, result = _called(1, "get_order", "{}", json.dumps({"order": "#W1288", "zip": 282}))
    [row] = read(result, count).passages
    assert without_call_values(row, call) is row


def test_a_row_that_says_nothing_else_stays() -> None:
    _, result = _called(1, "get_order", "{}", json.dumps({"order": "#W1288"}))
    [row] = read(result, count).passages
    assert without_call_values(row, 'get_order {"order": "#W1288"}') is row


def test_rows_stand_under_their_call_as_it_was_made_also_where_the_view_shortens_it() -> None:
    call, result = _called(1, "get_order", '{"order": "#W1288"}', json.dumps({"order": "#W1288", "zip": "28236"}))
    short = Message(
        Role.ASSISTANT, "", seq=1, id="m1", tool_calls=(ToolCall("c1", "get_order", "{}"),), rendition="clip"
    )
    told, _ = quote_block(Question("Which zip?"), _read(call, result), _read(short), room_tokens=60, count=count)
    assert told.splitlines() == [HEAD, 'get_order {"order": "#W1288"} →', " zip: 28236"]


def test_an_answer_in_json_is_read_by_its_fields_and_sentences() -> None:
    answer = {
        "message": "The lamp is sent.\nIts code is LX-4410.",
        "orders": [{"id": "#W1", "sum": 3}, {"id": "#W2", "sum": 4}],
    }
    said = read(Message(Role.ASSISTANT, json.dumps(answer), seq=1), count).passages
    assert [(one.schema, one.text) for one in said] == [
        ("", "message: The lamp is sent."),
        ("", "Its code is LX-4410."),
        ("orders (id | sum):", "#W1 | 3"),
        ("orders (id | sum):", "#W2 | 4"),
    ]
    assert {one.voice for one in said} == {"assistant"}


@pytest.mark.parametrize(
    "text", ["[1] The lamp is sent. It is LX-4410 [2]", '{"half": "The lamp is', "{The lamp} is sent {x}"]
)
def test_an_answer_that_only_looks_like_json_is_read_as_prose(text: str) -> None:
    said = read(Message(Role.ASSISTANT, text, seq=1), count).passages
    assert " ".join(one.text for one in said) == text
