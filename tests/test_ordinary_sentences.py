"""Ordinary sentences of many languages: what states no rule is read as none, what binds is kept, and a statement is
superseded by what corrects it and by nothing else."""

from __future__ import annotations

import re

import pytest

from session_core import Budget, Policy, Sessions
from session_core.fact_selection import line
from session_core.facts import extract, merge
from session_core.plan import Fact, FactKind
from session_core.turns import Message, Role

BINDING = {FactKind.RULE, FactKind.CONSTRAINT, FactKind.DECISION, FactKind.CORRECTION}

NOTHING = (
    # manners of speaking
    "never a dull moment here", "Great work, keep it up!", "Always a problem with them", "please don't!",
    "always works on my machine", "Only a few people came",
    "No more than a rumor if you ask me", "the kids must not have heard me",
    # what is told
    "Always wanted to see Iceland.", "Never been so tired in my life", "always raining when I hang up the laundry",
    "I was told to always carry my passport in Japan", "Only three episodes left of that series",
    "no emails from them so far",
    "I only wanted to know when you open", "That budget airline lost my bag again!", "we can always try that later",
    "I've been snoozing at least twice every morning", "it's a must-see in Australia", "I'll keep that in mind",
    "Die Frist ist vorbei, schade", "Man muss halt Geduld haben", "il faut le voir pour le croire",
    "昔はいつも並ばなければならなかった",
    # what others say or ask
    'el error dice "You must provide a valid token"',
    # questions
    "How can you not even tell me the nearest shop?",
    "Can you suggest some tips on how to stay focused and avoid procrastination?",
    # what takes nothing back
    "don't worry about it, not your fault", "Instead of crying I laughed", "No, that's all for now, thanks",
    "I'm thinking of using tequila instead of vodka", "I need to move on, but it's hard to let go", "make it more fun",
    "I don't need any more help right now.", "Nein, das ist alles", "no final do mês eu viajo",
    "alla fine della strada c'è un bar",
)  # fmt: skip


@pytest.mark.parametrize("text", NOTHING)
def test_what_states_nothing_is_no_rule_and_no_correction(text: str) -> None:
    assert BINDING.isdisjoint(fact.kind for fact in extract([Message(Role.USER, text, seq=1)]))


PINNED = (
    "Never seed data in production.", "Never hard-code secrets.", "Always work in UTC.", "Never work on main directly.",
    "Always a window seat, please.", "Never a call before 9 am.", "Only a few words per answer.",
    "Keep it up to date.", "Keep the change log updated.", "Don't mention it to my wife.", "Don't be shy with details.",
    "The hotel must be new.", "The text must be right-aligned.", "It must be fun for kids.",
    "Das Hotel muss schön sein.", "Immer das gleiche Zimmer.",
    "Stop adding comments to my code", "use british spelling throughout", "english only please",
    "nothing after 9pm, please",
    "You shouldn't ever give me the final answer, just hints.", "before you book anything, ask me first",
    "For any price difference, please use my PayPal.", "we cannot accept deliveries after 4 pm",
    "no later than the 5th",
    "i cant eat nuts", "we cant meet after 6",
    "if you're not sure, say so", "keep my name out of it", "it needs to run on python 3.8",
    "Sprich mich bitte mit Frau Doktor an", "erkläre mir alles so, als wäre ich zwölf", "wenn du unsicher bist, sag es",
    "vouvoie-moi s'il te plaît", "explique-moi tout comme à un enfant", "Pregúntame siempre antes de enviar algo",
    "trátame de usted, por favor", "no puede tomar penicilina", "ele não pode tomar penicilina",
    "non darmi consigli medici",
    "ik mag geen suiker eten", "обращайся ко мне на вы", "nie mogę jeść cukru", "emoji kullanma lütfen",
    "bana tıbbi tavsiye verme", "敬語で話してください", "请称呼我王老师", "لا تستخدم الرموز التعبيرية",
    "मैं चीनी नहीं खा सकता",
)  # fmt: skip


@pytest.mark.parametrize("text", PINNED)
def test_what_binds_is_pinned(text: str) -> None:
    assert any(fact.kind.pinned for fact in extract([Message(Role.USER, text, seq=1)]))


KEPT = (
    "we're going with postgres", "the team agreed on two-week sprints", "Skip the insurance.",
    "okay, we take the earlier flight",
    "we won't extend the warranty", "no seafood for my son, he swells up", "we're keeping the old logo",
    "ich hab mich für Biologie entschieden", "wir behalten das alte Logo", "on laisse les murs en blanc",
    "vamos manter o logo antigo", "teniamo il vecchio logo", "we houden het oude logo", "мы оставляем старый логотип",
    "wybrałem kolor szary", "グレーを選びました", "我们保留旧的标志",
)  # fmt: skip


@pytest.mark.parametrize("text", KEPT)
def test_what_somebody_has_decided_is_kept(text: str) -> None:
    kept = {FactKind.DECISION, FactKind.PREFERENCE, FactKind.CONSTRAINT}
    assert not kept.isdisjoint(fact.kind for fact in extract([Message(Role.USER, text, seq=1)]))


