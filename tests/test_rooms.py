"""Rooms in which several people talk: whose words a question is about, and several subjects at a time."""

from __future__ import annotations

from collections.abc import Sequence

from session_core.counting.tokens import counter_for
from session_core.passages.reading import read
from session_core.passages.scoring import Question, Read, Relevance
from session_core.turns import Message, Role

count = counter_for(None).count


def _room(said: Sequence[tuple[str, str]]) -> list[Read]:
    messages = [
        Message(Role.USER, text, author=author, seq=seq, id=f"m{seq}", tokens=count(text))
        for seq, (author, text) in enumerate(said, start=1)
    ]
    return [(message, read(message, count)) for message in messages]


def _best(question: str, said: Sequence[tuple[str, str]], *, tight: bool = False) -> tuple[str, str]:
    room = _room(said)
    scores = Relevance(Question(question), room, ()).candidate_scores(room, tight=tight)
    return said[max(range(len(said)), key=scores.__getitem__)]


def test_a_question_about_someone_is_answered_by_what_they_say_themselves() -> None:
    told = ("Mira", "my shift begins at four")
    said = [told, ("Pia", "mine was cancelled"), ("Tove", "Mira, my shift begins at six"), ("Pia", "lucky you")]
    assert _best("When does the shift of Mira begin?", said) == told


def test_a_match_is_kept_among_messages_about_something_else() -> None:
    about = [("Bo", "the boat is wet"), ("Ada", "that varnish smells")] * 4
    aside = [("Cleo", "has anyone seen the cat"), ("Dan", "it sleeps on the roof")] * 4
    answer = ("Eve", "the boat has varnish from Anton")
    said = [*about, *aside, answer, *aside]
    assert _best("Whose varnish is on the boat?", said) == answer


def test_in_a_small_room_who_is_answered_by_an_authors_own_words() -> None:
    answer = ("Hoppe", "i have chairs")
    said = [("Bo", "Ann Kern asked about the other chairs yesterday"), answer]
    assert _best("who has chairs?", said, tight=True) == answer
