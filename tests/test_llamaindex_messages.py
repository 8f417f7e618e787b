"""Every LlamaIndex message comes back exactly as it went in; each framework reads what the other stored."""

from __future__ import annotations

import base64
import copy
import io
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from llama_index.core.base.llms import types as li
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.schema import ImageDocument
from llama_samples import BLOCKS, CALL, KWARGS, PICTURE, OwnMessage, assert_exact, stored

from langchain_session.conversion import messages as langchain
from llamaindex_session.messages import MARK, ViewMessage, from_core, from_core_many, mark_of, to_core, to_core_many
from session_core.errors import StoreUnreadable
from session_core.ranges import Ranges
from session_core.serial.codec import body_digest, encode_body
from session_core.turns import Media, Message, Native, Role, ToolCall


def test_the_samples_have_every_block_llamaindex_has() -> None:
    union = get_args(li.ContentBlock)[0]
    assert {kind.model_fields["block_type"].default for kind in get_args(union)} == set(BLOCKS)


@pytest.mark.parametrize("role", list(MessageRole))
@pytest.mark.parametrize("content", ["words", "", None])
def test_a_message_of_every_role_comes_back_exactly(role: MessageRole, content: str | None) -> None:
    assert_exact(ChatMessage(content, role=role))
    assert_exact(ChatMessage(content, role=role, additional_kwargs={"tool_call_id": "c1", "name": "find"}))


@pytest.mark.parametrize("block", [b for blocks in BLOCKS.values() for b in blocks], ids=lambda b: b.block_type)
@pytest.mark.parametrize("role", [MessageRole.USER, MessageRole.ASSISTANT])
def test_every_block_comes_back_exactly(block: Any, role: MessageRole) -> None:
    assert_exact(ChatMessage([copy.deepcopy(block)], role=role))
    assert_exact(ChatMessage(blocks=[li.TextBlock(text="before"), copy.deepcopy(block)], role=role))


def test_blocks_keep_their_order() -> None:
    blocks = [copy.deepcopy(block) for blocks in BLOCKS.values() for block in blocks]
    assert_exact(ChatMessage(blocks=blocks + blocks[::-1], role=MessageRole.ASSISTANT))


@pytest.mark.parametrize("kwargs", KWARGS, ids=lambda kwargs: "-".join(kwargs) or "none")
def test_additional_data_comes_back_exactly(kwargs: dict[str, Any]) -> None:
    assert_exact(ChatMessage("x", role=MessageRole.ASSISTANT, additional_kwargs=copy.deepcopy(kwargs)))


@given(st.text(st.characters()), st.text(st.characters()))
def test_any_text_comes_back_exactly(one: str, two: str) -> None:
    assert stored(ChatMessage(one)).content == one
    back = stored(ChatMessage([li.TextBlock(text=one), li.TextBlock(text=two)]))
    assert [block.text for block in back.blocks if isinstance(block, li.TextBlock)] == [one, two]


def test_a_message_that_went_through_json_comes_back_exactly_and_says_the_same() -> None:
    message = ChatMessage(role="user", blocks=[li.TextBlock(text="look"), li.ImageBlock(url="https://host/map.png")])
    reread = ChatMessage.model_validate(message.model_dump())
    assert_exact(reread)
    assert body_digest(to_core(reread)) == body_digest(to_core(message))


def test_paths_come_back_and_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PICTURE)
    message = ChatMessage([li.ImageBlock(path=tmp_path / "a.png"), li.DocumentBlock(path="notes.pdf")])
    assert_exact(message)
    assert to_core(message).media[0] == Media("image", (tmp_path / "a.png").as_uri(), "image/png")


def test_an_open_buffer_comes_back_with_its_bytes_and_is_left_where_it_was() -> None:
    buffer = io.BytesIO(PICTURE)
    buffer.seek(7)
    back = stored(ChatMessage([li.ImageBlock(image=buffer), li.DocumentBlock(data=io.BytesIO(b"%PDF"))]))
    assert buffer.tell() == 7
    image, document = back.blocks
    assert isinstance(image, li.ImageBlock)
    assert isinstance(document, li.DocumentBlock)
    assert image.resolve_image().read() == PICTURE
    assert document.resolve_document().read() == b"%PDF"


