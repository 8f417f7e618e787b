"""Which message of the record a live message is, so that the steps of a run name what is stored instead of storing it
again."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

from langchain_core.messages import BaseMessage

from langchain_session.conversion.message_cache import is_copy, plain_copy
from session_core.plan import View
from session_core.ports import Appended, MessageList
from session_core.serial.marks import MARK
from session_core.turns import Key, Message

MOST_SESSIONS = 4_096
"""How many sessions have numbers at a time, since an application may use one message object in all of its threads."""
Known = Callable[[BaseMessage], int | None]
"""Tells the number of a message in the record, if it is as it was when it was read or stored."""
Copies = dict[int, tuple[Any, ...] | None]
"""A copy of each message by its identity; None if it has more than plain data."""


class _Place(NamedTuple):
    """Where a live message is stored: which session (of all that may have had its name), and under which number; 0 if
    that was not told."""

    ref: weakref.ref[BaseMessage]
    copied: tuple[Any, ...]
    born: str
    seq: int


def _is_at(place: _Place | None, message: BaseMessage, born: str | None) -> bool:
    """Whether the place is that of the message, in the session that was `born` so."""
    return place is not None and place.born == born and place.ref() is message


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
        self._hand(key, born, ((one, seq, plain_copy(one) if seq else None) for one, seq in messages))

    def _hand(
        self, key: Key, born: str | None, messages: Iterable[tuple[BaseMessage, int, tuple[Any, ...] | None]]
    ) -> None:
        if not born:
            return
        places = self._held.setdefault(key, {})
        if len(self._held) > self._most:
            for oldest in list(self._held)[: self._most // 2]:
                self._held.pop(oldest, None)
        for message, seq, copied in messages:
            forget = partial(self._forget, key, id(message))
            places[id(message)] = _Place(weakref.ref(message, forget), copied or (), born, seq if copied else 0)

    def hand_view(self, key: Key, born: str | None, messages: Sequence[BaseMessage], view: View) -> None:
        """Remember the messages of a run's view, in whatever form it shows them."""
        shown = zip(messages, view.messages, strict=True)
        self.hand(key, born, [(live, message.seq) for live, message in shown if message.origin == "record"])

    def copies(self, key: Key, born: str | None, messages: Iterable[BaseMessage]) -> Copies:
        """Copies of those of `messages` that have no place yet, for `learn`: made before their stored form is, since
        nodes may change messages while that is on its way."""
        held = self._held.get(key, {})
        return {id(one): plain_copy(one) for one in messages if not _is_at(held.get(id(one)), one, born)}

    def learn(
        self, key: Key, done: Appended, messages: Iterable[BaseMessage], value: MessageList, copies: Copies
    ) -> None:
        """Remember what was new in a list that was stored as `value`: new messages have the last numbers of the record,
        in order. `copies` are those made before.

        If not just these were given whole (messages changed in place are, too), or if not all of them are at the end
        of the conversation, behind the base of the list, these stay without a number: one may be another version of a
        message that the list has in a range, as a digest's, and to be given whole is what tells.
        """
        born, last, base, held = done.state.born, done.state.ledger.messages, value.base, self._held.get(key, {})
        whole = [item.id for item in value.items if isinstance(item, Message)]
        ids, new = set(whole), list[BaseMessage]()
        unchanged: set[str | None] = set()
        for message in messages:
            place = held.get(id(message))
            if not _is_at(place, message, born):
                new += [message] if MARK not in message.additional_kwargs else []
            elif message.id in ids and place is not None and place.seq and is_copy(place.copied, message):
                unchanged.add(message.id)
        first, head = last - done.new + 1, done.state.head
        end = head.pairs[-1] if head and (not base or base.last in head) else (0, 0)
        given = [one for one in whole if one not in unchanged]
        are_new = len(new) == done.new == len(given) and all(a.id in (None, b) for a, b in zip(new, given, strict=True))
        are_told = are_new and end[0] <= first and end[1] == last
        numbers = [(one, first + at if are_told else 0) for at, one in enumerate(new)]
        self._hand(key, born, ((one, seq, copies.get(id(one))) for one, seq in numbers))

    def forget(self, key: Key) -> None:
        """Remember nothing of a session any more, since its record is not what it was."""
        self._held.pop(key, None)

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
