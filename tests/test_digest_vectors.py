"""What a digest covers is found by meaning: on each store, in a process that did not fold it, of no other session."""

from __future__ import annotations

from pathlib import Path

import pytest
from near_words import PlainWords, QuickWords

from session_core import Budget, Policy, Sessions
from session_core.ports import SessionStore
from session_core.ranges import Ranges
from session_core.retrieval.digest_vectors import BLOCK, MOST_COVERED, NEAREST, DigestVectors, newest
from session_core.retrieval.vectors import Vectors
from session_core.stores.encrypted import EncryptedStore
from session_core.stores.keyring import Keyring
from session_core.stores.memory import MemoryStore
from session_core.stores.sqlite import SqliteStore
from session_core.turns import Key, Message, Role
from session_core.voices import run_blocking

OLD = "The physician in the corner house has blue shutters and a brass bell."
KEY = Key("s")


def _policy(embedder: PlainWords | None) -> Policy:
    return Policy(Budget(600, reply_reserve_tokens=0), folding="off", embedder=embedder)


def _fill(sessions: Sessions, *, filler: int = 150) -> None:
    one = sessions.session("s")
    one.append([{"role": "user", "content": OLD}, {"role": "assistant", "content": "Noted, it is kept."}])
    for number in range(filler):
        one.append([{"role": ("user", "assistant")[number % 2], "content": f"Line {number} is about trains again."}])
    one.fold()
    one.append({"role": "user", "content": "Good."})


