"""Computes how to make a message list the conversation: which parts of the record it reuses, and what is new."""

from __future__ import annotations

import uuid
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence, Set
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
        """The part of the record that the conversation is, once `new` was appended, as the last of `done`."""
        fresh = iter(done.seqs[len(done.seqs) - len(self.new) :])
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

    A message of the session's own view stands for what it shows: a digest for all that the view leaves out, a clip
    for the whole. Any other is the next one of the record that says the same and that the view shows, or a new one.
    """
    marked = [(message, _Marked.of(message, str(key))) for message in wanted]
    covered = {seq for _, mark in marked if mark for seq in mark.covers}
    found = _RecordMatcher(record, covered)
    parts = [None if mark and mark.generated else found.part(message, mark) for message, mark in marked]
    made = tuple(found.with_covered(parts, covered))
    now = tuple(message.seq for message in record)
    grows = made[: len(now)] == now and all(isinstance(item, Message) for item in made[len(now) :])
    return Change(made, grows)


@dataclass(frozen=True, slots=True)
class _Marked:
    """What a message of a view stands for: the one with `id` unless it is `generated`, and those that it `covers`."""

    generated: bool
    id: str
    covers: Ranges

    @classmethod
    def of(cls, message: ChatMessage, session: str) -> _Marked | None:
        """What `message` stands for, if it is of a view of `session`."""
        mark = mark_of(message) or {}
        if mark.get("session") != session:
            return None
        return cls("origin" in mark, mark.get("ref", ""), Ranges.from_pairs(mark.get("covers", ())))


class _RecordMatcher:
    """Finds the messages of a record again, each once, from its beginning to its end."""

    def __init__(self, record: Sequence[Message], covered: Set[int]) -> None:
        self._by_id = {message.id: message.seq for message in record}
        self._places = {message.seq: place for place, message in enumerate(record)}
        self._same: defaultdict[bytes, deque[int]] = defaultdict(deque)
        for message in record:
            if message.seq not in covered:
                self._same[body_digest(to_core(from_core(message)))].append(message.seq)
        self._reached = -1

    def part(self, message: ChatMessage, mark: _Marked | None) -> int | Message:
        """The number of the message that `message` is, or what it says, if the record has it not."""
        if mark and mark.id in self._by_id:
            return self._passed(self._by_id[mark.id])
        same = self._same[body_digest(to_core(message))]
        while same and self._places[same[0]] <= self._reached:
            same.popleft()
        return self._passed(same.popleft()) if same else as_new(message)

    def with_covered(self, parts: Sequence[int | Message | None], covered: Set[int]) -> Iterator[int | Message]:
        """`parts`, each number once, and those of `covered` that the record has, where the record has them.

        None is a digest; what is covered comes before what is new behind it.
        """
        known = {part for part in parts if not isinstance(part, Message)}
        rest = deque(seq for seq in self._places if seq in covered and seq not in known)
        end = max((place for place, part in enumerate(parts) if not isinstance(part, Message)), default=-1)
        for place, part in enumerate(parts):
            if isinstance(part, Message):
                yield part
            elif part in known:
                while rest and part is not None and self._places[rest[0]] < self._places[part]:
                    yield rest.popleft()
                if part is not None:
                    yield part
                known.discard(part)
            if place == end:
                yield from rest

    def _passed(self, seq: int) -> int:
        self._reached = max(self._reached, self._places[seq])
        return seq
