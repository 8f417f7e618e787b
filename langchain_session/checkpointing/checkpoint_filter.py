"""Which checkpoints of a thread, or of all, a list shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import get_checkpoint_id

from langchain_session.graph_state.pruning import is_unlisted
from langchain_session.graph_state.threads import begin_anew, require_tenant
from session_core.ports import Checkpoint, SessionStore


async def select_checkpoints(
    store: SessionStore,
    tenant: str,
    config: RunnableConfig | None,
    before: RunnableConfig | None,
    *,
    limit: int | None,
    fits: Callable[[Checkpoint], bool],
) -> Sequence[Checkpoint]:
    """The checkpoints that match `config` and are older than `before`, newest first, at most `limit`. A run that finds
    none starts anew."""
    names = config["configurable"] if config else {}
    require_tenant(names, tenant)
    thread = names.get("thread_id")
    found = await store.checkpoints(
        tenant,
        None if thread is None else str(thread),
        names.get("checkpoint_ns"),
        before=get_checkpoint_id(before) if before else None,
    )
    only = get_checkpoint_id(config) if config else None
    kept: list[Checkpoint] = []
    for checkpoint in (one for one in found if not is_unlisted(one)):
        if limit is not None and len(kept) >= limit:
            break
        if (only is None or checkpoint.id == only) and fits(checkpoint):
            kept.append(checkpoint)
    if not kept:
        begin_anew(config, before)
    return kept
