"""A cache of values derived from live messages, valid while a message lives and is unchanged."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from langchain_core.messages import BaseMessage

T = TypeVar("T")
_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})


class MessageCache(Generic[T]):
    """Caches `make(message)`, since a run passes the same message objects at each of its steps.

    The key is the object's identity. A message that changed since is computed again; one that contains more than
    plain data always is, since changes of other objects cannot be detected. Messages are held by weak references.
    Thread-safe: at worst a value is computed twice.
    """

    def __init__(self, make: Callable[[BaseMessage], T]) -> None:
        self._make = make
        self._held: dict[int, tuple[weakref.ref[BaseMessage], tuple[Any, ...], T]] = {}

    def __call__(self, message: BaseMessage) -> T:
        place = id(message)
        held = self._held.get(place)
        state = _state(message)
        if held is not None and held[0]() is message and _same(held[1], state):
            return held[2]
        try:
            copied = tuple(map(_copied, state))
        except _NotPlain:
            return self._make(message)
        made = self._make(message)
        self._held[place] = weakref.ref(message, partial(self._forget, place)), copied, made
        return made

    def __len__(self) -> int:
        return len(self._held)

    def _forget(self, place: int, gone: weakref.ref[BaseMessage]) -> None:
        held = self._held.get(place)
        if held is not None and held[0] is gone:
            del self._held[place]


def plain_copy(message: BaseMessage) -> tuple[Any, ...] | None:
    """A copy of everything in `message`, by which `is_copy` detects changes; None if it has more than plain data."""
    try:
        return tuple(map(_copied, _state(message)))
    except _NotPlain:
        return None


def is_copy(copied: tuple[Any, ...], message: BaseMessage) -> bool:
    """Whether `message` is as it was when `plain_copy` copied it."""
    return _same(copied, _state(message))


def is_same(one: BaseMessage, other: BaseMessage) -> bool:
    """Whether two messages have the same class and equal fields."""
    return type(one) is type(other) and _same(_state(one), _state(other))


def _state(message: BaseMessage) -> tuple[Any, ...]:
    return message.__dict__, message.model_fields_set, message.model_extra, message.__pydantic_private__


class _NotPlain(Exception):
    """A value that is not plain data."""


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    try:
        return one == other
    except (TypeError, ValueError):
        # Someone put an array or a data frame into the message, which compare element by element.
        return False


def _copied(value: Any) -> Any:
    """A deep copy of plain data; immutable values are shared. Raises: _NotPlain."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return {name: _copied(part) for name, part in value.items()}
    if kind is list:
        return [_copied(part) for part in value]
    if kind is set:
        return set(value)
    raise _NotPlain
