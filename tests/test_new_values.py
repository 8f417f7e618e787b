"""An old value is not shown alone after a value that rose, fell or slipped."""

from __future__ import annotations

import pytest

from session_core.language.new_values import (
    clauses,
    reports_new_value,
    text_after_change,
)
from session_core.recall.amendments import with_corrections
from session_core.turns import Message, Role

CHANGED = [
    ("the gym fee is 35 a month", "the gym fee went up to 42"),
    ("our deadline is 3 June", "the deadline slipped to 10 June"),
    ("the limit is 500 requests", "raise the limit to 800 requests"),
    ("the loan is 12,000 dollars", "the loan came down to 11,200 dollars"),
    ("sample size was 200", "the sample size grew to 260"),
    ("der Beitrag liegt bei 45 Euro", "der Beitrag steigt auf 52 Euro"),
    ("die Abgabe ist am 3. Juni", "die Abgabe rutscht auf den 10. Juni"),
    ("la cotisation est de 45 euros", "la cotisation monte à 52 euros"),
    ("la cuota es de 45 euros", "la cuota subió a 52 euros"),
    ("a mensalidade é 45 reais", "a mensalidade subiu para 52 reais"),
    ("la quota è di 45 euro", "la quota sale a 52 euro"),
    ("la consegna è il 3 giugno", "la consegna è rinviata al 10 giugno"),
    ("взнос 4500 рублей", "взнос вырос до 5200 рублей"),
    ("de contributie is 45 euro", "de contributie stijgt naar 52 euro"),
    ("my rent is 700 a month", "rent goes up to 745 from march"),
    ("oven at 180", "turn the oven up to 210"),
    ("the timer is 20 minutes", "make the timer 35 minutes"),
    ("the score is 40", "that brings the score to 65"),
    ("the long run is 18 km", "long run went up to 24 km"),
    ("guest count is 64", "guest count went up to 68"),
    ("the launch is on 5 May", "the launch slipped to 12 May"),
    ("the quote is 4,800 euros", "the quote came back at 5,350 euros"),
    ("the retention is 14 days", "make the retention 7 days"),
    ("cache ttl is 300 seconds", "drop the cache ttl to 60 seconds"),
    ("Die Miete beträgt 700 Euro", "die Miete steigt auf 745 Euro"),
    ("on sera 90 invités", "on passe à 96 invités"),
    ("le loyer est de 700 euros", "le loyer passe à 745 euros"),
    ("la salida es el 9 de mayo", "la salida se pasa al 16 de mayo"),
    ("el autobús cuesta 620 euros", "el autobús sube a 680 euros"),
    ("vamos abrir a loja no dia 5 de agosto", "a abertura da loja ficou para 19 de agosto"),
    ("o aluguel é 3.200 reais", "o aluguel baixou para 2.950 reais"),
    ("o aluguel é 3.200 reais", "o dono baixou o aluguel, ficou 2.950 reais"),
    ("il trasloco è il 3 marzo", "il trasloco slitta al 10 marzo"),
    ("il preventivo è 2.400 euro", "il preventivo è salito a 2.650 euro"),
    ("гостиница стоит 5000 рублей", "гостиница подорожала до 6200 рублей"),
    ("참가자는 35명입니다", "네 명 더 와요, 이제 참가자는 39명이에요"),
    ("موعد العشاء 20 يناير", "غيرنا موعد العشاء إلى 27 يناير"),
    ("de verhuizing is op 3 maart", "de verhuizing is verschoven naar 10 maart"),
    ("toplantı 3 Mart'ta", "toplantı 10 Mart'a ertelendi"),
]  # fmt: skip
BESIDE = [
    ("the gym fee is 35 a month", "the parking went up to 42"),
    ("our deadline is 3 June", "their party slipped to 10 June"),
    ("the hotel costs 120 euros", "the hotel went up to 4 stars"),
    ("I walk 5 km each day", "the path climbs to 1,200 m"),
    ("I read 20 pages a day", "the book comes up to 300 pages"),
    ("Paul anime l'atelier", "Zoé est malade, Inès la remplace"),
    ("der Beitrag liegt bei 45 Euro", "die Temperatur steigt auf 52 Grad"),
    ("Die Spedition kommt um 9 Uhr", "die Spedition übernimmt die Kartons"),
    ("la cuota es de 45 euros", "la temperatura subió a 52 grados"),
    ("a mensalidade é 45 reais", "o gato subiu para o telhado"),
    ("взнос 4500 рублей", "температура выросла до 38"),
    ("we drive to Graz at 9:00", "we go back to Linz at 17:00"),
    ("my shift starts at 8", "I get up at 6"),
    ("I put 3 eggs in the cake", "I put 5 apples in the pie"),
    ("the first exam is on 3 June", "the second exam was moved to 10 June"),
    ("her salary is 3,000 euros", "his salary rose to 3,400 euros"),
    ("is the shop closed?", "Anna closed the shop, Ben went home"),
    ("Luca porta le sedie", "Sara porta le sedie e i tavoli"),
    ("the rent is 700 euros", "my sister's rent is 745 euros"),
    ("the hotel costs 120 euros", "the flight costs 300 euros"),
    ("oven at 180 for the pie", "the bread bakes at 220"),
    ("the meeting is on 5 May", "the party is on 12 May"),
    ("my flight leaves at 7:30", "the taxi comes at 6:15"),
    ("I take 20 mg of statin", "my father takes 40 mg of statin"),
    ("die Miete beträgt 700 Euro", "die Nebenkosten steigen auf 180 Euro"),
    ("der Zahnarzt ist am 5. Mai", "der Friseur ist am 12. Mai"),
    ("le loyer est de 700 euros", "le parking passe à 80 euros"),
    ("o aluguel é 3.200 reais", "o seguro subiu para 300 reais"),
    ("el autobús cuesta 620 euros", "el museo sube a 12 euros"),
    ("12月18日开会", "12月25日去旅行"),
    ("the first phase ends on 5 May", "the second phase ends on 12 May"),
    ("Omar grills the meat", "Fatima bakes the bread"),
    ("we have 2 kayaks", "the shop has 3 kayaks"),
    ("room 12 is free", "would room 14 be free?"),
    ("the code is 4711", "the code of the garage is 8080"),
    ("we ordered 40 tulips", "we ordered 60 roses"),
]  # fmt: skip


