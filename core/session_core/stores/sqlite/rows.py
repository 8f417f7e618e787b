"""Converts rows of the SQLite store to values and back: sessions, messages with bodies, digests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any

from session_core.errors import NotFound
from session_core.plan import Digest
from session_core.ports import State
from session_core.ranges import Ranges
from session_core.retrieval.retrieve import searchable, terms
from session_core.serial.cache import MESSAGE_BYTES, BoundedCache
from session_core.serial.codec import (
    body_digest,
    decode_body,
    decode_digest,
    encode_body,
    pack,
    reading,
    unpack,
)
from session_core.stores.plain_state import state_from_plain, state_to_plain
from session_core.stores.rules import Numbered, begun, best_holders, number
from session_core.turns import Importance, Key, Message

STATE_COLUMNS = "id, tenant, session_id, namespace, version, next_seq, state"
_OF_MESSAGE = "m.seq, m.id, m.author, m.time_s, m.tokens, m.importance, b.data, b.clip, b.clip_tokens"
_FROM = "FROM messages m JOIN bodies b ON b.id = m.body "
_MESSAGE, _BODY = f"SELECT {_OF_MESSAGE} {_FROM}", f"SELECT {_OF_MESSAGE}, m.body {_FROM}"
_messages: BoundedCache[Message] = BoundedCache(8_000_000, each=MESSAGE_BYTES)
IDS_AT_ONCE = 500
"""Messages per lookup; SQLite before 3.32 takes 999 parameters in all."""
MARK_CHARACTERS = 7
KNOWN_MARKS = 16_384
"""Capacity of the cache of word hashes, of some 200 bytes each: a session repeats the same words."""
_TABLES = ("messages", "digests", "notices", "checkpoints", "channel_values", "writes", "bodies")


class SessionRow:
    """A session's row: its rowid and its state."""

    __slots__ = ("next_seq", "rowid", "state")

    def __init__(self, row: Sequence[Any]) -> None:
        self.rowid, tenant, session_id, namespace, version, self.next_seq, state = row
        key = Key(text_out(session_id), text_out(tenant), text_out(namespace))
        self.state = state_from_plain(unpack(state), key=key, version=version)


def session_row(connection: sqlite3.Connection, key: Key) -> SessionRow | None:
    """The row of `key`, or None."""
    row = connection.execute(
        f"SELECT {STATE_COLUMNS} FROM sessions WHERE tenant = ? AND session_id = ? AND namespace = ?",
        names(key),
    ).fetchone()
    return SessionRow(row) if row else None


def require_row(connection: sqlite3.Connection, key: Key) -> SessionRow:
    """The row of `key`, created if missing."""
    found = session_row(connection, key)
    if found is not None:
        return found
    connection.execute(
        "INSERT INTO sessions (tenant, session_id, namespace, state, touched_s) VALUES (?, ?, ?, ?, now_s())",
        (*names(key), pack(state_to_plain(begun(key)))),
    )
    made = session_row(connection, key)
    if made is None:
        raise NotFound(f"session {key} was deleted while it was being created; retry")
    return made


def save_state(connection: sqlite3.Connection, row: SessionRow, state: State, new: int = 0) -> None:
    """Store `state` and the number of assigned sequence numbers (`new` more)."""
    row.state, row.next_seq = state, row.next_seq + new
    connection.execute(
        "UPDATE sessions SET version = ?, next_seq = ?, state = ?, updated_s = coalesce(?, now_s()), "
        "touched_s = now_s() WHERE id = ?",
        (state.version, row.next_seq, pack(state_to_plain(state)), state.ledger.last_time_s, row.rowid),
    )


def number_rows(
    connection: sqlite3.Connection,
    row: SessionRow,
    messages: Sequence[Message],
    *,
    revise: bool,
    lineage: Ranges = Ranges(),
) -> Numbered:
    """Sequence numbers for `messages`, assigned in this transaction."""
    found: dict[str | bytes | None, dict[bytes, int]] = {}
    ids = list({text_in(message.id) for message in messages})
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = ids[start : start + IDS_AT_ONCE]
        rows = connection.execute(
            "SELECT m.id, b.digest, m.seq FROM messages m JOIN bodies b ON b.id = m.body "
            f"WHERE m.session = ? AND m.id IN ({', '.join('?' * len(some))}) ORDER BY m.seq",
            (row.rowid, *some),
        )
        for message_id, digest, seq in rows:
            found.setdefault(message_id, {})[bytes(digest)] = int(seq)

    def known(message_id: str) -> dict[bytes, int]:
        return dict(found.get(text_in(message_id), {}))

    key, head = row.state.key, row.state.head
    return number(key, messages, next_seq=row.next_seq, known=known, head=head, revise=revise, lineage=lineage)