def test_images_given_the_old_way_come_back_once() -> None:
    image = ImageDocument(image=base64.b64encode(PICTURE).decode())
    message = ChatMessage("see", additional_kwargs={"images": [image]})
    assert len(message.blocks) == 2
    assert_exact(message)


def test_a_user_s_own_class_comes_back_exactly() -> None:
    assert_exact(OwnMessage("x", mood="glad"))


def test_a_block_changed_after_the_message_was_made_comes_back() -> None:
    message = ChatMessage("x")
    message.blocks.append(li.TextBlock(text="y"))
    assert_exact(message)


def test_damage_is_told() -> None:
    with pytest.raises(StoreUnreadable, match="message m1 cannot be read as a LlamaIndex message"):
        from_core(Message(Role.USER, "x", id="m1", native=Native("llamaindex/1", b"\x91\xa1?")))


@pytest.mark.parametrize(
    ("message", "role", "call_id"),
    [
        (ChatMessage("x", role=MessageRole.DEVELOPER), Role.SYSTEM, None),
        (ChatMessage("x", role=MessageRole.CHATBOT), Role.ASSISTANT, None),
        (ChatMessage("x", role=MessageRole.TOOL, additional_kwargs={"tool_call_id": "c1"}), Role.TOOL, "c1"),
        (
            ChatMessage("x", role=MessageRole.FUNCTION, additional_kwargs={"name": "f"}),
            Role.TOOL,
            "function:f",
        ),
        (ChatMessage("x", role=MessageRole.TOOL), Role.ASSISTANT, None),
    ],
)
def test_who_speaks_is_told(message: ChatMessage, role: Role, call_id: str | None) -> None:
    core = to_core(message)
    assert (core.role, core.tool_call_id, core.id) == (role, call_id, "")


def test_the_neutral_fields_say_what_the_blocks_say() -> None:
    blocks = [copy.deepcopy(block) for blocks in BLOCKS.values() for block in blocks]
    core = to_core(ChatMessage(blocks=blocks, role=MessageRole.ASSISTANT))
    assert core.content == "some words\n\ncite me\nwas said"
    assert core.aside == "hm, let me see"
    assert [part.kind for part in core.media] == ["image"] * 4 + ["audio"] * 2 + ["video"] + ["file"] * 2 + ["image"]
    assert [call.id for call in core.tool_calls] == ["c1", "c2", ""]
    assert core.tool_calls[1] == ToolCall("c2", "find", '{"city":  "Ulm"}')


@pytest.mark.parametrize(
    ("kwargs", "calls"),
    [
        (KWARGS[1], (ToolCall("c1", "find", '{"city": "Köln"}'),)),
        (KWARGS[2], (ToolCall("c1", "find", "{}"),)),
        (KWARGS[3], (ToolCall("function:find", "find", "{}"),)),
        ({"tool_calls": [{"id": "t1", "name": "f", "input": {"a": 1}}]}, (ToolCall("t1", "f", '{"a":1}'),)),
    ],
)
def test_calls_in_additional_data_are_calls(kwargs: dict[str, Any], calls: tuple[ToolCall, ...]) -> None:
    assert to_core(ChatMessage(role=MessageRole.ASSISTANT, additional_kwargs=kwargs)).tool_calls == calls


def test_a_call_that_stands_twice_is_one_call() -> None:
    block = li.ToolCallBlock(tool_call_id="c1", tool_name="find", tool_kwargs={"city": "Köln"})
    message = ChatMessage([block], role=MessageRole.ASSISTANT, additional_kwargs={"tool_calls": [CALL]})
    assert to_core(message).tool_calls == (ToolCall("c1", "find", '{"city": "Köln"}'),)
    assert_exact(message)


