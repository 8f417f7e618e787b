"""The result of one turn of the demo: what was said, and what the model was sent."""

from __future__ import annotations

from dataclasses import dataclass

from session_core.turns import Message, Role


@dataclass(frozen=True, slots=True)
class Sent:
    """One call of a model: the tokens of its whole input, and how many messages in it were clipped."""

    tokens: int
    clipped: int = 0


@dataclass(frozen=True, slots=True)
class Played:
    """One turn: its messages as they were said, and the input of each model call in it."""

    messages: tuple[Message, ...]
    sent: tuple[Sent, ...] = ()

    @property
    def answer(self) -> str:
        """The last thing that was said."""
        return self.messages[-1].content

    @property
    def tool_calls(self) -> int:
        """How many tools were called."""
        return sum(message.role is Role.TOOL for message in self.messages)