def insert_messages(connection: sqlite3.Connection, row: SessionRow, outcome: Numbered) -> None:
    """Write the new messages of `outcome` and index their words."""
    for message, digest in outcome.new:
        body = keep_body(connection, row, message, digest)
        connection.execute(
            "INSERT INTO messages (session, seq, id, body, author, time_s, tokens, importance) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                row.rowid,
                message.seq,
                text_in(message.id),
                body,
                text_in(message.author),
                message.time_s,
                message.tokens,
                message.importance.value,
            ),
        )
        index_words(connection, row, message, body)


def keep_body(connection: sqlite3.Connection, row: SessionRow, message: Message, digest: bytes | None = None) -> int:
    """The rowid of the message's body, which is stored unless the session has it."""
    digest = digest or body_digest(message)
    found = connection.execute(
        "SELECT id, clip FROM bodies WHERE session = ? AND digest = ?", (row.rowid, digest)
    ).fetchone()
    if found:
        if found[1] is None and message.clip is not None:
            connection.execute(
                "UPDATE bodies SET clip = ?, clip_tokens = ? WHERE id = ?",
                (text_in(message.clip), message.clip_tokens, found[0]),
            )
        return int(found[0])
    made = connection.execute(
        "INSERT INTO bodies (session, digest, data, clip, clip_tokens) VALUES (?, ?, ?, ?, ?)",
        (row.rowid, digest, encode_body(message), text_in(message.clip), message.clip_tokens),
    )
    return int(made.lastrowid or 0)


def index_words(connection: sqlite3.Connection, row: SessionRow, message: Message, body: int) -> None:
    """Add a body to the word index, unless it is there."""
    if connection.execute("SELECT indexed FROM bodies WHERE id = ?", (body,)).fetchone()[0]:
        return
    if marks := " ".join(word_marks(row.state, terms(searchable(message)))):
        connection.execute("INSERT INTO words (rowid, marks) VALUES (?, ?)", (body, marks))
        connection.execute("UPDATE bodies SET indexed = 1 WHERE id = ?", (body,))


def word_marks(state: State, words: Iterable[str]) -> list[str]:
    """Hashes of the words for the index, without duplicates, keyed with a secret that is deleted with the session.

    An index keeps words in its segments until they are merged, long after their rows are gone; these are meaningless
    then. They are short, so that rarely two words have the same.
    """
    return [_mark(state.born, word) for word in dict.fromkeys(words)]


@lru_cache(maxsize=KNOWN_MARKS)
def _mark(secret: str, word: str) -> str:
    marked = blake2b(word.encode("utf-8", "surrogatepass"), key=secret.encode(), digest_size=4)
    return marked.hexdigest()[:MARK_CHARACTERS]


def messages_with(
    connection: sqlite3.Connection, row: SessionRow, words: Sequence[str], *, most: int
) -> tuple[Message, ...]:
    """The messages of at most `most` bodies that contain any of `words`: those with rarer words first, of equal ones
    the newest; of one body by sequence number."""
    bodies = _bodies_with(connection, row, words, most=most)
    found: dict[int, list[Message]] = {body: [] for body in bodies}
    for first in range(0, len(bodies), IDS_AT_ONCE):
        part = bodies[first : first + IDS_AT_ONCE]
        rows = connection.execute(
            f"{_BODY} WHERE m.session = ? AND m.body IN ({','.join('?' * len(part))}) ORDER BY m.seq",
            (row.rowid, *part),
        )
        for *values, body in rows:
            found[body].append(message_from(values))
    return tuple(message for body in bodies for message in found[body])


def _bodies_with(connection: sqlite3.Connection, row: SessionRow, words: Sequence[str], *, most: int) -> list[int]:
    found = (
        connection.execute("SELECT rowid FROM words WHERE words MATCH ?", (f'"{mark}"',)).fetchall()
        for mark in word_marks(row.state, words)
    )
    return best_holders(([body for (body,) in holding] for holding in found), most=most)


def delete_rows(connection: sqlite3.Connection, tenant: str, session_id: str) -> int:
    """Delete a session with all its namespaces; returns the number of messages."""
    rows = connection.execute(
        f"SELECT {STATE_COLUMNS} FROM sessions WHERE tenant = ? AND session_id = ?",
        (text_in(tenant), text_in(session_id)),
    ).fetchall()
    gone = 0
    for row in map(SessionRow, rows):
        gone += row.state.ledger.messages
        _forget_words(connection, row)
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table} WHERE session = ?", (row.rowid,))
        connection.execute("DELETE FROM sessions WHERE id = ?", (row.rowid,))
    connection.execute("DELETE FROM leases WHERE tenant = ? AND session_id = ?", (text_in(tenant), text_in(session_id)))
    return gone


