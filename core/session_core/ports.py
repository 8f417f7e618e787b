"""The powers the flow asks for, one Protocol each; stores, models and observers give them.

Everything is `async def` and is called in two voices: what never waits for a loop serves both; what
blocks is put into a thread for awaiting callers (see `voices.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """The figures of a digest that a state keeps: its number (0 for no digest), the price of its message, and the
    price and number of the messages that it covers."""

    number: int = 0
    tokens: int = 0
    covered_tokens: int = 0
    covered_messages: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What a store knows of a session without reading a message.

    `version` grows by one with each write to the record. `head` is the part of the record that the
    conversation is now (edits and forks leave other parts behind). `active` is the digest that views
    stand on, `ready` the newest one, which becomes the active one with the next turn. The session was last taken up
    again after `resumed_after_seq`: after `absent_s` seconds without a word, or by a reset when that is 0. `born`
    tells a session apart from an older one of the same name. `sealed` says that somebody wrote to it through an
    encrypting store.
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
    """What a view is made of: the state, the digest, and the messages behind it, in their order."""

    state: State
    digest: Digest | None
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Appended:
    """Where appended messages stand: one sequence number for each, in their order.

    `new` counts those that were not in the record before, `tokens` is their price.
    """

    seqs: tuple[int, ...]
    new: int
    state: State = field(repr=False)
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Marks:
    """Notes on a session that add nothing to its record; None leaves one as it is.

    `head` names another part of the record as the conversation (a reset); `activate` makes the
    newest digest the active one at once. Either is a new version.
    """

    tier: int | None = None
    resumed_after_seq: int | None = None
    absent_s: float | None = None
    notice: Notice | None = None
    head: Ranges | None = None
    activate: bool = False


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to take the next turn of a session, until `ttl_s` seconds after it was last taken.

    `token` is the fencing token: no two grants of a session have the same, and a later grant has a
    greater one as long as the store's clock does not go back. `holder` is who asked for it.
    """

    key: Key
    token: int
    holder: str
    ttl_s: float


class Leasing(Protocol):
    """Grants leases; the store's clock counts, not the caller's."""

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        """A lease on the session, which need not be there yet; None while another holder has one.

        Who holds it, or held it last, takes it again to hold it longer, and keeps the token. A clock
        that went behind the grant ends a lease: better two holders of whom one is fenced off than
        nobody for as long as the clock went back.
        """
        ...

    async def drop_lease(self, lease: Lease) -> None:
        """Give the lease back; nothing when it is over, or somebody else's by now."""
        ...


class Store(Leasing, Protocol):
    """Keeps sessions. Every promise below is tested by `session_core.testing` for each store.

    Writes are atomic, and durable when the call returns. An unknown session is an empty one; only
    `append` and the checkpoint writes create it.
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
        """Add `messages` behind the head, all or none, and give each its sequence number.

        A message whose id and content are in the record keeps its number and is not added twice.
        One whose id is there with other content is added as a new revision when `revise` is set,
        and takes the old one's place in the head. A batch that begins a turn (holds a user message)
        makes the newest digest the active one.

        Raises: DuplicateMessage without `revise`; OrphanToolResult with `strict` when a new result
        answers no open call; Conflict when `expected` is not the version; TurnLost when `lease` was
        given back, went to another holder, or ended with its session. One that is over by time only
        still counts, since nobody else has the turn. StoreUnreadable when the session is sealed and a
        message is not: nobody who reads it could open that one.
        """
        ...

    async def load(self, key: Key, lineage: Ranges | None = None) -> Loaded:
        """State, digest and the messages behind it, of the head or of `lineage`; one round trip.

        For the head the digest is the active one or the newest before it, for a lineage the newest
        one, that covers a beginning of it. Pinned messages under the digest come first.
        """
        ...

    async def record(self, key: Key, part: Ranges | None = None) -> tuple[Message, ...]:
        """The messages of `part`, in its order; without it, all of the log by sequence number."""
        ...

    async def find(self, key: Key, message_id: str) -> Message | None:
        """The newest message called `message_id`."""
        ...

    async def search(self, key: Key, words: Sequence[str], *, max_hits: int) -> tuple[Message, ...]:
        """Messages that hold any of `words` (as `retrieve.terms` makes them), likely ones first."""
        ...

    async def state(self, key: Key) -> State | None:
        """What is known of the session, or None when there is none."""
        ...

    async def put_digest(self, key: Key, digest: Digest, *, expected: int, born: str | None = None) -> Digest:
        """Add a digest behind number `expected` and give it the next number.

        An old one that views do not stand on may make place for it (`rules.outlived`): then a lineage is loaded
        with the newest one that is left.

        Raises: Conflict when `expected` is not the newest number any more, or when the session was
        deleted (with `born`: also when it was begun again since).
        """
        ...

    async def mark(self, key: Key, marks: Marks) -> None:
        """Write notes down; an unknown session stays unknown."""
        ...

    async def notices(self, key: Key) -> tuple[Notice, ...]:
        """What the user was to be told, oldest first."""
        ...

    async def delete(self, key: Key) -> int:
        """Remove the session whole, its namespaces and checkpoints included; how many messages went."""
        ...

    async def sessions(self, tenant: str | None = None) -> tuple[State, ...]:
        """The state of every session, namespaces left out, newest activity first."""
        ...

    async def damage(self) -> tuple[str, ...]:
        """What is broken in the stored data, as far as the backend can tell by itself; nothing for a sound one."""
        ...

    async def close(self) -> None:
        """Release what the store opened; a second call does nothing."""
        ...


@dataclass(frozen=True, slots=True)
class SummaryRequest:
    """What a summarizer works on: the summary so far, the messages that are folded now, the price."""

    previous: str
    messages: tuple[Message, ...]
    max_tokens: int


class Summarizer(Protocol):
    """Writes a rolling summary. What it says is checked against its source before it is believed.

    A plain method does as well as an `async` one, here and for the other helpers of a policy. Folds run in a
    thread of their own, so it may block for long. One that waits for an event loop is replaced by the rules,
    and an event says so.
    """

    name: str

    async def summarize(self, request: SummaryRequest) -> str:
        """The summary so far and `request.messages`, in at most `request.max_tokens` tokens."""
        ...


class Classifier(Protocol):
    """Judges what compression may do with a message, when it is appended; must be quick."""

    def classify(self, message: Message) -> Importance: ...


class Embedder(Protocol):
    """Turns texts into vectors of one length."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]: ...


