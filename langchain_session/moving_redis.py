"""Reads a chat history of `langchain-redis` whole: its own reading stops at 10,000 messages and skips some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from langchain_core.messages import BaseMessage, messages_from_dict

_AT_ONCE = 500


def is_langchain_redis(history: object) -> bool:
    """Whether `history` is one of `langchain-redis`."""
    return type(history).__module__.startswith("langchain_redis.")


def messages_in_redis(history: Any) -> list[BaseMessage]:
    """All messages that `history` has in Redis, in the order in which they were added.

    Its index takes a message only when its content is one text, and reading goes by the index. So when the
    server says that the index left something out, the messages are read by their keys: that walks over all
    keys of the database once.
    """
    left_out = int(history.index.info().get("hash_indexing_failures", 0))
    found = _by_key(history) if left_out else _by_index(history)
    kept = [one for one in found if one["session_id"] == history.session_id]
    kept.sort(key=lambda one: (one["timestamp"], one.get("message_id", "")))
    return messages_from_dict([{"type": one["type"], "data": one["data"]} for one in kept])


def _by_key(history: Any) -> Iterable[Mapping[str, Any]]:
    pattern = "".join(f"[{c}]" if c in "*?[" else c for c in f"{history.key_prefix}{history.session_id}:") + "*"
    keys = list(history.redis_client.scan_iter(match=pattern.replace("\\", "\\\\"), count=1_000))
    for first in range(0, len(keys), _AT_ONCE):
        for value in history.redis_client.json().mget(keys[first : first + _AT_ONCE], "$"):
            yield from value or ()


def _by_index(history: Any) -> Iterable[Mapping[str, Any]]:
    count = len(history)
    if not count:
        return []
    tag, query = import_module("redisvl.query.filter").Tag, import_module("redisvl.query").FilterQuery
    asked = query(filter_expression=tag("session_id") == history.session_id, num_results=count)
    found: Iterable[Mapping[str, Any]] = history.index.query(asked)
    return found
