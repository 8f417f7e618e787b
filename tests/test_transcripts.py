"""Transcripts as the frameworks themselves write them are read; an error names its line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    message_to_dict,
)
from llama_index.core.base.llms.types import (
    ChatMessage as LlamaMessage,
)
from llama_index.core.base.llms.types import (
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from session_core import Sessions
from session_core.errors import InputError, TranscriptError, UnknownRole
from session_core.importing import import_messages
from session_core.testing import require_accepted
from session_core.transcripts import Transcript, message_from_plain, read
from session_core.turns import Media, Message, Role, ToolCall

CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"a": 1}'}}
OPENAI: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "name": "Ana",
        "content": [{"type": "text", "text": "Look: "}, {"type": "text", "text": "this"}],
    },
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "found"},
    {"role": "assistant", "content": "Done."},
]
SAID = (
    Message(Role.SYSTEM, "Be brief."),
    Message(Role.USER, "Look: this", name="Ana", author="Ana"),
    Message(Role.ASSISTANT, tool_calls=(ToolCall("c1", "find", '{"a": 1}'),)),
    Message(Role.TOOL, "found", tool_call_id="c1"),
    Message(Role.ASSISTANT, "Done."),
)
LANGCHAIN: list[BaseMessage] = [
    SystemMessage("Be brief."),
    HumanMessage([{"type": "text", "text": "Look: "}, "this"], name="Ana", id="m1"),
    AIMessage("", tool_calls=[{"id": "c1", "name": "find", "args": {"a": 1}}]),
    ToolMessage("found", tool_call_id="c1"),
    AIMessageChunk("Done."),
]
LLAMA = [
    LlamaMessage("Be brief.", role=MessageRole.SYSTEM),
    LlamaMessage([TextBlock(text="Look:"), TextBlock(text="this")], additional_kwargs={"name": "Ana"}),
    LlamaMessage(
        [ToolCallBlock(tool_call_id="c1", tool_name="find", tool_kwargs={"a": 1})], role=MessageRole.ASSISTANT
    ),
    LlamaMessage("found", role=MessageRole.TOOL, additional_kwargs={"tool_call_id": "c1"}),
    LlamaMessage("Done.", role=MessageRole.CHATBOT),
]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def lines(*values: Any) -> str:
    return "\n".join(json.dumps(value) for value in values) + "\n"


def said(transcript: Transcript) -> list[tuple[object, ...]]:
    """What any framework's transcript of the sample conversation must say, less spacing."""
    return [
        (m.role, m.content.replace("\n", " "), *map(_call, m.tool_calls), m.tool_call_id, m.author)
        for m in transcript.messages
    ]


def _call(call: ToolCall) -> tuple[str, str, Any]:
    return call.id, call.name, json.loads(call.arguments)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(OPENAI),
        json.dumps(OPENAI, indent=1),
        json.dumps({"messages": OPENAI}),
        json.dumps({"system": "Be brief.", "messages": OPENAI[1:]}),
        lines(*OPENAI),
        lines(*OPENAI).replace("\n", "\r\n\r\n"),
        "\ufeff" + json.dumps(OPENAI),
    ],
)
def test_openai_messages_are_read(tmp_path: Path, text: str) -> None:
    assert read(written(tmp_path, "talk.json", text)) == [Transcript("talk", SAID)]


def test_a_gzipped_file_is_read_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "talk.jsonl.gz").write_bytes(gzip.compress(lines(*OPENAI).encode()))
    assert read(tmp_path / "talk.jsonl.gz") == [Transcript("talk", SAID)]


def test_each_line_may_be_a_conversation(tmp_path: Path) -> None:
    path = written(tmp_path, "many.jsonl", lines({"id": "a", "messages": OPENAI[:2]}, OPENAI, {"messages": OPENAI[3:]}))
    assert [(t.name, len(t.messages)) for t in read(path)] == [("a", 2), ("many-2", 5), ("many-3", 2)]


def test_a_list_of_conversations_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "many.json", json.dumps([{"session_id": 7, "messages": OPENAI}, {"messages": OPENAI}]))
    assert [t.name for t in read(path)] == ["7", "many-2"]


