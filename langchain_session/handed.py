"""The message list of a view that a run gets; it knows which part of the record it does not show."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from langchain_core.messages import BaseMessage, HumanMessage, RemoveMessage, ToolMessage

from langchain_session.channels import view_messages
from session_core.plan import View
from session_core.serial.marks import MARK
from session_core.turns import Key, Message, Role

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

    `waiting` is an exchange at its end whose calls lack results, which whoever goes on with it needs. It is
    another run's when a question comes first: then it is left out, and `hidden` says so.
    """

    copied = False
    """Whether a reducer has removed something from a copy of it."""
    waiting: Waiting | None = None
    hidden: list[tuple[int, int]] | None = None

    def copy(self) -> Self:
        given = _given_by_the_caller()
        removed = {one.id for one in given if isinstance(one, RemoveMessage) and one.id}
        missing = removed - {message.id for message in self}
        made = type(self)(self._kept_before(given))
        if missing:
            made = type(self)([*(_without(message, missing) for message in made), *map(_stand_in, sorted(missing))])
        if removed:
            self.copied = True
            _stay_handed(self, made)
        return made

    def _kept_before(self, given: Iterable[BaseMessage]) -> list[BaseMessage]:
        """What of the list stands before what a reducer is about to put behind it."""
        if self.waiting is None or self.hidden is None or not self.waiting.is_passed_by(given):
            return self
        kept = [message for message in self if message.id not in self.waiting.seqs]
        if not kept:
            return self
        self.hidden += [(seq, seq) for seq in self.waiting.seqs.values() if (seq, seq) not in self.hidden]
        return kept


@dataclass(frozen=True, slots=True)
class Waiting:
    """Calls that wait for results: their ids, and the numbers of the messages of their exchange by the ids of these."""

    calls: frozenset[str]
    seqs: Mapping[str, int]

    @classmethod
    def at_the_end(cls, messages: Sequence[Message]) -> Self | None:
        """The exchange that `messages` end with, when calls of it wait."""
        place = len(messages)
        while place and messages[place - 1].role is Role.TOOL:
            place -= 1
        exchange = messages[place - 1 :] if place else ()
        answered = {message.tool_call_id for message in exchange}
        calls = frozenset(call.id for message in exchange for call in message.tool_calls if call.id not in answered)
        return cls(calls, {message.id: message.seq for message in exchange if message.seq}) if calls else None

    def is_passed_by(self, given: Iterable[BaseMessage]) -> bool:
        """Whether `given` has a question before the calls have their results; who edits them means them."""
        said = list(given)
        if any(message.id in self.seqs for message in said):
            return False
        answered: set[str] = set()
        for message in said:
            if isinstance(message, ToolMessage):
                answered.add(message.tool_call_id)
            elif isinstance(message, HumanMessage):
                return not self.calls <= answered
        return False


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


def handed(view: View, key: Key) -> tuple[list[BaseMessage], list[tuple[int, int]]]:
    """The messages of `view` for a run, and what it hides, which may become more when the run begins.

    A list like any other when the view shows all of the record, and no call in it waits.
    """
    messages, hidden = view_messages(view, key), list(view.hidden.pairs)
    waiting = Waiting.at_the_end(view.messages)
    if waiting is None and not hidden and not any(message.covers for message in view.messages):
        return messages, hidden
    made = Handed(messages)
    made.waiting, made.hidden = waiting, hidden
    return made, hidden


def removed_in(messages: Iterable[BaseMessage]) -> frozenset[str]:
    """The ids that runs removed beyond what their views showed, as `messages` note them."""
    noted = [m.additional_kwargs[MARK] for m in messages if MARK in m.additional_kwargs]
    return frozenset(name for mark in noted if isinstance(mark, dict) for name in mark.get(REMOVED, ()))


def _given_by_the_caller() -> list[BaseMessage]:
    """The messages that the reducer which copies the list is about to put behind it: the value of its argument `right`,
    read from its frame, since nothing else tells."""
    here = inspect.currentframe()
    caller = here.f_back.f_back if here is not None and here.f_back is not None else None
    given = caller.f_locals.get("right") if caller is not None else None
    return [one for one in given if isinstance(one, BaseMessage)] if isinstance(given, list) else []


def _stay_handed(held: Handed, copied: Handed) -> None:
    """Wrap the reducer of the channel that holds `held`, so that what it makes of the copy is a `Handed` list again.

    The channel is looked for among the callers.
    """
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
