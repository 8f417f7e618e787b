"""Corrections: whatever was corrected never stands as if it still held, in no view, at no distance, after no fold."""

from __future__ import annotations

import re
from itertools import count, cycle

import pytest

from session_core import Budget, Policy, Session, Sessions, View
from session_core.compress.summary import amended_lines
from session_core.fact_selection import line
from session_core.facts import extract, merge
from session_core.language.amending import append_correction, parts_told
from session_core.plan import Fact, FactKind
from session_core.ports import SummaryRequest
from session_core.recall.amendments import with_corrections
from session_core.turns import Message, Role

# What is stated, the old value, the new one, and a question that needs it.
SLOTS = {
    "budget": ("My budget is {}.", "$900", "$700", "What was my budget?"),
    "purpose": ("Our budget for the Lisbon trip is {}, all in.", "500 EUR", "650 EUR", "How much can we spend?"),
    "date": ("We fly to Rome on {} with our bags.", "3 May", "4 May", "When do we fly to Rome?"),
    "weekday": ("I need a train to Leeds on {}.", "Friday", "Saturday", "Which day does my train to Leeds leave?"),
    "time": ("Please reserve a table at the Lantern for {}.", "7pm", "8:30 pm", "When is the Lantern reserved?"),
    "people": ("We need a room for {} people.", "41", "57", "For how many people is the room?"),
    "place": ("I'm looking for a train to {}.", "Norwich", "Ipswich", "Where does my train go?"),
    "city": ("We live in {} now.", "Oslo", "Bergen", "Where do we live?"),
    "direction": ("I want a flat in the {} of town.", "north", "south", "Which part of town should the flat be in?"),
    "cuisine": ("I'd like a {} cooking class.", "Chinese", "Italian", "What cooking class did I want?"),
    "colour": ("I'd like the jacket in {}.", "navy", "olive", "Which colour of jacket did I want?"),
    "favourite": ("My favourite colour is {}.", "green", "purple", "What is my favourite colour?"),
    "name": ("My name is {}.", "Ann Kowalski", "Anna Kowalska", "What is my name?"),
    "contact": ("The contact for the project is {}.", "Peter Marsh", "Julia Weiss", "Who is the project's contact?"),
    "email": ("My email is {}.", "ann@old.example", "ann@new.example", "What is my email?"),
    "phone": ("You can reach me at {}.", "+44 20 7946 0101", "+44 20 7946 0999", "How can I be reached?"),
    "order": ("I want to return order {}.", "W-7712", "W-9934", "Which order do I want to return?"),
    "seat": ("I prefer a seat by the {}.", "aisle", "window", "Where do I prefer to sit?"),
    "limit": ("The flight must not cost more than {}.", "$400", "$550", "How much may the flight cost?"),
}  # fmt: skip
FORMS = (
    "Actually, {new}.", "No, I meant {new}.", "Change it to {new}.", "Please change that to {new}.", "Make that {new}.",
    "Make it {new} instead.", "Sorry, {new}.", "Sorry, I meant {new}.", "Oops, it's {new}.", "Scratch that, {new}.",
    "Wait, {new}.", "{new}, not {old}.", "Not {old}, {new}.", "I said {old}, but it should be {new}.",
    "On second thought, {new}.", "I changed my mind: {new}.", "Could you switch to {new}?", "Correction: {new}.",
    "Let's go with {new} instead of {old}.", "Can we do {new} instead?", "It should be {new}.",
    "{new} would be better.", "What about {new} instead?", "Hmm, rather {new}.",
    "Can you change it from {old} to {new}?", "{again}", "Actually, {again}",
)  # fmt: skip
KINDS = "bridge mill chapel lighthouse orchard quarry meadow harbour canal abbey garden tower theatre library".split()
LOOKS = "old ruined famous hidden restored quiet steep".split()


def chat(number: int) -> list[Message]:
    """A turn about something else."""
    place = f"{LOOKS[number % 7]} {KINDS[number % 14]}"
    return [
        Message(Role.USER, f"Tell me something about the {place} in that valley, please."),
        Message(
            Role.ASSISTANT, f"The {place} was made of stone long ago, and people walk past it every day on their way."
        ),
    ]


def talk(session: Session, said: list[tuple[str, str]], *, between: int, behind: int) -> None:
    """Each of `said` with its answer, `between` turns of chat after each, and `behind` at the end."""
    numbers = count()
    for text, answer in said:
        session.append([Message(Role.USER, text), Message(Role.ASSISTANT, answer)])
        for _ in range(between):
            session.append(chat(next(numbers)))
    for _ in range(behind):
        session.append(chat(next(numbers)))


