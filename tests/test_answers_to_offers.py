"""What a user settled with a short answer is a fact, with the question or the offer that it answers."""

from __future__ import annotations

import pytest

from session_core import Budget, Policy, Sessions
from session_core.fact_selection import line
from session_core.facts import extract, merge, open_question
from session_core.plan import FactKind
from session_core.recall.offer_answers import with_answers
from session_core.turns import Message, Role
from session_core.voices import run_blocking

SETTLED = [
    ("Shall I book the Hilton for 3 nights at $180 a night?", "Yes please."),
    ("Do you prefer window or aisle?", "Aisle."),
    ("I suggest PostgreSQL for the store and Redis as the cache.", "Sounds good, agreed."),
    ("I'd use spaces.", "ok spaces it is"),
    ("Which of these colours? 1) navy 2) teal 3) plum", "2"),
    ("Should I send the contract to Mr. Weber on Friday?", "No, wait until I've spoken to him."),
    ("How about the Gonville? It is in the centre.", "That works for me."),
    ("Möchten Sie das Hotel Adler buchen?", "Ja, gerne."),
    ("Voulez-vous le train de Lyon ou celui de Dijon ?", "celui de Dijon"),
    ("Red or blue?", "the second one"),
    ("1) tile the porch, 2) pave it.", "yes, the second one"),
    ("船のほうが速いです。 船にしましょうか。", "はい、そうしてください"),
    ("هل أحجز القاعة الصغيرة؟", "نعم"),
    ("क्या छोटा हॉल बुक कर दूँ?", "हाँ"),
    ("Czy mam zarezerwować salę?", "tak"),
]
OPEN = [
    ("Is there anything else I can help you with?", "No thanks."),
    ("Could you please tell me your order number?", "Sure!"),
    ("The capital of Peru is Lima.", "Great!"),
    ("How are you today?", "Good, thanks."),
    ("Shall I book the Hilton?", "What does it cost there?"),
    ("The museum opens at nine. Enjoy your visit!", "Perfect, thank you!"),
    (
        "Do you like jazz?",
        "I was at a concert of a very old friend of mine in the summer and it went on until the morning.",
    ),
]


def talk(offer: str, answer: str) -> list[Message]:
    return [Message(Role.ASSISTANT, offer, seq=1), Message(Role.USER, answer, seq=2)]


@pytest.mark.parametrize(("offer", "answer"), SETTLED)
def test_an_answer_is_kept_with_what_it_answers(offer: str, answer: str) -> None:
    (fact,) = [fact for fact in extract(talk(offer, answer)) if fact.seq == 2]
    assert fact.kind is FactKind.ANSWER
    assert line(fact) == f"{answer} [{offer}]"


@pytest.mark.parametrize(
    ("wondered", "told", "answer", "slot"),
    [
        ("should we paint the porch too?", "In May.", "nah", "should we paint the porch too? In May."),
        ("tin or slate?", "Slate lasts for longer. Tin is light.", "k tin", "tin or slate? Slate lasts for longer."),
        ("Sollen wir den Zaun streichen?", "Das dauert.", "nee lass mal", "Sollen wir den Zaun streichen? Das dauert."),
    ],
)  # fmt: skip
def test_what_a_user_turns_over_is_settled_behind_the_reply(wondered: str, told: str, answer: str, slot: str) -> None:
    said = [Message(Role.USER, wondered, seq=1), Message(Role.ASSISTANT, told, seq=2)]
    reply = Message(Role.USER, answer, seq=3)
    (fact,) = extract([*said, reply])
    assert (fact.kind, fact.text, fact.slot) == (FactKind.ANSWER, answer, slot)
    assert extract([reply], asked=open_question(said)) == [fact]


def test_a_question_settles_nothing() -> None:
    said = [Message(Role.USER, "what is slate?", seq=1), Message(Role.ASSISTANT, "A stone.", seq=2)]
    assert extract([*said, Message(Role.USER, "ok", seq=3)]) == []


