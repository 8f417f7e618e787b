"""Sessions in PostgreSQL, for many processes: one round trip for almost every operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from session_core.admission import require_storable
from session_core.errors import SessionError
from session_core.events import Notice
from session_core.plan import Digest
from session_core.ports import Appended, Checkpoint, Lease, Loaded, Marks, SessionStore, State
from session_core.ranges import Ranges
from session_core.retrieval.retrieve import searchable, terms
from session_core.runtime.process_bound import ProcessBound
from session_core.sealed import is_sealed, seal_of, without_keys
from session_core.serial.codec import (
    decode_digest,
    encode_digest,
    notice_from_plain,
    notice_to_plain,
    pack,
    unpack,
)
from session_core.stores.closing import Closing
from session_core.stores.postgres.address import Address
from session_core.stores.postgres.calls import statements
from session_core.stores.postgres.checkpoints import PostgresCheckpoints, checkpoint_from
from session_core.stores.postgres.connections import Row
from session_core.stores.postgres.failures import AppendedTwice
from session_core.stores.postgres.migrations import migrate
from session_core.stores.postgres.recent_state import RecentStates
from session_core.stores.postgres.rewrite import PostgresRewriting
from session_core.stores.postgres.rows import (
    Batch,
    flat,
    id_hash,
    id_in,
    id_out,
    is_plain,
    maybe_in,
    message_from,
    names,
    plain_values,
    text_in,
    text_out,
    word_hashes,
)
from session_core.stores.postgres.states import state_from, state_read, state_sent
from session_core.stores.postgres.threads import PostgresThreads
from session_core.stores.postgres.wire import AwaitingWire, BlockingWire, Wire
from session_core.stores.refusals import (
    duplicate_message,
    orphan_result,
    other_digest,
    other_version,
    session_gone,
    turn_lost,
)
from session_core.stores.retention import require_age
from session_core.stores.rules import require_own_lease, standing
from session_core.stores.session_errors import naming_sessions
from session_core.turns import Key, Message

SESSIONS_AT_ONCE = 100
"""Sessions per transaction of a purge."""
FALSE_HITS = 60
"""Extra messages that a search requests, since some match only the hash of a word."""


@naming_sessions
class PostgresStore(PostgresCheckpoints, PostgresThreads, PostgresRewriting, ProcessBound):
    """Keeps sessions and checkpoints in a schema of the database at `url`, which is created if missing.

    `url` takes libpq's options and ours: `schema` (llm_sessions), `max_connections` (16), `wait_s` (30), `prepare`
    (1), `rls` (0). With `rls=1` a row can be read and written only by a transaction that names its tenant in the
    setting `llm_sessions.tenant`, as each call here does; PostgreSQL enforces this for every role but superusers and
    those with BYPASSRLS. The schema is migrated to this release's version immediately, over a connection of its own;
    all others open with the calls that need them, so that a fork is safe at any time. Writes are as durable as the
    server's `synchronous_commit`: by default they survive a crash.

    Raises: ConfigError; StoreLost if the server is unavailable; StoreUnreadable, NewerSchema if this release cannot
    use the schema.
    """

    scheme = "postgresql"

    def __init__(self, url: str | Address) -> None:
        self._address = url if isinstance(url, Address) else Address.parse(url)
        migrate(self._address)
        self._statements = statements(self._address.quoted)
        closing = Closing(self._address.shown)
        self._wire: Wire = BlockingWire(self._address, closing)
        self._other_wire: Wire = AwaitingWire(self._address, closing)
        self._recent_states = RecentStates()

    def awaiting(self) -> SessionStore:
        """The same sessions over connections that belong to the running event loop."""
        return _AwaitingStore(self)

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
        require_own_lease(key, lease)
        token = lease.token if lease else None
        plain = len(messages) == 1 and expected is None and token is None and is_plain(messages[0])
        rows = await self._append_plain(key, messages[0], revise) if plain else None
        if rows is None:
            values = (*names(key), *Batch.of(messages).values, expected, revise, strict, token, seal_of(messages))
            rows = await self._call("append_messages", *values)
        refusal, detail, seqs, new, tokens, packed = rows[0]
        if refusal is not None:
            raise _refusal(key, refusal, detail, expected, lease)
        state = state_sent(key, packed)
        if seqs is None:
            return Appended((state.ledger.messages,), 1, state, messages[0].tokens)
        return Appended(tuple(seqs), new, state, tokens)

    async def _append_plain(self, key: Key, message: Message, revise: bool) -> list[Row] | None:
        """The row of `append_message`, or None if somebody else appended the message at the same time."""
        try:
            return await self._call("append_message", *names(key), *plain_values(message), revise, is_sealed(message))
        except AppendedTwice:
            return None

    async def take_lease(self, key: Key, *, holder: str, ttl_s: float) -> Lease | None:
        ((token,),) = await self._call("take_lease", *names(key), text_in(holder), ttl_s)
        return None if token is None else Lease(key, token, holder, ttl_s)

    async def drop_lease(self, lease: Lease) -> None:
        await self._call("drop_lease", *names(lease.key), lease.token)

    async def load(self, key: Key, lineage: Ranges | None = None) -> Loaded:
        return _loaded(key, await self._call("load_session", *names(key), None if lineage is None else flat(lineage)))

    async def begin(self, key: Key) -> tuple[Checkpoint | None, Loaded]:
        found, rows = await self._wire.fetch_all(
            (self._statements["read_checkpoint"], (*names(key), None)),
            (self._statements["load_session"], (*names(key), None)),
        )
        return checkpoint_from(key, found), _loaded(key, rows)

    async def record(self, key: Key, part: Ranges | None = None) -> tuple[Message, ...]:
        values = (*names(key), None if part is None else flat(part))
        return tuple(await self._wire.fetch_read((self._statements["read_record"], values), message_from))

    async def find(self, key: Key, message_id: str) -> Message | None:
        kept_id = id_in(message_id)
        rows = await self._call("find_message", *names(key), kept_id, id_hash(kept_id))
        return message_from(rows[0]) if rows else None

    async def search(self, key: Key, words: Sequence[str], *, max_hits: int) -> tuple[Message, ...]:
        if not words:
            return ()
        hashes = sorted({word_hashes([word]) for word in words})
        rows = await self._call("search_messages", *names(key), hashes, max_hits + FALSE_HITS)
        wanted = set(words)
        # Two words may share a hash.
        held = (m for m in map(message_from, rows) if not wanted.isdisjoint(terms(searchable(m))))
        return tuple(islice(held, max_hits))

    async def state(self, key: Key) -> State | None:
        rows = await self._call("read_state", *names(key))
        return state_from(rows[0][0]) if rows else None

    async def put_digest(self, key: Key, digest: Digest, *, expected: int, born: str | None = None) -> Digest:
        numbered = replace(digest, number=expected + 1)
        figures = standing(numbered)
        rows = await self._call(
            "put_digest",
            *names(key),
            numbered.number,
            [figures.number, figures.tokens, figures.covered_tokens, figures.covered_messages],
            flat(numbered.covers),
            flat(numbered.pinned),
            encode_digest(numbered),
            maybe_in(born),
        )
        refusal, newest = rows[0]
        if refusal == "gone":
            raise session_gone(key)
        if refusal is not None:
            raise other_digest(key, newest, expected)
        return numbered

    async def mark(self, key: Key, marks: Marks) -> None:
        await self._call(
            "mark_session",
            *names(key),
            marks.tier,
            marks.resumed_after_seq,
            marks.absent_s,
            None if marks.notice is None else pack(notice_to_plain(marks.notice)),
            None if marks.head is None else flat(marks.head),
            marks.activate,
        )

    async def notices(self, key: Key) -> tuple[Notice, ...]:
        rows = await self._call("read_notices", *names(key))
        return tuple(notice_from_plain(unpack(data)) for (data,) in rows)

    async def delete(self, key: Key) -> int:
        tenant, session_id, _ = names(key)
        rows = await self._call("delete_session", tenant, session_id)
        self._recent_states.forget_session(key)
        return int(rows[0][0])

    async def sessions(self, tenant: str | None = None) -> tuple[State, ...]:
        """As in the protocol. Raises: ConfigError without a tenant if row level security is on."""
        if tenant == "":
            # For the function this means all tenants.
            return ()
        rows = await self._call("list_sessions", text_in(tenant) if tenant else "")
        return tuple(state_from(state) for (state,) in rows)

    async def damage(self) -> tuple[str, ...]:
        """Nothing: the server checks its own pages."""
        return ()

    async def idle(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """As `Purging` says, by the server's clock. Raises: ConfigError as `sessions` does."""
        require_age(older_than_s, tenant)
        rows = await self._call("idle_sessions", text_in(tenant) if tenant else "", older_than_s)
        return tuple(Key(text_out(name), text_out(whose)) for whose, name in rows)

    async def purge(
        self, older_than_s: float, *, tenant: str | None = None, at_once: int = SESSIONS_AT_ONCE
    ) -> tuple[Key, ...]:
        """As in `Purging`, by the server's clock, in transactions of at most `at_once` sessions. Locks only what it
        deletes. Raises: ConfigError as `sessions` does."""
        require_age(older_than_s, tenant)
        self._recent_states.forget_all()
        deleted: list[Key] = []
        after = ("", "")
        while True:
            rows = await self._call("purge_sessions", text_in(tenant) if tenant else "", older_than_s, at_once, *after)
            seen, tenants, names_gone, *last = rows[0]
            deleted.extend(Key(text_out(name), text_out(one)) for one, name in zip(tenants, names_gone, strict=True))
            if seen < at_once:
                return tuple(deleted)
            after = (last[0], last[1])

    async def close(self) -> None:
        self._other_wire.close_soon()
        await self._wire.close()


class _AwaitingStore(PostgresStore):
    """The async form of a store."""

    def __init__(self, store: PostgresStore) -> None:
        self._address, self._statements = store._address, store._statements
        self._wire, self._other_wire = store._other_wire, store._wire
        self._recent_states = RecentStates()

    def awaiting(self) -> SessionStore:
        return self


def _loaded(key: Key, rows: Sequence[Row]) -> Loaded:
    """The result of `load_session`."""
    if not rows:
        return Loaded(State(key), None, ())
    state, digest = rows[0][:2]
    return Loaded(
        state_read(state),
        decode_digest(digest) if digest is not None else None,
        tuple([message_from(row[2:]) for row in rows[1:]]),
    )


def _refusal(key: Key, kind: str, detail: str, expected: int | None, lease: Lease | None) -> SessionError:
    """The error for a refusal of `append_messages`."""
    if kind == "lease" and lease is not None:
        return turn_lost(key, lease)
    if kind == "sealed":
        return without_keys(key)
    if kind == "version":
        return other_version(key, int(detail), expected)
    if kind == "duplicate":
        return duplicate_message(key, id_out(bytes.fromhex(detail)))
    return orphan_result(key, text_out(detail))
