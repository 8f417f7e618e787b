"""Offers and answers: what a user takes of what was offered, and which kind of value a question asks for."""

from __future__ import annotations

import pytest

from session_core import Budget, Policy, Sessions
from session_core.language.acceptance import accepts_offer, has_offer, settles_offer
from session_core.language.cues import kinds
from session_core.language.question_types import has_value_of, wanted_kinds
from session_core.plan import FactKind


@pytest.mark.parametrize(
    "text",
    ["Yes, the oak one please.", "Sure, why wait.", "That sounds good, do you deliver?", "Let's take it.",
     "Perfect. Send it to my sister.", "Book it for two.", "The second one.", "Works for me.", "Ja, gerne."],
)  # fmt: skip
def test_accepting_an_offer_is_recognised(text: str) -> None:
    assert accepts_offer(text)


@pytest.mark.parametrize(
    "text",
    ["No, something in oak.", "Yes, but in green?", "What does it weigh?", "I'd rather have pine.", "Is it heavy?",
     "Okay, is there another one?", "Not that one.", "My sister lives in Ghent."],
)  # fmt: skip
def test_other_replies_accept_no_offer(text: str) -> None:
    assert not accepts_offer(text)


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        ("Posso sugerir verde-água ou terracota.", "a primeira"),
        ("可以选自助餐或者桌餐。", "第二个"),
        ("Je peux proposer un filet de bar ou un risotto.", "le deuxième"),
        ("Ich empfehle Linoleum oder Kork.", "das zweite"),
        ("Puedo proponer el alcázar o el acueducto.", "el primero"),
        ("Posso proporre legno o acciaio.", "il secondo"),
        ("Могу предложить поезд или автобус.", "первый"),
        ("There is the Vulcan at 9,800 or the Brisa at 7,200?", "the cheaper one"),
        ("Striped or plain?", "that one with the stripes"),
    ],
)
def test_a_choice_settles_what_was_offered_in_several_languages(offer: str, said: str) -> None:
    assert settles_offer(offer, said)


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        ("What is your name?", "the first"),
        ("Do you know Rome?", "the one"),
        ("Ich würde gern wissen, ob Sie kommen.", "das zweite"),
        ("Ik weet het niet.", "het eerste"),
        ("A primeira loja abre às nove.", "a primeira"),
    ],
)
def test_what_offers_nothing_to_choose_is_not_settled(offer: str, said: str) -> None:
    assert not settles_offer(offer, said)


def test_offers_are_recognised() -> None:
    assert has_offer("The Larch desk is in stock. Shall I put it aside?")
    assert has_offer("I'd suggest the Larch desk.")
    assert not has_offer("The desk was sent this morning.")


@pytest.mark.parametrize(
    ("question", "says_it", "does_not"),
    [
        ("On what day is the recital?", "We sing on Thursday.", "We sing in the chapel."),
        ("What time does the ferry go?", "It goes at 16:40.", "It goes from the north pier."),
        ("How many chairs did I order?", "I'd like six chairs.", "I'd like the green chairs."),
        ("What did the lamp cost, which price was it?", "It is $40 with the shade.", "It comes with a shade."),
        ("What price range did they ask for?", "Something cheap would do.", "Something oiled would do."),
        ("Where is the recital?", "We sing in Bergen.", "We sing on Thursday."),
        ("Which area should the flat be in?", "It should be in the west.", "It should have a balcony."),
        ("What is the tuner called?", "Ask for Mr Holm, he tunes it.", "He tunes it on Friday."),
        ("Which desk did we take?", "I'd recommend the birch one.", "It is oiled twice."),
    ],
)
def test_a_question_asks_for_a_kind_of_value(question: str, says_it: str, does_not: str) -> None:
    assert has_value_of(says_it, wanted_kinds(question))
    assert not has_value_of(does_not, wanted_kinds(question))


def test_a_question_that_asks_for_none() -> None:
    assert not wanted_kinds("What colour did she choose for the hall?")
    assert not wanted_kinds("What did I say when we met the tuner, and to the man who came later")


