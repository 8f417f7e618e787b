"""The protocol for replacing stored values by equivalent ones, which key rotation needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from session_core.errors import StoreBusy
from session_core.events import Notice
from session_core.plan import Digest
from session_core.ports import MessageList, Plain, Write
from session_core.turns import Key, Message

AT_ONCE = 500
"""The most values that one step rewrites."""
BYTES_AT_ONCE = 4_000_000
"""A step ends early, after at least one value, when the values it read add up to this size."""
TRIES = 8
"""Attempts for a value that other writers change between the read and the write."""


class Change(Protocol):
    """Maps each stored value to an equivalent one, or returns it unchanged.

    Of a message, only the content, author, clip, id and sequence number are passed. Content, author and clip may
    change their form (encrypted, in clear); the id and all that `body_digest` depends on must stay. The author and
    clip of a message in a pending write may be passed separately. `place` is ("checkpoint", id),
    ("value", channel, version) or ("write", checkpoint id, task id, index).
    """

    def message(self, key: Key, message: Message) -> Message: ...

    def digest(self, key: Key, digest: Digest) -> Digest: ...

    def notice(self, key: Key, notice: Notice) -> Notice: ...

    def author(self, key: Key, author: str) -> str: ...

    def plain(self, key: Key, place: tuple[str, ...], value: Plain) -> Plain: ...


class Rewriting(Protocol):
    """A store whose values can be replaced in place."""

    async def rewrite(self, key: Key, change: Change) -> int:
        """Apply `change` to every value of the session and its namespaces; returns how many values changed.

        Sequence numbers, versions, order and time to live stay. It runs in steps of at most `AT_ONCE` values and
        `BYTES_AT_ONCE` bytes, between which others can read and write. Each replacement is a compare-and-set: a
        value that was changed since is read again, a deleted one stays deleted, and values added meanwhile are not
        touched. It may be interrupted and repeated. Raises: StoreBusy if others change one value `TRIES` times.
        """
        ...

    async def names(self, tenant: str | None = None) -> tuple[Key, ...]:
        """All sessions that hold any value, also those without messages; namespaces are not listed."""
        ...


def changed_authors(change: Change, key: Key, authors: Sequence[str]) -> tuple[str, ...]:
    """The changed authors of a ledger; names that become equal are merged."""
    return tuple(dict.fromkeys(change.author(key, author) for author in authors))


def changed_author(change: Change, key: Key, author: str | None) -> str | None:
    """The changed author, or None if there is none."""
    return None if author is None else change.author(key, author)


def changed_write(change: Change, key: Key, checkpoint_id: str, write: Write) -> Write:
    """A pending write, with each of its messages changed."""
    value = write.value
    new: Plain | MessageList
    if isinstance(value, Plain):
        new = change.plain(key, ("write", checkpoint_id, write.task_id, str(write.index)), value)
    else:
        items = tuple(change.message(key, item) if isinstance(item, Message) else item for item in value.items)
        new = replace(value, items=items)
    return write if new == value else replace(write, value=new)


def changed_too_often(key: Key, values: int) -> StoreBusy:
    """The error for values that other writers changed at every attempt."""
    return StoreBusy(
        f"session {key}: other writers changed {values} values during each of {TRIES} attempts to rewrite them; "
        "what was rewritten stays, so repeat the call when fewer writers use the session"
    )
