"""The powers that models and vector stores may lend a session, one Protocol each; what they say is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from session_core.errors import ConfigError
from session_core.plan import Fact
from session_core.turns import Importance, Key, Message

T = TypeVar("T")


def require_power(given: T, power: str, what: str) -> T:
    """`given`, which has a method `power` as `what` must have. Raises: ConfigError."""
    if isinstance(given, type) or not callable(getattr(given, power, None)):
        kind = f"the class {given.__name__}" if isinstance(given, type) else f"a {type(given).__name__}"
        wanted = "a function" if power == "__call__" else f"an object with {power}(...)"
        raise ConfigError(f"{kind} is given as {what}; pass {wanted}")
    return given


class Alike:
    """A helper that equals another one of its kind which was made with the very same objects.

    So policies that a function makes anew for each call are equal as long as they ask one model, and nothing is opened
    anew for them.
    """

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, others = vars(self), vars(other)
        return mine.keys() == others.keys() and all(_same(mine[name], others[name]) for name in mine)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self)))


def _same(one: Any, other: Any) -> bool:
    """Texts by what they say; all else by identity, since two models that are set up alike need not answer alike."""
    return one is other or (isinstance(one, str) and one == other)


@runtime_checkable
class LateClassifier(Protocol):
    """Judges messages when they are folded, in the background, after the rules did; may block for long.

    What binds or is long is never discarded, whatever it says.
    """

    name: str

    async def judge(self, messages: Sequence[Message]) -> Mapping[int, Importance]:
        """By a message's sequence number; the rules' judgement stands for those that are not named."""
        ...


class Extractor(Protocol):
    """Takes facts from messages when they are folded, beside those that rules take; may block for long."""

    name: str

    async def extract(self, messages: Sequence[Message]) -> Sequence[Fact]:
        """Facts with kind, text and the number of the message that states each; what it does not state is struck."""
        ...


class Index(Protocol):
    """Finds messages of one session by what they mean; it holds them beside the record, from which it can be rebuilt.

    It is told what is folded, and to forget sessions that are deleted. What it says is only where to look:
    the words come from the record.
    """

    name: str

    async def add(self, key: Key, messages: Sequence[Message]) -> None:
        """Hold `messages` of the session; the same ones again change nothing."""
        ...

    async def near(self, key: Key, query: str, *, max_hits: int) -> Sequence[int]:
        """The numbers of the session's messages that are nearest to `query`, nearest first; of no other session."""
        ...

    async def forget(self, key: Key, last_seq: int) -> None:
        """Remove all of the session, whose messages are numbered up to `last_seq`."""
        ...
