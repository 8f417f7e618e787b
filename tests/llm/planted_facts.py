"""Generated conversations with planted facts, and what a text may say when these are its source.

What is asserted here is worked out from the planted facts and plain patterns, by nothing of the product.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from session_core import Message, Role, ToolCall
from session_core.language.quoting import BROUGHT_BACK, CONDENSED

PEOPLE = "Marisol Kwame Ingrid Tadeusz Yasmin Leopold Noriko Caspian Brunhild Osvaldo".split()
THINGS = "catering lighting furniture printing parking insurance translation security flowers cleaning".split()
UNWANTED = "fireworks karaoke helicopter balloons casino sauna drones magician fountain trampoline".split()
NEGATIONS = re.compile(r"\b(?:not|no|never|without|cannot)\b|n['’]t\b", re.IGNORECASE)
NUMBER_WORDS = (
    "three four five six seven eight nine ten eleven twelve thirteen fifteen twenty thirty forty fifty".split()
)
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


FRAMES = re.compile(
    rf"^(?:{re.escape(CONDENSED)}|{re.escape(BROUGHT_BACK)})$|^\(\d+ more facts? (?:is|are) in the record"
    r"(?:, including \d+ standing rules)?\.\)$|^Summary:$|^Key facts:$|^\[Conflicting answers, oldest first: |"
    r"The record does not say which holds\.\]$|(?<=\") \(\w+, \d{4}-\d\d-\d\d \d\d:\d\d\)",
    re.MULTILINE,
)
"""What a view says by itself."""


@dataclass(frozen=True, slots=True)
class Round:
    """What is said before the next fold: one person's amount, date and code, one thing nobody wants."""

    person: str
    thing: str
    amount: str
    date: str
    code: str
    unwanted: str
    rule: str

    @property
    def values(self) -> tuple[str, ...]:
        return self.amount, self.date, self.code


def rounds(seed: int, count: int) -> list[Round]:
    rnd = random.Random(seed)
    people, things, unwanted = (rnd.sample(names, count) for names in (PEOPLE, THINGS, UNWANTED))
    return [
        Round(
            person,
            thing,
            f"${rnd.randint(2, 9)},{rnd.randint(100, 999)}",
            f"{rnd.choice(MONTHS)} {rnd.randint(3, 28)}",
            f"{rnd.choice('KXQZ')}{rnd.choice('RTVW')}-{rnd.randint(10_000, 99_999)}",
            missing,
            f"Never pay the {thing} company in advance",
        )
        for person, thing, missing in zip(people, things, unwanted, strict=True)
    ]


def said(one: Round, number: int) -> list[Message]:
    """What is planted, and talk around it."""
    call = ToolCall(f"call-{number}", "find_offer", f'{{"for": "{one.thing}"}}')
    told = [
        (Role.USER, f"Hi again. {one.person} will take care of the {one.thing}, for at most {one.amount}."),
        (Role.ASSISTANT, f"Good, {one.person} has the {one.thing} then."),
        (Role.USER, f"{one.rule}. And we do not want {one.unwanted} at the party."),
        (Role.ASSISTANT, "Understood. Let me look for an offer."),
        (Role.TOOL, f'{{"offer": "{one.code}", "for": "{one.thing}", "ends": "{one.date}"}}'),
        (Role.ASSISTANT, f"There is the offer {one.code} for the {one.thing}; it ends on {one.date}."),
        (Role.USER, "Thanks, that sounds fine. What do people usually forget when they plan such an evening?"),
        (Role.ASSISTANT, "Most forget the way home, the weather, and somebody who looks after the music. " * 5),
        (Role.USER, "I see. Tell me more about the music then, please."),
        (Role.ASSISTANT, "A calm beginning helps guests to talk, and livelier songs belong after the meal. " * 5),
    ]
    made = []
    for place, (role, content) in enumerate(told):
        calls = (call,) if place == 3 else ()
        answers = call.id if role is Role.TOOL else None
        name = call.name if answers else None
        named = f"r{number}m{place}"
        made.append(Message(role, content, id=named, tool_calls=calls, tool_call_id=answers, name=name))
    return made


def source_of(messages: Sequence[Message]) -> str:
    """All that the messages say."""
    parts = ((m.content, m.name or "", *(f"{call.name} {call.arguments}" for call in m.tool_calls)) for m in messages)
    return "\n".join(" ".join(part) for part in parts)


def invented(text: str, source: str) -> list[str]:
    """The numbers, codes, names, months and days in `text` that `source` does not have."""
    text = FRAMES.sub(" ", text)
    plain, known = _joined(text), _joined(source)
    have = set(re.findall(r"\d+", known))
    words = {word.casefold() for word in re.findall(r"[^\W\d_]+", known)}
    wrong = [run for run in re.findall(r"\d+", plain) if run not in have]
    wrong += [code for code in re.findall(r"\b[A-Z]{2}-\d+\b", text) if code not in source]
    wrong += [amount for amount in re.findall(r"[$€£]\d[\d,.]*\d", text) if amount.strip(".,") not in source]
    named = re.findall(r"(?<![.!?:|>\n•-]\s)(?<!^)\b[A-Z][a-z]+\b", text, re.MULTILINE)
    named += [word for word in re.findall(r"[A-Z][a-z]+", text) if word in (*MONTHS, *DAYS, *PEOPLE)]
    wrong += [word for word in named if word.casefold() not in words]
    wrong += [word for word in re.findall(r"[a-z]+", text.casefold()) if word in NUMBER_WORDS and word not in words]
    return wrong


def _joined(text: str) -> str:
    return re.sub(r"(?<=\d)[,'](?=\d{3}\b)", "", text)


def confused(text: str, planted: Sequence[Round]) -> Iterator[str]:
    """The sentences of `text` that give one person's or thing's value to another, or drop a "not"."""
    for sentence in re.split(r"(?<=[.!?])\s|\n", text):
        here = [one for one in planted if one.person in sentence or one.thing in sentence.casefold()]
        for one in planted:
            if here and one not in here and any(value in sentence for value in one.values):
                yield sentence
            unwanted = one.unwanted in sentence.casefold() and re.search(r"\bwant", sentence)
            if unwanted and not NEGATIONS.search(sentence):
                yield sentence