@pytest.mark.parametrize(
    ("message", "size"),
    [
        (ChatMessage("hi"), 1),
        (ChatMessage("hi", role=MessageRole.CHATBOT), 10),
        (ChatMessage("out " * 99, role=MessageRole.TOOL, additional_kwargs={"tool_call_id": "call_123"}), 22),
        (ChatMessage([BLOCKS["tool_call"][0]], role=MessageRole.ASSISTANT), 70),
    ],
)
def test_what_only_llamaindex_knows_is_small(message: ChatMessage, size: int) -> None:
    native = to_core(message).native
    assert native is not None
    assert len(native.data) <= size


@pytest.mark.parametrize("buffer", [bytes, io.BytesIO])
def test_a_picture_is_stored_once(buffer: Any) -> None:
    data = b"\x89PNG\r\n\x1a\n" + os.urandom(780_000)
    message = ChatMessage([li.TextBlock(text="see"), li.ImageBlock(image=buffer(data))])
    assert len(encode_body(to_core(message))) < 1_100_000
    image = stored(message).blocks[1]
    assert isinstance(image, li.ImageBlock)
    assert image.resolve_image().read() == data


# What a view wrote.


def test_a_digest_comes_back_as_one_and_tells_no_provider_of_it() -> None:
    digest = Message(Role.USER, "so far: …", origin="digest", covers=Ranges(((1, 40),)))
    made = from_core(digest)
    assert isinstance(made, ViewMessage)
    assert (made.role, made.content, made.additional_kwargs) == (MessageRole.USER, "so far: …", {})
    back = to_core(made)
    assert (back.origin, back.covers, back.content) == ("digest", digest.covers, "so far: …")
    assert back.id.startswith("llm-sessions:digest:")
    assert to_core(copy.deepcopy(made)) == back


def test_a_digest_that_was_changed_is_a_message_of_its_own() -> None:
    made = from_core(Message(Role.USER, "so far: …", origin="digest", covers=Ranges(((1, 40),))))
    made.blocks.append(li.TextBlock(text="And book the train."))
    assert mark_of(made) is None
    core = to_core(made)
    assert (core.origin, type(from_core(core))) == ("record", ChatMessage)


def test_a_mark_in_additional_data_is_read_too() -> None:
    made = from_core(Message(Role.USER, "so far: …", origin="digest", covers=Ranges(((1, 40),))))
    plain = ChatMessage(made.content, additional_kwargs={MARK: mark_of(made)})
    assert to_core(plain).origin == "digest"


def test_a_clip_keeps_role_and_data_and_refers_to_the_whole() -> None:
    kwargs = {"tool_call_id": "c1", "name": "find", "more": (1,)}
    whole = replace(to_core(ChatMessage("long " * 99, role=MessageRole.TOOL, additional_kwargs=kwargs)), id="m1")
    shown = from_core(replace(whole, content="lo…", rendition="clip"))
    assert (shown.content, shown.role, shown.additional_kwargs) == ("lo…", MessageRole.TOOL, kwargs)
    back = to_core(shown)
    assert (back.id, back.rendition, back.content) == ("m1", "clip", "lo…")


def test_shortened_calls_stand_in_every_place_of_a_clip() -> None:
    block = li.ToolCallBlock(tool_call_id="c1", tool_name="write", tool_kwargs={"t": "x" * 99})
    raw = {
        "tool_calls": [{"id": "c1", "function": {"name": "write", "arguments": '{"t": "xxx"}'}}],
        "kept": 1,
    }
    whole = to_core(
        ChatMessage([li.ThinkingBlock(content="hm"), block], role=MessageRole.ASSISTANT, additional_kwargs=raw)
    )
    shown = from_core(replace(whole, tool_calls=(ToolCall("c1", "write", '{"t":"x…"}'),), rendition="clip"))
    assert shown.blocks == [li.ToolCallBlock(tool_call_id="c1", tool_name="write", tool_kwargs={"t": "x…"})]
    assert shown.additional_kwargs == {"kept": 1}


@pytest.mark.parametrize("block", [b for blocks in BLOCKS.values() for b in blocks], ids=lambda b: b.block_type)
def test_a_view_without_room_for_a_block_can_be_read(block: Any) -> None:
    whole = to_core(ChatMessage([copy.deepcopy(block)], role=MessageRole.ASSISTANT))
    bare = replace(whole, content="s…", media=(), tool_calls=(), aside="", rendition="clip", id="m1")
    assert from_core(bare).blocks[0] == li.TextBlock(text="s…")


