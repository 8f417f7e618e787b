"""Promises of a store about sessions: records, digests, marks, search, deletion."""

from __future__ import annotations

from dataclasses import replace

from session_core.errors import Conflict, DuplicateMessage, OrphanToolResult
from session_core.events import Notice
from session_core.ledger import MOST_OPEN_CALLS
from session_core.plan import Digest, Fact, FactKind
from session_core.ports import Marks, SessionStore
from session_core.ranges import Ranges
from session_core.retrieval.retrieve import terms
from session_core.testing.fakes import KEY, Promise, bare_checkpoint, message
from session_core.turns import Key, Message, Role, ToolCall


async def keeps_order_and_numbers(store: SessionStore) -> None:
    """Messages come back in the order of their appends, numbered from 1."""
    await store.append(KEY, [message(1), message(2)])
    done = await store.append(KEY, [message(3)])
    assert done.seqs == (3,)
    assert [m.id for m in await store.record(KEY)] == ["m1", "m2", "m3"]
    assert [m.seq for m in await store.record(KEY)] == [1, 2, 3]


async def keeps_everything_of_a_message(store: SessionStore) -> None:
    """Every field comes back as it went in."""
    call = Message(Role.ASSISTANT, "", id="c", tool_calls=(ToolCall("t1", "look", '{"a": 1}'),), tokens=7)
    result = Message(
        Role.TOOL,
        "long" * 400,
        id="r",
        tool_call_id="t1",
        name="look",
        tokens=900,
        clip="short \ud800",
        clip_tokens=4,
        time_s=2.5,
    )
    said = Message(Role.USER, "nul \x00 and \ud800", id="u", author="Ann", tokens=3, time_s=1.5)
    await store.append(KEY, [said, call, result])
    kept = await store.record(KEY)
    assert [m.content for m in kept] == [said.content, "", result.content]
    assert (kept[0].author, kept[0].time_s, kept[0].tokens) == ("Ann", 1.5, 3)
    assert kept[1].tool_calls == call.tool_calls
    assert (kept[2].clip, kept[2].clip_tokens, kept[2].name, kept[2].tool_call_id) == (result.clip, 4, "look", "t1")


async def stores_one_message_once(store: SessionStore) -> None:
    """A message appended again with the same id and content keeps its number and is not stored twice."""
    first = await store.append(KEY, [message(1), message(2)])
    again = await store.append(KEY, [message(2), message(3)])
    assert again.seqs == (2, 3)
    assert again.new == 1
    assert first.state.version < again.state.version
    assert len(await store.record(KEY)) == 3


async def leaves_version_when_nothing_is_new(store: SessionStore) -> None:
    """An append of known messages only leaves the version unchanged."""
    first = await store.append(KEY, [message(1)])
    again = await store.append(KEY, [message(1)])
    assert first.state.version == again.state.version


async def refuses_other_content_under_one_id(store: SessionStore) -> None:
    """A known id with other content is refused, and nothing of the batch is written."""
    await store.append(KEY, [message(1)])
    try:
        await store.append(KEY, [message(2), message(1, content="other")])
    except DuplicateMessage:
        assert [m.id for m in await store.record(KEY)] == ["m1"]
        return
    raise AssertionError("an id with two contents was taken")


async def revises_in_place(store: SessionStore) -> None:
    """With `revise` the new version replaces the old one in the head; the log keeps both."""
    await store.append(KEY, [message(1), message(2)])
    done = await store.append(KEY, [message(1, content="revised")], revise=True)
    assert list(done.state.head) == [3, 2]
    assert len(await store.record(KEY)) == 3


async def refuses_another_version(store: SessionStore) -> None:
    """An append that expects another version is refused and writes nothing."""
    done = await store.append(KEY, [message(1)])
    try:
        await store.append(KEY, [message(2)], expected=done.state.version + 1)
    except Conflict:
        assert len(await store.record(KEY)) == 1
        await store.append(KEY, [message(2)], expected=done.state.version)
        return
    raise AssertionError("a wrong version was taken")