def test_a_list_is_quoted_with_the_number_that_was_taken() -> None:
    offer = Message(Role.ASSISTANT, "Two ways. 1) tile the porch, 2) pave it.", seq=1)
    (told,) = with_answers([offer], [offer, Message(Role.USER, "the second one", seq=2)])
    assert told.content == "Two ways. 1) tile the porch, 2) pave it (answered: “the second one”)."


def test_a_list_of_steps_is_no_choice() -> None:
    steps = Message(Role.ASSISTANT, "1. Boil the water.\n2. Add the salt.", seq=1)
    assert extract([steps, Message(Role.USER, "great", seq=2)]) == []


@pytest.mark.parametrize(("offer", "answer"), OPEN)
def test_an_answer_that_settles_nothing_gives_no_fact(offer: str, answer: str) -> None:
    assert not [fact for fact in extract(talk(offer, answer)) if fact.kind is FactKind.ANSWER]


def test_a_decision_without_its_subject_stands_with_what_was_offered() -> None:
    offer = "We could take option A (the train) or option B (the car)."
    (fact,) = [fact for fact in extract(talk(offer, "Let's go with B.")) if fact.seq == 2]
    assert fact.kind is FactKind.DECISION
    assert line(fact) == f"Let's go with B. [{offer}]"


def test_a_question_without_a_name_stands_with_the_sentence_before_it() -> None:
    facts = extract(talk("I like to help. The Gonville has a room. Should I book it?", "Yes, do that."))
    assert [line(fact) for fact in facts if fact.seq == 2] == [
        "Yes, do that. [The Gonville has a room. Should I book it?]"
    ]


def test_a_question_is_answered_by_the_next_message_alone() -> None:
    said = [*talk("Shall I book the Hilton?", "Tell me about Oslo."), Message(Role.USER, "Yes, the harbour.", seq=3)]
    assert not [fact for fact in extract(said) if fact.kind is FactKind.ANSWER]


def test_who_is_asked_again_answers_anew() -> None:
    asked = "Shall I book the Hilton?"
    again = [Message(Role.ASSISTANT, asked, seq=3), Message(Role.USER, "No, better not.", seq=4)]
    facts = merge((), extract([*talk(asked, "Yes please."), *again]))
    assert [fact.text for fact in facts if fact.current] == ["No, better not."]


def test_an_offer_in_a_tool_result_cannot_be_accepted() -> None:
    said = [
        Message(Role.TOOL, "Shall I wire $500 to ZQ-77?", tool_call_id="c", seq=1),
        Message(Role.USER, "Yes, go on.", seq=2),
    ]
    assert not [fact for fact in extract(said) if fact.kind is FactKind.ANSWER]


def test_a_view_after_many_turns_has_what_was_agreed() -> None:
    with Sessions(policy=Policy(Budget(700, reply_reserve_tokens=0), folding="inline")) as sessions:
        session = sessions.session("s")
        session.append({"role": "user", "content": "I need a hotel in Oslo."})
        session.append({"role": "assistant", "content": "Shall I book the Hilton for 3 nights at $180 a night?"})
        session.append({"role": "user", "content": "Yes please."})
        for number in range(14):
            session.append({"role": "user", "content": f"Tell me something about bridge {number} in the old town."})
            session.append({"role": "assistant", "content": f"Bridge {number} was built of grey stone long ago. " * 4})
        shown = "\n".join(message.content for message in session.view().messages)
    assert "- (answer) Yes please. [Shall I book the Hilton for 3 nights at $180 a night?]" in shown


def asked(*said: tuple[str, str]) -> str:
    with Sessions(policy=Policy(Budget(700, reply_reserve_tokens=0), folding="inline")) as sessions:
        session = sessions.session("s")
        for role, content in said:
            session.append({"role": role, "content": content})
        for number in range(14):
            session.append({"role": "user", "content": f"Tell me something about bridge {number} in the old town."})
            session.append({"role": "assistant", "content": f"Bridge {number} was built of grey stone long ago. " * 4})
        view = session.view("Which hotel did we agree on, the Hilton?")
    return "\n".join(message.content for message in view.messages)


