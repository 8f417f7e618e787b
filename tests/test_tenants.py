"""No tenant reads, changes or deletes anything of another one, on any store, whatever both are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from every_store import KINDS, Servers
from sealed_fill import RING, SAID, check_secrets, checkpoint_of, fill_with_secrets

from session_core.errors import Conflict
from session_core.events import Notice
from session_core.plan import Digest
from session_core.ports import (
    CheckpointStore,
    Lease,
    Loaded,
    Marks,
    MessageList,
    Plain,
    SessionStore,
    State,
    Store,
    Write,
)
from session_core.ranges import Ranges
from session_core.retrieval.retrieve import terms
from session_core.stores.encrypted import EncryptedStore
from session_core.testing import message
from session_core.turns import Key
from session_core.voices import run_blocking

LONG = "n" * 511
HOSTILE = {
    "a name in common": (Key("s", "one"), Key("s", "two")),
    "a bar that moves": (Key("c", "a|b"), Key("b|c", "a")),
    "a slash that moves": (Key("b/c", "a"), Key("c", "a/b")),
    "braces": (Key("x", "}{"), Key("x", "{}")),
    "a brace and its code": (Key("x", "{"), Key("x", "%7B")),
    "a code and the code of it": (Key("x", "%7B"), Key("x", "%257B")),
    "the name of a part of a key": (Key("s", "a:s:"), Key(":s:s", "a")),
    "names in turn": (Key("a", "b"), Key("b", "a")),
    "a letter and its parts": (Key("s", "é"), Key("s", "e\u0301")),
    "letters that look alike": (Key("s", "acme"), Key("s", "\u0430cme")),
    "capitals": (Key("s", "Acme"), Key("s", "acme")),
    "a blank behind": (Key("s", "acme"), Key("s", "acme ")),
    "patterns": (Key("s", "acme"), Key("s", "acm*")),
    "patterns of SQL": (Key("s", "acme"), Key("s", "%")),
    "a quotation mark": (Key("s", "acme"), Key("s", "acme' OR 'a' = 'a")),
    "a backslash": (Key("s", "\\u0041"), Key("s", "A")),
    "512 characters": (Key(f"{LONG}s", f"{LONG}a"), Key(f"{LONG}s", f"{LONG}b")),
    "signs of four bytes": (Key("s", "\U0001f642" * 200), Key("s", "\U0001f642" * 199)),
    "a namespace": (Key("s", "one", "sub"), Key("s", "two", "sub")),
    "a namespace that moves": (Key("s", "one", "a|b"), Key("s|a", "one", "b")),
}


@pytest.fixture(params=[*KINDS, "encrypted"])
def store(request: Any, servers: Servers, tmp_path: Path) -> Iterator[SessionStore]:
    kind = "memory" if request.param == "encrypted" else request.param
    with servers.place(kind, tmp_path) as place:
        yield EncryptedStore(place.store, RING) if request.param == "encrypted" else place.store


Ask = Callable[[SessionStore, Key], Any]

READING: dict[str, tuple[Ask, Callable[[Key], object]]] = {
    "load": (lambda store, key: store.load(key), lambda key: Loaded(State(key), None, ())),
    "begin": (lambda store, key: store.begin(key), lambda key: (None, Loaded(State(key), None, ()))),
    "record": (lambda store, key: store.record(key), lambda key: ()),
    "find": (lambda store, key: store.find(key, SAID.id), lambda key: None),
    "search": (lambda store, key: store.search(key, terms("periwinkle"), max_hits=9), lambda key: ()),
    "state": (lambda store, key: store.state(key), lambda key: None),
    "notices": (lambda store, key: store.notices(key), lambda key: ()),
    "checkpoint": (lambda store, key: store.checkpoint(key, "1"), lambda key: None),
    "checkpoints": (lambda store, key: store.checkpoints(key.tenant, key.session_id, None), lambda key: ()),
    "fill": (lambda store, key: store.fill(checkpoint_of(key)), checkpoint_of),
    "ancestors": (lambda store, key: store.ancestors(key, "2", ["messages", "other"]), lambda key: ()),
    "parts": (lambda store, key: store.parts(key, ["messages"]), lambda key: {}),
    "holdings": (lambda store, key: store.holdings(key), lambda key: ()),
    "sessions": (lambda store, key: store.sessions(key.tenant), lambda key: ()),
    "checkpoints_of_runs": (lambda store, key: store.checkpoints_of_runs(key.tenant, ["a run"]), lambda key: ()),
}
OF_A_TENANT = ("sessions", "checkpoints_of_runs")
"""What asks for something, and what nobody's key gets."""

COPY = "a copy of mine"


async def _copied(store: SessionStore, key: Key) -> None:
    await store.copy_session(key, COPY)
    await store.delete(Key(COPY, key.tenant))


