"""Which message of the record a live message is, so that the steps of a run name what is stored instead of storing it
again."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from langchain_core.messages import BaseMessage

from langchain_session.message_cache import is_copy, plain_copy
from session_core.plan import View
from session_core.ports import Appended
from session_core.ranges import Ranges
from session_core.serial.marks import MARK
from session_core.turns import Key

MOST_SESSIONS = 4_096
"""How many sessions have numbers at a time, since an application may use one message object in all of its threads."""
Known = Callable[[BaseMessage], int | None]
"""Tells the number of a message in the record, if it is as it was when it was read or stored."""


class _Place(NamedTuple):
    """Where a live message is stored: which session (of all that may have had its name), and under which number; 0 if
    that was not told."""

    ref: weakref.ref[BaseMessage]
    copied: tuple[Any, ...]
    born: str
    seq: int


class RecordNumbers:
    """The numbers of live messages in the records of sessions, as long as the messages live.

    A message is recognized by its identity, since a graph passes on the objects that it has, and by a copy, since nodes
    change messages in place. Numbers are valid in the session that was born so, which the store checks with the write.
    The oldest sessions are forgotten when there are too many. Thread-safe: every access is one operation on a dict; at
    worst a message is not recognized.
    """

    def __init__(self, most_sessions: int = MOST_SESSIONS) -> None:
        self._held: dict[Key, dict[int, _Place]] = {}
        self._most = most_sessions

    def __len__(self) -> int:
        return sum(len(places) for places in list(self._held.values()))

    def hand(self, key: Key, born: str | None, messages: Iterable[tuple[BaseMessage, int]]) -> None:
        """Remember live messages with their numbers in a session; a number of 0 is of none."""
        if not born:
            return
        places = self._held.setdefault(key, {})
        if len(self._held) > self._most:
            for oldest in list(self._held)[: self._most // 2]:
                self._held.pop(oldest, None)
        for message, seq in messages:
            copied = plain_copy(message) if seq else None
            forget = partial(self._forget, key, id(message))
            places[id(message)] = _Place(weakref.ref(message, forget), copied or (), born, seq if copied else 0)

    def hand_view(self, key: Key, born: str | None, messages: Sequence[BaseMessage], view: View) -> None:
        """Remember the messages of a run's view, in whatever form it shows them."""
        shown = zip(messages, view.messages, strict=True)
        self.hand(key, born, [(live, message.seq) for live, message in shown if message.origin == "record"])

    def learn(self, key: Key, done: Appended, messages: Iterable[BaseMessage], base: Ranges) -> None:
        """Remember what was new in a list that was stored: new messages have the last numbers of the record, in order.

        If others were new too (messages changed in place), or if not all of them are at the end of the conversation,
        behind the `base` of the list, these stay without a number: one may be another version of a message that the
        list has in a range, as a digest's, and to be given whole is what tells.
        """
        born, last, held = done.state.born, done.state.ledger.messages, self._held.get(key, {})
        new: list[BaseMessage] = []
        for message in messages:
            place = held.get(id(message))
            is_held = place is not None and place.born == born and place.ref() is message
            if not is_held and MARK not in message.additional_kwargs:
                new.append(message)
        head, first = done.state.head, last - done.new + 1
        end = head.pairs[-1] if head and (not base or base.last in head) else (0, 0)
        are_told = len(new) == done.new and end[0] <= first and end[1] == last
        self.hand(key, born, [(one, first + at if are_told else 0) for at, one in enumerate(new)])

    def born_of(self, key: Key, messages: Iterable[BaseMessage]) -> str | None:
        """The birth of the session that the first known one of `messages` is in."""
        held = self._held.get(key)
        for message in messages if held else ():
            place = held.get(id(message)) if held else None
            if place is not None and place.ref() is message:
                return place.born
        return None

    def in_session(self, key: Key, born: str | None) -> Known:
        """The numbers in the session that was `born` so."""
        held = self._held.get(key, {})

        def number(message: BaseMessage) -> int | None:
            place = held.get(id(message))
            if place is None or not place.seq or place.born != born or place.ref() is not message:
                return None
            return place.seq if is_copy(place.copied, message) else None

        return number

    def _forget(self, key: Key, name: int, gone: weakref.ref[BaseMessage]) -> None:
        held = self._held.get(key)
        place = held.get(name) if held is not None else None
        if held is not None and place is not None and place.ref is gone:
            held.pop(name, None)
            if not held:
                self._held.pop(key, None)


recorded = RecordNumbers()
"""Those of this process: messages are recognized whatever saver passes them on."""
