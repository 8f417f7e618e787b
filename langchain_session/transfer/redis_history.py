"""Reads a `langchain-redis` chat history completely: its own reading stops at 10,000 messages and skips some."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

from langchain_core.messages import BaseMessage, messages_from_dict

_AT_ONCE = 500
_PLAIN_ID = re.compile(r"[A-Za-z0-9_.:@-]{1,255}", re.ASCII)
"""Ids that an index finds again: it splits others at commas, strips blanks, and does not index some characters."""


def is_langchain_redis(history: object) -> bool:
    """Whether `history` is one of `langchain-redis`."""
    return is_of_package(history, "langchain_redis")


def is_of_package(thing: object, package: str) -> bool:
    """Whether the class of `thing`, or a base class, is of `package`."""
    return any(f"{kind.__module__}.".startswith(f"{package}.") for kind in type(thing).__mro__)


def is_found_again(name: str) -> bool:
    """Whether a Redis index finds everything with this name; it may find more, since it ignores case."""
    return _PLAIN_ID.fullmatch(name) is not None


def messages_in_redis(history: Any) -> list[BaseMessage]:
    """All messages that `history` has in Redis, in the order of their addition.

    Its index contains a message only if its content is one string, loses some ids, and returns partial results after a
    timeout. If it may have missed something, the messages are read by a scan over all keys of the database.
    """
    found = _by_index(history) if _is_whole(history) else None
    if found is None:
        found = list(_by_key(history))
    kept = [one for one in found if one["session_id"] == history.session_id]
    kept.sort(key=lambda one: (one["timestamp"], one.get("message_id", "")))
    return messages_from_dict([{"type": one["type"], "data": one["data"]} for one in kept])


def _is_whole(history: Any) -> bool:
    """Whether the index contains every message of the session, as far as it can tell."""
    info = history.index.info()
    left_out, working = int(info.get("hash_indexing_failures", 0)), int(info.get("indexing", 0))
    return not left_out and not working and is_found_again(history.session_id)


def _by_key(history: Any) -> Iterable[Mapping[str, Any]]:
    pattern = "".join(f"[{c}]" if c in "*?[" else c for c in f"{history.key_prefix}{history.session_id}:") + "*"
    # A scan may return a key twice.
    keys = list(dict.fromkeys(history.redis_client.scan_iter(match=pattern.replace("\\", "\\\\"), count=1_000)))
    for first in range(0, len(keys), _AT_ONCE):
        for value in history.redis_client.json().mget(keys[first : first + _AT_ONCE], "$"):
            yield from value or ()


def _by_index(history: Any) -> Sequence[Mapping[str, Any]] | None:
    """The messages that the index finds; None if they are not as many as it counts. Without a time limit (0)."""
    tag, query = import_module("redisvl.query.filter").Tag, import_module("redisvl.query")
    mine = tag("session_id") == history.session_id
    count = int(history.index.query(query.CountQuery(filter_expression=mine).timeout(0)))
    if not count:
        return []
    asked = query.FilterQuery(filter_expression=mine, num_results=count).timeout(0)
    found: Sequence[Mapping[str, Any]] = history.index.query(asked)
    return found if len(found) == count else None
