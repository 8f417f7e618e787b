"""Helpers for tests: a key, small messages, a recording observer, the rules of a provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from session_core.events import Event
from session_core.ports import Checkpoint, Plain, SessionStore
from session_core.turns import Key, Message, Role, units

KEY = Key("a session", "a tenant")
Promise = Callable[[SessionStore], Awaitable[None]]


def message(number: int, role: Role = Role.USER, content: str | None = None) -> Message:
    """A small message with the id `m{number}`."""
    text = content if content is not None else f"words of message {number}"
    return Message(role, text, id=f"m{number}", tokens=10, time_s=float(number))


def check_valid(messages: Sequence[Message]) -> list[str]:
    """What a provider would refuse in a list of messages; nothing for a valid one.

    The rules that the large chat APIs share: a system or user message first, system messages
    together at the beginning, no empty content, every tool call followed by its results, no result
    without its call.
    """
    wrong: list[str] = []
    spoken = [m for m in messages if m.role is not Role.SYSTEM]
    if spoken and spoken[0].role is not Role.USER:
        wrong.append(f"the first message is {spoken[0].role}")
    if any(m.role is Role.SYSTEM for m in messages[len(messages) - len(spoken) :]):
        wrong.append("a system message stands among the others")
    waiting: set[str] = set()
    for m in messages:
        if m.empty:
            wrong.append(f"an empty {m.role} message {m.id}")
        if m.role is Role.TOOL:
            if m.tool_call_id not in waiting:
                wrong.append(f"a result without its call {m.tool_call_id}")
            waiting.discard(m.tool_call_id or "")
            continue
        if waiting:
            wrong.append(f"calls without results {sorted(waiting)}")
        waiting = {call.id for call in m.tool_calls}
    if waiting:
        wrong.append(f"calls without results {sorted(waiting)}")
    if sum(len(unit.messages) for unit in units(messages)) != len(messages):
        wrong.append("a result that belongs to no call")
    return wrong


class Heard(list[Event]):
    """An observer that keeps what it was told."""

    def observe(self, event: Event) -> None:
        """Keep `event`."""
        self.append(event)


def bare_checkpoint(checkpoint_id: str, parent_id: str | None) -> Checkpoint:
    """A checkpoint without values; the version of its messages is the number in its id."""
    versions = {"messages": int(checkpoint_id)}
    return Checkpoint(KEY, checkpoint_id, parent_id, Plain("t", b"body"), versions)
