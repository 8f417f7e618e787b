"""An encrypting store shows its inner store no word, and opens nothing in a wrong place."""

import sqlite3
import threading
from dataclasses import replace

import pytest
from sealed_fill import (
    ALONE,
    BOTH,
    CALL,
    NEW,
    OLD,
    PENDING,
    RESULT,
    RING,
    SAID,
    SECRET,
    check_secrets,
    fill_with_secrets,
    forms_of,
)

from session_core import Budget, Policy, Sessions
from session_core.errors import ConfigError, DuplicateMessage, StoreUnreadable
from session_core.retrieval.retrieve import terms
from session_core.stores.encrypted import SEARCHED_AT_ONCE, EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.memory import MemoryStore
from session_core.stores.sqlite import SqliteStore
from session_core.testing import KEY, message
from session_core.turns import Key, Message, Role
from session_core.voices import run_blocking


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    inner = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "sealed.db")
    made = EncryptedStore(inner, RING)
    yield made
    run_blocking(made.close())


def test_no_word_of_a_session_is_in_the_file(tmp_path):
    store = EncryptedStore(SqliteStore(tmp_path / "a.db"), RING)
    run_blocking(fill_with_secrets(store))
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    run_blocking(store.close())
    written += b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert written
    assert [form for form in forms_of(SECRET) if form in written] == []


def test_the_inner_store_answers_no_search_for_a_word(store):
    run_blocking(fill_with_secrets(store))
    assert run_blocking(store.inner.search(KEY, terms(SECRET), max_hits=9)) == ()


def test_what_a_store_works_with_stays_readable(store):
    run_blocking(fill_with_secrets(store))
    said, call, result, _ = run_blocking(store.inner.record(KEY))
    assert [m.role for m in (said, call, result)] == [Role.USER, Role.ASSISTANT, Role.TOOL]
    assert (call.tool_calls[0].id, result.tool_call_id, result.tokens, result.time_s) == ("t1", "t1", 900, 3.0)


def test_the_same_text_is_never_sealed_to_the_same_bytes(store):
    run_blocking(store.append(KEY, [message(1, content="same"), message(2, content="same")]))
    one, two = run_blocking(store.inner.record(KEY))
    assert one.native.note != two.native.note
    assert one.native.data != two.native.data


def test_authors_are_counted_once_each(store):
    names = ["Ann", "Ben", "Ann", "Ann"]
    turns = [Message(Role.USER, f"turn {i}", id=f"u{i}", author=name) for i, name in enumerate(names)]
    for turn in turns:
        done = run_blocking(store.append(KEY, [turn]))
    assert done.state.ledger.authors == ("Ann", "Ben")
    assert len(run_blocking(store.inner.state(KEY)).ledger.authors) == 2


def test_search_ranks_over_the_whole_of_a_long_record(store):
    many = [message(n, content=f"filler number {n}") for n in range(1, SEARCHED_AT_ONCE * 2 + 20)]
    many[3] = message(4, content="the violet umbrella")
    many[-2] = message(len(many) - 1, content="a violet umbrella, violet all over")
    run_blocking(store.append(KEY, many))
    found = run_blocking(store.search(KEY, terms("violet umbrella"), max_hits=5))
    assert {m.id for m in found} == {"m4", f"m{len(many) - 1}"}


# Rotation.


def _sqlite_with_old_key(tmp_path):
    inner = SqliteStore(tmp_path / "a.db")
    run_blocking(fill_with_secrets(EncryptedStore(inner, RING)))
    return inner


def test_a_new_key_seals_while_the_old_one_still_reads(tmp_path):
    inner = _sqlite_with_old_key(tmp_path)
    both = EncryptedStore(inner, BOTH)
    run_blocking(check_secrets(both))
    run_blocking(both.append(KEY, [message(10)]))
    assert [m.native.note[2:4] for m in run_blocking(inner.record(KEY))[-2:]] == [b"k1", b"k2"]
    run_blocking(both.close())


def test_a_known_message_stays_known_after_a_new_key(tmp_path):
    inner = _sqlite_with_old_key(tmp_path)
    both = EncryptedStore(inner, BOTH)
    again = run_blocking(both.append(KEY, [SAID, CALL, RESULT], revise=True))
    assert (again.new, again.seqs) == (0, (1, 2, 3))
    with pytest.raises(DuplicateMessage):
        run_blocking(both.append(KEY, [replace(SAID, content="other")]))
    run_blocking(both.close())


def test_a_rotated_write_becomes_a_message_that_opens_without_the_old_key(tmp_path):
    inner = _sqlite_with_old_key(tmp_path)
    run_blocking(EncryptedStore(inner, BOTH).rotate(KEY))
    alone = EncryptedStore(inner, ALONE)
    run_blocking(alone.append(KEY, [PENDING]))
    assert run_blocking(alone.find(KEY, "r2")).clip == RESULT.clip
    run_blocking(alone.close())