@pytest.mark.parametrize("dump", [message_to_dict, dumpd, lambda m: m.model_dump(mode="json")])
@pytest.mark.parametrize("layout", ["list", "lines", "redis"])
def test_langchain_messages_are_read(tmp_path: Path, dump: Any, layout: str) -> None:
    dumped = [dump(message) for message in LANGCHAIN]
    texts = {
        "list": json.dumps(dumped),
        "lines": lines(*dumped),
        "redis": json.dumps([json.dumps(d) for d in dumped]),
    }
    (found,) = read(written(tmp_path, "chain", texts[layout]))
    assert said(found) == said(Transcript("", SAID))
    assert found.messages[1].id == "m1"


def test_langchain_messages_of_other_kinds_are_read(tmp_path: Path) -> None:
    call = AIMessage("", additional_kwargs={"function_call": {"name": "find", "arguments": "{}"}})
    bad = AIMessage("", invalid_tool_calls=[{"id": "c9", "name": "find", "args": "{", "error": None}])
    dumped = [message_to_dict(m) for m in (call, FunctionMessage("1", name="find"), ChatMessage("x", role="user"), bad)]
    (found,) = read(written(tmp_path, "chain.json", json.dumps(dumped)))
    first, second, third, fourth = found.messages
    assert first.tool_calls[0].id == second.tool_call_id
    assert third.role is Role.USER
    assert fourth.tool_calls == (ToolCall("c9", "find", "{"),)


@pytest.mark.parametrize("wrap", ["list", "store", "memory", "lines"])
def test_llamaindex_messages_are_read(tmp_path: Path, wrap: str) -> None:
    dumped = [message.model_dump(mode="json") for message in LLAMA]
    store = {"store": {"user-1": dumped}, "class_name": "SimpleChatStore"}
    whole = {"list": dumped, "store": store, "memory": {"chat_store": store, "token_limit": 3}}
    text = lines(*dumped) if wrap == "lines" else json.dumps(whole[wrap])
    (found,) = read(written(tmp_path, "index.json", text))
    assert said(found) == said(Transcript("", SAID))
    assert found.name == ("user-1" if wrap in ("store", "memory") else "index")


def test_llamaindex_media_and_thoughts_are_read(tmp_path: Path) -> None:
    message = LlamaMessage(
        [
            ThinkingBlock(content="hm, a picture"),
            ImageBlock(image=b"\x89PNG\r\n\x1a\n" + bytes(8), image_mimetype="image/png"),
            DocumentBlock(url="https://example.org/a.pdf", document_mimetype="application/pdf"),
        ]
    )
    (found,) = read(written(tmp_path, "index.json", json.dumps([message.model_dump(mode="json")])))
    (one,) = found.messages
    assert one.aside == "hm, a picture"
    assert [part.kind for part in one.media] == ["image", "file"]
    assert one.media[1] == Media("file", "https://example.org/a.pdf", "application/pdf")


def test_older_llamaindex_messages_are_read(tmp_path: Path) -> None:
    dumped = [
        {"role": "assistant", "content": None, "additional_kwargs": {"tool_calls": [CALL]}},
        {"role": "tool", "content": "1", "additional_kwargs": {"tool_call_id": "c1", "name": "find"}},
    ]
    (found,) = read(written(tmp_path, "index.json", json.dumps(dumped)))
    assert found.messages[0].tool_calls == (ToolCall("c1", "find", '{"a": 1}'),)
    assert found.messages[1].tool_call_id == "c1"


def test_anthropic_calls_and_results_are_read(tmp_path: Path) -> None:
    use = {"type": "tool_use", "id": "t1", "name": "find", "input": {"a": 1}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "found"}]}
    talk = [
        {"role": "assistant", "content": [{"type": "text", "text": "Wait."}, use]},
        {"role": "user", "content": [result, {"type": "text", "text": "and now?"}]},
    ]
    path = written(tmp_path, "talk.json", json.dumps({"system": [{"type": "text", "text": "Be."}], "messages": talk}))
    assert read(path)[0].messages == (
        Message(Role.SYSTEM, "Be."),
        Message(Role.ASSISTANT, "Wait.", tool_calls=(ToolCall("t1", "find", '{"a":1}'),)),
        Message(Role.TOOL, "found", tool_call_id="t1"),
        Message(Role.USER, "and now?"),
    )


