"""Protocols for optional helpers: classifiers, extractors and indexes; their output is checked."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from session_core.errors import ConfigError, named_type
from session_core.plan import Fact
from session_core.turns import Importance, Key, Message

T = TypeVar("T")


def require_method(given: T, power: str, what: str, made_by: str = "") -> T:
    """Check that `given` has the method `power`, which `what` requires; `made_by` names what creates one.

    Raises: ConfigError.
    """
    if isinstance(given, type) or not callable(getattr(given, power, None)):
        kind = f"the class {given.__name__}" if isinstance(given, type) else named_type(given)
        wanted = "a function" if power == "__call__" else f"an object with {power}(...)"
        raise ConfigError(f"{kind} is given as {what}; pass {wanted}{f', such as {made_by}' if made_by else ''}")
    return given


def require_observers(given: Iterable[T]) -> list[T]:
    """Check that `given` are objects with `observe`, and several. Raises: ConfigError."""
    if not isinstance(given, Iterable):
        raise ConfigError(f"observers={type(given).__name__}; pass a list of observers")
    return [require_method(one, "observe", "an observer") for one in given]


class EqualByParts:
    """A helper that equals another one of its class made with the very same objects.

    Policies that a function creates for each call then are equal as long as they use one model, and share
    connections.
    """

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        mine, others = vars(self), vars(other)
        return mine.keys() == others.keys() and all(_same(mine[name], others[name]) for name in mine)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self)))


def _same(one: Any, other: Any) -> bool:
    """Compares strings by value and all else by identity: two models with equal settings may answer differently."""
    return one is other or (isinstance(one, str) and one == other)


@runtime_checkable
class LateClassifier(Protocol):
    """Classifies messages when they are folded, in the background, after the rules did; may block for long.

    Binding or long messages are never discarded, whatever it returns.
    """

    name: str

    def judge(self, messages: Sequence[Message]) -> Awaitable[Mapping[int, Importance]] | Mapping[int, Importance]:
        """Judgements by sequence number; messages without one keep the judgement of the rules."""
        ...


class Extractor(Protocol):
    """Extracts facts when messages are folded, in addition to those of the rules; may block for long."""

    name: str

    def extract(self, messages: Sequence[Message]) -> Awaitable[Sequence[Fact]] | Sequence[Fact]:
        """Facts with kind, text and sequence number of the source; those that the source does not state are dropped."""
        ...


class Index(Protocol):
    """Finds messages of one session by meaning. It is a secondary copy that can be rebuilt from the record.

    It receives folded messages, and deletions of sessions. Results only point to messages; content comes from the
    record.
    """

    name: str

    async def add(self, key: Key, messages: Sequence[Message]) -> None:
        """Index `messages` of the session; idempotent."""
        ...

    async def near(self, key: Key, query: str, *, max_hits: int) -> Sequence[int]:
        """Sequence numbers of the messages of this session that are nearest to `query`, nearest first."""
        ...

    async def forget(self, key: Key, last_seq: int) -> None:
        """Remove everything of the session, whose messages are numbered up to `last_seq`."""
        ...


class PlainEmbedder(Protocol):
    """An `Embedder` whose method is plain; it is called in a thread."""

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]: ...


class PlainIndex(Protocol):
    """An `Index` whose methods are plain; they are called in a thread."""

    name: str

    def add(self, key: Key, messages: Sequence[Message]) -> None: ...

    def near(self, key: Key, query: str, *, max_hits: int) -> Sequence[int]: ...

    def forget(self, key: Key, last_seq: int) -> None: ...
