"""What is made ready only when it is first needed, and what is made once for many."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from session_core import Sessions
from session_core.language.cues import _COMMITMENTS, _REVISIONS, _RULES, _USER
from session_core.passages.word_values import _form, parts_of, shape
from session_core.stores.sqlite.rows import _mark

LOADED = """
import gc
from session_core.classify import RuleClassifier
from session_core.turns import Message, Role
from session_core.language.cue import Cue
def ready():
    return sum("pattern" in vars(one) for one in gc.get_objects() if type(one) is Cue)
before = ready()
RuleClassifier().classify(Message(Role.USER, "Never book a room before nine, please."))
print(before, ready())
"""


def test_patterns_are_compiled_at_first_use() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    before, then = map(int, done.stdout.split())
    assert before == 0
    assert 0 < then < 20


def test_every_pattern_compiles() -> None:
    tables = (_RULES, _COMMITMENTS, _REVISIONS, _USER)
    cues = {cue for table in tables for found in table._by_stem.values() for _, cue in found}
    assert len(cues) > 300
    assert all(cue.pattern.pattern == cue.phrase for cue in cues)


def test_codes_of_one_form_have_their_form_told_once() -> None:
    before = _form.cache_info().misses
    told = {shape(f"ord-{number}/x{number}") for number in range(100_000, 100_500)}
    assert told == {"a-96/a96"}
    assert _form.cache_info().misses == before + 1


def test_a_form_is_the_same_in_any_script() -> None:
    assert [shape(value) for value in ("größe_2", "ä.b", "straße", "日本_12", "a.b", "plain", "v1.2")] == [
        "a_91", "a.a", "", "a_92", "a.a", "", "a91.91",
    ]  # fmt: skip
    assert parts_of("delivery_address") == {"delivery": 1, "addres": 1}


def test_a_word_that_a_session_says_again_is_marked_once_and_a_text_that_is_indexed_not_at_all(tmp_path: Path) -> None:
    said = {"role": "user", "content": "Heron beats kestrel, kestrel beats merlin"}
    with Sessions(f"sqlite:///{tmp_path / 'chat.db'}") as sessions:
        session = sessions.session("a")
        before = _mark.cache_info()
        session.append(said)
        session.append({"role": "user", "content": "Merlin beats heron"})
        after = _mark.cache_info()
        assert (after.misses - before.misses, after.hits - before.hits) == (4, 3)
        session.append(said)
        assert _mark.cache_info() == after
        assert [found.seq for found in session.search("kestrel")] == [3, 1]
        sessions.session("b").append(said)
        assert _mark.cache_info().misses == after.misses + 4
