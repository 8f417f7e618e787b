"""More conversations that are made up: tools that answer in other forms than JSON, and an adviser's long answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from benchmarks.quality_data import Conversation, Probe
from benchmarks.quality_sessions import EACH, Script
from benchmarks.quality_talk import COLOURS, MODELS, STREETS, chatter, code, iso_day, person, small_talk

Row = Mapping[str, str]
ROWS = 12
"""So many rows a tool answers with."""


def other_sets(seed: int, each: int = EACH) -> dict[str, list[Conversation]]:
    """The two kinds, `each` of them; the same seed makes the same ones."""
    makers = {"desk": desk, "adviser": adviser}
    return {
        kind: [maker(f"{kind}-{seed}-{number}", random.Random(f"{kind} {seed} {number}")) for number in range(each)]
        for kind, maker in makers.items()
    }


def desk(name: str, rnd: random.Random) -> Conversation:
    """Lists of boats, berths and bookings, each in another form; what is done later needs a number out of one."""
    script = Script(name, rnd)
    script.say("user", "Good morning. Let us look at what there is, then I have some things to be done.")
    script.say("assistant", "Good morning. Which list first?")
    lists = []
    for kind, form in zip(("boats", "berths", "bookings"), rnd.sample(list(FORMS), 3), strict=True):
        rows = [_row(rnd, person) for person in _people(rnd)]
        script.say("user", f"Please show me the {kind}.")
        script.call(f"list_{kind}", FORMS[form](rows), form=form)
        script.say("assistant", f"These are the {len(rows)} {kind}.")
        lists.append((kind, rows))
    script.say("user", small_talk(rnd))
    script.say("assistant", chatter(rnd, 4))
    jobs = [(kind, row) for kind, rows in lists for row in rnd.sample(rows, 3)]
    for kind, row in rnd.sample(jobs, len(jobs)):
        script.say("user", f"Of the {kind}, put the one of {row['owner']} on hold.")
        script.call("hold", "held", needs=[row["number"]], kind=kind, number=row["number"])
        script.say("assistant", "It is on hold.")
    return script.made()


def adviser(name: str, rnd: random.Random) -> Conversation:
    """Short questions and long answers, of which one sentence settles something; asked about at the end."""
    script = Script(name, rnd)
    settled: list[tuple[str, str, str]] = []
    for about in rnd.sample(list(ADVICE), len(ADVICE)):
        value = code(rnd, "", 3)
        script.say("user", f"What do you advise on {about}?")
        told = [chatter(rnd, 3), ADVICE[about].format(value=value), chatter(rnd, rnd.randint(3, 6))]
        head = f"## On {about}\n\n" if rnd.random() < 0.5 else ""
        turn = script.say("assistant", head + "\n\n".join(rnd.sample(told, len(told))))
        settled.append((about, value, turn))
        script.say("user", small_talk(rnd))
        script.say("assistant", chatter(rnd, rnd.randint(5, 9)))
    script.probes += [
        Probe("slot_final", f"What did you advise on {about}?", (value,), (turn,), len(script.messages), "advice")
        for about, value, turn in settled
    ]
    return script.made()


def _people(rnd: random.Random) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < ROWS:
        found[person(rnd)] = None
    return list(found)


def _row(rnd: random.Random, owner: str) -> Row:
    return {
        "owner": owner,
        "number": code(rnd, "N-", 6),
        "boat": f"{rnd.choice(COLOURS)} {rnd.choice(MODELS)}",
        "pier": f"{rnd.choice(STREETS)} {rnd.randint(1, 30)}",
        "until": iso_day(rnd),
        "metres": str(rnd.randint(4, 19)),
    }


def _csv(rows: Sequence[Row]) -> str:
    return "\n".join(",".join(line) for line in (rows[0], *(row.values() for row in rows)))


def _markdown(rows: Sequence[Row]) -> str:
    lines = (rows[0], ["---"] * len(rows[0]), *(row.values() for row in rows))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _xml(rows: Sequence[Row]) -> str:
    items = ("".join(f"\n    <{key}>{said}</{key}>" for key, said in row.items()) for row in rows)
    return "<list>" + "".join(f"\n  <item>{fields}\n  </item>" for fields in items) + "\n</list>"


def _yaml(rows: Sequence[Row]) -> str:
    items = ("\n    ".join(f"{key}: {said}" for key, said in row.items()) for row in rows)
    return "items:" + "".join(f"\n  - {fields}" for fields in items)


def _blocks(rows: Sequence[Row]) -> str:
    return "\n\n".join("\n".join(f"{key.title()}: {said}" for key, said in row.items()) for row in rows)


def _grid(rows: Sequence[Row]) -> str:
    lines = ["|".join(f" {said:<20} " for said in line) for line in (rows[0], *(row.values() for row in rows))]
    return "\n".join([lines[0], "+".join(["-" * 22] * len(rows[0])), *lines[1:]])


FORMS: Mapping[str, Callable[[Sequence[Row]], str]] = {
    "csv": _csv,
    "markdown": _markdown,
    "xml": _xml,
    "yaml": _yaml,
    "text": _blocks,
    "sql": _grid,
}
ADVICE = {
    "the depth of the pond": "Dig it {value} centimetres deep at the middle.",
    "the fence": "Take posts of {value} centimetres and no higher.",
    "watering": "Give the beds {value} litres a week.",
    "the hedge": "It needs {value} plants for that length.",
    "the path": "Order {value} slabs, a few will break.",
    "feeding the roses": "They want {value} grams of it in spring.",
    "the shed": "Leave {value} centimetres between it and the wall.",
    "the compost": "Let it lie for {value} days before you turn it.",
}
