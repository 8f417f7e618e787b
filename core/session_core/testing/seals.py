"""Promises of a store about sealed sessions: nobody adds messages in clear to what others encrypt.

For stores that seal nothing themselves. What is sealed they know by its format alone; no key is needed to tell.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from session_core.errors import StoreUnreadable
from session_core.ports import Appended, Checkpoint, MessageList, Plain, SessionStore, Write
from session_core.ranges import Ranges
from session_core.sealed import SEALED
from session_core.testing.fakes import KEY, Promise, message
from session_core.turns import Message, Native, Role, ToolCall


async def refuses_plain_messages_in_a_sealed_session(store: SessionStore) -> None:
    """A sealed session refuses messages in clear, whatever their number and the options, and writes nothing."""
    await store.append(KEY, [_sealed(1)])
    before = (await store.append(KEY, [_sealed(2)])).state
    call = replace(message(3, Role.ASSISTANT), tool_calls=(ToolCall("c", "tool", "{}"),))
    for batch in (
        [message(3)],
        [message(3, Role.ASSISTANT)],
        [message(3), message(4)],
        [_sealed(3), message(4)],
        [call],
    ):
        await _refused(store.append(KEY, batch))
        await _refused(store.append(KEY, batch, strict=True, revise=True))
        await _refused(store.append(KEY, batch, expected=before.version))
    await _refused(store.append(KEY, [message(1)], revise=True))
    assert await store.state(KEY) == before
    assert [one.id for one in await store.record(KEY)] == ["m1", "m2"]


async def goes_on_with_sealed_messages(store: SessionStore) -> None:
    """A sealed session accepts sealed messages, and appends of nothing; its state stays sealed."""
    assert (await store.append(KEY, [_sealed(1), _sealed(2)])).state.sealed
    for batch in ([_sealed(3)], [_sealed(4, Role.ASSISTANT)], [_sealed(5), _sealed(6)], [_sealed(5)], []):
        done = await store.append(KEY, batch)
        assert done.state.sealed
        assert done.state == await store.state(KEY) == (await store.load(KEY)).state
    assert [one.id for one in await store.record(KEY)] == [f"m{number}" for number in range(1, 7)]
    assert [state.sealed for state in await store.sessions()] == [True]


async def is_sealed_from_the_first_sealed_message_on(store: SessionStore) -> None:
    """A session in clear accepts sealed messages; after the first one it refuses messages in clear."""
    for key, batch in ((KEY, [_sealed(3)]), (replace(KEY, session_id="other"), [_sealed(3), _sealed(4)])):
        for number in (1, 2):
            assert not (await store.append(key, [message(number)])).state.sealed
        assert (await store.append(key, batch)).state.sealed
        await _refused(store.append(key, [message(5)]))
        assert len(await store.record(key)) == 2 + len(batch)


async def refuses_plain_checkpoints_in_a_sealed_session(store: SessionStore) -> None:
    """A sealed session refuses checkpoints with a body or message in clear; a sealed one makes a session sealed."""
    for sealed_by in (store.append(KEY, [_sealed(1)]), _put(store, "1", SEALED)):
        await sealed_by
        before = await store.state(KEY)
        assert before is not None
        assert before.sealed
        await _refused(_put(store, "2", "t"))
        await _refused(_put(store, "2", "t", _sealed(2)))
        await _refused(_put(store, "2", SEALED, message(2)))
        await _refused(store.append(KEY, [message(2)]))
        assert await store.state(KEY) == before
        assert await store.checkpoint(KEY, "2") is None
        assert (await _put(store, "2", SEALED, _sealed(2))).state.sealed
        await store.delete(KEY)


async def refuses_plain_writes_in_a_sealed_session(store: SessionStore) -> None:
    """A sealed session refuses a batch of pending writes with a value in clear; a sealed write makes a session
    sealed."""
    sealed, clear = Write("t", 0, "x", Plain(SEALED, b"")), Write("u", 0, "x", Plain("t", b""))
    said, unsaid = (replace(clear, value=MessageList((one,))) for one in (message(2), Ranges.span(1, 1)))
    first = Write("s", 0, "messages", MessageList((_sealed(1),)))
    for begun_by in (store.append(KEY, [_sealed(1)]), store.put_writes(KEY, "1", [first])):
        await begun_by
        await _put(store, "1", SEALED)
        before = await store.checkpoint(KEY, "1")
        for writes in (
            [clear],
            [said],
            [replace(clear, index=-1)],
            [sealed, clear],
            [replace(first, task_id="v"), said],
        ):
            await _refused(store.put_writes(KEY, "1", writes))
        assert await store.checkpoint(KEY, "1") == before
        for writes in ([sealed], [replace(first, task_id="v")], [replace(sealed, index=-1)], [unsaid], []):
            await store.put_writes(KEY, "1", writes)
        await store.delete(KEY)
    await store.put_writes(KEY, "1", [sealed])
    await _refused(store.append(KEY, [message(1)]))
    await store.put_writes(replace(KEY, namespace="inner"), "1", [clear])
    await store.delete(KEY)
    await store.put_writes(KEY, "1", [clear])
    await store.put_writes(KEY, "1", [sealed])
    await _refused(store.put_writes(KEY, "1", [said]))


async def forgets_the_seal_of_what_was_deleted(store: SessionStore) -> None:
    """A recreated session may be in clear again; namespaces and copies have a seal of their own."""
    await store.append(KEY, [_sealed(1)])
    await store.append(replace(KEY, namespace="inner"), [message(1)])
    await store.copy_session(KEY, "a copy")
    await _refused(store.append(replace(KEY, session_id="a copy"), [message(2)]))
    await store.delete(KEY)
    assert not (await store.append(KEY, [message(1)])).state.sealed
    assert not (await store.append(KEY, [message(2)])).state.sealed


def _sealed(number: int, role: Role = Role.USER) -> Message:
    """A message in the form in which an encrypting store passes it on."""
    mark = number.to_bytes(8, "big")
    return replace(message(number, role, "sealed"), native=Native(SEALED, mark, b"sealed " + mark))


def _put(store: SessionStore, checkpoint_id: str, body: str, *said: Message) -> Awaitable[Appended]:
    made = Checkpoint(KEY, checkpoint_id, None, Plain(body, b""), {"messages": checkpoint_id})
    values = {"messages": MessageList((Ranges.span(1, 1), *said))} if said else {}
    return store.put_checkpoint(made, values, head_channel="messages" if said else None, merge=True)


async def _refused(write: Awaitable[object]) -> None:
    told = ""
    try:
        await write
    except StoreUnreadable as exc:
        told = str(exc)
    assert told.startswith("session "), "a sealed session accepted something in clear"
    assert "keyring=" in told


SEAL_PROMISES: tuple[Promise, ...] = (
    refuses_plain_messages_in_a_sealed_session,
    goes_on_with_sealed_messages,
    is_sealed_from_the_first_sealed_message_on,
    refuses_plain_checkpoints_in_a_sealed_session,
    refuses_plain_writes_in_a_sealed_session,
    forgets_the_seal_of_what_was_deleted,
)