class Observer(Protocol):
    """Is told of every event, in the thread where it happens; must not raise or wait."""

    def observe(self, event: Event) -> None: ...


class CheckpointStore(Protocol):
    """Keeps LangGraph checkpoints beside the record; messages in them are stored once, in the record."""

    async def put_checkpoint(
        self,
        checkpoint: Checkpoint,
        new_values: Mapping[str, Plain | MessageList | None],
        *,
        head_channel: str | None,
        merge: bool,
        lease: Lease | None = None,
        follows: bool = False,
    ) -> Appended:
        """Store a checkpoint and the values of its changed channels; None says "empty".

        Messages that the record does not have are appended. `head_channel` is the channel that the
        conversation is: its part becomes the session's head. With `merge` what others appended since the
        list's `base` was read stays in the head; without it (a fork) the part replaces the head.

        Raises, and writes nothing: TurnLost when `lease`, which may be that of any namespace of the
        session, does not count any more, as for `append`; with `follows`, Conflict when the newest
        checkpoint is not the parent; StoreUnreadable as for `append`.
        """
        ...

    async def put_writes(self, key: Key, checkpoint_id: str, writes: Sequence[Write]) -> None:
        """Store a task's writes. One with an index below 0 replaces its older self; others stay."""
        ...

    async def checkpoint(self, key: Key, checkpoint_id: str | None = None) -> Checkpoint | None:
        """The checkpoint of that id, or the newest, with its values and writes."""
        ...

    async def begin(self, key: Key) -> tuple[Checkpoint | None, Loaded]:
        """The newest checkpoint, and what `load` gives for the head: all that a run begins with, in one round trip.

        What is written between the two reads may be in the second alone.
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
        """The checkpoints that one stands on, its parent first, with values and writes of `channels` only.

        Ends with the first by which each of the channels has had a value, or with the last that is there, each once.
        """
        ...

    async def checkpoints_of_runs(self, tenant: str, run_ids: Sequence[str]) -> tuple[Checkpoint, ...]:
        """What these runs stored, of all sessions, newest first, without values and writes."""
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
        """Remove checkpoints, their writes, and the values and bodies that nothing else names any more.

        The record stays whole. `parents` gives checkpoints that stay another parent, `head` names another
        part of the record as the conversation. Those that are not there are passed by.
        Raises: Conflict when `expected` is not the version; then nothing was done.
        """
        ...

    async def copy_session(self, key: Key, session_id: str) -> None:
        """Make a session called `session_id`, of the same tenant, that holds all that this one holds.

        Record, digests, notices, checkpoints, values, writes and namespaces, under the same numbers; its
        `born` is its own, and it has no lease. All or nothing. An unknown session makes none.
        Raises: Conflict when there is one of that name already.
        """
        ...

    async def holdings(self, key: Key) -> tuple[Holding, ...]:
        """The session and its namespaces, by their names."""
        ...


class Purging(Protocol):
    """A store that can end what nobody uses any more; all of ours can."""

    async def purge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """Delete the sessions that nobody wrote to for `older_than_s` seconds, of one tenant or all; those that went.

        A session goes whole, as `delete` has it, or stays: one that is written to meanwhile stays. The
        store's own clock counts, that of the server where there is one, never the time in a message.
        Works in steps, so that others go on; one that is stopped half way is begun again.
        """
        ...


class SessionStore(Store, CheckpointStore, Protocol):
    """A store that keeps checkpoints too; all of ours do."""

    def awaiting(self) -> SessionStore:
        """The same store for callers on an event loop, which it must never block."""
        ...
