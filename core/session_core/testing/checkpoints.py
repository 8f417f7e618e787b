"""Promises of a store about LangGraph checkpoints: messages stored once, heads, writes, order."""

from __future__ import annotations

from session_core.errors import Conflict
from session_core.ports import MessageList, Plain, SessionStore, Stored, Write
from session_core.ranges import Ranges
from session_core.testing.fakes import KEY, Promise, bare_checkpoint, message
from session_core.turns import Message, Role, ToolCall


async def stores_checkpoint_messages_once(store: SessionStore) -> None:
    """The messages of checkpoints are stored once, in the record; each checkpoint refers to its own part of it."""
    one, two = message(1), message(2)
    await _put(store, "1", None, (one,))
    await _put(store, "2", "1", (one, two))
    assert len(await store.record(KEY)) == 2
    first = await store.checkpoint(KEY, "1")
    newest = await store.checkpoint(KEY)
    assert first is not None
    assert newest is not None
    assert first.values["messages"] == Stored(Ranges.span(1, 1))
    assert newest.values["messages"] == Stored(Ranges.span(1, 2))
    assert newest.parent_id == "1"


async def expands_what_a_view_covered(store: SessionStore) -> None:
    """A range in a message list stands for those messages of the record; none is stored or listed twice."""
    await _put(store, "1", None, (message(1), message(2), message(3)))
    await _put(store, "2", "1", (message(1), Ranges.span(1, 3), message(4)))
    newest = await store.checkpoint(KEY)
    assert newest is not None
    assert newest.values["messages"] == Stored(Ranges.span(1, 4))


async def keeps_the_place_of_what_a_view_hid(store: SessionStore) -> None:
    """Messages that the run's view left out keep their place, until the list has nothing of the old one."""
    one, two, three = message(1), message(2), message(3)
    await _put(store, "1", None, (one, two, three))
    hidden = Ranges.span(2, 2)
    await _put(store, "2", "1", (one, three, message(4)), hidden=hidden)
    await _put(store, "3", "2", (one, three, message(4), message(5)), hidden=hidden)
    await _put(store, "4", "3", (message(6),), hidden=hidden)
    await _put(store, "5", "4", (message(6), message(7)), hidden=hidden)
    parts = []
    for number in "2345":
        found = await store.checkpoint(KEY, number)
        value = found.values["messages"] if found else None
        parts.append(list(value.part) if isinstance(value, Stored) else None)
    assert parts == [[1, 2, 3, 4], [1, 2, 3, 4, 5], [6], [6, 7]]


async def keeps_an_edit_in_its_place(store: SessionStore) -> None:
    """A new version takes the place of the old one, even if the list has it at the end and the old one in a range; what
    follows it in the list stays at the end."""
    old = tuple(message(number) for number in (1, 2, 3))
    await _put(store, "1", None, old)
    base, edited = Ranges.span(1, 3), message(2, content="edited")
    await _put(store, "2", "1", (Ranges.span(1, 2), message(3), message(4), edited, message(5)), base=base)
    await _put(store, "3", "2", (Ranges.span(1, 2), message(3), message(4), edited, message(5)), base=base)
    for number in "23":
        found = await store.checkpoint(KEY, number)
        value = found.values["messages"] if found else None
        assert isinstance(value, Stored)
        assert [m.content for m in await store.record(KEY, value.part)] == [
            "words of message 1",
            "edited",
            *(f"words of message {n}" for n in (3, 4, 5)),
        ]


async def puts_what_comes_back_where_the_list_has_it(store: SessionStore) -> None:
    """A message that the run removed and adds again is where the list has it now."""
    one, two, three = message(1), message(2), message(3)
    await _put(store, "1", None, (one, two, three))
    base = Ranges.span(1, 3)
    await _put(store, "2", "1", (one, three), base=base)
    await _put(store, "3", "2", (one, three, message(2, content="again")), base=base)
    await _put(store, "4", "3", (one, three, message(2, content="again"), message(4)), base=base)
    state = await store.state(KEY)
    assert state is not None
    assert [m.id for m in await store.record(KEY, state.head)] == ["m1", "m3", "m2", "m4"]


async def empties_a_conversation(store: SessionStore) -> None:
    """A checkpoint with an empty list empties the head; the log keeps all messages."""
    await _put(store, "1", None, (message(1), message(2)))
    empty: dict[str, Plain | MessageList | None] = {"messages": MessageList(())}
    await store.put_checkpoint(bare_checkpoint("2", "1"), empty, head_channel="messages", merge=False)
    state = await store.state(KEY)
    assert state is not None
    assert list(state.head) == []
    assert len(await store.record(KEY)) == 2


