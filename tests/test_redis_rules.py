"""The scripts decide as the rules do: whatever is asked, in any order, Redis answers as the store in memory."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis_server import RedisServer

from session_core import Message, Role, ToolCall
from session_core.errors import SessionError
from session_core.plan import Digest
from session_core.ports import (
    Appended,
    Checkpoint,
    Loaded,
    Marks,
    MessageList,
    Plain,
    SessionStore,
    State,
    Stored,
    Write,
)
from session_core.ranges import Ranges
from session_core.runtime.ids import fresh_id
from session_core.stores.memory import MemoryStore
from session_core.stores.redis.names import escape, from_plain, plain, unescape
from session_core.stores.redis.rows import begin_row, finish_row, message_from, packed_id, unpacked_id
from session_core.stores.redis.store import RedisStore
from session_core.testing import message
from session_core.turns import GIVEN_ID, Importance, Key
from session_core.voices import run_blocking

KEY = Key("a session", "a tenant")
STEPS = 50
CHANNELS = ("messages", "other", "third")
Step = Callable[[SessionStore], Awaitable[Any]]


@pytest.mark.parametrize("seed", range(120))
def test_redis_answers_as_the_store_in_memory_does(seed: int, plain_redis: RedisServer) -> None:
    rnd = random.Random(seed)
    with plain_redis.client() as client:
        client.flushall()
    model, store = MemoryStore(), RedisStore(plain_redis.url)
    for number in range(STEPS):
        step = _step(rnd, model)
        assert (number, _answer(store, step)) == (number, _answer(model, step))
        assert _comparable(run_blocking(store.state(KEY))) == _comparable(run_blocking(model.state(KEY)))
    run_blocking(store.close())


def test_a_version_behind_a_whole_list_takes_the_place_of_what_it_replaces(plain_redis: RedisServer) -> None:
    with plain_redis.client() as client:
        client.flushall()
    heads = []
    for store in (MemoryStore(), RedisStore(plain_redis.url)):
        run_blocking(store.append(KEY, [message(1), message(2)]))
        part = MessageList((Ranges.span(1, 2), message(3), message(1, content="anew")), base=Ranges.span(1, 2))
        checkpoint = Checkpoint(KEY, "1", None, Plain("b", b""), {"messages": "1"})
        done = run_blocking(store.put_checkpoint(checkpoint, {"messages": part}, head_channel="messages", merge=True))
        heads.append(list(done.state.head))
        run_blocking(store.close())
    assert heads == [[4, 2, 3]] * 2


def _answer(store: SessionStore, step: Step) -> object:
    try:
        return _comparable(run_blocking(step(store)))  # type: ignore[arg-type]
    except SessionError as exc:
        return type(exc), str(exc)


def _comparable(value: object) -> object:
    """`value` less what two stores tell differently: a beginning's name, a live object's marks, prices of writes."""
    if isinstance(value, State):
        return replace(value, born=str(bool(value.born)))
    if isinstance(value, Appended):
        return replace(value, state=_comparable(value.state))  # type: ignore[arg-type]
    if isinstance(value, Message):
        return replace(value, rendition="whole")
    if isinstance(value, Loaded):
        messages = tuple(map(_comparable, value.messages))
        return replace(value, state=_comparable(value.state), messages=messages)  # type: ignore[arg-type]
    if isinstance(value, Checkpoint):
        return replace(value, writes=tuple(replace(write, value=_said(write.value)) for write in value.writes))
    return tuple(map(_comparable, value)) if isinstance(value, tuple) else value


def _said(value: Plain | MessageList) -> Plain | MessageList:
    if isinstance(value, Plain):
        return value
    return replace(value, items=tuple(_body(item) for item in value.items if isinstance(item, Message)))


def _body(message: Message) -> Message:
    return Message(message.role, message.content, id=message.id, author=message.author, tool_calls=message.tool_calls,
                   tool_call_id=message.tool_call_id)  # fmt: skip


def _step(rnd: random.Random, model: MemoryStore) -> Step:
    state = run_blocking(model.state(KEY))
    known = state.ledger.messages if state else 0
    kinds = [_append] * 6 + [_load] * 2 + [_read] + [_mark] + [_checkpoint] * 4 + [_writes] * 2 + [_see] * 2
    if state:
        kinds += [_digest] * 2
    return rnd.choice(kinds)(rnd, known, state)


def _append(rnd: random.Random, known: int, state: Any) -> Step:
    messages = [_message(rnd) for _ in range(rnd.randint(1, 5))]
    version = state.version if state else 0
    expected = rnd.choice([None, None, version, version + 1])
    revise, strict = rnd.random() < 0.6, rnd.random() < 0.3
    return lambda store: store.append(KEY, messages, expected=expected, revise=revise, strict=strict)


def _load(rnd: random.Random, known: int, state: Any) -> Step:
    lineage = rnd.choice([None, _part(rnd, known)])
    return lambda store: store.load(KEY, lineage)


def _read(rnd: random.Random, known: int, state: Any) -> Step:
    name, part = f"m{rnd.randint(1, 31)}", rnd.choice([None, _part(rnd, known)])
    return rnd.choice([lambda store: store.find(KEY, name), lambda store: store.record(KEY, part)])


def _mark(rnd: random.Random, known: int, state: Any) -> Step:
    marks = Marks(
        tier=rnd.choice([None, 0, 2]),
        resumed_after_seq=rnd.choice([None, 4]),
        absent_s=rnd.choice([None, 2.5, 3.0]),
        head=rnd.choice([None, None, _part(rnd, known)]),
        activate=rnd.random() < 0.3,
    )
    return lambda store: store.mark(KEY, marks)


def _digest(rnd: random.Random, known: int, state: Any) -> Step:
    head = list(state.head)
    covers = Ranges.of(head[: rnd.randint(0, len(head))])
    digest = Digest(covers, f"summary {rnd.random()}", pinned=_part(rnd, known), tokens=5)
    expected = state.ready.number + rnd.choice([0, 0, 1])
    born = rnd.choice([None, "mine", "mine", "another"])

    async def put(store: SessionStore) -> Digest:
        now = await store.state(KEY) if born == "mine" else None
        return await store.put_digest(KEY, digest, expected=expected, born=now.born if now else born)

    return put


def _checkpoint(rnd: random.Random, known: int, state: Any) -> Step:
    versions = {c: rnd.choice([rnd.randint(1, 9), float(rnd.randint(1, 4)), str(rnd.randint(1, 9))]) for c in CHANNELS}
    head = rnd.choice(["messages", "messages", "other", None])
    if head is not None:
        versions[head] = rnd.choice([str(rnd.random()), rnd.random()])
    body = Plain("b", bytes(rnd.randint(0, 255) for _ in range(9)))
    made = Checkpoint(KEY, f"{rnd.randint(1, 12):04}", rnd.choice([None, f"{rnd.randint(1, 12):04}"]), body, versions)
    values = {channel: _value(rnd, known) for channel in rnd.sample(CHANNELS, rnd.randint(1, 3))}
    merge, seed = rnd.random() < 0.7, rnd.random()

    async def put(store: SessionStore) -> object:
        parent = await store.checkpoint(KEY, made.parent_id) if made.parent_id else None
        run = random.Random(seed)
        told = {channel: _of_a_run(run, value, parent, channel) for channel, value in values.items()}
        return await store.put_checkpoint(made, told, head_channel=head, merge=merge)

    return put


def _of_a_run(
    rnd: random.Random, value: Plain | MessageList | None, parent: Checkpoint | None, channel: str
) -> Plain | MessageList | None:
    """`value`, mostly as a run would store it that began with what the parent holds: some of that, moved about."""
    before = parent.values.get(channel) if parent else None
    if not isinstance(value, MessageList) or parent is None or rnd.random() < 0.2:
        return value
    version = rnd.choice([parent.versions.get(channel)] * 3 + [None, 2, 2.0, "2"])
    if not isinstance(before, Stored):
        return replace(value, base_version=version)
    part = list(before.part)
    left = rnd.choice([1.0, 1.0, 0.8, 0.0])
    kept = [seq for seq in part if rnd.random() < left]
    if kept and rnd.random() < 0.4:
        kept.insert(rnd.randrange(len(kept)), kept.pop(rnd.randrange(len(kept))))
    cut = rnd.randint(0, len(kept))
    base = Ranges.of(dict.fromkeys([*part, *value.base]))
    items = list(value.items)
    front = items[: rnd.choice([0, 0, 1, 2])]
    between = items[len(front) : len(front) + rnd.choice([0, 0, 1])]
    items = [*front, Ranges.of(kept[:cut]), *between, Ranges.of(kept[cut:]), *items]
    return replace(
        value,
        items=tuple(items),
        base=rnd.choice([before.part, base, base, value.base]),
        base_version=version,
        hidden=rnd.choice([value.hidden, Ranges.of(seq for seq in base if seq not in kept)]),
    )


def _value(rnd: random.Random, known: int) -> Plain | MessageList | None:
    items = tuple(rnd.choice([_message(rnd), _message(rnd), _part(rnd, known)]) for _ in range(rnd.randint(0, 8)))
    base, hidden = _part(rnd, known), _part(rnd, known)
    version = rnd.choice([None, 1, 2.0, "3"])
    lists = [
        MessageList(items),
        MessageList(items, hidden=hidden, base_version=version),
        MessageList(items, base=base, base_version=version, hidden=hidden),
    ]
    return rnd.choice([*lists, *lists, Plain("t", b"\xff" * 600), None])


def _writes(rnd: random.Random, known: int, state: Any) -> Step:
    place = f"{rnd.randint(1, 30):04}"
    writes = [
        Write(rnd.choice("ab"), rnd.randint(-2, 3), rnd.choice("xy"), _written(rnd), rnd.choice("12"))
        for _ in range(rnd.randint(1, 4))
    ]
    return lambda store: store.put_writes(KEY, place, writes)


def _written(rnd: random.Random) -> Plain | MessageList:
    messages = tuple(replace(_message(rnd), rendition="whole") for _ in range(rnd.randint(1, 3)))
    return rnd.choice([Plain("t", b"\xfe"), MessageList(messages, single=rnd.random() < 0.5)])


def _see(rnd: random.Random, known: int, state: Any) -> Step:
    place = rnd.choice([None, f"{rnd.randint(1, 30):04}"])
    return lambda store: store.checkpoint(KEY, place)


def _message(rnd: random.Random) -> Message:
    number, role = rnd.randint(1, 30), rnd.choice(list(Role))
    calls = [ToolCall(f"c{rnd.randint(1, 5)}", "look") for _ in range(rnd.choice([0, 0, 1, 2]))]
    return Message(
        role,
        f"version {rnd.choice([0, 0, 0, 1, 2, 3])} of {number} " * rnd.choice([1, 1, 200]),
        id=f"m{number}",
        tool_calls=tuple(calls) if role is Role.ASSISTANT else (),
        tool_call_id=f"c{rnd.randint(1, 5)}" if role is Role.TOOL else None,
        author=rnd.choice([None, "Ann", "half \ud800", "Zoë"]),
        time_s=rnd.choice([None, float(number), number + 0.123456789]),
        tokens=rnd.randint(0, 99),
        importance=rnd.choice(list(Importance)),
        rendition=rnd.choice(["whole"] * 5 + ["clip"]),
        clip=rnd.choice([None, "short", "shorter " * 99]),
        clip_tokens=3,
    )


def _part(rnd: random.Random, known: int) -> Ranges:
    seqs: dict[int, None] = {}
    for _ in range(rnd.randint(0, 3) if known else 0):
        first = rnd.randint(1, known)
        seqs.update(dict.fromkeys(range(first, min(known, first + rnd.randint(0, 9)) + 1)))
    return Ranges.of(seqs)


_TEXT = st.text(st.characters(), max_size=40)
_DIGITS = st.uuids().flatmap(lambda one: st.sampled_from([str(one), one.hex, str(one).upper(), one.hex[:16]]))
_IDS = st.builds("{}{}{}".format, _TEXT | st.just("~"), _DIGITS, _TEXT | st.just(""))


@given(_IDS | _TEXT | st.text(max_size=9).map(lambda t: t * 60))
def test_every_id_comes_back(message_id: str) -> None:
    message = Message(Role.USER, "x", id=message_id)
    assert unpacked_id(packed_id(message_id)) == message_id
    assert message_from(begin_row(message)[0] + finish_row(message), 0) == message


def test_the_ids_that_sessions_give_take_9_bytes() -> None:
    assert len(packed_id(f"{GIVEN_ID}{fresh_id()}")) == 9


@given(st.text(st.characters()))
def test_every_text_comes_back_from_a_script(text: str) -> None:
    plain(text).encode()
    assert from_plain(plain(text)) == text


@given(st.text(st.characters() | st.sampled_from("{}|%7BD")))
def test_every_name_comes_back_from_a_key(name: str) -> None:
    assert not set(escape(name)) & set("{}|")
    assert unescape(escape(name)) == name
