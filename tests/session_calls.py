"""Calls of a runnable in each voice, whole and streamed, and what a session keeps of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.runnables import Runnable

from session_core import Budget, Policy, Sessions

POLICY = Policy(Budget(2_000, reply_reserve_tokens=0), folding="inline")


CONFIG: dict[str, Any] = {"configurable": {"session_id": "s"}}


def blocking(talk: Runnable[Any, Any], said: Any, config: dict[str, Any] = CONFIG) -> Any:
    return talk.invoke(said, config)


def awaiting(talk: Runnable[Any, Any], said: Any, config: dict[str, Any] = CONFIG) -> Any:
    return asyncio.run(talk.ainvoke(said, config))


def streaming(talk: Runnable[Any, Any], said: Any, config: dict[str, Any] = CONFIG) -> Any:
    return joined(list(talk.stream(said, config)))


def streaming_awaited(talk: Runnable[Any, Any], said: Any, config: dict[str, Any] = CONFIG) -> Any:
    async def collect() -> Any:
        return joined([piece async for piece in talk.astream(said, config)])

    return asyncio.run(collect())


def joined(pieces: list[Any]) -> Any:
    whole = pieces[0]
    for piece in pieces[1:]:
        whole = whole + piece
    return whole


every_voice = pytest.mark.parametrize("call", [blocking, awaiting, streaming, streaming_awaited])


def kept(sessions: Sessions, name: str = "s") -> list[tuple[str, str]]:
    return [(m.role.value, m.content) for m in sessions.session(name).record()]