def stands(view: View, old: str, new: str, correction: str) -> bool:
    """Whether the old value is the last word on it in the view."""
    text = "\n".join(message.content for message in view.messages)
    for form in (correction, correction.rstrip(".?")):
        text = text.replace(form, new)
    last = {value: max([-1, *_places(value, text)]) for value in (old, new)}
    return last[old] > last[new]


def _places(value: str, text: str) -> list[int]:
    return [found.start() for found in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text)]


@pytest.mark.parametrize("slot", SLOTS)
def test_a_superseded_value_is_never_the_last_word(slot: str) -> None:
    stated, old, new, question = SLOTS[slot]
    ways = cycle(
        [(0, 3, 512, True), (1, 14, 512, False), (0, 14, 1_000, True), (1, 3, 1_000, True), (0, 25, 2_000, False)]
    )
    for form, (between, behind, limit, repeated) in zip(FORMS, ways, strict=False):
        correction = form.format(new=new, old=old, again=stated.format(new))
        with Sessions(policy=Policy(Budget(limit, reply_reserve_tokens=0), folding="inline")) as sessions:
            session = sessions.session("s")
            answer = f"Noted, {old}. Anything else?" if repeated else "Noted. Anything else?"
            talk(session, [(stated.format(old), answer), (correction, "All right.")], between=between, behind=behind)
            for query in (None, question):
                assert not stands(session.view(query), old, new, correction), (form, query, between, behind, limit)


@pytest.mark.parametrize("limit", [512, 1_000])
def test_of_a_chain_of_corrections_the_last_one_stands_after_many_folds(limit: int) -> None:
    said = [
        ("We fly to Rome on 3 May.", "Noted, 3 May."),
        ("No, I meant 4 May.", "Fine, 4 May it is."),
        ("I'm staying in Norwich.", "Norwich, all right."),
        ("Actually, Ipswich.", "Ipswich then."),
        ("Sorry, make it 6 May.", "Done."),
        ("Hmm, rather Lowestoft.", "Done."),
    ]
    with Sessions(policy=Policy(Budget(limit, reply_reserve_tokens=0), folding="inline")) as sessions:
        session = sessions.session("s")
        talk(session, said, between=2, behind=0)
        for number in range(100):
            session.append(chat(number))
            for query in (None, "When do we fly to Rome?", "Where am I staying?"):
                view = session.view(query)
                assert not stands(view, "3 May", "6 May", "Sorry, make it 6 May.")
                assert not stands(view, "4 May", "6 May", "Sorry, make it 6 May.")
                assert not stands(view, "Norwich", "Lowestoft", "Hmm, rather Lowestoft.")
        digest = session.view().digest
        assert digest is not None
        assert digest.number >= 5


def current(*messages: Message) -> list[str]:
    return [line(fact) for fact in merge((), extract(messages)) if fact.current]


def user(text: str, seq: int, author: str | None = None) -> Message:
    return Message(Role.USER, text, seq=seq, author=author)


@pytest.mark.parametrize(
    ("stated", "correction"),
    [
        ("I'm looking for a train to Norwich.", "No, I meant Ipswich."),
        ("I'd like the jacket in navy.", "Hmm, rather olive."),
        ("I need parking.", "Sorry, no parking."),
    ],
)
def test_a_correction_of_words_stands_on_one_line_behind_what_it_corrects(stated: str, correction: str) -> None:
    assert current(user(stated, 1), user(correction, 3)) == [f"{stated[:-1]} (later: “{correction}”)"]


def test_a_correction_finds_its_statement_among_others() -> None:
    said = current(
        user("I'd like the jacket in navy.", 1), user("I prefer the aisle.", 3),
        user("Deliver it to Oslo, I need it there.", 5),
        user("Actually, make it olive.", 7), user("Sorry, the window.", 9), user("No, Bergen, not Oslo.", 11),
    )  # fmt: skip
    assert sorted(said) == [
        "Deliver it to Oslo, I need it there (later: “No, Bergen, not Oslo.”)",
        "I prefer the aisle (later: “Sorry, the window.”)",
        "I'd like the jacket in navy (later: “Actually, make it olive.”)",
    ]


def test_a_rule_stays_word_for_word_and_its_correction_is_pinned_like_it() -> None:
    facts = merge((), extract([user("Always answer in French.", 1), user("Actually, in German.", 3)]))
    assert [(fact.kind, fact.text) for fact in facts if fact.current] == [
        (FactKind.RULE, "Always answer in French."),
        (FactKind.RULE, "Actually, in German."),
    ]


def test_an_old_value_that_the_correction_names_is_the_one_that_goes() -> None:
    said = current(
        user("The hall holds 120 people.", 1), user("We invited 80 people.", 3), user("Sorry, 90, not 80.", 5)
    )
    assert "The hall holds 120 people." in said
    assert "We invited 80 people." not in said


