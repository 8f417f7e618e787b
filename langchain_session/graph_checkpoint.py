"""A checkpoint as a graph gives it to be stored, and its stored form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, CheckpointMetadata, get_checkpoint_metadata
from langgraph.checkpoint.base import Checkpoint as Given

from langchain_session.channels import Prepare, Storage, encode
from langchain_session.deltas import run_of, with_conversation, without_snapshots
from langchain_session.listing import ListOrigin
from langchain_session.threads import BEGAN, BORN, FORK, forget_record, notes_of
from langchain_session.values import stored_values
from langchain_session.whole_state import known_in
from session_core.errors import Conflict
from session_core.ports import Appended, Checkpoint, MessageList, Plain
from session_core.turns import Key


@dataclass(frozen=True, slots=True)
class GraphCheckpoint:
    """One call of `put`: the checkpoint of the session `key` with the config that it is put with."""

    key: Key
    config: RunnableConfig
    checkpoint: Given
    metadata: CheckpointMetadata
    new_versions: ChannelVersions

    async def store(self, storage: Storage, prepare: Prepare, guard: Mapping[str, Any]) -> tuple[Appended, str]:
        """Store it; returns also the channel that determines the head. `guard` has more options of `put_checkpoint`.

        If the session that the run started from was deleted since, its numbers mean nothing any more: then, and at
        each later step of the run, all that the run has is stored anew. The digest that it was given is not.
        """
        born = notes_of(self.config).get(BORN)
        try:
            return await self._store(storage, prepare, {**guard, "born": born})
        except Conflict:
            if born is None:
                raise
        forget_record(self.config)
        return await self._store(storage, prepare, guard)

    async def _store(self, storage: Storage, prepare: Prepare, options: Mapping[str, Any]) -> tuple[Appended, str]:
        row, stored, head = await self._stored_form(storage, prepare)
        done = await storage.store.put_checkpoint(row, stored, head_channel=head, merge=not self._forks, **options)
        return done, head

    @property
    def _forks(self) -> bool:
        return bool(notes_of(self.config).get(FORK)) or self.metadata.get("source") == "fork"

    async def _stored_form(
        self, storage: Storage, prepare: Prepare
    ) -> tuple[Checkpoint, Mapping[str, Plain | MessageList | None], str]:
        """The row, the new values, and the channel that determines the head."""
        checkpoint, key, channel, forks = self.checkpoint, self.key, storage.channel, self._forks
        behind = self.config["configurable"].get("checkpoint_id")
        parent_id = behind if behind != BEGAN else None
        given, values = checkpoint["channel_values"], without_snapshots(checkpoint["channel_values"], channel)
        new_versions = self.new_versions
        if (forks or behind == BEGAN) and channel in values:
            # The conversation follows a fork, also one without new messages.
            new_versions = {**new_versions, channel: checkpoint["channel_versions"].get(channel, "")}
        changed = await stored_values(
            values,
            [name for name in new_versions if name in checkpoint["channel_versions"]],
            ListOrigin.of(self.config, parent_id, known_in(self.config)),
            key=key,
            storage=storage,
            prepare=prepare,
        )
        bare = {k: v for k, v in checkpoint.items() if k not in ("channel_values", "channel_versions")}
        body = {"checkpoint": bare, "metadata": get_checkpoint_metadata(self.config, self.metadata)}
        row = Checkpoint(
            key,
            checkpoint["id"],
            parent_id,
            Plain(*storage.serde.dumps_typed(body)),
            dict(checkpoint["channel_versions"]),
            run_id=run_of(cast(Any, body["metadata"])),
        )
        notes = notes_of(self.config)
        return await with_conversation(
            storage, row, changed, given, notes, lambda m: encode(m, key, storage.serde, prepare), forks=forks
        )
