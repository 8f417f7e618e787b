"""Encrypts and decrypts the values of sessions: content is hidden, fields that a store works with stay readable."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from session_core.errors import StoreUnreadable
from session_core.events import Notice
from session_core.plan import Digest
from session_core.ports import Checkpoint, MessageList, Plain, State, Stored, Write
from session_core.sealed import SEALED
from session_core.serial.codec import (
    body_digest,
    decode_body,
    digest_from_plain,
    digest_to_plain,
    encode_body,
    pack,
    unpack,
)
from session_core.stores.keyring import Keyring, Place
from session_core.turns import Key, Message, Native, ToolCall


@dataclass(frozen=True, slots=True)
class Seals:
    """Each value of a session to its sealed form and back; the sealed form has the same type.

    A sealed message says nothing but role, ids, tokens and time. Its body travels in `native.note`,
    which is no part of what a message says to a store; in `native.data` stands a keyed digest of
    what it says, the same whatever key sealed it. So a store's own comparison ("known by id and
    content") holds, although no message is sealed twice to the same bytes. Its author is sealed
    twice: for the store, which counts authors, and with what was said, so that nobody can be quoted
    for another.
    """

    ring: Keyring

    def message(self, key: Key, message: Message) -> Message:
        """`message` in its encrypted form for the inner store."""
        mark = self.ring.match(key, ("message", message.id), body_digest(message))
        clip = None if message.clip is None else self._text(key, _clip(message.id, mark), message.clip)
        return replace(
            message,
            content="",
            tool_calls=tuple(ToolCall(call.id, "", "") for call in message.tool_calls),
            name=None,
            author=self._named(key, message.author),
            media=(),
            aside="",
            native=Native(SEALED, mark, self.ring.seal(key, _body(message.id, mark), _with_author(message))),
            clip=clip,
        )

    def open_message(self, key: Key, message: Message) -> Message:
        """The decrypted message. Raises: StoreUnreadable."""
        native = _sealed(key, message)
        self.ring.require_match(key, native.data)
        author, data = _author_and_body(self.ring.open(key, _body(message.id, native.data), native.note))
        body = decode_body(data, id=message.id)
        return replace(
            message,
            role=body.role,
            content=body.content,
            tool_calls=body.tool_calls,
            tool_call_id=body.tool_call_id,
            name=body.name,
            author=self._name(key, message.author) if author is None else author,
            media=body.media,
            aside=body.aside,
            native=body.native,
            clip=None if message.clip is None else self._said(key, _clip(message.id, native.data), message.clip),
        )

    def open_messages(self, key: Key, messages: Iterable[Message]) -> tuple[Message, ...]:
        """Each of `messages`, decrypted."""
        return tuple(self.open_message(key, message) for message in messages)

    def digest(self, key: Key, digest: Digest, number: int) -> Digest:
        """`digest`, which will have number `number`, encrypted."""
        whole = pack(digest_to_plain(digest))
        return replace(digest, summary=_encoded(self.ring.seal(key, _digest(number), whole)), facts=())

    def open_digest(self, key: Key, digest: Digest) -> Digest:
        """The decrypted digest. Raises: StoreUnreadable."""
        whole = self.ring.open(key, _digest(digest.number), _decoded(digest.summary))
        return replace(digest_from_plain(unpack(whole)), number=digest.number)

    def notice(self, key: Key, notice: Notice) -> Notice:
        """`notice`, encrypted."""
        return replace(notice, text=self._text(key, ("notice", notice.version), notice.text))

    def open_notice(self, key: Key, notice: Notice) -> Notice:
        """The decrypted notice. Raises: StoreUnreadable."""
        return replace(notice, text=self._said(key, ("notice", notice.version), notice.text))

    def open_state(self, state: State) -> State:
        """The state with its authors' names decrypted; one that was sealed with two keys counts once."""
        if not state.ledger.authors:
            return state
        names = dict.fromkeys(self._name(state.key, author) or "" for author in state.ledger.authors)
        return replace(state, ledger=replace(state.ledger, authors=tuple(names)))

    def state_behind(self, state: State) -> State:
        """The state after a write. Authors that cannot be decrypted are left out: the write has happened, and an
        error would make callers repeat it. Readers of the session get the error."""
        try:
            return self.open_state(state)
        except StoreUnreadable:
            return replace(state, ledger=replace(state.ledger, authors=()))

    def plain(self, key: Key, place: Place, value: Plain) -> Plain:
        """A serialized value, encrypted; its type is hidden too."""
        return Plain(SEALED, self.ring.seal(key, place, pack([value.type, value.data])))

    def open_plain(self, key: Key, place: Place, value: Plain) -> Plain:
        """The decrypted value. Raises: StoreUnreadable."""
        kind, data = self._unsealed(key, place, value)
        return _plain(kind, data)

    def new_values(
        self, checkpoint: Checkpoint, values: Mapping[str, Plain | MessageList | None]
    ) -> dict[str, Plain | MessageList | None]:
        """The encrypted values of a checkpoint's changed channels."""
        return {
            channel: None if value is None else self._value(checkpoint.key, value_place(checkpoint, channel), value)
            for channel, value in values.items()
        }

    def checkpoint(self, checkpoint: Checkpoint) -> Checkpoint:
        """A checkpoint without values, encrypted."""
        return replace(checkpoint, body=self.plain(checkpoint.key, ("checkpoint", checkpoint.id), checkpoint.body))

    def open_checkpoint(self, found: Checkpoint) -> Checkpoint:
        """The decrypted checkpoint, with its values and writes. Raises: StoreUnreadable."""
        body = self.open_plain(found.key, ("checkpoint", found.id), found.body)
        return self.open_filled(replace(found, body=body))

    def open_filled(self, found: Checkpoint) -> Checkpoint:
        """A checkpoint with decrypted values and writes; its body is unchanged."""
        values: dict[str, Plain | Stored] = {
            channel: value
            if isinstance(value, Stored)
            else self.open_plain(found.key, value_place(found, channel), value)
            for channel, value in found.values.items()
        }
        writes = tuple(self.open_write(found.key, found.id, write) for write in found.writes)
        return replace(found, values=values, writes=writes)

    def write(self, key: Key, checkpoint_id: str, write: Write) -> Write:
        """A pending write, encrypted. Channel and path are sealed too, if the value is no message."""
        place, value = write_place(checkpoint_id, write), write.value
        if not isinstance(value, Plain):
            return replace(write, value=self._value(key, place, value))
        whole = pack([value.type, value.data, write.channel, write.task_path])
        return replace(write, value=Plain(SEALED, self.ring.seal(key, place, whole)))

    def open_write(self, key: Key, checkpoint_id: str, write: Write) -> Write:
        """The decrypted pending write. Raises: StoreUnreadable."""
        value = write.value
        if isinstance(value, Plain):
            kind, data, *where = self._unsealed(key, write_place(checkpoint_id, write), value)
            if where != [write.channel, write.task_path]:
                raise StoreUnreadable(
                    f"session {key}: a write was moved here from another channel or path; restore the backup"
                )
            return replace(write, value=_plain(kind, data))
        items = tuple(self.open_message(key, item) if isinstance(item, Message) else item for item in value.items)
        return replace(write, value=replace(value, items=items))

    def _value(self, key: Key, place: Place, value: Plain | MessageList) -> Plain | MessageList:
        if isinstance(value, Plain):
            return self.plain(key, place, value)
        items = tuple(self.message(key, item) if isinstance(item, Message) else item for item in value.items)
        return replace(value, items=items)

    def _unsealed(self, key: Key, place: Place, value: Plain) -> list[object]:
        data = self.ring.open(key, place, value.data if value.type == SEALED else b"")
        return cast("list[object]", unpack(data))

    def _text(self, key: Key, place: Place, text: str) -> str:
        return _encoded(self.ring.seal(key, place, text.encode("utf-8", "surrogatepass")))

    def _said(self, key: Key, place: Place, text: str) -> str:
        return self.ring.open(key, place, _decoded(text)).decode("utf-8", "surrogatepass")

    def _named(self, key: Key, author: str | None) -> str | None:
        """Equal names in one session have equal encrypted forms, since stores count a session's authors."""
        if author is None:
            return None
        return _encoded(self.ring.seal(key, ("author",), author.encode("utf-8", "surrogatepass"), same=True))

    def _name(self, key: Key, author: str | None) -> str | None:
        if author is None:
            return None
        return self.ring.open(key, ("author",), _decoded(author), same=True).decode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Renewal:
    """The `Change` of a rotation: every sealed value is sealed with the keyring's first key."""

    ring: Keyring

    def message(self, key: Key, message: Message) -> Message:
        native = _sealed(key, message)
        note = self.ring.reseal(key, _body(message.id, native.data), native.note)
        clip = None if message.clip is None else self._text(key, _clip(message.id, native.data), message.clip)
        author = None if message.author is None else self.author(key, message.author)
        if (note, clip, author) == (native.note, message.clip, message.author):
            return message
        return replace(message, native=replace(native, note=note), clip=clip, author=author)

    def digest(self, key: Key, digest: Digest) -> Digest:
        return replace(digest, summary=self._text(key, _digest(digest.number), digest.summary))

    def notice(self, key: Key, notice: Notice) -> Notice:
        return replace(notice, text=self._text(key, ("notice", notice.version), notice.text))

    def author(self, key: Key, author: str) -> str:
        return _encoded(self.ring.reseal(key, ("author",), _decoded(author), same=True))

    def plain(self, key: Key, place: tuple[str, ...], value: Plain) -> Plain:
        return Plain(SEALED, self.ring.reseal(key, place, value.data if value.type == SEALED else b""))

    def _text(self, key: Key, place: Place, text: str) -> str:
        return _encoded(self.ring.reseal(key, place, _decoded(text)))


