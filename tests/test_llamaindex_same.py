"""The same application with LlamaIndex' own `ChatMemoryBuffer` and with ours: models hear the same, and so do users."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock
from llama_index.core.chat_engine import (
    CondensePlusContextChatEngine,
    CondenseQuestionChatEngine,
    ContextChatEngine,
    SimpleChatEngine,
)
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.memory import BaseMemory, ChatMemoryBuffer
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context, HumanResponseEvent, InputRequiredEvent
from scripted_llm import ScriptedLLM, assistant, calls, user

from llamaindex_session import SessionMemoryBuffer

LIMIT = 50_000
"""So large that nothing is folded."""

Run = Callable[[BaseMemory], tuple[Any, ScriptedLLM]]


class Notes(BaseRetriever):
    """Finds the same note for every question."""

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [NodeWithScore(node=TextNode(text="The shop opens at nine."), score=1.0)]


def glance(n: int = 0) -> str:
    """Have a short look."""
    return f"page {n} is about tea"


def broken(n: int = 0) -> str:
    """Fail."""
    raise RuntimeError("no page")


async def endless(n: int = 0) -> str:
    """Look for ever."""
    await asyncio.sleep(3_600)
    return ""


TOOLS = [glance, broken, endless, FunctionTool.from_defaults(glance, name="show", return_direct=True)]


def _agents(llm: ScriptedLLM, kind: str) -> Any:
    if kind == "react":
        return ReActAgent(tools=TOOLS, llm=llm)
    first = FunctionAgent(name="a", description="a", tools=TOOLS, llm=llm, streaming=kind != "plain", system_prompt="A")
    if kind != "handoff":
        return first
    second = FunctionAgent(name="b", description="b", tools=TOOLS, llm=llm, system_prompt="B")
    return AgentWorkflow(agents=[first, second], root_agent="a")


def _asked(kind: str, *answers: Any, first: Any = "one?", strict: bool = True, **options: Any) -> Run:
    """Two questions to an agent; the run of the first one may be cancelled, or fail."""

    def run(memory: BaseMemory) -> tuple[Any, ScriptedLLM]:
        llm = ScriptedLLM(*answers, strict=strict)
        agent = _agents(llm, kind)

        async def go() -> list[str]:
            handler = agent.run(user_msg=first, memory=memory, **options)
            said = []
            async for event in handler.stream_events():
                if getattr(event, "tool_name", "") == "endless":
                    await handler.cancel_run()
            with suppress(Exception):
                said.append(str(await handler))
            llm._answers = llm._answers[-1:]
            return [*said, str(await agent.run(user_msg="two?", memory=memory))]

        return asyncio.run(go()), llm

    return run


def _look(name: str = "glance") -> ChatMessage:
    return calls("c1", n=1, name=name)


THOUGHT = "Thought: I can answer without using any more tools.\nAnswer: "
SEEN = ChatMessage(role="user", blocks=[TextBlock(text="see"), ImageBlock(url="http://x/y.png"), TextBlock(text="it")])
AGENTS = {
    "streaming": _asked("streaming", _look(), "tea", "yes"),
    "not streaming": _asked("plain", _look(), "tea", "yes"),
    "parallel calls": _asked("plain", calls("c1", "c2", n=1, name="glance"), _look(), "tea", "yes"),
    "a failing tool": _asked("plain", _look("broken"), "sorry", "yes"),
    "a direct answer": _asked("plain", _look("show"), "yes", strict=False),
    "a cancelled run": _asked("plain", _look("endless"), "yes"),
    "too many iterations": _asked("plain", _look(), _look(), "yes", max_iterations=1),
    "a history": _asked("plain", "tea", "yes", chat_history=[user("hello"), assistant("hi")]),
    "blocks": _asked("plain", "tea", "yes", first=SEEN, strict=False),
    "a handoff": _asked("handoff", calls("h", name="handoff", to_agent="b", reason="tea"), _look(), "tea", "yes"),
    "react": _asked("react", 'Thought: look\nAction: glance\nAction Input: {"n": 1}\n', THOUGHT + "tea", strict=False),
}


def _engine(kind: str, llm: ScriptedLLM, memory: BaseMemory, *, streaming: bool) -> BaseChatEngine:
    if kind == "simple":
        return SimpleChatEngine.from_defaults(llm=llm, memory=memory, system_prompt="be nice")
    if kind == "context":
        return ContextChatEngine.from_defaults(retriever=Notes(), llm=llm, memory=memory, system_prompt="be nice")
    if kind == "condense plus context":
        return CondensePlusContextChatEngine.from_defaults(retriever=Notes(), llm=llm, memory=memory)
    engine = RetrieverQueryEngine.from_args(Notes(), llm=llm, streaming=streaming)
    return CondenseQuestionChatEngine.from_defaults(query_engine=engine, llm=llm, memory=memory)


async def _streamed(engine: BaseChatEngine, parts: int) -> list[str]:
    """Two questions; the answers' first `parts` parts are read, after which nobody reads on."""
    said = []
    for question in ("one?", "two?"):
        answer = await engine.astream_chat(question)
        async for part in answer.async_response_gen():
            said.append(part)
            if len(said) == parts:
                break
        # An answer is put into the memory by a task of its own.
        if answer.awrite_response_to_history_task is not None:
            await asyncio.wait([answer.awrite_response_to_history_task])
    return said


