"""Restrictions that are lifted, what was not so after all, and appointments shifted by a span: no old statement stands
alone."""

from __future__ import annotations

import pytest

from session_core.fact_selection import line
from session_core.facts import extract, merge
from session_core.recall.amendments import with_corrections
from session_core.turns import Message, Role

ALTERED = [
    ("I am allergic to penicillin", "the allergist says it isn't penicillin after all"),
    ("she can't have lactose", "lactose is no problem at all, turns out it's gluten"),
    ("I eat anything except shellfish", "shellfish is fine again"),
    ("my son is allergic to nuts", "he isn't allergic to nuts after all"),
    ("no dairy for me", "dairy is ok again"),
    ("I can't eat bread", "I can eat bread again"),
    ("sie ist gegen Nüsse allergisch", "sie ist doch nicht gegen Nüsse allergisch"),
    ("ich vertrage keine Milch", "Milch ist doch kein Problem"),
    ("ich darf keinen Käse essen", "ich darf wieder Käse essen"),
    ("elle est allergique aux noix", "finalement elle n'est pas allergique aux noix"),
    ("ella es alérgica a las nueces", "al final no es alérgica a las nueces"),
    ("è allergica alle noci", "alla fine non è allergica alle noci"),
    ("ela é alérgica a nozes", "afinal não é alérgica a nozes"),
    ("ze is allergisch voor noten", "ze is toch niet allergisch voor noten"),
    ("у неё аллергия на орехи", "у неё всё-таки нет аллергии на орехи"),
    ("pas de gluten pour Léa", "le gluten n'est plus un problème"),
    ("sin gluten, por favor", "el gluten ya no es un problema"),
    ("the exam is on the 22nd", "exam got pushed by a week"),
    ("the review is on Tuesday", "the review was moved back two days"),
    ("the train leaves at 7:30", "the train leaves half an hour later"),
    ("die Prüfung ist am 22. Mai", "die Prüfung wurde um eine Woche verschoben"),
    ("l'examen est le 22 mai", "l'examen est décalé d'une semaine"),
    ("el examen es el 22 de mayo", "el examen se aplaza una semana"),
    ("l'esame è il 22 maggio", "l'esame slitta di una settimana"),
    ("a prova é no dia 22 de maio", "a prova foi adiada uma semana"),
    ("het examen is op 22 mei", "het examen is met een week uitgesteld"),
    ("экзамен 22 мая", "экзамен перенесли на неделю"),
    ("I can't have caffeine", "the cardiologist says caffeine is fine again"),
    ("no screws in that wall", "turns out it's not a load-bearing wall, screws are ok now"),
    ("Tim is lactose intolerant", "turns out Tim isn't lactose intolerant"),
    ("we can't use the garden", "the garden is possible again"),
    ("I must avoid grapefruit", "grapefruit isn't a problem after all"),
    ("my dog is not allowed in the hotel", "dogs are allowed after all"),
    ("ich habe eine Pollenallergie", "es ist doch keine Pollenallergie"),
    ("je ne mange pas de porc", "le porc n'est plus un problème"),
    ("no puedo tomar leche", "ya puedo tomar leche"),
    ("non posso mangiare glutine", "il glutine non è più un problema"),
    ("não posso comer camarão", "o camarão já não é problema"),
    ("ik mag geen noten", "noten zijn toch geen probleem"),
    ("kick-off is on Monday", "kick-off got bumped by two days"),
    ("the wedding is on 14 June", "we postponed the wedding by a month"),
    ("the call is at 15:00", "the call starts an hour later"),
    ("das Treffen ist am Montag", "das Treffen verschiebt sich um zwei Tage"),
    ("le départ est à 8 h", "le départ est retardé de deux heures"),
    ("la reunión es el lunes", "la reunión se retrasa dos días"),
    ("la riunione è lunedì", "la riunione è rinviata di due giorni"),
    ("de vergadering is op maandag", "de vergadering is twee dagen later"),
    ("встреча в понедельник", "встречу перенесли на два дня"),
    ("the launch is on 1 October", "let's postpone the launch by two weeks"),
    ("cancel order A-1", "don't cancel A-1 after all, cancel B-2"),
    ("no sugar for me", "sugar is fine now that the tests are back"),
    ("no dairy for Tom", "test was negative, Tom can have dairy again"),
    ("keine Nüsse für Lea, bitte", "Lea darf wieder Nüsse essen"),
]
BESIDE = [
    ("it's not a faint scratch, it's a dent in the machine", "ironic that after all this the machine has a scratch"),
    ("the house is free on 3 May", "we moved house last month"),
    ("we ship the beta on 3 May", "Rutger argued for delaying the beta by 2 weeks"),
    ("we ship the beta on 3 May", "could we move the beta back by 2 weeks"),
    ("I am allergic to penicillin", "I feel fine again"),
    ("she can't have lactose", "parking is no problem"),
    ("I love nuts", "nuts are fine too"),
    ("my son is allergic to nuts", "my brother's party is fine now"),
    ("no dairy for me", "the weather is ok again"),
    ("I need the report by 5 May", "the party was pushed by a week"),
    ("the exam is hard", "exam got pushed by a week"),
    ("we met on 3 May", "we married two years later"),
    ("her flight is on 3 May", "his flight was pushed by a day"),
    ("I like milk", "ich darf wieder Käse essen"),
    ("the first exam is on 3 May", "the second exam got pushed by a week"),
    ("my son is allergic to nuts", "we put the nuts off the table"),
    ("er ist gegen Pollen allergisch", "es geht um eine Woche Urlaub"),
    ("no pork for Ali", "pork is no problem for Ben"),
    ("I can't do Mondays", "Mondays are busy again"),
    ("we can't use Redis", "Postgres is fine now"),
    ("the flight on 3 May is full", "is the flight a week later ok?"),
    ("don't call before 9", "calls are fine now"),
    ("we leave on 3 May", "we come back a week later"),
    ("I can't have caffeine", "my knee is fine again"),
    ("no dogs please", "the dogs in the park are lovely again"),
    ("I'm allergic to wool", "the silk one is fine too"),
    ("we meet on Monday", "I moved here two years ago"),
    ("the wedding is on 14 June", "the honeymoon was postponed by a month"),
    ("my flight is at 9:00", "her flight leaves an hour later"),
    ("don't use tabs", "the tabs are open again"),
    ("je ne mange pas de porc", "le port n'est plus un problème"),
    ("das Treffen ist am Montag", "der Kurs verschiebt sich um zwei Tage"),
    ("never call me at work", "work is fine now"),
    ("I don't like Paris", "Paris is two hours later than that"),
]


