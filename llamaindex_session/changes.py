"""Computes how to make a message list the conversation: which parts of the record it reuses, and what is new."""

from __future__ import annotations

import uuid
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from llama_index.core.base.llms.types import ChatMessage

from llamaindex_session.messages import from_core, mark_of, to_core
from session_core.ports import Appended, Marks
from session_core.ranges import Ranges
from session_core.serial.codec import body_digest
from session_core.turns import GIVEN_ID, Key, Message


@dataclass(frozen=True, slots=True)
class Change:
    """The wanted conversation, in order: numbers of the record, and messages that are not in it.

    `grows` says that it is the conversation of now with new messages behind it, if any.
    """

    items: tuple[int | Message, ...]
    grows: bool

    @property
    def new(self) -> list[Message]:
        """The messages that are to be stored."""
        return [item for item in self.items if isinstance(item, Message)]

    def head(self, done: Appended) -> Ranges:
        """The part of the record that the conversation is, once `new` was appended."""
        fresh = iter(done.seqs)
        return Ranges.of(next(fresh) if isinstance(item, Message) else item for item in self.items)

    def marks(self, done: Appended) -> Marks:
        """What makes that part the conversation; one that was emptied begins afresh, as by `Session.reset`."""
        head = self.head(done)
        if head:
            return Marks(head=head)
        return Marks(head=head, resumed_after_seq=done.state.ledger.messages, absent_s=0.0)


def new_id() -> str:
    """An id for a message that came without one, as all of LlamaIndex do."""
    return f"{GIVEN_ID}{uuid.uuid4().hex}"


def as_new(message: ChatMessage, message_id: str | None = None) -> Message:
    """`message` as something that was said now, with an id of its own, whatever view it may come from."""
    return replace(without_id(message), id=message_id or new_id())


def without_id(message: ChatMessage) -> Message:
    """`message` as something that was said, whatever view it may come from, without an id."""
    return replace(to_core(message), id="", origin="record", rendition="whole", covers=Ranges())


def change_to(wanted: Iterable[ChatMessage], record: Sequence[Message], key: Key) -> Change:
    """How the conversation `record` of session `key` becomes `wanted`, with nothing stored twice.

    A message of the session's own view stands for what it shows: a digest for all it covers, a clip
    for the whole. Any other is the next one of the record that says the same, or a new one.
    """
    found = _RecordMatcher(record, str(key))
    parts = [found.part(message) for message in wanted]
    covered = {seq for part in parts if isinstance(part, Ranges) for seq in part}
    items: dict[int, int | Message] = {}
    for place, part in enumerate(parts):
        if isinstance(part, Message):
            items[-1 - place] = part
        elif isinstance(part, Ranges):
            items.update((seq, seq) for seq in part)
        elif part not in covered:
            items[part] = part
    made = tuple(items.values())
    now = tuple(message.seq for message in record)
    grows = made[: len(now)] == now and all(isinstance(item, Message) for item in made[len(now) :])
    return Change(made, grows)


class _RecordMatcher:
    """Finds the messages of a record again, each once, from its beginning to its end."""

    def __init__(self, record: Sequence[Message], session: str) -> None:
        self._session = session
        self._by_id = {message.id: message.seq for message in record}
        self._places = {message.seq: place for place, message in enumerate(record)}
        self._same: defaultdict[bytes, deque[int]] = defaultdict(deque)
        for message in record:
            self._same[body_digest(to_core(from_core(message)))].append(message.seq)
        self._reached = -1

    def part(self, message: ChatMessage) -> int | Ranges | Message:
        """The number or numbers that `message` stands for, or what it says, when the record has it not."""
        neutral = to_core(message)
        if (mark_of(message) or {}).get("session") == self._session:
            if neutral.origin != "record":
                return Ranges.of(seq for seq in neutral.covers if seq in self._places)
            if neutral.id in self._by_id:
                return self._passed(self._by_id[neutral.id])
        same = self._same[body_digest(neutral)]
        while same and self._places[same[0]] <= self._reached:
            same.popleft()
        return self._passed(same.popleft()) if same else as_new(message)

    def _passed(self, seq: int) -> int:
        self._reached = max(self._reached, self._places[seq])
        return seq
