"""What people say in passing is heard for what it does: conditions, refusals, rules for a case, labels."""

from __future__ import annotations

import pytest

from session_core.facts import extract, merge
from session_core.language.cues import is_correction, kinds
from session_core.language.labels import is_labelled
from session_core.language.leaning import is_report, joined_with_reports
from session_core.passages.reading import PASSAGE_CHARACTERS
from session_core.plan import FactKind
from session_core.turns import Message, Role


@pytest.mark.parametrize(
    "sentence",
    [
        "If the barn is full, we'll sleep in the tent",
        "if the ferry is late we take the bridge",
        "If it snows on the day, use the hall, otherwise the meadow.",
        "Falls der Chor absagt, singen wir ohne ihn.",
        "Wenn es stürmt, kommt die Bühne rein, sonst bleibt sie draußen.",
        "Si llega tarde el barco cogemos el tren",
        "Si la salle est prise, on joue dehors.",
        "Se il forno non va ordiniamo le pizze",
        "Se o forno avariar pedimos pizza",
        "Als de zaal bezet is, dan nemen we de kerk.",
        "Если пойдёт снег, то едем поездом.",
        "もし満席なら別の店にします",
        "如果下雪就改成线上。",
        "إذا أمطرت فسنبقى في البيت",
        "अगर बस नहीं मिली तो ट्रेन से जाएंगे",
    ],
)
def test_conditional_plans_are_decisions(sentence: str) -> None:
    assert FactKind.DECISION in kinds(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "If I remember right, we met there.",
        "I wonder if the bridge is old.",
        "If the barn is full, do we sleep in the tent?",
        "Wenn ich müde bin, habe ich keine Lust.",
        "Tell me if it snows.",
    ],
)
def test_questions_are_no_decisions(sentence: str) -> None:
    assert FactKind.DECISION not in kinds(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "We're not renting the tent.",
        "I'm not paying for that",
        "We won't invite the press",
        "We all agree to wait for the bishop.",
        "Jo takes over the lights",
        "Das machen wir nicht.",
        "Wir nehmen doch keinen Anhänger",
        "No lo vamos a pintar",
        "On ne prend pas la voiture",
        "屋台はやりません",
    ],
)
def test_refusals_and_assignments_are_decisions(sentence: str) -> None:
    assert FactKind.DECISION in kinds(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "When I send you a poem, keep its line breaks",
        "whenever somebody asks for a refund cc the office",
        "Nobody opens the kiln before it is cold, ok?",
        "use litres not gallons",
    ],
)
def test_what_holds_for_a_case_or_for_all_is_a_rule(sentence: str) -> None:
    assert FactKind.RULE in kinds(sentence)


@pytest.mark.parametrize(
    "sentence",
    ["When I was small we had a kiln.", "Nobody knows before Friday.", "Nobody told me until Monday.",
     "When the kiln cooled, was the glaze fine?"],
)  # fmt: skip
def test_reports_about_a_case_are_no_rules(sentence: str) -> None:
    assert FactKind.RULE not in kinds(sentence)


@pytest.mark.parametrize(
    "sentence",
    ["No balloons in the church.", "and no dogs please", "so no speeches after dinner", "no raisins at all",
     "we don't serve meat"],
)  # fmt: skip
def test_what_is_to_be_left_out_is_a_wish(sentence: str) -> None:
    assert FactKind.PREFERENCE in kinds(sentence)


@pytest.mark.parametrize(
    "sentence",
    ["No problem at all.", "no errors in the log", "No worries, thanks", "no idea on that", "There are no dogs in it.",
     "No tienes razones"],
)  # fmt: skip
def test_absences_are_no_wishes(sentence: str) -> None:
    assert kinds(sentence) == ()


@pytest.mark.parametrize(
    "sentence",
    [
        "no wait the left oven",
        "wait no, it's the small one",
        "Forget what I said about the tent",
        "ignore my last message",
        "The kiln isn't Tom's anymore",
        "it's Bergen not Berlin",
        "ach nee, die kleine",
        "ليس الأحد بل الاثنين",
    ],
)
def test_corrections_are_recognised(sentence: str) -> None:
    assert is_correction(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "sorry, phone call.",
        "sorry, the doorbell",
        "no, wait until he's there",
        "it's really not good",
        "it is fine not great",
        "I can't take it anymore",
        "I don't know anymore",
        "Forget it, I'll manage.",
    ],
)
def test_similar_sentences_are_no_corrections(sentence: str) -> None:
    assert not is_correction(sentence)


def test_a_correction_by_another_name_says_little_else() -> None:
    said = ["Candidate C is Wei Lindqvist, so that's a no", "Let's put Omar on hold and move Petra to the panel"]
    facts = merge((), extract([Message(Role.USER, text, seq=seq) for seq, text in enumerate(said, start=1)]))
    assert not any("(later:" in fact.text for fact in facts)


def test_a_different_request_corrects_nothing() -> None:
    said = ["My pressure is 150 in the morning", "is there any chance to see a nurse instead"]
    facts = merge((), extract([Message(Role.USER, text, seq=seq) for seq, text in enumerate(said, start=1)]))
    assert not any("(later:" in fact.text for fact in facts)


@pytest.mark.parametrize(
    "sentence", ["helpers: Jo and Tim", "log level: info", "القاعة: فندق الزيتونة", "vino: blanco"]
)
def test_a_label_names_what_is_told(sentence: str) -> None:
    assert is_labelled(sentence)
    (fact,) = extract([Message(Role.USER, sentence, seq=1)])
    assert fact.text == sentence


@pytest.mark.parametrize(
    "sentence", ["who comes: Jo or Tim?", "Note: it rains", "see https://a.example", "at 10:30", "KeyError: name"]
)
def test_other_colons_are_no_labels(sentence: str) -> None:
    assert not is_labelled(sentence)


def test_what_another_wants_stands_with_what_comes_of_it() -> None:
    said = ["The choir wants a second tent.", "We have no room for it.", "It rains."]
    assert list(joined_with_reports(said, PASSAGE_CHARACTERS)) == [
        "The choir wants a second tent. We have no room for it.",
        "It rains.",
    ]


@pytest.mark.parametrize(
    "sentence", ["My aunt thinks we should wait", "Meine Tante meint, wir sollten warten", "Mi tía dice que esperemos"]
)
def test_reports_of_other_peoples_opinions_are_recognised(sentence: str) -> None:
    assert is_report(sentence)


@pytest.mark.parametrize("sentence", ["I think we should wait", "She said", "We want a tent"])
def test_other_sentences_report_nobody(sentence: str) -> None:
    assert not is_report(sentence)