class WithoutRewriting:
    """A store of somebody else's, which has what the port asks for and no more."""

    scheme = "theirs"

    def __getattr__(self, name):
        if name in ("rewrite", "names"):
            raise AttributeError(name)
        return getattr(MemoryStore(), name)


def test_a_store_that_cannot_rewrite_says_so():
    store = EncryptedStore(WithoutRewriting(), RING)
    for work in (store.rotate(KEY), store.rotate_all()):
        with pytest.raises(ConfigError, match="keep the old key"):
            run_blocking(work)


# Wrong keys, moved and changed rows.


def _refused(store, key=KEY):
    with pytest.raises(StoreUnreadable) as caught:
        run_blocking(store.load(key))
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_a_missing_key_is_named_with_its_session(store):
    run_blocking(store.append(KEY, [SAID]))
    told = _refused(EncryptedStore(store.inner, Keyring({"k9": NEW}, match_key=RING.match_key)))
    assert "a tenant/a session" in told
    assert "'k1'" in told


def test_another_key_under_the_same_id_opens_nothing(store):
    run_blocking(store.append(KEY, [replace(SAID, author=None)]))
    told = _refused(EncryptedStore(store.inner, Keyring({"k1": NEW}, match_key=RING.match_key)))
    assert "does not open with key 'k1'" in told


def test_another_match_key_is_detected_before_a_message_is_duplicated(store):
    run_blocking(store.append(KEY, [replace(SAID, author=None)]))
    assert "other keys, or with another one in last" in _refused(
        EncryptedStore(store.inner, Keyring({"k1": OLD, "k2": NEW}))
    )


def test_a_message_in_clear_is_refused(store):
    run_blocking(store.inner.append(KEY, [message(1, content=SECRET)]))
    assert "in clear" in _refused(store)


@pytest.mark.parametrize(
    "other",
    [Key("a session", "another"), Key("another", "a tenant"), Key("a session", "a tenant", "sub")],
    ids=["tenant", "session", "namespace"],
)
def test_a_row_that_was_moved_elsewhere_does_not_open(store, other):
    run_blocking(store.append(KEY, [replace(SAID, author=None)]))
    run_blocking(store.inner.append(other, run_blocking(store.inner.record(KEY))))
    assert "moved here" in _refused(store, other)


def test_a_message_under_another_id_does_not_open(store):
    run_blocking(store.append(KEY, [replace(SAID, author=None)]))
    (sealed,) = run_blocking(store.inner.record(KEY))
    run_blocking(store.inner.append(KEY, [replace(sealed, id="u2")]))
    assert "moved here" in _refused(store)


def test_a_clip_is_no_author(store):
    run_blocking(store.append(KEY, [RESULT]))
    (sealed,) = run_blocking(store.inner.record(KEY))
    other = Key("other")
    run_blocking(store.inner.append(other, [replace(sealed, author=sealed.clip)]))
    _refused(store, other)


def test_a_changed_byte_is_seen(tmp_path):
    store = EncryptedStore(SqliteStore(tmp_path / "a.db"), RING)
    run_blocking(store.append(KEY, [SAID]))
    with sqlite3.connect(tmp_path / "a.db") as database:
        (data,) = database.execute("SELECT data FROM bodies").fetchone()
        database.execute("UPDATE bodies SET data = ?", (data[:-1] + bytes([data[-1] ^ 1]),))
    database.close()
    _refused(store)
    run_blocking(store.close())


def test_threads_share_one_keyring():
    store, problems = EncryptedStore(MemoryStore(), RING), []

    def work(number: int) -> None:
        key = Key(f"s{number % 2}")
        for turn in range(50):
            run_blocking(store.append(key, [message(number * 1000 + turn)]))
        problems.extend(m for m in run_blocking(store.record(key)) if not m.content.startswith("words"))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_sessions_fold_and_recall_over_an_encrypting_store(store):
    policy = Policy(budget=Budget(window_tokens=900, reply_reserve_tokens=100), folding="inline")
    session = Sessions(store, policy=policy).session("chat", tenant="acme")
    session.append({"role": "user", "content": "My order number is ORD-7741 and I prefer the violet one."})
    for turn in range(30):
        session.append({"role": "assistant", "content": f"answer {turn} " + "about many things " * 12})
        session.append({"role": "user", "content": f"question {turn} " + "about other things " * 12})
    view = session.view(query="what was my order number?")
    assert view.digest is not None
    assert any("ORD-7741" in m.content for m in view.messages)
    assert session.search("violet")[0].id == session.record()[0].id