def stated(*texts: str) -> tuple[Fact, ...]:
    """The facts of what a user says, with a reply after each."""
    said = [Message(role, text, seq=0) for own in texts for role, text in ((Role.USER, own), (Role.ASSISTANT, "OK."))]
    return merge((), extract([Message(one.role, one.content, seq=place) for place, one in enumerate(said)]))


def current(*texts: str) -> list[str]:
    return [line(fact) for fact in stated(*texts) if fact.current]


def holds(value: str, text: str) -> bool:
    return re.search(rf"(?<!\d){re.escape(value)}", text) is not None


CORRECTED = (
    ("My appointment is on Tuesday at 10 am.", "sorry, I meant 11", "10 am", "11"),
    ("My name is John Smith.", "it's spelled Smyth btw", "John Smith.", "Smyth"),
    ("I take 40 mg of the statin.", "sorry that's wrong, it's 20 mg", "40 mg", "20 mg"),
    ("The call is at 9am tomorrow.", "they moved it to 10am", "9am", "10am"),
    ("I need a one-way ticket to York.", "oh not one-way, return", "one-way ticket", "return"),
    ("My order number is A-113.", "oops A-131", "A-113", "A-131"),
    ("We want chicken for the wedding dinner.", "no chicken after all, let's do fish", "want chicken", "fish"),
    ("I want the shelf in oak.", "pine, not oak, sorry", "in oak", "pine"),
    ("Book the court for 6 pm.", "can you make that 7 instead", "6 pm", "7"),
    ("I want a queen bed.", "upgrade that to a king please", "queen", "king"),
    ("I'll take the 8:15 bus.", "hm no, the 9:30", "8:15", "9:30"),
    ("She takes 100 mg in the evening.", "I misread the label: 50 mg", "100 mg", "50 mg"),
    ("Wir fliegen am 3. Mai.", "Nein, am 4.", "3. Mai", "4."),
    ("Meine OP ist am 2. Mai.", "die wurde auf den 9. Mai verschoben", "2. Mai", "9. Mai"),
    ("Sie nimmt abends 100 mg.", "falsch gelesen, 50 mg", "100 mg", "50 mg"),
    ("On part le 3 mai.", "non, le 4", "3 mai", "le 4"),
    ("Je veux l'étagère en chêne.", "non, en pin", "chêne", "pin"),
    ("Volamos el 3 de mayo.", "no, el 4", "3 de mayo", "el 4"),
    ("Toma 100 mg por la noche.", "leí mal, 50 mg", "100 mg", "50 mg"),
    ("Viajamos em 3 de maio.", "não, dia 4", "3 de maio", "dia 4"),
    ("Partiamo il 3 maggio.", "no, il 4", "3 maggio", "il 4"),
    ("We vertrekken op 3 mei.", "nee, de 4e", "3 mei", "4e"),
    ("Мы вылетаем 3 мая.", "нет, 4-го", "3 мая", "4-го"),
    ("Lecimy 3 maja.", "nie, 4 maja", "3 maja", "4 maja"),
    ("3 Mayıs'ta uçuyoruz.", "hayır, 4 Mayıs", "3 Mayıs", "4 Mayıs"),
    ("5月3日に出発します。", "いや、4日です", "3日", "4日"),
    ("예약은 10시예요.", "죄송해요, 11시예요", "10시", "11시"),
    # Somebody moved it.
    ("My flight is on 2 May.", "The airline changed my flight to 9 May.", "2 May", "9 May"),
    ("The interview is on 4 June.", "HR moved the interview to 11 June.", "4 June", "11 June"),
    ("The release is on 4 May.", "QA pushed the release to 6 May.", "4 May", "6 May"),
    ("Delivery is on 2 May.", "The shop changed the delivery to 4 May.", "2 May", "4 May"),
    ("Mon opération est le 2 mai.", "L'hôpital a repoussé l'opération au 9 mai.", "2 mai", "9 mai"),
    ("L'examen est le 2 mai.", "Le prof a reporté l'examen au 9 mai.", "2 mai", "9 mai"),
    ("Mon opération est le 2 mai.", "La clinique l'a décalée au 9 mai.", "2 mai", "9 mai"),
    ("Mi vuelo es el 2 de mayo.", "La aerolínea ha cambiado mi vuelo al 9 de mayo.", "2 de mayo", "9 de mayo"),
    ("Leo's exam is on 9 June.", "Leo's exam was moved to 11 June.", "9 June", "11 June"),
    ("Tom's party is on 5 June.", "Tom moved his party to 6 June.", "5 June", "6 June"),
    ("The hearing is on 3 March.", "My lawyer got it moved to 10 March.", "3 March", "10 March"),
    ("Llegamos a las 15:00.", "No, el tren es a las 16:00.", "15:00", "16:00"),
    ("The party is on 5 June.", "Sarah's party was moved to 6 June.", "5 June", "6 June"),
    ("The meeting is at 7 pm.", "I meant it to be 8 pm.", "7", "8"),
    ("The meeting is on Monday.", "I meant it for Tuesday.", "Monday", "Tuesday"),
    ("Write 300 words.", "Make it shorter: 200 words.", "300", "200"),
    ("My budget is 900 euros.", "Make it up to 1000 euros.", "900", "1000"),
    ("The meeting is at 7 pm.", "How about we start at 8 pm so that Tom and Anna can come too?", "7", "8"),
    ("The meeting is at 7 pm.", "Can you switch the meeting, if possible, to 8 pm?", "7", "8"),
    # What was said before names no thing.
    ("We pay 900 euros a month.", "No, the rent is 950 euros.", "900", "950"),
    ("I leave at 9:15.", "Sorry, my train leaves at 9:45.", "9:15", "9:45"),
    ("I was born on 2 May 1980.", "No, my birthday is 3 May 1980.", "2 May", "3 May"),
    ("Ich komme um 15 Uhr an.", "Nein, der Zug ist um 16 Uhr da.", "15 Uhr", "16 Uhr"),
    ("On paie 900 euros par mois.", "Non, le loyer est de 950 euros.", "900", "950"),
    ("Pagamos 900 euros.", "No, el alquiler es de 950 euros.", "900", "950"),
    ("Let's meet at 10.", "Could we move the call to 11?", "10", "11"),
    ("My budget is 900 euros.", "No, the maximum is 800 euros.", "900", "800"),
)


