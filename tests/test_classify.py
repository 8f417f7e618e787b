"""Classification: what binds is kept, what only greets is discarded, what is not understood is summarized."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_core.classify import LONG_CHARACTERS, RuleClassifier
from session_core.language.values import _PATTERN, _matches
from session_core.turns import Importance, Media, Message, Role, ToolCall


def judged(role: Role, text: str) -> Importance:
    call = "c" if role is Role.TOOL else None
    return RuleClassifier().classify(Message(role, text, tool_call_id=call))


@pytest.mark.parametrize(
    "text",
    [
        "I prefer window seats.",
        "I'd rather take the train.",
        "Let's go with the blue one.",
        "We decided to use PostgreSQL.",
        "Actually, the second one.",
        "No, I meant the other hotel.",
        "Change it to Thursday please",
        "Use the red one instead",
        "Never share my number with anyone.",
        "Please always answer in French",
        "Don't use semicolons",
        "It must fit in the trunk",
        "You must ask me first",
        "I can only travel on weekends",
        "At most three nights",
        "I'm allergic to peanuts",
        "My budget is 800 euros",
        "My order number is A-99812",
        "Reach me at ann@example.com",
        "We arrive on June 3rd",
        "the call is at 15:30",
        "it costs $40",
        "My name is Ann",
        "I live in Oslo",
    ],
)
def test_a_user_who_states_something_binding_is_kept(text: str) -> None:
    assert judged(Role.USER, text) is Importance.MUST_KEEP


@pytest.mark.parametrize(
    "text",
    [
        "Ich möchte lieber am Fenster sitzen.",
        "Bitte niemals anrufen",
        "Je préfère le train",
        "Je suis allergique aux noix",
        "Prefiero el tren",
        "Mi presupuesto es bajo",
        "Preferisco il treno",
        "Non chiamarmi mai",
        "Prefiro o trem",
        "我的预算是五千元",
        "我更喜欢靠窗的座位",
        "予算は二万円です",
        "Я предпочитаю поезд",
        "Встреча 03.05.2025",
        "Köp biljett nr SE-4471",
    ],
)
def test_other_languages_are_kept_by_common_words_and_by_signs_that_need_none(text: str) -> None:
    assert judged(Role.USER, text) is Importance.MUST_KEEP


@pytest.mark.parametrize(
    "text",
    ["", "  \n", "ok", "OK!", "Thanks!", "Thank you so much!!", "great", "hello there", "👍", "...", "Danke!",
     "merci beaucoup", "gracias", "grazie mille", "obrigado", "谢谢", "ありがとう", "Ok, great, thanks"],
)  # fmt: skip
def test_filler_is_discarded(text: str) -> None:
    assert judged(Role.USER, text) is Importance.DISCARD


@pytest.mark.parametrize("text", ["yes", "no", "sure", "the second", "да", "はい、二番目", "B", "7"])
def test_a_short_answer_is_no_filler(text: str) -> None:
    assert judged(Role.USER, text) is not Importance.DISCARD


@pytest.mark.parametrize(
    "text",
    [
        "What is the capital of France?",
        "Can you explain how rainbows form?",
        "Do you always answer so fast?",
        "I don't know",
        "I've never been to Rome.",
        "Don't worry about it",
        "Hvad synes du om det?",
        "Tell me more about that.",
    ],
)
def test_what_binds_nobody_is_summarized(text: str) -> None:
    assert judged(Role.USER, text) is Importance.SUMMARIZE


@pytest.mark.parametrize(
    "text",
    [
        "I've booked the room.",
        "I will send you the invoice tomorrow.",
        "I'll follow up on Monday.",
        "Your booking reference is XK-221.",
        "The refund has been issued.",
        "Ich habe das Zimmer reserviert.",
        "J'ai réservé la chambre.",
        "He reservado la habitación.",
        "我已经为您预订了房间。",
    ],
)
def test_commitments_of_the_assistant_are_kept(text: str) -> None:
    assert judged(Role.ASSISTANT, text) is Importance.MUST_KEEP


@pytest.mark.parametrize(
    ("text", "importance"),
    [
        ("Rainbows form when light is bent by drops.", Importance.SUMMARIZE),
        ("I'll be happy to explain how that works.", Importance.SUMMARIZE),
        ("You're welcome! Is there anything else I can help you with?", Importance.DISCARD),
    ],
)
def test_other_words_of_the_assistant_are_not_kept(text: str, importance: Importance) -> None:
    assert judged(Role.ASSISTANT, text) is importance


def test_system_messages_are_always_kept() -> None:
    assert judged(Role.SYSTEM, "ok") is Importance.MUST_KEEP


@pytest.mark.parametrize(
    ("text", "importance"),
    [
        ('{"id": "A-123", "state": "open"}', Importance.MUST_KEEP),
        ("Error: order A-123 not found", Importance.SUMMARIZE),
        ("It is sunny in Oslo.", Importance.SUMMARIZE),
        ("row A-123 is fine\n" * 200, Importance.SUMMARIZE),
    ],
)
def test_a_tool_result_is_kept_only_when_short_and_naming_something(text: str, importance: Importance) -> None:
    assert judged(Role.TOOL, text) is importance


def test_a_call_or_a_picture_is_never_discarded() -> None:
    call = Message(Role.ASSISTANT, "", tool_calls=(ToolCall("1", "find"),))
    picture = Message(Role.USER, "", media=(Media("image", "data:"),))
    assert {RuleClassifier().classify(m) for m in (call, picture)} == {Importance.SUMMARIZE}


def test_a_pasted_document_is_kept_only_for_what_the_user_says_around_it() -> None:
    document = "Rows must have an id such as A-1.\n" * (LONG_CHARACTERS // 10)
    assert judged(Role.USER, f"{'Text. ' * 200}{document}{'Text. ' * 200}") is Importance.SUMMARIZE
    assert judged(Role.USER, f"Always answer in French.\n{document}") is Importance.MUST_KEEP


@given(st.text(st.characters(categories=["L", "N"]), min_size=30))
def test_what_is_not_understood_is_never_discarded(text: str) -> None:
    assert judged(Role.USER, text) is not Importance.DISCARD


@given(st.sampled_from(list(Role)), st.text())
def test_every_message_gets_an_importance_and_the_same_one_again(role: Role, text: str) -> None:
    assert judged(role, text) is judged(role, text)


PIECES = (
    "5T monday Mon next\u00a0week é usd 5 km . @ http:// T 10:30 märz may 2024 - _ a.b (0 +49 $ US$ % x ſ 1,000 #tag "
    "/a/b h ٣ 年 3 sábado ' \" früh morgen eur B-77 word 12 4056 thousand bn p.m. am of June uhr miles , ? \n 07 31."
).split(" ")


@given(st.lists(st.sampled_from([*PIECES, " "]), max_size=12).map("".join) | st.text(max_size=60))
def test_the_quick_way_to_the_values_of_a_text_finds_what_the_slow_one_finds(text):
    assert list(_matches(text)) == [(m.lastgroup, m[0], m.start()) for m in _PATTERN.finditer(text)]


COUNTED = (
    "7 12 012 2026 1234567 12345678 1.5 refunds days pm p.m. o'clock million millionth mn us$ $ % kg x_1 7. 7! (7 7) +"
).split(" ")


@given(st.lists(st.sampled_from(COUNTED), min_size=1, max_size=8).map(" ".join).filter(re.compile("[0-9]").search))
def test_a_number_that_is_known_at_once_is_what_the_whole_pattern_finds(text):
    assert list(_matches(text)) == [(m.lastgroup, m[0], m.start()) for m in _PATTERN.finditer(text)]
