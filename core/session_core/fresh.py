"""Unique names without a system call for each."""

from __future__ import annotations

import os
from itertools import count

_names = count()


def _begin() -> None:
    global _names
    _names = count(int.from_bytes(os.urandom(8), "big"))


_begin()
if hasattr(os, "register_at_fork"):
    # A child would go on where its parent is, and name other messages the same.
    os.register_at_fork(after_in_child=_begin)


def fresh_id() -> str:
    """16 hexadecimal digits, counted up. They are unique, not secret: who has seen one can foretell the next.

    Names that follow each other lie side by side in an index by name, which so is full and not two thirds full. Each
    process begins somewhere among 2**64. A number from the system for each took half of the time of an append here.
    """
    return f"{next(_names) & 0xFFFF_FFFF_FFFF_FFFF:016x}"
