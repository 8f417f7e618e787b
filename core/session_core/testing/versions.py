"""Promises of a store about versions, heads and marks, unknown sessions, and totals."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from session_core.errors import Conflict, DuplicateMessage
from session_core.events import Notice
from session_core.ledger import Ledger
from session_core.plan import Digest
from session_core.ports import Marks, SessionStore, State
from session_core.ranges import Ranges
from session_core.testing.fakes import KEY, Promise, message
from session_core.turns import Message, Role, ToolCall


async def begins_at_version_0(store: SessionStore) -> None:
    """An unknown session has version 0: only an append that expects 0, or nothing, creates it."""
    assert await refused(store.append(KEY, [message(1)], expected=1))
    assert await store.state(KEY) is None
    await store.append(KEY, [message(1)], expected=0)
    assert await refused(store.append(KEY, [message(2)], expected=0))
    assert [m.id for m in await store.record(KEY)] == ["m1"]


async def refuses_older_versions_and_newer_ones(store: SessionStore) -> None:
    """Only the current version is accepted as the expected one; an append of nothing does not change it."""
    versions = [(await store.append(KEY, [message(n)])).state.version for n in range(1, 4)]
    assert versions == sorted(set(versions))
    for wrong in (*versions[:-1], versions[-1] + 1, 0):
        assert await refused(store.append(KEY, [message(9)], expected=wrong))
    assert (await store.append(KEY, [])).state.version == versions[-1]
    done = await store.append(KEY, [message(4), message(5)], expected=versions[-1])
    assert done.state.version == versions[-1] + 1
    assert done.seqs == (4, 5)


async def leaves_what_is_unknown_unknown(store: SessionStore) -> None:
    """Reads, marks, digests and refused appends on an unknown session find nothing and do not create it."""
    await store.mark(KEY, Marks(tier=2, notice=Notice("full", 0.9, 1), head=Ranges(), activate=True))
    assert await refused(store.put_digest(KEY, Digest(Ranges(), "summary"), expected=0))
    assert await refused(store.append(KEY, [message(1), message(1, content="other")]))
    assert (await store.load(KEY)).messages == ()
    assert await store.notices(KEY) == ()
    assert await store.find(KEY, "m1") is None
    assert await store.delete(KEY) == 0
    assert await store.state(KEY) is None
    assert await store.sessions(KEY.tenant) == ()


async def tells_a_session_begun_again_apart(store: SessionStore) -> None:
    """A deleted and recreated session has another `born`; a digest made for the deleted one is refused."""
    first = await store.append(KEY, [message(1)])
    assert (await store.append(KEY, [message(2)])).state.born == first.state.born
    await store.delete(KEY)
    second = await store.append(KEY, [message(1)])
    assert second.state.born != first.state.born
    digest = Digest(Ranges.span(1, 1), "summary")
    assert await refused(store.put_digest(KEY, digest, expected=0, born=first.state.born))
    assert (await store.put_digest(KEY, digest, expected=0, born=second.state.born)).number == 1


async def takes_another_head_by_a_mark(store: SessionStore) -> None:
    """A mark can set another head, which raises the version by one; setting the same head again changes nothing."""
    done = await store.append(KEY, [message(n) for n in range(1, 5)])
    part = Ranges.from_pairs([(3, 3), (1, 1)])
    for _ in range(2):
        await store.mark(KEY, Marks(head=part))
        assert (await _state(store)).version == done.state.version + 1
    assert [m.id for m in (await store.load(KEY)).messages] == ["m3", "m1"]
    assert [m.id for m in await store.record(KEY, Ranges.span(4, 9))] == ["m4"]
    assert len(await store.record(KEY)) == 4
    assert (await store.append(KEY, [message(5)])).state.head == Ranges.of([3, 1, 5])


async def activates_a_digest_with_a_turn_or_by_a_mark(store: SessionStore) -> None:
    """A new digest becomes active with the next user message, or by a mark, which raises the version."""
    await store.append(KEY, [message(1), message(2, Role.ASSISTANT)])
    await store.put_digest(KEY, Digest(Ranges.span(1, 1), "first"), expected=0)
    await store.append(KEY, [message(3, Role.ASSISTANT)])
    assert (await store.load(KEY)).digest is None
    await store.append(KEY, [message(4)])
    made = await store.put_digest(KEY, Digest(Ranges.span(1, 2), "second"), expected=1)
    before = await store.load(KEY)
    assert before.digest is not None
    assert before.digest.summary == "first"
    await store.mark(KEY, Marks(activate=True))
    after = await store.load(KEY)
    assert after.digest == made
    assert after.state.version == before.state.version + 1
    assert [m.seq for m in after.messages] == [3, 4]


async def keeps_what_a_mark_leaves_out(store: SessionStore) -> None:
    """A mark changes only the fields that it sets; notices are returned oldest first."""
    await store.append(KEY, [message(1)])
    notices = tuple(Notice(f"notice {n}", n / 10, n, float(n)) for n in range(1, 4))
    await store.mark(KEY, Marks(tier=2, resumed_after_seq=1, absent_s=7.5))
    for notice in notices:
        await store.mark(KEY, Marks(notice=notice))
    state = await _state(store)
    assert (state.tier, state.resumed_after_seq, state.absent_s) == (2, 1, 7.5)
    assert await store.notices(KEY) == notices


async def keeps_an_account(store: SessionStore) -> None:
    """The ledger counts everything that was appended, revisions included; `load` and `state` return the same state."""
    calls = (ToolCall("t1", "look"), ToolCall("t2", "look"))
    said = [
        Message(Role.USER, "one", id="1", author="Ann", tokens=5, time_s=3.0),
        Message(Role.USER, "two", id="2", author="Bob", tokens=7, time_s=1.0),
        Message(Role.USER, "three", id="3", author="Ann", tokens=6),
        Message(Role.ASSISTANT, "", id="4", author="Zoe", tokens=2, time_s=-5.0, tool_calls=calls),
        Message(Role.TOOL, "long" * 99, id="5", tool_call_id="t1", tokens=99, clip="short", clip_tokens=3),
    ]
    for batch in (said[:1], said[1:4], said[4:]):
        await store.append(KEY, batch)
    again = replace(said[0], content="revised", tokens=8)
    done = await store.append(KEY, [*said, again], revise=True)
    expected = Ledger().plus([*said, again])
    assert done.state.ledger == expected
    assert await store.state(KEY) == done.state
    assert (await store.load(KEY)).state == done.state
    assert [state.ledger for state in await store.sessions(KEY.tenant)] == [expected]
    assert (done.new, done.tokens) == (1, 8)


async def knows_what_a_batch_says_twice(store: SessionStore) -> None:
    """An id that occurs twice in a batch is one message, or with `revise` and other content two versions of it."""
    done = await store.append(KEY, [message(1), message(2), message(1)])
    assert (done.seqs, done.new) == ((1, 2, 1), 2)
    twice = [message(3), message(3, content="other")]
    assert await refused(store.append(KEY, twice))
    assert len(await store.record(KEY)) == 2
    revised = await store.append(KEY, twice, revise=True)
    assert revised.seqs == (3, 4)


async def finds_the_version_that_the_conversation_has(store: SessionStore) -> None:
    """`find` returns the version in the head, else the newest; an old version appended again is recognized."""
    await store.append(KEY, [message(1), message(2)])
    await store.append(KEY, [message(1, content="revised")], revise=True)
    assert await _found(store) == "revised"
    await store.mark(KEY, Marks(head=Ranges.span(1, 2)))
    assert await _found(store) == "words of message 1"
    await store.mark(KEY, Marks(head=Ranges.span(2, 2)))
    assert await _found(store) == "revised"
    again = await store.append(KEY, [message(1)], revise=True)
    assert (again.seqs, again.new) == ((1,), 0)


async def what_left_the_conversation_comes_back_when_it_is_given_again(store: SessionStore) -> None:
    """After a reset, an append of what the log has makes it part of the new conversation, stored once."""
    await store.append(KEY, [message(n) for n in range(1, 5)])
    await store.mark(KEY, Marks(head=Ranges()))
    before = await _state(store)
    again = await store.append(KEY, [message(3)])
    assert (again.seqs, again.new, again.tokens) == ((3,), 0, 0)
    assert again.state == await _state(store)
    assert again.state.version == before.version + 1
    done = await store.append(KEY, [message(5, Role.ASSISTANT), message(1), message(3)])
    assert (done.seqs, done.new) == ((5, 1, 3), 1)
    assert done.state.head == Ranges.of([3, 5, 1])
    assert (await store.append(KEY, [message(3), message(5, Role.ASSISTANT)])).state.version == done.state.version
    assert [m.id for m in (await store.load(KEY)).messages] == ["m3", "m5", "m1"]
    assert len(await store.record(KEY)) == 5
    assert (await store.append(KEY, [message(6)])).state.head == Ranges.of([3, 5, 1, 6])


async def an_id_that_left_the_conversation_may_have_other_content(store: SessionStore) -> None:
    """Only the head refuses an id with other content; of two versions of one id it never has both."""
    await store.append(KEY, [message(1), message(2, Role.ASSISTANT)])
    await store.mark(KEY, Marks(head=Ranges()))
    twice = [message(1), message(1, content="other")]
    assert await refused(store.append(KEY, twice))
    assert not (await _state(store)).head
    done = await store.append(KEY, [message(1, content="other"), message(1), message(2, Role.ASSISTANT)])
    assert (done.seqs, done.new, done.state.head) == ((3, 1, 2), 1, Ranges.of([3, 2]))
    assert await _found(store) == "other"
    assert (await store.append(KEY, [message(1)])).state == done.state
    assert await refused(store.append(KEY, [message(1, content="third")]))
    await store.mark(KEY, Marks(head=Ranges()))
    assert (await store.append(KEY, [message(1), message(1, content="other")])).state.head == Ranges.of([1])


async def the_state_of_an_agent_brings_back_nothing(store: SessionStore) -> None:
    """If old questions come with a new one, only what is new joins the conversation; greetings come with a question."""
    await store.append(KEY, [message(1, Role.ASSISTANT), message(2), message(3, Role.ASSISTANT)])
    await store.mark(KEY, Marks(head=Ranges()))
    state = [message(4), message(1, Role.ASSISTANT), message(2), message(3, Role.ASSISTANT), message(4)]
    done = await store.append(KEY, [*state, message(5, Role.ASSISTANT)])
    assert (done.seqs, done.new, done.state.head) == ((4, 1, 2, 3, 4, 5), 2, Ranges.of([4, 5]))
    greeted = await store.append(KEY, [message(1, Role.ASSISTANT), message(6)])
    assert greeted.state.head == Ranges.of([4, 5, 1, 6])


async def a_message_comes_back_at_the_expected_version_only(store: SessionStore) -> None:
    """A repeated call is no conflict, unless what it stored has left the conversation since."""
    stored = await store.append(KEY, [message(1)], expected=0)
    assert (await store.append(KEY, [message(1)], expected=0)).state == stored.state
    await store.mark(KEY, Marks(head=Ranges()))
    state = await _state(store)
    assert await refused(store.append(KEY, [message(1)], expected=0))
    assert await _state(store) == state
    assert (await store.append(KEY, [message(1)], expected=state.version)).state.head == Ranges.of([1])


async def refused(work: Awaitable[object]) -> bool:
    """Whether the store refuses the call with one of its ordinary errors."""
    try:
        await work
    except (Conflict, DuplicateMessage):
        return True
    return False


async def _state(store: SessionStore) -> State:
    state = await store.state(KEY)
    assert state is not None, "the session is gone"
    return state


async def _found(store: SessionStore) -> str | None:
    found = await store.find(KEY, "m1")
    return None if found is None else found.content


VERSION_PROMISES: tuple[Promise, ...] = (
    begins_at_version_0,
    refuses_older_versions_and_newer_ones,
    leaves_what_is_unknown_unknown,
    tells_a_session_begun_again_apart,
    takes_another_head_by_a_mark,
    activates_a_digest_with_a_turn_or_by_a_mark,
    keeps_what_a_mark_leaves_out,
    keeps_an_account,
    knows_what_a_batch_says_twice,
    finds_the_version_that_the_conversation_has,
    what_left_the_conversation_comes_back_when_it_is_given_again,
    an_id_that_left_the_conversation_may_have_other_content,
    the_state_of_an_agent_brings_back_nothing,
    a_message_comes_back_at_the_expected_version_only,
)
