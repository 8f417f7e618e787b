"""The power to put stored values in the place of others that say the same; key rotation stands on it."""

from __future__ import annotations

from typing import Protocol

from session_core.events import Notice
from session_core.plan import Digest
from session_core.ports import Plain
from session_core.turns import Key, Message


class Change(Protocol):
    """What to do with each stored value: give it back as it is, or another form of the same.

    A message must keep its id and what `body_digest` goes by. `place` is ("checkpoint", id),
    ("value", channel, version) or ("write", checkpoint id, task id, index).
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

        Numbers, versions and order stay. It may be stopped half way and begun again, and readers and
        writers go on meanwhile.
        """
        ...
