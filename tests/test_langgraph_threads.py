"""`SessionSaver` looks after threads: copies, pruning, runs that are deleted; other serializers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from langchain_core.messages import AnyMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.pregel import Pregel
from langgraph.types import Command, interrupt
from sealed_fill import RING
from shop_graph import Order, shop
from talking_graphs import CONFIG, POLICY, ask, by_id, history, ids, opened, talker, told

from langchain_session import SessionSaver
from session_core import Sessions
from session_core.errors import Conflict, InputError
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.memory import MemoryStore

OTHER = {"configurable": {"thread_id": "copy"}}


@pytest.fixture(params=["sqlite", "redis"])
def sessions(request, servers, tmp_path) -> Iterator[Sessions]:
    with opened(servers, request.param, tmp_path) as made:
        yield made


def record(sessions: Sessions, thread: str = "t") -> list[str]:
    return ids(sessions.session(thread).record())


def newest_first(saver: SessionSaver, config=CONFIG) -> list[str]:
    return [found.checkpoint["id"] for found in saver.list(config)]


def test_a_copy_has_the_whole_thread_and_goes_its_own_way(sessions):
    seen: list[list[AnyMessage]] = []
    saver = SessionSaver(sessions)
    graph = talker(saver, seen=seen)
    ask(graph, *range(8))
    saver.copy_thread("t", "copy")
    assert by_id(graph, OTHER) == by_id(graph)
    assert sessions.session("copy").record() == sessions.session("t").record()
    assert ids(sessions.session("copy").view().messages)[1:] == ids(sessions.session("t").view().messages)[1:]
    ask(graph, 8, config=OTHER)
    ask(graph, 9)
    assert record(sessions, "copy")[-4] == "h8"
    assert record(sessions)[-4] == "h9"
    assert len(record(sessions)) == len(record(sessions, "copy")) == 36
    assert max(map(len, seen)) < 25


def waiting(saver: SessionSaver) -> Pregel:
    """A graph that has begun and waits for an answer, while another task of the same step is done."""

    class State(TypedDict):
        messages: Annotated[list[AnyMessage], add_messages]

    built = StateGraph(State)
    built.add_node("ask", lambda state: {"messages": [HumanMessage(str(interrupt("may I?")), id="said")]})
    built.add_node("note", lambda state: {"messages": [HumanMessage("noted", id="note")]})
    built.add_edge(START, "ask")
    built.add_edge(START, "note")
    graph = built.compile(checkpointer=saver)
    graph.invoke({"messages": [HumanMessage("first", id="h")]}, CONFIG)
    return graph


def test_a_copy_of_a_thread_that_waits_is_resumed_by_itself(sessions):
    saver = SessionSaver(sessions)
    graph = waiting(saver)
    saver.copy_thread("t", "copy")
    graph.invoke(Command(resume="no"), CONFIG)
    assert [m.content for m in graph.get_state(OTHER).values["messages"]] == ["first", "noted"]
    graph.invoke(Command(resume="yes"), OTHER)
    assert sorted(m.content for m in graph.get_state(OTHER).values["messages"]) == ["first", "noted", "yes"]
    assert sorted(m.content for m in graph.get_state(CONFIG).values["messages"]) == ["first", "no", "noted"]


def test_a_copy_has_the_subgraphs_of_its_thread(sessions):
    class State(TypedDict):
        messages: Annotated[list[AnyMessage], add_messages]

    inner = StateGraph(State)
    inner.add_node("say", lambda state: {"messages": [HumanMessage(f"{len(state['messages'])} before")]})
    inner.add_edge(START, "say")
    outer = StateGraph(State)
    outer.add_node("sub", inner.compile(checkpointer=True))
    outer.add_edge(START, "sub")
    saver = SessionSaver(sessions)
    graph = outer.compile(checkpointer=saver)
    for turn in range(3):
        graph.invoke({"messages": [HumanMessage("go", id=f"h{turn}")]}, CONFIG)
    saver.copy_thread("t", "copy")
    spaces = [{found.config["configurable"]["checkpoint_ns"] for found in saver.list(c)} for c in (CONFIG, OTHER)]
    assert spaces[0] == spaces[1] == {"", "sub"}
    for config in (CONFIG, OTHER):
        graph.invoke({"messages": [HumanMessage("go", id="h3")]}, config)
    kept = [[m.content for m in graph.get_state(config).values["messages"]] for config in (CONFIG, OTHER)]
    assert kept[0] == kept[1]


def test_a_thread_is_copied_to_a_name_that_nobody_has(sessions):
    saver = SessionSaver(sessions)
    graph = talker(saver)
    ask(graph, 1)
    ask(graph, 2, config=OTHER)
    with pytest.raises(Conflict, match="delete it first"):
        saver.copy_thread("t", "copy")
    assert record(sessions, "copy")[0] == "h2"
    saver.copy_thread("nobody", "nothing")
    assert newest_first(saver, {"configurable": {"thread_id": "nothing"}}) == []


def test_a_sealed_thread_is_sealed_anew_for_its_copy():
    inner = MemoryStore()
    sessions = Sessions(EncryptedStore(inner, RING), policy=POLICY)
    saver = SessionSaver(sessions)
    graph = talker(saver)
    ask(graph, *range(8))
    saver.copy_thread("t", "copy")
    assert by_id(graph, OTHER) == by_id(graph)
    assert sessions.session("copy").record() == sessions.session("t").record()
    held = {key.session_id: repr(kept) for key, kept in inner._sessions.items()}
    assert "question 3" not in held["copy"]
    saver.delete_thread("t")
    ask(graph, 8, config=OTHER)
    assert len(record(sessions, "copy")) == 36


def test_pruning_leaves_the_newest_checkpoint_and_the_whole_record(sessions):
    saver, plain = SessionSaver(sessions), talker(InMemorySaver())
    graph = talker(saver)
    for one in (graph, plain):
        ask(one, *range(6))
    newest = newest_first(saver)[0]
    saver.prune(["t", "nobody"])
    assert newest_first(saver) == [newest]
    assert history(graph) == [history(plain)[0]]
    assert graph.get_state(CONFIG).parent_config is None
    assert len(record(sessions)) == 24
    for one in (graph, plain):
        ask(one, 6)
    assert told(graph.get_state(CONFIG)) == told(plain.get_state(CONFIG))
    assert record(sessions)[-4] == "h6"


def test_pruning_keeps_pending_interrupts(sessions):
    saver = SessionSaver(sessions)
    graph = waiting(saver)
    saver.prune(["t"])
    assert [task.interrupts[0].value for task in graph.get_state(CONFIG).tasks if task.interrupts] == ["may I?"]
    graph.invoke(Command(resume="yes"), CONFIG)
    assert sorted(m.content for m in graph.get_state(CONFIG).values["messages"]) == ["first", "noted", "yes"]


def test_pruning_takes_the_calls_of_subgraphs_with_the_checkpoints_they_were_made_from(sessions):
    class State(TypedDict):
        messages: Annotated[list[AnyMessage], add_messages]

    inner = StateGraph(State)
    inner.add_node("say", lambda state: {"messages": [HumanMessage(str(interrupt("more?")))]})
    inner.add_edge(START, "say")
    outer = StateGraph(State)
    outer.add_node("sub", inner.compile())
    outer.add_edge(START, "sub")
    saver = SessionSaver(sessions)
    graph = outer.compile(checkpointer=saver)
    for turn in range(3):
        graph.invoke({"messages": [HumanMessage("go", id=f"h{turn}")]}, CONFIG)
        if turn < 2:
            graph.invoke(Command(resume=f"more {turn}"), CONFIG)
    calls = {found.config["configurable"]["checkpoint_ns"] for found in saver.list(CONFIG)} - {""}
    assert len(calls) == 3
    saver.prune(["t"])
    left = [found.config["configurable"]["checkpoint_ns"] for found in saver.list(CONFIG)]
    assert len(left) == 2
    graph.invoke(Command(resume="more 2"), CONFIG)
    kept = [m.content for m in graph.get_state(CONFIG).values["messages"]]
    assert kept == ["go", "more 0", "go", "more 1", "go", "more 2"]


def test_pruning_whole_threads_leaves_nothing_of_them(sessions):
    saver = SessionSaver(sessions)
    graph = talker(saver)
    ask(graph, 1)
    ask(graph, 2, config=OTHER)
    saver.prune(["t"], strategy="delete")
    assert newest_first(saver) == []
    assert sessions.session("t").record(all_branches=True) == []
    assert len(record(sessions, "copy")) == 4
    with pytest.raises(InputError, match="keep_latest, delete"):
        saver.prune(["copy"], strategy="half")


def test_deleting_the_last_run_takes_its_turn_out_of_the_conversation_and_not_out_of_the_log(sessions):
    saver, plain = SessionSaver(sessions), talker(InMemorySaver())
    graph = talker(saver)
    ask(graph, *range(5))
    ask(plain, *range(4))
    saver.delete_for_runs(["r4", "nobody's"])
    assert told(graph.get_state(CONFIG)) == told(plain.get_state(CONFIG))
    assert record(sessions) == ids(plain.get_state(CONFIG).values["messages"])
    assert len(sessions.session("t").record(all_branches=True)) == 20
    for one in (graph, plain):
        ask(one, 5)
    assert told(graph.get_state(CONFIG)) == told(plain.get_state(CONFIG))
    assert ids(sessions.session("t").record()) == ids(plain.get_state(CONFIG).values["messages"])


def test_deleting_a_run_in_the_middle_leaves_later_states_as_they_are(sessions):
    saver = SessionSaver(sessions)
    graph = talker(saver)
    ask(graph, *range(4))
    before = by_id(graph)
    saver.delete_for_runs(["r1", "r2"])
    after = by_id(graph)
    assert len(after) == len(before) // 2
    assert all(before[name] == state for name, state in after.items())
    assert len(record(sessions)) == 16
    parents = [found.parent_config for found in saver.list(CONFIG)]
    assert {parent["configurable"]["checkpoint_id"] for parent in parents if parent} < set(after)
    assert parents.count(None) == 1


def test_deleting_a_run_keeps_later_messages_of_other_adapters(sessions):
    saver = SessionSaver(sessions)
    graph = talker(saver)
    ask(graph, 0, 1)
    sessions.session("t").append([{"role": "user", "content": "from a chain"}, {"role": "assistant", "content": "ok"}])
    saver.delete_for_runs(["r1"])
    kept = [m.content for m in sessions.session("t").record() if m.role == "user"]
    assert kept == ["question 0", "from a chain"]
    saver.delete_for_runs(["r0"])
    assert [m.content for m in sessions.session("t").record()] == ["from a chain", "ok"]
    assert newest_first(saver) == []


def test_runs_are_deleted_in_all_threads_and_subgraphs_of_the_tenant_only(sessions):
    saver, foreign = SessionSaver(sessions), SessionSaver(sessions, tenant="others")
    graph, theirs = talker(saver), talker(foreign)
    for one, config in ((graph, CONFIG), (graph, OTHER), (theirs, CONFIG)):
        ask(one, 1, 2, config=config)
    saver.delete_for_runs(["r2"])
    assert [len(record(sessions, name)) for name in ("t", "copy")] == [4, 4]
    assert len(theirs.get_state(CONFIG).values["messages"]) == 8


def test_the_awaiting_voice_does_the_same(sessions):
    async def tended():
        saver = SessionSaver(sessions)
        graph = talker(saver)
        for turn in range(4):
            named = {**CONFIG, "metadata": {"run_id": f"r{turn}"}}
            await graph.ainvoke({"messages": [HumanMessage("go", id=f"h{turn}")]}, named)
        await saver.acopy_thread("t", "copy")
        await saver.adelete_for_runs(["r3"])
        await saver.aprune(["copy"])
        states = [await graph.aget_state(config) for config in (CONFIG, OTHER)]
        return [len(state.values["messages"]) for state in states], [f async for f in saver.alist(OTHER)]

    counts, left = asyncio.run(tended())
    assert counts == [12, 12]
    assert len(left) == 1


class Aes:
    """A cipher for LangGraph's serializer, which knows another library for its own."""

    def __init__(self, key: bytes) -> None:
        self._aes = AESGCM(key)

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        nonce = os.urandom(12)
        return "gcm", nonce + self._aes.encrypt(nonce, plaintext, None)

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        return self._aes.decrypt(ciphertext[:12], ciphertext[12:], None)


