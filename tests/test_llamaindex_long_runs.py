"""Long runs of a `FunctionAgent`: each of its model calls fits, and the record is whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.workflow import Context
from llamaindex_runs import LIMIT, glance, look, run, tokens
from scripted_llm import ScriptedLLM, assistant, calls, user

from llamaindex_session import SessionMemoryBuffer, recall_tool


def _agent(llm: ScriptedLLM, *tools: Any, streaming: bool = False, **fields: Any) -> FunctionAgent:
    return FunctionAgent(tools=list(tools) or [look], llm=llm, streaming=streaming, **fields)


def test_a_long_run_of_tool_calls_fits_and_its_record_is_whole(memory: SessionMemoryBuffer) -> None:
    llm = ScriptedLLM(*(calls(f"c{n}", n=n) for n in range(25)), "all pages read")
    asyncio.run(run(_agent(llm), memory, "read 25 pages", max_iterations=40))
    assert max(tokens(memory, heard) for heard in llm.heard) <= LIMIT
    assert all(user("read 25 pages") in heard for heard in llm.heard)
    record = memory.get_all()
    assert [m.content for m in record if m.role == "tool"] == [look(n) for n in range(25)]
    assert record[-1].content == "all pages read"
    assert len(record) == 52


def test_a_long_run_goes_on_after_its_context_was_rebuilt_in_the_middle(memory: SessionMemoryBuffer) -> None:
    first = ScriptedLLM(*(calls(f"c{n}", n=n) for n in range(6)), _fails)
    then = ScriptedLLM("all pages read")

    async def go() -> None:
        agent = _agent(first)
        ctx: Context[Any] = Context(agent)
        with pytest.raises(Exception, match="the model is gone"):
            await agent.run(user_msg="read 6 pages", memory=memory, ctx=ctx)
        later = _agent(then)
        again = Context.from_dict(later, json.loads(json.dumps(ctx.to_dict())))
        await later.run(user_msg="go on", ctx=again)

    asyncio.run(go())
    assert [m.content for m in memory.get_all() if m.role == "tool"] == [look(n) for n in range(6)]


def test_what_bears_on_the_question_stands_beside_what_the_run_says(memory: SessionMemoryBuffer) -> None:
    for n in range(40):
        talk = f"Room {n} on floor {n % 7} has the locker code LK-{n * 37:04d}, and its window looks out on the yard."
        memory.put_messages([user(talk), assistant(f"Noted, room {n} it is, with its code and its window.")])
    llm = ScriptedLLM(*(calls(f"c{n}", n=n, name="glance") for n in range(3)), "here it is")
    question = "Which locker code has room 3, and which has room 17?"
    asyncio.run(run(_agent(llm, glance), memory, question))
    told = ["\n".join(m.content or "" for m in heard) for heard in llm.heard[1:]]
    assert all("LK-0111" in text and "LK-0629" in text for text in told)
    assert max(tokens(memory, heard) for heard in llm.heard) <= LIMIT


def test_what_a_run_shortened_can_be_recalled_within_therun(memory: SessionMemoryBuffer) -> None:
    told: list[str] = []

    def ask(messages: Sequence[ChatMessage]) -> ChatMessage:
        clips = [m.content or "" for m in messages if m.role == "tool" and "ref " in (m.content or "")]
        told.append(clips[0].rpartition("ref ")[2].strip("] \n"))
        return ChatMessage(
            role="assistant",
            blocks=[ToolCallBlock(tool_call_id="r", tool_name="recall", tool_kwargs={"reference": told[0]})],
        )

    llm = ScriptedLLM(calls("a", n=1), calls("b", n=2), calls("c", n=3), ask, "done")
    asyncio.run(run(_agent(llm, look, recall_tool(memory)), memory, "read"))
    recalled = [m.content for m in memory.get_all() if m.additional_kwargs.get("tool_call_id") == "r"]
    whole = memory.session.expand(told[0]).content
    assert whole in (look(1), look(2), look(3))
    head, _, part = str(recalled[0]).partition("\n")
    assert told[0] in head
    assert len(part) > 100
    assert whole.startswith(part)


def test_two_runs_that_say_the_same_are_both_on_record(memory: SessionMemoryBuffer) -> None:
    for _ in range(2):
        llm = ScriptedLLM(*(calls(f"c{n}", n=n) for n in range(5)), "read")
        asyncio.run(run(_agent(llm), memory, "read 5 pages"))
    assert [m.content for m in memory.get_all() if m.role == "tool"] == [look(n) for n in range(5)] * 2


def _fails(messages: Sequence[ChatMessage]) -> ChatMessage:
    raise RuntimeError("the model is gone")
