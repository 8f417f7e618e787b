"""Finds the checkpoints of `langgraph-checkpoint-redis`, whose own lists stop at 10,000 and miss some threads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import Any

from langgraph.checkpoint.base import CheckpointTuple

from langchain_session.transfer.checkpoint_place import CheckpointPlace
from langchain_session.transfer.redis_history import is_found_again, is_of_package

_NO_NAMESPACE = "__empty__"
_FIELDS = ("thread_id", "checkpoint_ns", "checkpoint_id")


def is_langgraph_redis(saver: object) -> bool:
    """Whether `saver` is one of `langgraph-checkpoint-redis`."""
    return is_of_package(saver, "langgraph.checkpoint.redis")


async def places_in_redis(ask: Callable[[Any], Awaitable[Any]], thread_id: str | None) -> list[CheckpointPlace]:
    """The unordered places of the checkpoints of `thread_id`, or of all threads; `ask` sends a query to their index.

    It has no time limit, which would truncate the result, and reads names only, since the saver's own list loads every
    checkpoint completely.
    """
    tag, query = import_module("redisvl.query.filter").Tag, import_module("redisvl.query")
    mine = tag("thread_id") == thread_id if thread_id is not None and is_found_again(thread_id) else "*"
    count = int(await ask(query.CountQuery(filter_expression=mine).timeout(0)))
    if not count:
        return []
    asked = query.FilterQuery(
        filter_expression=mine, return_fields=list(_FIELDS), num_results=count, sort_by=("checkpoint_id", "ASC")
    )
    found = [_place(one) for one in await ask(asked.timeout(0))]
    return [place for place in found if thread_id is None or place.thread_id == thread_id]


def lists_more_writes(saver: object, found: CheckpointTuple) -> bool:
    """Whether `saver` may have writes for `found` that it did not read.

    It reads writes only if a flag is set. A write that arrives before its checkpoint loses that flag when the
    checkpoint is stored; then a pending interrupt is only in the saver's lists.
    """
    return is_langgraph_redis(saver) and not found.pending_writes


def with_writes(found: CheckpointTuple, listed: Sequence[CheckpointTuple]) -> CheckpointTuple:
    """`found` with its writes among the `listed` ones."""
    same = (one for one in listed if one.config["configurable"] == found.config["configurable"])
    return found._replace(pending_writes=next((one.pending_writes for one in same), found.pending_writes))


def _place(found: Any) -> CheckpointPlace:
    thread_id, namespace, checkpoint_id = (found[name] for name in _FIELDS)
    return CheckpointPlace(checkpoint_id, "" if namespace == _NO_NAMESPACE else namespace, thread_id)
