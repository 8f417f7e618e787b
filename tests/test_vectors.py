"""Meaning in views and searches: messages embedded once, the default without its package, one that is gone."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest
from near_words import PlainWords, QuickWords

from llamaindex_session.references import place_at, sessions_at
from session_core import Budget, Policy, Sessions
from session_core.doctor import examine, lines
from session_core.embedding import StaticEmbedder, embedder_of
from session_core.errors import BudgetError, ConfigError
from session_core.events import Event, FellBack
from session_core.retrieval.retrieve import best_candidates
from session_core.retrieval.vectors import Vectors
from session_core.stores.memory import MemoryStore
from session_core.turns import Message, Role
from session_core.voices import run_blocking

OLD = "My physician is called Amara Okafor, ask for room 31."
FILLER = "The weather was mild again and we talked of this and that for a while, number {}."


def _talk(filler: int) -> list[dict[str, str]]:
    said = [{"role": "user", "content": OLD}, {"role": "assistant", "content": "I shall remember."}]
    for number in range(filler):
        said.append({"role": ("user", "assistant")[number % 2], "content": FILLER.format(number)})
    return said


def _policy(embedder: object, limit: int = 400) -> Policy:
    budget = Budget(limit, reply_reserve_tokens=0)
    return Policy(budget, folding="off", embedder=embedder)  # type: ignore[arg-type]  # fakes of the port


@pytest.mark.parametrize("embedder", [PlainWords(), QuickWords()])
def test_a_view_embeds_each_message_once(embedder: PlainWords) -> None:
    with Sessions(policy=_policy(embedder)) as sessions:
        one = sessions.session("s")
        one.append(_talk(60))
        one.view("who is my doctor?")
        first = len(embedder.asked)
        one.view("who is my doctor?")
        assert embedder.asked[first:] == ["who is my doctor?"]
        one.append([{"role": "assistant", "content": "All fine."}, {"role": "user", "content": "And then?"}])
        one.view("where is my doctor?")
        new = embedder.asked[first + 2 :]
        assert len(new) == len(set(new)) <= 6


def test_a_quick_embedder_finds_by_meaning_what_shares_no_word_among_very_many() -> None:
    question = "doctor?"
    with Sessions(policy=_policy(QuickWords())) as sessions:
        one = sessions.session("s")
        one.append(_talk(700))
        assert "Amara Okafor" in "".join(m.content for m in one.view(question).messages)
    with Sessions(policy=_policy(None)) as sessions:
        one = sessions.session("s")
        one.append(_talk(700))
        assert "Amara Okafor" not in "".join(m.content for m in one.view(question).messages)


def test_a_view_is_the_same_whether_vectors_are_remembered_or_not() -> None:
    views = []
    for room in (10, 1_000_000):
        with Sessions(policy=_policy(QuickWords())) as sessions:
            object.__setattr__(sessions.services, "vectors", Vectors(room))
            one = sessions.session("s")
            one.append(_talk(300))
            one.view("something else about the weather")
            views.append([m.content for m in one.view("who is my doctor?").messages])
    assert views[0] == views[1]


def test_least_recently_used_vectors_are_dropped() -> None:
    embedder, vectors = QuickWords(), Vectors(40 * 200)
    messages = [Message(Role.USER, FILLER.format(n), seq=n) for n in range(200)]
    run_blocking(vectors.nearness("a", messages, embedder))
    asked = len(embedder.asked)
    run_blocking(vectors.nearness("a", messages, embedder))
    assert len(embedder.asked) > asked + 100


def test_the_two_voices_share_their_vectors() -> None:
    embedder = QuickWords()
    with Sessions(policy=_policy(embedder)) as sessions:
        assert sessions.services.vectors is sessions.aservices.vectors


class _Gone(PlainWords):
    async def embed(self, texts: object) -> list[list[float]]:
        self.asked.append("once")
        raise ConfigError("not here")


def test_an_embedder_that_is_not_there_is_told_of_once_and_words_go_on() -> None:
    told: list[Event] = []
    embedder = _Gone()
    with Sessions(policy=_policy(embedder), on_event=told.append) as sessions:
        one = sessions.session("s")
        one.append(_talk(60))
        for _ in range(3):
            assert "Amara Okafor" in "".join(m.content for m in one.view("physician Amara").messages)
    assert [(e.summarizer, e.reason) for e in told if isinstance(e, FellBack)] == [("plain", "ConfigError")]
    assert embedder.asked == ["once"]


def test_by_default_there_is_the_static_embedder_where_its_package_is(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec("math")
    monkeypatch.setattr("session_core.embedding.find_spec", lambda name: found)
    assert isinstance(embedder_of(Policy()), StaticEmbedder)
    assert embedder_of(Policy(embedder=None)) is None
    monkeypatch.setattr("session_core.embedding.find_spec", lambda name: None)
    assert embedder_of(Policy()) is None
    mine = PlainWords()
    assert embedder_of(Policy(embedder=mine)) is mine


def test_a_package_without_its_files_is_a_config_error(monkeypatch: pytest.MonkeyPatch) -> None:
    hollow = importlib.util.find_spec("email")
    monkeypatch.setattr("session_core.embedding.find_spec", lambda name: hollow)
    with pytest.raises(ConfigError, match="pass Policy"):
        run_blocking(StaticEmbedder().embed(["a"]))


def test_an_embedder_has_no_other_name_than_auto() -> None:
    with pytest.raises(BudgetError, match="auto"):
        Policy(embedder="wordllama")  # type: ignore[arg-type]  # that is what is tested


def test_importing_the_core_imports_neither_numpy_nor_the_package() -> None:
    code = (
        "import sys, session_core; from session_core import Sessions, Policy\n"
        "s = Sessions('memory://'); s.session('a').append({'role': 'user', 'content': 'hello'})\n"
        "s.session('a').view('hello'); s.close()\n"
        "print([m for m in ('numpy', 'wordllama', 'tokenizers', 'safetensors') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_looked_through_has_the_newest_and_the_best_in_its_room() -> None:
    words = [0.0] * 100
    words[3], words[50] = 2.0, 1.0
    near = [0.0] * 100
    near[7] = 0.9
    chosen_places = best_candidates(words, near, [10] * 100, most=20, most_tokens=10_000)
    assert len(chosen_places) == 20
    assert chosen_places == sorted(chosen_places)
    assert {3, 50, 7, 95, 96, 97, 98, 99} <= set(chosen_places)
    assert len(best_candidates(words, near, [100] * 100, most=80, most_tokens=800)) == 8


@pytest.mark.parametrize("embedder", ["auto", None])
def test_a_place_that_is_written_down_keeps_which_embedder_was_chosen(embedder: object) -> None:
    place = json.loads(json.dumps(place_at("memory://", _policy(embedder))))
    assert sessions_at(place).policy.embedder == embedder


@pytest.mark.parametrize(
    ("embedder", "told"),
    [
        (None, "Old messages are found by words alone; pip install 'llm-sessions[embeddings]' adds meaning."),
        (QuickWords(), "Old messages are found by their words and by meaning (quick)."),
    ],
)
def test_the_doctor_says_how_old_messages_are_found(embedder: object, told: str) -> None:
    assert told in lines(run_blocking(examine(MemoryStore(), _policy(embedder))))
