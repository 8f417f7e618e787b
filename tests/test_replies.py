"""What people say comes before what only resembles the question: replies to what is asked about, and users' few words
among outputs."""

from __future__ import annotations

from collections.abc import Sequence

from session_core.compress.evidence import evidence
from session_core.compress.passages import read
from session_core.compress.scoring import Bearing, Question
from session_core.counting.tokens import counter_for
from session_core.turns import Message, Role, ToolCall

count = counter_for(None).count
ASKED = "Do you expect the dredging of the harbour to be a problem for the small boats of the town?"
ROLES = ("assistant", "user", "assistant", "user")
REPLY = "Not for us. Two of the three firms have moved their Zodiacs to Kinvara since spring, and the rest follow soon."


def _block(messages: Sequence[Message], question: str, room_tokens: int) -> str:
    candidates = [(message, read(message, count)) for message in messages]
    return evidence(Question(question), candidates, [], room_tokens=room_tokens, count=count)[0]


def _said(role: Role, text: str, seq: int, author: str | None = None) -> Message:
    return Message(role, text, id=f"m{seq}", seq=seq, tokens=count(text), author=author)


def test_a_reply_has_to_do_with_all_that_its_question_has() -> None:
    told = [ASKED, REPLY, "The harbour was dredged long ago.", "That is what the books of the town say of it."]
    said = [_said(Role(role), text, seq) for seq, (role, text) in enumerate(zip(ROLES, told, strict=True), start=1)]
    candidates = [(message, read(message, count)) for message in said]
    question = "Is the dredging of the harbour a problem for the small boats?"
    asked, reply, _, beside = Bearing(Question(question), candidates, []).whole(candidates)
    assert reply > 0.9 * asked
    assert beside < 0.5 * reply


def test_users_few_words_on_what_is_asked_come_before_lines_of_outputs() -> None:
    said = [
        _said(Role.USER, "severity levels are P1 to P3, findings go into REVIEW.md", 1),
        _said(Role.ASSISTANT, "All right.", 2),
        _said(Role.USER, "put the findings as comments into the request", 3),
    ]
    words = "valve shift tank filter batch report plant storage remark line while next range delay".split()
    for number in range(40):
        call = ToolCall(f"c{number}", "read_file", f'{{"path": "src/part_{number}.py"}}')
        pairs = [(words[(number + line) % 14], words[(number * line + 3) % 14], line) for line in range(12)]
        lines = "\n".join(f"{line} if {one}_{other}_{number}(x)" for one, other, line in pairs)
        seq = 4 + 2 * number
        said.append(Message(Role.ASSISTANT, "", tool_calls=(call,), id=f"a{number}", seq=seq))
        said.append(Message(Role.TOOL, lines, tool_call_id=call.id, id=f"t{number}", seq=seq + 1, tokens=count(lines)))
    assert "comments" in _block(said, "where do findings go", 400)