DATA_URL = "data:image/png;base64,AAAA"
GIF = {"type": "base64", "media_type": "image/gif", "data": "R0lG"}
VIDEO = {"type": "video", "url": "https://x.org/v", "mime_type": "video/mp4"}
SOUND = {"data": "AAAA", "format": "wav"}


@pytest.mark.parametrize(
    ("block", "media"),
    [
        ({"type": "image_url", "image_url": {"url": "https://x.org/a"}}, Media("image", "https://x.org/a")),
        ({"type": "image_url", "image_url": DATA_URL}, Media("image", DATA_URL)),
        ({"type": "input_image", "image_url": DATA_URL}, Media("image", DATA_URL)),
        ({"type": "input_audio", "input_audio": SOUND}, Media("audio", "AAAA", "wav")),
        ({"type": "file", "file": {"file_id": "file-1"}}, Media("file", "file-1")),
        ({"type": "image", "source": GIF}, Media("image", "R0lG", "image/gif")),
        (VIDEO, Media("video", "https://x.org/v", "video/mp4")),
        ({"type": "image", "source_type": "id", "id": "img-1"}, Media("image", "img-1")),
        ({"type": "media", "mime_type": "audio/ogg", "data": "T2dn"}, Media("audio", "T2dn", "audio/ogg")),
    ],
)
def test_media_are_read_in_every_shape(block: dict[str, Any], media: Media) -> None:
    message = message_from_plain({"role": "user", "content": ["see", block]})
    assert (message.content, message.media) == ("see", (media,))


def test_times_are_read_where_they_stand() -> None:
    found = [
        message_from_plain({"role": "user", "content": "x", "timestamp": when}).time_s
        for when in (12, "1970-01-01T00:01:00+00:00", "no time", None)
    ]
    assert found == [12.0, 60.0, None, None]


def test_results_inside_a_message_have_its_time(tmp_path: Path) -> None:
    results = [{"type": "tool_result", "tool_use_id": name, "content": "x"} for name in "ab"]
    path = written(tmp_path, "talk.json", json.dumps([{"role": "user", "content": results, "created_at": 12}]))
    assert [message.time_s for message in read(path)[0].messages] == [12.0, 12.0]


def test_the_words_of_a_refusal_are_what_was_said() -> None:
    refused = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    assert message_from_plain(refused).content == "I cannot help with that."
    assert message_from_plain({"role": "assistant", "content": "Yes.", "refusal": None}).content == "Yes."


def test_a_call_of_a_custom_tool_has_its_text_as_input() -> None:
    call = {"id": "c", "type": "custom", "custom": {"name": "run", "input": "print(1)"}}
    found = message_from_plain({"role": "assistant", "content": None, "tool_calls": [call]})
    assert found.tool_calls == (ToolCall("c", "run", '{"input":"print(1)"}'),)


def test_a_corrupt_line_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "talk.jsonl", lines(*OPENAI[:2]) + '{"role": "user",\n' + lines(OPENAI[4]))
    with pytest.raises(TranscriptError, match=r"talk\.jsonl, line 3: not JSON .* fix or remove it"):
        read(path)


def test_an_unknown_role_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "talk.jsonl", lines(OPENAI[0], {"role": "narrator", "content": "x"}))
    with pytest.raises(TranscriptError, match=r"line 2: unknown role 'narrator'; use one of"):
        read(path)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "it is empty"),
        ("[]", "it contains no message"),
        ("{}", "keys none is neither a message nor a conversation"),
        ("3", "an int is not a conversation"),
        ('[{"role": "user", "content": "x"}, 5]', "message 2: an int is not a message"),
        ('[{"role": "user", "content": "x"}, {"text": 1}]', "message 2: .* keys 'text' is not a message"),
        ('{"messages": [{"role": "tool", "content": "x"}]}', "message 1: .* no tool_call_id"),
        ('{"messages": [\n{"role": }]}', "line 2: not JSON"),
    ],
)
def test_what_is_no_transcript_is_told(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(TranscriptError, match=wrong):
        read(written(tmp_path, "talk.json", text))


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match="cannot be read"):
        read(tmp_path / "none.json")
    (tmp_path / "bin.json").write_bytes(b'["\n\xff"]')
    with pytest.raises(TranscriptError, match="line 2: not UTF-8"):
        read(tmp_path / "bin.json")
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(b"[]" * 50)[:-9])
    with pytest.raises(TranscriptError, match="cannot be read"):
        read(tmp_path / "cut.json.gz")