WRITING: dict[str, Ask] = {
    "append": lambda store, key: store.append(key, [replace(SAID, content="mine")]),
    "put_digest": lambda store, key: store.put_digest(key, Digest(Ranges.span(1, 1), "mine"), expected=1),
    "mark": lambda store, key: store.mark(
        key, Marks(tier=3, head=Ranges.span(1, 1), activate=True, notice=Notice("mine", 0.5, 1))
    ),
    "put_checkpoint": lambda store, key: store.put_checkpoint(
        replace(checkpoint_of(key), body=Plain("t", b"mine")),
        {"messages": MessageList((message(1),)), "other": Plain("t", b"mine"), "é": None},
        head_channel="messages",
        merge=False,
    ),
    "put_writes": lambda store, key: store.put_writes(
        key, "1", [Write("tâche", -1, "x", Plain("t", b"mine")), Write("tâche", 0, "x", Plain("t", b"mine"))]
    ),
    "copy_session": _copied,
    "drop_checkpoints": lambda store, key: store.drop_checkpoints(
        key, ["1"], parents={"1": "0"}, head=Ranges.span(1, 1)
    ),
    "take_lease": lambda store, key: store.take_lease(key, holder="mine", ttl_s=60),
    "drop_lease": lambda store, key: store.drop_lease(Lease(key, 1, "mine", 60)),
    "delete": lambda store, key: store.delete(key),
}
OF_NO_SESSION = {"damage", "close", "awaiting"}


def test_every_store_method_is_covered_here() -> None:
    ports = {
        name
        for port in (Store, CheckpointStore, SessionStore)
        for name, _ in inspect.getmembers(port, inspect.isfunction)
    }
    assert {name for name in ports if not name.startswith("_")} == {*READING, *WRITING, *OF_NO_SESSION}


@pytest.mark.parametrize("names", HOSTILE.values(), ids=HOSTILE)
def test_another_key_reads_nothing(names: tuple[Key, Key], store: SessionStore) -> None:
    for mine, theirs in (names, names[::-1]):
        run_blocking(fill_with_secrets(store, theirs))
        found = {name: run_blocking(ask(store, mine)) for name, (ask, _) in READING.items() if _bears_on(name, names)}
        assert found == {name: nothing(mine) for name, (_, nothing) in READING.items() if _bears_on(name, names)}
        run_blocking(store.delete(theirs))


def _bears_on(asked: str, names: tuple[Key, Key]) -> bool:
    """Whether an answer to what is asked of a whole tenant would be another tenant's."""
    return asked not in OF_A_TENANT or names[0].tenant != names[1].tenant


@pytest.mark.parametrize("names", HOSTILE.values(), ids=HOSTILE)
def test_another_key_changes_and_deletes_nothing(names: tuple[Key, Key], store: SessionStore) -> None:
    for mine, theirs in (names, names[::-1]):
        run_blocking(fill_with_secrets(store, theirs))
        before = _all_of(store, theirs)
        for name, write in WRITING.items():
            if name == "put_digest":
                # There is no digest number 1 of this session.
                with pytest.raises(Conflict):
                    run_blocking(write(store, mine))
            else:
                run_blocking(write(store, mine))
            assert (name, _all_of(store, theirs)) == (name, before)
        run_blocking(check_secrets(store, theirs))
        run_blocking(store.delete(theirs))


def _all_of(store: SessionStore, key: Key) -> object:
    return {name: run_blocking(ask(store, key)) for name, (ask, _) in READING.items() if name not in OF_A_TENANT}


@pytest.mark.parametrize("names", HOSTILE.values(), ids=HOSTILE)
def test_a_rotation_of_another_key_touches_nothing(names: tuple[Key, Key], store: SessionStore) -> None:
    mine, theirs = names
    for inner in [store.inner if isinstance(store, EncryptedStore) else store]:
        run_blocking(fill_with_secrets(EncryptedStore(inner, RING), theirs))
        before = _all_of(inner, theirs)
        assert run_blocking(inner.rewrite(mine, None)) == 0  # type: ignore[attr-defined]
        assert _all_of(inner, theirs) == before
        found = {(k.tenant, k.session_id) for k in run_blocking(inner.names(mine.tenant))}  # type: ignore[attr-defined]
        assert found == ({(theirs.tenant, theirs.session_id)} if mine.tenant == theirs.tenant else set())


@pytest.mark.parametrize("kind", KINDS)
def test_lone_surrogates_in_names_are_told_apart(kind: str, servers: Servers, tmp_path: Path) -> None:
    mine, theirs = Key("s", "\ud800"), Key("s", "\udc00")
    with servers.place(kind, tmp_path) as place:
        run_blocking(fill_with_secrets(place.store, theirs))
        found = {name: run_blocking(ask(place.store, mine)) for name, (ask, _) in READING.items()}
        assert found == {name: nothing(mine) for name, (_, nothing) in READING.items()}