async def keeps_what_others_appended(store: SessionStore) -> None:
    """Messages appended by others while a run was under way stay in the head, in whole groups, ordered by their
    start."""
    await _put(store, "1", None, (message(1),))
    await store.append(KEY, [message(8)])
    base = Ranges.span(1, 1)
    await _put(store, "2", "1", (message(1), message(2)), base=base)
    await _put(store, "3", "2", (message(1), message(2), message(3)), base=base)
    state = await store.state(KEY)
    assert state is not None
    head = [m.id for m in await store.record(KEY, state.head)]
    assert head == ["m1", "m8", "m2", "m3"]


async def keeps_a_turn_whole_in_which_another_run_began(store: SessionStore) -> None:
    """The messages of a run that starts in the middle of another one's turn come after that turn, at each step of
    both."""
    one, two, three, four, five = (message(number) for number in range(1, 6))
    base = Ranges.span(1, 1)
    await _put(store, "1", None, (one,))
    await _put(store, "2", "1", (one, two), base=base)
    await _put(store, "3", "1", (one, three))
    await _put(store, "4", "2", (one, two, four), base=base)
    await _put(store, "5", "3", (one, three, five))
    state = await store.state(KEY)
    assert state is not None
    assert [m.id for m in await store.record(KEY, state.head)] == ["m1", "m3", "m5", "m2", "m4"]


async def keeps_a_result_behind_its_call(store: SessionStore) -> None:
    """The result of a call that waited comes directly after the call, whatever others appended meanwhile."""
    call = Message(Role.ASSISTANT, "", id="call", tool_calls=(ToolCall("c", "look", "{}"),), tokens=10)
    result = Message(Role.TOOL, "seen", id="result", tool_call_id="c", tokens=10)
    await _put(store, "1", None, (message(1), call))
    await store.append(KEY, [message(8)])
    base = Ranges.span(1, 2)
    await _put(store, "2", "1", (base, result), base=base)
    await _put(store, "3", "2", (message(1), call, result, message(3, Role.ASSISTANT)), base=base)
    state = await store.state(KEY)
    assert state is not None
    assert [m.id for m in await store.record(KEY, state.head)] == ["m1", "call", "result", "m3", "m8"]


async def orders_writes(store: SessionStore) -> None:
    """Writes are ordered by path, task and index. One with a negative index replaces the earlier one; others are kept
    as first stored."""
    await _put(store, "1", None, (message(1),))
    plain = Plain("t", b"1")
    said = MessageList((message(5, Role.ASSISTANT),), single=True)
    await store.put_writes(KEY, "1", [Write("b", 0, "x", plain, "1"), Write("a", 0, "x", said, "2")])
    await store.put_writes(KEY, "1", [Write("b", 0, "x", Plain("t", b"2"), "1"), Write("b", -1, "e", plain, "1")])
    await store.put_writes(KEY, "1", [Write("b", -1, "e", Plain("t", b"3"), "1")])
    found = await store.checkpoint(KEY, "1")
    assert found is not None
    assert [(w.task_id, w.index) for w in found.writes] == [("b", -1), ("b", 0), ("a", 0)]
    assert [w.value for w in found.writes[:2]] == [Plain("t", b"3"), plain]
    last = found.writes[2].value
    assert isinstance(last, MessageList)
    assert last.single
    assert [item.content for item in last.items if isinstance(item, Message)] == ["words of message 5"]


async def lists_checkpoints_newest_first(store: SessionStore) -> None:
    """Checkpoints are listed newest first, optionally before a given one, for one namespace or all."""
    await _put(store, "1", None, ())
    await _put(store, "2", "1", ())
    assert [c.id for c in await store.checkpoints("a tenant", "a session", "")] == ["2", "1"]
    assert [c.id for c in await store.checkpoints("a tenant", None, None, before="2")] == ["1"]
    assert await store.checkpoints("nobody", None, None) == ()


async def gives_a_run_what_it_begins_with(store: SessionStore) -> None:
    """`begin` returns the same as `checkpoint` and `load`."""
    assert await store.begin(KEY) == (None, await store.load(KEY))
    await _put(store, "1", None, (message(1),))
    await _put(store, "2", "1", (message(1), message(2)))
    await store.put_writes(KEY, "2", [Write("a", 0, "x", Plain("t", b"1"))])
    await store.append(KEY, [message(3)])
    found, loaded = await store.begin(KEY)
    assert found == await store.checkpoint(KEY)
    assert found is not None
    assert (found.id, len(found.writes)) == ("2", 1)
    assert loaded == await store.load(KEY)
    assert [m.id for m in loaded.messages] == ["m1", "m2", "m3"]


