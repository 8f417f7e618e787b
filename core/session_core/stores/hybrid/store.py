"""A durable store that every write waits for, with a cache in front that serves views."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar, Unpack, cast

from session_core.errors import (
    ConfigError,
    Conflict,
    InputError,
    NewerSchema,
    StoreBusy,
    StoreClosed,
    StoreError,
    StoreLost,
    StoreUnreadable,
)
from session_core.events import Notice
from session_core.plan import Digest
from session_core.ports import (
    Appended,
    Checkpoint,
    Lease,
    Loaded,
    Marks,
    MessageList,
    Plain,
    SessionStore,
    State,
    Write,
)
from session_core.ranges import Ranges
from session_core.runtime.process_bound import ProcessBound
from session_core.stores.cache import Cache
from session_core.stores.circuit_breaker import CircuitBreaker
from session_core.stores.closing import Closing
from session_core.stores.hybrid.hot_side import Health, HotSide, PendingWrite
from session_core.stores.hybrid.projection import (
    Grown,
    Head,
    entry_of,
    extend_head,
    extend_head_by_checkpoint,
    head_from,
    loaded_if_readable,
    update_head,
)
from session_core.stores.hybrid.retention import purge_hybrid
from session_core.stores.hybrid.threads import HybridThreads, place_of
from session_core.stores.options import AppendOptions, CheckpointOptions
from session_core.stores.retention import require_purging
from session_core.stores.rewrite import Change, Rewriting
from session_core.stores.risks import Risk, risks_of
from session_core.turns import Key, Message

T = TypeVar("T")

_LIVELY = (StoreBusy, StoreUnreadable, NewerSchema, StoreClosed)
"""Errors that an available cold side raises, except for StoreLost."""


class HybridStore(HybridThreads, ProcessBound):
    """Keeps sessions durably in `cold`, and the input of views for a while in `hot`.

    A write is confirmed when `cold` has it. `load` is served by `hot` in one round trip if its entry is up to date. A
    hot side that is empty, flushed, slow or dead is no error: `cold` is read, and `hot` is retried every
    `retry_after_s` seconds. If `cold` is dead, writes raise StoreError, and `load` and `state` are served from `hot`.
    `degraded` says which side is unavailable, and `on_degraded` is called when that changes.

    How the cache stays consistent: a write first hides the entry (`begin`), then writes to `cold`, then extends the
    entry and makes it visible again (`extend`). In between nobody is served from `hot` and nobody may fill it:

    - A process dies in between: the entry stays hidden, which is a miss. Its write expires after the cache's
      `writing_s`; until then readers go to `cold` and fill nothing.
    - Two concurrent writes (A begins, B begins and writes, A writes): each `begin` puts its own mark on the entry,
      and `extend` requires that mark, and that no write was in progress at its `begin`. Neither has both, so neither
      extends, in any order: a miss.
    - A reader reads `cold` before a write and fills after it: `fill` requires the mark that the reader saw while no
      write was in progress. The write replaced it, and a deleted entry has none.
    - The hot side loses its data during a write: the writer finds its mark gone, extends nothing, and removes what a
      reader may have filled meanwhile.
    - Writes that `hot` never saw (another program wrote to `cold`, or `hot` was unreachable): the next write finds
      that its figures do not continue those of the entry (messages, head, digest, `born`) and removes it; `drifts`
      counts those. A process that could not hide an entry does not use it, and repairs it as soon as `hot` answers.

    What remains: while one process cannot reach `hot` and another can, the other may get a view without the first
    one's newest messages, until the next write to that session, the repair, or the end of the entry; likewise if
    `hot` loses its data during a write and that writer dies at once. If that is not acceptable, set `verify`: each
    hit is compared with the state in `cold`, for one small round trip. Entries over `max_entry_bytes` are not kept.

    Checkpoints, records, searches and namespaces are read from `cold`. Both sides are closed with the store.
    """

    def __init__(
        self,
        hot: Cache,
        cold: SessionStore,
        *,
        verify: bool = False,
        retry_after_s: float = 5.0,
        max_entry_bytes: int = 8_000_000,
        on_degraded: Callable[[str | None], None] | None = None,
    ) -> None:
        self.cold = cold
        self.scheme = cold.scheme
        self._verify, self._most = verify, max_entry_bytes
        self._health = Health(on_degraded)
        self._hot = HotSide(hot, CircuitBreaker(retry_after_s), self._health)
        self._closing = Closing(f"a hybrid store before {self.scheme}")

    @property
    def degraded(self) -> str | None:
        """Which side is unavailable, and why; None if both answered last."""
        return self._health.degraded

    @property
    def drifts(self) -> int:
        """How often a write found that the entry had missed other writes; those entries were removed."""
        return self._health.drifts

    def awaiting(self) -> HybridStore:
        """The same two sides for callers on an event loop."""
        twin = HybridStore(self._hot.cache, self.cold.awaiting(), verify=self._verify, max_entry_bytes=self._most)
        twin._health, twin._hot, twin._closing = self._health, self._hot.awaiting(), self._closing
        return twin

    async def append(self, key: Key, messages: Sequence[Message], **options: Unpack[AppendOptions]) -> Appended:
        pending = await self._begin(key)
        done = await self._written(pending, key, self.cold.append(key, messages, **options))
        await self._settle(pending, key, done, partial(extend_head, messages=messages, done=done))
        return done

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        return await self._written(None, key, self.cold.take_lease(key, holder=holder, ttl_s=ttl_s))

    async def drop_lease(self, lease: Lease) -> None:
        await self._written(None, lease.key, self.cold.drop_lease(lease))

    async def load(self, key: Key, lineage: Ranges | None = None) -> Loaded:
        self._closing.require_open()
        if lineage is not None or key.namespace:
            return await self._read(self.cold.load(key, lineage))
        seen = await self._hot.look(place_of(key))
        if seen is not None and seen.entry is not None:
            kept = loaded_if_readable(seen.entry, key)
            if kept is not None and (not self._verify or await self._agrees(kept.state)):
                return kept
        try:
            loaded = await self._read(self.cold.load(key))
        except StoreError:
            kept = await self._kept(key)
            if kept is None:
                raise
            return kept
        if seen is not None and seen.quiet and loaded.state.version:
            entry = entry_of(loaded)
            if len(entry.head) + sum(map(len, entry.messages)) <= self._most:
                await self._hot.fill(place_of(key), seen.mark, entry)
        return loaded

    async def state(self, key: Key) -> State | None:
        self._closing.require_open()
        try:
            return await self._read(self.cold.state(key))
        except StoreError:
            kept = None if key.namespace else await self._kept(key)
            if kept is None:
                raise
            return kept.state

    async def record(self, key: Key, part: Ranges | None = None) -> tuple[Message, ...]:
        return await self._read(self.cold.record(key, part))

    async def find(self, key: Key, message_id: str) -> Message | None:
        return await self._read(self.cold.find(key, message_id))

    async def search(self, key: Key, words: Sequence[str], *, max_hits: int) -> tuple[Message, ...]:
        return await self._read(self.cold.search(key, words, max_hits=max_hits))

    async def put_digest(self, key: Key, digest: Digest, *, expected: int, born: str | None = None) -> Digest:
        pending = await self._begin(key)
        made = await self._written(pending, key, self.cold.put_digest(key, digest, expected=expected, born=born))
        await self._restate(pending, key, steps=0)
        return made

    async def mark(self, key: Key, marks: Marks) -> None:
        pending = await self._begin(key)
        await self._written(pending, key, self.cold.mark(key, marks))
        await self._restate(pending, key, steps=2)

    async def notices(self, key: Key) -> tuple[Notice, ...]:
        return await self._read(self.cold.notices(key))

    async def delete(self, key: Key) -> int:
        pending = await self._hot.begin(place_of(key))
        gone = await self._written(pending, key, self.cold.delete(key))
        await self._hot.end(pending, discard=True)
        return gone

    async def purge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """As in `Purging`, by the cold side's clock; also removes hot entries. Raises: ConfigError if the cold store
        cannot purge."""
        return await self._read(purge_hybrid(self.cold, self._hot, older_than_s, tenant))

    async def idle(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        return await self._read(require_purging(self.cold).idle(older_than_s, tenant=tenant))

    async def sessions(self, tenant: str | None = None) -> tuple[State, ...]:
        return await self._read(self.cold.sessions(tenant))

    async def damage(self) -> tuple[str, ...]:
        return await self._read(self.cold.damage())

    async def risks(self) -> tuple[Risk, ...]:
        return await self._read(risks_of(self.cold))

    async def rewrite(self, key: Key, change: Change) -> int:
        """As in `Rewriting`; the hot entry is removed. Raises: ConfigError if the cold store cannot rewrite."""
        rewriting = self._rewriting()
        pending = await self._hot.begin(place_of(key))
        changed = await self._written(pending, key, rewriting.rewrite(key, change))
        await self._hot.end(pending, discard=True)
        return changed

    async def names(self, tenant: str | None = None) -> tuple[Key, ...]:
        """All sessions of the cold store. Raises: ConfigError if it cannot rewrite."""
        return await self._read(self._rewriting().names(tenant))

    async def close(self) -> None:
        self._closing.begin()
        await self._hot.cache.close()
        await self.cold.close()

    async def put_checkpoint(
        self,
        checkpoint: Checkpoint,
        new_values: Mapping[str, Plain | MessageList | None],
        **options: Unpack[CheckpointOptions],
    ) -> Appended:
        key = checkpoint.key
        pending = await self._begin(key)
        done = await self._written(pending, key, self.cold.put_checkpoint(checkpoint, new_values, **options))
        steps = 2 * sum(isinstance(value, MessageList) for value in new_values.values())
        head_channel = options["head_channel"]
        grow = partial(extend_head_by_checkpoint, values=new_values, head_channel=head_channel, done=done)
        await self._settle(pending, key, done, grow, steps=steps)
        return done

    async def put_writes(self, key: Key, checkpoint_id: str, writes: Sequence[Write]) -> None:
        await self._written(None, key, self.cold.put_writes(key, checkpoint_id, writes))

    async def checkpoint(self, key: Key, checkpoint_id: str | None = None) -> Checkpoint | None:
        return await self._read(self.cold.checkpoint(key, checkpoint_id))

    async def begin(self, key: Key) -> tuple[Checkpoint | None, Loaded]:
        return await self.checkpoint(key), await self.load(key)

    async def checkpoints(
        self, tenant: str, session_id: str | None, namespace: str | None, *, before: str | None = None
    ) -> tuple[Checkpoint, ...]:
        return await self._read(self.cold.checkpoints(tenant, session_id, namespace, before=before))

    async def fill(self, checkpoint: Checkpoint) -> Checkpoint:
        return await self._read(self.cold.fill(checkpoint))

    def _rewriting(self) -> Rewriting:
        if not hasattr(self.cold, "rewrite"):
            raise ConfigError(
                f"the {self.scheme} store behind the hot side cannot rewrite stored values, "
                "which a key rotation needs; use a store that can as cold="
            )
        return cast(Rewriting, self.cold)

    async def _begin(self, key: Key) -> PendingWrite | None:
        return None if key.namespace else await self._hot.begin(place_of(key))

    async def _written(self, pending: PendingWrite | None, key: Key, work: Awaitable[T]) -> T:
        """The cold side's answer to a write.

        If it fails, the write may have happened nevertheless: then the entry stays hidden until the write expires. A
        refused write leaves nothing behind.
        """
        try:
            done = await work
        except (Conflict, InputError):
            self._health.good("cold")
            if pending is not None:
                await self._refused(pending)
            raise
        except StoreError as exc:
            if _answers(exc):
                raise
            self._health.bad("cold", exc)
            kind = StoreLost if isinstance(exc, StoreLost) else StoreError
            raise kind(
                f"session {key}: the write is not confirmed, since the durable {self.scheme} store failed "
                f"({exc.message_without_session}); views are still served from the cache: bring that store back, then "
                "retry the write"
            ) from exc
        self._health.good("cold")
        return done

    async def _refused(self, pending: PendingWrite) -> None:
        if pending.head is not None:
            await self._hot.extend(pending, pending.head, ())
        elif pending.name:
            await self._hot.end(pending, discard=False)

    async def _settle(
        self,
        pending: PendingWrite | None,
        key: Key,
        done: Appended,
        grow: Callable[[Head], Grown | None],
        *,
        steps: int = 1,
    ) -> None:
        """Make the entry valid again with what was written, or remove it if that is not possible."""
        if pending is None:
            return
        head = _head(pending, key)
        grown = None if head is None else grow(head)
        if grown is not None:
            packed, more = grown[0].packed(), grown[1]
            if len(packed) + grown[0].message_bytes <= self._most:
                await self._hot.extend(pending, packed, more)
                return
        alone = await self._hot.end(pending, discard=True)
        if alone and head is not None and not head.continues_in(done.state, new=done.new, steps=steps):
            self._health.drifts += 1

    async def _restate(self, pending: PendingWrite | None, key: Key, *, steps: int) -> None:
        """Make the entry valid again with the current state of the cold side."""
        if pending is None:
            return
        try:
            state = await self.cold.state(key) if pending.head is not None else None
        except StoreError:
            await self._hot.end(pending, discard=True)
            return
        now = state or State(key)
        await self._settle(pending, key, Appended((), 0, now), lambda head: update_head(head, now), steps=steps)

    async def _read(self, work: Awaitable[T]) -> T:
        try:
            found = await work
        except StoreError as exc:
            if not _answers(exc):
                self._health.bad("cold", exc)
            raise
        self._health.good("cold")
        return found

    async def _agrees(self, state: State) -> bool:
        try:
            return await self._read(self.cold.state(state.key)) == state
        except StoreError:
            return True

    async def _kept(self, key: Key) -> Loaded | None:
        """The hot entry of a session while the cold side is unavailable; it has confirmed data only."""
        seen = await self._hot.look(place_of(key), hidden=True)
        return None if seen is None or seen.entry is None else loaded_if_readable(seen.entry, key)


def _answers(exc: StoreError) -> bool:
    return isinstance(exc, _LIVELY) and not isinstance(exc, StoreLost)


def _head(pending: PendingWrite, key: Key) -> Head | None:
    """The head that `pending` hid; None if none was valid, or if it is another release's."""
    try:
        return None if pending.head is None else head_from(pending.head, key)
    except StoreUnreadable:
        return None