@pytest.mark.parametrize(
    ("stated", "said", "kept"),
    [
        ("The fee is 1,380,000 if we prepay.", "push signing to the 25th, their CFO is travelling", "1,380,000"),
        ("The meeting is about page 7 of the plan.", "can we do page 112? not 111, we had those in school", "page 7"),
        ("We can only stay until 5.", "not 111, we had those in school", "until 5"),
        ("I have 3 cats.", "we saw 12 houses, not 14", "3 cats"),
    ],
)
def test_a_day_replaces_no_sum_and_a_named_old_value_nothing_but_itself(stated: str, said: str, kept: str) -> None:
    assert any(kept in told for told in current(user(stated, 1), user(said, 3)))


def test_merging_a_correction_of_words_twice_changes_nothing() -> None:
    new = extract([user("I'd like the jacket in navy.", 1), user("Hmm, rather olive.", 3)])
    assert merge(merge((), new), new) == merge((), new)


def test_another_persons_statement_is_not_corrected() -> None:
    said = current(user("I prefer tea in the garden.", 1, "Ann"), user("Actually, coffee.", 2, "Bob"))
    assert said == ["Ann: I prefer tea in the garden.", "Bob: Actually, coffee."]


@pytest.mark.parametrize(
    "text",
    [
        "No, thanks.",
        "No, that's all.",
        "Sorry, can you say that again?",
        "Wait, what is that?",
        "No, you have been great.",
    ],
)
def test_what_only_sounds_like_a_correction_replaces_nothing(text: str) -> None:
    assert "I'd like the jacket in navy." in current(user("I'd like the jacket in navy.", 1), user(text, 3))


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("My name is Mei Patel and my zip code is 76165.", "Yes, please change it to the 500-piece puzzle."),
        ("My name is Mei Patel and my zip code is 76165.", "I would like it delivered to Suite 641 instead."),
        ("My account mail is mia@example.org.", "My reason is “no longer needed”."),
    ],
)
def test_what_speaks_of_something_else_is_told_behind_nothing(stated: str, said: str) -> None:
    told = user(stated, 1), Message(Role.ASSISTANT, "And what is it about?", seq=2), user(said, 3)
    assert [message.content for message in with_corrections(told, extract(told))] == [
        message.content for message in told
    ]


def test_an_old_message_is_quoted_with_its_correction() -> None:
    old = user("Hello. We live in Oslo now. It is cold.", 1)
    [told] = with_corrections([old], extract([user("Sorry, I meant Bergen.", 3)]))
    assert told.content == "Hello. We live in Oslo now (later: “Sorry, I meant Bergen.”) It is cold."
    assert with_corrections([old], extract([user("I prefer tea.", 3)])) == [old]


def test_what_a_tool_said_is_quoted_as_it_is() -> None:
    result = Message(Role.TOOL, "date: 3 May", tool_call_id="c", seq=1)
    assert with_corrections([result], extract([user("No, I meant 4 May.", 3)])) == [result]


def test_a_line_of_a_summary_takes_its_correction_along() -> None:
    later = extract([user("Make it $700 instead.", 9)])
    assert amended_lines("User: My budget is $900.\nread_page → total: $900", later) == (
        "User: My budget is $900 (later: “Make it $700 instead.”)\nread_page → total: $900"
    )


def test_statement_and_corrections_stay_on_one_short_line() -> None:
    text = "So it went. " * 40
    for number in range(5):
        text = append_correction(text, f"No, {number}, " + "and so on " * 30)
    first, laters = parts_told(text)
    assert len(text) < 320
    assert first.startswith("So it went")
    assert [said[:5] for said in laters] == ["No, 3", "No, 4"]


def test_a_fold_keeps_statement_and_correction_through_a_model_that_drops_the_correction() -> None:
    class Forgetful:
        name = "forgetful"

        async def summarize(self, request: SummaryRequest) -> str:
            return "My budget is $900."

    policy = Policy(Budget(600, reply_reserve_tokens=0), folding="inline", summarizer=Forgetful())
    with Sessions(policy=policy) as sessions:
        session = sessions.session("s")
        talk(session, [("My budget is $900.", "Noted."), ("Sorry, $700.", "Noted.")], between=0, behind=20)
        view = session.view()
        assert "$700" in view.messages[0].content
        assert not stands(view, "$900", "$700", "Sorry, $700.")


def test_what_was_told_beside_a_fact_is_found_again() -> None:
    fact = Fact(FactKind.PREFERENCE, append_correction("We live in Oslo now.", "Sorry, Bergen."), seq=3)
    [told] = with_corrections([user("We live in Oslo now.", 1)], [fact])
    assert told.content == "We live in Oslo now (later: “Sorry, Bergen.”)"