@pytest.mark.parametrize(("before", "correction", "old", "new"), CORRECTED)
def test_an_old_value_stands_only_together_with_its_correction(
    before: str, correction: str, old: str, new: str
) -> None:
    lines = current(before, correction)
    assert any(holds(new, text) for text in lines)
    assert not [text for text in lines if holds(old, text) and not holds(new, text)]


UNTOUCHED = (
    ("My flight is on the 4th of June.", "My sister changed her flight to the 9th, lucky her"),
    ("My train leaves at 14:30.", "did they move it to 15:00?"),
    ("Deliver to 14 Elm Road please.", "sorry I meant to thank you earlier!"),
    ("My landlord is Mr. Hale and the rent is 800 pounds.", "I was wrong about him, he's a good guy"),
    ("My manager is Sarah.", "instead of helping, she just laughed"),
    ("The exam is on Tuesday.", "I wish it was on Friday instead"),
    ("Dinner is at 7 pm on Sunday.", "No, that's all for now."),
    ("Der Termin ist am Montag.", "eigentlich mag ich Montage nicht"),
    ("Meine OP ist am 2. Mai.", "Der Zahnarzttermin wurde auf den 9. Mai verschoben"),
    ("My surgery is on 2 May.", "The dentist moved my check-up to 9 May."),
    ("My flight is on 2 May.", "The airline changed Tom's flight to 9 May."),
)


@pytest.mark.parametrize(("before", "after"), UNTOUCHED)
def test_what_speaks_of_something_else_supersedes_nothing(before: str, after: str) -> None:
    first = next(fact for fact in stated(before, after) if fact.seq == 0)
    assert first.current
    assert first.text == before


ANOTHER_THING = (
    ("My budget is 900 euros.", "no, the flight is 300 euros"),
    ("My surgery is on May 2.", "Could you change the dentist to May 9?"),
    ("Mon examen est le 9 juin.", "l'examen de Léo est repoussé au 11 juin"),
    ("Meine Prüfung ist am 9. Juni.", "Leos Prüfung ist auf den 11. Juni verschoben"),
    ("Mi examen es el 9 de junio.", "el examen de Leo se aplaza al 11 de junio"),
    ("Mon opération est le 2 mai.", "le dentiste est repoussé au 9 mai"),
    ("Mi operación es el 2 de mayo.", "la cita del dentista la han pasado al 9 de mayo"),
    ("La mia operazione è il 2 maggio.", "il dentista è stato spostato al 9 maggio"),
    ("Моя операция 2 мая.", "стоматолога перенесли на 9 мая"),
    ("我的手术在5月2日。", "牙医推迟到5月9日了"),
    ("手術は5月2日です。", "歯医者は5月9日に延期になりました"),
)


@pytest.mark.parametrize(("before", "after"), ANOTHER_THING)
def test_what_names_another_thing_removes_nothing(before: str, after: str) -> None:
    assert any(text.startswith(before.rstrip(".。")) for text in current(before, after))


def test_the_date_of_one_thing_outlives_the_move_of_another_in_a_small_view() -> None:
    with Sessions(policy=Policy(Budget(512, reply_reserve_tokens=0), folding="inline")) as sessions:
        session = sessions.session("s")
        for text in ("Mon opération est le 2 mai.", "le dentiste est repoussé au 9 mai"):
            session.append([Message(Role.USER, text), Message(Role.ASSISTANT, "Noté.")])
        for number in range(30):
            session.append(Message(Role.USER, f"Parle-moi un peu du vieux moulin numéro {number} de la vallée."))
            session.append(Message(Role.ASSISTANT, "Il est en pierre, et les gens passent devant tous les jours."))
        shown = "\n".join(message.content for message in session.view("Quand est mon opération ?").messages)
    assert "2 mai" in shown
