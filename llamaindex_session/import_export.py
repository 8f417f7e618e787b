"""Reads and fills LlamaIndex chat stores and memories for import and export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory.types import DEFAULT_CHAT_STORE_KEY, BaseMemory
from llama_index.core.storage.chat_store.base import BaseChatStore
from llama_index.core.storage.chat_store.base_db import AsyncDBChatStore

from llamaindex_session.changes import without_id
from llamaindex_session.marks import text_of
from session_core import Message
from session_core.advisers import require_method
from session_core.errors import ConfigError, NotFound, named_type
from session_core.importing import missing


def keys_of(chat_store: BaseChatStore, keys: Iterable[str] | None) -> list[str]:
    """The requested keys, or all of `chat_store`. Raises: ConfigError if the store has async methods only."""
    require_method(chat_store, "get_messages", "a chat store")
    if isinstance(chat_store, AsyncDBChatStore):
        raise ConfigError(f"{named_type(chat_store)} has async methods only; use aimport_from")
    return _given(keys) if keys is not None else list(chat_store.get_keys())


async def akeys_of(chat_store: BaseChatStore | AsyncDBChatStore, keys: Iterable[str] | None) -> list[str]:
    """Async form of `keys_of`, of either kind of store."""
    require_method(chat_store, "get_messages", "a chat store")
    if keys is not None:
        return _given(keys)
    found = chat_store.get_keys() if isinstance(chat_store, AsyncDBChatStore) else chat_store.aget_keys()
    return list(await found)


def messages_of(chat_store: BaseChatStore, key: str, *, named: bool) -> list[ChatMessage]:
    """All messages under `key`. Raises: NotFound if it was `named` and `chat_store` lacks it."""
    found = chat_store.get_messages(key)
    if named and not found:
        _require_key(chat_store, chat_store.get_keys(), key)
    return found


async def amessages_of(chat_store: BaseChatStore | AsyncDBChatStore, key: str, *, named: bool) -> list[ChatMessage]:
    """Async form of `messages_of`; for a database, archived messages are included."""
    if isinstance(chat_store, AsyncDBChatStore):
        found = await chat_store.get_messages(key, status=None)
    else:
        found = await chat_store.aget_messages(key)
    if named and not found:
        _require_key(chat_store, await akeys_of(chat_store, None), key)
    return found


def session_id_of(memory: BaseMemory) -> str:
    """The session id of `memory`. Raises: ConfigError if it has none of its own."""
    known: Any = memory
    found = getattr(known, "session_id", None) or getattr(known, "chat_store_key", None)
    if not found or found == DEFAULT_CHAT_STORE_KEY:
        raise ConfigError(f"this {type(memory).__name__} does not say which session it is; pass session_id=")
    return str(found)


def to_record(messages: Iterable[ChatMessage]) -> Iterator[Message]:
    """`messages` for the record."""
    return map(without_id, messages)


def missing_messages(
    messages: Sequence[ChatMessage], there: Sequence[ChatMessage], chat_store: BaseChatStore, key: str
) -> Sequence[ChatMessage]:
    """The messages of `messages` that are missing under `key`; role and text are compared. Raises: Diverged."""
    where = f"key {key!r} of the {type(chat_store).__name__}"
    return missing(messages, there, lambda message: (message.role, text_of(message)), where=where)


def _given(keys: Iterable[str]) -> list[str]:
    return [keys] if isinstance(keys, str) else list(keys)


def _require_key(chat_store: object, keys: Iterable[str], key: str) -> None:
    """Raises: NotFound if `key` is not among the `keys` of `chat_store`."""
    if key not in keys:
        raise NotFound(
            f"session {key}: the {type(chat_store).__name__} has no such key, nothing was moved; name one that "
            "get_keys() shows, or none for all of them"
        )
