"""LangGraph threads in memory: ancestors of checkpoints, deletion, copies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace

from session_core.ports import Checkpoint, Holding, Plain, Stored, Write
from session_core.ranges import Ranges
from session_core.stores.closing import LockWhileOpen
from session_core.stores.memory.session import MemorySession
from session_core.stores.refusals import copy_exists
from session_core.stores.rules import begun, require_version, with_head
from session_core.turns import Key


class MemoryThreads(ABC):
    """The thread methods of `CheckpointStore` in memory."""

    _sessions: dict[Key, MemorySession]
    _lock: LockWhileOpen

    @abstractmethod
    def _touched(self, session: MemorySession) -> MemorySession: ...

    async def ancestors(self, key: Key, checkpoint_id: str, channels: Sequence[str]) -> tuple[Checkpoint, ...]:
        with self._lock:
            session = self._sessions.get(key)
            bare = session.checkpoints.get(checkpoint_id) if session else None
            found: list[Checkpoint] = []
            missing, seen = set(channels), {checkpoint_id}
            while session and bare and missing and (bare := session.checkpoints.get(bare.parent_id or "")):
                if bare.id in seen:
                    break
                seen.add(bare.id)
                found.append(filled(session, bare, channels))
                missing -= set(found[-1].values)
            return tuple(found)

    async def checkpoints_of_runs(self, tenant: str, run_ids: Sequence[str]) -> tuple[Checkpoint, ...]:
        wanted = set(run_ids)
        with self._lock:
            found = [
                bare
                for key, session in self._sessions.items()
                if key.tenant == tenant
                for bare in session.checkpoints.values()
                if bare.run_id in wanted
            ]
        return tuple(sorted(found, key=lambda checkpoint: checkpoint.id, reverse=True))

    async def parts(self, key: Key, channels: Sequence[str]) -> Mapping[str, Ranges]:
        with self._lock:
            session = self._sessions.get(key)
            found: dict[str, Ranges] = {}
            for bare in session.checkpoints.values() if session else ():
                values = filled(session, bare, channels).values if session else {}
                lists = (values.get(channel) for channel in channels)
                part = next((value.part for value in lists if isinstance(value, Stored)), None)
                found |= {} if part is None else {bare.id: part}
            return found

    async def drop_checkpoints(
        self,
        key: Key,
        checkpoint_ids: Sequence[str],
        *,
        parents: Mapping[str, str | None] | None = None,
        head: Ranges | None = None,
        expected: int | None = None,
    ) -> None:
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return
            require_version(session.state, expected)
            for name in checkpoint_ids:
                session.checkpoints.pop(name, None)
                session.writes.pop(name, None)
            for name, parent in (parents or {}).items():
                if name in session.checkpoints:
                    session.checkpoints[name] = replace(session.checkpoints[name], parent_id=parent)
            named = {place for bare in session.checkpoints.values() for place in _places(bare)}
            session.values = {place: value for place, value in session.values.items() if place in named}
            if head is not None:
                session.state = with_head(session.state, head)
            self._touched(session)

    async def copy_session(self, key: Key, session_id: str) -> None:
        with self._lock:
            target = replace(key, session_id=session_id)
            if any(one.whole == target.whole for one in self._sessions):
                raise copy_exists(key, target)
            for one in [one for one in self._sessions if one.whole == key.whole]:
                copied = _copied(self._sessions[one], replace(target, namespace=one.namespace))
                self._sessions[copied.state.key] = self._touched(copied)

    async def holdings(self, key: Key) -> tuple[Holding, ...]:
        with self._lock:
            found = [session for one, session in self._sessions.items() if one.whole == key.whole]
            return tuple(
                Holding(session.state, tuple(session.digests))
                for session in sorted(found, key=lambda session: session.state.key.namespace)
            )


def filled(session: MemorySession, bare: Checkpoint, channels: Sequence[str] | None = None) -> Checkpoint:
    """The checkpoint with its values and writes; with `channels` only theirs."""
    values: dict[str, Plain | Stored] = {
        channel: session.values[channel, version]
        for channel, version in _places(bare)
        if (channel, version) in session.values and (channels is None or channel in channels)
    }
    writes = [
        write for write in session.writes.get(bare.id, {}).values() if channels is None or write.channel in channels
    ]
    return replace(bare, values=values, writes=tuple(sorted(writes, key=_order)))


def _order(write: Write) -> tuple[str, str, int]:
    return write.task_path, write.task_id, write.index


def _places(bare: Checkpoint) -> list[tuple[str, str]]:
    """The keys of a checkpoint's values."""
    return [(channel, str(version)) for channel, version in bare.versions.items()]


def _copied(session: MemorySession, key: Key) -> MemorySession:
    return MemorySession(
        replace(session.state, key=key, born=begun(key).born),
        log=list(session.log),
        by_id={name: dict(under) for name, under in session.by_id.items()},
        words={word: list(holding) for word, holding in session.words.items()},
        digests=list(session.digests),
        notices=list(session.notices),
        checkpoints={name: replace(bare, key=key) for name, bare in session.checkpoints.items()},
        values=dict(session.values),
        writes={name: dict(kept) for name, kept in session.writes.items()},
    )
