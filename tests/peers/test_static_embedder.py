"""The static embedder with its real vectors: offline, silent, the same in each thread; `make peers` runs it."""

from __future__ import annotations

import logging
import random
import socket
import threading
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from session_core import Budget, Policy, Sessions
from session_core.embedding import TOKENS, StaticEmbedder, embedder_of
from session_core.retrieval.retrieve import cosine
from session_core.retrieval.word_pieces import counting_by_pieces
from session_core.voices import run_blocking

TEXTS = ["My physician is called Amara Okafor.", "The invoice is due on Friday.", "", "\ud800 broken", "猫が好きです"]


def test_it_loads_without_a_network_and_leaves_logging_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("no connection is to be opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    before = list(logging.getLogger().handlers), logging.getLogger().level
    vectors = run_blocking(StaticEmbedder().embed(TEXTS))
    assert [len(vector) for vector in vectors] == [256] * len(TEXTS)
    assert vectors[2] == [0.0] * 256
    assert (list(logging.getLogger().handlers), logging.getLogger().level) == before


def test_packed_vectors_are_as_near_as_whole_ones() -> None:
    embedder = StaticEmbedder()
    wanted, *whole = run_blocking(embedder.embed(["who is my doctor?", *TEXTS]))
    asked, *packed = run_blocking(embedder.packed(["who is my doctor?", *TEXTS]))
    near = embedder.nearness(asked, packed)
    assert near == pytest.approx([cosine(wanted, vector) for vector in whole], abs=0.01)
    assert near.index(max(near)) == 0
    assert {len(vector) for vector in packed} == {260}


@pytest.mark.parametrize("seed", range(4))
def test_pieces_have_the_tokens_of_the_whole(seed: int) -> None:
    found = find_spec("wordllama")
    assert found is not None
    folder = (found.submodule_search_locations or [""])[0]
    tokenizer: Any = import_module("tokenizers").Tokenizer.from_file(str(Path(folder, TOKENS)))
    rnd, asked = random.Random(seed), counting_by_pieces(tokenizer)
    parts = [
        *" \n\t0129aAb-'\",./_▁\x00",
        "é",
        "日本",
        "🙂",
        "  ",
        "<s>",
        "<unk>",
        "<0x0A>",
        "hello",
        "ing",
        '"order": "A-3829',
    ]
    texts = ["".join(rnd.choices(parts, k=rnd.randint(0, 14))) for _ in range(3_000)]
    assert asked.__name__ == "by_pieces"
    assert all(list(asked(text)) == tokenizer.encode(text, add_special_tokens=False).ids for text in texts)


def test_a_tokenizer_that_changes_what_it_reads_is_asked_for_whole_texts() -> None:
    found = find_spec("wordllama")
    assert found is not None
    folder = (found.submodule_search_locations or [""])[0]
    tokenizer: Any = import_module("tokenizers").Tokenizer.from_file(str(Path(folder, TOKENS)))
    forms = import_module("tokenizers").normalizers
    tokenizer.normalizer = forms.Sequence([forms.NFKC(), tokenizer.normalizer])
    assert counting_by_pieces(tokenizer).__name__ == "whole"


def test_many_threads_load_it_once_and_agree() -> None:
    embedder, found = StaticEmbedder(), []

    def ask() -> None:
        found.append((run_blocking(embedder.packed(TEXTS)), id(embedder._loaded)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 8


def test_a_view_finds_by_meaning_with_nothing_said_about_it() -> None:
    assert isinstance(embedder_of(Policy()), StaticEmbedder)
    budget = Budget(400, reply_reserve_tokens=0)
    said = [{"role": "user", "content": TEXTS[0]}]
    said += [{"role": "user", "content": f"Number {n} of the list is a blue box with a lid on it."} for n in range(500)]
    with Sessions(policy=Policy(budget, folding="off")) as sessions:
        one = sessions.session("s")
        one.append(said)
        view = one.view("which doctor?")
        assert "Okafor" in "".join(message.content for message in view.messages)