def value_place(checkpoint: Checkpoint, channel: str) -> tuple[str, ...]:
    """The place of a channel's value: its channel and the version it is stored under."""
    return ("value", channel, str(checkpoint.versions[channel]))


def write_place(checkpoint_id: str, write: Write) -> tuple[str, ...]:
    """The place of a pending write: its checkpoint, task and index."""
    return ("write", checkpoint_id, write.task_id, str(write.index))


def _body(message_id: str, mark: bytes) -> Place:
    return ("message", message_id, mark)


def _clip(message_id: str, mark: bytes) -> Place:
    return ("clip", message_id, mark)


def _with_author(message: Message) -> bytes:
    """The content of a message, prefixed with its author."""
    if message.author is None:
        return b"\0" + encode_body(message)
    author = message.author.encode("utf-8", "surrogatepass")
    return b"\1" + len(author).to_bytes(4, "big") + author + encode_body(message)


def _author_and_body(plain: bytes) -> tuple[str | None, bytes]:
    """The inverse of `_with_author`."""
    if plain[:1] == b"\0":
        return None, plain[1:]
    end = 5 + int.from_bytes(plain[1:5], "big")
    return plain[5:end].decode("utf-8", "surrogatepass"), plain[end:]


def _plain(kind: object, data: object) -> Plain:
    return Plain(str(kind), data if isinstance(data, bytes) else b"")


def _digest(number: int) -> Place:
    return ("digest", number)


def _sealed(key: Key, message: Message) -> Native:
    if message.native is None or message.native.format != SEALED:
        raise StoreUnreadable(
            f"session {key}: message {message.id!r} is stored in clear; an encrypting store reads only what it wrote: "
            "read it with the inner store and append it here"
        )
    return message.native


def _encoded(sealed: bytes) -> str:
    return base64.b64encode(sealed).decode("ascii")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
