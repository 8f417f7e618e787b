"""`SessionSaver(inner=...)`: another saver keeps the checkpoints, whole and as without us; runs get the view."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest
from blocking_voice import ALL, BASE
from inner_savers import (
    EDITS,
    BlockingInner,
    WholeSaver,
    awaiting_saver,
    blocking_savers,
    history,
    kept,
    questions,
    talker,
)
from langchain.agents import create_agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from talking_graphs import CONFIG, POLICY, ask

from langchain_session import SessionMiddleware, SessionSaver, attach
from langchain_session.conversion.messages import to_core
from langchain_session.saver import InnerSaver
from session_core.errors import ConfigError, NotOffered


async def passed(make: Any, capabilities: tuple[str, ...] = ALL) -> set[str]:
    """The capabilities of the official kit that the savers `make` gives pass."""

    @checkpointer_test(name="inner")
    async def factory():
        async with make() as saver:
            yield saver

    report = await validate(factory, capabilities=set(capabilities))
    return {name for name, result in report.results.items() if result.passed}


@pytest.mark.parametrize("kind", ["memory", "whole", "sqlite", "postgres"])
@pytest.mark.parametrize("voice", ["awaiting", "blocking"])
def test_it_passes_every_capability_of_the_official_kit_that_the_inner_saver_passes(kind, voice, postgres, tmp_path):
    names = count()

    @asynccontextmanager
    async def bare():
        async with awaiting_saver(kind, postgres, tmp_path / f"{next(names)}.db") as saver:
            yield saver

    @asynccontextmanager
    async def awaiting():
        async with bare() as saver, SessionSaver(inner=saver) as ours:
            yield ours

    @asynccontextmanager
    async def blocking():
        if kind == "whole":
            yield BlockingInner(inner=WholeSaver())
            return
        with blocking_savers(kind, postgres, tmp_path / f"{next(names)}.db") as (saver,):
            yield BlockingInner(inner=saver)

    alone = asyncio.run(passed(bare))
    assert alone >= set(BASE)
    assert asyncio.run(passed(awaiting if voice == "awaiting" else blocking)) >= alone


def test_runs_fit_and_the_inner_saver_has_what_it_would_have_without_us(twins, sessions_beside):
    mine, plain = twins
    seen: list[list[AnyMessage]] = []
    saver = SessionSaver(sessions_beside, inner=mine)
    ask(talker(saver, seen=seen), *range(30))
    ask(talker(plain), *range(30))
    begun = [messages for messages in seen if messages[-1].type == "human"]
    squeeze = sessions_beside.services
    assert max(sum(squeeze.measure(to_core(m)) for m in messages) for messages in begun) <= POLICY.budget.limit_tokens
    assert len(kept(mine)) == 120
    assert history(mine) == history(plain)
    assert len(sessions_beside.session("t").record()) == 120


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
def test_every_durability_leaves_the_same_as_without_us(twins, durability):
    mine, plain = twins
    for saver in (SessionSaver(inner=mine, policy=POLICY), plain):
        ask(talker(saver), *range(12), durability=durability)
    assert history(mine) == history(plain)


def test_the_awaiting_voice_does_the_same(sessions_beside, tmp_path, postgres):
    async def talk(kind: str) -> tuple[Any, Any]:
        async with (
            awaiting_saver(kind, postgres, tmp_path / f"{kind}-mine.db") as mine,
            awaiting_saver(kind, postgres, tmp_path / f"{kind}-plain.db") as plain,
        ):
            for saver in (SessionSaver(sessions_beside, inner=mine, tenant=kind), plain):
                for turn in range(12):
                    said = [HumanMessage(f"question {turn}", id=f"h{turn}")]
                    await talker(saver).ainvoke({"messages": said}, CONFIG)
            return [
                [t.checkpoint["channel_values"].get("messages") async for t in s.alist(CONFIG)] for s in (mine, plain)
            ]

    for kind in ("sqlite", "postgres"):
        mine, plain = asyncio.run(talk(kind))
        assert mine == plain


def test_an_existing_thread_is_imported_once(twins, sessions_beside):
    mine, plain = twins
    for saver in twins:
        ask(talker(saver), *range(20))
    seen: list[list[AnyMessage]] = []
    saver = SessionSaver(sessions_beside, inner=mine)
    ask(talker(saver, seen=seen), 20, 21)
    ask(talker(plain), 20, 21)
    assert len(seen[0]) < 40
    assert history(mine) == history(plain)
    assert len(sessions_beside.session("t").record(all_branches=True)) == 88


def test_a_graph_continues_without_us_and_can_come_back(twins, sessions_beside):
    mine, plain = twins
    ask(talker(SessionSaver(sessions_beside, inner=mine)), *range(15))
    ask(talker(mine), *range(15, 18))
    talker(mine).update_state(CONFIG, {"messages": EDITS}, as_node="tools")
    seen: list[list[AnyMessage]] = []
    ask(talker(SessionSaver(sessions_beside, inner=mine), seen=seen), *range(18, 21))
    ask(talker(plain), *range(18))
    talker(plain).update_state(CONFIG, {"messages": EDITS}, as_node="tools")
    ask(talker(plain), *range(18, 21))
    assert history(mine) == history(plain)
    assert "question 17" in questions(seen[0])
    assert sessions_beside.session("t").record()[0].content == "question 0"


def test_losing_our_store_loses_only_digests(inner_saver):
    for turn in range(12):
        ask(talker(SessionSaver(inner=inner_saver, policy=POLICY)), turn)
    plain = InMemorySaver()
    ask(talker(plain), *range(12))
    assert history(inner_saver) == history(plain)


def test_attach_and_middleware_take_their_policy_from_it(twins, sessions_beside):
    mine, plain = twins
    seen: list[list[AnyMessage]] = []
    ask(attach(talker(SessionSaver(sessions_beside, inner=mine), seen=seen, whole=True)), *range(12))
    ask(talker(plain, whole=True), *range(12))
    assert kept(mine) == kept(plain)
    assert max(map(len, seen)) < 40


def test_an_agent_keeps_its_whole_thread_there(inner_saver, sessions_beside):
    saver = SessionSaver(sessions_beside, inner=inner_saver)
    answers = iter([AIMessage(f"answer {n} " * 60, id=f"a{n}") for n in range(20)])
    agent = create_agent(
        GenericFakeChatModel(messages=answers), middleware=[SessionMiddleware(saver)], checkpointer=saver
    )
    for turn in range(20):
        agent.invoke({"messages": [HumanMessage(f"question {turn}", id=f"h{turn}")]}, CONFIG)
    assert [m.id for m in kept(inner_saver)] == [name for n in range(20) for name in (f"h{n}", f"a{n}")]


def test_a_saver_of_the_other_voice_says_what_to_do(tmp_path, sessions_beside):
    with SqliteSaver.from_conn_string(str(tmp_path / "inner.db")) as inner:
        graph = talker(SessionSaver(sessions_beside, inner=inner))
        ask(graph, 0)

        async def talk():
            await graph.ainvoke({"messages": [HumanMessage("hello", id="h")]}, CONFIG)

        with pytest.raises(NotOffered, match=r"SqliteSaver does not offer aget_tuple.*invoke"):
            asyncio.run(talk())

    class Awaiting(BaseCheckpointSaver[int]):
        async def aget_tuple(self, config):
            return None

    with pytest.raises(NotOffered, match=r"Awaiting does not offer get_tuple.*ainvoke"):
        ask(talker(SessionSaver(inner=Awaiting())), 0)


def test_a_method_that_the_inner_saver_lacks_says_so(inner_saver):
    saver = SessionSaver(inner=inner_saver)
    for ask_for in (
        lambda: saver.copy_thread("t", "u"),
        lambda: saver.delete_for_runs(["r"]),
        lambda: saver.prune(["t"]),
    ):
        with pytest.raises(NotImplementedError, match="InMemorySaver does not offer"):
            ask_for()


def test_what_cannot_be_an_inner_saver_is_refused(inner_saver):
    for wrong in (InMemorySaver, SqliteSaver.from_conn_string(":memory:"), SessionSaver()):
        with pytest.raises(ConfigError, match="inner="):
            SessionSaver(inner=wrong)
    with pytest.raises(ConfigError, match="serde"):
        SessionSaver(inner=inner_saver, serde=inner_saver.serde)


def test_it_is_a_session_saver_and_its_derived_clone_has_a_derived_inner_one(sessions_beside):
    inner = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=[("tests", "Other")]))
    saver = SessionSaver(sessions_beside, inner=inner)
    assert isinstance(saver, InnerSaver)
    assert saver.config_specs == inner.config_specs
    clone = saver.with_allowlist({("tests", "Thing")})
    assert clone is not saver
    assert clone.inner is not inner
    assert clone.serde is clone.inner.serde is not inner.serde
    ask(talker(clone), 0)
    assert questions(kept(inner)) == ["question 0"]


def test_without_the_inner_saver_ours_says_where_the_checkpoints_are(sessions_beside, inner_saver):
    ask(talker(SessionSaver(sessions_beside, inner=inner_saver)), 0)
    with pytest.raises(ConfigError, match="inner="):
        talker(SessionSaver(sessions_beside)).get_state(CONFIG)
