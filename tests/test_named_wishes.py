"""What somebody does not want, how they want to be answered, what they go back to and what they take back, in many
languages; and what only sounds like it."""

from __future__ import annotations

import pytest

from session_core.fact_selection import line
from session_core.facts import extract, merge
from session_core.language.cues import is_correction, is_revision, kinds
from session_core.plan import FactKind
from session_core.recall.amendments import with_corrections
from session_core.turns import Message, Role

REFUSED = """
no nuts, my brother would end up in hospital
no yellow and no pink, it's for a lawyer's office
oh and no children under six, it's too steep
no ads or pop-ups
the airport transfer, no thanks
pas de coriandre dans la salade
pas d'étage élevé, j'ai le vertige
le petit déjeuner, non merci
keine Kerzen, das ist zu gefährlich
die Versicherung, nein danke
niente cipolla, mi fa male
il dolce no grazie
sin hielo, por favor
el seguro, no gracias
sem gelo, por favor
geen kip, ik ben vegetariër
bez lodu, proszę
никаких собак, у меня аллергия
без сахара, пожалуйста
""".strip().split("\n")
ANSWERED_SO = """
réponds-moi sans jargon
répondez en anglais
antworte mir bitte in ganzen Sätzen
respóndame siempre en catalán
explícame con ejemplos sencillos
rispondimi in inglese
spiegami tutto con esempi
me responda sempre em inglês
antwoord in het Engels alsjeblieft
пиши кратко, без вступлений
回答はですます調でお願いします
回答时请用简体字
답변은 짧게 해주세요
réponds-moi en phrases courtes, s'il te plaît
erkläre mir das ohne Fachbegriffe
rispondi sempre in italiano
отвечай на русском
in french from here on
English for the rest of this chat please
""".strip().split("\n")
RETURNED = """
back to 300 grams then
ok let's go back to plan A
so no train after all
zurück zu Variante B
on revient à trois nuits
volvemos al jueves
torniamo a cinque persone
voltamos para o dia 12
terug naar twee kamers
вернёмся к первому варианту
let's say Thursday then
""".strip().split("\n")
TAKEN_BACK = """
forget what I said about the budget
ignore everything I said about the roof, please
oubliez ce que j'ai dit sur le toit
vergessen Sie, was ich zur Heizung gesagt habe
olvide lo que dije sobre el garaje
dimentica quello che ho detto sul tetto
esqueça o que eu disse sobre o telhado
vergeet wat ik zei over het dak
забудь, что я говорил о бюджете
""".strip().split("\n")
KEPT = """
don't forget what I said about the budget
please never forget what we said about the roof
did you forget what I said about the budget?
you ignored everything I said about the budget
n'oublie pas ce que j'ai dit sur le toit
tu oublies ce que j'ai dit sur le toit
mi hermano olvida lo que dije sobre la cena
mio padre dimentica quello che ho detto su Roma
não esqueça o que eu disse sobre o telhado
hij vergeet wat ik zei over de auto
не забудь, что я говорил о бюджете
nie zapomnij o mleku
その話は忘れていました
别忘了我说的预算
我忘了之前说的日期
말은 잊어버리지 마세요
""".strip().split("\n")
NOTHING = """
no answer from the hotel, i called twice
no internet here, we are in the mountains
no wonder, he was tired and we were late
no lights were on
no sun today, it rained
no problem, i can wait
pas de neige cette année, dommage
pas de vrai progrès depuis mardi
pas de souci, je comprends
kein Schnee dieses Jahr
keine Ahnung, wie das geht
niente sole oggi
geen regen vandaag
sin problemas, gracias
ok no thanks
he went back to Paris
I'm back to work on Monday
we drove back to the hotel at nine
ok back to the hotel
let's say hello to Ana
elle parle en dormant
lui scrive sempre in ritardo
er antwortet immer kurz
I forget what she said
j'ai oublié ce qu'elle a dit
no cats or dogs were harmed
no cash, I paid by card
nothing special, no thanks to him
pas d'accord, c'est trop cher
pas d'urgence
kein Thema, das passt
keine Rückmeldung vom Kunden
kein Treffer in der Suche
keine Rechnung erhalten
niente risposta
geen resultaat
pas d'autre choix
kein Interesse
geen gedoe
llegué sin problemas, gracias
sono senza parole, grazie
никакой разницы
explique em uma frase o que é fotossíntese
explícame en qué consiste
erkläre mir in einem Satz, was ein Monad ist
antworte auf die Mail von Tom
sprich mit deinem Chef
spiegami perché succede sempre così
schrijf in twee zinnen wat dit doet
отвечай на вопрос
пиши на почту
回复要多少钱
説明はあとで聞いてください
답장은 기다려 주세요
from here on the path is steep
back to Berlin tomorrow, finally
back to life
let's say a customer has three orders
let's say x is 5
we are only human after all
I changed their minds about the job
je reviens au bureau lundi
vuelvo a Madrid mañana
torniamo a noi
voltou para casa às 8
zurück zum Thema
terug naar kantoor
вернёмся к теме
errei a porta ontem
""".strip().split("\n")


def _user(*texts: str) -> list[Message]:
    return [Message(Role.USER, text, id=str(seq), seq=seq) for seq, text in enumerate(texts, start=1)]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused_by_name_is_a_preference(text: str) -> None:
    assert FactKind.PREFERENCE in kinds(text)


