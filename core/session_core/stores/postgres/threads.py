"""LangGraph threads in PostgreSQL: ancestors of checkpoints, deletion, copies; one call each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from session_core.ports import Checkpoint, Holding
from session_core.ranges import Ranges
from session_core.serial.codec import decode_digest, reading
from session_core.stores.postgres.calls import PostgresCalls
from session_core.stores.postgres.checkpoints import bare, whole
from session_core.stores.postgres.rows import flat, maybe_in, names, ranges, text_in, text_out
from session_core.stores.postgres.states import state_from
from session_core.stores.refusals import copy_exists, other_version
from session_core.turns import Key


class PostgresThreads(PostgresCalls):
    """The thread methods of `CheckpointStore` in PostgreSQL."""

    async def ancestors(self, key: Key, checkpoint_id: str, channels: Sequence[str]) -> tuple[Checkpoint, ...]:
        texts = [text_in(channel) for channel in dict.fromkeys(channels)]
        rows = await self._call("read_ancestors", *names(key), text_in(checkpoint_id), texts)
        begins = [place for place, row in enumerate(rows) if row[0] == "checkpoint"]
        with reading(f"a checkpoint of session {key}"):
            return tuple(whole(key, rows[first:end], channels) for first, end in pairwise([*begins, len(rows)]))

    async def checkpoints_of_runs(self, tenant: str, run_ids: Sequence[str]) -> tuple[Checkpoint, ...]:
        rows = await self._call("list_of_runs", text_in(tenant), [text_in(run_id) for run_id in run_ids])
        with reading("a checkpoint"):
            return tuple(bare(tenant, row) for row in rows)

    async def parts(self, key: Key, channels: Sequence[str]) -> Mapping[str, Ranges]:
        rows = await self._call("read_parts", *names(key), [text_in(channel) for channel in channels])
        return {text_out(name): ranges(part) for name, part in rows}

    async def drop_checkpoints(
        self,
        key: Key,
        checkpoint_ids: Sequence[str],
        *,
        parents: Mapping[str, str | None] | None = None,
        head: Ranges | None = None,
        expected: int | None = None,
    ) -> None:
        given = parents or {}
        rows = await self._call(
            "drop_checkpoints",
            *names(key),
            [text_in(name) for name in checkpoint_ids],
            [text_in(name) for name in given],
            [maybe_in(parent) for parent in given.values()],
            None if head is None else flat(head),
            expected,
        )
        for (version,) in rows:
            raise other_version(key, version, expected)

    async def copy_session(self, key: Key, session_id: str) -> None:
        target = replace(key, session_id=session_id, namespace="")
        (tenant, name, _), (_, copy, _) = names(key), names(target)
        ((done,),) = await self._call("copy_session", tenant, name, copy)
        if not done:
            raise copy_exists(key, target)

    async def holdings(self, key: Key) -> tuple[Holding, ...]:
        tenant, name, _ = names(key)
        rows = await self._call("list_holdings", tenant, name)
        return tuple(Holding(state_from(state), tuple(map(decode_digest, digests))) for state, digests in rows)
