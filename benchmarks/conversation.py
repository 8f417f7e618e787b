"""What the stores are given: turns of four messages, in the shape of the OpenAI chat API, the same for every store."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import orjson

CHARACTERS = 300
RESULT_BYTES = 4_096
TURN = 4
"""Messages in a turn, here."""

Said = dict[str, Any]

_WORDS = (
    "the a of to and in we you for that is on with it as be this are from have by not at or can will about our they "
    "which what when please order refund flight hotel table window budget friday kitchen garden report invoice cable "
    "river customer account shipment delay address payment contract meeting schedule draft review deadline supplier "
    "quality sample price discount total amount number version update release server database query index cache queue "
    "message session token model answer question summary detail reason change problem fix test result error warning "
    "morning evening today tomorrow monday tuesday april june autumn north south small large early late new old open "
    "closed ready first second last next another same different before after between under over again never always "
    "think know want need find give take make move send call write read keep leave start stop wait check compare"
).split()
_STATES = ("shipped", "waiting", "returned", "in transit", "delivered", "on hold")


def texts(messages: int) -> Iterator[Said]:
    """A conversation of plain messages of 300 characters, user and assistant in turn."""
    rnd = random.Random(messages)
    for number in range(messages):
        yield {"role": "assistant" if number % 2 else "user", "content": _text(rnd)}


def mixed(messages: int) -> Iterator[Said]:
    """A conversation of turns: a question, a call, its result of 4 KB, an answer; 300 characters but for the result."""
    rnd = random.Random(messages)
    return islice((one for number in range(messages) for one in _turn(rnd, number)), messages)


def batches(said: Iterator[Said]) -> Iterator[list[Said]]:
    """`said` in turns."""
    while batch := list(islice(said, TURN)):
        yield batch


def as_json(one: Said) -> bytes:
    """A message as somebody would store it who stores it by hand."""
    return orjson.dumps(one)


def raw_bytes(said: Sequence[Said]) -> int:
    """What the messages are as JSON in UTF-8."""
    return sum(len(as_json(one)) for one in said)


def _turn(rnd: random.Random, number: int) -> Iterator[Said]:
    call_id = f"call_{rnd.getrandbits(64):016x}"
    asked = {"name": "find_orders", "arguments": json.dumps({"customer": rnd.randint(1_000, 9_999), "page": number})}
    yield {"role": "user", "content": _text(rnd)}
    yield {
        "role": "assistant",
        "content": _text(rnd),
        "tool_calls": [{"id": call_id, "type": "function", "function": asked}],
    }
    yield {"role": "tool", "tool_call_id": call_id, "content": _result(rnd)}
    yield {"role": "assistant", "content": _text(rnd)}


def _text(rnd: random.Random) -> str:
    """A text of exactly 300 characters: sentences of common words, every tenth word a number."""
    parts: list[str] = []
    length = 0
    while length < CHARACTERS:
        sentence = [rnd.choice(_WORDS) if rnd.random() > 0.1 else str(rnd.randint(2, 9_999)) for _ in range(9)]
        parts.append(" ".join(sentence).capitalize() + ".")
        length += len(parts[-1]) + 1
    return " ".join(parts)[: CHARACTERS - 1] + "."


def _result(rnd: random.Random) -> str:
    """A list of orders as JSON, of exactly 4,096 bytes; a note fills it up."""
    rows: list[dict[str, object]] = []
    while len(json.dumps({"orders": rows, "note": ""})) < RESULT_BYTES - 250:
        rows.append(
            {
                "order": f"A-{rnd.randint(100_000, 999_999)}",
                "customer": f"{rnd.choice(_WORDS)}.{rnd.choice(_WORDS)}@example.com",
                "amount": rnd.randint(100, 99_999) / 100,
                "state": rnd.choice(_STATES),
                "placed": f"2026-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}T{rnd.randint(0, 23):02}:15:00Z",
                "remark": " ".join(rnd.choices(_WORDS, k=5)),
            }
        )
    note = " ".join(rnd.choices(_WORDS, k=80))
    room = RESULT_BYTES - len(json.dumps({"orders": rows, "note": ""}))
    return json.dumps({"orders": rows, "note": note[:room].ljust(room)})
