"""Real agents, workflows and chat engines of LlamaIndex with a `SessionMemoryBuffer` and a scripted model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage, TextBlock, ToolCallBlock
from llama_index.core.chat_engine import CondensePlusContextChatEngine, ContextChatEngine, SimpleChatEngine
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context
from scripted_llm import ScriptedLLM, assistant, calls, user

from llamaindex_session import SessionMemoryBuffer, recall_tool
from llamaindex_session.messages import to_core

LIMIT = 2_000


@pytest.fixture
def memory(tmp_path: Path) -> SessionMemoryBuffer:
    return SessionMemoryBuffer.from_defaults(session_id="one", url=f"sqlite:///{tmp_path}/chat.db", token_limit=LIMIT)


class Notes(BaseRetriever):
    """Finds the same note for every question."""

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [NodeWithScore(node=TextNode(text="The shop opens at nine."), score=1.0)]


def look(n: int = 0) -> str:
    """Look something up."""
    return "\n".join(f"row {i} of page {n}: item I-{n}-{i} costs {i * 7}" for i in range(400))


def glance(n: int = 0) -> str:
    """Have a short look."""
    return f"page {n} is about tea"


def _agent(llm: ScriptedLLM, *tools: Any, streaming: bool = False, **fields: Any) -> FunctionAgent:
    return FunctionAgent(tools=list(tools) or [look], llm=llm, streaming=streaming, **fields)


def _texts(messages: Sequence[ChatMessage]) -> list[str | None]:
    return [message.content for message in messages]


@pytest.mark.parametrize("streaming", [False, True])
def test_a_function_agent_remembers_over_runs_whose_context_is_rebuilt(
    memory: SessionMemoryBuffer, streaming: bool
) -> None:
    llm = ScriptedLLM(calls("a", n=1, name="glance"), "the first one", "the second one", "the third one")
    agent = _agent(llm, glance, streaming=streaming)

    async def go() -> Context[Any]:
        ctx: Context[Any] = Context(agent)
        await agent.run(user_msg="what is on page 1?", memory=memory, ctx=ctx)
        for question in ("and now?", "and then?"):
            ctx = Context.from_dict(agent, json.loads(json.dumps(ctx.to_dict())))
            await agent.run(user_msg=question, ctx=ctx)
        return ctx

    asyncio.run(go())
    asked = ["what is on page 1?", "and now?", "and then?"]
    assert [m.content for m in memory.get_all() if m.role == "user"] == asked
    assert [m.content for m in llm.heard[-1] if m.role == "user"][-3:] == asked
    assert memory.get_all()[-1].content == "the third one"


def test_the_record_has_every_message_of_a_run_as_it_was(memory: SessionMemoryBuffer) -> None:
    llm = ScriptedLLM(calls("a", "b", n=1), "done")
    asyncio.run(_run(_agent(llm), memory, "look twice"))
    got = memory.get_all()
    assert [m.role.value for m in got] == ["user", "assistant", "tool", "tool", "assistant"]
    assert got[1] == calls("a", "b", n=1)
    assert [m.content for m in got[2:4]] == [look(1), look(1)]
    assert [m.additional_kwargs for m in got[2:4]] == [{"tool_call_id": "a"}, {"tool_call_id": "b"}]


def test_a_long_run_of_tool_calls_fits_and_its_record_is_whole(memory: SessionMemoryBuffer) -> None:
    llm = ScriptedLLM(*(calls(f"c{n}", n=n) for n in range(25)), "all pages read")
    asyncio.run(_run(_agent(llm), memory, "read 25 pages", max_iterations=40))
    measure = memory.chat_store.sessions.services.measure
    assert max(sum(measure(to_core(m)) for m in heard) for heard in llm.heard) <= LIMIT
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
    asyncio.run(_run(_agent(llm, glance), memory, question))
    measure = memory.chat_store.sessions.services.measure
    told = ["\n".join(m.content or "" for m in heard) for heard in llm.heard[1:]]
    assert all("LK-0111" in text and "LK-0629" in text for text in told)
    assert max(sum(measure(to_core(m)) for m in heard) for heard in llm.heard) <= LIMIT


def test_what_a_run_shortened_can_be_recalled_within_the_run(memory: SessionMemoryBuffer) -> None:
    told: list[str] = []

    def ask(messages: Sequence[ChatMessage]) -> ChatMessage:
        clips = [m.content or "" for m in messages if m.role == "tool" and "ref " in (m.content or "")]
        told.append(clips[0].rpartition("ref ")[2].strip("] \n"))
        return ChatMessage(
            role="assistant",
            blocks=[ToolCallBlock(tool_call_id="r", tool_name="recall", tool_kwargs={"reference": told[0]})],
        )

    llm = ScriptedLLM(calls("a", n=1), calls("b", n=2), calls("c", n=3), ask, "done")
    asyncio.run(_run(_agent(llm, look, recall_tool(memory)), memory, "read"))
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
        asyncio.run(_run(_agent(llm), memory, "read 5 pages"))
    assert [m.content for m in memory.get_all() if m.role == "tool"] == [look(n) for n in range(5)] * 2


def test_the_state_prompt_never_reaches_the_record(memory: SessionMemoryBuffer) -> None:
    agent = _agent(ScriptedLLM("ok"), initial_state={"mood": "fine"})
    asyncio.run(_run(agent, memory, "hello"))
    assert _texts(memory.get_all()) == ["hello", "ok"]


def test_a_tool_may_copy_the_state_that_holds_the_memory(memory: SessionMemoryBuffer) -> None:
    async def count(ctx: Context) -> str:
        """Count."""
        async with ctx.store.edit_state() as state:
            state["n"] = state.get("n", 0) + 1
        return str(await ctx.store.get("n"))

    # LlamaIndex looks for the class itself, not for its name.
    count.__annotations__["ctx"] = Context
    agent = _agent(ScriptedLLM(calls("a", name="count"), "one"), FunctionTool.from_defaults(async_fn=count))
    asyncio.run(_run(agent, memory, "count"))
    assert _texts(memory.get_all()) == ["count", None, "1", "one"]


def test_a_failing_model_leaves_the_question_and_the_next_run_goes_on(memory: SessionMemoryBuffer) -> None:
    with pytest.raises(Exception, match="the model is gone"):
        asyncio.run(_run(_agent(ScriptedLLM(_fails)), memory, "hello?"))
    assert _texts(memory.get_all()) == ["hello?"]
    asyncio.run(_run(_agent(ScriptedLLM("hi")), memory, "are you there?"))
    assert _texts(memory.get_all()) == ["hello?", "are you there?", "hi"]


def test_two_users_of_one_agent_never_see_each_other(memory: SessionMemoryBuffer) -> None:
    other = SessionMemoryBuffer.from_defaults(session_id="two", chat_store=memory.chat_store)
    llm = ScriptedLLM("ok")
    agent = _agent(llm)

    async def go() -> None:
        await asyncio.gather(
            *(agent.run(user_msg=f"mine {n}", memory=memory) for n in range(3)),
            *(agent.run(user_msg=f"theirs {n}", memory=other) for n in range(3)),
        )

    asyncio.run(go())
    asked = sorted(m.content or "" for m in memory.get_all() if m.role == "user")
    assert asked == ["mine 0", "mine 1", "mine 2"]
    assert all("mine" not in (m.content or "") for m in other.get_all())


def test_a_run_sees_what_another_said_in_the_meantime_from_its_next_question_on(memory: SessionMemoryBuffer) -> None:
    quick = ScriptedLLM("the other answer")

    async def wait() -> str:
        """Let another run ask and be answered."""
        await _run(_agent(quick), memory, "the other question")
        memory.put(assistant("a word from aside"))
        return "waited"

    llm = ScriptedLLM(calls("a", name="wait"), "my answer", "my second answer")
    agent = _agent(llm, FunctionTool.from_defaults(async_fn=wait))

    async def go() -> None:
        ctx: Context[Any] = Context(agent)
        await agent.run(user_msg="my question", memory=memory, ctx=ctx)
        await agent.run(user_msg="my second question", ctx=ctx)

    asyncio.run(go())
    assert _texts(quick.heard[0]) == ["my question", "the other question"]
    assert [m.role.value for m in llm.heard[1]] == ["user", "assistant", "tool"]
    between = ["my question", "the other question", "the other answer", "a word from aside"]
    assert _texts(llm.heard[2])[:4] == between
    assert _texts(llm.heard[2])[-2:] == ["my answer", "my second question"]
    assert len(memory.get_all()) == len(llm.heard[2]) + 1


def test_a_chat_history_that_a_run_is_given_is_all_that_it_sees(memory: SessionMemoryBuffer) -> None:
    llm = ScriptedLLM("one", "two")
    agent = _agent(llm)

    async def go() -> None:
        ctx: Context[Any] = Context(agent)
        await agent.run(user_msg="first", memory=memory, ctx=ctx)
        history = [user("first"), assistant("one"), assistant("by another"), user("second")]
        await agent.run(chat_history=history, ctx=ctx)

    asyncio.run(go())
    assert _texts(llm.heard[1]) == ["first", "one", "by another", "second"]


def test_a_chat_history_that_is_passed_along_is_stored_once(memory: SessionMemoryBuffer) -> None:
    agent = _agent(ScriptedLLM("ok"))
    for question in ("one", "two", "three"):
        asyncio.run(_run(agent, memory, question, chat_history=memory.get()))
    assert _texts(memory.get_all()) == ["one", "ok", "two", "ok", "three", "ok"]
    assert len(memory.session.record(all_branches=True)) == 6


def test_a_react_agent_remembers(memory: SessionMemoryBuffer) -> None:
    llm = ScriptedLLM(
        'Thought: I look.\nAction: glance\nAction Input: {"n": 1}',
        "Thought: I know.\nAnswer: item I-1-3 costs 21",
        "Thought: easy.\nAnswer: you asked about page 1",
        strict=False,
    )
    agent = ReActAgent(tools=[glance], llm=llm, streaming=False)

    async def go() -> Any:
        ctx: Context[Any] = Context(agent)
        await agent.run(user_msg="what is on page 1?", memory=memory, ctx=ctx)
        again = Context.from_dict(agent, ctx.to_dict())
        return await agent.run(user_msg="what did I ask?", ctx=again)

    assert str(asyncio.run(go())) == "you asked about page 1"
    assert "what is on page 1?" in _texts(llm.heard[-1])
    assert [m.role.value for m in memory.get_all()] == ["user", "assistant"] * 2


def test_a_workflow_of_agents_shares_one_memory(memory: SessionMemoryBuffer) -> None:
    handoff = calls("h", name="handoff", to_agent="clerk", reason="it knows")
    llm = ScriptedLLM(handoff, calls("a", n=2), "page 2 is read", "again")
    front = FunctionAgent(name="front", description="greets", tools=[look], llm=llm, streaming=False)
    clerk = FunctionAgent(name="clerk", description="reads", tools=[look], llm=llm, streaming=False)
    workflow = AgentWorkflow(agents=[front, clerk], root_agent="front")

    async def go() -> None:
        ctx: Context[Any] = Context(workflow)
        await workflow.run(user_msg="read page 2", memory=memory, ctx=ctx)
        again = Context.from_dict(workflow, ctx.to_dict())
        await workflow.run(user_msg="once more", ctx=again)

    asyncio.run(go())
    roles = [m.role.value for m in memory.get_all()]
    assert roles == [
        "user", "assistant", "tool", "assistant", "tool", "assistant", "user", "assistant",
    ]  # fmt: skip
    assert look(2) in _texts(memory.get_all())


def test_a_simple_engine_remembers_and_its_history_is_whole(memory: SessionMemoryBuffer) -> None:
    llm = ScriptedLLM("ok")
    engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory, system_prompt="Be brief.")
    for n in range(60):
        engine.chat(f"question {n}: " + "tell me more about it " * 10)
    measure = memory.chat_store.sessions.services.measure
    assert max(sum(measure(to_core(m)) for m in heard[1:]) for heard in llm.heard) <= LIMIT
    assert len(engine.chat_history) == 120
    engine.reset()
    assert engine.chat_history == []


def test_a_simple_engine_makes_its_own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    llm = ScriptedLLM("ok", context_window=4_000)
    history = [user("hi"), assistant("hello")]
    engine = SimpleChatEngine.from_defaults(llm=llm, memory_cls=SessionMemoryBuffer, chat_history=history)
    engine.chat("and?")
    assert _texts(engine.chat_history) == ["hi", "hello", "and?", "ok"]
    assert (tmp_path / "llm-sessions.db").exists()


def test_a_streaming_engine_writes_from_its_thread(memory: SessionMemoryBuffer) -> None:
    engine = SimpleChatEngine.from_defaults(llm=ScriptedLLM("a long answer"), memory=memory)
    for _ in range(3):
        response = engine.stream_chat("hello")
        assert "".join(response.response_gen) == "a long answer"
    assert _texts(memory.get_all()) == ["hello", "a long answer"] * 3


def test_an_awaited_streaming_engine_writes_too(memory: SessionMemoryBuffer) -> None:
    engine = SimpleChatEngine.from_defaults(llm=ScriptedLLM("a long answer"), memory=memory)

    async def go() -> str:
        response = await engine.astream_chat("hello")
        return "".join([part async for part in response.async_response_gen()])

    assert asyncio.run(go()) == "a long answer"
    assert _texts(memory.get_all()) == ["hello", "a long answer"]


@pytest.mark.parametrize("kind", [ContextChatEngine, CondensePlusContextChatEngine])
@pytest.mark.parametrize("awaited", [False, True])
def test_engines_with_retrievers_remember(memory: SessionMemoryBuffer, kind: Any, awaited: bool) -> None:
    llm = ScriptedLLM("at nine")
    engine = kind.from_defaults(retriever=Notes(), llm=llm, memory=memory)
    for n in range(40):
        question = f"question {n}: when does the shop open? " + "please " * 30
        said = asyncio.run(engine.achat(question)) if awaited else engine.chat(question)
        assert str(said) == "at nine"
    assert len(memory.get_all()) == 80
    assert any("question 38" in (m.content or "") for m in llm.heard[-1])
    assert len(llm.heard[-1]) < 60


@pytest.mark.parametrize("kind", [ContextChatEngine, CondensePlusContextChatEngine])
def test_engines_with_retrievers_stream(memory: SessionMemoryBuffer, kind: Any) -> None:
    engine = kind.from_defaults(retriever=Notes(), llm=ScriptedLLM("at nine"), memory=memory)
    response = engine.stream_chat("when does the shop open?")
    assert "".join(response.response_gen) == "at nine"
    assert _texts(memory.get_all()) == ["when does the shop open?", "at nine"]


def test_an_engine_in_a_notebook_blocks_inside_the_running_loop(memory: SessionMemoryBuffer) -> None:
    engine = SimpleChatEngine.from_defaults(llm=ScriptedLLM("hi"), memory=memory)

    async def notebook() -> str:
        return str(engine.chat("hello"))

    assert asyncio.run(notebook()) == "hi"


async def _run(agent: FunctionAgent, memory: SessionMemoryBuffer, question: str, **more: Any) -> Any:
    return await agent.run(user_msg=question, memory=memory, **more)


def _fails(messages: Sequence[ChatMessage]) -> ChatMessage:
    raise RuntimeError("the model is gone")


def test_the_messages_agents_edit_are_never_the_records(memory: SessionMemoryBuffer) -> None:
    memory.put(user("hello"))
    block = asyncio.run(memory.aget())[-1].blocks[0]
    assert isinstance(block, TextBlock)
    block.text = "edited"
    assert _texts(asyncio.run(memory.aget())) == ["hello"]