async def takes_an_append_to_a_version_again(store: SessionStore) -> None:
    """An append that expects a version is repeated when its answer got lost: what it stored itself is no conflict, also
    when others wrote since. With one message that is not stored it is one, and writes nothing."""
    first = await store.append(KEY, [message(1)])
    version = first.state.version
    done = await store.append(KEY, [message(2), message(3)], expected=version)
    await store.append(KEY, [message(4)])
    again = await store.append(KEY, [message(2), message(3)], expected=version)
    assert (again.seqs, again.new) == (done.seqs, 0)
    for batch in ([message(2), message(5)], [message(2, content="other words")]):
        try:
            await store.append(KEY, batch, expected=version)
        except Conflict:
            continue
        raise AssertionError("a wrong version was taken")
    assert [m.id for m in await store.record(KEY)] == ["m1", "m2", "m3", "m4"]


async def refuses_a_result_without_its_call(store: SessionStore) -> None:
    """With `strict` each tool result must answer an open call, of the same batch or an earlier one, and only once."""
    call = Message(Role.ASSISTANT, "", id="c", tool_calls=(ToolCall("t1", "look"), ToolCall("t2", "look")))
    first = Message(Role.TOOL, "one", id="r1", tool_call_id="t1")
    second = Message(Role.TOOL, "two", id="r2", tool_call_id="t2")
    await store.append(KEY, [message(1), call, first], strict=True)
    await store.append(KEY, [second, first], strict=True)
    for wrong in (Message(Role.TOOL, "x", id="r3", tool_call_id="t1"), replace(second, id="r4", tool_call_id="no")):
        try:
            await store.append(KEY, [message(5), wrong], strict=True)
        except OrphanToolResult:
            continue
        raise AssertionError("a result without an open call was taken")
    assert [m.id for m in await store.record(KEY)] == ["m1", "c", "r1", "r2"]


async def waits_for_a_bounded_number_of_calls(store: SessionStore) -> None:
    """The number of unanswered calls kept open is bounded: the newest ones, and always all of the newest message."""
    many = tuple(ToolCall(f"w{n}", "look") for n in range(MOST_OPEN_CALLS + 7))
    asked = [Message(Role.ASSISTANT, id=f"c{n}", tool_calls=(ToolCall(f"t{n}", "look"),)) for n in range(3)]
    await store.append(KEY, [*asked, Message(Role.ASSISTANT, id="c", tool_calls=many)])
    state = await store.state(KEY)
    assert state is not None
    assert state.ledger.open_calls == tuple(call.id for call in many)
    late = [
        Message(Role.ASSISTANT, id=f"l{n}", tool_calls=(ToolCall(f"l{n}", "look"),)) for n in range(MOST_OPEN_CALLS)
    ]
    await store.append(KEY, [*late, Message(Role.TOOL, "yes", id="r", tool_call_id="l0")])
    state = await store.state(KEY)
    assert state is not None
    assert state.ledger.open_calls == tuple(f"l{n}" for n in range(1, MOST_OPEN_CALLS))


async def loads_what_is_behind_the_digest(store: SessionStore) -> None:
    """A new digest becomes active with the next turn; from then on only messages after it are loaded."""
    await store.append(KEY, [message(n) for n in range(1, 6)])
    fact = Fact(FactKind.RULE, "never before noon", seq=1, author="Ann", slot="hours", superseded_by=4)
    made = await store.put_digest(
        KEY, Digest(Ranges.span(1, 3), "summary", (fact,), pinned=Ranges.span(1, 1), tokens=9), expected=0
    )
    before = await store.load(KEY)
    assert before.digest is None
    assert len(before.messages) == 5
    await store.append(KEY, [message(6)])
    after = await store.load(KEY)
    assert after.digest == made
    assert [m.seq for m in after.messages] == [1, 4, 5, 6]
    assert after.state.active.tokens == 9


async def keeps_one_digest_of_two(store: SessionStore) -> None:
    """Of two digests made from the same one, the second is refused."""
    await store.append(KEY, [message(1)])
    await store.put_digest(KEY, Digest(Ranges.span(1, 1), "a"), expected=0)
    try:
        await store.put_digest(KEY, Digest(Ranges.span(1, 1), "b"), expected=0)
    except Conflict:
        return
    raise AssertionError("two digests took the same number")


