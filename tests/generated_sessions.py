"""Generated conversations: parallel calls, interleaved tools, huge outputs, media, empties, system messages."""

from __future__ import annotations

import json
import random

from session_core import Media, Message, Role, ToolCall

_WORDS = "order refund flight hotel table window budget friday kitchen garden report invoice cable river".split()
_SAID = (
    "My budget is {n} euros for the {w}.",
    "Please never call me about the {w}.",
    "ok",
    "Thanks!",
    "What about the {w} with number {w}-{n}?",
    "Actually, make it {n} instead.",
    "Tell me everything about {w} and {w2} until 2026-0{d}-1{d}.",
)


def conversation(seed: int, *, most_turns: int = 14) -> list[Message]:
    """One conversation; the same seed gives the same one."""
    rnd = random.Random(seed)
    made: list[Message] = []
    if rnd.random() < 0.4:
        made.append(_message(rnd, Role.SYSTEM, "You help. Always be brief."))
    if rnd.random() < 0.1:
        made.append(_message(rnd, Role.ASSISTANT, "Hello, how can I help?"))
    for _ in range(rnd.randint(1, most_turns)):
        made.extend(_turn(rnd))
    return made


def _turn(rnd: random.Random) -> list[Message]:
    media = (Media("image", "aGVsbG8=" * 50, "image/png"),) if rnd.random() < 0.1 else ()
    author = rnd.choice(["Ann", "Bob", None, None, None])
    turn = [_message(rnd, Role.USER, _text(rnd), media=media, author=author)]
    for _ in range(rnd.choice([0, 0, 1, 1, 2, 5])):
        turn.extend(_exchange(rnd))
    if rnd.random() < 0.9:
        turn.append(_message(rnd, Role.ASSISTANT, _text(rnd) if rnd.random() < 0.95 else ""))
    return turn


def _exchange(rnd: random.Random) -> list[Message]:
    calls = tuple(
        ToolCall(f"call-{rnd.getrandbits(48)}", rnd.choice(["search", "read", "list"]), _arguments(rnd))
        for _ in range(rnd.choice([1, 1, 1, 2, 3, 12]))
    )
    asked = _message(rnd, Role.ASSISTANT, _text(rnd) if rnd.random() < 0.3 else "", tool_calls=calls)
    results = [
        _message(rnd, Role.TOOL, _output(rnd), tool_call_id=call.id, name=call.name)
        for call in calls
        if rnd.random() < 0.97
    ]
    rnd.shuffle(results)
    return [asked, *results]


def _message(rnd: random.Random, role: Role, content: str, **fields: object) -> Message:
    return Message(role, content, id=f"{rnd.getrandbits(64):016x}", **fields)  # type: ignore[arg-type]


def _text(rnd: random.Random) -> str:
    said = rnd.choice(_SAID).format(
        n=rnd.randint(2, 9000), w=rnd.choice(_WORDS), w2=rnd.choice(_WORDS), d=rnd.randint(1, 9)
    )
    return said * rnd.choice([1, 1, 1, 1, 3, 60])


def _arguments(rnd: random.Random) -> str:
    return json.dumps({"query": rnd.choice(_WORDS), "content": "x y z " * rnd.choice([0, 1, 1, 500])})


def _output(rnd: random.Random) -> str:
    kind = rnd.randrange(6)
    size = rnd.choice([1, 3, 30, 150])
    if kind == 0:
        return json.dumps([{"id": f"A-{i}", "price": i * 3, "status": "ok"} for i in range(size)])
    if kind == 1:
        return "\n".join(f"2026-01-0{i % 9 + 1} INFO step {i} done" for i in range(size))
    if kind == 2:
        return "<html><body>" + "<p>text of a page</p>" * size + "</body></html>"
    if kind == 3:
        return "".join(rnd.choice("äöü漢字🙂abc \n") for _ in range(size * 5))
    return "" if kind == 4 else f"src/{rnd.choice(_WORDS)}.py:{size}: def f(): ...\n" * size
