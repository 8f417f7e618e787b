"""The PostgreSQL store decides as the stores in Python do, and any text comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from postgres_server import PostgresServer

from session_core.errors import Conflict, SessionError
from session_core.plan import Digest
from session_core.ports import Appended, Checkpoint, Loaded, Marks, MessageList, Plain, SessionStore, State
from session_core.ranges import Ranges
from session_core.stores.memory import MemoryStore
from session_core.stores.postgres import checkpoints
from session_core.stores.postgres.rows import text_in, text_out
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, message
from session_core.turns import Key, Message, Role, ToolCall
from session_core.voices import run_blocking

_schemas = count(1)
IDS = st.sampled_from(["m1", "m1", "m2", "m2", "m3", "\\u0000", "a\x00b", "\ud800"])
PARTS = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 3)), max_size=3).map(
    lambda found: Ranges.of(dict.fromkeys(seq for first, more in found for seq in range(first, first + more + 1)))
)


@st.composite
def a_message(draw: st.DrawFn) -> Message:
    role = draw(st.sampled_from(list(Role)))
    calls = draw(st.lists(st.sampled_from(["t1", "t2", "t\x00"]), max_size=2)) if role is Role.ASSISTANT else []
    clipped = draw(st.booleans())
    return Message(
        role,
        draw(st.sampled_from(["one", "two", "nul \x00", "half \ud800"])),
        id=draw(IDS),
        tool_calls=tuple(ToolCall(call, "look") for call in calls),
        tool_call_id=draw(st.sampled_from(["t1", "t2", "t\x00"])) if role is Role.TOOL else None,
        author=draw(st.sampled_from([None, "", "Ann", "B\x00b"])),
        tokens=draw(st.integers(0, 9)),
        time_s=draw(st.sampled_from([None, 1.5, 1e300, -0.1])),
        clip="cut \x00 \udfff" if clipped else None,
        clip_tokens=1 if clipped else 0,
        rendition=draw(st.sampled_from(["whole", "whole", "clip"])),
    )


BATCHES = st.lists(a_message(), max_size=5)
LISTS = st.builds(
    MessageList,
    st.lists(st.one_of(a_message(), PARTS), max_size=5).map(tuple),
    base=PARTS,
    base_version=st.sampled_from([None, 0, 1, "before"]),
    hidden=PARTS,
)
STEPS = st.one_of(
    st.tuples(st.just("append"), BATCHES, st.sampled_from([None, None, None, 0, 1, 2]), st.booleans(), st.booleans()),
    st.tuples(st.just("digest"), PARTS, st.integers(0, 1), st.sampled_from([None, None, "of another"])),
    st.tuples(st.just("mark"), PARTS, st.booleans()),
    st.tuples(
        st.just("checkpoint"),
        LISTS,
        st.one_of(st.none(), LISTS),
        st.booleans(),
        st.sampled_from([None, "0", "1", "before", "before"]),
    ),
)


async def _do(store: SessionStore, key: Key, place: int, step: tuple[Any, ...]) -> object:
    """What a step comes to; an error counts by its kind and what it says."""
    try:
        match step:
            case ("append", messages, expected, revise, strict):
                return await store.append(key, messages, expected=expected, revise=revise, strict=strict)
            case ("digest", covers, expected, born):
                made = Digest(covers, f"digest {place}", tokens=place)
                return await store.put_digest(key, made, expected=expected, born=born)
            case ("mark", head, activate):
                return await store.mark(key, Marks(tier=place, head=head or None, activate=activate))
            case (_, said, aside, merge, parent):
                versions = {"aside": place, "messages": place, "empty": 1.5}
                if parent == "before":
                    parent = str(place - 1)
                if said.base_version == "before":
                    said = replace(said, base_version=place - 1)
                row = Checkpoint(key, str(place), parent, Plain("t", b"b"), versions)
                values = {"messages": said, "empty": None, "aside": aside}
                return await store.put_checkpoint(row, values, head_channel="messages", merge=merge)
    except SessionError as exc:
        return type(exc), str(exc)


def _told(found: Any) -> Any:
    """What was found, less what a store need not keep."""
    if isinstance(found, Message):
        return replace(found, rendition="whole")
    if isinstance(found, State):
        return replace(found, born="")
    if isinstance(found, Appended):
        return replace(found, state=_told(found.state))
    if isinstance(found, Loaded):
        return replace(found, state=_told(found.state), messages=_told(found.messages))
    if isinstance(found, tuple) and found and isinstance(found[0], Message):
        return tuple(map(_told, found))
    return found


@pytest.fixture(scope="module")
def mirrored(postgres: PostgresServer) -> Iterator[PostgresStore]:
    made = PostgresStore(f"{postgres.url}&schema=mirrored")
    yield made
    run_blocking(made.close())


@pytest.mark.parametrize("free_tries", [1, 0], ids=["free", "held"])
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=8), lineage=PARTS)
def test_it_decides_as_the_store_in_memory(
    mirrored: PostgresStore, free_tries: int, steps: list[tuple[Any, ...]], lineage: Ranges
) -> None:
    key = Key(f"session {next(_schemas)}", "a \\ tenant")
    theirs, ours = MemoryStore(), mirrored

    async def both(act: Callable[[SessionStore], Any]) -> None:
        assert _told(await act(ours)) == _told(await act(theirs))

    async def compared() -> None:
        begun = [message(number) for number in range(1, 4)]
        await both(lambda store: store.append(key, begun))
        for place, step in enumerate(steps):
            await both(lambda store: _do(store, key, place, step))  # noqa: B023
            await both(lambda store: store.state(key))
        await both(lambda store: store.record(key))
        state = await theirs.state(key)
        known = Ranges.span(1, state.ledger.messages if state else 0)
        if set(lineage) | set(state.head if state else ()) <= set(known):
            await both(lambda store: store.load(key))
            await both(lambda store: store.load(key, lineage))
        for message_id in ("m1", "m2", "a\x00b"):
            await both(lambda store: store.find(key, message_id))  # noqa: B023
        for place in range(len(steps)):
            await both(lambda store: store.checkpoint(key, str(place)))  # noqa: B023
        await both(lambda store: store.checkpoints(key.tenant, key.session_id, None, before="5"))
        await both(lambda store: store.delete(key))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(checkpoints, "FREE_TRIES", free_tries)
        run_blocking(compared())


def test_a_digest_of_a_session_that_was_begun_again_is_refused(postgres_store: PostgresStore) -> None:
    old = run_blocking(postgres_store.append(KEY, [message(1)])).state
    run_blocking(postgres_store.delete(KEY))
    new = run_blocking(postgres_store.append(KEY, [message(2)])).state
    digest = Digest(Ranges.span(1, 1), "so far")
    with pytest.raises(Conflict, match="deleted"):
        run_blocking(postgres_store.put_digest(KEY, digest, expected=0, born=old.born))
    assert run_blocking(postgres_store.put_digest(KEY, digest, expected=0, born=new.born)).number == 1


@given(text=st.text(alphabet=st.sampled_from(["\\", "u", "0", "\x00", "\ud800", "\udfff", "ü", "n"])))
def test_any_text_can_be_kept_and_comes_back(text: str) -> None:
    kept = text_in(text)
    assert "\x00" not in kept
    assert kept.encode().decode() == kept
    assert text_out(kept) == text
