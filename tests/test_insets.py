"""In a small view a shortened result stands as the rows of it that bear on what is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from session_core import Budget, Policy, Sessions
from session_core.counting.tokens import counter_for
from session_core.passages.reading import read
from session_core.passages.scoring import Question
from session_core.stores.memory import MemoryStore
from session_core.turns import Message, Role, ToolCall
from tests.quote_blocks import quote_block

count = counter_for("gpt-4o").count
GOODS = "drill lamp kettle ladder mixer rope saw tent vase wrench".split()
DESK = {
    "desk": "D-77120",
    "loans": [
        {
            "thing": thing,
            "loan": f"LN-{4100 + 37 * n}",
            "until": f"{3 + n} May",
            "deposit": 20 + n,
            "shelf": f"shelf {n}",
        }
        for n, thing in enumerate(GOODS)
    ],
}
ASKED = "Please keep the ladder for another week, and tell me what its deposit was."


def _said(content: str = json.dumps(DESK)) -> list[dict[str, Any]]:
    call = {"id": "call_1", "type": "function", "function": {"name": "loans_of", "arguments": '{"card": "C-5512"}'}}
    return [
        {"id": "m1", "role": "user", "content": "Hello, I lent some things here."},
        {"id": "m2", "role": "assistant", "content": "Which of them is it about?"},
        {"id": "m3", "role": "user", "content": ASKED},
        {"id": "m4", "role": "assistant", "content": "", "tool_calls": [call]},
        {"id": "m5", "role": "tool", "tool_call_id": "call_1", "content": content},
    ]


def _view(said: list[dict[str, Any]], window_tokens: int) -> Any:
    policy = Policy(Budget(window_tokens, reply_reserve_tokens=0), folding="off")
    session = Sessions(MemoryStore(), policy=policy).session("desk")
    session.append(said)
    return session.view(ASKED)


def _result(view: Any) -> str:
    return next(message.content for message in view.messages if message.role is Role.TOOL)


def test_a_shortened_result_holds_the_row_that_is_asked_for_with_its_columns_and_its_reference() -> None:
    told = _result(_view(_said(), 250))
    assert "ladder | LN-4211" in told
    assert "loans (thing | loan | until | deposit | shelf):" in told
    assert told.endswith("[clipped; ref m5]")


def test_rows_shown_in_a_result_are_not_quoted_again() -> None:
    view = _view(_said(), 250)
    assert sum("LN-4211" in message.content for message in view.messages) == 1


def test_the_call_before_rows_stands_word_for_word() -> None:
    calls = [call for message in _view(_said(), 250).messages for call in message.tool_calls]
    assert [(call.name, call.arguments) for call in calls] == [("loans_of", '{"card": "C-5512"}')]


@pytest.mark.parametrize("window_tokens", [200, 220, 250, 300, 400])
def test_a_view_with_rows_is_within_its_budget_and_keeps_the_result_behind_its_call(window_tokens: int) -> None:
    view = _view(_said(), window_tokens)
    assert view.report.tokens <= window_tokens
    roles = [message.role for message in view.messages]
    assert roles[roles.index(Role.TOOL) - 1] is Role.ASSISTANT


def test_plain_text_results_show_relevant_lines_too() -> None:
    lines = [f"{thing}: loan LN-{4100 + 37 * n}, until {3 + n} May, shelf {n}" for n, thing in enumerate(GOODS * 3)]
    assert "ladder: loan LN-4211" in _result(_view(_said("\n".join(lines)), 250))


def test_what_was_recalled_keeps_its_clip() -> None:
    told = _result(_view(_said("[recalled: m0]\n" + json.dumps(DESK)), 250))
    assert told.startswith("[recalled: ")


def test_a_code_in_a_list_does_not_replace_its_row() -> None:
    found = {
        "parcel": {"track": "TR-90817", "codes": [f"LN-{4100 + 37 * n}" for n in range(4)]},
        "loans": DESK["loans"][:4],
    }
    call = ToolCall(id="c", name="loans_of", arguments="{}")
    asked = Message(Role.ASSISTANT, "", seq=1, id="a", tool_calls=(call,))
    result = Message(Role.TOOL, json.dumps(found), seq=2, id="b", tool_call_id="c", tokens=200)
    reading = read(result, count)
    bare = [passage for passage in reading.passages if passage.bare]
    assert [sorted(passage.bare) for passage in bare] == [["ln-4100", "ln-4137", "ln-4174", "ln-4211"]]
    assert "ln-4211" not in bare[0].told_values
    pairs = [(asked, read(asked, count)), (result, reading)]
    told, _ = quote_block(Question("How long is the ladder mine?"), pairs, [], room_tokens=110, count=count)
    assert "ladder | LN-4211" in told
