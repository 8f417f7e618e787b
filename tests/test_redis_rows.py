"""What a process wrote to Redis it need not read to know; what it knows is what anybody else would read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis_server import RedisServer, redis_server

from session_core import Message, Role, Sessions
from session_core.stores.redis import rows
from session_core.turns import Importance, Media, Native, ToolCall


class Text(str):
    """A text of another type than the one that comes back."""


class OddMessage(Message):
    """A message of another type than the one that comes back."""


TEXTS = st.one_of(st.text(max_size=40), st.builds(Text, st.text(max_size=5)), st.just("said \ud800 by halves " * 20))
NAMES = st.one_of(st.none(), TEXTS)
CALLS = st.sampled_from(((), (), (ToolCall("c", "look", "{}"),)))
MEDIA = st.sampled_from(((), (), (Media("image", "data:,x", "image/png"),)))
NATIVES = st.sampled_from((None, None, Native("langchain/1", b"x", b"y")))
KINDS = st.sampled_from((Message, Message, Message, OddMessage))
MESSAGES = st.builds(
    lambda kind, *said, **fields: kind(*said, **fields),
    KINDS,
    st.sampled_from((Role.USER, Role.ASSISTANT, Role.SYSTEM)),
    TEXTS,
    id=TEXTS,
    tool_calls=CALLS,
    tool_call_id=NAMES,
    name=NAMES,
    author=NAMES,
    media=MEDIA,
    aside=TEXTS,
    native=NATIVES,
    time_s=st.one_of(st.none(), st.integers(0, 9), st.floats(0, 1e9)),
    tokens=st.integers(0, 2**31 - 1),
    importance=st.sampled_from(Importance),
    clip=NAMES,
    clip_tokens=st.integers(0, 9),
    rendition=st.sampled_from(("whole", "whole", "named", "clip")),
)


@settings(max_examples=600)
@given(MESSAGES, st.integers(1, 9))
def test_a_row_says_the_same_to_who_wrote_it_and_to_who_reads_it(message: Message, seq: int) -> None:
    label, body = rows.begun(message)
    row = label + rows.content(message, body)
    rows.written(message, row)
    known = [rows.message_from(row, seq), rows.message_from(row, seq), *rows.messages_from([row], [seq])]
    read = rows._read(row, seq)
    assert known == [read] * 3
    assert {repr(_types(one)) for one in known} == {repr(_types(read))}


def _types(message: Message) -> list[type]:
    return [
        type(getattr(message, name)) for name in ("content", "id", "tool_call_id", "name", "author", "aside", "clip")
    ]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server(appendonly="no") as running:
        yield running


def test_a_view_reads_no_text_that_its_process_appended(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sessions(server.url) as sessions:
        session = sessions.session("a session")
        session.append(
            [{"role": "user", "content": "Where is order A-1042?"}, {"role": "assistant", "content": "Here."}]
        )
        monkeypatch.setattr(rows, "_read", lambda row, seq: pytest.fail("a row was read"))
        assert [message.seq for message in session.view().messages] == [1, 2]
        assert session.view() == session.view()