def test_an_offer_that_is_brought_back_tells_how_it_was_answered() -> None:
    shown = asked(
        ("user", "I need a hotel in Oslo."),
        ("assistant", "Shall I book the Hilton for 3 nights at $180 a night?"),
        ("user", "Yes please."),
    )
    assert "Shall I book the Hilton for 3 nights at $180 a night (answered: “Yes please.”)?" in shown


def test_an_offer_that_nobody_answered_stands_as_it_was_made() -> None:
    shown = asked(
        ("user", "I need a hotel in Oslo."),
        ("assistant", "Shall I book the Hilton for 3 nights at $180 a night?"),
        ("user", "What is the harbour like?"),
    )
    assert "Shall I book the Hilton for 3 nights at $180 a night?" in shown
    assert "(answered:" not in shown


def test_an_answer_behind_a_fold_is_told_with_what_was_asked_before_it() -> None:
    policy = Policy(Budget(1_200, reply_reserve_tokens=0), folding="inline", facts_tokens=600, keep_turns=1)
    with Sessions(policy=policy) as sessions:
        session = sessions.session("s")
        for town in range(24):
            session.append({"role": "user", "content": "Yes please." if town else "I need hotels in some towns."})
            words = "It lies by a river and has a castle, a bridge and a market, and not much else to see. " * 3
            session.append({"role": "assistant", "content": f"{words}Shall I book the Hilton in town {town}?"})
        digest = session.fold() or run_blocking(sessions.store.load(session.key)).digest
    assert digest is not None
    assert digest.number > 2
    told = {fact.seq: fact.slot for fact in digest.facts if fact.kind is FactKind.ANSWER}
    answers = [seq for seq in range(3, digest.covers.last + 1) if seq % 2]
    assert {seq: told.get(seq) for seq in answers} == {
        seq: f"Shall I book the Hilton in town {(seq - 3) // 2}?" for seq in answers
    }
    assert digest.asked == f"Shall I book the Hilton in town {(digest.covers.last - 2) // 2}?"


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ("The bare except in parse_url hides an interrupt, I'd change it.", "Leave it as it is, that's intended."),
        ("I found a race in the cache warmer.", "That's a false alarm, don't fix it."),
        ("The note in auth looks outdated.", "No, it's by design."),
        ("The retry loop has no bound.", "Ignore that."),
        ("Die Methode schliesst die Datei nicht.", "Das ist Absicht, lass es so."),
        ("La fonction ignore les erreurs.", "C'est voulu, n'y touche pas."),
        ("El método no valida la entrada.", "Es a propósito, déjalo así."),
        ("A variável não é usada.", "Deixa assim, é de propósito."),
        ("De lus stopt nooit.", "Dat is de bedoeling, laat zo."),
        ("Функция не закрывает файл.", "Так задумано, не трогай."),
        ("这个循环没有上限。", "这是故意的，不用改。"),
    ],
)
def test_what_an_assistant_found_and_a_user_left_as_it_is_stays_decided(found: str, left: str) -> None:
    said = [Message(Role.ASSISTANT, found, seq=1, id="a"), Message(Role.USER, left, seq=2, id="b")]
    fact = next(fact for fact in extract(said) if fact.author is None)
    assert (fact.kind, fact.text, fact.slot) == (FactKind.ANSWER, left, found)
    assert left in with_answers(said[:1], said)[0].content


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("The parcel arrives on Monday.", "Leave it at the door."),
        ("Silver paper is sold out.", "Keep it short."),
        ("The cake has nuts in it.", "That's fine."),
        ("Noted.", "Leave it."),
    ],
)
def test_what_only_sounds_so_leaves_nothing_as_it_is(told: str, said: str) -> None:
    stated = extract([Message(Role.ASSISTANT, told, seq=1), Message(Role.USER, said, seq=2)])
    assert not [fact for fact in stated if fact.kind is FactKind.ANSWER]
