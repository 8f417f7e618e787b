"""The numbers that imported messages have in the record, by which later checkpoints of their thread name them."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import BaseMessage

from session_core.ranges import Ranges

NUMBERED = "numbered"
"""A note in the config of an imported checkpoint: the `ImportedNumbers` of its thread and namespace."""


class ImportedNumbers:
    """The numbers of one conversation's messages while it is imported.

    Each checkpoint of a thread lists all messages before it, and equal ones are the same objects. So each is converted
    once; afterwards its checkpoints refer to it by number. Messages are recognized by identity: nobody else has them.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, tuple[BaseMessage, int]] = {}

    def known(self, message: BaseMessage) -> int | None:
        """The number of `message`, if it was stored before."""
        found = self._numbers.get(id(message))
        return found[1] if found is not None else None

    def learn(self, messages: Any, part: Ranges) -> None:
        """Remember a list that was stored as `part` of the record; nothing of one in which messages are repeated."""
        numbers = list(part)
        if isinstance(messages, list) and len(messages) == len(numbers):
            self._numbers |= {id(one): (one, seq) for one, seq in zip(messages, numbers, strict=True)}
