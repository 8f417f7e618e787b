"""The protocols that sessions depend on; stores, models and observers implement them.

Everything is `async def` and is called in two voices: implementations that never wait for an event loop serve both;
blocking ones run in a thread for async callers (see `voices.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from session_core.checkpoints import Checkpoint as Checkpoint
from session_core.checkpoints import MessageList as MessageList
from session_core.checkpoints import Plain as Plain
from session_core.checkpoints import Stored as Stored
from session_core.checkpoints import Version as Version
from session_core.checkpoints import Write as Write
from session_core.events import Event, Notice
from session_core.ledger import Ledger
from session_core.plan import Digest
from session_core.ranges import Ranges
from session_core.turns import Importance, Key, Message


@dataclass(frozen=True, slots=True)
class Standing:
    """The figures of a digest in a state: its number (0 for none), its size, and tokens and count of the messages it
    covers.
    """

    number: int = 0
    tokens: int = 0
    covered_tokens: int = 0
    covered_messages: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What a store knows about a session without reading messages.

    `version` grows by one with each write to the record. `head` is the part of the record that is the current
    conversation (edits and forks leave other parts behind). `active` is the digest that views use, `ready` the newest
    one, which becomes active with the next turn. The session was last resumed after `resumed_after_seq`: after
    `absent_s` seconds of absence, or by a reset if that is 0. `born` distinguishes a session from an older one of the
    same name. `sealed` means that an encrypting store has written to it.
    """

    key: Key
    version: int = 0
    head: Ranges = Ranges()
    ledger: Ledger = Ledger()
    active: Standing = Standing()
    ready: Standing = Standing()
    tier: int = 0
    resumed_after_seq: int = 0
    absent_s: float = 0.0
    born: str = ""
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """A session, or one of its namespaces, and all of its digests, oldest first."""

    state: State
    digests: tuple[Digest, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The input of a view: the state, the digest, and the messages after it, in order."""

    state: State
    digest: Digest | None
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Appended:
    """The sequence numbers of appended messages, one for each, in order.

    `new` counts those that were not in the record before, `tokens` is their size.
    """

    seqs: tuple[int, ...]
    new: int
    state: State = field(repr=False)
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Marks:
    """Changes to a session's state that add nothing to its record; None leaves a field unchanged.

    `head` makes another part of the record the conversation (a reset); `activate` makes the newest digest active at
    once. Either creates a new version.
    """

    tier: int | None = None
    resumed_after_seq: int | None = None
    absent_s: float | None = None
    notice: Notice | None = None
    head: Ranges | None = None
    activate: bool = False


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to take the next turn of a session, until `ttl_s` seconds after it was last granted or renewed.

    `token` is the fencing token: unique per grant of a session, and greater for later grants unless the store's clock
    goes back. `holder` is who requested it.
    """

    key: Key
    token: int
    holder: str
    ttl_s: float


class Leasing(Protocol):
    """Grants leases, by the store's clock."""

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        """A lease on the session, which need not exist; None while another holder has one.

        The current or last holder renews it and keeps the token. If the clock went back behind the grant, the lease
        ends: two holders, one of them fenced off, are better than none for that time.
        """
        ...

    async def drop_lease(self, lease: Lease) -> None:
        """Release the lease; nothing if it has expired or belongs to another holder."""
        ...


class Store(Leasing, Protocol):
    """Keeps sessions. `session_core.testing` tests every promise below for each store.

    Writes are atomic, and durable when the call returns. An unknown session is an empty one; only `append` and the
    checkpoint writes create it.
    """

    scheme: str

    async def append(
        self,
        key: Key,
        messages: Sequence[Message],
        *,
        expected: int | None = None,
        revise: bool = False,
        strict: bool = False,
        lease: Lease | None = None,
    ) -> Appended:
        """Append `messages` to the head, all or none, and assign each its sequence number.

        A message whose id and content are in the record keeps its number and is not added again. With `revise`, one
        whose id exists with other content is added as a new revision and takes the old one's place in the head. Else
        ids count within the head: what left it comes back to its end (not if old questions come with a new one, as in
        the state of an agent that remembers). A batch that starts a turn (with a new question) activates the digest.

        Raises: DuplicateMessage without `revise`; OrphanToolResult with `strict` if a new result answers no open
        call; Conflict if `expected` is not the version, unless all messages are stored, as by an earlier try of the
        same call; TurnLost if `lease` was released, went to another holder, or ended with its session (one that has
        merely expired still counts, since nobody else has the turn);
        StoreUnreadable if the session is sealed and a message is not, since no reader could open it.
        """
        ...

    async def load(self, key: Key, lineage: Ranges | None = None) -> Loaded:
        """State, digest and the messages after it, of the head or of `lineage`; one round trip.

        The digest covers a beginning of that part: for the head it is the active one or the newest before it, for a
        lineage the newest one. Pinned messages under the digest come first.
        """
        ...

    async def record(self, key: Key, part: Ranges | None = None) -> tuple[Message, ...]:
        """The messages of `part`, in its order; without it, the whole log by sequence number."""
        ...

    async def find(self, key: Key, message_id: str) -> Message | None:
        """The newest message with the id `message_id`."""
        ...

    async def search(self, key: Key, words: Sequence[str], *, max_hits: int) -> tuple[Message, ...]:
        """Messages that contain any of `words` (as made by `retrieve.terms`), likely ones first."""
        ...

    async def state(self, key: Key) -> State | None:
        """The state of the session, or None for an unknown one."""
        ...

    async def put_digest(self, key: Key, digest: Digest, *, expected: int, born: str | None = None) -> Digest:
        """Add a digest after number `expected`, with the next number.

        An old digest that views do not use may be removed for it (`rules.outlived`); a lineage then is loaded with
        the newest one that is left.

        Raises: Conflict if `expected` is no longer the newest number, or the session was deleted (with `born`: also
        if it was recreated).
        """
        ...

    async def mark(self, key: Key, marks: Marks) -> None:
        """Change the state; an unknown session stays unknown."""
        ...

    async def notices(self, key: Key) -> tuple[Notice, ...]:
        """The notices for the user, oldest first."""
        ...

    async def delete(self, key: Key) -> int:
        """Delete the whole session, with namespaces and checkpoints; returns the number of messages."""
        ...

    async def sessions(self, tenant: str | None = None) -> tuple[State, ...]:
        """The state of every session, without namespaces, most recently used first."""
        ...

    async def damage(self) -> tuple[str, ...]:
        """Damage in the stored data that the backend can detect by itself; empty if there is none."""
        ...

    async def close(self) -> None:
        """Release what the store opened, in both voices. Calls under way end first; a second `close` does nothing.

        Every other call raises StoreClosed from then on: nobody would close the connections that it opened.
        """
        ...


@dataclass(frozen=True, slots=True)
class SummaryRequest:
    """The input of a summarizer: the summary so far, the messages to fold, and the size limit."""

    previous: str
    messages: tuple[Message, ...]
    max_tokens: int


class Summarizer(Protocol):
    """Writes a rolling summary. It is checked against its source before use.

    Methods may be plain or `async`, here and in the other helpers of a policy. Folds run in a thread of their own,
    so it may block for long. One that waits for an event loop is replaced by the rules, with an event.
    """

    name: str

    def summarize(self, request: SummaryRequest) -> Awaitable[str] | str:
        """A summary of the summary so far and `request.messages`, in at most `request.max_tokens` tokens."""
        ...


class Classifier(Protocol):
    """Decides what compression may do with a message, when it is appended; must be fast."""

    def classify(self, message: Message) -> Importance: ...


class Embedder(Protocol):
    """Turns texts into vectors of equal length."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]: ...


class Observer(Protocol):
    """Receives every event, in the thread where it happens; must not raise or block."""

    def observe(self, event: Event) -> None: ...


class CheckpointStore(Protocol):
    """Keeps LangGraph checkpoints beside the record; their messages are stored once, in the record."""

    async def put_checkpoint(
        self,
        checkpoint: Checkpoint,
        new_values: Mapping[str, Plain | MessageList | None],
        *,
        head_channel: str | None,
        merge: bool,
        lease: Lease | None = None,
        follows: bool = False,
        born: str | None = None,
    ) -> Appended:
        """Store a checkpoint and the values of its changed channels; None means "empty".

        Messages that are not in the record are appended. `head_channel` is the channel of the conversation: its part
        becomes the head of the session. With `merge`, messages that others appended since the list's `base` was read
        stay in the head; without it (a fork) the part replaces the head.

        Raises, and writes nothing: TurnLost if `lease`, which may belong to any namespace of the session, is not
        valid any more, as in `append`; Conflict with `follows` if the newest checkpoint is not the parent, unless this
        one is stored already, and with `born` if the session that was born so is gone, since numbers of its record
        mean nothing in a later one of its name, or if `new_values` name more messages than it has, since its server
        lost some; StoreUnreadable as in `append`.
        """
        ...

    async def put_writes(self, key: Key, checkpoint_id: str, writes: Sequence[Write]) -> None:
        """Store a task's writes. One with a negative index replaces its older version; others are kept."""
        ...

    async def checkpoint(self, key: Key, checkpoint_id: str | None = None) -> Checkpoint | None:
        """The checkpoint with that id, or the newest one, with its values and writes."""
        ...

    async def begin(self, key: Key) -> tuple[Checkpoint | None, Loaded]:
        """The newest checkpoint, and the result of `load` for the head: the start of a run, in one round trip.

        A write between the two reads may be visible in the second one only.
        """
        ...

    async def checkpoints(
        self, tenant: str, session_id: str | None, namespace: str | None, *, before: str | None = None
    ) -> tuple[Checkpoint, ...]:
        """The checkpoints that match, newest first, without values and writes."""
        ...

    async def fill(self, checkpoint: Checkpoint) -> Checkpoint:
        """The checkpoint with its values, and its writes by task path, task and index."""
        ...

    async def ancestors(self, key: Key, checkpoint_id: str, channels: Sequence[str]) -> tuple[Checkpoint, ...]:
        """The ancestors of a checkpoint, parent first, with values and writes of `channels` only.

        Ends with the first ancestor by which each of the channels has had a value, or with the last one that exists.
        Each is returned once.
        """
        ...

    async def checkpoints_of_runs(self, tenant: str, run_ids: Sequence[str]) -> tuple[Checkpoint, ...]:
        """The checkpoints stored by these runs, in all sessions, newest first, without values and writes."""
        ...

    async def parts(self, key: Key, channels: Sequence[str]) -> Mapping[str, Ranges]:
        """For each checkpoint the part of the record that its list of messages is, under the first of
        `channels` that has one there; checkpoints without one are absent."""
        ...

    async def drop_checkpoints(
        self,
        key: Key,
        checkpoint_ids: Sequence[str],
        *,
        parents: Mapping[str, str | None] | None = None,
        head: Ranges | None = None,
        expected: int | None = None,
    ) -> None:
        """Delete checkpoints, their writes, and the values and bodies that nothing else refers to.

        The record stays whole. `parents` assigns new parents to remaining checkpoints, `head` makes another part of
        the record the conversation. Unknown checkpoints are ignored.
        Raises: Conflict if `expected` is not the version; then nothing was done.
        """
        ...

    async def copy_session(self, key: Key, session_id: str) -> None:
        """Create the session `session_id`, of the same tenant, as a copy of this one.

        Copies record, digests, notices, checkpoints, values, writes and namespaces, with the same numbers; it has its
        own `born` and no lease. All or nothing; an unknown session creates none.
        Raises: Conflict if a session of that name exists.
        """
        ...

    async def holdings(self, key: Key) -> tuple[Holding, ...]:
        """The session and its namespaces, by name."""
        ...


class Purging(Protocol):
    """A store that can delete idle sessions; all built-in ones can."""

    async def idle(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """The sessions that `purge` would delete now, in any order; nothing changes."""
        ...

    async def purge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """Delete the sessions without a write for `older_than_s` seconds, of one tenant or all; returns those
        deleted.

        Each session is deleted whole, as by `delete`; one that is written to meanwhile stays. The clock is the
        store's own (that of the server, if any), never the time of a message. Works in steps, so that others can go
        on; an interrupted purge can be repeated.
        """
        ...


class SessionStore(Store, CheckpointStore, Protocol):
    """A store that keeps checkpoints too; all built-in ones do."""

    def awaiting(self) -> SessionStore:
        """The same store for callers on an event loop, which it must never block."""
        ...
