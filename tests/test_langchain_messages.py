"""Every LangChain message comes back exactly as it went in; what a view wrote is told from the record."""

from __future__ import annotations

import base64
import copy
import os
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import langchain_core.messages as lc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_samples import (
    BLOCKS,
    CALLS,
    COMMON,
    EXPORTED,
    OWN,
    PICTURE,
    RAW_CALLS,
    USAGE,
    Ticket,
    assert_exact,
    stored,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from langchain_session.conversion.marks import mark_of
from langchain_session.conversion.messages import from_core, from_core_many, to_core, to_core_many
from session_core.errors import InputError, StoreUnreadable
from session_core.ranges import Ranges
from session_core.serial.codec import body_digest, encode_body
from session_core.serial.marks import MARK
from session_core.turns import Media, Message, Native, Role, ToolCall

OWN[lc.AIMessageChunk] = {**OWN[lc.AIMessage], "chunk_position": "last"}
OWN[lc.ToolMessageChunk] = OWN[lc.ToolMessage]
OWN[lc.ChatMessageChunk] = OWN[lc.ChatMessage]


@pytest.mark.parametrize("kind", EXPORTED)
@pytest.mark.parametrize("content", ["words", "", BLOCKS], ids=["text", "empty", "blocks"])
def test_a_message_of_every_class_comes_back_exactly(kind: type[BaseMessage], content: Any) -> None:
    assert_exact(kind(content=copy.deepcopy(content), **copy.deepcopy(COMMON), **copy.deepcopy(OWN.get(kind, {}))))


@pytest.mark.parametrize("kind", EXPORTED)
def test_the_barest_message_of_every_class_comes_back_exactly(kind: type[BaseMessage]) -> None:
    own = {"tool_call_id": "c1", "role": "user", "name": "f"}
    needed = {
        name: value
        for name, value in own.items()
        if kind.model_fields.get(name) and kind.model_fields[name].is_required()
    }
    assert_exact(kind(content="hi", **needed))


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b["type"] if isinstance(b, dict) and "type" in b else "other")
@pytest.mark.parametrize("kind", [HumanMessage, AIMessage])
def test_every_block_comes_back_exactly(kind: type[BaseMessage], block: Any) -> None:
    own = {"tool_calls": copy.deepcopy(CALLS)} if kind is AIMessage else {}
    assert_exact(kind(content=[copy.deepcopy(block)], **own))


