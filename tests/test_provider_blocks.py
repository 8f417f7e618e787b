"""Blocks that only providers read go back to them: reasoning they signed, what their own tools did, approvals."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_openai.chat_models.base import _construct_responses_api_input
from llama_index.core.base.llms import types as li
from strict_model import payloads

from langchain_session import SessionChatMessageHistory
from langchain_session.conversion.messages import as_shown, from_core_many, to_core
from llamaindex_session.messages import from_core as to_llama
from llamaindex_session.messages import to_core as from_llama
from session_core import Budget, Policy, Sessions
from session_core.testing.provider import faults

LONG = "word " * 3_000


def seen(said: Sequence[BaseMessage], window: int = 60_000) -> list[BaseMessage]:
    """What a model is handed of a session that `said` was said in."""
    with Sessions(policy=Policy(Budget(window, reply_reserve_tokens=0), folding="inline")) as sessions:
        history = SessionChatMessageHistory("s", sessions=sessions)
        history.add_messages(said)
        return from_core_many(sessions.session("s").view().messages)


def calls(text: str) -> list[dict[str, Any]]:
    return [{"name": "write", "args": {"text": text}, "id": "call_1"}, {"name": "write", "args": {}, "id": "call_2"}]


THOUGHT = {
    "shown": {"type": "thinking", "thinking": "first the long file", "signature": "c2ln"},
    "shown by a few letters": {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
    "left out by the provider": {"type": "thinking", "thinking": "", "signature": "c2ln"},
    "sealed": {"type": "redacted_thinking", "data": "ZGF0YQ=="},
}


def thinking_turn(thought: dict[str, Any], text: str, answered: Sequence[str]) -> list[BaseMessage]:
    asked = [
        {"type": "tool_use", "id": call["id"], "name": call["name"], "input": call["args"]} for call in calls(text)
    ]
    return [
        HumanMessage("Write both files."),
        AIMessage([thought, *asked], tool_calls=calls(text)),
        *(ToolMessage("written", tool_call_id=one) for one in answered),
    ]


@pytest.mark.parametrize("thought", THOUGHT.values(), ids=THOUGHT)
@pytest.mark.parametrize(
    ("text", "answered", "window"),
    [(LONG, ["call_1", "call_2"], 1_000), ("short", ["call_2"], 60_000)],
    ids=["arguments that are cut", "a call without its result"],
)
def test_signed_reasoning_goes_back_unaltered_before_the_calls_it_led_to(
    thought: dict[str, Any], text: str, answered: list[str], window: int
) -> None:
    _, request = payloads(seen(thinking_turn(thought, text, answered), window))
    request["thinking"] = {"type": "enabled", "budget_tokens": 1_024}
    assert faults(request, "anthropic", prefill=False) == []
    assistant = request["messages"][1]["content"]
    assert assistant[0] == thought
    assert [block["id"] for block in assistant[1:]] == answered


def test_the_strict_provider_wants_thinking_before_calls_and_never_at_an_end() -> None:
    request = payloads(thinking_turn(THOUGHT["shown"], "short", ["call_1", "call_2"]))[1]
    said = request["messages"][1]["content"]
    request["thinking"] = {"type": "enabled", "budget_tokens": 1_024}
    assert faults(request, "anthropic", prefill=False) == []
    said.append(said.pop(0))
    assert faults(request, "anthropic", prefill=False) == ["messages.1 ends with thinking"]
    said.pop()
    told = "thinking is enabled, and the calls that are answered stand without the thinking before them"
    assert faults(request, "anthropic", prefill=False) == [told]


def test_reasoning_that_has_no_room_is_left_out_whole() -> None:
    thought = {"type": "thinking", "thinking": LONG, "signature": "c2ln"}
    view = seen(thinking_turn(thought, LONG, ["call_1", "call_2"]), 1_000)
    assert "thinking" not in str(view[1].content)
    assert faults(payloads(view)[1], "anthropic", prefill=False) == []


def test_of_a_live_message_reasoning_is_left_out_where_the_view_has_no_room() -> None:
    live = AIMessage([THOUGHT["shown"], {"type": "text", "text": "I write."}])
    clipped = replace(to_core(live), rendition="clip")
    assert as_shown(live, replace(clipped, aside="")).content == "I write."
    assert as_shown(live, clipped).content == live.content


@pytest.mark.parametrize("room", [True, False])
def test_llamaindex_hands_signed_reasoning_back_whole_or_not_at_all(room: bool) -> None:
    thought = li.ThinkingBlock(content="first the long file", additional_information={"signature": "c2ln"})
    call = li.ToolCallBlock(tool_call_id="call_1", tool_name="write", tool_kwargs={"text": "short"})
    core = from_llama(li.ChatMessage(role="assistant", blocks=[thought, call]))
    core = replace(core, id="m1", rendition="clip", aside=core.aside if room else "")
    blocks = to_llama(core).blocks
    assert blocks == [thought, call] if room else blocks == [call]


IMAGE = base64.b64encode(bytes(range(256)) * 1_000).decode()
ITEMS: dict[str, list[BaseMessage]] = {
    "an approval": [
        AIMessage(
            [
                {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "d", "tools": []},
                {"type": "mcp_approval_request", "id": "mcpr_1", "arguments": "{}", "name": "n", "server_label": "d"},
            ]
        ),
        HumanMessage([{"type": "mcp_approval_response", "approve": True, "approval_request_id": "mcpr_1"}]),
    ],
    "a picture that was made": [
        AIMessage([{"type": "image_generation_call", "id": "ig_1", "result": IMAGE, "status": "completed"}]),
        HumanMessage("Make it red."),
    ],
    "a screen": [
        AIMessage(
            [
                {"type": "reasoning", "id": "rs_1", "summary": []},
                {"type": "computer_call", "id": "cu_1", "call_id": "call_1", "action": {"type": "click", "x": 1}},
            ]
        ),
        ToolMessage(
            [{"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}],
            tool_call_id="call_1",
            additional_kwargs={"type": "computer_call_output"},
        ),
    ],
    "a search that goes on": [
        AIMessage(
            [
                {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
                {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
            ]
        ),
    ],
    "a block of LangChain's own shape": [
        AIMessage([{"type": "non_standard", "value": {"type": "mcp_approval_request", "id": "mcpr_1", "name": "n"}}]),
    ],
    "rows of a tool": [
        AIMessage("", tool_calls=calls("x")[1:]),
        ToolMessage([{"json": {"rows": [1, 2]}}], tool_call_id="call_2"),
    ],
}


@pytest.mark.parametrize("said", ITEMS.values(), ids=ITEMS)
def test_what_only_a_provider_reads_is_in_the_view_as_it_came(said: list[BaseMessage]) -> None:
    view = seen([HumanMessage("Do it."), *said])
    assert [(type(m), m.content) for m in view[1:]] == [(type(m), m.content) for m in said]


def test_a_screen_is_sent_behind_the_call_that_asked_for_it() -> None:
    sent = _construct_responses_api_input(seen([HumanMessage("Click."), *ITEMS["a screen"]]))
    assert [one["type"] for one in sent] == ["message", "reasoning", "computer_call", "computer_call_output"]


@pytest.mark.parametrize("thought", [*THOUGHT.values(), {"type": "reasoning", "id": "rs_1", "summary": []}])
def test_what_was_only_thought_is_no_message_for_a_provider(thought: dict[str, Any]) -> None:
    assert [m.type for m in seen([HumanMessage("Do it."), AIMessage([thought]), HumanMessage("And?")])] == ["human"] * 2


def test_a_picture_costs_what_a_picture_costs_not_its_letters() -> None:
    made = to_core(ITEMS["a picture that was made"][0])
    ran = {"type": "code_interpreter_call", "id": "ci_1", "outputs": [{"url": f"data:image/png;base64,{IMAGE}"}]}
    assert [part.data for part in made.media] == [IMAGE]
    assert IMAGE not in made.aside + to_core(AIMessage([ran, {"type": "text", "text": "Done."}])).aside