def test_a_tool_result_without_its_call_is_read(tmp_path: Path) -> None:
    (found,) = read(written(tmp_path, "talk.json", json.dumps([OPENAI[3]])))
    assert found.messages[0].tool_call_id == "c1"


@pytest.mark.parametrize("role", ["user", "Assistant", "system", "human", "ai", "developer"])
@pytest.mark.parametrize("content", ["", "hello"])
def test_a_dict_of_role_and_content_is_read_as_one_that_has_more(role: str, content: str) -> None:
    plain = {"role": role, "content": content}
    assert message_from_plain(plain) == message_from_plain({**plain, "more": None})


def test_a_dict_is_taken_as_one_message_or_refused() -> None:
    assert message_from_plain(OPENAI[1]) == SAID[1]
    with pytest.raises(UnknownRole):
        message_from_plain({"role": "narrator", "content": "x"})
    two = [{"type": "tool_result", "tool_use_id": str(i), "content": "x"} for i in range(2)]
    with pytest.raises(InputError, match="results of 2 tool calls"):
        message_from_plain({"role": "user", "content": two})


RESPONSES: list[dict[str, Any]] = [
    {"role": "user", "content": [{"type": "input_text", "text": "how warm is it in Rome and Oslo?"}]},
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "two cities"}]},
    {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "gAAAA"},
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "warmth", "arguments": '{"city": "Rome"}'},
    {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "warmth", "arguments": '{"city": "Oslo"}'},
    {"type": "function_call_output", "id": "fo_1", "call_id": "call_1", "output": "21"},
    {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "4"}]},
    {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "21 and 4", "annotations": []}],
    },
]


@pytest.mark.parametrize("lines", [True, False])
def test_items_of_the_responses_api_are_read_with_their_ids_and_paired(tmp_path: Path, lines: bool) -> None:
    path = tmp_path / ("said.jsonl" if lines else "said.json")
    path.write_text("\n".join(map(json.dumps, RESPONSES)) if lines else json.dumps(RESPONSES))
    (found,) = read(path)
    assert [(m.role.value, m.id, m.content) for m in found.messages] == [
        ("user", "", "how warm is it in Rome and Oslo?"),
        ("assistant", "rs_1", ""),
        ("assistant", "fc_1", ""),
        ("assistant", "fc_2", ""),
        ("tool", "fo_1", "21"),
        ("tool", "", "4"),
        ("assistant", "msg_1", "21 and 4"),
    ]
    assert "two cities" in found.messages[1].aside
    calls = [call for m in found.messages for call in m.tool_calls]
    assert calls == [ToolCall("call_1", "warmth", '{"city": "Rome"}'), ToolCall("call_2", "warmth", '{"city": "Oslo"}')]
    assert [m.tool_call_id for m in found.messages if m.role is Role.TOOL] == ["call_1", "call_2"]
    with Sessions() as sessions:
        assert import_messages(sessions.session("s"), found.messages) == 7
        assert import_messages(sessions.session("s"), found.messages) == 0
        view = sessions.session("s").view()
        assert {m.tool_call_id for m in view.messages if m.tool_call_id} == {"call_1", "call_2"}
        require_accepted({"messages": view.to_openai()}, "openai")
        require_accepted(view.to_anthropic(), "anthropic")


def test_a_custom_call_of_the_responses_api_has_its_text_as_input() -> None:
    item = {"type": "custom_tool_call", "id": "ct_1", "call_id": "c", "name": "run", "input": "ls"}
    assert message_from_plain(item).tool_calls == (ToolCall("c", "run", '{"input":"ls"}'),)


def test_reasoning_that_nobody_may_read_is_no_message() -> None:
    with pytest.raises(InputError, match="without readable text"):
        message_from_plain(RESPONSES[2])