async def loads_a_lineage(store: SessionStore) -> None:
    """A lineage is loaded with the longest digest that covers a beginning of it."""
    await store.append(KEY, [message(n) for n in range(1, 8)])
    await store.put_digest(KEY, Digest(Ranges.span(1, 2), "short"), expected=0)
    await store.put_digest(KEY, Digest(Ranges.span(1, 5), "long"), expected=1)
    fork = Ranges.from_pairs([(1, 3), (7, 7)])
    loaded = await store.load(KEY, fork)
    assert loaded.digest is not None
    assert loaded.digest.summary == "short"
    assert [m.seq for m in loaded.messages] == [3, 7]


async def keeps_sessions_apart(store: SessionStore) -> None:
    """Tenants, sessions and namespaces never see each other's messages."""
    others = (Key("a session", "another"), Key("b session", "a tenant"), Key("a session", "a tenant", "sub"))
    await store.append(KEY, [message(1, content="mine")])
    for other in others:
        assert await store.record(other) == ()
        assert await store.find(other, "m1") is None
        assert await store.search(other, terms("mine"), max_hits=5) == ()
        await store.append(other, [message(1, content="theirs")])
    assert [m.content for m in await store.record(KEY)] == ["mine"]


async def finds_words(store: SessionStore) -> None:
    """A search finds the messages that contain the words, in content and tool calls."""
    call = Message(Role.ASSISTANT, "", id="c", tool_calls=(ToolCall("t", "look", '{"order": "ORD-77"}'),))
    await store.append(KEY, [message(1, content="blue shoes"), message(2, content="red hats"), call])
    assert [m.id for m in await store.search(KEY, terms("red hats"), max_hits=5)] == ["m2"]
    assert [m.id for m in await store.search(KEY, terms("ord-77"), max_hits=5)] == ["c"]
    assert await store.search(KEY, terms("green"), max_hits=5) == ()


async def deletes_everything(store: SessionStore) -> None:
    """Deleting a session deletes its namespaces, index entries and checkpoints too."""
    sub = Key(KEY.session_id, KEY.tenant, "sub")
    await store.append(KEY, [message(1), message(2)])
    await store.append(sub, [message(3)])
    await store.put_digest(KEY, Digest(Ranges.span(1, 1), "a"), expected=0)
    await store.mark(KEY, Marks(notice=Notice("full", 0.9, 1)))
    await store.put_checkpoint(bare_checkpoint("1", None), {}, head_channel=None, merge=True)
    assert await store.delete(KEY) == 3
    assert await store.state(KEY) is None
    assert await store.record(sub) == ()
    assert await store.notices(KEY) == ()
    assert await store.checkpoint(KEY) is None
    assert await store.search(KEY, terms("words"), max_hits=5) == ()
    await store.append(KEY, [message(9)])
    assert (await store.load(KEY)).digest is None


async def keeps_marks_and_notices(store: SessionStore) -> None:
    """Marks and notices are returned as stored, and do not change the version."""
    done = await store.append(KEY, [message(1)])
    notice = Notice("nearly full", 0.91, 3, 12.5, record_tokens=900, record_messages=7)
    await store.mark(KEY, Marks(tier=3, notice=notice, resumed_after_seq=1, absent_s=60.0))
    state = await store.state(KEY)
    assert state is not None
    assert (state.tier, state.resumed_after_seq, state.absent_s) == (3, 1, 60.0)
    assert state.version == done.state.version
    assert await store.notices(KEY) == (notice,)


async def lists_newest_first(store: SessionStore) -> None:
    """Sessions are listed by their last activity, newest first, for one tenant or all."""
    await store.append(Key("old", "t"), [message(1)])
    await store.append(Key("new", "t"), [message(2)])
    await store.append(Key("other", "u"), [message(3)])
    assert [s.key.session_id for s in await store.sessions("t")] == ["new", "old"]
    assert len(await store.sessions()) == 3


SESSION_PROMISES: tuple[Promise, ...] = (
    keeps_order_and_numbers,
    keeps_everything_of_a_message,
    stores_one_message_once,
    leaves_version_when_nothing_is_new,
    refuses_other_content_under_one_id,
    revises_in_place,
    refuses_another_version,
    takes_an_append_to_a_version_again,
    refuses_a_result_without_its_call,
    waits_for_a_bounded_number_of_calls,
    loads_what_is_behind_the_digest,
    keeps_one_digest_of_two,
    loads_a_lineage,
    keeps_sessions_apart,
    finds_words,
    deletes_everything,
    keeps_marks_and_notices,
    lists_newest_first,
)
