"""A store that encrypts the content of sessions in any other store: AES-256-GCM, key ids, rotation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Unpack, cast

from session_core.admission import require_storable
from session_core.errors import ConfigError, StoreBusy, StoreUnreadable, named_type
from session_core.events import Notice
from session_core.plan import Digest
from session_core.ports import (
    Appended,
    Checkpoint,
    Holding,
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
from session_core.runtime.offload import Executor, inline_serially
from session_core.runtime.process_bound import ProcessBound
from session_core.stores.copying import copy_by_value
from session_core.stores.keyring import Keyring
from session_core.stores.options import AppendOptions, CheckpointOptions, DropOptions
from session_core.stores.retention import require_purging
from session_core.stores.rewrite import Rewriting
from session_core.stores.risks import Risk, risks_of
from session_core.stores.rules import require_values
from session_core.stores.sealing import Renewal, Seals
from session_core.stores.word_places import WordPlaces, best
from session_core.turns import Key, Message
from session_core.voices import SERIAL_THREADS

SEARCHED_AT_ONCE = 250
"""How many messages a search decrypts before it drops their text."""

AUTHOR_CHARACTERS = 1_024
"""Longest author; its encrypted form is longer, and the inner store has its own limit."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """The result of a rotation of many sessions.

    How many sessions were examined, how many values were re-encrypted, and for each session that could not be rotated
    why. When `values` is 0 and `left` is empty, older keys can be removed.
    """

    sessions: int
    values: int
    left: Mapping[Key, str] = field(default_factory=dict)


class EncryptedStore(ProcessBound):
    """Keeps sessions in `inner`, encrypted; `inner` never sees message content.

    Sealed: content, tool names and arguments, media, authors, clips, framework-specific fields, summaries, facts,
    notices, checkpoints, their values and writes. Readable: session names, ids, roles, numbers, times, token counts,
    versions, ranges, runs, names of channels and tasks (see docs/security.md). Each sealed value is bound to tenant,
    session, namespace and its own name there; one that was changed or moved cannot be opened: StoreUnreadable.

    A message costs about 20 us to seal or to open, 40 us to seal with its author, and 60 to 150 extra bytes. There is
    no stored search index, since it would reveal words: a search decrypts the session's whole record once per
    process, `SEARCHED_AT_ONCE` messages at a time (about 100 ms for 1,000 messages), and keeps the positions of words
    in memory.

    `Sessions(url, keyring=keyring)` puts it in front of the store at a URL. It goes in front of a cache, not behind
    it: `Sessions(hot=..., cold=..., keyring=keyring)` encrypts the cache too. The stores passed in are closed with
    it. Raises: ConfigError for an invalid store or keyring.
    """

    def __init__(self, inner: SessionStore, keyring: Keyring) -> None:
        if isinstance(inner, str | type) or not hasattr(inner, "awaiting"):
            raise ConfigError(
                f"{named_type(inner)} is not a store; pass a store, or open a URL as Sessions(url, keyring=...)"
            )
        if not isinstance(keyring, Keyring):
            raise ConfigError(
                f"{named_type(keyring)} is not a keyring; pass Keyring.from_env() or Keyring({{id: 32 bytes}})"
            )
        self.inner = inner
        self.keyring = keyring
        self.scheme = inner.scheme
        self._seals = Seals(keyring)
        self._places = WordPlaces()
        self._serial_executor: Executor = inline_serially

    def awaiting(self) -> EncryptedStore:
        """The same store for async callers."""
        twin = EncryptedStore(self.inner.awaiting(), self.keyring)
        twin._places, twin._serial_executor = self._places, SERIAL_THREADS
        return twin

    async def rotate(self, key: Key) -> int:
        """Re-encrypt the whole session with the keyring's first key; returns the number of values changed.

        Readers and writers go on meanwhile, and an interrupted rotation can be repeated. Give the new keyring to
        every process first: one that still seals with the old key leaves values behind. The old key can be removed
        when a rotation finds nothing to change. Old bytes may remain in backups, logs and free pages of the inner
        store until it reuses them.

        Raises: ConfigError if the inner store cannot rewrite values; then the old key must stay last in the keyring
        until its sessions are deleted. StoreUnreadable for a value that no key opens.
        """
        return await self._rewriting().rewrite(key, Renewal(self.keyring))

    async def rotate_all(
        self, tenant: str | None = None, *, looked_at: Callable[[int, int], None] | None = None
    ) -> Rotated:
        """Rotate every session, of one tenant or of all, one after the other; `looked_at` is told how many of how many.

        A session that cannot be opened, or that others keep changing, does not stop the others: see `left`. Raises:
        ConfigError as `rotate`; StoreError if the inner store does not answer.
        """
        values, left = 0, dict[Key, str]()
        keys = await self._rewriting().names(tenant)
        for number, key in enumerate(keys, start=1):
            try:
                values += await self.rotate(key)
            except (StoreUnreadable, StoreBusy) as exc:
                await self.inner.state(key)
                left[key] = str(exc).removeprefix(f"session {key}: ")
            if looked_at is not None:
                looked_at(number, len(keys))
        return Rotated(len(keys), values, left)

    def _rewriting(self) -> Rewriting:
        if not hasattr(self.inner, "rewrite"):
            raise ConfigError(
                f"the {self.scheme} store cannot rewrite stored values; keep the old key in the keyring "
                "until the sessions that it sealed are deleted"
            )
        return cast(Rewriting, self.inner)

    async def append(self, key: Key, messages: Sequence[Message], **options: Unpack[AppendOptions]) -> Appended:
        require_storable(key, messages, author_characters=AUTHOR_CHARACTERS)
        sealed = [self._seals.message(key, message) for message in messages]
        done = await self.inner.append(key, sealed, **options)
        return replace(done, state=self._seals.state_behind(done.state))

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        return await self.inner.take_lease(key, holder=holder, ttl_s=ttl_s)

    async def drop_lease(self, lease: Lease) -> None:
        await self.inner.drop_lease(lease)

    async def load(self, key: Key, lineage: Ranges | None = None) -> Loaded:
        return self._opened(key, await self.inner.load(key, lineage))

    def _opened(self, key: Key, found: Loaded) -> Loaded:
        return Loaded(
            self._seals.open_state(found.state),
            None if found.digest is None else self._seals.open_digest(key, found.digest),
            self._seals.open_messages(key, found.messages),
        )

    async def record(self, key: Key, part: Ranges | None = None) -> tuple[Message, ...]:
        return self._seals.open_messages(key, await self.inner.record(key, part))

    async def find(self, key: Key, message_id: str) -> Message | None:
        found = await self.inner.find(key, message_id)
        return None if found is None else self._seals.open_message(key, found)

    async def search(self, key: Key, words: Sequence[str], *, max_hits: int) -> tuple[Message, ...]:
        """Messages that contain any of `words`, those with rarer words first; for its cost see the class."""
        state = await self.inner.state(key) if words else None
        if state is None:
            return ()
        parts, wanted = self._places.missing(key, state.born, state.ledger.messages, at_once=SEARCHED_AT_ONCE)
        for first, last in wanted:
            part = await self.record(key, Ranges.span(first, last))
            parts += await self._serial_executor(partial(self._places.read, key, state.born, first, part))
        seqs = await self._serial_executor(partial(best, parts, words, max_hits=max_hits))
        there = {message.seq: message for message in await self.record(key, Ranges.of(sorted(seqs)))} if seqs else {}
        return tuple(there[seq] for seq in seqs if seq in there)

    async def state(self, key: Key) -> State | None:
        found = await self.inner.state(key)
        return None if found is None else self._seals.open_state(found)

    async def put_digest(self, key: Key, digest: Digest, *, expected: int, born: str | None = None) -> Digest:
        sealed = self._seals.digest(key, digest, expected + 1)
        made = await self.inner.put_digest(key, sealed, expected=expected, born=born)
        return replace(digest, number=made.number)

    async def mark(self, key: Key, marks: Marks) -> None:
        notice = None if marks.notice is None else self._seals.notice(key, marks.notice)
        await self.inner.mark(key, replace(marks, notice=notice))

    async def notices(self, key: Key) -> tuple[Notice, ...]:
        return tuple(self._seals.open_notice(key, notice) for notice in await self.inner.notices(key))

    async def delete(self, key: Key) -> int:
        return await self.inner.delete(key)

    async def idle(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """As `Purging` says. Raises: ConfigError when the store inside cannot purge."""
        return await require_purging(self.inner).idle(older_than_s, tenant=tenant)

    async def purge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """As in `Purging`. Raises: ConfigError if the inner store cannot purge."""
        return await require_purging(self.inner).purge(older_than_s, tenant=tenant)

    async def sessions(self, tenant: str | None = None) -> tuple[State, ...]:
        return tuple(self._seals.open_state(state) for state in await self.inner.sessions(tenant))

    async def damage(self) -> tuple[str, ...]:
        return await self.inner.damage()

    async def risks(self) -> tuple[Risk, ...]:
        """The risks of the inner store."""
        return await risks_of(self.inner)

    async def close(self) -> None:
        await self.inner.close()

    async def put_checkpoint(
        self,
        checkpoint: Checkpoint,
        new_values: Mapping[str, Plain | MessageList | None],
        **options: Unpack[CheckpointOptions],
    ) -> Appended:
        require_values(checkpoint.key, (checkpoint.body, *new_values.values()), author_characters=AUTHOR_CHARACTERS)
        sealed, values = self._seals.checkpoint(checkpoint), self._seals.new_values(checkpoint, new_values)
        done = await self.inner.put_checkpoint(sealed, values, **options)
        return replace(done, state=self._seals.state_behind(done.state))

    async def put_writes(self, key: Key, checkpoint_id: str, writes: Sequence[Write]) -> None:
        require_values(key, (write.value for write in writes), author_characters=AUTHOR_CHARACTERS)
        sealed = [self._seals.write(key, checkpoint_id, write) for write in writes]
        await self.inner.put_writes(key, checkpoint_id, sealed)

    async def checkpoint(self, key: Key, checkpoint_id: str | None = None) -> Checkpoint | None:
        found = await self.inner.checkpoint(key, checkpoint_id)
        return None if found is None else self._seals.open_checkpoint(found)

    async def begin(self, key: Key) -> tuple[Checkpoint | None, Loaded]:
        found, loaded = await self.inner.begin(key)
        return None if found is None else self._seals.open_checkpoint(found), self._opened(key, loaded)

    async def checkpoints(
        self, tenant: str, session_id: str | None, namespace: str | None, *, before: str | None = None
    ) -> tuple[Checkpoint, ...]:
        found = await self.inner.checkpoints(tenant, session_id, namespace, before=before)
        return tuple(self._seals.open_checkpoint(one) for one in found)

    async def fill(self, checkpoint: Checkpoint) -> Checkpoint:
        found = await self.inner.fill(replace(checkpoint, values={}, writes=()))
        return replace(self._seals.open_filled(found), body=checkpoint.body)

    async def ancestors(self, key: Key, checkpoint_id: str, channels: Sequence[str]) -> tuple[Checkpoint, ...]:
        found = await self.inner.ancestors(key, checkpoint_id, channels)
        return tuple(self._seals.open_checkpoint(one) for one in found)

    async def checkpoints_of_runs(self, tenant: str, run_ids: Sequence[str]) -> tuple[Checkpoint, ...]:
        found = await self.inner.checkpoints_of_runs(tenant, run_ids)
        return tuple(self._seals.open_checkpoint(one) for one in found)

    async def parts(self, key: Key, channels: Sequence[str]) -> Mapping[str, Ranges]:
        return await self.inner.parts(key, channels)

    async def drop_checkpoints(self, key: Key, checkpoint_ids: Sequence[str], **options: Unpack[DropOptions]) -> None:
        await self.inner.drop_checkpoints(key, checkpoint_ids, **options)

    async def copy_session(self, key: Key, session_id: str) -> None:
        """As in the protocol, but in many steps: each value is opened, and sealed for the target session."""
        await copy_by_value(self, key, session_id)

    async def holdings(self, key: Key) -> tuple[Holding, ...]:
        return tuple(
            Holding(
                self._seals.open_state(one.state),
                tuple(self._seals.open_digest(one.state.key, digest) for digest in one.digests),
            )
            for one in await self.inner.holdings(key)
        )
