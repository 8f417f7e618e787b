"""How a sealed message is known, and what who has no keys is told of it."""

from __future__ import annotations

from collections.abc import Iterable

from session_core.errors import StoreUnreadable
from session_core.turns import Key, Message

SEALED = "sealed/1"
"""The format of sealed bodies and values. Another one begins with the same word."""
_ANY = "sealed/"


def is_sealed(message: Message) -> bool:
    """Whether `message` says nothing without a key."""
    return message.native is not None and message.native.format.startswith(_ANY)


def require_unsealed(key: Key, messages: Iterable[Message]) -> None:
    """Raises: StoreUnreadable when one of `messages` is sealed: nobody opened it on its way here."""
    for message in messages:
        if message.native is not None and is_sealed(message):
            raise StoreUnreadable(
                f"session {key} is sealed, and no keys were given; open it as it was begun, with "
                "Sessions(..., keyring=Keyring.from_env()) or the EncryptedStore before its store"
            )
