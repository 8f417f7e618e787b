"""A model's summary is weighed against that of the rules: it must say as much, and they say what it leaves out."""

from __future__ import annotations

import pytest
from strict_model import StrictChatModel

from langchain_session import ChatModelSummarizer
from session_core import Budget, Message, Policy, Role, Sessions
from session_core.compress.summary_completion import complete_summary
from session_core.events import FellBack
from session_core.plan import Digest
from session_core.testing import Heard

SAID = [
    Message(Role.USER, "Marisol pays $1,310 for the catering, offer KX-2231.", seq=1),
    Message(Role.ASSISTANT, "Noted: it ends on 17 May.", seq=2),
    Message(Role.USER, "The piano is played by Leopold, from 9:40 pm on.", seq=3),
    Message(Role.USER, "We talked about songs, and about the evening, and about the garden.", seq=4),
]
EMPTY_TALK = "They talked about songs. They talked about the garden. They talked about the evening and about songs."
SHORT = "Marisol pays $1,310 for the catering."


def count(text: str) -> int:
    return len(text.split())


def test_a_summary_without_values_is_rejected_if_the_source_has_some() -> None:
    assert complete_summary(EMPTY_TALK, "", SAID, max_tokens=60, count=count) is None


def test_a_summary_without_values_is_accepted_if_the_source_has_none() -> None:
    assert complete_summary("Songs and the garden.", "", SAID[3:], max_tokens=4, count=count) == "Songs and the garden."


def test_the_rules_add_what_a_short_summary_leaves_out() -> None:
    whole = complete_summary(SHORT, "", SAID, max_tokens=60, count=count)
    assert whole is not None
    assert whole.startswith(SHORT)
    assert all(value in whole for value in ("KX-2231", "17 May", "9:40 pm", "Leopold"))


@pytest.mark.parametrize("room", [7, 12, 20, 40])
def test_the_rules_take_no_more_than_the_room_that_is_left(room: int) -> None:
    whole = complete_summary(SHORT, "", SAID, max_tokens=room, count=count)
    assert whole is not None
    assert count(whole) <= max(room, count(SHORT))


def test_a_complete_summary_gets_no_additions() -> None:
    told = "Marisol pays $1,310 for the catering (offer KX-2231, until 17 May). Leopold plays the piano from 9:40 pm."
    assert complete_summary(told, "", SAID[:3], max_tokens=100, count=count) == told


def _folded(answer: str) -> tuple[Digest, list[str]]:
    heard = Heard()
    summarizer = ChatModelSummarizer(StrictChatModel(answers=[answer]))
    policy = Policy(Budget(1_000, reply_reserve_tokens=0), keep_turns=1, folding="off", summarizer=summarizer)
    with Sessions(policy=policy, observers=[heard], clock=lambda: 0.0) as sessions:
        session = sessions.session("s")
        session.append([{"role": message.role.value, "content": message.content} for message in SAID])
        for _ in range(8):
            session.append({"role": "user", "content": "tell me more"})
            session.append({"role": "assistant", "content": "It is a long story. " * 24})
        digest = session.fold()
        assert digest is not None
        return digest, [event.reason for event in heard if isinstance(event, FellBack)]


def test_a_model_that_says_less_than_the_rules_is_replaced_and_an_event_says_so() -> None:
    digest, reasons = _folded(EMPTY_TALK)
    assert digest.made_by == "extractive"
    assert "KX-2231" in digest.summary
    assert reasons[-1] == "says less than the rules do"


def test_a_model_that_says_little_and_right_keeps_its_words_and_the_rules_add_theirs() -> None:
    digest, reasons = _folded(SHORT)
    assert digest.made_by == "llm:StrictChatModel"
    assert digest.summary.startswith(SHORT)
    assert "KX-2231" in digest.summary
    assert reasons == []