def test_a_question_that_says_the_value_itself_asks_for_none() -> None:
    assert not wanted_kinds("For what time shall I book it?\n6 pm, please.")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("You may not always be close to your sister.", False),
        ("It is a lake that you can't reach by car.", False),
        ("If you cannot swim, the boat is dull.", False),
        ("My aunt is someone I can always call when the stove is out.", False),
        ("You must have been tired after the hike.", False),
        ("You may not share my address with the courier.", True),
        ("You cannot order anything over 50 euros without asking me.", True),
        ("You must ask me first.", True),
        ("The reports should always include a total.", True),
    ],
)
def test_you_must_is_a_rule_but_one_must_is_not(text: str, rule: bool) -> None:
    assert (FactKind.RULE in kinds(text)) is rule


TALK = [
    (
        "user",
        "Good morning, I am looking for a desk for my study, not too wide, and made of real wood if you have one.",
    ),
    ("assistant", "We have several. The Larch desk by Holmgren is 110 cm wide. Would that suit you?"),
    ("user", "That sounds good. What does it weigh?"),
    ("assistant", "It weighs about as much as a child, and two people carry it upstairs without any trouble at all."),
    ("user", "And how is the surface treated, can I put a hot cup on it without a mark?"),
    ("assistant", "It is oiled, so a cup leaves a mark that you can rub out with a little more oil and a soft cloth."),
    ("user", "No, that's all I need. Thank you."),
    ("assistant", "You are welcome. Thank you for visiting our shop. Have a wonderful day. Goodbye."),
]


def _view(query: str, tokens: int) -> list[str]:
    sessions = Sessions(
        "memory://", policy=Policy(Budget(tokens, reply_reserve_tokens=0), folding="off", embedder=None)
    )
    session = sessions.session("desk")
    session.append([{"role": role, "content": text} for role, text in TALK])
    view = session.view(query)
    assert view.tokens <= tokens
    return [message.content for message in view.messages]


def test_a_small_view_shows_an_accepted_offer_and_drops_the_goodbye() -> None:
    shown = _view("Which desk did the user choose?", 70)
    assert "Larch" in "\n".join(shown)
    assert "wonderful day" not in "\n".join(shown)
    assert "that's all I need" not in "\n".join(shown)


def test_a_goodbye_stays_if_it_is_the_question() -> None:
    assert _view("No, that's all I need. Thank you.", 70)[-1] == "No, that's all I need. Thank you."


def test_a_last_message_that_accepts_something_stays() -> None:
    sessions = Sessions("memory://", policy=Policy(Budget(70, reply_reserve_tokens=0), folding="off", embedder=None))
    session = sessions.session("desk")
    session.append([{"role": role, "content": text} for role, text in [*TALK[:-2], ("user", "Okay.")]])
    assert session.view("Which desk did the user choose?").messages[-1].content == "Okay."


@pytest.mark.parametrize("tokens", [70, 90, 110, 130])
def test_quotes_take_the_place_of_the_goodbye(tokens: int) -> None:
    sessions = Sessions(
        "memory://", policy=Policy(Budget(tokens, reply_reserve_tokens=0), folding="off", embedder=None)
    )
    session = sessions.session("desk")
    session.append([{"role": role, "content": text} for role, text in [*TALK[:-1], ("assistant", "Parcel 7731 left.")]])
    shown = session.view("Which desk did the user choose?").messages
    assert shown[0].role == "user"
    assert "Larch" in shown[0].content
    assert not any("that's all I need" in message.content for message in shown)


def test_explain_says_that_a_goodbye_was_dropped_for_quotes() -> None:
    sessions = Sessions("memory://", policy=Policy(Budget(70, reply_reserve_tokens=0), folding="off", embedder=None))
    session = sessions.session("desk")
    session.append([{"role": role, "content": text} for role, text in TALK])
    assert "a courtesy, while the question is about something else" in session.view("Which desk was it?").explain()


def test_a_goodbye_stays_if_there_is_room() -> None:
    assert _view("Which desk did the user choose?", 400)[-1].endswith("Goodbye.")
