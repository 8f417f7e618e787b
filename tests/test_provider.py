"""The strict provider: it answers what the APIs answer, and refuses what they refuse, one rule each."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from session_core import Sessions
from session_core.testing.provider import Api, BadRequest, faults, require_accepted

PNG = "iVBORw0KGgo="


def openai_request() -> dict[str, Any]:
    calls = [
        {"id": name, "type": "function", "function": {"name": "look", "arguments": '{"q": 1}'}} for name in ("a", "b")
    ]
    return {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "look", "name": "ann"},
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "b", "content": "two"},
            {"role": "tool", "tool_call_id": "a", "content": "one"},
            {"role": "assistant", "content": "done"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "see"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
                    {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PNG}"}},
                    {"type": "file", "file": {"file_id": "file-1"}},
                ],
            },
        ]
    }


def anthropic_request() -> dict[str, Any]:
    breakpoint_ = {"type": "ephemeral"}
    return {
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": "look"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "toolu_a", "name": "look", "input": {"q": 1}},
                ],
            },
            {"role": "assistant", "content": [{"type": "tool_use", "id": "b-2", "name": "look", "input": {}}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "b-2", "content": "", "is_error": True},
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_a",
                        "content": [{"type": "text", "text": "one"}, image({"type": "file", "file_id": "f"})],
                        "cache_control": breakpoint_,
                    },
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "see", "cache_control": breakpoint_},
                    image({"type": "base64", "media_type": "image/png", "data": PNG}),
                    image({"type": "url", "url": "https://example.org/a.png"}),
                    document({"type": "base64", "media_type": "application/pdf", "data": PNG}),
                    document({"type": "text", "media_type": "text/plain", "data": "words"}),
                ],
            },
        ],
    }


def image(source: dict[str, Any]) -> dict[str, Any]:
    return {"type": "image", "source": source}


def document(source: dict[str, Any]) -> dict[str, Any]:
    return {"type": "document", "source": source}


@pytest.mark.parametrize(("api", "made"), [("openai", openai_request), ("anthropic", anthropic_request)])
def test_a_sound_request_is_answered(api: Api, made: Callable[[], dict[str, Any]]) -> None:
    assert faults(made(), api, prefill=False) == []


def broken(made: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """`made` with what stands at `path` ("messages.0.content") replaced; None takes it away."""
    changed: Any = copy.deepcopy(made)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = changed
    for step in steps:
        place = place[step]
    if value is None:
        del place[last]
    elif isinstance(place, list) and isinstance(last, int) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return dict(changed)


CALL = "messages.2.tool_calls.0"
HALF = chr(0xD800)
OPENAI = {
    "half of a surrogate pair": ("messages.1.content", f"a{HALF}", "cannot be written"),
    "nothing said": ("messages", [], "messages is no list, or empty"),
    "an unknown role": ("messages.0.role", "model", "messages[0] has no role of the API"),
    "a key of another API": ("messages.1.id", "m1", "messages[1] has an unknown key id"),
    "a speaker's name with a blank": ("messages.1.name", "Ann Lee", "messages[1].name does not match the pattern"),
    "an empty text": ("messages.1.content", " ", "messages[1].content is empty"),
    "no content": ("messages.5.content", None, "messages[5].content is no text and no list of parts, or empty"),
    "an empty list of parts": (
        "messages.6.content",
        [],
        "messages[6].content is no text and no list of parts, or empty",
    ),
    "an empty part": ("messages.6.content.0.text", "", "messages[6].content[0] is empty"),
    "a picture in a system message": (
        "messages.0.content",
        [{"type": "image_url", "image_url": {"url": "https://e"}}],
        "messages[0].content[0] is no part that a system message may have",
    ),
    "a picture that is no base64": (
        "messages.6.content.1.image_url.url",
        "data:image/png;base64,###",
        "messages[6].content[1] has no web address and no image in a data URL",
    ),
    "a picture from a file": (
        "messages.6.content.2.image_url.url",
        "file:///a.png",
        "messages[6].content[2] has no web address and no image in a data URL",
    ),
    "an unknown detail": (
        "messages.6.content.1.image_url.detail",
        "huge",
        "messages[6].content[1] has an unknown detail",
    ),
    "audio of another format": (
        "messages.6.content.3.input_audio.format",
        "ogg",
        "messages[6].content[3] is no audio as wav or mp3 in base64",
    ),
    "a file without its name": (
        "messages.6.content.4.file.filename",
        None,
        "messages[6].content[4] needs a file_id, or a filename and file_data as a data URL",
    ),
    "a call that nobody answers": ("messages.4", None, "messages[4] stands before the results of 1 calls"),
    "a call that is answered twice": (
        "messages.4.tool_call_id",
        "b",
        "messages[4] is a tool message that answers no call right before it",
    ),
    "a result without a call": (
        "messages.2",
        None,
        "messages[2] is a tool message that answers no call right before it",
    ),
    "something between a call and its result": (
        "messages.3",
        {"role": "user", "content": "wait"},
        "messages[3] stands before the results of 2 calls",
    ),
    "calls at the end": (
        "messages.7",
        {"role": "assistant", "tool_calls": openai_request()["messages"][2]["tool_calls"]},
        "the last message leaves 2 calls without results",
    ),
    "no calls in a list of calls": ("messages.2.tool_calls", [], "messages[2].tool_calls is no list, or empty"),
    "a call of no function": (f"{CALL}.type", "tool_call", "messages[2].tool_calls[0] is no call of a function"),
    "an id twice": (f"{CALL}.id", "b", "messages[2].tool_calls has an id twice"),
    "an id of 41 characters": (
        f"{CALL}.id",
        "x" * 41,
        "messages[2].tool_calls[0].id has no characters, or more than 40",
    ),
    "a function's name with a dot": (
        f"{CALL}.function.name",
        "a.b",
        "messages[2].tool_calls[0].function.name does not match the pattern",
    ),
    "arguments that are no JSON": (
        f"{CALL}.function.arguments",
        "{",
        "messages[2].tool_calls[0].function.arguments is no JSON object",
    ),
    "arguments that are a list": (
        f"{CALL}.function.arguments",
        "[]",
        "messages[2].tool_calls[0].function.arguments is no JSON object",
    ),
    "an assistant's words at the end": (
        "messages.6",
        {"role": "assistant", "content": "and so"},
        "the last message is the assistant's",
    ),
}
USE, RESULT = "messages.1.content.2", "messages.3.content.1"
ANTHROPIC = {
    "half of a surrogate pair": ("messages.0.content", f"a{HALF}", "cannot be written"),
    "an argument that is no number": (f"{USE}.input", {"q": float("nan")}, "cannot be written"),
    "nothing said": ("messages", [], "messages is no list of 1 to 100,000"),
    "a system message among the others": (
        "messages.0.role",
        "system",
        "messages.0 has no role of the API (system text stands apart)",
    ),
    "an assistant first": ("messages.0", None, "the first message is not a user's"),
    "a key of another API": ("messages.0.name", "ann", "messages.0 has an unknown key name"),
    "an empty system text": ("system", "", "system is empty"),
    "an empty block of it": ("system.0.text", "\n", "system.0.text is empty"),
    "an empty text": ("messages.0.content", " ", "messages.0.content is empty"),
    "no blocks": ("messages.0.content", [], "messages.0.content is no text and no list of blocks, or empty"),
    "an empty block": ("messages.4.content.0.text", " ", "messages.4.content.0.text is empty"),
    "a key that no block has": ("messages.4.content.0.id", "x", "messages.4.content.0 has an unknown key id"),
    "a picture said by the assistant": (
        "messages.1.content.1",
        image({"type": "url", "url": "https://e"}),
        "messages.1.content.1 is no block that may stand here",
    ),
    "a picture of another kind": (
        "messages.4.content.1.source.media_type",
        "image/tiff",
        "messages.4.content.1.source.media_type is no kind of image",
    ),
    "a picture that is no base64": (
        "messages.4.content.1.source.data",
        "###",
        "messages.4.content.1.source.data is no base64",
    ),
    "a picture from a file": (
        "messages.4.content.2.source.url",
        "file:///a.png",
        "messages.4.content.2.source.url is no web address",
    ),
    "a document of another kind": (
        "messages.4.content.3.source.media_type",
        "text/html",
        "messages.4.content.3.source.media_type is no kind of document",
    ),
    "an empty document": (
        "messages.4.content.4.source.data",
        "",
        "messages.4.content.4.source is no plain text, or empty",
    ),
    "thinking without its signature": ("messages.1.content.0.signature", None, "messages.1.content.0 lacks signature"),
    "an id with a colon": (f"{USE}.id", "functions.look:0", "messages.1.content.2.id does not match the pattern"),
    "an id twice": (f"{USE}.id", "b-2", "an id of a call is used twice"),
    "a tool's name with a dot": (f"{USE}.name", "a.b", "messages.1.content.2.name does not match the pattern"),
    "an input that is a text": (f"{USE}.input", "{}", "messages.1.content.2.input is no object"),
    "a call that nobody answers": ("messages.3.content.0", None, "1 calls have no result right behind them"),
    "a call that is answered twice": (f"{RESULT}.tool_use_id", "b-2", "1 calls have no result right behind them"),
    "a result without a call": (USE, None, "a result answers no call of the turn before it"),
    "a result behind a text": (
        "messages.3.content",
        [{"type": "text", "text": "wait"}, *anthropic_request()["messages"][3]["content"]],
        "stands behind something else",
    ),
    "a result a turn too late": (
        "messages.3",
        {"role": "user", "content": "wait"},
        "2 calls have no result right behind them",
    ),
    "calls at the end": (
        "messages.5",
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
        "the last 1 calls have no results",
    ),
    "a breakpoint inside of a result": (
        f"{RESULT}.content.0.cache_control",
        {"type": "ephemeral"},
        "messages.3.content.1.content.0 has a breakpoint, which belongs to the result",
    ),
    "five breakpoints": (
        "tools",
        [{"name": n, "cache_control": {"type": "ephemeral", "ttl": "1h"}} for n in "ab"],
        "5 cache breakpoints, and 4 may be given",
    ),
    "a breakpoint that lives for a day": (
        f"{RESULT}.cache_control.ttl",
        "24h",
        "a cache breakpoint is not ephemeral, or has an unknown ttl",
    ),
    "a longer breakpoint behind a shorter": (
        "messages.4.content.0.cache_control",
        {"type": "ephemeral", "ttl": "1h"},
        "a cache breakpoint of an hour stands behind one of five minutes",
    ),
    "an assistant's words at the end": (
        "messages.5",
        {"role": "assistant", "content": "and so"},
        "the last message is the assistant's",
    ),
    "blanks behind an assistant's last words": (
        "messages.5",
        {"role": "assistant", "content": "and so "},
        "the assistant's last text ends with white space",
    ),
}


@pytest.mark.parametrize("case", OPENAI)
def test_openai_refuses(case: str) -> None:
    path, value, says = OPENAI[case]
    request = broken(openai_request(), path, value)
    assert says in "; ".join(faults(request, "openai", prefill=False))
    with pytest.raises(BadRequest, match="openai answers 400"):
        require_accepted(request, "openai", prefill=False)


@pytest.mark.parametrize("case", ANTHROPIC)
def test_anthropic_refuses(case: str) -> None:
    path, value, says = ANTHROPIC[case]
    assert says in "; ".join(faults(broken(anthropic_request(), path, value), "anthropic", prefill=False))


def test_an_assistants_words_at_the_end_are_a_prefill_where_that_is_allowed() -> None:
    path, said, _ = OPENAI["an assistant's words at the end"]
    assert faults(broken(openai_request(), path, said), "openai") == []
    path, said, _ = ANTHROPIC["an assistant's words at the end"]
    assert faults(broken(anthropic_request(), path, said), "anthropic") == []
    path, said, _ = ANTHROPIC["blanks behind an assistant's last words"]
    assert faults(broken(anthropic_request(), path, said), "anthropic") != []


def test_what_a_view_gives_is_taken_as_it_is() -> None:
    view = Sessions("memory://").session("s").view()
    require_accepted([*view.to_openai(), {"role": "user", "content": "Hello"}], "openai")
    with pytest.raises(BadRequest, match="openai answers 400"):
        require_accepted([{"role": "tool", "content": "x", "tool_call_id": "a"}], "openai")


def test_faults_say_where_and_never_what() -> None:
    request = broken(anthropic_request(), "messages.0.content", [{"type": "secret words", "text": "more secret words"}])
    assert faults(request, "anthropic") == ["messages.0.content.0 is no block that may stand here"]
