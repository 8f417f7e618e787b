"""A `ReActAgent`, which keeps its run as steps of reasoning in its context, and tells it to the model as text."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.workflow import Context, WorkflowRuntimeError
from llamaindex_runs import LIMIT, glance, look, run, texts, tokens
from scripted_llm import ScriptedLLM, calls

from llamaindex_session import SessionMemoryBuffer, recall_tool

DONE = "Thought: I know.\nAnswer: item I-1-3 costs 21"


def act(n: int, tool: str = "look", thought: str = "I look.") -> str:
    """What a model writes to call a tool."""
    return f'Thought: {thought}\nAction: {tool}\nAction Input: {{"n": {n}}}'


def _agent(llm: ScriptedLLM, *tools: Any, **fields: Any) -> ReActAgent:
    return ReActAgent(tools=list(tools) or [look], llm=llm, streaming=False, **fields)


def _scripted(*answers: Any) -> ScriptedLLM:
    return ScriptedLLM(*answers, strict=False)


def test_it_remembers_over_runs_whose_context_is_rebuilt(memory: SessionMemoryBuffer) -> None:
    llm = _scripted(act(1, "glance"), DONE, "Thought: easy.\nAnswer: you asked about page 1")
    agent = _agent(llm, glance)

    async def go() -> Any:
        ctx: Context[Any] = Context(agent)
        await agent.run(user_msg="what is on page 1?", memory=memory, ctx=ctx)
        again = Context.from_dict(agent, ctx.to_dict())
        return await agent.run(user_msg="what did I ask?", ctx=again)

    assert str(asyncio.run(go())) == "you asked about page 1"
    assert "what is on page 1?" in texts(llm.heard[-1])
    assert [m.role.value for m in memory.get_all()] == ["user", "assistant"] * 2


@pytest.mark.parametrize("thought", ["I look.", "I have to look, since the page has what was asked for. " * 20])
def test_a_long_run_fits_at_each_step_and_its_record_is_whole(memory: SessionMemoryBuffer, thought: str) -> None:
    llm = _scripted(*(act(n, thought=thought) for n in range(25)), DONE)
    asyncio.run(run(_agent(llm), memory, "read 25 pages", max_iterations=40))
    # The first message is the agent's own prompt, which no memory knows of.
    assert max(tokens(memory, heard[1:]) for heard in llm.heard) <= LIMIT
    assert all("read 25 pages" in texts(heard) for heard in llm.heard)
    assert all(str(heard[-1].content).startswith("Observation: row 0 of page") for heard in llm.heard[1:])
    asked, said = texts(memory.get_all())
    assert asked == "read 25 pages"
    said_in_order = [part for n in range(25) for part in (act(n, thought=thought).split("\n")[0].strip(), look(n))]
    places = [str(said).find(part) for part in said_in_order]
    assert -1 not in places
    assert places[1::2] == sorted(places[1::2])
    assert str(said).endswith(DONE)


def test_a_short_run_is_told_as_with_any_memory(memory: SessionMemoryBuffer) -> None:
    llm = _scripted(act(1, "glance"), act(2, "glance"), DONE)
    asyncio.run(run(_agent(llm, glance), memory, "what is on the pages?"))
    steps = [texts(heard[1:]) for heard in llm.heard]
    first = ["Thought: I look.\nAction: glance\nAction Input: {'n': 1}", f"Observation: {glance(1)}"]
    second = ["Thought: I look.\nAction: glance\nAction Input: {'n': 2}", f"Observation: {glance(2)}"]
    question = "what is on the pages?"
    assert steps == [[question], [question, *first], [question, *first, *second]]
    assert memory.get_all()[-1].content == "\n".join([*first, *second, DONE])


def test_a_long_run_goes_on_after_its_context_was_rebuilt_in_the_middle(memory: SessionMemoryBuffer) -> None:
    def fails(messages: Any) -> ChatMessage:
        raise RuntimeError("the model is gone")

    agent = _agent(_scripted(*(act(n) for n in range(6)), fails))
    llm = _scripted("Thought: I know.\nAnswer: all pages read")
    later = _agent(llm)

    async def go() -> None:
        ctx: Context[Any] = Context(agent)
        with pytest.raises(Exception, match="the model is gone"):
            await agent.run(user_msg="read 6 pages", memory=memory, ctx=ctx)
        again = Context.from_dict(later, json.loads(json.dumps(ctx.to_dict())))
        await later.run(user_msg="go on", ctx=again)

    asyncio.run(go())
    asked, left, then, answer = texts(memory.get_all())
    assert (asked, then) == ("read 6 pages", "go on")
    assert [look(n) in str(left) for n in range(6)] == [True] * 6
    assert answer == "Thought: I know.\nAnswer: all pages read"
    assert llm.heard[0][-1].content == "go on"
    assert tokens(memory, llm.heard[0][1:]) <= LIMIT


@pytest.mark.parametrize("ending", ["force", "generate"])
def test_a_run_that_reached_its_step_limit_is_on_record_before_the_next_question(
    memory: SessionMemoryBuffer, ending: Any
) -> None:
    answers = ["as far as I saw"] if ending == "generate" else []
    llm = _scripted(act(1, "glance"), act(2, "glance"), *answers, DONE)
    agent = _agent(llm, glance)

    async def go() -> None:
        ctx: Context[Any] = Context(agent)
        with suppress(WorkflowRuntimeError):
            await agent.run(user_msg="look", memory=memory, ctx=ctx, max_iterations=2, early_stopping_method=ending)
        await agent.run(user_msg="and page 3?", ctx=ctx)

    asyncio.run(go())
    asked, left, *rest = texts(memory.get_all())
    assert asked == "look"
    assert glance(1) in str(left)
    assert rest == [*answers, "and page 3?", DONE]
    assert texts(llm.heard[-1][1:]) == [asked, left, *answers, "and page 3?"]


def test_what_a_run_shortened_can_be_recalled_within_the_run(memory: SessionMemoryBuffer) -> None:
    def ask(messages: Any) -> ChatMessage:
        clips = [m.content or "" for m in messages if "; whole: ref " in (m.content or "")]
        reference = clips[-1].rpartition("ref ")[2].strip("] \n")
        text = f'Thought: I want it all.\nAction: recall\nAction Input: {{"reference": "{reference}"}}'
        return ChatMessage(text, role="assistant")

    llm = _scripted(act(1), act(2), act(3), ask, DONE)
    agent = _agent(llm, look, recall_tool(memory))
    asyncio.run(run(agent, memory, "read"))
    recalled = str(llm.heard[-1][-1].content)
    assert recalled.startswith("Observation: [recalled: ")
    assert "row 0 of page" in recalled


def test_a_workflow_hands_over_from_it_to_another_agent(memory: SessionMemoryBuffer) -> None:
    handoff = 'Thought: not mine.\nAction: handoff\nAction Input: {"to_agent": "clerk", "reason": "it knows"}'
    first, second = _scripted(act(1), handoff), ScriptedLLM(calls("a", n=2), "page 2 is read", "again")
    front = ReActAgent(name="front", description="greets", tools=[look], llm=first, streaming=False)
    clerk = FunctionAgent(name="clerk", description="reads", tools=[look], llm=second, streaming=False)
    workflow = AgentWorkflow(agents=[front, clerk], root_agent="front")

    async def go() -> None:
        ctx: Context[Any] = Context(workflow)
        await workflow.run(user_msg="read the pages", memory=memory, ctx=ctx)
        await workflow.run(user_msg="once more", ctx=Context.from_dict(workflow, ctx.to_dict()))

    asyncio.run(go())
    said = "\n".join(str(text) for text in texts(memory.get_all()))
    assert look(1) in said
    assert look(2) in said
    assert max(tokens(memory, heard) for heard in second.heard) <= LIMIT
    assert second.heard[-1][-1].content == "once more"