@pytest.mark.parametrize("text", ANSWERED_SO)
def test_a_way_of_answering_is_a_rule(text: str) -> None:
    assert kinds(text)[:1] == (FactKind.RULE,)


@pytest.mark.parametrize("text", RETURNED)
def test_who_goes_back_to_a_choice_revises_the_last_one(text: str) -> None:
    assert is_revision(text)


@pytest.mark.parametrize("text", TAKEN_BACK)
def test_what_is_to_be_forgotten_is_corrected(text: str) -> None:
    assert is_correction(text)


@pytest.mark.parametrize("text", KEPT)
def test_what_is_not_to_be_forgotten_is_not_corrected(text: str) -> None:
    assert not is_correction(text)


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_sounds_like_it_states_nothing(text: str) -> None:
    assert kinds(text) == ()
    assert not is_revision(text)


@pytest.mark.parametrize("place", ["no, at the Hilton", "nope, by train", "hm, no, on the 5th"])
def test_a_no_with_another_place_or_day_is_a_correction(place: str) -> None:
    assert is_correction(place)


@pytest.mark.parametrize(
    "answer", ["No, with my sister.", "No, in my opinion it's fine.", "No, at least not yet.", "No, to be honest."]
)
def test_a_no_that_answers_a_question_corrects_nothing_said_before(answer: str) -> None:
    stated = "I want a hotel in Rome under 200 euros."
    asked = Message(Role.ASSISTANT, "Will you travel alone?", id="2", seq=2)
    said = [*_user(stated), asked, Message(Role.USER, answer, id="3", seq=3)]
    assert with_corrections(said, extract(said))[0].content == stated
    assert stated in [line(fact) for fact in merge([], extract(said)) if fact.current]


@pytest.mark.parametrize(
    ("stated", "taken_back"),
    [
        ("the roof must be green", "forget what I said about the roof"),
        ("el garaje para dos coches", "olvida lo que dije sobre el garaje"),
    ],
)
def test_what_is_to_be_forgotten_never_stands_alone_however_long_ago_it_was(stated: str, taken_back: str) -> None:
    said = [stated, *["it rained again"] * 18, taken_back]
    assert f"(later: “{taken_back}”)" in with_corrections(_user(*said), ())[0].content


def test_a_sentence_that_names_nothing_stays_with_the_one_before_it() -> None:
    told = [line(fact) for fact in merge([], extract(_user("Sixty days is too long. Make it seventy-five.")))]
    assert told == ["Sixty days is too long. Make it seventy-five."]


def test_an_answer_to_ones_own_question_is_told_with_the_question() -> None:
    told = [line(fact) for fact in merge([], extract(_user("What do we need for the deposit? 500 EUR.")))]
    assert told == ["500 EUR. [What do we need for the deposit?]"]


@pytest.mark.parametrize(
    ("stated", "revised"),
    [
        ("the loan has ten payments left", "let's say five years"),
        ("rounding: one decimal in the deck", "make it seventy-five"),
        ("no single stocks, I lost enough with them", "the other account doesn't have enough after all"),
    ],
)
def test_numbers_and_quantities_of_other_things_replace_nothing(stated: str, revised: str) -> None:
    said = _user(stated, *["it rained again"] * 12, revised)
    assert with_corrections(said, ())[0].content == stated


def test_a_count_of_the_same_thing_is_replaced() -> None:
    said = _user("we stay for four years", *["it rained again"] * 12, "ok let's say five years")
    assert "(later:" in with_corrections(said, ())[0].content


@pytest.mark.parametrize(
    ("named", "chosen"),
    [
        ("Graphite is out of stock. Sand and navy are available now.", "Sand looks dirty. The other one then."),
        ("Perfecto. Tenemos al doctor Ibarra y a la doctora Quiroga.", "El primero."),
        ("I see three ways: (a) savings at 2 percent, (b) a mix with equity funds, (c) bonds only.", "b sounds right"),
        ("Ti propongo l'Orsa a 890 euro e il Lampo a 640.", "l'altro"),
    ],
)
def test_a_choice_of_things_that_were_only_named_stands_with_them(named: str, chosen: str) -> None:
    messages = [Message(Role.ASSISTANT, named, id="1", seq=1), Message(Role.USER, chosen, id="2", seq=2)]
    (answer,) = [fact for fact in extract(messages) if fact.kind is FactKind.ANSWER]
    assert answer.slot is not None
    assert answer.slot.split()[-1] == named.split()[-1]


def test_a_pair_of_things_is_no_question_that_a_value_answers() -> None:
    messages = [
        Message(Role.ASSISTANT, "Sand and navy are available now.", id="1", seq=1),
        Message(Role.USER, "40 EUR", id="2", seq=2),
    ]
    assert [line(fact) for fact in extract(messages) if fact.author is None] == ["40 EUR"]


@pytest.mark.parametrize("text", ["All looks good.", "All is fine, thanks"])
def test_who_finds_all_of_it_good_chooses_nothing(text: str) -> None:
    messages = [
        Message(Role.ASSISTANT, "The tests and the docs are done.", id="1", seq=1),
        Message(Role.USER, text, id="2", seq=2),
    ]
    assert extract(messages) == []


def test_being_glad_to_hear_something_takes_no_offer() -> None:
    messages = [
        Message(Role.ASSISTANT, "Shall I rebook the flight to Oslo?", id="1", seq=1),
        Message(Role.USER, "That's great to hear.", id="2", seq=2),
    ]
    assert extract(messages) == []
