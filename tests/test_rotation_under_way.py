"""A rotation while others write, delete and begin sessions anew, and one that was stopped half way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from every_store import KINDS, Place, Servers
from rotating import SERVERS_ONLY, During, alone, both, check_everything_opens, messages, old, rewritten
from sealed_fill import PENDING, SECRET_VALUE, checkpoint_of, fill_with_secrets

from session_core.errors import StoreBusy
from session_core.ports import MessageList, Plain, SessionStore, Write
from session_core.testing import KEY, message
from session_core.turns import Role
from session_core.voices import run_blocking


@pytest.fixture(params=KINDS)
def place(request: Any, servers: Servers, tmp_path: Path) -> Iterator[Place]:
    with servers.place(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=SERVERS_ONLY)
def inner(request: Any, servers: Servers, tmp_path: Path) -> Iterator[SessionStore]:
    with servers.place(request.param, tmp_path) as made:
        yield made.store


def test_eight_threads_that_write_turns_lose_double_and_reorder_nothing(place: Place) -> None:
    store = place.store
    run_blocking(fill_with_secrets(old(store)))
    run_blocking(old(store).append(KEY, messages(1001, 1800)))
    started, stop = threading.Barrier(9), threading.Event()
    said: dict[int, list[str]] = {}

    def write(writer: int) -> None:
        mine = said[writer] = []
        started.wait()
        turn = 0
        while turn < 6 or not stop.is_set():
            first = 10_000 * writer + 2 * turn
            call = replace(message(first), author=f"author {writer}")
            run_blocking(both(store).append(KEY, [call, message(first + 1, Role.ASSISTANT)]))
            pending = MessageList((message(first + 1, Role.ASSISTANT),), single=True)
            run_blocking(both(store).put_writes(KEY, f"c{writer}", [Write(f"t{turn}", 0, "messages", pending)]))
            mine += [f"m{first}", f"m{first + 1}"]
            turn += 1

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(1, 9)]
    for thread in threads:
        thread.start()
    started.wait()
    assert run_blocking(both(store).rotate(KEY)) > 800
    stop.set()
    for thread in threads:
        thread.join()
    record = [m.id for m in run_blocking(alone(store).record(KEY))]
    assert record[:804] == ["u1", "c1", "r1", "m9", *(f"m{n}" for n in range(1001, 1801))]
    assert len(record) == len(set(record)) == 804 + sum(map(len, said.values()))
    assert all([name for name in record if name in set(mine)] == mine for mine in said.values())
    pairs = [int(name[1:]) for name in record[804:]]
    assert all(second == first + 1 for first, second in zip(pairs[::2], pairs[1::2], strict=True))
    run_blocking(check_everything_opens(alone(store)))


@pytest.mark.parametrize("rotated_first", [True, False])
def test_a_pending_message_becomes_one_of_the_record(rotated_first: bool, place: Place) -> None:
    store = place.store
    run_blocking(fill_with_secrets(old(store)))
    checkpoint = replace(checkpoint_of(KEY), id="2", parent_id="1", versions={"messages": 2})
    value = {"messages": MessageList((*run_blocking(old(store).record(KEY)), PENDING))}

    def become_record() -> None:
        run_blocking(both(store).put_checkpoint(checkpoint, value, head_channel="messages", merge=True))

    if rotated_first:
        run_blocking(both(store).rotate(KEY))
    become_record()
    if not rotated_first:
        run_blocking(both(store).rotate(KEY))
    found = run_blocking(alone(store).find(KEY, PENDING.id))
    assert found is not None
    assert (found.content, found.author, found.clip) == (PENDING.content, PENDING.author, PENDING.clip)
    run_blocking(check_everything_opens(alone(store)))


def test_a_pending_message_may_become_one_of_the_record_in_mid_rotation(inner: SessionStore) -> None:
    run_blocking(fill_with_secrets(old(inner)))
    # The record has four; the fifth is the pending one.
    change = During("message", lambda times: run_blocking(both(inner).append(KEY, [PENDING])) if times == 5 else None)
    rewritten(inner, change)
    assert change.times >= 5
    found = run_blocking(alone(inner).find(KEY, PENDING.id))
    assert found is not None
    assert found.clip == PENDING.clip
    run_blocking(check_everything_opens(alone(inner)))


@pytest.mark.parametrize("kind", ["author", "message", "digest", "notice", "plain"])
def test_a_session_that_is_deleted_in_mid_rotation_stays_deleted(kind: str, servers: Servers, tmp_path: Path) -> None:
    for name in SERVERS_ONLY:
        with servers.place(name, tmp_path) as place:
            run_blocking(fill_with_secrets(old(place.store)))
            rewritten(place.store, During(kind, lambda _, store=place.store: run_blocking(store.delete(KEY))))
            assert run_blocking(place.store.state(KEY)) is None
            assert run_blocking(place.store.record(KEY)) == ()
            assert run_blocking(place.store.checkpoints(KEY.tenant, KEY.session_id, None)) == ()
            assert b"k2" not in place.held()


@pytest.mark.parametrize("kind", ["author", "message", "digest", "notice", "plain"])
def test_a_session_that_is_begun_again_in_mid_rotation_keeps_what_is_new(kind: str, inner: SessionStore) -> None:
    new: list[object] = []

    def begin_again(times: int) -> None:
        if times == 1:
            run_blocking(inner.delete(KEY))
            run_blocking(fill_with_secrets(both(inner)))
            new.append(_sealed_values(inner))

    run_blocking(fill_with_secrets(old(inner)))
    rewritten(inner, During(kind, begin_again))
    # What was read before says the same as what is there now, but is not it.
    assert [_sealed_values(inner)] == new


def _sealed_values(store: SessionStore) -> object:
    found = run_blocking(store.checkpoint(KEY, "1"))
    loaded, notices = run_blocking(store.load(KEY)), run_blocking(store.notices(KEY))
    return run_blocking(store.record(KEY)), loaded.digest, notices, found


def test_a_write_that_is_replaced_in_mid_rotation_keeps_the_new_value(inner: SessionStore) -> None:
    newer = Plain("t", b"newer")

    def write(times: int) -> None:
        run_blocking(both(inner).put_writes(KEY, "1", [Write("t", -1, "x", newer)]))

    run_blocking(old(inner).put_checkpoint(checkpoint_of(KEY), {}, head_channel=None, merge=True))
    run_blocking(old(inner).put_writes(KEY, "1", [Write("t", -1, "x", SECRET_VALUE)]))
    change = During("plain", lambda times: write(times) if times == 2 else None)
    rewritten(inner, change)
    found = run_blocking(alone(inner).checkpoint(KEY, "1"))
    assert found is not None
    assert [w.value for w in found.writes] == [newer]


@pytest.mark.parametrize("kind", ["redis", "cluster", "postgres"])
def test_a_value_that_others_change_each_time_is_told(kind: str, servers: Servers, tmp_path: Path) -> None:
    with servers.place(kind, tmp_path) as place:

        def write(times: int) -> None:
            value = Plain("t", b"%d" % times)
            run_blocking(old(place.store).put_writes(KEY, "1", [Write("t", -1, "x", value)]))

        write(0)
        with pytest.raises(StoreBusy, match="other writers changed 1 values during each"):
            rewritten(place.store, During("plain", write))


def test_authors_that_speak_up_in_mid_rotation_are_kept(inner: SessionStore) -> None:
    def speak(times: int) -> None:
        if times == 1:
            run_blocking(both(inner).append(KEY, [replace(message(2), author="Ben")]))

    run_blocking(old(inner).append(KEY, [replace(message(1), author="Ann")]))
    rewritten(inner, During("author", speak))
    state = run_blocking(alone(inner).state(KEY))
    assert state is not None
    assert state.ledger.authors == ("Ann", "Ben")


class Stopped(BaseException):
    """The process was told to end."""


@pytest.mark.parametrize("kind", ["message", "digest", "notice", "plain"])
def test_a_rotation_that_was_stopped_is_begun_again(kind: str, place: Place) -> None:
    def stop(times: int) -> None:
        raise Stopped

    run_blocking(fill_with_secrets(old(place.store)))
    run_blocking(old(place.store).append(KEY, messages(100, 1_200)))
    with pytest.raises(Stopped):
        rewritten(place.store, During(kind, stop))
    run_blocking(check_everything_opens(both(place.store)))
    assert run_blocking(both(place.store).rotate(KEY)) > 0
    run_blocking(check_everything_opens(alone(place.store)))
    assert len(run_blocking(alone(place.store).record(KEY))) == 4 + 1_101