def linked(old: str, new: str) -> bool:
    """Whether the first statement is shown with the second."""
    said = [(Role.USER, old), (Role.ASSISTANT, "Noted."), (Role.USER, new), (Role.ASSISTANT, "All right.")]
    messages = [Message(role, text, id=str(at), seq=at) for at, (role, text) in enumerate(said, start=1)]
    return "(later: " in with_corrections(messages, ())[0].content


@pytest.mark.parametrize(("old", "new"), CHANGED)
def test_an_old_value_stands_with_the_new_one(old: str, new: str) -> None:
    assert linked(old, new)


@pytest.mark.parametrize(("old", "new"), BESIDE)
def test_what_holds_besides_stands_alone(old: str, new: str) -> None:
    assert not linked(old, new)


@pytest.mark.parametrize(
    "text",
    ["we went up to the roof", "make the bed", "turn up the heat", "the price fell", "I go to 5 concerts a year",
     "we drive down the road", "o gato subiu para o telhado", "wir steigen auf den Berg", "il passe à la maison"],
)  # fmt: skip
def test_what_has_no_value_behind_it_moves_to_none(text: str) -> None:
    assert not reports_new_value(text)


def test_the_value_is_what_stands_behind_the_verb() -> None:
    assert text_after_change("the fee of 35 went up to 42") == "42"
    assert text_after_change("no fee") == "no fee"


def test_what_says_two_things_has_two_clauses() -> None:
    assert clauses("Lena quit, so we are 7 now")[1:] == ["Lena quit", "so we are 7 now"]
    assert clauses("we are 7 now") == ["we are 7 now"]