def sealing(key: bytes, **options: Any) -> EncryptedSerializer:
    return EncryptedSerializer(Aes(key), JsonPlusSerializer(**options))


def test_a_serializer_that_encrypts_hides_all_that_is_no_message(sessions):
    serde = sealing(b"k" * 16)
    graph = shop(SessionSaver(sessions, serde=serde))
    graph.invoke({"messages": [HumanMessage("periwinkle", id="h")]}, CONFIG)
    state = graph.get_state(CONFIG)
    assert state.values["order"] == Order("periwinkle")
    assert ids(state.values["messages"]) == ["h"]
    wrong = sealing(b"x" * 16)
    with pytest.raises(InvalidTag):
        shop(SessionSaver(sessions, serde=wrong)).get_state(CONFIG)


def test_a_serializer_that_encrypts_says_that_messages_are_kept_in_clear(caplog):
    serde = sealing(b"k" * 16)
    SessionSaver(Sessions(EncryptedStore(MemoryStore(), RING)), serde=serde)
    assert caplog.messages == []
    SessionSaver("memory://", serde=serde)
    assert len(caplog.messages) == 1
    assert "Sessions(..., keyring=...)" in caplog.messages[0]


def test_an_allowlist_makes_a_saver_of_its_own_over_the_same_sessions(sessions):
    for serde in (
        JsonPlusSerializer(allowed_msgpack_modules=[]),
        sealing(b"k" * 16, allowed_msgpack_modules=[]),
    ):
        saver = SessionSaver(sessions, serde=serde)
        derived = saver.with_allowlist({(Order.__module__, Order.__name__)})
        assert derived is not saver
        assert type(derived) is SessionSaver
        assert derived.sessions is saver.sessions
        assert saver.serde is serde


STRICT = """
import sys
from langchain_core.messages import HumanMessage
from shop_graph import Order, SessionSaver, shop

CONFIG = {"configurable": {"thread_id": "t"}}
saver = SessionSaver(sys.argv[1])
graph = shop(saver)
graph.invoke({"messages": [HumanMessage("apples", id="h")]}, CONFIG)
assert graph.get_state(CONFIG).values["order"] == Order("apples")
assert type(graph.checkpointer) is SessionSaver
alone = SessionSaver(saver.sessions).get_tuple(CONFIG).checkpoint["channel_values"]
assert not isinstance(alone["order"], Order), alone
assert [m.content for m in alone["messages"]] == ["apples"]
print("strict")
"""


def test_in_strict_mode_a_graph_reads_its_own_types_and_a_saver_alone_no_others(tmp_path):
    env = {**os.environ, "LANGGRAPH_STRICT_MSGPACK": "true", "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", STRICT, f"sqlite:///{tmp_path}/chat.db"], env=env, capture_output=True, text=True
    )
    assert ran.stdout == "strict\n", ran.stderr
