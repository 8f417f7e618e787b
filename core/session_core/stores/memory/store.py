"""Sessions in the memory of this process, for tests, notebooks and short-lived work."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from session_core.admission import require_storable
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
    Stored,
    Write,
)
from session_core.ranges import Ranges
from session_core.retrieval.retrieve import searchable, terms
from session_core.runtime.process_bound import ProcessBound
from session_core.sealed import seal_of, seal_of_checkpoint, seal_of_writes
from session_core.stores.closing import Closing, LockWhileOpen
from session_core.stores.list_parts import Before, base_of, store_list
from session_core.stores.memory.rewrite import rewrite_session
from session_core.stores.memory.session import MemorySession
from session_core.stores.memory.threads import MemoryThreads, filled
from session_core.stores.refusals import session_gone
from session_core.stores.retention import require_age
from session_core.stores.rewrite import Change
from session_core.stores.rules import (
    Numbered,
    apply_marks,
    begun,
    best_holders,
    digest_for,
    grow_state,
    lease_over,
    number,
    numbered_at,
    outlived,
    require_calls,
    require_lease,
    require_named,
    require_newest,
    require_parent,
    require_values,
    sealed_by,
    standing,
    version_in,
)
from session_core.turns import Key, Message


class MemoryStore(MemoryThreads, ProcessBound):
    """A store in the memory of this process. Thread-safe."""

    scheme = "memory"

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._sessions: dict[Key, MemorySession] = {}
        self._leases: dict[Key, tuple[Lease, float]] = {}
        self._tokens = itertools.count(1)
        self._clock = clock
        self._closing = Closing("memory://")
        self._lock = LockWhileOpen(self._closing)

    def awaiting(self) -> SessionStore:
        """Itself: nothing here ever waits."""
        return self

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
        require_storable(key, messages)
        with self._lock:
            if lease is not None:
                held = self._leases.get(key)
                require_lease(key, lease, held[0].token if held else None)
            session = self._sessions.get(key) or MemorySession(begun(key))
            numbered = partial(self._number, session, messages, revise=revise)
            outcome = numbered_at(session.state, expected, numbered)
            sealed = sealed_by(session.state, seal_of(messages))
            if strict:
                require_calls(session.state, outcome)
            self._sessions[key] = self._touched(session)
            self._keep(session, outcome)
            session.state = grow_state(sealed, outcome)
            return Appended(outcome.seqs, len(outcome.new), session.state, outcome.tokens)

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        with self._lock:
            now = self._clock()
            last, taken_s = self._leases.get(key, (None, 0.0))
            if last is not None and last.holder != holder and not lease_over(taken_s, last.ttl_s, now):
                return None
            token = last.token if last is not None and last.holder == holder else next(self._tokens)
            lease = Lease(key, token, holder, ttl_s)
            self._leases[key] = lease, now
            return lease

    async def drop_lease(self, lease: Lease) -> None:
        with self._lock:
            held = self._leases.get(lease.key)
            if held is not None and held[0].token == lease.token:
                del self._leases[lease.key]

    async def load(self, key: Key, lineage: Ranges | None = None) -> Loaded:
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return Loaded(State(key), None, ())
            part = session.state.head if lineage is None else lineage
            standing_on = session.state.active if lineage is None else session.state.ready
            made = (digest for digest in reversed(session.digests) if digest.number <= standing_on.number)
            digest = digest_for(made, part)
            rest = (part.after(digest.covers) if digest else None) or (Ranges() if digest else part)
            pinned = digest.pinned if digest else Ranges()
            return Loaded(session.state, digest, self._pick(session, pinned) + self._pick(session, rest))

    async def record(self, key: Key, part: Ranges | None = None) -> tuple[Message, ...]:
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return ()
            return tuple(session.log) if part is None else self._pick(session, part)

    async def find(self, key: Key, message_id: str) -> Message | None:
        with self._lock:
            session = self._sessions.get(key)
            seqs = session.by_id.get(message_id) if session else None
            return session.log[version_in(seqs.values(), session.state.head) - 1] if session and seqs else None

    async def search(self, key: Key, words: Sequence[str], *, max_hits: int) -> tuple[Message, ...]:
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return ()
            holding = (session.words.get(word, ()) for word in dict.fromkeys(words))
            return tuple(session.log[seq - 1] for seq in best_holders(holding, most=max_hits))

    async def state(self, key: Key) -> State | None:
        with self._lock:
            session = self._sessions.get(key)
            return session.state if session else None

    async def put_digest(self, key: Key, digest: Digest, *, expected: int, born: str | None = None) -> Digest:
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                raise session_gone(key)
            require_newest(session.state, expected, born)
            numbered = replace(digest, number=expected + 1)
            kept, active = self._touched(session).digests, session.state.active.number
            old = next((one for one in kept if outlived(one.number, numbered.number, active)), None)
            if old is not None:
                kept.remove(old)
            kept.append(numbered)
            session.state = replace(session.state, ready=standing(numbered))
            return numbered

    async def mark(self, key: Key, marks: Marks) -> None:
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return
            self._touched(session).state = apply_marks(session.state, marks)
            if marks.notice is not None:
                session.notices.append(marks.notice)

    async def notices(self, key: Key) -> tuple[Notice, ...]:
        with self._lock:
            session = self._sessions.get(key)
            return tuple(session.notices) if session else ()

    async def delete(self, key: Key) -> int:
        with self._lock:
            self._leases = {k: held for k, held in self._leases.items() if k.whole != key.whole}
            return sum(len(self._sessions.pop(k).log) for k in list(self._sessions) if k.whole == key.whole)

    async def idle(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        require_age(older_than_s, tenant)
        with self._lock:
            until_s = self._clock() - older_than_s
            touched_s: dict[Key, float] = {}
            for key, session in self._sessions.items():
                if tenant in (None, key.tenant):
                    touched_s[key.whole] = max(session.touched_s, touched_s.get(key.whole, session.touched_s))
        return tuple(key for key, when_s in touched_s.items() if when_s < until_s)

    async def purge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """As in `Purging`, by the clock it was created with."""
        with self._lock:
            idle = await self.idle(older_than_s, tenant=tenant)
            until_s = self._clock() - older_than_s
            for key in idle:
                await self.delete(key)
            for key, (lease, taken_s) in list(self._leases.items()):
                of_nothing = not any(key.whole == other.whole for other in self._sessions)
                if of_nothing and tenant in (None, key.tenant) and taken_s + lease.ttl_s < until_s:
                    del self._leases[key]
            return idle

    async def sessions(self, tenant: str | None = None) -> tuple[State, ...]:
        with self._lock:
            found = [
                session.state
                for key, session in self._sessions.items()
                if not key.namespace and tenant in (None, key.tenant) and session.state.ledger.messages
            ]
        return tuple(sorted(found, key=lambda state: state.ledger.last_time_s or 0.0, reverse=True))

    async def rewrite(self, key: Key, change: Change) -> int:
        """As in `Rewriting`."""
        with self._lock:
            found = [session for k, session in self._sessions.items() if k.whole == key.whole]
        return sum(rewrite_session(session, self._lock, change) for session in found)

    async def names(self, tenant: str | None = None) -> tuple[Key, ...]:
        """As in `Rewriting`."""
        with self._lock:
            found = [key.whole for key in self._sessions if tenant in (None, key.tenant)]
        return tuple(dict.fromkeys(found))

    async def damage(self) -> tuple[str, ...]:
        return ()

    async def close(self) -> None:
        """Later calls raise StoreClosed, as for every other store."""
        self._closing.begin()

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
        require_values(checkpoint.key, (checkpoint.body, *new_values.values()))
        with self._lock:
            if lease is not None:
                held = self._leases.get(lease.key)
                require_lease(checkpoint.key, lease, held[0].token if held else None, of_any_namespace=True)
            session = self._sessions.get(checkpoint.key) or MemorySession(begun(checkpoint.key))
            require_named(session.state, born, new_values.values())
            if follows:
                newest, stored = max(session.checkpoints, default=None), checkpoint.id in session.checkpoints
                require_parent(checkpoint.key, checkpoint.parent_id, newest, stored=stored)
            session.state = sealed_by(session.state, seal_of_checkpoint(checkpoint.body, new_values.values()))
            self._sessions[checkpoint.key] = self._touched(session)
            before = session.state.ledger
            for channel, value in new_values.items():
                place = (channel, str(checkpoint.versions[channel]))
                if value is None:
                    session.values.pop(place, None)
                elif isinstance(value, Plain):
                    session.values[place] = value
                else:
                    older = self._part_before(session, checkpoint, channel)
                    is_head = channel == head_channel
                    session.values[place] = Stored(self._keep_list(session, value, older, is_head=is_head, merge=merge))
            session.checkpoints[checkpoint.id] = replace(checkpoint, values={}, writes=())
            after = session.state.ledger
            return Appended((), after.messages - before.messages, session.state, after.tokens - before.tokens)

    async def put_writes(self, key: Key, checkpoint_id: str, writes: Sequence[Write]) -> None:
        require_values(key, (write.value for write in writes))
        with self._lock:
            session = self._sessions.get(key) or MemorySession(begun(key))
            session.state = sealed_by(session.state, seal_of_writes(writes))
            self._sessions[key] = self._touched(session)
            kept = session.writes.setdefault(checkpoint_id, {})
            for write in writes:
                place = (write.task_id, write.index)
                if write.index < 0 or place not in kept:
                    kept[place] = write

    async def checkpoint(self, key: Key, checkpoint_id: str | None = None) -> Checkpoint | None:
        with self._lock:
            session = self._sessions.get(key)
            if session is None or not session.checkpoints:
                return None
            bare = session.checkpoints.get(checkpoint_id or max(session.checkpoints))
            return filled(session, bare) if bare else None

    async def begin(self, key: Key) -> tuple[Checkpoint | None, Loaded]:
        return await self.checkpoint(key), await self.load(key)

    async def checkpoints(
        self, tenant: str, session_id: str | None, namespace: str | None, *, before: str | None = None
    ) -> tuple[Checkpoint, ...]:
        with self._lock:
            found = [
                bare
                for key, session in self._sessions.items()
                if key.tenant == tenant and session_id in (None, key.session_id)
                if namespace in (None, key.namespace)
                for bare in session.checkpoints.values()
                if before is None or bare.id < before
            ]
        return tuple(sorted(found, key=lambda checkpoint: checkpoint.id, reverse=True))

    async def fill(self, checkpoint: Checkpoint) -> Checkpoint:
        with self._lock:
            session = self._sessions.get(checkpoint.key)
            return filled(session, checkpoint) if session else checkpoint

    def _touched(self, session: MemorySession) -> MemorySession:
        session.touched_s = self._clock()
        return session

    def _number(
        self, session: MemorySession, messages: Sequence[Message], *, revise: bool, lineage: Ranges = Ranges()
    ) -> Numbered:
        return number(
            session.state.key,
            messages,
            next_seq=len(session.log) + 1,
            known=lambda message_id: dict(session.by_id.get(message_id, {})),
            head=session.state.head,
            revise=revise,
            lineage=lineage,
        )

    def _keep(self, session: MemorySession, outcome: Numbered) -> None:
        for message, digest in outcome.new:
            session.log.append(message)
            session.by_id.setdefault(message.id, {})[digest] = message.seq
            for word in set(terms(searchable(message))):
                session.words.setdefault(word, []).append(message.seq)

    @staticmethod
    def _part_before(session: MemorySession, checkpoint: Checkpoint, channel: str) -> Before:
        parent = session.checkpoints.get(checkpoint.parent_id or "")
        version = parent.versions.get(channel) if parent else None
        value = session.values.get((channel, str(version)))
        return Before(version, value.part if isinstance(value, Stored) else Ranges())

    def _keep_list(
        self, session: MemorySession, value: MessageList, before: Before, *, is_head: bool, merge: bool
    ) -> Ranges:
        messages = [item for item in value.items if isinstance(item, Message)]
        outcome = self._number(session, messages, revise=True, lineage=base_of(value, before))
        self._keep(session, outcome)
        session.state, part = store_list(session.state, value, outcome, before, is_head=is_head, merge=merge)
        return part

    @staticmethod
    def _pick(session: MemorySession, part: Ranges) -> tuple[Message, ...]:
        return tuple(session.log[seq - 1] for seq in part if seq <= len(session.log))
