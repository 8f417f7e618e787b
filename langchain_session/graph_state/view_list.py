"""The message list of a view that a run gets; it knows which part of the record it does not show."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from langchain_core.messages import BaseMessage, HumanMessage, RemoveMessage, ToolMessage

from langchain_session.graph_state.channels import view_messages
from session_core.plan import View
from session_core.serial.marks import MARK
from session_core.turns import Key, Message, Role

REMOVED = "removed"
"""Key in a message's mark: ids of messages that its run removed although no view had shown them."""
CALLERS = 10
"""How many stack frames are searched for the channel that holds a list, since reducers may be nested."""


class ViewList(list[BaseMessage]):
    """The messages of a view that omits part of the record, as the state of a run holds them.

    `add_messages` raises for the removal of an id that is not in its list, and a view lacks most ids that a user or a
    node may name. It copies the list before it checks. The copy accepts ids that are to be removed but not in the view,
    and records them in the marks of its messages, so that any remaining part of the list says what was removed. Marks
    are never sent to a model.

    After a removal `add_messages` returns a plain list, so the copy finds the channel of the run among its callers and
    makes it convert the result to this class again. With a reducer that merges differently, this is an ordinary list.

    `waiting` is an exchange at the end whose calls lack results, which is needed to continue the run. If a question
    comes first, it belongs to another run: then it is left out, and `hidden` contains it.
    """

    copied = False
    """Whether a reducer removed anything from a copy of this list."""
    waiting: PendingCalls | None = None
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
            _wrap_reducer(self, made)
        return made

    def _kept_before(self, given: Iterable[BaseMessage]) -> list[BaseMessage]:
        """The part of the list that stays before the messages that a reducer is about to append."""
        if self.waiting is None or self.hidden is None or not self.waiting.is_passed_by(given):
            return self
        kept = [message for message in self if message.id not in self.waiting.seqs]
        if not kept:
            return self
        self.hidden += [(seq, seq) for seq in self.waiting.seqs.values() if (seq, seq) not in self.hidden]
        return kept


@dataclass(frozen=True, slots=True)
class PendingCalls:
    """Pending tool calls: their ids, and the sequence numbers of the messages of their exchange, by message id."""

    calls: frozenset[str]
    seqs: Mapping[str, int]

    @classmethod
    def at_the_end(cls, messages: Sequence[Message]) -> Self | None:
        """The last exchange of `messages`, if it has pending calls."""
        place = len(messages)
        while place and messages[place - 1].role is Role.TOOL:
            place -= 1
        exchange = messages[place - 1 :] if place else ()
        answered = {message.tool_call_id for message in exchange}
        calls = frozenset(call.id for message in exchange for call in message.tool_calls if call.id not in answered)
        return cls(calls, {message.id: message.seq for message in exchange if message.seq}) if calls else None

    def is_passed_by(self, given: Iterable[BaseMessage]) -> bool:
        """Whether `given` contains a question before the results of the calls; edits of the calls refer to them."""
        messages = list(given)
        if any(message.id in self.seqs for message in messages):
            return False
        answered: set[str] = set()
        for message in messages:
            if isinstance(message, ToolMessage):
                answered.add(message.tool_call_id)
            elif isinstance(message, HumanMessage):
                return not self.calls <= answered
        return False


class _KeepsViewList:
    """Wraps the reducer of one run's channel: what it makes from a copy of a `ViewList` list is a `ViewList` list too.

    It is installed while the reducer runs, so the next list is the result for `first`; there may be several, since a
    graph tries writes on copies of its channels.
    """

    def __init__(self, reducer: Callable[[Any, Any], Any], first: ViewList) -> None:
        self.reducer = reducer
        self.first = {message.id for message in first}

    def __call__(self, left: Any, right: Any) -> Any:
        if type(left) is list and self.first & {message.id for message in left}:
            left = ViewList(left)
        made = self.reducer(left, right)
        return ViewList(made) if type(made) is list and isinstance(left, ViewList) and left.copied else made


def view_for_run(view: View, key: Key) -> tuple[list[BaseMessage], list[tuple[int, int]]]:
    """The messages of `view` for a run, with what it hides, which may grow when the run starts.

    An ordinary list if the view shows the whole record and has no pending call.
    """
    messages, hidden = view_messages(view, key), list(view.hidden.pairs)
    waiting = PendingCalls.at_the_end(view.messages)
    if waiting is None and not hidden and not any(message.covers for message in view.messages):
        return messages, hidden
    made = ViewList(messages)
    made.waiting, made.hidden = waiting, hidden
    return made, hidden


def removed_in(messages: Iterable[BaseMessage]) -> frozenset[str]:
    """The ids in the marks of `messages` that runs removed although their views did not show them."""
    noted = [m.additional_kwargs[MARK] for m in messages if MARK in m.additional_kwargs]
    return frozenset(name for mark in noted if isinstance(mark, dict) for name in mark.get(REMOVED, ()))


def _given_by_the_caller() -> list[BaseMessage]:
    """The messages that the calling reducer is about to append: the value of its argument `right`, read from its stack
    frame, since there is no other way to get them."""
    here = inspect.currentframe()
    caller = here.f_back.f_back if here is not None and here.f_back is not None else None
    given = caller.f_locals.get("right") if caller is not None else None
    return [one for one in given if isinstance(one, BaseMessage)] if isinstance(given, list) else []


def _wrap_reducer(held: ViewList, copied: ViewList) -> None:
    """Find the channel that holds `held` among the callers and wrap its reducer to return such a list again."""
    frame = inspect.currentframe()
    for _ in range(CALLERS):
        frame = frame.f_back if frame is not None else None
        channel = frame.f_locals.get("self") if frame is not None else None
        reducer = getattr(channel, "operator", None)
        if reducer is not None and getattr(channel, "value", None) is held:
            if not isinstance(reducer, _KeepsViewList):
                channel.operator = _KeepsViewList(reducer, copied)  # type: ignore[union-attr]
            return


def _without(message: BaseMessage, missing: Collection[str]) -> BaseMessage:
    mark = message.additional_kwargs.get(MARK) or {}
    noted = sorted({*mark.get(REMOVED, ()), *missing})
    kwargs = {**message.additional_kwargs, MARK: {**mark, REMOVED: noted}}
    return message.model_copy(update={"additional_kwargs": kwargs})


def _stand_in(message_id: str) -> BaseMessage:
    """A placeholder that is removed from the copy immediately or replaced by the message with its id."""
    return RemoveMessage(message_id)
