"""What people, models and tools state in tests of facts, and what of it stands."""

from __future__ import annotations

from session_core.fact_selection import line
from session_core.facts import extract, merge
from session_core.plan import Fact
from session_core.turns import Message, Role


def user(text: str, seq: int = 1, author: str | None = None) -> Message:
    return Message(Role.USER, text, seq=seq, author=author)


def assistant(text: str, seq: int = 1) -> Message:
    return Message(Role.ASSISTANT, text, seq=seq)


def tool(text: str, seq: int = 1) -> Message:
    return Message(Role.TOOL, text, seq=seq, tool_call_id="c1", name="search")


def told(*messages: Message) -> tuple[Fact, ...]:
    """Facts as a record gives them: message by message."""
    facts: tuple[Fact, ...] = ()
    for message in messages:
        facts = merge(facts, extract([message]))
    return facts


def current(*messages: Message) -> str:
    return "\n".join(line(fact) for fact in told(*messages) if fact.current)