def idle_sessions(
    connection: sqlite3.Connection,
    older_than_s: float,
    tenant: str | None,
    *,
    behind: tuple[str, str] = ("", ""),
    most: int = -1,
) -> list[tuple[str, str]]:
    """Tenants and names of sessions after `behind`, in order, without a write for `older_than_s` seconds."""
    found = connection.execute(
        "SELECT tenant, session_id FROM sessions WHERE (tenant, session_id) > (?, ?) AND (tenant = ? OR ? IS NULL) "
        "GROUP BY tenant, session_id HAVING max(touched_s) < now_s() - ? ORDER BY tenant, session_id LIMIT ?",
        (*map(text_in, behind), text_in(tenant), text_in(tenant), older_than_s, most),
    )
    return [(text_out(owner), text_out(name)) for owner, name in found]


def is_idle(connection: sqlite3.Connection, named: tuple[str, str], older_than_s: float) -> bool:
    """Whether no part of the session with this tenant and name was written for `older_than_s` seconds."""
    found = connection.execute(
        "SELECT max(touched_s) < now_s() - ? FROM sessions WHERE tenant = ? AND session_id = ?",
        (older_than_s, *map(text_in, named)),
    ).fetchone()
    return bool(found[0])


def _forget_words(connection: sqlite3.Connection, row: SessionRow) -> None:
    """Remove the session's words from the index, which stores no text and must be given it again."""
    bodies = connection.execute("SELECT id, data FROM bodies WHERE session = ? AND indexed = 1", (row.rowid,))
    for body, data in bodies.fetchall():
        marks = " ".join(word_marks(row.state, terms(searchable(decode_body(data)))))
        connection.execute("INSERT INTO words (words, rowid, marks) VALUES ('delete', ?, ?)", (body, marks))


def messages_in(connection: sqlite3.Connection, row: SessionRow, part: Ranges) -> tuple[Message, ...]:
    """The messages of `part`, in its order."""
    found: list[Message] = []
    for first, last in part.pairs:
        rows = connection.execute(
            f"{_MESSAGE} WHERE m.session = ? AND m.seq BETWEEN ? AND ? ORDER BY m.seq",
            (row.rowid, first, last),
        )
        found.extend(map(message_from, rows))
    return tuple(found)


def messages_where(
    connection: sqlite3.Connection, row: SessionRow, condition: str, values: Iterable[object]
) -> tuple[Message, ...]:
    """The messages that match `condition`, by sequence number."""
    rows = connection.execute(f"{_MESSAGE} WHERE m.session = ? AND {condition} ORDER BY m.seq", (row.rowid, *values))
    return tuple(map(message_from, rows))


def message_from(row: Sequence[Any]) -> Message:
    """The message of a row of `messages` and its body; usually the same object for the same row."""
    key: tuple[Any, ...] = tuple(row)
    found = _messages.recent(key)
    if found is None:
        size = sum(len(one) for one in key if isinstance(one, str | bytes))
        found = _messages.get(key, partial(_read, key), size=size)
    return found


def _read(row: tuple[Any, ...]) -> Message:
    seq, message_id, author, time_s, tokens, importance, data, clip, clip_tokens = row
    with reading(f"message number {seq}"):
        return decode_body(
            data,
            id=text_out(message_id),
            seq=int(seq),
            author=maybe_out(author),
            time_s=None if time_s is None else float(time_s),
            tokens=int(tokens),
            importance=Importance(importance),
            clip=maybe_out(clip),
            clip_tokens=int(clip_tokens),
        )


def digests_of(connection: sqlite3.Connection, row: SessionRow, newest: int) -> Iterable[Digest]:
    """The digests numbered at most `newest`, newest first, read lazily."""
    rows = connection.execute(
        "SELECT data FROM digests WHERE session = ? AND number <= ? ORDER BY number DESC",
        (row.rowid, newest),
    )
    for (data,) in rows:
        yield decode_digest(data)


def forget_digest(connection: sqlite3.Connection, row: SessionRow, newest: int) -> None:
    """Remove the oldest digest that number `newest` outlives (`rules.outlived`)."""
    connection.execute(
        "DELETE FROM digests WHERE session = :rowid AND number = (SELECT min(number) FROM digests "
        "WHERE session = :rowid AND number < :active AND :newest - number >= 2 * (number & -number))",
        {"rowid": row.rowid, "active": row.state.active.number, "newest": newest},
    )


def text_in(text: str | None) -> str | bytes | None:
    """`text` for a column: as bytes if it contains lone surrogates, which UTF-8 cannot encode."""
    if text is None or text.isascii():
        return text
    data = text.encode("utf-8", "surrogatepass")
    try:
        data.decode()
    except UnicodeDecodeError:
        return data
    return text


def text_out(value: str | bytes) -> str:
    """The inverse of `text_in`."""
    return value.decode("utf-8", "surrogatepass") if isinstance(value, bytes) else value


def maybe_out(value: str | bytes | None) -> str | None:
    """As `text_out`; None stays None."""
    return None if value is None else text_out(value)


def names(key: Key) -> tuple[str | bytes | None, ...]:
    """Tenant, session id and namespace as columns."""
    return text_in(key.tenant), text_in(key.session_id), text_in(key.namespace)