MODES: dict[str, Callable[[BaseChatEngine], Any]] = {
    "chat": lambda engine: [str(engine.chat(question)) for question in ("one?", "two?")],
    "chat with a history": lambda engine: [
        str(engine.chat("one?", chat_history=[user("hello"), assistant("hi")])),
        str(engine.chat("two?")),
    ],
    "reset": lambda engine: [str(engine.chat("one?")), engine.reset(), str(engine.chat("two?"))],
    "stream": lambda engine: ["".join(engine.stream_chat(question).response_gen) for question in ("one?", "two?")],
    "astream": lambda engine: asyncio.run(_streamed(engine, 100)),
    "astream that is left": lambda engine: asyncio.run(_streamed(engine, 1)),
}


def _talked(kind: str, mode: str) -> Run:
    def run(memory: BaseMemory) -> tuple[Any, ScriptedLLM]:
        llm = ScriptedLLM("the first answer", "the second answer", "the third answer", strict=False)
        engine = _engine(kind, llm, memory, streaming="stream" in mode)
        return [MODES[mode](engine), _plain(engine.chat_history)], llm

    return run


ENGINES = ("simple", "context", "condense plus context", "condense question")
APPLICATIONS = AGENTS | {f"{kind}, {mode}": _talked(kind, mode) for kind in ENGINES for mode in MODES}


def _plain(messages: Sequence[ChatMessage]) -> list[Any]:
    """What a provider would be sent of each message."""
    return [
        (m.role.value, [block.model_dump(mode="json") for block in m.blocks], m.additional_kwargs) for m in messages
    ]


def _observed(application: Run, memory: BaseMemory) -> list[Any]:
    said, llm = application(memory)
    return [said, list(map(_plain, llm.heard)), _plain(memory.get_all()), _plain(memory.get())]


@pytest.mark.parametrize("name", APPLICATIONS)
def test_it_goes_as_with_llamaindex_own_memory(name: str, tmp_path: Path) -> None:
    ours = SessionMemoryBuffer.from_defaults(session_id="s", url=f"sqlite:///{tmp_path}/chat.db", token_limit=LIMIT)
    theirs = ChatMemoryBuffer.from_defaults(token_limit=LIMIT)
    expected = _observed(APPLICATIONS[name], theirs)
    assert len(expected[1]) >= 2
    assert _observed(APPLICATIONS[name], ours) == expected


async def confirm(ctx: Context[Any]) -> str:
    """Ask the user."""
    asked = InputRequiredEvent(prefix="sure?")
    answer = await ctx.wait_for_event(HumanResponseEvent, waiter_id="sure", waiter_event=asked)
    return f"the user said {answer.response}"


# LlamaIndex looks for the class itself, not for its name.
confirm.__annotations__["ctx"] = Context


def test_a_run_that_waits_for_a_human_goes_on_in_another_process(tmp_path: Path) -> None:
    memory = SessionMemoryBuffer.from_defaults(session_id="s", url=f"sqlite:///{tmp_path}/chat.db", token_limit=LIMIT)
    llm = ScriptedLLM(calls("c1", name="confirm"), "done", "yes")
    agent = FunctionAgent(tools=[confirm], llm=llm)

    async def until_asked() -> str:
        saved, ctx = "", Context[Any](agent)
        handler = agent.run(user_msg="one?", memory=memory, ctx=ctx)
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                saved = json.dumps(ctx.to_dict())
                await handler.cancel_run()
        with suppress(Exception):
            await handler
        return saved

    async def answered(saved: str) -> None:
        handler = agent.run(ctx=Context.from_dict(agent, json.loads(saved)))
        handler.ctx.send_event(HumanResponseEvent(response="yes"))
        await handler
        await agent.run(user_msg="two?", ctx=handler.ctx)

    asyncio.run(answered(asyncio.run(until_asked())))
    said = [message.content for message in memory.get_all()]
    assert said == ["one?", None, "the user said yes", "done", "two?", "yes"]
    assert [message.content for message in llm.heard[-1]] == said[:-1]
