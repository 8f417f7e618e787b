"""Names that nothing had before, without asking the operating system for each."""

from __future__ import annotations

import os
import random

_source = random.Random()


def _seed() -> None:
    _source.seed(os.urandom(32))


_seed()
if hasattr(os, "register_at_fork"):
    # A child would go on where its parent is, and name other messages the same.
    os.register_at_fork(after_in_child=_seed)


def fresh_id() -> str:
    """16 hexadecimal digits. They are unique, not secret: who has seen many can foretell the next.

    `random.seed` of the program that we are part of does not make them repeat. A random number from the
    system took half of the time that an append takes here.
    """
    return f"{_source.getrandbits(64):016x}"
