"""Sessions on a plain Redis server, written once for the sync and the async wire."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from session_core.admission import require_storable
from session_core.events import Notice
from session_core.plan import Digest
from session_core.ports import Appended, Checkpoint, Lease, Loaded, Marks, SessionStore, State
from session_core.ranges import Ranges
from session_core.runtime.ids import fresh_id
from session_core.runtime.offload import BUSY_ROWS
from session_core.runtime.process_bound import ProcessBound
from session_core.serial.codec import notice_from_plain, notice_to_plain, pack, reading, unpack
from session_core.stores.redis.address import Address
from session_core.stores.redis.calls import packed, require_accepted, unpacked
from session_core.stores.redis.checkpoints import RedisCheckpoints, checkpoint_from
from session_core.stores.redis.leases import RedisLeases
from session_core.stores.redis.names import as_bytes, as_text, escape, pattern, unescape
from session_core.stores.redis.rewrite import RedisRewriting
from session_core.stores.redis.risks import memory_risks
from session_core.stores.redis.rows import (
    Tails,
    digest_entry,
    digest_from,
    flat,
    message_from,
    packed_id,
)
from session_core.stores.redis.scripts import (
    APPEND,
    CHECKPOINT,
    CLOCK,
    DELETE,
    FIND,
    FORGET,
    LOAD,
    MARK,
    MEMORY,
    NOTICES,
    PARTS,
    PUT_DIGEST,
    SEEK,
)
from session_core.stores.redis.states import may_expire, state_from, touched_ms
from session_core.stores.redis.threads import RedisThreads
from session_core.stores.redis.wires import BlockingWire, Call, Wire
from session_core.stores.retention import require_age
from session_core.stores.risks import Risk
from session_core.stores.rules import require_own_lease, standing
from session_core.stores.session_errors import naming_sessions
from session_core.stores.word_places import Part, WordPlaces, best
from session_core.turns import Key, Message

ROWS_AT_ONCE = 500
"""How many messages, or states, one command requests."""
NAMES_AT_ONCE = 10_000
"""How many keys the server scans per step of a search for lost ones; it takes some milliseconds."""
NEW_MS = 3_600_000
"""A list entry younger than this may belong to a session that is being created. Entries of sessions that expire are
removed from the list by their time."""


@naming_sessions
class RedisStore(RedisCheckpoints, RedisThreads, RedisLeases, RedisRewriting, ProcessBound):
    """Keeps sessions and checkpoints on the server, or servers, at `url`.

    Writes are as durable as the server is configured to be (`appendonly yes`, `appendfsync`). With `?ttl_s=` in the
    URL a session expires as a whole when nobody wrote or loaded it for that long. It connects at the first call.
    Raises: ConfigError; MissingExtra without the driver.
    """

    scheme = "redis"

    def __init__(self, url: str | Wire) -> None:
        super().__init__(BlockingWire(Address.parse(url)) if isinstance(url, str) else url)
        self._twin: RedisStore | None = None
        self._places, self._tails = WordPlaces(), Tails()

    def awaiting(self) -> SessionStore:
        """The same sessions over connections of the running event loop; always the same object."""
        if self._wire.awaiting() is self._wire:
            return self
        if self._twin is None:
            self._twin = RedisStore(self._wire.awaiting())
            self._twin._places, self._twin._tails = self._places, self._tails
        return self._twin

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
        require_own_lease(key, lease)
        require_storable(key, messages)
        request = b""
        if not strict or revise or expected is not None or lease:
            token = str(lease.token) if lease else None
            request = packed({"expected": expected, "revise": revise, "lenient": not strict, "lease": token})
        outcome, state = await self._send_rows(
            APPEND, key, messages, fresh_id(), request, expected=expected, lease=lease
        )
        if not outcome:
            count, last = len(messages), state.ledger.messages
            seqs = tuple(range(last - count + 1, last + 1))
            return Appended(seqs, count, state, sum([message.tokens for message in messages]))
        _, new, tokens, numbers = outcome
        return Appended(tuple(numbers), new, state, tokens)

    async def load(self, key: Key, lineage: Ranges | None = None) -> Loaded:
        part = b"" if lineage is None else packed(flat(lineage))
        due = self._listing.due(key, exists=True)
        (answer,) = await self._call_in_use(key, due, self._call(LOAD, key, part))
        return await self._loaded(key, answer)

    async def begin(self, key: Key) -> tuple[Checkpoint | None, Loaded]:
        due = self._listing.due(key, exists=True)
        found, answer = await self._call_in_use(key, due, self._call(CHECKPOINT, key, b""), self._call(LOAD, key, b""))
        return checkpoint_from(None if found is None else require_accepted(found, key), key), await self._loaded(
            key, answer
        )

    async def _loaded(self, key: Key, answer: Any) -> Loaded:
        if answer is None:
            return Loaded(State(key), None, ())
        _, state, digest, wanted, *found = require_accepted(answer, key)
        self._listing.noted(key, exists=True)
        if not self._ttl_ms and may_expire(state):
            await self._remove_expiry(key)
        name, rows = self._names.of(key)[0], found[0] if len(found) == 1 else [row for some in found for row in some]
        messages = self._tails.messages(name, unpacked(wanted), rows)
        made = state_from(state, key)
        self._known_rows.read(name, made.born, rows, messages)
        return Loaded(made, None if digest is None else digest_from(digest), messages)

    async def record(self, key: Key, part: Ranges | None = None) -> tuple[Message, ...]:
        """As in the protocol. Messages without a state are readable with `part=None`, to be rescued."""
        log = self._names.of(key)[1]
        found: list[Message] = []
        every = part is None
        if part is None:
            length, rows = await self._wire.ask(("LLEN", log), ("LRANGE", log, 0, ROWS_AT_ONCE - 1))
            found.extend(map(message_from, rows, range(1, length + 1)))
            part = Ranges.span(len(rows) + 1, length)
        pieces = [
            (first, min(first + ROWS_AT_ONCE - 1, last))
            for start, last in part.pairs
            for first in range(start, last + 1, ROWS_AT_ONCE)
        ]
        answers = await self._wire.ask(*(("LRANGE", log, first - 1, last - 1) for first, last in pieces))
        for (first, last), rows in zip(pieces, answers, strict=True):
            read = partial(_read_rows, rows, first)
            found += read() if last - first < BUSY_ROWS else await self._wire.executor(read)
        if not found and (every or pieces):
            await self._require_whole(key)
        return tuple(found)

    async def find(self, key: Key, message_id: str) -> Message | None:
        answer = await self._read(FIND, key, packed_id(message_id))
        return message_from(answer[2], answer[1]) if answer else None

    async def search(self, key: Key, words: Sequence[str], *, max_hits: int) -> tuple[Message, ...]:
        """Messages that contain any of `words`, those with rarer words first.

        The server has no index, which would take more memory than the messages. A process reads the record once, in
        parts of some 450 messages, about 100 ms for 1,000 of them; from then on it reads only new ones.
        """
        if not words:
            return ()
        session, log = self._names.of(key)[:2]
        state, length = await self._wire.ask(("HGET", session, "state"), ("LLEN", log))
        if state is None or not length:
            await self._require_whole(key)
            return ()
        born = state_from(state, key).born
        parts, wanted = self._places.missing(key, born, length, at_once=ROWS_AT_ONCE)
        for first, last in wanted:
            (rows,) = await self._wire.ask(("LRANGE", log, first - 1, last - 1))
            parts += await self._wire.serial_executor(partial(self._read_words, key, born, first, rows))
        seqs = await self._wire.serial_executor(partial(best, parts, words, max_hits=max_hits))
        found = await self._wire.ask(*(("LINDEX", log, seq - 1) for seq in seqs)) if seqs else []
        there = [(row, seq) for row, seq in zip(found, seqs, strict=True) if row is not None]
        read = partial(_read_found, there)
        return read() if len(there) < BUSY_ROWS else await self._wire.serial_executor(read)

    def _read_words(self, key: Key, born: str, first: int, rows: Sequence[bytes]) -> list[Part]:
        return self._places.read(key, born, first, _read_rows(rows, first))

    async def state(self, key: Key) -> State | None:
        session, log = self._names.of(key)[:2]
        length, state = await self._wire.ask(("LLEN", log), ("HGET", session, "state"))
        if length and state is None:
            await self._require_whole(key)
        return None if state is None else state_from(state, key)

    async def _require_whole(self, key: Key) -> None:
        """Raises: StoreUnreadable if the server evicted the log or the state of the session; one that was deleted just
        now has neither."""
        await self._read(PARTS, key)

    async def put_digest(self, key: Key, digest: Digest, *, expected: int, born: str | None = None) -> Digest:
        numbered = replace(digest, number=expected + 1)
        figures = standing(numbered)
        request = {
            "born": born,
            "expected": expected,
            "last": max((last for _, last in (*digest.covers.pairs, *digest.pinned.pairs)), default=0),
            "figures": [figures.number, figures.tokens, figures.covered_tokens, figures.covered_messages],
        }
        call = self._call(PUT_DIGEST, key, packed(request), digest_entry(numbered))
        (answer,) = await self._wire.run(call)
        require_accepted(answer, key, expected=expected)
        return numbered

    async def mark(self, key: Key, marks: Marks) -> None:
        request = {
            "tier": marks.tier,
            "resumed": marks.resumed_after_seq,
            "away": marks.absent_s,
            "activate": marks.activate,
            "head": None if marks.head is None else flat(marks.head),
        }
        notice = b"" if marks.notice is None else pack(notice_to_plain(marks.notice))
        await self._read(MARK, key, packed(request), notice)

    async def notices(self, key: Key) -> tuple[Notice, ...]:
        answer = await self._read(NOTICES, key)
        with reading(f"a notice of session {key}"):
            return tuple(notice_from_plain(unpack(notice)) for notice in answer[1]) if answer else ()

    async def delete(self, key: Key) -> int:
        return await self._removed(key) or 0

    async def idle(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """As in `Purging`, by the server's clock. Examines 500 at a time."""
        require_age(older_than_s, tenant)
        found: list[Key] = []
        for one in await self._tenants(tenant):
            listed = self._names.sessions(one)
            (now_ms,) = await self._wire.run(Call(CLOCK, [listed], []))
            until_ms = now_ms - round(older_than_s * 1000)
            names = await self._listed(listed)
            for start in range(0, len(names), ROWS_AT_ONCE):
                some = [Key(unescape(as_text(name)), one) for name in names[start : start + ROWS_AT_ONCE]]
                states = zip(some, await self._packed_states(some), strict=True)
                found += await self._idle_whole([key for key, state in states if _is_idle(state, until_ms)], until_ms)
        return tuple(found)

    async def _idle_whole(self, keys: Sequence[Key], until_ms: float) -> list[Key]:
        """Those of `keys` to no namespace of which anybody wrote after `until_ms`."""
        sets = await self._wire.ask(*(("SMEMBERS", self._names.namespaces(key)) for key in keys))
        parts = [(key, as_text(name)) for key, names in zip(keys, sets, strict=True) for name in names]
        states = await self._packed_states([replace(key, namespace=name) for key, name in parts])
        used = {key for (key, _), state in zip(parts, states, strict=True) if not _is_idle(state or b"", until_ms)}
        return [key for key in keys if key not in used]

    async def purge(self, older_than_s: float, *, tenant: str | None = None) -> tuple[Key, ...]:
        """As in `Purging`, by the server's clock, for sessions without a lifetime."""
        idle = await self.idle(older_than_s, tenant=tenant)
        age_ms = round(older_than_s * 1000)
        return tuple([key for key in idle if await self._removed(key, age_ms=age_ms) is not None])

    async def _removed(self, key: Key, *, age_ms: int | None = None) -> int | None:
        """The number of messages deleted with the session; None if it was written to within `age_ms`, and stays."""
        listed, name = self._names.sessions(key.tenant), as_bytes(escape(key.session_id))
        sought = False
        while True:
            names, noted = await self._wire.ask(("SMEMBERS", self._names.namespaces(key)), ("ZSCORE", listed, name))
            namespaces = sorted(names)
            parts = [replace(key, namespace=as_text(namespace)) for namespace in (b"", *namespaces)]
            keys = [self._names.namespaces(key), *(name for part in parts for name in self._names.of_namespace(part))]
            leases = [self._names.lease(part) for part in parts]
            # Expired sessions may still be listed; what the server evicted of them expires by itself.
            known = "sought" if sought else "listed" if noted is not None and not self._ttl_ms else ""
            calls = [Call(DELETE, [*keys, *leases], ["" if age_ms is None else age_ms, known, *namespaces])]
            off_the_list = [] if noted is None else [Call(FORGET, [listed], ["", name, int(noted)])]
            if age_ms is None:
                calls += off_the_list
            answer, *_ = await self._wire.run(*calls)
            if answer[0] == b"kept":
                return None
            if answer[0] == b"lost":
                await self._seek_namespaces(key)
                sought = True
            if answer[0] == b"ok":
                if age_ms is not None and off_the_list:
                    await self._wire.run(*off_the_list)
                self._listing.forget(key)
                for part in parts:
                    self._tails.forget(self._names.of(part)[0])
                return int(answer[1])

    async def _seek_namespaces(self, key: Key) -> None:
        """Restore a session's set of namespaces, which the server evicted, by a scan over its keys."""
        like, cursor, found = pattern(self._names.beginning(key)), b"0", set[bytes]()
        while True:
            call = Call(SEEK, [self._names.namespaces(key)], [cursor, like, NAMES_AT_ONCE])
            ((cursor, names),) = await self._wire.run(call)
            found.update(self._names.namespace_in(name) for name in names)
            if cursor == b"0":
                break
        if found := found - {b""}:
            await self._wire.ask(("SADD", self._names.namespaces(key), *found))

    async def sessions(self, tenant: str | None = None) -> tuple[State, ...]:
        found: list[State] = []
        for one in await self._tenants(tenant):
            found.extend(await self._states(one))
        with_messages = (state for state in found if state.ledger.messages)
        return tuple(sorted(with_messages, key=lambda state: state.ledger.last_time_s or 0.0, reverse=True))

    async def damage(self) -> tuple[str, ...]:
        return ()

    async def risks(self) -> tuple[Risk, ...]:
        """Whether the server evicts keys or is nearly full; of a cluster one node is asked."""
        (info,) = await self._wire.run(Call(MEMORY, [self._names.tenants()], []))
        return memory_risks(info.decode(), sessions_expire=bool(self._ttl_ms))

    async def close(self) -> None:
        await self._wire.close()

    async def _listed(self, listed: bytes) -> list[bytes]:
        (names,) = await self._wire.ask(("ZRANGE", listed, 0, -1))
        return list(names)

    async def _states(self, tenant: str) -> list[State]:
        """The states of a tenant's sessions; entries of expired sessions are removed from the list."""
        listed = self._names.sessions(tenant)
        names = await self._listed(listed)
        keys = [Key(unescape(as_text(name)), tenant) for name in names]
        found: list[State] = []
        gone: list[bytes] = []
        for start in range(0, len(keys), ROWS_AT_ONCE):
            some = keys[start : start + ROWS_AT_ONCE]
            for key, name, state in zip(some, names[start:], await self._packed_states(some), strict=False):
                if state:
                    found.append(state_from(state, key))
                elif state is None:
                    gone.append(name)
        if gone:
            await self._wire.run(Call(FORGET, [listed], [NEW_MS, *gone]))
        return found

    async def _packed_states(self, keys: Sequence[Key]) -> list[bytes | None]:
        """The state of each session; empty if only namespaces of it exist, None if it is gone."""
        states = await self._wire.ask(*(("HGET", self._names.of(key)[0], "state") for key in keys))
        others = await self._wire.ask(
            *(("EXISTS", self._names.namespaces(key), self._names.of(key)[0]) for key in keys)
        )
        return [state or (b"" if other else None) for state, other in zip(states, others, strict=True)]


def _is_idle(state: bytes | None, until_ms: float) -> bool:
    """Whether a session is there, as far as its packed state says, and nobody wrote to it after `until_ms`."""
    return state is not None and (not state or touched_ms(state) < until_ms)


def _read_found(rows: Sequence[tuple[bytes, int]]) -> tuple[Message, ...]:
    return tuple(message_from(row, seq) for row, seq in rows)


def _read_rows(rows: Sequence[bytes], first: int) -> list[Message]:
    return list(map(message_from, rows, count(first)))
