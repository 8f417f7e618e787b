"""Chat engines of LlamaIndex with a `SessionMemoryBuffer`: blocking, awaited, streamed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.chat_engine import CondensePlusContextChatEngine, ContextChatEngine, SimpleChatEngine
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llamaindex_runs import LIMIT, texts, tokens
from scripted_llm import ScriptedLLM, assistant, user

from llamaindex_session import SessionMemoryBuffer


class Notes(BaseRetriever):
    """Finds the same note for every question."""

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [NodeWithScore(node=TextNode(text="The shop opens at nine."), score=1.0)]


def test_a_simple_engine_remembers_and_its_history_is_whole(memory: SessionMemoryBuffer) -> None:
    llm = ScriptedLLM("ok")
    engine = SimpleChatEngine.from_defaults(llm=llm, memory=memory, system_prompt="Be brief.")
    for n in range(60):
        engine.chat(f"question {n}: " + "tell me more about it " * 10)
    assert max(tokens(memory, heard[1:]) for heard in llm.heard) <= LIMIT
    assert len(engine.chat_history) == 120
    engine.reset()
    assert engine.chat_history == []


def test_a_simple_engine_makes_its_own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    llm = ScriptedLLM("ok", context_window=4_000)
    history = [user("hi"), assistant("hello")]
    engine = SimpleChatEngine.from_defaults(llm=llm, memory_cls=SessionMemoryBuffer, chat_history=history)
    engine.chat("and?")
    assert texts(engine.chat_history) == ["hi", "hello", "and?", "ok"]
    assert (tmp_path / "llm-sessions.db").exists()


def test_a_streaming_engine_writes_from_its_thread(memory: SessionMemoryBuffer) -> None:
    engine = SimpleChatEngine.from_defaults(llm=ScriptedLLM("a long answer"), memory=memory)
    for _ in range(3):
        response = engine.stream_chat("hello")
        assert "".join(response.response_gen) == "a long answer"
    assert texts(memory.get_all()) == ["hello", "a long answer"] * 3


def test_an_awaited_streaming_engine_writes_too(memory: SessionMemoryBuffer) -> None:
    engine = SimpleChatEngine.from_defaults(llm=ScriptedLLM("a long answer"), memory=memory)

    async def go() -> str:
        response = await engine.astream_chat("hello")
        return "".join([part async for part in response.async_response_gen()])

    assert asyncio.run(go()) == "a long answer"
    assert texts(memory.get_all()) == ["hello", "a long answer"]


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
    assert texts(memory.get_all()) == ["when does the shop open?", "at nine"]


def test_an_engine_in_a_notebook_blocks_inside_the_running_loop(memory: SessionMemoryBuffer) -> None:
    engine = SimpleChatEngine.from_defaults(llm=ScriptedLLM("hi"), memory=memory)

    async def notebook() -> str:
        return str(engine.chat("hello"))

    assert asyncio.run(notebook()) == "hi"
