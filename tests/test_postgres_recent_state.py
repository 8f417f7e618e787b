"""What the PostgreSQL store knows of its last checkpoint saves a round trip, and is never believed when it is wrong."""

import random
from dataclasses import replace

import pytest

from session_core.ports import MessageList, Plain, Stored
from session_core.ranges import Ranges
from session_core.stores.memory import MemoryStore
from session_core.stores.postgres.recent_state import MESSAGES, SESSIONS
from session_core.stores.postgres.store import PostgresStore
from session_core.testing import KEY, message
from session_core.testing.fakes import bare_checkpoint
from session_core.voices import run_blocking


@pytest.fixture
def open_store(postgres):
    opened = []

    def made():
        opened.append(PostgresStore(f"{postgres.url}&schema=lately"))
        return opened[-1]

    yield made
    run_blocking(opened[0].delete(KEY))
    for store in opened:
        run_blocking(store.close())


@pytest.fixture
def store(open_store):
    """A store that notes which functions it calls."""
    made = open_store()
    made.called = []
    inner = made._call

    async def call(name, *values):
        made.called.append(name)
        return await inner(name, *values)

    made._call = call
    return made


def put(store, name: int, parent: int | None, *numbers: int, merge: bool = True, edited: int | None = None, **listed):
    """Store a checkpoint whose list is the messages of those numbers."""
    items = [message(number) for number in numbers]
    items += [message(edited, content=f"edited {edited} by {name}")] if edited else []
    value = MessageList(tuple(items), base_version=parent, **listed)
    row = bare_checkpoint(str(name), None if parent is None else str(parent))
    return run_blocking(store.put_checkpoint(row, {"messages": value}, head_channel="messages", merge=merge))


def said(store) -> list[str]:
    state = run_blocking(store.state(KEY))
    return [m.content for m in run_blocking(store.record(KEY, state.head))] if state else []


def words(*numbers: int) -> list[str]:
    return [f"words of message {number}" for number in numbers]


def test_a_checkpoint_that_follows_the_last_one_takes_one_call(store):
    put(store, 1, None, 1)
    put(store, 2, 1, 1, 2)
    put(store, 3, 2, 1, 2, 3)
    assert store.called == ["read_parent", "put_checkpoint", "put_checkpoint", "put_checkpoint"]
    assert said(store) == words(1, 2, 3)


def test_what_another_process_appended_stays(store, open_store):
    put(store, 1, None, 1)
    run_blocking(open_store().append(KEY, [message(8)]))
    put(store, 2, 1, 1, 2, base=Ranges.span(1, 1))
    assert store.called[2:] == ["put_checkpoint", "read_parent", "put_checkpoint"]
    assert said(store) == words(1, 8, 2)


def test_numbers_of_what_another_process_appended_are_no_conflict(store, open_store):
    put(store, 1, None, 1)
    born = run_blocking(open_store().append(KEY, [message(8)])).state.born
    named = MessageList((Ranges.span(1, 2), message(2)), base=Ranges.span(1, 2))
    values = {"messages": named}
    row = bare_checkpoint("2", "1")
    run_blocking(store.put_checkpoint(row, values, head_channel="messages", merge=True, born=born))
    assert said(store) == words(1, 8, 2)


def test_a_message_that_was_left_behind_long_ago_is_not_stored_again(store):
    put(store, 1, None, 1, 2)
    put(store, 2, 1, 2)
    put(store, 3, 2, 2, 3)
    put(store, 4, 3, 2, 3, 1)
    assert len(run_blocking(store.record(KEY))) == 3
    assert said(store) == words(2, 3, 1)


def test_an_edit_is_looked_up_first(store):
    put(store, 1, None, 1, 2)
    put(store, 2, 1, 2, edited=1)
    assert store.called[2:] == ["read_parent", "put_checkpoint"]
    put(store, 3, 2, 2, 3, edited=1)
    assert said(store) == ["edited 1 by 3", *words(2, 3)]


def test_a_session_that_was_deleted_and_begun_again_is_another(store, open_store):
    put(store, 1, None, 1)
    put(store, 2, 1, 1, 2)
    other = open_store()
    run_blocking(other.delete(KEY))
    put(other, 1, None, 7)
    put(store, 3, 2, 1, 2, 3)
    assert sorted(said(store)) == sorted(words(7, 1, 2, 3))


def test_a_long_list_is_not_remembered_and_neither_are_many_sessions(store):
    put(store, 1, None, *range(1, MESSAGES + 2))
    put(store, 2, 1, 1)
    assert store.called.count("read_parent") == 2
    for number in range(SESSIONS + 5):
        row = replace(bare_checkpoint("1", None), key=replace(KEY, namespace=f"n{number}"))
        run_blocking(store.put_checkpoint(row, {"messages": Plain("t", b"x")}, head_channel=None, merge=True))
    assert len(store._recent_states._then) == SESSIONS


@pytest.mark.parametrize("seed", range(8))
def test_the_cache_does_not_change_results(store, open_store, seed):
    """Random checkpoints, forks, edits and appends of others: the same parts and heads as in memory."""
    rnd, plain, other = random.Random(seed), MemoryStore(), open_store()
    parents: list[int] = []
    for step in range(1, 15):
        parent = rnd.choice([*parents[-1:] * 4, *parents, *([] if parents else [None])])
        numbers = sorted(rnd.sample(range(1, 12), rnd.randint(1, 5)))
        edited = rnd.choice([None, None, None, rnd.randint(1, 11)])
        merge = rnd.random() < 0.8
        numbers = [number for number in numbers if number != edited]
        if rnd.random() < 0.25:
            added = [message(100 + step)]
            for one in (plain, other):
                run_blocking(one.append(KEY, added))
        for one in (plain, store):
            put(one, step, parent, *numbers, merge=merge, edited=edited)
        parents.append(step)
        states = [run_blocking(one.state(KEY)) for one in (plain, store)]
        assert states[0].head == states[1].head
        assert states[0].version == states[1].version
        found = [run_blocking(one.checkpoint(KEY, str(step))) for one in (plain, store)]
        assert isinstance(found[0].values["messages"], Stored)
        assert found[0].values == found[1].values
    assert said(plain) == said(store)
    assert [m.content for m in run_blocking(plain.record(KEY))] == [m.content for m in run_blocking(store.record(KEY))]
