"""Converts live messages to the core's form, once each: a run passes the same ones to every model call."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.messages import BaseMessage

from langchain_session.conversion.marks import mark_of, with_mark
from langchain_session.conversion.messages import as_shown, to_core
from session_core.plan import Digest
from session_core.ranges import Ranges
from session_core.serial.codec import digest_from_plain
from session_core.turns import Message

_SAYS = (
    "content",
    "id",
    "name",
    "additional_kwargs",
    "tool_calls",
    "invalid_tool_calls",
    "tool_call_id",
    "role",
)
"""The fields of a message that the core's form depends on. A model does not get the others."""


@dataclass(slots=True)
class ConvertedMessage:
    """A message, the fields that it had when it was read, its converted form, and what views derived from it."""

    ref: weakref.ref[BaseMessage]
    says: tuple[Any, ...]
    mark: dict[str, Any]
    neutral: Message
    digest: Digest | None = None
    shown: BaseMessage | None = None

    def as_shown(self, live: BaseMessage, message: Message) -> BaseMessage:
        """`live` as the view's `message` shows it; the same object for the same content."""
        shown = self.shown
        if shown is None or shown.content != message.content or message.tool_calls:
            mark = {"rendition": message.rendition, "ref": message.id}
            shown = self.shown = with_mark(as_shown(live, message), mark)
        return shown


@dataclass(slots=True)
class ConversionCache:
    """Caches `prepare(message)` for live messages; a changed message is converted again.

    The key is the object's identity; messages are held by weak references. Thread-safe: at worst a message is converted
    twice.
    """

    prepare: Callable[[Message], Message]
    _held: dict[int, ConvertedMessage] = field(default_factory=dict)

    def __call__(self, message: BaseMessage, seq: int) -> ConvertedMessage:
        """`message` as number `seq` of its list."""
        get = message.__dict__.get
        says = tuple([get(name) for name in _SAYS])
        known = self._held.get(id(message))
        if known is None or known.ref() is not message or known.says != says:
            known = self._read(message, says, seq)
        elif known.neutral.seq != seq:
            known = replace(known, neutral=replace(known.neutral, seq=seq))
            self._held[id(message)] = known
        return known

    def __len__(self) -> int:
        return len(self._held)

    def _read(self, message: BaseMessage, says: tuple[Any, ...], seq: int) -> ConvertedMessage:
        held, place = self._held, id(message)
        mark = mark_of(message) or {}
        said = to_core(message)
        if not said.id and said.tool_call_id:
            # A clip names its message, by its call where it has no id.
            said = replace(said, id=said.tool_call_id)
        # Without the framework's own bytes: a view shows the live message, or a copy of it. Without a time of reading:
        # a checkpointer reads the messages anew for each run, and folds are cached by what messages say.
        neutral = replace(self.prepare(said), seq=seq, native=None, time_s=said.time_s)
        digest = None
        if mark.get("origin") == "digest" and "digest" in mark:
            digest = replace(digest_from_plain(mark["digest"]), covers=Ranges())
        ref = weakref.ref(message, lambda _: held.pop(place, None))
        known = held[place] = ConvertedMessage(ref, tuple(map(_frozen, says)), mark, neutral, digest)
        return known


def _frozen(value: Any) -> Any:
    """A copy of mutable values; immutable ones are shared."""
    if type(value) is dict:
        return {name: _frozen(part) for name, part in value.items()}
    return [_frozen(part) for part in value] if type(value) is list else value
