"""Other doors, other branches: what a run is handed, what forks share, and what a graph pays."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest
from edge_case_stores import CornerCase
from every_store import Servers
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.pregel import Pregel
from side_by_side import (
    CONFIG,
    SMALL,
    TURNS,
    State,
    Thread,
    acting,
    all_of,
    called,
    ids,
    player,
    said,
    talked,
    told,
    under_theirs,
    user,
)

from langchain_session import SessionChatMessageHistory, SessionSaver
from langchain_session.graph_state.threads import BASE, notes_of
from session_core import Sessions
from session_core.ranges import Ranges
from session_core.stores.redis.store import RedisStore
from session_core.turns import Key


def test_the_first_run_sees_messages_of_a_chain(corner: CornerCase) -> None:
    seen: list[list[AnyMessage]] = []

    def build(saver: BaseCheckpointSaver) -> Pregel:
        return player(saver, State, say=lambda state: seen.append(list(state["messages"])) or state["say"][1:])

    async def script(thread: Thread) -> Any:
        assert thread.sessions is not None
        history = SessionChatMessageHistory("t", sessions=thread.sessions)
        begun = [HumanMessage("I am Ann.", id="h1"), AIMessage("Hello Ann.", id="a1")]
        await history.aadd_messages(begun) if thread.awaiting else history.add_messages(begun)
        before = await thread.state()
        await thread.run({"messages": [user(2, "Who am I?")], "say": [said(2, "Ann."), said(3, "Yes.")]})
        first = await all_of(thread)
        session = thread.sessions.session("t")
        record = await session.arecord(all_branches=True) if thread.awaiting else session.record(all_branches=True)
        return told(before.values["messages"]), first, [m.content for m in record]

    before, first, record = corner.ours(build, script)
    assert [m[1] for m in before] == ["I am Ann.", "Hello Ann."]
    assert [m.content for m in seen[0]] == ["I am Ann.", "Hello Ann.", "Who am I?"]
    assert [m[1] for m in first[0]] == record == ["I am Ann.", "Hello Ann.", "Who am I?", "Ann.", "Yes."]


def test_branches_share_digests_of_their_common_part_only(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread, 8)
        assert thread.sessions is not None
        store = thread.sessions.awaited if thread.awaiting else thread.sessions.store
        trunk = await store.load(Key("t"))
        before = await store.load(Key("t"), Ranges.span(1, 28))
        await thread.run({"messages": [user(50)], "say": [said(50)]}, await thread.at(28))
        state = await store.state(Key("t"))
        await thread.run({"messages": [user(60)], "say": ["look"]}, await thread.at(4))
        return trunk, before.digest, state, [str(m.content) for m in seen[-1]]

    seen: list[list[AnyMessage]] = []
    trunk, before, state, early = corner.ours(acting(look=lambda said: seen.append(said) or []), script)
    assert before is not None
    assert before.number in (trunk.state.active.number, trunk.state.ready.number)
    assert state.ready.number <= trunk.state.ready.number + 1
    assert not [text for text in early if "question 3" in text or "answer 7" in text]


def test_a_digest_of_another_branch_does_not_enter_this_one(corner: CornerCase) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread, 8)
        await thread.run({"messages": [user(50)], "say": ["look"]})
        digest = [m for m in seen[-1] if "llm_sessions" in m.additional_kwargs and m.type == "human"][:1]
        await thread.run({"messages": [*digest, user(60)], "say": [said(60)]}, await thread.at(4))
        return digest, await all_of(thread)

    seen: list[list[AnyMessage]] = []
    digest, found = corner.ours(acting(look=lambda said: seen.append(said) or []), script)
    assert len(digest) == 1
    assert ids(found[0]) == ["h0", "ac0", "t0.0", "a0", "h60", "a60"]


def test_the_input_of_a_run_does_not_grow_with_the_thread(corner: CornerCase) -> None:
    sizes: list[int] = []

    def build(saver: BaseCheckpointSaver) -> Pregel:
        return player(saver, State, say=lambda state: sizes.append(len(state["messages"])) or state["say"][1:])

    async def script(thread: Thread) -> Any:
        hidden = []
        for n in range(24):
            await thread.run({"messages": [user(n)], "say": [called(n)]})
            saver: Any = thread.graph.checkpointer
            config = {"configurable": {**CONFIG["configurable"], "__pregel_runtime": None}}
            found = await saver.aget_tuple(config) if thread.awaiting else saver.get_tuple(config)
            hidden.append(len(Ranges.from_pairs(notes_of(found.config)[BASE][2])))
        return hidden, len((await thread.state()).values["messages"])

    hidden, count = corner.ours(build, script)
    assert count == 48
    assert max(sizes) <= 14
    assert max(hidden) <= 12


@pytest.mark.parametrize("voice", ["blocking", "awaiting"])
def test_a_folded_message_is_removed_with_an_inner_saver(voice: str) -> None:
    async def script(thread: Thread) -> Any:
        await talked(thread)
        edits = [RemoveMessage("h0"), RemoveMessage("t1.0"), HumanMessage("edited", id="h1")]
        await thread.run({"messages": [*edits, user(20)], "say": [said(20), said(21)]})
        return await all_of(thread)

    def build(saver: BaseCheckpointSaver) -> Pregel:
        return player(SessionSaver(policy=SMALL, inner=saver))

    ours, theirs = under_theirs(build, script, voice), under_theirs(player, script, voice)
    assert ours == theirs
    assert len(ours[0]) == 4 * TURNS - 2 + 3


class Counting(InMemorySaver):
    """How often a graph asks its saver for something that goes to a store."""

    asked = 0

    def get_tuple(self, config: Any) -> Any:
        self.asked += 1
        return super().get_tuple(config)

    def put(self, *given: Any) -> Any:
        self.asked += 1
        return super().put(*given)

    def put_writes(self, *given: Any) -> None:
        self.asked += 1
        super().put_writes(*given)


class Numbers(TypedDict):
    count: int


def counter(saver: BaseCheckpointSaver) -> Pregel:
    built = StateGraph(Numbers)
    built.add_node("one", lambda state: {"count": state["count"] + 1})
    built.add_node("two", lambda state: {"count": state["count"] + 1})
    built.add_edge(START, "one")
    built.add_edge("one", "two")
    return built.compile(checkpointer=saver)


def test_a_graph_without_messages_has_no_overhead(servers: Servers) -> None:
    """A script for each thing that a graph asks, once it has met its thread, and with the first a look at the session
    in the same round trip; no record is made."""
    plain, store = Counting(), RedisStore(servers.redis.url)
    with servers.redis.client() as client, Sessions(store, policy=SMALL) as sessions:
        client.flushall()
        graph = counter(SessionSaver(sessions))
        trips = []
        for _ in range(TURNS):
            before = scripts_run(client)
            graph.invoke({"count": 1}, CONFIG)
            counter(plain).invoke({"count": 1}, CONFIG)
            trips.append(scripts_run(client) - before)
        assert trips[1:] == [plain.asked / TURNS + 1] * (TURNS - 1)
        assert graph.get_state(CONFIG).values == {"count": 3}
        assert sessions.list() == ()
        assert sessions.session("t").record(all_branches=True) == []
        assert not [name for name in client.scan_iter() if b"aside" in name]


def test_a_superstep_of_a_conversation_is_one_round_trip(servers: Servers) -> None:
    """A run reads its checkpoint, the head and the view; then each thing that a graph stores is one round trip."""
    plain, store = Counting(), RedisStore(servers.redis.url)
    with servers.redis.client() as client, Sessions(store, policy=SMALL) as sessions:
        client.flushall()
        ours, theirs = player(SessionSaver(sessions)), player(plain)
        for n in range(TURNS):
            before, asked = scripts_run(client), plain.asked
            for graph in (ours, theirs):
                graph.invoke({"messages": [user(n, "hm")], "say": [[said(n, "so")], [said(100 + n, "it is")]]}, CONFIG)
        assert scripts_run(client) - before - (plain.asked - asked) <= 2


def scripts_run(client: Any) -> int:
    """How many scripts the server was sent."""
    found = client.info("commandstats")
    return sum(int(found.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("eval", "evalsha", "evalsha_ro"))