@pytest.fixture(autouse=True)
def _a_search_under_the_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a record that is too long to be read whole."""
    monkeypatch.setattr("session_core.searching.READ_WHOLE", 0)


def _shown(sessions: Sessions, question: str = "which doctor?") -> str:
    return "\n".join(m.content for m in sessions.session("s").view(question).messages if m.origin == "recall")


@pytest.mark.parametrize("kind", ["memory", "sqlite", "encrypted"])
def test_a_folded_message_is_found_by_meaning(kind: str, tmp_path: Path) -> None:
    kept: SessionStore = SqliteStore(tmp_path / "s.db") if kind == "sqlite" else MemoryStore()
    store = EncryptedStore(kept, Keyring({"k1": bytes(32)})) if kind == "encrypted" else kept
    embedder = QuickWords()
    with Sessions(store, policy=_policy(embedder)) as sessions:
        _fill(sessions)
        assert "brass bell" in _shown(sessions)
    with Sessions(store, policy=_policy(None)) as sessions:
        assert "brass bell" not in _shown(sessions)
    with Sessions(store, policy=_policy(QuickWords())) as sessions:
        assert "brass bell" in _shown(sessions)
    run_blocking(store.close())


def test_a_search_finds_by_meaning_too() -> None:
    with Sessions(policy=_policy(QuickWords())) as sessions:
        _fill(sessions)
        assert OLD in [hit.content for hit in sessions.session("s").search("doctor")]
        assert sessions.session("nobody").search("doctor") == []


def test_once_there_are_questions_what_is_folded_is_embedded_by_the_fold_and_not_by_the_view() -> None:
    embedder = QuickWords()
    with Sessions(policy=_policy(embedder)) as sessions:
        _fill(sessions)
        assert OLD not in embedder.asked
        sessions.session("another").view("which trains?")
        _fill(sessions)
        assert embedder.asked.count(OLD) == 1
        sessions.session("s").view("which trains?")
        assert embedder.asked.count(OLD) == 1
        said = len(embedder.asked)
        sessions.session("s").view("which bells?")
        assert embedder.asked[said:] == ["which bells?", "which bells?"]


def test_what_is_found_under_a_digest_is_embedded_once_for_its_first_question() -> None:
    store = MemoryStore()
    with Sessions(store, policy=_policy(None)) as sessions:
        _fill(sessions)
    embedder = QuickWords()
    with Sessions(store, policy=_policy(embedder)) as sessions:
        _shown(sessions)
    texts = [text for text in embedder.asked if text != "which doctor?"]
    assert OLD in texts
    assert len(texts) == len(set(texts))


def test_a_recreated_session_does_not_use_old_vectors() -> None:
    with Sessions(policy=_policy(QuickWords())) as sessions:
        _fill(sessions)
        assert "brass bell" in _shown(sessions)
        sessions.session("s").delete()
        one = sessions.session("s")
        one.append([{"role": "user", "content": f"Line {n} is about trains again."} for n in range(100)])
        one.append({"role": "user", "content": "The physician has no shutters at all now."})
        one.append([{"role": "user", "content": f"Line {n} is about ships again."} for n in range(100)])
        one.fold()
        one.append({"role": "user", "content": "Good."})
        shown = _shown(sessions)
        assert "no shutters" in shown
        assert "brass bell" not in shown


def test_no_vector_is_written_anywhere(tmp_path: Path) -> None:
    embedder, path = QuickWords(), tmp_path / "s.db"
    with Sessions(f"sqlite:///{path}", policy=_policy(embedder)) as sessions:
        _fill(sessions)
        _shown(sessions)
    assert OLD in embedder.asked
    (vector,) = run_blocking(QuickWords().packed([OLD]))
    assert not any(vector in file.read_bytes() for file in tmp_path.iterdir())


def test_missing_vectors_are_reported_and_the_nearest_come_first() -> None:
    covered, embedder = DigestVectors(), QuickWords()
    messages = [Message(Role.USER, f"a word {n} of ships", seq=n) for n in range(1, 3 * BLOCK)]
    messages[99] = Message(Role.USER, "the car", seq=100)
    run_blocking(covered.add(KEY, "b", messages[:150], embedder, Vectors()))
    run_blocking(covered.add(KEY, "b", messages[150:160], embedder, Vectors()))
    seqs = list(range(1, 3 * BLOCK))
    part = Ranges.span(1, 3 * BLOCK - 1)
    assert covered.missing(KEY, "b", part) == seqs[160:]
    assert covered.missing(KEY, "other", part) == seqs
    assert covered.missing(Key("t"), "b", part) == seqs
    near = run_blocking(covered.near(KEY, "b", "automobile", part, embedder))
    assert near[0] == 100
    assert len(run_blocking(covered.near(KEY, "b", "ships", part, embedder))) == NEAREST
    gaps = Ranges(((158, 170), (3, 5), (60, 70)))
    assert covered.missing(KEY, "b", gaps) == list(range(161, 171))
    near = run_blocking(covered.near(KEY, "b", "ships", gaps, embedder))
    assert sorted(near) == [3, 4, 5, *range(60, 71), 158, 159, 160]


@pytest.mark.parametrize(
    ("pairs", "kept"),
    [
        (((1, 10),), ((1, 10),)),
        (((1, 5_000),), ((5_001 - MOST_COVERED, 5_000),)),
        (((5_000, 5_009), (1, 4_000)), ((4_011 - MOST_COVERED, 4_000), (5_000, 5_009))),
        (((1, 9), (20, 20 + MOST_COVERED)), ((21, 20 + MOST_COVERED),)),
        ((), ()),
    ],
)
def test_only_the_newest_messages_of_a_long_part_have_vectors(
    pairs: tuple[tuple[int, int], ...], kept: tuple[tuple[int, int], ...]
) -> None:
    assert newest(Ranges(pairs)).pairs == kept


def test_the_cache_of_vectors_is_bounded() -> None:
    covered, embedder = DigestVectors(room_messages=BLOCK * 16), QuickWords()
    for number in range(100):
        run_blocking(covered.add(Key(f"s{number}"), "b", [Message(Role.USER, "a", seq=1)], embedder, Vectors()))
    assert sum(not covered.missing(Key(f"s{number}"), "b", Ranges.span(1, 1)) for number in range(100)) <= 16


def test_all_folded_messages_of_a_short_record_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("session_core.searching.READ_WHOLE", 500)
    with Sessions(policy=_policy(None)) as sessions:
        _fill(sessions)
        sessions.session("s").append({"role": "user", "content": "The key of the cellar hangs behind MX-4471."})
        sessions.session("s").append([{"role": "user", "content": f"Line {n} is about trains."} for n in range(60)])
        sessions.session("s").fold()
        assert "MX-4471" in _shown(sessions, "And now?")
