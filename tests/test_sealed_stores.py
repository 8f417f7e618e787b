"""An encrypting store over every store on the real thing: promises, what can be read past it, moved rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from every_store import KINDS, Place, Servers
from sealed_fill import RING, SAID, SECRET, check_secrets, fill_with_secrets, forms_of

from session_core.errors import StoreUnreadable
from session_core.ports import Checkpoint, MessageList, Plain, Write
from session_core.ranges import Ranges
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.testing import KEY, STORE_PROMISES
from session_core.testing.fakes import bare_checkpoint
from session_core.turns import Key, Message, Role
from session_core.voices import run_blocking


@pytest.fixture(params=KINDS)
def place(request: Any, servers: Servers, tmp_path: Path) -> Iterator[Place]:
    with servers.place(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def store(place: Place) -> EncryptedStore:
    return EncryptedStore(place.store, RING)


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_blocking(promise: Any, store: EncryptedStore) -> None:
    run_blocking(promise(store))


@pytest.mark.parametrize("promise", STORE_PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_its_promise_awaiting(promise: Any, store: EncryptedStore) -> None:
    asyncio.run(promise(store.awaiting()))


def test_everything_comes_back_as_it_went_in(store: EncryptedStore) -> None:
    run_blocking(fill_with_secrets(store))
    run_blocking(check_secrets(store))


def test_no_word_and_no_author_is_in_what_is_held(place: Place, store: EncryptedStore) -> None:
    run_blocking(fill_with_secrets(store))
    # What a hybrid store holds hot.
    run_blocking(store.load(KEY))
    held = place.held()
    assert KEY.session_id.encode() in held
    assert [form for word in (SECRET, "marmalade", "Smith", "Robot") for form in forms_of(word) if form in held] == []


def test_what_is_held_would_show_a_word_in_clear(place: Place) -> None:
    run_blocking(fill_with_secrets(place.store))
    held = place.held()
    assert [word for word in (SECRET, "marmalade", "Smith", "Robot") if word.encode() not in held] == []


@pytest.mark.parametrize(
    "other",
    [
        Key(KEY.session_id, "another"),
        Key("another", KEY.tenant),
        Key(KEY.session_id, KEY.tenant, "sub"),
        Key(KEY.tenant, KEY.session_id),
    ],
    ids=["tenant", "session", "namespace", "swapped names"],
)
def test_what_is_moved_elsewhere_does_not_open(other: Key, place: Place, store: EncryptedStore) -> None:
    inner = place.store
    run_blocking(fill_with_secrets(store))
    (said, *_), loaded = run_blocking(inner.record(KEY)), run_blocking(inner.load(KEY))
    found = run_blocking(inner.checkpoint(KEY, "1"))
    assert found is not None
    assert loaded.digest is not None
    run_blocking(inner.append(other, [replace(said, author=None)]))
    run_blocking(inner.put_digest(other, replace(loaded.digest, number=0), expected=0))
    bare = Checkpoint(other, "1", None, found.body, {"other": 1})
    run_blocking(inner.put_checkpoint(bare, {"other": _plain(found.values["other"])}, head_channel=None, merge=True))
    run_blocking(inner.put_writes(other, "1", found.writes))
    for work in (
        store.record(other),
        store.load(other),
        store.load(other, Ranges.span(1, 1)),
        store.find(other, SAID.id),
        store.checkpoint(other),
        store.checkpoints(other.tenant, other.session_id, other.namespace),
        store.fill(bare),
    ):
        _does_not_open(work)


def _sealed(store: EncryptedStore, checkpoint_id: str) -> Plain:
    """A checkpoint's body, sealed where it belongs."""
    return store._seals.plain(KEY, ("checkpoint", checkpoint_id), Plain("t", b""))


def test_a_value_under_another_channel_does_not_open(place: Place, store: EncryptedStore) -> None:
    run_blocking(fill_with_secrets(store))
    found = run_blocking(place.store.checkpoint(KEY, "1"))
    assert found is not None
    bare, values = Checkpoint(KEY, "2", None, _sealed(store, "2"), {"x": 1}), {"x": _plain(found.values["other"])}
    run_blocking(place.store.put_checkpoint(bare, values, head_channel=None, merge=True))
    _does_not_open(store.checkpoint(KEY, "2"))


def test_the_body_of_another_checkpoint_does_not_open(place: Place, store: EncryptedStore) -> None:
    bare = Checkpoint(KEY, "2", None, _sealed(store, "1"), {})
    run_blocking(place.store.put_checkpoint(bare, {}, head_channel=None, merge=True))
    _does_not_open(store.checkpoint(KEY, "2"))


def test_a_write_of_another_task_does_not_open(place: Place, store: EncryptedStore) -> None:
    run_blocking(fill_with_secrets(store))
    found = run_blocking(place.store.checkpoint(KEY, "1"))
    assert found is not None
    run_blocking(place.store.put_writes(KEY, "1", [replace(found.writes[1], task_id="z")]))
    _does_not_open(store.checkpoint(KEY, "1"))


