"""A process of its own that appends large batches to one session until it is killed.

    python fault_writer.py URL SESSION

It says "begin N" before an append and "done N" when that was acknowledged.
"""

from __future__ import annotations

import random
import sys

from session_core.stores.open import open_store
from session_core.turns import Key, Message, Role
from session_core.voices import run_blocking

BATCH = 40
WORDS = 40


def batch(number: int) -> list[Message]:
    """The batch of that number; the same each time it is asked for."""
    rnd = random.Random(number)
    return [
        Message(
            Role.USER,
            " ".join(f"{rnd.getrandbits(32):x}" for _ in range(WORDS)),
            id=f"{number}.{place}",
            tokens=WORDS,
            time_s=float(number),
        )
        for place in range(BATCH)
    ]


def whole_batches(messages: tuple[Message, ...]) -> int:
    """How many batches there are; each must be there whole, once, as it was made, and in its order."""
    for number in range(len(messages) // BATCH):
        found = messages[number * BATCH : (number + 1) * BATCH]
        assert [(m.id, m.content) for m in found] == [(m.id, m.content) for m in batch(number)]
    assert len(messages) % BATCH == 0
    assert [m.seq for m in messages] == list(range(1, len(messages) + 1))
    return len(messages) // BATCH


def main(url: str, session: str) -> None:
    store = open_store(url)
    number = 0
    while True:
        said = batch(number)
        sys.stdout.write(f"begin {number}\n")
        sys.stdout.flush()
        run_blocking(store.append(Key(session), said))
        sys.stdout.write(f"done {number}\n")
        sys.stdout.flush()
        number += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