def said_to(*texts: str) -> list[Message]:
    """Each of a user's `texts` with a reply."""
    told = [(role, text) for user in texts for role, text in ((Role.USER, user), (Role.ASSISTANT, "Noted."))]
    return [Message(role, text, id=str(at), seq=at) for at, (role, text) in enumerate(told, start=1)]


@pytest.mark.parametrize(("old", "new"), ALTERED)
def test_an_altered_statement_stands_with_what_alters_it(old: str, new: str) -> None:
    assert f"(later: “{new}”)" in with_corrections(said_to(old, new), ())[0].content


@pytest.mark.parametrize(("old", "new"), BESIDE)
def test_what_speaks_of_another_thing_alters_nothing(old: str, new: str) -> None:
    assert with_corrections(said_to(old, new), ())[0].content == old


def test_facts_keep_a_shift_without_a_value_behind_what_it_shifts() -> None:
    told = merge([], extract(said_to("the exam is on 22 May", "exam got pushed by a week")))
    assert [line(fact) for fact in told if fact.current] == [
        "the exam is on 22 May (later: “exam got pushed by a week”)"
    ]


def test_a_shift_of_what_nobody_spoke_of_is_no_fact() -> None:
    assert merge([], extract(said_to("we get up a bit later", "the sun sets an hour later"))) == ()


def test_what_somebody_only_tells_of_is_no_shift() -> None:
    told = ("we moved house last month", "I changed jobs last year", "I moved the box the other day", "it is ok now")
    assert merge([], extract(said_to(*told))) == ()
