"""A cache of the record's messages in their LangChain form, since an inner saver gets all of them at each step."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from langchain_core.messages import BaseMessage

from langchain_session.graph_state.channels import raw_messages
from session_core.errors import Conflict
from session_core.ports import SessionStore, State
from session_core.ranges import Ranges
from session_core.runtime.forks import ForkSafeLock
from session_core.turns import Key

MOST_MESSAGES = 10_000
"""The maximum number of cached messages of all threads together; least recently used threads are dropped."""


@dataclass(frozen=True, slots=True)
class Original:
    """A message as its graph had it, with its sequence number and its id in the record."""

    seq: int
    id: str
    message: BaseMessage


class Originals:
    """Caches messages of the record. Thread-safe, and shared by both voices.

    A sequence number identifies a message until the session is deleted; a session that is started again has another
    `born`.
    """

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[Key, str], dict[int, Original]] = OrderedDict()
        self._lock = ForkSafeLock()

    async def of(self, store: SessionStore, state: State, part: Ranges) -> list[Original]:
        """The messages of `part` in its order; those not cached are read together.

        Raises: Conflict if they are not there any more, since the session was deleted.
        """
        place = state.key, state.born
        with self._lock:
            held = dict(self._held.get(place, {}))
        missing = Ranges.of(seq for seq in part if seq not in held)
        if missing:
            record = await store.record(state.key, missing)
            if len(record) < len(missing):
                raise Conflict(f"session {state.key} was deleted while its messages were read; read it again")
            found = zip(record, raw_messages(record), strict=True)
            held |= {one.seq: Original(one.seq, one.id, message) for one, message in found}
            self._keep(place, held)
        return [held[seq] for seq in part]

    def forget(self, key: Key) -> None:
        """Drop everything of a deleted session."""
        with self._lock:
            for place in [place for place in self._held if place[0].whole == key.whole]:
                del self._held[place]

    def _keep(self, place: tuple[Key, str], held: dict[int, Original]) -> None:
        with self._lock:
            self._held[place] = {**self._held.get(place, {}), **held}
            self._held.move_to_end(place)
            while sum(map(len, self._held.values())) > MOST_MESSAGES and len(self._held) > 1:
                self._held.popitem(last=False)
