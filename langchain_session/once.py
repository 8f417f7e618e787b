"""A cache of values derived from live messages, valid while a message lives and is unchanged."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

from langchain_core.messages import BaseMessage

T = TypeVar("T")
_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})


class Once(Generic[T]):
    """`make` of a message, called once: a run hands the same messages over at each of its steps.

    A message is told by the object it is. One that was changed since, in place or not, is made anew; one that
    holds other things than plain data always is, since a change of these could not be seen. Nothing is kept
    of a message that nobody else has any more. Safe with several threads: at worst something is done twice.
    """

    def __init__(self, make: Callable[[BaseMessage], T]) -> None:
        self._make = make
        self._held: dict[int, tuple[weakref.ref[BaseMessage], tuple[Any, ...], T]] = {}

    def __call__(self, message: BaseMessage) -> T:
        place = id(message)
        held = self._held.get(place)
        says = _says(message)
        if held is not None and held[0]() is message and _same(held[1], says):
            return held[2]
        try:
            copied = tuple(map(_copied, says))
        except _OddError:
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


def is_same(one: BaseMessage, other: BaseMessage) -> bool:
    """Whether two messages are of one kind and say the same in every field."""
    return type(one) is type(other) and _same(_says(one), _says(other))


def _says(message: BaseMessage) -> tuple[Any, ...]:
    return message.__dict__, message.model_fields_set, message.model_extra, message.__pydantic_private__


class _OddError(Exception):
    """Something that is no plain data."""


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    try:
        return one == other
    except (TypeError, ValueError):
        # An array or a table was put into the message since.
        return False


def _copied(value: Any) -> Any:
    """A copy of plain data; texts and the like are shared."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return {name: _copied(part) for name, part in value.items()}
    if kind is list:
        return [_copied(part) for part in value]
    if kind is set:
        return set(value)
    raise _OddError
