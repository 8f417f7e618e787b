"""Promises of a store about LangGraph threads: ancestors, checkpoints of runs, deletion, copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from session_core.errors import Conflict
from session_core.events import Notice
from session_core.plan import Digest
from session_core.ports import Checkpoint, Marks, MessageList, Plain, SessionStore, Stored, Version, Write
from session_core.ranges import Ranges
from session_core.testing.fakes import KEY, Promise, bare_checkpoint, message
from session_core.turns import Message, Role

COPY = replace(KEY, session_id="a copy")
SUB = replace(KEY, namespace="sub:1")
VALUE = Plain("t", b"value")


async def walks_to_the_nearest_values(store: SessionStore) -> None:
    """Ancestors are returned nearest first, with their values of the requested channels, until each channel had one."""
    await _chain(store, 6, values={2: {"a": VALUE}, 3: {"b": VALUE}})
    found = await store.ancestors(KEY, "6", ["a", "b"])
    assert [one.id for one in found] == ["5", "4", "3", "2"]
    assert [set(one.values) for one in found] == [set(), set(), {"b"}, {"a"}]
    assert [[w.channel for w in one.writes] for one in found] == [["a", "b"]] * 4
    assert [one.parent_id for one in found] == ["4", "3", "2", "1"]
    assert [one.id for one in await store.ancestors(KEY, "6", ["b"])] == ["5", "4", "3"]
    assert {w.channel for one in await store.ancestors(KEY, "6", ["b"]) for w in one.writes} == {"b"}
    assert [one.id for one in await store.ancestors(KEY, "4", ["messages"])] == ["3", "2", "1"]
    await store.drop_checkpoints(KEY, ["2"])
    assert [one.id for one in await store.ancestors(KEY, "4", ["messages"])] == ["3"]
    assert await store.ancestors(KEY, "1", ["a"]) == ()
    assert await store.ancestors(KEY, "none", ["a"]) == ()
    assert await store.ancestors(KEY, "4", []) == ()


async def walks_a_circle_once(store: SessionStore) -> None:
    """Checkpoints whose parents form a circle, which should not occur, are visited once."""
    for name, parent in (("1", "3"), ("2", "1"), ("3", "2"), ("4", "4")):
        await _put(store, bare_checkpoint(name, parent), {})
    assert [one.id for one in await store.ancestors(KEY, "3", ["other"])] == ["2", "1"]
    assert await store.ancestors(KEY, "4", ["other"]) == ()


async def finds_what_runs_stored(store: SessionStore) -> None:
    """The checkpoints of a run are found by its id, in every session and namespace of one tenant."""
    elsewhere = replace(KEY, tenant="another tenant")
    for number, key in enumerate((KEY, SUB, replace(KEY, session_id="second"), elsewhere), 1):
        await _put(store, replace(_bare(str(number), None, run_id="r1"), key=key), {})
    await _put(store, _bare("5", "1", run_id="r2"), {})
    await _put(store, _bare("6", "5"), {})
    found = await store.checkpoints_of_runs(KEY.tenant, ["r1", "nobody's"])
    assert [(one.id, one.key.session_id, one.key.namespace) for one in found] == [
        ("3", "second", ""),
        ("2", "a session", "sub:1"),
        ("1", "a session", ""),
    ]
    assert [one.run_id for one in await store.checkpoints_of_runs(KEY.tenant, ["r1", "r2"])] == ["r2"] + ["r1"] * 3
    assert found[2].versions == {"a": 1, "b": 1, "messages": 1}
    assert found[2].body == Plain("t", b"body 1")
    assert await store.checkpoints_of_runs(KEY.tenant, []) == ()
    newest = await store.checkpoint(KEY)
    assert newest is not None
    assert newest.run_id is None


async def tells_the_part_of_each_checkpoint(store: SessionStore) -> None:
    """`parts` returns for each checkpoint the part of its message list, from the first requested channel that has
    one."""
    await _put(store, _bare("1", None), {"messages": MessageList((message(1),))})
    await _put(store, _bare("2", "1"), {"messages": MessageList((message(1), message(2))), "a": MessageList(())})
    await _put(store, _bare("3", "2"), {"messages": VALUE})
    assert await store.parts(KEY, ["messages"]) == {"1": Ranges.span(1, 1), "2": Ranges.span(1, 2)}
    assert await store.parts(KEY, ["a", "messages"]) == {"1": Ranges.span(1, 1), "2": Ranges()}
    assert await store.parts(KEY, ["b"]) == {}
    assert await store.parts(replace(KEY, session_id="nobody"), ["messages"]) == {}


async def drops_checkpoints_and_no_message(store: SessionStore) -> None:
    """Dropped checkpoints go with their writes; the record, values that others use, and other writes stay."""
    await _chain(store, 3, values={1: {"a": VALUE, "messages": MessageList((message(1),))}, 2: {"b": VALUE}})
    kept = replace(_bare("4", "3"), versions={"a": 1, "b": 2})
    await _put(store, kept, {})
    await store.drop_checkpoints(KEY, ["1", "2", "not there"])
    assert [one.id for one in await store.checkpoints(KEY.tenant, KEY.session_id, "")] == ["4", "3"]
    assert await store.checkpoint(KEY, "1") is None
    newest = await store.checkpoint(KEY)
    assert newest is not None
    assert newest.values == {"a": VALUE, "b": VALUE}
    third = await store.checkpoint(KEY, "3")
    assert third is not None
    assert [write.channel for write in third.writes] == ["a", "b"]
    assert [m.id for m in await store.record(KEY)] == ["m1"]
    state = await store.state(KEY)
    assert state is not None
    assert state.head == Ranges.span(1, 1)
    await _put(store, replace(_bare("2", None), versions={"messages": 1, "b": 9}), {})
    again = await store.checkpoint(KEY, "2")
    assert again is not None
    assert (again.values, again.writes) == ({}, ())
    await store.drop_checkpoints(KEY, ["4"])
    newest = await store.checkpoint(KEY)
    assert newest is not None
    assert newest.id == "3"
    await store.drop_checkpoints(KEY, ["2", "3"])
    assert await store.checkpoint(KEY) is None
    await store.drop_checkpoints(replace(KEY, session_id="nobody"), ["1"])
    assert await store.state(replace(KEY, session_id="nobody")) is None


async def keeps_bodies_that_others_name(store: SessionStore) -> None:
    """A message in the writes of two checkpoints stays readable when one of them is dropped."""
    said = [message(1), message(2), message(3)]
    await _put(store, _bare("1", None), {"messages": MessageList((said[0],))})
    for name in ("1", "2"):
        chosen = said if name == "1" else said[:2]
        await store.put_writes(KEY, name, [Write("t", i, "a", MessageList((one,))) for i, one in enumerate(chosen)])
    await _put(store, _bare("2", "1"), {})
    (parent,) = await store.ancestors(KEY, "2", ["a", "messages"])
    assert [_words(write.value) for write in parent.writes] == [[f"words of message {n}"] for n in (1, 2, 3)]
    assert parent.values == {"messages": Stored(Ranges.span(1, 1))}
    await store.drop_checkpoints(KEY, ["1"])
    found = await store.checkpoint(KEY, "2")
    assert found is not None
    assert [_words(write.value) for write in found.writes] == [["words of message 1"], ["words of message 2"]]
    await store.put_writes(KEY, "2", [Write("u", 0, "a", MessageList((said[2],)))])
    again = await store.checkpoint(KEY, "2")
    assert again is not None
    assert _words(again.writes[2].value) == ["words of message 3"]
    assert [m.content for m in await store.record(KEY)] == ["words of message 1"]


async def gives_other_parents_and_another_head(store: SessionStore) -> None:
    """`drop_checkpoints` can give other checkpoints new parents and the session a new head, as one version."""
    await _put(store, _bare("1", None), {"messages": MessageList((message(1),))})
    await _put(store, _bare("2", "1"), {"messages": MessageList((message(1), message(2)))})
    await _put(store, replace(_bare("3", "2"), versions={"a": 3}), {"a": VALUE})
    await _put(store, replace(_bare("4", "3"), versions={"a": 3.5, "é": "x"}), {"é": VALUE})
    before = await store.state(KEY)
    assert before is not None
    parents = {"3": "1", "4": None, "5": "1"}
    await store.drop_checkpoints(KEY, ["2"], parents=parents, head=Ranges.span(1, 1), expected=before.version)
    after = await store.state(KEY)
    assert after is not None
    assert (after.head, after.version) == (Ranges.span(1, 1), before.version + 1)
    found = {one.id: one for one in await store.checkpoints(KEY.tenant, KEY.session_id, "")}
    assert {name: one.parent_id for name, one in found.items()} == {"4": None, "3": "1", "1": None}
    assert found["4"].versions == {"a": 3.5, "é": "x"}
    assert found["4"].body == Plain("t", b"body 4")
    try:
        await store.drop_checkpoints(KEY, ["1"], head=Ranges(), expected=before.version)
    except Conflict:
        assert await store.checkpoint(KEY, "1") is not None
        return
    raise AssertionError("a drop on an older version was done")


async def copies_all_that_a_session_holds(store: SessionStore) -> None:
    """A copy has the record, head, digests, notices, checkpoints, values, writes and namespaces, and is independent."""
    await _fill(store)
    await store.copy_session(KEY, COPY.session_id)
    for namespace in ("", SUB.namespace):
        one, other = replace(KEY, namespace=namespace), replace(COPY, namespace=namespace)
        assert await store.record(other) == await store.record(one)
        assert await store.notices(other) == await store.notices(one)
        mine, theirs = await store.state(one), await store.state(other)
        assert mine is not None
        assert theirs is not None
        assert theirs.born != mine.born
        assert replace(theirs, key=one, born=mine.born, version=mine.version) == mine
        loaded, copied = await store.load(one), await store.load(other)
        assert (copied.digest, copied.messages) == (loaded.digest, loaded.messages)
    for name in ("1", "2"):
        found, same = await store.checkpoint(KEY, name), await store.checkpoint(COPY, name)
        assert found is not None
        assert same == replace(found, key=COPY)
    holdings = await store.holdings(COPY)
    assert [one.digests for one in holdings] == [one.digests for one in await store.holdings(KEY)]
    assert [len(one.digests) for one in holdings] == [2, 0]
    await store.append(COPY, [message(9, content="periwinkle")])
    assert [m.id for m in await store.search(COPY, ["periwinkle"], max_hits=3)] == ["m9"]
    assert [m.id for m in await store.search(COPY, ["message"], max_hits=9)] != []
    assert await store.find(KEY, "m9") is None
    await store.delete(KEY)
    assert [m.id for m in await store.record(COPY)] == ["m1", "m2", "m3", "m9"]
    kept = await store.checkpoint(COPY, "2")
    assert kept is not None
    assert _words(kept.writes[0].value) == ["words of message 5"]


async def copies_to_nobodys_name_only(store: SessionStore) -> None:
    """Copying to an existing session, or to one of which only namespaces exist, is refused; copying nothing does
    nothing."""
    await store.copy_session(KEY, COPY.session_id)
    assert await store.holdings(COPY) == ()
    await store.append(KEY, [message(1)])
    await store.append(replace(COPY, namespace="sub:1"), [message(2)])
    for name in (COPY.session_id, KEY.session_id):
        try:
            await store.copy_session(KEY, name)
        except Conflict:
            continue
        raise AssertionError("a session was copied over another")
    assert await store.state(COPY) is None
    assert [m.id for m in await store.record(KEY)] == ["m1"]
    assert [m.id for m in await store.record(replace(COPY, namespace="sub:1"))] == ["m2"]


async def supersedes_what_a_range_names(store: SessionStore) -> None:
    """A message that a list has both in a range and as a new version is in it once: the new version, in the old
    place."""
    await _put(store, _bare("1", None), {"messages": MessageList((message(1), message(2), message(3)))})
    edited = message(2, content="other words")
    said = MessageList((Ranges.span(1, 3), edited, message(4)), base=Ranges.span(1, 1), base_version=1)
    await _put(store, _bare("2", "1"), {"messages": said})
    found = await store.checkpoint(KEY, "2")
    assert found is not None
    value = found.values["messages"]
    assert isinstance(value, Stored)
    assert [m.content for m in await store.record(KEY, value.part)] == [
        "words of message 1",
        "other words",
        "words of message 3",
        "words of message 4",
    ]


async def _fill(store: SessionStore) -> None:
    await store.append(KEY, [message(1), message(2, Role.ASSISTANT)])
    await store.put_digest(KEY, Digest(Ranges.span(1, 1), "first", tokens=3), expected=0)
    await store.mark(KEY, Marks(activate=True, tier=2, notice=Notice("told", 0.9, 1, 5.0)))
    await store.put_digest(KEY, Digest(Ranges.span(1, 2), "second", tokens=3), expected=1)
    await _put(store, _bare("1", None, run_id="r1"), {"messages": MessageList((message(1),)), "a": VALUE})
    versions: dict[str, Version] = {"messages": "v2", "a": 1, "b": 2.5}
    await _put(
        store,
        replace(_bare("2", "1"), versions=versions),
        {"messages": MessageList((message(1), message(3))), "b": MessageList((message(2, Role.ASSISTANT),))},
    )
    pending = MessageList((message(5, Role.ASSISTANT),), single=True)
    await store.put_writes(KEY, "2", [Write("t", 0, "messages", pending, "p"), Write("t", 1, "a", VALUE, "p")])
    await store.append(SUB, [message(1)])
    await _put(store, replace(_bare("1", None), key=SUB), {"a": VALUE})


async def _chain(
    store: SessionStore, length: int, values: Mapping[int, Mapping[str, Plain | MessageList | None]] | None = None
) -> None:
    """Checkpoints 1 to `length`, each with a write to "a" and "b"; a value is found only where it is given."""
    for number in range(1, length + 1):
        given = (values or {}).get(number, {})
        await _put(store, _bare(str(number), str(number - 1) if number > 1 else None), given)
        await store.put_writes(KEY, str(number), [Write("t", i, name, VALUE) for i, name in enumerate(("a", "b"))])


def _bare(name: str, parent: str | None, *, run_id: str | None = None) -> Checkpoint:
    versions = dict.fromkeys(("a", "b", "messages"), int(name))
    return Checkpoint(KEY, name, parent, Plain("t", f"body {name}".encode()), versions, run_id=run_id)


async def _put(store: SessionStore, checkpoint: Checkpoint, values: Mapping[str, Plain | MessageList | None]) -> None:
    await store.put_checkpoint(checkpoint, values, head_channel="messages", merge=True)


def _words(value: Plain | MessageList) -> Sequence[str]:
    assert isinstance(value, MessageList)
    return [item.content for item in value.items if isinstance(item, Message)]


THREAD_PROMISES: tuple[Promise, ...] = (
    walks_to_the_nearest_values,
    walks_a_circle_once,
    finds_what_runs_stored,
    tells_the_part_of_each_checkpoint,
    drops_checkpoints_and_no_message,
    keeps_bodies_that_others_name,
    gives_other_parents_and_another_head,
    copies_all_that_a_session_holds,
    copies_to_nobodys_name_only,
    supersedes_what_a_range_names,
)
