"""LangGraph's official kit on every store in both voices, and the capability that its published release lacks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import pytest
from blocking_voice import ALL, BlockingVoice
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.base import BaseCheckpointSaver, Checkpoint
from langgraph.checkpoint.base.id import uuid6
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from sealed_fill import RING

from langchain_session import SessionSaver
from session_core import Sessions
from session_core.ports import SessionStore
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.memory import MemoryStore

TESTS = 81
KINDS = ("memory", "sqlite", "redis", "postgres", "hybrid", "encrypted")
VOICES = pytest.mark.parametrize("voice", [SessionSaver, BlockingVoice], ids=["awaiting", "blocking"])
FIRST, MIDDLE, LAST = (f"{digit * 8}-0000-0000-0000-000000000000" for digit in "08f")


@pytest.fixture(scope="module", params=KINDS)
def store(request, servers, tmp_path_factory) -> Iterator[SessionStore]:
    """One store for all tests of a kind; each has threads of its own."""
    with ExitStack() as opened:
        if request.param == "encrypted":
            yield EncryptedStore(MemoryStore(), RING)
            return
        place = opened.enter_context(servers.place(request.param, tmp_path_factory.mktemp(request.param)))
        yield place.store


@VOICES
def test_it_passes_the_official_conformance_kit(voice, store):
    @checkpointer_test(name=voice.__name__)
    async def factory() -> AsyncIterator[BaseCheckpointSaver]:
        yield voice(Sessions(store), tenant=uuid4().hex)

    report = asyncio.run(validate(factory))
    failures = {name: result.failures for name, result in report.results.items() if result.failures}
    assert failures == {}
    assert {name: result.passed for name, result in report.results.items()} == dict.fromkeys(ALL, True)
    assert sum(result.tests_passed for result in report.results.values()) == TESTS


async def chain(
    saver: BaseCheckpointSaver, values: list[dict[str, Any]], writes: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """A thread of one checkpoint for each of `values`, with the writes of one task; the configs, oldest first."""
    config: dict[str, Any] = {"configurable": {"thread_id": str(uuid4()), "checkpoint_ns": ""}}
    configs = []
    for step, (given, written) in enumerate(zip(values, writes, strict=True)):
        versions = dict.fromkeys(given, step + 1)
        checkpoint = Checkpoint(
            v=1,
            id=str(uuid6(clock_seq=-1)),
            ts="",
            channel_values=given,
            channel_versions=versions,
            versions_seen={},
            updated_channels=None,
        )
        config = await saver.aput(config, checkpoint, {"source": "loop", "step": step, "parents": {}}, versions)
        configs.append(config)
        if written:
            await saver.aput_writes(config, list(written.items()), str(uuid4()))
    return configs


async def history(saver: BaseCheckpointSaver, config: dict[str, Any], *channels: str) -> Mapping[str, Any]:
    """What the saver tells of the channels, less the tasks that wrote."""
    found = await saver.aget_delta_channel_history(config=config, channels=list(channels))
    assert {name for entry in found.items() for _, name, _ in entry[1]["writes"]} <= set(channels)
    return {
        name: {**entry, "writes": [value for _, name_, value in entry["writes"] if name_ == name]}
        for name, entry in found.items()
    }


@VOICES
def test_history_tells_writes_from_the_oldest_to_the_newest(voice, store):
    async def told():
        saver = voice(Sessions(store))
        configs = await chain(
            saver, [{"ch": _DeltaSnapshot(0)}, {}, {}, {}, {}], [{}, *({"ch": n} for n in (1, 2, 3, 4))]
        )
        return await history(saver, configs[-1], "ch")

    assert asyncio.run(told()) == {"ch": {"seed": _DeltaSnapshot(0), "writes": [1, 2, 3]}}


@VOICES
def test_history_begins_with_the_nearest_value_and_what_was_written_there(voice, store):
    async def told():
        saver = voice(Sessions(store))
        values = [{"ch": _DeltaSnapshot("old")}, {}, {"ch": _DeltaSnapshot("new")}, {}, {}]
        configs = await chain(saver, values, [{"ch": n} for n in range(5)])
        return [await history(saver, config, "ch") for config in configs]

    old, new = _DeltaSnapshot("old"), _DeltaSnapshot("new")
    assert asyncio.run(told()) == [
        {"ch": {"writes": []}},
        {"ch": {"seed": old, "writes": [0]}},
        {"ch": {"seed": old, "writes": [0, 1]}},
        {"ch": {"seed": new, "writes": [2]}},
        {"ch": {"seed": new, "writes": [2, 3]}},
    ]


@VOICES
def test_history_leaves_out_what_is_pending_at_the_checkpoint_itself(voice, store):
    async def told():
        saver = voice(Sessions(store))
        configs = await chain(saver, [{}, {}], [{"ch": 1}, {"ch": "pending"}])
        await saver.aput_writes(configs[-1], [("ch", "pending too")], str(uuid4()))
        return await history(saver, configs[-1], "ch")

    assert asyncio.run(told()) == {"ch": {"writes": [1]}}


@VOICES
def test_history_ends_for_each_channel_by_itself(voice, store):
    async def told():
        saver = voice(Sessions(store))
        values = [{}, {"a": _DeltaSnapshot("sa")}, {}, {"b": _DeltaSnapshot("sb")}, {}]
        configs = await chain(saver, values, [{"a": n, "b": n, "c": n} for n in range(5)])
        return await history(saver, configs[-1], "a", "b")

    found = asyncio.run(told())
    assert found == {
        "a": {"seed": _DeltaSnapshot("sa"), "writes": [1, 2, 3]},
        "b": {"seed": _DeltaSnapshot("sb"), "writes": [3]},
    }


@VOICES
def test_history_of_no_channel_or_of_no_thread_is_empty(voice, store):
    async def told():
        saver = voice(Sessions(store))
        configs = await chain(saver, [{}, {}], [{"ch": 1}, {}])
        nobody = {"configurable": {"thread_id": str(uuid4()), "checkpoint_ns": ""}}
        return await history(saver, configs[-1]), await history(saver, nobody, "ch")

    assert asyncio.run(told()) == ({}, {"ch": {"writes": []}})


@VOICES
def test_history_that_reaches_the_root_has_no_seed(voice, store):
    async def told():
        saver = voice(Sessions(store))
        configs = await chain(saver, [{}, {}, {}], [{"ch": n} for n in range(3)])
        newest = {"configurable": {**configs[-1]["configurable"], "checkpoint_id": None}}
        return await history(saver, configs[-1], "ch"), await history(saver, newest, "ch")

    assert asyncio.run(told()) == ({"ch": {"writes": [0, 1]}}, {"ch": {"writes": [0, 1]}})


@VOICES
def test_history_takes_a_plain_value_from_before_the_channel_was_a_delta(voice, store):
    async def told():
        saver = voice(Sessions(store))
        configs = await chain(saver, [{"ch": [1]}, {"ch": [1, 2]}, {}, {}], [{"ch": n} for n in ("a", "b", "c", "d")])
        return await history(saver, configs[-1], "ch")

    assert asyncio.run(told()) == {"ch": {"seed": [1, 2], "writes": ["b", "c"]}}


@VOICES
def test_history_has_parallel_writes_by_their_path_and_those_without_one_first(voice, store):
    async def told():
        saver = voice(Sessions(store))
        configs = await chain(saver, [{}, {}], [{}, {}])
        await saver.aput_writes(configs[0], [("ch", "second"), ("ch", "third")], FIRST, "~pull, 02")
        await saver.aput_writes(configs[0], [("ch", "first")], LAST, "~pull, 01")
        await saver.aput_writes(configs[0], [("ch", "input")], MIDDLE)
        return await history(saver, configs[-1], "ch")

    assert asyncio.run(told()) == {"ch": {"writes": ["input", "first", "second", "third"]}}


@VOICES
def test_history_goes_along_the_parents_and_not_along_the_list(voice, store):
    async def told():
        saver = voice(Sessions(store))
        configs = await chain(saver, [{}, {}, {}], [{"ch": "root"}, {"ch": "main"}, {}])
        checkpoint = (await saver.aget_tuple(configs[2])).checkpoint
        fork = {**checkpoint, "id": str(uuid6(clock_seq=-1))}
        config = await saver.aput(configs[0], fork, {"source": "fork", "step": 9, "parents": {}}, {})
        return await history(saver, config, "ch")

    assert asyncio.run(told()) == {"ch": {"writes": ["root"]}}


@VOICES
def test_history_of_a_conversation_is_made_of_its_messages(voice, store):
    asked, answer = HumanMessage("a question", id="h"), AIMessage("an answer", id="a", response_metadata={"n": 1})

    async def told():
        saver = voice(Sessions(store))
        configs = await chain(
            saver, [{"messages": _DeltaSnapshot([asked])}, {}, {}], [{"messages": [answer]}, {"messages": answer}, {}]
        )
        return await history(saver, configs[-1], "messages")

    found = asyncio.run(told())
    assert found["messages"]["writes"] == [[answer], answer]
    seed = found["messages"]["seed"]
    assert getattr(seed, "value", seed) == [asked]
