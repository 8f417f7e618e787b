"""What a process wrote to Redis it need not read to know; what it knows is what anybody else would read."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis_server import RedisServer

from session_core import Budget, Message, Policy, Role, Sessions
from session_core.ports import Marks
from session_core.ranges import Ranges
from session_core.sessions import Session
from session_core.stores.redis import rows
from session_core.turns import Importance, Media, Native, ToolCall
from session_core.voices import run_blocking


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


SAID = [Message(Role.USER, f"message {number}", id=f"m{number}") for number in range(9)]


@settings(max_examples=600)
@given(MESSAGES, st.integers(1, 9))
def test_a_row_says_the_same_to_who_wrote_it_and_to_who_reads_it(message: Message, seq: int) -> None:
    label, body = rows.begin_row(message)
    row = label + rows.finish_row(message, body)
    rows.cache_row(message, row)
    known = [rows.message_from(row, seq), rows.message_from(row, seq), *rows.messages_from([row], [seq])]
    read = rows._read(row, seq)
    assert known == [read] * 3
    assert {repr(_types(one)) for one in known} == {repr(_types(read))}


def _types(message: Message) -> list[type]:
    return [
        type(getattr(message, name)) for name in ("content", "id", "tool_call_id", "name", "author", "aside", "clip")
    ]


ROWS = [b"".join((label, rows.finish_row(said, body))) for said in SAID for label, body in [rows.begin_row(said)]]
PARTS = st.one_of(
    st.builds(Ranges.span, st.integers(1, 3), st.integers(3, 12)),
    st.lists(st.integers(1, 12), unique=True, max_size=8).map(Ranges.of),
)
LOADS = st.lists(st.tuples(st.sampled_from((b"one", b"other")), PARTS, st.integers(0, 3)), max_size=6)


@settings(max_examples=600)
@given(LOADS)
def test_a_load_gives_what_stands_there_whatever_the_loads_before_it_gave(
    loads: list[tuple[bytes, Ranges, int]],
) -> None:
    tails, log = rows.Tails(20_000), {seq: ROWS[seq % 3] for seq in range(1, 13)}
    for place, (name, part, changed) in enumerate(loads):
        if changed:
            # A server that came back without its last writes, and took others since.
            log[changed] = ROWS[3 + place]
        there = [log[seq] for seq in part]
        for _ in range(2):
            given = tails.messages(name, rows.flat(part), list(there))
            assert given == tuple(rows._read(row, seq) for row, seq in zip(there, part, strict=True))


def test_a_view_reads_no_text_that_its_process_appended(
    plain_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sessions(plain_redis.url) as sessions:
        session = sessions.session("a session")
        session.append(
            [{"role": "user", "content": "Where is order A-1042?"}, {"role": "assistant", "content": "Here."}]
        )
        monkeypatch.setattr(rows, "_read", lambda row, seq: pytest.fail("a row was read"))
        assert [message.seq for message in session.view().messages] == [1, 2]
        assert session.view() == session.view()


@pytest.mark.parametrize("seed", range(6))
def test_views_of_one_process_are_those_of_a_new_one_whoever_wrote(plain_redis: RedisServer, seed: int) -> None:
    rnd, key = random.Random(seed), f"walk {seed}"
    policy = Policy(Budget(rnd.choice((600, 4_000)), reply_reserve_tokens=0), folding="off")
    with Sessions(plain_redis.url, policy=policy) as mine, Sessions(plain_redis.url, policy=policy) as theirs:
        for step in range(60):
            _change(rnd, rnd.choice((mine, theirs)).session(key), f"{seed}.{step}")
            overhead = rnd.choice((0, 0, 50))
            with Sessions(plain_redis.url, policy=policy) as new:
                seen = new.session(key).view(overhead_tokens=overhead)
            assert mine.session(key).view(overhead_tokens=overhead) == seen


def _change(rnd: random.Random, session: Session, name: str) -> None:
    store, text = (
        session.sessions.store,
        rnd.choice(("Ship it by 4 May, never to Graz. ", "Thanks. ")) * rnd.randint(1, 9),
    )
    kind = rnd.choice(("say", "say", "say", "call", "edit", "fork", "fold", "reset", "delete", "lease"))
    record = session.record()
    if kind == "call":
        asked = Message(Role.ASSISTANT, id=f"{name}a", tool_calls=(ToolCall(name, "look"),))
        session.append([asked, Message(Role.TOOL, text, id=f"{name}t", tool_call_id=name)][: rnd.randint(1, 2)])
    elif kind == "edit" and record:
        edited = replace(session.sessions.services.prepare(replace(rnd.choice(record), content=text)), seq=0)
        run_blocking(store.append(session.key, [edited], revise=True))
    elif kind == "fork" and record:
        head = Ranges.of([message.seq for message in record[: rnd.randint(1, len(record))]])
        run_blocking(store.mark(session.key, Marks(head=head)))
    elif kind == "fold":
        session.fold()
    elif kind == "reset":
        session.reset(carry=rnd.random() < 0.5)
    elif kind == "delete" and rnd.random() < 0.3:
        session.delete()
    elif kind == "lease":
        with session.lease() as lease:
            session.append(Message(Role.USER, text, id=name), lease=lease)
    else:
        session.append([Message(Role.USER, text, id=f"{name}u"), Message(Role.ASSISTANT, text, id=f"{name}r")])
