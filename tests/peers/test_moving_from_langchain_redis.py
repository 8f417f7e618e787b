"""Moving in from `langchain-redis` itself, on a Redis with the modules it needs; `make peers` runs it.

The modules alone are 170 MB installed, more than the frameworks; so they are no part of the default tests.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from module_redis import module_redis
from redis_server import RedisServer

from langchain_session import SessionChatMessageHistory
from session_core import Sessions
from session_core.errors import Diverged

with warnings.catch_warnings():
    # It is deprecated, as all chat histories of LangChain are; it is what people have.
    warnings.simplefilter("ignore")
    from langchain_redis import RedisChatMessageHistory


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with module_redis() as running:
        yield running


@pytest.fixture
def theirs(server: RedisServer) -> Iterator[RedisChatMessageHistory]:
    # With the default protocol of redis-py 8 the second history in a process fails.
    with redis.Redis(host="127.0.0.1", port=server.port, protocol=2) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client.flushall()
        yield RedisChatMessageHistory("user-7", redis_client=client)


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[Sessions]:
    with Sessions(f"sqlite:///{tmp_path}/chat.db") as opened:
        yield opened


SAID: list[BaseMessage] = [
    SystemMessage("Be brief."),
    HumanMessage("look"),
    AIMessage("", additional_kwargs={"refusal": None}),
    ToolMessage("out", tool_call_id="c"),
    AIMessage("done"),
    HumanMessage("ok"),
    HumanMessage("ok"),
]


def moved(theirs: RedisChatMessageHistory, sessions: Sessions, voice: str) -> SessionChatMessageHistory:
    if voice == "blocking":
        return SessionChatMessageHistory.import_from(theirs, sessions=sessions)
    return asyncio.run(SessionChatMessageHistory.aimport_from(theirs, sessions=sessions))


both_voices = pytest.mark.parametrize("voice", ["blocking", "awaiting"])


@both_voices
def test_all_it_kept_comes_in_under_its_name_once(theirs, sessions, voice):
    theirs.add_messages(SAID)
    for _ in range(2):
        ours = moved(theirs, sessions, voice)
        assert ours.session_id == "user-7"
        assert ours.record() == theirs.messages == SAID
    theirs.add_messages([HumanMessage("more")])
    assert moved(theirs, sessions, voice).record() == [*SAID, HumanMessage("more")]
    assert len(ours.session.record(all_branches=True)) == len(SAID) + 1


@both_voices
def test_what_it_does_not_read_itself_comes_in_too(theirs, sessions, voice):
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:x"}}]
    said = [HumanMessage("hi"), HumanMessage(parts), AIMessage("a picture")]
    theirs.add_messages(said)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        others = [RedisChatMessageHistory(name, redis_client=theirs.redis_client) for name in ("user-7:b", "user-")]
    for other in others:
        other.add_messages([HumanMessage("of another session")])
    assert len(theirs.messages) == 2
    assert moved(theirs, sessions, voice).record() == said


@both_voices
def test_more_than_it_reads_at_once_comes_in_too(theirs, sessions, voice):
    said = [HumanMessage(f"message {n}") for n in range(10_500)]
    for first in range(0, len(said), 500):
        theirs.add_messages(said[first : first + 500])
    assert len(theirs.messages) == 10_000
    assert moved(theirs, sessions, voice).record() == said


@pytest.mark.parametrize("session_id", ["a,b", " lead", "trail ", "a\tb", "it's `q`", "sch\\ön*", "User-7"])
def test_a_name_that_its_index_loses_is_read_too(theirs, sessions, session_id):
    # It parts names at commas, strips blanks, and makes no difference between "User-7" and "user-7".
    theirs.add_messages(SAID)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        odd = RedisChatMessageHistory(session_id, redis_client=theirs.redis_client)
    odd.add_messages([HumanMessage("one"), AIMessage("two")])
    assert moved(odd, sessions, "blocking").record() == [HumanMessage("one"), AIMessage("two")]


def test_an_answer_that_was_cut_off_by_its_time_is_not_all(theirs, sessions):
    said = [HumanMessage(f"message {n} " + "x" * 300) for n in range(9_000)]
    for first in range(0, len(said), 500):
        theirs.add_messages(said[first : first + 500])
    theirs.redis_client.execute_command("FT.CONFIG", "SET", "TIMEOUT", "1")
    try:
        assert len(theirs.messages) < len(said)
        assert moved(theirs, sessions, "blocking").record() == said
    finally:
        theirs.redis_client.execute_command("FT.CONFIG", "SET", "TIMEOUT", "500")


class Repeating(redis.Redis):
    """A client whose scans name each key twice, as a server may while its table shrinks."""

    def scan_iter(self, *args, **kwargs):
        for key in super().scan_iter(*args, **kwargs):
            yield from (key, key)


def test_a_key_that_a_scan_names_twice_is_one_message(server, theirs, sessions):
    theirs.add_messages([HumanMessage([{"type": "text", "text": "parts"}]), AIMessage("done")])
    with Repeating(host="127.0.0.1", port=server.port, protocol=2) as client:
        theirs.redis_client = client
        assert len(moved(theirs, sessions, "blocking").record()) == 2


def test_a_cleared_one_is_refused(theirs, sessions):
    theirs.add_messages(SAID)
    moved(theirs, sessions, "blocking")
    theirs.clear()
    with pytest.raises(Diverged, match="session user-7"):
        moved(theirs, sessions, "blocking")


@both_voices
def test_it_is_filled_and_filled_up(theirs, sessions, voice):
    ours = SessionChatMessageHistory("user-7", sessions=sessions)
    calls = [{"name": "f", "args": {"a": 1}, "id": "c"}]
    ours.add_messages(
        [HumanMessage("look"), AIMessage("", tool_calls=calls, id="a"), ToolMessage("x", tool_call_id="c")]
    )
    for added in (3, 0):
        assert (ours.export_to(theirs) if voice == "blocking" else asyncio.run(ours.aexport_to(theirs))) == added
    ours.add_messages([AIMessage("done")])
    assert ours.export_to(theirs) == 1
    assert [(m.type, m.content) for m in theirs.messages] == [(m.type, m.content) for m in ours.record()]
