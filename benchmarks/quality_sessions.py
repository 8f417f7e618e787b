"""Conversations that are made up, each by a seed: an agent with tools, a chat full of corrections, a meeting."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.quality_data import Conversation, Probe, Said, text_of
from benchmarks.quality_score import holds, plain
from benchmarks.quality_talk import COLOURS, MODELS, STREETS, chatter, code, day, euros, iso_day, person, small_talk

EACH = 8
"""Conversations of each kind."""


@dataclass(slots=True)
class Script:
    """A conversation in the making."""

    id: str
    rnd: random.Random
    messages: list[Said] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)

    def say(self, role: str, content: str, **more: Any) -> str:
        """One more message; the name of its turn."""
        turn = f"t{len(self.messages) + 1}"
        self.messages.append({"role": role, "content": content, "turn_id": turn, **more})
        return turn

    def call(self, tool: str, answer: Any, needs: Sequence[str] = (), **arguments: str) -> None:
        """A call, which needs values that were said before, and its result."""
        self.probes.extend(map(self._needed, needs))
        made = f"call_{self.rnd.getrandbits(48):012x}"
        asked = {"name": tool, "arguments": json.dumps(arguments)}
        self.say("assistant", "", tool_calls=[{"id": made, "type": "function", "function": asked}])
        self.say("tool", answer if isinstance(answer, str) else json.dumps(answer), tool_call_id=made)

    def made(self) -> Conversation:
        """The conversation, with how long ago each value was mentioned."""
        whole = Conversation(self.id, tuple(self.messages), ())
        probes = [self._with_gap(probe, whole) if probe.kind == "needed_value" else probe for probe in self.probes]
        return Conversation(self.id, whole.messages, tuple(sorted(probes, key=lambda probe: probe.at)))

    def _needed(self, value: str) -> Probe:
        asked = next(place for place in reversed(range(len(self.messages))) if self.messages[place]["role"] == "user")
        before = self.messages[asked - 1]["content"] if asked else ""
        turns = tuple(m["turn_id"] for m in self.messages if holds(value, plain(text_of(m))))
        question = self.messages[asked]["content"]
        return Probe("needed_value", question, (value,), turns, len(self.messages), "needed", aux_query=before)

    def _with_gap(self, probe: Probe, whole: Conversation) -> Probe:
        last = int(probe.evidence[-1].removeprefix("t"))
        return replace(probe, gap_tokens=whole.before[probe.at] - whole.before[last])


def made_sets(seed: int, each: int = EACH) -> dict[str, list[Conversation]]:
    """The three kinds, `each` of them; the same seed makes the same ones."""
    makers = {"agent": agent, "chat": chat, "meeting": meeting}
    return {
        kind: [maker(f"{kind}-{seed}-{number}", random.Random(f"{kind} {seed} {number}")) for number in range(each)]
        for kind, maker in makers.items()
    }


def agent(name: str, rnd: random.Random) -> Conversation:
    """A desk that rents bicycles: what a first look brought up is needed when each thing is done, one after another."""
    script = Script(name, rnd)
    customer, mail = code(rnd, "CU-"), f"{rnd.choice(COLOURS)}.{rnd.randrange(100, 999)}@example.org"
    account, wanted = code(rnd, "ACC", 9), rnd.sample(MODELS, 6)
    rentals = [_rental(rnd, model) for model in wanted]
    script.say("user", f"Hello, some of my rentals need changing. My address is {mail}.")
    profile = {"customer": customer, "name": person(rnd), "mail": mail, "refunds_to": account, "member_since": "2019"}
    script.call("find_customer", profile, needs=[mail], mail=mail)
    script.call("list_rentals", {"customer": customer, "rentals": rentals}, needs=[customer], customer=customer)
    script.say(
        "assistant", f"I see {len(rentals)} rentals, from the {wanted[0]} to the {wanted[-1]}. What is to change?"
    )
    for rental in rnd.sample(rentals, len(rentals)):
        _errand(script, rental)
    script.say("user", "That was all of it. Please pay what is left of my deposits back to where refunds go.")
    script.call("refund", {"done": True}, needs=[customer, account], customer=customer, account=account)
    script.say("assistant", "Done, the deposits are on their way.")
    return script.made()


def _rental(rnd: random.Random, model: str) -> dict[str, Any]:
    return {
        "rental": code(rnd, "R"),
        "bicycle": {"model": model, "colour": rnd.choice(COLOURS), "frame_cm": rnd.choice((50, 52, 54, 56))},
        "station": f"{rnd.choice(STREETS)} Street {rnd.randint(2, 90)}",
        "from": iso_day(rnd),
        "deposit_eur": rnd.randrange(40, 200, 5),
        "lock": code(rnd, "L-", 4),
        "note": None,
    }


def _free(rnd: random.Random, model: str, station: str) -> dict[str, Any]:
    return {
        "bicycle": code(rnd, "B", 5),
        "model": model,
        "station": station,
        "frame_cm": rnd.choice((50, 52, 54, 56)),
        "price_eur": rnd.randint(9, 45),
        "serviced": iso_day(rnd),
        "remark": rnd.choice((None, "new tyres", "bell missing", "lamp checked")),
        "lock": {"kind": rnd.choice(("ring", "chain", "frame")), "spare_key": rnd.random() < 0.5},
    }


def _errand(script: Script, rental: dict[str, Any]) -> None:
    """The user wants one rental moved; in between they ask for something else."""
    rnd, model, new_day = script.rnd, rental["bicycle"]["model"], iso_day(script.rnd)
    number = rental["rental"]
    script.say("user", f"Now the {model}: is it still possible to have it on {new_day}?")
    station = rental["station"]
    free = [_free(rnd, one, station) for one in rnd.sample(MODELS, len(MODELS))]
    answer = {"station": station, "day": new_day, "free": free}
    script.call("list_free", answer, needs=[station, new_day], station=station, day=new_day)
    bicycle = next(one for one in free if one["model"] == model)
    script.say("assistant", f"Yes, one {model} is free at that station then. Shall I move the rental?")
    script.say("user", small_talk(rnd))
    script.say("assistant", chatter(rnd, rnd.randint(3, 7)))
    script.say("user", f"Fine. Yes, please move the {model} to that day.")
    script.call(
        "move_rental", {"rental": number, "day": new_day, "state": "moved", "receipt": code(rnd, "RC")},
        needs=[number, bicycle["bicycle"], new_day], rental=number, bicycle=bicycle["bicycle"], day=new_day,
    )  # fmt: skip
    script.say("assistant", f"The {model} is moved.")


def chat(name: str, rnd: random.Random) -> Conversation:
    """Somebody plans a feast, changes their mind about half of it, and sets two rules at the start."""
    script = Script(name, rnd)
    rules = rnd.sample(RULES, 2)
    turns: list[str] = []
    for rule in rules:
        turns.append(script.say("user", rule))
        script.say("assistant", "Understood.")
    said: dict[str, list[str]] = {}
    where: dict[str, str] = {}
    corrected = rnd.sample(list(SLOTS), len(SLOTS) // 2)
    for patterns, slots in ((STATING, rnd.sample(list(SLOTS), len(SLOTS))), (CORRECTING, corrected)):
        for about in slots:
            value = new_value(about, [one for values in said.values() for one in values], rnd)
            said.setdefault(about, []).append(value)
            where[about] = _stated(script, rnd.choice(patterns), about, value)
    for _ in range(3):
        script.say("user", small_talk(rnd))
        script.say("assistant", chatter(rnd, rnd.randint(3, 7)))
    for about, values in said.items():
        question = f"What did we settle on for {about}?"
        script.probes.append(
            Probe("slot_final", question, (values[-1],), (where[about],), len(script.messages), "settled",
                  superseded=tuple(values[:-1]))
        )  # fmt: skip
    for rule, turn in zip(rules, turns, strict=True):
        script.probes.append(
            Probe("slot_final", "Which rules did I give you?", (rule,), (turn,), len(script.messages), "rule")
        )
    return script.made()


def _stated(script: Script, pattern: str, about: str, value: str) -> str:
    turn = script.say("user", stated(pattern, about, value))
    script.say("assistant", f"Noted. {chatter(script.rnd, script.rnd.randint(1, 4))}")
    script.say("user", small_talk(script.rnd))
    script.say("assistant", chatter(script.rnd, script.rnd.randint(2, 5)))
    return turn


def stated(pattern: str, about: str, value: str) -> str:
    """A sentence that says it."""
    text = pattern.format(about=about, value=value)
    return text[0].upper() + text[1:]


def new_value(about: str, taken: Collection[str], rnd: random.Random) -> str:
    """A value that `about` may have and nothing else had."""
    makers: dict[str, Callable[[], str]] = {
        "day": lambda: day(rnd),
        "euros": lambda: euros(rnd, 500, 9_000),
        "person": lambda: person(rnd),
        "count": lambda: f"{rnd.randint(11, 99)} {about.split()[-1]}",
        "place": lambda: f"{rnd.randint(2, 90)} {rnd.choice(STREETS)} Lane",
        "colour": lambda: f"{rnd.choice(COLOURS)} and {rnd.choice(COLOURS)}",
    }
    return next(value for value in iter(makers[SLOTS[about]], "") if value not in taken)


def meeting(name: str, rnd: random.Random) -> Conversation:
    """Five people go through their topics; each has a view on each, and one of them takes something over."""
    script = Script(name, rnd)
    people = rnd.sample([person(rnd) for _ in range(12)], 5)
    said: dict[tuple[str, str], list[str]] = {}
    for topic in rnd.sample(TOPICS, 8):
        taken_by = rnd.choice(people)
        for speaker in rnd.sample(people * 2, 10):
            view = rnd.choice(VIEWS).format(topic=topic, reason=chatter(rnd, 1))
            said.setdefault((speaker, topic), []).append(script.say("user", view, name=speaker))
        due, task = day(rnd), rnd.choice(TASKS).format(topic=topic)
        turn = script.say("user", f"I will {task} and have it ready by {due}.", name=taken_by)
        question = f"By when is somebody going to {task}?"
        script.probes.append(Probe("qa", question, (due,), (turn,), 0, "promise"))
        speaker = rnd.choice(people)
        question = f"What did {speaker} think about the {topic}?"
        script.probes.append(Probe("qa", question, (), tuple(said[speaker, topic]), 0, "view", extractive=False))
    end = len(script.messages)
    script.probes[:] = [replace(probe, at=end) for probe in script.probes]
    return script.made()


SLOTS = {
    "the date": "day",
    "the budget": "euros",
    "the deposit": "euros",
    "the caterer": "person",
    "the photographer": "person",
    "the number of guests": "count",
    "the number of tables": "count",
    "the address": "place",
    "the colour of the flowers": "colour",
    "the deadline for replies": "day",
}
STATING = (
    "{about} is {value}.",
    "Let us say that {about} is {value}.",
    "About {about}: we go with {value}.",
    "I talked to the others, and {about} will be {value}.",
)
CORRECTING = (
    "Actually, {about} is {value}.",
    "A correction: {about} is {value} now.",
    "No, I have to change something: make {about} {value}.",
    "Please change {about} to {value} instead.",
)
RULES = (
    "Always answer in short sentences.",
    "Never suggest anything with nuts in it.",
    "Always name the price of what you suggest.",
    "Never write to the guests without asking me.",
    "From now on, call me by my first name.",
)
TOPICS = (
    "heating", "entrance hall", "newsletter", "parking permits", "coffee machine", "archive", "training plan", "roof",
    "reading room", "bicycle shed",
)  # fmt: skip
VIEWS = (
    "On the {topic} I would rather wait. {reason}",
    "The {topic} worries me a little. {reason}",
    "I am all for doing the {topic} at once. {reason}",
    "With the {topic} we should ask those who use it. {reason}",
    "For me the {topic} is fine as it stands. {reason}",
    "We spend too much on the {topic}. {reason}",
)
TASKS = (
    "write down what the {topic} needs",
    "ask for offers for the {topic}",
    "find out who looks after the {topic}",
    "draw up a plan for the {topic}",
)
