"""An Anthropic SDK's tool loop with a thinking budget: what was appended as it came goes back as the API wants it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from session_core import Budget, Policy, Sessions, View
from session_core.testing.provider import faults

LONG = "word " * 3_000
SHOWN = {"type": "thinking", "thinking": "first the long file", "signature": "c2ln"}
THOUGHT: dict[str, dict[str, Any]] = {
    "shown": SHOWN,
    "left out by the provider": {"type": "thinking", "thinking": "", "signature": "c2ln"},
    "sealed": {"type": "redacted_thinking", "data": "ZGF0YQ=="},
}


def use(number: int, text: str = "short") -> dict[str, Any]:
    return {"type": "tool_use", "id": f"call_{number}", "name": "write", "input": {"text": text}}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def turn(*blocks: dict[str, Any], answered: Sequence[int] = (1,)) -> list[dict[str, Any]]:
    results = [{"type": "tool_result", "tool_use_id": f"call_{n}", "content": "written"} for n in answered]
    return [
        {"role": "user", "content": "Write the files."},
        {"role": "assistant", "content": list(blocks)},
        {"role": "user", "content": results},
    ]


def shown(said: Sequence[dict[str, Any]], url: str = "memory://", window: int = 60_000) -> View:
    with Sessions(url, policy=Policy(Budget(window, reply_reserve_tokens=0), folding="inline")) as sessions:
        session = sessions.session("s")
        for message in said:
            session.append(message)
        return session.view()


def asked(view: View) -> list[dict[str, Any]]:
    """What stands in the assistant's message of a request that the API answers."""
    request = view.to_anthropic(cache=False)
    request["thinking"] = {"type": "enabled", "budget_tokens": 1_024}
    assert faults(request, "anthropic", prefill=False) == []
    assert faults({"messages": view.to_openai()}, "openai") == []
    return list(request["messages"][1]["content"])


@pytest.mark.parametrize("thought", THOUGHT.values(), ids=THOUGHT)
def test_signed_thinking_goes_back_unaltered_before_its_call(thought: dict[str, Any]) -> None:
    said = [thought, text("I write."), use(1)]
    assert asked(shown(turn(*said))) == said


def test_each_block_stands_where_it_stood() -> None:
    said = [SHOWN, text("One."), {**SHOWN, "thinking": "then"}, text("Two."), use(1), THOUGHT["sealed"], use(2)]
    assert asked(shown(turn(*said, answered=(1, 2)))) == said


@pytest.mark.parametrize("thought", THOUGHT.values(), ids=THOUGHT)
def test_it_stands_before_a_call_whose_arguments_are_cut(thought: dict[str, Any]) -> None:
    first, call = asked(shown(turn(thought, use(1, LONG)), window=1_000))
    assert first == thought
    assert call["input"] != {"text": LONG}


def test_thinking_without_room_is_left_out_whole() -> None:
    view = shown(turn({**SHOWN, "thinking": LONG}, use(1, LONG)), window=1_000)
    assert "thinking" not in str(view.to_anthropic()["messages"])


def test_thinking_that_nobody_signed_is_not_sent() -> None:
    view = shown(turn({"type": "thinking", "thinking": "hm"}, use(1)))
    assert view.to_anthropic(cache=False)["messages"][1]["content"] == [use(1)]


def test_thinking_without_a_call_is_not_sent() -> None:
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [SHOWN, text("Hello.")]}]
    request = shown([*said, {"role": "user", "content": "And?"}]).to_anthropic(cache=False)
    assert request["messages"][1]["content"] == [text("Hello.")]


class Block(BaseModel, extra="allow"):
    """A block as the SDK answers it: an object, with fields that nothing was said in."""

    citations: None = None


def test_the_blocks_of_an_answer_are_taken_as_the_sdk_gives_them() -> None:
    said = [SHOWN, text("I write."), use(1), use(2)]
    question, answer, results = turn(*said, answered=(1, 2))
    answer["content"] = [Block(**block) for block in said]
    assert asked(shown([question, answer, results])) == said


def test_it_is_stored(tmp_path: Path) -> None:
    assert asked(shown(turn(SHOWN, use(1)), f"sqlite:///{tmp_path}/chat.db")) == [SHOWN, use(1)]
