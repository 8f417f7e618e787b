"""A checkpoint as a graph gives it to be stored, and its stored form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, CheckpointMetadata, get_checkpoint_metadata
from langgraph.checkpoint.base import Checkpoint as Given

from langchain_session.graph_state.channels import Prepare, Storage, encode, is_message_list
from langchain_session.graph_state.deltas import run_of, with_conversation, without_snapshots
from langchain_session.graph_state.imported_numbers import NUMBERED
from langchain_session.graph_state.listing import ListOrigin
from langchain_session.graph_state.record_numbers import Known, recorded
from langchain_session.graph_state.threads import BASE, BEGAN, BORN, FORK, forget_record, is_the_same, notes_of
from langchain_session.graph_state.values import stored_values
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

    async def store(self, storage: Storage, prepare: Prepare, guard: Mapping[str, Any]) -> Appended:
        """Store it. `guard` has more options of `put_checkpoint`.

        If the session that the run started from was deleted since, its numbers mean nothing any more: then, and at
        each later step of the run, all that the run has is stored anew. The digest that it was given is not. If the
        server merely lost the last messages (an older copy of it took over), these are stored anew.
        """
        said = self._said(storage.channel)
        notes = notes_of(self.config)
        born = notes.get(BORN) if BASE in notes else recorded.born_of(self.key, said)
        try:
            return await self._store(storage, prepare, said, born, guard)
        except Conflict:
            if born is None:
                raise
        recorded.forget(self.key)
        if not await is_the_same(storage.store, self.key, born):
            forget_record(self.config)
        return await self._store(storage, prepare, said, None, guard)

    async def _store(
        self,
        storage: Storage,
        prepare: Prepare,
        said: Sequence[BaseMessage],
        born: str | None,
        guard: Mapping[str, Any],
    ) -> Appended:
        numbers = notes_of(self.config).get(NUMBERED)
        known: Known = numbers.known if numbers is not None else recorded.in_session(self.key, born)
        copies = recorded.copies(self.key, born, said)
        row, stored, head = await self._stored_form(storage, prepare, known)
        done = await storage.store.put_checkpoint(
            row, stored, head_channel=head, merge=not self._forks, born=born, **guard
        )
        if numbers is not None and head == storage.channel:
            numbers.learn(said, done.state.head)
        elif isinstance(value := stored.get(head), MessageList):
            recorded.learn(self.key, done, said, value, copies)
        return done

    def _said(self, channel: str) -> list[BaseMessage]:
        value = without_snapshots(self.checkpoint["channel_values"], channel).get(channel)
        return cast(list[BaseMessage], value) if is_message_list(value) else []

    @property
    def _forks(self) -> bool:
        return bool(notes_of(self.config).get(FORK)) or self.metadata.get("source") == "fork"

    async def _stored_form(
        self, storage: Storage, prepare: Prepare, known: Known
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
            ListOrigin.of(self.config, parent_id, known),
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
