"""Promises of a store about unusual names, ids and messages, and about finding and deleting by them."""

from __future__ import annotations

from dataclasses import replace

from session_core.ports import MessageList, Plain, SessionStore, Write
from session_core.ranges import Ranges
from session_core.retrieval.retrieve import terms
from session_core.testing.fakes import KEY, Promise, bare_checkpoint, message
from session_core.turns import Importance, Key, Media, Message, Native, Role

NAMES = (
    Key("a:b", "t"),
    Key("a", "t:b"),
    Key("b", "t:a"),
    Key("a", "t", "b"),
    Key("a|b", "t"),
    Key("a", "t|b"),
    Key("{a}", "t"),
    Key("%7Ba%7D", "t"),
    Key("A", "t"),
    Key("a ", "t"),
    Key("\u00e9", "t"),
    Key("e\u0301", "t"),
    Key("\U0001f600" * 60, "t"),
    Key("half \ud83d", "t"),
)
IDS = ("", "x", "X", "x\x00", "x\x00y", "\x00x", " x", "\u00e9", "e\u0301", "half \ud83d", "x" * 9_000, "0", "00")


async def tells_names_apart(store: SessionStore) -> None:
    """No two names are confused, whatever characters they contain."""
    for number, key in enumerate(NAMES):
        await store.append(key, [message(number)])
    for number, key in enumerate(NAMES):
        assert [m.id for m in await store.record(key)] == [f"m{number}"], key
    assert {state.key for state in await store.sessions("t")} == {
        key for key in NAMES if key.tenant == "t" and not key.namespace
    }


async def tells_ids_apart(store: SessionStore) -> None:
    """No two message ids are confused: each message is returned and recognized by its own."""
    said = [Message(Role.USER, f"said {number}", id=name) for number, name in enumerate(IDS)]
    await store.append(KEY, said)
    assert [(m.id, m.content) for m in await store.record(KEY)] == [(m.id, m.content) for m in said]
    for one in said:
        found = await store.find(KEY, one.id)
        assert found is not None
        assert found.content == one.content
    assert (await store.append(KEY, said)).new == 0


async def keeps_what_is_odd_about_a_message(store: SessionStore) -> None:
    """Media, asides, native data, importance, any time and large texts are returned unchanged by every method."""
    said = [
        message(0),
        Message(
            Role.USER,
            "look \U0001f600",
            id="1",
            media=(Media("image", "data:image/png;base64,AAAA", "image/png"), Media("file", "https://x.y/z")),
            name="Ann's",
            importance=Importance.MUST_KEEP,
            time_s=-62_135_596_800.25,
            tokens=2**31 - 1,
        ),
        Message(
            Role.ASSISTANT,
            "x" * 300_000 + "\n end",
            id="2",
            aside="why",
            native=Native("langchain/1", b"\x00\xff{}", b"note"),
            importance=Importance.DISCARD,
            time_s=1e12,
        ),
        Message(Role.TOOL, "", id="3", tool_call_id="call \x00 \ud83d", clip="", clip_tokens=0, author=""),
    ]
    await store.append(KEY, said)
    expected = [replace(one, seq=number) for number, one in enumerate(said, 1)]
    assert list(await store.record(KEY)) == expected
    assert list((await store.load(KEY)).messages) == expected
    assert [await store.find(KEY, one.id) for one in said] == expected
    backwards = Ranges.from_pairs([(3, 4), (1, 2)])
    assert list(await store.record(KEY, backwards)) == expected[2:] + expected[:2]


async def takes_many_messages_at_once(store: SessionStore) -> None:
    """A batch of over a thousand messages is appended whole and in order, and so is a message after it."""
    many = [message(number) for number in range(1, 1_202)]
    assert (await store.append(KEY, many)).seqs == tuple(range(1, 1_202))
    assert (await store.append(KEY, [message(9_999)])).seqs == (1_202,)
    assert [m.id for m in await store.record(KEY)] == [*(m.id for m in many), "m9999"]


async def prefers_rare_words(store: SessionStore) -> None:
    """A search returns messages with any of the words, those with rarer words first, and at most `max_hits`."""
    said = ["common", "common", "common rare", "common", "other"]
    await store.append(KEY, [message(number, content=text) for number, text in enumerate(said)])
    hits = await store.search(KEY, terms("common rare"), max_hits=9)
    assert hits[0].id == "m2"
    assert {m.id for m in hits} == {"m0", "m1", "m2", "m3"}
    assert len(await store.search(KEY, terms("common rare"), max_hits=2)) == 2


async def deletes_by_any_part_and_nothing_else(store: SessionStore) -> None:
    """Deleting by the key of a namespace deletes the whole session, and nothing of other tenants and sessions."""
    inner, others = replace(KEY, namespace="inner"), (Key(KEY.session_id, "another"), Key("another", KEY.tenant))
    for key in (KEY, inner, *others):
        await store.append(key, [message(1)])
    assert await store.delete(inner) == 2
    assert await store.record(KEY) == ()
    assert [len(await store.record(key)) for key in others] == [1, 1]


async def lists_what_has_messages(store: SessionStore) -> None:
    """A session with only a checkpoint, and a namespace, are not listed as sessions."""
    await store.put_checkpoint(bare_checkpoint("1", None), {}, head_channel=None, merge=True)
    await store.append(Key("b session", KEY.tenant, "inner"), [message(1)])
    assert await store.sessions(KEY.tenant) == ()
    await store.append(KEY, [message(1)])
    assert [state.key for state in await store.sessions(KEY.tenant)] == [KEY]


async def keeps_the_names_in_writes(store: SessionStore) -> None:
    """Names of tasks, channels and paths in writes are returned unchanged, of any length and with any characters."""
    named = ["y" * length for length in range(1, 40)] + [name for name in IDS if name]
    writes = [
        Write(name, 0, f"{name} channel", Plain("t", name[:9].encode("utf-8", "replace")), name) for name in named
    ]
    await store.put_checkpoint(bare_checkpoint("1", None), {}, head_channel=None, merge=True)
    await store.put_writes(KEY, "1", writes)
    found = await store.checkpoint(KEY)
    assert found is not None
    assert {write.task_id: write for write in found.writes} == {write.task_id: write for write in writes}


async def replaces_a_checkpoint_of_the_same_id(store: SessionStore) -> None:
    """A checkpoint put again under its id replaces the earlier one."""
    values = {"messages": MessageList((message(1),))}
    await store.put_checkpoint(bare_checkpoint("1", None), values, head_channel="messages", merge=True)
    newer = replace(bare_checkpoint("1", "0"), body=Plain("t", b"newer"))
    await store.put_checkpoint(newer, {}, head_channel="messages", merge=True)
    found = await store.checkpoint(KEY)
    assert found is not None
    assert (found.parent_id, found.body.data) == ("0", b"newer")
    assert "messages" in found.values
    assert len(await store.checkpoints(KEY.tenant, KEY.session_id, "")) == 1


ODD_PROMISES: tuple[Promise, ...] = (
    tells_names_apart,
    tells_ids_apart,
    keeps_what_is_odd_about_a_message,
    takes_many_messages_at_once,
    prefers_rare_words,
    deletes_by_any_part_and_nothing_else,
    lists_what_has_messages,
    keeps_the_names_in_writes,
    replaces_a_checkpoint_of_the_same_id,
)