def test_a_clip_without_media_is_text_and_a_named_message_keeps_them() -> None:
    blocks = [
        li.TextBlock(text="see"),
        li.ImageBlock(image=PICTURE),
        li.ImageBlock(image=io.BytesIO(PICTURE)),
    ]
    whole = replace(to_core(ChatMessage(blocks, additional_kwargs={"name": "Ana"})), id="m1")
    clip = from_core(replace(whole, content="s…", media=(), rendition="clip"))
    assert clip.blocks == [li.TextBlock(text="s…")]
    named = from_core(replace(whole, content="Ana: see", rendition="named"))
    assert [block.block_type for block in named.blocks] == ["text", "image", "image"]


# What LangChain stored, and what it reads.


CONVERSATION: list[BaseMessage] = [
    SystemMessage("Be brief.", id="1"),
    HumanMessage(["What is this?", {"type": "image", "base64": "iVBORw0KGgo=", "mime_type": "image/png"}], id="2"),
    AIMessage("I look.", id="3", tool_calls=[{"name": "find", "args": {"a": 1}, "id": "c1"}]),
    ToolMessage("a cat", id="4", tool_call_id="c1", name="find", artifact={"raw": (1,)}),
    AIMessage("A cat.", id="5"),
]


def test_what_langchain_stored_reads_well_in_llamaindex() -> None:
    system, user, assistant, tool, last = from_core_many(langchain.to_core_many(CONVERSATION))
    assert (system.role, system.content) == (MessageRole.SYSTEM, "Be brief.")
    assert [block.block_type for block in user.blocks] == ["text", "image"]
    assert isinstance(user.blocks[1], li.ImageBlock)
    assert user.blocks[1].image == b"iVBORw0KGgo="
    assert assistant.blocks == [
        li.TextBlock(text="I look."),
        li.ToolCallBlock(tool_call_id="c1", tool_name="find", tool_kwargs={"a": 1}),
    ]
    assert (tool.role, tool.content) == (MessageRole.TOOL, "a cat")
    assert tool.additional_kwargs == {"tool_call_id": "c1", "name": "find"}
    assert last.content == "A cat."


def test_what_langchain_stored_is_still_exact_for_langchain_after_llamaindex_read_it() -> None:
    record = langchain.to_core_many(CONVERSATION)
    from_core_many(record)
    assert langchain.from_core_many(record) == CONVERSATION


def test_what_llamaindex_stored_reads_well_in_langchain_and_back() -> None:
    there = langchain.from_core_many(to_core_many(from_core_many(langchain.to_core_many(CONVERSATION))))
    assert [type(message) for message in there] == [type(message) for message in CONVERSATION]
    assert [message.text for message in there] == [message.text for message in CONVERSATION]
    assert isinstance(there[2], AIMessage)
    assert there[2].tool_calls == CONVERSATION[2].tool_calls  # type: ignore[attr-defined]
    assert there[1].content[1] == CONVERSATION[1].content[1]


@pytest.mark.parametrize(
    "media",
    [
        Media("image", "https://x.org/a.png"),
        Media("audio", "T2dnUw==", "ogg"),
        Media("video", "https://x.org/v.mp4", "video/mp4"),
        Media("file", "JVBERi0xLjQ=", "application/pdf"),
        Media("file", "file-1"),
    ],
)
def test_media_of_another_framework_stay_what_they_are(media: Media) -> None:
    made = from_core(Message(Role.USER, "see", media=(media,)))
    (found,) = to_core(made).media
    assert (found.kind, found.data) == (media.kind, media.data)


@pytest.mark.parametrize("kind", ["image", "audio", "video", "file"])
def test_media_that_only_a_providers_file_id_names_can_be_read(kind: str) -> None:
    made = from_core(Message(Role.USER, "look", media=(Media(kind, "file-abc"),)))  # type: ignore[arg-type]
    assert [getattr(block, "url", None) for block in made.blocks] == [None, "file-abc"]
