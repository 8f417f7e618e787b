"""Reads and fills any LangChain chat history for import and export: session names, and unlisted messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage
from langchain_core.runnables.config import run_in_executor

from langchain_session.conversion.marks import text_of
from langchain_session.conversion.messages import to_core
from langchain_session.transfer.redis_history import is_langchain_redis, messages_in_redis
from session_core import Message
from session_core.errors import ConfigError, InputError, named_type
from session_core.importing import in_batches, missing

_NAMES = ("session_id", "_session_id")


def session_id_of(history: BaseChatMessageHistory) -> str:
    """The session id of `history`. Raises: ConfigError if it has none."""
    found = next((getattr(history, name) for name in _NAMES if getattr(history, name, None)), None)
    if found is None:
        raise ConfigError(f"{named_type(history)} does not say which session it is; pass session_id=")
    return str(found)


def messages_of(history: BaseChatMessageHistory) -> list[BaseMessage]:
    """All messages of `history`, oldest first. Raises: InputError if it does not return all of them."""
    _require_history(history)
    if is_langchain_redis(history):
        return messages_in_redis(history)
    messages = list(history.messages)
    _require_all(history, messages)
    return messages


async def amessages_of(history: BaseChatMessageHistory) -> list[BaseMessage]:
    """Async form of `messages_of`."""
    _require_history(history)
    if is_langchain_redis(history):
        return await run_in_executor(None, messages_in_redis, history)
    messages = list(await history.aget_messages())
    await run_in_executor(None, _require_all, history, messages)
    return messages


def to_record(messages: Iterable[BaseMessage]) -> Iterator[Message]:
    """`messages` for the record. A message with the id of an earlier one keeps it in its own form only."""
    ids: set[str] = set()
    for message in messages:
        yield to_core(message, named=message.id not in ids)
        ids.update([message.id] if message.id else [])


def missing_batches(
    messages: Sequence[BaseMessage], there: Sequence[BaseMessage], name: str
) -> Iterator[list[BaseMessage]]:
    """The messages of `messages` that a history called `name` lacks, in bounded batches. Raises: Diverged.

    Histories keep less of a message than the record, so only type and content are compared.
    """
    rest = missing(messages, there, lambda message: (message.type, text_of(message)), where=f"the {name}")
    return in_batches(rest, lambda message: len(str(message.content)))


def _require_history(history: BaseChatMessageHistory) -> None:
    if not isinstance(history, BaseChatMessageHistory):
        raise ConfigError(f"{named_type(history)} is not a chat history; pass a BaseChatMessageHistory")


def _require_all(history: BaseChatMessageHistory, messages: Sequence[BaseMessage]) -> None:
    count = len(history) if isinstance(history, Sized) else 0
    if count > len(messages):
        raise InputError(
            f"the {type(history).__name__} says that it has {count} messages and gives {len(messages)}; nothing was "
            "written: read it another way, and pass an InMemoryChatMessageHistory with all of them"
        )
