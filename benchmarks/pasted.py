"""What a first view costs of messages of 8 KB that people pasted: processor time of each, by what it is."""

from __future__ import annotations

import base64
import random
import string
import time
from collections.abc import Callable

from session_core import Budget, Policy, Sessions

MESSAGES, CHARACTERS, ROUNDS = 60, 8_192, 3
BUDGET_TOKENS = 8_000


def main() -> None:
    """Print a row for each kind: the least of a few rounds, in milliseconds a message; nothing is folded before."""
    print(
        f"{MESSAGES} messages of {CHARACTERS:,} characters, budget {BUDGET_TOKENS:,} tokens, ms of processor time each"
    )
    print(f"{'':>10} {'append':>8} {'view':>8}")
    for name, text in KINDS.items():
        appended, viewed = map(min, zip(*(_round(text, seed) for seed in range(ROUNDS)), strict=True))
        print(f"{name:>10} {appended:>8.1f} {viewed:>8.1f}")


def _round(text: Callable[[random.Random], str], seed: int) -> tuple[float, float]:
    said, policy = random.Random(seed), Policy(Budget(BUDGET_TOKENS, reply_reserve_tokens=0), folding="off")
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text(said)[:CHARACTERS]} for at in range(MESSAGES)]
    with Sessions("memory://", policy=policy) as sessions:
        sessions.warm()
        session = sessions.session("pasted")
        began = time.process_time()
        session.append([*messages, {"role": "user", "content": "What do you make of it?"}])
        appended = time.process_time()
        session.view()
        ended = time.process_time()
    return (appended - began) * 1e3 / MESSAGES, (ended - appended) * 1e3 / MESSAGES


def _lines(line: Callable[[random.Random], str], said: random.Random) -> str:
    return "\n".join(line(said) for _ in range(CHARACTERS // 40))


def _logged(said: random.Random) -> str:
    request, taken = said.randbytes(4).hex(), said.randrange(900)
    return f"2026-11-{said.randint(1, 28):02} 10:07:31Z INFO [req-{request}] id={said.randrange(10**5)} in {taken} ms"


def _minified(said: random.Random) -> str:
    one, two, three = ("".join(said.choices(string.ascii_letters, k=2)) for _ in range(3))
    return f"function {one}({two}){{return {two}.{three}({one})?{three}[{said.randrange(99)}]:!0}}"


def _spoken(said: random.Random) -> str:
    words = ["".join(said.choices(string.ascii_lowercase, k=said.randint(2, 9))) for _ in range(11)]
    return f"{' '.join(words).capitalize()}."


KINDS: dict[str, Callable[[random.Random], str]] = {
    "letters": lambda said: "".join(said.choices(string.ascii_letters, k=CHARACTERS)),
    "base64": lambda said: base64.b64encode(said.randbytes(CHARACTERS)).decode(),
    "hex dump": lambda said: _lines(lambda said: said.randbytes(16).hex(" "), said),
    "code": lambda said: "".join(_minified(said) for _ in range(CHARACTERS // 40)),
    "log": lambda said: _lines(_logged, said),
    "Chinese": lambda said: "".join(map(chr, said.choices(range(0x4E00, 0x9FA5), k=CHARACTERS))),
    "sentences": lambda said: " ".join(_spoken(said) for _ in range(CHARACTERS // 40)),
}
