"""How to recognise a sealed (encrypted) message, and the error for a process without the keys."""

from __future__ import annotations

from collections.abc import Iterable

from session_core.checkpoints import MessageList, Plain, Write
from session_core.errors import StoreUnreadable
from session_core.turns import Key, Message

SEALED = "sealed/1"
"""The format name of sealed bodies and values. Later versions begin with the same word."""
_ANY = "sealed/"


def is_sealed(message: Message) -> bool:
    """Whether the content of `message` is encrypted."""
    return message.native is not None and message.native.format.startswith(_ANY)


def seal_of(messages: Iterable[Message]) -> bool | None:
    """Whether all of `messages` are sealed; None for an empty list."""
    found = [is_sealed(message) for message in messages]
    return all(found) if found else None


def seal_of_checkpoint(body: Plain, values: Iterable[Plain | MessageList | None]) -> bool:
    """Whether a checkpoint, and all messages in its `values`, are sealed."""
    items = (item for value in values if isinstance(value, MessageList) for item in value.items)
    return body.type.startswith(_ANY) and seal_of(item for item in items if isinstance(item, Message)) is not False


def seal_of_writes(writes: Iterable[Write]) -> bool | None:
    """Whether all messages and values in `writes` are sealed; None if they have none of their own."""
    found: list[bool] = []
    for write in writes:
        if isinstance(write.value, MessageList):
            found += (is_sealed(item) for item in write.value.items if isinstance(item, Message))
        else:
            found.append(write.value.type.startswith(_ANY))
    return all(found) if found else None


def require_unsealed(key: Key, messages: Iterable[Message]) -> None:
    """Raises: StoreUnreadable if one of `messages` is sealed and so was not decrypted on the way here."""
    for message in messages:
        if message.native is not None and is_sealed(message):
            raise without_keys(key)


def without_keys(key: Key) -> StoreUnreadable:
    """The error for a process without the keys that reads or writes a sealed session."""
    return StoreUnreadable(
        f"session {key} is sealed, and no keys were given; open it as it was begun, with "
        "Sessions(..., keyring=Keyring.from_env()) or the EncryptedStore before its store"
    )
