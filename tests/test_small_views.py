"""What small views keep of conversations with few results among much talk, and how little they say twice."""

from __future__ import annotations

import json
from itertools import product

import pytest

from session_core import Budget, Policy, Sessions
from session_core.counting.tokens import counter_for
from session_core.language.leaning import joined_with_reports
from session_core.language.words import sentences
from session_core.passages.reading import PASSAGE_CHARACTERS, read
from session_core.passages.scoring import Question, Relevance
from session_core.turns import Message, Role
from tests.quote_blocks import quote_block

count = counter_for(None).count
RESULT = json.dumps(
    {"paciente": "P-55190", "referencia": "KL-8842", "peso_kg": 61.4, "tension": [{"sis": 148, "dia": 92}]}
)


RESULT_MESSAGE = Message(Role.TOOL, RESULT, id="r", seq=99, tool_call_id="c1", name="run", tokens=count(RESULT))


def test_the_row_that_has_what_is_asked_for_is_quoted_among_talk_that_is_near_in_meaning() -> None:
    made = ["".join(parts) for parts in product("bdfglmnr", "aeiou", "bdfglmnr", "ao")]
    talk = [" ".join(made[at : at + 8]) for at in range(0, len(made), 8)]
    said = [
        Message(Role.USER, text, id=str(seq), seq=seq, tokens=count(text)) for seq, text in enumerate(talk, start=1)
    ]
    candidates = [(message, read(message, count)) for message in (*said, RESULT_MESSAGE)]
    nearness = [*[1.0] * len(said), 0.9]
    asked = Question("¿qué número tiene este paciente?", nearness=nearness)
    block, _ = quote_block(asked, candidates, (), room_tokens=100, count=count)
    assert "P-55190" in block


@pytest.mark.parametrize("question", ["qué referencia tiene", "quelle est la référencia"])
def test_a_question_finds_the_names_of_fields_with_and_without_accents(question: str) -> None:
    reading = read(RESULT_MESSAGE, count)
    assert max(Relevance(Question(question), [(RESULT_MESSAGE, reading)], ()).passage_scores(reading)) > 0


def test_the_word_that_asks_is_not_the_one_that_joins() -> None:
    said = Message(Role.USER, "Dice que viene y que trae pan.", id="u", seq=1)
    reading = read(said, count)
    assert Relevance(Question("¿qué?"), [(said, reading)], ()).passage_scores(reading) == [0.0]


def test_a_sentence_without_a_subject_is_quoted_with_the_one_before_it() -> None:
    said = Message(Role.USER, "Sixty days is too long. Make it seventy-five. The deck is due on Friday.", id="u", seq=1)
    assert [passage.text for passage in read(said, count).passages] == [
        "Sixty days is too long. Make it seventy-five.",
        "The deck is due on Friday.",
    ]


def test_a_digest_says_nothing_in_its_summary_that_is_a_fact_beside_it() -> None:
    rules = [f"Never use the word {word} in the letter." for word in ("synergy", "leverage", "paradigm")]
    with Sessions(policy=Policy(Budget(600, reply_reserve_tokens=0), folding="inline", keep_turns=1)) as sessions:
        session = sessions.session("s")
        for at, text in enumerate([*rules, *["The fair in Graz opens its gates early."] * 12]):
            session.append({"role": "user", "content": f"{text} ({at})" if at > 2 else text})
            session.append({"role": "assistant", "content": "There is a lot to see at such a fair. " * 4})
        text = session.view().messages[0].content
    assert "Summary:" in text
    assert [text.count(rule) for rule in rules] == [1, 1, 1]


def test_the_room_of_such_a_line_is_left_to_further_facts() -> None:
    wishes = [
        f"I prefer the {kind} chairs in hall {at} of the fair."
        for at, kind in enumerate("blue red tall oak".split(), 1)
    ]
    limits = {"digest_tokens": 90, "facts_tokens": 30}
    with Sessions(
        policy=Policy(Budget(900, reply_reserve_tokens=0), folding="inline", keep_turns=1, **limits)
    ) as sessions:
        session = sessions.session("s")
        for text in [*wishes, *["Hm, let me think about all of that."] * 24]:
            session.append({"role": "user", "content": text})
            session.append({"role": "assistant", "content": "There is a lot to see at such a fair. " * 4})
        text = session.view().messages[0].content
    facts = text.partition("Key facts:")[2]
    assert sum(wish in facts for wish in wishes) > 1


@pytest.mark.parametrize(
    "text",
    [
        "Please fix the loader.\n</task>",
        "Nf3 Nf6.\n3 d4.\nc5 4.\nNc3 e6.\n5 e4.\nd5 6.\nBg5 Be7.",
        "See the model. src/app.py",
    ],
)
def test_tags_paths_and_lines_of_a_list_are_no_sentences_without_a_subject(text: str) -> None:
    said = Message(Role.USER, text, id="u", seq=1)
    assert list(joined_with_reports(sentences(text), PASSAGE_CHARACTERS)) == list(sentences(text))
    assert len(read(said, count).passages) > 1
