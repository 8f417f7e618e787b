"""What has changed no longer stands as if it held: "I work at Bosch now" takes the place of "I work for Siemens"."""

from __future__ import annotations

import pytest

from session_core import Budget, Policy, Sessions
from session_core.facts import extract, merge
from session_core.language.changes import change, may_report_change
from session_core.turns import Message, Role

CHANGED = [
    ("I live in Leeds.", "I recently relocated to York for work."),
    ("We're based in Graz.", "We moved over to Linz in spring."),
    ("My gym is on Main Street.", "I switched to a new gym on Oak Street."),
    ("Rent is $900 a month.", "They raised the rent to $1,050."),
    ("I have a Honda Civic.", "I no longer have the Honda Civic."),
    ("I smoke.", "I quit smoking."),
    ("I take metformin 500 mg.", "I don't take metformin any more."),
    ("My boss is Karen.", "My new boss is Lee."),
    ("The launch is on 4 May.", "The launch has been moved to 11 May."),
    ("We have 12 employees.", "We now have 15 employees."),
    ("My weight is 82 kg.", "My weight is now 79 kg."),
    ("I weigh 82 kg.", "I weigh 79 kg now."),
    ("Our standup is at 9:30.", "Starting next week our standup is at 10:00."),
    ("I drive a Golf.", "These days I drive a Tesla."),
    ("J'habite à Lyon.", "J'ai déménagé à Nantes."),
    ("Vivo en Sevilla.", "Me mudé a Bilbao."),
    ("Das Treffen ist am 3. Mai.", "Das Treffen wurde auf den 10. Mai verschoben."),
    ("The Wi-Fi password is hunter2.", "The Wi-Fi password was changed to tiger77."),
    ("I'm a vegetarian.", "I'm no longer a vegetarian."),
    ("My daughter goes to Hill School.", "My daughter goes to Lake School now."),
    ("The team uses Jira.", "The team switched to Linear."),
    ("I wake up at 6 am every day.", "Now I wake up at 7 am every day."),
    ("I've been collecting stamps and have 40 stamps.", "I now have 55 stamps in my collection."),
    ("My personal best for 5k is 27:12.", "My personal best for 5k is now 25:50."),
]
"""What was so, and what it has become."""
BESIDE = [
    ("I live in Leeds.", "I work in York now."),
    ("My son is 5.", "My daughter is 7 now."),
    ("I need a hotel in Leeds for 3 nights.", "Now I need a train to York on Friday."),
    ("The hotel costs $90.", "They raised the parking to $20."),
    ("Book a table for 4 at 7 pm.", "Now tell me about the museum that opens at 9 am."),
    ("My phone number is 0170 5551234.", "I need a new number plate for my car from Leeds."),
    ("The blue room is free.", "I moved the chairs to the red room."),
    ("I love dogs.", "I don't want to wait any more."),
    ("We met in Paris.", "We moved to the next topic, Rome."),
    ("I moved to Leeds in 2010.", "I moved the meeting to Friday."),
    ("Our deadline is June 3.", "Is the deadline now June 17?"),
    ("Order 4711 costs $30.", "I'd like to return order 4712 now, it costs $40."),
    ("I work for Siemens.", "I worked for Bosch before."),
    ("I have a dog called Rex.", "I have a new cat called Tom."),
    ("Since Monday the printer is broken.", "Since Tuesday the scanner is broken."),
    ("The first flight is at 9 am.", "The second flight was moved to 11 am."),
]
"""Two statements that hold both, or of which the second states nothing of the first."""


def changed(old: str, new: str) -> bool:
    made = change(new)
    return made is not None and made.ends(old)


@pytest.mark.parametrize(("old", "new"), CHANGED)
def test_changes_are_recognised(old: str, new: str) -> None:
    assert may_report_change(new)
    assert changed(old, new)


@pytest.mark.parametrize(("old", "new"), BESIDE)
def test_statements_about_other_things_are_no_changes(old: str, new: str) -> None:
    assert not changed(old, new)


def test_a_repeated_statement_is_no_change() -> None:
    for old, new in (*CHANGED, *BESIDE):
        assert not changed(old, old)
        assert not changed(new, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("I live in Berlin.", "I've moved to Munich."),
        ("I work for Siemens as an engineer.", "I changed jobs, I work at Bosch now."),
        ("My manager is Dana.", "Since Monday my manager is Pete."),
        ("I take 20 mg of lisinopril daily.", "My doctor raised the lisinopril to 40 mg."),
        ("Our deadline is June 3.", "The deadline got pushed to June 17."),
        ("I'm vegetarian.", "I'm not vegetarian any more, I eat fish again."),
        ("Ich wohne in Berlin.", "Ich bin nach München umgezogen."),
    ],
)
def test_an_outdated_fact_is_never_shown_without_the_change(old: str, new: str) -> None:
    said = [
        Message(Role.USER, old, seq=1),
        *(Message(Role.USER, f"Tell me about bridge {number}.", seq=number) for number in range(2, 300)),
        Message(Role.USER, new, seq=300),
    ]
    current = [fact.text for fact in merge((), extract(said)) if fact.current]
    assert [text for text in current if new.rstrip(".") in text]
    assert not [text for text in current if old.rstrip(".") in text and new.rstrip(".") not in text]


def test_a_change_affects_only_facts_of_its_author() -> None:
    said = [
        Message(Role.USER, "I live in Berlin.", author="Ann", seq=1),
        Message(Role.USER, "I live in Graz.", author="Bob", seq=2),
        Message(Role.USER, "I've moved to Munich.", author="Bob", seq=3),
    ]
    current = {fact.text for fact in merge((), extract(said)) if fact.current}
    assert current == {"I live in Berlin.", "I live in Graz (later: “I've moved to Munich.”)"}


def test_a_view_quotes_the_fact_and_its_change_in_order() -> None:
    with Sessions(policy=Policy(Budget(400, reply_reserve_tokens=0), folding="off")) as sessions:
        session = sessions.session("s")
        session.append({"role": "user", "content": "I work for Siemens as an engineer."})
        for number in range(12):
            session.append({"role": "user", "content": f"Tell me something about bridge {number} in the old town."})
            session.append({"role": "assistant", "content": f"Bridge {number} was built of grey stone long ago. " * 4})
        session.append({"role": "user", "content": "I changed jobs, I work at Bosch now."})
        for number in range(12):
            session.append({"role": "user", "content": f"And what about tower {number} in the old town?"})
            session.append({"role": "assistant", "content": f"Tower {number} was built of red brick long ago. " * 4})
        shown = "\n".join(message.content for message in session.view("Who do I work for?").messages)
    assert "I work for Siemens as an engineer (later: “I changed jobs, I work at Bosch now.”)" in shown
