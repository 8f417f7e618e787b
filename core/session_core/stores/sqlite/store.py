"""Sessions in one SQLite file: the embedded default, safe with several threads and processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from session_core.admission import require_storable
from session_core.errors import StoreUnreadable
from session_core.events import Notice
from session_core.plan import Digest
from session_core.ports import Appended, Checkpoint, Lease, Loaded, Marks, SessionStore, State
from session_core.ranges import Ranges
from session_core.retrieval.retrieve import searchable, terms
from session_core.runtime.process_bound import ProcessBound
from session_core.sealed import seal_of
from session_core.serial.codec import (
    encode_digest,
    notice_from_plain,
    notice_to_plain,
    pack,
    unpack,
)
from session_core.stores.refusals import session_gone
from session_core.stores.retention import require_age
from session_core.stores.rewrite import Change
from session_core.stores.rules import (
    apply_marks,
    digest_for,
    grow_state,
    numbered_at,
    require_calls,
    require_lease,
    require_newest,
    sealed_by,
    standing,
    version_in,
)
from session_core.stores.session_errors import naming_sessions
from session_core.stores.sqlite.checkpoints import SqliteCheckpoints
from session_core.stores.sqlite.file import BUSY_TIMEOUT_S, SqliteFile
from session_core.stores.sqlite.leases import drop_lease, drop_leases_of_nothing, take_lease, token_of
from session_core.stores.sqlite.rewrite import rewrite_rows
from session_core.stores.sqlite.rows import (
    STATE_COLUMNS,
    SessionRow,
    delete_rows,
    digests_of,
    forget_digest,
    idle_sessions,
    insert_messages,
    is_idle,
    messages_in,
    messages_where,
    messages_with,
    number_rows,
    require_row,
    save_state,
    session_row,
    text_in,
    text_out,
)
from session_core.stores.sqlite.threads import SqliteThreads
from session_core.turns import Key, Message
from session_core.voices import threaded

PURGE_S = 0.05
"""Seconds of one transaction of a purge; a large session may take longer."""
PURGE_PAUSE_S = 0.025
"""Seconds between two of them. SQLite has no queue of writers: those that wait look every 1 to 25 ms at first."""
PURGED_AT_ONCE = 100
"""Maximum sessions in one transaction."""
Named = tuple[str, str]
"""Tenant and id of a session."""


@naming_sessions
class SqliteStore(SqliteCheckpoints, SqliteThreads, ProcessBound):
    """Keeps sessions and checkpoints in the file at `path`, which is created if missing.

    Raises: StoreUnreadable, NewerSchema if this release cannot read the file.
    """

    scheme = "sqlite"

    def __init__(
        self, path: str | Path, *, busy_timeout_s: float = BUSY_TIMEOUT_S, clock: Callable[[], float] = time.time
    ) -> None:
        self._file = SqliteFile(Path(path), busy_timeout_s=busy_timeout_s, clock=clock)
        self._clock = clock

    @property
    def path(self) -> Path:
        return self._file.path

    def awaiting(self) -> SessionStore:
        """The same file, each call in a thread."""
        return threaded(self)

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
        with self._file.writing() as connection:
            if lease is not None:
                require_lease(key, lease, token_of(connection, key))
            row = require_row(connection, key)
            numbered = partial(number_rows, connection, row, messages, revise=revise)
            outcome = numbered_at(row.state, expected, numbered)
            row.state = sealed_by(row.state, seal_of(messages))
            if strict:
                require_calls(row.state, outcome)
            insert_messages(connection, row, outcome)
            save_state(connection, row, grow_state(row.state, outcome), new=len(outcome.new))
            return Appended(outcome.seqs, len(outcome.new), row.state, outcome.tokens)

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        with self._file.writing() as connection:
            return take_lease(connection, key, holder=holder, ttl_s=ttl_s, now_s=self._clock())

    async def drop_lease(self, lease: Lease) -> None:
        with self._file.writing() as connection:
            drop_lease(connection, lease)

    async def load(self, key: Key, lineage: Ranges | None = None) -> Loaded:
        with self._file.reading() as connection:
            row = session_row(connection, key)
            if row is None:
                return Loaded(State(key), None, ())
            part = row.state.head if lineage is None else lineage
            newest = (row.state.active if lineage is None else row.state.ready).number
            digest = digest_for(digests_of(connection, row, newest), part)
            rest = part.after(digest.covers) if digest else part
            pinned = digest.pinned if digest else Ranges()
            messages = messages_in(connection, row, pinned) + messages_in(connection, row, rest or Ranges())
            return Loaded(row.state, digest, messages)

    async def begin(self, key: Key) -> tuple[Checkpoint | None, Loaded]:
        return await self.checkpoint(key), await self.load(key)

    async def record(self, key: Key, part: Ranges | None = None) -> tuple[Message, ...]:
        with self._file.reading() as connection:
            row = session_row(connection, key)
            if row is None:
                return ()
            return messages_in(connection, row, Ranges.span(1, row.next_seq - 1) if part is None else part)

    async def find(self, key: Key, message_id: str) -> Message | None:
        with self._file.reading() as connection:
            row = session_row(connection, key)
            found = messages_where(connection, row, "m.id = ?", (text_in(message_id),)) if row else ()
            wanted = version_in((message.seq for message in found), row.state.head) if row else 0
            return next((message for message in found if message.seq == wanted), None)

    async def search(self, key: Key, words: Sequence[str], *, max_hits: int) -> tuple[Message, ...]:
        if not words:
            return ()
        with self._file.reading() as connection:
            row = session_row(connection, key)
            if row is None:
                return ()
            found = messages_with(connection, row, words, most=max_hits)
        # Two words may have the same hash.
        wanted = set(words)
        return tuple(one for one in found if wanted.intersection(terms(searchable(one))))[:max_hits]

    async def state(self, key: Key) -> State | None:
        with self._file.reading() as connection:
            row = session_row(connection, key)
            return row.state if row else None

    async def put_digest(self, key: Key, digest: Digest, *, expected: int, born: str | None = None) -> Digest:
        with self._file.writing() as connection:
            row = session_row(connection, key)
            if row is None:
                raise session_gone(key)
            require_newest(row.state, expected, born)
            numbered = replace(digest, number=expected + 1)
            forget_digest(connection, row, numbered.number)
            connection.execute(
                "INSERT INTO digests (session, number, data) VALUES (?, ?, ?)",
                (row.rowid, numbered.number, encode_digest(numbered)),
            )
            save_state(connection, row, replace(row.state, ready=standing(numbered)))
            return numbered

    async def mark(self, key: Key, marks: Marks) -> None:
        with self._file.writing() as connection:
            row = session_row(connection, key)
            if row is None:
                return
            save_state(connection, row, apply_marks(row.state, marks))
            if marks.notice is not None:
                connection.execute(
                    "INSERT INTO notices (session, number, data) SELECT ?, count(*) + 1, ? FROM notices "
                    "WHERE session = ?",
                    (row.rowid, pack(notice_to_plain(marks.notice)), row.rowid),
                )

    async def notices(self, key: Key) -> tuple[Notice, ...]:
        with self._file.reading() as connection:
            row = session_row(connection, key)
            place = row.rowid if row else 0
            found = connection.execute("SELECT data FROM notices WHERE session = ? ORDER BY number", (place,))
            return tuple(notice_from_plain(unpack(data)) for (data,) in found)

    async def delete(self, key: Key) -> int:
        """As in the protocol; the old bytes are overwritten, in the journal as soon as nobody reads from it."""
        with self._file.writing() as connection:
            gone = delete_rows(connection, key.tenant, key.session_id)
        self._file.erased()
        return gone

    async def idle(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        require_age(older_than_s, tenant)
        with self._file.reading() as connection:
            return tuple(Key(name, whose) for whose, name in idle_sessions(connection, older_than_s, tenant))

    async def purge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """As in `Purging`, by this machine's clock, in short transactions with pauses for other writers."""
        require_age(older_than_s, tenant)
        gone: list[Key] = []
        last = ("", "")
        while found := self._idle_after(last, older_than_s, tenant):
            last, deleted = self._delete_idle(found, older_than_s)
            gone += deleted
        with self._file.writing() as connection:
            left = drop_leases_of_nothing(connection, self._clock() - older_than_s, tenant)
        if gone or left:
            self._file.erased()
        return tuple(gone)

    def _idle_after(self, last: Named, older_than_s: float, tenant: str | None) -> list[Named]:
        with self._file.reading() as connection:
            return idle_sessions(connection, older_than_s, tenant, behind=last, most=PURGED_AT_ONCE)

    def _delete_idle(self, found: Sequence[Named], older_than_s: float) -> tuple[Named, list[Key]]:
        """Delete those of `found` that are still idle, as many as one transaction takes, and pause; returns the last
        one that was looked at, and those deleted."""
        deleted: list[Key] = []
        with self._file.writing() as connection:
            end_s = time.monotonic() + PURGE_S
            for last in found:
                # It may have been written to since.
                if is_idle(connection, last, older_than_s):
                    delete_rows(connection, *last)
                    deleted.append(Key(last[1], last[0]))
                if time.monotonic() >= end_s:
                    break
        time.sleep(PURGE_PAUSE_S)
        return last, deleted

    async def sessions(self, tenant: str | None = None) -> tuple[State, ...]:
        with self._file.reading() as connection:
            rows = connection.execute(
                f"SELECT {STATE_COLUMNS} FROM sessions WHERE namespace = '' AND (tenant = ? OR ? IS NULL) "
                "ORDER BY updated_s DESC, id DESC",
                (text_in(tenant), text_in(tenant)),
            )
            states = [SessionRow(row).state for row in rows]
        return tuple(state for state in states if state.ledger.messages)

    async def rewrite(self, key: Key, change: Change) -> int:
        """As in `Rewriting`, in short transactions."""
        return rewrite_rows(self._file, key, change)

    async def names(self, tenant: str | None = None) -> tuple[Key, ...]:
        """As in `Rewriting`."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT DISTINCT session_id, tenant FROM sessions WHERE tenant = ? OR ? IS NULL",
                (text_in(tenant), text_in(tenant)),
            ).fetchall()
        return tuple(Key(text_out(session_id), text_out(owner)) for session_id, owner in rows)

    async def damage(self) -> tuple[str, ...]:
        try:
            with self._file.reading() as connection:
                found = [text for (text,) in connection.execute("PRAGMA quick_check(5)")]
        except StoreUnreadable as exc:
            return (str(exc),)
        return tuple(" ".join(text.split()) for text in found if text != "ok")

    async def close(self) -> None:
        self._file.close()
