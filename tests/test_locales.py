"""What is said in fourteen languages is kept for what it is; what only sounds like it costs nothing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from session_core.classify import RuleClassifier, is_filler
from session_core.facts import extract
from session_core.language.acceptance import accepts_offer, settles_offer
from session_core.language.cues import _Cues, is_commitment, is_correction, kinds
from session_core.language.locales.all_locales import LOCALES
from session_core.language.slots import slot
from session_core.language.values import currency, numbers, values
from session_core.plan import FactKind
from session_core.turns import Importance, Message, Role

TABLES = Path(__file__).parent / "locales"
"""A line each: the language, what it states (for `stated.txt`), and the sentence."""
STATED = (TABLES / "stated.txt").read_text(encoding="utf-8")

NOTHING = (TABLES / "nothing.txt").read_text(encoding="utf-8")

SMALL_TALK = """
de Gern, dabei helfe ich Ihnen. Die Burg stammt aus dem Mittelalter.
es Claro, el castillo es muy antiguo y merece una visita.
fr Bien sûr, le château est très ancien.
it Certo, il castello è molto antico.
pt Claro, o castelo é muito antigo.
nl Natuurlijk, het kasteel is heel oud.
zh 当然,那座城堡很古老。
ja はい、そのお城はとても古いです。お手伝いいたします。
ko 네, 그 성은 아주 오래되었어요. 감사하겠습니다.
ru Конечно, замок очень старый.
"""

SPOKEN = dict(zip("de es fr it pt nl zh ja ko ru pl tr ar hi".split(), LOCALES, strict=True))

TAKEN = [
    "Einverstanden.",
    "Klingt gut, mach das.",
    "Ja, bitte.",
    "De acuerdo, resérvalo.",
    "Sí, por favor.",
    "Me parece bien.",
    "D'accord.",
    "Oui, ça me va.",
    "Ça marche.",
    "Va bene, procedi.",
    "Sì, perfetto.",
    "Combinado.",
    "Sim, pode ser.",
    "Akkoord.",
    "Ja graag.",
    "Doe maar.",
    "好的,就这个。",
    "可以,订吧。",
    "没问题。",
    "はい、それでお願いします。",
    "いいですね。",
    "네, 그걸로 해 주세요.",
    "좋아요.",
    "Хорошо, давайте.",
    "Да, согласна.",
    "Tak, zgoda.",
    "Evet, olur.",
    "نعم، موافق",
    "हाँ, ठीक है",
]
NOT_TAKEN = [
    "Ja, aber ist es laut?",
    "Jacken sind teuer.",
    "Nein, danke.",
    "Sí, pero ¿es caro?",
    "Silvia llega hoy.",
    "No, otro.",
    "Oui, mais c'est loin.",
    "Ouvrons la porte.",
    "No, un altro.",
    "Simone arriva oggi.",
    "Não, outro.",
    "Simples demais.",
    "Nee, een andere.",
    "Graafmachines zijn duur.",
    "不,换一个。",
    "好像不太行。",
    "いいえ、別のを。",
    "ハイキングは?",
    "아니요, 다른 거요.",
    "Нет, другой.",
    "Далеко ли это?",
    "Nie, inny.",
    "Hayır, başka.",
]
SETTLED = [
    ("Soll ich den Tisch reservieren?", "Ja, gerne."),
    ("¿Reservo la mesa junto a la ventana?", "De acuerdo."),
    ("Voulez-vous que je réserve la table ?", "D'accord."),
    ("Prenoto il tavolo?", "Va bene."),
    ("Devo cancellare la prenotazione?", "No, meglio di no."),
    ("Reservo a mesa?", "Combinado."),
    ("Zal ik de tafel reserveren?", "Akkoord."),
    ("要我预订那张桌子吗?", "好的。"),
    ("席を予約しましょうか?", "はい、それでお願いします。"),
    ("자리를 예약할까요?", "좋아요."),
    ("Забронировать столик?", "Хорошо, давайте."),
]
FILLERS = [
    "Vielen Dank für Ihre Hilfe!",
    "Guten Abend!",
    "¡Buenas tardes!",
    "Muchísimas gracias",
    "Merci pour votre aide !",
    "Bonne journée",
    "Grazie per l'aiuto!",
    "Buona serata",
    "Obrigado pela ajuda!",
    "Boa noite",
    "Dank je wel!",
    "Goedemorgen",
    "谢谢你的帮助!",
    "早上好",
    "ありがとうございました",
    "おはようございます",
    "고마워요!",
    "안녕하세요",
    "Большое спасибо!",
    "Добрый день",
    "Dziękuję bardzo!",
    "Teşekkür ederim!",
    "شكرا جزيلا",
    "Kann ich sonst noch etwas für Sie tun?",
]
NO_FILLERS = [
    "Danke, das blaue.",
    "Gracias, el segundo.",
    "Merci, le deuxième.",
    "Grazie, il secondo.",
    "Obrigado, o segundo.",
    "Dank je, de tweede.",
    "谢谢,要第二个",
    "ありがとう、二番目で",
    "고마워요, 두 번째로",
    "Спасибо, второй",
    "Guten Abend in Kiel",
]


def rows(table: str) -> list[list[str]]:
    return [line.split(" ", 2) for line in table.strip().splitlines()]


def lines(table: str) -> list[str]:
    return [line.split(" ", 1)[1] for line in table.strip().splitlines()]


@pytest.mark.parametrize(("locale", "kind", "sentence"), [row for row in rows(STATED) if row[1] != "promise"])
def test_what_a_user_states_is_kept_for_what_it_is(locale: str, kind: str, sentence: str) -> None:
    assert FactKind(kind) in kinds(sentence)
    message = Message(Role.USER, sentence, seq=1)
    assert RuleClassifier().classify(message) is Importance.MUST_KEEP
    assert extract([message])


@pytest.mark.parametrize("sentence", [row[2] for row in rows(STATED) if row[1] == "promise"])
def test_what_an_assistant_did_or_will_do_is_kept(sentence: str) -> None:
    assert is_commitment(sentence)


@pytest.mark.parametrize("sentence", lines(NOTHING))
def test_what_states_nothing_is_no_fact(sentence: str) -> None:
    message = Message(Role.USER, sentence, seq=1)
    assert kinds(sentence) == ()
    assert extract([message]) == []
    assert RuleClassifier().classify(message) is not Importance.MUST_KEEP


@pytest.mark.parametrize("text", lines(SMALL_TALK))
def test_small_talk_of_an_assistant_promises_nothing(text: str) -> None:
    assert not is_commitment(text)


@pytest.mark.parametrize("text", TAKEN)
def test_an_offer_is_taken(text: str) -> None:
    assert accepts_offer(text)


@pytest.mark.parametrize("text", NOT_TAKEN)
def test_an_offer_is_not_taken(text: str) -> None:
    assert not accepts_offer(text)


@pytest.mark.parametrize(("offer", "answer"), SETTLED)
def test_a_short_answer_settles_what_was_offered(offer: str, answer: str) -> None:
    assert settles_offer(offer, answer)


@pytest.mark.parametrize("text", FILLERS)
def test_greetings_and_thanks_say_nothing(text: str) -> None:
    assert is_filler(text)


@pytest.mark.parametrize("text", NO_FILLERS)
def test_thanks_with_an_answer_say_something(text: str) -> None:
    assert not is_filler(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [("2400欧元", "eur"), ("2400ユーロ", "eur"), ("2400유로", "eur"), ("2400 евро", "eur"), ("900 рублей", "rub"),
     ("300美元", "usd"), ("90 złotych", "pln"), ("5块", "cny"), ("2 400 euros", "eur"), ("2 400 €", "eur"),
     ("12 500 рублей", "rub")],
)  # fmt: skip
def test_an_amount_has_its_currency(text: str, code: str) -> None:
    (value,) = values(text)
    assert currency(value.text) == code


def test_thousands_may_stand_apart_before_a_currency_alone() -> None:
    assert numbers("2 400 euros") == {Decimal(2400)}
    assert [value.text for value in values("rows 2 400 and 5 600")] == ["2", "400", "5", "600"]
    assert [value.text for value in values("Le budget est de 2 400 euros.")] == ["2 400 euros"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Mijn budget is 900 euro.", "Mijn budget is 1.100 euro."),
        ("Мой бюджет 900 евро.", "Мой бюджет теперь 1100 евро."),
        ("我的预算是900欧元。", "预算变了,现在是1100欧元。"),
        ("予算は900ユーロです。", "予算は1100ユーロです。"),
        ("제 예산은 900유로예요.", "예산이 1100유로예요."),
    ],
)
def test_one_thing_has_one_slot(first: str, second: str) -> None:
    assert slot(first) is not None
    assert slot(first) == slot(second)


def test_a_thing_that_only_changed_has_no_value() -> None:
    assert slot("予算が変わりました。") is None
    assert not is_correction("我们的预算不高。")


@pytest.mark.parametrize("locale", SPOKEN)
def test_no_phrase_is_passed_over_for_a_word_that_it_can_do_without(locale: str) -> None:
    own = SPOKEN[locale]
    cues = (*own.rules, *own.constraints, *own.decisions, *own.preferences, *own.identities, *own.corrections)
    said = [row[2] for row in rows(STATED) if row[0] == locale]
    assert said
    for cue in cues:
        for sentence in filter(cue.pattern.search, said):
            assert (0, cue) in _Cues([cue]).candidates(sentence)