@pytest.mark.parametrize("elsewhere", [{"channel": "another"}, {"task_path": "another"}], ids=["channel", "path"])
def test_a_write_under_another_channel_or_path_does_not_open(
    place: Place, store: EncryptedStore, elsewhere: dict[str, str]
) -> None:
    run_blocking(store.put_checkpoint(bare_checkpoint("1", None), {}, head_channel=None, merge=True))
    run_blocking(store.put_writes(KEY, "1", [Write("task", 0, "channel", Plain("t", b"said"), "path")]))
    found, opened = run_blocking(place.store.checkpoint(KEY, "1")), run_blocking(store.checkpoint(KEY, "1"))
    assert found is not None
    assert opened is not None
    assert opened.writes[0].value == Plain("t", b"said")
    run_blocking(place.store.delete(KEY))
    run_blocking(place.store.put_checkpoint(found, {}, head_channel=None, merge=True))
    run_blocking(place.store.put_writes(KEY, "1", [replace(found.writes[0], **elsewhere)]))
    _does_not_open(store.checkpoint(KEY, "1"))


def test_a_clip_of_another_version_does_not_open(place: Place, store: EncryptedStore) -> None:
    versions = [Message(Role.TOOL, text, id="r", tool_call_id="t", clip=text[:2]) for text in ("paid", "refused")]
    for version in versions:
        run_blocking(store.append(KEY, [version], revise=True))
    old, new = run_blocking(place.store.record(KEY))
    run_blocking(place.store.delete(KEY))
    run_blocking(place.store.append(KEY, [replace(new, clip=old.clip)]))
    _does_not_open(store.record(KEY))


def test_a_message_under_another_id_does_not_open(place: Place, store: EncryptedStore) -> None:
    run_blocking(fill_with_secrets(store))
    _, call, *_ = run_blocking(place.store.record(KEY))
    run_blocking(place.store.append(KEY, [replace(call, id="another")]))
    _does_not_open(store.record(KEY))


def test_a_message_stays_its_authors_whoever_is_written_beside_it(place: Place, store: EncryptedStore) -> None:
    said = [
        replace(SAID, id="a", author="Ann"),
        replace(SAID, id="b", author="Ben"),
        replace(SAID, id="c", author=None),
    ]
    run_blocking(store.append(KEY, said))
    sealed = run_blocking(place.store.record(KEY))
    run_blocking(place.store.delete(KEY))
    # The author of each is now another one of the session.
    one, two, three = sealed
    exchanged = [replace(one, author=two.author), replace(two, author=one.author), three]
    run_blocking(place.store.append(KEY, exchanged))
    assert [m.author for m in run_blocking(store.record(KEY))] == ["Ann", "Ben", None]
    run_blocking(place.store.delete(KEY))
    run_blocking(place.store.append(KEY, [replace(one, author=None) for one in sealed]))
    assert [m.author for m in run_blocking(store.record(KEY))] == ["Ann", "Ben", None]


def test_an_author_of_another_session_does_not_open(place: Place, store: EncryptedStore) -> None:
    other = Key("another", KEY.tenant)
    run_blocking(store.append(other, [SAID]))
    (theirs,) = run_blocking(place.store.record(other))
    run_blocking(store.append(KEY, [replace(SAID, author=None)]))
    (mine,) = run_blocking(place.store.record(KEY))
    run_blocking(place.store.delete(KEY))
    run_blocking(place.store.append(KEY, [replace(mine, author=theirs.author)]))
    _does_not_open(store.record(KEY))


def test_a_pending_message_under_another_name_does_not_open(place: Place, store: EncryptedStore) -> None:
    run_blocking(fill_with_secrets(store))
    found = run_blocking(place.store.checkpoint(KEY, "1"))
    assert found is not None
    value = found.writes[0].value
    assert isinstance(value, MessageList)
    renamed = tuple(replace(item, id="another") for item in value.items if isinstance(item, Message))
    run_blocking(place.store.put_writes(KEY, "1", [Write("z", 0, "messages", MessageList(renamed))]))
    _does_not_open(store.checkpoint(KEY, "1"))


def test_another_keyring_opens_nothing_and_says_no_word(place: Place, store: EncryptedStore) -> None:
    run_blocking(fill_with_secrets(store))
    other = EncryptedStore(place.store, Keyring({"k1": b"x" * 32}, match_key=RING.match_key))
    for work in (other.load(KEY), other.record(KEY), other.notices(KEY), other.checkpoint(KEY, "1"), other.state(KEY)):
        _does_not_open(work)


def _does_not_open(work: Any) -> None:
    with pytest.raises(StoreUnreadable) as caught:
        run_blocking(work)
    assert SECRET not in str(caught.value)


def _plain(value: object) -> Plain:
    assert isinstance(value, Plain)
    return value
