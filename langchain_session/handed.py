"""The list of messages that a run is handed for its view: it knows that the view does not show everything."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable
from typing import Any, Self

from langchain_core.messages import BaseMessage, RemoveMessage

from langchain_session.channels import view_messages
from session_core.plan import View
from session_core.serial.marks import MARK
from session_core.turns import Key

REMOVED = "removed"
"""In the mark of a message: the ids of messages that its run removed, though no view had shown them."""
CALLERS = 10
"""How many callers up a list looks for the channel that holds it: reducers may stand in between."""


class Handed(list[BaseMessage]):
    """The messages of a view that leaves some of the record out, as a run's state holds them.

    `add_messages` refuses to remove an id that its list does not hold, and a view holds few of those that
    a person or a node may name. It copies the list before it looks; the copy answers for ids that are to be
    removed and are not in the view, and each of its messages notes them, so that whatever is left of the
    list says what is gone. No model is sent a mark. What `add_messages` makes of a list from which anything
    was removed is a plain one, so the channel of the run, which the copy finds among its callers, makes it one
    of these again. When a reducer does not merge as LangGraph's own does, this is a list like any other.
    """

    copied = False

    def copy(self) -> Self:
        removed = _removed_by_the_caller()
        missing = removed - {message.id for message in self}
        made = type(self)(self)
        if missing:
            made = type(self)([*(_without(message, missing) for message in self), *map(_stand_in, sorted(missing))])
        if removed:
            self.copied = True
            _stay_handed(self, made)
        return made


class _HandedAgain:
    """The reducer of one run's channel; what it makes of a `Handed` list by a copy of it is one too.

    The reducer was called before it was found, so the first list that comes is what it made of `first`; several
    may come, since a graph tries writes on copies of its channels.
    """

    def __init__(self, reducer: Callable[[Any, Any], Any], first: Handed) -> None:
        self.reducer = reducer
        self.first = {message.id for message in first}

    def __call__(self, left: Any, right: Any) -> Any:
        if type(left) is list and self.first & {message.id for message in left}:
            left = Handed(left)
        made = self.reducer(left, right)
        return Handed(made) if type(made) is list and isinstance(left, Handed) and left.copied else made


def handed(view: View, key: Key) -> list[BaseMessage]:
    """The messages of `view` for a run; a list like any other when it shows all of the record."""
    messages = view_messages(view, key)
    return Handed(messages) if view.hidden or any(message.covers for message in view.messages) else messages


def removed_in(messages: Iterable[BaseMessage]) -> frozenset[str]:
    """The ids that runs removed beyond what their views showed, as `messages` note them."""
    noted = [m.additional_kwargs[MARK] for m in messages if MARK in m.additional_kwargs]
    return frozenset(name for mark in noted if isinstance(mark, dict) for name in mark.get(REMOVED, ()))


def _removed_by_the_caller() -> set[str]:
    """What the reducer that copies a list is about to remove from it: it is told in its own argument alone."""
    here = inspect.currentframe()
    caller = here.f_back.f_back if here is not None and here.f_back is not None else None
    given = caller.f_locals.get("right") if caller is not None else None
    said = given if isinstance(given, list) else ()
    return {one.id for one in said if isinstance(one, RemoveMessage) and one.id}


def _stay_handed(held: Handed, copied: Handed) -> None:
    """Have the channel that is about to replace `held` by what becomes of its copy keep a `Handed` list."""
    frame = inspect.currentframe()
    for _ in range(CALLERS):
        frame = frame.f_back if frame is not None else None
        channel = frame.f_locals.get("self") if frame is not None else None
        reducer = getattr(channel, "operator", None)
        if reducer is not None and getattr(channel, "value", None) is held:
            if not isinstance(reducer, _HandedAgain):
                channel.operator = _HandedAgain(reducer, copied)  # type: ignore[union-attr]
            return


def _without(message: BaseMessage, missing: Collection[str]) -> BaseMessage:
    mark = message.additional_kwargs.get(MARK) or {}
    noted = sorted({*mark.get(REMOVED, ()), *missing})
    kwargs = {**message.additional_kwargs, MARK: {**mark, REMOVED: noted}}
    return message.model_copy(update={"additional_kwargs": kwargs})


def _stand_in(message_id: str) -> BaseMessage:
    """What is removed from the copy at once, or takes the place of the message that is said in its stead."""
    return RemoveMessage(message_id)
