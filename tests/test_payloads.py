"""`View.to_openai` and `View.to_anthropic`: what the SDKs take, with nothing left unsaid."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from generated_sessions import conversation
from hypothesis import given, settings
from hypothesis import strategies as st
from strict_model import check_sent

from langchain_session.conversion.messages import from_core_many
from session_core import Budget, Media, Message, Policy, Role, Sessions, ToolCall, View
from session_core.testing import faults

PNG = "iVBORw0KGgo="
HALF = chr(0xD800)
IDS = st.sampled_from(["call_0", "functions.look:0", "", "x" * 60, "ü", "a b", "call_0"])
NAMES = st.sampled_from(["look", "a.b", "mcp__" + "long" * 30, "", "…", "find it"])
ARGUMENTS = st.sampled_from(["{}", '{"a": 1}', "[]", "", "{", '{"a": NaN}', '{"a": "\\ud800"}', f'{{"a": "{HALF}"}}'])
TEXTS = st.sampled_from(["words", "words ", "", " ", "…", f"half {HALF}", "\n"])
MEDIA = st.builds(
    Media,
    st.sampled_from(["image", "audio", "video", "file"]),
    st.sampled_from(
        [PNG, f"data:image/png;base64,{PNG}", "https://example.org/a", "gs://a/b", "file-1", "data:x", "####"]
    ),
    st.sampled_from([None, "image/png", "image/tiff", "audio/wav", "wav", "text/plain", "application/pdf", "odd"]),
)
MEDIAS = st.lists(MEDIA, max_size=3).map(tuple)


@st.composite
def exchange(draw: st.DrawFn) -> list[Message]:
    calls = draw(st.lists(st.builds(ToolCall, IDS, NAMES, ARGUMENTS), min_size=1, max_size=3))
    results = [
        Message(Role.TOOL, draw(TEXTS), tool_call_id=c.id, name=c.name, media=draw(MEDIAS)) for c in calls if c.id
    ]
    return [Message(Role.ASSISTANT, draw(TEXTS), tool_calls=tuple(calls)), *results]


@st.composite
def odd_session(draw: st.DrawFn) -> list[Message]:
    """A session with all that frameworks and other providers leave behind in one."""
    said = (
        [Message(Role.SYSTEM, "Be brief.", media=draw(st.sampled_from([(), (Media("image", PNG),)])))]
        if draw(st.booleans())
        else []
    )
    for _ in range(draw(st.integers(1, 4))):
        author = draw(st.sampled_from([None, "Ann Lee", "ann", "<|im_start|>", "👩"]))
        said.append(Message(Role.USER, draw(TEXTS), author=author, media=draw(MEDIAS)))
        for _ in range(draw(st.integers(0, 2))):
            said += draw(exchange())
        said.append(Message(Role.ASSISTANT, draw(TEXTS), media=draw(MEDIAS), name=author))
    return said


def view_of(messages: Sequence[Message], window: int = 60_000, query: str | None = None) -> View:
    with Sessions(policy=Policy(Budget(window, reply_reserve_tokens=0), folding="inline")) as sessions:
        session = sessions.session("s")
        for start in range(0, len(messages), 7):
            session.append(list(messages[start : start + 7]), lenient=True)
        return session.view(query)


def check_both(view: View) -> None:
    if not view.messages:
        return
    assert faults({"messages": view.to_openai()}, "openai") == []
    request = view.to_anthropic()
    if any(message.role is not Role.SYSTEM for message in view.messages):
        assert faults(request, "anthropic") == []
    found = json.dumps(request).count("cache_control")
    assert found <= 4
    assert "cache_control" not in json.dumps(view.to_anthropic(cache=False))


@settings(max_examples=60, deadline=None)
@given(odd_session(), st.sampled_from([6_000, 60_000]))
def test_both_apis_take_whatever_a_session_holds(said: list[Message], window: int) -> None:
    check_both(view_of([m for m in said if m.role is not Role.USER or not m.empty], window))


@pytest.mark.parametrize("seed", range(25))
def test_both_apis_take_every_view_of_a_made_up_conversation(seed: int) -> None:
    said = conversation(seed)
    window = random.Random(seed).choice([600, 1_500, 6_000])
    check_both(view_of(said, window, "order refund flight"))


@pytest.mark.parametrize("seed", range(10))
def test_every_text_of_a_view_is_told_to_both(seed: int) -> None:
    view = view_of(conversation(seed), 3_000)
    openai, anthropic = json.dumps(view.to_openai()), json.dumps(view.to_anthropic())
    for message in view.messages:
        text = json.dumps(message.content.rstrip())[1:-1]
        assert text in openai
        assert text in anthropic
        for call in message.tool_calls:
            assert call.id in openai
            assert call.id in anthropic


def with_tools() -> list[Message]:
    calls = (ToolCall("call_0", "look", '{"q": 1}'), ToolCall("functions.read:1", "fs.read"))
    return [
        Message(Role.SYSTEM, "Be brief."),
        Message(Role.USER, "look", author="Ann Lee"),
        Message(Role.ASSISTANT, "I look. ", tool_calls=calls, id="m2"),
        Message(Role.TOOL, "one", tool_call_id="call_0"),
        Message(Role.TOOL, "two", tool_call_id="functions.read:1"),
        Message(Role.USER, "and?"),
    ]


def test_openai_gets_calls_results_and_names_as_it_takes_them() -> None:
    told = view_of(with_tools()).to_openai()
    second = told[2]["tool_calls"][1]["id"]
    assert told == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "look", "name": "Ann_Lee"},
        {
            "role": "assistant",
            "content": "I look. ",
            "tool_calls": [
                {"id": "call_0", "type": "function", "function": {"name": "look", "arguments": '{"q": 1}'}},
                {"id": second, "type": "function", "function": {"name": "fs_read", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_0", "content": "one"},
        {"role": "tool", "tool_call_id": second, "content": "two"},
        {"role": "user", "content": "and?"},
    ]


def test_anthropic_gets_the_system_text_apart_and_one_message_for_neighbours() -> None:
    told = view_of(with_tools()).to_anthropic(cache=False)
    second = told["messages"][1]["content"][2]["id"]
    assert told == {
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "look"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "call_0", "name": "look", "input": {"q": 1}},
                    {"type": "tool_use", "id": second, "name": "fs_read", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_0", "content": "one"},
                    {"type": "tool_result", "tool_use_id": second, "content": "two"},
                    {"type": "text", "text": "and?"},
                ],
            },
        ],
    }


def breakpoints(request: dict[str, Any]) -> list[str]:
    """The texts that a breakpoint stands behind."""
    blocks = [*request.get("system", ()), *(block for m in request["messages"] for block in m["content"])]
    return [str(block.get("text", block["type"]))[:24] for block in blocks if "cache_control" in block]


def long_talk() -> list[Message]:
    said = [Message(Role.SYSTEM, "Be brief.")]
    for turn in range(40):
        said += [
            Message(Role.USER, f"order ORD-{turn} please"),
            Message(Role.ASSISTANT, f"answer {turn} " + "word " * 40),
        ]
    return said


def test_breakpoints_stand_behind_system_digest_all_that_stays_and_the_end() -> None:
    view = view_of([*long_talk(), Message(Role.USER, "what of ORD-3?")], 2_000, "ORD-3")
    assert [m.origin for m in view.messages].count("recall") == 1
    shown = breakpoints(view.to_anthropic())
    assert shown[0] == "Be brief."
    assert shown[1].startswith("[Earlier in this convers")
    assert shown[2].startswith("answer 39")
    assert shown[3:] == ["what of ORD-3?"]


def test_the_prefix_up_to_a_breakpoint_stays_the_same_in_the_next_turn() -> None:
    said = [*long_talk()[:20], Message(Role.USER, "what of ORD-3?")]
    before = view_of(said, 8_000, "ORD-3").to_anthropic(cache=False)["messages"]
    more = [*said, Message(Role.ASSISTANT, "It left. "), Message(Role.USER, "thanks")]
    after = view_of(more, 8_000).to_anthropic(cache=False)["messages"]
    assert after[: len(before)] == before


def test_an_id_that_comes_again_gets_another_one_and_the_same_in_each_view() -> None:
    turn = [
        Message(Role.USER, "look"),
        Message(Role.ASSISTANT, "", tool_calls=(ToolCall("call_0", "look"),)),
        Message(Role.TOOL, "one", tool_call_id="call_0"),
    ]
    said = [replace(message, id=f"m{n}") for n, message in enumerate([*turn, *turn, *turn])]
    six, nine = view_of(said[:6]).to_openai(), view_of(said).to_openai()
    assert nine[:6] == six
    assert len({message["tool_call_id"] for message in nine if message["role"] == "tool"}) == 3


OF_USERS = {
    "a picture": Media("image", PNG, "image/png"),
    "a picture on the web": Media("image", "https://example.org/a.png"),
    "a file": Media("file", f"data:application/pdf;base64,{PNG}"),
    "a file the provider has": Media("file", "file-1"),
}


@pytest.mark.parametrize("media", OF_USERS.values(), ids=OF_USERS)
def test_both_apis_accept_these_parts_from_a_user(media: Media) -> None:
    view = view_of([Message(Role.USER, "see", media=(media,))])
    assert "not shown" not in json.dumps([view.to_openai(), view.to_anthropic()])
    check_both(view)


NOT_TAKEN = {
    "a film": (Media("video", "AAAA"), "[video not shown: video/mp4, not supported by this API]"),
    "a place of its own": (Media("image", "gs://b/a.png"), "[image not shown: image/png, not supported by this API]"),
    "what is no base64": (
        Media("image", "data:image/png;base64,####"),
        "[image not shown: image/png, not supported by this API]",
    ),
    "audio it has no name for": (
        Media("audio", "T2dnUw==", "audio/ogg"),
        "[audio not shown: audio/ogg, not supported by this API]",
    ),
}


@pytest.mark.parametrize("case", NOT_TAKEN)
def test_unsupported_parts_are_replaced_by_a_text(case: str) -> None:
    media, says = NOT_TAKEN[case]
    view = view_of([Message(Role.USER, "see", media=(media,))])
    assert view.to_openai()[0]["content"] == [{"type": "text", "text": "see"}, {"type": "text", "text": says}]
    assert [block["text"] for block in view.to_anthropic()["messages"][0]["content"]] == ["see", says]


def test_a_picture_in_a_result_is_shown_to_anthropic_and_named_to_openai() -> None:
    said = with_tools()
    said[3] = replace(said[3], media=(OF_USERS["a picture"],))
    view = view_of(said)
    assert view.to_openai()[3]["content"] == "one\n[image not shown: image/png, not accepted in a tool message]"
    result = view.to_anthropic()["messages"][2]["content"][0]
    assert [block["type"] for block in result["content"]] == ["text", "image"]
    check_both(view)


def test_calls_that_share_an_id_are_one_in_every_view() -> None:
    calls = (ToolCall("call_0", "look", '{"q": 1}'), ToolCall("call_0", "look", '{"q": 2}'))
    said = [Message(Role.USER, "look"), Message(Role.ASSISTANT, tool_calls=calls)]
    view = view_of([*said, Message(Role.TOOL, "one", tool_call_id="call_0")])
    assert [call.arguments for message in view.messages for call in message.tool_calls] == ['{"q": 1}']
    check_sent(from_core_many(view.messages))
