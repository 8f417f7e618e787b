"""How to recognise a sealed (encrypted) message, and the error for a process without the keys."""

from __future__ import annotations

from collections.abc import Iterable

from session_core.checkpoints import MessageList, Plain, Write
from session_core.errors import StoreUnreadable
from session_core.turns import Key, Message

SEALED = "sealed/1"
"""The format of sealed bodies and values. Another one begins with the same word."""
_ANY = "sealed/"


def is_sealed(message: Message) -> bool:
    """Whether `message` says nothing without a key."""
    return message.native is not None and message.native.format.startswith(_ANY)


def seal_of(messages: Iterable[Message]) -> bool | None:
    """Whether all of `messages` are sealed; None for none."""
    found = [is_sealed(message) for message in messages]
    return all(found) if found else None


def seal_of_checkpoint(body: Plain, values: Iterable[Plain | MessageList | None]) -> bool:
    """Whether a checkpoint, and all messages in its `values`, are sealed."""
    items = (item for value in values if isinstance(value, MessageList) for item in value.items)
    return body.type.startswith(_ANY) and seal_of(item for item in items if isinstance(item, Message)) is not False


def seal_of_writes(writes: Iterable[Write]) -> bool | None:
    """Whether all that `writes` say is sealed, messages and other values; None where they say nothing of their own."""
    found: list[bool] = []
    for write in writes:
        if isinstance(write.value, MessageList):
            found += (is_sealed(item) for item in write.value.items if isinstance(item, Message))
        else:
            found.append(write.value.type.startswith(_ANY))
    return all(found) if found else None


def require_unsealed(key: Key, messages: Iterable[Message]) -> None:
    """Raises: StoreUnreadable when one of `messages` is sealed: nobody opened it on its way here."""
    for message in messages:
        if message.native is not None and is_sealed(message):
            raise without_keys(key)


def without_keys(key: Key) -> StoreUnreadable:
    """The error for a process without the keys that reads or writes a sealed session."""
    return StoreUnreadable(
        f"session {key} is sealed, and no keys were given; open it as it was begun, with "
        "Sessions(..., keyring=Keyring.from_env()) or the EncryptedStore before its store"
    )