async def refuses_a_checkpoint_behind_another(store: SessionStore) -> None:
    """With `follows`, a checkpoint whose parent is not the newest one is refused: nothing is stored, and Conflict names
    the newest."""
    await _followed(store, "1", None)
    await _followed(store, "2", "1")
    for parent_id in (None, "1"):
        try:
            await _followed(store, "3", parent_id)
        except Conflict as exc:
            said = str(exc)
        else:
            raise AssertionError("a checkpoint went past the newest one")
        assert "'2'" in said
    # Again, as when an answer got lost.
    await _followed(store, "1", None)
    await _followed(store, "2", "1")
    await _put(store, "4", "1", (message(1), message(4)))
    await _followed(store, "5", "4")
    assert [one.id for one in await store.checkpoints("a tenant", "a session", "")] == ["5", "4", "2", "1"]
    assert [m.id for m in await store.record(KEY)] == ["m1", "m2", "m4", "m5"]
    await store.delete(KEY)
    try:
        await _followed(store, "6", "5")
    except Conflict:
        assert await store.state(KEY) is None
        return
    raise AssertionError("a deleted thread went on")


async def refuses_a_checkpoint_of_a_deleted_session(store: SessionStore) -> None:
    """With `born`, a checkpoint of a session that was deleted since is refused, also if another session has its name
    now: nothing is stored."""
    await _put(store, "1", None, (message(1),))
    first = await store.state(KEY)
    await _put(store, "2", "1", (message(1), message(2)), born=first.born if first else "")
    await store.delete(KEY)
    await _refused(store, "3", born=first.born if first else "")
    assert await store.state(KEY) is None
    await _put(store, "4", None, (message(4),))
    again = await store.state(KEY)
    await _refused(store, "5", born=first.born if first else "")
    assert await store.state(KEY) == again
    assert [one.id for one in await store.checkpoints("a tenant", "a session", "")] == ["4"]


async def refuses_a_checkpoint_with_messages_that_the_server_lost(store: SessionStore) -> None:
    """With `born`, a checkpoint is refused that names messages which the record does not have: a server that was
    restored, or a replica that was behind, lost what it had confirmed."""
    await _put(store, "1", None, (message(1), message(2)))
    state = await store.state(KEY)
    assert state is not None
    await _put(store, "2", "1", (Ranges.span(1, 2), message(3)), born=state.born)
    try:
        await _put(store, "3", "2", (Ranges.span(1, 4), message(5)), born=state.born)
    except Conflict:
        assert [m.id for m in await store.record(KEY)] == ["m1", "m2", "m3"]
        return
    raise AssertionError("a checkpoint names messages that are nowhere")


async def _refused(store: SessionStore, checkpoint_id: str, *, born: str) -> None:
    for items in ((Ranges.span(1, 1), message(2)), ()):
        try:
            await _put(store, checkpoint_id, "2", items, born=born)
        except Conflict:
            continue
        raise AssertionError("a checkpoint went to another session than its own")


async def _followed(store: SessionStore, checkpoint_id: str, parent_id: str | None) -> None:
    values = {"messages": MessageList((message(1), message(int(checkpoint_id))), base_version=1)}
    row = bare_checkpoint(checkpoint_id, parent_id)
    await store.put_checkpoint(row, values, head_channel="messages", merge=True, follows=True)


async def _put(
    store: SessionStore,
    checkpoint_id: str,
    parent_id: str | None,
    items: tuple[Message | Ranges, ...],
    *,
    base: Ranges | None = None,
    hidden: Ranges | None = None,
    born: str | None = None,
) -> None:
    said = MessageList(items, base=base or Ranges(), hidden=hidden or Ranges(), base_version=1)
    values: dict[str, Plain | MessageList | None] = {"messages": said if items else None}
    row = bare_checkpoint(checkpoint_id, parent_id)
    await store.put_checkpoint(row, values, head_channel="messages", merge=True, born=born)


CHECKPOINT_PROMISES: tuple[Promise, ...] = (
    stores_checkpoint_messages_once,
    expands_what_a_view_covered,
    keeps_the_place_of_what_a_view_hid,
    keeps_an_edit_in_its_place,
    puts_what_comes_back_where_the_list_has_it,
    empties_a_conversation,
    keeps_what_others_appended,
    keeps_a_turn_whole_in_which_another_run_began,
    keeps_a_result_behind_its_call,
    orders_writes,
    lists_checkpoints_newest_first,
    refuses_a_checkpoint_behind_another,
    refuses_a_checkpoint_of_a_deleted_session,
    refuses_a_checkpoint_with_messages_that_the_server_lost,
    gives_a_run_what_it_begins_with,
)
