"""In small views, shows a shortened tool result as the rows that are relevant to the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from session_core.compress.plan_cache import PlanContext
from session_core.language.quoting import RECALLED
from session_core.plan import Plan
from session_core.turns import Message, Role


def reduce_to_marks(made: Plan, record: Sequence[Message], context: PlanContext) -> tuple[Plan, frozenset[str]]:
    """The plan with each shortened result reduced to its mark, and the ids of these messages.

    Recalled results, those with media, and those that a mark would not make shorter are not changed.
    """
    whole = {m.seq for m in record if m.role is Role.TOOL and not m.media and not m.content.startswith(RECALLED)}
    short = {m.seq: _marked(m, "", context) for m in made.messages if m.rendition == "clip" and m.seq in whole}
    short = {m.seq: short[m.seq] for m in made.messages if m.seq in short and short[m.seq].tokens < m.tokens}
    return _replace_messages(made, short), frozenset([message.id for message in short.values() if message.id])


def add_rows(made: Plan, rows: Mapping[str, str], context: PlanContext) -> Plan:
    """The plan with the `rows` of messages, by id, before their marks."""
    told = [(message, rows.get(message.id or "", "")) for message in made.messages]
    return _replace_messages(made, {message.seq: _marked(message, text, context) for message, text in told if text})


def _marked(message: Message, rows: str, context: PlanContext) -> Message:
    made = replace(message, content=f"{rows}\n[clipped; ref {message.id}]".lstrip("\n"))
    return replace(made, tokens=context.measure(made))


def _replace_messages(made: Plan, changed: Mapping[int, Message]) -> Plan:
    """The plan with some messages replaced, by sequence number."""
    messages = tuple(changed.get(message.seq, message) if message.seq else message for message in made.messages)
    decided = tuple(
        (seq, choice, changed[seq].tokens, why)
        if isinstance(seq, int) and seq in changed
        else (seq, choice, tokens, why)
        for seq, choice, tokens, why in made.decided
    )
    return replace(made, messages=messages, decided=decided, tokens=sum(message.tokens for message in messages))
