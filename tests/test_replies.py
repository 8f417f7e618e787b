"""What people say comes before what only resembles the question: replies to what is asked about, and few words
among outputs."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from session_core.counting.tokens import counter_for
from session_core.passages.reading import read
from session_core.passages.scoring import Question, Relevance
from session_core.turns import Message, Role, ToolCall
from tests.quote_blocks import quote_block

count = counter_for(None).count
ASKED = "Do you expect the dredging of the harbour to be a problem for the small boats of the town?"
REPLY = "Not for us. Two of the three firms have moved their Zodiacs to Kinvara since spring, and the rest follow soon."


def _block(messages: Sequence[Message], question: str, room_tokens: int) -> str:
    candidates = [(message, read(message, count)) for message in messages]
    return quote_block(Question(question), candidates, [], room_tokens=room_tokens, count=count)[0]


def _said(role: Role, text: str, seq: int, author: str | None = None) -> Message:
    return Message(role, text, id=f"m{seq}", seq=seq, tokens=count(text), author=author)


@pytest.mark.parametrize(("ends", "least", "most"), [("?", 0.8, 1.0), (".", 0.0, 0.6)])
def test_a_reply_has_to_do_with_nearly_all_that_its_question_has(ends: str, least: float, most: float) -> None:
    others = [("The mill was painted by Rosa in spring, and nobody minded.", "Dan")] * 7
    talk = [*others, (ASKED.replace("?", ends), "Ann"), (REPLY, "Ben"), *others]
    said = [_said(Role.USER, text, seq, author) for seq, (text, author) in enumerate(talk, start=1)]
    candidates = [(message, read(message, count)) for message in said]
    whole = Relevance(
        Question("Is the dredging of the harbour a problem for small boats?"), candidates, []
    ).candidate_scores(candidates)
    assert least <= whole[8] / whole[7] <= most


def test_sentences_on_what_is_asked_come_before_lines_of_outputs() -> None:
    """Each line has a name that occurs nowhere else; the sentence has one word of the question."""
    chance = random.Random(5)
    words = "plant line shift report valve pressure range tanks batch storage delay remark next from before".split()
    said = [
        _said(Role.USER, "severity levels are P1 to P3, findings go into REVIEW.md", 1),
        _said(Role.ASSISTANT, "All right.", 2),
        _said(Role.USER, "put the findings as comments into the request", 3),
    ]
    for number in range(30):
        call = ToolCall(f"c{number}", "read_file", f'{{"path": "src/part_{number}.py"}}')
        names = [f"{chance.choice(words)}_{chance.choice(words)}({chance.choice(words)})" for _ in range(20)]
        lines = "\n".join(f"{chance.randint(1, 40)} if {name}" for name in names)
        seq = 4 + 2 * number
        said.append(Message(Role.ASSISTANT, "", tool_calls=(call,), id=f"a{number}", seq=seq))
        said.append(Message(Role.TOOL, lines, tool_call_id=call.id, id=f"t{number}", seq=seq + 1, tokens=count(lines)))
    assert "comments" in _block(said, "where do findings go", 600)
