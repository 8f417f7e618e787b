"""`SessionSaver(state="whole")`: runs hold the whole record, and models see what a view would show of it."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, NamedTuple, get_args

from langchain_core.messages import BaseMessage

from langchain_session.graph_state.channels import raw_messages, view_messages
from langchain_session.graph_state.listing import uncompressed
from langchain_session.graph_state.record_numbers import recorded
from langchain_session.graph_state.threads import is_of_a_task
from langchain_session.in_run import Fit
from session_core.errors import ConfigError
from session_core.plan import View
from session_core.ports import SessionStore
from session_core.ranges import Ranges
from session_core.serial.marks import MARK
from session_core.session import Flow
from session_core.turns import Key

StateOfRuns = Literal["view", "whole"]
"""What the state of a run holds."""


def is_whole(state: StateOfRuns) -> bool:
    """Whether runs get the whole record. Raises: ConfigError for an unknown choice."""
    if state not in get_args(StateOfRuns):
        raise ConfigError(f"state={state!r}; use one of {', '.join(get_args(StateOfRuns))}")
    return state == "whole"


@dataclass(frozen=True, slots=True, eq=False)
class Handed:
    """One list that a run started with: what its view shows in another way.

    `digest` is the view's message for the numbers `covered`; `named` has the messages that the view shows with their
    author's name, by number; `notes` are what the view adds at its end.
    """

    digest: BaseMessage | None = None
    covered: frozenset[int] = frozenset()
    named: dict[int, BaseMessage] = field(default_factory=dict)
    notes: tuple[BaseMessage, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the view shows anything in another way than the record has it."""
        return self.digest is not None or bool(self.named or self.notes)


class _Place(NamedTuple):
    """Where a live message came from: its list, and its number."""

    ref: weakref.ref[BaseMessage]
    handed: Handed
    seq: int


@dataclass(frozen=True, slots=True)
class Seen:
    """A state's messages as a model may see them: with the view's digest in place of what it covers.

    `stands_for` has the state's messages behind those that are not in the state, by the id of the latter.
    """

    raw: Sequence[BaseMessage]
    messages: Sequence[BaseMessage]
    stands_for: dict[str, tuple[BaseMessage, ...]]

    def through(self, fit: Fit) -> Fit:
        """`fit`, which was made of `messages`, as one of the state's own messages."""
        if not self.stands_for:
            return replace(fit, raw=self.raw)
        there = {id(message) for message in self.raw}
        behind = {name: self._opened(found, there) for name, found in fit.stands_for.items()}
        shown = {one.id or "" for one in fit.shown if id(one) not in there}
        return Fit(self.raw, fit.shown, {name: self.stands_for[name] for name in shown & {*self.stands_for}} | behind)

    def _opened(self, found: Sequence[BaseMessage], there: set[int]) -> tuple[BaseMessage, ...]:
        opened: list[BaseMessage] = []
        for one in found:
            opened += [one] if id(one) in there else self.stands_for.get(one.id or "", ())
        return tuple(opened)


class Handouts:
    """The messages that runs started with, as long as they live.

    A message is recognized by its identity, since a graph passes on the objects that it was handed: so several runs on
    one thread each have the digest of their own start, and nothing of it is in the state. Where somebody copied the
    messages, models see the state as if no digest had been made, at a cost that grows with it. Thread-safe: every
    access is one operation on a dict.
    """

    def __init__(self) -> None:
        self._places: dict[int, _Place] = {}

    def __len__(self) -> int:
        return len(self._places)

    def hand(self, messages: Sequence[tuple[BaseMessage, int]], handed: Handed) -> None:
        """Remember live messages with their numbers in the record."""
        places = self._places
        for message, seq in messages:
            name = id(message)
            places[name] = _Place(weakref.ref(message, partial(self._forget, name)), handed, seq)

    def seen(self, messages: Sequence[BaseMessage]) -> Seen:
        """What a model may see of a run's `messages`, before they are fitted into its budget.

        The digest takes the place of what it covers if all of that is still there; what was removed or replaced would
        otherwise live on in it.
        """
        places = [self._place(message) for message in messages] if self._places else []
        handed = next((place.handed for place in places if place is not None and place.handed.differs), None)
        if handed is None:
            return Seen(messages, messages, {})
        own = [place.seq if place is not None and place.handed is handed else None for place in places]
        under = [message for message, seq in zip(messages, own, strict=True) if seq in handed.covered]
        folded = handed.digest is not None and len(under) == len(handed.covered)
        shown: list[BaseMessage] = []
        stands_for: dict[str, tuple[BaseMessage, ...]] = {}
        end = max(place for place, seq in enumerate(own) if seq is not None)
        for at, (message, seq) in enumerate(zip(messages, own, strict=True)):
            if folded and seq in handed.covered:
                if under and under[0] is message and handed.digest is not None:
                    shown.append(handed.digest)
                    stands_for[handed.digest.id or ""] = tuple(under)
            elif seq is not None and seq in handed.named:
                shown.append(handed.named[seq])
                stands_for[message.id or ""] = (message,)
            else:
                shown.append(message)
            if at == end:
                shown += handed.notes
                stands_for |= {note.id or "": () for note in handed.notes}
        return Seen(messages, shown, stands_for)

    def _place(self, message: BaseMessage) -> _Place | None:
        place = self._places.get(id(message))
        return place if place is not None and place.ref() is message else None

    def _forget(self, name: int, gone: weakref.ref[BaseMessage]) -> None:
        place = self._places.get(name)
        if place is not None and place.ref is gone:
            del self._places[name]


handouts = Handouts()
"""Those of this process: messages are recognized whatever saver and middleware pass them on."""


async def handed_whole(
    flow: Flow, store: SessionStore, part: Ranges, *, is_head: bool, born: str | None
) -> tuple[list[BaseMessage], Ranges, Handed]:
    """The messages that a run of a session starts with, as `get_state` gives them, and their part of the record.

    `part` is what was asked for, of the session that was `born` so; for the head it is read again together with the
    view.
    """
    key, handed = flow.key, Handed()
    if not is_of_a_task(key):
        seen = await flow.view(lineage=None if is_head else part, open_end=True)
        handed, part = _handed(seen, key), seen.lineage
    record = await store.record(key, part)
    raw = raw_messages(record)
    numbered = [(message, one.seq) for message, one in zip(raw, record, strict=True)]
    handouts.hand(numbered, handed)
    recorded.hand(key, born, numbered)
    return await uncompressed(raw, key, store), part, handed


def _handed(view: View, key: Key) -> Handed:
    """What `view` shows in another way than the record."""
    shown = list(zip(view_messages(view, key), view.messages, strict=True))
    digest = next((made for made, message in shown if message.origin == "digest" and message.covers), None)
    covers = Ranges.from_pairs(digest.additional_kwargs[MARK]["covers"]) if digest is not None else Ranges()
    return Handed(
        digest if covers else None,
        frozenset(covers.intersection(view.lineage)),
        {message.seq: made for made, message in shown if message.rendition == "named"},
        tuple(made for made, message in shown if message.origin == "refresh"),
    )
