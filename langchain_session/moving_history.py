"""Chat histories of LangChain, read whole and filled: where they keep their session's name, what they hold back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence, Sized
from importlib import import_module
from typing import Any

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage, messages_from_dict
from langchain_core.runnables.config import run_in_executor

from langchain_session.marks import text_of
from langchain_session.messages import to_core
from session_core import Message
from session_core.errors import ConfigError, InputError
from session_core.moving import in_batches, missing

_NAMES = ("session_id", "_session_id")


def session_id_of(history: BaseChatMessageHistory) -> str:
    """The id of the session that `history` is of. Raises: ConfigError where it has none."""
    found = next((getattr(history, name) for name in _NAMES if getattr(history, name, None)), None)
    if found is None:
        raise ConfigError(f"a {type(history).__name__} does not say which session it is; pass session_id=")
    return str(found)


def messages_of(history: BaseChatMessageHistory) -> list[BaseMessage]:
    """All messages of `history`, oldest first. Raises: InputError when it holds some back."""
    said = list(history.messages)
    return said if _count(history) <= len(said) else _rest_too(history)


async def amessages_of(history: BaseChatMessageHistory) -> list[BaseMessage]:
    """As `messages_of`, awaited."""
    said = list(await history.aget_messages())
    if await run_in_executor(None, _count, history) <= len(said):
        return said
    return await run_in_executor(None, _rest_too, history)


def taken(messages: Iterable[BaseMessage]) -> Iterator[Message]:
    """`messages` for the record. Where one has the id of a message before it, both come back with that id."""
    ids: set[str] = set()
    for message in messages:
        yield to_core(message, named=message.id not in ids)
        ids.update([message.id] if message.id else [])


def wanting(said: Sequence[BaseMessage], there: Sequence[BaseMessage], name: str) -> Iterator[list[BaseMessage]]:
    """What of `said` a history called `name` has not yet, in bounded batches. Raises: Diverged.

    Histories keep less of a message than the record does, so the kind and the words are what counts.
    """
    rest = missing(said, there, lambda message: (message.type, text_of(message)), where=f"the {name}")
    return in_batches(rest, lambda message: len(str(message.content)))


def _count(history: BaseChatMessageHistory) -> int:
    """How many messages `history` says that it has; 0 where it does not say."""
    return len(history) if isinstance(history, Sized) else 0


def _rest_too(history: Any) -> list[BaseMessage]:
    """All that `history` counts; `langchain-redis` reads no more than its first 10,000 by itself."""
    count = len(history)
    found = _of_redis(history, count) if type(history).__module__.startswith("langchain_redis.") else history.messages
    if len(found) < count:
        raise InputError(
            f"the {type(history).__name__} says that it has {count} messages and gives {len(found)}; nothing was "
            "written: read it another way, and pass an InMemoryChatMessageHistory with all of them"
        )
    return list(found)


def _of_redis(history: Any, count: int) -> list[BaseMessage]:
    tag, query = import_module("redisvl.query.filter").Tag, import_module("redisvl.query").FilterQuery
    asked = query(
        filter_expression=tag("session_id") == history.session_id,
        return_fields=["type", "$.data"],
        num_results=count,
    ).sort_by("timestamp", asc=True)
    found = history.index.query(asked)
    return messages_from_dict([{"type": one["type"], "data": json.loads(one["$.data"])} for one in found])