@given(st.text(st.characters()))
def test_any_text_comes_back_exactly(text: str) -> None:
    assert stored(HumanMessage(text)).content == text
    assert stored(AIMessage([{"type": "text", "text": text}, text])).content == [
        {"type": "text", "text": text},
        text,
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_any_arguments_come_back_exactly(args: dict[str, Any]) -> None:
    message = AIMessage("", tool_calls=[{"name": "f", "args": args, "id": "c1"}])
    assert repr(stored(message).tool_calls) == repr(message.tool_calls)  # type: ignore[attr-defined]


def test_arguments_json_has_no_words_for_come_back_exactly() -> None:
    args = {"t": (1, 2), "b": b"\x00", "inf": float("inf"), "when": datetime(2026, 1, 1), "n": {1: 2}}
    message = AIMessage("", tool_calls=[{"name": "f", "args": args, "id": None}])
    assert_exact(message)


def test_arguments_keep_the_model_s_own_spelling_and_stand_there_once() -> None:
    text = '{"query":  "' + "long words " * 50 + '"}'
    raw = [{"id": "call_1", "type": "function", "function": {"name": "find", "arguments": text}}]
    message = AIMessage("", additional_kwargs={"tool_calls": raw})
    core = to_core(message)
    assert core.tool_calls == (ToolCall("call_1", "find", text),)
    assert core.native is not None
    assert len(core.native.data) < 120
    assert_exact(message)


def test_a_removal_comes_back_exactly_and_says_nothing() -> None:
    assert_exact(lc.RemoveMessage(id="m1"))
    assert to_core(lc.RemoveMessage(id="m1")).empty


def test_fields_a_class_does_not_know_come_back() -> None:
    assert_exact(HumanMessage("hi", example=True, anything={"a": (1,)}))


def test_a_user_s_own_class_comes_back_exactly() -> None:
    ticket = Ticket("broken", priority=5, tags={"a", "b"}, id="t1")
    ticket._opened = 3
    assert_exact(ticket)
    assert stored(ticket)._opened == 3  # type: ignore[attr-defined]


def test_a_class_that_is_gone_comes_back_as_the_nearest_with_its_fields() -> None:
    class Local(ToolMessage):
        weight: float = 0.0

    back = stored(Local("x", tool_call_id="c1", weight=2.5))
    assert type(back) is ToolMessage
    assert back.model_extra == {"weight": 2.5}


def test_a_numpy_artifact_comes_back() -> None:
    back = stored(ToolMessage("x", tool_call_id="c1", artifact=np.arange(6).reshape(2, 3)))
    assert isinstance(back, ToolMessage)
    assert back.artifact.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_an_artifact_that_cannot_come_back_is_refused() -> None:
    with pytest.raises(InputError, match=r"builtins\.object, which cannot be stored"):
        to_core(ToolMessage("x", tool_call_id="c1", artifact=object()))


def test_an_id_changed_after_the_message_was_made_comes_back() -> None:
    message = HumanMessage("hi")
    message.id = "given-by-a-reducer"
    assert_exact(message)


def test_a_message_without_an_id_comes_back_without_one() -> None:
    assert stored(HumanMessage("hi")).id is None


def test_damage_is_told() -> None:
    with pytest.raises(StoreUnreadable, match="message m1 cannot be read as a LangChain message"):
        from_core(Message(Role.USER, "x", id="m1", native=Native("langchain/1", b"\x91\xa1?")))


@pytest.mark.parametrize(
    ("message", "role", "author"),
    [
        (HumanMessage("x", name="Ana"), Role.USER, "Ana"),
        (ChatMessage("x", role="human"), Role.USER, None),
        (ChatMessage("x", role="Assistant"), Role.ASSISTANT, None),
        (ChatMessage("x", role="developer"), Role.SYSTEM, None),
        (ChatMessage("x", role="critic"), Role.USER, "critic"),
        (ChatMessage("x", role="tool"), Role.ASSISTANT, None),
        (SystemMessage("x"), Role.SYSTEM, None),
        (AIMessage("x", name="researcher"), Role.ASSISTANT, None),
        (ToolMessage("x", tool_call_id="c"), Role.TOOL, None),
        (lc.FunctionMessage("x", name="find"), Role.TOOL, None),
    ],
)
def test_who_speaks_is_told(message: BaseMessage, role: Role, author: str | None) -> None:
    core = to_core(message)
    assert (core.role, core.author) == (role, author)


def test_the_neutral_fields_say_what_the_blocks_say() -> None:
    core = to_core(AIMessage(copy.deepcopy(BLOCKS), tool_calls=copy.deepcopy(CALLS)))
    assert core.content == "plain wordsa text blockcacheda document's wordsinsideresult words"
    assert [part.kind for part in core.media] == ["image"] * 5 + ["audio", "audio", "video", "file"]
    assert "let me see\nhm, which city?" in core.aside
    assert "it will rain" in core.aside
    assert "c2ln" not in core.aside


def test_a_legacy_function_call_and_its_result_belong_together() -> None:
    call = AIMessage("", additional_kwargs={"function_call": {"name": "find", "arguments": '{"a": 1}'}})
    result = lc.FunctionMessage("1", name="find")
    assert to_core(call).tool_calls[0].id == to_core(result).tool_call_id
    assert_exact(call)


def test_a_call_with_broken_arguments_is_a_call_still() -> None:
    core = to_core(AIMessage("", invalid_tool_calls=[{"id": "c3", "name": "f", "args": "{", "error": None}]))
    assert core.tool_calls == (ToolCall("c3", "f", "{"),)


@pytest.mark.parametrize(
    ("message", "size"),
    [
        (HumanMessage("hi"), 10),
        (HumanMessage("hi", id="f6f3b1de-9f2c-4bb4-b1a0-6fe5a8d3c111"), 16),
        (AIMessage("", tool_calls=CALLS), 10),
        (ToolMessage("long output " * 99, tool_call_id="call_1", name="find"), 20),
        (HumanMessage([{"type": "text", "text": "look at this picture"}, BLOCKS[3]]), 90),
    ],
)
def test_what_only_langchain_knows_is_small(message: BaseMessage, size: int) -> None:
    native = to_core(message).native
    assert native is not None
    assert len(native.data) <= size
    assert not native.note


@pytest.mark.parametrize("shape", ["url", "anthropic", "bytes"])
def test_a_picture_is_stored_once(shape: str) -> None:
    data = os.urandom(780_000)
    text = base64.b64encode(data).decode()
    block: dict[str, Any] = {
        "url": {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{text}"}},
        "anthropic": {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": text}},
        "bytes": {"image": {"format": "png", "source": {"bytes": data}}},
    }[shape]
    message = HumanMessage(["what is this?", block], id="p1")
    assert len(encode_body(to_core(message))) < 1_100_000
    assert_exact(message)


def test_a_message_that_went_through_langgraph_s_serializer_says_the_same() -> None:
    serializer = JsonPlusSerializer()
    for message in (
        HumanMessage("hi", id="m1"),
        AIMessage("x", id="m2", tool_calls=CALLS, usage_metadata=USAGE),
    ):
        other = serializer.loads_typed(serializer.dumps_typed(message))
        assert other.model_fields_set != message.model_fields_set
        assert body_digest(to_core(other)) == body_digest(to_core(message))


def test_many_come_back_in_their_order() -> None:
    messages = [HumanMessage("a"), AIMessage("b"), HumanMessage("c")]
    assert from_core_many(to_core_many(messages)) == messages


# What a view wrote.


DIGEST = Message(Role.USER, "so far: …", origin="digest", covers=Ranges(((1, 40), (44, 45))))


def test_a_digest_has_an_id_that_says_what_it_is_and_comes_back_as_one() -> None:
    made = from_core(DIGEST)
    assert isinstance(made, HumanMessage)
    assert re.fullmatch(r"llm-sessions:digest:[0-9a-f]{16}", made.id or "")
    assert {k: v for k, v in (mark_of(made) or {}).items() if k != "hash"} == {
        "origin": "digest",
        "covers": [[1, 40], [44, 45]],
    }
    assert to_core(made) == replace(DIGEST, id=made.id)
    assert from_core(to_core(made)) == made
    assert from_core(DIGEST).id == made.id


def test_a_digest_keeps_its_mark_through_langgraph_s_serializer() -> None:
    serializer = JsonPlusSerializer()
    made = serializer.loads_typed(serializer.dumps_typed(from_core(DIGEST)))
    assert to_core(made).covers == DIGEST.covers


def test_words_that_were_added_to_a_digest_are_the_record_s_own() -> None:
    merged = from_core(DIGEST)
    merged.content = f"{merged.content}\nAnd book the train."
    assert mark_of(merged) is None
    core = to_core(merged)
    assert (core.origin, core.content) == ("record", "so far: …\nAnd book the train.")
    assert MARK not in from_core(core).additional_kwargs


def test_a_clip_keeps_all_but_the_text() -> None:
    whole = ToolMessage("long " * 500, id="t1", tool_call_id="c1", name="find", artifact={"a": (1,)}, status="error")
    clip = replace(to_core(whole), content="long long …", rendition="clip")
    shown = from_core(clip)
    assert isinstance(shown, ToolMessage)
    assert shown.content == "long long …"
    assert (shown.id, shown.tool_call_id, shown.name, shown.status) == ("t1", "c1", "find", "error")
    assert shown.artifact == {"a": (1,)}
    mark = mark_of(shown)
    assert mark is not None
    assert (mark["rendition"], mark["ref"]) == ("clip", "t1")
    back = to_core(shown)
    assert (back.id, back.rendition, back.content) == ("t1", "clip", "long long …")
    assert from_core(back) == shown


def test_a_clip_that_was_changed_is_a_message_of_its_own() -> None:
    shown = from_core(replace(to_core(HumanMessage("long", id="m1")), content="lo…", rendition="clip"))
    shown.content = "edited"
    assert mark_of(shown) is None
    assert to_core(shown).rendition == "whole"


def test_shortened_calls_stand_in_every_place_of_a_clip() -> None:
    whole = AIMessage(
        [
            {"type": "text", "text": "I write it."},
            {"type": "tool_use", "id": "c1", "name": "write", "input": {"t": "x" * 999}},
        ],
        id="a1",
        tool_calls=[{"name": "write", "args": {"t": "x" * 999}, "id": "c1"}],
        additional_kwargs={"tool_calls": RAW_CALLS, "kept": 1},
        usage_metadata=USAGE,
    )
    short = (ToolCall("c1", "write", '{"t":"x…"}'),)
    shown = from_core(replace(to_core(whole), tool_calls=short, rendition="clip"))
    assert isinstance(shown, AIMessage)
    assert shown.content == "I write it."
    assert shown.tool_calls == [{"name": "write", "args": {"t": "x…"}, "id": "c1", "type": "tool_call"}]
    assert "tool_calls" not in shown.additional_kwargs
    assert shown.additional_kwargs["kept"] == 1
    assert shown.usage_metadata == USAGE
    assert "xxx" not in repr(shown)


def test_shortened_calls_of_a_chunk_and_of_a_function_call_stand_in_a_clip() -> None:
    chunk = lc.AIMessageChunk(
        "", id="a1", tool_call_chunks=[{"name": "w", "args": '{"t": "xxx"}', "id": "c1", "index": 0}]
    )
    shown = from_core(replace(to_core(chunk), tool_calls=(ToolCall("c1", "w", '{"t":"x"}'),), rendition="clip"))
    assert "xxx" not in repr(shown)
    legacy = AIMessage("", id="a2", additional_kwargs={"function_call": {"name": "w", "arguments": '{"t": "xxx"}'}})
    core = to_core(legacy)
    short = replace(core.tool_calls[0], arguments='{"t":"x"}')
    shown = from_core(replace(core, tool_calls=(short,), rendition="clip"))
    assert shown.additional_kwargs["function_call"] == {"name": "w", "arguments": '{"t":"x"}'}


def test_a_clip_without_its_media_and_calls_is_text() -> None:
    blocks = [{"type": "text", "text": "words"}, BLOCKS[4], BLOCKS[17]]
    whole = to_core(AIMessage(blocks, id="a1", tool_calls=CALLS))
    shown = from_core(replace(whole, content="w…", media=(), tool_calls=(), rendition="clip"))
    assert isinstance(shown, AIMessage)
    assert (shown.content, shown.tool_calls) == ("w…", [])


def test_a_named_message_keeps_its_picture() -> None:
    whole = HumanMessage(["what is this?", BLOCKS[4]], name="Ana", id="m1")
    shown = from_core(replace(to_core(whole), content="Ana: what is this?", rendition="named"))
    assert shown.content == [{"type": "text", "text": "Ana: what is this?"}, BLOCKS[4]]


# What others stored.


def test_a_plain_message_of_another_framework_is_built_from_what_it_says() -> None:
    calls = (ToolCall("c1", "find", '{"a": 1}'), ToolCall("c2", "find", "not json"))
    said = [
        Message(Role.SYSTEM, "be brief", id="1"),
        Message(Role.USER, "hi", id="2", author="Ana"),
        Message(Role.ASSISTANT, "", id="3", tool_calls=calls),
        Message(Role.TOOL, "x", id="4", tool_call_id="c1", name="find"),
    ]
    system, user, assistant, tool = from_core_many(replace(m, native=Native("other/1", b"")) for m in said)
    assert system == SystemMessage("be brief", id="1")
    assert user == HumanMessage("hi", id="2", name="Ana")
    assert isinstance(assistant, AIMessage)
    assert [call["args"] for call in assistant.tool_calls] == [{"a": 1}, {"arguments": "not json"}]
    assert tool == ToolMessage("x", id="4", tool_call_id="c1", name="find")


@pytest.mark.parametrize(
    ("media", "block"),
    [
        (Media("image", "https://x.org/a.png"), {"type": "image", "url": "https://x.org/a.png"}),
        (
            Media("image", "data:image/gif;base64,R0lG"),
            {"type": "image", "base64": "R0lG", "mime_type": "image/gif"},
        ),
        (Media("image", PICTURE), {"type": "image", "base64": PICTURE, "mime_type": "image/png"}),
        (Media("audio", "T2dn", "wav"), {"type": "audio", "base64": "T2dn", "mime_type": "audio/wav"}),
        (Media("file", "file-1"), {"type": "file", "file_id": "file-1"}),
    ],
)
def test_media_of_another_framework_are_standard_blocks(media: Media, block: dict[str, Any]) -> None:
    made = from_core(Message(Role.USER, "see", media=(media,)))
    assert made.content == [{"type": "text", "text": "see"}, block]
    assert to_core(made).media[0].kind == media.kind
