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
"""How many values one step rewrites at most."""
BYTES_AT_ONCE = 4_000_000
"""A step ends early, yet never without a value, when those it read are so large together."""
TRIES = 8
"""How often a value is tried that somebody else changed between the reading and the writing of it."""


class Change(Protocol):
    """What to do with each stored value: give it back as it is, or another form of the same.

    A message must keep its id and what `body_digest` goes by; what it says, its author and its clip
    may come in another form, and only these, its id and its number are told. A message in a pending
    write may come without its author and clip, which are then asked for by themselves. `place` is
    ("checkpoint", id), ("value", channel, version) or ("write", checkpoint id, task id, index).
    """

    def message(self, key: Key, message: Message) -> Message: ...

    def digest(self, key: Key, digest: Digest) -> Digest: ...

    def notice(self, key: Key, notice: Notice) -> Notice: ...

    def author(self, key: Key, author: str) -> str: ...

    def plain(self, key: Key, place: tuple[str, ...], value: Plain) -> Plain: ...


class Rewriting(Protocol):
    """A store whose values can be written anew where they stand."""

    async def rewrite(self, key: Key, change: Change) -> int:
        """Write the `change` of everything the session holds, its namespaces included; how many values changed.

        Numbers, versions, order and time to live stay. It goes in steps of at most `AT_ONCE` values
        and `BYTES_AT_ONCE` bytes, between which others read and write. A value is replaced only while
        the one that was read stands there: what others changed meanwhile is read again, what is
        deleted stays deleted, and what is added is left as it came. It may be stopped half way and
        begun again. Raises: StoreBusy when others change one value again and again.
        """
        ...

    async def names(self, tenant: str | None = None) -> tuple[Key, ...]:
        """Every session that holds anything, those without a message too; namespaces left out."""
        ...


def changed_authors(change: Change, key: Key, authors: Sequence[str]) -> tuple[str, ...]:
    """The authors of a ledger; two forms of one name become one."""
    return tuple(dict.fromkeys(change.author(key, author) for author in authors))


def changed_author(change: Change, key: Key, author: str | None) -> str | None:
    """An author, where there is one."""
    return None if author is None else change.author(key, author)


def changed_write(change: Change, key: Key, checkpoint_id: str, write: Write) -> Write:
    """A pending write, its messages whole."""
    value = write.value
    new: Plain | MessageList
    if isinstance(value, Plain):
        new = change.plain(key, ("write", checkpoint_id, write.task_id, str(write.index)), value)
    else:
        items = tuple(change.message(key, item) if isinstance(item, Message) else item for item in value.items)
        new = replace(value, items=items)
    return write if new == value else replace(write, value=new)


def changed_too_often(key: Key, values: int) -> StoreBusy:
    """The error for values that others changed each time they were to be rewritten."""
    return StoreBusy(
        f"session {key}: {values} values were changed by others each of {TRIES} times that they were to be "
        "rewritten; what was rewritten stays, so begin again when fewer write to the session"
    )
