"""Rewrites every value of an in-memory session in small steps, so that others can go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping, MutableSequence
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from session_core.ports import Checkpoint, Plain, Stored
from session_core.stores.memory.session import MemorySession
from session_core.stores.rewrite import AT_ONCE, Change, changed_authors, changed_write
from session_core.turns import Key

T = TypeVar("T")
Kept = MutableSequence[T] | MutableMapping[Any, T]
"""Values by their place."""


def rewrite_session(session: MemorySession, lock: AbstractContextManager[object], change: Change) -> int:
    """Applies `change` to everything that the session holds; returns how many values changed.

    The lock is held while values are read and replaced, not while they are changed. A value that others replaced
    meanwhile is newer and stays.
    """
    key = session.state.key
    with lock:
        writes = dict(session.writes)
    return (
        _authors(session, lock, change)
        + _each(session.log, lock, lambda _, old: change.message(key, old))
        + _each(session.digests, lock, lambda _, old: change.digest(key, old))
        + _each(session.notices, lock, lambda _, old: change.notice(key, old))
        + _each(session.checkpoints, lock, lambda _, old: _checkpoint(key, old, change))
        + _each(session.values, lock, lambda place, old: _value(key, place, old, change))
        + sum(_each(some, lock, _write_of(key, name, change)) for name, some in writes.items())
    )


def _each(kept: Kept[T], lock: AbstractContextManager[object], changed: Callable[[Any, T], T]) -> int:
    with lock:
        pairs = iter(list(kept.items() if isinstance(kept, MutableMapping) else enumerate(kept)))
    count = 0
    while some := list(islice(pairs, AT_ONCE)):
        new = [(place, old, changed(place, old)) for place, old in some]
        with lock:
            count += _replaced(kept, ((place, old, one) for place, old, one in new if one != old))
    return count


def _replaced(kept: Kept[T], new: Iterable[tuple[Any, T, T]]) -> int:
    count = 0
    for place, old, one in new:
        if (kept.get(place) if isinstance(kept, MutableMapping) else kept[place]) is old:
            kept[place] = one
            count += 1
    return count


def _authors(session: MemorySession, lock: AbstractContextManager[object], change: Change) -> int:
    while True:
        old = session.state.ledger.authors
        authors = changed_authors(change, session.state.key, old)
        if authors == old:
            return 0
        with lock:
            if session.state.ledger.authors == old:
                session.state = replace(session.state, ledger=replace(session.state.ledger, authors=authors))
                return 1


def _checkpoint(key: Key, old: Checkpoint, change: Change) -> Checkpoint:
    return replace(old, body=change.plain(key, ("checkpoint", old.id), old.body))


def _value(key: Key, place: tuple[str, str], old: Plain | Stored, change: Change) -> Plain | Stored:
    return change.plain(key, ("value", *place), old) if isinstance(old, Plain) else old


def _write_of(key: Key, checkpoint_id: str, change: Change) -> Callable[[Any, Any], Any]:
    return lambda _, old: changed_write(change, key, checkpoint_id, old)
