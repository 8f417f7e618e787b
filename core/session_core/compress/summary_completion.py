"""Compares a model's summary with the rule-based one, which fills the remaining room."""

from __future__ import annotations

from collections.abc import Sequence

from session_core.compress.summary import summarize
from session_core.plan import Count, GiveWay, never_pause
from session_core.turns import Message
from session_core.verification.claims import Key, stated_keys

WORTH = 0.7
"""A summary must state this share of what the rules state in as many tokens: distinct values and names."""


def complete_summary(
    written: str,
    previous: str,
    messages: Sequence[Message],
    *,
    max_tokens: int,
    count: Count,
    give_way: GiveWay = never_pause,
) -> str | None:
    """`written`, and after it lines of the rules for what it leaves out, in about `max_tokens`.

    None when `written` says too little for its length: then the rules alone keep more.
    """
    length = count(written)
    rules = summarize(previous, messages, max_tokens=min(length, max_tokens), count=count, give_way=give_way)
    said = stated_keys(written)
    if len(said) < WORTH * len(stated_keys(rules)):
        return None
    room = max_tokens - length
    if room <= 0:
        return written
    whole = summarize(previous, messages, max_tokens=max_tokens, count=count, give_way=give_way)
    for line in whole.splitlines():
        if line in written or _contains(written, said, line):
            continue
        price = count(line) + 1
        if price <= room:
            written = f"{written}\n{line}"
            room -= price
    return written


def _contains(written: str, said: frozenset[Key], line: str) -> bool:
    """Whether `written`, which states `said`, contains what `line` states; a name may begin its sentence there."""
    left = stated_keys(line) - said
    return all(kind == "name" and str(name) in written.casefold() for kind, name, *_ in left)
